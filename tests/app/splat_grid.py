"""A grid of splats whose selection can be counted, and what a person does with it in a window."""

from __future__ import annotations

import hashlib

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.layers import Layer, new_layer
from app.workflows import SPLATS
from render.gaussians import GaussianCloud
from render.spherical_harmonics import SH_C0
from tests.widgets.viewports import canvas_of, drag, move
from widgets import viewport_camera as cameras

SIDE = 11


SHIFT, CTRL, NONE = (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.NoModifier,
)


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
