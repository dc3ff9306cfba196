"""OBJ with its MTL: positions and faces, vertex colours as six numbers a vertex or by material."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.mesh_file import (
    DAMAGED_ADVICE,
    FileMesh,
    fan_triangles,
    frame_comments,
    parse_numbers,
    read_frame_comments,
    write_rows,
)
from recon.formats.reading import Note

_LARGEST_MTL = 16 * 2**20  # bytes


def read(path: Path) -> FileMesh:
    """Raises FormatError for anything but a whole mesh. Seams of texture coordinates do not cut the mesh."""
    data = path.read_bytes()
    if b"\0" in data[:4096]:
        raise FormatError(path, "The file is not text, so it is no OBJ file.", DAMAGED_ADVICE)
    lines = data.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ").split(b"\n")
    lines = [line.strip() for line in lines]
    vertices, colors = _vertices(path, [line[2:] for line in lines if line[:2] in (b"v ", b"v\t")])
    corners, sizes = _corners(path, lines)
    faces = fan_triangles(corners, sizes)
    notes: tuple[Note, ...] = ()
    if colors is None:
        face_of = np.repeat(np.arange(len(sizes)), sizes)
        colors, notes = _material_colors(path, lines, len(vertices), corners, face_of)
    comments = b"\n".join(line for line in lines[:64] if line.startswith(b"#"))
    words = read_frame_comments(comments.decode("latin-1"))
    return FileMesh(
        vertices, faces, colors, unit=words.unit, up=words.up, patient_axes=words.patient_axes, notes=notes
    )


def _vertices(path: Path, lines: list[bytes]) -> tuple[NDArray[np.float64], NDArray[np.uint8] | None]:
    if len({len(line.split()) for line in lines}) > 1:
        # Only some vertices have a colour or a weight: the places alone count.
        lines = [b" ".join(line.split()[:3]) for line in lines]
    numbers = parse_numbers(b" ".join(lines), path).astype(np.float64)
    width = len(numbers) // len(lines) if lines else 0
    if not lines or width * len(lines) != len(numbers) or width not in (3, 4, 6, 7):
        raise FormatError(path, "The vertices do not have three numbers each.", DAMAGED_ADVICE)
    table = numbers.reshape(-1, width)
    colors = None
    if width >= 6 and np.isfinite(table[:, -3:]).all():
        colors = (
            np.clip(table[:, 3:6] * (255 if table[:, 3:6].max() <= 1 else 1), 0, 255).round().astype(np.uint8)
        )
    return table[:, :3], colors


def _corners(path: Path, lines: list[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(corners (N,) from 0, number of corners of each polygon)."""
    polygons = [line[2:] for line in lines if line[:2] in (b"f ", b"f\t")]
    if not polygons:
        raise FormatError(path, "The file holds no faces.", "Choose a file with a mesh.")
    text = re.sub(rb"/\S*", b"", b"\n".join(polygons))
    sizes = np.array([len(line.split()) for line in text.split(b"\n")], np.int64)
    corners = parse_numbers(text, path, np.int64).astype(np.int64)
    if len(corners) != sizes.sum() or (corners == 0).any():
        raise FormatError(path, "A face's corners are not numbers of vertices.", DAMAGED_ADVICE)
    if (corners < 0).any():
        corners = np.where(corners < 0, corners + np.repeat(_vertices_before(lines), sizes), corners - 1)
        return corners, sizes
    return corners - 1, sizes


def _vertices_before(lines: list[bytes]) -> NDArray[np.int64]:
    """How many vertices stand before each face; corners below zero count back from there."""
    kinds = np.array([line[:1] if line[1:2] in (b" ", b"\t") else b"" for line in lines])
    return np.asarray(np.cumsum(kinds == b"v")[kinds == b"f"])


