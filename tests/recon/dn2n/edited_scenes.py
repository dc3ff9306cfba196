"""Small procedural scenes with exact depth, clean edits of them, and scenes of photos made of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recon.dn2n.depth_views import DepthViews
from recon.dn2n.training.scenes import ProceduralScene, make_scene
from render.images import DepthCues, ImageSet, PosedImages

Float = NDArray[np.float32]


@cache
def procedural(num_views: int = 10, size: tuple[int, int] = (64, 48)) -> ProceduralScene:
    return make_scene(31, num_views, size)


def originals_of(scene: ProceduralScene) -> Float:
    return scene.rgb.astype(np.float32) / np.float32(255)


def views_of(scene: ProceduralScene) -> DepthViews:
    return DepthViews(scene.cameras, scene.depth)


def varying_map(points: Float) -> Float:
    """(..., 3, 4) an affine map of colours that changes smoothly with the place: what is added to a colour."""
    low, high = points.reshape(-1, 3).min(0), points.reshape(-1, 3).max(0)
    place = (points - low) / (high - low)
    found = np.zeros((*points.shape[:-1], 3, 4), np.float32)
    found[..., 0, 0], found[..., 0, 3] = -0.3 * place[..., 0], 0.25 * place[..., 0]
    found[..., 1, 0], found[..., 1, 1] = 0.15, -0.3 * place[..., 1]
    found[..., 2, 2], found[..., 2, 3] = -0.4 * place[..., 2], 0.1
    return found


def mapped(colors: Float, affine: Float) -> Float:
    added = (affine[..., :3] @ colors[..., None])[..., 0] + affine[..., 3]
    return np.clip(colors + added, 0, 1).astype(np.float32)


def write_scene(scene: ProceduralScene, folder: Path, with_depth: bool = True) -> PosedImages:
    """Its photos, and its depth in floats, as files."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    paths = tuple(f"images/{i:02d}.png" for i in range(len(scene.rgb)))
    for path, picture in zip(paths, scene.rgb, strict=True):
        Image.fromarray(picture).save(folder / path)
    depth = None
    if with_depth:
        for i, values in enumerate(scene.depth):
            np.save(folder / f"{i:02d}.npy", values)
        depth = DepthCues(tuple(f"{i:02d}.npy" for i in range(len(scene.rgb))), "metric")
    return PosedImages(ImageSet(str(folder), paths), scene.cameras, depth=depth)
