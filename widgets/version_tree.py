"""Versions of a layer as a tree: which came from which, and by what words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from widgets.flow_layout import flow_in
from widgets.icons import icon, item_icon
from widgets.parts import column_in, text_button
from widgets.theme import active_theme

_ID = Qt.ItemDataRole.UserRole
_MOST_ROWS = 8


@dataclass(frozen=True)
class VersionRow:
    """One version. made_from: id of the one it came from, "" for the first. words: what made it. tip: more."""

    id: str
    name: str
    made_from: str = ""
    words: str = ""
    is_current: bool = False
    is_pending: bool = False
    tip: str = ""


class VersionTree(QWidget):
    """The tree [version_tree]. shown: the id of a version to show. branched: the one to go on from. deleted: the one to
    remove with all that came from it. compared: ids of two, the older first."""

    shown = Signal(str)
    branched = Signal(str)
    deleted = Signal(str)
    compared = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("version_tree")
        self._rows: tuple[VersionRow, ...] = ()
        self.tree = QTreeWidget()
        self.tree.setObjectName("version_list")
        self.tree.setAccessibleName("Versions")
        self.tree.setHeaderHidden(True)
        self.tree.setColumnCount(2)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.setExpandsOnDoubleClick(False)
        self.tree.setItemsExpandable(False)
        self.tree.setRootIsDecorated(False)
        self.tree.setIndentation(active_theme().px(14))
        side = active_theme().px(16)
        self.tree.setIconSize(QSize(side, side))
        header = self.tree.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.itemClicked.connect(self._on_clicked)
        self.tree.itemActivated.connect(self._on_clicked)
        self.tree.itemSelectionChanged.connect(self._refresh)
        self.tree.customContextMenuRequested.connect(self._show_menu)
        self._branch = text_button("Branch", "split")
        self._branch.setToolTip("Go on from this version with another edit")
        self._compare = text_button("Compare", "git-compare")
        self._compare.setToolTip("Compare two versions: hold Ctrl to select the second one")
        self._delete = text_button("Delete", "trash-2")
        self._delete.setToolTip("Remove this version and all that came from it")
        for button, name in ((self._branch, "branch"), (self._compare, "compare"), (self._delete, "delete")):
            button.setObjectName(f"version_{name}")
            button.setProperty("quiet", True)
        self._branch.clicked.connect(lambda: self._on_chosen(self.branched.emit))
        self._delete.clicked.connect(lambda: self._on_chosen(self.deleted.emit))
        self._compare.clicked.connect(lambda: self.compared.emit(*self._pair()))
        column = column_in(self, spacing=4)
        column.addWidget(self.tree)
        tools = QWidget()
        flow = flow_in(tools)
        for button in (self._branch, self._compare, self._delete):
            flow.addWidget(button)
        column.addWidget(tools)

    @property
    def rows(self) -> tuple[VersionRow, ...]:
        """What is shown."""
        return self._rows

    def set_rows(self, rows: Sequence[VersionRow]) -> None:
        """Show these versions; each stands below the one it came from, set in where several came from one."""
        if tuple(rows) != self._rows:
            selected, self._rows = self.selected(), tuple(rows)
            self._fill(selected)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:  # the rows' colours are the theme's
            self._fill(self.selected())

    def _fill(self, selected: Sequence[str]) -> None:
        rows = self._rows
        was_blocked = self.tree.blockSignals(True)
        self.tree.clear()
        items: dict[str, QTreeWidgetItem] = {}
        for row in rows:
            items[row.id] = _item(row, self._above(row, items))
        self.tree.expandAll()
        for row_id in selected:
            if row_id in items:
                items[row_id].setSelected(True)
        self.tree.blockSignals(was_blocked)
        height = max(active_theme().px(24), self.tree.sizeHintForRow(0) if rows else 0)
        self.tree.setFixedHeight(height * min(_MOST_ROWS, max(2, len(rows))) + active_theme().px(6))
        self._refresh()

    def selected(self) -> list[str]:
        """Ids of the selected versions, from the top."""
        return [item.data(0, _ID) for item in _all(self.tree) if item.isSelected()]

    def select(self, version_ids: Sequence[str]) -> None:
        """Select these, as a person would."""
        for item in _all(self.tree):
            item.setSelected(item.data(0, _ID) in version_ids)

    # Inner life

    def _above(self, row: VersionRow, items: Mapping[str, QTreeWidgetItem]) -> QTreeWidgetItem:
        """Where a version stands: below the one it came from, in line with that while nothing else came from it."""
        source = items.get(row.made_from)
        if source is None:
            return self.tree.invisibleRootItem()
        if sum(each.made_from == row.made_from for each in self._rows) > 1:
            return source
        return source.parent() or self.tree.invisibleRootItem()

    def _pair(self) -> tuple[str, str]:
        """Two selected ones; of one, it and the current one, or the one that it came from."""
        chosen = self.selected()
        if len(chosen) >= 2:
            return chosen[0], chosen[1]
        current = next((row.id for row in self._rows if row.is_current), "")
        (only,) = chosen or [current]
        if only != current:
            order = [row.id for row in self._rows]
            first, second = sorted((only, current), key=order.index)
            return first, second
        return next((row.made_from for row in self._rows if row.id == only), ""), only

    def _on_clicked(self, item: QTreeWidgetItem, _column: int = 0) -> None:
        if len(self.selected()) == 1:
            self.shown.emit(item.data(0, _ID))

    def _on_chosen(self, tell: object) -> None:
        chosen = self.selected() or [row.id for row in self._rows if row.is_current]
        if chosen and callable(tell):
            tell(chosen[0])

    def _refresh(self) -> None:
        chosen = self.selected()
        is_one = len(chosen) <= 1
        self._branch.setEnabled(is_one and bool(self._rows))
        self._delete.setEnabled(is_one and len(self._rows) > 1)
        self._compare.setEnabled(len(self._rows) > 1 and len(chosen) <= 2 and all(self._pair()))

    def _show_menu(self, position: QPoint) -> None:
        item = self.tree.itemAt(position)
        if item is None:
            return
        version_id = item.data(0, _ID)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for text, icon_name, act in (
            ("Show", "eye", lambda: self.shown.emit(version_id)),
            ("Branch from here", "split", lambda: self.branched.emit(version_id)),
            ("Delete with what came from it", "trash-2", lambda: self.deleted.emit(version_id)),
        ):
            action = QAction(icon(icon_name), text, menu)
            action.triggered.connect(lambda _=False, act=act: act())
            menu.addAction(action)
        menu.popup(self.tree.viewport().mapToGlobal(position))


def _item(row: VersionRow, above: QTreeWidgetItem) -> QTreeWidgetItem:
    item = QTreeWidgetItem(above, [row.name, row.words])
    item.setData(0, _ID, row.id)
    name, color = (
        ("circle-dashed", "accent") if row.is_pending
        else ("circle-dot", "accent") if row.is_current
        else ("circle", "text_second")
    )  # fmt: skip
    item.setIcon(0, item_icon(name, 16, color))
    item.setForeground(1, active_theme().color("text_second"))
    state = "waits to be accepted" if row.is_pending else "shown now" if row.is_current else ""
    for column in (0, 1):
        item.setToolTip(column, "\n".join(filter(None, (row.name, row.tip or row.words, state))))
    font = item.font(0)
    font.setBold(row.is_current)
    item.setFont(0, font)
    return item


def _all(tree: QTreeWidget) -> list[QTreeWidgetItem]:
    found, waiting = list[QTreeWidgetItem](), [tree.topLevelItem(i) for i in range(tree.topLevelItemCount())]
    while waiting:
        item = waiting.pop(0)
        if item is not None:
            found.append(item)
            waiting[:0] = [item.child(i) for i in range(item.childCount())]
    return found
