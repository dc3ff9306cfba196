"""What a run hands out at its end: the mesh, the field, and what it looks like from every photo."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from recon.debsdf import DebsdfSettings
from recon.debsdf.extraction import ExtractionOptions, extract_mesh
from recon.debsdf.field import TrainedField, to_sdf_field
from recon.debsdf.losses import blended_uncertainty
from recon.debsdf.photos import Photos
from recon.debsdf.preparation import Prepared
from recon.debsdf.train import Trainer
from recon.method import Progress
from render.mesh import TriangleMesh
from render.rendered_views import RenderedViews
from render.sdf_field import SdfField

RAYS_OF_VIEWS = 80_000  # of all views together
CHUNK = 2048  # rays rendered at once


@dataclass(frozen=True)
class Outputs:
    """The mesh and the field in the world's frame, and renderings of all views."""

    mesh: TriangleMesh
    field: SdfField
    views: RenderedViews


def make_outputs(
    trainer: Trainer, prepared: Prepared, settings: DebsdfSettings
) -> Generator[Progress, None, Outputs]:
    """Extract, colour and render. Raises NoSurface where nothing is left."""
    region = prepared.region
    trained = TrainedField(
        trainer.field,
        trainer.color,
        region.world_from_box.matrix,
        region.bounds_in_box,
        prepared.posed.frame,
    )
    options = ExtractionOptions(resolution=settings.resolution)
    mesh = yield from extract_mesh(trained, options, prepared.photos.cameras)
    views = yield from render_photos(trainer, prepared)
    return Outputs(mesh, to_sdf_field(trained), views)


def render_photos(trainer: Trainer, prepared: Prepared) -> Generator[Progress, None, RenderedViews]:
    """Every view at every n-th of its pixels, as many as a fixed number of rays affords."""
    photos = prepared.photos
    step = viewing_step(photos)
    rows, columns = _middles(photos.size[1], step), _middles(photos.size[0], step)
    shape = (len(photos), len(rows), len(columns))
    rgb, normals = np.zeros((*shape, 3), np.uint8), np.zeros((*shape, 3), np.float32)
    depth, uncertainty = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for view in range(len(photos)):
        yield Progress(view + 1, len(photos), "Rendering views")
        pixels = (view * photos.size[1] + rows[:, None]) * photos.size[0] + columns
        image = None if photos.is_held_out[view] else view
        seen = render_pixels(trainer, pixels.ravel(), image)
        rgb[view] = seen.rgb.reshape(*shape[1:], 3)
        normals[view] = seen.normals.reshape(*shape[1:], 3)
        depth[view] = seen.depth.reshape(shape[1:]) * prepared.region.world_from_box.scale
        uncertainty[view] = seen.uncertainty.reshape(shape[1:])
    psnr = _psnr(rgb, photos, rows, columns)
    names = prepared.posed.images.names
    return RenderedViews(
        names, rgb, depth, normals, uncertainty, psnr, photos.is_held_out, prepared.posed.frame
    )


@dataclass(frozen=True)
class Pixels:
    """What R pixels show: rgb (R, 3) uint8, z-depth (R,) in box units, normals (R, 3) in camera axes, blended
    uncertainty (R,)."""

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    normals: NDArray[np.float32]
    uncertainty: NDArray[np.float32]


@torch.no_grad()
def render_pixels(trainer: Trainer, pixels: NDArray[np.int64], image: int | None) -> Pixels:
    """Render flat pixels (R,) of the photos. image: whose code to use; None for the mean of all."""
    parts = []
    for first in range(0, len(pixels), CHUNK):
        seen = trainer.look(pixels[first : first + CHUNK], has_code=image is not None)
        parts.append(
            (
                (seen.rgb.clamp(0, 1) * 255).round().byte(),
                seen.depth,
                seen.normals,
                blended_uncertainty(seen.depth_uncertainty, seen.normal_uncertainty),
            )
        )
    rgb, depth, normals, uncertainty = (torch.cat(part).cpu().numpy() for part in zip(*parts, strict=True))
    return Pixels(rgb, depth, normals, uncertainty)


def viewing_step(photos: Photos) -> int:
    """Every which pixel in both directions the rays afford."""
    width, height = photos.size
    return max(1, math.ceil(math.sqrt(len(photos) * width * height / RAYS_OF_VIEWS)))


def _middles(length: int, step: int) -> NDArray[np.int64]:
    """The middle of each `step` pixels."""
    return np.minimum(np.arange(0, length, step) + step // 2, length - 1)


def _psnr(
    rgb: NDArray[np.uint8], photos: Photos, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.float32]:
    """(N,) dB over the pixels that the masks leave; NaN where they leave none."""
    place = np.ix_(np.arange(len(photos)), rows, columns)
    square = ((rgb.astype(np.float32) - photos.rgb[place]) / 255) ** 2
    used = photos.is_used[place]
    count = used.sum((1, 2))
    mean = (square.mean(-1) * used).sum((1, 2)) / np.maximum(count, 1)
    return np.where(count > 0, -10 * np.log10(np.maximum(mean, 1e-10)), np.nan).astype(np.float32)
