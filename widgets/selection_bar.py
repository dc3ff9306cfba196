"""How many Gaussians are selected, at the foot of the picture, with what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from widgets.parts import grouped
from widgets.theme import active_theme
from widgets.viewport_overlays import Counts

_AXES_WIDTH = 176  # design pixels that axes and scale bar take at the left of the foot


class SelectionBar(QFrame):
    """ "1 240 of 152 746 selected" over `host`, and buttons for some actions."""

    def __init__(self, host: QWidget, actions: Sequence[QAction]) -> None:
        super().__init__(host)
        self.setObjectName("selection_bar")
        self.setProperty("notice", True)
        self._host, self._left = host, 0
        px = active_theme().px
        self.label = QLabel()
        self.label.setObjectName("selection_count")
        row = QHBoxLayout(self)
        row.setContentsMargins(px(12), px(3), px(4), px(3))
        row.setSpacing(px(2))
        row.addWidget(self.label)
        row.addSpacing(px(8))
        self._buttons = [self._button(action) for action in actions]
        for button in self._buttons:
            row.addWidget(button)
        host.installEventFilter(self)
        self.hide()

    def _button(self, action: QAction) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"chip_{action.objectName()}")
        button.setDefaultAction(action)
        button.setAccessibleName(action.text())
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        button.setIconSize(QSize(active_theme().px(16), active_theme().px(16)))
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    @property
    def text(self) -> str:
        return self.label.text()

    def show_counts(self, selected: int, total: int, left: int) -> None:
        """Say how many of how many are selected; nothing selected needs no bar. left: where its room begins, in
        pixels."""
        self._left = left
        self.label.setText(f"<b>{grouped(selected)}</b> of {grouped(total)} selected")
        self.setAccessibleName(f"{selected} of {total} selected")
        self.setVisible(selected > 0)
        if selected:
            self.place()

    def place(self) -> None:
        """Stand in the middle of the foot, above axes and counts where these leave no room beside them; where it is
        narrow, the last buttons are enough."""
        theme, host = active_theme(), self._host
        room = host.width() - self._left - theme.px(8)
        for num_hidden in range(len(self._buttons) - 1):
            for place, button in enumerate(self._buttons):
                button.setVisible(place >= num_hidden)
            self.ensurePolished()
            if (layout := self.layout()) is not None:
                layout.invalidate()
                layout.activate()
            if self.sizeHint().width() <= room:
                break
        size = self.sizeHint()
        left = max((host.width() - size.width()) // 2, self._left)
        counts = host.findChild(Counts)
        most = counts.x() if counts is not None and counts.isVisible() else host.width()
        is_beside = left > theme.px(_AXES_WIDTH) and left + size.width() <= most
        top = host.height() - size.height() - theme.px(12 if is_beside else 84)
        self.setGeometry(left, max(0, top), size.width(), size.height())
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._host and self.isVisible():
            self.place()
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self.isVisible():
            self.place()
