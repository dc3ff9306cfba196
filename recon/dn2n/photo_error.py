"""How well depth fits the photos: each is drawn from the others by it, and compared with what it is."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.dn2n.depth_views import DepthViews
from recon.dn2n.measures import psnr
from recon.dn2n.scene_views import SceneViews, spread_evenly
from render.view_field import ViewField
from render.view_pictures import view_picture
from render.view_sources import choose_sources

Float = NDArray[np.float32]

PROBED = 6  # photos that are left out, one at a time
LONGEST = 192  # pixels at which they are drawn


def left_out_psnr(views: SceneViews, depths: Float) -> float:
    """Mean PSNR in dB of some photos, each drawn without itself from the others by these depths (N, H, W); -inf where
    none of them shows anything that counts.

    What nobody sees counts as black, lest depth that leaves holes be preferred: `calibration` asks how good what is
    shown is, this how well depth serves."""
    small = DepthViews(views.cameras, depths).within(LONGEST)
    photos = np.stack([cv2.resize(photo, small.size, interpolation=cv2.INTER_AREA) for photo in views.rgb])
    field = ViewField.of_photos(views.names, small.cameras, photos, small.depths)
    return _mean([
        psnr(_foretold(field, i), photos[i] / np.float32(255), _counted(views, small.size, i))
        for i in probes(views)
    ])  # fmt: skip


def flat_psnr(views: SceneViews) -> float:
    """The same where each photo is foretold as one colour, its own mean: what is no better knows nothing."""
    return _mean(
        [_flat_psnr(views.rgb[i] / np.float32(255), _counted(views, views.size, i)) for i in probes(views)]
    )


def probes(views: SceneViews) -> NDArray[np.int64]:
    """(P,) the photos that are left out, spread evenly."""
    return spread_evenly(len(views), PROBED)


def _foretold(field: ViewField, index: int) -> Float:
    """(H, W, 3) what the other photos say of one."""
    cameras = field.cameras
    width, height = (int(side) for side in cameras.size[index])
    camera = cameras.cam_from_world[index], cameras.focal[index], cameras.center[index]
    chosen = choose_sources(field, *camera, (width, height), without=index)
    return view_picture(field, *camera, (width, height), chosen=chosen).filled


def _flat_psnr(photo: Float, is_counted: NDArray[np.bool_] | None) -> float:
    colors = photo.reshape(-1, 3) if is_counted is None else photo[is_counted]
    return psnr(colors, np.broadcast_to(colors.mean(0), colors.shape)) if len(colors) else np.nan


def _mean(decibels: list[float]) -> float:
    known = [each for each in decibels if not np.isnan(each)]
    return float(np.mean(known)) if known else -np.inf


def _counted(views: SceneViews, size: tuple[int, int], index: int) -> NDArray[np.bool_] | None:
    """(h, w) pixels that show the scene. size: w, h."""
    counts = views.coverage.counts
    if counts is None:
        return None
    share = cv2.resize(counts[index].astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(share > 0.5)
