"""Point clouds in PLY: positions, colours, normals; binary when written."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recon.errors import FormatError
from recon.formats import ply
from recon.formats.atomic_file import replacing
from recon.formats.mesh_file import DAMAGED_ADVICE, FileMesh
from recon.formats.reading import Note, check_size
from render.frame import Frame
from render.points import PointCloud

LARGEST_FILE = 4 * 2**30  # bytes


def read(path: Path) -> PointCloud:
    """The vertices of a PLY file. Raises FormatError."""
    check_size(path, LARGEST_FILE)
    try:
        return from_file(path, ply.read(path))
    except (ValueError, OverflowError, MemoryError) as error:  # numbers that no file of points has
        raise FormatError(path, "The file is damaged.", DAMAGED_ADVICE, details=str(error)) from error


def from_file(path: Path, mesh: FileMesh) -> PointCloud:
    """The points of what a PLY file holds; those that are not numbers are left out."""
    is_number = np.isfinite(mesh.vertices).all(1)
    if not is_number.any():
        raise FormatError(path, "The file holds no points.", DAMAGED_ADVICE)
    colors = None if mesh.colors is None else mesh.colors[is_number]
    normals = None if mesh.normals is None else mesh.normals[is_number]
    frame = Frame(mesh.up or "+Z", mesh.unit or "unit", mesh.patient_axes)
    return PointCloud(mesh.vertices[is_number], colors, normals, frame)


def write(path: Path, cloud: PointCloud) -> tuple[Note, ...]:
    """Write a PLY file of points without faces, in double precision."""
    frame = cloud.frame
    with replacing(path) as beside, beside.open("wb") as file:
        mesh = FileMesh(
            cloud.points,
            np.zeros((0, 3), np.int64),
            cloud.colors,
            normals=cloud.normals,
            unit=frame.unit,
            up=frame.up,
            patient_axes=frame.patient_axes,
        )
        ply.write(file, mesh)
    return ()
