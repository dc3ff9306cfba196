"""The gradient of a picture by the Gaussians in it.

The lists are gone through again from front to back. With v the gradient by the picture, R = v · picture - Σ w (v · c)
over what was laid so far is what lies behind, so that dL/dα = T (v · c) - R / (1 - α), without a division chain and
without lists of what each pixel saw. Each pair of tile and Gaussian writes sums of its own, which are then added up
by Gaussian: nothing is raced for, and sums are the same for any number of threads.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from render.compiled import Float, Kernel, aligned_scratch, compiled, in_threads
from render.splatting_forward import (
    CHECKED_EVERY,
    EXP_0,
    EXP_1,
    EXP_2,
    EXP_3,
    EXP_4,
    EXP_5,
    FULL_BELOW,
    LARGEST_ALPHA,
    ONE,
    PIXELS,
    TILES_AT_ONCE,
    ZERO,
    arranged_colors,
    is_full,
    start_tile,
)
from render.splatting_limits import TILE
from render.splatting_tiles import Tiles

SUMS = 8  # by centre x, y, root (3), opacity, and the size of those by the centre; then by each channel
_X, _Y, _LEFT, _BEHIND, _BY_RED, _BY_GREEN, _BY_BLUE = (np.uint64(k * PIXELS) for k in range(7))
_STEP = np.uint64(PIXELS)


def composite_gradient(
    tiles: Tiles,
    colors: Float,
    picture: Float,
    left: Float,
    of_picture: Float,
    of_alpha: Float,
    wants_sizes: bool = False,
) -> Float:
    """Gradients by what was drawn.

    colors: (N, D). picture (H, W, D) and left (H, W) as `composite` returned them. of_picture: (H, W, D) and
    of_alpha: (H, W) gradients by the picture and by 1 - left. Returns (N, 8 + D): by the centre x, y, the root's
    three entries, the opacity, sums over pixels of the sizes of the gradient by centre x and y (with `wants_sizes`,
    else 0), by the channels.
    """
    channels = colors.shape[1]
    width = SUMS + max(3, channels)  # at least as many columns as `_sum_pairs` takes at once
    of_pairs = (np.empty if channels >= 3 else np.zeros)((len(tiles.ranks), width), np.float32)
    lists = (tiles.shuffled, tiles.starts, tiles.ranks, tiles.rows, tiles.records)
    arranged = arranged_colors(tiles, colors)
    kernel = _rgb_gradient(wants_sizes) if channels == 3 else _gradient_channels
    in_threads(
        kernel,
        len(tiles.shuffled),
        TILES_AT_ONCE,
        *lists,
        arranged,
        picture,
        left,
        of_picture,
        of_alpha,
        of_pairs,
    )
    sums = np.zeros((len(colors), width), np.float32)
    in_threads(
        _sum_pairs,
        len(tiles.order),
        4096,
        tiles.order,
        tiles.firsts,
        tiles.num_tiles,
        tiles.places,
        of_pairs,
        sums,
    )
    return sums[:, : SUMS + channels]


@compiled
def _start(scratch, left, top, picture, picture_left, of_picture, of_alpha):
    """A tile's pixels, with the gradient there, and what that makes of all of the picture: v · picture, of which the
    background's share is last, less what alpha asks for."""
    height, width = picture_left.shape
    start_tile(scratch, left, top, width, height)
    scratch[_BEHIND:] = ZERO
    for row in range(min(TILE, height - top)):
        for column in range(min(TILE, width - left)):
            i = np.uint64(row * TILE + column)
            y, x = top + row, left + column
            behind = -picture_left[y, x] * of_alpha[y, x]
            for channel in range(np.uint64(of_picture.shape[2])):
                value = of_picture[y, x, channel]
                scratch[_BY_RED + channel * _STEP + i] = value
                behind += value * picture[y, x, channel]
            scratch[_BEHIND + i] = behind


@compiled
def _store(of_pairs, pair, record, of_power, sums):
    """From sums over pixels of dL/ds times u, u dx, u dy, dy, dy² (s the exponent, u its first term's root) to the
    gradients by centre and root, which are stored as a quarter."""
    by_u, by_ux, by_uy, by_y, by_yy, size_x, size_y = sums
    r00, r01, r11 = record[2], record[3], record[4]
    four, sixteen = np.float32(4), np.float32(16)
    of_pairs[pair, 0] = -sixteen * by_u * r00
    of_pairs[pair, 1] = -sixteen * (by_u * r01 + by_y * r11 * r11)
    of_pairs[pair, 2] = four * by_ux
    of_pairs[pair, 3] = four * by_uy
    of_pairs[pair, 4] = four * by_yy * r11
    of_pairs[pair, 5] = of_power
    of_pairs[pair, 6] = sixteen * size_x
    of_pairs[pair, 7] = sixteen * size_y


