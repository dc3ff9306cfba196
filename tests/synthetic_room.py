"""A room whose answer is a formula: four walls, floor, ceiling, a ball and a step, seen by posed cameras."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from render.cameras import CameraSet, pixel_rays
from render.frame import Frame
from render.images import DepthCues, ImageSet, NormalCues, PosedImages
from render.points import PointCloud

Array = NDArray[np.float64]

ROOM = np.array([[-2.0, -1.5, 0.0], [2.0, 1.5, 2.5]])  # metres, Z up
BALL_CENTER, BALL_RADIUS = np.array([0.6, 0.3, 0.45]), 0.45
STEP = np.array([[-2.0, 0.6, 0.0], [-0.8, 1.5, 0.5]])


@dataclass(frozen=True)
class RoomScene:
    """posed: cameras of N views with exact sparse points. rgb: (N, H, W, 3) uint8. depth: (N, H, W) z-depth in
    metres. normals: (N, H, W, 3) in camera axes, looking at the camera."""

    posed: PosedImages
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    normals: NDArray[np.float32]


def room_sdf(points: Array) -> Array:
    """Signed distance (exact near surfaces) at (..., 3) points, positive in the free space of the room."""
    walls = np.minimum(points - ROOM[0], ROOM[1] - points).min(-1)
    ball = np.linalg.norm(points - BALL_CENTER, axis=-1) - BALL_RADIUS
    out = np.maximum(STEP[0] - points, points - STEP[1])
    step = np.linalg.norm(np.maximum(out, 0), axis=-1) + np.minimum(out.max(-1), 0)
    distance: Array = np.minimum(np.minimum(walls, ball), step)
    return distance


def make_room(
    num_views: int = 16, width: int = 160, height: int = 120, seed: int = 0, num_points: int = 600
) -> RoomScene:
    """Render the room from cameras on an ellipse that look across it."""
    cameras = _cameras(num_views, width, height, seed)
    pictures = [_render(cameras, i) for i in range(num_views)]
    rgb, depth, normals = (np.stack([picture[k] for picture in pictures]) for k in range(3))
    points, colors, observations = _sparse(cameras, rgb, depth, np.random.default_rng(seed), num_points)
    images = ImageSet("/nowhere", tuple(f"images/{i:04d}.png" for i in range(num_views)))
    posed = PosedImages(
        images, cameras, points=PointCloud(points, colors), observations=observations, frame=Frame("+Z", "m")
    )
    return RoomScene(posed, rgb, depth.astype(np.float32), normals.astype(np.float32))


def write_images(scene: RoomScene, folder: Path, with_cues: bool = False) -> PosedImages:
    """Write the pictures, and exact depth (16-bit PNG of millimetres) and normals (8-bit PNG) where asked for."""
    paths = scene.posed.images.paths
    for path, pixels in zip(paths, scene.rgb, strict=True):
        _save(folder / path, pixels)
    images = ImageSet(str(folder), paths)
    if not with_cues:
        return PosedImages(**{**_fields(scene.posed), "images": images})
    depth_paths = tuple(path.replace("images", "depth") for path in paths)
    normal_paths = tuple(path.replace("images", "normal") for path in paths)
    for i, (depth_path, normal_path) in enumerate(zip(depth_paths, normal_paths, strict=True)):
        _save(folder / depth_path, np.round(scene.depth[i] * 1000).astype(np.uint16))
        _save(folder / normal_path, np.round((scene.normals[i] + 1) * 127.5).astype(np.uint8))
    cues = {"depth": DepthCues(depth_paths, "metric", 0.001), "normals": NormalCues(normal_paths)}
    return PosedImages(**{**_fields(scene.posed), "images": images, **cues})


def _fields(posed: PosedImages) -> dict[str, object]:
    return {name: getattr(posed, name) for name in posed.__dataclass_fields__}


def _save(path: Path, pixels: NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def _cameras(count: int, width: int, height: int, seed: int) -> CameraSet:
    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    positions = np.stack([1.5 * np.cos(angles), 1.0 * np.sin(angles), 1.4 + 0.3 * np.sin(3 * angles)], 1)
    positions += rng.normal(0, 0.03, positions.shape)
    targets = np.stack([-0.6 * np.cos(angles), -0.5 * np.sin(angles), np.full(count, 0.7)], 1)
    poses = np.stack([_look_at(eye, target) for eye, target in zip(positions, targets, strict=True)])
    focal = 0.75 * width
    each = np.ones((count, 2))
    return CameraSet(
        poses, each * focal, each * [width / 2 + 0.7, height / 2 - 0.4], each.astype(int) * [width, height]
    )


def _look_at(eye: Array, target: Array) -> Array:
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = right, np.cross(forward, right), forward
    pose[:3, 3] = -pose[:3, :3] @ eye
    return pose


def _render(cameras: CameraSet, index: int) -> tuple[NDArray[np.uint8], Array, Array]:
    width, height = cameras.size[index]
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    pixels = np.stack([x.ravel(), y.ravel()], 1)
    rays_o, rays_d = pixel_rays(cameras, np.full(len(pixels), index), pixels)
    distance, normals = _hit(rays_o, rays_d)
    points = rays_o + distance[:, None] * rays_d
    rotation = cameras.cam_from_world[index, :3, :3]
    depth = (points @ rotation.T + cameras.cam_from_world[index, :3, 3])[:, 2]
    shade = 0.55 + 0.45 * np.clip(normals @ np.array([0.3, 0.5, 0.8]) / 0.99, 0, 1)
    rgb = np.clip(_texture(points) * shade[:, None] * 255, 0, 255).round().astype(np.uint8)
    shape = (int(height), int(width))
    return rgb.reshape(*shape, 3), depth.reshape(shape), (normals @ rotation.T).reshape(*shape, 3)


def _hit(rays_o: Array, rays_d: Array) -> tuple[Array, Array]:
    """First hit: distance (R,) and normal (R, 3) that looks at the ray's origin."""
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.maximum((ROOM[0] - rays_o) / rays_d, (ROOM[1] - rays_o) / rays_d)
        low, high = (STEP[0] - rays_o) / rays_d, (STEP[1] - rays_o) / rays_d
    rows = np.arange(len(rays_o))
    axis = np.argmin(far, 1)
    distance = far[rows, axis]
    normals = np.zeros_like(rays_d)
    normals[rows, axis] = -np.sign(rays_d[rows, axis])
    near = np.minimum(low, high)
    axis = np.argmax(near, 1)
    enter = near[rows, axis]
    is_step = (enter > 0) & (enter < np.maximum(low, high).min(1)) & (enter < distance)
    distance = np.where(is_step, enter, distance)
    normals[is_step] = 0
    normals[is_step, axis[is_step]] = -np.sign(rays_d[is_step, axis[is_step]])
    to_ball = rays_o - BALL_CENTER
    b = (to_ball * rays_d).sum(1)
    root = b * b - (to_ball * to_ball).sum(1) + BALL_RADIUS**2
    ball = -b - np.sqrt(np.maximum(root, 0))
    is_ball = (root > 0) & (ball > 0) & (ball < distance)
    distance = np.where(is_ball, ball, distance)
    normals[is_ball] = ((rays_o + ball[:, None] * rays_d - BALL_CENTER) / BALL_RADIUS)[is_ball]
    return distance, normals


