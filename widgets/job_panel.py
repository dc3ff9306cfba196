"""The table of jobs: what runs, what waits, what has been, and what may be done with each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    Qt,
    Signal,
)
from PySide6.QtGui import QAction, QKeyEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QTreeView,
    QWidget,
)

from widgets.icons import icon
from widgets.job_rows import JobRow, bytes_text, duration_text, state_look, step_text, verb_look
from widgets.parts import WORDED_ICON, EmptyPlace, icon_button, row_of, text_button
from widgets.theme import active_theme

Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("State", "Name", "Progress", "Elapsed", "Left", "Device", "Memory", "Result", "")
STATE, NAME, PROGRESS, ELAPSED, LEFT, DEVICE, MEMORY, RESULT, ACTIONS = range(9)
_WIDTHS = {STATE: 118, NAME: 170, PROGRESS: 180, ELAPSED: 66, LEFT: 168, DEVICE: 60, MEMORY: 68, ACTIONS: 212}
_COMPACT_WIDTHS = {STATE: 118, NAME: 132, PROGRESS: 132, ACTIONS: 148}
_COMPACT = 820  # below this width columns shrink and buttons lose their words
_GIVE_WAY = ((MEMORY, 1150), (DEVICE, 1080), (ELAPSED, 980), (LEFT, 900))  # hidden below these widths
_PRIMARY_WIDTH, _COMPACT_PRIMARY_WIDTH = 112, 30
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class JobPanel(QStackedWidget):
    """Queue and history. wish: (job id, verb); verb "start" with no id asks for a first run.

    selection_changed: the ids of the selected jobs, for plots and logs.
    """

    wish = Signal(str, str)
    selection_changed = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = JobModel(self)
        self.table = _Table()
        self.table.setModel(self._model)
        self.table.setItemDelegateForColumn(PROGRESS, _ProgressDelegate(self.table))
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
            button.setText(look.word)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setIconSize(WORDED_ICON * active_theme().ui_scale)
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


class JobModel(QAbstractTableModel):
    """The rows as a table."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: tuple[JobRow, ...] = ()

    def set_rows(self, rows: Sequence[JobRow]) -> None:
        """Swap the rows; only changed ones are drawn again where the jobs are the same."""
        old, new = self.rows, tuple(rows)
        if [row.id for row in old] != [row.id for row in new]:
            self.beginResetModel()
            self.rows = new
            self.endResetModel()
            return
        self.rows = new
        for place, (before, after) in enumerate(zip(old, new, strict=True)):
            if before != after:
                self.dataChanged.emit(self.index(place, 0), self.index(place, ACTIONS))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            is_number = section in (ELAPSED, MEMORY)
            return _RIGHT if is_number else Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = 0) -> Any:
        row, column = self.rows[index.row()], index.column()
        look = state_look(row.state)
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.workflow if column == NAME else _text(row, column)
        if role == Qt.ItemDataRole.DecorationRole and column == STATE:
            return icon(look.icon, color=look.color)
        if role == Qt.ItemDataRole.ForegroundRole:
            return active_theme().color(_color(row, column))
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (ELAPSED, MEMORY):
            return _RIGHT
        if role == Qt.ItemDataRole.UserRole:
            return row
        return None


class _Table(QTreeView):
    """The view, which gives up its lesser columns when it is narrow."""

    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("jobs_table")
        self.setAccessibleName("Jobs")
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def size_columns(self, *, is_compact: bool) -> None:
        """Give the columns their widths; the result takes what is left."""
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        for column, width in {**_WIDTHS, **(_COMPACT_WIDTHS if is_compact else {})}.items():
            header.resizeSection(column, active_theme().px(width))
        header.setSectionResizeMode(RESULT, QHeaderView.ResizeMode.Stretch)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for column, needed in _GIVE_WAY:
            self.setColumnHidden(column, self.width() < active_theme().px(needed))
        self.resized.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Qt leaves Enter to dialogs on some platforms; here it always does the first thing offered.
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.activated.emit(self.currentIndex())
            return
        super().keyPressEvent(event)


class _ProgressDelegate(QStyledItemDelegate):
    """A bar with the per cent beside it and the stage above; nothing for jobs that never ran."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(Qt.ItemDataRole.UserRole)
        style = option.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        if row.fraction is None or row.state in ("done", "ready", "draft", "queued"):
            return
        theme, box = active_theme(), QRectF(option.rect).adjusted(4, 0, -12, 0)
        words = f"{100 * row.fraction:.0f} %"
        text_width = option.fontMetrics.horizontalAdvance("100 %") + 8
        bar = QRectF(box.left(), box.center().y() - theme.px(3), box.width() - text_width, theme.px(6))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_bar(painter, bar, row.fraction, "accent" if row.is_active else "text_disabled")
        painter.setPen(QPen(theme.color("text_second")))
        painter.drawText(box, _RIGHT, words)
        painter.restore()


def draw_bar(painter: QPainter, bar: QRectF, fraction: float, color: str) -> None:
    """A rounded progress bar."""
    theme, radius = active_theme(), bar.height() / 2
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("field_line"))
    painter.drawRoundedRect(bar, radius, radius)
    filled = QRectF(bar)
    filled.setWidth(max(bar.height(), bar.width() * min(max(fraction, 0.0), 1.0)))
    painter.setBrush(theme.color(color))
    if fraction > 0:
        painter.drawRoundedRect(filled, radius, radius)


def _slot(button: QToolButton | None, width: int) -> QWidget:
    """Room for the first verb, taken also by states without one, so that the others stand in one column."""
    slot = QWidget()
    slot.setFixedWidth(active_theme().px(width))
    slot.setLayout(row_of(*((button,) if button else ()), 1))
    return slot


def _text(row: JobRow, column: int) -> str:
    return {
        STATE: row.state_words,
        NAME: row.name,
        PROGRESS: f"{row.stage} {step_text(row)}".strip(),
        ELAPSED: duration_text(row.elapsed) if row.elapsed else "",
        LEFT: row.left,
        DEVICE: row.device,
        MEMORY: bytes_text(row.peak_bytes),
        RESULT: row.result or (f"{row.stage} {step_text(row)}".strip() if row.is_active else ""),
        ACTIONS: "",
    }[column]


def _color(row: JobRow, column: int) -> str:
    if column == STATE:
        return state_look(row.state).color
    if column == RESULT and row.state in ("failed", "interrupted"):
        return "error"
    return "text" if column == NAME else "text_second"


def _offer(row: JobRow) -> tuple[object, ...]:
    return (row.primary, row.others, row.is_primary_enabled, row.name)
