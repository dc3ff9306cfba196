"""A cube that turns with the camera; a click on a face, an edge or a corner looks from there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QTransform
from PySide6.QtWidgets import QWidget

from render.frame import Axis
from widgets import viewport_camera as cameras
from widgets.theme import Theme, active_theme, interface_font, mix
from widgets.viewport_camera import CameraPose, ViewName

Array = NDArray[np.float64]
_EDGE = 0.24  # share of a face's side that belongs to its edges
_FACES: tuple[ViewName, ...] = ("front", "back", "right", "left", "top", "bottom")


class _Face(NamedTuple):
    """A side of the cube: its name, and its axes right, up and outward in the world."""

    name: ViewName
    right: Array
    up: Array
    out: Array


class ViewCube(QWidget):
    """Emits where to look from; the viewport moves the camera, and the cube follows it."""

    direction_wished = Signal(object, object)  # back (3,) towards the viewer, up (3,)
    orbit_wished = Signal(float, float)  # pixels dragged

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("viewport_view_cube")
        self.setAccessibleName("View cube: click a side to look from there")
        self.setToolTip("Click a side, an edge or a corner to look from there; drag to turn")
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._pose = CameraPose()
        self._faces = _faces("+Z")
        self._up = np.array([0.0, 0.0, 1.0])
        self._hovered: Array | None = None
        self._pressed: QPointF | None = None
        self._is_dragging = False

    def sizeHint(self) -> QSize:
        side = active_theme().px(92)
        return QSize(side, side)

    def set_up_axis(self, axis: Axis) -> None:
        """Name the sides for another up axis."""
        self._faces, self._up = _faces(axis), cameras.axis_vector(axis)
        self.update()

    def follow(self, pose: CameraPose) -> None:
        """Turn as the camera does."""
        self._pose = pose
        self.update()

    def center_of(self, name: ViewName) -> QPointF | None:
        """Where a side's middle is in this widget, or None while it faces away."""
        face = next(face for face in self._faces if face.name == name)
        return self._seen(face.out) if face.out @ self._pose.axes[2] > 0.02 else None

    def _seen(self, point: Array) -> QPointF:
        """Where a point of the cube (sides at -1 and 1) is painted."""
        right, up, _ = self._pose.axes
        scale = self.width() * 0.285
        return QPointF(
            self.width() / 2 + float(point @ right) * scale, self.height() / 2 - float(point @ up) * scale
        )

    def _front_faces(self) -> list[_Face]:
        return [face for face in self._faces if face.out @ self._pose.axes[2] > 0.02]

    def _direction_at(self, at: QPointF) -> Array | None:
        """The view that the part of the cube under a point stands for: a sum of one to three sides."""
        for face in self._front_faces():
            back = self._mapping(face).inverted()[0].map(at)
            a, b = back.x() * 2 - 1, 1 - back.y() * 2
            if abs(a) <= 1 and abs(b) <= 1:
                rim = 1 - 2 * _EDGE
                step = face.right * np.sign(a) * (abs(a) > rim) + face.up * np.sign(b) * (abs(b) > rim)
                direction: Array = face.out + step
                return direction
        return None

    def _mapping(self, face: _Face) -> QTransform:
        """From the unit square of a face, y down, to the widget."""
        square = QPolygonF([QPointF(0, 0), QPointF(1, 0), QPointF(1, 1), QPointF(0, 1)])
        mapping = QTransform()
        QTransform.quadToQuad(square, self._patch(face, (-1, 1), (-1, 1)), mapping)
        return mapping

    def _patch(self, face: _Face, across: tuple[float, float], upward: tuple[float, float]) -> QPolygonF:
        (a, b), (c, d) = across, upward
        corners = ((a, d), (b, d), (b, c), (a, c))
        return QPolygonF([self._seen(face.out + x * face.right + y * face.up) for x, y in corners])

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = active_theme()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for face in self._front_faces():
                self._paint_face(painter, theme, face)

    def _paint_face(self, painter: QPainter, theme: Theme, face: _Face) -> None:
        facing = float(face.out @ self._pose.axes[2])
        top = float(face.out @ self._up) > 0.5
        share = 0.55 + 0.35 * facing + (0.1 if top else 0.0)
        painter.setPen(QPen(theme.color("line" if theme.is_dark else "field_line"), 1))
        painter.setBrush(QColor(mix(theme.field_line if theme.is_dark else theme.raised, theme.panel, share)))
        painter.drawPolygon(self._patch(face, (-1, 1), (-1, 1)))
        if self._hovered is not None and self._hovered @ face.out > 0.5:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(mix(theme.accent, theme.raised, 0.75)))
            painter.drawPolygon(self._patch(face, *self._hovered_part(face)))
        self._paint_name(painter, theme, face, facing)

    def _hovered_part(self, face: _Face) -> tuple[tuple[float, float], tuple[float, float]]:
        assert self._hovered is not None
        rim = 1 - 2 * _EDGE
        parts = {-1: (-1.0, -rim), 0: (-rim, rim), 1: (rim, 1.0)}
        return parts[round(float(self._hovered @ face.right))], parts[round(float(self._hovered @ face.up))]

    def _paint_name(self, painter: QPainter, theme: Theme, face: _Face, facing: float) -> None:
        if facing < 0.25:
            return
        painter.save()
        # The name is set on a square of 100 units and mapped onto the face.
        painter.setTransform(QTransform.fromScale(0.01, 0.01) * self._mapping(face), True)
        font = interface_font(theme, 13, QFont.Weight.DemiBold)
        font.setPixelSize(24)
        painter.setFont(font)
        color = theme.color("text")
        color.setAlphaF(min(1.0, 0.25 + facing))
        painter.setPen(color)
        painter.drawText(QRectF(0, 0, 100, 100), Qt.AlignmentFlag.AlignCenter, face.name.capitalize())
        painter.restore()

    # Pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed, self._is_dragging = event.position(), False
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None:
            step = event.position() - self._pressed
            if self._is_dragging or abs(step.x()) + abs(step.y()) > 4:
                self._is_dragging, self._pressed = True, event.position()
                self.orbit_wished.emit(step.x(), step.y())
            return
        self._hovered = self._direction_at(event.position())
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        was_drag, self._pressed = self._is_dragging, None
        direction = self._direction_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or was_drag or direction is None:
            return
        self.direction_wished.emit(direction, self._up_for(direction))

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = None
        self.update()

    def _up_for(self, direction: Array) -> Array:
        """The world's up, but for the views along it those of the named views."""
        if np.linalg.norm(np.cross(direction, self._up)) > 1e-6:
            return self._up
        return next(face.up for face in self._faces if face.out @ direction > 0.5)


def _faces(axis: Axis) -> tuple[_Face, ...]:
    faces = []
    for name in _FACES:
        right, up, out = cameras.look_along(CameraPose(), name, axis).axes
        faces.append(_Face(name, right.round(), up.round(), out.round()))
    return tuple(faces)