def _texture(points: Array) -> Array:
    """(R, 3) colours in [0, 1]: patches of random colour at three scales, so that there are corners to match."""
    color = np.full(points.shape, 0.2)
    for scale, weight in ((0.5, 0.3), (0.17, 0.3), (0.06, 0.2)):
        cell = np.floor(points / scale + 1e-6).astype(np.int64)
        code = cell @ np.array([73856093, 19349663, 83492791])
        shuffled = (code[:, None] * np.array([2654435761, 40503, 2246822519]) + 12345) >> 7
        color = color + weight * ((shuffled & 255) / 255)
    return color


def _sparse(
    cameras: CameraSet, rgb: NDArray[np.uint8], depth: Array, rng: np.random.Generator, count: int
) -> tuple[Array, NDArray[np.uint8], NDArray[np.int32]]:
    """Points on surfaces, their colours, and (image, point) for every view that sees a point unoccluded."""
    views = rng.integers(0, len(cameras), count)
    pixels = np.floor(rng.random((count, 2)) * cameras.size[views])
    rays_o, rays_d = pixel_rays(cameras, views, pixels + 0.5)
    distance, _ = _hit(rays_o, rays_d)
    points = rays_o + distance[:, None] * rays_d
    column, row = pixels.astype(int).T
    seen = []
    for i in range(len(cameras)):
        pose = cameras.cam_from_world[i]
        x, y, z = (points @ pose[:3, :3].T + pose[:3, 3]).T
        u = np.floor(x / z * cameras.focal[i, 0] + cameras.center[i, 0])
        v = np.floor(y / z * cameras.focal[i, 1] + cameras.center[i, 1])
        is_in = (z > 0.1) & (u >= 0) & (v >= 0) & (u < cameras.size[i, 0]) & (v < cameras.size[i, 1])
        k = np.nonzero(is_in)[0]
        k = k[np.abs(depth[i, v[k].astype(int), u[k].astype(int)] - z[k]) < 0.02]
        seen.append(np.stack([np.full(len(k), i), k], 1))
    return points, rgb[views, row, column], np.concatenate(seen).astype(np.int32)
