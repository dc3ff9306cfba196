"""Regions of the screen: rectangle, polygon, lasso and brush strokes are all one mask that points look into."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recon.gaussian_selection import Mask
from render.frozen import Frozen

_MAX_CELLS = 4_000_000  # of a polygon's mask: finer cells for small polygons, pixels for a whole screen
_FINEST_CELL = 0.125  # pixels


@dataclass(frozen=True, eq=False)
class Region(Frozen):
    """A part of the screen. mask: (H, W) truths; cell (i, j) covers corner + cell · ([j, j + 1), [i, i + 1)).

    corner: (2,) x, y in pixels, the first pixel's middle at (0.5, 0.5). cell: (2,) width and height in pixels.
    """

    mask: Mask
    corner: NDArray[np.float64]
    cell: NDArray[np.float64]

    def __post_init__(self) -> None:
        self._own("mask", np.bool_, (None, None))
        self._own("corner", np.float64, (2,))
        if not (self._own("cell", np.float64, (2,)) > 0).all():
            raise ValueError("a cell of a region must have a size")

    @property
    def bounds(self) -> NDArray[np.float64]:
        """(2, 2) upper left and lower right corner in pixels."""
        height, width = self.mask.shape
        return np.stack([self.corner, self.corner + self.cell * [width, height]])


def rectangle_region(corner: ArrayLike, other_corner: ArrayLike) -> Region:
    """The rectangle between two opposite corners (2,) in pixels, whichever way it was dragged."""
    corners = np.stack([np.asarray(corner, np.float64), np.asarray(other_corner, np.float64)])
    low, size = corners.min(0), np.abs(corners[1] - corners[0])
    return Region(np.full((1, 1), bool((size > 0).all())), low, np.where(size > 0, size, 1.0))


def polygon_region(vertices: ArrayLike) -> Region:
    """The inside of a closed polygon, or lasso, of vertices (M, 2) in pixels, by the even-odd rule.

    Exact at the middles of the cells, which are an eighth of a pixel for small polygons, about a pixel for a screen.
    """
    points = np.asarray(vertices, np.float64).reshape(-1, 2)
    if len(points) < 3:
        return rectangle_region((0, 0), (0, 0))
    low, high = points.min(0), points.max(0)
    cell = max(_FINEST_CELL, float(np.sqrt(np.prod(high - low) / _MAX_CELLS)))
    width, height = np.maximum(np.ceil((high - low) / cell), 1).astype(int)
    crossings = np.zeros((height, width + 1), np.uint8)
    rows, columns = _crossings((points - low) / cell, height, width)
    np.add.at(crossings, (rows, columns), 1)
    inside = np.bitwise_xor.accumulate(crossings & 1, axis=1)[:, :width]
    return Region(inside.view(np.bool_), low, np.full(2, cell))


def _crossings(
    points: NDArray[np.float64], height: int, width: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where the edges of a closed polygon cross the middle lines of rows: row, and first column to the right."""
    start, end = points, np.roll(points, -1, axis=0)
    start, end = np.where((start[:, 1] > end[:, 1])[:, None], (end, start), (start, end))
    first = np.clip(np.ceil(start[:, 1] - 0.5), 0, height).astype(np.intp)
    counts = np.clip(np.ceil(end[:, 1] - 0.5), 0, height).astype(np.intp) - first
    edge = np.repeat(np.arange(len(points)), counts)
    rows = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    (x, y), (dx, dy) = start[edge].T, (end - start)[edge].T
    crossed_x = x + (rows + 0.5 - y) * dx / dy
    return rows, np.clip(np.ceil(crossed_x - 0.5), 0, width).astype(np.intp)


def brush_region(path: ArrayLike, radius: float) -> Region:
    """What a round brush of `radius` pixels covers along a path (M, 2) of points in pixels, one or more."""
    points = np.asarray(path, np.float64).reshape(-1, 2)
    low, high = points.min(0) - radius, points.max(0) + radius
    cell = max(_FINEST_CELL, radius / 32, float(np.sqrt(np.prod(high - low) / _MAX_CELLS)))
    width, height = np.maximum(np.ceil((high - low) / cell), 1).astype(int)
    mask = np.zeros((height, width), bool)
    starts, ends = (points, points) if len(points) == 1 else (points[:-1], points[1:])
    for start, end in zip((starts - low) / cell, (ends - low) / cell, strict=True):
        _paint_capsule(mask, start, end, radius / cell)
    return Region(mask, low, np.full(2, cell))


def _paint_capsule(mask: Mask, start: NDArray[np.float64], end: NDArray[np.float64], radius: float) -> None:
    """Set the cells whose middle is within `radius` of a line; all in cells."""
    x0, y0 = np.maximum(np.floor(np.minimum(start, end) - radius), 0).astype(int)
    x1, y1 = np.ceil(np.maximum(start, end) + radius).astype(int) + 1
    part = mask[y0:y1, x0:x1]
    x = np.arange(x0, x0 + part.shape[1])[None, :] + 0.5 - start[0]
    y = np.arange(y0, y0 + part.shape[0])[:, None] + 0.5 - start[1]
    dx, dy = end - start
    along = np.clip((x * dx + y * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
    part |= (x - along * dx) ** 2 + (y - along * dy) ** 2 <= radius**2


def in_region(positions: NDArray[np.float32], region: Region) -> Mask:
    """Which points (N, 2) in pixels lie in a region; points that are not finite do not."""
    low, high = region.bounds.astype(np.float32)
    x, y = positions[:, 0], positions[:, 1]
    found: Mask = (x >= low[0]) & (x < high[0]) & (y >= low[1]) & (y < high[1])
    if not region.mask.all():
        near = np.flatnonzero(found)
        rows, columns = cells_at(x[near], y[near], region)
        found[near] = region.mask.ravel()[rows * np.int32(region.mask.shape[1]) + columns]
    return found


def cells_at(
    x: NDArray[np.float32], y: NDArray[np.float32], region: Region
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Row and column of the cell at points; points outside take the nearest cell."""
    height, width = region.mask.shape
    low, per_pixel = region.corner.astype(np.float32), (1 / region.cell).astype(np.float32)
    rows = np.clip((y - low[1]) * per_pixel[1], 0, height - 1).astype(np.int32)
    columns = np.clip((x - low[0]) * per_pixel[0], 0, width - 1).astype(np.int32)
    return rows, columns
