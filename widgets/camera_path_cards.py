"""The views of a camera path as a row of cards: drag them, or move them with the keyboard, into another order."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QListWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from widgets.icons import icon
from widgets.theme import active_theme, interface_font

CARD = QSize(104, 62)  # a view's picture, in design pixels
VIEW = Qt.ItemDataRole.UserRole  # which view of the path a card shows
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


class _CardPainter(QStyledItemDelegate):
    """Paints a view: its picture, and over its foot when it is reached."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return CARD * active_theme().ui_scale + QSize(active_theme().px(8), active_theme().px(8))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme, px = active_theme(), active_theme().px
        box = QRectF(option.rect).adjusted(px(4), px(4), -px(4), -px(4))
        state = option.state
        is_chosen = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outline = QPainterPath()
        outline.addRoundedRect(box, px(6), px(6))
        painter.setClipPath(outline)
        painter.fillRect(box, theme.color("raised"))
        picture = index.data(Qt.ItemDataRole.DecorationRole)
        if isinstance(picture, QPixmap):
            painter.drawPixmap(box.topLeft(), picture)
        else:
            side = px(20)
            middle = box.center().toPoint()
            icon("video", 20, "text_second").paint(
                painter, middle.x() - side // 2, middle.y() - px(16), side, side
            )
        foot = QRectF(box.left(), box.bottom() - px(18), box.width(), px(18))
        back = theme.color("panel")
        back.setAlphaF(0.85)
        painter.fillRect(foot, back)
        painter.setPen(theme.color("text"))
        painter.setFont(interface_font(theme, 12))
        painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, str(index.data(Qt.ItemDataRole.DisplayRole)))
        painter.setClipping(False)
        is_framed = is_chosen or bool(state & QStyle.StateFlag.State_MouseOver)
        if is_framed:
            painter.setPen(QPen(theme.color("accent" if is_chosen else "field_line"), 2))
            painter.drawPath(outline)
        painter.restore()


class PathCards(QListWidget):
    """Cards that can be dragged to other places, or moved there with Ctrl and an arrow key.

    reordered: indices of the views in their new order."""

    reordered = Signal(list)
    delete_wished = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("path_views")
        self.setAccessibleName("Views of the camera path")
        self.setFlow(QListView.Flow.LeftToRight)
        self.setItemDelegate(_CardPainter(self))
        self.setWrapping(False)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSpacing(active_theme().px(4))
        # When a card was dropped it is still being moved: what is told must wait.
        self._dropped = QTimer(self, singleShot=True, interval=0)
        self._dropped.timeout.connect(lambda: self.reordered.emit(self.order()))
        self.model().rowsMoved.connect(lambda *_: self._dropped.start())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_wished.emit()
        elif event.modifiers() == Qt.KeyboardModifier.ControlModifier and event.key() in _STEPS:
            self._move(_STEPS[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def _move(self, by: int) -> None:
        place, order = self.currentRow(), self.order()
        if 0 <= place < len(order) and 0 <= place + by < len(order):
            order.insert(place + by, order.pop(place))
            self.setCurrentRow(place + by)
            self.reordered.emit(order)

    def order(self) -> list[int]:
        """Which view is at each place."""
        return [int(self.item(place).data(VIEW)) for place in range(self.count())]
