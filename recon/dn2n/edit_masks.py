"""Where an edit is wanted, in each view: from a folder of masks, from a part of splats, or everywhere."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.depth_views import DepthViews
from recon.dn2n.editors import parse_prompt
from recon.dn2n.scene_views import SceneViews
from recon.dn2n.target_masks import grey_masks, has_names, named_masks, wanted_masks
from recon.errors import InputError
from recon.method import Progress
from recon.romap.edit import part_mask
from render.gaussians import GaussianCloud
from render.splat_weights import contribution_weights

Float = NDArray[np.float32]


def masks_from_folder(folder: Path, views: SceneViews, prompt: str = "") -> Generator[Progress, None, Float]:
    """(N, H, W) within 0 and 1 from pictures named as the photos; a view without one is not edited. Where the folder
    says what they are of, those count that the prompt speaks of.

    Raises InputError where there is no such folder or nothing in it fits, FormatError for what is no picture.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.", "Give the folder that holds the masks.")
    if has_names(folder, views):
        masks = wanted_masks((yield from named_masks(folder, views)), *_wishes_of(prompt))
    else:
        masks = yield from grey_masks(folder, views)
    return _checked(masks)


def masks_of_part(
    cloud: GaussianCloud | None, part: int, views: SceneViews
) -> Generator[Progress, None, Float]:
    """(N, H, W) how much of a part of splats each pixel shows. Raises InputError."""
    if cloud is None:
        raise InputError("The part needs the splats that it belongs to.", "Give these splats too.")
    is_part = part_mask(cloud, part).astype(np.float32)
    masks = np.zeros(views.rgb.shape[:3], np.float32)
    cameras = views.cameras
    for i in range(len(views)):
        weights = contribution_weights(
            cloud, cameras.cam_from_world[i], cameras.focal[i], cameras.center[i], views.size
        )
        masks[i] = np.clip(np.asarray(weights @ is_part).reshape(masks.shape[1:]), 0, 1)
        yield Progress(i + 1, len(views), "Finding the part in the views")
    return _checked(np.where(masks < 0.02, 0, masks).astype(np.float32))


def masks_of_box(world_from_box: NDArray[np.float64] | None, depth: DepthViews) -> Float:
    """(N, H, W), 1 where a pixel's point lies in the box [-1, 1]^3 that the matrix (4, 4) places. Raises InputError."""
    if world_from_box is None:
        raise InputError(
            "The scene has no box.", "Draw one around what is to change, or edit the whole scene."
        )
    box_from_world = np.linalg.inv(world_from_box)
    masks = np.zeros(depth.depths.shape, np.float32)
    height, width = depth.depths.shape[1:]
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    for i, world_from_cam in enumerate(depth.cameras.world_from_cam):
        center, focal, away = depth.cameras.center[i], depth.cameras.focal[i], depth.depths[i]
        in_cam = np.stack([(x - center[0]) / focal[0], (y - center[1]) / focal[1], np.ones_like(x)], -1)
        box_from_cam = box_from_world @ world_from_cam
        in_box = (in_cam * away[..., None]) @ box_from_cam[:3, :3].T + box_from_cam[:3, 3]
        masks[i] = (away > 0) & (np.abs(in_box) <= 1).all(-1)
    if not masks.any():
        raise InputError("Nothing that the photos show lies in the box.", "Draw it around what is to change.")
    return masks


def within_coverage(masks: Float | None, views: SceneViews) -> Float | None:
    """The same, or everywhere where there are none, but nothing of what the pictures do not show."""
    counts = views.coverage.counts
    if counts is None:
        return masks
    if masks is None:
        return counts.astype(np.float32)
    return _checked(masks * counts)


def _wishes_of(prompt: str) -> tuple[tuple[str, ...], bool]:
    """What a prompt's built-in effects are for, and whether one of them is for the whole scene."""
    try:
        wish = parse_prompt(prompt)
    except InputError:  # words that only a network understands
        return (), False
    return wish.targets, bool(wish.spared) or not all(each.target for each in wish.operations)


def _checked(masks: Float) -> Float:
    if not masks.any():
        raise InputError("The masks leave nothing to edit.", "Paint white where the edit is wanted.")
    return masks
