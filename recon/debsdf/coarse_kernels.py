"""The loops of the coarse field, compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

F32 = np.float32
FAST = {"nsz", "arcp", "contract", "afn", "reassoc"}
F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function as a numba kernel that frees the GIL and divides by zero as numpy does.

    Of fast arithmetic without "nnan" and "ninf", for pictures hold NaN where nothing is known.
    """
    return cast(F, numba.njit(cache=True, fastmath=FAST, nogil=True, error_model="numpy")(function))


@compiled
def vote(
    depth: Any, poses: Any, lens: Any, truncation: Any, first: Any, mean: Any, hits: Any, free: Any
) -> None:
    """Votes of V views on a slab of voxels. depth: (V, H, W) z-depth in voxels, far below zero where unknown: fast
    arithmetic knows no NaN. poses: (V, 3, 4) cameras from grid coordinates. lens: (V, 4) focal lengths and centre in pixels. truncation: voxels. first: the
    slab's place along x.

    Writes mean, hits, free (S, Y, Z), zero before: the mean signed distance along the views' axes of the hits, the
    number of hits, the number of votes for free space.
    """
    num_views, height, width = depth.shape
    for s in range(mean.shape[0]):
        i = first + s
        for j in range(mean.shape[1]):
            for v in range(num_views):
                p = poses[v]
                x = p[0, 0] * i + p[0, 1] * j + p[0, 3]
                y = p[1, 0] * i + p[1, 1] * j + p[1, 3]
                z = p[2, 0] * i + p[2, 1] * j + p[2, 3]
                for k in range(mean.shape[2]):
                    c = z + p[2, 2] * k
                    if c < F32(1):
                        continue
                    u = lens[v, 0] * (x + p[0, 2] * k) / c + lens[v, 2]
                    if u < 0 or u >= width:
                        continue
                    w = lens[v, 1] * (y + p[1, 2] * k) / c + lens[v, 3]
                    if w < 0 or w >= height:
                        continue
                    d = depth[v, int(w), int(u)] - c
                    if d > truncation:
                        free[s, j, k] += F32(1)
                    elif d >= -truncation:
                        mean[s, j, k] += d
                        hits[s, j, k] += F32(1)
            for k in range(mean.shape[2]):
                mean[s, j, k] /= max(hits[s, j, k], F32(1))


@compiled
def trilinear(grid: Any, x: Any, y: Any, z: Any) -> Any:
    """The value at one point in grid coordinates; beyond the grid that of its border."""
    x = min(max(x, F32(0)), F32(grid.shape[0]) - F32(1.001))
    y = min(max(y, F32(0)), F32(grid.shape[1]) - F32(1.001))
    z = min(max(z, F32(0)), F32(grid.shape[2]) - F32(1.001))
    i, j, k = int(x), int(y), int(z)
    a, b, c = x - F32(i), y - F32(j), z - F32(k)
    low = (grid[i, j, k] * (F32(1) - c) + grid[i, j, k + 1] * c) * (F32(1) - b)
    low += (grid[i, j + 1, k] * (F32(1) - c) + grid[i, j + 1, k + 1] * c) * b
    high = (grid[i + 1, j, k] * (F32(1) - c) + grid[i + 1, j, k + 1] * c) * (F32(1) - b)
    high += (grid[i + 1, j + 1, k] * (F32(1) - c) + grid[i + 1, j + 1, k + 1] * c) * b
    return low * (F32(1) - a) + high * a


@compiled
def sample_grid(grid: Any, places: Any) -> NDArray[np.float32]:
    """Trilinear values (P,) at grid coordinates (P, 3)."""
    values = np.empty(len(places), np.float32)
    for n in range(len(places)):
        values[n] = trilinear(grid, places[n, 0], places[n, 1], places[n, 2])
    return values


@compiled
def cast_rays(sdf: Any, origin: Any, rotation: Any, lens: Any, step: Any, depth: Any) -> None:
    """Writes z-depth (H, W) in voxels of the first crossing from free space (sdf > 0), where there is one.

    sdf: (X, Y, Z) in voxels. origin: (3,) grid coordinates. rotation: (3, 3) grid from camera axes. lens: (4,).
    step: only every so manieth row and column. A ray that starts inside matter first walks out of it.
    """
    for row in range(step // 2, depth.shape[0], step):
        for column in range(step // 2, depth.shape[1], step):
            x = (F32(column) + F32(0.5) - lens[2]) / lens[0]
            y = (F32(row) + F32(0.5) - lens[3]) / lens[1]
            found = _first_crossing(sdf, origin, rotation, x, y)
            if found > 0:
                depth[row, column] = found


@compiled
def _first_crossing(sdf: Any, origin: Any, rotation: Any, dx: Any, dy: Any) -> Any:
    """Depth along the axis of the first crossing on the ray (dx, dy, 1) in camera axes; -1 for none."""
    length = np.sqrt(dx * dx + dy * dy + F32(1))
    x = (rotation[0, 0] * dx + rotation[0, 1] * dy + rotation[0, 2]) / length
    y = (rotation[1, 0] * dx + rotation[1, 1] * dy + rotation[1, 2]) / length
    z = (rotation[2, 0] * dx + rotation[2, 1] * dy + rotation[2, 2]) / length
    far = F32(2) * F32(sdf.shape[0] + sdf.shape[1] + sdf.shape[2])
    t, before, last, was_free = F32(0), F32(0), F32(0), False
    while t < far:
        px, py, pz = origin[0] + t * x, origin[1] + t * y, origin[2] + t * z
        outside = max(
            max(-px, px - F32(sdf.shape[0] - 1)),
            max(-py, py - F32(sdf.shape[1] - 1)),
            max(-pz, pz - F32(sdf.shape[2] - 1)),
        )
        if outside > 0:
            if was_free:
                return F32(-1)
            t += max(outside, F32(0.5))
            continue
        value = trilinear(sdf, px, py, pz)
        if value <= 0 and was_free:
            share = before / (before - value)
            return (t - (F32(1) - share) * last) / length
        was_free = was_free or value > 0
        before = value
        last = min(max(abs(value) * F32(0.8), F32(0.3)), F32(8))
        t += last
    return F32(-1)
