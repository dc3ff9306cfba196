"""Posed images in one viewport: their thumbnails, whether frustums are drawn, and the view through one of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from render.cameras import CameraSet
from widgets.viewport_camera import CameraPose, Size, Vector
from widgets.viewport_cameras import Picture
from widgets.viewport_motion import Motion
from widgets.viewport_scene import ViewportScene

_USUAL_ANGLE = CameraPose().view_angle


class ImagesInView(QObject):
    """What a viewport does with posed images.

    picked: (layer id, image) when a frustum is clicked. changed: the picture must be drawn anew. looked_through:
    whether the view is now through one of the cameras.
    """

    picked = Signal(str, int)
    changed = Signal()
    looked_through = Signal(bool)

    def __init__(self, parent: QObject, scene: ViewportScene, motion: Motion) -> None:
        super().__init__(parent)
        self._scene, self._motion = scene, motion
        self._through: CameraPose | None = None
        self._before: CameraPose | None = None
        self._hid_frustums = False
        motion.moved.connect(self._on_moved)

    def set_pictures(self, layer_id: str, pictures: Mapping[int, Picture]) -> None:
        """Show thumbnails in a layer's frustums."""
        self._scene.set_pictures(layer_id, pictures)
        self.changed.emit()

    @property
    def are_shown(self) -> bool:
        """Whether frustums are drawn."""
        return self._scene.cameras_shown

    def set_shown(self, on: bool) -> None:
        """Draw frustums, or only the points."""
        self._scene.show_cameras(on)
        self.changed.emit()

    @property
    def points_shown(self) -> bool:
        """Whether the sparse points of images are drawn."""
        return self._scene.sparse_shown

    def set_points_shown(self, on: bool) -> None:
        """Draw the sparse points of images or not."""
        self._scene.show_sparse(on)
        self.changed.emit()

    @property
    def is_through_camera(self) -> bool:
        """Whether the view is through a camera of an image."""
        return self._through is not None

    def look_through(self, cameras: CameraSet, index: int, size: Size) -> None:
        """Look through the camera of an image, so that all of it is seen, until the view is moved."""
        if self._through is None:
            self._before, self._hid_frustums = self._motion.pose, self.are_shown
            self._scene.show_cameras(False)  # they would stand in the way
        middle = self._scene.bounds()
        target = np.zeros(3) if middle is None else middle.mean(0)
        self._through = pose_of(cameras, index, size, target)
        self._motion.jump(self._through)
        self.changed.emit()
        self.looked_through.emit(True)

    def leave_camera(self) -> None:
        """Look from where the view was before."""
        before = self._before
        if self._through is not None and before is not None:
            self._end()
            self._motion.jump(before)

    def _on_moved(self, pose: CameraPose) -> None:
        if self._through is None or pose == self._through:
            return
        self._end()
        # As large as it was at the focal point, seen at the usual angle again.
        distance = pose.half_height / math.tan(_USUAL_ANGLE / 2)
        position = np.asarray(pose.focal) + pose.axes[2] * distance
        self._motion.jump(
            replace(pose, position=_vector(position), view_angle=_USUAL_ANGLE, shift=(0.0, 0.0))
        )

    def _end(self) -> None:
        self._through = self._before = None
        self._scene.show_cameras(self._hid_frustums)
        self.changed.emit()
        self.looked_through.emit(False)


def pose_of(cameras: CameraSet, index: int, size: Size, target: NDArray[np.float64]) -> CameraPose:
    """The view of camera `index` in a picture of `size`, all of the image in it; turns about the point of its axis
    that is nearest to `target`."""
    world_from_cam = cameras.world_from_cam[index]
    position, forward = world_from_cam[:3, 3], world_from_cam[:3, 2]
    width, height = (float(n) for n in cameras.size[index])
    fx, fy = (float(n) for n in cameras.focal[index])
    tangent = max(height / 2 / fy, width / 2 / fx * size[1] / max(1, size[0]))
    away = float(np.linalg.norm(target - position))
    # A camera that looks away from the middle still turns about something in front of it.
    distance = max(float((target - position) @ forward), 0.5 * away, 1e-6)
    focal = position + forward * distance
    angle = 2 * math.atan(tangent)
    off_middle = (cameras.center[index] - cameras.size[index] / 2) / cameras.focal[index] / (2 * tangent)
    return CameraPose(
        _vector(position),
        _vector(focal),
        _vector(-world_from_cam[:3, 1]),
        view_angle=angle,
        shift=(float(off_middle[0]), float(off_middle[1])),
    )


def _vector(values: NDArray[np.float64]) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z
