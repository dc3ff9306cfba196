"""Kernels over the pixels of many views: what they share, and what the others say about each pixel."""

# mypy: disable-error-code="no-any-return,return-value,assignment"
# Scalars in kernels are float32 where mypy is told float.

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from render.compiled import compiled

Float = NDArray[np.float32]
Index = NDArray[np.int64]

MOST_VIEWS = 16  # that say something about one pixel
MIDDLE_SPREAD = np.float32(0.06)  # of colours about their median, beyond which they count less


@compiled
def project(turn: Float, shift: Float, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Pixel (x, y) at depth z in another view: its column, row and depth there."""
    w = z * (turn[2, 0] * x + turn[2, 1] * y + turn[2, 2]) + shift[2]
    if w <= np.float32(1e-6):
        return np.float32(-1), np.float32(-1), np.float32(0)
    u = (z * (turn[0, 0] * x + turn[0, 1] * y + turn[0, 2]) + shift[0]) / w
    v = (z * (turn[1, 0] * x + turn[1, 1] * y + turn[1, 2]) + shift[1]) / w
    return u, v, w


@compiled
def is_seen(depth: Float, u: float, v: float, w: float, tolerance: float) -> bool:
    """Whether what lies at (u, v), w deep, is the surface that a view with these depths sees there."""
    height, width = depth.shape
    if w <= 0 or not (0 <= u < width and 0 <= v < height):
        return False
    there = depth[int(v), int(u)]
    return there > 0 and abs(there - w) < tolerance * w


@compiled
def bilinear(picture: Float, u: float, v: float, channel: int) -> float:
    """One channel at column u, row v, whose first pixel is centred at (0.5, 0.5); the border goes on beyond it."""
    height, width = picture.shape[:2]
    x = min(max(u - np.float32(0.5), np.float32(0)), np.float32(width - 1))
    y = min(max(v - np.float32(0.5), np.float32(0)), np.float32(height - 1))
    left, top = min(int(x), width - 2), min(int(y), height - 2)
    a, b = x - np.float32(left), y - np.float32(top)
    above = picture[top, left, channel] * (1 - a) + picture[top, left + 1, channel] * a
    below = picture[top + 1, left, channel] * (1 - a) + picture[top + 1, left + 1, channel] * a
    return above * (1 - b) + below * b


@compiled
def overlaps(
    depths: Float, turns: Float, shifts: Float, lens: Float, centres: Float, tolerance: float, step: int
) -> tuple[Float, Float]:
    """See `DepthViews.shared`. lens: (N, 4) focal length and centre. centres: (N, N, 3) of camera j in the axes of i."""
    count, height, width = depths.shape
    share = np.zeros((count, count), np.float32)
    angle = np.full((count, count), np.float32(np.pi))
    for i in range(count):
        for j in range(count):
            known, seen, total = 0, 0, np.float32(0)
            for y in range(step // 2, height, step):
                for x in range(step // 2, width, step):
                    z = depths[i, y, x]
                    if z <= 0:
                        continue
                    known += 1
                    px, py = np.float32(x) + np.float32(0.5), np.float32(y) + np.float32(0.5)
                    u, v, w = project(turns[i, j], shifts[i, j], px, py, z)
                    if is_seen(depths[j], u, v, w, tolerance):
                        seen += 1
                        total += _angle(lens[i], centres[i, j], px, py, z)
            if seen > 0:
                share[i, j], angle[i, j] = np.float32(seen) / known, total / seen
    return share, angle


@compiled
def _angle(lens: Float, centre: Float, x: float, y: float, z: float) -> float:
    """Radians at a pixel's point between the rays to its own camera and to one at `centre` (3,) in its axes."""
    a, b = z * (x - lens[2]) / lens[0], z * (y - lens[3]) / lens[1]
    p, q, r = a - centre[0], b - centre[1], z - centre[2]
    dot = a * p + b * q + z * r
    lengths = np.sqrt((a * a + b * b + z * z) * (p * p + q * q + r * r))
    return np.arccos(min(max(dot / max(lengths, np.float32(1e-12)), np.float32(-1)), np.float32(1)))


@compiled
def sample(picture: Float, u: float, v: float, out: Float) -> None:
    """As `bilinear`, all three channels."""
    height, width = picture.shape[:2]
    x = min(max(u - np.float32(0.5), np.float32(0)), np.float32(width - 1))
    y = min(max(v - np.float32(0.5), np.float32(0)), np.float32(height - 1))
    left, top = min(int(x), width - 2), min(int(y), height - 2)
    a, b = x - np.float32(left), y - np.float32(top)
    w00, w01, w10, w11 = (1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b
    for channel in range(3):
        out[channel] = (
            w00 * picture[top, left, channel] + w01 * picture[top, left + 1, channel]
            + w10 * picture[top + 1, left, channel] + w11 * picture[top + 1, left + 1, channel]
        )  # fmt: skip


@compiled
def agree(
    first: int, last: int, view: int, pictures: Float, depths: Float, neighbours: Index, turns: Float, shifts: Float,
    view_weights: Float, tolerance: float, is_asked: NDArray[np.bool_], consensus: Float, votes: Float,
) -> None:  # fmt: skip
    """Rows first … last of what the views say together about the pixels of `view`.

    neighbours: (K,) others, -1 for none. view_weights: (N,) how much each counts. is_asked: (H, W), which pixels are
    looked at; others keep their colour. consensus: (H, W, 3) robust mean of all that see the pixel's surface, itself
    included; votes: (H, W) how many they are. Both are filled.
    """
    width = depths.shape[2]
    colors, weights = np.empty((MOST_VIEWS, 3), np.float32), np.empty(MOST_VIEWS, np.float32)
    scratch = np.empty((3, MOST_VIEWS), np.float32)
    for y in range(first, last):
        for x in range(width):
            count = 1
            weights[0] = view_weights[view]
            for channel in range(3):
                colors[0, channel] = pictures[view, y, x, channel]
            z = depths[view, y, x]
            if z > 0 and is_asked[y, x]:
                px, py = np.float32(x) + np.float32(0.5), np.float32(y) + np.float32(0.5)
                for other in neighbours:
                    if other < 0 or count >= MOST_VIEWS or view_weights[other] <= 0:
                        continue
                    u, v, w = project(turns[view, other], shifts[view, other], px, py, z)
                    if is_seen(depths[other], u, v, w, tolerance):
                        sample(pictures[other], u, v, colors[count])
                        weights[count] = view_weights[other]
                        count += 1
            votes[y, x] = count
            _robust_mean(colors, weights, count, scratch, consensus[y, x])


@compiled
def _robust_mean(colors: Float, weights: Float, count: int, scratch: Float, out: Float) -> None:
    """The mean of colours (count, 3) about their median, those far from it counting less (Cauchy weights)."""
    if count == 1:
        out[:] = colors[0]
        return
    for channel in range(3):
        scratch[2, channel] = _median(colors, weights, channel, count, scratch)
        out[channel] = 0
    total = np.float32(0)
    for k in range(count):
        far = np.float32(0)
        for channel in range(3):
            far += abs(colors[k, channel] - scratch[2, channel])
        far /= np.float32(3) * MIDDLE_SPREAD
        weight = (weights[k] + np.float32(1e-6)) / (np.float32(1) + far * far)
        total += weight
        for channel in range(3):
            out[channel] += weight * colors[k, channel]
    for channel in range(3):
        out[channel] /= total


@compiled
def _median(colors: Float, weights: Float, channel: int, count: int, scratch: Float) -> float:
    """The weighted median of a channel, between the two middle values where half of the weight ends at one."""
    total = np.float32(0)
    for i in range(count):
        value, weight = colors[i, channel], weights[i]
        total += weight
        j = i - 1
        while j >= 0 and scratch[0, j] > value:
            scratch[0, j + 1], scratch[1, j + 1] = scratch[0, j], scratch[1, j]
            j -= 1
        scratch[0, j + 1], scratch[1, j + 1] = value, weight
    passed, half = np.float32(0), total / 2
    for i in range(count - 1):
        passed += scratch[1, i]
        if passed > half * np.float32(1.0001):
            return scratch[0, i]
        if passed >= half * np.float32(0.9999):
            return (scratch[0, i] + scratch[0, i + 1]) / 2
    return scratch[0, count - 1]


@compiled
def warp_squares(
    mine: Float,
    theirs: Float,
    my_depth: Float,
    their_depth: Float,
    turn: Float,
    shift: Float,
    tolerance: float,
) -> tuple[float, float]:
    """Sum over my pixels whose place the other view sees of the squared difference (mean of channels) of its picture
    there from mine, and how many they are."""
    height, width = my_depth.shape
    total, count = 0.0, 0.0
    for y in range(height):
        for x in range(width):
            z = my_depth[y, x]
            if z <= 0:
                continue
            u, v, w = project(
                turn, shift, np.float32(x) + np.float32(0.5), np.float32(y) + np.float32(0.5), z
            )
            if is_seen(their_depth, u, v, w, tolerance):
                square = np.float32(0)
                for channel in range(3):
                    difference = bilinear(theirs, u, v, channel) - mine[y, x, channel]
                    square += difference * difference
                total += square / 3
                count += 1
    return total, count


@compiled
def disagreements(mine: Float, theirs: Float, turn: Float, shift: Float, tolerance: float) -> Float:
    """(M,) relative differences of depth where the other view sees my surface."""
    height, width = mine.shape
    found = np.empty(height * width, np.float32)
    count = 0
    for y in range(height):
        for x in range(width):
            z = mine[y, x]
            if z <= 0:
                continue
            u, v, w = project(
                turn, shift, np.float32(x) + np.float32(0.5), np.float32(y) + np.float32(0.5), z
            )
            if is_seen(theirs, u, v, w, tolerance):
                found[count] = abs(theirs[int(v), int(u)] / w - 1)
                count += 1
    return found[:count]
