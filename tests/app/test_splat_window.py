"""Selecting splats in a real window, with real drags and keys: T60, T61, and what each command does and undoes."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton

from app.layers import Layer, new_layer
from app.workflows import SPLATS
from recon.gaussian_edits import merged
from recon.gaussian_values import base_colors
from render.gaussians import GaussianCloud
from render.spherical_harmonics import SH_C0
from tests.app.windows import begin_anew, kept_window, press
from tests.widgets.test_viewport_closing import run_apart
from tests.widgets.viewports import canvas_of, drag, move, wheel
from widgets import viewport_camera as cameras

SIDE = 11
SHIFT, CTRL, NONE = (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.NoModifier,
)


@pytest.fixture(scope="module")
def one_window(qapp):
    with kept_window() as window:
        yield window


@pytest.fixture
def window(one_window):
    begin_anew(one_window)
    return one_window


def grid(depth: float = 0.0, color: tuple[float, float, float] = (0.8, 0.2, 0.2)) -> GaussianCloud:
    """SIDE × SIDE round opaque splats on the plane y = depth, one apart, x fastest."""
    x, z = np.meshgrid(np.arange(SIDE, dtype=float), np.arange(SIDE, dtype=float))
    means = np.stack([x.ravel(), np.full(SIDE**2, depth), z.ravel()], 1)
    count = len(means)
    sh = np.tile((np.array(color) - 0.5) / SH_C0, (count, 1))[:, None]
    return GaussianCloud(
        means, np.tile([1.0, 0, 0, 0], (count, 1)), np.full((count, 3), np.log(0.4)), np.full(count, 4.0), sh
    )


def wall(low: int, high: int, depth: float) -> GaussianCloud:
    """A closed wall of splats from low to high in x and z."""
    x, z = np.meshgrid(np.arange(low, high + 1.0), np.arange(low, high + 1.0))
    means = np.stack([x.ravel(), np.full(x.size, depth), z.ravel()], 1)
    names = ("quats", "opacity_logits", "sh")
    plain = {name: np.repeat(getattr(grid(), name)[:1], len(means), axis=0) for name in names}
    return GaussianCloud(means=means, log_scales=np.full((len(means), 3), np.log(0.8)), **plain)


def open_splats(qtbot, window, *clouds: GaussianCloud) -> list[Layer]:
    """Layers of splats, seen from the front, all selected in the list."""
    layers = [new_layer(f"Grid {i + 1}", cloud) for i, cloud in enumerate(clouds)]
    window.project.edit("Import", [*window.project.layers, *layers])
    window.show_project()
    window.workflows.choose(SPLATS)
    window.scene.select([layer.id for layer in layers])
    window.viewport.set_view("front", animated=False)
    window.viewport.frame_all(animated=False)
    qtbot.waitUntil(lambda: window.splat_tools.strip.isVisible(), timeout=5000)
    QApplication.processEvents()
    return layers


def settle(qtbot, window) -> None:
    """Wait until everything that was asked for is computed and shown."""
    qtbot.waitUntil(
        lambda: not window.splats.edits.is_busy and not window.splats.background.is_busy, timeout=20_000
    )


def pixel(window, x: float, z: float, y: float = 0.0) -> QPoint:
    size = (window.viewport.width(), window.viewport.height())
    place = cameras.project(window.viewport.camera, [[x, y, z]], size)[0]
    return QPoint(round(place[0]), round(place[1]))


def chosen(window, index: int = 0) -> set[tuple[float, float]]:
    """The x and z of the selected splats of a layer."""
    layer = window.splats.layers[index]
    return {(x, z) for x, _, z in layer.data.means[layer.marks.selected].tolist()} if layer.marks else set()


def block(columns: range, rows: range) -> set[tuple[float, float]]:
    return {(float(x), float(z)) for x in columns for z in rows}


def path(window, points: list[QPoint], modifier=NONE) -> None:
    canvas = canvas_of(window.viewport)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, modifier, points[0])
    for point in points[1:]:
        move(canvas, point, Qt.MouseButton.LeftButton, modifier)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, modifier, points[-1])


def rectangle(qtbot, window, x0: float, z0: float, x1: float, z1: float, modifier=NONE) -> None:
    drag(canvas_of(window.viewport), pixel(window, x0, z0), pixel(window, x1, z1), modifier=modifier)
    settle(qtbot, window)


def test_a_rectangle_selects_what_lies_in_it_and_keys_combine(qtbot, window):
    open_splats(qtbot, window, grid())
    pose = window.viewport.camera
    press(window, "M")
    assert window.splat_tools.tool == "rectangle" and window.actions_by_id["select_rectangle"].isChecked()
    rectangle(qtbot, window, 1.5, 2.5, 6.5, 5.5)
    assert chosen(window) == block(range(2, 7), range(3, 6))
    assert window.splat_tools.bar.isVisible() and "15" in window.splat_tools.bar.text
    assert window.project.undo_stack.undoText() == "Select 15 Gaussians"
    rectangle(qtbot, window, 7.5, 2.5, 8.5, 5.5, SHIFT)
    assert chosen(window) == block(range(2, 7), range(3, 6)) | block(range(8, 9), range(3, 6))
    rectangle(qtbot, window, 1.5, 4.5, 9.5, 7.5, CTRL)
    assert chosen(window) == block(range(2, 7), range(3, 5)) | block(range(8, 9), range(3, 5))
    rectangle(qtbot, window, 3.5, 0.5, 8.5, 3.5, SHIFT | CTRL)
    assert chosen(window) == block(range(4, 7), range(3, 4)) | block(range(8, 9), range(3, 4))
    for count in (12, 18, 15, 0):
        press(window, "Ctrl+Z")
        assert len(chosen(window)) == count
    assert window.viewport.camera == pose, "the left button selects and leaves the camera"
    press(window, "Ctrl+Y")
    rectangle(qtbot, window, 9.2, 9.2, 9.2, 9.2)
    assert chosen(window) == set(), "a click beside everything lets go"


def test_lasso_polygon_and_brush_select_what_they_cover(qtbot, window):
    open_splats(qtbot, window, grid())
    canvas = canvas_of(window.viewport)
    corners = [(1.5, 1.5), (5.5, 1.5), (5.5, 3.5), (1.5, 3.5)]
    press(window, "L")
    path(window, [pixel(window, *corner) for corner in corners])
    settle(qtbot, window)
    assert chosen(window) == block(range(2, 6), range(2, 4))
    press(window, "P")
    for corner in [(6.5, 6.5), (9.5, 6.5), (9.5, 9.5), (8.5, 9.7), (6.5, 9.5)]:
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, SHIFT, pixel(window, *corner))
    QTest.keyClick(canvas, Qt.Key.Key_Backspace)
    move(canvas, pixel(window, 6.5, 9.5), Qt.MouseButton.NoButton, SHIFT)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, SHIFT, pixel(window, 6.5, 9.5))
    QTest.keyClick(canvas, Qt.Key.Key_Return, SHIFT)
    settle(qtbot, window)
    both = block(range(2, 6), range(2, 4)) | block(range(7, 10), range(7, 10))
    assert chosen(window) == both - {(9.0, 9.0)} or chosen(window) == both
    press(window, "B")
    step = abs(pixel(window, 1, 0).x() - pixel(window, 0, 0).x())
    window.splat_tools.strokes.set_radius(0.45 * step)
    path(window, [pixel(window, x, 5.0) for x in (2.0, 3.0, 4.0, 5.0)])
    settle(qtbot, window)
    assert chosen(window) == block(range(2, 6), range(5, 6))
    radius = window.splat_tools.strokes.radius
    press(window, "BracketRight")
    assert window.splat_tools.strokes.radius > radius
    radius = window.splat_tools.strokes.radius
    wheel(canvas, pixel(window, 5, 5), 1, CTRL)
    larger = window.splat_tools.strokes.radius
    assert larger > radius
    wheel(canvas, pixel(window, 5, 5), 1)
    assert window.splat_tools.strokes.radius == larger, "the wheel alone zooms"


@pytest.mark.parametrize("tool", ["lasso", "brush", "flood", "box", "sphere", "move", "rotate", "scale"])
def test_escape_leaves_a_tool_wherever_the_keys_go(qtbot, window, tool):
    open_splats(qtbot, window, grid())
    window.splat_tools.choose(tool)
    assert window.splat_tools.tool == tool
    window.layer_list.setFocus()
    QTest.keyClick(window.layer_list, Qt.Key.Key_Escape)
    assert window.splat_tools.tool == ""


def test_a_polygon_ends_with_escape_first_and_the_tool_with_the_next(qtbot, window):
    open_splats(qtbot, window, grid())
    canvas = canvas_of(window.viewport)
    press(window, "P")
    for corner in [(1.5, 1.5), (5.5, 1.5)]:
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, NONE, pixel(window, *corner))
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert window.splat_tools.tool == "polygon"
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert window.splat_tools.tool == "" and not window.splat_tools.options.isVisible()
    assert not window.actions_by_id["select_polygon"].isChecked()
    before = window.viewport.camera
    drag(canvas, pixel(window, 3, 3), pixel(window, 5, 4))
    assert window.viewport.camera != before, "the left button moves the camera again"
    assert window.project.undo_stack.count() == 1


def test_visible_only_leaves_out_the_back_and_through_takes_both(qtbot, window):  # T60
    open_splats(qtbot, window, merged([wall(-2, 12, 0.0), wall(2, 8, 6.0)]))
    front, back = slice(0, 15**2), slice(15**2, None)
    press(window, "M")
    rectangle(qtbot, window, -2.9, -2.9, 12.9, 12.9)
    assert window.splats.num_selected == 15**2 + 7**2
    press(window, "N")
    assert window.actions_by_id["select_visible"].isChecked()
    rectangle(qtbot, window, -2.9, -2.9, 12.9, 12.9)
    selected = window.splats.layers[0].marks.selected
    assert selected[front].all() and not selected[back].any()
    window.viewport.set_orthographic(True)
    window.viewport.set_view("back", animated=False)
    QApplication.processEvents()
    rectangle(qtbot, window, -2.9, -2.9, 12.9, 12.9)
    selected, means = window.splats.layers[0].marks.selected, window.splats.layers[0].data.means
    behind = np.abs(means[front][:, [0, 2]] - 5).max(1) <= 2
    assert selected[back].all() and not selected[front][behind].any()
    assert selected[front][np.abs(means[front][:, [0, 2]] - 5).max(1) > 5].all(), "what stands out is seen"


def test_by_footprint_takes_what_only_touches(qtbot, window):
    open_splats(qtbot, window, grid())
    press(window, "M")
    rectangle(qtbot, window, 2.3, 2.3, 2.7, 2.7)
    assert chosen(window) == set()
    press(window, "Shift+N")
    rectangle(qtbot, window, 2.3, 2.3, 2.7, 2.7)
    assert chosen(window) == block(range(2, 4), range(2, 4))


def test_clicks_find_like_colours_and_what_hangs_together(qtbot, window):
    near, far = grid(), replace(grid(), means=grid().means + np.float32([30, 0, 0]))
    sh = near.sh.copy()
    sh[: 4 * SIDE] = (np.array([0.2, 0.8, 0.2]) - 0.5) / SH_C0  # the four lowest rows are green
    layer = GaussianCloud(
        *(
            np.concatenate([getattr(replace(near, sh=sh), name), getattr(far, name)])
            for name in ("means", "quats", "log_scales", "opacity_logits", "sh")
        )
    )
    open_splats(qtbot, window, layer)
    canvas = canvas_of(window.viewport)

    def click(tool: str, x: float, z: float) -> int:
        window.splat_tools.choose(tool)
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, NONE, pixel(window, x, z))
        settle(qtbot, window)
        return window.splats.num_selected

    assert click("eyedropper", 5, 8) == 7 * SIDE + SIDE**2, "red ones in both pieces"
    assert click("flood", 5, 8) == 7 * SIDE, "red ones that hang together"
    press(window, "O")
    assert window.splat_tools.tool == "connected"
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, NONE, pixel(window, 5, 8))
    settle(qtbot, window)
    assert window.splats.num_selected == SIDE**2
    count = window.project.undo_stack.count()
    window.splat_tools.choose("flood")
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, NONE, pixel(window, 20, 5))
    settle(qtbot, window)
    assert window.project.undo_stack.count() == count, "beside everything nothing happens"


def test_box_and_sphere_select_what_is_in_them(qtbot, window):
    open_splats(qtbot, window, grid())
    tools = window.splat_tools
    press(window, "Shift+B")
    assert tools.tool == "box" and tools.options.isVisible()
    tools.box.box = np.array([[2.6, 0, 0, 4], [0, 1, 0, 0], [0, 0, 1.6, 5], [0, 0, 0, 1]], float)
    button = tools.options.findChild(QPushButton, "volume_set")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert chosen(window) == block(range(2, 7), range(4, 7))
    window.actions_by_id["select_sphere"].trigger()
    tools.sphere.begin([8, 0, 8], 1.1)
    QTest.mouseClick(tools.options.findChild(QPushButton, "volume_add"), Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    cross = {(8.0, 8.0), (7.0, 8.0), (9.0, 8.0), (8.0, 7.0), (8.0, 9.0)}
    assert chosen(window) == block(range(2, 7), range(4, 7)) | cross
    middle, radius = tools.sphere.rim_pixels()
    start = QPoint(round(middle.x() + radius), round(middle.y()))
    drag(canvas_of(window.viewport), start, start + QPoint(round(radius), 0))
    assert tools.sphere.radius == pytest.approx(2.2, rel=0.05)


def test_tools_work_on_every_selected_layer_of_splats(qtbot, window):
    open_splats(qtbot, window, grid(), grid(2.0))
    press(window, "M")
    rectangle(qtbot, window, -0.9, -0.9, 10.9, 10.9)
    assert window.splats.num_selected == 2 * SIDE**2
    press(window, "Ctrl+Z")
    assert window.splats.num_selected == 0, "one undo step for both"


# --- commands: do, undo, redo ----------------------------------------------------------------------------


def digest(window) -> str:
    """All bytes of data and marks of all layers."""
    summary = hashlib.blake2b()
    for layer in window.project.layers:
        summary.update(layer.id.encode())
        for _, array in layer.data.arrays():
            summary.update(array.tobytes())
        for _, array in layer.marks.arrays() if layer.marks is not None else ():
            summary.update(array.tobytes())
    return summary.hexdigest()


def select_block(qtbot, window) -> None:
    window.splat_tools.choose("box")
    window.splat_tools.box.box = np.array([[1.6, 0, 0, 5], [0, 9, 0, 0], [0, 0, 1.6, 5], [0, 0, 0, 1]], float)
    window.splat_tools.select_volume("set")
    settle(qtbot, window)
    window.splat_tools.leave()
    assert window.splats.num_selected == 9


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


# --- gizmo -----------------------------------------------------------------------------------------------


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


# --- what stands around ----------------------------------------------------------------------------------


def test_a_tool_of_the_viewport_takes_the_pointer_back(qtbot, window):
    open_splats(qtbot, window, grid())
    press(window, "M")
    press(window, "D")
    assert window.splat_tools.tool == "" and window.viewport.active_tool == "measure"
    press(window, "B")
    assert window.splat_tools.tool == "brush" and window.viewport.active_tool == ""


def test_the_strip_shows_what_is_under_way_and_goes_with_the_splats(qtbot, window):
    open_splats(qtbot, window, grid())
    strip = window.splat_tools.strip
    button = strip.findChild(QToolButton, "tool_select_lasso")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.splat_tools.tool == "lasso" and button.isChecked()
    assert "Lasso" in window.splat_tools.options.accessibleName()
    press(window, "Delete")
    assert not strip.isVisible() and window.splat_tools.tool == ""
    assert base_colors(grid())[0] == pytest.approx([0.8, 0.2, 0.2], abs=1e-5)


@pytest.mark.parametrize("ratio", ["2"])  # at 1 all the others are
def test_regions_and_clicks_mean_the_same_at_any_pixel_ratio(ratio: str, tmp_path) -> None:  # T51
    printed = run_apart(
        """
        import time
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest
        from PySide6.QtWidgets import QApplication
        from app.main_window import MainWindow
        from app.preferences import Preferences
        from app.layers import new_layer
        from tests.app.test_splat_window import grid, pixel
        from tests.widgets.viewports import canvas_of, drag
        app = QApplication([])
        window = MainWindow(Preferences(reduce_motion=True), multi_samples=0)
        window.resize(700, 500)
        window.show()
        window.project.edit("Import", [new_layer("Grid", grid())])
        window.show_project()
        window.workflows.choose_splats()
        window.scene.select([window.project.layers[0].id])
        QTest.qWait(300)
        window.viewport.set_view("front", animated=False)
        window.viewport.frame_all(animated=False)
        QTest.qWait(100)
        def settle():
            while window.splats.edits.is_busy or window.splats.background.is_busy:
                QTest.qWait(20)
        canvas = canvas_of(window.viewport)
        window.splat_tools.choose("rectangle")
        drag(canvas, pixel(window, 1.5, 2.5), pixel(window, 6.5, 5.5))
        settle()
        print("rectangle", window.splats.num_selected, canvas.devicePixelRatioF())
        window.splat_tools.choose("brush")
        window.splat_tools.strokes.set_radius(3.0)
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=pixel(window, 3, 3))
        settle()
        print("brush", window.splats.num_selected)
        window.splat_tools.choose("eyedropper")
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=pixel(window, 3, 3))
        settle()
        print("eyedropper", window.splats.num_selected)
        window.may_close = True
        window.close()
        """,
        QT_SCALE_FACTOR=ratio,
        ISOKILN_HOME=str(tmp_path),
    )
    lines = printed.splitlines()
    assert lines == [f"rectangle 15 {float(ratio)}", "brush 1", f"eyedropper {SIDE**2}"]


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
