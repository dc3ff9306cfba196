"""From photos to a surface in another tool: the whole way in the window, click by click."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QPushButton, QWidget

from render.mesh import TriangleMesh
from render.sdf_field import SdfField
from tests.app.windows import layer_names, press, run_to_end
from tests.synthetic_room import room_sdf
from widgets import viewport_camera as cameras
from widgets.frustums import frustum_points, frustum_size

# As small as a run can be that still makes a room.
TINY = {
    "steps": 6, "resolution": 48, "image_size": 80, "rays": 64, "levels": 2, "finest": 32, "table_size": 12,
    "base_resolution": 64, "cache_resolution": 32,
}  # fmt: skip


def click(widget: QWidget) -> None:
    assert widget.isVisible() and widget.isEnabled(), widget.toolTip()
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def step(qtbot, window, name: str) -> None:
    button = window.stepper._buttons[name]
    qtbot.waitUntil(lambda: button.isVisible() and min(button.width(), button.height()) > 20, timeout=10_000)
    click(button)


@pytest.mark.slow
def test_photos_become_a_surface_click_by_click(qtbot, window, tmp_path):
    click(window.start_page.findChild(QPushButton, "sample_surface"))
    qtbot.waitUntil(lambda: layer_names(window) == ["surface-room"], timeout=30_000)
    posed = window.images.posed
    assert len(posed) == 16 and window.stepper.steps[0].state == "ok"
    qtbot.waitUntil(lambda: len(window.images.thumbnails.pictures) == 16, timeout=30_000)

    # A frustum is clicked in the picture: its image is the current one.
    size = (window.viewport.width(), window.viewport.height())
    corners = frustum_points(posed.cameras, frustum_size(posed.cameras, posed.bounds))
    pixels = cameras.project(window.viewport.camera, corners.reshape(-1, 3), size).reshape(-1, 6, 3)
    nearest = int(pixels[..., 2].mean(1).argmin())
    x, y = pixels[nearest, 1:5, :2].mean(0)
    canvas = window.viewport.findChild(QWidget, "viewport_canvas")
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    assert window.images.current == nearest

    step(qtbot, window, "region")
    click(window.scene_panel.buttons["fit_region"])
    assert window.images.posed.world_from_region is not None
    step(qtbot, window, "images")
    window.image_strip.set_current(5)
    click(window.image_strip._use)
    assert "15 of 16 used" in window.image_strip._count.text()
    press(window, "Ctrl+Z")

    step(qtbot, window, "surface")
    assert window.method_panel.method.id == "debsdf" and window.method_panel.form.preset() == "Quick check"
    window.method_panel.form.set_values(TINY)
    previews = []
    window.runs.previewed.connect(lambda job, data: previews.append(data))
    press(window, "F5")
    run_to_end(qtbot, window, 240)
    (job,) = window.runs.queue.jobs
    assert job.state.value == "done", job.error
    surface = next(x for x in window.project.layers if isinstance(x.data, TriangleMesh))
    field = next(x for x in window.project.layers if isinstance(x.data, SdfField))
    far = np.abs(room_sdf(surface.data.vertices.astype(float)))
    assert np.median(far) < 0.06, "the room is where it is"
    assert window.scene.current is surface and "uncertainty" in window.scene.value_names()
    assert "dB" in window.runs.rows()[0].result and window.image_strip.rows[0].psnr is not None

    before = window.viewport.screenshot().astype(int)
    window.actions_by_id["uncertainty"].trigger()
    assert np.abs(window.viewport.screenshot() - before).mean() > 1
    assert window.viewport._furniture.legend.isVisible()

    window.image_strip.set_current(2)
    press(window, "0")
    view = window.compare_view
    qtbot.waitUntil(lambda: view.names == ("Photo", "Render"), timeout=20_000)
    combo = view.findChild(QComboBox, "compare_right")
    combo.setCurrentIndex(combo.findData("Uncertainty"))
    combo.activated.emit(combo.currentIndex())
    assert view.legends()[1].isVisible()
    window.images.leave_camera()

    step(qtbot, window, "extract")
    assert window.method_panel.method.id == "extract" and window.method_panel.inputs()["field"] == field.id
    window.method_panel.form.set_values({"resolution": 64})
    assert "triangles" in window.method_panel.run_block._estimate.text()
    press(window, "F5")
    run_to_end(qtbot, window, 240)
    fine = window.scene.current
    assert fine.origin.method == "extract" and len(fine.data.faces) > len(surface.data.faces)
    assert not window.project.is_visible(surface.id), "the coarser surface steps aside"
    assert {step.id: step.state for step in window.stepper.steps}["extract"] == "ok"

    press(window, "Ctrl+E")
    with qtbot.waitSignal(window.exports.exported, timeout=20_000):
        window.exports.write(replace(window.exports.dialog.wish(), path=tmp_path / "room.glb", sidecar=False))
    mesh = trimesh.load(tmp_path / "room.glb", force="mesh", process=False)
    assert len(mesh.faces) == len(fine.data.faces)
