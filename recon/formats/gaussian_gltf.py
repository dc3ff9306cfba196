"""Splats in glTF and GLB by the extension KHR_gaussian_splatting: points with rotation, scale, opacity and colour.

Rotations are x y z w, scales and opacities are themselves and no logarithms or logits, coefficients stand in
attributes of their own. The axes are X right, Y up, Z back. Viewers that do not know the extension show points in the
colours of COLOR_0, which are linear light.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError, InputError
from recon.formats import glb, spz
from recon.formats.atomic_file import replacing
from recon.formats.gaussian_file import (
    FileGaussians,
    check_count,
    cloud_comments,
    colors_of,
    dc_of_colors,
    decoding,
    flipped,
    joined,
    logits,
    reading_of,
    to_bytes,
    unit_quats,
    up_and_back,
)
from recon.formats.mesh_file import DAMAGED_ADVICE, truncated
from recon.formats.reading import Note, Reading, ReadOptions
from render.gaussians import GaussianCloud, quat_of, quat_product
from render.spherical_harmonics import MAX_DEGREE, rotated_sh

EXTENSION = "KHR_gaussian_splatting"
_PACKED = (f"{EXTENSION}_compression_spz_2", f"{EXTENSION}_compression_spz")
_KINDS = {5120: "i1", 5121: "u1", 5122: "i2", 5123: "u2", 5125: "u4", 5126: "f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_FLOAT, _UINT16, _VERTICES = 5126, 5123, 34962
_LARGEST_GLB = 2**32 - 1  # bytes
_LARGEST_GLTF = 2**28  # bytes of a file that is text
_DEEPEST = 64  # nodes in nodes


@dataclass(frozen=True)
class _Scene:
    """A glTF document with the bytes of its buffers."""

    path: Path
    document: Mapping[str, Any]
    buffers: Sequence[memoryview]


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """All splats of the scene, where its nodes put them. Raises FormatError."""
    with decoding(path):
        scene = _opened(path)
        found = [_placed(scene, splats, matrix) for splats, matrix in _splats(scene)]
        if not found:
            raise FormatError(path, "The file holds no splats.", "Open it as a mesh.")
        return reading_of(path, flipped(_whole(scene, found), (1, -1, -1)), options)


def _opened(path: Path) -> _Scene:
    document = glb.read_document(path)
    glb.check_structure(path, document)
    data = path.read_bytes()
    binary = memoryview(b"")
    if data.startswith(b"glTF"):
        start = 20 + int.from_bytes(data[12:16], "little")
        size = int.from_bytes(data[start : start + 4], "little")
        binary = memoryview(data)[start + 8 : start + 8 + size]
    elif len(data) > _LARGEST_GLTF:
        raise FormatError(path, "The file is too large for glTF as text.", "Export it as GLB.")
    return _Scene(path, document, [_buffer(path, each, binary) for each in document.get("buffers", [])])


def _buffer(path: Path, buffer: Mapping[str, Any], binary: memoryview) -> memoryview:
    uri = buffer.get("uri")
    if uri is None:
        found = binary
    elif uri.startswith("data:"):
        found = memoryview(base64.b64decode(uri.partition(",")[2]))
    else:
        beside = (path.parent / uri).resolve()
        if not beside.is_relative_to(path.parent.resolve()) or not beside.is_file():
            raise FormatError(path, f"Its data {uri!r} are not beside it.", "Put the files into one folder.")
        found = memoryview(beside.read_bytes())
    if buffer["byteLength"] > len(found):
        raise truncated(path, "data")
    return found


def _splats(scene: _Scene) -> Iterator[tuple[Mapping[str, Any], NDArray[np.float64]]]:
    """Each primitive of splats with the matrix (4, 4) that its node puts it by."""
    document = scene.document
    nodes = document.get("nodes", [])
    scenes = document.get("scenes", [])
    roots = scenes[document.get("scene", 0)].get("nodes", []) if scenes else range(len(nodes))
    waiting = [(root, np.eye(4), 0) for root in roots]
    while waiting:
        index, matrix, depth = waiting.pop()
        if depth > _DEEPEST:
            raise FormatError(scene.path, "A node of the file contains itself.", DAMAGED_ADVICE)
        node = nodes[index]
        placed = matrix @ _matrix(node)
        if "mesh" in node:
            primitives = document["meshes"][node["mesh"]]["primitives"]
            yield from ((each, placed) for each in primitives if EXTENSION in each.get("extensions", {}))
        waiting += [(child, placed, depth + 1) for child in node.get("children", [])]


def _matrix(node: Mapping[str, Any]) -> NDArray[np.float64]:
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    x, y, z, w = node.get("rotation", (0, 0, 0, 1))
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = turn * np.array(node.get("scale", (1, 1, 1)), np.float64)
    matrix[:3, 3] = node.get("translation", (0, 0, 0))
    return matrix


def _placed(scene: _Scene, primitive: Mapping[str, Any], matrix: NDArray[np.float64]) -> FileGaussians:
    """The Gaussians of a primitive in the scene's axes."""
    file = _gaussians(scene, primitive)
    if np.allclose(matrix, np.eye(4), atol=1e-12):
        return file
    left, sizes, right = np.linalg.svd(matrix[:3, :3])
    rotation, scale = left @ right, float(np.cbrt(np.prod(sizes)))
    if not scale > 0 or not np.isfinite(scale) or np.linalg.det(rotation) < 0 or np.ptp(sizes) > 1e-3 * scale:
        sentence = "A node of the file stretches or mirrors its splats, which splats cannot follow."
        raise FormatError(scene.path, sentence, "Apply the transform in the program that made it.")
    return replace(
        file,
        means=file.means @ (rotation * scale).T + matrix[:3, 3],
        quats=quat_product(quat_of(rotation), file.quats),
        log_scales=file.log_scales + np.log(scale),
        sh=rotated_sh(np.asarray(file.sh, np.float32), rotation),
    )


