"""Numba kernels of the hash grid: features and their slopes at points, and the way back into the table.

A point lies in the cell floor(x * scale + 0.5) of each level; the rows of the table of the cell's corners are in the
order 000 100 010 110 001 101 011 111 of x, y, z. `recon.hash_grid.torch_jets` says the same, readably.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from render.compiled import compiled, compiled_in_parallel
from render.hash_grid_layout import Levels

PRIMES = (1, 2654435761, 805459861)

_PRIME_Y, _PRIME_Z = PRIMES[1:]
_HALF, _ONE, _ZERO = np.float32(0.5), np.float32(1), np.float32(0)

Float = NDArray[np.float32]


@compiled
def _cell(value: Any, scale: Any) -> Any:
    """Cell, place in it in [0, 1), and the slope of that place by `value`, which is 0 outside [0, 1]."""
    clamped = min(max(value, _ZERO), _ONE)
    position = clamped * scale + _HALF
    cell = np.int64(position)  # Never negative, so that cutting is rounding down.
    return cell, position - np.float32(cell), scale if clamped == value else _ZERO


@compiled
def _entries(x: Any, y: Any, z: Any, resolution: Any, is_dense: Any, offset: Any, mask: Any) -> Any:
    """Rows of the table of the 8 corners of a cell."""
    if is_dense:
        last = resolution - 1
        x0, x1 = offset + min(x, last), offset + min(x + 1, last)
        y0, y1 = min(y, last) * resolution, min(y + 1, last) * resolution
        z0, z1 = min(z, last) * resolution * resolution, min(z + 1, last) * resolution * resolution
        return (
            x0 + y0 + z0, x1 + y0 + z0, x0 + y1 + z0, x1 + y1 + z0,
            x0 + y0 + z1, x1 + y0 + z1, x0 + y1 + z1, x1 + y1 + z1,
        )  # fmt: skip
    x1, y0, z0 = x + 1, y * _PRIME_Y, z * _PRIME_Z
    y1, z1 = y0 + _PRIME_Y, z0 + _PRIME_Z
    return (
        offset + ((x ^ y0 ^ z0) & mask), offset + ((x1 ^ y0 ^ z0) & mask),
        offset + ((x ^ y1 ^ z0) & mask), offset + ((x1 ^ y1 ^ z0) & mask),
        offset + ((x ^ y0 ^ z1) & mask), offset + ((x1 ^ y0 ^ z1) & mask),
        offset + ((x ^ y1 ^ z1) & mask), offset + ((x1 ^ y1 ^ z1) & mask),
    )  # fmt: skip


@compiled
def _locate(points: Any, i: Any, of_level: Any) -> Any:
    """The corners' rows, the place in the cell (3,) and its slopes (3,)."""
    scale, resolution, is_dense, offset, end = of_level
    x, u, slope_u = _cell(points[i, 0], scale)
    y, v, slope_v = _cell(points[i, 1], scale)
    z, w, slope_w = _cell(points[i, 2], scale)
    rows = _entries(x, y, z, resolution, is_dense, offset, end - offset - 1)
    return rows, (u, v, w), (slope_u, slope_v, slope_w)


@dataclass(frozen=True)
class Kernels:
    """The four ways between points and a table (T, F), made for one F.

    features(points (N, 3), table, levels, chunk, out (N, L * F)) writes the features; chunk: points a thread takes
    at once. jets(…, slopes (N, L * F, 3)) writes their derivatives by the point, too.
    add_features_gradient(points, levels, of_out, of_table) and add_jets_gradient(…, of_out, of_slopes, of_table)
    are their transposes and add to of_table. Levels own disjoint rows of it, so nothing is raced for, and sums are
    always in the same order.
    """

    features: Callable[[Float, Float, Levels, int, Float], None]
    jets: Callable[[Float, Float, Levels, int, Float, Float], None]
    add_features_gradient: Callable[[Float, Levels, Float, Float], None]
    add_jets_gradient: Callable[[Float, Levels, Float, Float, Float], None]


@cache
def kernels(width: int) -> Kernels:
    """Kernels for `width` features a level: a constant in the code, so that a point's stay in registers."""
    return Kernels(_features(width), _jets(width), _add_features_gradient(width), _add_jets_gradient(width))


