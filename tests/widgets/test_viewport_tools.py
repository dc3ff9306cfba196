"""Measuring and clipping in the 3D view."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QSlider, QWidget
from pytestqt.qtbot import QtBot

from render.mesh import TriangleMesh
from tests.widgets.viewports import canvas_of, color_at, cube, drag, move, opened, pixel_of, square_sections
from widgets.viewport import Viewport
from widgets.viewport_cap import cut_face
from widgets.viewport_clip import ClipPlane
from widgets.viewport_measure import Measurement
from widgets.viewport_normals import shade
from widgets.viewport_polydata import triangles
from widgets.viewport_style import LayerStyle

LEFT = Qt.MouseButton.LeftButton
RED = LayerStyle(color="#ff0000")


@pytest.fixture
def viewport(qtbot: QtBot) -> Viewport:
    """A cube of side one seen from the front, without the grid."""
    view = opened(qtbot, 480, 360)
    view.set_shown("grid", False)
    view.show_layer("cube", cube(), RED)
    view.set_view("front")
    view.frame_all()
    return view


def click(viewport: Viewport, point: tuple[float, float, float], dx: int = 0, dy: int = 0) -> None:
    QTest.mouseClick(canvas_of(viewport), LEFT, pos=pixel_of(viewport, point) + QPoint(dx, dy))


def test_the_edge_of_a_cube_measures_one(viewport: Viewport, qtbot: QtBot) -> None:
    viewport.begin_measuring()
    assert viewport.active_tool == "measure"
    click(viewport, (-0.5, -0.5, -0.5), 3, -2)  # near a corner: the point snaps to it
    with qtbot.waitSignal(viewport.measured) as edge:
        click(viewport, (0.5, -0.5, -0.5), -3, -2)
    assert edge.args[0] == pytest.approx(1.0, abs=1e-6)
    assert edge.args[1] == pytest.approx((-0.5, -0.5, -0.5))
    assert viewport.tools.measure.text_of(viewport.measurements[0]) == "1\u202fmm"


def test_points_on_a_side_are_measured_where_they_are_clicked(viewport: Viewport, qtbot: QtBot) -> None:
    viewport.begin_measuring()
    click(viewport, (-0.2, -0.5, 0.1))
    with qtbot.waitSignal(viewport.measured) as free:
        click(viewport, (0.2, -0.5, 0.1))
    assert free.args[0] == pytest.approx(0.4, abs=0.01)


def test_several_lengths_stay_until_they_are_cleared(viewport: Viewport) -> None:
    viewport.begin_measuring()
    for x in (-0.3, -0.1, 0.1, 0.3):
        click(viewport, (x, -0.5, 0.2))
    assert len(viewport.measurements) == 2
    viewport.end_tool()
    assert len(viewport.measurements) == 2
    assert viewport.findChild(QWidget, "viewport_annotations").isVisible()
    viewport.set_measurements([])
    assert not viewport.findChild(QWidget, "viewport_annotations").isVisible()


def test_clicks_beside_everything_measure_nothing_and_drags_still_turn(viewport: Viewport) -> None:
    viewport.begin_measuring()
    before = viewport.camera
    QTest.mouseClick(canvas_of(viewport), LEFT, pos=QPoint(4, 200))
    drag(canvas_of(viewport), QPoint(240, 180), QPoint(280, 180))
    assert viewport.camera != before
    assert viewport.measurements == ()


def test_escape_drops_the_begun_length_and_then_the_tool(viewport: Viewport, qtbot: QtBot) -> None:
    viewport.begin_measuring()
    click(viewport, (0, -0.5, 0))
    canvas = canvas_of(viewport)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert viewport.active_tool == "measure"
    with qtbot.waitSignal(viewport.tool_changed) as changed:
        QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert changed.args == [""]
    with qtbot.waitSignal(viewport.picked):
        click(viewport, (0, -0.5, 0))


def test_contours_can_be_measured_without_a_mesh(viewport: Viewport, qtbot: QtBot) -> None:
    viewport.clear()
    viewport.show_layer("slices", square_sections(1))
    viewport.set_view("top")
    viewport.frame_all()
    viewport.begin_measuring()
    click(viewport, (-0.5, 0, 0), 2, 0)
    with qtbot.waitSignal(viewport.measured) as width:
        click(viewport, (0.5, 0, 0), -2, 0)
    assert width.args[0] == pytest.approx(1.0, abs=1e-3)


def test_a_length_is_painted_over_the_picture_with_its_label(viewport: Viewport) -> None:
    bare = viewport.grab().toImage()
    viewport.set_measurements([Measurement((-0.4, -0.5, 0), (0.4, -0.5, 0))])
    drawn = viewport.grab().toImage()
    at = pixel_of(viewport, (0.25, -0.5, 0))
    ink = drawn.pixelColor(at)
    assert min(ink.red(), ink.green(), ink.blue()) > 150  # the text colour on red
    assert bare.pixelColor(at).green() < 100


def test_a_clip_plane_hides_the_expected_half(viewport: Viewport) -> None:
    viewport.set_clip(ClipPlane((1, 0, 0), 0.0))
    assert color_at(viewport, (-0.25, -0.5, 0.2))[0] > 120
    assert np.ptp(color_at(viewport, (0.25, -0.5, 0.2))) < 12
    viewport.set_clip(ClipPlane((1, 0, 0), 0.0).flipped())
    assert color_at(viewport, (0.25, -0.5, 0.2))[0] > 120
    assert np.ptp(color_at(viewport, (-0.25, -0.5, 0.2))) < 12
    viewport.set_clip(None)
    assert color_at(viewport, (-0.25, -0.5, 0.2))[0] > 120


def test_an_oblique_clip_plane_cuts_along_its_own_direction(viewport: Viewport) -> None:
    half = 0.5**0.5
    viewport.set_clip(ClipPlane((half, 0, half), 0.0))
    assert color_at(viewport, (0.3, -0.5, -0.4))[0] > 120
    assert np.ptp(color_at(viewport, (0.3, -0.5, -0.2))) < 12


def test_clipping_cuts_contours_too_and_layers_that_come_later(viewport: Viewport) -> None:
    viewport.set_clip(ClipPlane((1, 0, 0), 0.0))
    viewport.clear()
    viewport.show_layer("late", cube(), RED)
    assert np.ptp(color_at(viewport, (0.25, -0.5, 0.2))) < 12
    viewport.clear()
    viewport.show_layer("slices", square_sections(1), LayerStyle(plane_opacity=0, line_width=4))
    viewport.set_view("top")
    viewport.frame_all()
    assert np.ptp(color_at(viewport, (-0.5, 0, 0))) > 40
    assert np.ptp(color_at(viewport, (0.5, 0, 0))) < 12


def test_the_cut_of_a_solid_is_closed_by_a_flat_face(viewport: Viewport) -> None:
    viewport.set_clip(ClipPlane((0, -1, 0), 0.0))  # keeps the far half, y >= 0
    colors = [color_at(viewport, (x, 0, z)) for x, z in ((0, 0), (0.3, 0.3), (-0.3, -0.2))]
    assert all(np.abs(color - colors[0]).max() <= 1 for color in colors)
    assert colors[0][1] > 100  # not the red of the outside


@pytest.mark.parametrize("is_split", [False, True], ids=["shared-vertices", "split-at-edges"])
def test_the_cut_face_has_the_area_and_the_hole_of_the_solid(is_split: bool) -> None:
    outer, inner = cube(1.0), cube(0.5)
    hollow = TriangleMesh(
        np.concatenate([outer.vertices, inner.vertices]),
        np.concatenate([outer.faces, inner.faces[:, ::-1] + 8]),
    )
    shaded = shade(hollow)
    assert len(shaded.source) == 16 + 48
    surface = triangles(hollow.vertices, hollow.faces)
    if is_split:
        surface = triangles(hollow.vertices[shaded.source], shaded.faces)
    face = cut_face(surface, np.array([0.0, 0.0, 1.0]), 0.1)
    points = np.array([face.GetPoint(i) for i in range(face.GetNumberOfPoints())])
    area = 0.0
    for index in range(face.GetNumberOfCells()):
        a, b, c = (points[face.GetCell(index).GetPointId(k)] for k in range(3))
        area += np.linalg.norm(np.cross(b - a, c - a)) / 2
    assert area == pytest.approx(1 - 0.25)
    assert points[:, 2] == pytest.approx(0.1)


def test_the_clip_panel_and_the_handle_move_the_plane(viewport: Viewport, qtbot: QtBot) -> None:
    viewport.begin_clipping()
    assert viewport.active_tool == "clip"
    assert viewport.clip == ClipPlane((1, 0, 0), 0.0)  # across what lies left and right
    slider = viewport.findChild(QSlider, "clip_slider")
    slider.setValue(750)
    assert viewport.clip.offset == pytest.approx(0.25)
    viewport.findChild(QAbstractButton, "clip_z").click()
    assert viewport.clip == ClipPlane((0, 0, 1), 0.0)
    viewport.findChild(QAbstractButton, "clip_flip").click()
    assert viewport.clip.normal == (0, 0, -1)
    viewport.findChild(QAbstractButton, "clip_x").click()
    _, tip = viewport.tools.clip.knob()
    start = pixel_of(viewport, tuple(tip))
    before = viewport.camera
    drag(canvas_of(viewport), start, start + QPoint(30, 0))
    assert viewport.camera == before  # the handle moved, not the view
    per_pixel = viewport.camera.units_per_pixel((480, 360))
    assert viewport.clip.offset == pytest.approx(30 * per_pixel, rel=0.05)
    assert slider.value() == pytest.approx(500 + 1000 * viewport.clip.offset, abs=1)


def test_escape_ends_clipping_and_shows_everything(viewport: Viewport, qtbot: QtBot) -> None:
    viewport.begin_clipping()
    with qtbot.waitSignal(viewport.clip_changed) as changed:
        QTest.keyClick(canvas_of(viewport), Qt.Key.Key_Escape)
    assert changed.args == [None]
    assert viewport.active_tool == ""
    assert not viewport.findChild(QWidget, "viewport_clip_panel").isVisible()
    assert color_at(viewport, (0.25, -0.5, 0.2))[0] > 120


def test_one_tool_has_the_pointer_at_a_time(viewport: Viewport) -> None:
    viewport.begin_clipping()
    viewport.begin_measuring()
    assert viewport.active_tool == "measure"
    assert viewport.clip is not None  # one may measure in the cut
    viewport.begin_clipping()
    assert viewport.active_tool == "clip"


def test_the_pointer_shows_where_a_click_would_measure(viewport: Viewport) -> None:
    viewport.begin_measuring()
    move(canvas_of(viewport), pixel_of(viewport, (0.1, -0.5, 0.1)))
    assert viewport.findChild(QWidget, "viewport_annotations").isVisible()
    move(canvas_of(viewport), QPoint(3, 3))
    assert not viewport.findChild(QWidget, "viewport_annotations").isVisible()
