"""Colours of Gaussians seen from a camera, by the spherical harmonics of 3DGS, and the way back.

The basis is that of `render.spherical_harmonics`, up to degree 4, written out and with its slopes.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math
from typing import Any

import numpy as np

from render.compiled import Double, Float, Index, compiled_for_any_number, in_threads

CHUNK = 2048


def seen_colors(degree: int, means: Float, position: Double, sh: Float, radii: Index) -> Float:
    """Colours (N, 3), not negative, of Gaussians whose radii (N, 2) are not 0. means: (N, 3). position: (3,) of the
    camera. sh: (N, K, 3), of which (degree + 1)² are used."""
    colors = np.zeros((len(means), 3), np.float32)
    where = np.ascontiguousarray(position, np.float64)
    in_threads(_seen_colors, len(means), CHUNK, degree, means, where, sh, radii, colors)
    return colors


def seen_colors_gradient(
    degree: int, means: Float, position: Double, sh: Float, radii: Index, colors: Float, of_colors: Float
) -> tuple[Float, Float]:
    """The gradients by means (N, 3) and sh (N, K, 3); that by the position is minus the means' sum."""
    of_means, of_sh = np.zeros_like(means), np.zeros_like(sh)
    where = np.ascontiguousarray(position, np.float64)
    in_threads(
        _seen_colors_gradient,
        len(means),
        CHUNK,
        degree,
        means,
        where,
        sh,
        radii,
        colors,
        of_colors,
        of_means,
        of_sh,
    )
    return of_means, of_sh


@compiled_for_any_number
def _set_basis(degree: int, x: Any, y: Any, z: Any, basis: Any) -> None:
    """basis (25,): the functions at a unit direction."""
    basis[0] = 0.28209479177387814
    if degree < 1:
        return
    basis[1], basis[2], basis[3] = -0.4886025119029199 * y, 0.4886025119029199 * z, -0.4886025119029199 * x
    if degree < 2:
        return
    xx, yy, zz, xy = x * x, y * y, z * z, x * y
    basis[4], basis[5] = 1.0925484305920792 * xy, -1.0925484305920792 * y * z
    basis[6], basis[7] = 0.31539156525252005 * (3 * zz - 1), -1.0925484305920792 * x * z
    basis[8] = 0.5462742152960396 * (xx - yy)
    if degree < 3:
        return
    basis[9], basis[10] = -0.5900435899266435 * y * (3 * xx - yy), 2.890611442640554 * xy * z
    basis[11], basis[13] = -0.4570457994644658 * y * (5 * zz - 1), -0.4570457994644658 * x * (5 * zz - 1)
    basis[12] = 0.3731763325901154 * z * (5 * zz - 3)
    basis[14], basis[15] = 1.445305721320277 * z * (xx - yy), -0.5900435899266435 * x * (xx - 3 * yy)
    if degree < 4:
        return
    basis[16], basis[17] = 2.5033429417967046 * xy * (xx - yy), -1.7701307697799304 * y * z * (3 * xx - yy)
    basis[18], basis[19] = 0.9461746957575601 * xy * (7 * zz - 1), -0.6690465435572892 * y * z * (7 * zz - 3)
    basis[20] = 0.10578554691520431 * (35 * zz * zz - 30 * zz + 3)
    basis[21], basis[22] = (
        -0.6690465435572892 * x * z * (7 * zz - 3),
        0.47308734787878004 * (xx - yy) * (7 * zz - 1),
    )
    basis[23] = -1.7701307697799304 * x * z * (xx - 3 * yy)
    basis[24] = 0.6258357354491761 * (xx * (xx - 3 * yy) - yy * (3 * xx - yy))


@compiled_for_any_number
def _set_slopes(degree: int, x: Any, y: Any, z: Any, slopes: Any) -> None:
    """slopes (25, 3) of the polynomials that `_set_basis` evaluates, by x, y, z taken as independent."""
    slopes[:] = 0
    if degree < 1:
        return
    slopes[1, 1], slopes[2, 2], slopes[3, 0] = -0.4886025119029199, 0.4886025119029199, -0.4886025119029199
    if degree < 2:
        return
    xx, yy, zz, xy = x * x, y * y, z * z, x * y
    second = 1.0925484305920792
    slopes[4, 0], slopes[4, 1] = second * y, second * x
    slopes[5, 1], slopes[5, 2] = -second * z, -second * y
    slopes[6, 2] = 0.31539156525252005 * 6 * z
    slopes[7, 0], slopes[7, 2] = -second * z, -second * x
    slopes[8, 0], slopes[8, 1] = second * x, -second * y
    if degree < 3:
        return
    a, b, c, d, e = (
        0.5900435899266435,
        2.890611442640554,
        0.4570457994644658,
        0.3731763325901154,
        1.445305721320277,
    )
    slopes[9, 0], slopes[9, 1] = -a * 6 * xy, -a * 3 * (xx - yy)
    slopes[10, 0], slopes[10, 1], slopes[10, 2] = b * y * z, b * x * z, b * xy
    slopes[11, 1], slopes[11, 2] = -c * (5 * zz - 1), -c * 10 * y * z
    slopes[12, 2] = d * (15 * zz - 3)
    slopes[13, 0], slopes[13, 2] = -c * (5 * zz - 1), -c * 10 * x * z
    slopes[14, 0], slopes[14, 1], slopes[14, 2] = e * 2 * x * z, -e * 2 * y * z, e * (xx - yy)
    slopes[15, 0], slopes[15, 1] = -a * 3 * (xx - yy), a * 6 * xy
    if degree < 4:
        return
    _set_fourth_slopes(x, y, z, slopes)


