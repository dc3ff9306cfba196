"""The view of splats in time: quick while the camera moves, complete at rest, and nothing left behind."""

from __future__ import annotations

import ctypes
import gc
import threading
import weakref
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint
from PySide6.QtGui import QOpenGLContext
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from render.gaussians import GaussianMarks
from tests.widgets.test_viewport_closing import flush_deletions, run_apart
from tests.widgets.test_viewport_splats import ball, bare, one_splat, psnr
from tests.widgets.viewports import canvas_of, counted_renders, cube, drag, square_sections
from widgets import viewport_camera as cameras
from widgets.viewport import Viewport
from widgets.viewport_style import LayerStyle

_KINDS = ("Texture", "Buffer", "Program", "Framebuffer", "VertexArray", "Renderbuffer")


def gl_objects(viewport: Viewport) -> dict[str, int]:
    """How many objects the viewport's OpenGL context holds, by kind."""
    assert viewport._canvas is not None
    viewport._canvas.make_current()
    context = QOpenGLContext.currentContext()
    counts = {}
    for kind in _KINDS:
        asks = ctypes.CFUNCTYPE(ctypes.c_ubyte, ctypes.c_uint)(
            int(context.getProcAddress(f"glIs{kind}".encode()))
        )
        counts[kind] = sum(asks(name) for name in range(1, 400))
    return counts


def settle(qtbot: QtBot, viewport: Viewport) -> None:
    """Wait until the picture is complete."""
    qtbot.waitUntil(lambda: viewport.splats.is_sharp, timeout=20_000)


def on_screen(viewport: Viewport) -> NDArray[np.float64]:
    """What the canvas shows now, (H, W, 3)."""
    assert viewport._canvas is not None
    grabbed = viewport._canvas.grabFramebuffer()
    pixels = np.frombuffer(grabbed.constBits(), np.uint8).reshape(grabbed.height(), grabbed.width(), 4)
    return pixels[..., 2::-1].astype(float)


def test_the_picture_on_the_screen_sharpens_to_the_complete_one(qtbot: QtBot) -> None:
    viewport, cloud = bare(qtbot), ball(30_000, degree=1)
    viewport.camera = cameras.fit(viewport.camera, cloud.means, 4 / 3)
    viewport.show_layer("splats", cloud)
    viewport.splats.pace.count, viewport.splats.pace.coarseness = 5000, 3
    wanted = viewport.screenshot().astype(float)
    drag(canvas_of(viewport), QPoint(100, 100), QPoint(140, 110))
    qtbot.waitUntil(lambda: not viewport.splats.is_sharp)
    settle(qtbot, viewport)
    sharp = on_screen(viewport)
    assert psnr(sharp, viewport.screenshot()) > 50
    assert psnr(sharp, wanted.astype(np.uint8)) < 40  # it was turned


def test_the_coarse_picture_looks_like_the_complete_one(qtbot: QtBot) -> None:
    viewport, cloud = bare(qtbot), ball(60_000)
    cloud = replace(cloud, log_scales=cloud.log_scales - 0.7)
    viewport.camera = cameras.fit(viewport.camera, cloud.means, 4 / 3)
    empty = viewport.screenshot()
    viewport.show_layer("splats", cloud)
    complete = viewport.screenshot().astype(float)
    pace = viewport.splats.pace
    pace.count, pace.coarseness = 12_000, 2
    pace.note_moving = lambda *_, **__: None  # type: ignore[method-assign]
    viewport._motion.is_moving = True
    picture = viewport._canvas.picture(transparent=False, scale=1)  # type: ignore[union-attr]
    assert psnr(complete, empty) < 15
    assert 20 < psnr(complete, picture) < 45
    assert np.abs(complete.mean((0, 1)) - picture.mean((0, 1))).max() < 6  # hardly darker or lighter


def test_a_kept_picture_is_complete_though_the_camera_moves(qtbot: QtBot) -> None:
    viewport, cloud = bare(qtbot), ball(12_000)
    viewport.camera = cameras.fit(viewport.camera, cloud.means, 4 / 3)
    viewport.show_layer("splats", cloud)
    wanted = viewport.screenshot()
    viewport.splats.pace.count = 3000
    viewport._motion.is_moving = True
    assert (viewport.screenshot() == wanted).all()


@pytest.mark.parametrize("other", ["cube", "slices"])
def test_a_complete_picture_is_not_drawn_again(qtbot: QtBot, other: str) -> None:
    viewport = bare(qtbot)
    viewport.show_layer("splats", ball(5000))
    viewport.show_layer("other", cube() if other == "cube" else square_sections())
    viewport.frame_all(animated=False)
    settle(qtbot, viewport)
    qtbot.wait(50)
    with counted_renders(viewport) as times:
        qtbot.wait(300)
    assert times == []


