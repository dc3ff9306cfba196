"""Tools that choose Gaussians in the picture: rectangle, lasso, polygon, brush, and clicks on one of them."""

from __future__ import annotations

from typing import get_args

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainterPath, QWheelEvent

from widgets.selection_strokes import (
    Mode,
    ScreenTool,
    Stroke,
    mode_of,
    paint_brush,
    paint_region,
    paint_ring,
    paint_sign,
    points_of,
    polygon_path,
)
from widgets.viewport_annotations import Annotations

SCREEN_TOOLS: tuple[ScreenTool, ...] = get_args(ScreenTool)
SMALLEST_BRUSH, LARGEST_BRUSH = 2.0, 400.0  # pixels, radius
_DRAG_STARTS = 3.0  # pixels; less is a click
_CLOSING = 10.0  # pixels: a click this near the first corner closes a polygon
_LASSO_STEP = 2.0  # pixels between the points of a lasso
_BRUSH_STEP = 1.12
_LEFT = Qt.MouseButton.LeftButton


class SelectionTools(QObject):
    """A pointer tool: while one is chosen, the left button draws; the others still move the camera, and so does
    the left one with Alt.

    drawn: a Stroke and what to do with it ("set", "add", "remove", "intersect"). clicked: for "flood", "eyedropper"
    and "connected", the pixel and what to do; for regions that were not dragged, (tool, pixel, "none") asks to let
    go of the selection. radius_changed: of the brush, in pixels. ended: the tool was left with Escape.
    """

    drawn = Signal(object, str)
    clicked = Signal(str, QPointF, str)
    radius_changed = Signal(float)
    changed = Signal()
    ended = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.tool: ScreenTool | None = None
        self.radius = 24.0
        self._path: list[QPointF] = []
        self._pointer: QPointF | None = None
        self._is_pressed = False
        self._mode: Mode = "set"

    @property
    def is_active(self) -> bool:
        return self.tool is not None

    def begin(self, tool: ScreenTool) -> None:
        """Draw with this tool from now on."""
        self.tool = tool
        self._give_up()

    def end(self) -> None:
        """Leave the pointer to others."""
        was_active, self.tool, self._pointer = self.is_active, None, None
        self._give_up()
        if was_active:
            self.ended.emit()

    def set_radius(self, radius: float) -> None:
        """Another size of the brush, in pixels."""
        self.radius = min(max(radius, SMALLEST_BRUSH), LARGEST_BRUSH)
        self.radius_changed.emit(self.radius)
        self.changed.emit()

    def grow_brush(self, steps: float) -> None:
        """A larger brush; a smaller one for steps below zero."""
        self.set_radius(self.radius * _BRUSH_STEP**steps)

    # Events

    def handle(self, event: QEvent) -> bool:
        if self.tool is None:
            return False
        if isinstance(event, QKeyEvent):
            return self._key(event)
        if isinstance(event, QWheelEvent):
            return self._wheel(event)
        if event.type() == QEvent.Type.Leave and not self._is_pressed:
            self._pointer = None
            self.changed.emit()
        return isinstance(event, QMouseEvent) and self._mouse(event)

    def _mouse(self, event: QMouseEvent) -> bool:
        kind, at = event.type(), event.position()
        self._mode = mode_of(event.modifiers())
        if kind == QEvent.Type.MouseMove:
            return self._move(at)
        if event.button() != _LEFT or (
            event.modifiers() & Qt.KeyboardModifier.AltModifier and not self._is_pressed
        ):
            return False
        if kind == QEvent.Type.MouseButtonDblClick:
            if self.tool == "polygon":
                self._close_polygon()
            return True
        if kind == QEvent.Type.MouseButtonPress:
            self._press(at)
        else:
            self._release(at)
        return True

    def _press(self, at: QPointF) -> None:
        self._is_pressed, self._pointer = True, at
        if self.tool == "polygon":
            if len(self._path) > 2 and (at - self._path[0]).manhattanLength() <= _CLOSING:
                self._close_polygon()
            else:
                self._path.append(at)
        else:
            self._path = [at]
        self.changed.emit()

    def _move(self, at: QPointF) -> bool:
        self._pointer = at
        if self._is_pressed:
            if self.tool == "rectangle":
                self._path = [self._path[0], at]
            elif self.tool in ("lasso", "brush") and (at - self._path[-1]).manhattanLength() >= _LASSO_STEP:
                self._path.append(at)
        self.changed.emit()
        return self._is_pressed

    def _release(self, at: QPointF) -> None:
        was_pressed, self._is_pressed = self._is_pressed, False
        if not was_pressed or self.tool == "polygon":
            return
        tool, path = self.tool, self._path
        self._path = []
        self.changed.emit()
        if tool in ("flood", "eyedropper", "connected"):
            self.clicked.emit(tool, at, self._mode)
        elif tool == "brush":
            self._emit("brush", [*path, at] if len(path) > 1 else path)
        elif tool is not None:
            self._finish_region(tool, path, at)

    def _finish_region(self, tool: ScreenTool, path: list[QPointF], at: QPointF) -> None:
        extent = max((abs((p - path[0]).x()) + abs((p - path[0]).y()) for p in [*path, at]), default=0.0)
        if extent < _DRAG_STARTS:
            if self._mode == "set":
                self.clicked.emit(tool, at, "none")
        elif tool == "rectangle":
            self._emit("rectangle", [path[0], at])
        else:
            self._emit("polygon", [*path, at])

    def _close_polygon(self) -> None:
        path, self._path = self._path, []
        self._is_pressed = False
        self.changed.emit()
        if len(path) > 2:
            self._emit("polygon", path)

    def _emit(self, kind: str, path: list[QPointF]) -> None:
        radius = self.radius if kind == "brush" else 0.0
        self.drawn.emit(Stroke(kind, points_of(path), radius), self._mode)  # type: ignore[arg-type]

    def _wheel(self, event: QWheelEvent) -> bool:
        if self.tool != "brush" or not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False
        self.grow_brush(event.angleDelta().y() / 120 * 1.5)
        return True

    def _key(self, event: QKeyEvent) -> bool:
        key, kind = event.key(), event.type()
        is_press = kind == QEvent.Type.KeyPress
        if key in (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Meta):
            self._mode = _mode_after(event)
            self.changed.emit()
            return False
        if key == Qt.Key.Key_Escape:
            if is_press and self._path:
                self._give_up()
            elif is_press:
                self.end()
            return True
        if not self._path or self.tool != "polygon":
            return False
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if is_press:
                self._close_polygon()
            return True
        if key == Qt.Key.Key_Backspace:
            if is_press:
                self._path.pop()
                self.changed.emit()
            return True
        return False

    def _give_up(self) -> None:
        """Drop what is being drawn."""
        self._path, self._is_pressed, self._mode = [], False, "set"
        self.changed.emit()

    # Painting

    def is_empty(self) -> bool:
        return self.tool is None or (not self._path and self._pointer is None)

    def paint(self, pen: Annotations) -> None:
        painter, theme = pen.painter, pen.theme
        if self._path and self.tool == "brush":
            paint_brush(painter, theme, self._path, self.radius, self._mode)
        elif self._path and self.tool in ("rectangle", "lasso", "polygon"):
            self._paint_region(pen)
        if self._pointer is not None:
            if self.tool == "brush":
                paint_ring(painter, theme, self._pointer, self.radius, self._mode)
            paint_sign(painter, theme, self._pointer, self._mode, pen)

    def _paint_region(self, pen: Annotations) -> None:
        if self.tool == "rectangle":
            path = QPainterPath()
            path.addRect(QRectF(self._path[0], self._path[-1]).normalized())
        else:
            is_polygon = self.tool == "polygon"
            ends = [self._pointer] if is_polygon and self._pointer is not None else []
            path = polygon_path([*self._path, *ends], is_closed=not is_polygon or len(self._path) > 1)
        paint_region(pen.painter, pen.theme, path, self._mode)
        if self.tool == "polygon":
            self._paint_corners(pen)

    def _paint_corners(self, pen: Annotations) -> None:
        near = self._pointer is not None and len(self._path) > 2
        is_closing = near and (self._pointer - self._path[0]).manhattanLength() <= _CLOSING  # type: ignore[operator]
        pen.painter.setPen(pen.theme.color("viewport_bottom"))
        for place, corner in enumerate(self._path):
            pen.painter.setBrush(pen.theme.color("accent"))
            size = 6.0 if is_closing and place == 0 else 3.5
            pen.painter.drawEllipse(corner, size, size)


def _mode_after(event: QKeyEvent) -> Mode:
    """What the modifiers mean once this key is down or up: Qt tells those of before on some systems."""
    modifiers = event.modifiers()
    flag = (
        Qt.KeyboardModifier.ShiftModifier
        if event.key() == Qt.Key.Key_Shift
        else Qt.KeyboardModifier.ControlModifier
    )
    is_down = event.type() != QEvent.Type.KeyRelease
    return mode_of(modifiers | flag if is_down else modifiers & ~flag)
