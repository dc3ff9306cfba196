"""Pyramids that stand for cameras: how large, their corners, and which one is under a pixel. No Qt and no VTK."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from render.cameras import CameraSet
from widgets import viewport_camera as view
from widgets.viewport_camera import CameraPose, Size

Array = NDArray[np.float64]

# Of each frustum's six points (apex, the picture's four corners, the tip that tells where its top is).
EDGES = np.array([[0, 1], [0, 2], [0, 3], [0, 4], [1, 2], [2, 3], [3, 4], [4, 1], [1, 5], [5, 2]])
_NUM_POINTS = 6
_ROOM_SHARE = 0.75  # of the distance to the next camera
_LEAST, _MOST = 0.018, 0.09  # width of a picture as a share of the scene's size


def frustum_size(cameras: CameraSet, bounds: Array) -> float:
    """Width of the drawn pictures in world units: neighbours stay apart, and all can be seen in the scene."""
    diagonal = float(np.linalg.norm(bounds[1] - bounds[0])) or 1.0
    if len(cameras) < 2:
        return _MOST * diagonal
    positions = cameras.positions[:: 1 + len(cameras) // 400]
    apart = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    next_one = float(np.median(apart.min(1))) if len(positions) > 1 else 0.0
    return float(np.clip(_ROOM_SHARE * next_one, _LEAST * diagonal, _MOST * diagonal))


def frustum_points(cameras: CameraSet, width: float) -> Array:
    """(N, 6, 3) apex, corners of the picture (top left, top right, bottom right, bottom left), and the tip above
    its top edge, in the world. width: of the pictures, in world units."""
    size, focal, center = cameras.size.astype(float), cameras.focal, cameras.center
    depth = width * focal.max(1) / size.max(1)
    x = np.stack([-center[:, 0], size[:, 0] - center[:, 0]], 1) / focal[:, :1]
    y = np.stack([-center[:, 1], size[:, 1] - center[:, 1]], 1) / focal[:, 1:]
    in_cam = np.ones((len(cameras), _NUM_POINTS, 3))
    in_cam[:, 0] = 0
    for corner, (i, j) in enumerate(((0, 0), (1, 0), (1, 1), (0, 1)), 1):
        in_cam[:, corner, 0], in_cam[:, corner, 1] = x[:, i], y[:, j]
    in_cam[:, 5, 0], in_cam[:, 5, 1] = x.mean(1), y[:, 0] - 0.28 * (y[:, 1] - y[:, 0])
    in_cam *= depth[:, None, None]
    world_from_cam = cameras.world_from_cam
    rotations, positions = world_from_cam[:, :3, :3], world_from_cam[:, :3, 3]
    placed: Array = np.einsum("nij,nkj->nki", rotations, in_cam) + positions[:, None]
    return placed


def frustum_under(
    points: Array, pose: CameraPose, at: tuple[float, float], size: Size, reach: float = 5
) -> tuple[int, float] | None:
    """The nearest frustum (N, 6, 3) whose picture covers a pixel or whose edges pass within `reach` of it, and
    its depth."""
    if not len(points):
        return None
    projected = view.project(pose, points.reshape(-1, 3), size).reshape(len(points), _NUM_POINTS, 3)
    pixels, depth = projected[..., :2], projected[..., 2]
    is_in_front = (depth[:, :5] > 0).all(1) | pose.parallel
    target = np.asarray(at, float)
    hit = is_in_front & (_covers(pixels[:, 1:5], target) | (_edge_distance(pixels, target) <= reach))
    if not hit.any():
        return None
    nearest = int(np.where(hit, depth.mean(1), np.inf).argmin())
    return nearest, float(depth[nearest].mean())


def _covers(corners: Array, target: Array) -> NDArray[np.bool_]:
    """Whether quadrilaterals (N, 4, 2), in either winding, hold a point (2,)."""
    sides, to_target = np.roll(corners, -1, axis=1) - corners, target - corners
    turns = sides[..., 0] * to_target[..., 1] - sides[..., 1] * to_target[..., 0]
    return np.asarray((turns >= 0).all(1) | (turns <= 0).all(1))


def _edge_distance(pixels: Array, target: Array) -> Array:
    """(N,) pixels from the nearest edge of each frustum to a point."""
    start, end = pixels[:, EDGES[:, 0]], pixels[:, EDGES[:, 1]]
    way = end - start
    share = np.einsum("nei,nei->ne", target - start, way) / np.maximum(
        np.einsum("nei,nei->ne", way, way), 1e-12
    )
    nearest = start + way * np.clip(share, 0, 1)[..., None]
    distance: Array = np.linalg.norm(nearest - target, axis=2).min(1)
    return distance
