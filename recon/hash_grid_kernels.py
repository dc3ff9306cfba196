"""Numba kernels of the hash grid: features and their slopes at points, and the way back into the table.

Arrays of a level l: scales[l], resolutions[l], is_dense[l], and the rows offsets[l] to offsets[l + 1] of the table.
A point (x, y, z) lies in the cell floor(x * scale + 0.5); entries (8,) of its corners are in the order
000 100 010 110 001 101 011 111 of x, y, z. `recon.hash_grid.torch_jets` says the same, readably.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from recon.hash_grid_layout import Levels

PRIMES = (1, 2654435761, 805459861)

_PRIME_Y, _PRIME_Z = PRIMES[1:]
_CHUNK = 512  # points whose features and slopes stay in the cache while the levels pass over them
_HALF, _ONE, _ZERO = np.float32(0.5), np.float32(1), np.float32(0)

Float = NDArray[np.float32]
F = TypeVar("F")


def _compiled(function: F) -> F:
    return cast(F, numba.njit(cache=True, fastmath=True, nogil=True, parallel=True)(function))


def _inlined(function: F) -> F:
    return cast(F, numba.njit(cache=True, fastmath=True, nogil=True)(function))


@_inlined
def _cell(value: Any, scale: Any) -> Any:
    """Cell, place in it in [0, 1), and the slope of that place by `value`, which is 0 outside [0, 1]."""
    clamped = min(max(value, _ZERO), _ONE)
    position = clamped * scale + _HALF
    cell = np.int64(position)  # Never negative, so that cutting is rounding down.
    return cell, position - np.float32(cell), scale if clamped == value else _ZERO


@_inlined
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


@_compiled
def features(points: Float, table: Float, levels: Levels, out: Float) -> None:
    """points: (N, 3). table: (T, F). Writes out: (N, L * F)."""
    scales, resolutions, is_dense, offsets = levels
    width = table.shape[1]
    for chunk in numba.prange((len(points) + _CHUNK - 1) // _CHUNK):
        for level in range(len(scales)):
            mask = offsets[level + 1] - offsets[level] - 1
            for i in range(chunk * _CHUNK, min((chunk + 1) * _CHUNK, len(points))):
                x, u, _ = _cell(points[i, 0], scales[level])
                y, v, _ = _cell(points[i, 1], scales[level])
                z, w, _ = _cell(points[i, 2], scales[level])
                a, b, c, d, e, f, g, h = _entries(
                    x, y, z, resolutions[level], is_dense[level], offsets[level], mask
                )
                for k in range(width):
                    ab = table[a, k] + u * (table[b, k] - table[a, k])
                    cd = table[c, k] + u * (table[d, k] - table[c, k])
                    ef = table[e, k] + u * (table[f, k] - table[e, k])
                    gh = table[g, k] + u * (table[h, k] - table[g, k])
                    near = ab + v * (cd - ab)
                    far = ef + v * (gh - ef)
                    out[i, level * width + k] = near + w * (far - near)


@_compiled
def jets(points: Float, table: Float, levels: Levels, out: Float, slopes: Float) -> None:
    """As `features`; writes slopes: (N, L * F, 3), the derivatives of the features by the point, too."""
    scales, resolutions, is_dense, offsets = levels
    width = table.shape[1]
    for chunk in numba.prange((len(points) + _CHUNK - 1) // _CHUNK):
        for level in range(len(scales)):
            mask = offsets[level + 1] - offsets[level] - 1
            for i in range(chunk * _CHUNK, min((chunk + 1) * _CHUNK, len(points))):
                x, u, slope_u = _cell(points[i, 0], scales[level])
                y, v, slope_v = _cell(points[i, 1], scales[level])
                z, w, slope_w = _cell(points[i, 2], scales[level])
                a, b, c, d, e, f, g, h = _entries(
                    x, y, z, resolutions[level], is_dense[level], offsets[level], mask
                )
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
                    slopes[i, place, 0] = slope_u * (step_near + w * (step_far - step_near))
                    slopes[i, place, 1] = slope_v * (cd - ab + w * (gh - ef - cd + ab))
                    slopes[i, place, 2] = slope_w * (far - near)


@_compiled
def add_features_gradient(points: Float, levels: Levels, of_out: Float, of_table: Float) -> None:
    """The transpose of `features`: adds to of_table (T, F). Levels own disjoint rows, so nothing is raced for and
    the sums are always in the same order."""
    scales, resolutions, is_dense, offsets = levels
    width = of_table.shape[1]
    for level in numba.prange(len(scales)):
        mask = offsets[level + 1] - offsets[level] - 1
        for i in range(len(points)):
            x, u, _ = _cell(points[i, 0], scales[level])
            y, v, _ = _cell(points[i, 1], scales[level])
            z, w, _ = _cell(points[i, 2], scales[level])
            a, b, c, d, e, f, g, h = _entries(
                x, y, z, resolutions[level], is_dense[level], offsets[level], mask
            )
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


@_compiled
def add_jets_gradient(
    points: Float, levels: Levels, of_out: Float, of_slopes: Float, of_table: Float
) -> None:
    """The transpose of `jets`: adds to of_table (T, F), as `add_features_gradient`."""
    scales, resolutions, is_dense, offsets = levels
    width = of_table.shape[1]
    for level in numba.prange(len(scales)):
        mask = offsets[level + 1] - offsets[level] - 1
        for i in range(len(points)):
            x, u, slope_u = _cell(points[i, 0], scales[level])
            y, v, slope_v = _cell(points[i, 1], scales[level])
            z, w, slope_w = _cell(points[i, 2], scales[level])
            a, b, c, d, e, f, g, h = _entries(
                x, y, z, resolutions[level], is_dense[level], offsets[level], mask
            )
            for k in range(width):
                place = level * width + k
                value = of_out[i, place]
                along_x = of_slopes[i, place, 0] * slope_u
                along_y = of_slopes[i, place, 1] * slope_v
                along_z = of_slopes[i, place, 2] * slope_w
                far = value * w + along_z
                near = value - far
                y_far, y_near = along_y * w, along_y - along_y * w
                cd, gh = near * v + y_near, far * v + y_far
                ab, ef = near - cd, far - gh
                x_far, x_near = along_x * w, along_x - along_x * w
                b_part = ab * u + x_near - x_near * v
                d_part = cd * u + x_near * v
                f_part = ef * u + x_far - x_far * v
                h_part = gh * u + x_far * v
                of_table[a, k] += ab - b_part
                of_table[b, k] += b_part
                of_table[c, k] += cd - d_part
                of_table[d, k] += d_part
                of_table[e, k] += ef - f_part
                of_table[f, k] += f_part
                of_table[g, k] += gh - h_part
                of_table[h, k] += h_part
