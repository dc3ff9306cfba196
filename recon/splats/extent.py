"""The box that training works in: the scene's size is 1 there, whatever its unit, so that learning rates fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from render.images import PosedImages
from render.transforms import Similarity3

MARGIN = 1.1  # beyond the outermost camera, as in 3DGS
NEAR_SHARE = 0.5  # of the usual depth: cameras in one place still see a scene of some size
MOST_POINTS = 2000  # that the usual depth is taken of


def find_extent(posed: PosedImages) -> Similarity3:
    """world_from_box: the middle of the cameras is the origin; 1 is how far they reach, or half as far as they see.

    The axes are the world's, so that colours by direction stay as they are.
    """
    places = posed.cameras.positions
    middle = places.mean(0)
    reach = MARGIN * float(np.linalg.norm(places - middle, axis=1).max(initial=0.0))
    extent = max(reach, NEAR_SHARE * usual_depth(posed))
    return Similarity3(np.eye(3), middle, extent if extent > 0 else 1.0)


def usual_depth(posed: PosedImages) -> float:
    """Median depth of sparse points before the cameras that see them, of any where nobody says; 0 without points."""
    if posed.points is None or not len(posed.points.points):
        return 0.0
    assert posed.observations is not None
    seen = posed.observations.astype(np.int64)
    if not len(seen):
        seen = _all_pairs(len(posed), len(posed.points.points))
    step = max(1, len(seen) // MOST_POINTS)
    views, points = seen[::step].T
    depth = _depth(posed, views, posed.points.points[points])
    before = depth[depth > 0]
    return float(np.median(before)) if len(before) else 0.0


def _depth(posed: PosedImages, views: NDArray[np.int64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    toward = posed.cameras.cam_from_world[views, 2]
    depth: NDArray[np.float64] = (toward[:, :3] * points).sum(1) + toward[:, 3]
    return depth


def _all_pairs(views: int, points: int) -> NDArray[np.int64]:
    pairs = np.arange(views * points, dtype=np.int64)
    return np.stack([pairs // points, pairs % points], 1)
