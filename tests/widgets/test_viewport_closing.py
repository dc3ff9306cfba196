"""What outlives a viewport (nothing), and displays that it cannot draw on or that have dense pixels."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow
from pytestqt.qtbot import QtBot
from vtkmodules.vtkCommonCore import vtkObjectBase

from render.mesh import TriangleMesh
from tests.widgets.viewports import cube, opened, square_sections
from widgets.viewport import Viewport

ROOT = Path(__file__).parents[2]


def vtk_objects() -> dict[str, int]:
    """How many VTK objects Python holds, by class."""
    gc.collect()
    counts: dict[str, int] = {}
    for thing in gc.get_objects():
        if issubclass(type(thing), vtkObjectBase):
            name = type(thing).__name__
            counts[name] = counts.get(name, 0) + 1
    return counts


def flush_deletions() -> None:
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
    gc.collect()


def open_use_and_close() -> list[weakref.ref[object]]:
    """A whole life of a viewport; returns references to what must be gone after it."""
    viewport = Viewport(multi_samples=0)
    viewport.resize(200, 150)
    viewport.show()
    QApplication.processEvents()
    mesh, sections = cube(), square_sections()
    viewport.show_layer("mesh", mesh)
    viewport.show_layer("slices", sections)
    viewport.frame_all(animated=False)
    viewport.begin_clipping()
    viewport.begin_measuring()
    assert viewport.screenshot().std() > 5
    gone: list[weakref.ref[object]] = [
        weakref.ref(thing)
        for thing in (viewport, viewport._canvas, viewport._scene, viewport._scene.renderer, mesh, sections)
    ]
    viewport.close()
    viewport.deleteLater()
    return gone


def test_viewports_open_and_close_and_leave_nothing(qtbot: QtBot) -> None:
    open_use_and_close()  # what Qt and VTK make once and keep
    flush_deletions()
    before, threads = vtk_objects(), threading.active_count()
    for _ in range(20):
        gone = open_use_and_close()
        flush_deletions()
        assert [reference() for reference in gone] == [None] * len(gone)
    after = vtk_objects()
    assert {name: count for name, count in after.items() if count > before.get(name, 0)} == {}
    assert threading.active_count() == threads


def test_a_viewport_in_a_window_that_is_deleted_without_a_word_goes_with_it(qtbot: QtBot) -> None:
    for _ in range(3):
        window = QMainWindow()
        viewport = Viewport(multi_samples=0)
        window.setCentralWidget(viewport)
        window.show()
        QApplication.processEvents()
        viewport.show_layer("mesh", cube())
        QApplication.processEvents()
        window.deleteLater()
        del window, viewport
        flush_deletions()
    other = opened(qtbot)  # and its context is whole
    other.show_layer("mesh", cube())
    other.frame_all()
    assert other.screenshot().std() > 5


def test_closing_one_of_two_leaves_the_other_drawing(qtbot: QtBot) -> None:
    first, second = opened(qtbot), opened(qtbot)
    for viewport in (first, second):
        viewport.show_layer("mesh", cube())
        viewport.frame_all()
    wanted = second.screenshot()
    first.close()
    assert (second.screenshot() == wanted).all()


def test_a_closed_viewport_takes_calls_without_harm(qtbot: QtBot) -> None:
    viewport = opened(qtbot)
    viewport.show_layer("mesh", cube())
    viewport.close()
    viewport.show_layer("mesh", cube())
    viewport.frame_all()
    viewport.remove_layer("mesh")
    viewport.release()


def test_a_viewport_that_was_never_shown_makes_pictures_and_closes(qtbot: QtBot) -> None:
    viewport = Viewport(multi_samples=0)
    qtbot.addWidget(viewport)
    viewport.resize(160, 120)
    viewport.show_layer("mesh", cube())
    viewport.frame_all()
    assert viewport.screenshot().std() > 5


def test_the_thread_that_coarsens_large_meshes_ends_with_the_viewport(qtbot: QtBot) -> None:
    threads = threading.active_count()
    viewport = opened(qtbot)
    n = 400
    y, x = np.mgrid[:n, :n]
    vertices = np.stack([x, y, np.sin(x / 9.0)], axis=-1).reshape(-1, 3) / n
    corner = (y[:-1, :-1] * n + x[:-1, :-1]).reshape(-1, 1)
    faces = np.concatenate([corner + np.array([0, 1, n]), corner + np.array([1, n + 1, n])])
    viewport.show_layer("large", TriangleMesh(vertices, faces))
    assert threading.active_count() == threads + 1
    viewport.close()
    assert threading.active_count() == threads


def run_apart(program: str, **environment: str) -> str:
    """Run a program in its own process, as other displays need; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", dedent(program)],
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_opengl_a_message_stands_in_place_of_the_picture() -> None:
    printed = run_apart(
        """
        from PySide6.QtWidgets import QApplication, QLabel
        from tests.widgets.viewports import cube, square_sections
        from widgets.viewport import Viewport
        from widgets.viewport_clip import ClipPlane
        from widgets.viewport_pane import ViewportPane
        app = QApplication([])
        pane = ViewportPane()
        pane.resize(640, 480)
        pane.show()
        view = pane.viewport
        view.show_layer("mesh", cube())
        view.show_layer("slices", square_sections())
        view.set_view("front")
        view.frame_all()
        view.set_shading("normals")
        view.set_clip(ClipPlane((1, 0, 0), 0.0))
        view.begin_measuring()
        view.set_layer_visible("mesh", False)
        app.processEvents()
        print(view.findChild(QLabel, "viewport_message").text())
        print(round(view.camera.distance, 3) > 1)
        try:
            view.screenshot()
        except RuntimeError as problem:
            print(problem)
        pane.close()
        view.release()
        """,
        QT_QPA_PLATFORM="offscreen",
    )
    assert "The 3D view cannot be shown." in printed
    assert "True" in printed
    assert "there is no OpenGL to make a picture with" in printed


