"""Dragging the region's faces and clicking points in the picture."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from render.points import PointCloud
from tests.widgets.viewports import canvas_of, drag, opened
from widgets import viewport_camera as cameras
from widgets.viewport_style import LayerStyle

POINTS = np.array([[0, 0, 0], [2, 0, 0], [0, 2, 0], [0, 0, 2.0], [2, 2, 2]])


@pytest.fixture
def viewport(qtbot):
    viewport = opened(qtbot, 480, 360)
    viewport.show_layer("cloud", PointCloud(POINTS), LayerStyle())
    viewport.set_view("front", animated=False)
    viewport.frame_all(animated=False)
    return viewport


def test_a_dragged_face_follows_the_pointer_and_its_opposite_stays(qtbot, viewport):
    box = np.eye(4)
    box[:3, 3] = 1
    region = viewport.tools.region
    viewport.tools.begin_region(box)
    assert viewport.active_tool == "region"
    handle = region.handle_pixels()[0, 1]
    start = QPoint(round(handle.x()), round(handle.y()))
    per_unit = cameras.project(viewport.camera, [[2, 1, 1], [3, 1, 1]], (480, 360))
    step = round(0.5 * (per_unit[1, 0] - per_unit[0, 0]))
    with qtbot.waitSignal(region.edited) as told:
        drag(canvas_of(viewport), start, start + QPoint(step, 0))
    (new,) = told.args
    right = new[0, 3] + new[0, 0]
    assert right == pytest.approx(2.5, abs=0.06) and new[0, 3] - new[0, 0] == pytest.approx(0, abs=1e-9)
    assert np.allclose(new[1:3], box[1:3])
    assert "2.5" in region.size_text()
    QTest.keyClick(canvas_of(viewport), Qt.Key.Key_Escape)
    assert viewport.active_tool == ""


def test_drags_beside_the_handles_still_turn_the_view(viewport):
    viewport.tools.begin_region(np.eye(4))
    before = viewport.camera
    drag(canvas_of(viewport), QPoint(5, 5), QPoint(60, 40))
    assert viewport.camera != before and np.array_equal(viewport.tools.region.box, np.eye(4))


def test_clicked_points_are_gathered_and_handed_over(qtbot, viewport):
    viewport.tools.begin_points(2)
    size = (480, 360)
    pixels = [cameras.project(viewport.camera, [POINTS[i]], size)[0] for i in (1, 3)]
    canvas = canvas_of(viewport)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(1, 1))
    assert viewport.tools.points.num_points == 0, "beside everything there is no point"
    with qtbot.waitSignal(viewport.tools.points.picked) as told:
        for x, y, _ in pixels:
            QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(round(x) + 2, round(y)))
    assert np.allclose(told.args[0], POINTS[[1, 3]]) and viewport.active_tool == ""
