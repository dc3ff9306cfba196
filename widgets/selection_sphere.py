"""A sphere to choose Gaussians with: drag its middle to move it, its rim to change its radius."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainterPath, QPen, QPolygonF

from widgets.viewport_annotations import Annotations
from widgets.viewport_camera import CameraPose
from widgets.viewport_overlays import plain_number, unit_label

Array = NDArray[np.float64]
_REACH = 10.0  # pixels within which the rim or the middle is taken
_RING = np.linspace(0, 2 * np.pi, 65)


class SphereTool(QObject):
    """A pointer tool: while active, a sphere can be dragged. edited: after a drag. ended: left with Escape."""

    edited = Signal()
    changed = Signal()
    ended = Signal()

    def __init__(
        self, parent: QObject, project: Callable[[ArrayLike], Array], pose: Callable[[], CameraPose]
    ) -> None:
        super().__init__(parent)
        self._project, self._pose = project, pose
        self.center: Array = np.zeros(3)
        self.radius = 1.0
        self.unit = "unit"
        self.is_active = False
        self._hover = ""
        self._grabbed: tuple[str, QPointF, Array] | None = None

    def begin(self, center: ArrayLike, radius: float) -> None:
        """Show this sphere and take drags of it."""
        self.center, self.radius = np.asarray(center, np.float64), radius
        self.is_active, self._grabbed = True, None
        self.changed.emit()

    def end(self) -> None:
        """Leave the pointer to others."""
        was_active, self.is_active, self._grabbed, self._hover = self.is_active, False, None, ""
        self.changed.emit()
        if was_active:
            self.ended.emit()

    def handle(self, event: QEvent) -> bool:
        if not self.is_active:
            return False
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.KeyPress:
                self.end()
            return True
        if not isinstance(event, QMouseEvent):
            return False
        if event.type() == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            part = self._part_at(event.position())
            self._grabbed = (part, event.position(), self.center) if part else None
            return bool(part)
        if event.type() == QEvent.Type.MouseMove:
            return self._move(event.position())
        if self._grabbed is not None and event.type() == QEvent.Type.MouseButtonRelease:
            self._grabbed = None
            self.edited.emit()
            return True
        return False

    def rim_pixels(self) -> tuple[QPointF, float] | None:
        """The middle and the radius of the sphere in the picture; None behind the viewer."""
        right = self._pose().axes[0]
        placed = self._project(np.stack([self.center, self.center + right * self.radius]))
        if placed[:, 2].min() <= 0:
            return None
        return QPointF(*placed[0, :2]), float(np.linalg.norm(placed[1, :2] - placed[0, :2]))

    def _part_at(self, at: QPointF) -> str:
        rim = self.rim_pixels()
        if rim is None:
            return ""
        away = at - rim[0]
        distance = float(np.hypot(away.x(), away.y()))
        if abs(distance - rim[1]) <= _REACH and rim[1] > _REACH:
            return "rim"
        return "middle" if distance <= _REACH else ""

    def _move(self, at: QPointF) -> bool:
        if self._grabbed is None:
            hover = self._part_at(at)
            if hover != self._hover:
                self._hover = hover
                self.changed.emit()
            return False
        part, start, center = self._grabbed
        per_pixel = self._units_per_pixel()
        if part == "middle":
            right, up, _ = self._pose().axes
            step = at - start
            self.center = center + (right * step.x() - up * step.y()) * per_pixel
        else:
            rim = self.rim_pixels()
            if rim is not None:
                away = at - rim[0]
                self.radius = max(1e-9, float(np.hypot(away.x(), away.y())) * per_pixel)
        self.changed.emit()
        return True

    def _units_per_pixel(self) -> float:
        rim = self.rim_pixels()
        return self.radius / max(rim[1], 1e-9) if rim is not None else 0.0

    # Painting

    def is_empty(self) -> bool:
        return not self.is_active

    def paint(self, pen: Annotations) -> None:
        rim = self.rim_pixels()
        if rim is None:
            return
        painter, accent = pen.painter, pen.theme.color("accent")
        fill = QColor(accent)
        fill.setAlphaF(0.08)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawEllipse(*rim, rim[1])
        self._paint_circles(pen, accent)
        edge = pen.theme.color("viewport_bottom")
        edge.setAlphaF(0.55)
        width = 2.5 if self._hover == "rim" or self._is_held("rim") else 1.5
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for stroke in (QPen(edge, width + 2), QPen(accent, width)):
            painter.setPen(stroke)
            painter.drawEllipse(*rim, rim[1])
        pen.dot(self.center, accent, 7 if self._hover == "middle" else 5)
        if self._grabbed is not None or self._hover:
            up = self._pose().axes[1]
            pen.label(self.center - up * self.radius * 1.12, self.size_text())

    def size_text(self) -> str:
        """The radius with its unit: "r 1.25 m"."""
        return f"r {plain_number(self.radius, 3)}\u202f{unit_label(self.unit, self.radius)}"

    def _is_held(self, part: str) -> bool:
        return self._grabbed is not None and self._grabbed[0] == part

    def _paint_circles(self, pen: Annotations, accent: QColor) -> None:
        """Three great circles, which tell how the sphere lies in the scene."""
        faint = QColor(accent)
        faint.setAlphaF(0.45)
        pen.painter.setPen(QPen(faint, 1))
        for axis in range(3):
            circle = np.zeros((len(_RING), 3))
            circle[:, axis - 1], circle[:, axis - 2] = np.cos(_RING), np.sin(_RING)
            placed = self._project(self.center + self.radius * circle)
            if placed[:, 2].min() > 0:
                path = QPainterPath()
                path.addPolygon(QPolygonF([QPointF(x, y) for x, y, _ in placed]))
                pen.painter.drawPath(path)
