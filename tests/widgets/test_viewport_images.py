"""Cameras of images in the viewport: frustums, thumbnails, points, and the view through one of them."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from render.images import ImageSet
from render.points import PointCloud
from tests.synthetic_room import make_room
from tests.widgets.viewports import canvas_of, opened
from widgets import viewport_camera as cameras
from widgets.frustums import frustum_points, frustum_size, frustum_under
from widgets.region_box import box_points, fitted, with_face_moved
from widgets.thumbnail_atlas import ThumbnailAtlas
from widgets.viewport_style import LayerStyle


@pytest.fixture(scope="module")
def room():
    return make_room(num_views=8, width=32, height=24, num_points=80)


@pytest.fixture
def viewport(qtbot):
    return opened(qtbot, 480, 360)


def colors_near(viewport, point, half=3) -> np.ndarray:
    picture = viewport.screenshot()
    height, width = picture.shape[:2]
    x, y, _ = cameras.project(viewport.camera, [point], (width, height))[0]
    return picture[int(y) - half : int(y) + half, int(x) - half : int(x) + half].reshape(-1, 3).astype(int)


def test_a_frustum_has_the_field_of_view_of_its_camera(room):
    points = frustum_points(room.posed.cameras, 0.2)
    world = np.concatenate([points[3], np.ones((6, 1))], axis=1)
    in_cam = (world @ room.posed.cameras.cam_from_world[3].T)[:, :3]
    focal, center = room.posed.cameras.focal[3], room.posed.cameras.center[3]
    pixels = in_cam[1:5, :2] / in_cam[1:5, 2:] * focal + center
    assert np.allclose(pixels, [[0, 0], [32, 0], [32, 24], [0, 24]], atol=1e-9)
    assert np.allclose(in_cam[0], 0, atol=1e-12)
    assert np.isclose(np.linalg.norm(points[3, 1] - points[3, 2]), 0.2, rtol=0.05)


def test_frustums_grow_with_the_scene_and_stay_apart(room):
    posed = room.posed
    size = frustum_size(posed.cameras, posed.bounds)
    apart = np.linalg.norm(posed.cameras.positions[:, None] - posed.cameras.positions[None], axis=2)
    assert 0 < size < np.sort(apart, axis=1)[:, 1].max()
    one = posed.select(np.array([0]))
    assert frustum_size(one.cameras, one.bounds) > 0


def test_the_frustum_in_front_is_found_under_a_pixel(room):
    pose = cameras.fit(cameras.CameraPose(), room.posed.bounds, 4 / 3)
    points = frustum_points(room.posed.cameras, 0.3)
    center = cameras.project(pose, [points[5, 1:5].mean(0)], (480, 360))[0]
    hit = frustum_under(points, pose, (center[0], center[1]), (480, 360))
    assert hit is not None and hit[1] <= center[2] + 0.3
    assert frustum_under(points, pose, (-500, -500), (480, 360)) is None


def test_a_click_on_a_frustum_selects_its_image(qtbot, viewport, room):
    viewport.show_layer("room", room.posed, LayerStyle())
    viewport.frame_all(animated=False)
    points = frustum_points(room.posed.cameras, frustum_size(room.posed.cameras, room.posed.bounds))
    size = (viewport.width(), viewport.height())
    pixels = cameras.project(viewport.camera, points.reshape(-1, 3), size).reshape(-1, 6, 3)
    nearest = int(pixels[..., 2].mean(1).argmin())
    x, y = pixels[nearest, 1:5, :2].mean(0)
    with qtbot.waitSignal(viewport.images.picked) as told:
        QTest.mouseClick(canvas_of(viewport), Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    assert told.args == ["room", nearest]


def test_thumbnails_stand_upright_in_their_frustums_and_lose_their_colour_when_left_out(viewport, room):
    picture = np.zeros((24, 32, 3), np.uint8)
    picture[:12], picture[12:] = (220, 30, 30), (30, 30, 220)  # red above, blue below
    viewport.set_shown("grid", False)
    viewport.show_layer("room", room.posed, LayerStyle())
    viewport.images.set_pictures("room", dict.fromkeys(range(8), picture))
    points = frustum_points(room.posed.cameras, frustum_size(room.posed.cameras, room.posed.bounds))
    corners, apex = points[2, 1:5], points[2, 0]
    middle = corners.mean(0)
    viewport.camera = cameras.CameraPose(tuple(apex - 3 * (middle - apex)), tuple(middle), (0, 0, 1))
    upper, lower = (0.75 * corners[[a, b]].mean(0) + 0.25 * corners[[c, d]].mean(0)
                    for a, b, c, d in ((0, 1, 2, 3), (2, 3, 0, 1)))  # fmt: skip
    assert np.median(colors_near(viewport, upper, 1), axis=0)[0] > 150
    assert np.median(colors_near(viewport, lower, 1), axis=0)[2] > 150
    viewport.show_layer("room", replace(room.posed, disabled=np.ones(8, bool)), LayerStyle())
    red, green, blue = np.median(colors_near(viewport, upper, 1), axis=0)
    assert max(red, green, blue) - min(red, green, blue) < 25


def test_atlas_cells_are_where_their_coordinates_say():
    atlas = ThumbnailAtlas(7)
    atlas.put(5, np.full((10, 20, 3), 200, np.uint8))
    height, width = atlas._pixels.shape[:2]
    u, v = atlas.coordinates(5).mean(0)
    assert atlas._pixels[int((1 - v) * height), int(u * width)].tolist() == [200, 200, 200]
    assert (atlas._pixels == 200).all(2).sum() == atlas.cell**2


def test_looking_through_a_camera_puts_points_where_the_photo_has_them(viewport, room):
    posed = room.posed
    viewport.show_layer("room", posed, LayerStyle())
    viewport.frame_all(animated=False)
    before = viewport.camera
    viewport.look_through(posed.cameras, 4)
    assert viewport.images.is_through_camera and not viewport.images.are_shown
    size = (viewport.width(), viewport.height())
    seen = posed.observations[posed.observations[:, 0] == 4, 1]
    points = posed.points.points[seen]
    in_cam = points @ posed.cameras.cam_from_world[4, :3, :3].T + posed.cameras.cam_from_world[4, :3, 3]
    photo = in_cam[:, :2] / in_cam[:, 2:] * posed.cameras.focal[4]  # from the principal point
    view = cameras.project(viewport.camera, points, size)[:, :2] - viewport.camera.axis_pixel(size)
    factor = view[:, 0] / photo[:, 0]
    assert np.allclose(factor, factor[0], rtol=1e-6) and np.allclose(view, photo * factor[0], atol=1e-6)
    assert factor[0] * 32 <= size[0] + 1e-6 and factor[0] * 24 <= size[1] + 1e-6, "all of the photo is seen"
    viewport.images.leave_camera()
    assert viewport.camera == before and viewport.images.are_shown


@pytest.mark.parametrize("center", [(5.0, 20.0), (30.0, 3.0)])
def test_a_principal_point_far_from_the_middle_is_followed_by_what_is_drawn(viewport, room, center):
    posed = room.posed
    off = replace(posed.cameras, center=np.tile(center, (len(posed), 1)))
    in_photo = np.array([9.0, 6.0])
    in_cam = np.append((in_photo - center) / off.focal[2], 1.0) * 0.9
    point = (off.world_from_cam[2] @ np.append(in_cam, 1.0))[:3]
    viewport.set_shown("grid", False)
    viewport.show_layer("dot", PointCloud(point[None], np.array([[250, 20, 20]])), LayerStyle(point_size=8))
    viewport.look_through(off, 2)
    size = np.array([viewport.width(), viewport.height()])
    factor = min(size / off.size[2])
    expected = size / 2 + (in_photo - off.size[2] / 2) * factor
    assert np.allclose(cameras.project(viewport.camera, [point], tuple(size))[0, :2], expected, atol=1e-6)
    origin, direction = cameras.ray(viewport.camera, *expected, tuple(size))
    assert np.allclose(np.cross(point - origin, direction), 0, atol=1e-9)
    picture = viewport.screenshot().astype(int)
    rows, columns = np.nonzero((picture[..., 0] > 200) & (picture[..., 1] < 60))
    assert np.allclose([columns.mean() + 0.5, rows.mean() + 0.5], expected, atol=1.0)


def test_moving_the_view_ends_looking_through_a_camera(viewport, room):
    viewport.show_layer("room", room.posed, LayerStyle())
    viewport.look_through(room.posed.cameras, 1)
    half = viewport.camera.half_height
    viewport.camera = cameras.orbit(viewport.camera, 0.2, 0.0, [0, 0, 1])
    assert not viewport.images.is_through_camera
    assert viewport.camera.view_angle == cameras.CameraPose().view_angle
    assert viewport.camera.half_height == pytest.approx(half)
    assert viewport.camera.shift == (0.0, 0.0)


def test_points_are_drawn_in_their_colours_and_can_be_measured(viewport):
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 1.0]])
    viewport.set_shown("grid", False)
    viewport.show_layer("cloud", PointCloud(points, np.tile([250, 20, 20], (4, 1))), LayerStyle(point_size=8))
    viewport.frame_all(animated=False)
    assert (colors_near(viewport, points[3])[:, 0] > 200).any()
    size = (viewport.width(), viewport.height())
    x, y, _ = cameras.project(viewport.camera, points[1:2], size)[0]
    assert np.allclose(viewport.tools.point_under(x + 3, y), points[1])


def test_a_region_fits_most_points_and_its_faces_move_alone():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.uniform([-2, -1, 0], [2, 1, 3], (5000, 3)), [[900, 0, 0]]])
    region = fitted(points, np.zeros((1, 3)))
    corners = box_points(region)
    assert np.allclose(corners.min(0), [-2.15, -1.08, -0.12], atol=0.1) and corners[:, 0].max() < 2.5
    pulled = box_points(with_face_moved(region, (0, 1), 0.7))
    assert np.isclose(pulled[:, 0].max(), corners[:, 0].max() + 0.7) and np.isclose(
        pulled[:, 0].min(), corners[:, 0].min()
    )
    pushed = box_points(with_face_moved(region, (2, -1), -99.0))
    assert np.ptp(pushed[:, 2]) > 0, "a face stops before the opposite one"


def test_five_hundred_cameras_take_as_many_draw_calls_as_eight(qtbot, viewport, room):  # T53
    viewport.show_layer("room", room.posed, LayerStyle())
    few = len(viewport._scene.layers["room"].actors)
    place = np.arange(500) % 8
    many = replace(
        room.posed.select(np.arange(8)),
        images=ImageSet("/nowhere", tuple(f"{i}.png" for i in range(500))),
        cameras=room.posed.cameras.select(place), lens_models=("PINHOLE",) * 500, lens_params=None,
        observations=None, disabled=None,
    )  # fmt: skip
    viewport.show_layer("room", many, LayerStyle())
    viewport.images.set_pictures("room", {i: np.full((24, 32, 3), 90, np.uint8) for i in range(500)})
    layer = viewport._scene.layers["room"]
    assert len(layer.actors) == few and layer.num_pictures == 500
    quads = layer.actors[-2].GetMapper().GetInput()
    assert quads.GetNumberOfPolys() == 500 and viewport.screenshot().std() > 1
