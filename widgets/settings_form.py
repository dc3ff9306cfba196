"""A form made from a settings model: presets, basic rows, and all parameters in groups with a search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from PySide6.QtCore import QEvent, QSignalBlocker, Signal
from PySide6.QtWidgets import QLabel, QSizePolicy, QSpacerItem, QVBoxLayout, QWidget

from widgets.parts import FoldButton, StateLabel, form_grid, search_field, size_form_grid, with_role
from widgets.setting_editors import CalmCombo
from widgets.setting_fields import fields_of, problems
from widgets.setting_row import Group, SettingRow

CUSTOM = "Custom"
DEFAULTS = "Defaults"


class SettingsForm(QWidget):
    """Rows for every field of a settings model (frozen pydantic), with presets.

    values_changed: every value by name, after each change by the user, valid or not.
    validity_changed: "" when the values are valid, else the first sentence of what is wrong.
    """

    values_changed = Signal(dict)
    validity_changed = Signal(str)

    def __init__(
        self,
        model_type: type[BaseModel],
        values: Mapping[str, Any] | None = None,
        presets: Mapping[str, Mapping[str, Any]] | None = None,
        default_preset: str | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("settings_form")
        self._model_type = model_type
        self._fields = fields_of(model_type)
        self._presets = self._complete(presets or {})
        self._base = default_preset if default_preset in self._presets else next(iter(self._presets))
        self._problem = ""
        self._is_all_shown = False
        self._rows = {field.name: SettingRow(field) for field in self._fields}
        self._groups = self._make_groups()
        self._build()
        self._fill({**self._presets[self._base], **(values or {})})
        self._refresh()
        self._filter()

    def values(self) -> dict[str, Any]:
        """Every value by name as the controls hold it; a text where someone typed no number."""
        return {name: row.editor.value() for name, row in self._rows.items()}

    def model(self) -> BaseModel | None:
        """The values as the model, or None while something is wrong."""
        return None if problems(self._model_type, self.values()) else self._model_type(**self.values())

    def problem(self) -> str:
        """What is wrong, as one sentence; empty when the values are valid."""
        return self._problem

    def preset(self) -> str:
        """The preset whose values are shown, or "Custom"."""
        return self._matching_preset() or CUSTOM

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show values (missing ones keep the preset's) without saying that the user changed them."""
        self._fill({**self._presets[self._base], **values})
        self._base = self._matching_preset() or self._base
        self._refresh()

    def set_preset(self, name: str) -> None:
        """Choose a preset as the user would. Raises KeyError for an unknown one."""
        self._fill(self._presets[name])
        self._base = name
        self._refresh()
        self.values_changed.emit(self.values())

    def show_all(self, is_shown: bool = True) -> None:
        """Open or close "All parameters"."""
        self._is_all_shown = is_shown
        if not is_shown and self._groups:
            with QSignalBlocker(self._search):
                self._search.clear()
        self._filter()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "_grid"):
            size_form_grid(self._grid)

    def _complete(self, presets: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        defaults = {field.name: field.default for field in self._fields}
        return {name: {**defaults, **changes} for name, changes in (presets or {DEFAULTS: {}}).items()}

    def _make_groups(self) -> list[Group]:
        groups: dict[str, Group] = {}
        for row in self._rows.values():
            if not row.field.is_basic:
                groups.setdefault(row.field.group, Group(row.field.group)).rows.append(row)
        found = list(groups.values())
        if found:
            found[0].is_open = True
        return found

    def _build(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self._grid = form_grid()
        # Keeps the form as wide as its place, also while every row with a control is folded away.
        self._grid.addItem(QSpacerItem(0, 0, QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed), 1, 1)
        outer.addLayout(self._grid)
        outer.addStretch(1)
        self._build_presets()
        for row in self._rows.values():
            self._wire(row)
            if row.field.is_basic:
                row.put(self._grid, self._next_row())
        if self._groups:
            self._build_all()
        self._build_general_problem()

    def _build_presets(self) -> None:
        self._preset_combo = CalmCombo()
        self._preset_combo.setObjectName("preset_combo")
        self._preset_combo.setAccessibleName("Preset")
        self._preset_combo.addItems(list(self._presets))
        self._preset_combo.activated.connect(self._on_preset)
        label = QLabel("Preset")
        label.setBuddy(self._preset_combo)
        label.setToolTip("A set of values that go together, from quick to best")
        self._grid.addWidget(label, 0, 0)
        self._grid.addWidget(self._preset_combo, 0, 1)
        self._grid.setRowMinimumHeight(1, 4)
        if len(self._presets) < 2:
            label.hide()
            self._preset_combo.hide()

    def _build_all(self) -> None:
        count = sum(len(group.rows) for group in self._groups)
        self._all_button = FoldButton("All parameters", f"{count} more")
        self._all_button.setObjectName("all_parameters")
        self._all_button.clicked.connect(lambda: self.show_all(not self._is_all_shown))
        self._search = search_field("Search parameters")
        self._search.setObjectName("settings_search")
        self._search.textChanged.connect(self._filter)
        self._nothing = QLabel("No parameter has these words.")
        with_role(self._nothing, "secondary")
        for widget in (self._all_button, self._search, self._nothing):
            self._grid.addWidget(widget, self._next_row(), 0, 1, 3)
        for group in self._groups:
            self._grid.addWidget(group.heading, self._next_row(), 0, 1, 3)
            group.heading.clicked.connect(lambda _=False, group=group: self._on_fold(group))
            for row in group.rows:
                row.put(self._grid, self._next_row())

    def _build_general_problem(self) -> None:
        self._general = StateLabel()
        self._general.setObjectName("problem_general")
        self._grid.addWidget(self._general, self._next_row(), 0, 1, 3)

    def _next_row(self) -> int:
        # Each setting takes two rows of the grid, the second for its problem.
        return self._grid.rowCount() + 1

    def _wire(self, row: SettingRow) -> None:
        row.editor.changed.connect(self._on_changed)
        row.reset.clicked.connect(lambda: self._on_reset(row))

    def _on_changed(self) -> None:
        self._refresh()
        self.values_changed.emit(self.values())

    def _on_reset(self, row: SettingRow) -> None:
        row.editor.set_value(self._presets[self._base][row.field.name])
        row.editor.setFocus()
        self._on_changed()

    def _on_preset(self, index: int) -> None:
        name = self._preset_combo.itemText(index)
        if name in self._presets:
            self.set_preset(name)

    def _on_fold(self, group: Group) -> None:
        group.is_open = not group.is_open
        self._filter()

    def _fill(self, values: Mapping[str, Any]) -> None:
        for name, row in self._rows.items():
            row.editor.set_value(values[name])

    def _matching_preset(self) -> str | None:
        """The preset with just these values; the one last chosen first where two are equal."""
        values = self.values()
        names = [self._base, *self._presets]
        return next((name for name in names if self._presets[name] == values), None)

    def _refresh(self) -> None:
        """Show what the values mean: the preset's name, the arrows and the problems."""
        self._refresh_preset()
        wrong = problems(self._model_type, self.values())
        for name, row in self._rows.items():
            row.compare(self._presets[self._base][name], self._base)
            row.say(wrong.get(name, ""))
        general = [text for name, text in wrong.items() if name not in self._rows]
        self._general.say(f"Error: {general[0]}" if general else "", "error", "circle-alert")
        self._general.setVisible(bool(general))
        self._announce(wrong)

    def _refresh_preset(self) -> None:
        name = self._matching_preset()
        with QSignalBlocker(self._preset_combo):
            last = self._preset_combo.findText(CUSTOM)
            if name is None and last < 0:
                self._preset_combo.addItem(CUSTOM)
            elif name is not None and last >= 0:
                self._preset_combo.removeItem(last)
            self._preset_combo.setCurrentText(name or CUSTOM)

    def _announce(self, wrong: Mapping[str, str]) -> None:
        sentence = ""
        if wrong:
            name, text = next(iter(wrong.items()))
            sentence = (
                f"{self._rows[name].field.title}: {text[:1].lower()}{text[1:]}"
                if name in self._rows
                else text
            )
        if sentence != self._problem:
            self._problem = sentence
            self.validity_changed.emit(sentence)

    def _filter(self) -> None:
        """Show the rows that the search, "All parameters" and the open groups leave."""
        if not self._groups:
            return
        words = self._search.text().strip()
        self._all_button.set_open(self._is_all_shown)
        self._search.setVisible(self._is_all_shown)
        found = 0
        for row in self._basic_rows():
            is_match = not words or row.matches(words)
            found += is_match
            row.show(is_match)
        for group in self._groups:
            found += self._filter_group(group, words)
        self._nothing.setVisible(self._is_all_shown and found == 0)

    def _filter_group(self, group: Group, words: str) -> int:
        matches = [row for row in group.rows if not words or row.matches(words)]
        is_open = bool(words) or group.is_open
        group.heading.set_open(is_open)
        group.heading.setVisible(self._is_all_shown and bool(matches))
        for row in group.rows:
            row.show(self._is_all_shown and is_open and row in matches)
        return len(matches)

    def _basic_rows(self) -> Iterator[SettingRow]:
        return (row for row in self._rows.values() if row.field.is_basic)
