"""One row of a settings form, and a group of rows that folds away."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from widgets.parts import FoldButton, StateLabel, icon_button, row_of, with_property, with_role
from widgets.setting_editors import editor_for
from widgets.setting_fields import SettingField


class SettingRow:
    """Label, control, unit and reset arrow of one setting, and the line that says what is wrong with it."""

    def __init__(self, field: SettingField) -> None:
        self.field = field
        self.is_changed = False
        self.label = QLabel(field.title)
        self.label.setWordWrap(True)
        self.editor = editor_for(field)
        self.editor.setObjectName(f"setting_{field.name}")
        self.label.setBuddy(self.editor)
        self.unit = QLabel(field.unit)
        with_role(self.unit, "secondary")
        self._control = row_of(self.editor, self.unit)
        self._control.setStretch(0, 1)
        self.reset = icon_button("rotate-ccw", f"Reset {field.title}")
        self.problem = StateLabel()
        self.problem.setObjectName(f"problem_{field.name}")
        for widget in (self.label, self.editor, self.unit):
            widget.setToolTip(field.tooltip())

    def put(self, grid: QGridLayout, row: int) -> None:
        """Place the parts in two rows of the grid."""
        grid.addWidget(self.label, row, 0)
        grid.addLayout(self._control, row, 1)
        grid.addWidget(self.reset, row, 2)
        grid.addWidget(self.problem, row + 1, 1, 1, 2)

    def show(self, is_visible: bool) -> None:
        self.label.setVisible(is_visible)
        self.editor.setVisible(is_visible)
        self.unit.setVisible(is_visible and bool(self.field.unit))
        self.reset.setVisible(is_visible and self.is_changed)
        self.problem.setVisible(is_visible and bool(self.problem.text()))

    def say(self, problem: str) -> None:
        self.problem.say(f"Error: {problem}" if problem else "", "error", "circle-alert")
        self.problem.setVisible(bool(problem) and not self.editor.isHidden())
        self.editor.setAccessibleDescription(problem)
        for part in self.editor.findChildren(QWidget):
            with_property(part, "invalid", bool(problem))

    def compare(self, base: Any, base_name: str) -> None:
        """Offer the arrow where the value differs from that of the preset."""
        self.is_changed = self.editor.value() != base
        self.reset.setToolTip(f"Back to {self.field.shown(base)} ({base_name})")
        self.reset.setVisible(self.is_changed and not self.editor.isHidden())

    def matches(self, words: str) -> bool:
        text = f"{self.field.title} {self.field.name} {self.field.description} {self.field.group}".lower()
        return all(word in text for word in words.lower().split())


class Group:
    """A heading that folds its rows away."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.is_open = False
        self.rows: list[SettingRow] = []
        self.heading = FoldButton(title)
        self.heading.setObjectName(f"group_{title.lower().replace(' ', '_')}")
