"""Edits by words in a real window, with real clicks and keys: asked, waiting, compared, accepted, rejected (T70–T73)."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QToolButton, QWidget

from app.errors import describe_error
from app.layers import Origin, changed, new_layer
from app.versions import pending_layer, with_pending
from app.workflows import SPLATS
from recon import formats
from recon.errors import MissingModel
from recon.formats import native
from recon.romap import BUILT_IN
from render.gaussians import GaussianCloud
from render.images import ImageSet, PosedImages
from render.spherical_harmonics import SH_C0
from render.view_field import ViewField
from tests.app.windows import begin_anew, kept_window, press, sheets
from tests.render.test_fields import make_cameras
from tests.widgets.viewports import canvas_of, drag, move
from widgets import viewport_camera as cameras
from widgets.paint_dialog import PaintDialog

CTRL = Qt.KeyboardModifier.ControlModifier
COUNT = 200  # of each of the two parts


@pytest.fixture(scope="module")
def one_window(qapp):
    with kept_window() as window:
        yield window


@pytest.fixture
def window(one_window):
    begin_anew(one_window)
    one_window.edit_panel.prompt.set_text("")
    one_window.edit_panel.prompt.strength.setValue(100)
    one_window.edit_panel.prompt.seed.setValue(0)
    return one_window


def two_balls() -> GaussianCloud:
    """Part 1 “hat” at the left and part 2 “coat” at the right, both grey."""
    rng = np.random.default_rng(0)
    means = rng.uniform(-0.4, 0.4, (2 * COUNT, 3))
    means[:, 0] += np.repeat([-1.0, 1.0], COUNT)
    sh = np.full((2 * COUNT, 1, 3), (0.5 - 0.5) / SH_C0) + rng.normal(0, 0.1, (2 * COUNT, 1, 1))
    return GaussianCloud(
        means, np.tile([1.0, 0, 0, 0], (2 * COUNT, 1)), np.full((2 * COUNT, 3), np.log(0.09)),
        np.full(2 * COUNT, 4.0), sh, {"part": np.repeat([1, 2], COUNT).astype(np.int32)},
        ("part 1 hat", "part 2 coat"),
    )  # fmt: skip


def begin(qtbot, window, part: int = 1):
    """The two balls open, seen from the front, a part chosen and the prompt box in front."""
    layer = new_layer("Balls", two_balls())
    window.project.edit("Import", [layer])
    window.show_project()
    window.workflows.choose(SPLATS)
    window.scene.select([layer.id])
    window.parts.choose(part)
    window.viewport.set_view("front", animated=False)
    window.viewport.frame_all(animated=False)
    window.show_task("Edit")
    QApplication.processEvents()
    return layer


def ask(qtbot, window, words: str):
    """Type words and press Ctrl+Enter; returns what waits then."""
    before = window.pending.pending
    text = window.edit_panel.prompt.text
    text.setFocus()
    text.selectAll()
    QTest.keyClicks(text, words)
    QTest.keyClick(text, Qt.Key.Key_Return, CTRL)
    qtbot.waitUntil(
        lambda: window.pending.pending not in (None, before) or bool(sheets(window)), timeout=60_000
    )
    assert window.pending.pending not in (None, before), [x.accessibleName() for x in sheets(window)]
    return window.pending.pending


def click(window, name: str, kind: type[QWidget] = QPushButton) -> None:
    button = window.findChild(kind, name)
    assert button.isVisible() and button.isEnabled(), name
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def digest(cloud: GaussianCloud) -> str:
    """Of every byte that a cloud holds."""
    found = hashlib.sha256()
    for name, array in sorted(cloud.arrays()):
        found.update(name.encode() + str(array.dtype).encode() + array.tobytes())
    return found.hexdigest() + "|".join(cloud.comments)


def seen(window) -> np.ndarray:
    """The picture, once all panels have the room they asked for."""
    QApplication.processEvents()
    return window.viewport.screenshot().astype(int)


def both(window) -> tuple[np.ndarray, np.ndarray]:
    """What was before and what is after, in the view as it is while an edit waits."""
    window.review.set_mode("before")
    before = seen(window)
    window.review.set_mode("after")
    return before, seen(window)


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


def test_undo_and_redo_keep_a_version_and_the_part_chosen(qtbot, window):
    layer = begin(qtbot, window)
    pending = ask(qtbot, window, "dark red")
    press(window, "Ctrl+Shift+Return")
    for keys, shown in (
        ("Ctrl+Z", pending.id),
        ("Ctrl+Z", layer.id),
        ("Ctrl+Y", layer.id),  # It is listed beside what waits.
        ("Ctrl+Y", pending.id),
    ):
        press(window, keys)
        assert window.scene.current.id == shown, keys
        assert window.parts.current == (shown, 1, "hat") and window.edits.target.part == 1
    window.scene.select([])
    window.project.set_visible([pending.id], False)
    assert window.scene.current is None, "who selects nothing is left alone"


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


def test_an_edit_waits_beside_its_layer_and_rejecting_leaves_every_byte_as_it_was(qtbot, window):
    layer = begin(qtbot, window)
    before, picture = digest(layer.data), seen(window)
    pending = ask(qtbot, window, "dark red")
    assert pending.is_pending and pending.version_of == layer.id
    assert [row.badges for row in window.layer_list.rows() if not row.parent] == [(), ("pending",)]
    assert not window.project.is_visible(layer.id) and window.project.is_visible(pending.id)
    bar = window.review_bar
    assert bar.isVisible() and bar._title.text() == "Pending edit “dark red”"
    assert "Changed 200 splats, outside the part 0" in bar._figures.text() and BUILT_IN in bar._figures.text()
    assert (seen(window)[..., 0] - seen(window)[..., 1]).max() > 60, "it is red"
    kept = pending.data.extra["part"] == 2
    assert np.array_equal(pending.data.sh[kept], layer.data.sh[layer.data.extra["part"] == 2])

    QTest.keyClick(window, Qt.Key.Key_Backspace, CTRL | Qt.KeyboardModifier.ShiftModifier)
    (left,) = window.project.layers
    assert left is layer and digest(left.data) == before and window.project.is_visible(layer.id)
    assert not bar.isVisible() and np.abs(seen(window) - picture).max() <= 2
    assert [row.verdict for row in window.edit_panel.history.shown] == ["rejected"]
    press(window, "Ctrl+Z")
    assert window.pending.has_pending and bar.isVisible(), "even that can be undone"


def test_accepting_makes_a_version_as_one_step_that_can_be_undone(qtbot, window):
    layer = begin(qtbot, window)
    pending = ask(qtbot, window, "gold")
    steps = window.project.undo_stack.count()
    QTest.keyClick(window, Qt.Key.Key_Return, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert window.project.undo_stack.count() == steps + 1
    assert window.project.undo_stack.undoText() == "Accept “gold”"
    assert [x.name for x in window.project.layers] == ["Balls", "Balls v2"]
    version = window.project.layer(pending.id)
    assert not version.is_pending and version.data is pending.data
    assert not window.project.is_visible(layer.id) and window.scene.current is version
    assert [row.name for row in window.layer_list.rows() if not row.parent] == ["Balls v2"], (
        "the old version is in the tree only"
    )
    rows = window.edit_panel.versions.rows
    assert [(row.name, row.words, row.is_current) for row in rows] == [
        ("Balls", "", False), ("Balls v2", "“gold”", True),
    ]  # fmt: skip
    assert window.parts.current is not None and window.parts.current[1] == 1, "the part is still chosen"
    press(window, "Ctrl+Z")
    assert window.pending.has_pending and window.review_bar.isVisible()
    press(window, "Ctrl+Z")
    assert [x.name for x in window.project.layers] == ["Balls"] and window.project.is_visible(layer.id)
    press(window, "Ctrl+Y")
    press(window, "Ctrl+Y")
    assert [row.name for row in window.layer_list.rows() if not row.parent] == ["Balls v2"]


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(qtbot, window):
    begin(qtbot, window)
    box = window.edit_panel.prompt
    box.seed.setValue(7)
    first = ask(qtbot, window, "marble")
    click(window, "review_reject")
    click(window, "prompt_run")
    qtbot.waitUntil(lambda: window.pending.has_pending, timeout=20_000)
    again = window.pending.pending
    assert again.origin.seed == 7 and digest(again.data) == digest(first.data) and again is not first
    click(window, "review_another")
    qtbot.waitUntil(lambda: window.pending.pending is not again, timeout=20_000)
    other = window.pending.pending
    assert other.origin.seed != 7 and box.seed.value() == other.origin.seed
    assert digest(other.data) != digest(first.data)
    assert sum(layer.is_pending for layer in window.project.layers) == 1, (
        "it took the place of the one before"
    )
    assert other.origin.settings["instruction"] == "marble"


def test_an_edit_that_waits_blocks_nothing_and_is_saved_and_restored(qtbot, window, tmp_path):
    layer = begin(qtbot, window)
    pending = ask(qtbot, window, "twice as big")
    press(window, "Ctrl+A")
    qtbot.waitUntil(lambda: window.splats.num_selected == 2 * COUNT, timeout=5000)
    assert window.review_bar.isVisible()
    window.document.save_now(tmp_path / "Balls" / "Balls.isokiln")
    window.document.new()
    assert not window.review_bar.isVisible()
    with qtbot.waitSignal(window.document.opened, timeout=20_000):
        window.open_paths([tmp_path / "Balls"])
    assert window.review_bar.isVisible() and window.pending.pending.id == pending.id
    assert digest(window.pending.pending.data) == digest(pending.data)
    assert not window.project.is_visible(layer.id)
    assert [row.prompt for row in window.edit_panel.history.shown] == ["twice as big"]
    click(window, "review_reject")
    (left,) = window.project.layers
    assert digest(left.data) == digest(layer.data) and window.project.is_visible(left.id)


def test_an_edit_that_changes_nothing_says_so_with_three_things_to_try(qtbot, window):
    begin(qtbot, window)
    window.edit_panel.prompt.strength.setValue(5)
    pending = ask(qtbot, window, "rotate 0 degrees")
    (sheet,) = sheets(window)
    buttons = [button.text() for button in sheet.findChildren(QPushButton)]
    assert buttons[:3] == ["More strength", "Another seed", "Simpler words"]
    QTest.mouseClick(sheet.findChildren(QPushButton)[2], Qt.MouseButton.LeftButton)
    assert window.edit_panel.prompt.text.textCursor().selectedText() == "rotate 0 degrees"
    assert window.pending.pending is pending and not sheets(window)


def test_strength_goes_a_part_of_the_way_and_is_kept_with_the_version(qtbot, window):
    layer = begin(qtbot, window)
    whole = ask(qtbot, window, "white")
    click(window, "review_refine")
    window.edit_panel.prompt.strength.setValue(50)
    half = ask(qtbot, window, "white")
    part = layer.data.extra["part"] == 1
    way = (half.data.sh - layer.data.sh)[part] / (whole.data.sh - layer.data.sh)[part]
    assert np.allclose(way, 0.5, atol=1e-3)
    rows = dict(window.properties.facts().provenance)
    assert (
        rows["Prompt"] == "white"
        and rows["Strength"] == "50 %"
        and rows["Editor"] == BUILT_IN
        and rows["Seed"] == "0"
    )


def test_before_and_after_are_compared_in_the_view_itself(qtbot, window):
    layer = begin(qtbot, window)
    ask(qtbot, window, "dark red and twice as big")
    before, after = both(window)
    QTest.keyClick(window, Qt.Key.Key_Backslash)
    compare = window.review.compare
    assert compare.mode == "split" and window.findChild(QToolButton, "review_mode_split").isChecked()
    size = before.shape[1]

    def parted(column: int) -> bool:
        picture = seen(window)
        return (
            np.abs(picture[:, : column - 2] - before[:, : column - 2]).max() <= 3
            and np.abs(picture[:, column + 2 :] - after[:, column + 2 :]).max() <= 3
        )

    assert parted(size // 2)
    assert window.viewport._furniture.counts.lines[0].startswith("400"), "each splat is counted once"
    canvas, height = canvas_of(window.viewport), window.viewport.height()
    pose = window.viewport.camera
    drag(canvas, QPoint(size // 2, height // 2), QPoint(size // 4, height // 2))
    assert window.viewport.camera == pose, "the line was dragged, not the view"
    assert parted(size // 4)
    QTest.keyPress(window, Qt.Key.Key_QuoteLeft)
    assert np.abs(seen(window) - before).max() <= 3, "held: what was before"
    QTest.keyRelease(window, Qt.Key.Key_QuoteLeft)
    assert parted(size // 4)
    QTest.keyClick(window, Qt.Key.Key_Backslash)
    assert np.abs(seen(window) - after).max() <= 3 and not window.project.is_visible(layer.id)


def test_the_difference_is_a_map_with_a_legend_and_figures(qtbot, window):
    begin(qtbot, window)
    ask(qtbot, window, "dark red")
    before, after = both(window)
    click(window, "review_mode_difference", QToolButton)
    compare = window.review.compare
    qtbot.waitUntil(lambda: compare.pictures.difference is not None, timeout=30_000)
    picture = compare.pictures.difference
    legend = window.findChild(QWidget, "compare_legend")
    assert legend.isVisible() and picture.unit == "%" and "Mean" in compare.pictures.note
    largest = picture.value_range[1]
    assert abs(largest - 100 * np.abs(before - after).max() / 255) < 6
    colored = np.ptp(picture.pixels.astype(int), axis=-1) > 20
    assert colored[:, : colored.shape[1] // 2].sum() > 100 and not colored[:, colored.shape[1] // 2 :].any()
    window.viewport.camera = replace(window.viewport.camera, position=(0.3, -9.0, 0.4))
    assert compare.pictures.difference is None, "a picture of another camera is not shown"
    qtbot.waitUntil(lambda: compare.pictures.difference is not None, timeout=30_000)


def test_versions_are_shown_branched_compared_and_deleted(qtbot, window):
    layer = begin(qtbot, window)
    first = ask(qtbot, window, "dark red")
    click(window, "review_accept")
    second = ask(qtbot, window, "gold")
    assert second.version_of == first.id, "the next edit begins at the accepted one"
    click(window, "review_accept")
    tree = window.edit_panel.versions
    assert [(row.name, row.made_from) for row in tree.rows] == [
        ("Balls", ""), ("Balls v2", layer.id), ("Balls v3", first.id),
    ]  # fmt: skip
    item = tree.tree.topLevelItem(0).child(0)
    QTest.mouseClick(
        tree.tree.viewport(), Qt.MouseButton.LeftButton, pos=tree.tree.visualItemRect(item).center()
    )
    assert [row.name for row in window.layer_list.rows() if not row.parent] == ["Balls v2"]
    assert window.project.is_visible(first.id) and not window.project.is_visible(second.id)
    click(window, "version_branch")
    branch = ask(qtbot, window, "denim")
    assert branch.version_of == first.id
    click(window, "review_accept")
    assert [row.name for row in tree.rows] == ["Balls", "Balls v2", "Balls v3", "Balls v4"]
    tree.select([layer.id, second.id])
    click(window, "version_compare")
    assert window.review.is_of_versions and window.review.compare.mode == "split"
    assert "“Balls” and “Balls v3”" in window.review_bar._title.text()
    click(window, "review_close")
    assert not window.review_bar.isVisible() and window.review.compare.pair is None
    assert [window.project.is_visible(x.id) for x in (layer, first, second, branch)] == [
        False,
        False,
        False,
        True,
    ]
    tree.select([first.id])
    click(window, "version_delete")
    assert [x.name for x in window.project.layers] == ["Balls"] and window.project.is_visible(layer.id)
    press(window, "Ctrl+Z")
    assert len(window.project.layers) == 4


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


def test_an_edit_says_where_it_came_from_in_files_too(qtbot, window, tmp_path):
    begin(qtbot, window)
    window.edit_panel.prompt.seed.setValue(5)
    ask(qtbot, window, "dark red")
    click(window, "review_accept")
    press(window, "Ctrl+E")
    wish = replace(window.exports.dialog.wish(), format="splats", path=tmp_path / "red.ply", sidecar=True)
    with qtbot.waitSignal(window.exports.exported, timeout=20_000):
        window.exports.write(wish)
    written = formats.read(tmp_path / "red.ply").data
    (line,) = [line for line in written.comments if line.startswith("edit")]
    assert '"dark red"' in line and "seed 5" in line and "not AI" in line and "part 1 (hat)" in line
    told = json.loads((tmp_path / "red.export.json").read_text())["made_by"]["Balls v2"]
    assert told["prompt"] == "dark red" and told["seed"] == 5 and told["editor"] == BUILT_IN
    assert told["changed"] == COUNT and told["settings"]["part"] == 1


def test_a_view_keeps_answering_while_an_edit_is_made(qtbot, window):
    begin(qtbot, window)
    box = window.edit_panel.prompt
    box.set_text("wood")
    began = time.monotonic()
    box.run()
    assert time.monotonic() - began < 5 and box.run_button.text() == "Working…"
    move(canvas_of(window.viewport), QPoint(40, 40))
    qtbot.waitUntil(lambda: window.pending.has_pending, timeout=20_000)
    assert box.run_button.text() == "Make the edit" and box.run_button.isEnabled()


def test_what_cannot_be_made_says_why_and_leaves_the_scene_as_it_was(qtbot, window):
    layer = begin(qtbot, window)
    everything = replace(layer.data, extra={"part": np.ones(2 * COUNT, np.int32)})
    window.project.edit("All of it", changed(window.project.layers, layer.id, data=everything))
    box = window.edit_panel.prompt
    box.set_text("delete")
    box.run()
    qtbot.waitUntil(lambda: bool(sheets(window)), timeout=20_000)
    (sheet,) = sheets(window)
    assert "would leave nothing" in sheet.accessibleName()
    sheet.choose("close")
    assert [x.data for x in window.project.layers] == [everything] and not window.pending.has_pending
    assert [row.verdict for row in window.edit_panel.history.shown] == ["failed"]
    assert box.run_button.isEnabled(), "it can be tried again at once"


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


def test_an_edited_scene_of_photos_is_compared_with_the_photos(qtbot, window):
    cameras = make_cameras(2)
    grey = np.full((2, 24, 32, 3), 60, np.uint8)
    field = ViewField(
        ("0.png", "1.png"), cameras, np.full_like(grey, 200), grey, np.full((2, 24, 32), 4.0), np.ones(2),
        np.zeros((0, 0, 0, 12)), np.eye(4), np.zeros(0),
    )  # fmt: skip
    photos = new_layer("Room", PosedImages(ImageSet("/nowhere", ("0.png", "1.png")), cameras))
    figures = {
        "label": BUILT_IN,
        "change": 0.55,
        "warp_edited_alone": {"short": 0.04},
        "warp_edited_together": {"short": 0.01},
    }
    origin = Origin("dn2n", {"prompt": "brighter", "strength": 1.0}, figures=figures)
    window.project.edit("Import", [photos])
    window.show_project()
    window.project.edit(
        "Edit", with_pending(window.project.layers, pending_layer(photos, "brighter", field, origin, {}))
    )
    bar = window.review_bar
    assert bar.isVisible() and BUILT_IN in bar._figures.text()
    assert "Mean change 55 %" in bar._figures.text() and "4.0 %, now by 1.0 %" in bar._figures.text()
    assert window.project.is_visible(photos.id), "the photos are not what it takes the place of"
    QApplication.processEvents()
    click(window, "review_mode_difference", QToolButton)
    window.viewport.look_through(cameras, 0)
    compare = window.review.compare
    qtbot.waitUntil(lambda: compare.pictures.difference is not None, timeout=120_000)
    middle = [
        int(np.median(each.pixels[each.pixels.shape[0] // 2]))
        for each in (compare.pictures.before, compare.pictures.after)
    ]
    assert middle == [60, 200], "the photos' own colours, and those of the edit, from one camera"
    window.pending.accept()
    assert [layer.name for layer in window.project.layers] == ["Room", "Room v2"]
    assert len(window.layer_list.rows()) == 2, "the photos stay in the list"


def test_an_engine_whose_network_is_not_here_says_so_before_anything_is_run(qtbot, window):
    begin(qtbot, window)
    box = window.edit_panel.prompt
    box.set_text("a fluffy croissant")
    box.engine.setCurrentIndex(box.engine.findData("slamp"))
    network = box.settings.network
    qtbot.waitUntil(lambda: bool(network.problem), timeout=20_000)
    assert "Stable Diffusion 3" in network.problem and "GB" in network.problem and "licence" in network.problem
    assert not box.run_button.isEnabled() and not box.words.words, "a network takes the words as they are"
    click(window, "prompt_network_copy")
    assert "hf download" in QApplication.clipboard().text()
    box.engine.setCurrentIndex(0)
    assert box.engine.currentText() == BUILT_IN and not network.isVisible()
    qtbot.waitUntil(lambda: box._advice.isVisible(), timeout=3000)
