"""GLB and glTF: written by hand, with all that a viewer wants; read through trimesh after a check of its counts."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.mesh_file import DAMAGED_ADVICE, FileMesh, truncated
from recon.formats.reading import Note

_FLOAT, _UINT32, _UINT16 = 5126, 5125, 5123
_VERTICES, _INDICES = 34962, 34963  # what a buffer view is for
_MOST_NODES = 100_000


def read(path: Path) -> FileMesh:
    """All meshes of the scene where their nodes put them, in metres, +Y up. Raises FormatError."""
    check_structure(path, read_document(path))
    import trimesh

    scene = trimesh.load_scene(path, process=False)
    return replace(joined_scene(path, scene, decode_colors=srgb_from_linear), unit="m", up="+Y")


def joined_scene(path: Path, scene: Any, decode_colors: Any) -> FileMesh:
    """Every instance of every mesh of a trimesh scene as one mesh, without merging vertices."""
    vertices, faces, colors, count = [], [], [], 0
    for node in scene.graph.nodes_geometry:
        matrix, name = scene.graph[node]
        part = scene.geometry[name]
        if not hasattr(part, "faces") or not len(part.faces):
            continue
        placed = np.asarray(part.vertices, np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
        corners = np.asarray(part.faces, np.int64)
        mirrored = np.linalg.det(matrix[:3, :3]) < 0
        vertices.append(placed)
        faces.append((corners[:, ::-1] if mirrored else corners) + count)
        colors.append(_part_colors(part, decode_colors))
        count += len(placed)
    if not faces:
        raise FormatError(path, "The file holds no faces.", "Choose a file with a mesh.")
    notes = (Note("info", f"{len(faces)} objects were joined to one mesh."),) if len(faces) > 1 else ()
    return FileMesh(
        np.concatenate(vertices), np.concatenate(faces), _joined_colors(vertices, colors), notes=notes
    )


def _joined_colors(
    vertices: Sequence[NDArray[np.float64]], colors: Sequence[NDArray[np.uint8] | None]
) -> NDArray[np.uint8] | None:
    if all(each is None for each in colors):
        return None
    plain = [np.full((len(v), 3), 204, np.uint8) for v in vertices]
    return np.concatenate([p if c is None else c for p, c in zip(plain, colors, strict=True)])


def _part_colors(part: Any, decode_colors: Any) -> NDArray[np.uint8] | None:
    """(V, 3) sRGB from vertex colours, or from a material or texture at the vertices; None where there is neither."""
    visual = part.visual
    if not visual.defined:
        return None
    stored = getattr(visual, "vertex_attributes", {}).get("color")
    if visual.kind == "texture" and stored is None:
        if getattr(visual.material, "baseColorTexture", None) is None and not _is_tinted(visual.material):
            return None
        # Textures are sRGB; trimesh takes a material's factor as sRGB too.
        return np.asarray(visual.to_color().vertex_colors, np.uint8)[:, :3]
    rgba = np.asarray(visual.vertex_colors if stored is None else stored)
    return np.asarray(decode_colors(rgba[:, :3]), np.uint8)


def _is_tinted(material: Any) -> bool:
    factor = getattr(material, "baseColorFactor", None)
    return factor is not None and len(set(np.asarray(factor)[:3].tolist())) > 1


def read_document(path: Path) -> dict[str, Any]:
    """The JSON part of a GLB or glTF file."""
    data = path.read_bytes()
    if data[:4] == b"glTF":
        if len(data) < 20:
            raise truncated(path, "header")
        _, total, length, kind = struct.unpack("<IIII", data[4:20])
        if total > len(data) or length > len(data) - 20 or kind != 0x4E4F534A:
            raise truncated(path, "contents")
        data = data[20 : 20 + length]
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(path, "The file is no glTF file.", DAMAGED_ADVICE, details=str(error)) from error
    if not isinstance(document, dict) or "asset" not in document:
        raise FormatError(path, "The file is no glTF file.", DAMAGED_ADVICE)
    return document


def check_structure(path: Path, document: dict[str, Any]) -> None:
    """Refuse counts beyond the file's own data and nodes that contain themselves."""
    buffers = [each.get("byteLength", 0) for each in document.get("buffers", [])]
    for accessor in document.get("accessors", []):
        if accessor.get("count", 0) < 0 or accessor.get("count", 0) > max(sum(buffers), 0):
            raise FormatError(path, "The file names more numbers than it holds.", DAMAGED_ADVICE)
    if sum(buffers) > 4 * path.stat().st_size and not any("uri" in each for each in document["buffers"]):
        raise truncated(path, "contents")
    nodes = document.get("nodes", [])
    parents = [child for node in nodes for child in node.get("children", [])]
    if len(nodes) > _MOST_NODES or len(parents) != len(set(parents)) or _has_cycle(nodes):
        raise FormatError(path, "The objects of the file contain each other.", DAMAGED_ADVICE)