@compiled
def _clear(of_pairs, first, last):
    """Pairs behind full pixels have no gradient."""
    for pair in range(first, last):
        for column in range(of_pairs.shape[1]):
            of_pairs[pair, column] = ZERO


@cache
def _rgb_gradient(wants_sizes: bool) -> Kernel:
    """The kernel for three channels; `wants_sizes` is a constant in its code."""

    @compiled
    def gradient_rgb(
        start,
        stop,
        shuffled,
        starts,
        ranks,
        rows,
        records,
        colors,
        picture,
        left,
        of_picture,
        of_alpha,
        of_pairs,
    ):
        columns = (left.shape[1] + TILE - 1) // TILE
        scratch = aligned_scratch(7 * PIXELS)
        for number in range(start, stop):
            tile = shuffled[number]
            _start(
                scratch, tile % columns * TILE, tile // columns * TILE, picture, left, of_picture, of_alpha
            )
            for pair in range(starts[tile], starts[tile + 1]):
                x, y, opacity, limit = records[pair, 0], records[pair, 1], records[pair, 5], -records[pair, 6]
                r00, r01, r11 = records[pair, 2], records[pair, 3], records[pair, 4]
                red, green, blue = colors[pair, 0], colors[pair, 1], colors[pair, 2]
                of_red, of_green, of_blue, of_opacity = ZERO, ZERO, ZERO, ZERO
                by_u, by_ux, by_uy, by_y, by_yy, size_x, size_y = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
                for i in range(np.uint64(rows[pair, 0] * TILE), np.uint64(rows[pair, 1] * TILE)):
                    dx, dy = scratch[_X + i] - x, scratch[_Y + i] - y
                    across, down = r00 * dx + r01 * dy, r11 * dy
                    e = -(across * across + down * down)
                    power = EXP_0 + e * (EXP_1 + e * (EXP_2 + e * (EXP_3 + e * (EXP_4 + e * EXP_5))))
                    power = power * power
                    power = power * power
                    power = power * power if e >= limit else ZERO
                    unbounded = opacity * power
                    alpha = min(unbounded, LARGEST_ALPHA)
                    before = scratch[_LEFT + i]
                    after = before - alpha * before
                    is_seen = after > FULL_BELOW
                    weight = alpha * before if is_seen else ZERO
                    scratch[_LEFT + i] = after if is_seen else -abs(before)
                    by_red, by_green, by_blue = (
                        scratch[_BY_RED + i],
                        scratch[_BY_GREEN + i],
                        scratch[_BY_BLUE + i],
                    )
                    by_weight = red * by_red + green * by_green + blue * by_blue
                    rest = scratch[_BEHIND + i] - weight * by_weight
                    scratch[_BEHIND + i] = rest
                    by_alpha = before * by_weight - rest / (ONE - alpha)
                    by_alpha = by_alpha if (weight > ZERO and unbounded < LARGEST_ALPHA) else ZERO
                    of_opacity += power * by_alpha
                    by_exponent = -unbounded * by_alpha
                    along = by_exponent * across
                    by_u += along
                    by_ux += along * dx
                    by_uy += along * dy
                    by_y += by_exponent * dy
                    by_yy += by_exponent * dy * dy
                    if wants_sizes:
                        size_x += abs(along)
                        size_y += abs(along * r01 + by_exponent * down * r11)
                    of_red += weight * by_red
                    of_green += weight * by_green
                    of_blue += weight * by_blue
                sums = (by_u, by_ux, by_uy, by_y, by_yy, size_x * r00, size_y)
                _store(of_pairs, pair, records[pair], of_opacity, sums)
                of_pairs[pair, 8], of_pairs[pair, 9], of_pairs[pair, 10] = of_red, of_green, of_blue
                if pair % CHECKED_EVERY == 0 and is_full(scratch):
                    _clear(of_pairs, pair + 1, starts[tile + 1])
                    break

    return gradient_rgb


