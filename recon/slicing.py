"""Cut a closed mesh by planes into cross-sections."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recon.errors import InputError
from recon.mesh_topology import EdgeTable, edge_table
from render.cross_sections import CrossSections
from render.mesh import TriangleMesh

Planes = tuple[NDArray[np.float64], NDArray[np.float64]]  # (P, 3) unit normals, (P,) offsets, n . x = offset

# Shorter sides of a contour, as a share of the mesh's diagonal, are one point.
SHORTEST_SIDE = 1e-9


def parallel_planes(mesh: TriangleMesh, n: int, axis: int | ArrayLike | None = None) -> Planes:
    """n planes at the middles of n equal parts of the mesh along an axis.

    axis: 0, 1 or 2, a direction (3,), or None for the longest side of the bounding box.
    Raises InputError for an empty mesh, n < 1 or an axis of length zero.
    """
    _check_count(mesh, n)
    if axis is None:
        axis = int(np.argmax(np.ptp(mesh.bounds, axis=0)))
    direction = np.eye(3)[axis] if isinstance(axis, int) else np.asarray(axis, np.float64)
    length = float(np.linalg.norm(direction))
    if direction.shape != (3,) or not (0 < length < np.inf):
        raise InputError(
            "The axis to cut along has no direction.", "Give three numbers that are not all zero."
        )
    normal = direction / length
    reach = mesh.vertices[np.unique(mesh.faces)].astype(np.float64) @ normal
    shares = (np.arange(n) + 0.5) / n
    return np.tile(normal, (n, 1)), np.asarray(reach.min() + shares * np.ptp(reach))


def arbitrary_planes(mesh: TriangleMesh, n: int, seed: int = 0) -> Planes:
    """n planes in random directions, each at a random place within the middle 84 % of the mesh's reach.

    The same seed gives the same planes; every plane cuts the mesh. Raises InputError for an empty mesh or n < 1.
    """
    _check_count(mesh, n)
    random = np.random.default_rng(seed)
    vertices = mesh.vertices.astype(np.float64)
    normals, offsets = np.zeros((n, 3)), np.zeros(n)
    for i in range(n):
        hit = False
        while not hit:
            normals[i] = random.normal(size=3)
            normals[i] /= np.linalg.norm(normals[i])
            reach = vertices @ normals[i]
            margin = 0.08 * np.ptp(reach)
            offsets[i] = random.uniform(reach.min() + margin, reach.max() - margin)
            above = (reach >= offsets[i])[mesh.faces]
            hit = bool((above.any(1) & ~above.all(1)).any())
    return normals, offsets


def _check_count(mesh: TriangleMesh, n: int) -> None:
    if n < 1:
        raise InputError("There must be at least one plane.", "Ask for one plane or more.")
    if not len(mesh.faces) or not np.ptp(mesh.vertices[mesh.faces].reshape(-1, 3), axis=0).any():
        raise InputError("The mesh is empty.", "Choose a mesh with faces.")


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
    edge_of = _edge_of_half_edges(edges)
    cuts = (
        (
            normal,
            float(offset),
            [(loop, 1) for loop in _contours(vertices, edges, edge_of, normal, float(offset))],
        )
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


def _edge_of_half_edges(edges: EdgeTable) -> NDArray[np.int64]:
    """(F, 3) the undirected edge of each face's sides."""
    edge_of = np.empty(len(edges.half_edges), np.int64)
    edge_of[edges.half_edges] = np.repeat(np.arange(len(edges.ends)), edges.num_faces)
    return edge_of.reshape(-1, 3)


def _contours(
    vertices: NDArray[np.float64],
    edges: EdgeTable,
    edge_of: NDArray[np.int64],
    normal: NDArray[np.float64],
    offset: float,
) -> Iterator[NDArray[np.float64]]:
    """The loops (M, 3) of one plane."""
    height = vertices @ normal - offset
    above = height >= 0
    is_cut = above[edges.ends[:, 0]] != above[edges.ends[:, 1]]
    side_cut = is_cut[edge_of]
    faces = np.flatnonzero(side_cut.any(1))
    # A face that is cut at all is cut on two of its sides.
    segments = edge_of[faces][side_cut[faces]].reshape(-1, 2)
    points = _crossings(vertices, height, edges.ends, segments)
    diagonal = float(np.linalg.norm(np.ptp(vertices, axis=0)))
    for loop in _chains(segments):
        outline = _without_repeats(points[loop], SHORTEST_SIDE * diagonal)
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
