"""Which box of the world to reconstruct."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon.cues.alignment import AlignedDepth
from recon.errors import InputError
from render.cameras import pixel_rays
from render.images import PosedImages
from render.transforms import Similarity3

MARGIN = 0.05  # of the longest side, all around
MOST_POINTS = (0.02, 0.98)
MOST_DEPTHS = (0.003, 0.997)
STEP = 4  # every n-th pixel of the depth pictures in both directions
CAMERA_REACH = 2.0  # without points and depth: extents of the camera path around it


@dataclass(frozen=True)
class Region:
    """world_from_box: similarity from the cube [-1, 1]^3. bounds_in_box: (2, 3), the part that holds the scene;
    its longest side fills the cube."""

    world_from_box: Similarity3
    bounds_in_box: NDArray[np.float64]


def find_region(posed: PosedImages, aligned: AlignedDepth | None = None) -> Region:
    """The box that the user chose, else one around cameras, most sparse points and most aligned depths.

    Sparse points alone would leave out what has no texture, such as a ceiling. Raises InputError for cameras
    that are all at one place and see nothing whose distance is known.
    """
    if posed.world_from_region is not None:
        return region_of_matrix(posed.world_from_region)
    corners = [posed.cameras.positions[posed.used]]
    if posed.points is not None and len(posed.points.points):
        corners.append(np.quantile(posed.points.points, MOST_POINTS, axis=0))
    if aligned is not None and aligned.is_aligned.any():
        corners.append(np.quantile(_unprojected(posed, aligned), MOST_DEPTHS, axis=0))
    found = np.concatenate(corners)
    low, high = found.min(0), found.max(0)
    if len(corners) == 1:
        reach = CAMERA_REACH * float((high - low).max())
        low, high = low - reach, high + reach
    if not (high - low).max() > 0:
        raise InputError(
            "All cameras are at one place, and nothing tells how far away the scene is.",
            "Take photos from different places, or choose the region to reconstruct.",
        )
    return region_of_box(low, high)


def region_of_box(low: NDArray[np.float64], high: NDArray[np.float64]) -> Region:
    """The region of an axis-aligned box in the world, with the margin."""
    half = (high - low) / 2
    scale = float(half.max()) * (1 + 2 * MARGIN)
    bounds = np.minimum(half / scale + 2 * MARGIN * half.max() / scale, 1.0)
    return Region(Similarity3(np.eye(3), (low + high) / 2, scale), np.stack([-bounds, bounds]))


def region_of_matrix(world_from_region: NDArray[np.float64]) -> Region:
    """The region of a box anywhere: `world_from_region` takes [-1, 1]^3 to it and may stretch each axis.

    Raises InputError for a box without room or with a skewed corner.
    """
    axes = world_from_region[:3, :3]
    half = np.linalg.norm(axes, axis=0)
    rotation = axes / np.maximum(half, 1e-300)
    if not half.min() > 0 or not np.allclose(rotation.T @ rotation, np.eye(3), atol=1e-4):
        raise InputError("The region to reconstruct is not a box.", "Draw it anew or leave it out.")
    if np.linalg.det(rotation) < 0:
        rotation = rotation * [1, 1, -1]
    scale = float(half.max())
    bounds = half / scale
    box = Similarity3(_orthonormal(rotation), world_from_region[:3, 3], scale)
    return Region(box, np.stack([-bounds, bounds]))


def _orthonormal(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    left, _, right = np.linalg.svd(rotation)
    nearest: NDArray[np.float64] = left @ right
    return nearest


def _unprojected(posed: PosedImages, aligned: AlignedDepth) -> NDArray[np.float64]:
    """World points (P, 3) of every fourth pixel of the aligned depths."""
    width, height = aligned.size
    cameras = posed.cameras.resized(np.tile([width, height], (len(posed), 1)))
    rows, columns = np.mgrid[STEP // 2 : height : STEP, STEP // 2 : width : STEP]
    pixels = np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5], 1)
    found = [np.zeros((0, 3))]
    for i in np.nonzero(aligned.is_aligned)[0]:
        depth = aligned.depth[i, rows.ravel(), columns.ravel()].astype(np.float64)
        known = np.isfinite(depth)
        rays_o, rays_d = pixel_rays(cameras, np.full(int(known.sum()), i), pixels[known])
        along = rays_d @ posed.cameras.cam_from_world[i, 2, :3]
        found.append(rays_o + rays_d * (depth[known] / along)[:, None])
    return np.concatenate(found)
