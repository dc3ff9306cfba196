"""Fields in the viewport: among meshes and splats, coarse while the camera moves, sharp at rest, gone without a trace."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from app.frame_renderer import FrameRenderer, coarseness_for, steps_at_rest
from tests.app.fields import COLOR, OpenBall, ball
from tests.render.test_fields import make_view_field
from tests.widgets.test_viewport_splats import one_splat
from tests.widgets.viewports import color_at, cube, opened, pixel_of
from widgets import viewport_camera as cameras
from widgets.depth_picture import coded
from widgets.splat_sides import WHOLE, Sides
from widgets.viewport_camera import CameraPose
from widgets.viewport_clip import ClipPlane
from widgets.viewport_field_layer import before_edit
from widgets.viewport_fields import FieldView
from widgets.viewport_style import LayerStyle

FRONT = CameraPose((0, -8, 0), (0, 0, 0), (0, 0, 1))


@pytest.fixture
def drawer():
    return OpenBall()


@pytest.fixture
def viewport(qtbot, drawer):
    """A viewport whose only field is the ball."""
    viewport = opened(qtbot)
    viewport.set_shown("grid", False)
    frames = FrameRenderer(viewport, drawer)
    viewport.fields.wished.connect(frames.want)
    frames.drawn.connect(viewport.fields.show_frames)
    viewport.fields.draw_now = frames.now
    viewport.camera = FRONT
    viewport.show_layer("ball", ball())
    yield viewport
    frames.close()


def is_ball(color):
    return np.abs(color - COLOR).max() <= 2


@pytest.mark.parametrize("is_parallel", [False, True])
def test_a_field_hides_what_is_behind_it_and_is_hidden_by_what_is_before_it(viewport, is_parallel):
    viewport.set_orthographic(is_parallel)
    viewport.show_layer("behind", cube(0.6, (0.4, 2, 0)))
    viewport.show_layer("before", cube(0.3, (-0.4, -2, 0)))
    viewport.show_layer("within", cube(0.4, (0, -0.95, 0.3)))
    shot = viewport.screenshot()
    assert is_ball(shot[pixel_of(viewport, (0.4, 2, 0)).y(), pixel_of(viewport, (0.4, 2, 0)).x()].astype(int))
    assert not is_ball(color_at(viewport, (-0.4, -2.15, 0)))
    assert not is_ball(color_at(viewport, (0, -1.15, 0.3))), "a cube that comes out of the ball"
    assert is_ball(color_at(viewport, (0, -1.0, -0.3)))
    assert not is_ball(color_at(viewport, (1.3, 0, 0)))


def test_splats_are_before_and_behind_fields(viewport):
    viewport.show_layer("behind", one_splat((0.4, 2, 0), (1, 0, 0), 0.1))
    viewport.show_layer("before", one_splat((-0.4, -2, 0), (1, 0, 0), 0.1))
    assert is_ball(color_at(viewport, (0.4, 2, 0)))
    red = color_at(viewport, (-0.4, -2, 0))
    assert red[0] > 200 and red[2] < 60


def test_a_mesh_shows_through_a_thin_field(viewport, drawer):
    drawer.alpha = 0.25
    plain = color_at(viewport, (0.4, 2, 0))
    viewport.show_layer("behind", cube(0.6, (0.4, 2, 0)))
    assert np.abs(color_at(viewport, (0.4, 2, 0)) - plain).min() > 40
    viewport.remove_layer("behind")
    viewport.show_layer("ball", ball(), LayerStyle(opacity=0.0))
    assert not is_ball(color_at(viewport, (0, -1, 0)))


def test_depth_colours_opacity_and_the_clip_plane_change_how_a_field_looks(viewport):
    assert is_ball(color_at(viewport, (0, -1, 0)))
    viewport.show_layer("ball", viewport._scene.layers["ball"].data, LayerStyle(field_coloring="depth"))
    near, far = color_at(viewport, (0, -1, 0)), color_at(viewport, (0.9, -0.436, 0))
    assert near[2] > near[1] and far[1] > near[1] + 10, "viridis rises from violet to green"
    viewport.show_layer("ball", viewport._scene.layers["ball"].data)
    viewport.set_clip(ClipPlane((1.0, 0, 0), 0.0))
    assert is_ball(color_at(viewport, (-0.3, -0.954, 0)))
    assert not is_ball(color_at(viewport, (0.3, -0.954, 0)))


def test_a_picture_with_twice_as_many_pixels_shows_the_same(viewport):
    once, twice = viewport.screenshot(), viewport.screenshot(scale=2)
    halved = twice.reshape(240, 2, 320, 2, 3).mean((1, 3))
    assert twice.shape == (480, 640, 3)
    assert np.abs(halved - once).mean() < 1.0


def test_a_field_is_picked_where_it_is_seen_and_framed_by_its_bounds(viewport):
    viewport.screenshot()
    at = pixel_of(viewport, (0.5, -0.866, 0))
    pick = viewport._picker.solid(viewport.camera, at.x(), at.y(), (320, 240))
    assert pick.layer_id == "ball"
    np.testing.assert_allclose(pick.point, [0.5, -0.866, 0], atol=0.05)
    beside = pixel_of(viewport, (1.4, 0, 0))
    assert viewport._picker.solid(viewport.camera, beside.x(), beside.y(), (320, 240)) is None
    turned = cameras.orbit(viewport.camera, 0.2, 0.1, (0, 0, 1))
    again = viewport._picker.field(turned, 160, 120, (320, 240))
    assert again is not None and np.linalg.norm(again.point) == pytest.approx(1, abs=0.02), (
        "seen before it is drawn"
    )
    viewport.frame(["ball"], animated=False)
    shown = cameras.project(viewport.camera, [(-1, -1, -1), (1, 1, 1)], (320, 240))
    assert (shown[:, :2] > 0).all() and (shown[:, :2] < [320, 240]).all()


def test_before_the_edit_a_field_of_views_shows_its_originals():
    field = make_view_field()
    before = before_edit(field)
    assert before.pictures is field.originals or np.array_equal(before.pictures, field.originals)
    assert not before.has_color_map


def test_depths_survive_their_code():
    depth = np.array([[0.0, 2.5, 2690.1, 2690.2, 0.0]], np.float32)
    codes, nearest, span = coded(depth, np.array([[0, 255, 255, 255, 255]], np.uint8))
    numbers = codes[..., :3].astype(np.int64) @ [1, 256, 65536]
    np.testing.assert_allclose((nearest + numbers / 0xFFFFFF * span)[0, 1:4], depth[0, 1:4], atol=3e-4)
    assert codes[0, :, 3].tolist() == [0, 255, 255, 255, 128], "the last is sky"


# In time


def test_while_the_camera_moves_pictures_are_coarse_and_at_rest_all_pixels_come(qtbot, viewport, drawer):
    drawer.seconds = 1e-3
    qtbot.waitUntil(lambda: viewport.fields.is_sharp, timeout=10_000)
    for _ in range(30):
        viewport._motion._navigate(cameras.orbit(viewport.camera, 0.02, 0.0, (0, 0, 1)))
        qtbot.wait(40)
    assert drawer.sizes[-1][0] < 160, "it learnt how slow the field is"
    qtbot.waitUntil(lambda: viewport.fields.is_sharp, timeout=10_000)
    assert drawer.sizes[-1] == (320, 240)
    assert not viewport.fields.is_refining


def test_slower_fields_get_fewer_pixels_while_the_camera_moves():
    sizes = [coarseness_for((1000, 800), seconds, 0.045) for seconds in (0.01, 0.2, 2.0, 20.0)]
    assert sizes[0] == 1.0 and sizes == sorted(sizes)
    assert 2 < sizes[1] < 2.2 and sizes[3] == 12.0
    assert steps_at_rest((1000, 800), 0.3) == [1.0]
    steps = steps_at_rest((1000, 800), 8.0)
    assert steps[-1] == 1.0 and len(steps) > 2 and steps == sorted(steps, reverse=True)


def test_the_newest_camera_wins_and_an_old_picture_is_given_up(qtbot):
    drawer = OpenBall(seconds=2e-3)
    frames = FrameRenderer(None, drawer)
    field, drawn = ball(), []
    frames.drawn.connect(drawn.append)
    frames.want(FieldView((("ball", field),), FRONT, (64, 48)))
    qtbot.waitUntil(lambda: bool(drawn), timeout=5000)
    frames.want(FieldView((("ball", field),), FRONT, (640, 2000)))  # four seconds of work
    time.sleep(0.15)
    other = cameras.orbit(FRONT, 0.5, 0, (0, 0, 1))
    start = time.monotonic()
    frames.want(FieldView((("ball", field),), other, (64, 48), is_moving=True))
    qtbot.waitUntil(lambda: drawn[-1].view.pose == other, timeout=5000)
    assert time.monotonic() - start < 2.5
    assert all(frames_.view.size != (640, 2000) or not frames_.is_sharp for frames_ in drawn)
    waited = frames.finest(FieldView((("ball", field),), FRONT, (32, 24)))
    assert waited.result(5).is_sharp
    frames.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("field-frames")]


def test_a_field_that_cannot_be_drawn_says_why_and_the_next_one_is_drawn(qtbot):
    def open_rows(field, camera, is_hasty):
        if camera.size == (64, 48):
            raise ValueError("damaged")
        return OpenBall()(field, camera, is_hasty)

    frames, drawn = FrameRenderer(None, open_rows), []
    frames.drawn.connect(drawn.append)
    with qtbot.waitSignal(frames.failed, timeout=5000):
        frames.want(FieldView((("ball", ball()),), FRONT, (64, 48)))
    frames.want(FieldView((("ball", ball()),), FRONT, (32, 24)))
    qtbot.waitUntil(lambda: bool(drawn), timeout=5000)
    frames.close()


def test_a_picture_from_elsewhere_leaves_the_view_as_it_is(qtbot, viewport):
    qtbot.waitUntil(lambda: viewport.fields.is_sharp, timeout=5000)
    before = viewport.screenshot()
    viewport.show_layer("behind", cube(0.6, (0.4, 2, 0)))
    shot = viewport.picture_from(CameraPose((0, 8, 0), (0, 0, 0), (0, 0, 1)), (200, 100))
    assert shot.shape == (100, 200, 3)
    assert not is_ball(shot[50, 95].astype(int)), "the cube is before the ball from there"
    assert is_ball(shot[62, 108].astype(int))
    assert viewport.camera == FRONT
    viewport.remove_layer("behind")
    np.testing.assert_array_equal(viewport.screenshot(), before)
    qtbot.waitUntil(lambda: viewport.fields.is_sharp, timeout=5000)


def test_before_and_after_of_an_edit_are_parted_by_a_line_and_stay_so_while_the_camera_moves(qtbot, viewport):
    field = make_view_field()
    field = replace(field, originals=np.full_like(field.pictures, 90))
    viewport.remove_layer("ball")
    viewport.show_layer("edit", field)
    viewport.fields.set_sides(Sides({"edit/before": "left", "edit": "right"}, line=0.0), "edit")
    shot = viewport.screenshot()
    assert is_before(shot[120, 150]) and not is_before(shot[120, 170])
    viewport.fields.set_sides(Sides({"edit/before": "left", "edit": "right"}, line=0.2), "edit")
    shot = viewport.screenshot()
    assert is_before(shot[120, 170])
    viewport.camera = cameras.orbit(viewport.camera, 0.3, 0, (0, 0, 1))
    shot = viewport.screenshot()
    assert is_before(shot[120, 170]) and not is_before(shot[120, 200])
    viewport.fields.set_sides(WHOLE)
    assert not is_before(viewport.screenshot()[120, 150])


def is_before(color):
    return np.abs(color.astype(int) - COLOR).max() <= 2


def test_closing_does_not_wait_for_a_picture_that_somebody_waited_for(qtbot):
    frames = FrameRenderer(None, OpenBall(seconds=1e-2))
    field = ball()
    frames.now(FieldView((("ball", field),), FRONT, (16, 8)))
    frames.now(FieldView((("ball", field),), FRONT, (16, 8)))  # by now it knows how slow it is
    waited = frames.finest(FieldView((("ball", field),), FRONT, (16, 2000)))  # twenty seconds of work
    qtbot.wait(50)
    start = time.monotonic()
    frames.close()
    assert time.monotonic() - start < 5
    assert waited.cancelled()
