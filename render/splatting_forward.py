"""Gaussians, nearest first, laid over each other in the tiles of a picture.

A tile's Gaussians come one after the other; each is laid over the rows of pixels that it meets, without a branch, so
that the compiler makes vectors of it. What a tile's pixels hold lies in one array at constant distances: that tells
the compiler that nothing overlaps. A pixel whose transmittance is negative is full; its size is what was left.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from render.compiled import Float, aligned_scratch, compiled, in_threads
from render.splatting_limits import ALPHA_MAX, TILE, TRANSMITTANCE_MIN
from render.splatting_tiles import CHUNK, Tiles

PIXELS = TILE * TILE
CHECKED_EVERY = 8  # Gaussians after which a tile is looked at: are all its pixels full?
TILES_AT_ONCE = 4  # that a thread takes

# exp(8 y) for y in [-0.75, 0] is the eighth power of a polynomial, to 3e-6 of its value: multiplications only.
EXP_0, EXP_1, EXP_2, EXP_3, EXP_4, EXP_5 = (
    np.polynomial.chebyshev.Chebyshev.interpolate(np.exp, 5, domain=[-0.75, 0])
    .convert(kind=np.polynomial.Polynomial)
    .coef.astype(np.float32)
)
ZERO, ONE, FULL_BELOW, LARGEST_ALPHA = (
    np.float32(0), np.float32(1), np.float32(TRANSMITTANCE_MIN), np.float32(ALPHA_MAX),
)  # fmt: skip
_X, _Y, _LEFT, _WEIGHT, _RED, _GREEN, _BLUE = (np.uint64(k * PIXELS) for k in range(7))
_STEP = np.uint64(PIXELS)


def composite(tiles: Tiles, colors: Float, background: Float) -> tuple[Float, Float]:
    """Draw a picture of D channels. colors: (N, D) by Gaussian. background: (D,).

    Returns the picture (H, W, D) and what is left of the background's light (H, W), its transmittance."""
    width, height = tiles.size
    picture = np.empty((height, width, colors.shape[1]), np.float32)
    left = np.empty((height, width), np.float32)
    of_lists = (tiles.shuffled, tiles.starts, tiles.ranks, tiles.rows, tiles.records)
    kernel = _composite_rgb if colors.shape[1] == 3 else _composite_channels
    arranged = arranged_colors(tiles, colors)
    in_threads(kernel, len(tiles.shuffled), TILES_AT_ONCE, *of_lists, arranged, background, picture, left)
    return picture, left


def arranged_colors(tiles: Tiles, colors: Float) -> Float:
    """Three channels as the pairs are, (M, 3), so that they are read straight on; more by rank, (n, D)."""
    if colors.shape[1] != 3:
        return np.ascontiguousarray(colors[tiles.order])
    arranged = np.empty((len(tiles.ranks), 3), np.float32)
    in_threads(
        _arrange,
        len(tiles.order),
        CHUNK,
        tiles.order,
        tiles.firsts,
        tiles.num_tiles,
        tiles.places,
        colors,
        arranged,
    )
    return arranged


@compiled
def _arrange(start, stop, order, firsts, num_tiles, places, colors, arranged):
    for k in range(start, stop):
        i = order[k]
        red, green, blue = colors[i, 0], colors[i, 1], colors[i, 2]
        for pair in range(firsts[k], firsts[k] + num_tiles[k]):
            place = places[pair]
            arranged[place, 0], arranged[place, 1], arranged[place, 2] = red, green, blue


@compiled
def start_tile(scratch, left, top, width, height):
    """Place of each pixel of a tile, and nothing in front of it yet; those outside the picture are full."""
    for i in range(PIXELS):
        x, y = left + i % TILE, top + i // TILE
        scratch[_X + np.uint64(i)] = np.float32(x) + np.float32(0.5)
        scratch[_Y + np.uint64(i)] = np.float32(y) + np.float32(0.5)
        scratch[_LEFT + np.uint64(i)] = ONE if x < width and y < height else -ONE


@compiled
def is_full(scratch):
    """Whether nothing more can be seen in any pixel of a tile."""
    most = -ONE
    for i in range(_STEP):
        most = max(most, scratch[_LEFT + i])
    return most < ZERO


