"""Clicking a number of points in the picture, for what takes points: a scale, an orientation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent

from widgets.viewport_annotations import Annotations

Array = NDArray[np.float64]


class PointsTool(QObject):
    """A pointer tool: while active, clicks on surfaces and points are gathered until there are enough.

    picked: the points (N, 3) when there are. progressed: how many there are so far. ended: the tool was left.
    """

    picked = Signal(object)
    progressed = Signal(int)
    changed = Signal()
    ended = Signal()

    def __init__(self, parent: QObject, point_under: Callable[[float, float], Array | None]) -> None:
        super().__init__(parent)
        self._point_under = point_under
        self._wanted = 0
        self._points: list[Array] = []
        self._hover: Array | None = None

    @property
    def is_active(self) -> bool:
        return self._wanted > 0

    @property
    def num_wanted(self) -> int:
        return self._wanted

    @property
    def num_points(self) -> int:
        """How many were clicked so far."""
        return len(self._points)

    def begin(self, count: int) -> None:
        """Take clicks until there are `count` points."""
        self._wanted, self._points, self._hover = count, [], None
        self.changed.emit()

    def end(self) -> None:
        """Leave the pointer to others; what was clicked is forgotten."""
        was_active, self._wanted = self.is_active, 0
        self._points, self._hover = [], None
        self.changed.emit()
        if was_active:
            self.ended.emit()

    def click(self, at: QPointF) -> None:
        """Add the point under a pixel."""
        found = self._point_under(at.x(), at.y())
        if found is None or any(np.array_equal(found, point) for point in self._points):
            return
        self._points.append(np.asarray(found, float))
        self.progressed.emit(len(self._points))
        if len(self._points) == self._wanted:
            points = np.stack(self._points)
            self.end()
            self.picked.emit(points)
        self.changed.emit()

    def handle(self, event: QEvent) -> bool:
        if not self.is_active:
            return False
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.KeyPress:
                self.end()
            return True
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseMove and not event.buttons():
            self._hover = self._point_under(event.position().x(), event.position().y())
            self.changed.emit()
        return False

    def is_empty(self) -> bool:
        return not self._points and self._hover is None

    def paint(self, pen: Annotations) -> None:
        accent = pen.theme.color("accent")
        shown = [*self._points, *([] if self._hover is None else [self._hover])]
        for start, end in pairwise(shown):
            pen.line(start, end, accent, 1.5, dash=True)
        for number, point in enumerate(self._points, 1):
            pen.dot(point, accent, 5)
            pen.label(point + 0.0, str(number))
        if self._hover is not None:
            pen.dot(self._hover, accent, 3.5)
