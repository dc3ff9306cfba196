"""A scene whose pictures and depths are formulas: a textured floor, a wall and two boxes, with cameras around."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from render.cameras import CameraSet
from render.view_field import ViewField

BOXES = (
    (np.array([-0.9, -0.5, 0.0]), np.array([-0.2, 0.2, 0.8])),
    (np.array([0.3, -0.1, 0.0]), np.array([0.8, 0.7, 0.5])),
)
LENGTH = 80.0  # focal
SIZE = (96, 72)
FOCAL, CENTER = np.array([LENGTH, LENGTH]), np.array(SIZE) / 2


def texture(points: NDArray[np.float64], normals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Smooth colours (P, 3) within 0 and 1, of waves in space, tinted by the side that they are on."""
    waves = np.stack(
        [
            np.sin(4.0 * points[:, 0] + 1.3 * points[:, 2]) * np.cos(3.1 * points[:, 1]),
            np.sin(3.3 * points[:, 1] - 2.0 * points[:, 2]),
            np.cos(2.7 * points[:, 0] - 3.7 * points[:, 1] + 2.0 * points[:, 2]),
        ],
        1,
    )
    return np.clip(0.5 + 0.25 * waves + 0.15 * normals, 0, 1)


def look_at(position: NDArray[np.float64], goal: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 4) cam_from_world of a camera that is upright, Z being up."""
    forward = (goal - position) / np.linalg.norm(goal - position)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward])
    pose[:3, 3] = -pose[:3, :3] @ position
    return pose


def poses_around(
    count: int, radius: float = 3.0, spread: float = 0.5, turned: float = 0.0
) -> NDArray[np.float64]:
    """(count, 4, 4) of cameras on an arc before the wall."""
    angles = np.linspace(-spread, spread, count) + turned
    goal = np.array([0.0, 0.1, 0.3])
    return np.stack(
        [
            look_at(goal + radius * np.array([np.sin(a), -np.cos(a), 0.35 + 0.15 * np.sin(5 * k)]), goal)
            for k, a in enumerate(angles)
        ]
    )


def seen(
    pose: NDArray[np.float64], size: tuple[int, int] = SIZE, focal: float = LENGTH, has_wall: bool = True
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Colours (H, W, 3) and z-depths (H, W), 0 for sky, that a camera sees, its centre that of the picture."""
    world_from_cam = np.linalg.inv(pose)
    rows, columns = np.mgrid[: size[1], : size[0]] + 0.5
    in_cam = np.stack([(columns - size[0] / 2) / focal, (rows - size[1] / 2) / focal, np.ones_like(rows)], -1)
    rays = in_cam.reshape(-1, 3) @ world_from_cam[:3, :3].T
    origin = world_from_cam[:3, 3]
    ways, normals = np.full(len(rays), np.inf), np.zeros((len(rays), 3))
    planes = [(2, 0.0, np.array([0, 0, 1.0]))] + ([(1, 1.5, np.array([0, -1.0, 0]))] if has_wall else [])
    with np.errstate(divide="ignore", invalid="ignore"):
        for axis, offset, normal in planes:
            way = (offset - origin[axis]) / rays[:, axis]
            is_near = (way > 1e-6) & (way < ways) & ((np.abs(origin + rays * way[:, None])[:, :2] < 6).all(1))
            ways[is_near], normals[is_near] = way[is_near], normal
        for low, high in BOXES:
            to_low, to_high = (low - origin) / rays, (high - origin) / rays
            enters, leaves = np.minimum(to_low, to_high), np.maximum(to_low, to_high)
            axis, way = enters.argmax(1), enters.max(1)
            is_hit = (way < leaves.min(1)) & (way > 1e-6) & (way < ways)
            ways[is_hit] = way[is_hit]
            normals[is_hit] = -np.sign(rays[is_hit, axis[is_hit]])[:, None] * np.eye(3)[axis[is_hit]]
    is_seen = np.isfinite(ways)
    points = origin + rays * np.where(is_seen, ways, 0)[:, None]
    sky = 0.5 + 0.3 * rays / np.linalg.norm(rays, axis=1, keepdims=True)
    colors = np.where(is_seen[:, None], texture(points, normals), sky)
    depth = np.where(is_seen, ways, 0)  # rays have z 1 in the camera
    return colors.reshape(size[1], size[0], 3), depth.reshape(size[1], size[0])


def cameras_of(poses: NDArray[np.float64], size: tuple[int, int] = SIZE, focal: float = LENGTH) -> CameraSet:
    count = len(poses)
    return CameraSet(
        poses,
        np.full((count, 2), focal),
        np.tile(np.array(size) / 2, (count, 1)),
        np.tile(np.array(size), (count, 1)),
    )


def field_of(poses: NDArray[np.float64], has_wall: bool = True) -> ViewField:
    """The scene as views with exact depths see it, blended by rule."""
    shots = [seen(pose, has_wall=has_wall) for pose in poses]
    pictures = np.stack([np.round(rgb * 255) for rgb, _ in shots]).astype(np.uint8)
    depths = np.stack([depth for _, depth in shots])
    names = tuple(f"{k}.png" for k in range(len(poses)))
    nothing = np.zeros((0, 0, 0, 12))
    return ViewField(
        names, cameras_of(poses), pictures, pictures, depths, np.ones(len(poses)), nothing, np.eye(4), np.zeros(0)
    )  # fmt: skip


def psnr(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    return float(-10 * np.log10(np.mean((np.asarray(a, float) - b) ** 2)))


def is_on_box(pose: NDArray[np.float64], depth: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(H, W) whether a camera sees a box there, its focal length and centre those of the scene."""
    rows, columns = np.mgrid[: depth.shape[0], : depth.shape[1]] + 0.5
    in_cam = np.stack([(columns - CENTER[0]) / LENGTH, (rows - CENTER[1]) / LENGTH, np.ones_like(rows)], -1)
    world_from_cam = np.linalg.inv(pose)
    points = (in_cam * depth[..., None]) @ world_from_cam[:3, :3].T + world_from_cam[:3, 3]
    inside = [((points > low - 1e-3) & (points < high + 1e-3)).all(-1) for low, high in BOXES]
    return np.asarray(np.any(inside, 0) & (points[..., 2] > 1e-3))
