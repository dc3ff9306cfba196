"""From a splat file of another program to a clean one: the whole way in the window, with mouse and keys."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from recon import formats
from render.gaussians import GaussianCloud, GaussianMarks
from render.spherical_harmonics import SH_C0
from tests.app.splat_grid import settle
from tests.app.windows import open_files, press
from tests.widgets.viewports import canvas_of, drag
from widgets import viewport_camera as cameras


def ball_with_floaters(seed: int = 0) -> GaussianCloud:
    """A dense ball of splats, some far away, some nearly invisible, a slab beside it."""
    rng = np.random.default_rng(seed)
    ball = rng.standard_normal((6000, 3))
    ball *= rng.uniform(0.3, 1, (len(ball), 1)) ** (1 / 3) / np.linalg.norm(ball, axis=1, keepdims=True)
    slab = rng.uniform([1.6, -0.2, -0.2], [2.0, 0.2, 0.2], (800, 3))
    far = rng.uniform(6, 9, (20, 3)) * rng.choice([-1, 1], (20, 3))
    means = np.concatenate([ball, slab, far])
    count = len(means)
    logits = np.full(count, 3.0)
    logits[rng.choice(6000, 30, replace=False)] = -6.0
    sh = rng.uniform(-0.5, 0.5, (count, 1, 3)) / SH_C0 / 2
    return GaussianCloud(means, np.tile([1.0, 0, 0, 0], (count, 1)), np.full((count, 3), -3.2), logits, sh)


def click(window, name: str) -> None:
    button = window.findChild(QPushButton, name)
    assert button.isVisible() and button.isEnabled(), name
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def clean(qtbot, window, file, target) -> GaussianCloud:
    """Open, remove floaters, crop, delete what a rectangle selects, undo and redo, export; returns what was left."""
    open_files(qtbot, window, file)
    (layer,) = window.project.layers
    count = len(layer.data)
    assert window.workflows.current == "splats" and window.splat_tools.strip.isVisible()
    assert window.task_tabs.currentWidget() is window.splat_panel
    assert f"{count:,}".replace(",", "\u2009") in window.splat_panel._counts.text()
    assert window.viewport.screenshot().std() > 8, "the splats are seen"

    QTest.mouseClick(window.stepper._buttons["clean"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(window.scene._trials), timeout=60_000)
    settle(qtbot, window)
    click(window, "apply_floaters")
    settle(qtbot, window)
    after_floaters = window.splats.num_left
    assert 0.5 * count < after_floaters < count

    window.actions_by_id["splat_crop"].trigger()
    qtbot.waitUntil(lambda: bool(window.scene._trials), timeout=60_000)
    size = window.splat_panel.parameters()["size"]
    window.splat_panel.set_values("crop", {"size": tuple(1.05 * each for each in size)})
    qtbot.wait(400)
    settle(qtbot, window)
    click(window, "apply_crop")
    settle(qtbot, window)
    after_crop = window.splats.num_left
    assert after_crop < after_floaters

    window.viewport.set_view("front", animated=False)
    window.viewport.frame_all(animated=False)
    press(window, "M")
    width, height = window.viewport.width(), window.viewport.height()
    drag(canvas_of(window.viewport), QPoint(width // 2, 60), QPoint(width - 20, height - 20))
    settle(qtbot, window)
    selected = window.splats.num_selected
    assert 0 < selected < after_crop
    seen = window.viewport.screenshot().astype(int)
    press(window, "Delete")
    settle(qtbot, window)
    assert window.splats.num_left == after_crop - selected
    qtbot.waitUntil(
        lambda: np.abs(window.viewport.screenshot().astype(int) - seen).mean() > 1, timeout=20_000
    )
    press(window, "Ctrl+Z")
    assert window.splats.num_left == after_crop and window.splats.num_selected == selected
    press(window, "Ctrl+Y")

    left = window.project.layers[0].content
    press(window, "Ctrl+E")
    wish = replace(window.exports.dialog.wish(), format="splats", path=target, sidecar=False)
    with qtbot.waitSignal(window.exports.exported, timeout=60_000):
        window.exports.write(wish)
    assert window.stepper.steps[-1].state == "ok"
    return left


def assert_same_splats(written: GaussianCloud, left: GaussianCloud) -> None:
    assert len(written) == len(left)
    assert np.allclose(written.opacity_logits, left.opacity_logits, atol=1e-5)
    assert np.allclose(np.sort(np.linalg.norm(written.means, axis=1)), np.sort(np.linalg.norm(left.means, axis=1)),
                       atol=1e-4)  # fmt: skip


@pytest.mark.slow
def test_splats_are_opened_cleaned_and_exported(qtbot, window, tmp_path):
    file, target = tmp_path / "ball.ply", tmp_path / "clean.ply"
    formats.write(file, ball_with_floaters())
    left = clean(qtbot, window, file, target)
    assert_same_splats(formats.read(target).data, left)
    means = left.means - np.median(left.means, axis=0)
    assert np.linalg.norm(means, axis=1).max() < 3, "what was far away is gone"

    window.document.save_now(tmp_path / "Ball" / "Ball.isokiln")
    layer = window.project.layers[0]
    window.document.new()
    with qtbot.waitSignal(window.document.opened, timeout=20_000):
        window.open_paths([tmp_path / "Ball"])
    again = window.project.layers[0]
    assert isinstance(again.marks, GaussianMarks)
    assert np.array_equal(again.marks.deleted, layer.marks.deleted) and len(again.content) == len(left)


@pytest.mark.slow
def test_a_real_spz_is_opened_cleaned_and_exported(qtbot, window, shared_data, tmp_path):
    left = clean(qtbot, window, shared_data / "splats" / "real" / "biker.spz", tmp_path / "clean.ply")
    assert_same_splats(formats.read(tmp_path / "clean.ply").data, left)
    size = (window.viewport.width(), window.viewport.height())
    places = cameras.project(window.viewport.camera, left.means, size)
    assert (places[:, 0] <= size[0] / 2 + 1).mean() > 0.99, "nothing is left where the rectangle was"
