"""Which Gaussians each tile of a picture must draw, nearest first.

One radix sort orders all Gaussians by depth; each then goes to the end of the lists of the tiles that its ellipse
really meets, not of all in the rectangle around it, with the rows of the tile that it meets.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.splatting_compiled import (
    ALPHA_MIN,
    TILE,
    Float,
    Index,
    Offset,
    compiled,
    in_threads,
    num_threads,
)

RECORD = 8  # numbers a visible Gaussian: centre x, y, root / 4 (3), opacity, largest exponent / 8, spare
_SLACK = (
    1e-4  # added to the largest exponent, so that no rounding here leaves out what the kernels would draw
)


@dataclass(frozen=True, eq=False)
class Tiles:
    """The lists of one picture.

    size: width, height in pixels. order: (n,) int32, the Gaussians that are seen, nearest first; a "rank" below is
    an index into it. records: (n, 8) float32, by rank, what the kernels read of each. starts: (tiles + 1,) int64,
    where each tile's list begins; tiles row by row. ranks: (M,) int32 and rows: (M, 2) uint8 first and last + 1: the
    pairs of tile and Gaussian. first_pairs: (n + 1,) int64 and places: (M,) int32: Gaussian of rank k stands at
    places[first_pairs[k] : first_pairs[k + 1]] of the pairs.
    """

    size: tuple[int, int]
    order: Index
    records: Float
    starts: Offset
    ranks: Index
    rows: NDArray[np.uint8]
    first_pairs: Offset
    places: Index

    @property
    def grid(self) -> tuple[int, int]:
        """Tiles along x and along y."""
        return -(-self.size[0] // TILE), -(-self.size[1] // TILE)

    @cached_property
    def shuffled(self) -> Offset:
        """All tiles in an order that spreads crowded regions over threads."""
        columns, rows = self.grid
        return np.random.default_rng(0).permutation(columns * rows).astype(np.int64)


def make_tiles(
    means2d: Float, depths: Float, roots: Float, opacities: Float, radii: Index, size: tuple[int, int]
) -> Tiles:
    """Sort Gaussians by depth and into tiles. Arrays as from `splatting_projection.project`; opacities (N,)."""
    order = np.empty(int(np.count_nonzero(radii[:, 0])), np.int32)
    _sort(radii, depths, order)
    records = np.empty((len(order), RECORD), np.float32)
    in_threads(_gather, len(order), 4096, order, means2d, roots, opacities, records)
    columns, rows = -(-size[0] // TILE), -(-size[1] // TILE)
    pieces = max(1, min(num_threads(), len(order) // 1024))
    ends = np.zeros((pieces, columns * rows), np.int64)
    first_pairs = np.zeros(len(order) + 1, np.int64)
    in_threads(_count, pieces, 1, pieces, records, size, ends, first_pairs[1:])
    np.cumsum(first_pairs, out=first_pairs)
    starts = np.zeros(columns * rows + 1, np.int64)
    _accumulate(ends, starts)
    num_pairs = int(starts[-1])
    ranks, places = np.empty(num_pairs, np.int32), np.empty(num_pairs, np.int32)
    row_ranges = np.empty((num_pairs, 2), np.uint8)
    in_threads(_fill, pieces, 1, pieces, records, size, ends, first_pairs, ranks, row_ranges, places)
    return Tiles(size, order, records, starts, ranks, row_ranges, first_pairs, places)


@compiled
def _sort(radii, depths, order):
    """Order by depth, of equal ones by index: a radix sort of the bits of positive numbers, 11 at a time."""
    count = len(order)
    keys, spare_keys, spare = (
        np.empty(count, np.uint32),
        np.empty(count, np.uint32),
        np.empty(count, np.int32),
    )
    bits = depths.view(np.uint32)
    k = 0
    for i in range(len(radii)):
        if radii[i, 0] > 0:
            order[k], keys[k] = i, bits[i]
            k += 1
    ends = np.empty(2049, np.int64)
    source, target, source_keys, target_keys = order, spare, keys, spare_keys
    for turn in range(3):
        shift, mask = np.uint32(11 * turn), np.uint32(2047)
        ends[:] = 0
        for k in range(count):
            ends[((source_keys[k] >> shift) & mask) + 1] += 1
        for k in range(2048):
            ends[k + 1] += ends[k]
        for k in range(count):
            digit = (source_keys[k] >> shift) & mask
            target[ends[digit]], target_keys[ends[digit]] = source[k], source_keys[k]
            ends[digit] += 1
        source, target, source_keys, target_keys = target, source, target_keys, source_keys
    for k in range(count):  # Three turns end in the spare array.
        order[k] = source[k]


@compiled
def _gather(start, stop, order, means2d, roots, opacities, records):
    quarter = np.float32(0.25)
    for k in range(start, stop):
        i = order[k]
        records[k, 0], records[k, 1] = means2d[i, 0], means2d[i, 1]
        for j in range(3):
            records[k, 2 + j] = roots[i, j] * quarter
        records[k, 5] = opacities[i]
        records[k, 6] = math.log(opacities[i] / ALPHA_MIN) / 8
        records[k, 7] = 0


@compiled
def _clamped(value: float, largest: int) -> int:
    """The whole part of a number, brought into 0 … largest."""
    return int(max(0.0, min(value, float(largest))))


@compiled
def _shape(records: Any, k: int) -> Any:
    """Of the ellipse that is drawn, u = (x, y) - centre with |R u|² ≤ reach²: centre x, y, R's entries, reach."""
    return (
        float(records[k, 0]), float(records[k, 1]),
        4.0 * records[k, 2], 4.0 * records[k, 3], 4.0 * records[k, 4],
        math.sqrt(16.0 * max(records[k, 6], 0.0) + _SLACK),
    )  # fmt: skip


