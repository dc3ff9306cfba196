"""Field → mesh: marching cubes that always closes, and what there is to say about a mesh's shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from skimage.measure import marching_cubes

from recon.errors import NoSurface
from recon.mesh_topology import edge_table, genera, is_two_manifold
from render.frame import Frame
from render.mesh import TriangleMesh

# Vertices keep about this distance, in cells, from the grid points, so that no two of them coincide and no
# triangle shrinks to nothing.
CLEARANCE = 1e-3
VOXELS_A_SLAB = 2**20


def extract_surface(
    field: NDArray[np.floating],
    origin: ArrayLike,
    spacing: float,
    level: float = 0.0,
    frame: Frame = Frame(),
) -> TriangleMesh:
    """The surface field = level, wound outward; closed and 2-manifold whatever the field, also at the grid's end.

    field: (X, Y, Z), below the level inside, at points origin + spacing * (i, j, k). origin: (3,). Where the
    inside reaches the grid's border it is closed by a wall half a cell beyond. Works slab by slab, so that beside the field and the mesh
    some 50 MB are enough at any size. Raises NoSurface when the field does not cross the level or is not finite.
    """
    if field.ndim != 3 or min(field.shape) < 2:
        raise ValueError(f"a field must be a grid of at least 2 x 2 x 2 points, not {field.shape}")
    low, high = float(field.min()), float(field.max())
    if not np.isfinite([low, high]).all():
        raise NoSurface(
            "The field holds values that are not numbers.", "Run again with a lower learning rate."
        )
    if low >= level:
        raise NoSurface(
            "No surface was found: the field is outside everywhere.",
            "Check that the contours enclose an area, and that the planes are not all disabled.",
            f"field from {low:g} to {high:g}, level {level:g}",
        )
    points, faces = _closed_cubes(field, level)
    vertices = np.asarray(origin, np.float64) + spacing * points
    return TriangleMesh(vertices.astype(np.float32), faces, frame=frame)


def _closed_cubes(field: NDArray[np.floating], level: float) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Vertices (V, 3) in grid coordinates and faces (F, 3) of a closed 2-manifold.

    Lewiner's tables come first: they follow the trilinear field best. skimage's let four faces meet at an edge in
    rare noisy cells; Lorensen's do not. Last, values of one sign are brought within a factor of each other, so
    that no field can make vertices coincide.
    """
    for method in ("lewiner", "lorensen"):
        points, faces = _march(field, level, method)
        if _is_sound(points, faces):
            return points, faces
    return _march(_compressed(field, level), 0.0, "lorensen")


def _is_sound(points: NDArray[np.float64], faces: NDArray[np.int32]) -> bool:
    edges = edge_table(faces)
    low, high = points[edges.ends[:, 0]], points[edges.ends[:, 1]]
    return bool((low != high).any(1).all()) and is_two_manifold(faces, edges)


def _compressed(field: NDArray[np.floating], level: float) -> NDArray[np.float32]:
    values = field - np.asarray(level, field.dtype)
    size = np.abs(values)
    largest = float(size.max())
    raised = np.maximum(size / largest, CLEARANCE).astype(np.float32)
    return np.asarray(np.copysign(raised, _signs(values)))


