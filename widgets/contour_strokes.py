"""The tools that add and take away: polygon, brush and eraser, and a preview to apply."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen

from widgets.contour_geometry import brushed, crosses_itself, edge_is_free, loops_cross, loops_of, region_of
from widgets.contour_tools import CROSSES, REACH, EditHost, paint_word, screen_path
from widgets.plane_drawing import FlatLoop, Points
from widgets.slice_canvas import SliceTool
from widgets.slice_painting import label_qcolor
from widgets.theme import active_theme

_FREEHAND_GAP = 6.0  # pixels between the points of a line drawn with the button held


class PolygonTool(SliceTool):
    """Click point after point, or draw with the button held; Enter, a double-click or the first point closes."""

    def __init__(self, host: EditHost) -> None:
        self._host = host
        self._points = np.zeros((0, 2))
        self._pointer: Points | None = None

    def press(self, point: Points, event: QMouseEvent) -> bool:
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        if self._is_at_start(point):
            self.close()
        else:
            self._add(point)
        return True

    def move(self, point: Points, event: QMouseEvent) -> bool:
        self._pointer = point
        is_drawing = event.buttons() & Qt.MouseButton.LeftButton and len(self._points)
        gap = np.linalg.norm(point - self._points[-1:]) * self._host.canvas.scale
        if is_drawing and gap > _FREEHAND_GAP and self._is_free_to(point):
            self._points = np.vstack([self._points, point])
        return True

    def double_click(self, point: Points, event: QMouseEvent) -> None:
        # The first click of the two has set this point already.
        self.close()

    def key(self, event: QKeyEvent) -> bool:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.close()
        elif event.key() == Qt.Key.Key_Backspace and len(self._points):
            self._points = self._points[:-1]
        elif event.key() == Qt.Key.Key_Escape and len(self._points):
            self._points = self._points[:0]
        else:
            return False
        return True

    def close(self) -> None:
        """Make a contour of the points, joined to those of its label that it crosses."""
        points = self._points
        if len(points) < 3:
            self._host.notify("A contour needs three points or more.")
        elif crosses_itself(points):
            self._host.notify(
                "Not closed: the last edge would cross the contour. Backspace takes points back."
            )
        else:
            self._points = points[:0]
            self._host.commit("Draw contour", self._joined(points))

    def leave(self) -> None:
        self._pointer = None

    def paint(self, painter: QPainter) -> None:
        if not len(self._points):
            return
        theme, canvas = active_theme(), self._host.canvas
        is_free = self._pointer is None or self._is_free_to(self._pointer)
        color = label_qcolor(self._host.label)
        painter.setPen(QPen(color, theme.px(2)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(screen_path(canvas, self._points, is_closed=False))
        if self._pointer is not None:
            painter.setPen(
                QPen(color if is_free else theme.color("error"), theme.px(2), Qt.PenStyle.DashLine)
            )
            painter.drawLine(canvas.on_screen(self._points[-1]), canvas.on_screen(self._pointer))
            if not is_free:
                paint_word(painter, canvas.on_screen(self._pointer), CROSSES)
        painter.setPen(QPen(theme.color("viewport_bottom"), 1))
        for place, point in enumerate(self._points):
            is_goal = place == 0 and self._pointer is not None and self._is_at_start(self._pointer)
            painter.setBrush(theme.color("accent") if is_goal else color)
            painter.drawEllipse(canvas.on_screen(point), *(2 * [theme.px(6 if is_goal else 3)]))

    def _add(self, point: Points) -> None:
        if len(self._points) and np.array_equal(point, self._points[-1]):
            return
        if self._is_free_to(point):
            self._points = np.vstack([self._points, point])
        else:
            self._host.notify("No point there: the contour would cross itself.")

    def _is_free_to(self, point: Points) -> bool:
        if len(self._points) < 2 or self._is_at_start(point):
            return True
        return edge_is_free(self._points, self._points[-1], point, is_closed=False)

    def _is_at_start(self, point: Points) -> bool:
        is_near = (
            len(self._points) >= 3
            and np.linalg.norm(point - self._points[0]) * self._host.canvas.scale < REACH
        )
        return bool(is_near)

    def _joined(self, points: Points) -> list[FlatLoop]:
        loops, label = self._host.canvas.drawing.loops, self._host.label
        mine = [loop.points for loop in loops if loop.label == label]
        if not loops_cross(points, mine):
            return [*loops, FlatLoop(points, label)]
        self._host.notify("Joined with the contour that it crossed.")
        joined = loops_of(region_of(mine).union(region_of([points])))
        return [loop for loop in loops if loop.label != label] + [FlatLoop(p, label) for p in joined]


class BrushTool(SliceTool):
    """Paint the region of the label wider, or erase from it. [ and ], or Ctrl and the wheel, change the size."""

    cursor = Qt.CursorShape.BlankCursor

    def __init__(self, host: EditHost, *, erases: bool) -> None:
        self._host = host
        self._erases = erases
        self._path: list[Points] = []
        self._pointer: Points | None = None

    def press(self, point: Points, event: QMouseEvent) -> bool:
        if event.button() == Qt.MouseButton.LeftButton:
            self._path = [point]
        return True

    def move(self, point: Points, event: QMouseEvent) -> bool:
        self._pointer = point
        if self._path and np.linalg.norm(point - self._path[-1]) * self._host.canvas.scale >= 1:
            self._path.append(point)
        return True

    def release(self, point: Points, event: QMouseEvent) -> bool:
        path, self._path = self._path, []
        if path and event.button() == Qt.MouseButton.LeftButton:
            self._stroke(np.array(path))
        return True

    def key(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Escape and self._path:
            self._path = []
            return True
        return False

    def wheel(self, notches: float) -> None:
        self.resize(1.15**notches)

    def resize(self, factor: float) -> None:
        """Make the brush larger or smaller."""
        self._host.brush_radius = min(max(self._host.brush_radius * factor, 2.0), 300.0)

    def leave(self) -> None:
        self._pointer = None

    def paint(self, painter: QPainter) -> None:
        theme, canvas, radius = active_theme(), self._host.canvas, self._host.brush_radius
        color = theme.color("viewport_bottom") if self._erases else label_qcolor(self._host.label)
        if self._path:
            covered = QColor(color)
            covered.setAlphaF(0.6)
            pen = QPen(
                covered, 2 * radius, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
            )
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            # A single point needs a second one beside it to have round caps.
            line = [*self._path, self._path[-1] + 0.01 / canvas.scale]
            path = screen_path(canvas, np.array(line), is_closed=False)
            painter.drawPath(path)
        if self._pointer is not None:
            place = canvas.on_screen(self._pointer)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("error" if self._erases else "text"), theme.px(1.5)))
            painter.drawEllipse(place, radius, radius)
            sign = theme.px(4)
            painter.drawLine(place - QPointF(sign, 0), place + QPointF(sign, 0))
            if not self._erases:
                painter.drawLine(place - QPointF(0, sign), place + QPointF(0, sign))

    def _stroke(self, path: Points) -> None:
        loops, label = self._host.canvas.drawing.loops, self._host.label
        mine = [loop for loop in loops if loop.label == label]
        if self._erases and not mine:
            self._host.notify("Nothing of this label to erase here.")
            return
        radius = self._host.brush_radius / self._host.canvas.scale
        changed = brushed([loop.points for loop in mine], path, radius, erases=self._erases)
        if len(changed) == len(mine) and all(a is b.points for a, b in zip(changed, mine, strict=True)):
            return
        text = "Erase with brush" if self._erases else "Add with brush"
        kept = {id(loop.points): loop for loop in mine}
        new = [kept.get(id(points)) or FlatLoop(points, label) for points in changed]
        self._host.commit(text, [loop for loop in loops if loop.label != label] + new)


class PreviewTool(SliceTool):
    """Shows loops that are not there yet; Enter takes them, Escape leaves them."""

    cursor = Qt.CursorShape.ArrowCursor

    def __init__(self, host: EditHost, text: str, loops: Sequence[FlatLoop]) -> None:
        self._host = host
        self._text = text
        self._new = tuple(loops)

    def apply(self) -> None:
        """Wish for the loops."""
        others = {loop.label for loop in self._new}
        kept = [loop for loop in self._host.canvas.drawing.loops if loop.label not in others]
        self._host.commit(self._text, [*kept, *self._new])

    def key(self, event: QKeyEvent) -> bool:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.apply()
            return True
        return False

    def paint(self, painter: QPainter) -> None:
        theme, canvas = active_theme(), self._host.canvas
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color("accent"), theme.px(2), Qt.PenStyle.DashLine))
        for loop in self._new:
            painter.drawPath(screen_path(canvas, loop.points, is_closed=True))
