"""The camera's arithmetic, without a window."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render.frame import Axis
from widgets import viewport_camera as cameras
from widgets.viewport_camera import CameraPose

SIZE = (400, 300)
number = st.floats(-50, 50)
vector = st.tuples(number, number, number)


@st.composite
def poses(draw: st.DrawFn) -> CameraPose:
    away = np.array(draw(vector.filter(lambda v: np.linalg.norm(v) > 0.1)))
    focal = np.array(draw(vector))
    up = draw(vector.filter(lambda v: np.linalg.norm(np.cross(v, away)) > 0.05 * np.linalg.norm(away)))
    return CameraPose(tuple(focal + away), tuple(focal), up, draw(st.booleans()))


@settings(max_examples=30, deadline=None)
@given(poses(), st.floats(0, 400), st.floats(0, 300), st.floats(0.1, 20))
def test_a_point_on_the_ray_of_a_pixel_projects_to_that_pixel(
    pose: CameraPose, x: float, y: float, along: float
) -> None:
    origin, direction = cameras.ray(pose, x, y, SIZE)
    assert np.linalg.norm(direction) == pytest.approx(1)
    there = cameras.project(pose, [origin + direction * along * pose.distance], SIZE)[0]
    assert there[:2] == pytest.approx([x, y], abs=1e-5)
    assert there[2] > 0


@settings(max_examples=30, deadline=None)
@given(poses(), st.floats(-9, 9), st.floats(-2, 2))
def test_orbiting_keeps_focal_point_distance_and_a_level_horizon(
    pose: CameraPose, yaw: float, pitch: float
) -> None:
    up = np.array([0.0, 0.0, 1.0])
    turned = cameras.orbit(pose, yaw, pitch, up)
    assert turned.focal == pose.focal
    assert turned.distance == pytest.approx(pose.distance)
    right, camera_up, _ = turned.axes
    assert abs(right @ up) < 1e-6
    assert camera_up @ up > -1e-6  # never upside down


def test_orbiting_stops_at_the_poles_and_comes_back_from_there() -> None:
    pose = CameraPose((0, -5, 0), (0, 0, 0), (0, 0, 1))
    above = cameras.orbit(pose, 0, 4, (0, 0, 1))
    assert above.position == pytest.approx((0, 0, 5), abs=1e-12)
    assert above.up == pytest.approx((0, 1, 0), abs=1e-12)
    back = cameras.orbit(above, 0, -math.pi / 2, (0, 0, 1))
    assert back.position == pytest.approx(pose.position, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(poses(), st.floats(-80, 80), st.floats(-80, 80))
def test_panning_moves_what_lies_at_the_focal_point_with_the_pointer(
    pose: CameraPose, dx: float, dy: float
) -> None:
    moved = cameras.pan(pose, dx, dy, SIZE)
    there = cameras.project(moved, [pose.focal], SIZE)[0]
    assert there[:2] == pytest.approx([200 + dx, 150 + dy], abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(poses(), st.floats(0.2, 4), st.floats(0, 400), st.floats(0, 300))
def test_zooming_keeps_the_point_under_the_pointer(
    pose: CameraPose, factor: float, x: float, y: float
) -> None:
    origin, direction = cameras.ray(pose, x, y, SIZE)
    target = origin + direction * pose.distance
    closer = cameras.zoom(pose, factor, target)
    assert closer.distance == pytest.approx(pose.distance * factor)
    assert cameras.project(closer, [target], SIZE)[0, :2] == pytest.approx([x, y], abs=1e-4)


@pytest.mark.parametrize("notch", [0.9, 1.1, 0.9**120, 1.1**120])
def test_a_wheel_that_spins_on_and_on_leaves_a_camera_that_can_see(notch: float) -> None:
    pose = CameraPose((3.0, -5.0, 2.0), (1.0, 0.5, 0.0))
    for _ in range(3000):
        pose = cameras.zoom(pose, notch, (1.0, 0.4, 0.1))
    assert 1e-8 < pose.distance < 1e20
    assert cameras.zoom(pose, 1 / notch, (1.0, 0.4, 0.1)).distance == pytest.approx(pose.distance / notch)


def test_looking_around_keeps_the_place_and_moves_the_view() -> None:
    pose = CameraPose((0, -5, 0), (0, 0, 0), (0, 0, 1))
    right = cameras.look(pose, -0.5, 0, (0, 0, 1))
    assert right.position == pose.position
    assert right.focal[0] > 1
    down = cameras.look(pose, 0, -0.5, (0, 0, 1))
    assert down.focal[2] < -1


@pytest.mark.parametrize("parallel", [False, True])
@settings(max_examples=30, deadline=None)
@given(poses(), st.floats(0.4, 3))
def test_fitting_brings_every_corner_into_the_picture_and_fills_it(
    parallel: bool, pose: CameraPose, aspect: float
) -> None:
    corners = np.random.default_rng(1).normal(size=(8, 3)) * [3, 1, 9] + [40, 0, 7]
    fitted = cameras.fit(replace(pose, parallel=parallel), corners, aspect, margin=1.1)
    height = 300
    seen = cameras.project(fitted, corners, (round(height * aspect), height))
    share = np.abs(seen[:, :2] / [height * aspect, height] - 0.5).max() * 2
    assert parallel or (seen[:, 2] > 0).all()  # a parallel camera sees what lies behind it, too
    assert 1 / 1.1 - 0.01 < share < 1 / 1.1 + 0.01


def test_fitting_one_point_leaves_a_camera_that_works() -> None:
    fitted = cameras.fit(CameraPose(), np.zeros((8, 3)), 1.0)
    assert fitted.distance >= 1
    assert fitted.focal == (0, 0, 0)


@pytest.mark.parametrize("axis", ["+X", "-X", "+Y", "-Y", "+Z", "-Z"])
def test_named_views_agree_with_the_up_axis(axis: Axis) -> None:
    up = cameras.axis_vector(axis)
    for name in ("front", "right", "back", "left", "iso"):
        _, camera_up, back = cameras.look_along(CameraPose(), name, axis).axes  # type: ignore[arg-type]
        assert camera_up @ up > 0.5
        assert abs(back @ up) < 1e-9 or name == "iso"
    assert cameras.look_along(CameraPose(), "top", axis).axes[2] == pytest.approx(up)
    front, right, top = (cameras.look_along(CameraPose(), n, axis).axes for n in ("front", "right", "top"))
    assert front[0] == pytest.approx(right[2])  # what lies right in front is near from the right
    assert top[0] == pytest.approx(front[0])
    for name, opposite in cameras.OPPOSITE.items():
        if name != "iso":
            a, b = (cameras.look_along(CameraPose(), n, axis).axes[2] for n in (name, opposite))
            assert a == pytest.approx(-b)


def test_the_front_of_z_up_looks_along_y() -> None:
    pose = cameras.look_along(CameraPose((0, 0, 7), (0, 0, 0), (0, 1, 0)), "front", "+Z")
    assert pose.position == pytest.approx((0, -7, 0))


@settings(max_examples=30, deadline=None)
@given(poses(), poses())
def test_between_two_poses_begins_and_ends_there_and_never_rolls_over(a: CameraPose, b: CameraPose) -> None:
    start = cameras.between(a, b, 0)
    assert start.position == pytest.approx(a.position, abs=1e-6)
    assert cameras.between(a, b, 1) == b
    middle = cameras.between(a, b, 0.5)
    assert middle.distance == pytest.approx(math.sqrt(a.distance * b.distance))


def test_switching_projection_keeps_the_size_at_the_focal_point() -> None:
    pose = CameraPose((0, -5, 0), (0, 0, 0), (0, 0, 1))
    points = [(0.4, 0, 0.3), (-0.2, 0, 0.1)]
    flat = cameras.project(replace(pose, parallel=True), points, SIZE)
    assert flat[:, :2] == pytest.approx(cameras.project(pose, points, SIZE)[:, :2])


def test_a_camera_on_its_focal_point_is_refused() -> None:
    with pytest.raises(ValueError, match="focal"):
        CameraPose((1, 2, 3), (1, 2, 3))
    with pytest.raises(ValueError, match="finite"):
        CameraPose((1, 2, math.nan))
