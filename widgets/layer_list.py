"""The layers of a project as a tree: shows rows it is given, emits what the user wishes done with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QItemSelectionModel, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QDropEvent, QIcon, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QMenu,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QTreeWidgetItemIterator,
    QVBoxLayout,
    QWidget,
)

from widgets.icons import IconLabel, icon, item_icon
from widgets.theme import active_theme

NAME, BADGE, EYE, LOCK, SWATCH = range(5)
KIND_ICONS = {
    "cross_sections": "layer-slices",
    "mesh": "layer-mesh",
    "gaussians": "layer-splats",
    "posed_images": "layer-images",
    "cameras": "layer-cameras",
    "measurement": "layer-measurement",
    "group": "folder",
}
BADGE_ICONS = {
    "missing": ("triangle-alert", "warn", "Its file cannot be found"),
    "locked by job": ("hourglass", "text_second", "A running job works on a copy of it"),
    "pending": ("circle-dashed", "accent", "A change waits to be accepted"),
    "newest": ("sparkles", "link", "The newest result"),
    "preview": ("hourglass", "accent", "A preview of the running job"),
}
_ROW = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class LayerRow:
    """What the list shows of one layer. kind: a key of KIND_ICONS. badges: keys of BADGE_ICONS.

    swatch: "#rrggbb" or "" for none. parent: id of the group it lies in, or "".
    """

    id: str
    name: str
    kind: str
    visible: bool = True
    locked: bool = False
    swatch: str = ""
    badges: tuple[str, ...] = ()
    parent: str = ""
    tooltip: str = ""


@dataclass(frozen=True)
class _Wish:
    id: str
    text: str
    icon: str
    key: str = ""


_MENU: tuple[_Wish | None, ...] = (
    _Wish("rename", "Rename", "pencil", "F2"),
    _Wish("frame", "Frame", "focus"),
    _Wish("isolate", "Isolate", "eye"),
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
        self._rows: tuple[LayerRow, ...] = ()
        self.tree = _Tree(self)
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
        folded, top = self._folded_ids(), self.tree.verticalScrollBar().value()
        was_blocked = self.tree.blockSignals(True)
        self.tree.clear()
        items: dict[str, QTreeWidgetItem] = {}
        for row in self._rows:
            above = items.get(row.parent, self.tree.invisibleRootItem())
            items[row.id] = _item(row, above)
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
        return [_row(item).id for item in items]

    def edit_name(self, layer_id: str) -> None:
        """Open the field for a layer's name."""
        item = self._find(layer_id)
        if item is not None and not _row(item).locked:
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

    def _find(self, layer_id: str) -> QTreeWidgetItem | None:
        return next((item for item in self.tree.all_items() if _row(item).id == layer_id), None)

    def _folded_ids(self) -> set[str]:
        return {
            _row(item).id for item in self.tree.all_items() if item.childCount() and not item.isExpanded()
        }

    def _order(self) -> list[tuple[str, str]]:
        order = []
        for item in self.tree.all_items():
            above = item.parent()
            order.append((_row(item).id, _row(above).id if above is not None else ""))
        return order

    def _show_emptiness(self) -> None:
        self.tree.setVisible(bool(self._rows))
        self._empty.setVisible(not self._rows)

    def _on_edited(self, item: QTreeWidgetItem, column: int) -> None:
        row, name = _row(item), item.text(NAME).strip()
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
        if self.tree.itemAt(position) is None:
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
            shown = {row.id: row.visible for row in self._rows}
            for layer_id in ids:
                self.visibility_toggled.emit(layer_id, not shown[layer_id])
        else:
            self.wished.emit(wish, ids)


