"""Where Gaussians lie in a picture.

A Gaussian's covariance is taken to the image plane by the projection's slope at its mean (EWA splatting, Zwicker et
al. 2001). Its inverse is kept as the upper triangular root R of Σ⁻¹ = RᵀR: the exponent ½|R d|² is then a sum of
squares, in which nothing cancels however long and thin the Gaussian is. All is computed in double precision, once a
Gaussian, and stored in single.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math
from typing import Any

import numpy as np

from render.compiled import Double, Float, Index, compiled_for_any_number, in_threads
from render.splatting_limits import ALPHA_MIN

CHUNK = 2048  # Gaussians a thread takes at once
_LARGEST = 1e30  # beyond it products leave what single precision can hold


def project(
    means: Float,
    quats: Float,
    scales: Float,
    opacities: Float,
    cam_from_world: Float,
    intrinsics: Double,
    limits: Double,
    blur: float,
    is_antialiased: bool,
) -> tuple[Float, Float, Float, Float, Index]:
    """Project N Gaussians.

    means: (N, 3). quats: (N, 4) wxyz, not zero. scales: (N, 3) standard deviations. opacities: (N,). cam_from_world:
    (4, 4). intrinsics: (6,) focal x, y and centre x, y in pixels, width, height. limits: (3,) nearest and farthest
    depth, and the radius in pixels that is too small to be drawn. blur: pixels² added to both variances.

    Returns means2d (N, 2) pixels, depths (N,), roots (N, 3): R's entries 00, 01, 11 in 1/pixels, compensations (N,):
    by how much the blur must fade the Gaussian to keep its light (Mip-Splatting, arXiv:2311.16493), radii (N, 2)
    pixels along x and y within which it is seen, 0 where it is not drawn; the rest is then 0.
    """
    count = len(means)
    means2d, depths = np.zeros((count, 2), np.float32), np.zeros(count, np.float32)
    roots, compensations = np.zeros((count, 3), np.float32), np.zeros(count, np.float32)
    radii = np.zeros((count, 2), np.int32)
    pose = np.ascontiguousarray(cam_from_world[:3], np.float64)
    of_scene = (means, quats, scales, opacities, pose, intrinsics, limits, float(blur), bool(is_antialiased))
    in_threads(_project, count, CHUNK, *of_scene, means2d, depths, roots, compensations, radii)
    return means2d, depths, roots, compensations, radii


@compiled_for_any_number
def set_rotation(w: float, x: float, y: float, z: float, out: Any) -> None:
    """out (3, 3): the rotation of a unit quaternion."""
    out[0, 0], out[0, 1], out[0, 2] = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
    out[1, 0], out[1, 1], out[1, 2] = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
    out[2, 0], out[2, 1], out[2, 2] = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)


@compiled_for_any_number
def frustum(intrinsics: Any) -> Any:
    """Bounds of x/z and of y/z, 30 % of half the picture beyond its borders: outside them the projection's slope
    is taken at the bound, as it grows without end beside the camera."""
    fx, fy, cx, cy, width, height = intrinsics
    beyond_x, beyond_y = 0.15 * width / fx, 0.15 * height / fy
    return (
        -(cx / fx + beyond_x),
        (width - cx) / fx + beyond_x,
        -(cy / fy + beyond_y),
        (height - cy) / fy + beyond_y,
    )


@compiled_for_any_number
def set_slope(x: float, y: float, z: float, intrinsics: Any, bounds: Any, pose: Any, slope: Any) -> None:
    """slope (2, 3) of pixels by the world's coordinates, at a point in the camera."""
    fx, fy = intrinsics[0], intrinsics[1]
    along_x = min(max(x / z, bounds[0]), bounds[1])
    along_y = min(max(y / z, bounds[2]), bounds[3])
    for k in range(3):
        slope[0, k] = fx / z * (pose[0, k] - along_x * pose[2, k])
        slope[1, k] = fy / z * (pose[1, k] - along_y * pose[2, k])


@compiled_for_any_number
def in_camera(means: Any, i: int, pose: Any, row: int) -> Any:
    return (
        pose[row, 0] * means[i, 0]
        + pose[row, 1] * means[i, 1]
        + pose[row, 2] * means[i, 2]
        + pose[row, 3]
    )  # fmt: skip


