"""One figure of every image as bars: how well each is rendered, how its depth was aligned."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QComboBox, QSizePolicy, QToolTip, QWidget

from widgets.parts import EmptyPlace, column_in, row_of
from widgets.theme import active_theme, interface_font, secondary_label
from widgets.viewport_overlays import plain_number

Table = Sequence[tuple[str, float | None, str]]  # image, figure, note


class ImageFigures(QWidget):
    """The panel [image_figures]. image_chosen: name of the image whose bar was clicked."""

    image_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("image_figures")
        self.setMinimumWidth(active_theme().px(240))
        self._tables: dict[str, Table] = {}
        self._empty = EmptyPlace(
            "chart-column", "Figures of each image are drawn here once a run has made a result."
        )
        self._content = QWidget()
        self._which = QComboBox()
        self._which.setObjectName("figure_combo")
        self._which.setAccessibleName("Figure")
        self._which.activated.connect(lambda _: self._show())
        self._words = secondary_label("")
        self._words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.bars = Bars()
        self.bars.chosen.connect(self.image_chosen)
        whole = column_in(self, spacing=0)
        whole.addWidget(self._empty)
        whole.addWidget(self._content)
        column = column_in(self._content, margin=8, spacing=4)
        bar = row_of(self._which, self._words)
        bar.setStretchFactor(self._words, 1)
        column.addLayout(bar)
        column.addWidget(self.bars, 1)
        self.set_tables({})

    def set_tables(self, tables: Mapping[str, Table]) -> None:
        """Show these figures by their titles; the one that was chosen stays where it is among them."""
        chosen = self._which.currentText()
        self._tables = dict(tables)
        self._which.clear()
        self._which.addItems(list(tables))
        self._which.setCurrentIndex(max(0, self._which.findText(chosen)))
        self._empty.setVisible(not tables)
        self._content.setVisible(bool(tables))
        self._show()

    def set_current(self, name: str) -> None:
        """Bring out the bar of an image."""
        self.bars.set_current(name)

    def _show(self) -> None:
        table = self._tables.get(self._which.currentText(), ())
        values = [value for _, value, _ in table if value is not None and math.isfinite(value)]
        self._words.setText(
            f"mean {plain_number(sum(values) / len(values), 3)}, from {plain_number(min(values), 3)} to "
            f"{plain_number(max(values), 3)}, {len(values)} of {len(table)} images"
            if values
            else ""
        )
        self.bars.set_table(table)


class Bars(QWidget):
    """Paints the bars; an image without a figure has a mark at the ground and its reason in the tooltip."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.setMinimumHeight(active_theme().px(72))
        self._table: Table = ()
        self._current = ""

    def set_table(self, table: Table) -> None:
        """Show these figures."""
        self._table = table
        self.setAccessibleName(", ".join(_words(row) for row in table[:200]))
        self.update()

    def set_current(self, name: str) -> None:
        """Bring out one image."""
        self._current = name
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = active_theme()
        low, high = self._range()
        area, each = self._area(), self._width_of_bar()
        with QPainter(self) as painter:
            painter.setFont(interface_font(theme, 12))
            self._paint_axis(painter, area, low, high)
            painter.setPen(Qt.PenStyle.NoPen)
            zero = self._y(max(low, min(0.0, high)), low, high)
            for place, (name, value, note) in enumerate(self._table):
                left, gap = area.left() + place * each, min(2.0, each * 0.2)
                if value is None or not math.isfinite(value):
                    painter.setBrush(theme.color("warn"))
                    painter.drawRect(QRectF(left, zero - 3, max(1.0, each - gap), 3))
                    continue
                token = "accent" if name == self._current else "link" if note == "held out" else "text_second"
                painter.setBrush(theme.color(token))
                y = self._y(value, low, high)
                painter.drawRect(QRectF(left, min(y, zero), max(1.0, each - gap), max(1.0, abs(zero - y))))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row = self._row_at(event.position().x())
        QToolTip.showText(event.globalPosition().toPoint(), _words(row) if row else "", self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self._row_at(event.position().x())
        if row is not None:
            self.chosen.emit(row[0])

    def leaveEvent(self, event: QEvent) -> None:
        QToolTip.hideText()

    def _paint_axis(self, painter: QPainter, area: QRectF, low: float, high: float) -> None:
        theme = active_theme()
        for share in (0.0, 0.5, 1.0):
            value = low + share * (high - low)
            y = self._y(value, low, high)
            painter.setPen(QPen(theme.color("line"), 1))
            painter.drawLine(round(area.left()), round(y), round(area.right()), round(y))
            painter.setPen(theme.color("text_second"))
            box = QRectF(0, y - 9, area.left() - 6, 18)
            painter.drawText(
                box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, plain_number(value, 3)
            )

    def _range(self) -> tuple[float, float]:
        values = [value for _, value, _ in self._table if value is not None and math.isfinite(value)]
        low, high = min([0.0, *values]), max([0.0, *values])
        return (low, high) if high > low else (low, low + 1.0)

    def _area(self) -> QRectF:
        px = active_theme().px
        return QRectF(px(52), px(10), max(1, self.width() - px(60)), max(1, self.height() - px(20)))

    def _width_of_bar(self) -> float:
        return min(28.0, self._area().width() / max(1, len(self._table)))

    def _y(self, value: float, low: float, high: float) -> float:
        area = self._area()
        return area.bottom() - (value - low) / (high - low) * area.height()

    def _row_at(self, x: float) -> tuple[str, float | None, str] | None:
        place = int((x - self._area().left()) // self._width_of_bar())
        return self._table[place] if 0 <= place < len(self._table) else None


def _words(row: tuple[str, float | None, str]) -> str:
    name, value, note = row
    figure = "none" if value is None else plain_number(value, 4)
    return f"{name}: {figure}{', ' + note if note else ''}"
