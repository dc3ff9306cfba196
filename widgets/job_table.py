"""The table of jobs: its rows, its columns that give way, and its progress bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from widgets.icons import icon
from widgets.job_rows import JobRow, bytes_text, device_text, duration_text, state_look, step_text
from widgets.theme import active_theme

Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("State", "Name", "Progress", "Elapsed", "Left", "Device", "Memory", "Result", "")
STATE, NAME, PROGRESS, ELAPSED, LEFT, DEVICE, MEMORY, RESULT, ACTIONS = range(9)
_WIDTHS = {STATE: 118, NAME: 170, PROGRESS: 180, ELAPSED: 66, LEFT: 168, DEVICE: 60, MEMORY: 68, ACTIONS: 212}
_COMPACT_WIDTHS = {STATE: 104, NAME: 148, PROGRESS: 112, ACTIONS: 132}
_GIVE_WAY = ((MEMORY, 1150), (DEVICE, 1080), (ELAPSED, 980), (LEFT, 900))  # hidden below these widths
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


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


class JobTable(QTreeView):
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


class ProgressDelegate(QStyledItemDelegate):
    """A bar with the per cent beside it and the stage above; nothing for jobs that never ran."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(Qt.ItemDataRole.UserRole)
        style = option.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        table = option.widget
        is_elapsed_hidden = isinstance(table, QTreeView) and table.isColumnHidden(ELAPSED)
        if row.state == "done" and row.elapsed and is_elapsed_hidden:
            self._write(painter, option, f"took {duration_text(row.elapsed)}")
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

    def _write(self, painter: QPainter, option: QStyleOptionViewItem, words: str) -> None:
        painter.save()
        painter.setPen(active_theme().color("text_second"))
        painter.drawText(QRectF(option.rect).adjusted(4, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words)
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


def _text(row: JobRow, column: int) -> str:
    return {
        STATE: row.state_words,
        NAME: row.name,
        PROGRESS: f"{row.stage} {step_text(row)}".strip(),
        ELAPSED: duration_text(row.elapsed) if row.elapsed else "",
        LEFT: row.left,
        DEVICE: device_text(row.device),
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
