"""The control of one setting: a check box, combo, number field with slider, text or several numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QSlider, QWidget

from widgets.number_field import NumberField, number_text
from widgets.parts import icon_button
from widgets.setting_fields import Limits, SettingField

SLIDER_STEPS = 200


class CalmCombo(QComboBox):
    """A combo that the wheel changes only when it has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class Editor(QWidget):
    """The base of the controls: a value in, a value out, and word of every change by the user."""

    changed = Signal()

    def _lay_out(self, parts: list[QWidget]) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for part in parts:
            row.addWidget(part, 1 if isinstance(part, QSlider) else 0 if isinstance(part, QCheckBox) else 1)
        self.setFocusProxy(parts[-1])

    def value(self) -> Any:
        raise TypeError("only the kinds of editors have values")

    def set_value(self, value: Any) -> None:
        raise TypeError("only the kinds of editors have values")


class BoolEditor(Editor):
    def __init__(self, field: SettingField) -> None:
        super().__init__()
        self._box = QCheckBox()
        self._box.setAccessibleName(field.title)
        self._lay_out([self._box])
        self._box.toggled.connect(lambda _: self.changed.emit())
        layout = self.layout()
        assert isinstance(layout, QHBoxLayout)
        layout.addStretch(1)

    def value(self) -> bool:
        return self._box.isChecked()

    def set_value(self, value: Any) -> None:
        with QSignalBlocker(self._box):
            self._box.setChecked(bool(value))


class ChoiceEditor(Editor):
    def __init__(self, field: SettingField) -> None:
        super().__init__()
        self._choices = _choices_of(field)
        self._combo = CalmCombo()
        self._combo.setAccessibleName(field.title)
        self._combo.addItems([words for _, words in self._choices])
        self._lay_out([self._combo])
        self._combo.currentIndexChanged.connect(lambda _: self.changed.emit())

    def value(self) -> Any:
        return self._choices[self._combo.currentIndex()][0]

    def set_value(self, value: Any) -> None:
        values = [choice for choice, _ in self._choices]
        with QSignalBlocker(self._combo):
            self._combo.setCurrentIndex(values.index(value) if value in values else 0)


class NumberEditor(Editor):
    """A number field; with both limits known, a slider before it (logarithmic over decades)."""

    def __init__(self, field: SettingField) -> None:
        super().__init__()
        self._is_whole = field.kind == "int"
        self._limits = field.limits
        self._field = NumberField(field.limits, is_whole=self._is_whole)
        self._field.setAccessibleName(field.title)
        self._slider: QSlider | None = None
        parts: list[QWidget] = [self._field]
        if not field.is_optional and _suits_slider(field):
            self._slider = self._make_slider(field.title)
            parts.insert(0, self._slider)
        else:
            self._field.lineEdit().setPlaceholderText(field.none_text if field.is_optional else "")
        self._lay_out(parts)
        if self._slider is not None:
            self._field.setButtonSymbols(NumberField.ButtonSymbols.NoButtons)
            self._field.setMinimumWidth(self._field.fontMetrics().horizontalAdvance("0") * 6 + 20)
            layout = self.layout()
            assert layout is not None
            layout.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)
        self._field.edited.connect(self._on_typed)

    def value(self) -> int | float | str | None:
        return self._field.value()

    def set_value(self, value: Any) -> None:
        self._field.set_value(value)
        self._move_slider()

    def minimumSizeHint(self) -> QSize:
        """Room for the field alone: in a narrow panel the slider gives way."""
        hint = super().minimumSizeHint()
        return hint if self._slider is None else QSize(self._field.minimumWidth(), hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._slider is not None:
            narrow = self._field.minimumWidth()
            has_room = self.width() >= narrow + 8 + self._slider.minimumWidth()
            self._slider.setVisible(has_room)
            self._field.setMaximumWidth(narrow if has_room else self.width())

    def _make_slider(self, title: str) -> QSlider:
        slider = _CalmSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, SLIDER_STEPS)
        slider.setMinimumWidth(40)
        slider.setAccessibleName(f"{title}, slider")
        slider.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # the field is the stop of Tab
        slider.valueChanged.connect(self._on_slid)
        return slider

    def _on_typed(self) -> None:
        self._move_slider()
        self.changed.emit()

    def _on_slid(self, position: int) -> None:
        self._field.set_value(at_fraction(self._limits, position / SLIDER_STEPS, self._is_whole))
        self.changed.emit()

    def _move_slider(self) -> None:
        value = self._field.value()
        if self._slider is not None and isinstance(value, int | float):
            with QSignalBlocker(self._slider):
                self._slider.setValue(round(SLIDER_STEPS * fraction_of(self._limits, value)))


class TextEditor(Editor):
    def __init__(self, field: SettingField) -> None:
        super().__init__()
        self._line = QLineEdit()
        self._line.setAccessibleName(field.title)
        self._is_optional = field.is_optional
        self._line.setPlaceholderText(field.none_text if field.is_optional else "")
        self._lay_out([self._line])
        self._line.textEdited.connect(lambda _: self.changed.emit())

    def value(self) -> str | None:
        return None if self._is_optional and not self._line.text() else self._line.text()

    def set_value(self, value: Any) -> None:
        if value != self.value():
            self._line.setText("" if value is None else str(value))