def _features(width: int) -> Any:
    @compiled_in_parallel
    def features(points: Any, table: Any, levels: Any, chunk: Any, out: Any) -> None:
        scales, resolutions, is_dense, offsets = levels
        for number in numba.prange((len(points) + chunk - 1) // chunk):
            for level in range(len(scales)):
                of_level = (
                    scales[level],
                    resolutions[level],
                    is_dense[level],
                    offsets[level],
                    offsets[level + 1],
                )
                for i in range(number * chunk, min((number + 1) * chunk, len(points))):
                    (a, b, c, d, e, f, g, h), (u, v, w), _ = _locate(points, i, of_level)
                    for k in range(width):
                        ab = table[a, k] + u * (table[b, k] - table[a, k])
                        cd = table[c, k] + u * (table[d, k] - table[c, k])
                        ef = table[e, k] + u * (table[f, k] - table[e, k])
                        gh = table[g, k] + u * (table[h, k] - table[g, k])
                        near, far = ab + v * (cd - ab), ef + v * (gh - ef)
                        out[i, level * width + k] = near + w * (far - near)

    return features


def _jets(width: int) -> Any:
    @compiled_in_parallel
    def jets(points: Any, table: Any, levels: Any, chunk: Any, out: Any, slopes: Any) -> None:
        scales, resolutions, is_dense, offsets = levels
        for number in numba.prange((len(points) + chunk - 1) // chunk):
            for level in range(len(scales)):
                of_level = (
                    scales[level],
                    resolutions[level],
                    is_dense[level],
                    offsets[level],
                    offsets[level + 1],
                )
                for i in range(number * chunk, min((number + 1) * chunk, len(points))):
                    (a, b, c, d, e, f, g, h), (u, v, w), by_point = _locate(points, i, of_level)
                    for k in range(width):
                        step_ab, step_cd = table[b, k] - table[a, k], table[d, k] - table[c, k]
                        step_ef, step_gh = table[f, k] - table[e, k], table[h, k] - table[g, k]
                        ab, cd = table[a, k] + u * step_ab, table[c, k] + u * step_cd
                        ef, gh = table[e, k] + u * step_ef, table[g, k] + u * step_gh
                        near, far = ab + v * (cd - ab), ef + v * (gh - ef)
                        step_near = step_ab + v * (step_cd - step_ab)
                        step_far = step_ef + v * (step_gh - step_ef)
                        place = level * width + k
                        out[i, place] = near + w * (far - near)
                        slopes[i, place, 0] = by_point[0] * (step_near + w * (step_far - step_near))
                        slopes[i, place, 1] = by_point[1] * (cd - ab + w * (gh - ef - cd + ab))
                        slopes[i, place, 2] = by_point[2] * (far - near)

    return jets


def _add_features_gradient(width: int) -> Any:
    @compiled_in_parallel
    def add_features_gradient(points: Any, levels: Any, of_out: Any, of_table: Any) -> None:
        scales, resolutions, is_dense, offsets = levels
        for level in numba.prange(len(scales)):
            of_level = scales[level], resolutions[level], is_dense[level], offsets[level], offsets[level + 1]
            for i in range(len(points)):
                (a, b, c, d, e, f, g, h), (u, v, w), _ = _locate(points, i, of_level)
                for k in range(width):
                    value = of_out[i, level * width + k]
                    far = value * w
                    near = value - far
                    cd, gh = near * v, far * v
                    ab, ef = near - cd, far - gh
                    of_table[a, k] += ab - ab * u
                    of_table[b, k] += ab * u
                    of_table[c, k] += cd - cd * u
                    of_table[d, k] += cd * u
                    of_table[e, k] += ef - ef * u
                    of_table[f, k] += ef * u
                    of_table[g, k] += gh - gh * u
                    of_table[h, k] += gh * u

    return add_features_gradient


def _add_jets_gradient(width: int) -> Any:
    @compiled_in_parallel
    def add_jets_gradient(points: Any, levels: Any, of_out: Any, of_slopes: Any, of_table: Any) -> None:
        scales, resolutions, is_dense, offsets = levels
        for level in numba.prange(len(scales)):
            of_level = scales[level], resolutions[level], is_dense[level], offsets[level], offsets[level + 1]
            for i in range(len(points)):
                (a, b, c, d, e, f, g, h), (u, v, w), by_point = _locate(points, i, of_level)
                for k in range(width):
                    place = level * width + k
                    along_x = of_slopes[i, place, 0] * by_point[0]
                    along_y = of_slopes[i, place, 1] * by_point[1]
                    far = of_out[i, place] * w + of_slopes[i, place, 2] * by_point[2]
                    near = of_out[i, place] - far
                    y_far, x_far = along_y * w, along_x * w
                    y_near, x_near = along_y - y_far, along_x - x_far
                    cd, gh = near * v + y_near, far * v + y_far
                    ab, ef = near - cd, far - gh
                    b_part, d_part = ab * u + x_near - x_near * v, cd * u + x_near * v
                    f_part, h_part = ef * u + x_far - x_far * v, gh * u + x_far * v
                    of_table[a, k] += ab - b_part
                    of_table[b, k] += b_part
                    of_table[c, k] += cd - d_part
                    of_table[d, k] += d_part
                    of_table[e, k] += ef - f_part
                    of_table[f, k] += f_part
                    of_table[g, k] += gh - h_part
                    of_table[h, k] += h_part

    return add_jets_gradient


@compiled_in_parallel
def pull_back(by_features: Float, slopes: Float, out: Float) -> None:
    """out (N, 3) = by_features (N, K) times slopes (N, K, 3), point by point."""
    for i in numba.prange(len(slopes)):
        x = y = z = _ZERO
        for k in range(slopes.shape[1]):
            x += by_features[i, k] * slopes[i, k, 0]
            y += by_features[i, k] * slopes[i, k, 1]
            z += by_features[i, k] * slopes[i, k, 2]
        out[i, 0], out[i, 1], out[i, 2] = x, y, z


@compiled_in_parallel
def pull_back_gradient(
    by_features: Float, slopes: Float, of_out: Float, of_by_features: Float, of_slopes: Float
) -> None:
    """The gradients of `pull_back` by its two factors."""
    for i in numba.prange(len(slopes)):
        x, y, z = of_out[i, 0], of_out[i, 1], of_out[i, 2]
        for k in range(slopes.shape[1]):
            of_by_features[i, k] = slopes[i, k, 0] * x + slopes[i, k, 1] * y + slopes[i, k, 2] * z
            by_feature = by_features[i, k]
            of_slopes[i, k, 0], of_slopes[i, k, 1], of_slopes[i, k, 2] = (
                by_feature * x,
                by_feature * y,
                by_feature * z,
            )
