"""The drawing of one plane: regions, contours and what surrounds them, with pan and zoom."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QKeyEvent,
    QKeySequence,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from widgets.colour_maps import label_color
from widgets.plane_drawing import Crossing, FlatLoop, Points, outline, path_of, thinned
from widgets.theme import active_theme, interface_font

_VERTEX_GAP = 7.0  # pixels between vertices from which on they are drawn
_MARGIN = 0.08
_TOOL_KEYS = {Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Delete, Qt.Key.Key_Backspace}


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
        self._paths: dict[object, QPainterPath] = {}

    def set_drawing(self, drawing: Drawing, *, keep_view: bool = True) -> None:
        """Draw another plane, or the same one changed."""
        self.drawing = drawing
        self._paths.clear()
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

    def label_color(self, label: int) -> QColor:
        return QColor(label_color(label, active_theme().is_dark))

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

    # Painting, from back to front.

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter)
        painter.setTransform(self.to_screen())
        painter.setOpacity(1.0 if self.drawing.is_enabled else 0.45)
        if self.shown.ghosts:
            self._paint_ghosts(painter)
        self._paint_regions(painter)
        if self.shown.crossings:
            self._paint_crossings(painter)
        self._paint_contours(painter)
        if self.shown.result:
            self._paint_result(painter)
        painter.setOpacity(1.0)
        painter.resetTransform()
        self._paint_vertices(painter)
        if self.tool is not None:
            self.tool.paint(painter)
        self._paint_scale_bar(painter)
        if not self.drawing.is_enabled:
            self._paint_left_out(painter)

    def _paint_ground(self, painter: QPainter) -> None:
        theme = active_theme()
        ground = QLinearGradient(0, 0, 0, self.height())
        ground.setColorAt(0, theme.color("viewport_top"))
        ground.setColorAt(1, theme.color("viewport_bottom"))
        painter.fillRect(self.rect(), ground)

    def _paint_ghosts(self, painter: QPainter) -> None:
        color = _faded(active_theme().color("text"), 0.28)
        painter.setPen(cosmetic(color, 1.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self._cached("ghosts", lambda: outline(self._thin(self.drawing.ghosts))))

    def _paint_regions(self, painter: QPainter) -> None:
        if not self.shown.fill:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        for label in self._labels():
            painter.setBrush(_faded(self.label_color(label), 0.26))
            painter.drawPath(self._region_path(label))

    def _paint_contours(self, painter: QPainter) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for label in self._labels():
            painter.setPen(cosmetic(self.label_color(label), 1.8))
            painter.drawPath(self._region_path(label))
        painter.setPen(cosmetic(active_theme().color("error"), 2.6))
        for index in self.drawing.invalid:
            painter.drawPath(path_of([self.drawing.loops[index].points]))
        if self.selected is not None and self.selected < len(self.drawing.loops):
            painter.setPen(cosmetic(active_theme().color("text"), 2.6))
            painter.drawPath(path_of([self.drawing.loops[self.selected].points]))

    def _paint_crossings(self, painter: QPainter) -> None:
        theme = active_theme()
        for crossing in self.drawing.crossings:
            start, end = (QPointF(*point) for point in crossing.line)
            painter.setPen(cosmetic(_faded(theme.color("text"), 0.12), 1.0))
            painter.drawLine(start, end)
            for label, stretches in crossing.inside:
                painter.setPen(cosmetic(_faded(self.label_color(label), 0.6), 2.0))
                for a, b in stretches:
                    painter.drawLine(QPointF(*a), QPointF(*b))

    def _paint_result(self, painter: QPainter) -> None:
        pen = cosmetic(active_theme().color("text"), 1.3)
        pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self._cached("result", lambda: outline(self._thin(self.drawing.result))))

    def _paint_vertices(self, painter: QPainter) -> None:
        """The vertices in view, as soon as there is room between them."""
        view = np.stack([self.at(QPointF(0, self.height())), self.at(QPointF(self.width(), 0))])
        painter.setPen(QPen(active_theme().color("viewport_bottom"), 1))
        for loop in self.drawing.loops:
            gaps = np.linalg.norm(np.diff(loop.points, axis=0), axis=1)
            if np.median(gaps) * self.scale < _VERTEX_GAP:
                continue
            painter.setBrush(self.label_color(loop.label))
            inside = ((loop.points >= view[0]) & (loop.points <= view[1])).all(axis=1)
            for point in loop.points[inside][:4000]:
                painter.drawEllipse(self.on_screen(point), 3.0, 3.0)

    def _paint_scale_bar(self, painter: QPainter) -> None:
        theme = active_theme()
        length = nice_length(0.22 * self.width() / self.scale)
        pixels = length * self.scale
        left, bottom = theme.px(16), self.height() - theme.px(16)
        painter.setPen(QPen(theme.color("text"), theme.px(2), Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawLine(QPointF(left, bottom), QPointF(left + pixels, bottom))
        tick = theme.px(4)
        for x in (left + theme.px(1), left + pixels - theme.px(1)):
            painter.drawLine(QPointF(x, bottom - tick), QPointF(x, bottom + theme.px(1)))
        painter.setFont(interface_font(theme, 12))
        unit = "" if self.drawing.unit == "unit" else self.drawing.unit
        words = f"{length:g} {unit}".strip() if unit else f"{length:g} units"
        painter.drawText(QPointF(left, bottom - theme.px(8)), words)

    def _paint_left_out(self, painter: QPainter) -> None:
        theme = active_theme()
        painter.setPen(theme.color("text_second"))
        painter.setFont(interface_font(theme, 12))
        painter.drawText(QPointF(theme.px(16), theme.px(24)), "Left out: methods do not use this plane.")

    def _labels(self) -> list[int]:
        return sorted({loop.label for loop in self.drawing.loops})

    def _region_path(self, label: int) -> QPainterPath:
        loops = [loop for loop in self.drawing.loops if loop.label == label]
        return self._cached(("region", label), lambda: outline(self._thin(loops)))

    def _thin(self, loops: Sequence[FlatLoop]) -> list[FlatLoop]:
        """Loops without the points that no pixel could tell apart at this zoom."""
        step = 0.5 / self._scale_step()
        return [replace(loop, points=thinned(loop.points, step)) for loop in loops]

    def _scale_step(self) -> float:
        """The zoom up to the next power of two, so that a path serves a whole range of zooms."""
        return float(2 ** math.ceil(math.log2(self.scale)))

    def _cached(self, key: object, make: Callable[[], QPainterPath]) -> QPainterPath:
        whole = (key, self._scale_step())
        if whole not in self._paths:
            self._paths[whole] = make()
        return self._paths[whole]


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

    def paint(self, painter: QPainter) -> None: ...


def cosmetic(color: QColor, width: float) -> QPen:
    """A pen of so many pixels at every zoom."""
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
