"""Where Gaussians lie on the screen: middles, depths and the ellipses that they cover."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon.gaussian_regions import Region, in_region
from recon.gaussian_selection import Mask
from render.frozen import Frozen
from render.gaussians import GaussianCloud


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
    positions = np.stack([fx * x * ratio + cx, fy * y * ratio + cy], 1)
    return Projection(positions, depths)


def within_depths(projection: Projection, nearest: float, farthest: float) -> Mask:
    """Which Gaussians lie between two depths, to keep a tool from reaching through the scene."""
    found: Mask = (projection.depths >= nearest) & (projection.depths <= farthest)
    return found


def screen_covariances(
    cloud: GaussianCloud, camera: ScreenCamera, rows: NDArray[np.intp]
) -> NDArray[np.float32]:
    """(n, 3) xx, xy, yy of the ellipses of some Gaussians on the screen, in pixels² (EWA splatting, Zwicker 2001;
    0.3 px² is added as in 3DGS)."""
    rotation = camera.cam_from_world[:3, :3].astype(np.float32)
    x, y, z = rotation @ cloud.means[rows].T + camera.cam_from_world[:3, 3:].astype(np.float32)
    fx, fy = camera.focal.astype(np.float32)
    z = np.maximum(z, np.float32(camera.near))
    to_screen = np.zeros((len(rows), 2, 3), np.float32)
    if camera.is_orthographic:
        to_screen[:, 0, 0], to_screen[:, 1, 1] = fx, fy
    else:
        to_screen[:, 0, 0], to_screen[:, 1, 1] = fx / z, fy / z
        to_screen[:, 0, 2], to_screen[:, 1, 2] = -fx * x / z**2, -fy * y / z**2
    axes = to_screen @ rotation @ rotations_of(cloud.quats[rows]) * np.exp(cloud.log_scales[rows])[:, None, :]
    first, second = axes[:, 0], axes[:, 1]
    blur = np.float32(0.3)
    columns = [(first**2).sum(1) + blur, (first * second).sum(1), (second**2).sum(1) + blur]
    return np.stack(columns, 1)


def rotations_of(quats: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 3, 3) rotation matrices of quaternions (N, 4) wxyz of any length but zero."""
    w, x, y, z = (quats / np.linalg.norm(quats, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2).astype(np.float32)


def touching_region(
    cloud: GaussianCloud, camera: ScreenCamera, projection: Projection, region: Region, sigmas: float = 2.0
) -> Mask:
    """Which Gaussians' ellipses of `sigmas` standard deviations touch a region: selecting by footprint.

    projection: that of the same cloud and camera. Slower than `in_region`: run it off the window's thread at 1 M.
    """
    found = in_region(projection.positions, region)
    pixels_per_unit = float(camera.focal.max())
    reach = sigmas * (np.exp(cloud.log_scales.max(1)) * pixels_per_unit + 0.55)
    if not camera.is_orthographic:
        reach = sigmas * (
            np.exp(cloud.log_scales.max(1)) * pixels_per_unit / np.maximum(projection.depths, camera.near)
            + 0.55
        )
    low, high = region.bounds
    gap = np.maximum(np.maximum(low - projection.positions, projection.positions - high), 0)
    near = np.flatnonzero(~found & (np.hypot(gap[:, 0], gap[:, 1]) <= 2 * reach))
    covariances = screen_covariances(cloud, camera, near)
    for radius in (1.0, 0.75, 0.5, 0.25):
        for angle in np.linspace(0, 2 * np.pi, 24, endpoint=False):
            points = projection.positions[near] + _on_ellipse(covariances, angle) * np.float32(
                sigmas * radius
            )
            found[near] |= in_region(points, region)
    return found


def _on_ellipse(covariances: NDArray[np.float32], angle: float) -> NDArray[np.float32]:
    """(n, 2) points of the ellipses of one standard deviation, by the Cholesky factor of each."""
    xx, xy, yy = covariances.T
    a = np.sqrt(xx)
    b = xy / a
    c = np.sqrt(np.maximum(yy - b * b, 0))
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return np.stack([a * cos, b * cos + c * sin], 1)
