"""Give back to a depth picture the edges that a network has blurred."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

NUM_ROUNDS = 4
WINDOW = 5  # pixels: no value leaves the range of its surroundings


def sharpened(depth: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Undo a Gaussian blur of `sigma` pixels in (H, W) depth by Van Cittert's iteration on its inverse.

    Values stay between the least and the largest nearby, so that noise is not raised; NaN stays NaN.
    """
    unknown = ~np.isfinite(depth)
    if sigma <= 0 or unknown.all():
        return depth
    disparity = 1 / _filled(depth, unknown)
    low, high = ndimage.minimum_filter(disparity, WINDOW), ndimage.maximum_filter(disparity, WINDOW)
    sharp = disparity
    for _ in range(NUM_ROUNDS):
        sharp = np.clip(sharp + disparity - ndimage.gaussian_filter(sharp, sigma), low, high)
    return np.where(unknown, np.nan, 1 / sharp).astype(np.float32)


def _filled(depth: NDArray[np.float32], unknown: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Unknown pixels get the nearest known value."""
    if not unknown.any():
        return depth
    rows, columns = ndimage.distance_transform_edt(unknown, return_distances=False, return_indices=True)
    filled: NDArray[np.float32] = depth[rows, columns]
    return filled
