"""From posed photos to a trainer at its first step: the box, the photos, the background, the Gaussians to begin with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.errors import InputError
from recon.splats import SplatSettings
from recon.splats.extent import find_extent
from recon.splats.initial import cloud_on_points, random_places, usable
from recon.splats.photos import Photos
from recon.splats.schedule import held_out_every, most_gaussians
from recon.splats.train import Trainer
from render.cameras import CameraSet
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.points import PointCloud
from render.transforms import Similarity3

FEWEST_PHOTOS = 2
FEWEST_POINTS = 50
RANDOM_SHARE = 0.5  # of the most Gaussians that a random start begins with
WHITE_SHARE = 0.05  # of a photo's pixels that is pure white where it stands on white
CHECKED_PHOTOS = 50
WHITE_PHOTOS = 12  # that are asked


def prepare_trainer(inputs: Mapping[str, Any], settings: SplatSettings, device: str, seed: int) -> Trainer:
    """Raises InputError for scenes that cannot be trained on, FormatError for photos that cannot be read."""
    posed = used_photos(inputs["scene"])
    world_from_box = find_extent(posed)
    every = held_out_every(settings, len(posed))
    photos = Photos(posed, settings.image_size or 0, every, device, settings.transparency)
    in_box = photos.cameras.transformed(world_from_box.inverse)
    check_photos(photos)
    background = choose_background(photos, settings)
    most = most_gaussians(settings, device)
    start = starting_cloud(inputs, posed, photos, in_box, world_from_box, background, most, settings, seed)
    return Trainer(photos, world_from_box, start, background.astype(np.float32), most, settings, seed, device)


def used_photos(posed: PosedImages) -> PosedImages:
    """The photos that are not switched off. Raises InputError where they are too few."""
    if not len(posed.used):
        raise InputError("All photos are switched off.", "Switch some on again.")
    posed = posed.select(posed.used)
    if len(posed) < FEWEST_PHOTOS:
        raise InputError(
            "One photo does not show where anything is.",
            "Use at least two posed photos, better twenty or more.",
        )
    return posed


def check_photos(photos: Photos) -> None:
    """Raises InputError where no photo that is trained on has a pixel that counts, FormatError where one is gone."""
    step = max(1, len(photos.trained) // CHECKED_PHOTOS)
    if not any(photos.photo(int(view)).used.any() for view in photos.trained[::step]):
        raise InputError("The masks leave no pixel of the photos.", "Invert the masks, or leave them out.")


def choose_background(photos: Photos, settings: SplatSettings) -> NDArray[np.float64]:
    """The colour (3,) behind all Gaussians, the first one where it is learned."""
    if settings.background == "auto":
        return np.full(3, 1.0 if stands_on_white(photos) else 0.0)
    return np.full(3, {"black": 0.0, "white": 1.0}.get(settings.background, 0.5))


def stands_on_white(photos: Photos) -> bool:
    """Whether most photos have many pixels of pure white, as pictures of single things do."""
    step = max(1, len(photos.trained) // WHITE_PHOTOS)
    shares = []
    for view in photos.trained[::step]:
        photo = photos.photo(int(view))
        if photo.opacity is not None:
            return False  # What is empty is told by transparency.
        shares.append(float((photo.rgb.min(-1) == 255).mean()))
    return float(np.median(shares)) >= WHITE_SHARE


def starting_cloud(
    inputs: Mapping[str, Any], posed: PosedImages, photos: Photos, in_box: CameraSet, world_from_box: Similarity3,
    background: NDArray[np.float64], most: int, settings: SplatSettings, seed: int,
) -> GaussianCloud:  # fmt: skip
    """What training begins with, in the box."""
    rng = np.random.default_rng([seed, 1])
    cloud: GaussianCloud | None = inputs.get("cloud")
    if cloud is not None and len(cloud):
        kept = (
            cloud
            if len(cloud) <= most
            else cloud.subset(np.sort(rng.choice(len(cloud), most, replace=False)))
        )
        return kept.transformed(world_from_box.inverse, kept.frame)
    points: PointCloud | None = inputs.get("points") or posed.points
    if settings.start != "random" and points is not None:
        places = world_from_box.inverse.apply(points.points)
        rows = np.flatnonzero(usable(places))
        if len(rows) > most:
            rows = np.sort(rng.choice(rows, most, replace=False))
        if len(rows) >= FEWEST_POINTS:
            colors = None if points.colors is None else points.colors[rows]
            return cloud_on_points(places[rows], colors, settings.growth)
    if settings.start == "points":
        raise InputError(
            "There are not enough points to start from.",
            "Start from random places, or choose a layer of points.",
        )
    empty = background if settings.background in ("auto", "white") and background.min() == 1 else None
    places, shades = random_places(photos, in_box, max(1, int(RANDOM_SHARE * most)), empty, rng)
    return cloud_on_points(places, shades, settings.growth)
