"""Viewports and simple scenes for the tests of the 3D view."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from render.cross_sections import CrossSections
from render.frame import Frame
from render.mesh import TriangleMesh
from widgets import viewport_camera as cameras
from widgets.viewport import Viewport

_SIDES = [
    (0, 2, 1), (1, 2, 3), (4, 5, 6), (5, 7, 6), (0, 1, 4), (1, 5, 4),
    (2, 6, 3), (3, 6, 7), (0, 4, 2), (2, 4, 6), (1, 3, 5), (3, 7, 5),
]  # fmt: skip


def cube(side: float = 1.0, center: tuple[float, float, float] = (0, 0, 0), unit: str = "mm") -> TriangleMesh:
    """A cube of twelve triangles, wound outward."""
    corners = [[x, y, z] for z in (-0.5, 0.5) for y in (-0.5, 0.5) for x in (-0.5, 0.5)]
    vertices = np.array(corners) * side + center
    return TriangleMesh(vertices, np.array(_SIDES), frame=Frame(unit=unit))  # type: ignore[arg-type]


def square_sections(num_planes: int = 3, side: float = 1.0) -> CrossSections:
    """Squares with a square hole on planes z = 0, 1, 2 …, label 1 outside and a label 2 island within."""
    square = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * side / 2
    planes = []
    for z in range(num_planes):
        loops = [(square * s + [0, 0, z], label) for s, label in ((1.0, 1), (0.6, 1), (0.3, 2))]
        planes.append(([0, 0, 1], float(z), loops))
    return CrossSections.from_planes(planes, frame=Frame(unit="mm"))


def opened(qtbot: QtBot, width: int = 320, height: int = 240) -> Viewport:
    """A viewport in a real window, without overlays that would cover pixels."""
    viewport = Viewport(multi_samples=0)
    viewport.resize(width, height)
    qtbot.addWidget(viewport)
    with qtbot.waitExposed(viewport):
        viewport.show()
    viewport.set_reduce_motion(True)
    return viewport


def canvas_of(viewport: Viewport) -> QWidget:
    """The part that shows the picture."""
    canvas = viewport.findChild(QWidget, "viewport_canvas")
    assert canvas is not None
    return canvas


def pixel_of(viewport: Viewport, point: tuple[float, float, float]) -> QPoint:
    """Where a world point is in the picture."""
    x, y, _ = cameras.project(viewport.camera, [point], (viewport.width(), viewport.height()))[0]
    return QPoint(round(x), round(y))


def color_at(viewport: Viewport, point: tuple[float, float, float]) -> NDArray[np.int64]:
    """The colour in the picture where a world point is."""
    at = pixel_of(viewport, point)
    return viewport.screenshot()[at.y(), at.x()].astype(np.int64)


def drag(
    widget: QWidget,
    start: QPoint,
    end: QPoint,
    button: Qt.MouseButton = Qt.MouseButton.LeftButton,
    modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    """Press, move in four steps with the button held, release."""
    QTest.mousePress(widget, button, modifier, start)
    for step in range(1, 5):
        move(widget, start + (end - start) * (step / 4), button, modifier)
    QTest.mouseRelease(widget, button, modifier, end)


def move(
    widget: QWidget,
    to: QPoint,
    button: Qt.MouseButton = Qt.MouseButton.NoButton,
    modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    """Move the pointer with a button held; QTest.mouseMove cannot hold one."""
    where = QPointF(to)
    event = QMouseEvent(
        QEvent.Type.MouseMove, where, widget.mapToGlobal(where), Qt.MouseButton.NoButton, button, modifier
    )
    QApplication.sendEvent(widget, event)


def wheel(
    widget: QWidget,
    at: QPoint,
    notches: int,
    modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    """Turn the wheel; positive is away from the hand."""
    where = QPointF(at)
    event = QWheelEvent(
        where, widget.mapToGlobal(where), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        modifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


@contextmanager
def counted_renders(viewport: Viewport) -> Iterator[list[float]]:
    """The seconds of each picture that VTK makes meanwhile."""
    times: list[float] = []
    canvas = canvas_of(viewport)
    canvas.rendered.connect(times.append)  # type: ignore[attr-defined]
    yield times
    canvas.rendered.disconnect(times.append)  # type: ignore[attr-defined]
