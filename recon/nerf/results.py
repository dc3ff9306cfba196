"""What a run hands out: the field, what it looks like from every photo, and how near that is."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.method import Progress
from recon.nerf.train import Trainer
from recon.splats.quality import Quality, measure, psnr
from render.cameras import CameraSet
from render.field_picture import FieldPicture
from render.images import PosedImages
from render.radiance_field import RadianceField
from render.radiance_pictures import radiance_picture
from render.rendered_views import RenderedViews

PIXELS_OF_VIEWS = 2_500_000  # of all pictures that are handed out
OUTERMOST = 0.02  # share of what is seen that may lie beyond the field's bounds on each side
FARTHEST_BOUND = 3.0  # box units


@dataclass(frozen=True)
class Views:
    """rendered: a picture of every photo. means: figures over the trained and the held-out ones."""

    rendered: RenderedViews
    means: dict[str, Any]


def picture_of(field: RadianceField, cameras: CameraSet, view: int) -> FieldPicture:
    """What a camera of a set sees."""
    width, height = cameras.size[view].tolist()
    return radiance_picture(
        field, cameras.cam_from_world[view], cameras.focal[view], cameras.center[view], (width, height)
    )


def view_figures(trainer: Trainer, posed: PosedImages, views: Iterable[int], share: float) -> list[float]:
    """PSNR in dB of some photos, at a share of their size."""
    cameras = _shrunk(trainer.photos.cameras, share)
    field = trainer.field(posed.frame, trainer.photos.cameras)
    found = (psnr(*compared(trainer, view, picture_of(field, cameras, view))) for view in views)
    return [each for each in found if each is not None]


def look_through_all(
    trainer: Trainer, posed: PosedImages
) -> Generator[Progress, None, tuple[RadianceField, Views]]:
    """Draw and measure every photo: held-out ones at the size that training works in, others smaller."""
    photos = trainer.photos
    field = trainer.field(posed.frame, photos.cameras)
    pixels = float(photos.cameras.size.prod(1).sum())
    small = _shrunk(photos.cameras, min(1.0, (PIXELS_OF_VIEWS / pixels) ** 0.5))
    width, height = small.size[0].tolist()
    even = small.resized(np.tile(np.array([[width, height]]), (len(photos), 1)))
    shape = (len(photos), height, width)
    rgb, depth = np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.float32)
    uncertainty, found = np.zeros(shape, np.float32), []
    for view in range(len(photos)):
        yield Progress(view + 1, len(photos), "Looking through the cameras")
        picture = picture_of(field, even, view)
        rgb[view] = np.round(255 * picture.over(trainer.layout.background))
        depth[view], uncertainty[view] = picture.depth, 1 - picture.alpha
        if photos.is_held_out[view]:
            picture = picture_of(field, photos.cameras, view)
        found.append(measure(*compared(trainer, view, picture)))
    values = np.array([each.psnr or 0.0 for each in found], np.float32)
    normals, is_out = np.zeros((*shape, 3), np.float32), photos.is_held_out
    rendered = RenderedViews(photos.names, rgb, depth, normals, uncertainty, values, is_out, posed.frame)
    if posed.world_from_region is None:
        field = replace(field, bounds_in_box=_bounds(trainer, even, depth))
    return field, Views(rendered, _means(found, is_out))


def _shrunk(cameras: CameraSet, share: float) -> CameraSet:
    return cameras.resized(np.maximum(4, np.round(cameras.size * share)).astype(np.int64))


def compared(
    trainer: Trainer, view: int, picture: FieldPicture
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """The picture (H, W, 3) and the photo over the background, within 0 and 1, and which pixels count (H, W)."""
    height, width = picture.alpha.shape
    photo = trainer.photos.photo(view).scaled((width, height))
    background = np.array(trainer.layout.background, np.float32)
    target: NDArray[np.float32] = photo.rgb.astype(np.float32) / np.float32(255)
    if photo.opacity is not None:
        opacity = photo.opacity[..., None].astype(np.float32) / np.float32(255)
        target = target * opacity + background * (1 - opacity)
    return picture.over(background), target, photo.used > 127


def _bounds(trainer: Trainer, cameras: CameraSet, depth: NDArray[np.float32]) -> NDArray[np.float64]:
    """(2, 3) in the box: most of what the cameras see."""
    in_box = cameras.transformed(trainer.world_from_box.inverse)
    points = []
    for view, world_from_cam in enumerate(in_box.world_from_cam):
        y, x = np.nonzero(depth[view][::4, ::4])
        z = depth[view][::4, ::4][y, x] / trainer.world_from_box.scale
        flat = (np.stack([x, y], 1) * 4 + 0.5 - in_box.center[view]) / in_box.focal[view]
        in_cam = np.concatenate([flat, np.ones((len(flat), 1))], 1) * z[:, None]
        points.append(in_cam @ world_from_cam[:3, :3].T + world_from_cam[:3, 3])
    every = np.concatenate(points)
    if len(every) < 8:
        return np.array([[-1.0, -1, -1], [1, 1, 1]])
    every = np.clip(every, -FARTHEST_BOUND, FARTHEST_BOUND)
    return np.asarray(np.quantile(every, [OUTERMOST, 1 - OUTERMOST], axis=0))


def _means(found: list[Quality], is_out: NDArray[np.bool_]) -> dict[str, Any]:
    """Mean figures of the trained photos, and of those that were held out."""
    figures: dict[str, Any] = {}
    for suffix, wanted in (("_trained", False), ("_held_out", True)):
        chosen = [each for each, out in zip(found, is_out, strict=True) if out == wanted]
        for name in ("psnr", "ssim"):
            values = [getattr(each, name) for each in chosen if getattr(each, name) is not None]
            if values:
                figures[name + suffix] = float(np.mean(values))
    return figures
