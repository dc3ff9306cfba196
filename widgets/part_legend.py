"""Which part a colour stands for, at the right of the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from widgets.theme import active_theme
from widgets.viewport_overlays import Overlay

_MOST, _LINE = 14, 22
_BELOW_CUBE = 128  # design pixels from the top that the view cube takes


class PartLegend(Overlay):
    """Names and swatches over `parent`; of very many parts the first ones."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("part_legend")
        self._entries: tuple[tuple[str, str], ...] = ()
        parent.installEventFilter(self)
        self.hide()

    @property
    def entries(self) -> tuple[tuple[str, str], ...]:
        """Names and colours "#rrggbb"."""
        return self._entries

    def set_entries(self, entries: Sequence[tuple[str, str]]) -> None:
        """Explain these colours; nothing hides the legend."""
        if tuple(entries) == self._entries:
            return
        self._entries = tuple(entries)
        self.setAccessibleName("Parts: " + ", ".join(name for name, _ in entries))
        self.setVisible(bool(entries))
        self.place()
        self.update()

    def sizeHint(self) -> QSize:
        theme = active_theme()
        metrics = QFontMetricsF(self.font_of(theme))
        wide = max((metrics.horizontalAdvance(line) for line, _ in self._lines()), default=0.0)
        wide = min(wide, theme.px(160))
        return QSize(math.ceil(wide) + theme.px(44), theme.px(_LINE) * len(self._lines()) + theme.px(12))

    def place(self) -> None:
        """Stand at the right edge, below the view cube."""
        host, theme = self.parentWidget(), active_theme()
        if host is not None and self._entries:
            size = self.sizeHint()
            self.setGeometry(
                host.width() - size.width() - theme.px(8), theme.px(_BELOW_CUBE), size.width(), size.height()
            )
            self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = active_theme()
        back = theme.color("panel")
        back.setAlphaF(0.82)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(back)
            painter.drawRoundedRect(QRectF(self.rect()), theme.px(6), theme.px(6))
            painter.setFont(self.font_of(theme))
            line, side = theme.px(_LINE), theme.px(12)
            for place, (name, color) in enumerate(self._lines()):
                top = theme.px(6) + place * line
                if color:
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(QColor(color))
                    painter.drawRoundedRect(QRectF(theme.px(10), top + (line - side) / 2, side, side), 3, 3)
                room = QRectF(theme.px(30), top, self.width() - theme.px(36), line)
                text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(room.width()))
                painter.setPen(theme.color("text" if color else "text_second"))
                painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self.parentWidget():
            self.place()
        return super().eventFilter(watched, event)

    def _lines(self) -> tuple[tuple[str, str], ...]:
        more = len(self._entries) - _MOST
        return self._entries if more <= 0 else (*self._entries[:_MOST], (f"and {more} more", ""))
