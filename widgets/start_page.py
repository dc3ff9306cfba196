"""Where a session of work begins: new, open, import; what can be made; what was open lately."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from widgets.icons import IconLabel, app_icon, icon
from widgets.recent_list import RecentList, RecentProject
from widgets.theme import Theme, active_theme, secondary_label, title_label

Paint = Callable[[Theme, QSize, float], QPixmap]


@dataclass(frozen=True)
class WorkflowCard:
    """One thing that can be made. paint: draws its picture for a theme, a size and a pixel ratio, or None."""

    id: str
    title: str
    line: str
    paint: Paint | None = None
    has_sample: bool = True


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
        self._recent = RecentList()
        self._recent.opened.connect(self.recent_wished)
        self._recent.removed.connect(self.recent_removed)
        self._device, self._tip, self._tip_row = secondary_label(""), secondary_label(""), QWidget()
        px = active_theme().px
        columns = QHBoxLayout()
        columns.setSpacing(px(32))
        columns.addWidget(self._actions(version))
        columns.addWidget(self._workflows(cards), 1)
        columns.addWidget(self._recent)
        page = QVBoxLayout(self)
        page.setContentsMargins(px(32), px(32), px(32), px(16))
        page.setSpacing(px(16))
        page.addLayout(columns, 1)
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
        self._tip_row.setVisible(bool(text))

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
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, px(4), 0)
        column.setSpacing(px(16))
        column.addWidget(title_label("What do you want to make?"))
        for index, card in enumerate(cards):
            frame = _Card(card, is_only=len(cards) == 1, is_first=index == 0)
            frame.start.clicked.connect(lambda _=False, wish=card.id: self.start_wished.emit(wish))
            frame.sample.clicked.connect(lambda _=False, wish=card.id: self.sample_wished.emit(wish))
            column.addWidget(frame)
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
        row = QHBoxLayout()
        row.setSpacing(active_theme().px(8))
        row.addWidget(IconLabel("cpu", 16, "text_second"))
        row.addWidget(self._device)
        row.addStretch(1)
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


class _Picture(QWidget):
    """A painted picture that is drawn again for another size, theme or pixel ratio."""

    def __init__(self, paint: Paint, height: int) -> None:
        super().__init__()
        self._paint = paint
        self._pixmap = QPixmap()
        self._rest = QTimer(self, singleShot=True, interval=150)
        self._rest.timeout.connect(self._draw_again)
        self.setFixedHeight(active_theme().px(height))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(active_theme().px(360), self.minimumHeight())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._pixmap = QPixmap()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._rest.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._pixmap.isNull():
            self._pixmap = self._paint(active_theme(), self.size(), self.devicePixelRatioF())
        # While the window is being resized the last picture stands in the middle.
        shift = (self.size() - self._pixmap.deviceIndependentSize().toSize()) / 2
        QPainter(self).drawPixmap(shift.width(), shift.height(), self._pixmap)

    def _draw_again(self) -> None:
        if self._pixmap.deviceIndependentSize().toSize() != self.size():
            self._pixmap = QPixmap()
            self.update()


class _Card(QFrame):
    """Picture, title, one line, Start and Try sample; larger when it is the only one."""

    def __init__(self, card: WorkflowCard, is_only: bool, is_first: bool) -> None:
        super().__init__()
        self.setObjectName(f"card_{card.id}")
        self.setProperty("card", True)
        px = active_theme().px
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(20), px(24), px(20))
        column.setSpacing(px(4))
        if card.paint is not None:
            column.addWidget(_Picture(card.paint, 300 if is_only else 150))
            column.addSpacing(px(12))
        title = title_label(card.title)
        title.setWordWrap(True)
        line = QLabel(card.line)
        line.setWordWrap(True)
        column.addWidget(title)
        column.addWidget(line)
        column.addSpacing(px(12))
        self.start = QPushButton(icon("play", 16, "on_accent" if is_first else "text"), "Start")
        self.start.setObjectName(f"start_{card.id}")
        self.start.setAccessibleName(f"Start: {card.title}")
        self.start.setProperty("primary", is_first)
        self.sample = QPushButton("Try sample")
        self.sample.setObjectName(f"sample_{card.id}")
        self.sample.setAccessibleName(f"Try sample: {card.title}")
        self.sample.setVisible(card.has_sample)
        row = QHBoxLayout()
        row.setSpacing(px(8))
        for button in (self.start, self.sample):
            button.setProperty("large", True)
            button.setMinimumWidth(px(112))
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)


def _paths(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
