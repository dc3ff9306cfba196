"""Splats where the graphics card cannot draw them: the processor's pictures, amid VTK's."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from tests.widgets.test_viewport_splats import ball, bare, one_splat, over, psnr, reference
from tests.widgets.viewports import cube
from widgets import splat_painter
from widgets import viewport_camera as cameras
from widgets.viewport import Viewport
from widgets.viewport_clip import ClipPlane
from widgets.viewport_style import LayerStyle


@pytest.fixture
def old(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Viewport:
    """A viewport whose driver has no OpenGL 3.3, which it has noticed."""

    def fail(self: object) -> None:
        raise ValueError("Requested OpenGL version 330, got version 320")

    monkeypatch.setattr(splat_painter.SplatPainter, "__init__", fail)
    viewport = bare(qtbot, 240, 180)
    viewport.camera = cameras.CameraPose((0, -6, 0), (0, 0, 0), (0, 0, 1))
    with qtbot.waitSignal(viewport.splats.failed, timeout=5000) as told:
        viewport.show_layer("splats", one_splat((0, 0, 0), (1, 0, 0), 0.1))
    assert "320" in told.args[0]
    return viewport


@pytest.mark.parametrize("parallel", [False, True])
def test_the_processor_draws_them_instead(qtbot: QtBot, old: Viewport, parallel: bool) -> None:
    cloud = ball(2000)
    old.remove_layer("splats")
    behind = old.screenshot()
    old.show_layer("splats", cloud)
    wanted = over(reference(old, cloud), behind)
    if parallel:
        old.set_orthographic(True)
    assert (psnr(wanted, old.screenshot()) > 45) is not parallel
    qtbot.waitUntil(lambda: old.splats.is_sharp, timeout=20_000)


def test_a_parallel_camera_shows_them_in_their_places(old: Viewport) -> None:
    old.set_orthographic(True)
    for depth in (-2.0, 2.0):
        old.show_layer("splats", one_splat((0.5, depth, 0.25), (1, 0, 0), 0.1))
        picture = old.screenshot().astype(int)
        x, y, _ = cameras.project(old.camera, [(0.5, depth, 0.25)], (240, 180))[0]
        redness = np.maximum(picture[..., 0] - picture[..., 1], 0).astype(float)
        rows, columns = np.mgrid[:180, :240] + 0.5
        assert abs((columns * redness).sum() / redness.sum() - x) < 0.3
        assert abs((rows * redness).sum() / redness.sum() - y) < 0.3


def test_they_are_hidden_by_meshes_and_hide_them_and_are_cut(old: Viewport) -> None:
    old.show_layer("cube", cube(0.6), LayerStyle(shading="normals"))
    old.show_layer("splats", one_splat((0.0, -1.0, 0.0), (1, 0, 0), 0.05))
    assert np.abs(old.screenshot()[90, 120].astype(int) - [254, 0, 0]).max() <= 6
    old.show_layer("splats", one_splat((0.0, 1.0, 0.0), (0, 1, 0), 0.6))
    picture = old.screenshot().astype(int)
    assert np.abs(picture[90, 120] - [128, 0, 128]).max() <= 4
    assert picture[90 - 24, 120, 1] > 150
    old.set_clip(ClipPlane((0.0, 1.0, 0.0), 0.5))
    assert old.screenshot()[90 - 24, 120, 1] < 80