@compiled
def _tile_rows(shape: Any, height: int) -> Any:
    """First and last + 1 row of tiles whose pixels' centres lie within the ellipse's height."""
    _, y, _, _, r11, reach = shape
    low, high = math.ceil(y - reach / r11 - 0.5), math.floor(y + reach / r11 - 0.5)
    if low > high or high < 0 or low >= height:
        return 0, 0
    return _clamped(low, height - 1) // TILE, _clamped(high, height - 1) // TILE + 1


@compiled
def _tile_columns(shape: Any, row: int, width: int) -> Any:
    """First and last + 1 tile of a row of tiles that the ellipse meets with a pixel's centre, or nearly.

    The right border is x = k v + √(reach² - (R₁₁ v)²) / R₀₀ at height v; it is concave, so that its largest value in
    a band is where its summit lies, or at the band's end that is nearest to that; the left one mirrors it.
    """
    x, y, r00, r01, r11, reach = shape
    tall = reach / r11
    low, high = max(-tall, TILE * row + 0.5 - y), min(tall, TILE * row + TILE - 0.5 - y)
    if low > high:
        return 0, 0
    tilt = -r01 / r11
    summit = tall * tilt / math.sqrt(1 + tilt * tilt)
    right, left = min(max(summit, low), high), min(max(-summit, low), high)
    last = x - r01 / r00 * right + math.sqrt(max(reach * reach - (r11 * right) ** 2, 0.0)) / r00
    first = x - r01 / r00 * left - math.sqrt(max(reach * reach - (r11 * left) ** 2, 0.0)) / r00
    first, last = math.ceil(first - 0.5), math.floor(last - 0.5)
    if first > last or last < 0 or first >= width:
        return 0, 0
    return _clamped(first, width - 1) // TILE, _clamped(last, width - 1) // TILE + 1


@compiled
def _pixel_rows(shape: Any, row: int, column: int) -> Any:
    """First and last + 1 row of a tile's pixels that the ellipse meets: as `_tile_columns`, with x and y changed."""
    x, y, r00, r01, r11, reach = shape
    wide_variance = 1 / (r00 * r00) + (r01 / (r00 * r11)) ** 2
    wide = reach * math.sqrt(wide_variance)
    low, high = max(-wide, TILE * column + 0.5 - x), min(wide, TILE * column + TILE - 0.5 - x)
    if low > high:
        return 0, 0
    per_width = -r01 / (r00 * r11 * r11) / wide_variance  # slope of the ridge
    narrow = 1 / (r00 * r11 * math.sqrt(wide_variance))  # deviation along y at a given x
    summit = -reach * r01 / r00 / r11
    below, above = min(max(summit, low), high), min(max(-summit, low), high)
    last = y + per_width * below + narrow * math.sqrt(max(reach * reach - below * below / wide_variance, 0.0))
    first = (
        y + per_width * above - narrow * math.sqrt(max(reach * reach - above * above / wide_variance, 0.0))
    )
    first, last = math.ceil(first - 0.5) - TILE * row, math.floor(last - 0.5) - TILE * row
    if first > last or last < 0 or first >= TILE:
        return 0, 0
    return _clamped(first, TILE - 1), _clamped(last, TILE - 1) + 1


@compiled
def _count(start, stop, pieces, records, size, counts, pairs):
    """Pairs of each tile, a row of `counts` for each piece, and of each Gaussian."""
    width, height = size
    columns = (width + TILE - 1) // TILE
    for piece in range(start, stop):
        for k in range(piece * len(records) // pieces, (piece + 1) * len(records) // pieces):
            shape = _shape(records, k)
            first_row, last_row = _tile_rows(shape, height)
            for row in range(first_row, last_row):
                first, last = _tile_columns(shape, row, width)
                for column in range(first, last):
                    counts[piece, row * columns + column] += 1
                pairs[k] += last - first


@compiled
def _accumulate(counts, starts):
    """Counts become where each piece's share of each tile's list begins."""
    total = 0
    for tile in range(counts.shape[1]):
        starts[tile] = total
        for piece in range(counts.shape[0]):
            total, counts[piece, tile] = total + counts[piece, tile], total
    starts[counts.shape[1]] = total


@compiled
def _fill(start, stop, pieces, records, size, ends, first_pairs, ranks, row_ranges, places):
    width, height = size
    columns = (width + TILE - 1) // TILE
    for piece in range(start, stop):
        for k in range(piece * len(records) // pieces, (piece + 1) * len(records) // pieces):
            shape = _shape(records, k)
            pair = first_pairs[k]
            first_row, last_row = _tile_rows(shape, height)
            for row in range(first_row, last_row):
                first, last = _tile_columns(shape, row, width)
                for column in range(first, last):
                    place = ends[piece, row * columns + column]
                    ends[piece, row * columns + column] += 1
                    low, high = _pixel_rows(shape, row, column)
                    ranks[place], places[pair] = k, place
                    row_ranges[place, 0], row_ranges[place, 1] = low, high
                    pair += 1