class _Tree(QTreeWidget):
    key_wished = Signal(str)
    cell_clicked = Signal(str, int)
    dropped = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("layers_tree")
        self.setAccessibleName("Layers")
        self.setColumnCount(5)
        self.setHeaderHidden(True)
        self.setIndentation(active_theme().px(16))
        self.setIconSize(QSize(active_theme().px(16), active_theme().px(16)))
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setExpandsOnDoubleClick(False)
        self.itemDoubleClicked.connect(self._rename_by_double_click)
        self._size_columns()

    def all_items(self) -> list[QTreeWidgetItem]:
        """Every item from the top, children after their parent."""
        found = []
        walk = QTreeWidgetItemIterator(self)
        while bool(walk.value()):
            found.append(walk.value())
            walk += 1
        return found

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """The eye, lock and swatch answer without changing the selection."""
        position = event.position().toPoint()
        item, column = self.itemAt(position), self.columnAt(position.x())
        if item is not None and column in (EYE, LOCK, SWATCH) and event.button() == Qt.MouseButton.LeftButton:
            self.cell_clicked.emit(_row(item).id, column)
            return
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.columnAt(event.position().toPoint().x()) in (EYE, LOCK, SWATCH):
            self.mousePressEvent(event)
            return
        super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        wishes = {
            Qt.Key.Key_F2: "rename",
            Qt.Key.Key_Delete: "remove",
            Qt.Key.Key_Backspace: "remove",
            Qt.Key.Key_Space: "toggle",
        }
        if event.key() in wishes and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self.key_wished.emit(wishes[Qt.Key(event.key())])
            return
        super().keyPressEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        super().dropEvent(event)
        self.dropped.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._size_columns()

    def _rename_by_double_click(self, _item: QTreeWidgetItem, column: int) -> None:
        if column == NAME:
            self.key_wished.emit("rename")

    def _size_columns(self) -> None:
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(active_theme().px(16))
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(BADGE, QHeaderView.ResizeMode.ResizeToContents)
        for column in (EYE, LOCK, SWATCH):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, active_theme().px(28))


class _EmptyLayers(QWidget):
    import_wished = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        px = active_theme().px
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(24), px(16), px(24))
        column.setSpacing(px(12))
        center = Qt.AlignmentFlag.AlignCenter
        words = QLabel("Nothing here yet. Drop images, slices, a splat file or a mesh.")
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


def _row(item: QTreeWidgetItem) -> LayerRow:
    row: LayerRow = item.data(NAME, _ROW)
    return row


def _item(row: LayerRow, above: QTreeWidgetItem) -> QTreeWidgetItem:
    item = QTreeWidgetItem(above, [row.name, "", "", "", ""])
    item.setData(NAME, _ROW, row)
    flags = item.flags() | Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsDragEnabled
    item.setFlags(flags if row.kind == "group" else flags & ~Qt.ItemFlag.ItemIsDropEnabled)
    item.setIcon(
        NAME, item_icon(KIND_ICONS.get(row.kind, "box"), 16, "text" if row.visible else "text_disabled")
    )
    item.setIcon(
        EYE,
        item_icon("eye" if row.visible else "eye-off", 16, "text_second" if row.visible else "text_disabled"),
    )
    item.setIcon(LOCK, item_icon("lock" if row.locked else "lock-open", 16, "text" if row.locked else "line"))
    item.setToolTip(NAME, row.tooltip or row.name)
    item.setToolTip(EYE, "Hide" if row.visible else "Show")
    item.setToolTip(LOCK, "Unlock" if row.locked else "Lock")
    if not row.visible:
        item.setForeground(NAME, active_theme().color("text_disabled"))
    if row.swatch:
        item.setIcon(SWATCH, _swatch(row.swatch))
        item.setToolTip(SWATCH, "Colour")
    known = [BADGE_ICONS[badge] for badge in row.badges if badge in BADGE_ICONS]
    if known:
        item.setIcon(BADGE, item_icon(known[0][0], 16, known[0][1]))
        item.setToolTip(BADGE, "\n".join(tip for _, _, tip in known))
    return item


def _swatch(color: str) -> QIcon:
    side = active_theme().px(16) * 2
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    inset = side // 6
    painter.drawRoundedRect(QRect(inset, inset, side - 2 * inset, side - 2 * inset), side / 8, side / 8)
    painter.end()
    swatch = QIcon(pixmap)
    swatch.addPixmap(pixmap, QIcon.Mode.Selected)  # else Qt mixes it with the selection's colour
    return swatch
