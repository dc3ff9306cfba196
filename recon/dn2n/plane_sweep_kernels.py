"""Kernels of plane sweeps: smoothing of matching costs, confirmation by other views, filling, enlarging."""

# mypy: disable-error-code="no-any-return,return-value,assignment"
# Scalars in kernels are float32 where mypy is told float.

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.view_kernels import is_seen, project
from render.compiled import compiled

Float = NDArray[np.float32]
Index = NDArray[np.int64]

EDGE = np.float32(0.06)  # change of grey at which depth may jump for half
COLOR_SPREAD = np.float32(0.05)  # mean difference of colours beyond which places are of different things
LEAST_SPREAD = np.float32(2e-4)  # variance of greys in a window, below which nothing can be compared


@compiled
def multiply(mine: Float, warped: Float, products: Float) -> None:
    """products (3, P): the other picture (P,), its square, and its product with mine (P,)."""
    for p in range(len(mine)):
        value = warped[p]
        products[0, p], products[1, p], products[2, p] = value, value * value, value * mine[p]


@compiled
def add_difference(mean: Float, spread: Float, warped: Float, sums: Float, total: Float) -> None:
    """Take one partner in: total (3, P) holds the sum of differences within 0 and 1 and the two largest of them.

    A difference is that of normalised correlation, 1 where the partner does not see. mean, spread, warped: (P,). sums:
    (3, P) `multiply`'s, windowed. Without branches, so that the compiler makes vectors of it.
    """
    zero, half, one = np.float32(0), np.float32(0.5), np.float32(1)
    for p in range(len(mean)):
        theirs = sums[0, p]
        their_spread = max(sums[1, p] - theirs * theirs, zero)
        common = sums[2, p] - mean[p] * theirs
        both = (spread[p] + LEAST_SPREAD) * (their_spread + LEAST_SPREAD)
        likeness = (common + LEAST_SPREAD) / np.sqrt(both)
        difference = min(max(half - half * likeness, zero), one)
        difference = difference if warped[p] >= zero else one
        largest = total[1, p]
        total[0, p] += difference
        total[2, p] = max(total[2, p], min(largest, difference))
        total[1, p] = max(largest, difference)


@compiled
def mean_of_best(total: Float, count: int, cost: Float) -> None:
    """cost (P,): the mean difference of all partners but the two worst, or the worst where they are few."""
    without = (1 if count >= 3 else 0) + (1 if count >= 5 else 0)
    for p in range(len(cost)):
        left = total[0, p]
        if without >= 1:
            left -= total[1, p]
        if without >= 2:
            left -= total[2, p]
        cost[p] = left / (count - without)


@compiled
def smooth_costs(costs: Float, grey: Float, small: float, large: float, total: Float) -> None:
    """Add to total (H, W, D) the costs gathered along scanlines from four sides (semi-global matching, eq. 13)."""
    height, width, planes = costs.shape
    before, now = np.empty(planes, np.float32), np.empty(planes, np.float32)
    for direction in range(4):
        lines, length = (height, width) if direction < 2 else (width, height)
        for line in range(lines):
            last = np.float32(0)
            for step in range(length):
                place = step if direction % 2 == 0 else length - 1 - step
                y, x = (line, place) if direction < 2 else (place, line)
                jump = large / (1 + (abs(grey[y, x] - last) / EDGE) ** 2)
                last = grey[y, x]
                _gather(costs[y, x], before, now, small, max(jump, small), step == 0)
                for plane in range(planes):
                    total[y, x, plane] += now[plane]
                before, now = now, before


@compiled
def _gather(cost: Float, before: Float, now: Float, small: float, large: float, is_first: bool) -> None:
    planes = len(cost)
    if is_first:
        now[:] = cost
        return
    least = before[0]
    for plane in range(1, planes):
        least = min(least, before[plane])
    for plane in range(planes):
        best = min(before[plane], least + large)
        if plane > 0:
            best = min(best, before[plane - 1] + small)
        if plane < planes - 1:
            best = min(best, before[plane + 1] + small)
        now[plane] = cost[plane] + best - least


@compiled
def best_planes(first: int, last: int, costs: Float, plane: Float) -> None:
    """(H, W) the number of the plane of least cost, between planes by a parabola."""
    width, count = costs.shape[1], costs.shape[2]
    for y in range(first, last):
        for x in range(width):
            best = 0
            for k in range(1, count):
                if costs[y, x, k] < costs[y, x, best]:
                    best = k
            place = np.float32(best)
            if 0 < best < count - 1:
                a, b, c = costs[y, x, best - 1], costs[y, x, best], costs[y, x, best + 1]
                bend = a - 2 * b + c
                if bend > np.float32(1e-9):
                    place += min(max((a - c) / (2 * bend), np.float32(-0.5)), np.float32(0.5))
            plane[y, x] = place


