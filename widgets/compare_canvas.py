"""Where two pictures of one view are painted, with a wiper between them; wheel and drag look closer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from widgets.colour_maps import ColorMap
from widgets.image_cells import pixmap_of
from widgets.theme import active_theme, interface_font

Mode = Literal["wiper", "beside", "flicker"]
_GRIP = 8.0  # pixels within which the wiper can be taken
_MOST_ZOOM = 40.0


@dataclass(frozen=True, eq=False)
class ComparePicture:
    """A picture of a view by its name. pixels: (H, W, 3) uint8. value_range: what the ends of its colour map stand
    for, None where colours are just colours."""

    name: str
    pixels: NDArray[np.uint8]
    value_range: tuple[float, float] | None = None
    unit: str = ""
    color_map: ColorMap = "viridis"


class CompareCanvas(QWidget):
    """Paints them. swap: show the other one of a flicker."""

    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("compare_canvas")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.mode: Mode = "wiper"
        self.wiper = 0.5  # share of the picture's width that shows the left one
        self._pictures: tuple[QPixmap | None, QPixmap | None] = (None, None)
        self._names = ("", "")
        self._shows_right = False
        self._zoom, self._center = (
            1.0,
            QPointF(0.5, 0.5),
        )  # magnification; what of the picture is in the middle
        self._grabbed = ""  # "wiper", "picture" or ""
        self._last = QPointF()

    def set_pictures(self, left: ComparePicture | None, right: ComparePicture | None) -> None:
        """Show these; both fill the same place, whatever their numbers of pixels."""
        self._names = (left.name if left else "", right.name if right else "")
        self._pictures = (_pixmap(left), _pixmap(right))
        self.update()

    def set_mode(self, mode: Mode) -> None:
        """Show them with a wiper, beside each other or one after the other."""
        self.mode, self._shows_right = mode, False
        self.update()
        self.resized.emit()

    def swap(self) -> None:
        """Show the other picture of a flicker."""
        self._shows_right = not self._shows_right
        self.update()

    def left_end(self) -> int:
        """The pixel column at which what belongs to the left picture ends."""
        if self.mode == "beside":
            return round(self._halves()[0].right())
        return round(self._wiper_x()) if self.mode == "wiper" else self.width()

    def picture_box(self, area: QRectF) -> QRectF:
        """Where the whole picture lies, as large as it fits in `area` times the zoom."""
        pixmap = next((each for each in self._pictures if each is not None), None)
        if pixmap is None:
            return area
        size = pixmap.size().toSizeF()
        scale = min(area.width() / size.width(), area.height() / size.height()) * self._zoom
        width, height = size.width() * scale, size.height() * scale
        left = area.center().x() - self._center.x() * width
        return QRectF(left, area.center().y() - self._center.y() * height, width, height)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = active_theme()
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), theme.color("viewport_bottom"))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._zoom < 4)
            if self.mode == "beside":
                self._paint_beside(painter)
            elif self.mode == "flicker":
                self._paint_one(painter, self._area(), int(self._shows_right), QRectF(self.rect()))
            else:
                self._paint_wiper(painter)

    def left_bottom(self) -> int:
        """The pixel row at which what belongs to the left, or upper, picture ends."""
        return round(self._halves()[0].bottom()) if self.mode == "beside" else self.height()

    def right_top(self) -> int:
        """The pixel row at which what belongs to the right, or lower, picture begins."""
        return round(self._halves()[1].top()) if self.mode == "beside" else 0

    def _halves(self) -> tuple[QRectF, QRectF]:
        """The two parts of the pane, beside or above each other, whichever shows wide pictures larger."""
        width, height = self.width(), self.height()
        if height > width:
            middle = height / 2
            return QRectF(0, 0, width, middle - 1), QRectF(0, middle + 1, width, middle - 1)
        middle = width / 2
        return QRectF(0, 0, middle - 1, height), QRectF(middle + 1, 0, middle - 1, height)

    def _paint_beside(self, painter: QPainter) -> None:
        for which, half in enumerate(self._halves()):
            self._paint_one(painter, half, which, half)

    def _paint_wiper(self, painter: QPainter) -> None:
        area, x = self._area(), self._wiper_x()
        self._paint_one(painter, area, 0, QRectF(0, 0, x, self.height()))
        self._paint_one(painter, area, 1, QRectF(x, 0, self.width() - x, self.height()), at_right=True)
        theme, box = active_theme(), self.picture_box(area).intersected(QRectF(self.rect()))
        middle = box.center().y()
        for color, width in (("viewport_bottom", 4.0), ("accent", 2.0)):
            painter.setPen(QPen(theme.color(color), width))
            painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))
        painter.setPen(QPen(theme.color("viewport_bottom"), 2))
        painter.setBrush(theme.color("accent"))
        painter.drawEllipse(QPointF(x, middle), theme.px(7), theme.px(7))

    def _paint_one(
        self, painter: QPainter, area: QRectF, which: int, clip: QRectF, *, at_right: bool = False
    ) -> None:
        pixmap = self._pictures[which]
        if pixmap is None:
            return
        box = self.picture_box(area)
        painter.save()
        painter.setClipRect(clip)
        painter.drawPixmap(box, pixmap, QRectF(pixmap.rect()))
        seen = box.intersected(clip)
        self._paint_name(painter, seen, self._names[which], at_right)
        painter.restore()

    def _paint_name(self, painter: QPainter, seen: QRectF, name: str, at_right: bool) -> None:
        theme, px = active_theme(), active_theme().px
        painter.setFont(interface_font(theme, 12))
        width = painter.fontMetrics().horizontalAdvance(name) + px(12)
        if seen.width() < width:
            return
        left = seen.right() - width - px(6) if at_right else seen.left() + px(6)
        box = QRectF(left, seen.bottom() - px(26), width, px(20))
        back = theme.color("panel")
        back.setAlphaF(0.85)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(back)
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(theme.color("text"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            return
        near = abs(event.position().x() - self._wiper_x()) <= _GRIP
        is_wiper = self.mode == "wiper" and event.button() == Qt.MouseButton.LeftButton and near
        self._grabbed = "wiper" if is_wiper else "picture"
        self._last = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._grabbed == "wiper":
            box = self.picture_box(self._area())
            self.wiper = min(1.0, max(0.0, (at.x() - box.left()) / max(1.0, box.width())))
            self.resized.emit()
        elif self._grabbed == "picture":
            box, step = self.picture_box(self._area()), at - self._last
            self._center -= QPointF(step.x() / max(1.0, box.width()), step.y() / max(1.0, box.height()))
            self._last = at
        near = self.mode == "wiper" and abs(at.x() - self._wiper_x()) <= _GRIP
        self.setCursor(Qt.CursorShape.SplitHCursor if near else Qt.CursorShape.ArrowCursor)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grabbed = ""

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._zoom, self._center = 1.0, QPointF(0.5, 0.5)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Look closer at what is under the pointer, or see all of it again."""
        box, at = self.picture_box(self._area()), event.position()
        u, v = (at.x() - box.left()) / box.width(), (at.y() - box.top()) / box.height()
        before = self._zoom
        self._zoom = min(_MOST_ZOOM, max(1.0, self._zoom * 1.18 ** (event.angleDelta().y() / 120)))
        share = before / self._zoom
        self._center = QPointF(u + (self._center.x() - u) * share, v + (self._center.y() - v) * share)
        if self._zoom == 1.0:
            self._center = QPointF(0.5, 0.5)
        self.update()
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()

    def _area(self) -> QRectF:
        """What one picture is fitted to."""
        if self.mode == "beside":
            return self._halves()[0]
        return QRectF(self.rect())

    def _wiper_x(self) -> float:
        box = self.picture_box(self._area())
        return box.left() + self.wiper * box.width()


def _pixmap(picture: ComparePicture | None) -> QPixmap | None:
    return None if picture is None else pixmap_of(picture.pixels)
