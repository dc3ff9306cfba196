"""What views say about the pixels of another: the kernels equal their readable twin, whatever the threads and tiles."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

import render.compiled
from render.view_candidate_kernels import OUTSIDE
from render.view_candidates import Candidates, blended, gather
from render.view_field import ViewField
from tests.render.view_scenes import CENTER, FOCAL, field_of, poses_around, seen
from tests.render.view_twins import blend_plainly, gather_plainly


@pytest.fixture(scope="module")
def field() -> ViewField:
    """Six views, before sky, edited so that pictures and originals differ, some of whose depth is not known."""
    made = field_of(poses_around(6), has_wall=False)
    depths = made.depths.copy()
    depths[2, 20:40, 30:50] = 0
    return replace(
        made, pictures=255 - made.pictures, depths=depths, weights=np.array([1, 1, 0.5, 2, 1, 1], np.float32)
    )


def case(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Pose and depth of a camera: near, far so that pictures are minified, or partly looking past all views."""
    pose = {
        "near": poses_around(1, turned=0.1, radius=2.6)[0],
        "far": poses_around(1, turned=-0.2, radius=9.0)[0],
        "aside": poses_around(1, turned=0.9, radius=2.0)[0],
    }[name]
    return pose, seen(pose, has_wall=False)[1].astype(np.float32)


@pytest.mark.parametrize("name", ["near", "far", "aside"])
def test_what_kernels_gather_is_what_the_readable_twin_gathers(field: ViewField, name: str) -> None:
    pose, depth = case(name)
    chosen = np.array([4, 0, 2, 3])
    got = gather(field, chosen, pose, FOCAL, CENTER, depth)
    wanted = gather_plainly(field, chosen, pose, FOCAL, CENTER, depth)
    is_same = got.is_inside == wanted.is_inside
    assert is_same.mean() > 0.999  # points on the border of a picture may fall to either side
    # A point may have another level or other four pixels where rounding decides; there colours differ a little.
    tolerances = {"prior": 0.02, "angle": 1e-4, "scale": 1e-3, "disagreement": 1e-3}
    for column in fields(Candidates):
        if column.name == "is_inside":
            continue
        difference = np.abs(getattr(got, column.name) - getattr(wanted, column.name))[is_same]
        assert np.quantile(difference, 0.995) < tolerances.get(column.name, 2e-3), column.name
        assert difference.mean() < tolerances.get(column.name, 2e-3), column.name


def test_blending_is_what_the_readable_twin_blends(field: ViewField) -> None:
    pose, depth = case("near")
    found = gather(field, np.arange(6), pose, FOCAL, CENTER, depth)
    np.testing.assert_allclose(blended(found), blend_plainly(found), atol=2e-6)


def test_pixels_that_are_asked_for_are_those_of_the_whole(field: ViewField) -> None:
    pose, depth = case("near")
    chosen = np.array([1, 3, 5])
    pixels = np.random.default_rng(0).permutation(depth.size)[:1234]
    whole = gather(field, chosen, pose, FOCAL, CENTER, depth)
    some = gather(field, chosen, pose, FOCAL, CENTER, depth, pixels)
    for column in fields(Candidates):
        np.testing.assert_array_equal(getattr(some, column.name), getattr(whole, column.name)[pixels])


def test_coarse_colours_are_left_out_where_nobody_asks(field: ViewField) -> None:
    pose, depth = case("near")
    chosen = np.array([1, 3])
    whole = gather(field, chosen, pose, FOCAL, CENTER, depth)
    plain = gather(field, chosen, pose, FOCAL, CENTER, depth, with_coarse=False)
    assert plain.coarse_colors.size == plain.coarse_originals.size == 0
    np.testing.assert_array_equal(plain.colors, whole.colors)


def test_any_number_of_threads_gathers_the_same_bytes(field: ViewField, monkeypatch: Any) -> None:
    pose, depth = case("near")
    found = []
    for count in (1, 3):
        monkeypatch.setattr(render.compiled, "num_threads", lambda count=count: count)
        found.append(gather(field, np.arange(6), pose, FOCAL, CENTER, depth))
    for column in fields(Candidates):
        assert getattr(found[0], column.name).tobytes() == getattr(found[1], column.name).tobytes()


def test_a_point_that_a_box_hides_from_a_view_is_not_believed_of_it() -> None:
    poses = poses_around(2, spread=0.7)
    field = field_of(poses)
    truth, depth = seen(poses[0])
    found = gather(field, np.array([1]), poses[0], FOCAL, CENTER, depth)
    wrong = np.abs(found.colors[:, 0] - truth.reshape(-1, 3)).max(1) > 0.15
    is_hidden = found.disagreement[:, 0] > 0.15
    assert is_hidden.mean() > 0.03
    assert wrong[is_hidden].mean() > 0.4  # It would have been another surface's colour.
    assert found.prior[is_hidden, 0].max() < -9
    is_seen = (np.abs(found.disagreement[:, 0]) < 0.01) & found.is_inside[:, 0]
    assert is_seen.mean() > 0.3
    assert wrong[is_seen].mean() < 0.01
    assert np.quantile(found.prior[is_seen, 0], 0.01) > -3
    assert found.prior[~found.is_inside].max() <= OUTSIDE
