"""Islands of a part that no two views agree on: false blobs of a mask that landed where hardly any other view looks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from recon.romap.mean_field import AffinityGraph

WEAKEST_EDGE = 0.05  # neighbours with less affinity do not hold an island together
_FEW_VIEWS = 1.0
_OF_BEST = 0.35
_OF_SEEN = 0.3
_FEWEST = 4  # Gaussians of a piece that others are compared with


def unsupported_islands(
    labels: NDArray[np.integer], support: NDArray[np.float32], graph: AffinityGraph
) -> NDArray[np.bool_]:
    """(N,) Gaussians in connected pieces of a part that less than one view besides the loudest supports, little of
    the views that see them, and much less than the part's best piece.

    labels: (N,) indices of parts. support: (N, K) views that call a Gaussian so. What no view sees well is left.
    """
    piece = pieces(labels, graph)
    sizes = np.bincount(piece)
    own = support[np.arange(len(labels)), labels]
    mean = np.bincount(piece, own) / sizes
    part = np.zeros(len(sizes), np.int64)
    part[piece] = labels
    best = np.zeros(support.shape[1])
    np.maximum.at(best, part, np.where(sizes >= _FEWEST, mean, 0))
    seen = np.bincount(piece, support.sum(1)) / sizes
    is_stray = (mean < _FEW_VIEWS) & (mean < _OF_BEST * best[part]) & (mean < _OF_SEEN * seen)
    found: NDArray[np.bool_] = is_stray[piece]
    return found


def pieces(labels: NDArray[np.integer], graph: AffinityGraph) -> NDArray[np.int64]:
    """(N,) number of the connected piece of one label that each Gaussian belongs to."""
    edges = graph.weights.tocoo()
    holds = (labels[edges.row] == labels[edges.col]) & (edges.data > WEAKEST_EDGE)
    ones = np.ones(int(holds.sum()), np.bool_)
    same = sparse.csr_matrix((ones, (edges.row[holds], edges.col[holds])), shape=edges.shape)
    return np.asarray(connected_components(same, directed=False)[1], np.int64)
