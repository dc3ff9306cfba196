"""The list of what was done, to step back and forth in, with the memory it takes."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QIcon, QPalette, QPixmap, QUndoStack
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QUndoView,
    QWidget,
)

from widgets.icons import icon
from widgets.job_rows import bytes_text
from widgets.parts import EmptyPlace, column_in, row_of
from widgets.theme import active_theme, secondary_label


class _StepDelegate(QStyledItemDelegate):
    """Keeps the words of all steps in one column, and what was undone pale."""

    def __init__(self, view: QUndoView) -> None:
        super().__init__(view)
        self._view = view
        self._blank = QPixmap(1, 1)
        self._blank.fill(Qt.GlobalColor.transparent)

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().initStyleOption(option, index)
        option.decorationSize = self._view.iconSize()
        if option.icon.isNull():
            option.features |= QStyleOptionViewItem.ViewItemFeature.HasDecoration
            option.icon = QIcon(self._blank)
        stack = self._view.stack()
        if stack is not None and index.row() > stack.index():
            option.palette.setColor(QPalette.ColorRole.Text, active_theme().color("text_disabled"))


class HistoryView(QWidget):
    """An undo stack as a list: a click goes there. It watches the stack that it was given."""

    def __init__(self, stack: QUndoStack | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("history_view")
        self._view = QUndoView()
        self._view.setObjectName("history_list")
        self._view.setAccessibleName("History")
        self._view.setEmptyLabel("As opened")
        self._view.setCleanIcon(icon("save", color="text_second"))
        self._view.setIconSize(QSize(active_theme().px(16), active_theme().px(16)))
        self._view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._view.setItemDelegate(_StepDelegate(self._view))
        self._count = secondary_label("")
        self._memory = secondary_label("")
        foot = row_of(self._count, 1, self._memory)
        margin = active_theme().px(12)
        foot.setContentsMargins(margin, active_theme().px(4), margin, active_theme().px(6))
        self._pages = QStackedWidget()
        self._pages.addWidget(
            EmptyPlace("history", "Nothing done yet. Every edit is listed here, to go back to.")
        )
        self._pages.addWidget(self._view)
        column = column_in(self, spacing=0)
        column.addWidget(self._pages, 1)
        column.addLayout(foot)
        self._stack: QUndoStack | None = None
        self.set_stack(stack)

    def set_stack(self, stack: QUndoStack | None) -> None:
        """Show another stack."""
        if self._stack is not None:
            self._stack.indexChanged.disconnect(self._refresh)
        self._stack = stack
        self._view.setStack(stack)  # type: ignore[arg-type]
        if stack is not None:
            stack.indexChanged.connect(self._refresh)
        self._refresh()

    def set_memory(self, used: int, budget: int) -> None:
        """Say how much of the budget the history takes, in bytes."""
        self._memory.setText(f"{bytes_text(used) or '0 MB'} of {bytes_text(budget)}")
        self._memory.setToolTip(
            "Memory that the history takes. Older steps beyond it are read from the project."
        )

    def _refresh(self) -> None:
        count = self._stack.count() if self._stack is not None else 0
        self._pages.setCurrentIndex(1 if count else 0)
        undone = count - self._stack.index() if self._stack is not None else 0
        words = f"{count} step{'' if count == 1 else 's'}" if count else ""
        self._count.setText(f"{words}, {undone} undone" if undone else words)