def _gaussians(scene: _Scene, primitive: Mapping[str, Any]) -> FileGaussians:
    extension = primitive["extensions"][EXTENSION]
    packed = next((extension["extensions"][x] for x in _PACKED if x in extension.get("extensions", {})), None)
    if packed is not None:
        return spz.gaussians_in(scene.path, bytes(_view(scene, packed["bufferView"])))
    attributes = primitive["attributes"]
    means = _numbers(scene, attributes["POSITION"])
    scales, rotation, opacity = (
        _numbers(scene, attributes[f"{EXTENSION}:{name}"]) for name in ("SCALE", "ROTATION", "OPACITY")
    )
    check_count(scene.path, len(means), sum(map(len, scene.buffers)), 12)
    notes: tuple[Note, ...] = ()
    if str(extension.get("colorSpace", "")).startswith("lin_"):
        notes = (Note("warning", "The colours are in linear light, and will look too dark."),)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_scales = np.log(scales)
    return FileGaussians(
        means,
        rotation[:, [3, 0, 1, 2]],
        log_scales,
        logits(opacity[:, 0]),
        _harmonics(scene, attributes),
        notes=notes,
    )


def _harmonics(scene: _Scene, attributes: Mapping[str, int]) -> NDArray[np.float32]:
    """(N, K, 3) up to the last degree that is there whole."""
    columns: list[NDArray[np.floating]] = []
    for band in range(MAX_DEGREE + 1):
        names = [f"{EXTENSION}:SH_DEGREE_{band}_COEF_{i}" for i in range(2 * band + 1)]
        if any(name not in attributes for name in names):
            break
        columns += [_numbers(scene, attributes[name]) for name in names]
    if not columns:
        linear = _numbers(scene, attributes["COLOR_0"])[:, :3]
        columns = [dc_of_colors(glb.srgb_from_linear(linear) / 255)]
    return np.stack(columns, 1).astype(np.float32)


def _numbers(scene: _Scene, index: int) -> NDArray[np.floating]:
    """(N, W) the numbers of an accessor; integers that are meant as shares as those."""
    accessor = scene.document["accessors"][index]
    width, kind = _WIDTHS[accessor["type"]], np.dtype("<" + _KINDS[accessor["componentType"]])
    if "sparse" in accessor or "bufferView" not in accessor:
        raise FormatError(scene.path, "The file has sparse data, which cannot be read.", "Export it plainly.")
    view, count = _view(scene, accessor["bufferView"]), accessor["count"]
    step = scene.document["bufferViews"][accessor["bufferView"]].get("byteStride", width * kind.itemsize)
    start = accessor.get("byteOffset", 0)
    if count < 1 or start < 0 or start + (count - 1) * step + width * kind.itemsize > len(view):
        raise truncated(scene.path, "data")
    stored = np.ndarray((count, width), kind, view, start, (step, kind.itemsize))
    if kind.kind == "f" or not accessor.get("normalized"):
        return stored.astype(np.float32)
    return np.maximum(stored.astype(np.float32) / np.iinfo(kind).max, -1)


