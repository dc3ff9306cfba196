"""Nearest segment and even-odd inside test for many points against many segments of one plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from render.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class SegmentIndex:
    """Segments (S, 2) to (S, 2) sorted into square cells and into rows of equal height.

    cell_first, row_first: where the segments of a cell (row) begin in cell_items (row_items).
    """

    starts: Floats
    ends: Floats
    lower: Floats  # (2,)
    cell: float
    shape: tuple[int, int]
    cell_first: Ints
    cell_items: Ints
    row_first: Ints
    row_items: Ints

    @classmethod
    def build(cls, starts: Floats, ends: Floats) -> SegmentIndex:
        """About as many cells as segments, so that a query looks at few of either."""
        lower = np.minimum(starts.min(0), ends.min(0))
        extent = np.maximum(starts.max(0), ends.max(0)) - lower
        longest = max(float(extent.max()), 1e-12)
        cell = longest / float(np.clip(np.sqrt(len(starts)), 1, 512))
        shape = (int(extent[0] / cell) + 1, int(extent[1] / cell) + 1)
        first = np.clip(((np.minimum(starts, ends) - lower) / cell).astype(np.int64), 0, np.array(shape) - 1)
        last = np.clip(((np.maximum(starts, ends) - lower) / cell).astype(np.int64), 0, np.array(shape) - 1)
        cell_first, cell_items = _sort_into_cells(first, last, shape[0], shape[1])
        whole_rows = np.zeros((len(starts), 2), np.int64)
        whole_rows[:, 1] = first[:, 1]
        whole_last = whole_rows.copy()
        whole_last[:, 1] = last[:, 1]
        row_first, row_items = _sort_into_cells(whole_rows, whole_last, 1, shape[1])
        return cls(starts, ends, lower, cell, shape, cell_first, cell_items, row_first, row_items)

    def is_inside(self, points: Floats) -> NDArray[np.bool_]:
        """Whether a ray along +x from each of (N, 2) points crosses an odd number of segments."""
        rows = self._rows_of(points[:, 1])
        crossings = _count_crossings(
            np.ascontiguousarray(points), rows, self.starts, self.ends, self.row_first, self.row_items
        )
        odd: NDArray[np.bool_] = crossings % 2 == 1
        return odd

    def nearest(self, points: Floats, limit: float) -> tuple[Floats, Floats]:
        """Distance (N,) to the nearest segment, at most `limit`, and that segment's nearest point (N, 2)."""
        found: tuple[Floats, Floats] = _nearest(
            np.ascontiguousarray(points), limit, self.starts, self.ends, self.lower, self.cell,
            self.shape[0], self.shape[1], self.cell_first, self.cell_items,
        )  # fmt: skip
        return found

    def chord_lengths(self, rows: Floats) -> Floats:
        """Length (M,) of the part of each line y = rows[m] that is inside."""
        lengths: Floats = _chord_lengths(
            rows, self._rows_of(rows), self.starts, self.ends, self.row_first, self.row_items
        )
        return lengths

    def _rows_of(self, y: Floats) -> Ints:
        row = np.floor((y - self.lower[1]) / self.cell).astype(np.int64)
        return np.where((row < 0) | (row >= self.shape[1]), -1, row)


@compiled
def _sort_into_cells(first: Ints, last: Ints, nx: int, ny: int) -> tuple[Ints, Ints]:
    """Every segment into all cells that its bounding box touches; counting sort."""
    begins = np.zeros(nx * ny + 1, np.int64)
    for s in range(len(first)):
        for i in range(first[s, 0], last[s, 0] + 1):
            for j in range(first[s, 1], last[s, 1] + 1):
                begins[i * ny + j + 1] += 1
    for c in range(nx * ny):
        begins[c + 1] += begins[c]
    items = np.empty(begins[-1], np.int64)
    fill = begins[:-1].copy()
    for s in range(len(first)):
        for i in range(first[s, 0], last[s, 0] + 1):
            for j in range(first[s, 1], last[s, 1] + 1):
                items[fill[i * ny + j]] = s
                fill[i * ny + j] += 1
    return begins, items


