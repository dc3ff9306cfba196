"""Cut a closed mesh by planes into cross-sections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recon.errors import InputError
from recon.mesh_topology import EdgeTable, edge_table
from render.cross_sections import CrossSections
from render.mesh import TriangleMesh

Planes = tuple[NDArray[np.float64], NDArray[np.float64]]  # (P, 3) unit normals, (P,) offsets, n . x = offset

# Shorter sides of a contour, as a share of the mesh's diagonal, are one point.
SHORTEST_SIDE = 1e-9
MOST_TRIES = 1000  # for one random plane to hit the mesh


def parallel_planes(mesh: TriangleMesh, n: int, axis: int | ArrayLike | None = None) -> Planes:
    """n planes at the middles of n equal parts of the mesh along an axis.

    axis: 0, 1 or 2, a direction (3,), or None for the longest side of the bounding box.
    Raises InputError for an empty mesh, n < 1 or an axis of length zero.
    """
    vertices = _used_vertices(mesh, n)
    if axis is None:
        axis = int(np.argmax(np.ptp(vertices, axis=0)))
    direction = np.eye(3)[axis] if isinstance(axis, int) else np.asarray(axis, np.float64)
    length = float(np.linalg.norm(direction))
    if direction.shape != (3,) or not (0 < length < np.inf):
        raise InputError(
            "The axis to cut along has no direction.", "Give three numbers that are not all zero."
        )
    normal = direction / length
    reach = vertices @ normal
    shares = (np.arange(n) + 0.5) / n
    return np.tile(normal, (n, 1)), np.asarray(reach.min() + shares * np.ptp(reach))


def arbitrary_planes(mesh: TriangleMesh, n: int, seed: int = 0) -> Planes:
    """n planes in random directions, each at a random place within the middle 84 % of the mesh's reach.

    The same seed gives the same planes; every plane cuts the mesh. Raises InputError for an empty mesh or n < 1.
    """
    used = _used_vertices(mesh, n)
    vertices = mesh.vertices.astype(np.float64)
    corners = np.ascontiguousarray(mesh.faces.T)
    random = np.random.default_rng(seed)
    normals, offsets = np.zeros((n, 3)), np.zeros(n)
    for i in range(n):
        for _ in range(MOST_TRIES):
            normal = random.normal(size=3)
            normals[i] = normal / np.linalg.norm(normal)
            reach = used @ normals[i]
            margin = 0.08 * np.ptp(reach)
            offsets[i] = random.uniform(reach.min() + margin, reach.max() - margin)
            if len(_cut_faces(vertices @ normals[i] >= offsets[i], corners)):
                break
        else:
            raise InputError("No plane hits the mesh.", "Choose a mesh whose faces have an area.")
    return normals, offsets


def _used_vertices(mesh: TriangleMesh, num_planes: int) -> NDArray[np.float64]:
    """(N, 3) the vertices that faces use."""
    if num_planes < 1:
        raise InputError("There must be at least one plane.", "Ask for one plane or more.")
    is_used = np.zeros(len(mesh.vertices), bool)
    is_used[mesh.faces] = True
    vertices = mesh.vertices[is_used].astype(np.float64)
    if not len(vertices) or not np.ptp(vertices, axis=0).any():
        raise InputError("The mesh is empty.", "Choose a mesh with faces.")
    return vertices


def _cut_faces(above: NDArray[np.bool_], corners: NDArray[np.int32]) -> NDArray[np.int64]:
    """The faces, given as columns (3, F), whose corners are not all on one side."""
    a, b, c = (above[each] for each in corners)
    return np.flatnonzero((a != b) | (b != c))


def slice_mesh(mesh: TriangleMesh, planes: tuple[ArrayLike, ArrayLike]) -> CrossSections:
    """The contours of a closed mesh on planes, every loop closed, label 1, in the mesh's frame.

    planes: normals (P, 3) of any length and offsets (P,) with n . x = offset. A vertex on a plane counts as
    above it, for all of its faces alike, so a loop can never end there; a face that lies in a plane belongs to
    the contour when the solid is below it. Raises InputError for a mesh with open edges.
    """
    edges = edge_table(mesh.faces)
    if not edges.is_watertight:
        open_edges = int((edges.num_faces % 2).sum())
        raise InputError(
            "The mesh is not closed, so its cross-sections would be open lines.",
            "Weld its seams or fill its holes first.",
            f"{open_edges} of {len(edges.ends)} edges have an odd number of faces",
        )
    normals, offsets = _unit_planes(planes)
    vertices = mesh.vertices.astype(np.float64)
    shortest = SHORTEST_SIDE * float(np.linalg.norm(np.ptp(mesh.bounds, axis=0)))
    corners = np.ascontiguousarray(mesh.faces.T)
    cutter = _Cutter(vertices, corners, edges.ends, _edge_of_sides(edges, len(mesh.faces)), shortest)
    cuts = (
        (normal, float(offset), [(loop, 1) for loop in _contours(cutter, normal, float(offset))])
        for normal, offset in zip(normals, offsets, strict=True)
    )
    return CrossSections.from_planes(cuts, frame=mesh.frame)


def _unit_planes(planes: tuple[ArrayLike, ArrayLike]) -> Planes:
    normals = np.asarray(planes[0], np.float64).reshape(-1, 3)
    offsets = np.asarray(planes[1], np.float64).reshape(-1)
    lengths = np.linalg.norm(normals, axis=1)
    sound = np.isfinite(lengths) & (lengths > 0) & np.isfinite(offsets)
    if not sound.all():
        number = int(np.argmin(sound)) + 1
        raise InputError(f"Plane {number} has no direction or no place.", "Check its normal and its offset.")
    return normals / lengths[:, None], offsets / lengths


def _edge_of_sides(edges: EdgeTable, num_faces: int) -> NDArray[np.int64]:
    """(F, 3) the undirected edge of each face's sides; -1 where a side has no length."""
    edge_of = np.full(3 * num_faces, -1, np.int64)
    edge_of[edges.half_edges] = np.repeat(np.arange(len(edges.ends)), edges.num_faces)
    return edge_of.reshape(-1, 3)