def _view(scene: _Scene, index: int) -> memoryview:
    view: Mapping[str, int] = scene.document["bufferViews"][index]
    start, size = view.get("byteOffset", 0), view["byteLength"]
    buffer = scene.buffers[view["buffer"]]
    if min(start, size) < 0 or start + size > len(buffer):
        raise truncated(scene.path, "data")
    return buffer[start : start + size]


def _whole(scene: _Scene, parts: Sequence[FileGaussians]) -> FileGaussians:
    """All splats as one cloud, with what our own files say about it."""
    extras = scene.document["asset"].get("extras")
    lines = extras.get("isokiln", []) if isinstance(extras, dict) else []
    whole = replace(joined(parts), comments=[line for line in lines if isinstance(line, str)])
    if len(parts) == 1:
        return whole
    note = Note("info", f"{len(parts)} groups of splats were joined to one.")
    return replace(whole, notes=(*whole.notes, note))


def write(path: Path, cloud: GaussianCloud) -> None:
    """Write the cloud as GLB, with colours for viewers that know no splats."""
    with replacing(path) as beside, beside.open("wb") as file:
        write_file(file, cloud)


def write_file(file: BinaryIO, cloud: GaussianCloud) -> None:
    """One primitive with an accessor for each attribute, all of them 32-bit floats. Raises InputError beyond 4 GiB."""
    if len(cloud) * (44 + 8 + 12 * cloud.sh.shape[1]) > _LARGEST_GLB - 2**20:
        raise InputError("A GLB file holds 4 GiB at most.", "Write PLY, or fewer Gaussians.")
    attributes = _attributes(cloud)
    views, accessors, start = [], [], 0
    for values, component, kind, more in attributes.values():
        views.append({"buffer": 0, "byteOffset": start, "byteLength": values.nbytes, "target": _VERTICES})
        accessors.append(
            {
                "bufferView": len(views) - 1,
                "componentType": component,
                "count": len(cloud),
                "type": kind,
                **more,
            }
        )
        start += values.nbytes
    primitive = {
        "attributes": {name: i for i, name in enumerate(attributes)},
        "mode": 0,
        "extensions": {EXTENSION: {"kernel": "ellipse", "colorSpace": "srgb_rec709_display"}},
    }
    document = {
        "asset": {"version": "2.0", "generator": "Isokiln", "extras": {"isokiln": cloud_comments(cloud)}},
        "extensionsUsed": [EXTENSION],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "splats", "mesh": 0}],
        "meshes": [{"name": "splats", "primitives": [primitive]}],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": start}],
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    glb.write_chunks(file, text, [values.tobytes() for values, _, _, _ in attributes.values()])


def _attributes(cloud: GaussianCloud) -> dict[str, tuple[NDArray[Any], int, str, dict[str, Any]]]:
    """Name → values, type of number, shape, and what more their accessor says."""
    placed = up_and_back(cloud)
    means = np.asarray(placed.means, "<f4")
    ends = {"min": means.min(0).tolist(), "max": means.max(0).tolist()}
    rotation = unit_quats(placed.quats)[:, [1, 2, 3, 0]]
    rgba = np.empty((len(cloud), 4), "<u2")
    rgba[:, :3] = glb.linear_from_srgb(to_bytes(colors_of(cloud)))
    rgba[:, 3] = np.round(cloud.opacities * np.float64(65535))
    found: dict[str, tuple[NDArray[Any], int, str, dict[str, Any]]] = {
        "POSITION": (means, _FLOAT, "VEC3", ends),
        f"{EXTENSION}:ROTATION": (np.asarray(rotation, "<f4"), _FLOAT, "VEC4", {}),
        f"{EXTENSION}:SCALE": (np.asarray(cloud.scales, "<f4"), _FLOAT, "VEC3", {}),
        f"{EXTENSION}:OPACITY": (np.asarray(cloud.opacities, "<f4"), _FLOAT, "SCALAR", {}),
        "COLOR_0": (rgba, _UINT16, "VEC4", {"normalized": True}),
    }
    for band in range(cloud.sh_degree + 1):
        for i in range(2 * band + 1):
            values = np.ascontiguousarray(placed.sh[:, band * band + i], "<f4")
            found[f"{EXTENSION}:SH_DEGREE_{band}_COEF_{i}"] = (values, _FLOAT, "VEC3", {})
    return found
