"""A field for one number that never changes what was typed: the form says what is wrong with it."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QWidget

from widgets.setting_fields import Limits
from widgets.theme import active_theme

Typed = int | float | str | None
NO_LIMITS = Limits()


class NumberField(QAbstractSpinBox):
    """Digits with arrows. value() is a number, None when empty, or the text itself when it is no number."""

    edited = Signal()

    def __init__(
        self, limits: Limits = NO_LIMITS, *, is_whole: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._limits = limits
        self._is_whole = is_whole
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccelerated(True)
        self.lineEdit().setTextMargins(
            active_theme().px(6), 0, 0, 0
        )  # the style sheet's padding stops short of it
        self.lineEdit().textChanged.connect(self._on_text)

    def value(self) -> Typed:
        text = self.text().strip().replace(",", ".")
        if not text:
            return None
        for read in (int, float):
            try:
                number = read(text)
            except ValueError:
                continue
            return number if self._is_whole or isinstance(number, float) else float(number)
        return text

    def set_value(self, value: Typed) -> None:
        """Show a value without telling anyone."""
        if value == self.value() and type(value) is type(self.value()):
            return
        was_blocked = self.blockSignals(True)
        self.lineEdit().setText(number_text(value))
        self.lineEdit().setCursorPosition(0)
        self.blockSignals(was_blocked)

    def stepBy(self, steps: int) -> None:
        value = self.value()
        start = value if isinstance(value, int | float) else (self._limits.low or 0.0)
        stepped = start + steps * self._step_size(start, steps)
        self.lineEdit().setText(number_text(self._rounded(self._kept_inside(stepped))))
        self.selectAll()

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        value = self.value()
        flags = QAbstractSpinBox.StepEnabledFlag.StepNone
        if not isinstance(value, int | float) or self._limits.high is None or value < self._limits.high:
            flags |= QAbstractSpinBox.StepEnabledFlag.StepUpEnabled
        if not isinstance(value, int | float) or self._limits.low is None or value > self._limits.low:
            flags |= QAbstractSpinBox.StepEnabledFlag.StepDownEnabled
        return flags

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Only with the focus: scrolling the panel must not change a value by surprise."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._use_whole_width()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self._use_whole_width()

    def _use_whole_width(self) -> None:
        """A style sheet that styles the arrows leaves a field without them one pixel of text."""
        if self.buttonSymbols() == QAbstractSpinBox.ButtonSymbols.NoButtons:
            self.lineEdit().setGeometry(self.rect().adjusted(1, 1, -1, -1))

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance("0") * 7 + 36, max(28, super().sizeHint().height()))

    def minimumSizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance("0") * 5 + 30, self.sizeHint().height())

    def _on_text(self) -> None:
        if not self.signalsBlocked():
            self.edited.emit()

    def _step_size(self, value: float, steps: int) -> float:
        """A hundredth of a bounded range, a tenth of the number's decade elsewhere."""
        low, high = self._limits.low, self._limits.high
        if low is not None and high is not None and not self._limits.is_wide:
            size = 10 ** math.floor(math.log10((high - low) / 20)) if high > low else 1.0
        else:
            # One step down from 100 must be 10, as from 95, else 100 and 90 are not each other's step.
            magnitude = abs(value) if steps > 0 else abs(value) * (1 - 1e-9)
            size = (
                10 ** (math.floor(math.log10(magnitude)) - (1 if self._is_whole else 0)) if magnitude else 1.0
            )
        return max(1.0, size) if self._is_whole else size

    def _kept_inside(self, value: float) -> float:
        low, high = self._limits.low, self._limits.high
        if high is not None:
            value = min(value, high)
        return value if low is None else max(value, low)

    def _rounded(self, value: float) -> int | float:
        return round(value) if self._is_whole else float(f"{value:.10g}")


def number_text(value: Typed) -> str:
    """A number as short as it is exact."""
    if value is None:
        return ""
    if isinstance(value, float):
        text = f"{value:.12g}" if float(f"{value:.12g}") == value else repr(value)
        short = f"{value:.3g}" if abs(value) >= 1e6 and float(f"{value:.3g}") == value else text
        return short.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    return str(value)
