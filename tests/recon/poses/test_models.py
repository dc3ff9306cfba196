"""Models of COLMAP as posed images: which way is up."""

from __future__ import annotations

import numpy as np

from recon.poses.models import upright
from render.cameras import CameraSet
from tests.synthetic_room import make_room


def test_photos_held_upright_and_on_their_side_stand_on_the_same_floor() -> None:
    """Half of the cameras are turned by a quarter, as EXIF data tell; up comes out the same."""
    scene = make_room(8)
    cameras = scene.posed.cameras
    quarter = np.array([[0, 1.0, 0, 0], [-1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    poses = cameras.cam_from_world.copy()
    poses[::2] = quarter @ poses[::2]
    ups = np.tile([0.0, -1.0], (8, 1))
    ups[::2] = quarter[:2, :2] @ [0, -1.0]
    tilt, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    tilt *= np.linalg.det(tilt)
    poses[:, :3, :3] = poses[:, :3, :3] @ tilt.T
    turned = CameraSet(poses, cameras.focal, cameras.center, cameras.size)
    found = upright(turned, ups, np.zeros((0, 3)))
    assert np.degrees(np.arccos(found.apply_to_directions(tilt @ [0, 0, 1.0])[2])) < 1


def test_a_camera_that_was_only_panned_takes_the_mean_up() -> None:
    """All horizons parallel: they leave the turn about themselves open."""
    poses = np.tile(np.eye(4), (5, 1, 1))
    poses[:, 0, 3] = np.arange(5)
    each = np.ones((5, 2))
    cameras = CameraSet(poses, each * 100, each * 50, each.astype(int) * 100)
    found = upright(cameras, np.tile([0.0, -1.0], (5, 1)), np.zeros((0, 3)))
    assert np.allclose(found.apply_to_directions([0, -1, 0]), [0, 0, 1])
    assert np.allclose(found.apply(cameras.positions).mean(0), 0)