@compiled
def _count_crossings(
    points: Floats, rows: Ints, starts: Floats, ends: Floats, row_first: Ints, row_items: Ints
) -> Ints:
    counts = np.zeros(len(points), np.int64)
    for n in range(len(points)):
        if rows[n] < 0:
            continue
        x, y = points[n, 0], points[n, 1]
        for k in range(row_first[rows[n]], row_first[rows[n] + 1]):
            s = row_items[k]
            ya, yb = starts[s, 1], ends[s, 1]
            # Half-open in y: a vertex on the ray counts once.
            if (ya <= y) != (yb <= y):
                t = (y - ya) / (yb - ya)
                if starts[s, 0] + t * (ends[s, 0] - starts[s, 0]) > x:
                    counts[n] += 1
    return counts


@compiled
def _chord_lengths(
    ys: Floats, rows: Ints, starts: Floats, ends: Floats, row_first: Ints, row_items: Ints
) -> Floats:
    lengths = np.zeros(len(ys))
    for n in range(len(ys)):
        if rows[n] < 0:
            continue
        items = row_items[row_first[rows[n]] : row_first[rows[n] + 1]]
        crossings = np.empty(len(items))
        count = 0
        for s in items:
            ya, yb = starts[s, 1], ends[s, 1]
            if (ya <= ys[n]) != (yb <= ys[n]):
                t = (ys[n] - ya) / (yb - ya)
                crossings[count] = starts[s, 0] + t * (ends[s, 0] - starts[s, 0])
                count += 1
        crossings[:count].sort()
        for k in range(0, count - 1, 2):
            lengths[n] += crossings[k + 1] - crossings[k]
    return lengths


@compiled
def _nearest_in_cell(
    x: float, y: float, best: float, fx: float, fy: float, starts: Floats, ends: Floats, items: Ints
) -> tuple[float, float, float]:
    """The nearer of (best squared distance, foot) and the segments in `items`."""
    for s in items:
        ax, ay = starts[s, 0], starts[s, 1]
        dx, dy = ends[s, 0] - ax, ends[s, 1] - ay
        length2 = dx * dx + dy * dy
        t = 0.0
        if length2 > 0:
            t = min(1.0, max(0.0, ((x - ax) * dx + (y - ay) * dy) / length2))
        px, py = ax + t * dx, ay + t * dy
        d2 = (px - x) ** 2 + (py - y) ** 2
        if d2 < best:
            best, fx, fy = d2, px, py
    return best, fx, fy


@compiled
def _nearest(
    points: Floats, limit: float, starts: Floats, ends: Floats, lower: Floats, cell: float,
    nx: int, ny: int, cell_first: Ints, cell_items: Ints,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Search square rings of cells around each point until the next ring is farther than the best found."""
    distance = np.empty(len(points))
    feet = np.empty((len(points), 2))
    for n in range(len(points)):
        x, y = points[n, 0], points[n, 1]
        cx = min(max(x, lower[0]), lower[0] + nx * cell)
        cy = min(max(y, lower[1]), lower[1] + ny * cell)
        away2 = (cx - x) ** 2 + (cy - y) ** 2
        ci = min(int((cx - lower[0]) / cell), nx - 1)
        cj = min(int((cy - lower[1]) / cell), ny - 1)
        rx, ry = cx - lower[0] - ci * cell, cy - lower[1] - cj * cell
        edge = max(0.0, min(min(rx, cell - rx), min(ry, cell - ry)))
        best, fx, fy = limit * limit, x, y
        for ring in range(nx + ny):
            # A point outside the box of cells sees them across its own foot on the box, at a right angle.
            reach = (ring - 1) * cell + edge if ring else 0.0
            if away2 + reach * reach >= best:
                break
            for i in range(max(0, ci - ring), min(nx - 1, ci + ring) + 1):
                on_side = i == ci - ring or i == ci + ring
                step = 1 if on_side else max(1, 2 * ring)
                for j in range(cj - ring, cj + ring + 1, step):
                    if j < 0 or j >= ny:
                        continue
                    c = i * ny + j
                    items = cell_items[cell_first[c] : cell_first[c + 1]]
                    best, fx, fy = _nearest_in_cell(x, y, best, fx, fy, starts, ends, items)
        distance[n] = np.sqrt(best)
        feet[n, 0], feet[n, 1] = fx, fy
    return distance, feet
