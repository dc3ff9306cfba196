"""Procedural scenes with exact depth: random textured primitives in random rooms, lights and cameras."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.training.ray_casting import BALL, BOX, CYLINDER, cast_rows
from recon.dn2n.training.textures import random_textures
from render.cameras import CameraSet
from render.compiled import in_threads

SAMPLES = 2  # rays along each side of a pixel
CLEARANCE = 2.2  # of a camera from a primitive's middle, in its half sizes

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ProceduralScene:
    """N views of one made-up scene, Z up.

    rgb: (N, H, W, 3) uint8 sRGB. depth: (N, H, W) float32 z-depth. normals: (N, H, W, 3) float32 unit, in the world,
    away from the surface. Both at pixel centres, exact.
    """

    seed: int
    cameras: CameraSet
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    normals: NDArray[np.float32]

    @property
    def up(self) -> Array:
        return np.array([0.0, 0.0, 1.0])

    @property
    def points(self) -> NDArray[np.float32]:
        """(N, H, W, 3) where each pixel's surface lies in the world."""
        height, width = self.depth.shape[1:]
        x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        found = np.empty((*self.depth.shape, 3), np.float32)
        for i, pose in enumerate(self.cameras.world_from_cam):
            center, focal = self.cameras.center[i], self.cameras.focal[i]
            rays = np.stack([(x - center[0]) / focal[0], (y - center[1]) / focal[1], np.ones_like(x)], -1)
            found[i] = (rays * self.depth[i][..., None]) @ pose[:3, :3].T + pose[:3, 3]
        return found


@dataclass(frozen=True, eq=False)
class _Layout:
    """What stands where. local_from_world: (K, 3, 4) into unit primitives. scales: (K, 4) half sizes, texture scale.
    room: (2, 3) corners. light: (8,), see `ray_casting`."""

    kinds: NDArray[np.int64]
    centers: Array
    local_from_world: Array
    scales: Array
    room: Array
    room_scale: float
    light: Array
    has_shadows: bool


def make_scene(seed: int, num_views: int = 14, size: tuple[int, int] = (128, 96)) -> ProceduralScene:
    """The scene of a seed. size: width, height of the views; other sizes show the same scene from the same places."""
    generator = np.random.default_rng(seed)
    layout = _random_layout(generator)
    textures = random_textures(len(layout.kinds) + 6, generator)
    world_from_cam, focal = _random_poses(layout, num_views, generator)
    width, height = size
    rgb = np.zeros((num_views, height, width, 3), np.float32)
    depth = np.zeros((num_views, height, width), np.float32)
    normals = np.zeros((num_views, height, width, 3), np.float32)
    lens = np.array([focal * width, focal * width, width / 2, height / 2])
    for i in range(num_views):
        in_threads(
            cast_rows, height, 16, width, SAMPLES, world_from_cam[i], lens, layout.kinds, layout.local_from_world,
            layout.scales, layout.room, layout.room_scale, textures, layout.light, layout.has_shadows,
            rgb[i], depth[i], normals[i],
        )  # fmt: skip
    cameras = _cameras(world_from_cam, focal * width, size)
    return ProceduralScene(seed, cameras, (rgb * 255 + 0.5).astype(np.uint8), depth, normals)


