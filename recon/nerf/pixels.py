"""The pixels of all photos, and random rays through them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon.nerf import NerfSettings
from recon.splats.photos import Photos
from render.cameras import CameraSet
from render.compiled import Float
from render.images import PosedImages

PIXELS_OF_ALL = 120_000_000  # of photos that are kept for rays
SHOWN = 127


@dataclass(frozen=True)
class Batch:
    """R rays in box units and what is known of their pixels. views: (R,) photo of each. rgb: (R, 3) within 0 and 1.
    opacity: (R,) how much of the pixel is the scene's. distance: (R,) of the surface along the ray in box units, 0
    where unknown."""

    origins: Float
    directions: Float
    views: NDArray[np.int64]
    rgb: Float
    opacity: Float
    distance: Float


class Pixels:
    """All pixels that training may look at, of photos with cameras in box units.

    depth: (N, H, W) z-depth in box units, NaN where unknown, or None.
    """

    def __init__(self, photos: Photos, in_box: CameraSet, depth: NDArray[np.float32] | None = None) -> None:
        self._world_from_cam = in_box.world_from_cam
        self._focal, self._center = photos.cameras.focal, photos.cameras.center
        sizes = photos.cameras.size[photos.trained]
        counts = sizes.prod(1)
        self._first = np.concatenate([[0], np.cumsum(counts)])
        self._views, self._widths = photos.trained, sizes[:, 0]
        total = int(self._first[-1])
        self._rgb = np.empty((total, 3), np.uint8)
        self._opacity: NDArray[np.uint8] | None = None
        self._depth = np.zeros(total, np.float32) if depth is not None else None
        is_used = np.empty(total, bool)
        for row, view in enumerate(self._views):
            photo, part = photos.photo(int(view)), slice(self._first[row], self._first[row + 1])
            self._rgb[part] = photo.rgb.reshape(-1, 3)
            is_used[part] = photo.used.ravel() > SHOWN
            if photo.opacity is not None:
                if self._opacity is None:
                    self._opacity = np.full(total, 255, np.uint8)
                self._opacity[part] = photo.opacity.ravel()
            if depth is not None and self._depth is not None:
                self._depth[part] = _sized(depth[view], *sizes[row])
        self._used = None if is_used.all() else np.flatnonzero(is_used).astype(np.int64)
        self._total = total

    def __len__(self) -> int:
        return self._total if self._used is None else len(self._used)

    @property
    def has_depth(self) -> bool:
        return self._depth is not None and bool((self._depth > 0).any())

    @property
    def has_opacity(self) -> bool:
        return self._opacity is not None

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Rays through random pixels."""
        chosen = rng.integers(0, len(self), count)
        if self._used is not None:
            chosen = self._used[chosen]
        rows = np.searchsorted(self._first, chosen, side="right") - 1
        within, views = chosen - self._first[rows], self._views[rows]
        y, x = np.divmod(within, self._widths[rows])
        origins, directions, forward = rays_through(
            self._world_from_cam[views], self._focal[views], self._center[views], x, y
        )
        rgb = self._rgb[chosen].astype(np.float32) / np.float32(255)
        opacity = np.ones(count, np.float32)
        if self._opacity is not None:
            opacity = self._opacity[chosen].astype(np.float32) / np.float32(255)
        distance = np.zeros(count, np.float32)
        if self._depth is not None:
            distance = self._depth[chosen] / forward
        return Batch(origins, directions, views, rgb, opacity, distance)


def rays_through(
    world_from_cam: NDArray[np.float64], focal: NDArray[np.float64], center: NDArray[np.float64],
    x: NDArray[np.int64], y: NDArray[np.int64],
) -> tuple[Float, Float, Float]:  # fmt: skip
    """Origins, directions of length 1 (R, 3) and the part (R,) of a step along each that is depth, through the centres
    of pixels. world_from_cam: (R, 4, 4). focal, center: (R, 2)."""
    flat = (np.stack([x, y], 1) + 0.5 - center) / focal
    in_cam = np.concatenate([flat, np.ones((len(flat), 1))], 1)
    forward = 1 / np.linalg.norm(in_cam, axis=1)
    directions = np.einsum("rij,rj->ri", world_from_cam[:, :3, :3], in_cam * forward[:, None])
    origins = world_from_cam[:, :3, 3]
    return (
        np.ascontiguousarray(origins, np.float32), np.ascontiguousarray(directions, np.float32),
        forward.astype(np.float32),
    )  # fmt: skip


def longest_side(posed: PosedImages, settings: NerfSettings) -> int:
    """Pixels of the photos' longer side that all of them fit into memory with; 0 where they do as they are."""
    total = float(posed.cameras.size.astype(np.float64).prod(1).sum())
    wish = settings.image_size or 0
    if total <= PIXELS_OF_ALL:
        return wish
    most = int(posed.cameras.size.max() * math.sqrt(PIXELS_OF_ALL / total))
    return min(wish, most) if wish else most


def _sized(depth: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """(H * W,) the nearest known numbers, 0 where unknown."""
    rows = np.minimum(((np.arange(height) + 0.5) * depth.shape[0] / height).astype(int), depth.shape[0] - 1)
    columns = np.minimum(((np.arange(width) + 0.5) * depth.shape[1] / width).astype(int), depth.shape[1] - 1)
    found = np.nan_to_num(depth[rows[:, None], columns], nan=0.0, posinf=0.0, neginf=0.0)
    return np.asarray(np.maximum(found, 0), np.float32).ravel()
