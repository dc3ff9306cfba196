"""STL: text or binary. Corners are stored by face, so equal ones are one vertex again after reading."""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.mesh_file import (
    DAMAGED_ADVICE,
    FileMesh,
    frame_comments,
    parse_numbers,
    read_frame_comments,
    truncated,
)
from recon.formats.reading import Note
from recon.mesh_topology import equal_points

_FACE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_HEADER_BYTES = 84


def read(path: Path) -> FileMesh:
    """Raises FormatError for anything but a whole mesh."""
    data = path.read_bytes()
    is_text = data[:512].lstrip()[:5].lower() == b"solid" and b"facet" in data[:4096]
    if is_text and not _is_exactly_binary(data):
        corners, comments = _text_corners(path, data), data.split(b"\n", 1)[0]
    else:
        corners, comments = _binary_corners(path, data), data[:80]
    points = corners.reshape(-1, 3)
    firsts, group = equal_points(points)
    vertices, faces = points[firsts], group.reshape(-1, 3)
    whole = (faces != np.roll(faces, 1, axis=1)).all(1)
    notes: tuple[Note, ...] = ()
    if not whole.all():
        sentence = f"{int((~whole).sum())} faces without area were left out."
        notes = (Note("info", sentence),)
    words = read_frame_comments(comments.decode("latin-1"))
    return FileMesh(
        vertices, faces[whole], unit=words.unit, up=words.up, patient_axes=words.patient_axes, notes=notes
    )


def _is_exactly_binary(data: bytes) -> bool:
    """Some binary files start with "solid" too; their length then fits to the last byte."""
    count = int(np.frombuffer(data, "<u4", 1, 80)[0]) if len(data) >= _HEADER_BYTES else -1
    return len(data) == _HEADER_BYTES + count * _FACE.itemsize


def _binary_corners(path: Path, data: bytes) -> NDArray[np.float32]:
    if len(data) < _HEADER_BYTES:
        raise truncated(path, "header")
    count = int(np.frombuffer(data, "<u4", 1, 80)[0])
    if count * _FACE.itemsize > len(data) - _HEADER_BYTES:
        raise truncated(path, "faces")
    if not count:
        raise FormatError(path, "The file holds no faces.", "Choose a file with a mesh.")
    table = np.frombuffer(data, _FACE, count, _HEADER_BYTES)
    return np.ascontiguousarray(table["corners"])


def _text_corners(path: Path, data: bytes) -> NDArray[np.float32]:
    if b"endsolid" not in data[-1024:].lower():
        raise truncated(path, "faces")
    lines = re.findall(rb"^\s*vertex\s+(.*)$", data, re.MULTILINE | re.IGNORECASE)
    numbers = parse_numbers(b" ".join(lines), path)
    if len(numbers) != 3 * len(lines) or len(lines) % 3 or not lines:
        raise FormatError(path, "A face does not have three corners of three numbers.", DAMAGED_ADVICE)
    return numbers.astype(np.float32).reshape(-1, 3, 3)


def write(file: BinaryIO, mesh: FileMesh) -> None:
    """Binary. The header's 80 bytes name the unit and the axes."""
    assert mesh.unit is not None and mesh.up is not None
    comments = " ".join(frame_comments(mesh.unit, mesh.up, mesh.patient_axes))
    table = np.zeros(len(mesh.faces), _FACE)
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    table["normal"] = np.divide(normals, lengths, out=np.zeros_like(normals), where=lengths > 0)
    table["corners"] = corners
    file.write(comments.encode("ascii")[:80].ljust(80))
    file.write(np.uint32(len(table)).tobytes())
    file.write(table.tobytes())
