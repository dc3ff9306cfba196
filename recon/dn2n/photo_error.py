"""How well depth fits the photos: each is drawn from the others by it, and compared with what it is."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.dn2n.depth_views import DepthViews
from recon.dn2n.measures import psnr
from recon.dn2n.scene_views import SceneViews
from render.view_field import ViewField
from render.view_pictures import view_picture

Float = NDArray[np.float32]

PROBED = 6  # photos that are left out, one at a time
LONGEST = 192  # pixels at which they are drawn


def left_out_psnr(views: SceneViews, depths: Float) -> float:
    """Mean PSNR in dB of some photos, each drawn without itself from the others by these depths (N, H, W).

    What nobody sees counts as black, lest depth that leaves holes be preferred."""
    small = DepthViews(views.cameras, depths).within(LONGEST)
    photos = np.stack([cv2.resize(photo, small.size, interpolation=cv2.INTER_AREA) for photo in views.rgb])
    found = []
    for i in probes(views):
        drawn, wanted = _foretold(small, photos, i), photos[i].astype(np.float32) / np.float32(255)
        found.append(psnr(drawn, wanted, _counted(views, small.size, i)))
    return float(np.mean(found))


def flat_psnr(views: SceneViews) -> float:
    """The same where each photo is foretold as one colour, its own mean: what is no better knows nothing."""
    colors = views.rgb[probes(views)].astype(np.float32) / np.float32(255)
    return float(np.mean([psnr(photo, np.broadcast_to(photo.mean((0, 1)), photo.shape)) for photo in colors]))


def probes(views: SceneViews) -> NDArray[np.int64]:
    """(P,) the photos that are left out, spread evenly."""
    count = min(PROBED, len(views))
    return ((np.arange(count) + 0.5) * len(views) / count).astype(np.int64)


def _foretold(small: DepthViews, photos: NDArray[np.uint8], index: int) -> Float:
    """(h, w, 3) what the other photos (N, h, w, 3) say of one."""
    others = np.delete(np.arange(len(photos)), index)
    rgb, camera = photos[others], small.cameras
    field = ViewField(
        tuple(map(str, others)), camera.select(others), rgb, rgb, small.depths[others],
        np.ones(len(others), np.float32), np.zeros((0, 0, 0, 12), np.float32), np.eye(4), np.zeros(0, np.float32),
    )  # fmt: skip
    at = camera.cam_from_world[index], camera.focal[index], camera.center[index], small.size
    return view_picture(field, *at).filled


def _counted(views: SceneViews, size: tuple[int, int], index: int) -> NDArray[np.bool_] | None:
    """(h, w) pixels that show the scene. size: w, h."""
    counts = views.coverage.counts
    if counts is None:
        return None
    share = cv2.resize(counts[index].astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(share > 0.5)
