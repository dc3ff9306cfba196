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

RECORD = 8  # numbers of a Gaussian: centre x, y, root / 4 (3), opacity, largest exponent / 8, spare
TILE_BITS = TILE.bit_length() - 1  # a place in pixels, moved right by so many bits, is one in tiles
CHUNK = 4096  # Gaussians a thread takes at once
_SLACK = (
    1e-4  # added to the largest exponent, so that no rounding here leaves out what the kernels would draw
)


@dataclass(frozen=True, eq=False)
class Tiles:
    """The lists of one picture.

    size: width, height in pixels. order: (n,) int32, the Gaussians that are seen, nearest first; a "rank" below is
    an index into it. starts: (tiles + 1,) int64, where each tile's list begins; tiles row by row. ranks: (M,) int32,
    rows: (M, 2) uint8 first and last + 1, records: (M, 8) float32: the pairs of tile and Gaussian, with what the
    kernels read of it, so that they read straight on. firsts: (n + 1,) int64, num_tiles: (n,) int32 and places:
    int32: the Gaussian of rank k stands at places[firsts[k] : firsts[k] + num_tiles[k]] of the pairs.
    """

    size: tuple[int, int]
    order: Index
    starts: Offset
    ranks: Index
    rows: NDArray[np.uint8]
    records: Float
    firsts: Offset
    num_tiles: Index
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
    seen = np.empty((len(order), RECORD), np.float32)
    in_threads(_gather, len(order), CHUNK, order, means2d, roots, opacities, seen)
    firsts = np.zeros(len(order) + 1, np.int64)
    in_threads(_set_room, len(order), CHUNK, seen, size, firsts[1:])
    np.cumsum(firsts, out=firsts)
    room = int(firsts[-1])
    places, row_ranges = np.empty(room, np.int32), np.empty((room, 2), np.uint8)
    num_tiles, pieces = np.empty(len(order), np.int32), max(1, min(num_threads(), len(order) // CHUNK))
    columns, rows = -(-size[0] // TILE), -(-size[1] // TILE)
    ends, starts = np.zeros((pieces, columns * rows), np.int64), np.zeros(columns * rows + 1, np.int64)
    in_threads(_find, pieces, 1, pieces, seen, size, firsts, places, row_ranges, num_tiles, ends)
    _accumulate(ends, starts)
    count = int(starts[-1])
    ranks, records = np.empty(count, np.int32), np.empty((count, RECORD), np.float32)
    rows_of_pairs = np.empty((count, 2), np.uint8)
    found = (firsts, places, row_ranges, num_tiles)
    in_threads(_place, pieces, 1, pieces, seen, ends, *found, ranks, rows_of_pairs, records)
    return Tiles(size, order, starts, ranks, rows_of_pairs, records, firsts, num_tiles, places)


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
        x, y, r00, r01, r11 = means2d[i, 0], means2d[i, 1], roots[i, 0], roots[i, 1], roots[i, 2]
        opacity = opacities[i]
        records[k, 0], records[k, 1], records[k, 2], records[k, 3] = x, y, r00 * quarter, r01 * quarter
        records[k, 4], records[k, 5], records[k, 7] = r11 * quarter, opacity, 0
        records[k, 6] = math.log(opacity / ALPHA_MIN) / 8


@compiled
def _span(low: Any, high: Any, size: int) -> Any:
    """First and last + 1 tile that hold a pixel's centre between two places; both 0 where none does."""
    first, last = math.ceil(low - 0.5), math.floor(high - 0.5)
    if first > last or last < 0 or first >= size:
        return 0, 0
    return max(first, 0) >> TILE_BITS, (min(last, size - 1) >> TILE_BITS) + 1


@compiled
def _pixel_span(low: Any, high: Any, tile: int) -> Any:
    """First and last + 1 of a tile's 16 rows of pixels between two places; both 0 where there is none."""
    first, last = math.ceil(low - 0.5) - TILE * tile, math.floor(high - 0.5) - TILE * tile
    if first > last or last < 0 or first >= TILE:
        return 0, 0
    return max(first, 0), min(last, TILE - 1) + 1


@compiled
def _halves(records: Any, k: int) -> Any:
    """Half of the width and of the height of the ellipse |R u|² ≤ reach² that is drawn, in pixels."""
    r00, r01, r11 = 4.0 * records[k, 2], 4.0 * records[k, 3], 4.0 * records[k, 4]
    reach = math.sqrt(16.0 * max(records[k, 6], 0.0) + _SLACK)
    return reach * math.sqrt(r11 * r11 + r01 * r01) / (r00 * r11), reach / r11


@compiled
def _set_room(start, stop, records, size, room):
    """How many tiles the rectangle around each ellipse meets."""
    width, height = size
    for k in range(start, stop):
        wide, tall = _halves(records, k)
        first_column, last_column = _span(records[k, 0] - wide, records[k, 0] + wide, width)
        first_row, last_row = _span(records[k, 1] - tall, records[k, 1] + tall, height)
        room[k] = (last_column - first_column) * (last_row - first_row)


@compiled
def _band(from_x: Any, to_x: Any, wide: Any, per_wide: Any, summit: Any, ridge: Any, thick: Any) -> Any:
    """Lowest and highest y of an ellipse about the origin where from_x ≤ x ≤ to_x; low above high where nowhere.

    wide: half its width, per_wide: one over it. The upper border is y = ridge x + thick √(1 - (x / wide)²). It is
    concave: its highest point in a band is the summit, at x = `summit`, or else the band's end that is nearest to
    that. The lower border mirrors it.
    """
    low, high = max(-wide, from_x), min(wide, to_x)
    if low > high:
        return 1.0, 0.0
    above, below = min(max(summit, low), high), min(max(-summit, low), high)
    top = ridge * above + thick * math.sqrt(max(1 - (above * per_wide) ** 2, 0.0))
    bottom = ridge * below - thick * math.sqrt(max(1 - (below * per_wide) ** 2, 0.0))
    return bottom, top


@compiled
def _find(start, stop, pieces, records, size, firsts, tiles, row_ranges, num_tiles, counts):
    """The tiles that each ellipse meets, and the rows of their pixels; and how many meet each tile, by piece."""
    width, height = size
    columns = (width + TILE - 1) // TILE
    for piece in range(start, stop):
        for k in range(piece * len(records) // pieces, (piece + 1) * len(records) // pieces):
            x, y = float(records[k, 0]), float(records[k, 1])
            wide, tall = _halves(records, k)
            first_column, last_column = _span(x - wide, x + wide, width)
            first_row, last_row = _span(y - tall, y + tall, height)
            is_narrow, is_low = last_column - first_column == 1, last_row - first_row == 1
            r00, r01, r11 = 4.0 * records[k, 2], 4.0 * records[k, 3], 4.0 * records[k, 4]
            lean, steep = -r01 / r00, -r01 * r00 / (r11 * r11 + r01 * r01)
            thick_x, thick_y = tall * r11 / r00, wide * r00 * r11 / (r11 * r11 + r01 * r01)
            per_wide, per_tall = 1 / wide, 1 / tall
            widest, tallest = lean * tall * tall * per_wide, steep * wide * wide * per_tall
            pair = firsts[k]
            for row in range(first_row, last_row):
                first, last = first_column, last_column
                if not (is_narrow or is_low):
                    top = TILE * row + 0.5 - y
                    left, right = _band(top, top + (TILE - 1), tall, per_tall, widest, lean, thick_x)
                    first, last = _span(x + left, x + right, width) if left <= right else (0, 0)
                low, high = _pixel_span(y - tall, y + tall, row)
                for column in range(first, last):
                    if not is_narrow:
                        left = TILE * column + 0.5 - x
                        lowest, highest = _band(
                            left, left + (TILE - 1), wide, per_wide, tallest, steep, thick_y
                        )
                        low, high = _pixel_span(y + lowest, y + highest, row) if lowest <= highest else (0, 0)
                    tile = row * columns + column
                    tiles[pair], row_ranges[pair, 0], row_ranges[pair, 1] = tile, low, high
                    counts[piece, tile] += 1
                    pair += 1
            num_tiles[k] = pair - firsts[k]


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
def _place(start, stop, pieces, seen, ends, firsts, places, row_ranges, num_tiles, ranks, rows, records):
    """Each pair to the end of its tile's list; `places` holds its tile, and then where it stands."""
    for piece in range(start, stop):
        for k in range(piece * len(seen) // pieces, (piece + 1) * len(seen) // pieces):
            x, y, r00, r01 = seen[k, 0], seen[k, 1], seen[k, 2], seen[k, 3]
            r11, opacity, limit = seen[k, 4], seen[k, 5], seen[k, 6]
            for pair in range(firsts[k], firsts[k] + num_tiles[k]):
                tile = places[pair]
                place = ends[piece, tile]
                ends[piece, tile] = place + 1
                places[pair], ranks[place] = place, k
                rows[place, 0], rows[place, 1] = row_ranges[pair, 0], row_ranges[pair, 1]
                records[place, 0], records[place, 1], records[place, 2] = x, y, r00
                records[place, 3], records[place, 4], records[place, 5] = r01, r11, opacity
                records[place, 6], records[place, 7] = limit, 0
