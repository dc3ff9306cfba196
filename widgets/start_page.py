"""Where work begins: new, open, import; what can be made; what was open lately."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from widgets.icons import IconLabel, app_icon, icon
from widgets.recent_list import RecentList, RecentProject
from widgets.theme import active_theme, secondary_label, title_label
from widgets.workflow_card import CardFrame, WorkflowCard

_WIDE = 960  # design pixels from which there is room for three columns
_TWO_CARDS = 1240  # from which there is room for two cards beside each other


class StartPage(QWidget):
    """The page [start_page]. It takes files dropped anywhere on it and says what is wished."""

    new_wished = Signal()
    open_wished = Signal()
    import_wished = Signal()
    start_wished = Signal(str)  # workflow id
    sample_wished = Signal(str)  # workflow id
    recent_wished = Signal(str)  # path of a project
    recent_removed = Signal(str)
    files_dropped = Signal(list)  # [Path]

    def __init__(
        self, cards: Sequence[WorkflowCard], version: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("start_page")
        self.setProperty("surface", "window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAcceptDrops(True)
        self._is_target = False
        self._frames: list[CardFrame] = []
        self._cards = QGridLayout()
        self._recent = RecentList()
        self._recent.opened.connect(self.recent_wished)
        self._recent.removed.connect(self.recent_removed)
        self._device, self._tip, self._tip_row = secondary_label(""), secondary_label(""), QWidget()
        px = active_theme().px
        self._columns = QHBoxLayout()
        self._columns.setSpacing(px(32))
        self._columns.addWidget(self._actions(version))
        self._columns.addWidget(self._workflows(cards), 1)
        self._columns.addWidget(self._recent)
        page = QVBoxLayout(self)
        page.setContentsMargins(px(32), px(32), px(32), px(16))
        page.setSpacing(px(16))
        page.addLayout(self._columns, 1)
        page.addLayout(self._foot())

    def set_recent(self, projects: Sequence[RecentProject]) -> None:
        """Show the projects that were open lately, newest first."""
        self._recent.set_projects(projects)

    def set_device_line(self, text: str) -> None:
        """Say what this machine computes with."""
        self._device.setText(text)

    def set_tip(self, text: str) -> None:
        """Show one hint at the foot of the page."""
        self._tip.setText(text)
        self._arrange()

    def _actions(self, version: str) -> QWidget:
        px = active_theme().px
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(8))
        column.addWidget(_Logo())
        name = QLabel("Isokiln")
        name.setProperty("role", "page-title")
        column.addWidget(name)
        column.addWidget(secondary_label(f"Version {version}" if version else ""))
        column.addSpacing(px(16))
        for object_name, text, icon_name, wish in (
            ("start_new", "New project", "file-plus", self.new_wished),
            ("start_open", "Open…", "folder-open", self.open_wished),
            ("start_import", "Import files…", "import", self.import_wished),
        ):
            button = QPushButton(icon(icon_name), text)
            button.setObjectName(object_name)
            button.setProperty("large", True)
            button.setProperty("leading", True)
            button.clicked.connect(wish)
            column.addWidget(button)
        column.addSpacing(px(8))
        hint = secondary_label("or drop files anywhere on this page")
        hint.setWordWrap(True)
        column.addWidget(hint)
        column.addStretch(1)
        side = QWidget()
        side.setLayout(column)
        side.setFixedWidth(px(176))
        return side

    def _workflows(self, cards: Sequence[WorkflowCard]) -> QWidget:
        px = active_theme().px
        self._middle = column = QVBoxLayout()
        column.setContentsMargins(0, 0, px(4), 0)
        column.setSpacing(px(16))
        question = title_label("What do you want to make?")
        question.setWordWrap(True)
        column.addWidget(question)
        for index, card in enumerate(cards):
            frame = CardFrame(card, is_only=len(cards) == 1, is_first=index == 0)
            frame.start.clicked.connect(lambda _=False, wish=card.id: self.start_wished.emit(wish))
            frame.sample.clicked.connect(lambda _=False, wish=card.id: self.sample_wished.emit(wish))
            self._frames.append(frame)
        self._cards.setSpacing(px(16))
        self._place_cards(1)
        column.addLayout(self._cards)
        column.addStretch(1)
        inside = QWidget()
        inside.setProperty("transparent", True)
        inside.setLayout(column)
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.viewport().setAutoFillBackground(False)
        return scroll

    def _foot(self) -> QHBoxLayout:
        self._device.setWordWrap(True)
        row = QHBoxLayout()
        row.setSpacing(active_theme().px(8))
        row.addWidget(IconLabel("cpu", 16, "text_second"))
        row.addWidget(self._device, 1)
        inside = QHBoxLayout(self._tip_row)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(IconLabel("lightbulb", 16, "text_second"))
        inside.addWidget(self._tip)
        self._tip_row.hide()
        row.addWidget(self._tip_row)
        return row

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _paths(event):
            event.acceptProposedAction()
            self._set_target(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._set_target(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._set_target(False)
        event.acceptProposedAction()
        self.files_dropped.emit(_paths(event))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Put the recent projects beside the cards, or below them where the window is narrow for its scale."""
        self._place_cards(2 if self.width() >= active_theme().px(_TWO_CARDS) else 1)
        is_narrow = self.width() < active_theme().px(_WIDE)
        self._tip_row.setVisible(bool(self._tip.text()) and not is_narrow)
        if is_narrow == self._recent.is_flat:
            return
        self._recent.set_flat(is_narrow)
        if is_narrow:
            self._columns.removeWidget(self._recent)
            self._middle.insertWidget(self._middle.count() - 1, self._recent)
        else:
            self._middle.removeWidget(self._recent)
            self._columns.addWidget(self._recent)
        self._recent.show()  # Another parent hides it, for good where the page is covered meanwhile.

    def _place_cards(self, num_columns: int) -> None:
        """Put the cards into this many columns of one width."""
        num_columns = min(num_columns, max(1, len(self._frames)))
        if self._cards.count() and self._cards.columnStretch(1) == num_columns - 1:
            return
        self._cards.setColumnStretch(0, 1)
        self._cards.setColumnStretch(1, num_columns - 1)
        for index, frame in enumerate(self._frames):
            self._cards.addWidget(frame, index // num_columns, index % num_columns)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._is_target:
            return
        theme = active_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(theme.color("accent"), theme.px(2), Qt.PenStyle.DashLine)
        painter.setPen(pen)
        inset = theme.px(10)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), 10, 10)

    def _set_target(self, is_target: bool) -> None:
        self._is_target = is_target
        self.update()


class _Logo(QLabel):
    def __init__(self) -> None:
        super().__init__()
        side = active_theme().px(64)
        self.setPixmap(app_icon().pixmap(QSize(side, side), self.devicePixelRatioF()))
        self.setAccessibleName("Isokiln")


def _paths(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
