"""Type what you want to do: every action by its name, its synonyms and its menu."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QAction, QFontMetrics, QIcon, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from widgets.icons import icon
from widgets.overlay import Overlay
from widgets.theme import active_theme, interface_font

_COMMAND = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Command:
    """An action with what else people call it, where it stands in the menus, and why it cannot be used now."""

    action: QAction
    keywords: str = ""
    menu_path: str = ""
    disabled_reason: str = ""

    @property
    def title(self) -> str:
        return self.action.text().replace("&", "")


def score(query: str, command: Command) -> float:
    """How well a command fits what was typed: 0 for not at all. Every word of the query must be found."""
    fields = ((command.title, 3.0), (command.keywords, 2.0), (command.menu_path, 1.0))
    total = 0.0
    for word in query.lower().split():
        best = max(weight * _word_score(word, text.lower()) for text, weight in fields)
        if not best:
            return 0.0
        total += best
    return total


def _word_score(word: str, text: str) -> float:
    """1 for the start of a word, less within a word, least for letters in order."""
    words = text.replace("-", " ").split()
    if any(other == word for other in words):
        return 1.2
    if any(other.startswith(word) for other in words):
        return 1.0
    if word in text:
        return 0.6
    letters = iter(text)
    return 0.2 if len(word) > 2 and all(letter in letters for letter in word) else 0.0


class CommandPalette(Overlay):
    """A field and a list over the window; Enter runs the chosen action, Esc goes."""

    def __init__(self, host: QWidget) -> None:
        super().__init__(host, 620)
        self.setObjectName("palette")
        self._commands: tuple[Command, ...] = ()
        self._last_focus: QWidget | None = None
        self._field = QLineEdit(placeholderText="What do you want to do?")
        self._field.setObjectName("palette_field")
        self._field.setAccessibleName("Find an action")
        self._field.addAction(icon("search", 16, "text_second"), QLineEdit.ActionPosition.LeadingPosition)
        self._list = QListWidget()
        self._list.setObjectName("palette_list")
        self._list.setItemDelegate(_CommandDelegate(self._list))
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._nothing = QLabel("No action is called that. Try another word.")
        self._nothing.setProperty("role", "secondary")
        px = active_theme().px
        column = QVBoxLayout(self)
        column.setContentsMargins(px(8), px(8), px(8), px(8))
        column.setSpacing(px(8))
        column.addWidget(self._field)
        column.addWidget(self._list)
        column.addWidget(self._nothing)
        self._field.textChanged.connect(self._find)
        self._field.installEventFilter(self)
        self._list.itemClicked.connect(self._run)

    def open_with(self, commands: Sequence[Command]) -> None:
        """Show these commands, with an empty query."""
        host_focus = self.window().focusWidget()
        self._last_focus = host_focus if host_focus is not self._field else self._last_focus
        self._commands = tuple(command for command in commands if command.title)
        self._field.clear()
        self._find("")
        self.appear()
        self._field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def shown_titles(self) -> list[str]:
        """Titles in the list, best first."""
        return [self._command(row).title for row in range(self._list.count())]

    def close_palette(self) -> None:
        """Go, and give the keyboard back."""
        self.hide()
        if self._last_focus is not None:
            self._last_focus.setFocus(Qt.FocusReason.PopupFocusReason)
        self._last_focus = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._on_key(event)
        if watched is self._field and event.type() == QEvent.Type.FocusOut and self.isVisible():
            self.hide()
        return super().eventFilter(watched, event)

    def _on_key(self, event: QKeyEvent) -> bool:
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}
        if event.key() in steps and self._list.count():
            row = self._list.currentRow() + steps[Qt.Key(event.key())]
            self._list.setCurrentRow(min(max(row, 0), self._list.count() - 1))
            return True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self._list.currentItem() is not None:
                self._run(self._list.currentItem())
            return True
        if event.key() == Qt.Key.Key_Escape:
            self.close_palette()
            return True
        return False

    def _find(self, query: str) -> None:
        found = [(score(query, command) if query.strip() else 1.0, command) for command in self._commands]
        # Sorting is stable: equal scores stay in the order of the menus, what can be used now goes first.
        best = sorted((-points, not c.action.isEnabled(), i) for i, (points, c) in enumerate(found) if points)
        self._list.clear()
        for _, _, index in best:
            self._list.addItem(_item(found[index][1]))
        self._list.setCurrentRow(0)
        self._nothing.setVisible(not best)
        self._list.setVisible(bool(best))
        self._list.setFixedHeight(min(len(best), 9) * row_height() + active_theme().px(4))
        self.place()

    def _command(self, row: int) -> Command:
        command: Command = self._list.item(row).data(_COMMAND)
        return command

    def _run(self, item: QListWidgetItem) -> None:
        command: Command = item.data(_COMMAND)
        if not command.action.isEnabled():
            return
        self.close_palette()
        command.action.trigger()


def row_height() -> int:
    """Height of one command, in pixels."""
    return active_theme().px(36)


def _item(command: Command) -> QListWidgetItem:
    item = QListWidgetItem()
    item.setData(_COMMAND, command)
    item.setText(command.title)  # for screen readers; the delegate paints
    item.setToolTip(command.disabled_reason or command.action.toolTip())
    return item


class _CommandDelegate(QStyledItemDelegate):
    """Title at the left; menu or reason beside it, quieter; the key at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(10, row_height())

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        command: Command = index.data(_COMMAND)
        theme = active_theme()
        is_enabled = command.action.isEnabled()
        rect: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("selection"))
            painter.drawRoundedRect(rect, theme.px(6), theme.px(6))
        side = theme.px(16)
        mark = QRect(rect.left() + theme.px(10), rect.center().y() - side // 2 + 1, side, side)
        command.action.icon().paint(
            painter, mark, mode=QIcon.Mode.Normal if is_enabled else QIcon.Mode.Disabled
        )
        inner = rect.adjusted(theme.px(36), 0, -theme.px(12), 0)
        key = command.action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        font = interface_font(theme, 12)
        key_width = QFontMetrics(font).horizontalAdvance(key) + theme.px(8) if key else 0
        title_width = QFontMetrics(interface_font(theme)).horizontalAdvance(command.title) + theme.px(10)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(interface_font(theme))
        painter.setPen(theme.color("text" if is_enabled else "text_disabled"))
        painter.drawText(inner, middle, command.title)
        painter.setFont(font)
        painter.setPen(theme.color("text_second"))
        painter.drawText(inner, middle | Qt.AlignmentFlag.AlignRight, key)
        beside = inner.adjusted(title_width, 0, -key_width, 0)
        words = command.menu_path if is_enabled else command.disabled_reason or command.menu_path
        words = QFontMetrics(font).elidedText(words, Qt.TextElideMode.ElideRight, beside.width())
        painter.drawText(beside, middle, words)
        painter.restore()
