"""What a tool of the contour editor works on, and the one that moves points. Each stroke is one edit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPen

from widgets.contour_geometry import (
    crosses_itself,
    edge_is_free,
    point_on_loop,
)
from widgets.plane_drawing import FlatLoop, Points, line_path, path_of
from widgets.slice_canvas import SliceCanvas, SliceTool
from widgets.theme import active_theme

REACH = 9.0  # pixels within which the pointer catches a vertex or an edge
CROSSES = "Crosses itself"
_MOST_HANDLES = 1500
_HANDLE_GAP = 6.0  # pixels between vertices from which on they have handles


class EditHost(Protocol):
    """What the tools work on; the slice view is one."""

    canvas: SliceCanvas
    label: int
    brush_radius: float  # pixels

    def commit(self, text: str, loops: Sequence[FlatLoop]) -> None:
        """Wish that the plane had these loops."""

    def notify(self, text: str) -> None:
        """Say in a sentence what was not done or was mended."""


class PointTool(SliceTool):
    """Catch a vertex and move it; double-click or Ctrl-click an edge to insert one; Delete removes it."""

    cursor = Qt.CursorShape.ArrowCursor

    def __init__(self, host: EditHost) -> None:
        self._host = host
        self._hovered: tuple[int, int] | None = None  # loop, vertex
        self._caught: tuple[int, int] | None = None
        self._points: Points | None = None  # of the caught loop, while it is dragged
        self._is_broken = False

    @property
    def _loops(self) -> tuple[FlatLoop, ...]:
        return self._host.canvas.drawing.loops

    def press(self, point: Points, event: QMouseEvent) -> bool:
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.insert(point)
            return True
        self._caught = self.vertex_at(point)
        edge = self.edge_at(point)
        self._host.canvas.selected = self._caught[0] if self._caught else edge[0] if edge else None
        return True

    def move(self, point: Points, event: QMouseEvent) -> bool:
        if not event.buttons() & Qt.MouseButton.LeftButton or self._caught is None:
            before, self._hovered = self._hovered, self.vertex_at(point)
            return before != self._hovered
        loop, vertex = self._caught
        points = np.array(self._loops[loop].points) if self._points is None else self._points
        points[vertex] = point
        self._points = points
        self._is_broken = not self._is_free(points, loop, vertex)
        return True

    def release(self, point: Points, event: QMouseEvent) -> bool:
        points, self._points = self._points, None
        if points is None or self._caught is None:
            return False
        if self._is_broken:
            self._host.notify("Not moved: the contour would cross itself or another one.")
        else:
            self._replace("Move point", self._caught[0], points)
        self._is_broken = False
        return True

    def double_click(self, point: Points, event: QMouseEvent) -> None:
        self.insert(point)

    def key(self, event: QKeyEvent) -> bool:
        if event.key() not in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            return False
        if self._caught is not None:
            self.delete_vertex(*self._caught)
        elif self._host.canvas.selected is not None:
            self.delete_loop(self._host.canvas.selected)
        return True

    def redrawn(self) -> None:
        self._hovered = self._points = None
        if self._caught is not None:
            loop, vertex = self._caught
            exists = loop < len(self._loops) and vertex < len(self._loops[loop].points)
            self._caught = self._caught if exists else None

    def insert(self, point: Points) -> None:
        """Insert a vertex where the pointer is on an edge."""
        edge = self.edge_at(point)
        if edge is not None:
            loop, first, foot = edge
            self._replace("Insert point", loop, np.insert(self._loops[loop].points, first + 1, foot, axis=0))
            self._caught = (loop, first + 1)

    def delete_vertex(self, loop: int, vertex: int) -> None:
        """Take a vertex out of its loop."""
        self._caught = self._hovered = None
        points = np.delete(self._loops[loop].points, vertex, axis=0)
        if len(points) < 3:
            self._host.notify("A contour needs three points. Delete the whole contour instead.")
        elif crosses_itself(points):
            self._host.notify("Not deleted: without this point the contour would cross itself.")
        else:
            self._replace("Delete point", loop, points)

    def delete_loop(self, loop: int) -> None:
        """Take a whole loop away."""
        self._caught = self._hovered = self._host.canvas.selected = None
        self._host.commit("Delete contour", [other for i, other in enumerate(self._loops) if i != loop])

    def vertex_at(self, point: Points) -> tuple[int, int] | None:
        """Loop and vertex within reach of a place."""
        best: tuple[float, int, int] = (REACH / self._host.canvas.scale, -1, -1)
        for index, loop in enumerate(self._loops):
            distances = np.linalg.norm(loop.points - point, axis=1)
            nearest = int(np.argmin(distances))
            best = min(best, (float(distances[nearest]), index, nearest))
        return None if best[1] < 0 else best[1:]

    def edge_at(self, point: Points) -> tuple[int, int, Points] | None:
        """Loop, first vertex of its edge and the point on it within reach of a place."""
        reach, best = REACH / self._host.canvas.scale, None
        for index, loop in enumerate(self._loops):
            first, foot, distance = point_on_loop(loop.points, point)
            if distance < reach:
                reach, best = distance, (index, first, foot)
        return best

    def paint(self, painter: QPainter) -> None:
        theme, canvas = active_theme(), self._host.canvas
        if self._points is not None:
            color = theme.color("error" if self._is_broken else "accent")
            painter.setPen(QPen(color, theme.px(2)))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(screen_path(canvas, self._points, is_closed=True))
            if self._is_broken and self._caught:
                paint_word(painter, canvas.on_screen(self._points[self._caught[1]]), CROSSES)
        selected = canvas.selected
        if selected is not None and selected < len(self._loops) and self._points is None:
            self._paint_handles(painter, self._loops[selected])
        for place in {self._hovered, self._caught} - {None}:
            loop, vertex = place  # type: ignore[misc]
            points = self._points if self._points is not None and loop == self._caught_loop else None
            self._paint_grip(painter, (points if points is not None else self._loops[loop].points)[vertex])

    @property
    def _caught_loop(self) -> int | None:
        return self._caught[0] if self._caught else None

    def _paint_handles(self, painter: QPainter, loop: FlatLoop) -> None:
        canvas, theme = self._host.canvas, active_theme()
        painter.setPen(QPen(theme.color("viewport_bottom"), 1))
        painter.setBrush(theme.color("text"))
        low, high = canvas.at(QPointF(0, canvas.height())), canvas.at(QPointF(canvas.width(), 0))
        inside = loop.points[((loop.points >= low) & (loop.points <= high)).all(axis=1)]
        gaps = np.linalg.norm(np.diff(loop.points, axis=0), axis=1) * canvas.scale
        if len(inside) > _MOST_HANDLES or np.median(gaps) < _HANDLE_GAP:
            return  # they would be one thick line
        for point in inside:
            painter.drawEllipse(canvas.on_screen(point), 2.5, 2.5)

    def _paint_grip(self, painter: QPainter, point: Points) -> None:
        theme = active_theme()
        painter.setPen(QPen(theme.color("viewport_bottom"), 1.5))
        painter.setBrush(theme.color("accent"))
        painter.drawEllipse(self._host.canvas.on_screen(point), theme.px(5), theme.px(5))

    def _is_free(self, points: Points, loop: int, vertex: int) -> bool:
        """Whether the two edges at a vertex meet nothing of their own loop or of others with its label."""
        ends = (points[vertex - 1], points[(vertex + 1) % len(points)])
        label = self._loops[loop].label
        others = [o.points for i, o in enumerate(self._loops) if i != loop and o.label == label]
        return all(
            edge_is_free(line, end, points[vertex], is_closed=True)
            for end in ends
            for line in (points, *others)
        )

    def _replace(self, text: str, loop: int, points: Points) -> None:
        changed = replace(self._loops[loop], points=points)
        self._host.commit(text, [changed if i == loop else other for i, other in enumerate(self._loops)])


def screen_path(canvas: SliceCanvas, points: Points, *, is_closed: bool) -> QPainterPath:
    """A polyline in pixels."""
    path = path_of([canvas.thin(points)]) if is_closed else line_path(points)
    return canvas.to_screen().map(path)


def paint_word(painter: QPainter, place: QPointF, word: str) -> None:
    """A word beside the pointer, in the colour of errors."""
    theme = active_theme()
    painter.setPen(theme.color("error"))
    painter.drawText(place + QPointF(theme.px(14), -theme.px(10)), word)
