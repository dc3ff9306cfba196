"""The parts of a layer of splats as rows: colour, name, how many splats, how sure, shown, locked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QHeaderView,
    QMenu,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from widgets.colour_maps import label_color
from widgets.icons import icon
from widgets.part_rows import COUNT, EYE, LOCK, NAME, NO_PART, SURE, PartRow, item_of, row_of, swatch
from widgets.theme import active_theme

_OWN_KEYS = (Qt.Key.Key_F2, Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Return, Qt.Key.Key_Enter)
_COLORS = ("Blue", "Amber", "Green", "Pink", "Yellow", "Indigo", "Orange", "Grey")


class PartList(QTreeWidget):
    """Rows [part_list]; a click on the eye, the lock or the swatch acts on its row without choosing it.

    chosen: number of the row that a person chose. renamed: number and name. recolored: number and "#rrggbb".
    visibility_toggled, lock_toggled: number and what it is to be. key_wished: "delete" or "select".
    """

    chosen = Signal(int)
    renamed = Signal(int, str)
    recolored = Signal(int, str)
    visibility_toggled = Signal(int, bool)
    lock_toggled = Signal(int, bool)
    key_wished = Signal(str)
    menu_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("part_list")
        self.setAccessibleName("Parts")
        self.setColumnCount(5)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setIndentation(0)
        self.setProperty("framed", True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._rows: tuple[PartRow, ...] = ()
        self._is_filling = False
        self.itemChanged.connect(self._on_edited)
        self.itemDoubleClicked.connect(self._on_double_click)
        self.itemSelectionChanged.connect(self._on_selected)
        self._size_columns()

    @property
    def rows(self) -> tuple[PartRow, ...]:
        """What is shown."""
        return self._rows

    @property
    def selected(self) -> list[int]:
        """The numbers of the selected rows, the current one first; without what belongs to no part."""
        now = self.currentItem()
        items = sorted(self.selectedItems(), key=lambda item: item is not now)
        return [row.number for row in map(row_of, items) if row.is_part]

    @property
    def current_number(self) -> int:
        """The number of the row that was chosen last."""
        item = self.currentItem()
        return NO_PART if item is None else row_of(item).number

    def set_rows(self, rows: Sequence[PartRow], current: int) -> None:
        """Show these rows, with the row of the part `current` chosen; an open editor stays where rows are the same."""
        if tuple(rows) != self._rows:
            also = set(self.selected)
            self._rows = tuple(rows)
            self._fill(current, also)
        elif current not in (row_of(item).number for item in self.selectedItems()):
            self._fill(current, set())

    def edit_name(self, number: int) -> None:
        """Open the field for a part's name."""
        item = self._item(number)
        if item is not None and number != NO_PART:
            self._is_filling = True
            self.setCurrentItem(item)
            self._is_filling = False
            self.editItem(item, NAME)

    def offer_colors(self, number: int) -> QMenu:
        """A menu of colours for a part."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for label, name in enumerate(_COLORS, 1):
            color = label_color(label, active_theme().is_dark)
            menu.addAction(swatch(color), name, partial(self.recolored.emit, number, color))
        menu.addSeparator()
        menu.addAction(icon("pipette"), "Another colour…", partial(self._ask_color, number))
        return menu

    # Inner life

    def _fill(self, current: int, also: set[int]) -> None:
        self._is_filling = True
        top = self.verticalScrollBar().value()
        self.clear()
        for row in self._rows:
            item = item_of(row)
            self.addTopLevelItem(item)
            if row.number == current:
                self.setCurrentItem(item)
            item.setSelected(row.number == current or row.number in also)
        self.verticalScrollBar().setValue(top)
        self.setColumnHidden(SURE, all(row.confidence is None for row in self._rows))
        self._is_filling = False
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """As high as its rows, up to nine."""
        high = max(self.sizeHintForRow(0), active_theme().px(28))
        count = min(max(len(self._rows), 1), 9)
        return QSize(active_theme().px(280), count * high + 2 * self.frameWidth() + active_theme().px(2))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _item(self, number: int) -> QTreeWidgetItem | None:
        items = (self.topLevelItem(place) for place in range(self.topLevelItemCount()))
        return next((item for item in items if item is not None and row_of(item).number == number), None)

    def _on_selected(self) -> None:
        item = self.currentItem()
        if not self._is_filling and item is not None and item.isSelected():
            self.chosen.emit(row_of(item).number)

    def _on_edited(self, item: QTreeWidgetItem, column: int) -> None:
        row, name = row_of(item), " ".join(item.text(NAME).split())
        if self._is_filling or column != NAME or name == row.name:
            return
        self._is_filling = True
        item.setText(NAME, row.name)  # the program's answer shows the new name
        self._is_filling = False
        if name:
            self.renamed.emit(row.number, name)

    def _on_double_click(self, item: QTreeWidgetItem, column: int) -> None:
        if column == NAME:
            self.edit_name(row_of(item).number)

    def _ask_color(self, number: int) -> None:
        row = next(row for row in self._rows if row.number == number)
        dialog = QColorDialog(QColor(row.color), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        dialog.colorSelected.connect(lambda color: self.recolored.emit(number, color.name()))
        dialog.open()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        item, column = self.itemAt(at), self.columnAt(at.x())
        if (
            item is not None
            and event.button() == Qt.MouseButton.LeftButton
            and self._press(item, column, at.x())
        ):
            return
        super().mousePressEvent(event)

    def _press(self, item: QTreeWidgetItem, column: int, x: int) -> bool:
        """Act on a cell that is a button; whether it was one."""
        row = row_of(item)
        acts: dict[int, Callable[[], None]] = {
            EYE: lambda: self.visibility_toggled.emit(row.number, row.is_hidden),
            LOCK: lambda: self.lock_toggled.emit(row.number, not row.is_locked),
        }
        if column in acts:
            if row.count:
                acts[column]()
            return True
        if column == NAME and row.is_part and x < active_theme().px(26):
            menu = self.offer_colors(row.number)
            menu.popup(self.viewport().mapToGlobal(self.visualItemRect(item).bottomLeft()))
            return True
        return False

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.columnAt(event.position().toPoint().x()) in (EYE, LOCK):
            self.mousePressEvent(event)
            return
        super().mouseDoubleClickEvent(event)

    def event(self, event: QEvent) -> bool:
        """Keys that mean a layer elsewhere mean a part here."""
        is_ours = (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() in _OWN_KEYS
            and event.modifiers() == Qt.KeyboardModifier.NoModifier
        )
        if is_ours:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.state() == QAbstractItemView.State.EditingState:  # what the field for a name leaves over
            return
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if plain and event.key() == Qt.Key.Key_F2 and self.selected:
            self.edit_name(self.selected[0])
        elif plain and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.key_wished.emit("delete")
        elif plain and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.key_wished.emit("select")
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._size_columns()
            now = self.currentItem()
            self._fill(NO_PART if now is None else row_of(now).number, set(self.selected))

    def _size_columns(self) -> None:
        px = active_theme().px
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(px(16))
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column, width in ((COUNT, 68), (SURE, 56), (EYE, 28), (LOCK, 28)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, px(width))
        self.setIconSize(QSize(px(16), px(16)))
