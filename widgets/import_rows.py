"""What the import inspector is told about each source, and the table that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, create_model
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from widgets.icons import icon
from widgets.notices import SEVERITY_ICONS
from widgets.setting_editors import CalmCombo
from widgets.theme import active_theme

Severity = Literal["info", "warning", "error"]
SOURCE, KIND, COUNT, PROBLEMS, USE = range(5)


@dataclass(frozen=True)
class ImportProblem:
    """One finding about a source. fix: text of the button that mends it, or "". can_show: whether to offer Show."""

    severity: Severity
    text: str
    advice: str = ""
    count: int = 1
    can_show: bool = False
    fix: str = ""


@dataclass(frozen=True)
class ImportRow:
    """One source. kinds: (value, text) that it may be taken for. count: in words, "15 planes, 32 contours".

    is_reading: its answer is still to come. A row with an error cannot be used.
    """

    id: str
    source: str
    path: str = ""
    kind: str = ""
    kinds: tuple[tuple[str, str], ...] = ()
    count: str = ""
    size: str = ""
    problems: tuple[ImportProblem, ...] = ()
    use: bool = True
    is_reading: bool = False

    @property
    def can_use(self) -> bool:
        return not self.is_reading and all(problem.severity != "error" for problem in self.problems)

    @property
    def worst(self) -> Severity | None:
        """The gravest severity among the problems."""
        found = {problem.severity for problem in self.problems}
        order: tuple[Severity, ...] = ("error", "warning", "info")
        return next((severity for severity in order if severity in found), None)


class ImportTable(QTableWidget):
    """Source, recognised as, count, problems, use [import_table]."""

    kind_changed = Signal(str, str)
    use_changed = Signal(str, bool)
    row_selected = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 5, parent)
        self.setObjectName("import_table")
        self.setAccessibleName("Sources")
        self.setProperty("framed", True)
        self.setHorizontalHeaderLabels(["Source", "Recognised as", "Count", "Problems", "Use"])
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(active_theme().px(36))
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        for column in (KIND, COUNT, PROBLEMS, USE):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(SOURCE, QHeaderView.ResizeMode.Stretch)
        self._rows: tuple[ImportRow, ...] = ()
        self.itemSelectionChanged.connect(lambda: self.row_selected.emit(self.selected_id()))
        self.itemChanged.connect(self._on_checked)

    def rows(self) -> tuple[ImportRow, ...]:
        return self._rows

    def set_rows(self, rows: Sequence[ImportRow]) -> None:
        """Show these sources; the selection stays where it can, else the first is selected."""
        selected = self.selected_id()
        self._rows = tuple(rows)
        with QSignalBlocker(self):
            self.setRowCount(len(rows))
            for index, row in enumerate(self._rows):
                self._fill(index, row)
            ids = [row.id for row in self._rows]
            if ids:
                self.selectRow(ids.index(selected) if selected in ids else 0)
        if self.selected_id() != selected:
            self.row_selected.emit(self.selected_id())

    def selected_id(self) -> str:
        """Id of the selected source, or ""."""
        chosen = self.selectionModel().selectedRows()
        return self._rows[chosen[0].row()].id if chosen and chosen[0].row() < len(self._rows) else ""

    def _fill(self, index: int, row: ImportRow) -> None:
        source = QTableWidgetItem(row.source)
        source.setToolTip(row.path)
        self.setItem(index, SOURCE, source)
        self.setItem(index, COUNT, QTableWidgetItem("Reading…" if row.is_reading else row.count))
        self.setItem(index, PROBLEMS, _problem_item(row))
        use = QTableWidgetItem()
        use.setFlags(Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable)
        if row.can_use:
            use.setFlags(use.flags() | Qt.ItemFlag.ItemIsEnabled)
        use.setCheckState(Qt.CheckState.Checked if row.use and row.can_use else Qt.CheckState.Unchecked)
        use.setToolTip("Import this source" if row.can_use else "It cannot be imported as it is")
        self.setItem(index, USE, use)
        self._fill_kind(index, row)

    def _fill_kind(self, index: int, row: ImportRow) -> None:
        combo = self.cellWidget(index, KIND)
        if isinstance(combo, CalmCombo) and combo.property("kinds") == list(row.kinds):
            combo.setCurrentIndex(combo.findData(row.kind))
            return
        if not row.kinds:
            self.removeCellWidget(index, KIND)
            return
        combo = CalmCombo()
        combo.setProperty("kinds", list(row.kinds))
        combo.setProperty("in_cell", True)
        combo.setAccessibleName(f"{row.source} recognised as")
        combo.setSizeAdjustPolicy(CalmCombo.SizeAdjustPolicy.AdjustToContents)
        longest = max(self.fontMetrics().horizontalAdvance(text) for _, text in row.kinds)
        combo.setMinimumWidth(longest + active_theme().px(44))
        for value, text in row.kinds:
            combo.addItem(text, value)
        combo.setCurrentIndex(combo.findData(row.kind))
        combo.activated.connect(lambda _: self.kind_changed.emit(self._rows[index].id, combo.currentData()))
        self.setCellWidget(index, KIND, combo)

    def _on_checked(self, item: QTableWidgetItem) -> None:
        if item.column() == USE:
            row = self._rows[item.row()]
            self.use_changed.emit(row.id, item.checkState() == Qt.CheckState.Checked)


def _problem_item(row: ImportRow) -> QTableWidgetItem:
    if row.is_reading:
        return QTableWidgetItem("")
    if row.worst is None:
        item = QTableWidgetItem("None")
        item.setIcon(icon("circle-check", 16, "ok"))
        return item
    errors = sum(problem.count for problem in row.problems if problem.severity == row.worst)
    word = {"error": "error", "warning": "warning", "info": "note"}[row.worst]
    item = QTableWidgetItem(f"{errors} {word}{'s' if errors != 1 else ''}")
    item.setIcon(icon(SEVERITY_ICONS[row.worst][0], 16, SEVERITY_ICONS[row.worst][1]))
    item.setToolTip("\n".join(problem.text for problem in row.problems))
    return item


def with_basic_fields(model_type: type[BaseModel], names: Sequence[str]) -> type[BaseModel]:
    """The same model with the fields `names` marked to be shown at once."""
    fields: dict[str, Any] = {}
    for name in names:
        field = copy(model_type.model_fields[name])
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        field.json_schema_extra = {**extra, "basic": True}
        fields[name] = (field.rebuild_annotation(), field)
    return create_model(model_type.__name__, __base__=model_type, **fields) if fields else model_type
