"""A splat scene whose parts are known: a snowman on the ground, its cameras, exact masks, and masks gone wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from render.cameras import CameraSet
from render.gaussians import GaussianCloud
from render.images import ImageSet, PosedImages
from render.spherical_harmonics import SH_C0
from render.splat_pictures import splat_channels, splat_picture

PARTS = (
    "ground", "body", "head", "hat", "scarf", "left_arm", "right_arm", "left_eye", "right_eye", "nose",
)  # fmt: skip
SMALL_PARTS = ("left_eye", "right_eye", "nose")
UNLABELLED = 255

Points = NDArray[np.float64]
Mask = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class PartScene:
    """cloud: with the true part of each Gaussian in its column "part". cameras: of train and test views. masks:
    exact, uint8, 255 where nothing is. is_test: views that no method sees."""

    cloud: GaussianCloud
    cameras: CameraSet
    masks: tuple[Mask, ...]
    is_test: NDArray[np.bool_]

    @property
    def truth(self) -> NDArray[np.integer]:
        return self.cloud.extra["part"]

    @property
    def plain(self) -> GaussianCloud:
        """The cloud without what it must not know."""
        return replace(self.cloud, extra={})

    @property
    def train(self) -> list[int]:
        return np.flatnonzero(~self.is_test).tolist()

    def picture(self, view: int, cloud: GaussianCloud | None = None) -> NDArray[np.float32]:
        """(H, W, 3) of one view, over black."""
        return splat_picture(cloud or self.cloud, *camera_of(self.cameras, view))


def make_part_scene(
    count: int = 4000, size: int = 96, views: int = 12, tests: int = 4, seed: int = 0
) -> PartScene:
    """About `count` flat Gaussians on the snowman's surfaces, Z up; views alternate between all of it and its head."""
    rng = np.random.default_rng(seed)
    cloud = _snowman(count, rng)
    cameras = _cameras(views, size, rng, 0.0), _cameras(tests, size, rng, 0.5)
    both = CameraSet(
        *(np.concatenate([getattr(each, name) for each in cameras]) for name in ("cam_from_world", "focal", "center", "size"))
    )  # fmt: skip
    masks = tuple(_mask(cloud, both, view) for view in range(len(both)))
    return PartScene(cloud, both, masks, np.arange(len(both)) >= views)