def test_a_drag_with_many_splats_draws_few_of_them_at_a_time(qtbot: QtBot) -> None:
    viewport, cloud = bare(qtbot), ball(250_000, degree=0)
    viewport.show_layer("splats", cloud)  # packed and sorted beside the window's thread
    viewport.frame_all(animated=False)
    settle(qtbot, viewport)
    drawn: list[int] = []
    note = viewport.splats.pace.note_moving

    def count(number: int, *seconds: float, is_all: bool) -> None:
        drawn.append(number)
        note(number, *seconds, is_all=is_all)

    viewport.splats.pace.note_moving = count  # type: ignore[method-assign]
    for _ in range(3):
        drag(canvas_of(viewport), QPoint(100, 100), QPoint(140, 110))
        QApplication.processEvents()
    assert drawn and max(drawn) < 0.7 * len(cloud)
    settle(qtbot, viewport)
    assert psnr(on_screen(viewport), viewport.screenshot()) > 45
    viewport.show_layer("splats", replace(cloud, sh=-cloud.sh))
    QApplication.processEvents()
    (place,) = viewport.splats._loading.shelf.places.values()
    assert place.num_ready == len(cloud)  # recoloured ones do not vanish meanwhile
    settle(qtbot, viewport)
    assert psnr(on_screen(viewport), viewport.screenshot()) > 45


def test_other_colours_are_seen_at_once_where_the_complete_picture_takes_long(qtbot: QtBot) -> None:
    viewport, cloud = bare(qtbot), ball(4000, degree=0)
    viewport.show_layer("splats", cloud)
    viewport.frame_all(animated=False)
    settle(qtbot, viewport)
    before, pace = on_screen(viewport), viewport.splats.pace
    pace.stroke_seconds = 0  # as on a card that is too slow to finish in time
    viewport.show_layer("splats", replace(cloud, sh=np.full_like(cloud.sh, (2, -2, -2))))
    qtbot.waitUntil(lambda: not viewport.splats.is_sharp and (on_screen(viewport) != before).any())
    coarse = on_screen(viewport)
    inside = np.abs(coarse - before).max(-1) > 60
    assert inside.mean() > 0.05
    assert (coarse[inside, 0] > coarse[inside, 1] + 60).mean() > 0.9, "all is red"
    pace.stroke_seconds = 1.0
    viewport.splats.picture_wished.emit()
    settle(qtbot, viewport)
    assert psnr(on_screen(viewport), viewport.screenshot()) > 50


def test_other_marks_upload_marks_only(qtbot: QtBot) -> None:
    viewport, cloud = bare(qtbot), ball(6000, degree=1)
    viewport.show_layer("splats", cloud)
    viewport.screenshot()
    painter = viewport.splats._painter
    assert painter is not None
    written: list[str] = []
    write = painter.write

    def note(name: str, row: int, values: np.ndarray) -> None:
        written.append(name)
        write(name, row, values)

    painter.write = note  # type: ignore[method-assign]
    before = viewport.screenshot().astype(float)
    written.clear()
    every = np.ones(len(cloud), bool)
    marks = replace(GaussianMarks.none(len(cloud)), selected=every)
    viewport.show_layer("splats", cloud, LayerStyle(marks=marks))
    assert psnr(before, viewport.screenshot()) < 40
    assert set(written) == {"marks", "layers"}


def test_selected_gaussians_can_be_shown_elsewhere_before_they_are_moved(qtbot: QtBot) -> None:
    viewport, cloud = bare(qtbot), ball(3000, degree=2)
    viewport.camera = cameras.fit(viewport.camera, cloud.means, 4 / 3)
    half = cloud.means[:, 0] > 0.2
    marks = replace(GaussianMarks.none(len(cloud)), selected=half)
    from scipy.spatial.transform import Rotation

    from render.frame import Frame
    from render.transforms import Similarity3

    turn = Similarity3(
        Rotation.from_euler("xyz", [0.3, 0.5, -0.4]).as_matrix(), np.array([0.1, -0.2, 0.3]), 0.8
    )
    viewport.show_layer("splats", cloud, LayerStyle(marks=marks))
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn.scale * turn.rotation, turn.translation
    viewport.splats.set_moved(matrix)
    trial = viewport.screenshot().astype(float)
    viewport.splats.set_moved(None)
    moved = cloud.transformed(turn, Frame())
    parts = {
        name: np.where(
            half.reshape(-1, *[1] * (getattr(cloud, name).ndim - 1)),
            getattr(moved, name),
            getattr(cloud, name),
        )
        for name in ("means", "quats", "log_scales", "sh")
    }
    viewport.show_layer("splats", replace(cloud, **parts), LayerStyle(marks=marks))
    assert psnr(trial, viewport.screenshot()) > 40


def test_a_removed_layer_leaves_nothing_on_the_card(qtbot: QtBot) -> None:
    viewport = bare(qtbot)
    viewport.show_layer("cube", cube())
    viewport.show_layer("splats", ball(100))
    viewport.screenshot()  # VTK keeps the shader of what tells us when to draw
    viewport.remove_layer("splats")
    viewport.screenshot()
    before = gl_objects(viewport)
    for _ in range(2):
        viewport.show_layer("splats", ball(4000), LayerStyle(splat_coloring="label"))
        viewport.show_layer("more", ball(2000, degree=1))
        viewport.screenshot()
        assert gl_objects(viewport)["Texture"] > before["Texture"] + 5
        viewport.remove_layer("splats")
        viewport.remove_layer("more")
        viewport.screenshot()
        assert gl_objects(viewport) == before


