"""What training reads of the photos: pixels, cues and masks at one working size, small enough to hold in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recon.formats.pixels import read_image, read_mask, read_normals
from render.cameras import CameraSet
from render.images import PosedImages
from render.transforms import Similarity3

# Pixels of an image that training can make use of in its time, and of all images together.
PIXELS_OF_AN_IMAGE = {"cpu": 192 * 256, "cuda": 768 * 1024}
PIXELS_IN_ALL = 60_000_000
SMALLEST_SIDE = 16


@dataclass
class Photos:
    """N views of (H, W) pixels; what is unknown is NaN.

    cameras: in the world, of the working size. rgb: (N, H, W, 3) uint8. is_used: (N, H, W) bool, from masks.
    depth: (N, H, W) float32 z-depth in the world's unit, or None. normals: (N, H, W, 3) float16 in camera axes, or
    None. is_trusted: (N, H, W) bool, where the depth cue agrees with other views, or None. is_held_out: (N,) bool,
    views that are only measured.
    """

    cameras: CameraSet
    rgb: NDArray[np.uint8]
    is_used: NDArray[np.bool_]
    depth: NDArray[np.float32] | None = None
    normals: NDArray[np.float16] | None = None
    is_trusted: NDArray[np.bool_] | None = None
    is_held_out: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))

    def __post_init__(self) -> None:
        if not len(self.is_held_out):
            self.is_held_out = np.zeros(len(self.rgb), bool)

    def __len__(self) -> int:
        return len(self.rgb)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.rgb.shape[2], self.rgb.shape[1]

    def training_pixels(self) -> NDArray[np.int64]:
        """Flat indices of the pixels that train, over (N, H, W)."""
        return np.flatnonzero(self.is_used & ~self.is_held_out[:, None, None])


def working_size(posed: PosedImages, longest: int, device: str) -> tuple[int, int]:
    """Width and height to train at: the images' own where that is small, else their shape scaled down.

    longest: pixels along the longer side, 0 for what the device can make use of.
    """
    width, height = np.median(posed.cameras.size, axis=0)
    factor = longest / max(width, height)
    if not longest:
        pixels = min(
            PIXELS_OF_AN_IMAGE["cuda" if device.startswith("cuda") else "cpu"], PIXELS_IN_ALL // len(posed)
        )
        factor = math.sqrt(pixels / (width * height))
    factor = min(factor, 1.0)
    return max(SMALLEST_SIDE, round(width * factor)), max(SMALLEST_SIDE, round(height * factor))


def read_photos(posed: PosedImages, size: tuple[int, int], held_out_every: int) -> Iterator[Photos | int]:
    """Read pixels, masks and normal cues; yields the number of images read, at last the Photos.

    held_out_every: every so many images one is only measured, 0 for none. Raises FormatError.
    """
    width, height = size
    count = len(posed)
    rgb = np.empty((count, height, width, 3), np.uint8)
    is_used = np.empty((count, height, width), bool)
    has_normals = posed.normals is not None and any(posed.normals.paths)
    normals = np.full((count, height, width, 3), np.nan, np.float16) if has_normals else None
    for i in range(count):
        rgb[i] = read_image(posed, i, size)
        is_used[i] = read_mask(posed, i, size)
        if normals is not None and posed.normals is not None and posed.normals.paths[i]:
            normals[i] = read_normals(posed, i, size)
        yield i + 1
    cameras = posed.cameras.resized(np.tile(np.array(size), (count, 1)))
    yield Photos(cameras, rgb, is_used, normals=normals, is_held_out=held_out(count, held_out_every))


def held_out(count: int, every: int) -> NDArray[np.bool_]:
    """(N,) which images are only measured: the middle one of every so many."""
    chosen = np.zeros(count, bool)
    if 0 < every <= count:
        chosen[every // 2 :: every] = True
    return chosen


def box_cameras(cameras: CameraSet, world_from_box: Similarity3) -> CameraSet:
    """The cameras in the box, where z-depths are those of the world divided by its scale."""
    return cameras.transformed(world_from_box.inverse)
