"""A histogram with a range that is dragged over it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from widgets.parts import grouped
from widgets.theme import Theme, active_theme, interface_font
from widgets.viewport_overlays import plain_number

Array = NDArray[np.float64]
_HANDLE = 7.0  # pixels within which an end of the range is taken
_AXIS = 20  # design pixels for the numbers below


class HistogramPlot(QWidget):
    """Bars over rising edges, the part of each that is selected in the accent colour.

    range_changed: while the range is dragged; range_set: after it.
    """

    range_changed = Signal(float, float)
    range_set = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("histogram")
        self.setAccessibleName("Histogram")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._edges: Array = np.linspace(0, 1, 2)
        self._counts = self._selected = np.zeros(1, np.int64)
        self._is_log = False
        self._range: tuple[float, float] | None = None
        self._held: str = ""
        self._from = 0.0

    def sizeHint(self) -> QSize:
        return QSize(active_theme().px(240), active_theme().px(132))

    def set_histogram(
        self, edges: ArrayLike, counts: ArrayLike, selected: ArrayLike, *, is_logarithmic: bool
    ) -> None:
        """Show other values. edges: (B + 1,). counts, selected: (B,). The range stays where it fits."""
        self._edges = np.asarray(edges, np.float64)
        self._counts, self._selected = np.asarray(counts), np.asarray(selected)
        self._is_log = is_logarithmic
        self.update()

    @property
    def range(self) -> tuple[float, float] | None:
        """The chosen values, from low to high, or None."""
        return self._range

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the greatest value there is."""
        return float(self._edges[0]), float(self._edges[-1])

    def set_range(self, chosen: tuple[float, float] | None) -> None:
        """Show another range, without telling of it."""
        self._range = chosen
        self.update()

    def value_at(self, x: float) -> float:
        """The value above a pixel."""
        box = self._plot()
        share = min(max((x - box.left()) / box.width(), 0.0), 1.0)
        low, high = self.limits
        if self._is_log:
            return float(low * (high / low) ** share)
        return low + share * (high - low)

    def pixel_of(self, value: float) -> float:
        """Where a value stands, in pixels from the left."""
        box, (low, high) = self._plot(), self.limits
        if self._is_log:
            share = math.log(max(value, low) / low) / math.log(high / low)
        else:
            share = (value - low) / (high - low)
        return box.left() + min(max(share, 0.0), 1.0) * box.width()

    def _plot(self) -> QRectF:
        return QRectF(self.rect()).adjusted(8, 4, -8, -active_theme().px(_AXIS))

    # Pointer and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        x = event.position().x()
        self._held, self._from = self._end_at(x) or "new", self.value_at(x)
        if self._held == "new":
            self._range = (self._from, self._from)
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        if not self._held:
            self.setCursor(Qt.CursorShape.SizeHorCursor if self._end_at(x) else Qt.CursorShape.CrossCursor)
            QToolTip.showText(event.globalPosition().toPoint(), self.reading_at(x), self)
            return
        value = self.value_at(x)
        fixed = self._from
        if self._held != "new" and self._range is not None:
            fixed = self._range[1] if self._held == "low" else self._range[0]
            if (self._held == "low") == (value > fixed):  # dragged past the other end
                self._held = "high" if self._held == "low" else "low"
        self._change((min(fixed, value), max(fixed, value)))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if not self._held:
            return
        self._held = ""
        if self._range is not None and self._range[0] == self._range[1]:
            self._change(self.limits)
        if self._range is not None:
            self.range_set.emit(*self._range)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move the upper end by a bar, with Shift the lower one."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        low, high = self._range or self.limits
        bar = self._plot().width() / len(self._counts)
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            low = min(self.value_at(self.pixel_of(low) + step * bar), high)
        else:
            high = max(self.value_at(self.pixel_of(high) + step * bar), low)
        self._change((low, high))
        self.range_set.emit(low, high)

    def _end_at(self, x: float) -> str:
        if self._range is None:
            return ""
        apart = {
            name: abs(self.pixel_of(v) - x) for name, v in zip(("low", "high"), self._range, strict=True)
        }
        name = min(apart, key=lambda each: apart[each])
        return name if apart[name] <= _HANDLE else ""

    def _change(self, chosen: tuple[float, float]) -> None:
        self._range = chosen
        self.range_changed.emit(*chosen)
        self.update()

    def reading_at(self, x: float) -> str:
        """What the bar under a pixel stands for."""
        value = self.value_at(x)
        i = int(np.clip(np.searchsorted(self._edges, value, side="right") - 1, 0, len(self._counts) - 1))
        low, high = plain_number(float(self._edges[i]), 3), plain_number(float(self._edges[i + 1]), 3)
        return f"{low} … {high}: {grouped(int(self._counts[i]))}"

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, box = active_theme(), self._plot()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme.color("link" if self.hasFocus() else "line"), 1))
            painter.setBrush(theme.color("raised"))
            painter.drawRoundedRect(box.adjusted(-7.5, -3.5, 7.5, 0.5), 6, 6)
            if self._range is not None:
                self._paint_band(painter, theme, box)
            self._paint_bars(painter, theme, box)
            if self._range is not None:
                self._paint_ends(painter, theme, box)
            self._paint_numbers(painter, theme, box)

    def _paint_bars(self, painter: QPainter, theme: Theme, box: QRectF) -> None:
        """Heights are square roots: few far from many must still be seen."""
        most = math.sqrt(max(1, int(self._counts.max(initial=0))))
        width = box.width() / len(self._counts)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        rest, chosen = theme.color("text_disabled"), theme.color("accent")
        for i, (count, part) in enumerate(zip(self._counts, self._selected, strict=True)):
            left, right = box.left() + i * width, box.left() + (i + 1) * width
            for number, color in ((int(count), rest), (int(part), chosen)):
                if number:
                    height = max(1.0, math.sqrt(number) / most * (box.height() - 6))
                    bar = QRectF(
                        QPointF(round(left), box.bottom() - height), QPointF(round(right), box.bottom())
                    )
                    painter.fillRect(bar, color)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def _paint_band(self, painter: QPainter, theme: Theme, box: QRectF) -> None:
        assert self._range is not None
        left, right = (self.pixel_of(value) for value in self._range)
        band = QColor(theme.color("accent"))
        band.setAlphaF(0.16)
        painter.fillRect(QRectF(left, box.top(), right - left, box.height()), band)

    def _paint_ends(self, painter: QPainter, theme: Theme, box: QRectF) -> None:
        assert self._range is not None
        for value in self._range:
            x = self.pixel_of(value)
            painter.setPen(QPen(theme.color("accent"), 1.5))
            painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent"))
            painter.drawRoundedRect(QRectF(x - 3, box.center().y() - 9, 6, 18), 3, 3)

    def _paint_numbers(self, painter: QPainter, theme: Theme, box: QRectF) -> None:
        painter.setFont(interface_font(theme, 12))
        painter.setPen(theme.color("text_second"))
        below = QRectF(box.left() - 7, box.bottom() + 2, box.width() + 14, theme.px(_AXIS) - 2)
        low, high = (plain_number(value, 3) for value in self.limits)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, low)
        painter.drawText(below, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, high)
        if self._is_log:
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, "logarithmic")
