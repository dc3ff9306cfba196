"""The steps of a workflow in one thin row: how far each is, and a click to go there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from widgets.icons import icon
from widgets.theme import active_theme, interface_font

StepState = Literal["todo", "ok", "running", "warning", "error"]
_LOOKS: dict[StepState, tuple[str, str, str]] = {
    "todo": ("circle", "text_second", "to do"),
    "ok": ("circle-check", "ok", "done"),
    "running": ("circle-play", "accent", "running"),
    "warning": ("triangle-alert", "warn", "needs a look"),
    "error": ("circle-alert", "error", "has a problem"),
}


@dataclass(frozen=True)
class Step:
    """One step. note: what its state means, for the tooltip. is_current: what to do now."""

    id: str
    title: str
    state: StepState = "todo"
    note: str = ""
    is_current: bool = False


class Stepper(QWidget):
    """The steps [stepper] from left to right; chosen tells the id of one that was clicked."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("stepper")
        self._steps: tuple[Step, ...] = ()
        self._buttons: dict[str, _StepButton] = {}
        self._row = QHBoxLayout(self)
        px = active_theme().px
        self._row.setContentsMargins(px(8), px(6), px(8), px(2))
        self._row.setSpacing(0)

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is shown."""
        return self._steps

    def set_steps(self, steps: Sequence[Step]) -> None:
        """Show these steps; another workflow has others."""
        if tuple(steps) == self._steps:
            return
        if [step.id for step in steps] != [step.id for step in self._steps]:
            self._remove_all()
        self._steps = tuple(steps)
        for place, step in enumerate(steps):
            if step.id not in self._buttons:
                button = self._buttons[step.id] = _StepButton(
                    is_first=place == 0, is_last=place + 1 == len(steps)
                )
                button.setObjectName(f"step_{step.id}")
                button.clicked.connect(lambda _=False, step_id=step.id: self.chosen.emit(step_id))
                self._row.addWidget(button, 1)
            self._buttons[step.id].show_step(place + 1, step)

    def _remove_all(self) -> None:
        for button in self._buttons.values():
            self._row.removeWidget(button)
            button.deleteLater()  # it may be in the middle of the signal that brought us here
            button.hide()
        self._buttons = {}


class _StepButton(QAbstractButton):
    """The sign of the state on a line that runs through all steps, and the step's name below."""

    def __init__(self, *, is_first: bool, is_last: bool) -> None:
        super().__init__()
        self._step = Step("", "")
        self._is_first, self._is_last = is_first, is_last
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_step(self, number: int, step: Step) -> None:
        self._step = step
        words = _LOOKS[step.state][2]
        self.setText(step.title)
        self.setAccessibleName(f"Step {number}, {step.title}: {step.note or words}")
        self.setToolTip(step.note or f"{step.title}: {words}")
        self.update()

    def sizeHint(self) -> QSize:
        px = active_theme().px
        return QSize(QFontMetrics(self._font()).horizontalAdvance(self.text()) + px(6), px(42))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, px = active_theme(), active_theme().px
        name, color, _ = _LOOKS[self._step.state]
        sign = QRect((self.width() - px(16)) // 2, px(4), px(16), px(16))
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.underMouse() or self.hasFocus():
                painter.setPen(QPen(theme.color("link"), 1) if self.hasFocus() else Qt.PenStyle.NoPen)
                painter.setBrush(theme.color("hover") if self.underMouse() else Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), px(6), px(6))
            painter.setPen(QPen(theme.color("field_line"), 1))
            middle = sign.center().y()
            if not self._is_first:
                painter.drawLine(0, middle, sign.left() - px(4), middle)
            if not self._is_last:
                painter.drawLine(sign.right() + px(4), middle, self.width(), middle)
            icon(name, color=color).paint(painter, sign)
            painter.setFont(self._font())
            painter.setPen(theme.color("text" if self._step.is_current else "text_second"))
            below = self.rect().adjusted(0, px(22), 0, -px(2))
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, self.text())

    def _font(self) -> QFont:
        weight = QFont.Weight.DemiBold if self._step.is_current else QFont.Weight.Normal
        return interface_font(active_theme(), 12, weight)