@compiled
def _composite_rgb(
    start, stop, shuffled, starts, ranks, rows, records, colors, background, picture, picture_left
):
    height, width = picture_left.shape
    columns = (width + TILE - 1) // TILE
    scratch = aligned_scratch(7 * PIXELS)
    for number in range(start, stop):
        tile = shuffled[number]
        left, top = tile % columns * TILE, tile // columns * TILE
        start_tile(scratch, left, top, width, height)
        scratch[_RED:] = ZERO
        for pair in range(starts[tile], starts[tile + 1]):
            x, y, opacity, limit = records[pair, 0], records[pair, 1], records[pair, 5], -records[pair, 6]
            r00, r01, r11 = records[pair, 2], records[pair, 3], records[pair, 4]
            red, green, blue = colors[pair, 0], colors[pair, 1], colors[pair, 2]
            for i in range(np.uint64(rows[pair, 0] * TILE), np.uint64(rows[pair, 1] * TILE)):
                dx, dy = scratch[_X + i] - x, scratch[_Y + i] - y
                across, down = r00 * dx + r01 * dy, r11 * dy
                e = -(across * across + down * down)
                power = EXP_0 + e * (EXP_1 + e * (EXP_2 + e * (EXP_3 + e * (EXP_4 + e * EXP_5))))
                power = power * power
                power = power * power
                alpha = min(opacity * (power * power), LARGEST_ALPHA) if e >= limit else ZERO
                before = scratch[_LEFT + i]
                after = before - alpha * before
                is_seen = after > FULL_BELOW
                weight = alpha * before if is_seen else ZERO
                scratch[_LEFT + i] = after if is_seen else -abs(before)
                scratch[_RED + i] += weight * red
                scratch[_GREEN + i] += weight * green
                scratch[_BLUE + i] += weight * blue
            if pair % CHECKED_EVERY == 0 and is_full(scratch):
                break
        for row in range(min(TILE, height - top)):
            for column in range(min(TILE, width - left)):
                place = np.uint64(row * TILE + column)
                rest = abs(scratch[_LEFT + place])
                picture_left[top + row, left + column] = rest
                picture[top + row, left + column, 0] = scratch[_RED + place] + rest * background[0]
                picture[top + row, left + column, 1] = scratch[_GREEN + place] + rest * background[1]
                picture[top + row, left + column, 2] = scratch[_BLUE + place] + rest * background[2]


@compiled
def lay_over(scratch, first, last, record):
    """One Gaussian over pixels first … last of a tile: its weights to scratch, and less light behind it."""
    x, y, opacity, limit = record[0], record[1], record[5], -record[6]
    r00, r01, r11 = record[2], record[3], record[4]
    for i in range(first, last):
        dx, dy = scratch[_X + i] - x, scratch[_Y + i] - y
        across, down = r00 * dx + r01 * dy, r11 * dy
        e = -(across * across + down * down)
        power = EXP_0 + e * (EXP_1 + e * (EXP_2 + e * (EXP_3 + e * (EXP_4 + e * EXP_5))))
        power = power * power
        power = power * power
        alpha = min(opacity * (power * power), LARGEST_ALPHA) if e >= limit else ZERO
        before = scratch[_LEFT + i]
        after = before - alpha * before
        is_seen = after > FULL_BELOW
        scratch[_WEIGHT + i] = alpha * before if is_seen else ZERO
        scratch[_LEFT + i] = after if is_seen else -abs(before)


@compiled
def _composite_channels(
    start, stop, shuffled, starts, ranks, rows, records, colors, background, picture, picture_left
):
    height, width = picture_left.shape
    columns = (width + TILE - 1) // TILE
    channels = np.uint64(colors.shape[1])
    scratch = aligned_scratch((4 + colors.shape[1]) * PIXELS)
    for number in range(start, stop):
        tile = shuffled[number]
        left, top = tile % columns * TILE, tile // columns * TILE
        start_tile(scratch, left, top, width, height)
        scratch[_RED:] = ZERO
        for pair in range(starts[tile], starts[tile + 1]):
            k = ranks[pair]
            first, last = np.uint64(rows[pair, 0] * TILE), np.uint64(rows[pair, 1] * TILE)
            lay_over(scratch, first, last, records[pair])
            for channel in range(channels):
                value, begin = colors[k, channel], _RED + channel * _STEP
                for i in range(first, last):
                    scratch[begin + i] += scratch[_WEIGHT + i] * value
            if pair % CHECKED_EVERY == 0 and is_full(scratch):
                break
        for row in range(min(TILE, height - top)):
            for column in range(min(TILE, width - left)):
                place = np.uint64(row * TILE + column)
                rest = abs(scratch[_LEFT + place])
                picture_left[top + row, left + column] = rest
                for channel in range(channels):
                    value = scratch[_RED + channel * _STEP + place] + rest * background[channel]
                    picture[top + row, left + column, channel] = value
