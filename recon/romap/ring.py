"""Views around a cloud, where nobody gave cameras."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from render.cameras import CameraSet
from render.gaussians import GaussianCloud

_FIELD = np.deg2rad(45)  # of view
ELEVATIONS = (12.0, 28.0)  # degrees, every other view


def ring_of_cameras(
    cloud: GaussianCloud,
    count: int,
    longest: int,
    elevations: Sequence[float] = ELEVATIONS,
    distance: float = 1.0,
    look_at: ArrayLike | None = None,
) -> CameraSet:
    """Square views of `longest` pixels, level with the frame's up axis.

    elevations: degrees above the horizon, in turn. distance: times as far as most Gaussians just fit. look_at: (3,),
    else the middle of most Gaussians.
    """
    middle, radius = _middle_and_radius(cloud)
    middle = middle if look_at is None else np.asarray(look_at, np.float64)
    radius = radius * distance
    up = cloud.frame.up_vector
    first = np.roll(up, 1)
    second = np.cross(up, first)
    poses = []
    for i in range(count):
        turn, rise = 2 * np.pi * i / count, np.deg2rad(elevations[i % len(elevations)])
        toward = np.cos(rise) * (np.cos(turn) * first + np.sin(turn) * second) + np.sin(rise) * up
        poses.append(_looking(middle + toward * radius / np.sin(_FIELD / 2), middle, up))
    focal = longest / 2 / np.tan(_FIELD / 2)
    return CameraSet(
        np.stack(poses),
        np.full((count, 2), focal),
        np.full((count, 2), longest / 2),
        np.full((count, 2), longest, np.int64),
    )


def _middle_and_radius(cloud: GaussianCloud) -> tuple[NDArray[np.float64], float]:
    """Of what is opaque and not far out."""
    means = cloud.means[cloud.opacities > 0.1] if (cloud.opacities > 0.1).any() else cloud.means
    middle = np.median(means, axis=0).astype(np.float64)
    radius = float(np.quantile(np.linalg.norm(means - middle, axis=1), 0.95))
    return middle, max(radius, 1e-6)


def _looking(
    position: NDArray[np.float64], target: NDArray[np.float64], up: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(4, 4) cam_from_world, OpenCV axes."""
    forward = (target - position) / np.linalg.norm(target - position)
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, -rotation @ position
    return pose
