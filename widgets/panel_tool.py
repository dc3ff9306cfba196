"""A tool of a panel that folds: what it does, its values, a preview, Apply and Cancel."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QSizePolicy, QWidget

from widgets.number_field import NumberField
from widgets.parts import FoldButton, column_in, row_of, text_button
from widgets.setting_editors import Editor, editor_for
from widgets.setting_fields import SettingField
from widgets.theme import active_theme, secondary_label


class PanelTool(QObject):
    """The heading of a tool and what unfolds below it."""

    changed = Signal()
    applied = Signal()
    cancelled = Signal()
    before_wished = Signal(bool)

    def __init__(
        self, parent: QObject, name: str, title: str, about: str, fields: tuple[SettingField, ...]
    ) -> None:
        super().__init__(parent)
        self.heading = FoldButton(title)
        self.heading.setObjectName(f"tool_{name}")
        self.body = QWidget()
        self._fields = fields
        self._editors: dict[str, Editor] = {}
        column = column_in(self.body, spacing=8)
        column.setContentsMargins(active_theme().px(20), 0, 0, active_theme().px(12))
        words = secondary_label(about)
        words.setWordWrap(True)
        column.addWidget(words)
        if fields:
            column.addLayout(self._rows(fields))
        self._note = secondary_label("")
        self._note.setObjectName(f"note_{name}")
        self._note.setWordWrap(True)
        column.addWidget(self._note)
        self._apply = _button("Apply", f"apply_{name}", is_primary=True)
        self._apply.clicked.connect(self.applied)
        cancel = _button("Cancel", f"cancel_{name}")
        cancel.clicked.connect(self.cancelled)
        self._before = _button("Before", f"before_{name}", "eye")
        self._before.setProperty("quiet", "true")
        self._before.setToolTip("Hold to see it as it was")
        self._before.pressed.connect(lambda: self.before_wished.emit(True))
        self._before.released.connect(lambda: self.before_wished.emit(False))
        column.addLayout(row_of(self._before, 1, cancel, self._apply))
        self.set_open(False)

    def values(self) -> dict[str, Any]:
        return {name: editor.value() for name, editor in self._editors.items()}

    def set_value(self, name: str, value: Any) -> None:
        self._editors[name].set_value(value)

    def is_valid(self) -> bool:
        """Whether every value is a number within its limits, or empty where that is allowed."""
        return all(_is_valid(field, self._editors[field.name].value()) for field in self._fields)

    def set_open(self, is_open: bool) -> None:
        self.heading.set_open(is_open)
        self.body.setVisible(is_open)

    def say(self, note: str, *, has_preview: bool = False) -> None:
        """Say what the tool would do. has_preview: whether the picture shows it."""
        self._before.setEnabled(has_preview)
        is_valid = self.is_valid()
        self._note.setText(note if is_valid else f"Type a number, {self._fields[0].limits.words()}.")
        self._note.setVisible(bool(self._note.text()))
        self._apply.setEnabled(is_valid)

    def _rows(self, fields: tuple[SettingField, ...]) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(active_theme().px(8))
        grid.setColumnStretch(1, 1)
        for place, field in enumerate(fields):
            editor = self._editors[field.name] = editor_for(field)
            editor.setObjectName(f"parameter_{field.name}")
            editor.set_value(field.default)
            editor.changed.connect(self.changed)
            for number in editor.findChildren(NumberField) if field.kind == "tuple" else ():
                number.setButtonSymbols(NumberField.ButtonSymbols.NoButtons)
                number.setMinimumWidth(active_theme().px(48))
                number.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            label = QLabel(field.title)
            label.setBuddy(editor)
            for widget in (label, editor):
                widget.setToolTip(field.tooltip())
            grid.addWidget(label, place, 0)
            grid.addWidget(editor, place, 1)
            if field.unit:
                grid.addWidget(secondary_label(field.unit), place, 2)
        return grid


def _button(text: str, name: str, icon_name: str = "", *, is_primary: bool = False) -> QPushButton:
    button = text_button(text, icon_name, is_primary=is_primary)
    button.setObjectName(name)
    return button


def _is_valid(field: SettingField, value: Any) -> bool:
    if value is None:
        return field.is_optional
    if field.kind in ("bool", "choice", "text"):
        return True
    if field.kind == "tuple":
        return len(value) == field.length and all(isinstance(each, int | float) for each in value)
    if not isinstance(value, int | float) or (field.kind == "int" and value != int(value)):
        return False
    low, high = field.limits.low, field.limits.high
    return (low is None or value >= low) and (high is None or value <= high)
