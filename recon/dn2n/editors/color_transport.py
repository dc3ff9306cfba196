"""Colours of one picture given to others by optimal transport, as one table of colours for all of them.

Sliced transport (Pitié et al. 2007; Bonneel et al. 2015): sorted along many random directions, each colour moves to the
one of the same rank. What it learns on a sample is kept as a three-dimensional table, smooth and the same for every view.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from recon.dn2n.editors.appearance import luminance
from render.compiled import compiled

Float = NDArray[np.float32]

TABLE = 17  # entries of the table along each channel
_ROUNDS = 24
_SAMPLES = 12_000
_GREY = 0.03  # largest less smallest channel of what counts as grey
_SMOOTHING = 0.8  # cells of the table


def transported(source: Float, goal: Float, generator: np.random.Generator) -> Float:
    """Colours (N, 3) moved so that they are spread as the goal's (N, 3) are."""
    moved = source.astype(np.float64)
    target = goal.astype(np.float64)
    for _ in range(_ROUNDS):
        axes, _ = np.linalg.qr(generator.normal(size=(3, 3)))
        along, wanted = moved @ axes, target @ axes
        for k in range(3):
            order = np.argsort(along[:, k], kind="stable")
            along[order, k] = np.sort(wanted[:, k])
        moved = along @ axes.T
    return np.asarray(moved, np.float32)


def color_table(source: Float, goal: Float, seed: int) -> Float:
    """(T, T, T, 3) where each colour goes, from samples of pixels (N, 3), (M, 3) within 0 and 1 of both."""
    generator = np.random.default_rng(seed)
    first = _drawn(source, generator)
    shift = transported(first, _drawn(goal, generator), generator) - first
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, TABLE)] * 3, indexing="ij"), -1).astype(np.float32)
    totals, weights = np.zeros((*(TABLE,) * 3, 3), np.float32), np.zeros((TABLE,) * 3, np.float32)
    _scatter(first, shift.astype(np.float32), totals, weights)
    table = np.clip(grid + _spread_out(totals, weights), 0, 1)
    return np.asarray(_without_color(table) if _is_colorless(goal) else table, np.float32)


def _is_colorless(colors: Float) -> bool:
    return float(np.quantile(np.ptp(colors, axis=-1), 0.98)) < _GREY


def _without_color(table: Float) -> Float:
    """Rare colours, which the transport carries only most of the way, become grey as well."""
    return np.repeat(luminance(table)[..., None], 3, -1)


def mapped(rgb: Float, table: Float) -> Float:
    """(H, W, 3) colours looked up in a table, trilinear."""
    out = np.empty_like(rgb)
    _look_up(rgb.reshape(-1, 3), table, out.reshape(-1, 3))
    return out


def _drawn(colors: Float, generator: np.random.Generator) -> Float:
    """As many colours as the transport works on, whatever the number of pixels."""
    return colors[generator.integers(0, len(colors), _SAMPLES)]


def _spread_out(totals: Float, weights: Float) -> Float:
    """Mean shifts (T, T, T, 3), smoothed in ever wider steps so that colours which no view has follow their
    neighbours."""
    sigma, shift = _SMOOTHING, np.zeros_like(totals)
    is_open = np.ones(weights.shape, bool)
    enough = 0.002 * float(weights.max())
    while is_open.any() and sigma < 4 * TABLE:
        size = [sigma] * 3
        near = ndimage.gaussian_filter(weights, size, mode="constant")
        mean = np.stack(
            [ndimage.gaussian_filter(totals[..., k], size, mode="constant") for k in range(3)], -1
        )
        here = is_open & (near > (enough if sigma < TABLE else 0))
        shift[here] = mean[here] / near[here][:, None]
        is_open &= ~here
        sigma *= 1.6
    return np.stack([ndimage.gaussian_filter(shift[..., k], 0.5, mode="nearest") for k in range(3)], -1)


@compiled
def _scatter(colors: Float, shifts: Float, totals: Float, weights: Float) -> None:
    """Add shifts to the eight entries around each colour."""
    count = totals.shape[0] - 1
    for n in range(len(colors)):
        i, j, k, a, b, c = _place(colors[n], count)
        for corner in range(8):
            x, y, z = corner & 1, corner >> 1 & 1, corner >> 2
            weight = (a if x else 1 - a) * (b if y else 1 - b) * (c if z else 1 - c)
            weights[i + x, j + y, k + z] += weight
            for channel in range(3):
                totals[i + x, j + y, k + z, channel] += weight * shifts[n, channel]


@compiled
def _look_up(colors: Float, table: Float, out: Float) -> None:
    count = table.shape[0] - 1
    for n in range(len(colors)):
        i, j, k, a, b, c = _place(colors[n], count)
        for channel in range(3):
            total = np.float32(0)
            for corner in range(8):
                x, y, z = corner & 1, corner >> 1 & 1, corner >> 2
                weight = (a if x else 1 - a) * (b if y else 1 - b) * (c if z else 1 - c)
                total += weight * table[i + x, j + y, k + z, channel]
            out[n, channel] = total


@compiled
def _place(color: Float, count: int) -> tuple[int, int, int, float, float, float]:
    """The table's entry below a colour in each channel, and how far past it."""
    x, y, z = (
        min(max(color[0], np.float32(0)), np.float32(1)) * count,
        min(max(color[1], np.float32(0)), np.float32(1)) * count,
        min(max(color[2], np.float32(0)), np.float32(1)) * count,
    )
    i, j, k = min(int(x), count - 1), min(int(y), count - 1), min(int(z), count - 1)
    return i, j, k, x - i, y - j, z - k
