"""Moving the camera with mouse and keys: orbit, pan, zoom to the pointer, fly."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

from widgets import viewport_camera as cameras
from widgets.viewport_camera import CameraPose, Size

_DRAG_STARTS = 4.0  # pixels; less is a click
_TURN_PER_PIXEL = 0.0085
_LOOK_PER_PIXEL = 0.004
_ZOOM_PER_NOTCH = 0.86
_FLY_KEYS = {
    Qt.Key.Key_W: (0, 0, 1), Qt.Key.Key_S: (0, 0, -1), Qt.Key.Key_A: (-1, 0, 0),
    Qt.Key.Key_D: (1, 0, 0), Qt.Key.Key_E: (0, 1, 0), Qt.Key.Key_Q: (0, -1, 0),
}  # fmt: skip
_LEFT, _MIDDLE, _RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton


class Navigation(QObject):
    """A pointer tool that wishes new camera poses and reports clicks.

    pose, size and point_under are asked for what is seen now: the camera, the picture's size in pixels and
    the surface point under a pixel, or None.
    """

    posed = Signal(object)  # CameraPose
    rested = Signal()  # a drag has ended
    clicked = Signal(QPointF)
    double_clicked = Signal(QPointF)
    menu_wished = Signal(QPointF)

    def __init__(
        self,
        parent: QObject,
        pose: Callable[[], CameraPose],
        size: Callable[[], Size],
        point_under: Callable[[float, float], NDArray[np.float64] | None],
    ) -> None:
        super().__init__(parent)
        self.up: NDArray[np.float64] = np.array([0.0, 0.0, 1.0])
        self._pose, self._size, self._point_under = pose, size, point_under
        self._button = Qt.MouseButton.NoButton
        self._pressed_at = self._last = QPointF()
        self._is_dragging = False
        self._fly_keys: set[Qt.Key] = set()
        self._modifiers = Qt.KeyboardModifier.NoModifier
        self._flown_at = 0.0
        self._clock = QTimer(self)  # runs only while a fly key is held
        self._clock.setInterval(16)
        self._clock.timeout.connect(self._fly)

    @property
    def is_moving(self) -> bool:
        """A drag or a flight is under way."""
        return self._is_dragging or self._clock.isActive()

    @property
    def is_flying(self) -> bool:
        """The right button is held: W, A, S, D, Q and E steer."""
        return self._button == _RIGHT

    def orbit(self, dx: float, dy: float) -> None:
        """Turn as a drag by so many pixels does."""
        pose = self._pose()
        self.posed.emit(cameras.orbit(pose, -dx * _TURN_PER_PIXEL, dy * _TURN_PER_PIXEL, self.up))

    def handle(self, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.FocusOut:
            self._stop_flying()
            return False
        if isinstance(event, QWheelEvent):
            return self._wheel(event)
        if isinstance(event, QMouseEvent):
            self._modifiers = event.modifiers()
            if kind == QEvent.Type.MouseButtonDblClick:
                return self._double_click(event)
            if kind == QEvent.Type.MouseButtonPress:
                return self._press(event)
            if kind == QEvent.Type.MouseMove:
                return self._move(event)
            return self._release(event)
        return isinstance(event, QKeyEvent) and self._key(event)

    def _press(self, event: QMouseEvent) -> bool:
        if self._button != Qt.MouseButton.NoButton:
            return True
        self._button, self._is_dragging = event.button(), False
        self._pressed_at = self._last = event.position()
        return event.button() in (_LEFT, _MIDDLE, _RIGHT)

    def _move(self, event: QMouseEvent) -> bool:
        if self._button == Qt.MouseButton.NoButton:
            return False
        total = event.position() - self._pressed_at
        if not self._is_dragging and abs(total.x()) + abs(total.y()) < _DRAG_STARTS:
            return True
        self._is_dragging = True
        step = event.position() - self._last
        self._last = event.position()
        self.posed.emit(self._dragged(step.x(), step.y()))
        return True

    def _dragged(self, dx: float, dy: float) -> CameraPose:
        pose, shift = self._pose(), bool(self._modifiers & Qt.KeyboardModifier.ShiftModifier)
        if self._button == _RIGHT:
            return cameras.look(pose, -dx * _LOOK_PER_PIXEL, -dy * _LOOK_PER_PIXEL, self.up)
        if self._button == _MIDDLE or shift:
            return cameras.pan(pose, dx, dy, self._size())
        return cameras.orbit(pose, -dx * _TURN_PER_PIXEL, dy * _TURN_PER_PIXEL, self.up)

    def _release(self, event: QMouseEvent) -> bool:
        if event.button() != self._button:
            return self._button != Qt.MouseButton.NoButton
        button, was_drag = self._button, self._is_dragging
        self._button, self._is_dragging = Qt.MouseButton.NoButton, False
        self._stop_flying()
        if was_drag:
            self.rested.emit()
        elif button == _LEFT:
            self.clicked.emit(event.position())
        elif button == _RIGHT:
            self.menu_wished.emit(event.position())
        return True

    def _double_click(self, event: QMouseEvent) -> bool:
        if event.button() == _LEFT:
            self.double_clicked.emit(event.position())
        return True

    def _wheel(self, event: QWheelEvent) -> bool:
        notches = event.angleDelta().y() / 120
        if not notches:
            return False
        pose, at = self._pose(), event.position()
        target = self._point_under(at.x(), at.y())
        if target is None:
            target = self._on_focal_plane(pose, at.x(), at.y())
        self.posed.emit(cameras.zoom(pose, _ZOOM_PER_NOTCH**notches, target))
        return True

    def _on_focal_plane(self, pose: CameraPose, x: float, y: float) -> NDArray[np.float64]:
        origin, direction = cameras.ray(pose, x, y, self._size())
        _, _, back = pose.axes
        along = ((np.asarray(pose.focal) - origin) @ back) / (direction @ back)
        return origin + direction * along

    def _key(self, event: QKeyEvent) -> bool:
        """Fly keys while the right button is held, also before the window's shortcuts see them."""
        key = Qt.Key(event.key())
        self._modifiers = event.modifiers()
        if not self.is_flying or key not in _FLY_KEYS:
            return False
        if event.type() == QEvent.Type.KeyRelease and not event.isAutoRepeat():
            self._fly_keys.discard(key)
        elif event.type() == QEvent.Type.KeyPress:
            self._fly_keys.add(key)
        if self._fly_keys and not self._clock.isActive():
            self._is_dragging = True
            self._flown_at = time.perf_counter()
            self._clock.start()
        elif not self._fly_keys:
            self._clock.stop()
        return True

    def _fly(self) -> None:
        now = time.perf_counter()
        seconds, self._flown_at = min(now - self._flown_at, 0.1), now
        pose = self._pose()
        speed = pose.distance * 0.6 * seconds
        if self._modifiers & Qt.KeyboardModifier.ShiftModifier:
            speed *= 4
        if self._modifiers & Qt.KeyboardModifier.AltModifier:
            speed /= 4
        way = np.sum([_FLY_KEYS[key] for key in self._fly_keys], axis=0) * speed
        self.posed.emit(cameras.move(pose, *(float(length) for length in way)))

    def stop(self) -> None:
        """Let go of everything that is held."""
        self._stop_flying()
        self._button, self._is_dragging = Qt.MouseButton.NoButton, False

    def _stop_flying(self) -> None:
        self._fly_keys.clear()
        self._clock.stop()
