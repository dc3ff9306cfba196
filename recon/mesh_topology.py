"""How the triangles of a mesh hang together: edges, components, fans. Numbers only, no geometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True, eq=False)
class EdgeTable:
    """The half-edges of a mesh, grouped by the undirected edge that they lie on.

    half_edges: (H,) int64; half-edge h is the side of face h // 3 that starts at its corner h % 3. Those of
    one edge stand together. Sides from a vertex to itself, which faces without area have, are left out: H <= 3F. starts: (E + 1,) int64 into half_edges. ends: (E, 2) int64 vertices, lower first.
    is_forward: (H,) bool in the order of half_edges, whether it runs from the lower to the higher vertex.
    """

    half_edges: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    is_forward: NDArray[np.bool_]

    @property
    def num_faces(self) -> NDArray[np.int64]:
        """(E,) how many faces meet at each edge."""
        return np.diff(self.starts)

    @property
    def is_watertight(self) -> bool:
        """Whether an even number of faces meets at every edge, so that the mesh has an inside."""
        return bool(len(self.ends)) and not (self.num_faces % 2).any()

    @property
    def is_manifold(self) -> bool:
        """Whether exactly two faces meet at every edge."""
        return bool(len(self.ends)) and bool((self.num_faces == 2).all())

    @property
    def is_consistently_wound(self) -> bool:
        """Whether no edge is run through twice in one direction more than in the other."""
        balance = np.add.reduceat(np.where(self.is_forward, 1, -1), self.starts[:-1])
        return bool((np.abs(balance) <= self.num_faces % 2).all())


def edge_table(faces: NDArray[np.int32]) -> EdgeTable:
    """Group the sides of faces (F, 3) by undirected edge; F may be 0."""
    tails = faces.astype(np.int64).ravel()
    heads = np.roll(faces, -1, axis=1).astype(np.int64).ravel()
    low, high = np.minimum(tails, heads), np.maximum(tails, heads)
    keys = low * (int(high.max(initial=0)) + 1) + high
    order = np.argsort(keys)
    order = order[low[order] != high[order]]
    keys = keys[order]
    firsts = np.flatnonzero(np.concatenate([[len(keys) > 0], keys[1:] != keys[:-1]])[: len(keys)])
    starts = np.append(firsts, len(keys)).astype(np.int64)
    ends = np.stack([low[order[firsts]], high[order[firsts]]], axis=1)
    return EdgeTable(order, starts, ends, (tails < heads)[order])


def vertex_components(num_vertices: int, edges: EdgeTable) -> NDArray[np.int64]:
    """(V,) the connected component of each vertex, numbered from 0; a vertex of no face is -1."""
    low, high = edges.ends.T
    used = np.zeros(num_vertices, bool)
    used[low] = used[high] = True
    graph = coo_matrix((np.ones(len(low), bool), (low, high)), shape=(num_vertices, num_vertices))
    _, labels = connected_components(graph, directed=False)
    components = np.full(num_vertices, -1, np.int64)
    components[used] = np.unique(labels[used], return_inverse=True)[1]
    return components


def num_fans(faces: NDArray[np.int32], edges: EdgeTable) -> int:
    """How many fans the faces form around their vertices.

    A fan is a run of faces around one vertex in which each shares an edge with the next. A surface has one fan
    a vertex; where two sheets touch in a point there are two.
    """
    pairs = edges.starts[:-1][edges.num_faces == 2]
    first, second = edges.half_edges[pairs], edges.half_edges[pairs + 1]
    same_way = edges.is_forward[pairs] == edges.is_forward[pairs + 1]
    first_tail, first_head = first, _next_corner(first)
    second_tail, second_head = second, _next_corner(second)
    joined = (
        np.concatenate([first_tail, first_head]),
        np.concatenate(
            [np.where(same_way, second_tail, second_head), np.where(same_way, second_head, second_tail)]
        ),
    )
    graph = coo_matrix((np.ones(len(joined[0]), bool), joined), shape=(faces.size, faces.size))
    return int(connected_components(graph, directed=False)[0])


def _next_corner(half_edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """The corner (face * 3 + number) at which a half-edge ends; it starts at the corner of its own number."""
    return np.where(half_edges % 3 == 2, half_edges - 2, half_edges + 1)


def is_two_manifold(faces: NDArray[np.int32], edges: EdgeTable) -> bool:
    """Whether the faces form closed surfaces: two at every edge, one fan around every vertex."""
    num_used = np.count_nonzero(np.bincount(faces.ravel()))
    return edges.is_manifold and num_fans(faces, edges) == num_used


def genera(num_vertices: int, faces: NDArray[np.int32], edges: EdgeTable) -> NDArray[np.int64]:
    """(C,) genus of each component by Euler's formula V - E + F = 2 - 2 g; right for closed manifolds only."""
    components = vertex_components(num_vertices, edges)
    count = int(components.max(initial=-1)) + 1
    vertices_of = np.bincount(components[components >= 0], minlength=count)
    edges_of = np.bincount(components[edges.ends[:, 0]], minlength=count)
    faces_of = np.bincount(components[faces[:, 0]], minlength=count)
    return (2 - (vertices_of - edges_of + faces_of)) // 2


def equal_points(points: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(first (U,), group (V,)): the first of each set of equal points (V, 3), in order, and each point's set."""
    bits = np.ascontiguousarray(points + np.float32(0)).view(np.uint32).astype(np.uint64)  # -0 becomes 0
    order = np.lexsort((bits[:, 2], bits[:, 0] << np.uint64(32) | bits[:, 1]))
    ordered = bits[order]
    is_new = np.ones(len(order), bool)
    is_new[1:] = (ordered[1:] != ordered[:-1]).any(1)
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(is_new) - 1
    firsts = order[is_new]  # lexsort is stable, so these are the first of their sets
    rank = np.empty(len(firsts), np.int64)
    rank[np.argsort(firsts)] = np.arange(len(firsts))
    return np.sort(firsts), rank[group]
