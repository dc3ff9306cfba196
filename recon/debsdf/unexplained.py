"""Pixels whose colour no other view confirms where the depth puts them: something is there that the depth has lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from recon.debsdf.coarse_kernels import count_matches, count_overlap
from recon.debsdf.threads import in_threads
from render.cameras import CameraSet

NUM_NEIGHBOURS = 32  # views that a pixel is looked up in
SAME_DEPTH = 0.06  # of the depth: how well two views must agree on a point to compare its colour
LEAST_DIFFERENCE = 10  # of 255: less is noise
MATCHED_SHARE = 0.3  # of the views: fewer leave a pixel unexplained
MIN_TESTED = 2
MOST_UNEXPLAINED = (
    0.25  # of all pixels: beyond, photos or poses do not agree at all, and say nothing about things
)
OVERLAP_STEP = 8


@dataclass(frozen=True)
class Colors:
    """rgb: (N, H, W, 3) photos. low, high: the least and the largest of 3 x 3 pixels around each."""

    rgb: NDArray[np.uint8]
    low: NDArray[np.uint8]
    high: NDArray[np.uint8]

    @classmethod
    def of(cls, rgb: NDArray[np.uint8]) -> Colors:
        around = (3, 3, 1)
        low = np.stack([ndimage.minimum_filter(picture, around) for picture in rgb])
        return cls(rgb, low, np.stack([ndimage.maximum_filter(picture, around) for picture in rgb]))


def unexplained_pixels(depth: NDArray[np.float32], colors: Colors, cameras: CameraSet) -> NDArray[np.bool_]:
    """(N, H, W): where a pixel's own depth is refuted by the colours that the other views see at that point.

    depth: (N, H, W) aligned z-depth in the world's unit, NaN unknown. cameras: of any size. A
    pole that a depth cue has lost is seen before the wall: other views see the wall's colour there. All False
    where photos disagree so much, by exposure or wrong poses, that this tells nothing.
    """
    matched, tested = matches(depth, colors, cameras)
    found = (tested >= MIN_TESTED) & (matched < MATCHED_SHARE * tested)
    return found if found.mean() < MOST_UNEXPLAINED else np.zeros_like(found)


def matches(
    depth: NDArray[np.float32], colors: Colors, cameras: CameraSet, step: int = 1
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """For each pixel, in how many views its colour is found at its point, and in how many that could be looked up.

    A colour is found when it lies between the least and the largest of 3 x 3 pixels there, give or take noise.
    step: only every n-th row is looked up.
    """
    known = np.nan_to_num(depth, nan=-1.0)
    sized = cameras.resized(np.tile([depth.shape[2], depth.shape[1]], (len(cameras), 1)))
    from_world = sized.cam_from_world[:, :3].astype(np.float32)
    to_world = sized.world_from_cam[:, :3].astype(np.float32)
    lens = np.concatenate([sized.focal, sized.center], 1).astype(np.float32)
    neighbours = _neighbours(known, from_world, to_world, lens)
    matched, tested = np.zeros(depth.shape, np.int32), np.zeros(depth.shape, np.int32)

    def look_up(view: int) -> None:
        count_matches(
            view, neighbours[view], known, colors.rgb[view], colors.low, colors.high, from_world, to_world[view],
            lens, np.int32(LEAST_DIFFERENCE), np.float32(SAME_DEPTH), step, matched[view], tested[view],
        )  # fmt: skip

    in_threads(look_up, range(len(depth)))
    return matched, tested


def _neighbours(
    depth: NDArray[np.float32],
    from_world: NDArray[np.float32],
    to_world: NDArray[np.float32],
    lens: NDArray[np.float32],
) -> NDArray[np.int64]:
    """(N, K) the views that share most with each view."""
    count = len(depth)
    if count <= NUM_NEIGHBOURS + 1:
        return np.stack([np.delete(np.arange(count), i) for i in range(count)])
    overlap = np.zeros((count, count), np.int32)

    def measure(view: int) -> None:
        count_overlap(
            view, depth, from_world, to_world[view], lens, np.float32(SAME_DEPTH), OVERLAP_STEP, overlap[view]
        )

    in_threads(measure, range(count))
    np.fill_diagonal(overlap, -1)
    return np.argsort(-overlap, axis=1, kind="stable")[:, :NUM_NEIGHBOURS]
