"""Numba kernels of the loss between two pictures, with its slope, in two passes over rows.

`photometric.reference_loss` says the same, readably.
"""

from __future__ import annotations

import math
from typing import TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

# Not TBB first: open3d brings an old one, of which numba warns before it takes another.
numba.config.THREADING_LAYER_PRIORITY = ["omp", "workqueue", "tbb"]

RADIUS = 5  # pixels of the window of SSIM, to each side
SIGMA = 1.5  # pixels
C1, C2 = 0.01**2, 0.03**2  # Wang et al. 2004, for values up to 1

_window = [math.exp(-(k**2) / (2 * SIGMA**2)) for k in range(-RADIUS, RADIUS + 1)]
WINDOW = tuple(value / sum(_window) for value in _window)
_TAPS = np.array(WINDOW, np.float32)
_C1, _C2 = np.float32(C1), np.float32(C2)
_ZERO, _ONE, _TWO = np.float32(0), np.float32(1), np.float32(2)

Float = NDArray[np.float32]
F = TypeVar("F")


def _compiled(function: F) -> F:
    return cast(F, numba.njit(cache=True, fastmath=True, nogil=True, parallel=True)(function))


def _inlined(function: F) -> F:
    return cast(F, numba.njit(cache=True, fastmath=True, nogil=True)(function))


@_inlined
def _across(padded: Float, k: int, row: Float) -> None:
    """The window along a row: padded[k] (W + 10) → row (W)."""
    for x in range(len(row)):
        row[x] = _ZERO
    for tap in range(2 * RADIUS + 1):
        weight = _TAPS[tap]
        for x in range(len(row)):
            row[x] += weight * padded[k, x + tap]


@_compiled
def statistics_and_slopes(
    picture: Float, target: Float, used: Float, slopes: Float, l1_of_rows: Float, ssim_of_rows: Float
) -> None:
    """Sums of |difference| and of SSIM over the used pixels of each row, and what the slope of SSIM is made of.

    picture, target: (3, H, W), 0 where not used. used: (H, W) 1 or 0. slopes: out (3, 3, H, W), for each channel
    the slope of the summed SSIM in the mean, the mean square and the mean product of the window at each pixel.
    l1_of_rows, ssim_of_rows: out (H, 3).
    """
    channels, height, width = picture.shape
    for y in numba.prange(height):
        padded = np.zeros((5, width + 2 * RADIUS), np.float32)
        means = np.empty((5, width), np.float32)
        for c in range(channels):
            padded[:, RADIUS : RADIUS + width] = _ZERO
            for tap in range(max(0, RADIUS - y), min(2 * RADIUS + 1, height + RADIUS - y)):
                weight = _TAPS[tap]
                row = y + tap - RADIUS
                for x in range(width):
                    p, t = picture[c, row, x], target[c, row, x]
                    wp, wt = weight * p, weight * t
                    padded[0, RADIUS + x] += wp
                    padded[1, RADIUS + x] += wt
                    padded[2, RADIUS + x] += wp * p
                    padded[3, RADIUS + x] += wt * t
                    padded[4, RADIUS + x] += wp * t
            for k in range(5):
                _across(padded, k, means[k])
            l1, ssim = _ZERO, _ZERO
            for x in range(width):
                mp, mt = means[0, x], means[1, x]
                b1 = mp * mp + mt * mt + _C1
                b2 = (means[2, x] - mp * mp) + (means[3, x] - mt * mt) + _C2
                a1 = _TWO * mp * mt + _C1
                a2 = _TWO * (means[4, x] - mp * mt) + _C2
                over = used[y, x] / (b1 * b2)
                value = a1 * a2 * over
                in_square = -value / b2
                in_product = _TWO * a1 * over
                slopes[c, 0, y, x] = (
                    _TWO * (mt * a2 * over - mp * value / b1) - _TWO * mp * in_square - mt * in_product
                )
                slopes[c, 1, y, x] = in_square
                slopes[c, 2, y, x] = in_product
                ssim += value
                l1 += abs(picture[c, y, x] - target[c, y, x])
            l1_of_rows[y, c], ssim_of_rows[y, c] = l1, ssim


@_compiled
def slope_of_loss(
    picture: Float, target: Float, slopes: Float, l1_weight: float, ssim_weight: float, slope: Float
) -> None:
    """slope: out (H, W, 3), of l1_weight · Σ |difference| + ssim_weight · Σ SSIM in the picture, where used.

    picture, target: (3, H, W). slopes: from `statistics_and_slopes`.
    """
    channels, height, width = picture.shape
    w1, ws = np.float32(l1_weight), np.float32(ssim_weight)
    for y in numba.prange(height):
        padded = np.zeros((3, width + 2 * RADIUS), np.float32)
        sums = np.empty((3, width), np.float32)
        for c in range(channels):
            padded[:, RADIUS : RADIUS + width] = _ZERO
            for tap in range(max(0, RADIUS - y), min(2 * RADIUS + 1, height + RADIUS - y)):
                weight = _TAPS[tap]
                row = y + tap - RADIUS
                for k in range(3):
                    for x in range(width):
                        padded[k, RADIUS + x] += weight * slopes[c, k, row, x]
            for k in range(3):
                _across(padded, k, sums[k])
            for x in range(width):
                p, t = picture[c, y, x], target[c, y, x]
                sign = _ONE if p > t else (-_ONE if p < t else _ZERO)
                from_ssim = sums[0, x] + _TWO * p * sums[1, x] + t * sums[2, x]
                slope[y, x, c] = w1 * sign + ws * from_ssim