@compiled
def _gradient_channels(
    start, stop, shuffled, starts, ranks, rows, records, colors, picture, left, of_picture, of_alpha, of_pairs
):
    columns = (left.shape[1] + TILE - 1) // TILE
    channels = np.uint64(colors.shape[1])
    last_row = _BY_RED + channels * _STEP
    scratch = aligned_scratch((6 + colors.shape[1]) * PIXELS)
    for number in range(start, stop):
        tile = shuffled[number]
        _start(scratch, tile % columns * TILE, tile // columns * TILE, picture, left, of_picture, of_alpha)
        for pair in range(starts[tile], starts[tile + 1]):
            k = ranks[pair]
            first, last = np.uint64(rows[pair, 0] * TILE), np.uint64(rows[pair, 1] * TILE)
            _set_by_weight(scratch, first, last, last_row, colors[k])
            of_power, sums = _lay_over_gradient(scratch, first, last, last_row, records[pair])
            _store(of_pairs, pair, records[pair], of_power, sums)
            for channel in range(channels):
                total, place = ZERO, _BY_RED + channel * _STEP
                for i in range(first, last):
                    total += scratch[last_row + _STEP + i] * scratch[place + i]
                of_pairs[pair, np.uint64(SUMS) + channel] = total
            if pair % CHECKED_EVERY == 0 and is_full(scratch):
                _clear(of_pairs, pair + 1, starts[tile + 1])
                break


@compiled
def _set_by_weight(scratch: Any, first: Any, last: Any, place: Any, colors: Any) -> None:
    """v · c of each pixel."""
    for i in range(first, last):
        scratch[place + i] = ZERO
    for channel in range(np.uint64(len(colors))):
        value, by_channel = colors[channel], _BY_RED + channel * _STEP
        for i in range(first, last):
            scratch[place + i] += value * scratch[by_channel + i]


@compiled
def _lay_over_gradient(scratch: Any, first: Any, last: Any, place: Any, record: Any) -> Any:
    """As for three channels, with v · c at `place` and the weights left behind it."""
    x, y, opacity, limit = record[0], record[1], record[5], -record[6]
    r00, r01, r11 = record[2], record[3], record[4]
    of_opacity = ZERO
    by_u, by_ux, by_uy, by_y, by_yy, size_x, size_y = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
    for i in range(first, last):
        dx, dy = scratch[_X + i] - x, scratch[_Y + i] - y
        across, down = r00 * dx + r01 * dy, r11 * dy
        e = -(across * across + down * down)
        power = EXP_0 + e * (EXP_1 + e * (EXP_2 + e * (EXP_3 + e * (EXP_4 + e * EXP_5))))
        power = power * power
        power = power * power
        power = power * power if e >= limit else ZERO
        unbounded = opacity * power
        alpha = min(unbounded, LARGEST_ALPHA)
        before = scratch[_LEFT + i]
        after = before - alpha * before
        is_seen = after > FULL_BELOW
        weight = alpha * before if is_seen else ZERO
        scratch[_LEFT + i] = after if is_seen else -abs(before)
        by_weight = scratch[place + i]
        rest = scratch[_BEHIND + i] - weight * by_weight
        scratch[_BEHIND + i] = rest
        by_alpha = before * by_weight - rest / (ONE - alpha)
        by_alpha = by_alpha if (weight > ZERO and unbounded < LARGEST_ALPHA) else ZERO
        of_opacity += power * by_alpha
        by_exponent = -unbounded * by_alpha
        along = by_exponent * across
        by_u += along
        by_ux += along * dx
        by_uy += along * dy
        by_y += by_exponent * dy
        by_yy += by_exponent * dy * dy
        size_x += abs(along)
        size_y += abs(along * r01 + by_exponent * down * r11)
        scratch[place + _STEP + i] = weight
    return of_opacity, (by_u, by_ux, by_uy, by_y, by_yy, size_x * r00, size_y)


@compiled
def _sum_pairs(start, stop, order, firsts, num_tiles, places, of_pairs, sums):
    """Sums in local variables: the compiler cannot know that what it writes to is not what it reads from."""
    for k in range(start, stop):
        i, first, last = order[k], firsts[k], firsts[k] + num_tiles[k]
        a, b, c, d, e, f = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
        g, h, red, green, blue = ZERO, ZERO, ZERO, ZERO, ZERO
        for pair in range(first, last):
            place = places[pair]
            a, b, c = a + of_pairs[place, 0], b + of_pairs[place, 1], c + of_pairs[place, 2]
            d, e, f = d + of_pairs[place, 3], e + of_pairs[place, 4], f + of_pairs[place, 5]
            g, h, red = g + of_pairs[place, 6], h + of_pairs[place, 7], red + of_pairs[place, 8]
            green, blue = green + of_pairs[place, 9], blue + of_pairs[place, 10]
        sums[i, 0], sums[i, 1], sums[i, 2], sums[i, 3], sums[i, 4], sums[i, 5] = a, b, c, d, e, f
        sums[i, 6], sums[i, 7], sums[i, 8], sums[i, 9], sums[i, 10] = g, h, red, green, blue
        for column in range(11, of_pairs.shape[1]):
            total = ZERO
            for pair in range(first, last):
                total += of_pairs[places[pair], column]
            sums[i, column] = total
