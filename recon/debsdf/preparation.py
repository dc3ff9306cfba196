"""From posed photos to what training starts from: pixels, aligned cues, a coarse field and what it says of the cues."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.cues.alignment import AlignedDepth, align_depth
from recon.cues.checks import check_cues
from recon.debsdf import DebsdfSettings
from recon.debsdf.base import Base, build_base
from recon.debsdf.coarse import CoarseField
from recon.debsdf.photos import Photos, read_photos, working_size
from recon.debsdf.region import Region, find_region
from recon.errors import InputError
from recon.method import Progress
from render.images import PosedImages

NUM_STAGES = 7  # of the coarse field
RESOLUTION_TO_COMPARE = 128


@dataclass(frozen=True)
class Prepared:
    """What training starts from.

    posed: the images that are used. coarse: None where training starts from a sphere. aligned: None without depth
    cues. notes: sentences for the person.
    """

    posed: PosedImages
    photos: Photos
    region: Region
    coarse: CoarseField | None
    aligned: AlignedDepth | None
    notes: tuple[str, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def start(self) -> str:
        """ "depth" or "sphere"."""
        return "sphere" if self.coarse is None else "depth"


def used_images(posed: PosedImages) -> PosedImages:
    """The images that are not left out. Raises InputError where too few are left to see depth from."""
    if len(posed.used) < 2:
        raise InputError(
            f"The scene has {len(posed.used)} usable image{'s' * (len(posed.used) != 1)}; a surface needs two or more.",
            "Add photos of the room from several places, or switch images on again.",
        )
    return posed.select(posed.used)


def prepare(posed: PosedImages, settings: DebsdfSettings, device: str) -> Generator[Progress, None, Prepared]:
    """Read, align and fuse. Raises InputError for scenes that cannot be reconstructed."""
    posed = used_images(posed)
    size = working_size(posed, settings.image_size, device)
    checked = check_cues(posed, size)
    posed = checked.posed
    photos: Photos | None = None
    for read in read_photos(posed, size, settings.held_out):
        if isinstance(read, Photos):
            photos = read
        else:
            yield Progress(read, len(posed), "Reading photos")
    assert photos is not None
    if not len(photos.training_pixels()):
        raise InputError("The masks leave no pixel to train on.", "Invert the masks, or remove them.")
    has_depth = posed.depth is not None and any(posed.depth.paths)
    if not has_depth:
        notes = (*checked.verdicts, *_notes_without_depth(photos))
        return Prepared(posed, photos, find_region(posed), None, None, notes)
    base = yield from _base(posed, photos, settings)
    if base is None:
        aligned = align_depth(posed, size)
        region = find_region(posed, aligned)
        return Prepared(
            posed, photos, region, None, aligned, (*checked.verdicts, *_notes_on(aligned, photos))
        )
    # What photos refute is no cue, though it may lie near what was fused.
    is_trusted = base.is_trusted & ~base.is_unexplained if settings.consistency_masks else None
    photos = replace(photos, depth=base.aligned.depth, is_trusted=is_trusted)
    coarse = None if settings.start == "sphere" else base.field
    notes = (*checked.verdicts, *_notes_on(base.aligned, photos))
    return Prepared(posed, photos, base.region, coarse, base.aligned, notes)


def _base(
    posed: PosedImages, photos: Photos, settings: DebsdfSettings
) -> Generator[Progress, None, Base | None]:
    """The coarse field and all that comes with it; None where no depth can be aligned."""
    is_used = photos.is_used & ~photos.is_held_out[:, None, None]
    resolution = settings.base_resolution
    if settings.start == "sphere":
        resolution = min(resolution, RESOLUTION_TO_COMPARE)  # Only its verdict on the cues is used.
    stages = build_base(posed, photos.rgb, is_used, resolution)
    done = 0
    while True:
        try:
            stage = next(stages)
        except StopIteration as stop:
            base: Base | None = stop.value
            return base
        done += 1
        yield Progress(min(done, NUM_STAGES), NUM_STAGES, stage)


def base_values(coarse: CoarseField, resolution: int) -> NDArray[np.float32]:
    """(R, R, R) the coarse field on a grid over the whole box."""
    axis = np.linspace(-1, 1, resolution)
    values = np.empty((resolution,) * 3, np.float32)
    for i, x in enumerate(axis):
        points = np.stack(np.meshgrid([x], axis, axis, indexing="ij"), -1).reshape(-1, 3)
        values[i] = coarse.at(points).reshape(resolution, resolution)
    return values


def _notes_without_depth(photos: Photos) -> tuple[str, ...]:
    missing = "depth cues" if photos.normals is not None else "depth or normal cues"
    return (
        f"There are no {missing}: blank walls and other surfaces without texture will come out poor. "
        "Compute cues first, with the method Depth and normal cues.",
    )


def _notes_on(aligned: AlignedDepth, photos: Photos) -> tuple[str, ...]:
    lost = np.flatnonzero(~aligned.is_aligned & ~photos.is_held_out)
    if not len(lost):
        return ()
    reason = aligned.reasons[lost[0]]
    sentence = f"The depth of {len(lost)} of {len(aligned.is_aligned)} images is not used: {reason}."
    if not aligned.is_aligned.any():
        sentence += " Training starts from a sphere, and surfaces without texture will come out poor."
    return (sentence,)


def alignment_figures(aligned: AlignedDepth, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Per image: scale, shift, share of its sparse points that fit, their median error, or why it is not used."""
    rows = []
    for i, name in enumerate(names):
        residual = float(aligned.residual[i])
        rows.append(
            {
                "image": name,
                "scale": float(aligned.scale[i]),
                "shift": float(aligned.shift[i]),
                "inliers": float(aligned.inliers[i]),
                "median_error": residual if math.isfinite(residual) else None,
                "points": int(aligned.num_points[i]),
                "reason": aligned.reasons[i],
            }
        )
    return rows
