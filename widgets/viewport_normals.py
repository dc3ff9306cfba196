"""Normals that look smooth where a surface is smooth and break at its sharp edges."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from render.mesh import TriangleMesh


class ShadedVertices(NamedTuple):
    """Vertices to draw, where those on sharp edges occur once for each smooth side.

    source: (W,) int64 vertex of the mesh that each was. normals: (W, 3) float32 unit.
    faces: (F, 3) int32 into the W.
    """

    source: NDArray[np.int64]
    normals: NDArray[np.float32]
    faces: NDArray[np.int32]


def shade(mesh: TriangleMesh, sharp_angle: float = 0.7) -> ShadedVertices:
    """Vertex normals weighted by area; a corner whose face turns away from its vertex is split off.

    sharp_angle: between a face's normal and its vertex's, in radians; a cube's edge has 0.96, a cylinder's
    rim 0.79. Split corners take the average of those faces at the vertex that look the same way.
    """
    faces = mesh.faces
    weighted = mesh.face_cross_products
    normals = _unit(_sum_at_vertices(weighted, faces, len(mesh.vertices)))
    units = _unit(weighted)
    cosine = np.einsum("fcj,fj->fc", normals[faces], units)
    flat = (units == 0).all(1)
    split = (cosine < np.cos(sharp_angle)) & ~flat[:, None]
    if not split.any():
        return ShadedVertices(np.arange(len(normals)), normals.astype(np.float32), faces)
    return _split(faces, weighted, units, normals, split)


def _split(
    faces: NDArray[np.int32],
    weighted: NDArray[np.float64],
    units: NDArray[np.float64],
    normals: NDArray[np.float64],
    split: NDArray[np.bool_],
) -> ShadedVertices:
    """Give the marked corners (F, 3) vertices of their own."""
    sharp = np.zeros(len(normals), bool)
    sharp[faces[split]] = True
    face, corner = np.nonzero(sharp[faces])  # every corner at a sharp vertex, one vertex after another
    vertex = faces[face, corner]
    order = np.argsort(vertex, kind="stable")
    face, corner, vertex = face[order], corner[order], vertex[order]
    corner_normals = _average_of_alike(vertex, weighted[face], units[face])
    # Corners of one vertex with the same normal share a vertex again.
    key = np.concatenate([vertex[:, None], np.round(corner_normals * 500).astype(np.int64)], axis=1)
    _, first, own = np.unique(key, axis=0, return_index=True, return_inverse=True)
    new_faces = faces.copy()
    new_faces[face, corner] = len(normals) + own.reshape(-1)
    source = np.concatenate([np.arange(len(normals)), vertex[first]])
    all_normals = np.concatenate([normals, corner_normals[first]]).astype(np.float32)
    return ShadedVertices(source, all_normals, new_faces)


def _average_of_alike(
    vertex: NDArray[np.int32], weighted: NDArray[np.float64], units: NDArray[np.float64]
) -> NDArray[np.float64]:
    """For corners (C,) sorted by vertex: the mean of the vertex's faces that look nearly the same way."""
    starts = np.flatnonzero(np.r_[True, vertex[1:] != vertex[:-1]])
    counts = np.diff(np.r_[starts, len(vertex)])
    start, count = np.repeat(starts, counts), np.repeat(counts, counts)
    total = np.zeros((len(vertex), 3))
    for step in range(int(counts.max())):  # as often as a vertex has faces, some six to ten times
        other = np.minimum(start + step, len(vertex) - 1)
        alike = (np.einsum("ij,ij->i", units, units[other]) > np.cos(0.6)) & (step < count)
        total += weighted[other] * alike[:, None]
    return _unit(total)


def _sum_at_vertices(
    values: NDArray[np.float64], faces: NDArray[np.int32], num_vertices: int
) -> NDArray[np.float64]:
    corners = faces.reshape(-1)
    each = np.repeat(values, 3, axis=0)
    sums = [np.bincount(corners, weights=each[:, k], minlength=num_vertices) for k in range(3)]
    return np.stack(sums, axis=1)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)
