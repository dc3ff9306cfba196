"""What was asked for in words before: when, what, with which seed, and what came of it; found by searching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QWidget

from widgets.icons import item_icon
from widgets.parts import column_in, search_field
from widgets.theme import active_theme

_VERDICTS = {
    "": ("hourglass", "text_second", "being made"),
    "pending": ("circle-dashed", "accent", "waits for you"),
    "accepted": ("circle-check", "ok", "accepted"),
    "rejected": ("circle-x", "text_second", "rejected"),
    "failed": ("circle-alert", "error", "failed"),
}
_MOST_ROWS = 6
_ID = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class PromptRow:
    """One wish. when: in words. verdict: "", "pending", "accepted", "rejected" or "failed"."""

    id: str
    prompt: str
    target: str
    when: str
    seed: int
    verdict: str


class PromptHistory(QWidget):
    """The list [prompt_history], the newest first. chosen: the id of a wish to show in the prompt box again."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("prompt_history")
        self._rows: tuple[PromptRow, ...] = ()
        self.search = search_field("Search earlier edits")
        self.search.textChanged.connect(lambda _: self._fill())
        self.list = QListWidget()
        self.list.setObjectName("prompt_list")
        self.list.setAccessibleName("Earlier edits")
        self.list.setWordWrap(False)
        self.list.setSpacing(2)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        side = active_theme().px(16)
        self.list.setIconSize(QSize(side, side))
        self.list.itemClicked.connect(lambda item: self.chosen.emit(item.data(_ID)))
        self.list.itemActivated.connect(lambda item: self.chosen.emit(item.data(_ID)))
        self._nothing = QLabel("Nothing fits.")
        self._nothing.setProperty("role", "secondary")
        column = column_in(self, spacing=6)
        column.addWidget(self.search)
        column.addWidget(self.list)
        column.addWidget(self._nothing)
        self._fill()

    @property
    def shown(self) -> tuple[PromptRow, ...]:
        """The rows that fit what is searched for."""
        words = self.search.text().lower().split()
        return tuple(row for row in self._rows if all(word in _text_of(row) for word in words))

    def set_rows(self, rows: Sequence[PromptRow]) -> None:
        """Show these, the newest first."""
        if tuple(rows) != self._rows:
            self._rows = tuple(rows)
            self._fill()

    def _fill(self) -> None:
        self.list.clear()
        for row in self.shown:
            self.list.addItem(_item(row))
        count = self.list.count()
        self.list.setVisible(count > 0)
        self._nothing.setVisible(not count)
        self._nothing.setText("Nothing fits." if self._rows else "Nothing was asked for yet.")
        self.search.setVisible(len(self._rows) > 3)
        height = self.list.sizeHintForRow(0) + 4 if count else 0
        self.list.setFixedHeight(height * min(_MOST_ROWS, max(1, count)) + active_theme().px(8))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(
            self, "_nothing"
        ):  # icons have the theme's colours
            self._fill()


def _item(row: PromptRow) -> QListWidgetItem:
    icon_name, color, words = _VERDICTS.get(row.verdict, _VERDICTS[""])
    item = QListWidgetItem(item_icon(icon_name, 16, color), f"{row.prompt}\n{row.target}, {row.when}")
    item.setData(_ID, row.id)
    item.setToolTip(f"“{row.prompt}”\n{row.target}\n{row.when}, seed {row.seed}: {words}")
    item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{row.prompt}, {row.target}, {words}")
    return item


def _text_of(row: PromptRow) -> str:
    return f"{row.prompt} {row.target} {row.when} {row.seed} {_VERDICTS.get(row.verdict, _VERDICTS[''])[2]}".lower()
