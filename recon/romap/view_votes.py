"""What each view says about each Gaussian.

Geometry is frozen, so a rendered label map is linear in the labels: pixels = W · labels, W the compositing weights of
a view (pixels × Gaussians). Votes are what comes back, Wᵀ · evidence, as GaussianEditor (arXiv:2311.14521) traces
masks; everything after works on votes alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recon.romap.evidence import Evidence
from render.frozen import Frozen

_SEEN_WELL = 4.0  # pixels
_NEXT_TO_NOTHING = 0.02  # of the pixels in which views keep silent


@dataclass(frozen=True, eq=False)
class ViewVotes(Frozen):
    """The votes of one view for the Gaussians that it says anything about.

    rows: (n,) int64 Gaussians, ascending. counts: (n, K) float32, for each part, in pixels of compositing weight.
    silent_rows: (m,) int32 Gaussians and silent: (m,) float32 how many of their pixels the view has no opinion about.
    is_certain: as in Evidence.
    """

    view: int
    rows: NDArray[np.int64]
    counts: NDArray[np.float32]
    silent_rows: NDArray[np.int32]
    silent: NDArray[np.float32]
    is_certain: bool = False

    def __post_init__(self) -> None:
        rows = self._own("rows", np.int64, (None,))
        self._own("counts", np.float32, (len(rows), None))
        silent = self._own("silent_rows", np.int32, (None,))
        self._own("silent", np.float32, (len(silent),))

    @property
    def totals(self) -> NDArray[np.float32]:
        """(n,) pixels of each of the rows."""
        return np.asarray(self.counts.sum(1), np.float32)


def view_votes(weights: sparse.csr_matrix, evidence: Evidence, num_parts: int) -> ViewVotes:
    """Votes of one view. weights: (H·W, N) compositing weights of the view in the evidence's size."""
    shares = evidence.shares(num_parts)
    found = sparse.csr_matrix(weights.T @ shares)
    found.sum_duplicates()
    rows = np.flatnonzero(np.diff(found.indptr))
    is_silent = (np.diff(shares.indptr) == 0).astype(np.float32)
    silent = np.asarray(weights.T @ is_silent, np.float32)
    silent_rows = np.flatnonzero(silent)
    return ViewVotes(
        evidence.view,
        rows,
        np.asarray(found[rows].todense(), np.float32),
        silent_rows.astype(np.int32),
        silent[silent_rows],
        evidence.is_certain,
    )


def summed(votes: Sequence[ViewVotes], num_gaussians: int) -> NDArray[np.float32]:
    """(N, K) votes of all views together."""
    total = np.zeros((num_gaussians, votes[0].counts.shape[1]), np.float32)
    for each in votes:
        total[each.rows] += each.counts
    return total


def is_never_meant(votes: Sequence[ViewVotes], num_gaussians: int) -> NDArray[np.bool_]:
    """(N,) Gaussians that views see well but have no opinion about: they belong to no part."""
    spoken = summed(votes, num_gaussians).sum(1)
    silent = np.zeros(num_gaussians, np.float32)
    for each in votes:
        silent[each.silent_rows] += each.silent
    found: NDArray[np.bool_] = (silent > _SEEN_WELL) & (spoken < _NEXT_TO_NOTHING * silent)
    return found
