"""Measuring lengths in the picture: click two points on surfaces or contours."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent

from widgets.viewport_annotations import Annotations
from widgets.viewport_camera import Vector
from widgets.viewport_overlays import plain_number, unit_label

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Measurement:
    """A straight length between two points of the world."""

    start: Vector
    end: Vector

    @property
    def length(self) -> float:
        return math.dist(self.start, self.end)


class MeasureTool(QObject):
    """A pointer tool: while active, clicks set the ends of lengths; drags still move the camera.

    point_under: the point to measure from at a pixel, or None beside everything.
    """

    measured = Signal(object)  # Measurement
    changed = Signal()
    ended = Signal()

    def __init__(self, parent: QObject, point_under: Callable[[float, float], Array | None]) -> None:
        super().__init__(parent)
        self._point_under = point_under
        self._is_active = False
        self._start: Vector | None = None
        self._hover: Vector | None = None
        self.measurements: tuple[Measurement, ...] = ()
        self.unit = "unit"

    @property
    def is_active(self) -> bool:
        return self._is_active

    def begin(self) -> None:
        """Take clicks from now on."""
        self._is_active, self._start, self._hover = True, None, None
        self.changed.emit()

    def end(self) -> None:
        """Leave clicks to others; the measurements stay."""
        was_active, self._is_active = self._is_active, False
        self._start = self._hover = None
        self.changed.emit()
        if was_active:
            self.ended.emit()

    def set_measurements(self, measurements: tuple[Measurement, ...]) -> None:
        """Show these lengths."""
        self.measurements = measurements
        self.changed.emit()

    def click(self, at: QPointF) -> None:
        """Set the start or, the second time, the end of a length."""
        found = self._point_under(at.x(), at.y())
        if found is None:
            return
        point = _plain(found)
        if self._start is None:
            self._start = point
        elif point != self._start:
            measurement = Measurement(self._start, point)
            self._start = None
            self.measurements = (*self.measurements, measurement)
            self.measured.emit(measurement)
        self.changed.emit()

    def handle(self, event: QEvent) -> bool:
        if not self._is_active:
            return False
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.KeyPress:
                self._give_up()
            return True
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseMove and not event.buttons():
            found = self._point_under(event.position().x(), event.position().y())
            self._hover = None if found is None else _plain(found)
            self.changed.emit()
        return False

    def _give_up(self) -> None:
        """Drop the begun length, or when none is begun the tool."""
        if self._start is None:
            self.end()
        else:
            self._start = None
            self.changed.emit()

    def is_empty(self) -> bool:
        return not self.measurements and self._hover is None and self._start is None

    def paint(self, pen: Annotations) -> None:
        color = pen.theme.color("text")
        for measurement in self.measurements:
            self._paint_length(pen, measurement, color)
        accent = pen.theme.color("accent")
        if self._start is not None:
            if self._hover is not None and self._hover != self._start:
                self._paint_length(pen, Measurement(self._start, self._hover), accent)
            pen.dot(self._start, accent)
        if self._hover is not None:
            pen.dot(self._hover, accent, 3.5)

    def _paint_length(self, pen: Annotations, measurement: Measurement, color: QColor) -> None:
        pen.line(measurement.start, measurement.end, color)
        for point in (measurement.start, measurement.end):
            pen.dot(point, color, 3.5)
        middle = np.add(measurement.start, measurement.end) / 2
        pen.label(middle, self.text_of(measurement))

    def text_of(self, measurement: Measurement) -> str:
        """The length with its unit: 12.5 mm."""
        return f"{plain_number(measurement.length)}\u202f{unit_label(self.unit, measurement.length)}"


def _plain(point: Array) -> Vector:
    x, y, z = (float(value) for value in point)
    return x, y, z
