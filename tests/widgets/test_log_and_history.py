"""The log and the history, read and clicked."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QUndoCommand, QUndoStack
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QPlainTextEdit, QPushButton, QUndoView
from pytestqt.qtbot import QtBot

from widgets.history_view import HistoryView
from widgets.log_view import LogLine, LogView

LINES = [
    LogLine("10:00:00", "debug", "Loaded 15 planes."),
    LogLine("10:00:01", "info", "Hand started.", "run-a"),
    LogLine("10:00:02", "warning", "Planes 7 and 12 contradict each other.", "run-a"),
    LogLine("10:00:03", "error", "Not enough memory.\nLower the resolution.", "run-b"),
]


@pytest.fixture
def log(qtbot: QtBot) -> LogView:
    view = LogView()
    qtbot.addWidget(view)
    view.resize(800, 160)
    view.show()
    qtbot.waitExposed(view)
    return view


def test_information_and_above_is_shown_at_first_and_any_level_on_demand(log: LogView) -> None:
    log.set_lines(LINES)
    assert "Loaded" not in log.text() and "Hand started." in log.text()
    log.set_level("debug")
    assert "Loaded 15 planes." in log.text()
    log.set_level("error")
    assert log.text() == "10:00:03  error    Not enough memory.\n                   Lower the resolution."


def test_searching_leaves_the_lines_with_the_words(log: LogView, qtbot: QtBot) -> None:
    log.set_lines(LINES)
    qtbot.keyClicks(log.findChild(QLineEdit, "log_search"), "contra")
    assert log.text() == "10:00:02  warning  Planes 7 and 12 contradict each other."


def test_a_search_without_a_hit_says_so_and_can_be_taken_back(log: LogView, qtbot: QtBot) -> None:
    log.set_lines(LINES)
    qtbot.keyClicks(log.findChild(QLineEdit, "log_search"), "zebra")
    everything = log.findChild(QPushButton)
    assert everything.isVisible() and not log.findChild(QPlainTextEdit).isVisible()
    qtbot.mouseClick(everything, Qt.MouseButton.LeftButton)
    assert len(log.text().splitlines()) == 5


def test_the_log_of_one_run_is_shown_alone(log: LogView) -> None:
    log.set_lines(LINES)
    log.name_source("run-a", "Hand")
    log.show_source("run-a")
    assert [line.split()[1] for line in log.text().splitlines()] == ["info", "warning"]
    log.add("info", "Done.", "run-a")
    log.add("info", "Saved.")
    assert "Done." in log.text() and "Saved." not in log.text()
    assert log.findChild(QComboBox, "log_source").count() == 2


def test_new_lines_are_followed_until_someone_scrolls_away(log: LogView, qtbot: QtBot) -> None:
    for number in range(60):
        log.add("info", f"Line {number}")
    text = log.findChild(QPlainTextEdit, "log_text")
    bar = text.verticalScrollBar()
    assert bar.maximum() > 0 and bar.value() == bar.maximum()
    bar.triggerAction(bar.SliderAction.SliderToMinimum)
    assert not log.is_following()
    log.add("info", "One more")
    assert bar.value() == 0
    bar.triggerAction(bar.SliderAction.SliderToMaximum)
    assert log.is_following()


def test_copy_takes_what_is_shown_and_open_asks_for_the_file(log: LogView, qtbot: QtBot) -> None:
    log.set_lines(LINES)
    log.set_level("warning")
    qtbot.mouseClick(log.findChild(QAbstractButton, "log_copy"), Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == log.text()
    log.name_source("run-a", "Hand")
    log.show_source("run-a")
    with qtbot.waitSignal(log.open_wished) as heard:
        qtbot.mouseClick(log.findChild(QAbstractButton, "log_open"), Qt.MouseButton.LeftButton)
    assert heard.args == ["run-a"]


@pytest.fixture
def stack() -> QUndoStack:
    stack = QUndoStack()
    for text in ("Import hand", "Draw contour on plane 2", "Hand 1"):
        stack.push(QUndoCommand(text))
    return stack


def test_the_history_names_every_step_and_a_click_goes_there(qtbot: QtBot, stack: QUndoStack) -> None:
    view = HistoryView(stack)
    qtbot.addWidget(view)
    view.show()
    qtbot.waitExposed(view)
    steps = view.findChild(QUndoView)
    texts = [steps.model().index(place, 0).data() for place in range(steps.model().rowCount())]
    assert texts == ["As opened", "Import hand", "Draw contour on plane 2", "Hand 1"]
    place = steps.visualRect(steps.model().index(1, 0)).center()
    qtbot.mouseClick(steps.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert stack.index() == 1
    assert view._count.text() == "3 steps, 2 undone"


def test_an_empty_history_says_so_and_the_memory_is_told(qtbot: QtBot, stack: QUndoStack) -> None:
    view = HistoryView()
    qtbot.addWidget(view)
    view.show()
    assert not view.findChild(QUndoView).isVisible()
    view.set_stack(stack)
    assert view.findChild(QUndoView).isVisible()
    view.set_memory(31_000_000, 512_000_000)
    assert view._memory.text() == "31 MB of 512 MB"
    stack.clear()
    assert not view.findChild(QUndoView).isVisible()
