"""Pictures of depth as a camera of a set sees them: points, what lies in a box, jumps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from render.cameras import CameraSet

STEEPEST = 4.0  # pixels' widths that a depth may change by from one pixel to the next: 76 degrees


def without_jumps(depth: NDArray[np.float32], focal: NDArray[np.float64]) -> NDArray[np.float32]:
    """(H, W) z-depth, 0 also at jumps, where neither side's depth is right. focal: (2,) pixels."""
    jump = maximum_filter(depth, 3) - minimum_filter(np.where(depth > 0, depth, np.inf), 3)
    width_of_pixel = depth / focal.mean()
    return np.where(jump < STEEPEST * 2 * width_of_pixel, depth, 0).astype(np.float32)


def points_of(cameras: CameraSet, view: int, depth: NDArray[np.float32]) -> NDArray[np.float64]:
    """(P, 3) world points of the pixels that have a depth, row by row."""
    y, x = np.nonzero(depth)
    z = depth[y, x].astype(np.float64)
    flat = (np.stack([x, y], 1) + 0.5 - cameras.center[view]) / cameras.focal[view]
    in_cam = np.concatenate([flat * z[:, None], z[:, None]], 1)
    world_from_cam = cameras.world_from_cam[view]
    return np.asarray(in_cam @ world_from_cam[:3, :3].T + world_from_cam[:3, 3])


def is_within(
    cameras: CameraSet, view: int, depth: NDArray[np.float32], box: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(H, W) whether a pixel's point lies in the box (2, 3) of the world."""
    inside = np.zeros(depth.shape, bool)
    y, x = np.nonzero(depth)
    points = points_of(cameras, view, depth)
    inside[y, x] = ((points >= box[0]) & (points <= box[1])).all(1)
    return inside