@compiled_for_any_number
def set_axes(slope: Any, rotation: Any, scales: Any, i: int, axes: Any) -> None:
    """axes (2, 3): the Gaussian's principal axes in pixels, so that Σ = axes · axesᵀ + blur."""
    for a in range(2):
        for b in range(3):
            axes[a, b] = scales[i, b] * (
                slope[a, 0] * rotation[0, b] + slope[a, 1] * rotation[1, b] + slope[a, 2] * rotation[2, b]
            )


@compiled_for_any_number
def covariance(axes: Any, blur: float) -> Any:
    """Variances along x and y, covariance, the determinant, and the root of that before the blur: the axes'
    cross product, without a difference in which anything cancels."""
    cross_x = axes[0, 1] * axes[1, 2] - axes[0, 2] * axes[1, 1]
    cross_y = axes[0, 2] * axes[1, 0] - axes[0, 0] * axes[1, 2]
    cross_z = axes[0, 0] * axes[1, 1] - axes[0, 1] * axes[1, 0]
    xx = axes[0, 0] * axes[0, 0] + axes[0, 1] * axes[0, 1] + axes[0, 2] * axes[0, 2]
    xy = axes[0, 0] * axes[1, 0] + axes[0, 1] * axes[1, 1] + axes[0, 2] * axes[1, 2]
    yy = axes[1, 0] * axes[1, 0] + axes[1, 1] * axes[1, 1] + axes[1, 2] * axes[1, 2]
    sharp = cross_x * cross_x + cross_y * cross_y + cross_z * cross_z
    determinant = sharp + blur * (xx + yy) + blur * blur
    return xx + blur, xy, yy + blur, determinant, math.sqrt(sharp)


@compiled_for_any_number
def _project(
    start, stop, means, quats, scales, opacities, pose, intrinsics, limits, blur, is_antialiased,
    means2d, depths, roots, compensations, radii,
):  # fmt: skip
    rotation, slope, axes = np.empty((3, 3)), np.empty((2, 3)), np.empty((2, 3))
    fx, fy, cx, cy, width, height = intrinsics
    bounds = frustum(intrinsics)
    for i in range(start, stop):
        z = in_camera(means, i, pose, 2)
        if not (limits[0] <= z <= limits[1] and opacities[i] >= ALPHA_MIN):
            continue
        x, y = in_camera(means, i, pose, 0), in_camera(means, i, pose, 1)
        length = math.sqrt(quats[i, 0] ** 2 + quats[i, 1] ** 2 + quats[i, 2] ** 2 + quats[i, 3] ** 2)
        set_rotation(
            quats[i, 0] / length, quats[i, 1] / length, quats[i, 2] / length, quats[i, 3] / length, rotation
        )
        set_slope(x, y, z, intrinsics, bounds, pose, slope)
        set_axes(slope, rotation, scales, i, axes)
        xx, xy, yy, determinant, sharp = covariance(axes, blur)
        if not (0 < determinant < _LARGEST and xx < _LARGEST and yy < _LARGEST):
            continue
        fade = sharp / math.sqrt(determinant)
        opacity = opacities[i] * fade if is_antialiased else opacities[i]
        if not ALPHA_MIN <= opacity < _LARGEST:
            continue
        reach = math.sqrt(2 * math.log(opacity / ALPHA_MIN))
        radius_x, radius_y = math.ceil(reach * math.sqrt(xx)), math.ceil(reach * math.sqrt(yy))
        u, v = fx * x / z + cx, fy * y / z + cy
        if radius_x <= limits[2] and radius_y <= limits[2]:
            continue
        if not (u + radius_x > 0 and u - radius_x < width and v + radius_y > 0 and v - radius_y < height):
            continue
        means2d[i, 0], means2d[i, 1], depths[i] = u, v, z
        roots[i, 0] = math.sqrt(yy / determinant)
        roots[i, 1] = -xy / math.sqrt(yy * determinant)
        roots[i, 2] = 1 / math.sqrt(yy)
        compensations[i] = fade
        radii[i, 0], radii[i, 1] = max(1, min(radius_x, 1e9)), max(1, min(radius_y, 1e9))
