"""From posed photos to a trainer at its first step: the box, the photos, their depth, the field to begin with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recon.cues.alignment import align_depth
from recon.nerf import NerfSettings
from recon.nerf.engine import KernelEngine
from recon.nerf.parameters import initial_parameters, make_layout
from recon.nerf.pixels import Pixels, longest_side
from recon.nerf.schedule import held_out_every
from recon.nerf.sight import expect_surfaces, first_codes
from recon.nerf.torch_engine import TorchEngine
from recon.nerf.train import Trainer
from recon.splats.extent import find_extent
from recon.splats.photos import Photos
from recon.splats.preparation import check_photos, stands_on_white, used_photos
from render.images import PosedImages
from render.transforms import Similarity3

DEPTH_SIDE = 480  # pixels along the longer side of depth that training looks at, at most


def prepare_trainer(posed: PosedImages, settings: NerfSettings, device: str, seed: int) -> Trainer:
    """Raises InputError for scenes that cannot be trained on, FormatError for photos that cannot be read."""
    posed = used_photos(posed)
    world_from_box, bounds = find_box(posed)
    every = held_out_every(settings, len(posed))
    photos = Photos(posed, longest_side(posed, settings), every, device, settings.transparency)
    check_photos(photos)
    in_box = photos.cameras.transformed(world_from_box.inverse)
    depth = _depth(posed, world_from_box, settings)
    pixels = Pixels(photos, in_box, depth)
    background, is_random = _background(photos, pixels, settings)
    layout = make_layout(settings, background)
    trained = in_box.select(photos.trained)
    codes = first_codes(trained, layout)
    if depth is not None:
        expect_surfaces(codes, depth[photos.trained], trained, layout)
    start = layout, initial_parameters(layout, seed), codes
    engine = TorchEngine(*start, device) if device.startswith("cuda") else KernelEngine(*start)
    return Trainer(photos, pixels, engine, world_from_box, bounds, is_random, settings, seed, device)


def find_box(posed: PosedImages) -> tuple[Similarity3, NDArray[np.float64]]:
    """world_from_box, and bounds (2, 3) in the box of what matters: the scene's region where one is set, else all."""
    whole = np.array([[-1.0, -1, -1], [1, 1, 1]])
    if posed.world_from_region is None:
        return find_extent(posed), whole
    corners = whole[[0, 0, 0, 0, 1, 1, 1, 1], 0], whole[[0, 0, 1, 1] * 2, 1], whole[[0, 1] * 4, 2]
    region = posed.world_from_region
    placed = np.stack(corners, 1) @ region[:3, :3].T + region[:3, 3]
    low, high = placed.min(0), placed.max(0)
    scale = float((high - low).max()) / 2
    middle = (low + high) / 2
    return Similarity3(np.eye(3), middle, scale), np.stack([low - middle, high - middle]) / scale


def _depth(
    posed: PosedImages, world_from_box: Similarity3, settings: NerfSettings
) -> NDArray[np.float32] | None:
    """(N, H, W) in box units of the scene's own depth, NaN where unknown; None where it has none or it is not wanted."""
    if posed.depth is None or not any(posed.depth.paths) or not settings.depth_weight:
        return None
    width, height = np.median(posed.cameras.size, axis=0)
    factor = min(1.0, DEPTH_SIDE / max(width, height))
    aligned = align_depth(posed, (max(8, round(width * factor)), max(8, round(height * factor))))
    if not aligned.is_aligned.any():
        return None
    return np.asarray(aligned.depth / np.float32(world_from_box.scale), np.float32)


def _background(
    photos: Photos, pixels: Pixels, settings: NerfSettings
) -> tuple[tuple[float, float, float], bool]:
    """Colour behind all, and whether training puts random ones there."""
    wish = settings.background
    if wish == "white" or (wish == "auto" and stands_on_white(photos)):
        return (1.0, 1.0, 1.0), wish == "auto" and pixels.has_opacity
    return (0.0, 0.0, 0.0), wish != "black"
