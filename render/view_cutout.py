"""Scenes whose photos are cut out: where a view shows nothing, nothing is before whatever it would see."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.compiled import Float, compiled, in_threads
from render.view_sources import CENTER, FOCAL, ROTATION, SHIFT

ROWS = 16  # that a thread takes at once
SURE = 2  # views that show nothing at a place, so that nothing is there; or half of those that look at it
EDGE = 1  # pixels from a view's outline that are not asked


def carve(depth: Float, depths: Float, chosen: NDArray[np.int64], cameras: Float, target: Float) -> None:
    """Set depth (H, W) to 0 where views see through the place.

    depths: (N, h, w) of all views, 0 where they show nothing. chosen: (S,) views, cameras: (S, ...) theirs as
    `source_cameras` gives them. target: (4,) focal lengths and centre of the picture."""
    in_threads(_carve, depth.shape[0], ROWS, depths, chosen, cameras, target, depth)


@compiled
def _carve(start, stop, depths, chosen, cameras, target, depth):
    half = np.float32(0.5)
    for row in range(start, stop):
        for column in range(depth.shape[1]):
            z = depth[row, column]
            if z <= 0:
                continue
            x = (np.float32(column) + half - target[2]) / target[0] * z
            y = (np.float32(row) + half - target[3]) / target[1] * z
            looking, through = 0, 0
            for s in range(len(chosen)):
                answer = _sees(depths[chosen[s]], cameras[s], x, y, z)
                looking += answer >= 0
                through += answer == 0
            if through >= SURE or 2 * through > looking:
                depth[row, column] = 0


@compiled
def _sees(seen, camera, x, y, z):
    """0 where a view shows nothing at a point, 1 where it shows something, -1 where it does not look."""
    r, t = camera[ROTATION:SHIFT], camera[SHIFT:FOCAL]
    w = r[6] * x + r[7] * y + r[8] * z + t[2]
    if w <= np.float32(1e-6):
        return -1
    u = (r[0] * x + r[1] * y + r[2] * z + t[0]) / w * camera[FOCAL] + camera[CENTER]
    v = (r[3] * x + r[4] * y + r[5] * z + t[1]) / w * camera[FOCAL + 1] + camera[CENTER + 1]
    height, width = seen.shape
    if not (0 <= u < width and 0 <= v < height):
        return -1
    i: Any = np.int64(v)
    j: Any = np.int64(u)
    for a in range(max(i - EDGE, 0), min(i + EDGE + 1, height)):
        for b in range(max(j - EDGE, 0), min(j + EDGE + 1, width)):
            if seen[a, b] > 0:
                return 1
    return 0
