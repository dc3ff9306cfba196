"""Mouse and keys in the 3D view."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot

from render.cross_sections import CrossSections
from tests.widgets.viewports import canvas_of, cube, drag, move, opened, pixel_of, square_sections, wheel
from widgets import viewport_camera as cameras
from widgets.viewport import Viewport
from widgets.viewport_camera import CameraPose, ViewName
from widgets.viewport_clip import ClipPlane
from widgets.viewport_pane import ViewportPane
from widgets.viewport_style import LayerStyle

LEFT, MIDDLE, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton
CENTER = QPoint(160, 120)


@pytest.fixture
def viewport(qtbot: QtBot) -> Viewport:
    """A cube of side one seen from the front."""
    view = opened(qtbot)
    view.show_layer("cube", cube())
    view.set_view("front")
    view.frame_all()
    return view


def test_a_left_drag_turns_about_the_focal_point(viewport: Viewport) -> None:
    before = viewport.camera
    drag(canvas_of(viewport), CENTER, CENTER + QPoint(40, 0))
    after = viewport.camera
    assert after.focal == before.focal
    assert after.distance == pytest.approx(before.distance)
    assert after.position[0] < -0.2  # the cube follows the pointer to the right
    assert after.position[2] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("button", "modifier"),
    [(MIDDLE, Qt.KeyboardModifier.NoModifier), (LEFT, Qt.KeyboardModifier.ShiftModifier)],
    ids=["middle", "shift-left"],
)
def test_a_pan_carries_the_picture_with_the_pointer(
    viewport: Viewport, button: Qt.MouseButton, modifier: Qt.KeyboardModifier
) -> None:
    before = pixel_of(viewport, viewport.camera.focal)
    focal = viewport.camera.focal
    drag(canvas_of(viewport), CENTER, CENTER + QPoint(30, -20), button, modifier)
    assert (pixel_of(viewport, focal) - before - QPoint(30, -20)).manhattanLength() <= 2


def test_the_wheel_zooms_to_the_surface_under_the_pointer(viewport: Viewport) -> None:
    point = (0.3, -0.5, 0.2)
    before, distance = pixel_of(viewport, point), viewport.camera.distance
    wheel(canvas_of(viewport), before, 3)
    assert viewport.camera.distance < 0.7 * distance
    assert (pixel_of(viewport, point) - before).manhattanLength() <= 2
    wheel(canvas_of(viewport), before, -3)
    assert viewport.camera.distance == pytest.approx(distance, rel=1e-6)


def test_a_double_click_makes_the_surface_point_the_pivot(viewport: Viewport) -> None:
    at = pixel_of(viewport, (0.3, -0.5, 0.2))
    QTest.mouseDClick(canvas_of(viewport), LEFT, pos=at)
    assert viewport.camera.focal == pytest.approx((0.3, -0.5, 0.2), abs=0.02)
    assert pixel_of(viewport, viewport.camera.focal) == CENTER


def test_a_right_drag_looks_around_from_where_one_stands(viewport: Viewport) -> None:
    before = viewport.camera
    drag(canvas_of(viewport), CENTER, CENTER + QPoint(50, 0), RIGHT)
    assert viewport.camera.position == before.position
    assert viewport.camera.focal[0] > before.focal[0] + 0.2


def test_w_flies_forward_only_while_the_right_button_is_held(viewport: Viewport, qtbot: QtBot) -> None:
    canvas = canvas_of(viewport)
    start = viewport.camera
    QTest.keyPress(canvas, Qt.Key.Key_W)
    QTest.keyRelease(canvas, Qt.Key.Key_W)
    assert viewport.camera == start
    QTest.mousePress(canvas, RIGHT, pos=CENTER)
    QTest.keyPress(canvas, Qt.Key.Key_W)
    qtbot.waitUntil(lambda: viewport.camera.position[1] > start.position[1] + 0.05)
    QTest.keyRelease(canvas, Qt.Key.Key_W)
    QTest.mouseRelease(canvas, RIGHT, pos=CENTER)
    there = viewport.camera
    qtbot.wait(60)
    assert viewport.camera == there
    assert there.position[0] == pytest.approx(start.position[0])


def test_letters_reach_the_windows_shortcuts_but_not_while_flying(qtbot: QtBot) -> None:
    window = QMainWindow()
    viewport = Viewport(multi_samples=0)
    window.setCentralWidget(viewport)
    fired: list[bool] = []
    action = QAction("Measure", window, shortcut=QKeySequence("D"))
    action.triggered.connect(lambda: fired.append(True))
    window.addAction(action)
    qtbot.addWidget(window, before_close_func=lambda _: viewport.release())
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    canvas = canvas_of(viewport)
    canvas.setFocus()
    qtbot.waitUntil(canvas.hasFocus)
    QTest.keyClick(canvas, Qt.Key.Key_D)
    assert len(fired) == 1
    QTest.mousePress(canvas, RIGHT, pos=CENTER)
    QTest.keyClick(canvas, Qt.Key.Key_D)
    QTest.mouseRelease(canvas, RIGHT, pos=CENTER)
    assert len(fired) == 1


def test_a_click_picks_the_layer_and_the_point_under_it(viewport: Viewport, qtbot: QtBot) -> None:
    viewport.show_layer("small", cube(0.2, (0, -1, 0)))
    with qtbot.waitSignal(viewport.picked) as near:
        QTest.mouseClick(canvas_of(viewport), LEFT, pos=CENTER)
    assert near.args[0] == "small"
    assert near.args[1] == pytest.approx((0, -1.1, 0), abs=0.01)
    with qtbot.waitSignal(viewport.picked) as side:
        QTest.mouseClick(canvas_of(viewport), LEFT, pos=pixel_of(viewport, (0.4, -0.5, -0.3)))
    assert side.args[0] == "cube"
    assert side.args[1] == pytest.approx((0.4, -0.5, -0.3), abs=0.01)
    with qtbot.waitSignal(viewport.picked) as beside:
        QTest.mouseClick(canvas_of(viewport), LEFT, pos=QPoint(5, 120))
    assert beside.args == ["", ()]


@pytest.mark.parametrize("parallel", [False, True], ids=["perspective", "orthographic"])
def test_hidden_and_clipped_surfaces_are_not_picked(viewport: Viewport, qtbot: QtBot, parallel: bool) -> None:
    viewport.set_orthographic(parallel)
    viewport.show_layer("behind", cube(1, (0, 3, 0)))
    viewport.set_clip(ClipPlane((0, -1, 0), -0.1))  # keeps y >= 0.1
    with qtbot.waitSignal(viewport.picked) as cut:
        QTest.mouseClick(canvas_of(viewport), LEFT, pos=CENTER)
    assert cut.args[0] == "cube"
    assert cut.args[1] == pytest.approx((0, 0.5, 0), abs=0.01)  # the far side, seen through the cut
    viewport.set_layer_visible("cube", False)
    with qtbot.waitSignal(viewport.picked) as hidden:
        QTest.mouseClick(canvas_of(viewport), LEFT, pos=CENTER)
    assert hidden.args[0] == "behind"


def test_a_drag_is_not_a_click(viewport: Viewport, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(viewport.picked), qtbot.assertNotEmitted(viewport.context_menu_requested):
        drag(canvas_of(viewport), CENTER, CENTER + QPoint(20, 5))
        drag(canvas_of(viewport), CENTER, CENTER + QPoint(20, 5), RIGHT)


def test_a_right_click_asks_for_the_menu_of_the_layer_under_it(viewport: Viewport, qtbot: QtBot) -> None:
    with qtbot.waitSignal(viewport.context_menu_requested) as asked:
        QTest.mouseClick(canvas_of(viewport), RIGHT, pos=CENTER)
    assert asked.args == [canvas_of(viewport).mapToGlobal(CENTER), "cube"]
    with qtbot.waitSignal(viewport.context_menu_requested) as beside:
        QTest.mouseClick(canvas_of(viewport), RIGHT, pos=QPoint(4, 120))
    assert beside.args[1] == ""


def test_a_click_on_a_contour_or_a_plane_picks_that_plane(viewport: Viewport, qtbot: QtBot) -> None:
    viewport.clear()
    viewport.show_layer("slices", square_sections(3), LayerStyle(plane_opacity=0.1))
    viewport.camera = CameraPose((0, -6, 6), (0, 0, 1), (0, 0, 1))
    with qtbot.waitSignal(viewport.plane_picked) as line:
        QTest.mouseClick(canvas_of(viewport), LEFT, pos=pixel_of(viewport, (0.1, -0.5, 0)) + QPoint(0, 2))
    assert line.args == ["slices", 0]
    with qtbot.waitSignal(viewport.plane_picked) as veil:
        QTest.mouseClick(canvas_of(viewport), LEFT, pos=pixel_of(viewport, (0.4, 0.1, 2)))
    assert veil.args == ["slices", 2]
    viewport.show_layer("solid", cube(3, (0, 0, 1)))
    with qtbot.assertNotEmitted(viewport.plane_picked):
        QTest.mouseClick(canvas_of(viewport), LEFT, pos=pixel_of(viewport, (0.1, -0.5, 1)))


@pytest.mark.parametrize("name", ["front", "right", "top"])
def test_a_click_on_a_side_of_the_view_cube_looks_from_there(viewport: Viewport, name: ViewName) -> None:
    viewport.set_view("iso")
    cube_widget = viewport._furniture.cube
    cube_widget.follow(viewport.camera)
    at = cube_widget.center_of(name)
    assert at is not None
    QTest.mouseClick(cube_widget, LEFT, pos=at.toPoint())
    wanted = cameras.look_along(viewport.camera, name, "+Z")
    assert viewport.camera.position == pytest.approx(wanted.position, abs=1e-6)
    assert viewport.camera.axes[1] == pytest.approx(wanted.axes[1], abs=1e-6)


def test_the_view_cube_knows_edges_and_corners_and_hides_far_sides(viewport: Viewport) -> None:
    viewport.set_view("iso")
    view_cube = viewport._furniture.cube
    view_cube.follow(viewport.camera)
    assert view_cube.center_of("back") is None and view_cube.center_of("bottom") is None
    corner = view_cube._seen(np.array([0.93, -0.93, 1.0]))  # on the top, where front and right meet
    QTest.mouseClick(view_cube, LEFT, pos=corner.toPoint())
    direction = np.subtract(viewport.camera.position, viewport.camera.focal)
    assert direction / np.abs(direction).max() == pytest.approx([1, -1, 1], abs=1e-6)
    before = viewport.camera
    drag(view_cube, QPoint(40, 40), QPoint(60, 40))
    assert viewport.camera.position != before.position


def test_a_view_glides_in_and_arrives_exactly(viewport: Viewport, qtbot: QtBot) -> None:
    viewport.set_reduce_motion(False)
    poses: list[CameraPose] = []
    viewport.camera_moved.connect(poses.append)
    viewport.set_view("right")
    wanted = cameras.look_along(viewport.camera, "right", "+Z")
    qtbot.waitUntil(lambda: viewport.camera == wanted, timeout=3000)
    viewport.set_reduce_motion(True)
    count = len(poses)
    viewport.set_view("top")
    assert len(poses) == count + 1  # at once


def test_moving_the_pointer_without_a_button_changes_nothing(viewport: Viewport, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(viewport.camera_moved), qtbot.assertNotEmitted(viewport.picked):
        for x in range(100, 200, 20):
            move(canvas_of(viewport), QPoint(x, 120))


def test_a_plane_whose_normal_points_the_other_way_is_picked_all_the_same(
    viewport: Viewport, qtbot: QtBot
) -> None:
    square = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0.0]])
    sections = CrossSections.from_planes(
        [([0, 0, 1], 0.0, [(square, 1)]), ([0, 0, -1], -1.0, [(np.add(square, [0, 0, 1]), 1)])]
    )
    viewport.clear()
    viewport.show_layer("slices", sections, LayerStyle(plane_opacity=0.1))
    viewport.set_view("top")
    viewport.frame_all()
    with qtbot.waitSignal(viewport.plane_picked) as upper:
        QTest.mouseClick(canvas_of(viewport), LEFT, pos=CENTER)
    assert upper.args == ["slices", 1]


def test_tab_leaves_the_picture_for_the_next_control(qtbot: QtBot) -> None:
    pane = ViewportPane(multi_samples=0)
    qtbot.addWidget(pane, before_close_func=lambda _: pane.viewport.release())
    with qtbot.waitExposed(pane):
        pane.show()
    pane.activateWindow()
    canvas = canvas_of(pane.viewport)
    canvas.setFocus()
    qtbot.waitUntil(canvas.hasFocus)
    QTest.keyClick(canvas, Qt.Key.Key_Tab)
    assert not canvas.hasFocus()