@compiled_for_any_number
def _set_fourth_slopes(x: Any, y: Any, z: Any, slopes: Any) -> None:
    xx, yy, zz, xy = x * x, y * y, z * z, x * y
    a, b, c = 2.5033429417967046, 1.7701307697799304, 0.9461746957575601
    d, e, f, g = 0.6690465435572892, 0.10578554691520431, 0.47308734787878004, 0.6258357354491761
    slopes[16, 0], slopes[16, 1] = a * y * (3 * xx - yy), a * x * (xx - 3 * yy)
    slopes[17, 0], slopes[17, 1] = -b * 6 * xy * z, -b * 3 * z * (xx - yy)
    slopes[17, 2] = -b * y * (3 * xx - yy)
    slopes[18, 0], slopes[18, 1], slopes[18, 2] = c * y * (7 * zz - 1), c * x * (7 * zz - 1), c * 14 * xy * z
    slopes[19, 1], slopes[19, 2] = -d * z * (7 * zz - 3), -d * y * (21 * zz - 3)
    slopes[20, 2] = e * (140 * zz * z - 60 * z)
    slopes[21, 0], slopes[21, 2] = -d * z * (7 * zz - 3), -d * x * (21 * zz - 3)
    slopes[22, 0], slopes[22, 1] = f * 2 * x * (7 * zz - 1), -f * 2 * y * (7 * zz - 1)
    slopes[22, 2] = f * 14 * z * (xx - yy)
    slopes[23, 0], slopes[23, 1] = -b * 3 * z * (xx - yy), b * 6 * xy * z
    slopes[23, 2] = -b * x * (xx - 3 * yy)
    slopes[24, 0], slopes[24, 1] = g * 4 * x * (xx - 3 * yy), g * 4 * y * (yy - 3 * xx)


@compiled_for_any_number
def _set_direction(means: Any, i: int, position: Any, direction: Any) -> float:
    """The unit direction from the camera to a Gaussian; returns one over the distance."""
    x, y, z = means[i, 0] - position[0], means[i, 1] - position[1], means[i, 2] - position[2]
    closeness = 1 / math.sqrt(max(x * x + y * y + z * z, 1e-30))
    direction[0], direction[1], direction[2] = x * closeness, y * closeness, z * closeness
    return closeness


@compiled_for_any_number
def _seen_colors(start, stop, degree, means, position, sh, radii, colors):
    basis, direction = np.empty(25, np.float32), np.empty(3)
    half, zero = np.float32(0.5), np.float32(0)
    for i in range(start, stop):
        if radii[i, 0] == 0:
            continue
        _set_direction(means, i, position, direction)
        _set_basis(degree, direction[0], direction[1], direction[2], basis)
        red, green, blue = half, half, half
        for k in range((degree + 1) ** 2):
            red += basis[k] * sh[i, k, 0]
            green += basis[k] * sh[i, k, 1]
            blue += basis[k] * sh[i, k, 2]
        colors[i, 0], colors[i, 1], colors[i, 2] = max(red, zero), max(green, zero), max(blue, zero)


@compiled_for_any_number
def _seen_colors_gradient(
    start, stop, degree, means, position, sh, radii, colors, of_colors, of_means, of_sh
):
    basis, slopes, direction = np.empty(25, np.float32), np.empty((25, 3)), np.empty(3)
    zero = np.float32(0)
    for i in range(start, stop):
        if radii[i, 0] == 0:
            continue
        closeness = _set_direction(means, i, position, direction)
        x, y, z = direction[0], direction[1], direction[2]
        _set_basis(degree, x, y, z, basis)
        red = of_colors[i, 0] if colors[i, 0] > zero else zero
        green = of_colors[i, 1] if colors[i, 1] > zero else zero
        blue = of_colors[i, 2] if colors[i, 2] > zero else zero
        for k in range((degree + 1) ** 2):
            of_sh[i, k, 0], of_sh[i, k, 1], of_sh[i, k, 2] = basis[k] * red, basis[k] * green, basis[k] * blue
        if degree == 0:
            continue
        _set_slopes(degree, x, y, z, slopes)
        of_x, of_y, of_z = 0.0, 0.0, 0.0
        for k in range(1, (degree + 1) ** 2):
            of_basis = sh[i, k, 0] * red + sh[i, k, 1] * green + sh[i, k, 2] * blue
            of_x += slopes[k, 0] * of_basis
            of_y += slopes[k, 1] * of_basis
            of_z += slopes[k, 2] * of_basis
        along = of_x * x + of_y * y + of_z * z
        of_means[i, 0] = (of_x - along * x) * closeness
        of_means[i, 1] = (of_y - along * y) * closeness
        of_means[i, 2] = (of_z - along * z) * closeness
