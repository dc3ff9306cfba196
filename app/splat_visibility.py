"""Which Gaussians are seen from a camera: those that are not behind enough others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recon.gaussian_projection import ScreenCamera
from recon.gaussian_selection import Mask
from render.gaussians import GaussianCloud, GaussianMarks

Array = NDArray[np.float64]

_LIGHT_LEFT = 0.12  # a Gaussian is seen when its largest weight is this share of its opacity, or more
_LEAST_WEIGHT = 1 / 255
_FAR = 300.0  # extents of the scene from which a perspective view is as good as a parallel one


def visible(cloud: GaussianCloud, marks: GaussianMarks, camera: ScreenCamera, size: tuple[int, int]) -> Mask:
    """Which drawn Gaussians (N,) are seen in a picture of `size` pixels: those that enough light reaches somewhere.

    A weight is opacity there times the light that is left (3D Gaussian splatting, arXiv:2308.04079, eq. 3).
    """
    from render.splat_weights import largest_weights  # Takes long to import: not before someone asks.

    rows = np.flatnonzero(marks.is_drawn)
    shape = replace(cloud, sh=np.zeros((len(cloud), 1, 3), np.float32), extra={}).subset(rows)
    matrix, focal = perspective(camera, shape)
    weights = largest_weights(shape, matrix, focal, camera.center, size)
    seen = np.zeros(len(cloud), bool)
    seen[rows] = weights >= np.maximum(_LIGHT_LEFT * shape.opacities, _LEAST_WEIGHT)
    return seen


def perspective(camera: ScreenCamera, cloud: GaussianCloud) -> tuple[Array, Array]:
    """Matrix (4, 4) and focal length (2,) of the camera; of a parallel view, those of one far behind it."""
    if not camera.is_orthographic:
        return camera.cam_from_world, camera.focal
    low, high = cloud.bounds
    middle = camera.cam_from_world[:3, :3] @ (low + high) / 2 + camera.cam_from_world[:3, 3]
    away = _FAR * max(float(np.linalg.norm(high - low)), 1e-9)
    matrix = camera.cam_from_world.copy()
    matrix[2, 3] += away - middle[2]
    return matrix, camera.focal * away
