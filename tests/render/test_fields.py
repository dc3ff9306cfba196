"""Fields as values: checked, read-only, where they lie in the world, and stored without loss."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recon.formats import native
from render.cameras import CameraSet
from render.frame import Frame
from render.radiance_field import RadianceField
from render.transforms import Similarity3
from render.view_field import ViewField


def make_cameras(count: int = 2) -> CameraSet:
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, 0, 3] = np.arange(count)
    return CameraSet(
        poses, np.full((count, 2), 20.0), np.array([[16.0, 12.0]] * count), np.array([[32, 24]] * count)
    )


def make_view_field(count: int = 2) -> ViewField:
    generator = np.random.default_rng(0)
    pictures = generator.integers(0, 256, (count, 24, 32, 3), np.uint8)
    return ViewField(
        tuple(f"{i}.png" for i in range(count)), make_cameras(count), pictures, pictures,
        np.full((count, 24, 32), 4.0), np.ones(count), np.zeros((0, 0, 0, 12)), np.eye(4), np.zeros(0),
    )  # fmt: skip


def make_radiance_field() -> RadianceField:
    pose = np.diag([2.0, 2.0, 2.0, 1.0])
    parameters = {"table": np.arange(6, dtype=np.float32).reshape(3, 2)}
    return RadianceField("{}", parameters, pose, np.array([[-1.0, -1, -1], [1, 1, 0.5]]), make_cameras())


def test_a_radiance_field_lies_where_its_box_was_placed() -> None:
    np.testing.assert_allclose(make_radiance_field().bounds, [[-2, -2, -2], [2, 2, 1]])


def test_a_view_field_lies_where_its_depths_say() -> None:
    low, high = make_view_field(1).bounds
    assert low[2] == high[2] == 4.0
    assert -3.2 <= low[0] < -2 < 2 < high[0] <= 3.2  # 16 pixels at a focal length of 20, 4 away


def test_parameters_of_a_field_cannot_be_written_and_are_no_longer_the_givers() -> None:
    table = np.zeros((3, 2), np.float32)
    field = replace(make_radiance_field(), parameters={"table": table})
    table[0, 0] = 7
    assert field.parameters["table"][0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        field.parameters["table"][0, 0] = 1


def test_views_of_other_sizes_than_their_cameras_are_refused() -> None:
    field = make_view_field()
    with pytest.raises(ValueError, match="camera"):
        replace(field, cameras=make_cameras(1))
    with pytest.raises(ValueError, match="negative"):
        replace(field, depths=-field.depths)


@pytest.mark.parametrize("field", [make_view_field(), make_radiance_field()])
def test_a_field_that_moves_takes_everything_of_it_along(field: ViewField | RadianceField) -> None:
    b_from_a = Similarity3(np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]), np.array([1.0, 2, 3]), 2.0)
    moved = field.transformed(b_from_a, Frame("+Y"))
    low, high = field.bounds
    corners = np.array(
        [[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    )
    placed = b_from_a.apply(corners)
    np.testing.assert_allclose(moved.bounds, [placed.min(0), placed.max(0)], atol=1e-5)
    np.testing.assert_allclose(moved.cameras.positions, b_from_a.apply(field.cameras.positions))
    assert moved.frame == Frame("+Y")


@pytest.mark.parametrize("field", [make_view_field(), make_radiance_field()])
def test_a_field_survives_pickling_and_its_file(field: ViewField | RadianceField, tmp_path: Path) -> None:
    native.write(tmp_path / "field.npz", field)
    for back in (pickle.loads(pickle.dumps(field)), native.read(tmp_path / "field.npz")):
        assert type(back) is type(field)
        before, after = dict(field.arrays()), dict(back.arrays())
        assert before.keys() == after.keys()
        for name, array in before.items():
            np.testing.assert_array_equal(after[name], array)
            assert not after[name].flags.writeable
        np.testing.assert_array_equal(back.cameras.cam_from_world, field.cameras.cam_from_world)