@pytest.mark.parametrize("ratio", ["1", "2"])
def test_picking_and_overlays_are_right_at_pixel_ratio(ratio: str) -> None:
    printed = run_apart(
        """
        import numpy as np
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest
        from PySide6.QtWidgets import QApplication
        from tests.widgets.viewports import canvas_of, cube, pixel_of
        from widgets.viewport import Viewport
        from widgets.viewport_style import LayerStyle
        app = QApplication([])
        view = Viewport(multi_samples=0)
        view.resize(320, 240)
        view.show()
        QTest.qWaitForWindowExposed(view)
        view.set_reduce_motion(True)
        view.set_shown("grid", False)
        view.show_layer("other", cube(0.2, (0.7, 0, 0)))
        view.show_layer("cube", cube(), LayerStyle(shading="normals"))
        view.set_view("front")
        view.frame_all()
        view.picked.connect(lambda layer, point: print(layer, *(f"{x:.2f}" for x in point)))
        QTest.mouseClick(canvas_of(view), Qt.LeftButton, pos=pixel_of(view, (0.3, -0.5, 0.2)))
        QTest.mouseClick(canvas_of(view), Qt.LeftButton, pos=pixel_of(view, (0.75, -0.1, 0.05)))
        picture = view.screenshot().astype(int)
        ratio = round(view.devicePixelRatioF())
        at = pixel_of(view, (0.45, -0.5, 0.45)) * ratio
        print("ratio", ratio, picture.shape, np.abs(picture[at.y(), at.x()] - [128, 0, 128]).max() <= 2)
        grabbed = view.grab().toImage()
        print("grabbed", grabbed.width(), grabbed.pixelColor(at).red(), grabbed.pixelColor(at).green())
        bar = view._furniture.axes
        print("bar", bar.bar_text, round(bar._bar_pixels * view.camera.units_per_pixel((320, 240)), 4))
        view.close()
        """,
        QT_SCALE_FACTOR=ratio,
    )
    lines = printed.splitlines()
    times = int(ratio)
    assert lines[0] == "cube 0.30 -0.50 0.20"
    assert lines[1] == "other 0.75 -0.10 0.05"
    assert lines[2] == f"ratio {ratio} ({240 * times}, {320 * times}, 3) True"
    assert lines[3] == f"grabbed {320 * times} 128 0"
    assert lines[4] == "bar 0.5\u202fmm 0.5"


def test_a_label_stands_in_only_without_opengl(qtbot: QtBot) -> None:
    assert opened(qtbot).findChild(QLabel, "viewport_message") is None
