"""Which Gaussians each tile of a picture must draw, nearest first.

One radix sort orders all Gaussians by depth; each then goes to the end of the lists of the tiles that its ellipse
really meets, not of all in the rectangle around it, with the rows of the tile that it meets.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.compiled import Float, Index, Offset, compiled, in_threads, num_threads
from render.splatting_limits import ALPHA_MIN, TILE

RECORD = 8  # numbers of a Gaussian: centre x, y, root / 4 (3), opacity, largest exponent / 8, spare
BITS = TILE.bit_length() - 1  # a place in pixels, moved right by so many bits, is one in tiles
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

    @property
    def shuffled(self) -> Offset:
        """All tiles in an order that spreads crowded regions over threads."""
        columns, rows = self.grid
        return _shuffled(columns * rows)


@lru_cache(maxsize=64)
def _shuffled(count: int) -> Offset:
    return np.random.default_rng(0).permutation(count).astype(np.int64)


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
def _halves(records: Any, k: int) -> Any:
    """Half of the width and of the height of the ellipse |R u|² ≤ reach² that is drawn, in pixels."""
    r00, r01, r11 = 4.0 * records[k, 2], 4.0 * records[k, 3], 4.0 * records[k, 4]
    reach = math.sqrt(16.0 * max(records[k, 6], 0.0) + _SLACK)
    return reach * math.sqrt(r11 * r11 + r01 * r01) / (r00 * r11), reach / r11


@compiled
def _pixels(low: Any, high: Any, size: int) -> Any:
    """First and last of `size` pixels in a line whose centres lie between two places; last before first if none."""
    return max(math.ceil(low - 0.5), 0), min(math.floor(high - 0.5), size - 1)


@compiled
def _set_room(start, stop, records, size, room):
    """How many tiles the rectangle around each ellipse meets."""
    for k in range(start, stop):
        wide, tall = _halves(records, k)
        left, right = _pixels(records[k, 0] - wide, records[k, 0] + wide, size[0])
        top, bottom = _pixels(records[k, 1] - tall, records[k, 1] + tall, size[1])
        if left <= right and top <= bottom:
            room[k] = ((right >> BITS) - (left >> BITS) + 1) * ((bottom >> BITS) - (top >> BITS) + 1)


@compiled
def _width_in_band(low: Any, high: Any, tall: Any, per_tall: Any, summit: Any, lean: Any, thick: Any) -> Any:
    """Smallest and largest x of an ellipse about the origin where low ≤ y ≤ high, within its height.

    tall: half its height, per_tall: one over it. Its right border is x = lean y + thick √(1 - (y / tall)²), which is
    concave: it goes farthest at y = `summit`, or else at the band's end that is nearest to that. The left border
    mirrors it.
    """
    low, high = max(-tall, low), min(tall, high)
    at_right, at_left = min(max(summit, low), high), min(max(-summit, low), high)
    right = lean * at_right + thick * math.sqrt(max(1 - (at_right * per_tall) ** 2, 0.0))
    left = lean * at_left - thick * math.sqrt(max(1 - (at_left * per_tall) ** 2, 0.0))
    return left, right


@compiled
def _find(start, stop, pieces, records, size, firsts, tiles, row_ranges, num_tiles, counts):
    """The tiles that each ellipse meets, and the rows of their pixels; and how many meet each tile, by piece."""
    width, height = size
    columns = (width + TILE - 1) // TILE
    for piece in range(start, stop):
        for k in range(piece * len(records) // pieces, (piece + 1) * len(records) // pieces):
            x, y = float(records[k, 0]), float(records[k, 1])
            wide, tall = _halves(records, k)
            left, right = _pixels(x - wide, x + wide, width)
            top, bottom = _pixels(y - tall, y + tall, height)
            num_tiles[k] = 0
            if left > right or top > bottom:
                continue
            is_box = left >> BITS == right >> BITS or top >> BITS == bottom >> BITS
            lean, thick = -records[k, 3] / records[k, 2], tall * records[k, 4] / records[k, 2]
            per_tall, summit = 1 / tall, lean * tall * tall / wide
            pair = firsts[k]
            for row in range(top >> BITS, (bottom >> BITS) + 1):
                first_row, last_row = max(top, TILE * row), min(bottom, TILE * row + TILE - 1)
                if not is_box:
                    low, high = first_row + 0.5 - y, last_row + 0.5 - y
                    low, high = _width_in_band(low, high, tall, per_tall, summit, lean, thick)
                    left, right = _pixels(x + low, x + high, width)
                    if left > right:
                        continue
                for column in range(left >> BITS, (right >> BITS) + 1):
                    tile = row * columns + column
                    tiles[pair] = tile
                    row_ranges[pair, 0], row_ranges[pair, 1] = (
                        first_row - TILE * row,
                        last_row - TILE * row + 1,
                    )
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
