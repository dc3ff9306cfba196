"""A card for one thing that can be made: its picture, one line about it, Start and Try sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QSize, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from widgets.icons import icon
from widgets.theme import Theme, active_theme, title_label

Paint = Callable[[Theme, QSize, float], QPixmap]


@dataclass(frozen=True)
class WorkflowCard:
    """One thing that can be made. paint: draws its picture for a theme, a size and a pixel ratio, or None."""

    id: str
    title: str
    line: str
    paint: Paint | None = None
    has_sample: bool = True


class _Picture(QWidget):
    """A painted picture that is drawn again for another size, theme or pixel ratio."""

    def __init__(self, paint: Paint, height: int) -> None:
        super().__init__()
        self._paint = paint
        self._pixmap = QPixmap()
        self._rest = QTimer(self, singleShot=True, interval=150)
        self._rest.timeout.connect(self._draw_again)
        self._highest = active_theme().px(height)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def heightForWidth(self, width: int) -> int:
        return min(self._highest, round(0.47 * width))

    def sizeHint(self) -> QSize:
        return QSize(active_theme().px(240), self.heightForWidth(active_theme().px(240)))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._pixmap = QPixmap()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._rest.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        drawn = self._pixmap.deviceIndependentSize().toSize()
        if abs(drawn.width() - self.width()) > self.width() / 5:
            self._pixmap = self._paint(active_theme(), self.size(), self.devicePixelRatioF())
            drawn = self.size()
        # While the window is being resized the last picture stands in the middle.
        shift = (self.size() - drawn) / 2
        QPainter(self).drawPixmap(shift.width(), shift.height(), self._pixmap)

    def _draw_again(self) -> None:
        if self._pixmap.deviceIndependentSize().toSize() != self.size():
            self._pixmap = QPixmap()
            self.update()


class CardFrame(QFrame):
    """Picture, title, one line, Start and Try sample; larger when it is the only one."""

    def __init__(self, card: WorkflowCard, is_only: bool, is_first: bool) -> None:
        super().__init__()
        self.setObjectName(f"card_{card.id}")
        self.setProperty("card", True)
        px = active_theme().px
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(20), px(24), px(20))
        column.setSpacing(px(4))
        if card.paint is not None:
            column.addWidget(_Picture(card.paint, 300 if is_only else 112))
            column.addSpacing(px(12))
        title = title_label(card.title)
        title.setWordWrap(True)
        line = QLabel(card.line)
        line.setWordWrap(True)
        column.addWidget(title)
        column.addWidget(line)
        column.addSpacing(px(12))
        column.addStretch(1)  # beside a card with a longer line
        self.start = QPushButton(icon("play", 16, "on_accent" if is_first else "text"), "Start")
        self.start.setObjectName(f"start_{card.id}")
        self.start.setAccessibleName(f"Start: {card.title}")
        self.start.setProperty("primary", is_first)
        self.sample = QPushButton("Try sample")
        self.sample.setObjectName(f"sample_{card.id}")
        self.sample.setAccessibleName(f"Try sample: {card.title}")
        self.sample.setVisible(card.has_sample)
        row = QHBoxLayout()
        row.setSpacing(px(8))
        for button in (self.start, self.sample):
            button.setProperty("large", True)
            button.setMinimumWidth(px(112))
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
