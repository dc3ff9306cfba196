"""What lies over the 3D view while two layers are compared in it: the line, names, pictures, a legend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QCursor, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from widgets.compare_canvas import ComparePicture
from widgets.image_cells import pixmap_of
from widgets.theme import active_theme, interface_font
from widgets.viewport import Viewport
from widgets.viewport_overlays import Legend, Overlay

if TYPE_CHECKING:
    from widgets.view_compare import ViewCompare

CompareMode = Literal["after", "before", "split", "beside", "flicker", "difference"]


@dataclass(frozen=True)
class ComparedPair:
    """Two layers of the view, by id, and what they are called. is_live: both are splats, or both fields, which the view
    draws each on its side; of others pictures are made when the camera rests."""

    before: str
    after: str
    before_name: str = "Before"
    after_name: str = "After"
    is_live: bool = True


@dataclass(frozen=True, eq=False)
class ComparedPictures:
    """The view's picture of both, and what differs as colours. note: figures of the difference."""

    before: ComparePicture | None = None
    after: ComparePicture | None = None
    difference: ComparePicture | None = None
    note: str = ""


class CompareOverlay(Overlay):
    """Lies over the view: the line, the names of both, pictures where these are what is compared."""

    def __init__(self, viewport: Viewport, compare: ViewCompare) -> None:
        super().__init__(viewport)
        self.setObjectName("compare_overlay")
        self._viewport, self._compare = viewport, compare
        self._pictures = ComparedPictures()
        self._pixmaps: dict[str, QPixmap] = {}
        self._is_hovered = False
        self._cursor = QCursor()  # the view's own, while the line's is shown
        self.legend = Legend(viewport)
        self.legend.setObjectName("compare_legend")
        self.legend.has_card = True
        self.hide()

    @property
    def pictures(self) -> ComparedPictures:
        return self._pictures

    @pictures.setter
    def pictures(self, pictures: ComparedPictures) -> None:
        self._pictures = pictures
        named = {"before": pictures.before, "after": pictures.after, "difference": pictures.difference}
        self._pixmaps = {name: pixmap_of(each.pixels) for name, each in named.items() if each is not None}

    def set_hovered(self, on: bool) -> None:
        """Whether the line would be taken by a press."""
        if on != self._is_hovered:
            self._is_hovered = on
            canvas = self._viewport.findChild(QWidget, "viewport_canvas")
            if canvas is not None and on:
                self._cursor = canvas.cursor()
                canvas.setCursor(Qt.CursorShape.SplitHCursor)
            elif canvas is not None:
                canvas.setCursor(self._cursor)
            self.update()

    def follow(self) -> None:
        """Lie where it should, and show what there is."""
        compare = self._compare
        is_on = compare.pair is not None and (compare.mode != "after" or compare.sees_before)
        if compare.mode != "split" or compare.pair is None:
            self.set_hovered(False)
        self.setVisible(is_on)
        self.setGeometry(self._viewport.rect())
        self._follow_legend(is_on)
        self.update()

    def _follow_legend(self, is_on: bool) -> None:
        picture = self._pictures.difference
        is_shown = is_on and self._compare.mode == "difference" and picture is not None
        if is_shown and picture is not None and picture.value_range is not None:
            self.legend.set(picture.name, picture.unit, picture.color_map, picture.value_range)
            width, height = self.legend.sizeHint().width(), active_theme().px(150)
            left, top = self.width() - width, (self.height() - height) // 2
            self.legend.setGeometry(QRect(left, max(0, top), width, height))
            self.legend.raise_()
        self.legend.setVisible(is_shown)

    def paintEvent(self, event: QPaintEvent) -> None:
        compare = self._compare
        if compare.pair is None:
            return
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            self._paint_pictures(painter)
            self._paint_line(painter)
            self._paint_names(painter, compare.pair)

    def _paint_pictures(self, painter: QPainter) -> None:
        compare, whole = self._compare, QRectF(self.rect())
        assert compare.pair is not None
        if compare.mode == "difference" and not compare.sees_before:
            self._paint_one(painter, "difference", whole, whole)
        elif not compare.pair.is_live:
            if compare.sees_before:
                self._paint_one(painter, "before", whole, whole)
            elif compare.mode == "split":
                self._paint_one(painter, "after", whole, whole)
                self._paint_one(painter, "before", whole, QRectF(0, 0, compare.line_x, self.height()))
            elif compare.mode == "beside":
                half, quarter = self.width() / 2, self.width() / 4
                for name, left, shift in (("before", 0.0, -quarter), ("after", half, quarter)):
                    self._paint_one(
                        painter, name, whole.translated(shift, 0), QRectF(left, 0, half, self.height())
                    )
            elif compare.mode == "flicker":
                self._paint_one(painter, "after", whole, whole)

    def _paint_one(self, painter: QPainter, name: str, box: QRectF, clip: QRectF) -> None:
        pixmap = self._pixmaps.get(name)
        if pixmap is None:
            return
        painter.save()
        painter.setClipRect(clip)
        painter.drawPixmap(box, pixmap, QRectF(pixmap.rect()))
        painter.restore()

    def _paint_line(self, painter: QPainter) -> None:
        compare, theme = self._compare, active_theme()
        if compare.sees_before or compare.mode not in ("split", "beside"):
            return
        is_split = compare.mode == "split"
        x = compare.line_x if is_split else self.width() / 2
        ends = QPointF(x, 0), QPointF(x, self.height())
        painter.setPen(QPen(theme.color("viewport_bottom"), 4))
        painter.drawLine(*ends)
        painter.setPen(QPen(theme.color("accent" if is_split else "field_line"), 2))
        painter.drawLine(*ends)
        if is_split:
            self._paint_grip(painter, QPointF(x, self.height() / 2))

    def _paint_grip(self, painter: QPainter, middle: QPointF) -> None:
        theme = active_theme()
        radius = theme.px(12 if self._is_hovered else 10)
        painter.setPen(QPen(theme.color("viewport_bottom"), 2))
        painter.setBrush(theme.color("accent"))
        painter.drawEllipse(middle, radius, radius)
        painter.setPen(QPen(theme.color("on_accent"), 2))
        arm, away = theme.px(3), theme.px(3)
        for side in (-1, 1):
            tip = middle + QPointF(side * (away + arm), 0)
            for rise in (-arm, arm):
                painter.drawLine(tip, tip + QPointF(-side * arm, rise))

    def _paint_names(self, painter: QPainter, pair: ComparedPair) -> None:
        compare, width = self._compare, self.width()
        if compare.needs_pictures and compare.mode != "difference" and not self._pixmaps:
            self._paint_tag(painter, "Drawing both…", width / 2, 0.5)
        elif compare.mode == "difference" and not compare.sees_before:
            words = "Computing the difference…" if self._pictures.difference is None else self._pictures.note
            self._paint_tag(painter, words, width / 2, 0.5)
        elif compare.sees_before:
            self._paint_tag(painter, pair.before_name, width / 2, 0.5)
        elif compare.mode == "flicker":
            self._paint_tag(painter, pair.after_name, width / 2, 0.5)
        elif compare.mode in ("split", "beside"):
            x = compare.line_x if compare.mode == "split" else width / 2
            self._paint_tag(painter, pair.before_name, x - active_theme().px(10), 1.0)
            self._paint_tag(painter, pair.after_name, x + active_theme().px(10), 0.0)

    def _paint_tag(self, painter: QPainter, words: str, x: float, anchor: float) -> None:
        """Words at the head of the picture. anchor: where in the tag x is, 0 its left end, 1 its right."""
        theme, px = active_theme(), active_theme().px
        painter.setFont(interface_font(theme, 12))
        width = painter.fontMetrics().horizontalAdvance(words) + px(16)
        left = x - anchor * width
        if left < 0 or left + width > self.width():
            if anchor != 0.5:
                return
            left = max(0.0, min(left, self.width() - width))
        box = QRectF(left, px(10), width, px(24))
        back = theme.color("panel")
        back.setAlphaF(0.88)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(back)
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(theme.color("text"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
