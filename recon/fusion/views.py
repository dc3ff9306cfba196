"""The aligned depth of a scene's used photos, one after another."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recon.cues.alignment import AlignedDepth, align_depth
from recon.cues.checks import check_cues
from recon.debsdf.base import align_views
from recon.debsdf.region import Region, find_region
from recon.errors import InputError
from recon.fusion import FusionSettings
from recon.method import Progress
from render.cameras import CameraSet
from render.images import PosedImages

MOST_PIXELS = 300_000_000  # of all depth pictures together: 1.2 GB
NUM_STAGES = 2


@dataclass(frozen=True)
class DepthViews:
    """posed: the photos that are used. cameras: theirs at the size of `aligned`. region: the box to fuse in.
    verdicts: what was found of the depth cues."""

    posed: PosedImages
    cameras: CameraSet
    aligned: AlignedDepth
    region: Region
    verdicts: tuple[str, ...] = ()

    @property
    def views(self) -> NDArray[np.int64]:
        """Indices of the views whose depth is aligned."""
        return np.nonzero(self.aligned.is_aligned)[0]

    def read_color(self, view: int) -> NDArray[np.uint8]:
        """(H, W, 3) the photo at the size of the depth."""
        from recon.formats.pixels import read_image

        return read_image(self.posed, view, self.aligned.size)

    def read_depth(self, view: int) -> NDArray[np.float32]:
        """(H, W) z-depth in the world's unit; 0 where unknown, masked out or outside the region."""
        from recon.formats.pixels import read_mask

        depth: NDArray[np.float32] = np.nan_to_num(self.aligned.depth[view], nan=0.0)
        depth[~read_mask(self.posed, view, self.aligned.size)] = 0
        depth[~self._is_inside(view, depth)] = 0
        return depth

    def _is_inside(self, view: int, depth: NDArray[np.float32]) -> NDArray[np.bool_]:
        width, height = self.aligned.size
        x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        (fx, fy), (cx, cy) = self.cameras.focal[view], self.cameras.center[view]
        in_cam = np.stack([(x - cx) / fx * depth, (y - cy) / fy * depth, depth], -1)
        world_from_cam = self.cameras.world_from_cam[view]
        in_world = in_cam @ world_from_cam[:3, :3].T + world_from_cam[:3, 3]
        in_box = self.region.world_from_box.inverse.apply(in_world)
        low, high = self.region.bounds_in_box
        inside: NDArray[np.bool_] = ((in_box >= low) & (in_box <= high)).all(-1)
        return inside


def depth_views(posed: PosedImages, settings: FusionSettings) -> Generator[Progress, None, DepthViews]:
    """Align the depth of the used photos. Raises InputError where there is no depth or none can be aligned."""
    if not len(posed.used):
        raise InputError("All photos are switched off.", "Switch some on again.")
    posed = posed.select(posed.used)
    if posed.depth is None or not any(posed.depth.paths):
        raise InputError(
            "The scene has no depth for its photos.",
            "Compute it first with Depth and normal cues (`isokiln run cues`), or use Surface from photos, which goes "
            "on without.",
        )
    size = _working_size(posed, settings.image_size)
    yield Progress(0, NUM_STAGES, "Checking depth")
    checked = check_cues(replace(posed, normals=None), size)
    posed = checked.posed
    if settings.realign:
        stages = align_views(posed, size)
        aligned = yield from _told(stages)
    else:
        yield Progress(1, NUM_STAGES, "Aligning depth")
        aligned = align_depth(posed, size)
    if not aligned.is_aligned.any():
        raise InputError(
            f"The depth of none of the {len(posed)} photos fits the scene: of the first, {aligned.reasons[0]}.",
            "Use a scene with sparse points (COLMAP's), or metric depth, or Surface from photos.",
        )
    cameras = posed.cameras.resized(np.tile(np.array(size), (len(posed), 1)))
    return DepthViews(posed, cameras, aligned, find_region(posed, aligned), checked.verdicts)


def _told(stages: Generator[str, None, AlignedDepth]) -> Generator[Progress, None, AlignedDepth]:
    done = 0
    while True:
        try:
            stage = next(stages)
        except StopIteration as stop:
            aligned: AlignedDepth = stop.value
            return aligned
        done = min(done + 1, NUM_STAGES)
        yield Progress(done, NUM_STAGES, stage)


def _working_size(posed: PosedImages, longest: int) -> tuple[int, int]:
    """Width and height that all depth pictures are scaled to, few enough pixels for the memory."""
    width, height = np.median(posed.cameras.size, axis=0)
    factor = min(1.0, longest / max(width, height), math.sqrt(MOST_PIXELS / (len(posed) * width * height)))
    return max(8, round(width * factor)), max(8, round(height * factor))
