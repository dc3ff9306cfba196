"""Which way is up: from three points, from the floor."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from recon.errors import InputError
from recon.orientation import floor_up, turned_up, up_of_cameras
from render.transforms import Similarity3
from tests.synthetic_room import make_room


@pytest.fixture(scope="module")
def room():
    return make_room(num_views=6, width=32, height=24, num_points=600)


@pytest.mark.parametrize("up", ["+Z", "-Y", "+X"])
def test_three_points_become_level_and_lie_at_height_zero(up):
    rng = np.random.default_rng(1)
    points, above = rng.normal(size=(3, 3)), rng.normal(size=3) * 5
    motion = turned_up(points, above, up)
    axis, sign = "XYZ".index(up[1]), 1.0 if up[0] == "+" else -1.0
    assert np.allclose(motion.apply(points)[:, axis], 0, atol=1e-12)
    assert sign * motion.apply(above)[axis] > 0 and motion.scale == 1


def test_points_on_one_line_are_refused():
    with pytest.raises(InputError, match="one line"):
        turned_up(np.array([[0, 0, 0], [1, 1, 1], [2, 2, 2.0]]), np.ones(3), "+Z")


def test_the_floor_of_a_tilted_room_is_found(room):
    tilt = Similarity3(Rotation.from_euler("xyz", [0.3, -0.2, 0.7]).as_matrix(), np.array([1.0, 2, 3]))
    cameras, points = room.posed.cameras.transformed(tilt), tilt.apply(room.posed.points.points)
    motion = floor_up(points, cameras, "+Z")
    level = motion.apply(points)
    is_floor = np.isclose(room.posed.points.points[:, 2], 0)
    assert is_floor.sum() > 50 and np.allclose(level[is_floor, 2], 0, atol=2e-3)
    assert level[:, 2].max() == pytest.approx(room.posed.points.points[:, 2].max(), abs=0.02)
    assert up_of_cameras(room.posed.cameras)[2] > 0.8


def test_a_cloud_without_a_floor_says_so(room):
    ball = np.random.default_rng(0).normal(size=(400, 3))
    with pytest.raises(InputError, match="No floor"):
        floor_up(ball, room.posed.cameras, "+Z")
    with pytest.raises(InputError, match="No floor"):
        floor_up(np.zeros((3, 3)), room.posed.cameras, "+Z")
