"""Paints one plane of cross-sections: its regions and contours, and what helps to judge them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPainterPath, QPen, QTransform

from widgets.colour_maps import label_color
from widgets.plane_drawing import Crossing, FlatLoop, Points, outline, path_of, thinned, thinned_outside
from widgets.theme import active_theme, interface_font

_VERTEX_GAP = 7.0  # pixels between vertices from which on they are drawn
_MOST_VERTICES = 1500
_MOST_PATHS = 200


@dataclass(frozen=True, eq=False)
class Drawing:
    """Everything on one plane, in the plane's coordinates.

    ghosts: contours of the planes before and after. result: contours of the solid on this plane.
    invalid: indices of loops that cross themselves. frame: (2, 2) corners of what "fit" shows.
    """

    loops: tuple[FlatLoop, ...] = ()
    ghosts: tuple[FlatLoop, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    result: tuple[FlatLoop, ...] = ()
    invalid: frozenset[int] = frozenset()
    is_enabled: bool = True
    frame: Points = field(default_factory=lambda: np.array([[-1.0, -1.0], [1.0, 1.0]]))
    unit: str = ""


@dataclass(frozen=True)
class Shown:
    """What is drawn beside the contours."""

    fill: bool = True
    ghosts: bool = True
    crossings: bool = True
    result: bool = True


class PlaneView(Protocol):
    """Where the plane lies on the screen; the canvas is one."""

    scale: float  # pixels per unit
    selected: int | None  # index of the selected loop

    def to_screen(self) -> QTransform: ...
    def at(self, place: QPointF) -> Points: ...
    def on_screen(self, point: Points) -> QPointF: ...
    def width(self) -> int: ...
    def height(self) -> int: ...
    def rect(self) -> QRect: ...
    def devicePixelRatioF(self) -> float: ...


class SlicePainter:
    """Paints a Drawing, from back to front. Paths are made once for each range of zooms."""

    def __init__(self, view: PlaneView) -> None:
        self._view = view
        self._drawing = Drawing()
        self._shown = Shown()
        self._paths: dict[object, QPainterPath] = {}

    def set_drawing(self, drawing: Drawing) -> None:
        """Paint another plane from now on."""
        self._drawing = drawing
        self._paths.clear()

    def paint(self, painter: QPainter, shown: Shown) -> None:
        """Paint everything but what a tool has in hand."""
        self._shown = shown
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter)
        painter.setTransform(self._view.to_screen())
        painter.setOpacity(1.0 if self._drawing.is_enabled else 0.45)
        if shown.ghosts:
            self._paint_ghosts(painter)
        self._paint_regions(painter)
        if shown.crossings:
            self._paint_crossings(painter)
        self._paint_contours(painter)
        if shown.result:
            self._paint_result(painter)
        painter.setOpacity(1.0)
        painter.resetTransform()
        self._paint_vertices(painter)

    def paint_words(self, painter: QPainter) -> None:
        """Paint the scale bar, the key and what is said about the plane, over everything."""
        self._paint_scale_bar(painter)
        if shown_result(self._drawing, self._shown):
            self._paint_key(painter)
        if not self._drawing.is_enabled:
            self._paint_left_out(painter)

    def _paint_ground(self, painter: QPainter) -> None:
        theme = active_theme()
        ground = QLinearGradient(0, 0, 0, self._view.height())
        ground.setColorAt(0, theme.color("viewport_top"))
        ground.setColorAt(1, theme.color("viewport_bottom"))
        painter.fillRect(self._view.rect(), ground)

    def _paint_ghosts(self, painter: QPainter) -> None:
        color = _faded(active_theme().color("text"), 0.28)
        painter.setPen(self._pen(color, 1.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self._cached("ghosts", lambda: outline(self._thin(self._drawing.ghosts))))

    def _paint_regions(self, painter: QPainter) -> None:
        if not self._shown.fill:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        for label in self._labels():
            painter.setBrush(_faded(label_qcolor(label), 0.26))
            painter.drawPath(self._region_path(label))

    def _paint_contours(self, painter: QPainter) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for label in self._labels():
            painter.setPen(self._pen(label_qcolor(label), 1.8))
            painter.drawPath(self._region_path(label))
        painter.setPen(self._pen(active_theme().color("error"), 2.6))
        for index in self._drawing.invalid:
            painter.drawPath(path_of([self.thin(self._drawing.loops[index].points)]))
        if self._view.selected is not None and self._view.selected < len(self._drawing.loops):
            painter.setPen(self._pen(active_theme().color("text"), 2.6))
            painter.drawPath(path_of([self.thin(self._drawing.loops[self._view.selected].points)]))

    def _paint_crossings(self, painter: QPainter) -> None:
        theme = active_theme()
        for crossing in self._drawing.crossings:
            start, end = (QPointF(*point) for point in crossing.line)
            painter.setPen(self._pen(_faded(theme.color("text"), 0.12), 1.0))
            painter.drawLine(start, end)
            for label, stretches in crossing.inside:
                painter.setPen(self._pen(_faded(label_qcolor(label), 0.6), 2.0))
                for a, b in stretches:
                    painter.drawLine(QPointF(*a), QPointF(*b))

    def _paint_result(self, painter: QPainter) -> None:
        painter.setPen(self._result_pen())
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self._cached("result", lambda: outline(self._thin(self._drawing.result))))

    def _paint_vertices(self, painter: QPainter) -> None:
        """The vertices in view, as soon as there is room between them."""
        view = np.stack(
            [self._view.at(QPointF(0, self._view.height())), self._view.at(QPointF(self._view.width(), 0))]
        )
        painter.setPen(QPen(active_theme().color("viewport_bottom"), 1))
        for loop in self._drawing.loops:
            gaps = np.linalg.norm(np.diff(loop.points, axis=0), axis=1)
            if np.median(gaps) * self._view.scale < _VERTEX_GAP:
                continue
            painter.setBrush(label_qcolor(loop.label))
            inside = ((loop.points >= view[0]) & (loop.points <= view[1])).all(axis=1)
            for point in loop.points[inside][:_MOST_VERTICES]:
                painter.drawEllipse(self._view.on_screen(point), 3.0, 3.0)

    def _paint_scale_bar(self, painter: QPainter) -> None:
        theme = active_theme()
        length = nice_length(0.22 * self._view.width() / self._view.scale)
        pixels = length * self._view.scale
        left, bottom = theme.px(16), self._view.height() - theme.px(16)
        painter.setPen(QPen(theme.color("text"), theme.px(2), Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawLine(QPointF(left, bottom), QPointF(left + pixels, bottom))
        tick = theme.px(4)
        for x in (left + theme.px(1), left + pixels - theme.px(1)):
            painter.drawLine(QPointF(x, bottom - tick), QPointF(x, bottom + theme.px(1)))
        painter.setFont(interface_font(theme, 12))
        unit = "" if self._drawing.unit == "unit" else self._drawing.unit
        words = f"{length:g} {unit}".strip() if unit else f"{length:g} units"
        painter.drawText(QPointF(left, bottom - theme.px(8)), words)

    def _paint_key(self, painter: QPainter) -> None:
        """What the dashed line is, at the lower right."""
        theme = active_theme()
        painter.setFont(interface_font(theme, 12))
        right, bottom = self._view.width() - theme.px(16), self._view.height() - theme.px(16)
        width = painter.fontMetrics().horizontalAdvance("Result")
        painter.setPen(theme.color("text"))
        painter.drawText(QPointF(right - width, bottom), "Result")
        painter.setPen(self._result_pen())
        middle = bottom - painter.fontMetrics().xHeight() / 2
        painter.drawLine(
            QPointF(right - width - theme.px(34), middle), QPointF(right - width - theme.px(8), middle)
        )

    def _pen(self, color: QColor, width: float) -> QPen:
        # Qt counts the width of cosmetic pens in device pixels.
        return cosmetic(color, width * self._view.devicePixelRatioF())

    def _result_pen(self) -> QPen:
        pen = self._pen(active_theme().color("text"), 1.3)
        pen.setDashPattern([4, 3])
        return pen

    def _paint_left_out(self, painter: QPainter) -> None:
        theme = active_theme()
        painter.setPen(theme.color("text_second"))
        painter.setFont(interface_font(theme, 12))
        painter.drawText(QPointF(theme.px(16), theme.px(24)), "Left out: methods do not use this plane.")

    def _labels(self) -> list[int]:
        return sorted({loop.label for loop in self._drawing.loops})

    def _region_path(self, label: int) -> QPainterPath:
        loops = [loop for loop in self._drawing.loops if loop.label == label]
        return self._cached(("region", label), lambda: outline(self._thin(loops)))

    def _thin(self, loops: Sequence[FlatLoop]) -> list[FlatLoop]:
        """Loops without the points that no pixel could tell apart at this zoom."""
        return [replace(loop, points=self.thin(loop.points)) for loop in loops]

    def thin(self, points: Points) -> Points:
        """A loop with the points that are needed to draw it here: fine in view, coarse far outside."""
        step, size, middle = self._stretch()
        coarse = thinned_outside(points, middle - 1.5 * size, middle + 1.5 * size, 0.25 * float(size.min()))
        return thinned(coarse, 0.5 / step)

    def _stretch(self) -> tuple[float, Points, Points]:
        """The zoom up to a power of two, the pane's size and its rounded middle, for a whole range of views."""
        step = 2.0 ** math.ceil(math.log2(self._view.scale))
        size = np.array([self._view.width(), self._view.height()]) / (step / 2)
        middle = self._view.at(QPointF(self._view.width() / 2, self._view.height() / 2))
        return step, size, np.round(middle / (0.5 * size)) * (0.5 * size)

    def _cached(self, key: object, make: Callable[[], QPainterPath]) -> QPainterPath:
        step, _, middle = self._stretch()
        whole = (key, step, *middle)
        if len(self._paths) > _MOST_PATHS:
            self._paths.clear()
        if whole not in self._paths:
            self._paths[whole] = make()
        return self._paths[whole]


def label_qcolor(label: int) -> QColor:
    """The colour of a label in the active theme."""
    return QColor(label_color(label, active_theme().is_dark))


def shown_result(drawing: Drawing, shown: Shown) -> bool:
    """Whether the contour of the result is on the picture."""
    return bool(drawing.result) and shown.result


def cosmetic(color: QColor, width: float) -> QPen:
    """A pen of so many device pixels at every zoom."""
    pen = QPen(color, active_theme().ui_scale * width)
    pen.setCosmetic(True)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen


def nice_length(length: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not longer."""
    decade = 10.0 ** math.floor(math.log10(max(length, 1e-300)))
    return max((step * decade for step in (1, 2, 5) if step * decade <= length * 1.0000001), default=decade)


def _faded(color: QColor, opacity: float) -> QColor:
    faded = QColor(color)
    faded.setAlphaF(opacity)
    return faded
