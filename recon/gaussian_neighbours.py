"""Which Gaussians lie next to which: a graph of the nearest, made once for a cloud and kept by whoever asks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon.gaussian_selection import Mask
from recon.gaussian_values import middle
from render.frozen import Frozen
from render.gaussians import GaussianCloud

NUM_NEIGHBOURS = 8


@dataclass(frozen=True, eq=False)
class NeighbourGraph(Frozen):
    """The k nearest of each of N Gaussians, nearest first, itself left out.

    indices: (N, k) int32. distances: (N, k) float32 between the means. k is less than asked for in a tiny cloud.
    """

    indices: NDArray[np.int32]
    distances: NDArray[np.float32]

    def __post_init__(self) -> None:
        count, k = self._own("indices", np.int32, (None, None)).shape
        self._own("distances", np.float32, (count, k))

    def __len__(self) -> int:
        return len(self.indices)


def neighbour_graph(cloud: GaussianCloud, k: int = NUM_NEIGHBOURS) -> NeighbourGraph:
    """The k nearest Gaussians of each by their means. Takes seconds at 1 M: run it off the window's thread."""
    return NeighbourGraph(*nearest(cloud.means, k))


def nearest(points: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Indices and distances (N, k) of the k nearest other points of each (N, 3), nearest first; fewer in few points."""
    from scipy.spatial import cKDTree

    count = len(points)
    k = max(0, min(k, count - 1))
    if not k:
        return np.zeros((count, 0), np.int32), np.zeros((count, 0), np.float32)
    order = morton_order(points)  # neighbours in space are neighbours in memory: four times as fast
    sorted_points = points[order]
    answer = cKDTree(sorted_points, balanced_tree=False).query(sorted_points, k + 1)
    found, at = np.asarray(answer[0]), np.asarray(answer[1])
    is_self = at == np.arange(count)[:, None]
    is_self[~is_self.any(1), -1] = True  # several points in one place need not find themselves
    indices, distances = np.empty((count, k), np.int32), np.empty((count, k), np.float32)
    indices[order] = order[at[~is_self]].reshape(count, k)
    distances[order] = found[~is_self].reshape(count, k)
    return indices, distances


def morton_order(points: NDArray[np.float32]) -> NDArray[np.intp]:
    """(N,) the order of points (N, 3) along Morton's curve through 2²¹ cells an axis."""
    if not len(points):
        return np.zeros(0, np.intp)
    low = points.min(0)
    extent = (points.max(0) - low).max()
    shares = (points - low) / (extent if extent > 0 else np.float32(1))
    cells = (shares * np.float32(2**21 - 1)).astype(np.uint64)
    codes = _spread(cells[:, 0]) | _spread(cells[:, 1]) << np.uint64(1) | _spread(cells[:, 2]) << np.uint64(2)
    return np.argsort(codes, kind="stable")


def _spread(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers of 21 bits with two zeros put before each bit."""
    for shift, mask in _SPREADING:
        values = (values | (values << np.uint64(shift))) & np.uint64(mask)
    return values


_SPREADING = (
    (32, 0x1F00000000FFFF),
    (16, 0x1F0000FF0000FF),
    (8, 0x100F00F00F00F00F),
    (4, 0x10C30C30C30C30C3),
    (2, 0x1249249249249249),
)


def grown(selected: Mask, graph: NeighbourGraph, allowed: Mask | None = None) -> Mask:
    """The selection (N,) and the nearest neighbours of it, one step; `allowed` (N,) limits what may join."""
    joined = selected.copy()
    joined[graph.indices[selected].ravel()] = True
    if allowed is not None:
        joined &= allowed | selected
    return joined


def shrunk(selected: Mask, graph: NeighbourGraph, allowed: Mask | None = None) -> Mask:
    """The selection (N,) without those that have a neighbour outside it; `allowed` (N,): others count as inside."""
    outside = ~selected if allowed is None else ~selected & allowed
    rows = np.flatnonzero(selected)
    kept = np.zeros_like(selected)
    kept[rows] = ~outside[graph.indices[rows]].any(1)
    return kept


def component_labels(
    cloud: GaussianCloud, graph: NeighbourGraph, max_gap: float = 1.0, within: Mask | None = None
) -> NDArray[np.int32]:
    """(N,) the connected piece of each Gaussian, 0 the largest by count; −1 outside `within`.

    Two neighbours hang together when the distance between their means is at most max_gap times the larger of three
    times the sum of their middle standard deviations, and four times the usual distance of a Gaussian to its nearest.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(graph)
    allowed = np.ones(count, bool) if within is None else within
    joined = _are_joined(cloud, graph, max_gap) & allowed[:, None]
    joined &= allowed[graph.indices]
    ends = np.concatenate([[0], np.cumsum(joined.sum(1))])
    matrix = csr_matrix((np.ones(ends[-1]), graph.indices[joined], ends), shape=(count, count))
    return _by_size(connected_components(matrix, directed=False)[1], allowed)


def _are_joined(cloud: GaussianCloud, graph: NeighbourGraph, max_gap: float) -> Mask:
    """(N, k) whether each neighbour is near enough to hang together."""
    sizes = np.exp(middle(cloud.log_scales))
    usual = np.float32(np.median(graph.distances[:, 0]) if graph.distances.size else 0)
    reach = np.maximum(3 * (sizes[:, None] + sizes[graph.indices]), 4 * usual)
    joined: Mask = graph.distances <= reach * np.float32(max_gap)
    return joined


def _by_size(labels: NDArray[np.int32], allowed: Mask) -> NDArray[np.int32]:
    """Number the pieces from the largest on; −1 for what is not allowed."""
    counts = np.bincount(labels[allowed], minlength=int(labels.max(initial=-1)) + 1)
    rank = np.empty(len(counts), np.int32)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts), dtype=np.int32)
    return np.where(allowed, rank[labels], np.int32(-1)).astype(np.int32)
