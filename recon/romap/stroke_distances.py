"""Which stroke is nearest along the surface: what parts of one colour between them.

Distances go over cells of space that hold neighbouring Gaussians, so that they are found in no time, and are longer
where neighbours look unlike each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from recon.romap.mean_field import AffinityGraph
from render.gaussians import GaussianCloud

_CELLS = 12_000  # roughly, that hold any Gaussian
_TRIES = 12
_STEP = 1.2
_CONTRAST = 4.0  # times as long again is a way between what is nothing alike
_FALL = 2.0  # how the share falls with the distance
_OF_MOST = 0.25  # of the strongest seed of a part: what a distance is measured from


def nearer(
    hints: NDArray[np.float32], seeds: NDArray[np.float32], cloud: GaussianCloud, graph: AffinityGraph
) -> NDArray[np.float32]:
    """(N, K + 1) hints in which the K parts share what they have together by how near their strokes are, too.

    seeds: (N, K + 1) pixels of strokes; the last column is the rest, whose hint stays.
    """
    num_parts = seeds.shape[1] - 1
    if num_parts < 2 or not graph.weights.nnz:
        return hints
    distances, cell = _distances(cloud, graph, seeds[:, :num_parts])
    shares = hints[:, :num_parts] * (distances + cell) ** -_FALL
    together = hints[:, :num_parts].sum(1, keepdims=True)
    shares *= together / np.maximum(shares.sum(1, keepdims=True), np.finfo(np.float32).tiny)
    return np.concatenate([shares, hints[:, num_parts:]], 1).astype(np.float32)


def _distances(
    cloud: GaussianCloud, graph: AffinityGraph, seeds: NDArray[np.float32]
) -> tuple[NDArray[np.float64], float]:
    """(N, K) from the nearest stroke of each part, and the size of a cell; what hangs together with no stroke of a
    part is farther from it than all that does."""
    cells, size = _cells(cloud.means)
    ways = _ways(cloud.means, cells, graph)
    found = np.empty((ways.shape[0], seeds.shape[1]))
    for part, seed in enumerate(seeds.T):
        starts = np.unique(cells[seed > _OF_MOST * seed.max()])
        found[:, part] = dijkstra(ways, directed=False, indices=starts, min_only=True)
    is_met = np.isfinite(found)
    found[~is_met] = 2 * found[is_met].max(initial=size)
    return found[cells], size


def _cells(means: NDArray[np.float32]) -> tuple[NDArray[np.intp], float]:
    """(N,) number of the cell that each Gaussian lies in, and the cells' side."""
    low, high = np.quantile(means, [0.02, 0.98], axis=0)
    side = max(float(np.linalg.norm(high - low)) / 64, 1e-12)
    wanted = min(_CELLS, len(means))
    for _ in range(_TRIES):
        cells, count = _numbered(means, low, side)
        if count > 1.3 * wanted:
            side *= _STEP
        elif count < 0.7 * wanted and count < 0.9 * len(means):
            side /= _STEP
        else:
            break
    return cells, side


def _numbered(
    means: NDArray[np.float32], low: NDArray[np.float64], side: float
) -> tuple[NDArray[np.intp], int]:
    places = np.clip(np.floor((means - low) / side), -(2**20), 2**20 - 1).astype(np.int64) + 2**20
    keys = (places[:, 0] << 42) | (places[:, 1] << 21) | places[:, 2]
    found, cells = np.unique(keys, return_inverse=True)
    return cells, len(found)


def _ways(means: NDArray[np.float32], cells: NDArray[np.intp], graph: AffinityGraph) -> sparse.csr_matrix:
    """(M, M) lengths of the ways between cells with neighbouring Gaussians."""
    counts = np.bincount(cells)
    middles = np.stack([np.bincount(cells, axis) / counts for axis in means.T], 1)
    edges = graph.weights.tocoo()
    starts, ends = cells[edges.row], cells[edges.col]
    crosses = starts != ends
    starts, ends = starts[crosses], ends[crosses]
    shape = (len(counts), len(counts))
    alike = sparse.csr_matrix((edges.data[crosses], (starts, ends)), shape=shape).tocoo()
    number = sparse.csr_matrix((np.ones(len(starts)), (starts, ends)), shape=shape)
    affinity = alike.data / np.asarray(number[alike.row, alike.col]).ravel()
    usual = float(np.median(affinity)) if len(affinity) else 1.0
    lengths = np.linalg.norm(middles[alike.row] - middles[alike.col], axis=1)
    lengths *= 1 + _CONTRAST * (1 - np.clip(affinity / max(usual, 1e-12), 0, 1))
    return sparse.csr_matrix((np.maximum(lengths, 1e-12), (alike.row, alike.col)), shape=shape)
