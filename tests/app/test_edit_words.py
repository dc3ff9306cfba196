"""What an edit is asked with, by real clicks and keys: words, engines, strokes on a view, earlier words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QToolButton

from app.errors import describe_error
from app.layers import Origin, new_layer
from recon.errors import MissingModel
from recon.formats import native
from recon.romap import BUILT_IN
from tests.app.edited_balls import COUNT, CTRL, ask, begin, click, without_wishes
from tests.app.windows import press, sheets
from tests.widgets.viewports import canvas_of, drag
from widgets import viewport_camera as cameras
from widgets.paint_dialog import PaintDialog


@pytest.fixture
def window(one_window):
    return without_wishes(one_window)


def test_words_are_told_as_understood_or_not_while_one_types(qtbot, window):
    begin(qtbot, window)
    box = window.edit_panel.prompt
    assert box._target.text() == "Part: hat" and "200 splats" in box._target_note.text()
    assert not box.run_button.isEnabled(), "there is nothing to do yet"
    QTest.keyClicks(box.text, "make the hat dark red, fluffy")
    qtbot.waitUntil(lambda: len(box.words.words) == 2, timeout=3000)
    assert [(word.text, word.is_known) for word in box.words.words] == [
        ("colour dark red", True),
        ("fluffy", False),
    ]
    assert box.engine.currentText() == BUILT_IN and "not AI" in BUILT_IN
    box.text.selectAll()
    QTest.keyClicks(box.text, "fluffy")
    qtbot.waitUntil(lambda: box._advice.isVisible(), timeout=3000)
    assert "fluffy" in box._advice.text() and "dark red" in box._advice.text(), "what to say instead is told"


def test_the_keys_come_back_to_the_button_of_the_preview(qtbot, window):
    begin(qtbot, window)
    row = window.scene_edits.preview
    row.show()
    row.button.setFocus()
    row.set_state("Editing one view…", "busy")
    assert not row.button.isEnabled() and QApplication.focusWidget() is None
    row.set_state("Previewed.")
    assert row.button.hasFocus()
    row.set_state("Editing one view…", "busy")
    window.edit_panel.prompt.text.setFocus()
    row.set_state("Previewed.")
    assert window.edit_panel.prompt.text.hasFocus(), "the person went on elsewhere"
    row.hide()


def test_escape_leaves_the_marking_of_a_part_wherever_the_keys_go(qtbot, window):
    begin(qtbot, window)
    window.parts.marking.choose("brush")
    assert window.parts.marking.tool == "brush"
    window.edit_panel.prompt.text.setFocus()
    QTest.keyClick(window.edit_panel.prompt.text, Qt.Key.Key_Escape)
    assert not window.parts.marking.tool
    window.parts.set_show("color")  # marking showed parts


def test_a_word_without_an_end_does_not_widen_the_panel(qtbot, window):
    begin(qtbot, window)
    box = window.edit_panel.prompt
    width = box.minimumSizeHint().width()
    for words in ("w" * 5000, "dark red, " + "w" * 5000):
        box.set_text(words)
        qtbot.waitUntil(lambda: box._advice.isVisible() or len(box.words.words) == 2, timeout=3000)
        QApplication.processEvents()
        assert box.minimumSizeHint().width() <= max(width, 330), words[:12]
        box.set_text("")
        qtbot.waitUntil(lambda: not box._advice.isVisible() and not box.words.words, timeout=3000)


def test_earlier_words_come_back_by_keys_and_from_the_list(qtbot, window):
    begin(qtbot, window)
    for words in ("dark red", "gold", "half as big"):
        ask(qtbot, window, words)
    box = window.edit_panel.prompt
    box.text.setFocus()
    box.text.selectAll()
    QTest.keyClicks(box.text, "not yet")
    steps = [(Qt.Key.Key_Up, "half as big"), (Qt.Key.Key_Up, "gold"), (Qt.Key.Key_Up, "dark red"),
             (Qt.Key.Key_Up, "dark red"), (Qt.Key.Key_Down, "gold"), (Qt.Key.Key_Down, "half as big"),
             (Qt.Key.Key_Down, "not yet")]  # fmt: skip
    for key, words in steps:
        QTest.keyClick(box.text, key, CTRL)
        assert box.text.toPlainText() == words
    window.edits.show_history()
    history = window.edit_panel.history
    assert [row.prompt for row in history.shown] == ["half as big", "gold", "dark red"]
    assert [row.verdict for row in history.shown] == ["pending", "rejected", "rejected"]
    history.search.setText("RED")
    assert [row.prompt for row in history.shown] == ["dark red"]
    item = history.list.item(0)
    QTest.mouseClick(
        history.list.viewport(), Qt.MouseButton.LeftButton, pos=history.list.visualItemRect(item).center()
    )
    assert box.text.toPlainText() == "dark red"
    history.search.setText("")


def test_selected_splats_become_a_part_and_are_edited(qtbot, window):
    begin(qtbot, window, part=-1)
    assert "Choose a part" in window.edit_panel.prompt._state.text()
    size = (window.viewport.width(), window.viewport.height())
    places = cameras.project(window.viewport.camera, window.project.layers[0].data.means, size)
    press(window, "M")
    canvas = canvas_of(window.viewport)
    right = places[COUNT:]
    drag(canvas, QPoint(int(right[:, 0].min()) - 4, 70), QPoint(int(right[:, 0].max()) + 4, size[1] - 20))
    qtbot.waitUntil(lambda: window.splats.num_selected == COUNT, timeout=5000)
    assert window.edit_panel.prompt._target.text() == "Selected splats"
    pending = ask(qtbot, window, "blue")
    assert pending.origin.figures["changed"] == COUNT and pending.origin.settings["part"] == 3
    assert int((pending.data.extra["part"] == 3).sum()) == COUNT


def test_a_network_that_is_not_there_is_told_with_the_command_and_a_way_on(qtbot, window):
    begin(qtbot, window)
    box = window.edit_panel.prompt
    box.set_text("dark red")
    job = next(iter(window.runs.queue.jobs), None) or _finished(qtbot, window)
    report = describe_error(
        MissingModel("InstructPix2Pix is not installed (2.1 GB).", "Run: isokiln models ip2p")
    )
    window.runs.failed.emit(job, report)
    (sheet,) = sheets(window)
    words = [label.text() for label in sheet.findChildren(QLabel)]
    assert "Run: isokiln models ip2p" in words
    before = window.pending.pending
    next(b for b in sheet.findChildren(QPushButton) if b.text() == "Use built-in effects").click()
    qtbot.waitUntil(lambda: window.pending.pending is not before, timeout=20_000)
    assert window.pending.pending.origin.figures["editor"] == BUILT_IN


def _finished(qtbot, window):
    ask(qtbot, window, "blue")
    return window.runs.queue.jobs[-1]


def test_strokes_on_a_view_become_the_pictures_that_a_part_is_fitted_to(qtbot, window, monkeypatch):
    layer = begin(qtbot, window)
    click(window, "prompt_paint", QToolButton)
    qtbot.waitUntil(lambda: window.findChild(PaintDialog) is not None, timeout=30_000)
    dialog = window.findChild(PaintDialog)
    canvas, view = dialog.canvas, dialog.views[0]
    assert not dialog.use.isEnabled() and view.mask.max() > 0.9 and len(dialog.views) == 7
    QTest.mouseClick(dialog.findChild(QPushButton, "paint_2471a3"), Qt.MouseButton.LeftButton)
    middle = canvas.box().center().toPoint()
    for shift in (-30, 30):
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(-40, shift))
        QTest.mouseMove(canvas, middle + QPoint(40, shift))
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(40, shift))
    assert len(view.strokes) == 2
    QTest.mouseClick(dialog.findChild(QToolButton, "paint_undo"), Qt.MouseButton.LeftButton)
    assert len(view.strokes) == 1
    painted = view.painted()
    is_blue = (painted == (0x24, 0x71, 0xA3)).all(-1)
    assert is_blue.sum() > 500 and np.array_equal(painted[~is_blue][:50], view.picture[~is_blue][:50])
    QTest.mouseClick(dialog.use, Qt.MouseButton.LeftButton)
    box = window.edit_panel.prompt
    assert box._has_pictures.text() == "1 painted view" and not box.text.isEnabled()
    assert not any(w.isVisible() for w in (box.engine, box.strength, box.seed)), "nobody makes them any more"
    monkeypatch.setattr(window.runs.queue, "add", lambda job, start=True: None)
    with qtbot.waitSignal(window.runs.started) as started:
        click(window, "prompt_run")
    folder = started.args[0].folder
    (file,) = Path(folder.manifest.settings["anchors"]).iterdir()
    assert file.parent.parent == folder.path and np.array_equal(np.asarray(Image.open(file)), painted)
    scene = native.read(folder.input_paths()["cameras"])
    assert scene.images.paths[0] == file.name and len(scene) == 7
    assert folder.manifest.settings["part"] == 1 and not folder.manifest.settings["instruction"]
    click(window, "prompt_clear", QToolButton)
    assert box.text.isEnabled() and window.edits.pictures.of(layer) is None
    assert all(w.isVisible() for w in (box.engine, box.strength, box.seed))


@pytest.mark.parametrize(
    ("settings", "has_seed"),
    [
        ({"prompt": "night", "editor": "procedural"}, True),
        ({"instruction": "red", "anchors": ""}, True),
        ({"prompt": "", "editor": "folder", "edits": "views"}, False),
        ({"prompt": "night", "editor": "folder", "edits": "views"}, False),
        ({"instruction": "", "anchors": "views"}, False),
        ({"prompt": "", "style": "picture.png"}, False),
    ],
)
def test_another_seed_is_offered_only_where_it_makes_another_edit(qtbot, window, settings, has_seed):
    layer = begin(qtbot, window)
    origin = Origin("romap.edit", settings=settings)
    edited = new_layer("Edited", layer.data, origin=origin, version_of=layer.id, is_pending=True)
    window.project.edit("Edit", [*window.project.layers, edited])
    another = window.review_bar._choices["another"]
    assert window.review_bar.isVisible() and another.isVisible() == has_seed
    assert window.actions_by_id["edit_again"].isEnabled() == has_seed


def test_an_engine_whose_network_is_not_here_says_so_before_anything_is_run(qtbot, window):
    begin(qtbot, window)
    box = window.edit_panel.prompt
    box.set_text("a fluffy croissant")
    box.engine.setCurrentIndex(box.engine.findData("slamp"))
    network = box.settings.network
    qtbot.waitUntil(lambda: bool(network.problem), timeout=20_000)
    assert (
        "Stable Diffusion 3" in network.problem and "GB" in network.problem and "licence" in network.problem
    )
    assert not box.run_button.isEnabled() and not box.words.words, "a network takes the words as they are"
    click(window, "prompt_network_copy")
    assert "hf download" in QApplication.clipboard().text()
    box.engine.setCurrentIndex(0)
    assert box.engine.currentText() == BUILT_IN and not network.isVisible()
    qtbot.waitUntil(lambda: box._advice.isVisible(), timeout=3000)
