"""Selecting by footprint: a Gaussian is found when its ellipse on the screen touches a region, not only its middle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recon.gaussian_projection import Projection, ScreenCamera, screen_covariances, screen_radii
from recon.gaussian_regions import Region, cells_at, in_region
from recon.gaussian_selection import Mask
from render.gaussians import GaussianCloud

_LEAST_LINES, _MOST_LINES = 9, 65  # across an ellipse, along which it is compared with the region


def touching_region(
    cloud: GaussianCloud, camera: ScreenCamera, projection: Projection, region: Region, sigmas: float = 2.0
) -> Mask:
    """Which Gaussians' ellipses of `sigmas` standard deviations touch a region.

    projection: that of the same cloud and camera. Ellipses are compared with the region along 9 to 65 lines each, so
    a region thinner than a sixty-fourth of an ellipse may be missed.
    """
    found = in_region(projection.positions, region)
    counts = _counts_before(region.mask)
    reach = screen_radii(cloud, camera, projection) * np.float32(sigmas)
    rows = np.flatnonzero(~found & _reaches_bounds(projection.positions, reach, region))
    rows = rows[_is_region_in_square(projection.positions[rows], reach[rows], region, counts)]
    ellipses = screen_covariances(cloud, camera, rows) * np.float32(sigmas**2)
    found[rows] = _touch(projection.positions[rows], ellipses, region, counts)
    return found


def _counts_before(mask: Mask) -> NDArray[np.int32]:
    """(H + 1, W + 1) how many cells are set above and left of each corner of cells (Crow, SIGGRAPH 1984)."""
    counts = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int32)
    np.cumsum(mask, axis=1, out=counts[1:, 1:])
    np.cumsum(counts[1:, 1:], axis=0, out=counts[1:, 1:])
    return counts


def _reaches_bounds(positions: NDArray[np.float32], reach: NDArray[np.float32], region: Region) -> Mask:
    """Whether a square of half-width `reach` meets the bounds of a region; what is not finite does not."""
    low, high = region.bounds.astype(np.float32)
    x, y = positions[:, 0], positions[:, 1]
    found: Mask = (
        (x + reach >= low[0]) & (x - reach <= high[0]) & (y + reach >= low[1]) & (y - reach <= high[1])
    )
    return found


def _is_region_in_square(
    positions: NDArray[np.float32], reach: NDArray[np.float32], region: Region, counts: NDArray[np.int32]
) -> Mask:
    """Whether any cell of a region is set in a square of half-width `reach` that meets its bounds."""
    x, y = positions[:, 0], positions[:, 1]
    top, left = cells_at(x - reach, y - reach, region)
    bottom, right = cells_at(x + reach, y + reach, region)
    inside = (
        counts[bottom + 1, right + 1] - counts[top, right + 1] - counts[bottom + 1, left] + counts[top, left]
    )
    is_any: Mask = inside > 0
    return is_any


def _touch(
    positions: NDArray[np.float32], ellipses: NDArray[np.float32], region: Region, counts: NDArray[np.int32]
) -> Mask:
    """Whether ellipses (n, 3) xx, xy, yy about positions (n, 2) touch a region, along lines of constant y."""
    half_height = np.sqrt(ellipses[:, 2])
    low, high = region.bounds.astype(np.float32)
    first = np.maximum(positions[:, 1] - half_height, low[1])
    last = np.minimum(positions[:, 1] + half_height, high[1])
    lines = np.clip((last - first) / region.cell[1] + 1, _LEAST_LINES, _MOST_LINES).astype(np.intp)
    lines[last < first] = 0
    which = np.repeat(np.arange(len(lines)), lines)
    step = np.arange(len(which)) - np.repeat(np.cumsum(lines) - lines, lines)
    y = first[which] + (last - first)[which] * (step / (lines[which] - 1)).astype(np.float32)
    left, right = _spans(positions[which], ellipses[which], y)
    is_hit = (right >= low[0]) & (left <= high[0]) & (_num_set(left, right, y, region, counts) > 0)
    return np.bincount(which[is_hit], minlength=len(lines)) > 0


def _spans(
    positions: NDArray[np.float32], ellipses: NDArray[np.float32], y: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """From which x to which an ellipse reaches on the line y: a Gaussian's conditional mean and spread."""
    xx, xy, yy = ellipses.T
    offset = y - positions[:, 1]
    middle = positions[:, 0] + xy / yy * offset
    half = np.sqrt(np.maximum((xx - xy * xy / yy) * (1 - offset * offset / yy), 0))
    return middle - half, middle + half


def _num_set(
    left: NDArray[np.float32],
    right: NDArray[np.float32],
    y: NDArray[np.float32],
    region: Region,
    counts: NDArray[np.int32],
) -> NDArray[np.int32]:
    """How many set cells a line from `left` to `right` at y passes."""
    row, first = cells_at(left, y, region)
    last = cells_at(right, y, region)[1] + 1
    number: NDArray[np.int32] = (
        counts[row + 1, last] - counts[row, last] - counts[row + 1, first] + counts[row, first]
    )
    return number
