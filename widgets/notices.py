"""What the program says without being asked: a toast passes, a banner stays, a sheet needs a decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from widgets.icons import IconLabel, icon
from widgets.overlay import Overlay
from widgets.theme import active_theme, title_label

Severity = Literal["info", "ok", "warning", "error"]
SEVERITY_ICONS: dict[str, tuple[str, str]] = {
    "info": ("info", "link"),
    "ok": ("circle-check", "ok"),
    "warning": ("triangle-alert", "warn"),
    "error": ("circle-x", "error"),
}


@dataclass(frozen=True)
class NoticeAction:
    """A button on a notice; `id` is what the signal `chosen` says."""

    id: str
    text: str
    is_primary: bool = False


def severity_icon(severity: Severity, size: int = 16) -> IconLabel:
    """The sign of a severity, which never speaks by colour alone."""
    name, color = SEVERITY_ICONS[severity]
    label = IconLabel(name, size, color)
    label.setAccessibleName(severity)
    return label


class Toast(Overlay):
    """One line at the foot of the picture that goes by itself, but not while the pointer rests on it.

    In a main window it keeps to the middle: panels are for work, which it must not cover."""

    chosen = Signal(str)
    closed = Signal()

    def __init__(
        self,
        host: QWidget,
        text: str,
        actions: Sequence[NoticeAction] = (),
        severity: Severity = "info",
        seconds: float = 5.0,
    ) -> None:
        super().__init__(host, 520)
        self.setObjectName("toast")
        self.setAccessibleName(text)
        for last in host.findChildren(Toast):
            if last is not self and last.isVisible():
                last.dismiss()  # one at a time; the log keeps them all
        row = QHBoxLayout(self)
        row.setContentsMargins(*(active_theme().px(n) for n in (12, 8, 8, 8)))
        row.setSpacing(active_theme().px(8))
        row.addWidget(severity_icon(severity), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(wrapped_label(text), 1)
        for action in actions:
            row.addWidget(_action_button(action, self._choose, "link"))
        row.addWidget(_close_button(self.dismiss))
        self._timer = QTimer(self, singleShot=True, interval=round(seconds * 1000))
        self._timer.timeout.connect(self.dismiss)
        self._timer.start()
        if isinstance(host, QMainWindow) and (middle := host.centralWidget()) is not None:
            middle.installEventFilter(self)  # panels come and go beside it
        self.appear()

    def room_in(self, host: QWidget) -> QRect:
        middle = host.centralWidget() if isinstance(host, QMainWindow) else None
        return host.rect() if middle is None else middle.geometry()

    def top_in(self, host: QWidget) -> int:
        room = self.room_in(host)
        below = 16 if room.bottom() < host.rect().bottom() else 44
        return room.bottom() + 1 - self.height() - active_theme().px(below)

    def dismiss(self) -> None:
        """Go, now."""
        self._timer.stop()
        self.hide()
        self.closed.emit()
        self.deleteLater()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._timer.start()
        super().leaveEvent(event)

    def _choose(self, action_id: str) -> None:
        self.chosen.emit(action_id)
        self.dismiss()


class BannerZone(QWidget):
    """States that persist, one line each, above the viewport; no height when there are none."""

    chosen = Signal(str, str)  # banner id, action id; the action "close" is the cross

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._banners: dict[str, QFrame] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(active_theme().px(4))
        self.hide()

    def show_banner(
        self,
        banner_id: str,
        text: str,
        severity: Severity = "info",
        actions: Sequence[NoticeAction] = (),
        can_close: bool = True,
    ) -> None:
        """Show a banner, or replace the one of the same id."""
        self.remove_banner(banner_id)
        banner = QFrame(self)
        banner.setProperty("notice", True)
        row = QHBoxLayout(banner)
        row.setContentsMargins(*(active_theme().px(n) for n in (12, 4, 6, 4)))
        row.setSpacing(active_theme().px(8))
        row.addWidget(severity_icon(severity))
        row.addWidget(wrapped_label(text), 1)
        for action in actions:
            row.addWidget(_action_button(action, lambda chosen: self.chosen.emit(banner_id, chosen)))
        if can_close:
            row.addWidget(_close_button(lambda: self._close(banner_id)))
        self._banners[banner_id] = banner
        self._column.addWidget(banner)
        self.show()

    def remove_banner(self, banner_id: str) -> None:
        """Take a banner away; nothing happens when it is not there."""
        banner = self._banners.pop(banner_id, None)
        if banner is not None:
            self._column.removeWidget(banner)
            banner.hide()
            banner.deleteLater()
        self.setVisible(bool(self._banners))

    def banner_ids(self) -> tuple[str, ...]:
        """The banners that stand now, from above."""
        return tuple(self._banners)

    def _close(self, banner_id: str) -> None:
        self.remove_banner(banner_id)
        self.chosen.emit(banner_id, "close")


class Sheet(Overlay):
    """A question over the window that lets the window be used. Esc chooses the last action."""

    chosen = Signal(str)

    def __init__(
        self,
        host: QWidget,
        title: str,
        text: str,
        actions: Sequence[NoticeAction],
        severity: Severity = "info",
        width: int = 520,
    ) -> None:
        super().__init__(host, width)
        self.setObjectName("sheet")
        self.setAccessibleName(title)
        self._actions = tuple(actions)
        px = active_theme().px
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(16), px(16), px(16))
        column.setSpacing(px(12))
        head = QHBoxLayout()
        head.setSpacing(px(12))
        head.addWidget(severity_icon(severity, 20), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(px(4))
        heading = title_label(title)
        heading.setWordWrap(True)
        words.addWidget(heading)
        words.addWidget(wrapped_label(text))
        head.addLayout(words, 1)
        column.addLayout(head)
        self.body = QVBoxLayout()
        self.body.setSpacing(px(8))
        column.addLayout(self.body)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(px(8))
        self._buttons.addStretch(1)
        for action in self._actions:
            self._buttons.addWidget(_action_button(action, self.choose))
        column.addLayout(self._buttons)
        self.appear()
        self._focus_first_button()

    def choose(self, action_id: str) -> None:
        """Answer, and go."""
        self.hide()
        self.chosen.emit(action_id)
        self.deleteLater()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._actions:
            self.choose(self._actions[-1].id)
            return
        super().keyPressEvent(event)

    def add_leading_button(self, button: QPushButton) -> None:
        """Put a button that does not answer, such as Copy details, at the left."""
        self._buttons.insertWidget(0, button)
        button.show()

    def _focus_first_button(self) -> None:
        buttons = [b for b in self.findChildren(QPushButton) if b.property("action_id")]
        chosen = next((b for b in buttons if b.property("primary")), buttons[0] if buttons else None)
        if chosen is not None:
            chosen.setFocus(Qt.FocusReason.PopupFocusReason)


def wrapped_label(text: str) -> QLabel:
    """Words to read and copy, on as many lines as they need."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _action_button(action: NoticeAction, choose: Callable[[str], None], role: str = "") -> QPushButton:
    button = QPushButton(action.text)
    button.setProperty("action_id", action.id)
    if action.is_primary or role:
        button.setProperty("primary" if action.is_primary else role, True)
    button.clicked.connect(lambda: choose(action.id))
    return button


def _close_button(close: Callable[[], None]) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon("x"))
    button.setAccessibleName("Close")
    button.setToolTip("Close")
    button.clicked.connect(lambda: close())
    return button
