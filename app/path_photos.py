"""Which photos of a scene lie along a camera path: those an edit needs that is only to be seen from there."""

from __future__ import annotations

import numpy as np

from render.images import PosedImages
from widgets.camera_path import CameraPath

_PLACES = 40  # of the path that are looked at
_NEAREST = 4  # photos for each of them
_ANGLE = 0.5  # radians between directions that count as much as the usual distance to the next photo


def photos_along(path: CameraPath, posed: PosedImages) -> tuple[str, ...]:
    """Names of the photos that are used and stand nearest to the path, looking the same way; in their order."""
    used = posed.used
    if len(path) == 0 or not len(used):
        return ()
    cameras = posed.cameras.select(used)
    forward = cameras.cam_from_world[:, 2, :3]
    spacing = _spacing(cameras.positions)
    chosen: set[int] = set()
    for pose in path.frames(_PLACES / max(path.seconds, 1e-3)):
        away = np.linalg.norm(cameras.positions - np.asarray(pose.position), axis=1) / spacing
        turned = np.arccos(np.clip(forward @ -np.asarray(pose.axes[2]), -1, 1)) / _ANGLE
        chosen.update(np.argsort(away + turned, kind="stable")[:_NEAREST].tolist())
    return tuple(posed.images.names[used[i]] for i in sorted(chosen))


def _spacing(places: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """The usual distance from a photo to the next one; 1 where all are at one place."""
    if len(places) < 2:
        return 1.0
    distances = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    return float(np.median(distances.min(1))) or 1.0
