"""A log: filtered by level, searched, followed to its end, copied or opened as a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QGuiApplication, QSyntaxHighlighter, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QStackedWidget, QWidget

from widgets.parts import EmptyPlace, column_in, icon_button, row_of, search_field, text_button
from widgets.setting_editors import CalmCombo
from widgets.theme import active_theme, fixed_font

LEVELS = ("debug", "info", "warning", "error")
_LEVEL_WORDS = ("All levels", "Info and above", "Warnings, errors", "Errors only")
_COLORS = {"debug": "text_second", "info": "link", "warning": "warn", "error": "error"}
_MOST_LINES = 50_000


@dataclass(frozen=True)
class LogLine:
    """One entry. time: as it is shown, "14:05:02". level: one of LEVELS. source: id of what said it."""

    time: str
    level: str
    text: str
    source: str = ""

    def shown(self) -> str:
        """The entry as one or more lines of the view; further lines are indented below the first."""
        head = f"{self.time}  {self.level:<7}  "
        return head + self.text.rstrip().replace("\n", "\n" + " " * len(head))


class LogView(QWidget):
    """What the program and its runs say. open_wished: show the file of the chosen source ("" is the program)."""

    open_wished = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("log_view")
        self._lines: list[LogLine] = []
        self._build()
        self._restyle()
        self._refresh()

    def add(self, level: str, text: str, source: str = "") -> None:
        """Add an entry of this moment. source: id of the run that said it, empty for the program."""
        self.append(LogLine(datetime.now().strftime("%H:%M:%S"), level, text, source))

    def name_source(self, source: str, words: str) -> None:
        """Offer to show only what one run says."""
        place = self._sources.findData(source)
        if place < 0:
            self._sources.addItem(words, source)
        else:
            self._sources.setItemText(place, words)
        self._sources.show()

    def show_source(self, source: str | None) -> None:
        """Show only what one source says; None shows all."""
        self._sources.setCurrentIndex(max(0, self._sources.findData(source)))

    def set_lines(self, lines: Iterable[LogLine]) -> None:
        """Show another log."""
        self._lines = list(lines)[-_MOST_LINES:]
        self._refresh()

    def append(self, line: LogLine) -> None:
        """Add an entry at the end."""
        self._lines.append(line)
        del self._lines[: len(self._lines) - _MOST_LINES]
        if self._passes(line):
            self._text.appendPlainText(line.shown())
            self._end_of_append()
        self._show_state()

    def text(self) -> str:
        """What is shown."""
        return self._text.toPlainText()

    def set_level(self, level: str) -> None:
        """Show this level and those above it."""
        self._level.setCurrentIndex(LEVELS.index(level))

    def is_following(self) -> bool:
        """Whether the view stays at the end as entries come in."""
        return self._follow.isChecked()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_text"):
            self._restyle()

    def _build(self) -> None:
        self._sources = CalmCombo()
        self._sources.setObjectName("log_source")
        self._sources.setAccessibleName("Log of")
        self._sources.addItem("Everything", None)
        self._sources.currentIndexChanged.connect(lambda _: self._refresh())
        self._sources.hide()
        self._level = CalmCombo()
        self._level.setObjectName("log_level")
        self._level.setAccessibleName("Level")
        self._level.addItems(list(_LEVEL_WORDS))
        self._level.setCurrentIndex(1)
        self._level.setMinimumContentsLength(12)
        self._sources.setMinimumContentsLength(10)
        self._level.currentIndexChanged.connect(lambda _: self._refresh())
        self._search = search_field("Search the log")
        self._search.setObjectName("log_search")
        self._search.textChanged.connect(lambda _: self._refresh())
        self._follow = icon_button(
            "arrow-down", "Follow", "Stay at the end as lines come in", is_checkable=True
        )
        self._follow.setChecked(True)
        self._follow.toggled.connect(self._on_follow)
        copy = icon_button("copy", "Copy", "Copy what is selected, or all that is shown")
        copy.setObjectName("log_copy")
        copy.clicked.connect(self._on_copy)
        opens = icon_button("external-link", "Open file", "Open the log file")
        opens.setObjectName("log_open")
        opens.clicked.connect(lambda: self.open_wished.emit(self._sources.currentData() or ""))
        bar = row_of(self._sources, self._level, self._search, 0, self._follow, copy, opens)
        bar.setStretchFactor(self._search, 1)
        margin = active_theme().px(8)
        bar.setContentsMargins(margin, margin, margin, active_theme().px(4))
        column = column_in(self, spacing=0)
        column.addLayout(bar)
        column.addWidget(self._build_pages(), 1)

    def _build_pages(self) -> QStackedWidget:
        self._text = QPlainTextEdit()
        self._text.setObjectName("log_text")
        self._text.setReadOnly(True)
        self._text.setUndoRedoEnabled(False)
        self._text.setMaximumBlockCount(_MOST_LINES)
        self._text.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self._text.verticalScrollBar().actionTriggered.connect(self._on_scrolled)
        self._colors = _LevelColors(self._text.document())
        self._empty = EmptyPlace("file-text", "No log yet. What a run says is kept here.")
        everything = text_button("Show everything")
        everything.clicked.connect(self._on_everything)
        self._nothing = EmptyPlace("search", "No line has these words at this level.", everything)
        self._pages = QStackedWidget()
        for page in (self._empty, self._nothing, self._text):
            self._pages.addWidget(page)
        return self._pages

    def _passes(self, line: LogLine) -> bool:
        source = self._sources.currentData()
        if source is not None and line.source != source:
            return False
        rank = LEVELS.index(line.level) if line.level in LEVELS else 1
        return rank >= self._level.currentIndex() and self._search.text().lower() in line.shown().lower()

    def _refresh(self) -> None:
        self._text.setPlainText("\n".join(line.shown() for line in self._lines if self._passes(line)))
        self._end_of_append()
        self._show_state()

    def _show_state(self) -> None:
        is_shown = bool(self._text.document().characterCount() > 1)
        self._pages.setCurrentWidget(
            self._text if is_shown else self._nothing if self._lines else self._empty
        )

    def _end_of_append(self) -> None:
        if self._follow.isChecked():
            self._text.moveCursor(QTextCursor.MoveOperation.End)
            bar = self._text.verticalScrollBar()
            bar.setValue(bar.maximum())

    def _on_follow(self, is_on: bool) -> None:
        if is_on:
            self._end_of_append()

    def _on_scrolled(self) -> None:
        """Scrolling away from the end stops following; scrolling back to it goes on."""
        bar = self._text.verticalScrollBar()
        self._follow.setChecked(bar.sliderPosition() >= bar.maximum())

    def _on_copy(self) -> None:
        chosen = self._text.textCursor().selectedText().replace("\u2029", "\n")
        QGuiApplication.clipboard().setText(chosen or self.text())

    def _on_everything(self) -> None:
        self._sources.setCurrentIndex(0)
        self._search.clear()
        self._level.setCurrentIndex(0)

    def _restyle(self) -> None:
        self._text.setFont(fixed_font(active_theme()))
        self._text.setStyleSheet(
            "QPlainTextEdit { border: none; border-radius: 0; background: transparent; }"
        )
        self._colors.rehighlight()


class _LevelColors(QSyntaxHighlighter):
    """The time quiet, the level's word in its colour."""

    def highlightBlock(self, text: str) -> None:
        head, _, rest = text.partition("  ")
        word = rest.split(" ", 1)[0]
        if head[:2].isdigit() and word in _COLORS:
            self.setFormat(0, len(head), _format("text_second"))
            self.setFormat(len(head) + 2, len(word), _format(_COLORS[word]))


def _format(color: str) -> QTextCharFormat:
    shape = QTextCharFormat()
    shape.setForeground(active_theme().color(color))
    return shape
