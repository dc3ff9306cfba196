"""Where Gaussians lie on the screen: middles, depths and the ellipses that they cover."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from recon.gaussian_selection import Mask
from render.frozen import Frozen
from render.gaussians import GaussianCloud

Real = TypeVar("Real", np.float32, np.float64)

_BLUR = np.float32(0.3)  # pixels²: what 3DGS adds to a Gaussian's spread on the screen


@dataclass(frozen=True, eq=False)
class ScreenCamera(Frozen):
    """The camera of a view. cam_from_world: (4, 4), OpenCV axes. focal: (2,) pixels; for an orthographic view,
    pixels a unit of length. center: (2,) pixels. near: depth from which on things are seen."""

    cam_from_world: NDArray[np.float64]
    focal: NDArray[np.float64]
    center: NDArray[np.float64]
    is_orthographic: bool = False
    near: float = 0.01

    def __post_init__(self) -> None:
        self._own("cam_from_world", np.float64, (4, 4))
        self._own("focal", np.float64, (2,))
        self._own("center", np.float64, (2,))


@dataclass(frozen=True, eq=False)
class Projection:
    """Gaussians on a screen. positions: (N, 2) float32 pixels, NaN in front of the near plane. depths: (N,) float32
    along the camera's axis, in units of the world. Keep it while the camera stands still."""

    positions: NDArray[np.float32]
    depths: NDArray[np.float32]


def projected(cloud: GaussianCloud, camera: ScreenCamera) -> Projection:
    """The middles of all Gaussians on the screen of a camera."""
    matrix = camera.cam_from_world.astype(np.float32)
    x, y, depths = matrix[:3, :3] @ cloud.means.T + matrix[:3, 3:]
    is_seen = depths >= camera.near
    ratio = np.where(is_seen, np.float32(1), np.float32(np.nan))
    if not camera.is_orthographic:
        np.divide(np.float32(1), depths, out=ratio, where=is_seen)
    fx, fy = camera.focal.astype(np.float32)
    cx, cy = camera.center.astype(np.float32)
    # Columns next to each other in memory: tools read x and y apart.
    positions = np.stack([fx * x * ratio + cx, fy * y * ratio + cy]).T
    return Projection(positions, depths)


def within_depths(projection: Projection, nearest: float, farthest: float) -> Mask:
    """Which Gaussians lie between two depths, to keep a tool from reaching through the scene."""
    found: Mask = (projection.depths >= nearest) & (projection.depths <= farthest)
    return found


def screen_radii(cloud: GaussianCloud, camera: ScreenCamera, projection: Projection) -> NDArray[np.float32]:
    """(N,) pixels: no less than the largest standard deviation of each Gaussian on the screen; NaN where not seen."""
    first, second, third = cloud.log_scales.T
    radii: NDArray[np.float32] = np.exp(np.maximum(np.maximum(first, second), third))
    radii *= np.float32(camera.focal.max())
    if not camera.is_orthographic:
        slope = np.float32(np.hypot(1, np.linalg.norm(_limits(camera))))
        radii *= slope / np.where(np.isnan(projection.positions[:, 0]), np.float32(np.nan), projection.depths)
    radii += np.float32(math.sqrt(_BLUR))
    return radii


def screen_covariances(
    cloud: GaussianCloud, camera: ScreenCamera, rows: NDArray[np.intp]
) -> NDArray[np.float32]:
    """(n, 3) xx, xy, yy of the ellipses of some Gaussians on the screen, in pixels² (EWA splatting, Zwicker 2001;
    what 3DGS blurs is added)."""
    rotation = camera.cam_from_world[:3, :3].astype(np.float32)
    x, y, z = rotation @ cloud.means[rows].T + camera.cam_from_world[:3, 3:].astype(np.float32)
    fx, fy = camera.focal.astype(np.float32)
    z = np.maximum(z, np.float32(camera.near))
    x, y = (np.clip(each, -limit * z, limit * z) for each, limit in zip((x, y), _limits(camera), strict=True))
    to_screen = np.zeros((len(rows), 2, 3), np.float32)
    if camera.is_orthographic:
        to_screen[:, 0, 0], to_screen[:, 1, 1] = fx, fy
    else:
        to_screen[:, 0, 0], to_screen[:, 1, 1] = fx / z, fy / z
        to_screen[:, 0, 2], to_screen[:, 1, 2] = -fx * x / z**2, -fy * y / z**2
    axes = to_screen @ rotation @ rotations_of(cloud.quats[rows]) * np.exp(cloud.log_scales[rows])[:, None, :]
    first, second = axes[:, 0], axes[:, 1]
    columns = [(first**2).sum(1) + _BLUR, (first * second).sum(1), (second**2).sum(1) + _BLUR]
    return np.stack(columns, 1)


def _limits(camera: ScreenCamera) -> NDArray[np.float32]:
    """(2,) the ratios x / z and y / z beyond which the projection is no longer bent, as in 3DGS: 1.3 times the view,
    whose middle `center` is taken to be."""
    limits: NDArray[np.float32] = (1.3 * np.abs(camera.center) / camera.focal).astype(np.float32)
    return limits


def rotations_of(quats: NDArray[Real]) -> NDArray[Real]:
    """(N, 3, 3) rotation matrices of quaternions (N, 4) wxyz of any length but zero, in their precision."""
    w, x, y, z = (quats / np.linalg.norm(quats, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2).astype(quats.dtype)
