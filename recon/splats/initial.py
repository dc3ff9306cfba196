"""The Gaussians that training starts from: on sparse points, or in random places that the photos agree about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from recon.splats import Growth
from recon.splats.photos import Photos
from render.cameras import CameraSet, pixel_rays
from render.gaussians import GaussianCloud
from render.spherical_harmonics import SH_C0

Float = NDArray[np.float64]

NEIGHBOURS = 3
OPACITY: dict[Growth, float] = {"mcmc": 0.5, "split": 0.1}
FARTHEST = 50.0  # box units; sparse points beyond are wrong
LARGEST_SPACING = 0.1  # box units
CANDIDATES = 24  # a place that is chosen
MOST_CANDIDATES = 300_000
DEPTHS = (0.1, 12.0)  # box units between which places are tried along rays
VIEWS = 32  # that are asked
FEWEST_VIEWS = 3
TOLERANCE = 0.06  # of colours that agree
SMALL_SIDE = 128  # pixels of the pictures that are asked


def cloud_on_points(points: Float, colors: NDArray[np.uint8] | None, growth: Growth) -> GaussianCloud:
    """One Gaussian on each of (N, 3) points in the box: as large as the three nearest neighbours are far, of the
    points' colours or grey."""
    spacing = np.clip(_spacing(points), 1e-7, LARGEST_SPACING)
    shade = np.full((len(points), 3), 0.5) if colors is None else colors / 255
    logit = np.log(OPACITY[growth] / (1 - OPACITY[growth]))
    return GaussianCloud(
        points.astype(np.float32),
        np.tile(np.array([1, 0, 0, 0], np.float32), (len(points), 1)),
        np.repeat(np.log(spacing)[:, None], 3, 1).astype(np.float32),
        np.full(len(points), logit, np.float32),
        ((shade - 0.5) / SH_C0)[:, None].astype(np.float32),
    )


def _spacing(points: Float) -> Float:
    """(N,) root mean square distance to the three nearest neighbours."""
    if len(points) <= 1:
        return np.full(len(points), LARGEST_SPACING)
    distances = np.asarray(cKDTree(points).query(points, min(NEIGHBOURS, len(points) - 1) + 1)[0])
    return np.asarray(np.sqrt((distances[:, 1:] ** 2).mean(1)))


def usable(points: Float) -> NDArray[np.bool_]:
    """(N,) which points in the box are no gross errors."""
    found: NDArray[np.bool_] = np.isfinite(points).all(1) & (np.abs(points).max(1) < FARTHEST)
    return found


def random_places(
    photos: Photos,
    in_box: CameraSet,
    count: int,
    background: NDArray[np.float64] | None,
    rng: np.random.Generator,
) -> tuple[Float, NDArray[np.uint8]]:
    """`count` places (count, 3) in the box with colours, drawn along rays of the photos where several photos agree.

    in_box: the photos' cameras in the box. background: colour of what is empty, where nothing is put; None where
    any colour may be something.
    """
    tries = min(MOST_CANDIDATES, CANDIDATES * count)
    asked = _spread(photos.trained, VIEWS)
    pictures = [_Small(photos, view, in_box) for view in asked]
    places = _along_rays(in_box, asked, tries, rng)
    spread, colors = _agreement(pictures, places, background)
    # The largest of these are a draw by exp(-spread / tolerance) without repetition (Gumbel's trick).
    score = -spread / TOLERANCE + rng.gumbel(size=len(places))
    score[~np.isfinite(spread)] -= 1e9  # only where nothing better is left
    chosen = np.sort(np.argsort(-score, kind="stable")[:count])
    return places[chosen], np.clip(np.round(255 * colors[chosen]), 0, 255).astype(np.uint8)


def _spread(indices: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    step = max(1, -(-len(indices) // most))
    return indices[::step]


def _along_rays(cameras: CameraSet, views: NDArray[np.int64], count: int, rng: np.random.Generator) -> Float:
    chosen = views[rng.integers(len(views), size=count)]
    pixels = rng.random((count, 2)) * cameras.size[chosen]
    origins, directions = pixel_rays(cameras, chosen, pixels)
    near, far = np.log(DEPTHS)
    return np.asarray(origins + directions * np.exp(rng.uniform(near, far, (count, 1))))


class _Small:
    """A small picture of one view, to ask colours of."""

    def __init__(self, photos: Photos, view: int, cameras: CameraSet) -> None:
        width, height = photos.size(view)
        factor = min(1.0, SMALL_SIDE / max(width, height))
        self.size = np.array([max(1, round(width * factor)), max(1, round(height * factor))])
        photo = photos.photo(view).scaled((int(self.size[0]), int(self.size[1])))
        self.rgb, self.is_used = photo.rgb / 255, photo.used > 0
        self.is_empty = np.zeros_like(self.is_used) if photo.opacity is None else photo.opacity < 128
        one = cameras.select(np.array([view])).resized(self.size[None])
        self._camera = one

    def ask(self, places: Float) -> tuple[Float, NDArray[np.bool_], NDArray[np.bool_]]:
        """Colours (N, 3), whether a place is seen, and whether there is nothing at all."""
        pose = self._camera.cam_from_world[0]
        in_cam = places @ pose[:3, :3].T + pose[:3, 3]
        with np.errstate(divide="ignore", invalid="ignore"):
            pixels = in_cam[:, :2] / in_cam[:, 2:] * self._camera.focal[0] + self._camera.center[0]
            is_inside = (in_cam[:, 2] > 0.01) & ((pixels >= 0) & (pixels < self.size)).all(1)
        x, y = np.where(is_inside[:, None], pixels, 0).astype(np.int64).T
        is_seen = is_inside & self.is_used[y, x]
        return self.rgb[y, x], is_seen, is_seen & self.is_empty[y, x]


def _agreement(
    pictures: Sequence[_Small], places: Float, background: NDArray[np.float64] | None
) -> tuple[Float, Float]:
    """How far the half of the views of a place that agree best differ, (N,), infinite where too few see it or it must
    be empty; and their colour (N, 3)."""
    colors = np.full((len(pictures), len(places), 3), np.nan, np.float32)
    is_empty = np.zeros(len(places), bool)
    for k, picture in enumerate(pictures):
        color, is_seen, is_nothing = picture.ask(places)
        colors[k, is_seen] = color[is_seen]
        is_empty |= is_nothing
        if background is not None:
            is_empty |= is_seen & (np.abs(color - background).max(1) < 1 / 255)
    num_seen = np.isfinite(colors[..., 0]).sum(0)
    is_enough = num_seen >= min(FEWEST_VIEWS, len(pictures))
    filled = np.where(np.isfinite(colors), colors, np.inf)
    middle = np.take_along_axis(
        np.sort(filled, axis=0),
        np.broadcast_to((np.maximum(num_seen, 1) // 2)[None, :, None], (1, *places.shape)),
        0,
    )[0]
    middle = np.where(np.isfinite(middle), middle, 0.5)
    off = np.sort(np.where(np.isfinite(colors[..., 0]), np.abs(colors - middle).mean(-1), np.inf), axis=0)
    half = np.maximum(1, num_seen // 2)
    rank = np.arange(len(pictures))[:, None]
    spread = np.where(rank < half, np.where(np.isfinite(off), off, 0), 0).sum(0) / half
    return np.where(is_enough & ~is_empty, spread, np.inf), middle
