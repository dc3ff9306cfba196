"""A frame that floats over a window and keeps its place when the window changes its size."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent, QColor
from PySide6.QtWidgets import QFrame, QGraphicsDropShadowEffect, QWidget

from widgets.theme import active_theme


class Overlay(QFrame):
    """Floats over `host`, centred in `room_in`; a subclass says where from the top by `top_in`."""

    def __init__(self, host: QWidget, width: int) -> None:
        super().__init__(host)
        self._host = host
        self._design_width = width
        self.setProperty("notice", True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        shadow = QGraphicsDropShadowEffect(self)
        shadow.setBlurRadius(active_theme().px(28))
        shadow.setOffset(0, active_theme().px(6))
        shadow.setColor(QColor(0, 0, 0, 110 if active_theme().is_dark else 60))
        self.setGraphicsEffect(shadow)
        host.installEventFilter(self)
        self.hide()

    def top_in(self, host: QWidget) -> int:
        """Distance of the upper edge from the host's, in pixels."""
        return active_theme().px(72)

    def room_in(self, host: QWidget) -> QRect:
        """The part of the host that it floats over; all of it unless a subclass says otherwise."""
        return host.rect()

    def place(self) -> None:
        """Take the size that the contents need, and the place in the host."""
        host, room = self._host, self.room_in(self._host)
        margin = active_theme().px(16)
        layout = self.layout()
        # A row of long buttons may need more; a little above the least, so that Qt does not round one down.
        needed = layout.minimumSize().width() + margin // 2 if layout is not None else 0
        width = max(active_theme().px(self._design_width), needed)
        width = min(width, max(1, room.width() - 2 * margin))
        height = self.sizeHint().height()
        if layout is not None and layout.hasHeightForWidth():
            height = layout.totalHeightForWidth(width)
        self.resize(width, min(height, max(1, host.height() - margin)))
        left = room.left() + (room.width() - width) // 2
        self.move(QPoint(left, max(0, min(self.top_in(host), host.height() - height))))

    def appear(self) -> None:
        """Show above everything else in the host."""
        self.show()
        for child in self.findChildren(QWidget):
            child.ensurePolished()  # the style sheet's type sizes count in the height
        if (layout := self.layout()) is not None:
            layout.invalidate()
            layout.activate()  # forgets the sizes that the inner layouts had before
        self.place()
        self.raise_()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.place()
        return super().eventFilter(watched, event)

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest and self.isVisible():
            self.place()
        return handled
