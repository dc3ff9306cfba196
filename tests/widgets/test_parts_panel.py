"""The panel of parts: what it shows, and what it says a person wishes."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QWidget

from widgets.part_legend import PartLegend
from widgets.part_list import PartList
from widgets.part_marks import MarkPath, MarkTools
from widgets.part_rows import COUNT, EYE, LOCK, NAME, NO_PART, SURE, PartRow
from widgets.parts_panel import Note, PartsPanel, ViewChip
from widgets.selection_strokes import Stroke

ROWS = (
    PartRow(1, "Left eye", "#56b4e9", 53, 0.9137),
    PartRow(2, "Hair", "#e69f00", 1694, 0.5, is_hidden=True, is_locked=True, num_strokes=3),
    PartRow(5, "Hat", "#1fb58a", 0),
    PartRow(NO_PART, "No part", "#8a8782", 20_400),
)


@pytest.fixture
def panel(qtbot):
    made = PartsPanel()
    qtbot.addWidget(made)
    made.resize(340, 800)
    made.set_layer("Figure", "3 parts, 20 400 splats in none.")
    made.set_rows(ROWS, 1, 0)
    made.show()
    return made


def cell(tree: PartList, place: int, column: int) -> QPoint:
    return tree.visualRect(tree.model().index(place, column)).center()


def test_each_part_is_a_row_with_its_colour_count_and_how_sure_it_is(panel):
    tree = panel.list
    texts = [[tree.topLevelItem(i).text(c) for c in (NAME, COUNT, SURE)] for i in range(4)]
    assert texts == [
        ["Left eye", "53", "91\u202f%"], ["Hair", "1\u2009694", "50\u202f%"], ["Hat", "0", ""],
        ["No part", "20\u2009400", ""],
    ]  # fmt: skip
    swatch = tree.topLevelItem(0).icon(NAME).pixmap(16, 16).toImage().pixelColor(8, 8)
    assert swatch.name() == "#56b4e9"
    hollow = tree.topLevelItem(2).icon(NAME).pixmap(16, 16).toImage().pixelColor(8, 8)
    assert hollow.alpha() == 0, "a part without splats is hollow"
    assert "3 strokes" in tree.topLevelItem(1).toolTip(NAME) and tree.current_number == 1
    assert tree.sizeHint().height() < 200 and not tree.header().isVisible()


def test_clicks_on_eye_and_lock_act_on_their_row_without_choosing_it(panel, qtbot):
    tree, told = panel.list, []
    tree.visibility_toggled.connect(lambda number, on: told.append(("eye", number, on)))
    tree.lock_toggled.connect(lambda number, on: told.append(("lock", number, on)))
    tree.chosen.connect(lambda number: told.append(("chosen", number)))
    for place, column in ((0, EYE), (1, EYE), (0, LOCK), (1, LOCK), (2, EYE)):
        QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=cell(tree, place, column))
    assert told == [("eye", 1, False), ("eye", 2, True), ("lock", 1, True), ("lock", 2, False)]
    assert tree.current_number == 1
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=cell(tree, 3, COUNT))
    assert told[-1] == ("chosen", NO_PART) and tree.selected == []


def test_the_square_offers_colours(panel):
    told = []
    panel.list.recolored.connect(lambda number, color: told.append((number, color)))
    menu = panel.list.offer_colors(2)
    menu.actions()[2].trigger()
    assert told == [(2, "#1fb58a")] and menu.actions()[-1].text() == "Another colour…"
    menu.close()


def test_keys_rename_select_and_delete_parts_and_no_layer(panel, qtbot):
    tree, told = panel.list, []
    tree.key_wished.connect(told.append)
    tree.renamed.connect(lambda number, name: told.append((number, name)))
    tree.setFocus()
    QTest.keyClick(tree, Qt.Key.Key_F2)
    editor = tree.findChild(QLineEdit)
    QTest.keyClicks(editor, "  Right   eye ")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert told == [(1, "Right eye")] and tree.topLevelItem(0).text(NAME) == "Left eye", (
        "until it is answered"
    )
    for key in (Qt.Key.Key_Delete, Qt.Key.Key_Return):
        override = QKeyEvent(QKeyEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier)
        override.ignore()
        QApplication.sendEvent(tree, override)
        assert override.isAccepted(), "the window's own shortcut must not have it"
        QTest.keyClick(tree, key)
    assert told[1:] == ["delete", "select"]


def test_what_makes_no_sense_now_cannot_be_clicked(panel):
    def enabled() -> set[str]:
        return {key for key, button in panel.buttons.items() if button.isEnabled()}

    assert enabled() == {"grow", "shrink", "delete"}
    panel.set_rows(ROWS, 1, 12)
    assert enabled() == {"add", "take", "grow", "shrink", "delete"}
    assert panel.new_button.text() == "New part from selection"
    panel.set_rows(ROWS, 2, 12)
    assert enabled() == {"delete"}, "a locked part"
    panel.set_rows(ROWS, 5, 12)
    assert enabled() == {"add", "delete"}, "an empty part"
    panel.set_rows(ROWS, NO_PART, 0)
    assert enabled() == set() and "what belongs to no part" in panel._marking.text()
    panel.set_rows(ROWS[-1:], NO_PART, 0)
    assert panel.list.isHidden() and not panel._hint.isHidden() and not panel.tools["brush"].isEnabled()
    panel.set_layer("")
    assert panel._pages.currentIndex() == 0


def test_buttons_say_what_is_wished(panel):
    told = []
    for name in ("wished", "tool_wished", "show_wished", "view_wished", "view_dropped"):
        getattr(panel, name).connect(lambda value, name=name: told.append((name, value)))
    panel.by_words.wished.connect(lambda words: told.append(("names", words)))
    panel.find_wished.connect(lambda: told.append("find"))
    panel.set_finding(can_find=True, is_live=False, is_busy=False)
    panel.set_views([ViewChip("View 1", "2 strokes"), ViewChip("View 2", "1 stroke", is_here=True)])
    chips = [panel.findChild(QPushButton, f"part_view_{i}") for i in range(2)]
    assert [chip.isChecked() for chip in chips] == [False, True]
    chips[1].click()
    chips[0].actions()[0].trigger()
    panel.tools["lasso"].click()
    panel.tools["lasso"].click()
    panel._show_buttons["sure"].click()
    panel.find_button.click()
    panel.new_button.click()
    panel.by_words.set_problem("", "")
    panel.by_words.words.setText("nose, hat")
    panel.by_words.find_button.click()
    assert told == [
        ("view_wished", 1), ("view_dropped", 0), ("tool_wished", "lasso"), ("tool_wished", ""),
        ("show_wished", "sure"), "find", ("wished", "new"), ("names", "nose, hat"),
    ]  # fmt: skip
    assert not panel.live.isChecked()
    panel.set_finding(can_find=True, is_live=True, is_busy=True)
    assert (
        panel.live.isChecked()
        and not panel.find_button.isEnabled()
        and panel.find_button.text() == "Finding…"
    )


def test_notes_and_problems_stand_where_they_matter(panel):
    panel.say(Note("The strokes contradict each other. Undo.", "error"))
    assert panel._note.isVisible() and panel._note.text().startswith("The strokes")
    panel.say(Note())
    assert not panel._note.isVisible()
    panel.by_words.set_problem("It is not here. Fetch it.", "hf download it")
    assert (
        panel.by_words.network.problem == "It is not here. Fetch it." and not panel.by_words.words.isEnabled()
    )
    panel.sure.say("“Hair”: at least 50 % sure", "12 join.", can_apply=True)
    assert panel.sure.apply_button.isEnabled() and panel.sure.least == 0.5


def test_the_legend_names_the_first_of_many_parts(qtbot):
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(500, 600)
    legend = PartLegend(host)
    host.show()
    assert legend.isHidden()
    legend.set_entries([(f"Part {i}", "#56b4e9") for i in range(20)])
    assert legend.isVisible() and legend.geometry().right() == 500 - 8 - 1
    assert len(legend._lines()) == 15 and legend._lines()[-1] == ("and 6 more", "")
    picture = legend.grab().toImage()
    assert picture.pixelColor(16, 17).name() == "#56b4e9"
    host.resize(400, 600)
    QApplication.processEvents()
    assert legend.geometry().right() == 400 - 8 - 1
    legend.set_entries([])
    assert legend.isHidden()


def send(tool: MarkTools, kind, x: float, y: float, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    at, button = QPointF(x, y), Qt.MouseButton.LeftButton
    tool.handle(QMouseEvent(kind, at, at, button, button, modifier))


def drag(tool: MarkTools, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    kinds = QMouseEvent.Type
    send(tool, kinds.MouseButtonPress, 10, 10, modifier)
    send(tool, kinds.MouseMove, 30, 10, modifier)
    send(tool, kinds.MouseButtonRelease, 30, 20, modifier)


def test_a_stroke_is_for_the_part_with_ctrl_for_none_and_the_eraser_takes_back(qapp):
    tool, told = MarkTools(qapp), []
    tool.marked.connect(lambda stroke, is_part: told.append((stroke, is_part)))
    tool.erased.connect(lambda stroke: told.append((stroke, "erased")))
    tool.begin_marking("brush")
    drag(tool)
    drag(tool, Qt.KeyboardModifier.ControlModifier)
    tool.begin_marking("eraser")
    drag(tool)
    assert [what for _, what in told] == [True, False, "erased"]
    stroke = told[0][0]
    assert isinstance(stroke, Stroke) and stroke.kind == "brush" and stroke.radius == tool.radius
    assert stroke.points.tolist() == [[10, 10], [30, 10], [30, 20]]
    tool.show_paths([MarkPath(np.array([[1.0, 1.0]]), 3.0, "#ff0000")])
    assert not tool.is_empty()
    tool.show_paths([])
    tool.end()
    assert tool.is_empty()
    tool.setParent(None)
    tool.deleteLater()


def test_strokes_are_painted_evenly_and_the_eraser_leaves_nothing(qtbot):
    from widgets.viewport_annotations import Annotations

    host = QWidget()
    qtbot.addWidget(host)
    host.resize(100, 60)
    host.setStyleSheet("background: #000000")
    pen = Annotations(host, lambda points: np.zeros((len(points), 3)))
    tool = MarkTools(host)
    pen.add(tool)
    host.show()
    path = np.array([[10.0, 30.0], [90.0, 30.0]])
    tool.show_paths(
        [
            MarkPath(path, 6, "#ff0000"),
            MarkPath(path, 6, "#ff0000"),
            MarkPath(path[:1] + np.array([20.0, 0.0]), 8, ""),
        ]
    )
    pen.refresh()
    QApplication.processEvents()
    picture = host.grab().toImage()
    once = picture.pixelColor(70, 30)
    assert 120 < once.red() < 190 and once.green() == 0, "twice is no brighter than once"
    assert picture.pixelColor(30, 30).red() == 0 and picture.pixelColor(70, 50).red() == 0
