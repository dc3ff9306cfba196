"""The import inspector: what each source was taken for, what is wrong with it, and how to read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QScrollArea,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from render.frame import Axis, Unit
from widgets.import_rows import ImportProblem, ImportRow, ImportTable, with_basic_fields
from widgets.notices import severity_icon, wrapped_label
from widgets.parts import EmptyPlace, column_in, row_of, text_button
from widgets.setting_editors import CalmCombo
from widgets.settings_form import SettingsForm
from widgets.theme import active_theme, secondary_label, title_label

UNIT_NAMES = {
    "unit": "unknown",
    "m": "metres",
    "cm": "centimetres",
    "mm": "millimetres",
    "um": "micrometres",
    "in": "inches",
    "ft": "feet",
}


@dataclass(frozen=True)
class ImportWish:
    """What is to be imported. sources: (row id, kind, options by name). copy: into the project, else by reference."""

    sources: tuple[tuple[str, str, Mapping[str, Any]], ...]
    copy: bool
    up: str
    unit: str


class ImportDialog(QDialog):
    """The dialog [dlg_import], not modal. The app reads, and answers each wish with new rows."""

    kind_changed = Signal(str, str)  # row id, kind
    options_changed = Signal(str, dict)  # row id, every option by name
    row_selected = Signal(str)  # row id: its preview is wanted
    show_wished = Signal(str, int)  # row id, index of the problem
    fix_wished = Signal(str, int)
    files_dropped = Signal(list)  # [Path]
    frame_changed = Signal(str, str)  # up axis, unit
    import_wished = Signal(object)  # ImportWish

    def __init__(self, preview: QWidget | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dlg_import")
        self.setWindowTitle("Import")
        self.setModal(False)
        self.setAcceptDrops(True)
        px = active_theme().px
        self.resize(px(1040), px(680))
        self._forms: dict[str, SettingsForm] = {}
        self._sources = ImportTable()
        self._problems = QVBoxLayout()
        self._problems.setSpacing(px(6))
        self._copy_all = text_button("Copy details", "copy")
        self._copy_all.setProperty("quiet", True)
        self._copy_all.clicked.connect(self.copy_details)
        self._import = text_button("Import", "import", is_primary=True)
        self._import.setObjectName("import_accept")
        self._import.clicked.connect(self._accept)
        self._reason = secondary_label("")
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(16), px(16), px(16))
        column.setSpacing(px(12))
        column.addWidget(self._body(preview), 1)
        column.addWidget(_rule())
        column.addLayout(self._frame_row())
        column.addLayout(self._button_row())
        self._sources.kind_changed.connect(self.kind_changed)
        self._sources.use_changed.connect(self._set_use)
        self._sources.row_selected.connect(self._on_selected)
        self._refresh()

    def rows(self) -> tuple[ImportRow, ...]:
        """The sources as they are shown, with the user's choice in `use`."""
        return self._sources.rows()

    def selected_id(self) -> str:
        """The row that is selected; "" for none."""
        return self._sources.selected_id()

    def set_rows(self, rows: Sequence[ImportRow]) -> None:
        """Show these sources."""
        self._sources.set_rows(rows)
        for row_id in set(self._forms) - {row.id for row in rows}:
            self._forms.pop(row_id).deleteLater()
        self._refresh()

    def set_options(
        self,
        row_id: str,
        model_type: type[BaseModel],
        values: Mapping[str, Any] | None = None,
        basic: Sequence[str] = (),
    ) -> None:
        """Give a source a form for how it is read; `options_changed` tells of valid changes.

        basic: names of the fields to show at once; the others fold away under "All parameters".
        """
        last = self._forms.pop(row_id, None)
        if last is not None:
            last.deleteLater()
        form = SettingsForm(with_basic_fields(model_type, basic), values)
        form.values_changed.connect(lambda values: self._on_options(row_id, values))
        self._forms[row_id] = form
        self._options_stack.addWidget(form)
        self._refresh()

    def set_frame(self, up: str, unit: str, guess: str = "") -> None:
        """Show which way is up and the unit. guess: where that comes from, for example "as the file says"."""
        self._up.setCurrentIndex(self._up.findData(up))
        self._unit.setCurrentIndex(self._unit.findData(unit))
        self._frame_hint.setText(guess)

    def set_copy(self, is_copied: bool, copy_text: str = "", reference_text: str = "") -> None:
        """Choose between a copy in the project and a reference, and say how large each is."""
        self._copy.setText(copy_text or "Copy into project")
        self._reference.setText(reference_text or "Leave in place")
        (self._copy if is_copied else self._reference).setChecked(True)

    def wish(self) -> ImportWish:
        """What Import would ask for now."""
        sources = tuple(
            (row.id, row.kind, self._forms[row.id].values() if row.id in self._forms else {})
            for row in self.rows()
            if row.use and row.can_use
        )
        return ImportWish(sources, self._copy.isChecked(), self._up.currentData(), self._unit.currentData())

    def copy_details(self) -> None:
        """Put every source with its problems on the clipboard."""
        lines = []
        for row in self.rows():
            lines.append(f"{row.path or row.source}: {row.kind}, {row.count}")
            lines += [f"  {p.severity}: {p.text} {p.advice}".rstrip() for p in row.problems]
        QGuiApplication.clipboard().setText("\n".join(lines))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        self.files_dropped.emit(paths)

    def _body(self, preview: QWidget | None) -> QWidget:
        px = active_theme().px
        left = QWidget()
        column = column_in(left, spacing=12)
        column.addWidget(self._sources, 2)
        column.addWidget(self._details(), 3)
        right = QWidget()
        side = column_in(right, spacing=8)
        side.addWidget(title_label("Preview"))
        side.addWidget(preview or EmptyPlace("eye", "A preview of the selected source stands here."), 1)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setProperty("gap", True)
        split.setHandleWidth(px(16))
        split.setChildrenCollapsible(False)
        split.addWidget(left)
        split.addWidget(right)
        split.setSizes([px(620), px(380)])
        return split

    def _details(self) -> QWidget:
        inside = QWidget()
        inside.setProperty("transparent", True)
        column = column_in(inside, spacing=12)
        column.setContentsMargins(0, 0, active_theme().px(8), 0)
        column.addLayout(self._problems)
        self._options_title = title_label("How to read it")
        column.addWidget(self._options_title)
        holder = QWidget()
        self._options_stack = QStackedLayout(holder)
        self._options_stack.addWidget(QWidget())
        column.addWidget(holder)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return scroll

    def _frame_row(self) -> QHBoxLayout:
        self._copy, self._reference = QRadioButton("Copy into project"), QRadioButton("Leave in place")
        self._copy.setChecked(True)
        self._up, self._unit = CalmCombo(), CalmCombo()
        self._up.setObjectName("import_up")
        self._unit.setObjectName("import_unit")
        for axis in get_args(Axis):
            self._up.addItem(axis, axis)
        for unit in get_args(Unit):
            self._unit.addItem(UNIT_NAMES[unit], unit)
        for combo in (self._up, self._unit):
            combo.setSizeAdjustPolicy(CalmCombo.SizeAdjustPolicy.AdjustToContents)
            combo.activated.connect(
                lambda _: self.frame_changed.emit(self._up.currentData(), self._unit.currentData())
            )
        self._frame_hint = secondary_label("")
        up_label, unit_label = QLabel("Up"), QLabel("One unit is")
        up_label.setBuddy(self._up)
        unit_label.setBuddy(self._unit)
        self._up.setAccessibleName("Axis that points up")
        self._unit.setAccessibleName("Unit of length")
        return row_of(
            self._copy, self._reference, 1, self._frame_hint, up_label, self._up, unit_label, self._unit
        )

    def _button_row(self) -> QHBoxLayout:
        cancel = text_button("Cancel")
        cancel.clicked.connect(self.reject)
        return row_of(self._copy_all, 1, self._reason, cancel, self._import)

    def _on_selected(self, row_id: str) -> None:
        self._refresh()
        self.row_selected.emit(row_id)

    def _on_options(self, row_id: str, values: Mapping[str, Any]) -> None:
        self._refresh_import()
        if not self._forms[row_id].problem():
            self.options_changed.emit(row_id, dict(values))

    def _set_use(self, row_id: str, use: bool) -> None:
        self.set_rows([replace(row, use=use) if row.id == row_id else row for row in self.rows()])

    def _refresh(self) -> None:
        row = next((row for row in self.rows() if row.id == self._sources.selected_id()), None)
        self._show_problems(row)
        form = self._forms.get(row.id) if row is not None else None
        self._options_title.setVisible(form is not None)
        if form is not None:
            self._options_stack.setCurrentWidget(form)
        else:
            self._options_stack.setCurrentIndex(0)
        self._refresh_import()

    def _refresh_import(self) -> None:
        used = [row for row in self.rows() if row.use and row.can_use]
        reason = ""
        if any(row.is_reading for row in self.rows()):
            reason = "Reading…"
        elif not self.rows():
            reason = "Drop files here"
        elif not used:
            reason = "No source is in use"
        else:
            wrong = [self._forms[row.id].problem() for row in used if row.id in self._forms]
            reason = next((problem for problem in wrong if problem), "")
        self._reason.setText(reason)
        self._import.setEnabled(not reason)
        self._import.setToolTip(reason)

    def _show_problems(self, row: ImportRow | None) -> None:
        while (item := self._problems.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        if row is not None:
            for index, problem in enumerate(row.problems):
                self._problems.addWidget(self._problem(row.id, index, problem))

    def _problem(self, row_id: str, index: int, problem: ImportProblem) -> QWidget:
        times = f" ({problem.count} times)" if problem.count > 1 else ""
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(active_theme().px(8))
        layout.addWidget(severity_icon(problem.severity))
        layout.addWidget(wrapped_label(f"{problem.text} {problem.advice}".rstrip() + times), 1)
        for text, is_wanted, signal in (
            ("Show", problem.can_show, self.show_wished),
            (problem.fix, bool(problem.fix), self.fix_wished),
        ):
            if is_wanted:
                button = text_button(text)
                button.clicked.connect(lambda _=False, signal=signal: signal.emit(row_id, index))
                layout.addWidget(button)
        return row

    def _accept(self) -> None:
        self.import_wished.emit(self.wish())


def _rule() -> QFrame:
    rule = QFrame()
    rule.setProperty("rule", True)
    return rule
