"""Handles to move, turn and scale what is selected, painted over the picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent

from widgets import viewport_camera as cameras
from widgets.gizmo_shapes import Part, paint_gizmo, part_at
from widgets.viewport_annotations import Annotations
from widgets.viewport_camera import CameraPose, Size
from widgets.viewport_overlays import plain_number, unit_label

Array = NDArray[np.float64]
GizmoKind = Literal["move", "rotate", "scale"]
_AXIS_KEYS = {Qt.Key.Key_X: 0, Qt.Key.Key_Y: 1, Qt.Key.Key_Z: 2}
_EDGE_ON = 0.25  # cosine: a ring seen flatter than this follows the pointer along its tangent
_SNAP = math.radians(15)


@dataclass(frozen=True, eq=False)
class Motion:
    """A turn and a growth about `pivot`, then a move. rotation: (3, 3). translation, pivot: (3,)."""

    rotation: Array
    scale: float
    translation: Array
    pivot: Array

    @classmethod
    def none(cls, pivot: ArrayLike) -> Motion:
        """Nothing moves."""
        return cls(np.eye(3), 1.0, np.zeros(3), np.asarray(pivot, np.float64))

    @property
    def is_none(self) -> bool:
        return self.scale == 1 and not self.translation.any() and bool((self.rotation == np.eye(3)).all())


class Gizmo(QObject):
    """A pointer tool: while active, its handles can be dragged; X, Y and Z keep a drag to an axis.

    dragged: the Motion so far. dropped: the Motion of the whole drag. cancelled: Escape during a drag. ended: Escape
    otherwise.
    """

    dragged = Signal(object)
    dropped = Signal(object)
    cancelled = Signal()
    changed = Signal()
    ended = Signal()

    def __init__(
        self,
        parent: QObject,
        project: Callable[[ArrayLike], Array],
        pose: Callable[[], CameraPose],
        size: Callable[[], Size],
    ) -> None:
        super().__init__(parent)
        self._project, self._pose, self._size = project, pose, size
        self.kind: GizmoKind | None = None
        self.pivot: Array | None = None
        self.unit = "unit"
        self._hover: Part | None = None
        self._part: Part | None = None
        self._start = self._at = QPointF()
        self._motion: Motion | None = None
        self._has_snap = False

    @property
    def is_active(self) -> bool:
        return self.kind is not None

    @property
    def is_dragging(self) -> bool:
        return self._part is not None

    def begin(self, kind: GizmoKind) -> None:
        """Show these handles; there is nothing to drag until `place` said where."""
        self._drop()
        self.kind = kind
        self.changed.emit()

    def end(self) -> None:
        """Leave the pointer to others."""
        was_active, self.kind, self._hover = self.is_active, None, None
        self._drop()
        if was_active:
            self.ended.emit()

    def place(self, pivot: ArrayLike | None) -> None:
        """Stand at a point of the world (3,), or nowhere while nothing is selected."""
        self.pivot = None if pivot is None else np.asarray(pivot, np.float64)
        if not self.is_dragging:
            self.changed.emit()

    # Events

    def handle(self, event: QEvent) -> bool:
        if self.kind is None or self.pivot is None:
            return self.kind is not None and self._leave(event)
        if isinstance(event, QKeyEvent):
            return self._key(event)
        if not isinstance(event, QMouseEvent):
            return False
        self._has_snap = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.type() == QEvent.Type.MouseMove:
            return self._move(event.position())
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        if event.type() == QEvent.Type.MouseButtonPress:
            self._part, self._start = self._under(event.position()), event.position()
            self._motion = Motion.none(self.pivot)
            return self._part is not None
        if event.type() == QEvent.Type.MouseButtonRelease and self.is_dragging:
            self._finish()
            return True
        return False

    def _leave(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.KeyPress:
                self.end()
            return True
        return False

    def _key(self, event: QKeyEvent) -> bool:
        is_press = event.type() == QEvent.Type.KeyPress
        axis = _AXIS_KEYS.get(Qt.Key(event.key()))
        if self.is_dragging and axis is not None:
            if is_press:
                self._part = ("axis", axis)
                self._move(self._at)
            return True
        if event.key() == Qt.Key.Key_Escape and self.is_dragging:
            if is_press:
                self._drop()
                self.cancelled.emit()
            return True
        return self._leave(event)

    def _move(self, at: QPointF) -> bool:
        self._at = at
        if self._part is None:
            hover = self._under(at)
            if hover != self._hover:
                self._hover = hover
                self.changed.emit()
            return False
        self._motion = self._motion_to(self._part, at)
        self.dragged.emit(self._motion)
        self.changed.emit()
        return True

    def _finish(self) -> None:
        motion = self._motion
        self._drop()
        if motion is not None and not motion.is_none:
            self.dropped.emit(motion)
        else:
            self.cancelled.emit()

    def _drop(self) -> None:
        self._part, self._motion = None, None
        self.changed.emit()

    def _under(self, at: QPointF) -> Part | None:
        if self.pivot is None or self.kind is None:
            return None
        return part_at(self.kind, self._project, self._pose(), self.pivot, at)

    # Motions

    def _motion_to(self, part: Part, at: QPointF) -> Motion:
        assert self.pivot is not None
        none = Motion.none(self.pivot)
        if self.kind == "move":
            return Motion(none.rotation, 1.0, self._shift(part, at), none.pivot)
        if self.kind == "rotate":
            return Motion(self._turn(part, at), 1.0, none.translation, none.pivot)
        return Motion(none.rotation, self._growth(at), none.translation, none.pivot)

    def _shift(self, part: Part, at: QPointF) -> Array:
        kind, axis = part
        if kind == "axis":
            way = np.eye(3)[axis]
            return np.asarray(way * (self._along(way, at) - self._along(way, self._start)))
        normal = self._pose().axes[2] if kind == "view" else np.eye(3)[axis]
        return self._on_plane(normal, at) - self._on_plane(normal, self._start)

    def _along(self, way: Array, at: QPointF) -> float:
        """Where the line through the pivot comes nearest to the line of sight, from the pivot in world units."""
        assert self.pivot is not None
        origin, sight = cameras.ray(self._pose(), at.x(), at.y(), self._size())
        between, cosine = origin - self.pivot, float(way @ sight)
        square = 1 - cosine**2
        if square < 1e-4:  # Seen end on: the line of sight says nothing about it.
            return 0.0
        return float(between @ way - (between @ sight) * cosine) / square

    def _on_plane(self, normal: Array, at: QPointF) -> Array:
        assert self.pivot is not None
        origin, sight = cameras.ray(self._pose(), at.x(), at.y(), self._size())
        slope = float(sight @ normal)
        if abs(slope) < 1e-3:
            return self.pivot
        return np.asarray(origin + sight * ((self.pivot - origin) @ normal / slope))

    def _turn(self, part: Part, at: QPointF) -> Array:
        kind, axis = part
        back = self._pose().axes[2]
        normal = back if kind == "view" else np.eye(3)[axis]
        angle = self._angle(normal, float(normal @ back), at)
        if self._has_snap:
            angle = round(angle / _SNAP) * _SNAP
        return rotation_about(normal, angle)

    def _angle(self, normal: Array, facing: float, at: QPointF) -> float:
        middle = self._project(self.pivot)[0, :2] if self.pivot is not None else np.zeros(2)
        start = np.array([self._start.x(), self._start.y()]) - middle
        now = np.array([at.x(), at.y()]) - middle
        if abs(facing) >= _EDGE_ON:
            turn = math.atan2(now[1], now[0]) - math.atan2(start[1], start[0])
            turn = (turn + math.pi) % (2 * math.pi) - math.pi
            return -turn if facing > 0 else turn  # y grows downwards in the picture
        right, up, back = self._pose().axes
        radial = np.cross(normal, back)  # in the picture, along the ring
        way = np.array([radial @ right, -(radial @ up)])
        return float((now - start) @ way) / max(float(np.linalg.norm(way)), 1e-9) / 90.0

    def _growth(self, at: QPointF) -> float:
        middle = self._project(self.pivot)[0, :2] if self.pivot is not None else np.zeros(2)
        start = math.hypot(self._start.x() - middle[0], self._start.y() - middle[1])
        now = math.hypot(at.x() - middle[0], at.y() - middle[1])
        factor = max(0.01, now / max(start, 12.0))
        return round(factor, 1) or 0.1 if self._has_snap else factor

    # Painting

    def is_empty(self) -> bool:
        return self.kind is None or self.pivot is None

    def paint(self, pen: Annotations) -> None:
        assert self.kind is not None and self.pivot is not None
        pivot = self.pivot + (self._motion.translation if self._motion is not None else 0)
        paint_gizmo(pen, self.kind, self._project, self._pose(), pivot, self._part or self._hover)
        if self._motion is not None and self.is_dragging:
            up = self._pose().axes[1]
            per_pixel = self._pose().units_per_pixel(self._size())
            pen.label(pivot - up * per_pixel * 118, self.motion_text(self._motion))

    def motion_text(self, motion: Motion) -> str:
        """What a drag has done so far, in words."""
        if self.kind == "move":
            length = float(np.linalg.norm(motion.translation))
            return f"{plain_number(length, 3)}\u202f{unit_label(self.unit, length)}"
        if self.kind == "rotate":
            cosine = (np.trace(motion.rotation) - 1) / 2
            return f"{math.degrees(math.acos(float(np.clip(cosine, -1, 1)))):.1f}°"
        return f"× {motion.scale:.2f}"


def rotation_about(axis: Array, angle: float) -> Array:
    """(3, 3) turn by radians about a unit axis, counter-clockwise seen from its tip (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross)