def _material_colors(
    path: Path,
    lines: list[bytes],
    num_vertices: int,
    corners: NDArray[np.int64],
    face_of: NDArray[np.int64],
) -> tuple[NDArray[np.uint8] | None, tuple[Note, ...]]:
    """(V, 3) the diffuse colour of each vertex's material; None where the file names no material."""
    uses = [line for line in lines if line.startswith((b"usemtl", b"f ", b"f\t"))]
    names, current = [], b""
    for line in uses:
        if line.startswith(b"usemtl"):
            current = line[6:].strip()
        else:
            names.append(current)
    if not any(names):
        return None, ()
    palette, missing = _palette(path, lines)
    colors = np.full((num_vertices, 3), 204, np.uint8)
    of_face = np.array([palette.get(name, (204, 204, 204)) for name in names], np.uint8)
    known = (corners >= 0) & (corners < num_vertices)
    colors[corners[known]] = of_face[face_of[known]]
    notes = tuple(Note("warning", f"The material file {name} was not found.") for name in missing)
    return (colors, notes) if palette else (None, notes)


def _palette(path: Path, lines: Sequence[bytes]) -> tuple[dict[bytes, tuple[int, ...]], list[str]]:
    """Material name → diffuse colour, from the MTL files that lie beside the OBJ file; and those missing."""
    palette: dict[bytes, tuple[int, ...]] = {}
    missing = []
    for line in lines:
        if not line.startswith(b"mtllib"):
            continue
        name = Path(line[6:].strip().decode("utf-8", "replace").replace("\\", "/")).name
        beside = path.parent / name
        if not name or not beside.is_file() or beside.stat().st_size > _LARGEST_MTL:
            missing.append(name)
            continue
        palette.update(_diffuse_colors(path, beside.read_bytes()))
    return palette, missing


def _diffuse_colors(path: Path, text: bytes) -> dict[bytes, tuple[int, ...]]:
    colors, material = {}, b""
    for line in text.splitlines():
        word, _, rest = line.strip().partition(b" ")
        if word == b"newmtl":
            material = rest.strip()
        elif word == b"Kd" and len(rest.split()) == 3:
            shares = np.nan_to_num(parse_numbers(rest, path).astype(np.float64))
            colors[material] = tuple(int(c) for c in np.clip(shares * 255, 0, 255).round())
    return colors


def write(file: BinaryIO, mtl_file: BinaryIO, mtl_name: str, meshes: Sequence[tuple[str, FileMesh]]) -> None:
    """One object a mesh; each colour as a share from 0 to 1 behind its vertex, one plain material for all."""
    mesh = meshes[0][1]
    assert mesh.unit is not None and mesh.up is not None
    for line in frame_comments(mesh.unit, mesh.up, mesh.patient_axes):
        file.write(f"# {line}\n".encode("ascii"))
    file.write(f"mtllib {mtl_name}\n".encode())
    mtl_file.write(b"newmtl surface\nKa 0 0 0\nKd 0.8 0.8 0.8\nKs 0.1 0.1 0.1\nNs 30\nd 1\nillum 2\n")
    has_colors = any(each.colors is not None for _, each in meshes)
    first = 1
    for name, each in meshes:
        file.write(f"o {' '.join(name.split()) or 'mesh'}\n".encode())
        if not has_colors:  # programs that find a material do not look at the vertices' colours
            file.write(b"usemtl surface\n")
        _write_one(file, each, first, has_colors)
        first += len(each.vertices)


def _write_one(file: BinaryIO, mesh: FileMesh, first: int, has_colors: bool) -> None:
    columns = [mesh.vertices.astype(np.float64)]
    pattern = "v %.9g %.9g %.9g\n"
    if has_colors:
        plain = np.full((len(mesh.vertices), 3), 204)
        columns.append((plain if mesh.colors is None else mesh.colors) / 255)
        pattern = "v %.9g %.9g %.9g %.4f %.4f %.4f\n"
    write_rows(file, pattern, np.concatenate(columns, axis=1))
    corners = mesh.faces.astype(np.int64) + first
    if mesh.normals is None:
        write_rows(file, "f %d %d %d\n", corners)
        return
    write_rows(file, "vn %.5f %.5f %.5f\n", mesh.normals)
    write_rows(file, "f %d//%d %d//%d %d//%d\n", np.repeat(corners, 2, axis=1))