def test_a_hidden_layer_comes_back_without_being_packed_again(qtbot: QtBot) -> None:
    viewport = bare(qtbot)
    viewport.show_layer("splats", ball(4000))
    viewport.frame_all(animated=False)
    wanted = viewport.screenshot()
    place = viewport.splats._loading.shelf.places["splats"]
    viewport.set_layer_visible("splats", False)
    assert np.abs(viewport.screenshot().astype(int) - wanted).max() > 50
    viewport.set_layer_visible("splats", True)
    assert (viewport.screenshot() == wanted).all()
    assert viewport.splats._loading.shelf.places["splats"] is place


def open_and_close() -> list[weakref.ref[object]]:
    viewport = Viewport(multi_samples=0)
    viewport.resize(160, 120)
    viewport.show()
    cloud = ball(3000, degree=1)
    viewport.show_layer("splats", cloud)
    viewport.frame_all(animated=False)
    QApplication.processEvents()
    assert viewport.screenshot().std() > 5
    things = (viewport, viewport.splats, viewport._scene.renderer, cloud, viewport.splats._painter)
    gone: list[weakref.ref[object]] = [weakref.ref(thing) for thing in things]
    viewport.close()
    viewport.deleteLater()
    return gone


def test_viewports_with_splats_open_and_close_and_leave_nothing(qtbot: QtBot) -> None:
    open_and_close()
    flush_deletions()
    threads = threading.active_count()
    for _ in range(2):
        gone = open_and_close()
        flush_deletions()
        gc.collect()
        assert [reference() is None for reference in gone] == [True] * len(gone)
    assert threading.active_count() == threads


def test_closing_one_of_two_views_of_splats_leaves_the_other_drawing(qtbot: QtBot) -> None:
    first, second = bare(qtbot), bare(qtbot)
    cloud = ball(2000)
    for viewport in (first, second):
        viewport.show_layer("splats", cloud)
        viewport.frame_all(animated=False)
    wanted = second.screenshot()
    first.screenshot()
    first.close()
    assert (second.screenshot() == wanted).all()


def test_the_first_splats_import_moderngl_and_no_sooner() -> None:
    printed = run_apart(
        """
        import sys
        from PySide6.QtWidgets import QApplication
        app = QApplication([])
        from tests.widgets.viewports import cube
        from widgets.viewport import Viewport
        view = Viewport(multi_samples=0)
        view.show_layer("cube", cube())
        view.screenshot()
        print("moderngl" in sys.modules, "numba" in sys.modules)
        view.close()
        """
    )
    assert printed.split() == ["False", "False"]


def test_splats_are_picked_and_drawn_where_they_are_on_a_dense_screen() -> None:
    printed = run_apart(
        """
        import numpy as np
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest
        from PySide6.QtWidgets import QApplication
        from tests.widgets.test_viewport_splats import one_splat
        from tests.widgets.viewports import canvas_of, pixel_of
        from widgets import viewport_camera as cameras
        from widgets.viewport import Viewport
        app = QApplication([])
        view = Viewport(multi_samples=0)
        view.resize(320, 240)
        view.show()
        QTest.qWaitForWindowExposed(view)
        view.set_shown("grid", False)
        view.camera = cameras.CameraPose((0, -6, 0), (0, 0, 0), (0, 0, 1))
        view.show_layer("left", one_splat((-0.8, 0, 0.3), (1, 0, 0), 0.1))
        view.show_layer("right", one_splat((0.7, 0, -0.2), (0, 1, 0), 0.1))
        view.picked.connect(lambda layer, point: print(layer, *(f"{abs(x):.1f}" for x in point)))
        for at in ((-0.8, 0, 0.3), (0.7, 0, -0.2)):
            QTest.mouseClick(canvas_of(view), Qt.LeftButton, pos=pixel_of(view, at))
        picture = view.screenshot().astype(int)
        ratio = round(view.devicePixelRatioF())
        at = pixel_of(view, (-0.8, 0, 0.3)) * ratio
        print(ratio, picture.shape, picture[at.y(), at.x()].tolist())
        red = picture[..., 0] - picture[..., 1] > 100
        print(round(np.ptp(np.flatnonzero(red.any(0))) / ratio))
        view.close()
        """,
        QT_SCALE_FACTOR="2",
    )
    left, right, picture, width = printed.splitlines()
    assert left == "left 0.8 0.0 0.3" and right == "right 0.7 0.0 0.2"
    shape, _, color = picture.removeprefix("2 ").partition(") ")
    assert shape == "(480, 640, 3"
    assert color.startswith("[25")
    assert abs(int(width) - 20) <= 2


def test_one_splat_is_enough(qtbot: QtBot) -> None:
    viewport = bare(qtbot)
    viewport.show_layer("splats", one_splat((1, 2, 3), (1, 0, 0), 0.1))
    viewport.frame_all(animated=False)
    assert viewport.screenshot()[120, 160, 0] > 200
