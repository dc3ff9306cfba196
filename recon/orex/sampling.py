"""A prior given as a function of points, brought onto a grid where its surface is."""

from __future__ import annotations

from collections.abc import Callable, Generator

import numpy as np
from numpy.typing import NDArray

from recon.orex.grid import Field, Grid, prolong

PointField = Callable[[NDArray[np.float64]], NDArray[np.float64]]

# Fine values are taken within this many coarse spacings of the surface; farther off, coarse ones do.
REACH = 2.5
CHUNK = 16_384


def sample_on_grid(field: PointField, grid: Grid) -> Generator[tuple[int, int], None, Field]:
    """The field at the grid's points: everywhere on every other point, then on all points near its surface.

    field: (N, 3) box units → (N,) about a signed distance. Yields (done, total) points, some milliseconds apart.
    """
    shape = tuple((n + 1) // 2 for n in grid.shape)
    coarse_grid = Grid(grid.lower, 2 * grid.spacing, (shape[0], shape[1], shape[2]))
    coarse = yield from _evaluate(field, coarse_grid, np.arange(int(np.prod(shape))))
    values = prolong(coarse.reshape(shape))
    near = np.abs(values) < REACH * coarse_grid.spacing * _slope(coarse.reshape(shape), coarse_grid.spacing)
    rows = np.flatnonzero(near)
    values.reshape(-1)[rows] = yield from _evaluate(field, grid, rows)
    return values


def _slope(coarse: Field, spacing: float) -> float:
    """How fast the field grows next to its surface, a unit; 1 for a distance."""
    steps = np.abs(np.diff(coarse, axis=0))
    crossing = np.signbit(coarse[1:]) != np.signbit(coarse[:-1])
    return float(max(1.0, np.quantile(steps[crossing], 0.9) / spacing)) if crossing.any() else 1.0


def _evaluate(
    field: PointField, grid: Grid, rows: NDArray[np.int64]
) -> Generator[tuple[int, int], None, NDArray[np.float32]]:
    values = np.empty(len(rows), np.float32)
    for first in range(0, len(rows), CHUNK):
        part = rows[first : first + CHUNK]
        indices = np.stack(np.unravel_index(part, grid.shape), -1)
        values[first : first + CHUNK] = field(grid.lower + grid.spacing * indices)
        yield first + len(part), len(rows)
    return values
