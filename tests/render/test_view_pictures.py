"""Pictures of a field of views: what a new camera would have seen, of a scene whose every picture is a formula."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import render.compiled
from render.field_picture import FieldPicture
from render.field_pictures import field_picture
from render.frame import Frame
from render.transforms import Similarity3
from render.view_field import ViewField
from render.view_pictures import ViewDrawer, view_picture
from render.view_sources import NUM_QUICK_SOURCES, choose_sources
from tests.render.view_scenes import CENTER, FOCAL, SIZE, field_of, is_on_box, poses_around, psnr, seen


@pytest.fixture(scope="module")
def field() -> ViewField:
    return field_of(poses_around(8))


def drawn(field: ViewField, pose: Any, **wishes: Any) -> FieldPicture:
    return view_picture(field, pose, FOCAL, CENTER, SIZE, **wishes)


def same(a: FieldPicture, b: FieldPicture) -> bool:
    return all(getattr(a, name).tobytes() == getattr(b, name).tobytes() for name in ("rgb", "alpha", "depth"))


def test_a_new_view_is_what_a_camera_there_would_see(field: ViewField) -> None:
    pose = poses_around(1, turned=0.07, radius=2.7)[0]
    truth, depth = seen(pose)
    picture = drawn(field, pose)
    assert psnr(picture.rgb, truth) > 32
    assert (picture.alpha == 1).all()
    off = np.abs(picture.depth / depth - 1)
    assert np.median(off) < 3e-4
    assert (off > 0.02).mean() < 0.02  # outlines
    assert psnr(drawn(field, pose, depth=depth).rgb, truth) > 40  # where depth is given, nearly all is right


def test_where_views_were_taken_they_look_as_they_did(field: ViewField) -> None:
    picture = drawn(field, field.cameras.cam_from_world[3])
    assert psnr(picture.rgb, field.pictures[3] / 255) > 36


def test_four_views_are_a_quick_picture(field: ViewField) -> None:
    pose = poses_around(1, turned=0.07, radius=2.7)[0]
    drawer = ViewDrawer(field, pose, FOCAL, CENTER, SIZE, num_sources=NUM_QUICK_SOURCES)
    assert len(drawer.chosen) == 4
    assert psnr(drawer.picture().rgb, seen(pose)[0]) > 30


def test_rows_drawn_one_after_the_other_are_the_whole(field: ViewField) -> None:
    pose = poses_around(1, turned=-0.1)[0]
    drawer = ViewDrawer(field, pose, FOCAL, CENTER, SIZE)
    whole = drawer.picture()
    parts = [drawer.picture(rows) for rows in ((0, 1), (1, 30), (30, 67), (67, SIZE[1]))]
    for name in ("rgb", "alpha", "depth"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(joined, getattr(whole, name))
    assert same(whole, drawn(field, pose))
    assert same(whole, field_picture(field, pose, FOCAL, CENTER, SIZE))


def test_any_number_of_threads_draws_the_same_bytes(field: ViewField, monkeypatch: Any) -> None:
    pose = poses_around(1, turned=-0.1)[0]
    pictures = []
    for count in (1, 3):
        monkeypatch.setattr(render.compiled, "num_threads", lambda count=count: count)
        pictures.append(drawn(field, pose))
    assert same(*pictures)


def test_a_view_without_weight_has_no_influence(field: ViewField) -> None:
    pictures, depths = field.pictures.copy(), field.depths.copy()
    pictures[3], depths[3] = 0, 0.5
    weights = np.ones(len(field), np.float32)
    weights[3] = 0
    spoilt = replace(field, pictures=pictures, depths=depths, weights=weights)
    pose = field.cameras.cam_from_world[3]
    assert same(drawn(spoilt, pose), drawn(replace(field, weights=weights), pose))
    assert 3 not in choose_sources(spoilt, pose, FOCAL, CENTER, SIZE)


def test_a_view_whose_depth_is_all_wrong_hides_nothing(field: ViewField) -> None:
    depths = field.depths.copy()
    depths[4] *= 0.6
    spoilt = replace(field, depths=depths)
    pose = poses_around(1, turned=0.07, radius=2.7)[0]
    truth, depth = seen(pose)
    picture = drawn(spoilt, pose)
    assert (np.abs(picture.depth / depth - 1) > 0.03).mean() < 0.02
    assert psnr(picture.rgb, truth) > 31


def test_noise_in_depths_is_less_in_the_new_depth(field: ViewField) -> None:
    generator = np.random.default_rng(0)
    noise = np.exp(0.015 * generator.standard_normal(field.depths.shape)).astype(np.float32)
    pose = poses_around(1, turned=0.07, radius=2.7)[0]
    _, depth = seen(pose)
    found = drawn(replace(field, depths=field.depths * noise), pose).depth
    assert np.median(np.abs(found / depth - 1)) < 0.5 * np.median(np.abs(noise - 1))


def test_what_a_box_hides_from_views_is_not_seen_through_it() -> None:
    """The boxes are painted red in the pictures, all else blue: no red may be on what lies behind a box."""
    poses = poses_around(5)
    field = field_of(poses)
    pose = poses_around(1, turned=0.3)[0]
    _, depth = seen(pose)
    is_box = np.stack([is_on_box(each, near) for each, near in zip(poses, field.depths, strict=True)])
    pictures = np.where(is_box[..., None], [255, 0, 0], [0, 0, 255]).astype(np.uint8)
    red = drawn(replace(field, pictures=pictures), pose, depth=depth).rgb[..., 0]
    is_behind = ~is_on_box(pose, depth)
    assert 0.5 < is_behind.mean() < 0.95
    assert (red[is_behind] > 0.3).mean() < 0.02
    assert (red[~is_behind] < 0.7).mean() < 0.03


def test_sky_is_blended_by_direction_and_lies_behind_everything() -> None:
    field = field_of(poses_around(6), has_wall=False)
    pose = poses_around(1, turned=0.05, radius=2.8)[0]
    truth, depth = seen(pose, has_wall=False)
    picture = drawn(field, pose)
    is_sky = depth == 0
    assert is_sky.mean() > 0.1
    assert ((picture.depth == 0) == is_sky).mean() > 0.98
    assert (picture.alpha == 1).all()
    both = is_sky & (picture.depth == 0)
    assert psnr(picture.rgb[both], truth[both]) > 38


def test_unknown_depth_in_some_views_is_taken_from_others(field: ViewField) -> None:
    depths = field.depths.copy()
    depths[::2, 20:50, 20:60] = 0
    depths[1] = 0
    pose = poses_around(1, turned=0.07, radius=2.7)[0]
    assert psnr(drawn(replace(field, depths=depths), pose).rgb, seen(pose)[0]) > 30


def test_cameras_that_look_away_see_nothing(field: ViewField) -> None:
    behind = np.diag([-1.0, 1, -1, 1]) @ field.cameras.cam_from_world[3]
    picture = drawn(field, behind)
    assert not picture.alpha.any() and not picture.rgb.any() and not picture.depth.any()


def test_one_view_is_drawn_where_it_sees(field: ViewField) -> None:
    one = field_of(poses_around(1))
    here = drawn(one, one.cameras.cam_from_world[0])
    # Depth is made of triangles, which end half a pixel before the picture does.
    assert psnr(here.rgb[1:-1, 1:-1], one.pictures[0][1:-1, 1:-1] / 255) > 36
    beside = drawn(one, poses_around(1, turned=0.8)[0])
    assert 0.1 < beside.alpha.mean() < 1


@pytest.mark.parametrize("spoilt", ["weights", "depths"])
def test_fields_that_know_nothing_are_drawn_without_error(field: ViewField, spoilt: str) -> None:
    picture = drawn(
        replace(field, **{spoilt: np.zeros_like(getattr(field, spoilt))}), field.cameras.cam_from_world[0]
    )
    assert not picture.depth.any()
    assert picture.alpha.any() == (spoilt == "depths")


def test_pictures_smaller_than_the_views_are_not_jagged() -> None:
    """A camera far away sees the mean of many pixels of the views, not one of them."""
    generator = np.random.default_rng(0)
    field = field_of(poses_around(3))
    grain = generator.integers(0, 256, field.pictures.shape, np.uint8)
    small = np.array(SIZE) // 4
    picture = view_picture(
        replace(field, pictures=grain), field.cameras.cam_from_world[1], FOCAL / 4, CENTER / 4,
        (int(small[0]), int(small[1])),
    )  # fmt: skip
    assert picture.rgb.std() < 0.35 * (grain / 255).std()


def test_a_scene_far_from_the_worlds_origin_looks_the_same(field: ViewField) -> None:
    pose = poses_around(1, turned=0.07)[0]
    far = Similarity3(np.eye(3), np.array([4e5, 5e6, 100.0]), 1.0)
    moved = pose.copy()
    moved[:3, 3] = pose[:3, 3] - pose[:3, :3] @ far.translation
    a, b = drawn(field, pose), drawn(field.transformed(far, Frame()), moved)
    assert psnr(a.rgb, b.rgb) > 45