@dataclass(frozen=True, eq=False)
class _Cutter:
    """What every plane needs of a mesh, worked out once.

    vertices: (V, 3) float64. corners: (3, F), the faces by columns. ends: (E, 2) the edges. edge_of: (F, 3) the edge
    from each face's corner to its next. shortest: sides of a contour up to this length are one point.
    """

    vertices: NDArray[np.float64]
    corners: NDArray[np.int32]
    ends: NDArray[np.int64]
    edge_of: NDArray[np.int64]
    shortest: float


def _contours(cutter: _Cutter, normal: NDArray[np.float64], offset: float) -> Iterator[NDArray[np.float64]]:
    """The loops (M, 3) of one plane."""
    height = cutter.vertices @ normal - offset
    above = height >= 0
    faces = _cut_faces(above, cutter.corners)
    a, b, c = above[cutter.corners[:, faces]]
    is_cut = np.stack([a != b, b != c, c != a], axis=1)
    # A face that is cut at all is cut on two of its sides.
    segments = cutter.edge_of[faces][is_cut].reshape(-1, 2)
    points = _crossings(cutter.vertices, height, cutter.ends, segments)
    for loop in _chains(segments):
        outline = _without_repeats(points[loop], cutter.shortest)
        if len(outline) >= 3:
            yield outline


def _crossings(
    vertices: NDArray[np.float64],
    height: NDArray[np.float64],
    ends: NDArray[np.int64],
    segments: NDArray[np.int64],
) -> NDArray[np.float64]:
    """(2S, 3) where the edge at each end of each segment crosses the plane; end 2 s + k is segments[s, k]."""
    low, high = ends[segments.ravel()].T
    share = height[low] / (height[low] - height[high])
    return np.asarray(vertices[low] + share[:, None] * (vertices[high] - vertices[low]))


def _chains(segments: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Join segments (S, 2) of edges into closed loops; gives for each its ends 2 s + k, one a corner.

    An even number of segments ends at every edge of a closed mesh, so all can be paired off.
    """
    order = np.argsort(segments.ravel(), kind="stable")
    partner = np.empty(len(order), np.int64)
    partner[order[0::2]], partner[order[1::2]] = order[1::2], order[0::2]
    following: list[int] = partner.tolist()
    seen = bytearray(len(segments))
    for first in range(len(segments)):
        loop = []
        end = 2 * first
        while not seen[end >> 1]:
            seen[end >> 1] = 1
            loop.append(end)
            end = following[end ^ 1]
        if loop:
            yield np.array(loop)


def _without_repeats(points: NDArray[np.float64], shortest: float) -> NDArray[np.float64]:
    """Leave out corners that lie on the corner before them."""
    lengths = np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1)
    return np.asarray(points[lengths > shortest])
