"""Shape-based interpolation of a parallel stack (Raya and Udupa 1990): in-plane signed distances along the stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline, interp1d

from recon.orex.contours2d import PlaneContours
from recon.orex.grid import Field, Grid

Floats = NDArray[np.float64]
Kind = Literal["linear", "cubic"]


def stack_distances(contours: Sequence[PlaneContours], x: Floats, y: Floats) -> tuple[Floats, Field]:
    """Heights (H,) ascending, and the signed in-plane distances (H, X, Y) there at the lattice of x and y.

    contours: planes across z in the box, in any order; planes at one height are averaged. An empty plane counts
    as the distance to the nearest plane that is not, so that a shape ends half-way where it is as deep as that.
    """
    heights = np.array([plane.offset for plane in contours])
    drawn = np.array([plane.offset for plane in contours if not plane.is_empty])
    lattice = np.stack(np.meshgrid(x, y, indexing="ij"), -1).reshape(-1, 2)
    points = np.concatenate([lattice, np.zeros((len(lattice), 1))], 1)
    levels = np.unique(heights)
    distances = np.zeros((len(levels), len(x), len(y)), np.float32)
    for plane in contours:
        if plane.is_empty:
            signed = np.full(len(lattice), np.abs(drawn - plane.offset).min())
        else:
            signed = plane.distances(plane.to_plane(points)).signed
        level = int(np.searchsorted(levels, plane.offset))
        distances[level] += signed.reshape(len(x), len(y)) / np.count_nonzero(heights == plane.offset)
    return levels, distances


def interpolate_stack(heights: Floats, distances: Field, z: Floats, kind: Kind) -> Field:
    """(X, Y, Z) field at heights z; constant beyond the first and the last plane.

    heights: (H,) ascending. distances: (H, X, Y). The cubic is the natural spline.
    """
    inside = np.clip(z, heights[0], heights[-1])
    field = np.empty((*distances.shape[1:], len(z)), np.float32)
    for row in range(distances.shape[1]):
        values = distances[:, row].astype(np.float64)
        if kind == "cubic" and len(heights) > 2:
            field[row] = CubicSpline(heights, values, axis=0, bc_type="natural")(inside).T
        else:
            field[row] = interp1d(heights, values, axis=0)(inside).T
    return field


def stack_field(contours: Sequence[PlaneContours], grid: Grid, kind: Kind) -> Field:
    """The interpolated field of a stack along z on a grid, negative inside."""
    heights, distances = stack_distances(contours, grid.axis(0), grid.axis(1))
    return interpolate_stack(heights, distances, grid.axis(2), kind)
