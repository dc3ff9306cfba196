"""Parts of a solid that no slice shows: blobs and bubbles between the planes are the solver's, not the shape's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from recon.orex.contours2d import PlaneContours
from recon.orex.grid import Field, Grid

# Smaller parts are crumbs of a sharp corner rather than shapes.
LEAST_POINTS = 12


def drop_unseen(field: Field, grid: Grid, contours: Sequence[PlaneContours]) -> Field:
    """The field without parts, and without closed bubbles, that no contour touches or that are mere specks.

    Their values change sign, so that they vanish from the surface.
    """
    cells = _contour_cells(grid, contours)
    field = _flip_unseen(field, cells)
    return -_flip_unseen(-field, cells, keep_border=True)


def _flip_unseen(field: Field, cells: NDArray[np.int64], keep_border: bool = False) -> Field:
    """Change the sign of connected regions below zero that have none of the cells, (N, 8) flat indices."""
    regions, count = ndimage.label(field < 0)
    if count < 2 and not keep_border:
        return field
    seen = np.zeros(count + 1, bool)
    seen[regions.reshape(-1)[cells]] = True
    seen &= np.bincount(regions.reshape(-1), minlength=count + 1) >= LEAST_POINTS
    if keep_border:
        for axis in range(3):
            for side in (0, -1):
                seen[np.take(regions, side, axis)] = True
    seen[0] = True
    if seen.all():
        return field
    return np.asarray(np.where(seen[regions], field, np.abs(field)), np.float32)


def _contour_cells(grid: Grid, contours: Sequence[PlaneContours]) -> NDArray[np.int64]:
    """(N, 8) flat indices of the grid points around points of all contours."""
    curves = [plane.to_space(plane.sample_curves(grid.spacing / 2).points) for plane in contours]
    position = (np.concatenate(curves) - grid.lower) / grid.spacing
    corner = np.clip(np.floor(position).astype(np.int64), 0, np.array(grid.shape) - 2)
    steps = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), -1).reshape(-1, 3)
    around = corner[:, None] + steps
    return np.asarray(np.ravel_multi_index(tuple(np.moveaxis(around, -1, 0)), grid.shape))
