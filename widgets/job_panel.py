"""The table of jobs: what runs, what waits, what has been, and what may be done with each."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QItemSelection,
    QModelIndex,
    QPoint,
    Signal,
)
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QMenu,
    QStackedWidget,
    QToolButton,
    QWidget,
)

from widgets.icons import icon
from widgets.job_rows import JobRow, verb_look
from widgets.job_table import ACTIONS, PROGRESS, JobModel, JobTable, ProgressDelegate
from widgets.parts import EmptyPlace, icon_button, row_of, text_button
from widgets.theme import active_theme

_COMPACT = 820  # below this width columns shrink and buttons lose their words
_PRIMARY_WIDTH, _COMPACT_PRIMARY_WIDTH = 112, 30


class JobPanel(QStackedWidget):
    """Queue and history. wish: (job id, verb); verb "start" with no id asks for a first run.

    selection_changed: the ids of the selected jobs, for plots and logs.
    """

    wish = Signal(str, str)
    selection_changed = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = JobModel(self)
        self.table = JobTable()
        self.table.setModel(self._model)
        self.table.setItemDelegateForColumn(PROGRESS, ProgressDelegate(self.table))
        self.table.activated.connect(self._on_activated)
        self.table.customContextMenuRequested.connect(self._on_menu)
        self.table.selectionModel().selectionChanged.connect(self._on_selected)
        self.table.resized.connect(self._on_resized)
        self._is_compact = False
        self.table.size_columns(is_compact=False)
        start = text_button("Start", "play")
        start.clicked.connect(lambda: self.wish.emit("", "start"))
        self.addWidget(EmptyPlace("list-checks", "No runs. Press F5 to start.", start))
        self.addWidget(self.table)

    def set_rows(self, rows: Sequence[JobRow]) -> None:
        """Show these jobs in this order; what is selected stays so."""
        selected = self.selected_ids()
        is_same = [row.id for row in rows] == [row.id for row in self._model.rows]
        before = self._model.rows
        self._model.set_rows(rows)
        for place, row in enumerate(rows):
            if not is_same or _offer(before[place]) != _offer(row):
                self.table.setIndexWidget(self._model.index(place, ACTIONS), self._buttons(row))
        if not is_same:
            self.select(selected)
        self.setCurrentIndex(1 if rows else 0)

    def _on_resized(self) -> None:
        is_compact = self.table.width() < active_theme().px(_COMPACT)
        if is_compact != self._is_compact:
            self._is_compact = is_compact
            self.table.size_columns(is_compact=is_compact)
            for place, row in enumerate(self._model.rows):
                self.table.setIndexWidget(self._model.index(place, ACTIONS), self._buttons(row))

    def selected_ids(self) -> list[str]:
        """The ids of the selected jobs, top down."""
        places = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self._model.rows[place].id for place in places]

    def select(self, ids: Sequence[str]) -> None:
        """Select jobs by id; those that are gone are left out."""
        selection = QItemSelection()
        for place, row in enumerate(self._model.rows):
            if row.id in ids:
                selection.select(self._model.index(place, 0), self._model.index(place, ACTIONS))
        self.table.selectionModel().select(
            selection, self.table.selectionModel().SelectionFlag.ClearAndSelect
        )

    def _buttons(self, row: JobRow) -> QWidget:
        """The first verb as a button with words, the others as icons or, when many, in a menu."""
        host = QWidget()
        parts: list[QWidget | int] = [0]
        first = self._primary(row, row.primary) if row.primary else None
        parts.append(_slot(first, _COMPACT_PRIMARY_WIDTH if self._is_compact else _PRIMARY_WIDTH))
        if len(row.others) <= 3:
            parts += [self._icon(row.id, verb) for verb in row.others]
        else:
            parts += [self._icon(row.id, row.others[0]), self._overflow(row)]
        host.setLayout(row_of(*parts, 1, spacing=2))
        return host

    def _primary(self, row: JobRow, verb: str) -> QToolButton:
        look = verb_look(verb)
        button = icon_button(look.icon, f"{look.word}: {row.name}", look.tip)
        button.setObjectName(f"job_{verb}")
        if not self._is_compact:
            button.set_worded(look.word)
        button.setEnabled(row.is_primary_enabled)
        button.clicked.connect(lambda: self.wish.emit(row.id, verb))
        return button

    def _icon(self, job: str, verb: str) -> QToolButton:
        look = verb_look(verb)
        button = icon_button(look.icon, look.word, f"{look.word}: {look.tip[:1].lower()}{look.tip[1:]}")
        button.setObjectName(f"job_{verb}")
        button.clicked.connect(lambda: self.wish.emit(job, verb))
        return button

    def _overflow(self, row: JobRow) -> QToolButton:
        button = icon_button("ellipsis", "More")
        button.setObjectName("job_more")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(self._menu(row, row.others[1:], button))
        return button

    def _menu(self, row: JobRow, verbs: Sequence[str], parent: QWidget) -> QMenu:
        menu = QMenu(parent)
        for verb in verbs:
            look = verb_look(verb)
            action = QAction(icon(look.icon), look.word, menu)
            action.triggered.connect(lambda _=False, verb=verb: self.wish.emit(row.id, verb))
            menu.addAction(action)
        return menu

    def _on_activated(self, index: QModelIndex) -> None:
        row = self._model.rows[index.row()]
        if row.primary and row.is_primary_enabled:
            self.wish.emit(row.id, row.primary)

    def _on_menu(self, place: QPoint) -> None:
        index = self.table.indexAt(place)
        if index.isValid():
            row = self._model.rows[index.row()]
            first = (row.primary,) if row.primary and row.is_primary_enabled else ()
            self._menu(row, first + row.others, self).popup(self.table.viewport().mapToGlobal(place))

    def _on_selected(self) -> None:
        self.selection_changed.emit(self.selected_ids())


def _slot(button: QToolButton | None, width: int) -> QWidget:
    """Room for the first verb, taken also by states without one, so that the others stand in one column."""
    slot = QWidget()
    slot.setFixedWidth(active_theme().px(width))
    slot.setLayout(row_of(*((button,) if button else ()), 1))
    return slot


def _offer(row: JobRow) -> tuple[object, ...]:
    return (row.primary, row.others, row.is_primary_enabled, row.name)
