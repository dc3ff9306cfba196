"""The palette finds actions by what people call them, says why one cannot be used, and runs the others."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit, QListWidget, QMainWindow
from pytestqt.qtbot import QtBot

from widgets.command_palette import Command, CommandPalette, score


@pytest.fixture
def window(qtbot: QtBot) -> QMainWindow:
    window = QMainWindow()
    qtbot.addWidget(window)
    window.setCentralWidget(QLineEdit())
    window.centralWidget().setFocus()
    window.resize(1024, 640)
    window.show()
    qtbot.waitExposed(window)
    return window


@pytest.fixture
def commands(window: QMainWindow) -> dict[str, Command]:
    rows = [
        ("&Decimate…", "reduce triangles simplify", "Edit 3D", True, ""),
        ("Start", "run reconstruct compute", "Reconstruct", True, ""),
        ("Pause", "", "Reconstruct", False, "Nothing is running"),
        ("Export…", "save mesh write glb stl", "File", True, ""),
        ("Frame all", "fit zoom extents", "View", True, ""),
    ]
    made = {}
    for text, keywords, menu, is_enabled, reason in rows:
        action = QAction(text, window)
        action.setEnabled(is_enabled)
        made[text.replace("&", "")] = Command(action, keywords, menu, reason)
    return made


@pytest.fixture
def palette(window: QMainWindow, commands: dict[str, Command]) -> CommandPalette:
    palette = CommandPalette(window)
    palette.open_with(list(commands.values()))
    return palette


def field(palette: CommandPalette) -> QLineEdit:
    found = palette.findChild(QLineEdit, "palette_field")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("reduce triangles", "Decimate…"),
        ("triangles reduce", "Decimate…"),
        ("simplify", "Decimate…"),
        ("dec", "Decimate…"),
        ("dcmt", "Decimate…"),
        ("glb", "Export…"),
        ("run", "Start"),
        ("ZOOM", "Frame all"),
    ],
)
def test_an_action_is_found_by_its_name_and_by_what_people_call_it(
    palette: CommandPalette, qtbot: QtBot, query: str, best: str
) -> None:
    qtbot.keyClicks(field(palette), query)
    assert palette.shown_titles()[0] == best


def test_every_word_must_be_found(commands: dict[str, Command]) -> None:
    assert score("reduce sausages", commands["Decimate…"]) == 0
    assert score("reduce", commands["Decimate…"]) > 0


def test_return_runs_the_chosen_action_and_gives_the_keyboard_back(
    palette: CommandPalette, commands: dict[str, Command], window: QMainWindow, qtbot: QtBot
) -> None:
    assert window.focusWidget() is field(palette)
    qtbot.keyClicks(field(palette), "reduce triangles")
    with qtbot.waitSignal(commands["Decimate…"].action.triggered):
        qtbot.keyClick(field(palette), Qt.Key.Key_Return)
    assert not palette.isVisible()
    assert window.focusWidget() is window.centralWidget()


def test_arrows_move_through_the_list_and_stop_at_its_ends(
    palette: CommandPalette, commands: dict[str, Command], qtbot: QtBot
) -> None:
    qtbot.keyClick(field(palette), Qt.Key.Key_Up)
    qtbot.keyClick(field(palette), Qt.Key.Key_Down)
    title = palette.shown_titles()[1]
    with qtbot.waitSignal(commands[title].action.triggered):
        qtbot.keyClick(field(palette), Qt.Key.Key_Return)


def test_what_cannot_be_used_stands_last_with_its_reason_and_does_not_run(
    palette: CommandPalette, commands: dict[str, Command], qtbot: QtBot
) -> None:
    assert palette.shown_titles()[-1] == "Pause"
    rows = palette.findChild(QListWidget, "palette_list")
    assert rows is not None and rows.item(rows.count() - 1).toolTip() == "Nothing is running"
    qtbot.keyClicks(field(palette), "pause")
    with qtbot.assertNotEmitted(commands["Pause"].action.triggered):
        qtbot.keyClick(field(palette), Qt.Key.Key_Return)
    assert palette.isVisible()


def test_a_click_runs_and_escape_goes(
    palette: CommandPalette, commands: dict[str, Command], qtbot: QtBot
) -> None:
    rows = palette.findChild(QListWidget, "palette_list")
    assert rows is not None
    place = rows.visualItemRect(rows.item(0)).center()
    with qtbot.waitSignal(commands[palette.shown_titles()[0]].action.triggered):
        qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    palette.open_with(list(commands.values()))
    qtbot.keyClick(field(palette), Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_an_unknown_word_says_so_instead_of_an_empty_list(palette: CommandPalette, qtbot: QtBot) -> None:
    qtbot.keyClicks(field(palette), "qqqq")
    assert palette.shown_titles() == []
    assert palette._nothing.isVisible()
    field(palette).clear()
    assert len(palette.shown_titles()) == 5 and not palette._nothing.isVisible()
