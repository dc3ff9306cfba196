"""The tools at the left edge of a picture: a card of icon buttons in as many columns as its height asks for."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QGridLayout, QSpacerItem, QToolButton, QWidget

from widgets.theme import active_theme

_SIDE, _ICON, _GAP, _MARGIN, _GROUP_GAP = 32, 18, 2, 4, 6
_AXES_HEIGHT = 84  # left free below, for axes and scale bar


class ToolStrip(QFrame):
    """Shows actions in groups over `host`; their icons, ticks and reasons follow the actions by themselves."""

    def __init__(self, host: QWidget, groups: Sequence[Sequence[QAction]]) -> None:
        super().__init__(host)
        self.setObjectName("tools")
        self.setProperty("notice", True)
        self._host, self._groups = host, [list(group) for group in groups]
        self.buttons = {action.objectName(): self._button(action) for group in groups for action in group}
        self._grid = QGridLayout(self)
        self._num_rows = 0
        host.installEventFilter(self)
        self.hide()

    def _button(self, action: QAction) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"tool_{action.objectName()}")
        button.setDefaultAction(action)
        button.setAccessibleName(action.text())
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def right_edge(self) -> int:
        """Where the free part of the host begins, in pixels from its left."""
        return self.geometry().right() + active_theme().px(8) if self.isVisible() else active_theme().px(8)

    def place(self) -> None:
        """Stand at the left edge, in one column where the height allows."""
        px = active_theme().px
        room = max(px(_SIDE * 3), self._host.height() - px(8) - px(_AXES_HEIGHT))
        gaps = (len(self._groups) - 1) * (px(_GROUP_GAP) + px(_GAP))
        free = room - px(2 * _MARGIN) + px(_GAP)
        each = px(_SIDE) + px(_GAP)
        self._fill(max(3, free // each), has_gaps=free - gaps >= len(self.buttons) * each)
        self.adjustSize()
        self.setGeometry(QRect(px(8), px(8), self.sizeHint().width(), self.sizeHint().height()))
        self.raise_()

    def _fill(self, fit: int, *, has_gaps: bool) -> None:
        """Put the buttons into columns of at most `fit`; a group begins after a small gap where there is room."""
        px = active_theme().px
        while self._grid.count():
            self._grid.takeAt(0)
        self._grid.setContentsMargins(*(px(_MARGIN),) * 4)
        self._grid.setSpacing(px(_GAP))
        total = len(self.buttons)
        num_columns = -(-total // fit)
        num_rows = -(-total // num_columns)
        firsts = {group[0].objectName() for group in self._groups[1:]}
        for place, (name, button) in enumerate(self.buttons.items()):
            button.setFixedSize(px(_SIDE), px(_SIDE))
            button.setIconSize(QSize(px(_ICON), px(_ICON)))
            column, row = divmod(place, num_rows)
            if has_gaps and name in firsts:
                self._grid.addItem(QSpacerItem(0, px(_GROUP_GAP)), 2 * row - 1, 0)
            self._grid.addWidget(button, 2 * row, column)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._host and self.isVisible():
            self.place()
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self.isVisible():
            self.place()
