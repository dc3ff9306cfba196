"""How well pictures of a scene agree with each other: the error of warping one to another by depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.depth_views import DepthViews
from recon.dn2n.view_kernels import warp_squares

Float = NDArray[np.float32]
Index = NDArray[np.int64]

SAME_SURFACE = 0.02  # relative difference of depth up to which two pixels show the same place
LEAST_SHARED = 0.1  # of a view's pixels, so that two views are compared


@dataclass(frozen=True)
class Consistency:
    """Root of the mean squared difference of colours between views that see the same place, within 0 and 1, 0 where no
    two do. short: between nearest views. far: between those that look from the most different directions of all that
    share a tenth of their pixels."""

    short: float
    far: float


def warp_error(pictures: Float, views: DepthViews, pairs: Index) -> float:
    """pictures: (N, H, W, 3) within 0 and 1. pairs: (P, 2) views, each warped to the other. 0 where none overlap."""
    squares, count = 0.0, 0.0
    turns, shifts = views.pairs
    for first, second in pairs:
        for a, b in ((first, second), (second, first)):
            total, number = warp_squares(
                pictures[a], pictures[b], views.depths[a], views.depths[b], turns[a, b], shifts[a, b],
                np.float32(max(views.tolerance, SAME_SURFACE)),
            )  # fmt: skip
            squares, count = squares + total, count + number
    return float(np.sqrt(squares / max(count, 1)))


def short_pairs(views: DepthViews) -> Index:
    """(P, 2) each view with the one that shares most with it."""
    nearest = views.neighbours(1)[:, 0] if len(views) > 1 else np.full(len(views), -1)
    return _distinct([(i, int(j)) for i, j in enumerate(nearest) if j >= 0])


def far_pairs(views: DepthViews) -> Index:
    """(P, 2) each view with the one from the most different direction that still shares a tenth of its pixels."""
    share, angle = views.shared
    able = (share >= LEAST_SHARED) & ~np.eye(len(views), dtype=bool)
    farthest = np.where(able, angle, -1).argmax(1)
    return _distinct([(i, int(j)) for i, j in enumerate(farthest) if able[i, j]])


def consistency(pictures: Float, views: DepthViews) -> Consistency:
    """Of pictures (N, H, W, 3) within 0 and 1 of these views."""
    return Consistency(
        warp_error(pictures, views, short_pairs(views)), warp_error(pictures, views, far_pairs(views))
    )


def _distinct(pairs: list[tuple[int, int]]) -> Index:
    """Without those that are there the other way round."""
    return np.array(sorted({(min(pair), max(pair)) for pair in pairs}), np.int64).reshape(-1, 2)
