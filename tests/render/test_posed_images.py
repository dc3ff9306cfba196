from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recon.formats import native
from render.cameras import CameraSet, limited_size, pixel_rays
from render.frame import Frame
from render.images import DepthCues, ImageSet, NormalCues, PosedImages
from render.points import PointCloud
from render.transforms import Similarity3


def rotation(axis: tuple[float, float, float], angle: float) -> np.ndarray:
    x, y, z = np.asarray(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def cameras(count: int = 3) -> CameraSet:
    poses = np.tile(np.eye(4), (count, 1, 1))
    for i in range(count):
        poses[i, :3, :3] = rotation((1, i, 2), 0.3 * i)
        poses[i, :3, 3] = (i, 2, -1)
    return CameraSet(poses, np.full((count, 2), 100.0), np.full((count, 2), 32.0), np.full((count, 2), 64))


def posed(count: int = 3) -> PosedImages:
    paths = tuple(f"{i}.png" for i in range(count))
    return PosedImages(
        ImageSet("/photos", paths, mask_paths=("", "m.png", "")[:count]),
        cameras(count),
        depth=DepthCues(paths, "metric", 0.001, "sensor"),
        normals=NormalCues(paths, signs=(1, -1, -1)),
        points=PointCloud(np.arange(12.0).reshape(4, 3)),
        observations=np.array([[0, 0], [1, 3], [2, 1]], np.int32),
        world_from_region=np.diag([2.0, 3, 4, 1]),
        frame=Frame("+Y", "m"),
    )


def assert_same(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    for field in fields(a):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype
        elif is_dataclass(one) and not isinstance(one, Frame):
            assert_same(one, other)
        else:
            assert one == other


def test_posed_images_come_back_from_a_file_bit_for_bit(tmp_path: Path) -> None:
    native.write(tmp_path / "scene.npz", posed())
    assert_same(native.read(tmp_path / "scene.npz"), posed())


def test_the_ray_through_a_projected_point_passes_through_it() -> None:
    views, point = cameras(), np.array([3.0, 1.0, 9.0])
    for i, pose in enumerate(views.cam_from_world):
        x, y, z = (pose @ [*point, 1])[:3]
        pixel = np.array([[x, y]]) / z * views.focal[i] + views.center[i]
        rays_o, rays_d = pixel_rays(views, np.array([i]), pixel)
        along = (point - rays_o[0]) / np.linalg.norm(point - rays_o[0])
        np.testing.assert_allclose(rays_d[0] * np.sign(z), along, atol=1e-12)


def test_a_scene_moved_by_a_similarity_keeps_every_projection() -> None:
    move = Similarity3(rotation((1, 2, 3), 1.1), np.array([4.0, -2, 7]), 2.5)
    before, after = posed(), posed().transformed(move, Frame("+Z", "cm"))
    points = before.points.points  # type: ignore[union-attr]
    np.testing.assert_allclose(after.points.points, move.apply(points))  # type: ignore[union-attr]
    for old, new in zip(before.cameras.cam_from_world, after.cameras.cam_from_world, strict=True):
        in_old = points @ old[:3, :3].T + old[:3, 3]
        in_new = move.apply(points) @ new[:3, :3].T + new[:3, 3]
        np.testing.assert_allclose(in_new, 2.5 * in_old, atol=1e-12)
    assert after.depth is not None and after.depth.scale == pytest.approx(0.0025)


def test_a_choice_of_images_takes_its_cues_and_observations_along() -> None:
    chosen = posed().select(np.array([2, 1]))
    assert chosen.images.paths == ("2.png", "1.png")
    assert chosen.images.mask_paths == ("", "m.png")
    assert sorted(map(tuple, chosen.observations.tolist())) == [(0, 1), (1, 3)]  # type: ignore[union-attr]
    assert chosen.normals is not None and chosen.normals.signs == (1, -1, -1)


@pytest.mark.parametrize(
    "broken", [np.zeros((1, 4, 4)), np.diag([1.0, 1, -1, 1])[None], np.full((1, 4, 4), np.nan)]
)
def test_a_pose_that_is_no_rigid_motion_is_refused(broken: np.ndarray) -> None:
    with pytest.raises(ValueError):
        CameraSet(broken, np.ones((1, 2)), np.ones((1, 2)), np.ones((1, 2)))


def test_an_observation_of_a_point_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="observations"):
        PosedImages(ImageSet("/photos", ("a.png",)), cameras(1), observations=np.array([[0, 0]], np.int32))


@pytest.mark.parametrize(
    ("size", "longest", "expected"),
    [
        ((640, 480), 320, (320, 240)),
        ((480, 640), 320, (240, 320)),
        ((64, 48), 320, (64, 48)),
        ((999, 1), 10, (10, 1)),
    ],
)
def test_a_size_is_limited_by_its_longer_side_and_keeps_its_shape(size, longest, expected) -> None:
    assert limited_size(np.array(size), longest) == expected
