"""Small scenes to train on, and how to drive the methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from recon.method import Method, Progress, Result, RunContext
from render.gaussians import GaussianCloud
from render.images import ImageSet, PosedImages
from tests.synthetic_room import make_room, write_images

# As small as a run can be that still learns.
TINY: dict[str, Any] = {"steps": 60, "max_gaussians": 900, "sh_degree": 1, "held_out": 0}


def room(folder: Path, views: int = 10, width: int = 64, height: int = 48, points: int = 500) -> PosedImages:
    return write_images(make_room(views, width, height, num_points=points), folder)


def drive(
    method: Method, inputs: Mapping[str, Any], context: RunContext | None = None, **settings: Any
) -> tuple[Result, list[Progress]]:
    steps = method.load()(inputs, method.make_settings(settings), context or RunContext())
    told = []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            return end.value, told


def rewritten(posed: PosedImages, folder: Path, change: Any) -> PosedImages:
    """The same scene with pictures change(pixels (H, W, 3), index) → (H, W, 3 or 4), as PNG in another folder."""
    folder.mkdir()
    for i, name in enumerate(posed.images.paths):
        pixels = np.asarray(Image.open(posed.images.path(i)).convert("RGB"))
        Image.fromarray(np.asarray(change(pixels, i), np.uint8)).save(folder / Path(name).name)
    paths = tuple(Path(name).name for name in posed.images.paths)
    return replace(posed, images=ImageSet(str(folder), paths))


def covered_sphere(
    count: int = 3000, radius: float = 0.7, middle: tuple[float, float, float] = (1, 2, 3)
) -> GaussianCloud:
    """Flat Gaussians all over a sphere, as large as they are apart, coloured by direction."""
    k = np.arange(count) + 0.5
    z = 1 - 2 * k / count
    angle, side = np.pi * (1 + 5**0.5) * k, np.sqrt(1 - z**2)
    outward = np.stack([side * np.cos(angle), side * np.sin(angle), z], 1)
    quats = np.stack([1 + z, -outward[:, 1], outward[:, 0], 0 * z], 1)  # z turns to outward
    spacing = radius * np.sqrt(4 * np.pi / count)
    log_scales = np.log(np.tile([0.7 * spacing, 0.7 * spacing, 0.02 * spacing], (count, 1)))
    return GaussianCloud(
        middle + radius * outward, quats, log_scales, np.full(count, 4.0), 0.8 * outward[:, None]
    )