def _signs(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """-1 inside, 1 outside and where the value is zero."""
    return np.where(values < 0, np.float32(-1), np.float32(1))


def _march(
    field: NDArray[np.floating], level: float, method: str
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Marching cubes over the whole padded field, slabs joined."""
    points, faces, count = [], [], 0
    for first, slab in _slabs(field, level):
        if slab.min() > 0 or slab.max() < 0:
            continue
        slab_points, slab_faces, _, _ = marching_cubes(slab, 0.0, method=method)
        points.append(slab_points.astype(np.float64) + np.array([first - 1, -1, -1]))
        faces.append(slab_faces.astype(np.int64) + count)
        count += len(slab_points)
    return _weld_seams(np.concatenate(points), np.concatenate(faces), single=len(points) == 1)


def _slabs(field: NDArray[np.floating], level: float) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """(first layer, values (N, Y + 2, Z + 2)) of field - level padded by one point; neighbours share a layer."""
    last_layer = field.shape[0] + 1
    depth = max(2, VOXELS_A_SLAB // ((field.shape[1] + 2) * (field.shape[2] + 2)))
    for first in range(0, last_layer, depth):
        last = min(first + depth, last_layer)
        # One layer more on either side, so that both slabs at a seam move its values in the same way.
        values = _padded(field, level, first - 1, last + 1)
        if values.min() < 0 <= values.max():
            yield first, _cleared(values)[1:-1]


def _padded(field: NDArray[np.floating], level: float, first: int, last: int) -> NDArray[np.float32]:
    """Layers first to last of field - level; beyond the border a mirror image of the inside, as outside."""
    layers = np.arange(first, last + 1) - 1
    inner = field[np.clip(layers, 0, len(field) - 1)] - np.asarray(level, field.dtype)
    values = np.pad(inner.astype(np.float32), ((0, 0), (1, 1), (1, 1)), mode="edge")
    for border in (
        np.flatnonzero((layers < 0) | (layers >= len(field))),
        np.s_[:, [0, -1]],
        np.s_[:, :, [0, -1]],
    ):
        values[border] = np.abs(values[border])
    return values


def _cleared(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Raise values that are tiny beside a neighbour's, whose crossing would fall onto their grid point."""
    size = np.abs(values)
    largest = np.full_like(size, np.finfo(np.float32).tiny)
    for axis in range(3):
        lower = (slice(None),) * axis + (slice(None, -1),)
        upper = (slice(None),) * axis + (slice(1, None),)
        np.maximum(largest[lower], size[upper], out=largest[lower])
        np.maximum(largest[upper], size[lower], out=largest[upper])
    return np.asarray(np.copysign(np.maximum(size, CLEARANCE * largest), _signs(values)))


def _weld_seams(
    points: NDArray[np.float64], faces: NDArray[np.int64], single: bool
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Join the vertices that neighbouring slabs have in common; all lie on whole layers."""
    if single:
        return points, faces.astype(np.int32)
    on_layer = np.flatnonzero(points[:, 0] == np.floor(points[:, 0]))
    _, firsts, same = np.unique(points[on_layer], axis=0, return_index=True, return_inverse=True)
    target = np.arange(len(points))
    target[on_layer] = on_layer[firsts][same.ravel()]
    kept, faces = np.unique(target[faces], return_inverse=True)
    return points[kept], faces.reshape(-1, 3).astype(np.int32)


@dataclass(frozen=True)
class MeshReport:
    """What shape a mesh has.

    num_components: connected pieces with at least one face. genus: holes through each piece, added up; None when
    the mesh is not closed. is_watertight: an even number of faces at every edge. is_manifold: two faces at every
    edge and one fan of faces around every vertex. volume, area: in the frame's unit; volume None when open.
    """

    num_vertices: int
    num_faces: int
    num_components: int
    component_genera: tuple[int, ...]
    genus: int | None
    is_watertight: bool
    is_manifold: bool
    is_consistently_wound: bool
    num_open_edges: int
    volume: float | None
    area: float


def describe(mesh: TriangleMesh) -> MeshReport:
    """Count pieces and holes and check that the mesh is closed; some seconds for a million faces."""
    edges = edge_table(mesh.faces)
    closed = is_two_manifold(mesh.faces, edges)
    holes = genera(len(mesh.vertices), mesh.faces, edges)
    return MeshReport(
        num_vertices=len(mesh.vertices),
        num_faces=len(mesh.faces),
        num_components=len(holes),
        component_genera=tuple(int(g) for g in holes) if closed else (),
        genus=int(holes.sum()) if closed else None,
        is_watertight=edges.is_watertight,
        is_manifold=closed,
        is_consistently_wound=edges.is_consistently_wound,
        num_open_edges=int((edges.num_faces % 2).sum()),
        volume=mesh.volume if edges.is_watertight else None,
        area=mesh.area,
    )
