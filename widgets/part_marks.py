"""Drawing on the picture to mark parts: a brush, lasso, polygon or eraser in the part's colour, and what was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPainterPath, QPen, QPixmap

from widgets.selection_strokes import ScreenTool, Stroke, points_of, polygon_path
from widgets.selection_tools import SelectionTools
from widgets.theme import Theme
from widgets.viewport_annotations import Annotations

MarkTool = Literal["brush", "lasso", "polygon", "eraser", "network"]
_RADIUS = 9.0  # pixels: strokes are meant to stay inside a part
_BOX_STARTS = 4.0  # pixels; less is a click
_DOT = 6.0  # pixels, radius of a click's sign
_SHARE = 0.62  # of the strokes' colour over the picture


@dataclass(frozen=True, eq=False)
class MarkPath:
    """One stroke that was drawn. points: (M, 2) pixels of the picture; a brush of `radius` pixels along them, or a
    closed polygon where radius is 0. color: "#rrggbb", or "" where it takes back what lies below. clicks: x, y, and
    whether it is inside, of those that a network was asked with."""

    points: NDArray[np.float64]
    radius: float
    color: str
    clicks: tuple[tuple[float, float, bool], ...] = ()


class MarkTools(SelectionTools):
    """The tools of the selection, in the colour of what is marked.

    marked: a Stroke and whether it is for the chosen part (else for none); erased: a Stroke of the eraser. pointed: for
    a network, a click and whether it is on the part; boxed: (2, 2) corners around it.
    """

    marked = Signal(object, bool)
    erased = Signal(object)
    pointed = Signal(QPointF, bool)
    boxed = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.radius = _RADIUS
        self.is_erasing = self.is_pointing = False
        self.color, self.other_color = "#f0883e", "#8a8782"
        self.paths: tuple[MarkPath, ...] = ()
        self._layer: tuple[tuple[object, ...], QPixmap] | None = None
        self.drawn.connect(self._tell)

    def begin_marking(self, tool: MarkTool) -> None:
        """Mark with this tool from now on."""
        self.is_erasing, self.is_pointing = tool == "eraser", tool == "network"
        self.begin("brush" if tool == "eraser" else "rectangle" if tool == "network" else tool)

    def show_paths(self, paths: Sequence[MarkPath]) -> None:
        """Show these strokes, the last on top."""
        self.paths, self._layer = tuple(paths), None
        self.changed.emit()

    def _mouse(self, event: QMouseEvent) -> bool:
        """The right button says to a network what is not of the part."""
        if self.is_pointing and event.button() == Qt.MouseButton.RightButton:
            if event.type() == QEvent.Type.MouseButtonRelease:
                self.pointed.emit(event.position(), False)
            return True
        return super()._mouse(event)

    def _finish_region(self, tool: ScreenTool, path: list[QPointF], at: QPointF) -> None:
        if not self.is_pointing:
            super()._finish_region(tool, path, at)
        elif (at - path[0]).manhattanLength() < _BOX_STARTS:
            self.pointed.emit(at, not self._is_for_none)
        else:
            self.boxed.emit(points_of([path[0], at]))

    def _tell(self, stroke: Stroke, mode: str) -> None:
        if self.is_erasing:
            self.erased.emit(stroke)
        else:
            self.marked.emit(stroke, mode not in ("remove", "intersect"))

    # Painting

    def is_empty(self) -> bool:
        return super().is_empty() and not self.paths

    def paint(self, pen: Annotations) -> None:
        painter = pen.painter
        if self.paths:
            painter.setOpacity(_SHARE)
            painter.drawPixmap(0, 0, self._strokes(pen))
            painter.setOpacity(1.0)
            for path in self.paths:
                _paint_clicks(pen, path)
        if self.tool is None:
            return
        color = self._color(pen.theme)
        if self._path and self.tool == "brush":
            color.setAlphaF(0.75)
            painter.strokePath(_line(self._path), _round(color, 2 * self.radius))
        elif self._path:
            self._paint_outline(pen, color)
        if self._pointer is not None and self.tool == "brush":
            edge = pen.theme.color("viewport_bottom")
            edge.setAlphaF(0.6)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for each in (QPen(edge, 3), QPen(self._color(pen.theme), 1.5)):
                painter.setPen(each)
                painter.drawEllipse(self._pointer, self.radius, self.radius)
        if self._pointer is not None and (self._is_for_none or self.is_erasing):
            self._paint_word(
                pen, "Erase" if self.is_erasing else "Not this" if self.is_pointing else "No part"
            )

    @property
    def _is_for_none(self) -> bool:
        return self._mode in ("remove", "intersect")

    def _color(self, theme: Theme) -> QColor:
        if self.is_erasing:
            return theme.color("text")
        return QColor(self.other_color if self._is_for_none else self.color)

    def _paint_outline(self, pen: Annotations, color: QColor) -> None:
        ends = [self._pointer] if self.tool == "polygon" and self._pointer is not None else []
        path = polygon_path([*self._path, *ends], is_closed=True)
        if self.tool == "rectangle":
            path = QPainterPath()
            path.addRect(QRectF(self._path[0], self._path[-1]).normalized())
        fill = QColor(color)
        fill.setAlphaF(0.3)
        pen.painter.fillPath(path, fill)
        edge = pen.theme.color("viewport_bottom")
        edge.setAlphaF(0.55)
        for each in (QPen(edge, 3.5), QPen(color, 1.5)):
            pen.painter.strokePath(path, each)
        if self.tool == "polygon":
            pen.painter.setBrush(color)
            for corner in self._path:
                pen.painter.drawEllipse(corner, 3.5, 3.5)

    def _paint_word(self, pen: Annotations, word: str) -> None:
        painter, theme = pen.painter, pen.theme
        assert self._pointer is not None
        font = pen.font_of(theme)
        painter.setFont(font)
        width = painter.fontMetrics().horizontalAdvance(word) + theme.px(12)
        reach = self.radius if self.tool == "brush" else 0.0
        box = QRectF(
            self._pointer.x() + reach + theme.px(6), self._pointer.y() - theme.px(10), width, theme.px(20)
        )
        back = theme.color("panel")
        back.setAlphaF(0.9)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(back)
        painter.drawRoundedRect(box, theme.px(4), theme.px(4))
        painter.setPen(theme.color("text"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, word)

    def _strokes(self, pen: Annotations) -> QPixmap:
        """All strokes, opaque, in a picture of their own: evenly translucent then, and the eraser takes away."""
        ratio = pen.devicePixelRatioF()
        key = (self.paths, pen.width(), pen.height(), ratio)
        if self._layer is None or self._layer[0] != key:
            pixmap = QPixmap(QSize(pen.width(), pen.height()) * ratio)
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(Qt.GlobalColor.transparent)
            with QPainter(pixmap) as painter:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                for path in self.paths:
                    _paint(painter, path)
            self._layer = key, pixmap
        return self._layer[1]


def _paint(painter: QPainter, path: MarkPath) -> None:
    mode = QPainter.CompositionMode
    painter.setCompositionMode(mode.CompositionMode_SourceOver if path.color else mode.CompositionMode_Clear)
    points = [QPointF(x, y) for x, y in path.points]
    color = QColor(path.color or "#000000")
    if path.radius:
        painter.strokePath(_line(points), _round(color, 2 * path.radius))
    else:
        painter.fillPath(polygon_path(points, is_closed=True), color)


def _paint_clicks(pen: Annotations, path: MarkPath) -> None:
    """A dot with a plus for what is of the part, with a minus for what is not."""
    painter = pen.painter
    for x, y, is_inside in path.clicks:
        painter.setPen(QPen(QColor("#ffffff"), 1.5))
        painter.setBrush(QColor(path.color) if is_inside else pen.theme.color("error"))
        painter.drawEllipse(QPointF(x, y), _DOT, _DOT)
        painter.drawLine(QPointF(x - _DOT / 2, y), QPointF(x + _DOT / 2, y))
        if is_inside:
            painter.drawLine(QPointF(x, y - _DOT / 2), QPointF(x, y + _DOT / 2))


def _line(points: list[QPointF]) -> QPainterPath:
    line = QPainterPath(points[0])
    for point in points[1:] or [points[0] + QPointF(0.01, 0)]:
        line.lineTo(point)
    return line


def _round(color: QColor, width: float) -> QPen:
    pen = QPen(color, width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen
