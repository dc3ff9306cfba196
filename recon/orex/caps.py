"""How a parallel stack ends: rounded off by the smoothest surface, or cut flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from recon.orex.contours2d import PlaneContours
from recon.orex.grid import Field, Grid

# A flat cap lies this share of a gap beyond the last contour, which would otherwise lie in the cap itself.
FLAT_SHARE = 0.01
# The farthest cut is at half a gap.
EXTENSION = 0.6


def extended_ends(contours: Sequence[PlaneContours]) -> list[PlaneContours]:
    """Copies of the first and last drawn plane of a stack, just farther out than a cut can lie.

    Between a drawn plane and its copy the shape goes straight on, so that the cut has its contour.
    """
    drawn = sorted((plane for plane in contours if not plane.is_empty), key=lambda plane: plane.offset)
    if not drawn:
        return []
    below, above = _end_gaps(contours)
    return [
        replace(drawn[0], offset=drawn[0].offset - EXTENSION * below),
        replace(drawn[-1], offset=drawn[-1].offset + EXTENSION * above),
    ]


def cut_caps(field: Field, grid: Grid, contours: Sequence[PlaneContours], share: float) -> Field:
    """The field of a stack along z, cut flat `share` of the end gaps beyond the first and last drawn plane."""
    drawn = np.unique([plane.offset for plane in contours if not plane.is_empty])
    below, above = _end_gaps(contours)
    z = grid.axis(2)
    beyond = np.maximum(drawn[0] - share * below - z, z - drawn[-1] - share * above)
    return np.asarray(np.maximum(field, beyond.astype(np.float32)))


def _end_gaps(contours: Sequence[PlaneContours]) -> tuple[float, float]:
    """The gaps next to the first and last drawn plane: outward to an empty plane if there is one, else inward."""
    heights = np.unique([plane.offset for plane in contours])
    drawn = np.unique([plane.offset for plane in contours if not plane.is_empty])
    gaps = np.diff(heights)
    first, last = int(np.searchsorted(heights, drawn[0])), int(np.searchsorted(heights, drawn[-1]))
    below = gaps[first - 1] if first > 0 else gaps[first]
    above = gaps[last] if last < len(gaps) else gaps[last - 1]
    return float(below), float(above)


def cut_empty(field: Field, grid: Grid, contours: Sequence[PlaneContours]) -> Field:
    """The field kept positive on both sides of every empty plane, so that no surface can cross one.

    The cut is a cell thick on either side, or three quarters of the way to the next drawn plane of a stack.
    """
    drawn = [plane for plane in contours if not plane.is_empty]
    for plane in contours:
        if plane.is_empty:
            thickness = 1.01 * grid.spacing * float(np.abs(plane.normal).sum())
            beside = [abs(other.offset - plane.offset) for other in drawn if _is_parallel(plane, other)]
            thickness = min([thickness, *(0.75 * distance for distance in beside)])
            x, y, z = (grid.axis(axis) * plane.normal[axis] for axis in range(3))
            height = np.abs(x[:, None, None] + y[:, None] + (z - plane.offset))
            field = np.maximum(field, (thickness - height).astype(np.float32))
    return field


def _is_parallel(plane: PlaneContours, other: PlaneContours) -> bool:
    return float(np.linalg.norm(np.cross(plane.normal, other.normal))) < 1e-6