class FolderEditor(TextEditor):
    """A line for the path of a folder, and a button to look for it."""

    def __init__(self, field: SettingField) -> None:
        super().__init__(field)
        self.pick: Callable[..., str] = (
            QFileDialog.getExistingDirectory
        )  # where a test answers for the person
        self._title = field.title
        self._line.setPlaceholderText(field.none_text if field.is_optional else "None")
        button = icon_button("folder-open", f"{field.title}: choose a folder")
        button.clicked.connect(self._choose)
        layout = self.layout()
        assert isinstance(layout, QHBoxLayout)
        layout.setSpacing(4)
        layout.addWidget(button)

    def _choose(self) -> None:
        folder = self.pick(self, self._title, self._line.text())
        if folder:
            self._line.setText(folder)
            self.changed.emit()


class SuggestingEditor(Editor):
    """A line of text with a list of what is usual to fall down from it."""

    def __init__(self, field: SettingField) -> None:
        super().__init__()
        self._combo = CalmCombo()
        self._combo.setEditable(True)
        self._combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._combo.setAccessibleName(field.title)
        self._combo.addItems(list(field.suggestions))
        self._lay_out([self._combo])
        self._combo.editTextChanged.connect(lambda _: self.changed.emit())

    def value(self) -> str:
        return self._combo.currentText()

    def set_value(self, value: Any) -> None:
        if value != self.value():
            with QSignalBlocker(self._combo):
                self._combo.setEditText(str(value))


class TupleEditor(Editor):
    """A number field for each item of a tuple of known length."""

    def __init__(self, field: SettingField) -> None:
        super().__init__()
        self._is_optional = field.is_optional
        count = field.length or 0
        self._fields = [NumberField(field.limits, is_whole=field.item == "int") for _ in range(count)]
        for word, part in zip(field.item_words, self._fields, strict=True):
            part.setAccessibleName(f"{field.title}, {word}")
            part.lineEdit().setPlaceholderText(word)
            part.setButtonSymbols(NumberField.ButtonSymbols.NoButtons)
            part.edited.connect(self.changed)
        self._lay_out(list(self._fields))

    def value(self) -> tuple[Any, ...] | None:
        values = tuple(part.value() for part in self._fields)
        return None if self._is_optional and all(value is None for value in values) else values

    def set_value(self, value: Any) -> None:
        for part, item in zip(self._fields, value or [None] * len(self._fields), strict=True):
            part.set_value(item)


class ListEditor(Editor):
    """Items with commas between them, for tuples of any length."""

    def __init__(self, field: SettingField) -> None:
        super().__init__()
        self._field = field
        self._line = QLineEdit()
        self._line.setAccessibleName(field.title)
        self._line.setPlaceholderText(field.none_text)
        self._lay_out([self._line])
        self._line.textEdited.connect(lambda _: self.changed.emit())

    def value(self) -> tuple[Any, ...] | None:
        parts = [part.strip() for part in self._line.text().replace(";", ",").split(",") if part.strip()]
        if not parts and self._field.is_optional:
            return None
        return tuple(_item(part, self._field.item) for part in parts)

    def set_value(self, value: Any) -> None:
        if value != self.value():
            self._line.setText(", ".join(number_text(item) for item in value or ()))


class _CalmSlider(QSlider):
    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


def editor_for(field: SettingField) -> Editor:
    """The control that suits a field."""
    if field.kind == "choice" or (field.kind == "bool" and field.is_optional):
        return ChoiceEditor(field)
    if field.kind == "bool":
        return BoolEditor(field)
    if field.kind == "text" and field.is_folder:
        return FolderEditor(field)
    if field.kind == "text":
        return SuggestingEditor(field) if field.suggestions and not field.is_optional else TextEditor(field)
    if field.kind == "tuple":
        return TupleEditor(field) if field.length and field.item != "text" else ListEditor(field)
    return NumberEditor(field)


def at_fraction(limits: Limits, fraction: float, is_whole: bool) -> int | float:
    """The value at a fraction of the slider, rounded to three digits so that it reads well."""
    assert limits.low is not None and limits.high is not None
    if limits.is_wide:
        value = math.exp(math.log(limits.low) + fraction * math.log(limits.high / limits.low))
        value = float(f"{value:.2g}")
    else:
        value = float(f"{limits.low + fraction * (limits.high - limits.low):.3g}")
    value = min(max(value, limits.low), limits.high)
    return round(value) if is_whole else value


def fraction_of(limits: Limits, value: float) -> float:
    """Where a value stands on the slider, 0 to 1."""
    assert limits.low is not None and limits.high is not None
    if limits.is_wide:
        fraction = math.log(max(value, limits.low) / limits.low) / math.log(limits.high / limits.low)
    else:
        fraction = (value - limits.low) / (limits.high - limits.low)
    return min(max(fraction, 0.0), 1.0)


def _suits_slider(field: SettingField) -> bool:
    low, high = field.limits.low, field.limits.high
    if low is None or high is None or high <= low:
        return False
    if field.has_slider is not None:
        return field.has_slider
    if field.limits.is_wide:
        return True
    # A default at the very end of a linear range tells of values far smaller than the slider's step.
    return (
        field.kind == "float"
        and field.default is not None
        and fraction_of(field.limits, field.default) > 0.02
    )


def _choices_of(field: SettingField) -> list[tuple[Any, str]]:
    choices = list(field.choices) or [(True, "On"), (False, "Off")]
    return [(None, field.none_text), *choices] if field.is_optional else choices


def _item(text: str, kind: str | None) -> Any:
    """A typed item as a number where it is one; else as typed, for the form to complain about."""
    if kind == "text":
        return text
    try:
        return int(text) if kind == "int" else float(text)
    except ValueError:
        return text
