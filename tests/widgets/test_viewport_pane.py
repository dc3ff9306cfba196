"""The bar above a 3D view."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton, QWidget
from pytestqt.qtbot import QtBot

from tests.widgets.viewports import cube
from widgets import viewport_camera as cameras
from widgets.viewport_pane import ViewportPane
from widgets.viewport_style import SHADING_TITLES


@pytest.fixture
def pane(qtbot: QtBot) -> ViewportPane:
    """A pane with a cube in it."""
    made = ViewportPane(multi_samples=0)
    made.resize(640, 420)
    qtbot.addWidget(made, before_close_func=lambda _: made.viewport.release())
    with qtbot.waitExposed(made):
        made.show()
    made.viewport.set_reduce_motion(True)
    made.viewport.show_layer("cube", cube())
    return made


def button(pane: ViewportPane, name: str) -> QToolButton:
    found = pane.findChild(QToolButton, name)
    assert found is not None
    return found


def choose(pane: ViewportPane, name: str, title: str) -> None:
    """Take an entry of a button's menu."""
    menu = button(pane, name).menu()
    menu.aboutToShow.emit()
    next(action for action in menu.actions() if action.text() == title).trigger()


@pytest.mark.parametrize(("title", "name"), [("Front", "front"), ("Bottom", "bottom"), ("Isometric", "iso")])
def test_the_view_menu_looks_from_the_named_side(pane: ViewportPane, title: str, name: str) -> None:
    choose(pane, "camera_button", title)
    pose = pane.viewport.camera
    wanted = cameras.look_along(pose, name, "+Z")  # type: ignore[arg-type]
    assert pose.position == pytest.approx(wanted.position)


def test_the_shading_menu_sets_all_meshes_and_says_how_they_are_drawn(pane: ViewportPane) -> None:
    choose(pane, "shading_button", "Normals")
    assert pane.viewport.shading == "normals"
    assert button(pane, "shading_button").text() == "Normals"
    choose(pane, "shading_button", "As each layer says")
    assert pane.viewport.shading is None
    pane.viewport.cycle_shading()  # from a key of the window
    assert button(pane, "shading_button").text() == SHADING_TITLES["shaded+wire"]
    ticked = [a.text() for a in button(pane, "shading_button").menu().actions() if a.isChecked()]
    assert ticked == ["Shaded with edges"]


def test_the_projection_button_follows_the_camera_and_sets_it(pane: ViewportPane) -> None:
    ortho = button(pane, "ortho_button")
    QTest.mouseClick(ortho, Qt.MouseButton.LeftButton)
    assert pane.viewport.camera.parallel and ortho.isChecked()
    pane.viewport.set_orthographic(False)
    assert not ortho.isChecked()


def test_the_overlays_menu_shows_and_hides_each_of_them(pane: ViewportPane) -> None:
    view_cube = pane.findChild(QWidget, "viewport_view_cube")
    choose(pane, "overlay_button", "View cube")
    assert not view_cube.isVisible() and not pane.viewport.is_shown("cube")
    pane.viewport.set_shown("grid", False)  # by a key
    menu = button(pane, "overlay_button").menu()
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions() if not action.isChecked()] == [
        "Ground grid",
        "View cube",
    ]
    assert not pane.viewport.is_shown("grid")  # ticking the menu changed nothing
    choose(pane, "overlay_button", "View cube")
    assert view_cube.isVisible()


def test_the_pane_asks_to_be_maximised_by_button_and_by_double_click(
    pane: ViewportPane, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(pane.maximise_requested):
        QTest.mouseClick(button(pane, "maximise_button"), Qt.MouseButton.LeftButton)
    header = pane.findChild(QWidget, "viewport_header")
    with qtbot.waitSignal(pane.maximise_requested):
        QTest.mouseDClick(header, Qt.MouseButton.LeftButton, pos=QPoint(header.width() // 2, 8))
    pane.set_maximised(True)
    assert button(pane, "maximise_button").toolTip().startswith("Show all views")


def test_the_frame_button_brings_everything_into_view(pane: ViewportPane) -> None:
    pane.viewport.camera = cameras.zoom(pane.viewport.camera, 50, (0, 0, 0))
    QTest.mouseClick(button(pane, "frame_button"), Qt.MouseButton.LeftButton)
    assert pane.viewport.camera.distance < 5


def test_every_button_has_a_name_for_those_who_cannot_see_it(pane: ViewportPane) -> None:
    for each in pane.findChildren(QToolButton):
        assert each.accessibleName(), each.objectName()


def test_a_narrow_header_drops_its_words_as_a_whole(pane: ViewportPane) -> None:
    pane.resize(700, 300)
    words = button(pane, "camera_button").toolButtonStyle()
    pane.resize(240, 300)
    narrow = {
        button(pane, name).toolButtonStyle() for name in ("camera_button", "shading_button", "overlay_button")
    }
    assert words == Qt.ToolButtonStyle.ToolButtonTextBesideIcon
    assert narrow == {Qt.ToolButtonStyle.ToolButtonIconOnly}
