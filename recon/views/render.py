"""The method: a trained field and the photos' cameras to pictures, with how well they agree with the photos."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from recon.debsdf.field import from_sdf_field
from recon.debsdf.views import look_through
from recon.errors import SettingsError
from recon.method import Output, Progress, Result, Run, RunContext
from recon.views import ViewsSettings
from render.image_files import read_image, read_mask
from render.images import PosedImages
from render.rendered_views import RenderedViews
from render.scene_data import SceneData
from render.sdf_field import SdfField

_PARTS = 20  # progress within a picture


def run(inputs: Mapping[str, SceneData], settings: ViewsSettings, context: RunContext) -> Run:
    """One picture a chosen photo, all of one size; PSNR against the photos that can be read."""
    field, scene = inputs["field"], inputs["scene"]
    assert isinstance(field, SdfField) and isinstance(scene, PosedImages)
    chosen = chosen_images(scene, settings)
    size = picture_size(scene, int(chosen[0]), settings.size)
    trained = from_sdf_field(field, context.device)
    views: list[RenderedViews] = []
    for count, index in enumerate(chosen):
        looks = look_through(trained, scene.cameras, int(index), size, scene.images.names[index])
        while True:
            try:
                share = next(looks)
            except StopIteration as end:
                views.append(end.value)
                break
            yield Progress(max(1, round((count + share) * _PARTS)), len(chosen) * _PARTS, "Rendering")
    psnr = np.array([photo_psnr(scene, int(i), view.rgb[0]) for i, view in zip(chosen, views, strict=True)])
    known = psnr[psnr > 0]
    figures = {"num_views": len(views), "mean_psnr": float(known.mean()) if len(known) else None}
    return Result((Output("Rendered views", _joined(views, psnr)),), figures)


def chosen_images(scene: PosedImages, settings: ViewsSettings) -> NDArray[np.int64]:
    """Indices of the photos to render. Raises SettingsError where no photo has the name asked for."""
    used = np.asarray(scene.used, np.int64)
    if settings.image:
        used = np.array([i for i in used if settings.image in scene.images.names[i]], np.int64)
    if not len(used):
        raise SettingsError(
            f"No photo in use is called {settings.image!r}." if settings.image else "No photo is in use.",
            "Give a part of a photo's name as the image strip shows it, or switch photos on again.",
        )
    return used[:: settings.every]


def picture_size(scene: PosedImages, index: int, longest: int) -> tuple[int, int]:
    """Width and height with the shape of photo `index`."""
    width, height = (int(side) for side in scene.cameras.size[index])
    scale = longest / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def photo_psnr(scene: PosedImages, index: int, rgb: NDArray[np.uint8]) -> float:
    """dB between a picture (H, W, 3) and the photo at that size, where its mask allows; 0 where the photo is lost
    or wholly masked."""
    size = (rgb.shape[1], rgb.shape[0])
    try:
        photo, used = read_image(scene, index, size), read_mask(scene, index, size)
    except (OSError, ValueError):  # Pictures can be rendered without the photos.
        return 0.0
    if not used.any():
        return 0.0
    square = ((rgb[used].astype(np.float64) - photo[used]) / 255) ** 2
    return float(-10 * np.log10(max(float(square.mean()), 1e-10)))


def _joined(views: list[RenderedViews], psnr: NDArray[np.float64]) -> RenderedViews:
    pictures = {
        name: np.concatenate([getattr(view, name) for view in views])
        for name in ("rgb", "depth", "normals", "uncertainty", "is_held_out")
    }
    names = tuple(view.names[0] for view in views)
    return RenderedViews(names, psnr=psnr.astype(np.float32), frame=views[0].frame, **pictures)
