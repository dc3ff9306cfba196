"""The tree of layers: its rows, columns, keys and clicks; the layer list says what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QDropEvent, QIcon, QKeyEvent, QMouseEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QTreeWidgetItemIterator,
    QWidget,
)

from widgets.icons import item_icon
from widgets.theme import active_theme

NAME, BADGE, EYE, LOCK, SWATCH = range(5)
KIND_ICONS = {
    "cross_sections": "layer-slices",
    "mesh": "layer-mesh",
    "gaussians": "layer-splats",
    "images": "layer-images",
    "posed_images": "layer-cameras",
    "points": "layer-points",
    "sdf_field": "layer-field",
    "radiance_field": "layer-field",
    "view_field": "layer-field",
    "views": "layer-views",
    "measurement": "layer-measurement",
    "group": "folder",
    "part": "puzzle",
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


class LayerTree(QTreeWidget):
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
            self.cell_clicked.emit(row_of(item).id, column)
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

    def show_columns(self, rows: Sequence[LayerRow]) -> None:
        """Columns that no row uses leave their room to the names."""
        self.setColumnHidden(BADGE, not any(badge in BADGE_ICONS for row in rows for badge in row.badges))
        self.setColumnHidden(SWATCH, not any(row.swatch for row in rows))

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


def row_of(item: QTreeWidgetItem) -> LayerRow:
    row: LayerRow = item.data(NAME, _ROW)
    return row


def item_of(row: LayerRow, above: QTreeWidgetItem) -> QTreeWidgetItem:
    item = QTreeWidgetItem(above, [row.name, "", "", "", ""])
    item.setData(NAME, _ROW, row)
    flags = item.flags() | Qt.ItemFlag.ItemIsEditable
    if row.kind != "part":  # it belongs to its layer
        flags |= Qt.ItemFlag.ItemIsDragEnabled
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
