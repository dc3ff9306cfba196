"""Grids of colour maps: nothing where there is none, an affine map exactly, smoothly between cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from render.color_map import mapped
from render.frame import Frame
from render.transforms import Similarity3
from render.view_field import ViewField
from render.view_pictures import view_picture
from tests.render.view_scenes import CENTER, FOCAL, SIZE, field_of, poses_around

WORLD_FROM_MAP = np.array([[0.5, 0, 0, -3], [0, 0.5, 0, -3], [0, 0, 0.5, -1], [0, 0, 0, 1.0]])


@pytest.fixture(scope="module")
def field() -> ViewField:
    return field_of(poses_around(5))


def with_map(field: ViewField, color_map: NDArray[np.floating]) -> ViewField:
    return replace(field, color_map=color_map, world_from_map=WORLD_FROM_MAP)


def test_a_map_that_changes_nothing_shows_the_originals(field: ViewField) -> None:
    pose = poses_around(1, turned=0.1)[0]
    before = view_picture(field, pose, FOCAL, CENTER, SIZE)
    edited = replace(with_map(field, np.zeros((3, 4, 5, 12))), pictures=255 - field.pictures)
    after = view_picture(edited, pose, FOCAL, CENTER, SIZE)
    np.testing.assert_array_equal(after.rgb, before.rgb)
    np.testing.assert_array_equal(after.depth, before.depth)


def test_a_known_affine_map_comes_out_exactly(field: ViewField) -> None:
    change = np.array([[-0.5, 0.1, 0, 0.2], [0, -0.2, 0.1, 0.05], [0.1, 0, -0.4, 0.1]])
    pose = poses_around(1, turned=0.1)[0]
    before = view_picture(field, pose, FOCAL, CENTER, SIZE).rgb
    color_map = np.broadcast_to(change.reshape(12), (3, 4, 5, 12))
    after = view_picture(with_map(field, color_map), pose, FOCAL, CENTER, SIZE).rgb
    wanted = np.clip(before + before @ change[:, :3].T + change[:, 3], 0, 1)
    np.testing.assert_allclose(after, wanted, atol=2e-6)


def test_between_the_middles_of_cells_maps_are_trilinear_and_beyond_the_last_constant(
    field: ViewField,
) -> None:
    generator = np.random.default_rng(0)
    color_map = np.zeros((4, 5, 6, 12), np.float32)
    color_map[..., 3] = generator.uniform(-0.1, 0.1, (4, 5, 6))
    in_cells = generator.uniform([-2, -2, -2], [5, 6, 7], (500, 3))
    inside = np.clip(in_cells, 0, [3, 4, 5])
    first = np.minimum(inside.astype(int), [2, 3, 4])
    part = inside - first
    wanted = np.zeros(500)
    for corner in np.ndindex(2, 2, 2):
        weight = np.where(corner, part, 1 - part).prod(1)
        wanted += weight * color_map[(*(first + corner).T, 3)]
    points = in_cells * 0.5 + WORLD_FROM_MAP[:3, 3]
    got = mapped(with_map(field, color_map), np.full((500, 3), 0.5), points)
    np.testing.assert_allclose(got[:, 0], 0.5 + wanted, atol=1e-5)
    np.testing.assert_array_equal(got[:, 1:], 0.5)


def test_points_may_be_given_in_other_axes_than_the_worlds(field: ViewField) -> None:
    generator = np.random.default_rng(1)
    edited = with_map(field, generator.uniform(-0.2, 0.2, (4, 4, 4, 12)))
    colors, in_world = generator.uniform(0, 1, (200, 3)), generator.uniform(-3, 1, (200, 3))
    pose = poses_around(1)[0]
    in_cam = in_world @ pose[:3, :3].T + pose[:3, 3]
    there = mapped(edited, colors, in_cam, np.linalg.inv(pose))
    np.testing.assert_allclose(there, mapped(edited, colors, in_world), atol=1e-5)
    moved = edited.transformed(Similarity3(np.eye(3), np.array([1e6, 0, 0.0]), 2.0), Frame())
    far = mapped(moved, colors, in_world * 2 + np.array([1e6, 0, 0]))
    np.testing.assert_allclose(far, mapped(edited, colors, in_world), atol=1e-5)


def test_colours_stay_within_their_range(field: ViewField) -> None:
    color_map = np.zeros((1, 1, 1, 12))
    color_map[..., 3], color_map[..., 7] = 2, -2
    got = mapped(with_map(field, color_map), np.full((3, 3), 0.5), np.zeros((3, 3)))
    np.testing.assert_array_equal(got, [[1, 0, 0.5]] * 3)
