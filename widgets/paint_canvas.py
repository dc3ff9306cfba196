"""A picture to paint on: a round brush of one colour, an eraser that brings the picture back, and undo."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from widgets.image_cells import pixmap_of
from widgets.theme import active_theme

Picture = NDArray[np.uint8]  # (H, W, 3)
_OTHERS = 0.35  # light of what does not belong to the part


@dataclass(frozen=True, eq=False)
class Stroke:
    """One movement of the brush. points: in pixels of the picture. width: the brush's, in these pixels. color: None
    erases."""

    points: tuple[QPointF, ...]
    width: float
    color: QColor | None


@dataclass(eq=False)
class PaintedView:
    """A view to paint on. name: of its file. mask: (H, W) how much of each pixel shows the part, 0 … 1."""

    name: str
    picture: Picture
    mask: NDArray[np.float32]
    strokes: list[Stroke] = field(default_factory=list)

    @property
    def is_painted(self) -> bool:
        return any(stroke.color is not None for stroke in self.strokes)

    def painted(self) -> Picture:
        """(H, W, 3) the picture with all strokes."""
        image = pixmap_of(self.picture).toImage().convertToFormat(QImage.Format.Format_RGBA8888)
        with QPainter(image) as painter:
            painter.drawImage(0, 0, layer_of(self))
        height, width = self.picture.shape[:2]
        pixels = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
        return np.ascontiguousarray(pixels[:, : 4 * width].reshape(height, width, 4)[..., :3])


def layer_of(view: PaintedView) -> QImage:
    """The strokes alone, on nothing."""
    height, width = view.picture.shape[:2]
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for stroke in view.strokes:
            _draw(painter, stroke)
    return image


class PaintCanvas(QWidget):
    """Paints with the left button; the wheel changes the brush. changed: after each stroke. sized: the brush's width."""

    changed = Signal()
    sized = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("paint_canvas")
        self.setMouseTracking(True)
        self.setMinimumSize(active_theme().px(320), active_theme().px(240))
        self.setCursor(Qt.CursorShape.BlankCursor)
        self.color = QColor("#b03a2e")
        self.width_of_brush = 28  # pixels of the picture
        self.is_erasing = False
        self._view: PaintedView | None = None
        self._picture, self._strokes = QPixmap(), QImage()
        self._points: list[QPointF] = []
        self._at: QPointF | None = None

    @property
    def view(self) -> PaintedView | None:
        return self._view

    def set_view(self, view: PaintedView | None) -> None:
        """Paint on this view."""
        self._view = view
        if view is not None:
            light = (_OTHERS + (1 - _OTHERS) * np.clip(view.mask, 0, 1))[..., None]
            self._picture = pixmap_of((view.picture * light).astype(np.uint8))
            self._strokes = layer_of(view)
        self.update()

    def undo(self) -> None:
        """Take the last stroke away."""
        if self._view is not None and self._view.strokes:
            self._view.strokes.pop()
            self._strokes = layer_of(self._view)
            self.update()
            self.changed.emit()

    def clear(self) -> None:
        """Take every stroke of this view away."""
        if self._view is not None and self._view.strokes:
            self._view.strokes.clear()
            self._strokes = layer_of(self._view)
            self.update()
            self.changed.emit()

    def set_width(self, width: int) -> None:
        """The brush's width, in pixels of the picture."""
        self.width_of_brush = max(2, min(200, width))
        self.update()

    # Inner life

    def box(self) -> QRectF:
        """Where the picture lies."""
        if self._view is None:
            return QRectF(self.rect())
        height, width = self._view.picture.shape[:2]
        scale = min(self.width() / width, self.height() / height)
        size = width * scale, height * scale
        return QRectF((self.width() - size[0]) / 2, (self.height() - size[1]) / 2, *size)

    def _in_picture(self, at: QPointF) -> QPointF:
        assert self._view is not None
        box, width = self.box(), self._view.picture.shape[1]
        scale = width / box.width()
        return QPointF((at.x() - box.left()) * scale, (at.y() - box.top()) * scale)

    def _stroke(self) -> Stroke:
        return Stroke(
            tuple(self._points), self.width_of_brush, None if self.is_erasing else QColor(self.color)
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = active_theme()
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), theme.color("viewport_bottom"))
            if self._view is None:
                return
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            box = self.box()
            painter.drawPixmap(box, self._picture, QRectF(self._picture.rect()))
            painter.drawImage(box, self._strokes_now(), QRectF(self._strokes.rect()))
            if self._at is not None:
                self._paint_brush(painter, box)

    def _strokes_now(self) -> QImage:
        """The strokes, with the one that is being drawn."""
        if not self._points:
            return self._strokes
        image = QImage(self._strokes)
        with QPainter(image) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            _draw(painter, self._stroke())
        return image

    def _paint_brush(self, painter: QPainter, box: QRectF) -> None:
        assert self._view is not None and self._at is not None
        radius = self.width_of_brush / 2 * box.width() / self._view.picture.shape[1]
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for color, width in ((Qt.GlobalColor.black, 3), (Qt.GlobalColor.white, 1.5)):
            painter.setPen(QPen(color, width))
            painter.drawEllipse(self._at, radius, radius)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._view is not None:
            self._points = [self._in_picture(event.position())]
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._at = event.position()
        if self._points and self._view is not None:
            self._points.append(self._in_picture(event.position()))
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._points and self._view is not None:
            self._view.strokes.append(self._stroke())
            self._points = []
            self._strokes = layer_of(self._view)
            self.update()
            self.changed.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        step = 1.15 if event.angleDelta().y() > 0 else 1 / 1.15
        self.set_width(round(self.width_of_brush * step) + (1 if step > 1 else -1))
        self.sized.emit(self.width_of_brush)

    def leaveEvent(self, event: object) -> None:
        self._at = None
        self.update()


def _draw(painter: QPainter, stroke: Stroke) -> None:
    modes = QPainter.CompositionMode
    painter.setCompositionMode(
        modes.CompositionMode_Clear if stroke.color is None else modes.CompositionMode_SourceOver
    )
    pen = QPen(stroke.color or QColor(0, 0, 0), stroke.width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    if len(stroke.points) == 1:
        painter.drawPoint(stroke.points[0])
        return
    path = QPainterPath(stroke.points[0])
    for point in stroke.points[1:]:
        path.lineTo(point)
    painter.drawPath(path)
