"""Numba kernels of the loss between two pictures, with its slope, in two passes over rows.

Each works on rows `start` to `stop` - 1 of the picture.
`photometric.reference_loss` says the same, readably.
"""

from __future__ import annotations

import math

import numpy as np

from render.compiled import Float, compiled

RADIUS = 5  # pixels of the window of SSIM, to each side
SIGMA = 1.5  # pixels
C1, C2 = 0.01**2, 0.03**2  # Wang et al. 2004, for values up to 1

_window = [math.exp(-(k**2) / (2 * SIGMA**2)) for k in range(-RADIUS, RADIUS + 1)]
WINDOW = tuple(value / sum(_window) for value in _window)
_TAPS = np.array(WINDOW, np.float32)
_C1, _C2 = np.float32(C1), np.float32(C2)
_ZERO, _ONE, _TWO = np.float32(0), np.float32(1), np.float32(2)


@compiled
def _across(padded: Float, k: int, row: Float) -> None:
    """The window along a row: padded[k] (W + 10) → row (W)."""
    for x in range(len(row)):
        total = _ZERO
        for tap in range(2 * RADIUS + 1):  # a constant number, so that the compiler unrolls it
            total += _TAPS[tap] * padded[k, x + tap]
        row[x] = total


@compiled
def statistics_and_slopes(
    start: int,
    stop: int,
    picture: Float,
    target: Float,
    used: Float,
    slopes: Float,
    l1_of_rows: Float,
    ssim_of_rows: Float,
) -> None:
    """Sums of |difference| and of SSIM over the used pixels of each row, and what the slope of SSIM is made of.

    picture, target: (3, H + 10, W), 0 where not used and in the five rows at top and bottom. used: (H, W) 1 or 0.
    slopes: out (3, 3, H + 10, W), for each channel the slope of the summed SSIM in the mean, the mean square and the
    mean product of the window at each pixel; its five rows at top and bottom stay. l1_of_rows, ssim_of_rows: out
    (H, 3).
    """
    width = used.shape[1]
    for y in range(start, stop):
        padded = np.zeros((5, width + 2 * RADIUS), np.float32)
        means = np.empty((5, width), np.float32)
        for c in range(3):
            for x in range(width):
                s0, s1, s2, s3, s4 = _ZERO, _ZERO, _ZERO, _ZERO, _ZERO
                for tap in range(2 * RADIUS + 1):
                    p, t = picture[c, y + tap, x], target[c, y + tap, x]
                    wp, wt = _TAPS[tap] * p, _TAPS[tap] * t
                    s0 += wp
                    s1 += wt
                    s2 += wp * p
                    s3 += wt * t
                    s4 += wp * t
                padded[0, RADIUS + x] = s0
                padded[1, RADIUS + x] = s1
                padded[2, RADIUS + x] = s2
                padded[3, RADIUS + x] = s3
                padded[4, RADIUS + x] = s4
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
                in_mean = _TWO * (mt * a2 * over - mp * value / b1) - _TWO * mp * in_square - mt * in_product
                slopes[c, 0, RADIUS + y, x] = in_mean
                slopes[c, 1, RADIUS + y, x] = in_square
                slopes[c, 2, RADIUS + y, x] = in_product
                ssim += value
                l1 += abs(picture[c, RADIUS + y, x] - target[c, RADIUS + y, x])
            l1_of_rows[y, c], ssim_of_rows[y, c] = l1, ssim


@compiled
def slope_of_loss(
    start: int,
    stop: int,
    picture: Float,
    target: Float,
    slopes: Float,
    used: Float,
    l1_weight: float,
    ssim_weight: float,
    slope: Float,
) -> None:
    """slope: out (H, W, 3), of l1_weight · Σ |difference| + ssim_weight · Σ SSIM in the picture, where used.

    picture, target: (3, H + 10, W). slopes: from `statistics_and_slopes`. used: (H, W).
    """
    width = used.shape[1]
    w1, ws = np.float32(l1_weight), np.float32(ssim_weight)
    for y in range(start, stop):
        padded = np.zeros((3, width + 2 * RADIUS), np.float32)
        sums = np.empty((3, width), np.float32)
        for c in range(3):
            for k in range(3):
                for x in range(width):
                    total = _ZERO
                    for tap in range(2 * RADIUS + 1):
                        total += _TAPS[tap] * slopes[c, k, y + tap, x]
                    padded[k, RADIUS + x] = total
                _across(padded, k, sums[k])
            for x in range(width):
                p, t = picture[c, RADIUS + y, x], target[c, RADIUS + y, x]
                sign = _ONE if p > t else (-_ONE if p < t else _ZERO)
                from_ssim = sums[0, x] + _TWO * p * sums[1, x] + t * sums[2, x]
                slope[y, x, c] = (w1 * sign + ws * from_ssim) * used[y, x]
