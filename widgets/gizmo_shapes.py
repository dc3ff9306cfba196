"""What the handles of a gizmo look like in the picture, and which of them is under the pointer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPen, QPolygonF

from widgets.viewport_annotations import Annotations
from widgets.viewport_camera import CameraPose
from widgets.viewport_overlays import AXIS_COLORS

Array = NDArray[np.float64]
Project = Callable[[ArrayLike], Array]
Part = tuple[Literal["axis", "plane", "view"], int]

ARM = 88.0  # pixels: length of an axis, radius of a ring
_REACH = 9.0  # pixels within which a handle is taken
_SQUARE = (0.30, 0.52)  # from where to where the little planes reach, in arms
_OUTER = 1.22  # radius of the ring that faces the viewer, in arms
_RING = np.linspace(0, 2 * np.pi, 73)


def arm_length(project: Project, pose: CameraPose, pivot: Array) -> float:
    """The world length that looks ARM pixels long at the pivot."""
    ends = project(np.stack([pivot, pivot + pose.axes[0]]))[:, :2]
    return ARM / max(1e-9, float(np.linalg.norm(ends[1] - ends[0])))


def part_at(kind: str, project: Project, pose: CameraPose, pivot: Array, at: QPointF) -> Part | None:
    """The handle under a pixel, or None."""
    if project(pivot)[0, 2] <= 0:
        return None
    arm, point = arm_length(project, pose, pivot), np.array([at.x(), at.y()])
    middle = project(pivot)[0, :2]
    away = float(np.linalg.norm(point - middle))
    if kind == "scale":
        return ("view", 0) if away <= ARM + _REACH else None
    if kind == "move":
        return _move_part(project, pose, pivot, arm, point, away)
    near = [(float(_to_line(_ring(project, pivot, arm, axis), point)), axis) for axis in range(3)]
    distance, axis = min(near)
    if distance <= _REACH:
        return "axis", axis
    return ("view", 0) if abs(away - _OUTER * ARM) <= _REACH else None


def _move_part(
    project: Project, pose: CameraPose, pivot: Array, arm: float, point: Array, away: float
) -> Part | None:
    if away <= _REACH:
        return "view", 0
    for axis in _shown_planes(pose):
        square = QPolygonF([QPointF(x, y) for x, y, _ in project(_square(pivot, arm, axis))])
        if square.containsPoint(QPointF(*point), Qt.FillRule.WindingFill):
            return "plane", axis
    tips = [project(np.stack([pivot, pivot + np.eye(3)[axis] * arm]))[:, :2] for axis in range(3)]
    near = [(float(_to_line(tip, point)), axis) for axis, tip in enumerate(tips) if _length(tip) > 12]
    distance, axis = min(near, default=(math.inf, 0))
    return ("axis", axis) if distance <= _REACH else None


def paint_gizmo(
    pen: Annotations, kind: str, project: Project, pose: CameraPose, pivot: Array, hot: Part | None
) -> None:
    """Paint the handles of one kind; `hot` is under the pointer or held."""
    if project(pivot)[0, 2] <= 0:
        return
    arm = arm_length(project, pose, pivot)
    if kind == "move":
        _paint_move(pen, project, pose, pivot, arm, hot)
    elif kind == "rotate":
        _paint_rotate(pen, project, pose, pivot, arm, hot)
    else:
        _paint_scale(pen, project, pivot, hot)


def _paint_move(
    pen: Annotations, project: Project, pose: CameraPose, pivot: Array, arm: float, hot: Part | None
) -> None:
    painter = pen.painter
    for axis in _shown_planes(pose):
        color = _color(pen, axis, hot == ("plane", axis))
        fill = QColor(color)
        fill.setAlphaF(0.45 if hot == ("plane", axis) else 0.22)
        painter.setPen(QPen(color, 1))
        painter.setBrush(fill)
        painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y, _ in project(_square(pivot, arm, axis))]))
    for axis in np.argsort([-float(np.eye(3)[axis] @ -pose.axes[2]) for axis in range(3)]):
        start, tip = project(np.stack([pivot, pivot + np.eye(3)[axis] * arm]))[:, :2]
        if _length(np.stack([start, tip])) > 12:
            _paint_arrow(pen, start, tip, _color(pen, int(axis), hot == ("axis", int(axis))))
    _paint_middle(pen, project, pivot, hot == ("view", 0))


def _paint_arrow(pen: Annotations, start: Array, tip: Array, color: QColor) -> None:
    way = (tip - start) / max(1e-9, float(np.linalg.norm(tip - start)))
    side = np.array([-way[1], way[0]])
    neck = tip - way * 14
    edge = pen.theme.color("viewport_bottom")
    edge.setAlphaF(0.5)
    painter = pen.painter
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for stroke in (QPen(edge, 5), QPen(color, 3)):
        stroke.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(stroke)
        painter.drawLine(QPointF(*(start + way * 9)), QPointF(*neck))
    painter.setPen(QPen(edge, 1))
    painter.setBrush(color)
    corners = (tip + way * 2, neck + side * 6, neck - side * 6)
    painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))


def _paint_rotate(
    pen: Annotations, project: Project, pose: CameraPose, pivot: Array, arm: float, hot: Part | None
) -> None:
    painter, back = pen.painter, pose.axes[2]
    middle = QPointF(*project(pivot)[0, :2])
    color = pen.theme.color("accent" if hot == ("view", 0) else "text_second")
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(color, 2.5 if hot == ("view", 0) else 1.5))
    painter.drawEllipse(middle, ARM * _OUTER, ARM * _OUTER)
    for axis in range(3):
        ring, points = _ring_points(pivot, arm, axis), _ring(project, pivot, arm, axis)
        is_front = (ring - pivot) @ back >= -0.02 * arm
        color = _color(pen, axis, hot == ("axis", axis))
        faint = QColor(color)
        faint.setAlphaF(0.22)
        for front, stroke in (
            (False, QPen(faint, 1.5)),
            (True, QPen(color, 3.5 if hot == ("axis", axis) else 2.5)),
        ):
            stroke.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(stroke)
            for i in range(len(points) - 1):
                if bool(is_front[i]) == front:
                    painter.drawLine(QPointF(*points[i]), QPointF(*points[i + 1]))
    _paint_middle(pen, project, pivot, False)


def _paint_scale(pen: Annotations, project: Project, pivot: Array, hot: Part | None) -> None:
    painter = pen.painter
    middle = QPointF(*project(pivot)[0, :2])
    color = pen.theme.color("accent" if hot else "text")
    edge = pen.theme.color("viewport_bottom")
    edge.setAlphaF(0.55)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for stroke in (QPen(edge, 4), QPen(color, 2)):
        painter.setPen(stroke)
        painter.drawEllipse(middle, ARM, ARM)
    side = ARM / math.sqrt(2)
    for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        box = QRectF(0, 0, 11, 11)
        box.moveCenter(middle + QPointF(x * side, y * side))
        painter.setPen(QPen(edge, 1.5))
        painter.setBrush(color)
        painter.drawRoundedRect(box, 2, 2)
    _paint_middle(pen, project, pivot, bool(hot))


def _paint_middle(pen: Annotations, project: Project, pivot: Array, is_hot: bool) -> None:
    pen.dot(pivot, pen.theme.color("accent" if is_hot else "text"), 6 if is_hot else 4.5)


def _color(pen: Annotations, axis: int, is_hot: bool) -> QColor:
    return pen.theme.color("accent") if is_hot else QColor(AXIS_COLORS[pen.theme.name][axis])


def _shown_planes(pose: CameraPose) -> list[int]:
    """The planes across these axes are not seen edge on."""
    return [axis for axis in range(3) if abs(float(np.eye(3)[axis] @ pose.axes[2])) > 0.2]


def _square(pivot: Array, arm: float, axis: int) -> Array:
    low, high = _SQUARE
    first, second = (np.eye(3)[(axis + step) % 3] * arm for step in (1, 2))
    return np.stack(
        [pivot + a * first + b * second for a, b in ((low, low), (high, low), (high, high), (low, high))]
    )


def _ring_points(pivot: Array, arm: float, axis: int) -> Array:
    points = np.zeros((len(_RING), 3))
    points[:, (axis + 1) % 3], points[:, (axis + 2) % 3] = np.cos(_RING), np.sin(_RING)
    return pivot + arm * points


def _ring(project: Project, pivot: Array, arm: float, axis: int) -> Array:
    return project(_ring_points(pivot, arm, axis))[:, :2]


def _to_line(points: Array, at: Array) -> float:
    """The distance of a pixel from a polyline (M, 2)."""
    start, step = points[:-1], points[1:] - points[:-1]
    square = np.maximum((step**2).sum(1), 1e-12)
    along = np.clip(((at - start) * step).sum(1) / square, 0, 1)
    return float(np.linalg.norm(start + along[:, None] * step - at, axis=1).min())


def _length(ends: Array) -> float:
    return float(np.linalg.norm(ends[1] - ends[0]))
