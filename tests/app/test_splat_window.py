"""Selecting splats in a real window, with real drags and keys: T60, T61."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton

from recon.gaussian_edits import merged
from recon.gaussian_values import base_colors
from render.gaussians import GaussianCloud
from render.spherical_harmonics import SH_C0
from tests.app.splat_grid import (
    CTRL,
    NONE,
    SHIFT,
    SIDE,
    block,
    chosen,
    grid,
    open_splats,
    path,
    pixel,
    rectangle,
    settle,
    wall,
)
from tests.app.windows import begin_anew, press
from tests.widgets.test_viewport_closing import run_apart
from tests.widgets.viewports import canvas_of, drag, move, wheel


@pytest.fixture
def window(one_window):
    begin_anew(one_window)
    return one_window


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


def test_escape_leaves_a_tool_wherever_the_keys_go(qtbot, window):
    open_splats(qtbot, window, grid())
    for tool in ("lasso", "brush", "flood", "box", "sphere", "move", "rotate", "scale"):
        window.splat_tools.choose(tool)
        assert window.splat_tools.tool == tool
        window.layer_list.setFocus()
        QTest.keyClick(window.layer_list, Qt.Key.Key_Escape)
        assert window.splat_tools.tool == "", tool


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
        from tests.app.splat_grid import grid, pixel
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
