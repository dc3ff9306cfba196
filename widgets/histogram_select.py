"""Choose by a value: which value, its histogram with a range, and what to do with what lies in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QWidget

from widgets.histogram_plot import HistogramPlot
from widgets.number_field import NumberField
from widgets.parts import column_in, grouped, row_of, text_button
from widgets.theme import active_theme, secondary_label


@dataclass(frozen=True)
class ValueChoice:
    """A value that there is a histogram of."""

    name: str
    title: str
    unit: str = ""
    is_logarithmic: bool = False


class HistogramSelect(QWidget):
    """value_wished: show the histogram of a value. range_changed: (value, low, high) to preview. chosen: (value, low,
    high, mode), with "set", "add" or "remove"."""

    value_wished = Signal(str)
    range_changed = Signal(str, float, float)
    chosen = Signal(str, float, float, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices: tuple[ValueChoice, ...] = ()
        self.combo = QComboBox()
        self.combo.setObjectName("histogram_value")
        self.combo.setAccessibleName("Value")
        self.combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.combo.activated.connect(self._on_value)
        self.plot = HistogramPlot()
        self.plot.range_changed.connect(self._on_dragged)
        self.low, self.high = NumberField(), NumberField()
        for field, name, words in ((self.low, "range_low", "From"), (self.high, "range_high", "To")):
            field.setObjectName(name)
            field.setAccessibleName(words)
            field.setButtonSymbols(NumberField.ButtonSymbols.NoButtons)
            field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            field.setMinimumWidth(active_theme().px(64))
            field.edited.connect(self._on_typed)
        self._note = secondary_label("Drag over the histogram to choose a range.")
        self._note.setObjectName("histogram_note")
        self._note.setWordWrap(True)
        self.buttons = {mode: self._button(mode, words) for mode, words in _BUTTONS}
        column = column_in(self, spacing=8)
        column.addWidget(self.combo)
        column.addWidget(self.plot)
        column.addLayout(self._range_row())
        column.addWidget(self._note)
        column.addLayout(row_of(*(self.buttons[mode] for mode, _ in _BUTTONS), 1))
        self._enable()

    def _button(self, mode: str, words: str) -> QWidget:
        button = text_button(words, is_primary=mode == "set")
        button.setObjectName(f"histogram_{mode}")
        button.clicked.connect(lambda: self._choose(mode))
        return button

    def _range_row(self) -> QHBoxLayout:
        row = row_of(secondary_label("From"))
        row.addWidget(self.low, 1)
        row.addWidget(secondary_label("to"))
        row.addWidget(self.high, 1)
        self._unit = QLabel()
        self._unit.setProperty("role", "secondary")
        row.addWidget(self._unit)
        return row

    @property
    def value(self) -> str:
        """The name of the value that is shown."""
        return str(self.combo.currentData() or "")

    def set_choices(self, choices: Sequence[ValueChoice]) -> None:
        """Offer these values; the one that is shown stays if it is among them."""
        if tuple(choices) == self._choices:
            return
        current = self.value
        self._choices = tuple(choices)
        self.combo.clear()
        for choice in choices:
            self.combo.addItem(choice.title, choice.name)
        self.combo.setCurrentIndex(max(0, self.combo.findData(current)))

    def show_value(self, name: str) -> None:
        """Show the histogram of a value, as if it had been chosen."""
        self.combo.setCurrentIndex(max(0, self.combo.findData(name)))
        self._on_value()

    def set_histogram(self, name: str, edges: ArrayLike, counts: ArrayLike, selected: ArrayLike) -> None:
        """The histogram that was wished for; of another value than the one shown it comes too late."""
        choice = next((each for each in self._choices if each.name == name), None)
        if choice is None or name != self.value:
            return
        bounds = np.asarray(edges, np.float64)
        is_log = choice.is_logarithmic and bool(bounds[0] > 0)
        self.plot.set_histogram(bounds, counts, selected, is_logarithmic=is_log)
        self._unit.setText(choice.unit)
        self._show_range()

    def set_count(self, count: int | None) -> None:
        """Say how many lie in the range."""
        if count is None:
            self._note.setText("Drag over the histogram to choose a range.")
        else:
            self._note.setText(f"{grouped(count)} in the range, shown in the picture.")

    def forget_range(self) -> None:
        """Choose no range."""
        self.plot.set_range(None)
        self.set_count(None)
        self._show_range()

    def _on_value(self) -> None:
        self.forget_range()
        self.value_wished.emit(self.value)

    def _on_dragged(self, low: float, high: float) -> None:
        self._show_range()
        self.range_changed.emit(self.value, low, high)

    def _on_typed(self) -> None:
        low, high = self.low.value(), self.high.value()
        if isinstance(low, int | float) and isinstance(high, int | float) and low <= high:
            self.plot.set_range((float(low), float(high)))
            self.range_changed.emit(self.value, float(low), float(high))
        self._enable()

    def _show_range(self) -> None:
        chosen = self.plot.range
        for field, place in ((self.low, 0), (self.high, 1)):
            field.set_value(None if chosen is None else float(f"{chosen[place]:.4g}"))
        self._enable()

    def _choose(self, mode: str) -> None:
        if self.plot.range is not None:
            self.chosen.emit(self.value, *self.plot.range, mode)

    def _enable(self) -> None:
        for button in self.buttons.values():
            button.setEnabled(self.plot.range is not None)


_BUTTONS = (("set", "Select"), ("add", "Add"), ("remove", "Remove"))