def write_part_scene(folder: Path, scene: PartScene, masks: Sequence[Mask]) -> PosedImages:
    """Photos, transforms.json and a folder "masks" of the train views; returns the scene of posed images."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    frames = []
    for number, (view, mask) in enumerate(zip(scene.train, masks, strict=True)):
        picture = (scene.picture(view) * 255 + 0.5).astype(np.uint8)
        Image.fromarray(picture).save(folder / "images" / f"{number:03d}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{number:03d}.png")
        pose = scene.cameras.world_from_cam[view] @ np.diag([1.0, -1, -1, 1])
        (fx, fy), (cx, cy) = scene.cameras.focal[view], scene.cameras.center[view]
        width, height = (int(side) for side in scene.cameras.size[view])
        frames.append(
            {
                "file_path": f"images/{number:03d}.png", "transform_matrix": pose.tolist(), "fl_x": fx, "fl_y": fy,
                "cx": cx, "cy": cy, "w": width, "h": height,
            }
        )  # fmt: skip
    (folder / "transforms.json").write_text(json.dumps({"camera_model": "PINHOLE", "frames": frames}))
    paths = tuple(frame["file_path"] for frame in frames)
    return PosedImages(ImageSet(str(folder), paths), scene.cameras.select(np.array(scene.train)))


def spoilt(mask: Mask, rng: np.random.Generator, noise: float = 1.0) -> Mask:
    """A mask as a careless observer gives it: parts missed, sides swapped, borders off, coarse, blobs, or nothing."""
    if rng.random() < 0.15 * noise:
        return np.full_like(mask, UNLABELLED)
    made = mask.copy()
    for part, around in (
        ("left_eye", "head"), ("right_eye", "head"), ("nose", "head"), ("scarf", "body"), ("hat", "head"),
        ("left_arm", "body"), ("right_arm", "body"),
    ):  # fmt: skip
        if rng.random() < 0.25 * noise:
            made[mask == PARTS.index(part)] = PARTS.index(around)
    for left, right in (("left_eye", "right_eye"), ("left_arm", "right_arm")):
        if rng.random() < 0.2 * noise:
            a, b = PARTS.index(left), PARTS.index(right)
            made = np.where(made == a, b, np.where(made == b, a, made)).astype(np.uint8)
    made = _bent(made, rng, noise)
    if rng.random() < 0.4 * noise:
        step = max(2, len(mask) // 40)
        made = np.kron(made[step // 2 :: step, step // 2 :: step], np.ones((step, step), np.uint8))[
            : len(mask), : len(mask)
        ]
        made = np.pad(made, [(0, len(mask) - side) for side in made.shape], mode="edge")
    for _ in range(rng.poisson(1.5 * noise)):
        y, x = np.mgrid[: len(mask), : len(mask)]
        (row, column), radius = rng.uniform(0, len(mask), 2), rng.uniform(0.02, 0.06) * len(mask)
        is_blob = ((y - row) ** 2 + (x - column) ** 2 < radius**2) & (made != UNLABELLED)
        made[is_blob] = rng.integers(1, len(PARTS))
    return made


def _bent(mask: Mask, rng: np.random.Generator, noise: float) -> Mask:
    """Borders moved by up to some hundredths of the side."""
    side = len(mask)
    shifts = []
    for _ in range(2):
        field = ndimage.gaussian_filter(rng.normal(size=(side, side)), side / 20)
        shifts.append(
            field / np.abs(field).max() * 0.013 * side * noise + rng.normal() * 0.004 * side * noise
        )
    y, x = np.mgrid[:side, :side]
    rows = np.clip(np.round(y + shifts[0]), 0, side - 1).astype(int)
    columns = np.clip(np.round(x + shifts[1]), 0, side - 1).astype(int)
    return mask[rows, columns]


def camera_of(
    cameras: CameraSet, view: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], tuple[int, int]]:
    """What drawing takes: pose, focal length, centre, size."""
    width, height = (int(side) for side in cameras.size[view])
    return cameras.cam_from_world[view], cameras.focal[view], cameras.center[view], (width, height)


def part_ious(found: NDArray[np.integer], truth: NDArray[np.integer]) -> NDArray[np.float64]:
    """(K,) IoU of Gaussians for each part."""
    return np.array(
        [
            ((found == p) & (truth == p)).sum() / max(1, ((found == p) | (truth == p)).sum())
            for p in range(len(PARTS))
        ]
    )


def view_ious(scene: PartScene, found: NDArray[np.integer]) -> NDArray[np.float64]:
    """(K,) IoU of the rendered parts in the test views, counted over all of them."""
    both, either = np.zeros(len(PARTS)), np.zeros(len(PARTS))
    for view in np.flatnonzero(scene.is_test):
        seen = _labels_seen(scene.cloud, found, scene.cameras, view)[0]
        exact = scene.masks[view]
        is_known = exact != UNLABELLED
        for p in range(len(PARTS)):
            a, b = (seen == p)[is_known], (exact == p)[is_known]
            both[p] += (a & b).sum()
            either[p] += (a | b).sum()
    return both / np.maximum(either, 1)


def _mask(cloud: GaussianCloud, cameras: CameraSet, view: int) -> Mask:
    labels, alpha = _labels_seen(cloud, cloud.extra["part"], cameras, view)
    return np.where(alpha > 0.5, labels, UNLABELLED).astype(np.uint8)


def _labels_seen(
    cloud: GaussianCloud, labels: NDArray[np.integer], cameras: CameraSet, view: int
) -> tuple[NDArray[np.integer], NDArray[np.float32]]:
    one_hot = np.eye(len(PARTS) + 1, dtype=np.float32)[labels]  # −1 is the last
    channels, alpha = splat_channels(cloud, one_hot, *camera_of(cameras, view))
    return channels.argmax(-1), alpha


# The snowman: ellipsoids, capsules of points and a ring; each gives places, normals

Shape = Callable[[int, np.random.Generator], tuple[Points, Points]]


def _ellipsoid(center: Sequence[float], radii: Sequence[float]) -> Shape:
    def sample(count: int, rng: np.random.Generator) -> tuple[Points, Points]:
        on_sphere = rng.normal(size=(count, 3))
        on_sphere /= np.linalg.norm(on_sphere, axis=1, keepdims=True)
        normals = on_sphere / radii
        return center + on_sphere * radii, normals / np.linalg.norm(normals, axis=1, keepdims=True)

    return sample


def _tube(start: Sequence[float], end: Sequence[float], radius: float) -> Shape:
    def sample(count: int, rng: np.random.Generator) -> tuple[Points, Points]:
        axis = np.subtract(end, start)
        across = np.cross(axis, [0.3, 0.2, 1.0] if abs(axis[2]) < abs(axis).max() else [1.0, 0.2, 0])
        across /= np.linalg.norm(across)
        other = np.cross(axis / np.linalg.norm(axis), across)
        turn = rng.uniform(0, 2 * np.pi, (count, 1))
        normals = np.cos(turn) * across + np.sin(turn) * other
        return start + rng.random((count, 1)) * axis + radius * normals, normals

    return sample


def _ring(center: Sequence[float], large: float, small: float) -> Shape:
    def sample(count: int, rng: np.random.Generator) -> tuple[Points, Points]:
        a, b = rng.uniform(0, 2 * np.pi, (2, count))
        out = np.stack([np.cos(a), np.sin(a), 0 * a], 1)
        normals = np.cos(b)[:, None] * out + np.sin(b)[:, None] * np.array([0, 0, 1.0])
        return center + large * out + small * normals, normals

    return sample


def _disc(radius: float) -> Shape:
    def sample(count: int, rng: np.random.Generator) -> tuple[Points, Points]:
        r, a = radius * np.sqrt(rng.random(count)), rng.uniform(0, 2 * np.pi, count)
        up = np.tile([0.0, 0.0, 1.0], (count, 1))
        return np.stack([r * np.cos(a), r * np.sin(a), 0 * a], 1), up

    return sample


# part → share of the Gaussians, spacing (of neighbours, about), colour, shapes
_MODEL: dict[str, tuple[float, tuple[float, float, float], tuple[Shape, ...]]] = {
    "ground": (0.20, (0.45, 0.55, 0.40), (_disc(1.2),)),
    "body": (0.24, (0.85, 0.88, 0.95), (_ellipsoid((0, 0, 0.42), (0.42, 0.42, 0.42)),)),
    "head": (0.20, (0.93, 0.90, 0.84), (_ellipsoid((0, 0, 1.05), (0.28, 0.28, 0.28)),)),
    "hat": (0.12, (0.12, 0.10, 0.12), (_tube((0, 0, 1.26), (0, 0, 1.55), 0.19), _ellipsoid((0, 0, 1.25), (0.31, 0.31, 0.02)))),
    "scarf": (0.08, (0.75, 0.12, 0.15), (_ring((0, 0, 0.81), 0.24, 0.07),)),
    "left_arm": (0.04, (0.40, 0.26, 0.14), (_tube((0.36, 0, 0.58), (0.75, 0.1, 0.85), 0.045),)),
    "right_arm": (0.04, (0.40, 0.26, 0.14), (_tube((-0.36, 0, 0.58), (-0.75, 0.1, 0.85), 0.045),)),
    "left_eye": (0.02, (0.10, 0.15, 0.45), (_ellipsoid((0.1, -0.25, 1.12), (0.05, 0.04, 0.05)),)),
    "right_eye": (0.02, (0.10, 0.15, 0.45), (_ellipsoid((-0.1, -0.25, 1.12), (0.05, 0.04, 0.05)),)),
    "nose": (0.04, (0.90, 0.45, 0.10), (_ellipsoid((0, -0.34, 1.03), (0.045, 0.14, 0.045)),)),
}  # fmt: skip


def _snowman(count: int, rng: np.random.Generator) -> GaussianCloud:
    places, normals, colors, labels, spacings = [], [], [], [], []
    for index, name in enumerate(PARTS):
        share, color, shapes = _MODEL[name]
        for shape in shapes:
            number = max(12, int(count * share / len(shapes)))
            where, normal = shape(number, rng)
            is_outside = _is_outside_balls(where, name)
            where, normal = where[is_outside], normal[is_outside]
            number = len(where)
            places.append(where)
            normals.append(normal)
            area = np.prod(np.sort(np.ptp(where, axis=0))[1:]) * 2.5
            spacings.append(np.full(number, np.sqrt(area / number)))
            light = 0.8 + 0.2 * normal @ np.array([0.3, -0.4, 0.85])
            colors.append(np.array(color) * light[:, None] + rng.normal(0, 0.015, (number, 3)))
            labels.append(np.full(number, index))
    where, normal = np.concatenate(places), np.concatenate(normals)
    spacing = np.concatenate(spacings)[:, None]
    scales = spacing * [0.7, 0.7, 0.15] * np.exp(rng.normal(0, 0.2, (len(where), 3)))
    return GaussianCloud(
        where, _turn_z_to(normal), np.log(scales), rng.normal(2.8, 0.3, len(where)),
        ((np.clip(np.concatenate(colors), 0.02, 0.98) - 0.5) / SH_C0)[:, None],
        extra={"part": np.concatenate(labels).astype(np.int32)},
    )  # fmt: skip


_BALLS = {"body": ((0, 0, 0.42), 0.42), "head": ((0, 0, 1.05), 0.28)}  # that other parts may reach into


def _is_outside_balls(where: Points, name: str) -> NDArray[np.bool_]:
    """(N,) places of a part that are not hidden inside body or head."""
    outside = np.ones(len(where), bool)
    for ball, (center, radius) in _BALLS.items():
        if ball != name:
            outside &= np.linalg.norm(where - np.array(center), axis=1) > 0.98 * radius
    return outside


def _turn_z_to(normals: Points) -> Points:
    """(N, 4) quaternions wxyz of the shortest turn from +Z to each normal."""
    quats = np.stack([1 + normals[:, 2], -normals[:, 1], normals[:, 0], 0 * normals[:, 0]], 1)
    quats[normals[:, 2] < -0.9999] = [0, 1, 0, 0]
    return quats / np.linalg.norm(quats, axis=1, keepdims=True)


def _cameras(count: int, size: int, rng: np.random.Generator, offset: float) -> CameraSet:
    poses = []
    for i in range(count):
        turn = 2 * np.pi * (i + offset) / count
        rise = np.deg2rad(rng.uniform(5, 35))
        distance, target = (2.9, np.array([0, 0, 0.7])) if i % 2 == 0 else (1.4, np.array([0, 0, 1.1]))
        toward = np.array([np.cos(rise) * np.sin(turn), -np.cos(rise) * np.cos(turn), np.sin(rise)])
        right = np.cross(-toward, [0, 0, 1.0])
        right /= np.linalg.norm(right)
        pose = np.eye(4)
        pose[:3, :3] = np.stack([right, np.cross(-toward, right), -toward])
        pose[:3, 3] = -pose[:3, :3] @ (target + distance * toward)
        poses.append(pose)
    focal = size / 2 / np.tan(np.deg2rad(22.5))
    return CameraSet(
        np.stack(poses), np.full((count, 2), focal), np.full((count, 2), size / 2), np.full((count, 2), size)
    )