def _random_layout(generator: np.random.Generator) -> _Layout:
    count = int(generator.integers(4, 13))
    kinds = generator.choice((BALL, BOX, CYLINDER), count, p=(0.4, 0.42, 0.18))
    centers = generator.uniform((-1.6, -1.6, -0.7), (1.6, 1.6, 1.0), (count, 3))
    sizes = generator.uniform(0.2, 0.75, (count, 1)) * generator.uniform(0.5, (1.3, 1.3, 1.5), (count, 3))
    sizes[kinds == CYLINDER, 1] = sizes[kinds == CYLINDER, 0]
    turns = np.stack([_random_turn(generator) for _ in range(count)])
    into = turns.transpose(0, 2, 1) / sizes[:, :, None]
    local_from_world = np.concatenate([into, -(into @ centers[:, :, None])], 2)
    scales = np.concatenate([sizes, generator.uniform(0.5, 2.0, (count, 1))], 1)
    reach = generator.uniform(2.5, 5.5)
    half = reach * np.array([generator.uniform(0.9, 1.6), generator.uniform(0.9, 1.6), 0.5])
    middle = np.array([0, 0, reach * 0.5 - 1])
    return _Layout(
        kinds, centers, np.ascontiguousarray(local_from_world), scales, np.stack([middle - half, middle + half]),
        generator.uniform(0.15, 0.5), _random_light(generator), bool(generator.random() < 0.4),
    )  # fmt: skip


def _random_turn(generator: np.random.Generator) -> Array:
    """A rotation: any in three of five cases, else none."""
    if generator.random() < 0.4:
        return np.eye(3)
    turn, upper = np.linalg.qr(generator.normal(size=(3, 3)))
    turn = turn * np.sign(np.diag(upper))
    return np.asarray(turn * np.sign(np.linalg.det(turn)))


def _random_light(generator: np.random.Generator) -> Array:
    direction = np.append(generator.normal(size=2), generator.uniform(0.5, 2))
    color = 1 + generator.uniform(-0.075, 0.075, 3)
    shine = generator.choice((0, 0, 0.15, 0.3))
    return np.array([*(direction / np.linalg.norm(direction)), *color, generator.uniform(0.35, 0.8), shine])


def _random_poses(layout: _Layout, count: int, generator: np.random.Generator) -> tuple[Array, float]:
    """World-from-camera poses (count, 4, 4) on a patch of a sphere that look at its middle, a fifth of the patches
    wide; and the focal length in widths of the picture."""
    focal = generator.uniform(0.75, 1.3)
    radius, azimuth = generator.uniform(2.8, 4.5), generator.uniform(0, 2 * np.pi)
    spread = generator.uniform(0.12, 0.55) if generator.random() < 0.8 else generator.uniform(0.55, 1.0)
    elevation = generator.uniform(0.05, 0.6)
    poses = np.tile(np.eye(4), (count, 1, 1))
    for i in range(count):
        position = np.zeros(3)
        for _ in range(30):
            a = azimuth + spread * generator.uniform(-1, 1)
            e = elevation + 0.6 * spread * generator.uniform(-1, 1)
            r = radius * generator.uniform(0.92, 1.08)
            position = r * np.array([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)])
            position = np.clip(position, layout.room[0] + 0.2, layout.room[1] - 0.2)
            if _is_clear(layout, position):
                break
        target = generator.uniform((-0.3, -0.3, -0.2), (0.3, 0.3, 0.3))
        up = np.array([*generator.uniform(-0.08, 0.08, 2), 1])
        poses[i, :3, :3], poses[i, :3, 3] = _looking(target - position, up), position
    return poses, focal


def _is_clear(layout: _Layout, position: Array) -> bool:
    local = layout.local_from_world[:, :, :3] @ position + layout.local_from_world[:, :, 3]
    return bool((np.linalg.norm(local, axis=1) > CLEARANCE).all())


def _looking(along: Array, up: Array) -> Array:
    """(3, 3) world-from-camera rotation that looks along a direction."""
    z = along / np.linalg.norm(along)
    x = np.cross(z, up)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z], 1)


def _cameras(world_from_cam: Array, focal: float, size: tuple[int, int]) -> CameraSet:
    count = len(world_from_cam)
    poses = np.asarray(np.linalg.inv(world_from_cam), np.float64)
    poses[:, 3] = 0, 0, 0, 1
    center = np.tile(np.array(size) / 2, (count, 1))
    return CameraSet(poses, np.full((count, 2), focal), center, np.tile(size, (count, 1)))
