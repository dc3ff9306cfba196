"""What each command does to splats in a real window, and undoes (T20)."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from tests.app.splat_grid import CTRL, NONE, SIDE, digest, grid, open_splats, pixel, select_block, settle
from tests.app.windows import begin_anew, press
from tests.widgets.viewports import canvas_of, drag, move


@pytest.fixture
def window(one_window):
    begin_anew(one_window)
    return one_window


COMMANDS = {
    "Ctrl+A": ("Select all", lambda w: w.splats.num_selected == SIDE**2),
    "Ctrl+Shift+A": ("Select nothing", lambda w: w.splats.num_selected == 0),
    "Ctrl+Shift+I": ("Invert the selection", lambda w: w.splats.num_selected == SIDE**2 - 9),
    "select_grow": ("Grow the selection", lambda w: w.splats.num_selected == 25),
    "select_shrink": ("Shrink the selection", lambda w: w.splats.num_selected == 1),
    "H": ("Hide 9 Gaussians", lambda w: np.count_nonzero(w.splats.layers[0].marks.hidden) == 9),
    "Shift+H": ("Isolate 9 Gaussians", lambda w: np.count_nonzero(w.splats.layers[0].marks.is_drawn) == 9),
    "splat_lock": ("Lock 9 Gaussians", lambda w: np.count_nonzero(w.splats.layers[0].marks.locked) == 9),
    "Del": ("Delete 9 Gaussians", lambda w: w.splats.num_left == SIDE**2 - 9),
    "Ctrl+D": ("Duplicate 9 Gaussians", lambda w: [len(x.data) for x in w.project.layers] == [SIDE**2, 9]),
    "splat_split": (
        "Split off 9 Gaussians", lambda w: [len(x.content) for x in w.project.layers] == [SIDE**2 - 9, 9],
    ),
    "splat_save_part": (
        "Save part 1", lambda w: sorted(w.splats.layers[0].data.extra["part"].tolist()) == [-1] * 112 + [1] * 9,
    ),
}  # fmt: skip


def test_each_command_is_done_undone_and_done_again(qtbot, window):  # T20
    (layer,) = open_splats(qtbot, window, grid())
    select_block(qtbot, window)
    before = digest(window)
    for command, (text, holds) in COMMANDS.items():
        if command in window.actions_by_id.actions:
            assert window.actions_by_id[command].isEnabled(), command
            window.actions_by_id[command].trigger()
        else:
            press(window, command.replace("Del", "Delete"))
        settle(qtbot, window)
        assert window.project.undo_stack.undoText() == text
        assert holds(window), command
        after = digest(window)
        press(window, "Ctrl+Z")
        assert digest(window) == before, command
        press(window, "Ctrl+Y")
        assert digest(window) == after, command
        press(window, "Ctrl+Z")
        window.scene.select([layer.id])


def test_layers_are_merged_with_their_marks_and_show_all_and_restore_bring_back(qtbot, window):
    first, second = open_splats(qtbot, window, grid(), grid(2.0))
    window.scene.select([first.id])
    select_block(qtbot, window)
    press(window, "Delete")
    window.scene.select([second.id])
    select_block(qtbot, window)
    press(window, "H")
    settle(qtbot, window)
    before = digest(window)
    window.scene.select([first.id, second.id])
    window.actions_by_id["splat_merge"].trigger()
    settle(qtbot, window)
    (merged,) = window.project.layers
    assert len(merged.data) == 2 * SIDE**2 - 9 and np.count_nonzero(merged.marks.hidden) == 9
    press(window, "Ctrl+Z")
    assert digest(window) == before
    window.scene.select([first.id])
    window.actions_by_id["splat_restore"].trigger()
    settle(qtbot, window)
    assert window.splats.num_left == SIDE**2
    window.scene.select([second.id])
    press(window, "Alt+H")
    settle(qtbot, window)
    assert not window.splats.has_mark("hidden")


def test_commands_act_on_layers_when_no_splat_is_selected_and_say_so(qtbot, window):
    open_splats(qtbot, window, grid())
    actions = window.actions_by_id
    assert actions["delete"].text() == "Delete layer"
    select_block(qtbot, window)
    assert actions["delete"].text() == "Delete 9 Gaussians" and actions["hide"].text() == "Hide 9 Gaussians"
    press(window, "Delete")
    settle(qtbot, window)
    assert len(window.project.layers) == 1 and window.splats.num_left == SIDE**2 - 9
    assert f"{SIDE**2 - 9} of {SIDE**2} Gaussians" in window.layer_list.rows()[0].tooltip
    press(window, "Delete")
    assert window.project.layers == ()


def test_what_is_locked_hidden_or_deleted_is_not_selected(qtbot, window):
    open_splats(qtbot, window, grid())
    select_block(qtbot, window)
    window.splats.lock()
    settle(qtbot, window)
    press(window, "Ctrl+A")
    settle(qtbot, window)
    assert window.splats.num_selected == SIDE**2 - 9
    window.actions_by_id["splat_unlock"].trigger()
    settle(qtbot, window)
    press(window, "Ctrl+A")
    settle(qtbot, window)
    assert window.splats.num_selected == SIDE**2


def test_commands_that_come_quickly_are_done_one_after_another(qtbot, window):
    open_splats(qtbot, window, grid())
    press(window, "Ctrl+A")
    press(window, "Delete")  # Meant for the splats, though they are not selected yet.
    settle(qtbot, window)
    assert len(window.project.layers) == 1 and window.splats.num_left == 0
    press(window, "Ctrl+Z")
    press(window, "Ctrl+Z")
    select_block(qtbot, window)
    for keys in ("Ctrl+Shift+I", "Delete", "Ctrl+A", "H"):
        press(window, keys)
        if keys == "Ctrl+Shift+I":  # Delete is meant for the new selection, whenever that is there.
            assert window.splats.edits.is_busy
    settle(qtbot, window)
    marks = window.splats.layers[0].marks
    assert np.count_nonzero(marks.deleted) == SIDE**2 - 9 and np.count_nonzero(marks.hidden) == 9


def test_a_copied_layer_has_the_marks_of_its_model(qtbot, window):
    (layer,) = open_splats(qtbot, window, grid())
    select_block(qtbot, window)
    press(window, "Delete")
    settle(qtbot, window)
    press(window, "Ctrl+D")
    settle(qtbot, window)
    copy = window.project.layers[-1]
    assert copy.id != layer.id and copy.data is layer.data and len(copy.content) == SIDE**2 - 9


def test_a_locked_or_hidden_layer_is_not_edited(qtbot, window):
    (layer,) = open_splats(qtbot, window, grid())
    window.layer_list.lock_toggled.emit(layer.id, True)
    before = digest(window)
    press(window, "Ctrl+A")
    settle(qtbot, window)
    assert digest(window) == before
    window.layer_list.lock_toggled.emit(layer.id, False)
    window.project.set_visible([layer.id], False)
    press(window, "Ctrl+A")
    settle(qtbot, window)
    assert digest(window) == before, "nor is a hidden one"
    window.project.set_visible([layer.id], True)
    window.layer_list.tree.setFocus()
    QTest.keyClick(window.layer_list.tree, Qt.Key.Key_A, CTRL)
    settle(qtbot, window)
    assert window.splats.num_selected == SIDE**2
    QTest.keyClick(window.layer_list.tree, Qt.Key.Key_Delete)
    settle(qtbot, window)
    assert len(window.project.layers) == 1 and window.splats.num_left == 0, "also with the keys in the list"


def test_the_gizmo_moves_along_an_axis_as_one_undo_step(qtbot, window):
    open_splats(qtbot, window, grid())
    select_block(qtbot, window)
    before = digest(window)
    press(window, "W")
    gizmo = window.splat_tools.gizmo
    assert gizmo.pivot == pytest.approx([5, 0, 5], abs=1e-4)
    middle = pixel(window, 5, 5)
    unit = pixel(window, 6, 5).x() - middle.x()
    start = middle + QPoint(60, 0)
    drag(canvas_of(window.viewport), start, start + QPoint(unit, 17))
    settle(qtbot, window)
    means = window.splats.layers[0].data.means
    moved = means - grid().means
    selected = window.splats.layers[0].marks.selected
    assert moved[selected][:, 0] == pytest.approx(1.0, abs=0.05)
    assert np.allclose(moved[selected][:, 1:], 0) and not moved[~selected].any()
    assert window.project.undo_stack.undoText() == "Move 9 Gaussians"
    assert gizmo.pivot[0] == pytest.approx(6, abs=0.05), "it follows"
    press(window, "Ctrl+Z")
    assert digest(window) == before


def test_escape_during_a_drag_of_the_gizmo_leaves_everything(qtbot, window):
    open_splats(qtbot, window, grid())
    select_block(qtbot, window)
    before, count = digest(window), window.project.undo_stack.count()
    press(window, "E")
    canvas = canvas_of(window.viewport)
    middle = pixel(window, 5, 5)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, NONE, middle + QPoint(88, 0))
    move(canvas, middle + QPoint(60, 60), Qt.MouseButton.LeftButton)
    assert window.splat_tools.gizmo.is_dragging
    settle(qtbot, window)
    assert window.viewport.splats.moved is not None, "shown before it is done"
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, NONE, middle + QPoint(60, 60))
    settle(qtbot, window)
    assert digest(window) == before and window.project.undo_stack.count() == count
    assert window.viewport.splats.moved is None


def test_without_a_selection_the_whole_layer_is_shown_where_it_is_dragged(qtbot, window):
    open_splats(qtbot, window, grid())
    press(window, "W")
    canvas = canvas_of(window.viewport)
    x, y, z = window.splat_tools.gizmo.pivot
    pivot = pixel(window, x, z, y)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, NONE, pivot + QPoint(60, 0))
    move(canvas, pivot + QPoint(120, 0), Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert window.scene._trials and window.viewport.splats.moved is None
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, NONE, pivot + QPoint(120, 0))
    settle(qtbot, window)
    assert window.project.undo_stack.undoText().startswith("Move")
    assert (window.splats.layers[0].data.means != grid().means).any(axis=1).all()


def test_rotating_turns_about_the_middle_and_scaling_grows(qtbot, window):
    open_splats(qtbot, window, grid())
    select_block(qtbot, window)
    canvas, middle = canvas_of(window.viewport), pixel(window, 5, 5)
    press(window, "E")
    ring = QPointF(middle) + QPointF(88 * 1.22, 0)
    end = QPointF(middle) + QPointF(0, -88 * 1.22)
    drag(canvas, ring.toPoint(), end.toPoint())
    settle(qtbot, window)
    selected = window.splats.layers[0].marks.selected
    means = window.splats.layers[0].data.means[selected]
    turned = grid().means[selected] - [5, 0, 5]
    assert np.allclose(means - [5, 0, 5], np.stack([-turned[:, 2], turned[:, 1], turned[:, 0]], 1), atol=0.05)
    press(window, "R")
    drag(canvas, middle + QPoint(40, 0), middle + QPoint(80, 0))
    settle(qtbot, window)
    cloud = window.splats.layers[0].data
    assert np.allclose(cloud.log_scales[selected], np.log(0.8), atol=0.03)
    assert window.project.undo_stack.undoText() == "Scale 9 Gaussians"


def test_an_edit_that_takes_long_says_so_beside_the_tool_and_then_no_more(qtbot, window, monkeypatch):
    from app import splat_changes

    find = splat_changes.neighbour_graph
    monkeypatch.setattr(splat_changes, "neighbour_graph", lambda cloud: (time.sleep(1.2), find(cloud))[1])
    open_splats(qtbot, window, grid())
    select_block(qtbot, window)
    window.splats.grow()
    qtbot.waitUntil(lambda: window.viewport._furniture.banner.text == "Computing…", timeout=5000)
    settle(qtbot, window)
    assert window.viewport._furniture.banner.text == "" and window.splats.num_selected == 25
