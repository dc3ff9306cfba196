"""The camera of a viewport in time: poses set, glided to, dragged; moving or at rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEasingCurve, QObject, QTimer, QVariantAnimation, Signal

from render.frame import Axis
from widgets import viewport_camera as cameras
from widgets.viewport_camera import CameraPose, Size
from widgets.viewport_navigation import Navigation

_ANIMATION_MS = 150
_REST_MS = 160  # without a change, and the camera is at rest


class Motion(QObject):
    """Holds the pose and says when it changes and when it stops changing."""

    moved = Signal(object)  # CameraPose
    rested = Signal()

    def __init__(
        self,
        parent: QObject,
        size: Callable[[], Size],
        point_under: Callable[[float, float], NDArray[np.float64] | None],
    ) -> None:
        super().__init__(parent)
        self.pose = CameraPose()
        self.reduce_motion = False
        self.is_moving = False
        self._up_axis: Axis = "+Z"
        self._ends = self.pose, self.pose
        self.navigation = Navigation(self, lambda: self.pose, size, point_under)
        self.navigation.posed.connect(self._navigate)
        self.navigation.rested.connect(self._come_to_rest)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._come_to_rest)
        self._animation = QVariantAnimation(self)
        self._animation.setDuration(_ANIMATION_MS)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._animation.valueChanged.connect(self._glide)

    @property
    def up_axis(self) -> Axis:
        """The axis that the turntable turns about."""
        return self._up_axis

    @up_axis.setter
    def up_axis(self, axis: Axis) -> None:
        self._up_axis = axis
        self.navigation.up = cameras.axis_vector(axis)

    def jump(self, pose: CameraPose) -> None:
        """Be there now."""
        self._animation.stop()
        self._set(pose, is_moving=False)

    def play(self, pose: CameraPose) -> None:
        """Be there now, as one of many poses that follow each other: pictures may be coarse."""
        self._animation.stop()
        self._set(pose, is_moving=True)

    def glide(self, pose: CameraPose) -> None:
        """Be there in 150 ms, or now when motion is reduced."""
        if self.reduce_motion:
            self.jump(pose)
            return
        self._animation.stop()
        self._ends = self.pose, pose
        self._animation.start()

    def stop(self) -> None:
        """Stand still for good."""
        self._animation.stop()
        self._rest.stop()
        self.navigation.stop()

    def _set(self, pose: CameraPose, is_moving: bool) -> None:
        if pose == self.pose:
            return
        self.pose, self.is_moving = pose, is_moving
        if is_moving:
            self._rest.start()
        self.moved.emit(pose)

    def _navigate(self, pose: CameraPose) -> None:
        self._animation.stop()
        self._set(pose, is_moving=True)

    def _glide(self, share: Any) -> None:
        start, end = self._ends
        self._set(cameras.between(start, end, float(share)), is_moving=True)

    def _come_to_rest(self) -> None:
        if self.navigation.is_moving:  # the pointer pauses within a drag
            self._rest.start()
            return
        self.is_moving = False
        self.rested.emit()
