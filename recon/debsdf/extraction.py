"""From a trained field to a mesh: extracted, freed of crumbs and of what no camera sees, coloured."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recon.debsdf.blocks import (
    Distance,
    Grid,
    MeshEstimate,
    Surface,
    distance_of,
    estimate,
    extract,
    extract_blocks,
    preview_mesh,
)
from recon.debsdf.field import TrainedField, look_at_surface
from recon.debsdf.visibility import seen_faces, with_neighbours
from recon.errors import NoSurface
from recon.mesh_edits import remove_small_components, with_faces
from recon.method import Progress
from render.cameras import CameraSet
from render.mesh import TriangleMesh

__all__ = [
    "Distance", "ExtractionOptions", "Grid", "MeshEstimate", "Surface", "distance_of", "estimate", "extract",
    "extract_blocks", "extract_mesh", "preview_mesh",
]  # fmt: skip

HIDDEN_CELLS = 2.0  # a face may lie this many cells behind what a camera sees there


@dataclass(frozen=True)
class ExtractionOptions:
    """resolution: cells along the longest side. level: distance in world units to extract at. smallest_part: share
    of the largest part's area below which a part is left out. removes_unseen: leave out what no camera sees.
    has_colors: vertices get colours, and the vertex value "uncertainty"."""

    resolution: int = 384
    level: float = 0.0
    smallest_part: float = 0.0005
    removes_unseen: bool = True
    has_colors: bool = True


def extract_mesh(
    trained: TrainedField, options: ExtractionOptions, cameras: CameraSet | None = None
) -> Generator[Progress, None, TriangleMesh]:
    """The surface in the world, its triangles counter-clockwise seen from free space. Raises NoSurface."""
    grid = Grid.over(trained.bounds_in_box, options.resolution)
    blocks = extract_blocks(distance_of(trained.sdf), grid, options.level / trained.scale)
    surface = yield from _told(blocks)
    mesh = surface.mesh(trained.world_from_box, trained.frame)
    mesh = remove_small_components(mesh, options.smallest_part)
    if options.removes_unseen and cameras is not None and len(cameras):
        mesh = yield from _without_unseen(mesh, cameras, HIDDEN_CELLS * grid.cell * trained.scale)
        mesh = remove_small_components(mesh, options.smallest_part)
    if options.has_colors:
        yield Progress(1, 1, "Colouring")
        mesh = _coloured(mesh, trained)
    return mesh


def _told(blocks: Generator[tuple[int, int], None, Surface]) -> Generator[Progress, None, Surface]:
    while True:
        try:
            done, total = next(blocks)
        except StopIteration as end:
            surface: Surface = end.value
            return surface
        yield Progress(max(1, done), total, "Extracting the surface")


def _without_unseen(
    mesh: TriangleMesh, cameras: CameraSet, tolerance: float
) -> Generator[Progress, None, TriangleMesh]:
    looks = seen_faces(mesh, cameras, tolerance)
    while True:
        try:
            view = next(looks)
        except StopIteration as end:
            is_seen: NDArray[np.bool_] = end.value
            break
        yield Progress(view + 1, len(cameras), "Looking for unseen shells")
    if not is_seen.any():
        raise NoSurface(
            "No camera sees the surface from its free side.",
            "Switch off Remove unseen shells, or give the photos that the field was trained on.",
        )
    return with_faces(mesh, mesh.faces[with_neighbours(mesh, is_seen)])


def _coloured(mesh: TriangleMesh, trained: TrainedField) -> TriangleMesh:
    box_from_world = np.linalg.inv(trained.world_from_box)
    points = mesh.vertices @ box_from_world[:3, :3].T + box_from_world[:3, 3]
    colors, uncertainty = look_at_surface(trained, points)
    values = mesh.vertex_values if uncertainty is None else {**mesh.vertex_values, "uncertainty": uncertainty}
    return replace(mesh, colors=colors, vertex_values=values)
