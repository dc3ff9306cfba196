"""Which Gaussian lies under a pixel: the one at which the line of sight has met enough to be stopped."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from render.gaussians import GaussianCloud
from widgets.splat_program import LOW_PASS
from widgets.viewport_camera import CameraPose, Size, ray

Array = NDArray[np.float64]
_REACH = 3.4  # standard deviations within which a Gaussian can be seen
_SOLID = 0.5  # of the light kept back: there the eye finds a surface
_FAINT = 0.15  # less than that in all, and there is nothing to click on


def splat_under(
    cloud: GaussianCloud,
    radii: NDArray[np.float32],
    is_shown: NDArray[np.bool_] | None,
    pose: CameraPose,
    at: tuple[float, float],
    size: Size,
    scale: float = 1.0,
) -> tuple[int, Array, float] | None:
    """The Gaussian under a pixel, the point of the line of sight nearest to its middle, and how far along it that is.

    radii: (N,) the largest standard deviation of each. is_shown: (N,) those that are drawn, or None for all. scale:
    times which the Gaussians are drawn.
    """
    origin, direction = ray(pose, *at, size)
    pixel = pose.units_per_pixel(size) / (1.0 if pose.parallel else pose.distance)
    along, across = _along_and_across(cloud.means, origin, direction)
    blur = np.full_like(along, pixel) if pose.parallel else pixel * np.maximum(along, 0)
    near = (across <= (_REACH * scale) * radii + 2 * blur) & ((along > 0) | pose.parallel)
    if is_shown is not None:
        near &= is_shown
    rows = np.flatnonzero(near)
    if not len(rows):
        return None
    rows = rows[np.argsort(along[rows], kind="stable")]
    alphas = _alphas(cloud, rows, origin, direction, LOW_PASS * blur[rows].astype(np.float64) ** 2, scale)
    left = np.cumprod(1 - alphas)
    if 1 - left[-1] < _FAINT:
        return None
    place = int(np.argmax(1 - left >= min(_SOLID, 0.999 * (1 - left[-1]))))
    index, depth = int(rows[place]), float(along[rows[place]])
    return index, origin + direction * depth, depth


def nearest_center(
    cloud: GaussianCloud,
    is_shown: NDArray[np.bool_] | None,
    pose: CameraPose,
    at: tuple[float, float],
    size: Size,
    reach: float = 6,
) -> tuple[int, Array, float] | None:
    """The same where only the middles are drawn: of those within `reach` pixels and about equally near the foremost."""
    origin, direction = ray(pose, *at, size)
    pixel = pose.units_per_pixel(size) / (1.0 if pose.parallel else pose.distance)
    along, across = _along_and_across(cloud.means, origin, direction)
    away = across / (pixel if pose.parallel else pixel * np.maximum(along, 1e-12))
    away[(along <= 0) & (not pose.parallel)] = np.inf
    if is_shown is not None:
        away[~is_shown] = np.inf
    least = float(away.min(initial=np.inf))
    if least > reach:
        return None
    index = int(np.where(away <= max(least + 1.5, 2.5), along, np.inf).argmin())
    return index, cloud.means[index].astype(np.float64), float(along[index])


def _along_and_across(
    means: NDArray[np.float32], origin: Array, direction: Array
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How far along a ray and how far beside it each point (N, 3) lies."""
    side = np.cross(direction, np.eye(3)[int(np.argmin(np.abs(direction)))])
    side /= np.linalg.norm(side)
    axes = np.stack([direction, side, np.cross(direction, side)])
    seen = means @ axes.T.astype(np.float32) - (axes @ origin).astype(np.float32)
    return seen[:, 0], np.hypot(seen[:, 1], seen[:, 2])


def _alphas(
    cloud: GaussianCloud, rows: NDArray[np.int64], origin: Array, direction: Array, blur: Array, scale: float
) -> Array:
    """The alpha (M,) of Gaussians along a ray: of the densest point that it meets. blur: (M,) variance of a pixel."""
    quats = cloud.quats[rows].astype(np.float64)
    w, x, y, z = quats.T / np.linalg.norm(quats, axis=1)
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    ).transpose(2, 0, 1)
    spread = np.sqrt((scale * np.exp(cloud.log_scales[rows].astype(np.float64))) ** 2 + blur[:, None])
    beside = np.einsum("nji,nj->ni", turn, origin - cloud.means[rows]) / spread
    way = np.einsum("nji,j->ni", turn, direction) / spread
    square = (beside**2).sum(1) - (beside * way).sum(1) ** 2 / (way**2).sum(1)
    alphas: Array = cloud.opacities[rows] * np.exp(-0.5 * np.maximum(square, 0))
    return np.minimum(alphas, 0.999)
