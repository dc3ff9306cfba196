"""How well a solid agrees with each input plane: the worst first, a click goes there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStackedWidget, QTreeView, QWidget

from widgets.icons import icon
from widgets.parts import EmptyPlace, StateLabel, column_in
from widgets.theme import active_theme

Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("Plane", "Accuracy", "IoU", "Note")
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True)
class AgreementRow:
    """One plane. accuracy: share of the plane classified as drawn. iou: of the regions, 0 to 1.

    note: why it cannot agree, for example that another plane contradicts it; empty where nothing is known.
    agrees: the verdict of whoever measured; None leaves it to the list's target.
    """

    plane: int
    accuracy: float
    iou: float
    note: str = ""
    agrees: bool | None = None


class AgreementList(QWidget):
    """The planes with their figures. plane_requested: index of the plane that was chosen."""

    plane_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("agreement_list")
        self._model = _AgreementModel(self)
        self._summary = StateLabel()
        self._summary.setObjectName("agreement_summary")
        margin = active_theme().px(12)
        self._summary.setContentsMargins(margin, active_theme().px(8), margin, active_theme().px(8))
        self._table = self._build_table()
        self._pages = QStackedWidget()
        self._pages.addWidget(
            EmptyPlace(
                "list-checks",
                "No result yet. After a run, each plane shows how well the solid agrees with it.",
            )
        )
        self._pages.addWidget(self._table)
        column = column_in(self, spacing=0)
        column.addWidget(self._summary)
        column.addWidget(self._pages, 1)
        self._note = StateLabel()
        self._note.setObjectName("agreement_note")
        self._note.setContentsMargins(margin, active_theme().px(8), margin, active_theme().px(8))
        column.addWidget(self._note)
        self.set_rows(())

    def set_rows(self, rows: Sequence[AgreementRow], target: float = 0.999) -> None:
        """Show these planes, worst first. target: the accuracy from which a plane counts as agreeing."""
        order = sorted(rows, key=lambda row: (agrees(row, target), row.accuracy, row.iou, row.plane))
        self._model.set_rows(order, target)
        self._pages.setCurrentIndex(1 if rows else 0)
        self._summary.setVisible(bool(rows))
        is_good = bool(rows) and all(agrees(row, target) for row in rows)
        color, picture = ("ok", "circle-check") if is_good else ("warn", "triangle-alert")
        self._show_note(None)
        self._summary.say(summary_words(rows, target), color, picture)

    def select_plane(self, plane: int) -> None:
        """Mark a plane that was chosen elsewhere, without asking for it again."""
        for place, row in enumerate(self._model.rows):
            if row.plane == plane:
                selection = self._table.selectionModel()
                was_blocked = selection.blockSignals(True)
                self._table.setCurrentIndex(self._model.index(place, 0))
                selection.blockSignals(was_blocked)
                self._show_note(row)
                self._table.viewport().update()

    def summary(self) -> str:
        """The headline."""
        return self._summary.text()

    def _build_table(self) -> QTreeView:
        table = QTreeView()
        table.setObjectName("agreement_table")
        table.setAccessibleName("Agreement by plane")
        table.setModel(self._model)
        table.setRootIsDecorated(False)
        table.setUniformRowHeights(True)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = table.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        for column, width in enumerate((72, 80, 60)):
            header.resizeSection(column, active_theme().px(width))
        table.selectionModel().currentChanged.connect(self._on_current)
        return table

    def _on_current(self, index: QModelIndex) -> None:
        if index.isValid():
            self._show_note(self._model.rows[index.row()])
            self.plane_requested.emit(self._model.rows[index.row()].plane)

    def _show_note(self, row: AgreementRow | None) -> None:
        """The whole of a note, which a narrow column cuts off."""
        note = row.note if row is not None else ""
        is_good = row is not None and self._model.agrees(row)
        look = ("text_second", "info") if is_good else ("warn", "triangle-alert")
        self._note.say(f"Plane {row.plane + 1}: {note}" if row is not None else "", *look)
        self._note.setVisible(bool(note))


class _AgreementModel(QAbstractTableModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: list[AgreementRow] = []
        self._target = 0.999

    def set_rows(self, rows: list[AgreementRow], target: float) -> None:
        self.beginResetModel()
        self.rows, self._target = rows, target
        self.endResetModel()

    def agrees(self, row: AgreementRow) -> bool:
        return agrees(row, self._target)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if section in (1, 2) else _LEFT
        return None

    def data(self, index: Index, role: int = 0) -> Any:
        row, column = self.rows[index.row()], index.column()
        is_good = self.agrees(row)
        if role == Qt.ItemDataRole.DisplayRole:
            return (str(row.plane + 1), percent(row.accuracy), f"{row.iou:.3f}", self._note(row))[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._note(row) or "Agrees"
        if role == Qt.ItemDataRole.DecorationRole and column == 0:
            return icon("circle-check", color="ok") if is_good else icon("triangle-alert", color="warn")
        if role == Qt.ItemDataRole.ForegroundRole:
            return active_theme().color("text" if column < 3 else "text_second" if is_good else "warn")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column in (1, 2) else _LEFT
        return None

    def _note(self, row: AgreementRow) -> str:
        if row.note:
            return row.note
        return "Agrees" if self.agrees(row) else "Differs"


def agrees(row: AgreementRow, target: float) -> bool:
    """Whether a plane counts as agreeing."""
    return row.accuracy >= target if row.agrees is None else row.agrees


def summary_words(rows: Sequence[AgreementRow], target: float) -> str:
    """ "25 of 25 planes agree to 99.9 % or more." """
    if not rows:
        return ""
    good = sum(agrees(row, target) for row in rows)
    bar = f" ≥ {100 * target:g} %" if all(row.agrees is None for row in rows) else " with the solid"
    verb = "agrees" if len(rows) == 1 else "agree"
    return f"{good} of {len(rows)} plane{'' if len(rows) == 1 else 's'} {verb}{bar}"


def percent(share: float) -> str:
    """Per cent, never rounded up to 100."""
    return "100 %" if share >= 1 else f"{min(100 * share, 99.999):.3f} %"
