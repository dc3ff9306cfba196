"""Compiled loops over surfels: pooling pixels into them, spreading their values over a view, painting with them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.compiled import compiled

Float = NDArray[np.float32]
Keys = NDArray[np.uint64]

NUM_SUMS = 16  # rgb, place, normal, light × place, light, light², size, 1: all times trust
_JITTER = 0.7


@compiled
def mixed_bits(value: Any) -> Any:
    """A well mixed 64-bit number (splitmix64)."""
    value = np.uint64(value)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@compiled
def _cell_key(level: int, i: int, j: int, k: int, seed: Any) -> Any:
    """A number of a cell, never 0."""
    packed = (
        (np.uint64(i + (1 << 18)) & np.uint64(0x7FFFF)) << np.uint64(38)
        | (np.uint64(j + (1 << 18)) & np.uint64(0x7FFFF)) << np.uint64(19)
        | (np.uint64(k + (1 << 18)) & np.uint64(0x7FFFF))
    )
    packed ^= np.uint64(level + 64) << np.uint64(57)
    return mixed_bits(packed * np.uint64(0x9E3779B97F4A7C15) + seed) | np.uint64(1)


@compiled
def _nearest_cell(x: float, y: float, z: float, level: int, size: float, seed: Any) -> Any:
    """The key of the cell whose jittered point is nearest, of the eight around."""
    a, b, c = x / size - 0.5, y / size - 0.5, z / size - 0.5
    i, j, k = int(np.floor(a)), int(np.floor(b)), int(np.floor(c))
    best, nearest = np.uint64(1), 1e30
    for di in range(2):
        for dj in range(2):
            for dk in range(2):
                key = _cell_key(level, i + di, j + dj, k + dk, seed)
                u = (
                    i
                    + di
                    + _JITTER * (np.float64((key >> np.uint64(4)) & np.uint64(0xFFFFF)) / 1048576 - 0.5)
                    - a
                )
                v = (
                    j
                    + dj
                    + _JITTER * (np.float64((key >> np.uint64(24)) & np.uint64(0xFFFFF)) / 1048576 - 0.5)
                    - b
                )
                w = (
                    k
                    + dk
                    + _JITTER * (np.float64((key >> np.uint64(44)) & np.uint64(0xFFFFF)) / 1048576 - 0.5)
                    - c
                )
                distance = u * u + v * v + w * w
                if distance < nearest:
                    nearest, best = distance, key
    return best


@compiled
def gather(
    points: Float, lengths: Float, rgb: Float, normals: Float, light: Float, trust: Float, seed: Any, start: int,
    keys: Keys, sums: NDArray[np.float64], used: int, limit: int,
) -> tuple[int, int]:  # fmt: skip
    """Add points from `start` on to their cells, each by its trust, until `limit` cells are used: where it stopped, and
    how many are."""
    mask = np.uint64(len(keys) - 1)
    for p in range(start, len(points)):
        if used >= limit:
            return p, used
        level = int(np.floor(2 * np.log2(lengths[p]) + 0.5))
        size = 2.0 ** (level / 2)
        key = _nearest_cell(points[p, 0], points[p, 1], points[p, 2], level, size, seed)
        slot = (key >> np.uint64(20)) & mask
        while keys[slot] != 0 and keys[slot] != key:
            slot = (slot + np.uint64(1)) & mask
        if keys[slot] == 0:
            keys[slot] = key
            used += 1
        row, weight = sums[slot], np.float64(trust[p])
        for c in range(3):
            row[c] += weight * rgb[p, c]
            row[3 + c] += weight * points[p, c]
            row[6 + c] += weight * normals[p, c]
            row[9 + c] += weight * light[p] * points[p, c]
        row[12] += weight * light[p]
        row[13] += weight * light[p] * light[p]
        row[14] += weight * size
        row[15] += weight
    return len(points), used


@compiled
def moved_over(keys: Keys, sums: NDArray[np.float64], new_keys: Keys, new_sums: NDArray[np.float64]) -> None:
    """Put a table into a larger one."""
    mask = np.uint64(len(new_keys) - 1)
    for old in range(len(keys)):
        if keys[old] == 0:
            continue
        slot = (keys[old] >> np.uint64(20)) & mask
        while new_keys[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        new_keys[slot] = keys[old]
        new_sums[slot] = sums[old]


@compiled
def spread_values(
    places: Float, boxes: NDArray[np.int32], normals: Float, radii: Float, thickness: float, values: Float, points: Float,
    totals: Float, weights: Float,
) -> None:  # fmt: skip
    """Add to every pixel the values (M, C) of the surfels that its point lies near, by a weight (1 − q²/r²)².

    boxes: (M, 4) rows and columns that a surfel may touch. thickness: how far off its plane, in radii."""
    for m in range(len(places)):
        radius = radii[m]
        over, thick = np.float32(1) / (radius * radius), thickness * radius
        for row in range(boxes[m, 0], boxes[m, 1]):
            for column in range(boxes[m, 2], boxes[m, 3]):
                x = points[row, column, 0] - places[m, 0]
                y = points[row, column, 1] - places[m, 1]
                z = points[row, column, 2] - places[m, 2]
                rest = np.float32(1) - (x * x + y * y + z * z) * over
                if rest <= 0 or abs(x * normals[m, 0] + y * normals[m, 1] + z * normals[m, 2]) > thick:
                    continue
                weight = rest * rest
                weights[row, column] += weight
                for c in range(values.shape[1]):
                    totals[row, column, c] += weight * values[m, c]


@compiled
def nearest_two(
    places: Float, boxes: NDArray[np.int32], sizes: Float, points: Float, first: Float, second: Float,
    owner: NDArray[np.int32],
) -> None:  # fmt: skip
    """For every pixel the surfel whose middle is nearest, the squared distance to it and to the next, in sizes."""
    for m in range(len(places)):
        over = np.float32(1) / (sizes[m] * sizes[m])
        for row in range(boxes[m, 0], boxes[m, 1]):
            for column in range(boxes[m, 2], boxes[m, 3]):
                x = points[row, column, 0] - places[m, 0]
                y = points[row, column, 1] - places[m, 1]
                z = points[row, column, 2] - places[m, 2]
                distance = (x * x + y * y + z * z) * over
                if distance < first[row, column]:
                    second[row, column] = first[row, column]
                    first[row, column] = distance
                    owner[row, column] = m
                elif distance < second[row, column]:
                    second[row, column] = distance


@compiled
def paint_strokes(
    order: NDArray[np.int64], places: Float, boxes: NDArray[np.int32], normals: Float, along: Float, lengths: Float,
    widths: Float, colors: Float, phases: Float, points: Float, pixels: Float, canvas: Float, relief: Float, cover: Float,
) -> None:  # fmt: skip
    """Lay strokes over the canvas (H, W, 3) in that order: ellipses in the tangent plane, with bristles along them.

    along: (M, 3) unit. lengths, widths: (M,) half axes. phases: (M,) random. pixels: (M,) size of a
    pixel there: edges are no sharper, and narrow strokes have no bristles. relief: (H, W) height of the paint.
    cover: (H, W) how much is painted."""
    for n in range(len(order)):
        m = order[n]
        ax, ay, az = along[m, 0], along[m, 1], along[m, 2]
        nx, ny, nz = normals[m, 0], normals[m, 1], normals[m, 2]
        bx, by, bz = ny * az - nz * ay, nz * ax - nx * az, nx * ay - ny * ax
        across = widths[m] / pixels[m]
        soft = min(max(across * np.float32(0.4), np.float32(0.6)), np.float32(3.5))
        rough = min(max((across - np.float32(4)) / 6, np.float32(0)), np.float32(1))
        for row in range(boxes[m, 0], boxes[m, 1]):
            for column in range(boxes[m, 2], boxes[m, 3]):
                x = points[row, column, 0] - places[m, 0]
                y = points[row, column, 1] - places[m, 1]
                z = points[row, column, 2] - places[m, 2]
                u = (x * ax + y * ay + z * az) / lengths[m]
                v = (x * bx + y * by + z * bz) / widths[m]
                inside = np.float32(1) - u * u - v * v
                if (
                    inside <= 0
                    or abs(x * nx + y * ny + z * nz)
                    > np.float32(1.2) * widths[m] + np.float32(0.3) * lengths[m]
                ):
                    continue
                wave = v * np.float32(1.43) + phases[m] * np.float32(6.4) + u * np.float32(0.16)
                wave = abs(np.float32(2) * (wave - np.floor(wave)) - np.float32(1))
                bristle = wave * wave * (np.float32(3) - np.float32(2) * wave)
                share = min(np.float32(1), inside * soft)
                height = (
                    rough * (np.float32(0.55) + np.float32(0.45) * bristle) * min(np.float32(1), inside * 2)
                )
                gain = np.float32(1) + np.float32(0.10) * rough * (bristle - np.float32(0.5))
                for c in range(3):
                    canvas[row, column, c] += share * (colors[m, c] * gain - canvas[row, column, c])
                relief[row, column] += share * (height - relief[row, column])
                cover[row, column] += share * (np.float32(1) - cover[row, column])
