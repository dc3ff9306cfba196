"""Projects that were open lately: thumbnail, name, folder, date, and whether they are still there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPainterPath, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from widgets.icons import icon
from widgets.theme import Theme, active_theme, interface_font, title_label

_PROJECT = Qt.ItemDataRole.UserRole
_ANY = 16_777_215  # Qt's largest size


@dataclass(frozen=True)
class RecentProject:
    """path: of the project's manifest. folder and date: as they are to be read. thumbnail: path of a picture."""

    path: str
    name: str
    folder: str = ""
    date: str = ""
    thumbnail: str = ""
    is_missing: bool = False


class RecentList(QWidget):
    """The list [recent_list]; Enter or a click opens, Delete takes off the list."""

    opened = Signal(str)
    removed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        px = active_theme().px
        self.is_flat = False
        self._list = _List()
        self._list.opened.connect(self.opened)
        self._list.removed.connect(self.removed)
        nothing = QLabel("Projects that you open will be listed here.")
        nothing.setProperty("role", "secondary")
        nothing.setWordWrap(True)
        nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(16))
        column.addWidget(title_label("Recent"))
        self._stack = QStackedLayout()
        self._stack.addWidget(nothing)
        self._stack.addWidget(self._list)
        column.addLayout(self._stack, 1)
        self.set_flat(False)

    def set_flat(self, is_flat: bool) -> None:
        """As high as its rows and as wide as there is room, or a column that scrolls."""
        self.is_flat = is_flat
        width = active_theme().px(288)
        self.setMinimumWidth(0 if is_flat else width)
        self.setMaximumWidth(_ANY if is_flat else width)
        rows_height = self._list.count() * active_theme().px(60) + 4
        self._list.setMinimumHeight(rows_height if is_flat else 0)
        self._list.setMaximumHeight(rows_height if is_flat else _ANY)

    def set_projects(self, projects: Sequence[RecentProject]) -> None:
        """Show these, in this order."""
        self._list.clear()
        for project in projects:
            item = QListWidgetItem(self._list)
            item.setText(f"{project.name}, {project.folder}{', missing' if project.is_missing else ''}")
            item.setData(_PROJECT, project)
            item.setToolTip(project.path)
        self._stack.setCurrentIndex(1 if projects else 0)
        self.set_flat(self.is_flat)


class _List(QListWidget):
    opened = Signal(str)
    removed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("recent_list")
        self.setAccessibleName("Recent projects")
        self.setItemDelegate(_ProjectDelegate(self))
        self.setMouseTracking(True)
        self.setStyleSheet("QListWidget { background: transparent; }")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        self.itemClicked.connect(lambda item: self.opened.emit(item.data(_PROJECT).path))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.currentItem()
        if item is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit(item.data(_PROJECT).path)
        elif item is not None and event.key() == Qt.Key.Key_Delete:
            self.removed.emit(item.data(_PROJECT).path)
        else:
            super().keyPressEvent(event)

    def _show_menu(self, position: QPoint) -> None:
        item = self.itemAt(position)
        if item is None:
            return
        path = item.data(_PROJECT).path
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(icon("folder-open"), "Open", lambda: self.opened.emit(path))
        menu.addAction(icon("x"), "Remove from this list", lambda: self.removed.emit(path))
        menu.popup(self.viewport().mapToGlobal(position))


class _ProjectDelegate(QStyledItemDelegate):
    """Picture at the left, the name above the folder, the date at the right of the name."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(10, active_theme().px(60))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        project: RecentProject = index.data(_PROJECT)
        theme = active_theme()
        rect: QRect = option.rect.adjusted(0, theme.px(2), 0, -theme.px(2))
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        if option.state & (QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_HasFocus):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("hover"))
            painter.drawRoundedRect(rect, theme.px(8), theme.px(8))
        side = theme.px(44)
        picture = QRect(rect.left() + theme.px(6), rect.center().y() - side // 2 + 1, side, side)
        _draw_thumbnail(painter, theme, picture, project)
        words = rect.adjusted(side + theme.px(18), theme.px(9), -theme.px(8), -theme.px(9))
        _draw_words(painter, theme, words, project)
        painter.restore()


def _draw_thumbnail(painter: QPainter, theme: Theme, rect: QRect, project: RecentProject) -> None:
    outline = QPainterPath()
    outline.addRoundedRect(QRectF(rect), theme.px(6), theme.px(6))
    painter.fillPath(outline, theme.color("raised"))
    pixmap = QPixmap(project.thumbnail) if project.thumbnail and not project.is_missing else QPixmap()
    if pixmap.isNull():
        inset = rect.width() // 2 - theme.px(10)
        icon("layers", 20, "text_second").paint(painter, rect.adjusted(inset, inset, -inset, -inset))
        return
    painter.save()
    painter.setClipPath(outline)
    painter.drawPixmap(rect, pixmap)
    painter.restore()


def _draw_words(painter: QPainter, theme: Theme, rect: QRect, project: RecentProject) -> None:
    base, small = interface_font(theme), interface_font(theme, 12)
    beside = "Missing" if project.is_missing else project.date
    top, bottom = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignBottom
    painter.setFont(small)
    painter.setPen(theme.color("warn" if project.is_missing else "text_second"))
    painter.drawText(rect, top | Qt.AlignmentFlag.AlignRight, beside)
    taken = QFontMetrics(small).horizontalAdvance(beside) + theme.px(8)
    painter.setPen(theme.color("text_second"))
    folder = QFontMetrics(small).elidedText(project.folder, Qt.TextElideMode.ElideMiddle, rect.width())
    painter.drawText(rect, bottom, folder)
    painter.setFont(base)
    painter.setPen(theme.color("text_disabled" if project.is_missing else "text"))
    name = QFontMetrics(base).elidedText(project.name, Qt.TextElideMode.ElideRight, rect.width() - taken)
    painter.drawText(rect, top, name)
