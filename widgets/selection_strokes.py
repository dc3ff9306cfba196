"""What a person draws on the picture to choose Gaussians, as values, and how it is painted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from widgets.theme import Theme
from widgets.viewport_overlays import Overlay

Mode = Literal["set", "add", "remove", "intersect"]
ScreenTool = Literal["rectangle", "lasso", "polygon", "brush", "flood", "eyedropper", "connected"]
_MODE_COLORS: dict[Mode, str] = {"set": "accent", "add": "accent", "remove": "error", "intersect": "link"}
_MODE_SIGNS: dict[Mode, str] = {"set": "", "add": "+", "remove": "\u2212", "intersect": "\u2229"}


@dataclass(frozen=True, eq=False)
class Stroke:
    """A region of the picture. points: (M, 2) pixels of the widget, x right and y down: two opposite corners, the
    corners of a polygon, or the path of a brush of `radius` pixels."""

    kind: Literal["rectangle", "polygon", "brush"]
    points: NDArray[np.float64]
    radius: float = 0.0


def mode_of(modifiers: Qt.KeyboardModifier) -> Mode:
    """Shift adds, Ctrl removes, both keep the overlap."""
    shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
    ctrl = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
    return "intersect" if shift and ctrl else "add" if shift else "remove" if ctrl else "set"


def points_of(path: list[QPointF]) -> NDArray[np.float64]:
    """(M, 2) pixels."""
    return np.array([[point.x(), point.y()] for point in path], np.float64).reshape(-1, 2)


def paint_region(
    painter: QPainter, theme: Theme, path: QPainterPath, mode: Mode, *, is_closed: bool = True
) -> None:
    """Fill and outline of a region under way, in the colour of what it will do."""
    color = theme.color(_MODE_COLORS[mode])
    fill, edge = QColor(color), theme.color("viewport_bottom")
    fill.setAlphaF(0.16)
    edge.setAlphaF(0.55)
    if is_closed:
        painter.fillPath(path, fill)
    for pen in (QPen(edge, 3.5), QPen(color, 1.5)):
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.strokePath(path, pen)


def paint_brush(painter: QPainter, theme: Theme, path: list[QPointF], radius: float, mode: Mode) -> None:
    """The stroke of a round brush, evenly translucent however often it crosses itself."""
    color = theme.color(_MODE_COLORS[mode])
    color.setAlphaF(0.30)
    line = QPainterPath(path[0])
    for point in path[1:] or [path[0] + QPointF(0.01, 0)]:
        line.lineTo(point)
    pen = QPen(color, 2 * radius)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.strokePath(line, pen)


def paint_ring(painter: QPainter, theme: Theme, at: QPointF, radius: float, mode: Mode) -> None:
    """The outline of the brush under the pointer."""
    edge = theme.color("viewport_bottom")
    edge.setAlphaF(0.6)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(edge, 3), QPen(theme.color(_MODE_COLORS[mode]), 1.5)):
        painter.setPen(pen)
        painter.drawEllipse(at, radius, radius)


def paint_sign(painter: QPainter, theme: Theme, at: QPointF, mode: Mode, overlay: Overlay) -> None:
    """A small round sign beside the pointer: +, − or ∩."""
    if not _MODE_SIGNS[mode]:
        return
    side = theme.px(16)
    box = QRectF(at.x() + theme.px(10), at.y() + theme.px(10), side, side)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color(_MODE_COLORS[mode]))
    painter.drawEllipse(box)
    painter.setPen(theme.color("on_accent"))
    painter.setFont(overlay.font_of(theme))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, _MODE_SIGNS[mode])


def polygon_path(points: list[QPointF], *, is_closed: bool) -> QPainterPath:
    """A polygon or lasso, closed by a straight line or open."""
    path = QPainterPath()
    path.addPolygon(QPolygonF(points))
    if is_closed:
        path.closeSubpath()
    return path