def _has_cycle(nodes: list[dict[str, Any]]) -> bool:
    parent = {child: i for i, node in enumerate(nodes) for child in node.get("children", [])}
    settled: set[int] = set()
    for start in range(len(nodes)):
        seen, current = set(), start
        while current in parent and current not in settled:
            if current in seen:
                return True
            seen.add(current)
            current = parent[current]
        settled |= seen
    return False


def write(file: BinaryIO, meshes: Sequence[tuple[str, FileMesh]]) -> None:
    """Binary glTF 2.0: one node a mesh, normals, linear vertex colours, a two-sided matt material."""
    views: list[dict[str, Any]] = []
    accessors: list[dict[str, Any]] = []
    chunks: list[bytes] = []

    def add(values: NDArray[np.generic], component: int, kind: str, target: int, **more: Any) -> int:
        data = np.ascontiguousarray(values).tobytes()
        start = sum(map(len, chunks))
        views.append({"buffer": 0, "byteOffset": start, "byteLength": len(data), "target": target})
        accessor = {
            "bufferView": len(views) - 1,
            "componentType": component,
            "count": len(values),
            "type": kind,
        }
        accessors.append(accessor | more)
        chunks.append(data.ljust(-(-len(data) // 4) * 4, b"\0"))
        return len(accessors) - 1

    primitives = [_primitive(mesh, add) for _, mesh in meshes]
    names = [name for name, _ in meshes]
    document = {
        "asset": {"version": "2.0", "generator": "Isokiln"},
        "scene": 0,
        "scenes": [{"nodes": list(range(len(meshes)))}],
        "nodes": [{"name": name, "mesh": i} for i, name in enumerate(names)],
        "meshes": [{"name": name, "primitives": [p]} for name, p in zip(names, primitives, strict=True)],
        "materials": [_material(has_colors=any(mesh.colors is not None for _, mesh in meshes))],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": sum(map(len, chunks))}],
    }
    write_chunks(file, json.dumps(document, separators=(",", ":")).encode(), chunks)


def _primitive(mesh: FileMesh, add: Any) -> dict[str, Any]:
    positions = np.asarray(mesh.vertices, np.float32)
    low, high = positions.min(0).tolist(), positions.max(0).tolist()
    attributes = {"POSITION": add(positions, _FLOAT, "VEC3", _VERTICES, min=low, max=high)}
    if mesh.normals is not None:
        attributes["NORMAL"] = add(mesh.normals.astype(np.float32), _FLOAT, "VEC3", _VERTICES)
    if mesh.colors is not None:
        rgba = np.full((len(mesh.colors), 4), 65535, np.uint16)
        rgba[:, :3] = linear_from_srgb(mesh.colors)
        attributes["COLOR_0"] = add(rgba, _UINT16, "VEC4", _VERTICES, normalized=True)
    indices = mesh.faces.astype(np.uint32).ravel()
    used = {"min": [int(indices.min())], "max": [int(indices.max())]}
    return {
        "attributes": attributes,
        "indices": add(indices, _UINT32, "SCALAR", _INDICES, **used),
        "material": 0,
        "mode": 4,
    }


def _material(has_colors: bool) -> dict[str, Any]:
    base = [1.0, 1.0, 1.0, 1.0] if has_colors else [0.6, 0.6, 0.6, 1.0]
    surface = {"baseColorFactor": base, "metallicFactor": 0.0, "roughnessFactor": 0.7}
    return {"name": "surface", "pbrMetallicRoughness": surface, "doubleSided": True}


def write_chunks(file: BinaryIO, text: bytes, binary: Sequence[bytes]) -> None:
    """Write a GLB file of a document and the parts of its one buffer, each of whole four bytes."""
    text = text.ljust(-(-len(text) // 4) * 4)
    size = sum(map(len, binary))
    file.write(struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + size))
    file.write(struct.pack("<I4s", len(text), b"JSON") + text)
    file.write(struct.pack("<I4s", size, b"BIN\0"))
    for part in binary:
        file.write(part)


def linear_from_srgb(colors: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """sRGB bytes as linear light of 16 bits, as glTF has its vertex colours; fine enough to come back exactly."""
    share = np.arange(256) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.asarray((linear * 65535).round().astype(np.uint16)[colors])


def srgb_from_linear(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Linear light, as shares or as unsigned integers, as sRGB bytes."""
    scale = float(np.iinfo(values.dtype).max) if values.dtype.kind == "u" else 1.0
    linear = np.clip(np.nan_to_num(values.astype(np.float64)) / scale, 0, 1)
    share = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (share * 255).round().astype(np.uint8)
