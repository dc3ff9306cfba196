"""Edits by words in a real window, with real clicks and keys: waiting, accepted, rejected, kept (T70–T73)."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.layers import changed
from app.versions import without
from recon import formats
from recon.romap import BUILT_IN
from tests.app.edited_balls import COUNT, CTRL, ask, begin, click, digest, seen, without_wishes
from tests.app.windows import press, sheets
from tests.widgets.viewports import canvas_of, move


@pytest.fixture
def window(one_window):
    return without_wishes(one_window)


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


def test_undo_takes_an_edit_back_that_waits_and_redo_brings_it_again(qtbot, window):
    layer = begin(qtbot, window)
    before = digest(layer.data)
    pending = ask(qtbot, window, "dark red")
    window.parts.rename(2, "sleeve")  # Something else is done while it waits.
    qtbot.waitUntil(lambda: not window.splats.edits.is_busy, timeout=5000)
    press(window, "Ctrl+Z")
    assert window.pending.pending is not None, "only what was done last is undone"
    told = []
    window.shell.toast = lambda words, *_: told.append(words)
    press(window, "Ctrl+Z")
    qtbot.waitUntil(lambda: bool(told), timeout=5000)
    del window.shell.toast
    (left,) = window.project.layers
    assert digest(left.data) == before and window.project.is_visible(left.id)
    assert not window.review_bar.isVisible() and told == [
        "Took back “dark red”, which waited. Redo brings it again."
    ]
    assert [row.verdict for row in window.edit_panel.history.shown] == ["rejected"]
    press(window, "Ctrl+Y")
    assert window.pending.pending.id == pending.id and window.review_bar.isVisible()
    assert [row.verdict for row in window.edit_panel.history.shown] == ["pending"]


def test_an_edit_whose_layer_was_deleted_offers_no_comparison(qtbot, window):
    layer = begin(qtbot, window)
    ask(qtbot, window, "dark red")
    window.project.edit("Delete", without(window.project.layers, [layer]))
    QTest.qWait(1)
    bar = window.review_bar
    assert bar.isVisible() and not any(button.isVisible() for button in bar.modes.values())
    assert (
        "deleted" in bar._figures.text() and not window.findChild(QPushButton, "review_another").isVisible()
    )
    QTest.keyClick(window, Qt.Key.Key_Backslash)
    assert window.review.compare.pair is None
    click(window, "review_accept")
    (left,) = window.project.layers
    assert not left.is_pending and not bar.isVisible()


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
