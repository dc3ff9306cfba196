"""The gradient of where Gaussians lie in a picture: by their parameters and by the camera's pose."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math
from typing import Any

import numpy as np

from render.compiled import Double, Float, Index, compiled_for_any_number, in_threads
from render.splatting_projection import (
    CHUNK,
    covariance,
    frustum,
    in_camera,
    set_axes,
    set_rotation,
    set_slope,
)


def project_gradient(
    means: Float,
    quats: Float,
    scales: Float,
    cam_from_world: Float,
    intrinsics: Double,
    blur: float,
    radii: Index,
    of_outputs: tuple[Float, Float, Float, Float],
) -> tuple[Float, Float, Float, Double]:
    """The gradients by means, quats, scales and the pose (3, 4), given those by means2d, depths, roots and
    compensations. Gaussians that are not drawn have none."""
    count = len(means)
    of_means, of_quats = np.zeros((count, 3), np.float32), np.zeros((count, 4), np.float32)
    of_scales = np.zeros((count, 3), np.float32)
    of_pose = np.zeros((-(-count // CHUNK), 3, 4))  # a sum a chunk: the same for any number of threads
    pose = np.ascontiguousarray(cam_from_world[:3], np.float64)
    of_scene = (means, quats, scales, pose, intrinsics, float(blur), radii)
    in_threads(
        _project_gradient, count, CHUNK, *of_scene, *of_outputs, of_means, of_quats, of_scales, of_pose
    )
    return of_means, of_quats, of_scales, of_pose.sum(0)


@compiled_for_any_number
def _project_gradient(
    start, stop, means, quats, scales, pose, intrinsics, blur, radii,
    of_means2d, of_depths, of_roots, of_compensations, of_means, of_quats, of_scales, of_pose,
):  # fmt: skip
    rotation, slope, axes = np.empty((3, 3)), np.empty((2, 3)), np.empty((2, 3))
    of_axes, of_slope, of_rotation = np.empty((2, 3)), np.empty((2, 3)), np.empty((3, 3))
    bounds = frustum(intrinsics)
    for i in range(start, stop):
        if radii[i, 0] == 0:
            continue
        x, y = in_camera(means, i, pose, 0), in_camera(means, i, pose, 1)
        z = in_camera(means, i, pose, 2)
        length = math.sqrt(quats[i, 0] ** 2 + quats[i, 1] ** 2 + quats[i, 2] ** 2 + quats[i, 3] ** 2)
        qw, qx, qy, qz = (
            quats[i, 0] / length, quats[i, 1] / length, quats[i, 2] / length, quats[i, 3] / length,
        )  # fmt: skip
        set_rotation(qw, qx, qy, qz, rotation)
        set_slope(x, y, z, intrinsics, bounds, pose, slope)
        set_axes(slope, rotation, scales, i, axes)
        _set_axes_gradient(axes, blur, of_roots, of_compensations[i], i, of_axes)
        _set_factor_gradients(slope, rotation, scales, i, of_axes, of_slope, of_rotation, of_scales)
        _set_quaternion_gradient(qw, qx, qy, qz, length, of_rotation, i, of_quats)
        in_cam = _position_gradient(x, y, z, intrinsics, bounds, pose, of_slope, of_means2d, of_depths[i], i)
        _add_pose_gradient(means, i, in_cam, x, y, z, intrinsics, bounds, of_slope, of_pose[i // CHUNK])
        for k in range(3):
            of_means[i, k] = pose[0, k] * in_cam[0] + pose[1, k] * in_cam[1] + pose[2, k] * in_cam[2]


@compiled_for_any_number
def _set_axes_gradient(axes: Any, blur: float, of_roots: Any, of_fade: float, i: int, of_axes: Any) -> None:
    """The gradient (2, 3) by the axes, from those by the root and the compensation."""
    _, xy, yy, determinant, sharp = covariance(axes, blur)
    root = math.sqrt(determinant)
    first, second, third = math.sqrt(yy) / root, -xy / (math.sqrt(yy) * root), 1 / math.sqrt(yy)
    by_first, by_second, by_third = of_roots[i, 0], of_roots[i, 1], of_roots[i, 2]
    of_yy = 0.5 / yy * (first * by_first - second * by_second - third * by_third)
    of_xy = -by_second / (math.sqrt(yy) * root)
    of_determinant = -0.5 / determinant * (first * by_first + second * by_second + sharp / root * of_fade)
    # The determinant holds the squared cross product, the compensation its length; at no length it has no slope.
    of_cross = 2 * of_determinant + (of_fade / (sharp * root) if sharp > 0 else 0.0)
    cross_x = of_cross * (axes[0, 1] * axes[1, 2] - axes[0, 2] * axes[1, 1])
    cross_y = of_cross * (axes[0, 2] * axes[1, 0] - axes[0, 0] * axes[1, 2])
    cross_z = of_cross * (axes[0, 0] * axes[1, 1] - axes[0, 1] * axes[1, 0])
    of_axes[0, 0] = axes[1, 1] * cross_z - axes[1, 2] * cross_y
    of_axes[0, 1] = axes[1, 2] * cross_x - axes[1, 0] * cross_z
    of_axes[0, 2] = axes[1, 0] * cross_y - axes[1, 1] * cross_x
    of_axes[1, 0] = cross_y * axes[0, 2] - cross_z * axes[0, 1]
    of_axes[1, 1] = cross_z * axes[0, 0] - cross_x * axes[0, 2]
    of_axes[1, 2] = cross_x * axes[0, 1] - cross_y * axes[0, 0]
    for k in range(3):
        blurred_x, blurred_y = 2 * blur * of_determinant, 2 * blur * of_determinant + 2 * of_yy
        of_axes[0, k] += blurred_x * axes[0, k] + of_xy * axes[1, k]
        of_axes[1, k] += blurred_y * axes[1, k] + of_xy * axes[0, k]


@compiled_for_any_number
def _set_factor_gradients(
    slope: Any,
    rotation: Any,
    scales: Any,
    i: int,
    of_axes: Any,
    of_slope: Any,
    of_rotation: Any,
    of_scales: Any,
) -> None:
    """From axes = slope · rotation · diag(scales) to its three factors."""
    for b in range(3):
        first = slope[0, 0] * rotation[0, b] + slope[0, 1] * rotation[1, b] + slope[0, 2] * rotation[2, b]
        second = slope[1, 0] * rotation[0, b] + slope[1, 1] * rotation[1, b] + slope[1, 2] * rotation[2, b]
        of_scales[i, b] = of_axes[0, b] * first + of_axes[1, b] * second
        of_axes[0, b] *= scales[i, b]
        of_axes[1, b] *= scales[i, b]
    for a in range(3):
        for b in range(3):
            of_rotation[a, b] = slope[0, a] * of_axes[0, b] + slope[1, a] * of_axes[1, b]
    for row in range(2):
        for a in range(3):
            of_slope[row, a] = (
                of_axes[row, 0] * rotation[a, 0]
                + of_axes[row, 1] * rotation[a, 1]
                + of_axes[row, 2] * rotation[a, 2]
            )


@compiled_for_any_number
def _set_quaternion_gradient(
    w: float, x: float, y: float, z: float, length: float, of_rotation: Any, i: int, of_quats: Any
) -> None:
    """From the rotation to the quaternion of any length whose direction (w, x, y, z) is."""
    r = of_rotation
    of_w = 2 * (x * (r[2, 1] - r[1, 2]) + y * (r[0, 2] - r[2, 0]) + z * (r[1, 0] - r[0, 1]))
    of_x = 2 * (y * (r[1, 0] + r[0, 1]) + z * (r[2, 0] + r[0, 2]) + w * (r[2, 1] - r[1, 2])) - 4 * x * (
        r[1, 1] + r[2, 2]
    )
    of_y = 2 * (x * (r[1, 0] + r[0, 1]) + z * (r[2, 1] + r[1, 2]) + w * (r[0, 2] - r[2, 0])) - 4 * y * (
        r[0, 0] + r[2, 2]
    )
    of_z = 2 * (x * (r[2, 0] + r[0, 2]) + y * (r[2, 1] + r[1, 2]) + w * (r[1, 0] - r[0, 1])) - 4 * z * (
        r[0, 0] + r[1, 1]
    )
    along = of_w * w + of_x * x + of_y * y + of_z * z
    of_quats[i, 0] = (of_w - along * w) / length
    of_quats[i, 1] = (of_x - along * x) / length
    of_quats[i, 2] = (of_y - along * y) / length
    of_quats[i, 3] = (of_z - along * z) / length


@compiled_for_any_number
def _position_gradient(
    x: float, y: float, z: float, intrinsics: Any, bounds: Any, pose: Any,
    of_slope: Any, of_means2d: Any, of_depth: float, i: int,
) -> Any:  # fmt: skip
    """The gradient by the mean in the camera: through its pixel, its depth and the slope there."""
    fx, fy = intrinsics[0], intrinsics[1]
    along_x, along_y = x / z, y / z
    clamped_x = min(max(along_x, bounds[0]), bounds[1])
    clamped_y = min(max(along_y, bounds[2]), bounds[3])
    of_u, of_v = of_means2d[i, 0], of_means2d[i, 1]
    of_z = of_depth - (fx * along_x * of_u + fy * along_y * of_v) / z
    # slope[0] = fx / z · (pose[0] - clamped_x · pose[2]), slope[1] likewise
    straight_x, straight_y, forward_x, forward_y = 0.0, 0.0, 0.0, 0.0
    for k in range(3):
        straight_x += of_slope[0, k] * pose[0, k]
        straight_y += of_slope[1, k] * pose[1, k]
        forward_x += of_slope[0, k] * pose[2, k]
        forward_y += of_slope[1, k] * pose[2, k]
    of_z -= fx / (z * z) * (straight_x - clamped_x * forward_x)
    of_z -= fy / (z * z) * (straight_y - clamped_y * forward_y)
    of_along_x = -fx / z * forward_x if clamped_x == along_x else 0.0
    of_along_y = -fy / z * forward_y if clamped_y == along_y else 0.0
    of_z -= (of_along_x * along_x + of_along_y * along_y) / z
    return (fx * of_u + of_along_x) / z, (fy * of_v + of_along_y) / z, of_z


@compiled_for_any_number
def _add_pose_gradient(
    means: Any, i: int, in_cam: Any, x: float, y: float, z: float, intrinsics: Any, bounds: Any,
    of_slope: Any, of_pose: Any,
) -> None:  # fmt: skip
    """Through the mean in the camera, and through the slope, which holds the rotation."""
    fx, fy = intrinsics[0], intrinsics[1]
    clamped_x = min(max(x / z, bounds[0]), bounds[1])
    clamped_y = min(max(y / z, bounds[2]), bounds[3])
    for k in range(3):
        of_pose[0, k] += in_cam[0] * means[i, k] + fx / z * of_slope[0, k]
        of_pose[1, k] += in_cam[1] * means[i, k] + fy / z * of_slope[1, k]
        of_pose[2, k] += in_cam[2] * means[i, k] - (
            fx / z * clamped_x * of_slope[0, k] + fy / z * clamped_y * of_slope[1, k]
        )
    for row in range(3):
        of_pose[row, 3] += in_cam[row]
