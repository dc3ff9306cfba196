"""The layers of a project as a tree: shows rows it is given, emits what the user wishes done with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QItemSelectionModel, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QLabel,
    QMenu,
    QPushButton,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from widgets.icons import IconLabel, icon
from widgets.layer_tree import (
    BADGE_ICONS,
    EYE,
    KIND_ICONS,
    LOCK,
    NAME,
    SWATCH,
    LayerRow,
    LayerTree,
    item_of,
    row_of,
)
from widgets.theme import active_theme

__all__ = ["BADGE_ICONS", "KIND_ICONS", "LayerList", "LayerRow"]


@dataclass(frozen=True)
class _Wish:
    id: str
    text: str
    icon: str
    key: str = ""


_MENU: tuple[_Wish | None, ...] = (
    _Wish("rename", "Rename", "pencil", "F2"),
    _Wish("toggle", "Show or hide", "eye", "Space"),
    _Wish("lock", "Lock or unlock", "lock"),
    None,
    _Wish("frame", "Frame", "focus"),
    _Wish("isolate", "Isolate", "circle-dot"),
    _Wish("duplicate", "Duplicate", "copy"),
    None,
    _Wish("export", "Export…", "upload"),
    _Wish("show_in_files", "Show in files", "folder-open"),
    _Wish("properties", "Properties", "sliders-horizontal"),
    None,
    _Wish("remove", "Remove", "trash-2", "Del"),
)


class LayerList(QWidget):
    """The tree [layers_tree], or what to do when there is nothing in it."""

    visibility_toggled = Signal(str, bool)  # id, whether it is to be seen
    lock_toggled = Signal(str, bool)
    swatch_clicked = Signal(str)
    renamed = Signal(str, str)
    selection_changed = Signal(list)  # ids, the current one first
    reordered = Signal(list)  # [(id, parent id or "")] from the top
    remove_requested = Signal(list)
    wished = Signal(str, list)  # frame, isolate, duplicate, export, show_in_files, properties; ids
    import_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(active_theme().px(200))
        self._rows: tuple[LayerRow, ...] = ()
        self.tree = LayerTree(self)
        self._empty = _EmptyLayers(self)
        self._empty.import_wished.connect(self.import_wished)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.tree)
        column.addWidget(self._empty)
        self.tree.itemChanged.connect(self._on_edited)
        self.tree.cell_clicked.connect(self._on_clicked)
        self.tree.itemSelectionChanged.connect(lambda: self.selection_changed.emit(self.selected_ids()))
        self.tree.customContextMenuRequested.connect(self._show_menu)
        self.tree.key_wished.connect(self._do)
        self.tree.dropped.connect(lambda: self.reordered.emit(self._order()))
        self._show_emptiness()

    def rows(self) -> tuple[LayerRow, ...]:
        """What is shown."""
        return self._rows

    def set_rows(self, rows: Sequence[LayerRow]) -> None:
        """Show these layers; selection, folding and an open editor stay where the rows allow."""
        if tuple(rows) == self._rows:
            return
        selected = self.selected_ids()
        self._rows = tuple(rows)
        self._fill(selected)
        self._show_emptiness()
        if self.selected_ids() != selected:
            self.selection_changed.emit(self.selected_ids())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:  # the rows' colours are the theme's
            self._fill(self.selected_ids())

    def _fill(self, selected: Sequence[str]) -> None:
        folded, top = self._folded_ids() | self._new_parents(), self.tree.verticalScrollBar().value()
        was_blocked = self.tree.blockSignals(True)
        self.tree.clear()
        items: dict[str, QTreeWidgetItem] = {}
        for row in self._rows:
            above = items.get(row.parent, self.tree.invisibleRootItem())
            items[row.id] = item_of(row, above)
        self.tree.show_columns(self._rows)
        for row_id, item in items.items():
            item.setExpanded(row_id not in folded)
        self._select([row_id for row_id in selected if row_id in items])
        self.tree.verticalScrollBar().setValue(top)
        self.tree.blockSignals(was_blocked)

    def select(self, ids: Sequence[str]) -> None:
        """Select these layers; tells it only when that changes the selection."""
        if list(ids) != self.selected_ids():
            self._select(ids)

    def selected_ids(self) -> list[str]:
        """The selected layers, the current one first."""
        current = self.tree.currentItem()
        items = sorted(self.tree.selectedItems(), key=lambda item: item is not current)
        return [row_of(item).id for item in items]

    def edit_name(self, layer_id: str) -> None:
        """Open the field for a layer's name."""
        item = self._find(layer_id)
        if item is not None and not row_of(item).locked:
            self.tree.setCurrentItem(item)
            self.tree.editItem(item, NAME)

    def _select(self, ids: Sequence[str]) -> None:
        was_blocked = self.tree.blockSignals(True)
        self.tree.clearSelection()
        for index, layer_id in enumerate(ids):
            item = self._find(layer_id)
            if item is None:
                continue
            if index == 0:
                self.tree.setCurrentItem(item, NAME, QItemSelectionModel.SelectionFlag.NoUpdate)
            item.setSelected(True)
        self.tree.blockSignals(was_blocked)
        if not was_blocked:
            self.selection_changed.emit(self.selected_ids())

    def _rows_of(self, ids: Sequence[str]) -> list[LayerRow]:
        return [row for row in self._rows if row.id in ids]

    def _find(self, layer_id: str) -> QTreeWidgetItem | None:
        return next((item for item in self.tree.all_items() if row_of(item).id == layer_id), None)

    def _folded_ids(self) -> set[str]:
        return {
            row_of(item).id for item in self.tree.all_items() if item.childCount() and not item.isExpanded()
        }

    def _new_parents(self) -> set[str]:
        """Rows that have parts since now: these stay out of sight until someone wants them."""
        known = {row_of(item).id for item in self.tree.all_items() if item.childCount()}
        return {row.parent for row in self._rows if row.kind == "part"} - known

    def _order(self) -> list[tuple[str, str]]:
        order = []
        for item in self.tree.all_items():
            above = item.parent()
            order.append((row_of(item).id, row_of(above).id if above is not None else ""))
        return order

    def _show_emptiness(self) -> None:
        self.tree.setVisible(bool(self._rows))
        self._empty.setVisible(not self._rows)

    def _on_edited(self, item: QTreeWidgetItem, column: int) -> None:
        row, name = row_of(item), item.text(NAME).strip()
        if column != NAME or name == row.name:
            return
        was_blocked = self.tree.blockSignals(True)
        item.setText(NAME, row.name)  # the app's answer shows the new name
        self.tree.blockSignals(was_blocked)
        if name:
            self.renamed.emit(row.id, name)

    def _on_clicked(self, layer_id: str, column: int) -> None:
        row = next(row for row in self._rows if row.id == layer_id)
        if column == EYE:
            self.visibility_toggled.emit(row.id, not row.visible)
        elif column == LOCK:
            self.lock_toggled.emit(row.id, not row.locked)
        elif column == SWATCH and row.swatch:
            self.swatch_clicked.emit(row.id)

    def _show_menu(self, position: QPoint) -> None:
        item = self.tree.itemAt(position)
        if item is None and (item := self.tree.currentItem()) is not None:
            position = self.tree.visualItemRect(item).center()  # asked for by the keyboard
        if item is None:
            return
        menu = self.context_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.tree.viewport().mapToGlobal(position))

    def context_menu(self) -> QMenu:
        """What can be wished of the selected layers."""
        menu = QMenu(self)
        for wish in _MENU:
            if wish is None:
                menu.addSeparator()
                continue
            action = QAction(icon(wish.icon), wish.text, menu)
            action.setObjectName(f"layer_{wish.id}")
            action.setShortcut(QKeySequence(wish.key))
            action.setEnabled(wish.id != "rename" or len(self.selected_ids()) == 1)
            action.triggered.connect(lambda _=False, wish_id=wish.id: self._do(wish_id))
            menu.addAction(action)
        return menu

    def _do(self, wish: str) -> None:
        ids = self.selected_ids()
        if not ids:
            return
        if wish == "rename":
            self.edit_name(ids[0])
        elif wish == "remove":
            self.remove_requested.emit(ids)
        elif wish == "toggle":
            for row in self._rows_of(ids):
                self.visibility_toggled.emit(row.id, not row.visible)
        elif wish == "lock":
            for row in self._rows_of(ids):
                self.lock_toggled.emit(row.id, not row.locked)
        else:
            self.wished.emit(wish, ids)


class _EmptyLayers(QWidget):
    import_wished = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        px = active_theme().px
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(24), px(16), px(24))
        column.setSpacing(px(12))
        center = Qt.AlignmentFlag.AlignCenter
        words = QLabel("Nothing here yet. Drop photos, slices, splats or a mesh.")
        words.setProperty("role", "secondary")
        words.setWordWrap(True)
        words.setAlignment(center)
        button = QPushButton(icon("import"), "Import files…")
        button.clicked.connect(self.import_wished)
        column.addStretch(2)
        column.addWidget(IconLabel("layers", 32, "text_disabled"), 0, center)
        column.addWidget(words)
        column.addWidget(button, 0, center)
        column.addStretch(3)
