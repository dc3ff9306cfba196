"""What a run hands out: the Gaussians in the world, what they look like from every photo, and how near that is."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.method import Progress
from recon.splats.quality import Lpips, Quality, load_lpips, measure, psnr
from recon.splats.train import Trainer
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.rendered_views import RenderedViews

PIXELS_OF_VIEWS = 12_000_000  # of all pictures that are handed out
_NO_LPIPS = "LPIPS was not measured: its package or its weights are not on this machine."


@dataclass(frozen=True)
class Views:
    """rendered: a picture of every photo. means: figures over the trained and the held-out ones. notes: sentences."""

    rendered: RenderedViews
    means: dict[str, Any]
    notes: tuple[str, ...]


def trained_cloud(trainer: Trainer, posed: PosedImages) -> GaussianCloud:
    """What there is now, in the world, with spherical harmonics of the wished degree."""
    in_box = trainer.gaussians.to_cloud()
    wanted = (trainer.settings.sh_degree + 1) ** 2
    missing = wanted - in_box.sh.shape[1]
    sh = np.pad(in_box.sh, ((0, 0), (0, max(0, missing)), (0, 0)))
    comments = _comments(trainer)
    whole = replace(in_box, sh=sh, comments=comments, is_antialiased=trainer.settings.antialiased)
    return whole.transformed(trainer.world_from_box, posed.frame)


def _comments(trainer: Trainer) -> tuple[str, ...]:
    if trainer.settings.background == "random" or not trainer.background.any():
        return ()
    return ("background " + " ".join(f"{value:g}" for value in trainer.background.tolist()),)


def view_figures(trainer: Trainer, views: Iterable[int]) -> list[float]:
    """PSNR in dB of some photos, of those that have any pixel that counts."""
    found = (psnr(*_pair(trainer, view)) for view in views)
    return [each for each in found if each is not None]


def _pair(trainer: Trainer, view: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """The picture (H, W, 3) and the photo over the background, within 0 and 1, and which pixels count (H, W)."""
    photo = trainer.photos.photo(view)
    target, used = trainer.target(photo)
    picture = np.clip(trainer.look(view).rgb.cpu().numpy(), 0, 1)
    return picture, target.cpu().numpy(), used.cpu().numpy() > 0


def look_through_all(trainer: Trainer, posed: PosedImages) -> Generator[Progress, None, Views]:
    """Render and measure every photo."""
    photos, lpips = trainer.photos, load_lpips()
    size = _common_size(trainer)
    shape = (len(photos), size[1], size[0])
    rgb, depth = np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.float32)
    uncertainty = np.zeros(shape, np.float32)
    found = []
    for view in range(len(photos)):
        yield Progress(view + 1, len(photos), "Looking through the cameras")
        found.append(measure(*_pair(trainer, view), _lpips_of(trainer, view, lpips)))
        rendered = trainer.look(view, size, has_depth=True)
        rgb[view] = np.round(255 * rendered.rgb.clamp(0, 1).cpu().numpy())
        depth[view] = rendered.depth.cpu().numpy() * trainer.world_from_box.scale
        uncertainty[view] = 1 - rendered.alpha.clamp(0, 1).cpu().numpy()
    values = np.array([np.nan if each.psnr is None else each.psnr for each in found], np.float32)
    is_out = photos.is_held_out
    normals = np.zeros((*shape, 3), np.float32)
    values = np.nan_to_num(values, nan=0.0)
    pictures = RenderedViews(photos.names, rgb, depth, normals, uncertainty, values, is_out, posed.frame)
    notes = () if lpips is not None or not is_out.any() else (_NO_LPIPS,)
    return Views(pictures, _means(found, is_out), notes)


def _lpips_of(trainer: Trainer, view: int, lpips: Lpips | None) -> Lpips | None:
    return lpips if trainer.photos.is_held_out[view] else None


def _common_size(trainer: Trainer) -> tuple[int, int]:
    """Width and height of the pictures: the first photo's, smaller where there are many."""
    width, height = trainer.photos.size(0)
    factor = min(1.0, (PIXELS_OF_VIEWS / (len(trainer.photos) * width * height)) ** 0.5)
    return max(1, round(width * factor)), max(1, round(height * factor))


def _means(found: list[Quality], is_out: NDArray[np.bool_]) -> dict[str, Any]:
    """Mean figures of the trained photos, and of those that were held out."""
    seen = [each for each, out in zip(found, is_out, strict=True) if not out]
    unseen = [each for each, out in zip(found, is_out, strict=True) if out]
    figures = {"psnr": _mean(seen, "psnr"), "ssim": _mean(seen, "ssim")}
    for name, of in (("psnr", "psnr"), ("ssim", "ssim"), ("lpips", "lpips"), ("psnr_fitted", "fitted_psnr")):
        title = f"{name}_held_out" if name != "psnr_fitted" else "psnr_held_out_fitted"
        figures[title] = _mean(unseen, of)
    return {name: value for name, value in figures.items() if value is not None}


def _mean(found: list[Quality], name: str) -> float | None:
    values = [getattr(each, name) for each in found if getattr(each, name) is not None]
    return float(np.mean(values)) if values else None
