"""The pane of one plane: pan, zoom, and a tool that gets the left button in the plane's coordinates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from widgets.plane_drawing import Points
from widgets.slice_painting import Drawing, Shown, SlicePainter
from widgets.theme import active_theme

_MARGIN = 0.08
_TOOL_KEYS = {Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Delete, Qt.Key.Key_Backspace}


class SliceCanvas(QWidget):
    """Paints a Drawing. Left-drag pans while no tool is set; a tool gets the left button in plane coordinates."""

    view_changed = Signal()
    menu_wanted = Signal(object, object)  # (2,) plane coordinates, and the place on the screen
    hovered = Signal(object)  # (2,) plane coordinates, or None when the pointer left

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("slice_canvas")
        self.setAccessibleName("Cross-section")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(160, 120)
        self.drawing = Drawing()
        self.shown = Shown()
        self.scale = 1.0  # pixels per unit
        self.centre = np.zeros(2)
        self.selected: int | None = None
        self.tool: SliceTool | None = None
        self.keys: dict[int, Callable[[], object]] = {}  # key with modifiers → what it does
        self._is_fitted = True
        self._pan_from: tuple[QPointF, Points] | None = None
        self._painter = SlicePainter(self)
        self._still: tuple[object, QPixmap] | None = None  # the picture without the tool, and what it shows

    def set_drawing(self, drawing: Drawing, *, keep_view: bool = True) -> None:
        """Draw another plane, or the same one changed."""
        self.drawing = drawing
        self._painter.set_drawing(drawing)
        if not keep_view:
            self._is_fitted = True
        if self._is_fitted:
            self._fit()
        self.update()

    def add_key(self, key: str, act: Callable[[], object]) -> None:
        """What a key such as "Ctrl+Home" does while the canvas has the focus."""
        self.keys[QKeySequence(key)[0].toCombined()] = act  # type: ignore[index]

    def set_shown(self, shown: Shown) -> None:
        """Choose what is drawn beside the contours."""
        self.shown = shown
        self.update()

    def fit(self) -> None:
        """Show all of it, and keep doing so as the pane changes size."""
        self._is_fitted = True
        self._fit()
        self.update()

    def to_screen(self) -> QTransform:
        """Plane coordinates to pixels."""
        middle = QPointF(self.width() / 2, self.height() / 2)
        return QTransform(
            self.scale, 0, 0, -self.scale,
            middle.x() - self.scale * self.centre[0], middle.y() + self.scale * self.centre[1],
        )  # fmt: skip

    def at(self, place: QPointF) -> Points:
        """Pixels to plane coordinates (2,)."""
        u = (place.x() - self.width() / 2) / self.scale + self.centre[0]
        v = -(place.y() - self.height() / 2) / self.scale + self.centre[1]
        return np.array([u, v])

    def on_screen(self, point: Points) -> QPointF:
        """Plane coordinates to pixels, for one point."""
        return self.to_screen().map(QPointF(float(point[0]), float(point[1])))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.tool is not None and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.tool.wheel(event.angleDelta().y() / 120)
            self.update()
            return
        self.zoom(1.0015 ** event.angleDelta().y(), event.position())
        event.accept()

    def zoom(self, factor: float, place: QPointF | None = None) -> None:
        """Zoom so that what lies under `place` (pixels) stays there."""
        place = place or QPointF(self.width() / 2, self.height() / 2)
        before = self.at(place)
        fitted = self._fitted_scale()
        self.scale = min(max(self.scale * factor, fitted / 20), fitted * 5000)
        self.centre = self.centre + before - self.at(place)
        self._is_fitted = False
        self.view_changed.emit()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        is_shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        is_left = event.button() == Qt.MouseButton.LeftButton
        if event.button() == Qt.MouseButton.MiddleButton or (is_left and (self.tool is None or is_shifted)):
            self._pan_from = (event.position(), self.centre)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self.tool is not None and self.tool.press(self.at(event.position()), event):
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None:
            moved = (event.position() - self._pan_from[0]) / self.scale
            self.centre = self._pan_from[1] + np.array([-moved.x(), moved.y()])
            self._is_fitted = False
            self.view_changed.emit()
            self.update()
        elif self.tool is not None and self.tool.move(self.at(event.position()), event):
            self.update()
        self.hovered.emit(self.at(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None:
            self._pan_from = None
            self.refresh_cursor()
        elif self.tool is not None and self.tool.release(self.at(event.position()), event):
            self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.tool is not None and event.button() == Qt.MouseButton.LeftButton:
            self.tool.double_click(self.at(event.position()), event)
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        if self.tool is not None:
            self.tool.leave()
        self.hovered.emit(None)
        self.update()

    def event(self, event: QEvent) -> bool:
        """Keys that mean something here must not become shortcuts of the window while the canvas has the focus."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            is_tools = self.tool is not None and event.key() in _TOOL_KEYS and not event.modifiers()
            if is_tools or event.keyCombination().toCombined() in self.keys:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        act = self.keys.get(event.keyCombination().toCombined())
        if self.tool is not None and self.tool.key(event):
            self.update()
        elif act is not None:
            act()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        place = QPointF(event.pos())
        self.menu_wanted.emit(self.at(place), event.globalPos())

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._is_fitted:
            self._fit()

    def thin(self, points: Points) -> Points:
        """A loop with only the points that are needed to draw it in this view."""
        return self._painter.thin(points)

    def refresh_cursor(self) -> None:
        """The pointer's shape of the tool in hand."""
        self.setCursor(Qt.CursorShape.OpenHandCursor if self.tool is None else self.tool.cursor)

    def _fit(self) -> None:
        self.centre = self.drawing.frame.mean(axis=0)
        self.scale = self._fitted_scale()
        self.view_changed.emit()

    def _fitted_scale(self) -> float:
        size = np.maximum(np.ptp(self.drawing.frame, axis=0), 1e-12)
        room = np.array([max(self.width(), 32), max(self.height(), 32)]) * (1 - 2 * _MARGIN)
        return float((room / size).min())

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture is kept while only the tool's hand moves over it."""
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._still_picture())
        if self.tool is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self.tool.paint(painter)
        self._painter.paint_words(painter)

    def _still_picture(self) -> QPixmap:
        ratio, theme = self.devicePixelRatioF(), active_theme()
        state = (self.scale, *self.centre, self.size(), ratio, self.drawing, self.shown, self.selected, theme)
        if self._still is None or self._still[0] != state:
            pixmap = QPixmap(self.size() * ratio)
            pixmap.setDevicePixelRatio(ratio)
            painter = QPainter(pixmap)
            self._painter.paint(painter, self.shown)
            painter.end()
            self._still = (state, pixmap)
        return self._still[1]


class SliceTool:
    """What the left button and the keys do on the canvas. Each answer says whether to draw again."""

    cursor = Qt.CursorShape.CrossCursor

    def press(self, point: Points, event: QMouseEvent) -> bool:
        return False

    def move(self, point: Points, event: QMouseEvent) -> bool:
        return False

    def release(self, point: Points, event: QMouseEvent) -> bool:
        return False

    def double_click(self, point: Points, event: QMouseEvent) -> None: ...

    def key(self, event: QKeyEvent) -> bool:
        return False

    def wheel(self, notches: float) -> None: ...

    def leave(self) -> None: ...

    def redrawn(self) -> None:
        """The contours of the same plane are others now: after an edit, an undo, a new result."""

    def paint(self, painter: QPainter) -> None: ...
