"""What the tool under way does and what may be set of it, at the top of the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSlider, QToolButton, QWidget

from widgets.parts import icon_button, text_button
from widgets.theme import active_theme, secondary_label

_STEPS = 100


@dataclass(frozen=True)
class ToolWords:
    """What a tool is called and how it is used. amount: what its slider sets, "" for none; amounts: from, to.
    is_geometric: whether the slider's steps are of equal ratio. has_filters: whether what lies behind may be left
    out. has_volume: whether it has a box or a sphere that buttons apply."""

    title: str
    hint: str
    amount: str = ""
    unit: str = ""
    amounts: tuple[float, float] = (0.0, 1.0)
    is_geometric: bool = False
    has_filters: bool = False
    has_volume: bool = False


class ToolOptions(QFrame):
    """A card over `host`. amount_changed: of the tool's slider. volume_wished: "set", "add", "remove" or "intersect".
    closed: the tool shall be left."""

    amount_changed = Signal(float)
    volume_wished = Signal(str)
    closed = Signal()

    def __init__(self, host: QWidget, filters: Sequence[QAction]) -> None:
        super().__init__(host)
        self.setObjectName("tool_options")
        self.setProperty("notice", True)
        self._host, self._left = host, 0
        self._words: ToolWords | None = None
        px = active_theme().px
        self._title = QLabel()
        self._title.setProperty("role", "heading")
        self._hint = secondary_label("")
        self._hint.setObjectName("tool_hint")
        self._amount_name = secondary_label("")
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setObjectName("tool_amount")
        self._slider.setRange(0, _STEPS)
        self._slider.setFixedWidth(px(96))
        self._slider.valueChanged.connect(self._on_slider)
        self._reading = secondary_label("")
        self._filters = [self._filter(action) for action in filters]
        self._volumes = [self._volume(*each) for each in _VOLUME_BUTTONS]
        close = icon_button("x", "Leave the tool", "Leave the tool (Esc)")
        close.setObjectName("tool_close")
        close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        close.clicked.connect(self.closed)
        row = QHBoxLayout(self)
        row.setContentsMargins(px(12), px(3), px(4), px(3))
        row.setSpacing(px(8))
        for widget in (
            self._title, self._hint, self._amount_name, self._slider, self._reading, *self._filters, *self._volumes,
            close,
        ):  # fmt: skip
            row.addWidget(widget)
        host.installEventFilter(self)
        self.hide()

    def show_tool(self, words: ToolWords | None, amount: float = 0.0) -> None:
        """Tell of a tool, or of none."""
        self._words = words
        self.setVisible(words is not None)
        if words is None:
            return
        self._title.setText(words.title)
        self._hint.setText(words.hint)
        self._amount_name.setText(words.amount)
        self.setAccessibleName(f"{words.title}. {words.hint}")
        self.set_amount(amount)
        self.place(self._left)

    def say(self, hint: str) -> None:
        """Say something else of the tool under way, for example how many it holds."""
        if self._words is not None and hint != self._hint.text():
            self._hint.setText(hint)
            self.place(self._left)

    def set_amount(self, amount: float) -> None:
        """Show another value of the slider, without telling of it."""
        words = self._words
        if words is None or not words.amount:
            return
        low, high = words.amounts
        share = (
            math.log(amount / low) / math.log(high / low)
            if words.is_geometric
            else (amount - low) / (high - low)
        )
        with QSignalBlocker(self._slider):
            self._slider.setValue(round(share * _STEPS))
        self._reading.setText(f"{amount:.3g}{words.unit}")

    def place(self, left: int) -> None:
        """Stand at the top, from `left` on, as far as the view cube; words go first where it is narrow."""
        self._left = left
        words, theme = self._words, active_theme()
        if words is None:
            return
        room = self._host.width() - left - theme.px(116)
        has_amount = bool(words.amount)
        for step in range(3):
            self._hint.setVisible(step < 1)
            self._amount_name.setVisible(has_amount and step < 1)
            self._title.setVisible(step < 2)
            self._slider.setVisible(has_amount)
            self._reading.setVisible(has_amount and step < 2)
            for button in self._filters:
                button.setVisible(words.has_filters)
            for each in self._volumes:
                each.setVisible(words.has_volume)
            self.ensurePolished()
            if (layout := self.layout()) is not None:
                layout.invalidate()
                layout.activate()
            if self.sizeHint().width() <= room:
                break
        self.setGeometry(left, theme.px(8), self.sizeHint().width(), theme.px(40))
        self.raise_()

    def _on_slider(self, step: int) -> None:
        words = self._words
        if words is None:
            return
        low, high = words.amounts
        share = step / _STEPS
        amount = low * (high / low) ** share if words.is_geometric else low + share * (high - low)
        self._reading.setText(f"{amount:.3g}{words.unit}")
        self.amount_changed.emit(amount)

    def _filter(self, action: QAction) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"option_{action.objectName()}")
        button.setDefaultAction(action)
        button.setAccessibleName(action.text())
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        button.setIconSize(QSize(active_theme().px(16), active_theme().px(16)))
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _volume(self, mode: str, words: str, tip: str) -> QPushButton:
        button = text_button(words)
        button.setObjectName(f"volume_{mode}")
        button.setToolTip(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self.volume_wished.emit(mode))
        return button

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._host and self.isVisible():
            self.place(self._left)
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self.isVisible():
            self.place(self._left)


_VOLUME_BUTTONS = (
    ("set", "Select", "Select what is inside"),
    ("add", "Add", "Add what is inside to the selection"),
    ("remove", "Remove", "Take what is inside out of the selection"),
)
