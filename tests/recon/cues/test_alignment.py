"""Depth cues brought into the world by sparse points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recon.cues.alignment import align_depth
from recon.cues.robust_fit import fit_line
from recon.cues.sharpening import sharpened
from render.images import DepthCues
from tests.synthetic_room import RoomScene, make_room

SIZE = (96, 72)


@pytest.fixture(scope="module")
def room() -> RoomScene:
    return make_room(8, *SIZE, num_points=900)


def scene(room: RoomScene, kind: str):
    return replace(room.posed, depth=DepthCues(tuple(map(str, range(len(room.depth)))), kind))


def relative_error(depth, room: RoomScene) -> np.ndarray:
    return np.abs(depth / room.depth - 1)


@pytest.mark.parametrize("kind", ["depth", "disparity"])
def test_any_scale_and_shift_of_each_view_is_found(room, kind) -> None:
    rng = np.random.default_rng(0)
    scale, shift = rng.uniform(0.05, 3, 8), rng.uniform(-0.5, 2, 8)
    exact = room.depth if kind == "depth" else 1 / room.depth
    stored = ((exact - shift[:, None, None]) / scale[:, None, None]).astype(np.float32)
    aligned = align_depth(scene(room, kind), SIZE, lambda i: stored[i])
    assert aligned.is_aligned.all() and not any(aligned.reasons)
    assert np.allclose(aligned.scale, scale, rtol=2e-2) and np.allclose(aligned.shift, shift, atol=3e-2)
    assert np.median(relative_error(aligned.depth, room)) < 0.005


def test_metric_depth_is_taken_as_it_is_and_its_scale_found_where_asked_for(room) -> None:
    stored = room.depth * np.float32(0.5)
    as_is = align_depth(scene(room, "metric"), SIZE, lambda i: stored[i])
    assert (as_is.scale == 1).all() and as_is.inliers.max() < 0.1
    scaled = align_depth(scene(room, "metric"), SIZE, lambda i: stored[i], is_scale_fixed=False)
    assert np.allclose(scaled.scale, 2, rtol=1e-2) and (scaled.shift == 0).all()


def test_a_line_is_found_though_a_third_of_the_points_are_wrong() -> None:
    rng = np.random.default_rng(1)
    z = rng.uniform(1, 5, 300)
    stored = (z - 0.7) / 2.5
    stored[:100] = rng.uniform(0, 2, 100)
    fit = fit_line(stored, z, "depth", 0.1)
    assert fit.scale == pytest.approx(2.5, rel=1e-2) and fit.shift == pytest.approx(0.7, abs=3e-2)
    assert 0.6 < fit.inliers < 0.8


def test_a_line_is_found_though_most_points_lie_in_a_heap_of_their_own() -> None:
    """Least absolute errors alone compromise between a background and things before it that the cue has lost."""
    rng = np.random.default_rng(1)
    z = rng.uniform(2, 3, 200)
    stored = (z - 0.7) / 2.5
    z[:90] -= rng.uniform(0.5, 1.0, 90)
    fit = fit_line(stored, z, "depth", 0.1)
    assert fit.scale == pytest.approx(2.5, rel=1e-6) and fit.shift == pytest.approx(0.7, abs=1e-6)


def test_noise_of_the_cue_does_not_pull_far_surfaces_nearer() -> None:
    rng = np.random.default_rng(2)
    z = rng.uniform(1, 2.5, 4000)
    stored = (z - 0.3) * (1 + rng.normal(0, 0.08, 4000))
    fit = fit_line(stored, z, "depth", 0.1)
    far = fit.scale * (4 - 0.3) + fit.shift
    assert far == pytest.approx(4, rel=0.015)
    turned = np.polyfit(stored, z, 1)  # the usual way round
    assert np.polyval(turned, 4 - 0.3) < 3.9


def test_views_without_points_say_so(room) -> None:
    posed = scene(room, "depth")
    seen = posed.observations
    posed = replace(posed, observations=seen[seen[:, 0] != 3])
    stored = (room.depth - 0.4) / 1.7
    aligned = align_depth(posed, SIZE, lambda i: stored[i])
    assert not aligned.is_aligned[3] and "0 sparse points" in aligned.reasons[3]
    assert np.isnan(aligned.depth[3]).all()


def test_points_whose_views_are_not_known_align_depth_too(room) -> None:
    posed = replace(scene(room, "depth"), observations=np.zeros((0, 2), np.int32))
    stored = (room.depth - 0.4) / 1.7
    aligned = align_depth(posed, SIZE, lambda i: stored[i])
    assert aligned.is_aligned.all() and np.median(relative_error(aligned.depth, room)) < 0.02


def test_depth_that_runs_backwards_is_refused_with_a_reason(room) -> None:
    aligned = align_depth(scene(room, "depth"), SIZE, lambda i: 9 - room.depth[i])
    assert not aligned.is_aligned.any() and "nearer" in aligned.reasons[0]


def test_unknown_pixels_stay_unknown(room) -> None:
    stored = room.depth.copy()
    stored[:, :20] = np.nan
    aligned = align_depth(scene(room, "depth"), SIZE, lambda i: stored[i])
    assert np.isnan(aligned.depth[:, :20]).all() and np.isfinite(aligned.depth[:, 20:]).all()


def test_blurred_edges_come_back_and_nothing_leaves_the_range_of_its_surroundings() -> None:
    from scipy import ndimage

    edge = np.full((40, 60), 3.0, np.float32)
    edge[:, 28:32] = 1.5
    blurred = (1 / ndimage.gaussian_filter(1 / edge, 1.5)).astype(np.float32)
    sharp = sharpened(blurred, 1.5)
    assert np.abs(sharp - edge).mean() < 0.6 * np.abs(blurred - edge).mean()
    assert sharp.min() >= blurred.min() - 1e-5 and sharp.max() <= blurred.max() + 1e-5
    assert (sharpened(blurred, 0.0) == blurred).all()
    blurred[5, 5] = np.nan
    assert np.isnan(sharpened(blurred, 1.5)).sum() == 1