@compiled
def confirm(
    first: int, last: int, depths: Float, view: int, neighbours: Index, turns: Float, shifts: Float, tolerance: float,
    fewest: int, kept: Float,
) -> None:  # fmt: skip
    """kept: (H, W) depths that at least so many neighbours agree with, made the mean with them; others stay 0."""
    width = depths.shape[2]
    for y in range(first, last):
        for x in range(width):
            z = depths[view, y, x]
            votes, total = 0, np.float32(1)
            px, py = np.float32(x) + np.float32(0.5), np.float32(y) + np.float32(0.5)
            for other in neighbours:
                if other < 0:
                    continue
                u, v, w = project(turns[view, other], shifts[view, other], px, py, z)
                if is_seen(depths[other], u, v, w, tolerance):
                    votes += 1
                    total += depths[other, int(v), int(u)] / w
            if votes >= fewest:
                kept[y, x] = z * total / (votes + 1)


@compiled
def agreed(first: int, last: int, warped: Float, same: float, fewest: int, kept: Float) -> None:
    """Fill gaps (0) of kept (H, W) with the depth that most of the inverse depths (S, H, W) are within `same` of, where
    at least so many are; of several the nearest. Depth is the mean of them."""
    sources, width = warped.shape[0], warped.shape[2]
    for y in range(first, last):
        for x in range(width):
            if kept[y, x] > 0:
                continue
            best, most = np.float32(0), fewest - 1
            for s in range(sources):
                value = warped[s, y, x]
                count, total = 0, np.float32(0)
                for other in range(sources):
                    found = warped[other, y, x]
                    if found > 0 and abs(found - value) < same * value:
                        count += 1
                        total += found
                if count > most or (count == most and count >= fewest and total > best * count):
                    best, most = total / count, count
            if best > 0:
                kept[y, x] = 1 / best


@compiled
def fill(kept: Float, colors: Float) -> Float:
    """Depth everywhere: gaps from the nearest known pixels in eight directions, those of a like colour most, and of
    these the farther ones, as what is hidden from others lies behind."""
    height, width = kept.shape
    filled = kept.copy()
    inverse, weight = np.empty(8, np.float32), np.empty(8, np.float32)
    for y in range(height):
        for x in range(width):
            if kept[y, x] > 0:
                continue
            count = 0
            for direction in range(9):
                dy, dx = direction // 3 - 1, direction % 3 - 1
                if dy == 0 and dx == 0:
                    continue
                v, u, steps = y + dy, x + dx, 1
                while 0 <= v < height and 0 <= u < width and kept[v, u] <= 0:
                    v, u, steps = v + dy, u + dx, steps + 1
                if not (0 <= v < height and 0 <= u < width):
                    continue
                far = _apart(colors[y, x], colors[v, u]) / COLOR_SPREAD
                inverse[count] = 1 / kept[v, u]
                weight[count] = np.exp(-far) / steps
                count += 1
            filled[y, x] = _lower_median(inverse, weight, count)
    return filled


@compiled
def _lower_median(inverse: Float, weight: Float, count: int) -> float:
    """The depth below whose inverse two fifths of the weight lie; 0 where there is none."""
    if count == 0:
        return np.float32(0)
    order = np.argsort(inverse[:count])
    total = weight[:count].sum()
    passed = np.float32(0)
    for k in order:
        passed += weight[k]
        if passed >= np.float32(0.4) * total:
            return 1 / inverse[k]
    return 1 / inverse[order[count - 1]]


@compiled
def _apart(a: Float, b: Float) -> float:
    return (abs(a[0] - b[0]) + abs(a[1] - b[1]) + abs(a[2] - b[2])) / 3


@compiled
def enlarge(first: int, last: int, small: Float, small_colors: Float, colors: Float, out: Float) -> None:
    """out (H, W): of the four small pixels around each place, those of a like colour; never between two surfaces."""
    height, width = out.shape
    rows, columns = small.shape
    for y in range(first, last):
        fy = min(
            max((np.float32(y) + np.float32(0.5)) * rows / height - np.float32(0.5), np.float32(0)),
            np.float32(rows - 1),
        )
        top = min(int(fy), max(rows - 2, 0))
        for x in range(width):
            fx = min(
                max((np.float32(x) + np.float32(0.5)) * columns / width - np.float32(0.5), np.float32(0)),
                np.float32(columns - 1),
            )
            left = min(int(fx), max(columns - 2, 0))
            a, b = fx - np.float32(left), fy - np.float32(top)
            best, best_depth = np.float32(-1), np.float32(0)
            for k in range(4):
                v, u = min(top + k // 2, rows - 1), min(left + k % 2, columns - 1)
                share = (b if k // 2 else 1 - b) * (a if k % 2 else 1 - a) + np.float32(1e-3)
                share *= np.exp(-_apart(colors[y, x], small_colors[v, u]) / COLOR_SPREAD)
                if share > best and small[v, u] > 0:
                    best, best_depth = share, small[v, u]
            total, weights = np.float32(0), np.float32(0)
            for k in range(4):
                v, u = min(top + k // 2, rows - 1), min(left + k % 2, columns - 1)
                share = (b if k // 2 else 1 - b) * (a if k % 2 else 1 - a) + np.float32(1e-3)
                if small[v, u] > 0 and abs(small[v, u] - best_depth) < np.float32(0.04) * best_depth:
                    total += share / small[v, u]
                    weights += share
            out[y, x] = weights / total if total > 0 else best_depth
