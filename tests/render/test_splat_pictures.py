"""Pictures, weights and who is seen, without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from render.gaussians import GaussianCloud
from render.splat_pictures import (
    colors_from,
    splat_channels,
    splat_depth,
    splat_picture,
    splat_picture_with_alpha,
)
from render.splat_weights import (
    contribution_weights,
    largest_weights,
    median_gaussian,
    splat_median_depth,
    top_gaussian,
    visible_gaussians,
)


def make_camera(width: int, height: int) -> dict[str, Any]:
    pose = np.eye(4)
    pose[2, 3] = 4
    return {
        "cam_from_world": pose,
        "focal": (1.1 * width, 1.2 * width),
        "center": (width * 0.53, height * 0.46),
        "size": (width, height),
    }


def make_cloud(count: int, seed: int = 0, degree: int = 2) -> GaussianCloud:
    rng = np.random.default_rng(seed)
    return GaussianCloud(
        rng.uniform(-1.2, 1.2, (count, 3)).astype(np.float32),
        rng.standard_normal((count, 4)).astype(np.float32),
        rng.uniform(-4, -1.5, (count, 3)).astype(np.float32),
        rng.normal(0.5, 2, count).astype(np.float32),
        (0.4 * rng.standard_normal((count, (degree + 1) ** 2, 3))).astype(np.float32),
    )


def two_walls() -> GaussianCloud:
    """Row 0: a wall a unit before the middle, almost opaque, red. Row 1: another behind it, green."""
    flat = np.log(np.array([[3, 3, 1e-4], [3, 3, 1e-4]], np.float32))
    sh = np.array([[[1.7, -1.7, -1.7]], [[-1.7, 1.7, -1.7]]], np.float32)
    turns = np.tile(np.array([1, 0, 0, 0], np.float32), (2, 1))
    means = np.array([[0, 0, -1], [0, 0, 1]], np.float32)
    return GaussianCloud(means, turns, flat, np.array([4, 4], np.float32), sh)


CAMERA = make_camera(53, 38)


def test_pictures_are_the_weights_times_what_gaussians_carry() -> None:
    cloud = make_cloud(400)
    weights = contribution_weights(cloud, **CAMERA)
    assert weights.shape == (38 * 53, 400)
    values = np.random.default_rng(1).standard_normal((400, 5)).astype(np.float32)
    channels, alpha = splat_channels(cloud, values, **CAMERA)
    assert np.allclose(weights @ values, channels.reshape(-1, 5), atol=1e-5)
    assert np.allclose(weights.sum(1).A1, alpha.reshape(-1), atol=1e-5)
    seen = weights @ colors_from(cloud, CAMERA["cam_from_world"])
    picture = splat_picture(cloud, **CAMERA, background=(0.2, 0.4, 0.6))
    composed = seen + (1 - alpha.reshape(-1, 1)) * np.array([0.2, 0.4, 0.6])
    assert np.allclose(composed.clip(0, 1), picture.reshape(-1, 3), atol=1e-5)
    depth, same_alpha = splat_depth(cloud, **CAMERA)
    distances = cloud.means[:, 2] + 4
    covered = alpha > 0.01
    assert np.allclose((weights @ distances).reshape(38, 53)[covered], (depth * alpha)[covered], atol=2e-5)
    assert np.array_equal(alpha, same_alpha) and not depth[alpha == 0].any()


def test_weights_of_a_pixel_stand_nearest_first_and_once_each() -> None:
    cloud = make_cloud(400)
    weights = contribution_weights(cloud, **CAMERA)
    distances = cloud.means[:, 2].astype(np.float64)
    for pixel in range(0, weights.shape[0], 37):
        row = weights.indices[weights.indptr[pixel] : weights.indptr[pixel + 1]]
        assert (np.diff(distances[row]) >= 0).all()
        assert len(np.unique(row)) == len(row)
    assert (weights.data > 0).all()
    sorted_weights = weights.copy()
    sorted_weights.sort_indices()
    assert (abs(sorted_weights - weights)).max() == 0


def test_the_largest_weights_say_who_is_seen_and_who_counts_most() -> None:
    cloud = make_cloud(400, seed=3)
    weights = contribution_weights(cloud, **CAMERA).toarray()
    assert np.allclose(largest_weights(cloud, **CAMERA), weights.max(0), atol=1e-7)
    seen = visible_gaussians(cloud, **CAMERA, min_weight=0.2)
    assert 0 < seen.sum() < 400
    assert np.array_equal(seen, weights.max(0) >= 0.2)
    top = top_gaussian(cloud, **CAMERA, min_weight=0.1).reshape(-1)
    expected = np.where(weights.max(1) > 0.1, weights.argmax(1), -1)
    assert np.array_equal(top, expected)


def test_what_a_wall_hides_is_not_seen() -> None:
    cloud = two_walls()
    assert visible_gaussians(cloud, **CAMERA, min_weight=0.5).tolist() == [True, False]
    assert visible_gaussians(cloud, **CAMERA, min_weight=0.001).tolist() == [True, True]
    assert (top_gaussian(cloud, **CAMERA) == 0).all()
    assert (median_gaussian(cloud, **CAMERA) == 0).all()
    assert np.allclose(splat_median_depth(cloud, **CAMERA), 3)
    turned = CAMERA | {"cam_from_world": np.diag([-1.0, 1, -1, 1]) + 4 * np.eye(4)[2][:, None] * np.eye(4)[3]}
    assert visible_gaussians(cloud, **turned, min_weight=0.5).tolist() == [False, True]
    red, green = splat_picture(cloud, **CAMERA)[19, 26], splat_picture(cloud, **turned)[19, 26]
    assert red[0] > 0.9 and red[1] < 0.1 and green[1] > 0.9 and green[0] < 0.1


def test_the_median_lies_where_half_of_the_light_is_gone() -> None:
    cloud = make_cloud(400, seed=4)
    weights = contribution_weights(cloud, **CAMERA)
    chosen = median_gaussian(cloud, **CAMERA).reshape(-1)
    for pixel in range(0, len(chosen), 11):
        span = slice(weights.indptr[pixel], weights.indptr[pixel + 1])
        sums = np.cumsum(weights.data[span].astype(np.float64))
        if len(sums) == 0 or sums[-1] < 0.5 - 1e-5:
            assert chosen[pixel] == -1
        elif abs(sums - 0.5).min() > 1e-5:
            assert chosen[pixel] == weights.indices[span][np.argmax(sums >= 0.5)]
    depth = splat_median_depth(cloud, **CAMERA).reshape(-1)
    assert np.allclose(depth[chosen >= 0], cloud.means[chosen[chosen >= 0], 2] + 4, atol=1e-5)
    assert not depth[chosen < 0].any()


def test_alpha_is_what_the_background_does_not_show_through() -> None:
    cloud = make_cloud(60, seed=5)
    with_alpha = splat_picture_with_alpha(cloud, **CAMERA)
    white = splat_picture(cloud, **CAMERA, background=(1, 1, 1))
    assert with_alpha.shape == (38, 53, 4)
    assert np.allclose((with_alpha[..., :3] + 1 - with_alpha[..., 3:]).clip(0, 1), white, atol=1e-5)


def test_a_cloud_trained_with_the_2d_filter_is_drawn_with_it() -> None:
    small = replace(make_cloud(200, seed=6), log_scales=np.full((200, 3), -6, np.float32))
    plain = splat_depth(small, **CAMERA)[1]
    filtered = splat_depth(replace(small, is_antialiased=True), **CAMERA)[1]
    assert np.array_equal(filtered, splat_depth(small, **CAMERA, is_antialiased=True)[1])
    assert filtered.sum() < 0.2 * plain.sum()


@pytest.mark.parametrize("count", [0, 1])
def test_empty_and_single_clouds_are_drawn(count: int) -> None:
    cloud = make_cloud(count)
    assert splat_picture(cloud, **CAMERA, background=(0.25, 0.5, 1)).shape == (38, 53, 3)
    weights = contribution_weights(cloud, **CAMERA)
    assert weights.shape == (38 * 53, count)
    assert visible_gaussians(cloud, **CAMERA).shape == (count,)
    assert (top_gaussian(cloud, **CAMERA) >= 0).any() == bool(count)


def test_drawing_imports_neither_torch_nor_qt() -> None:
    code = (
        "import sys, json, numpy as np\n"
        "from render import splat_pictures, splat_weights\n"
        "print(json.dumps([name for name in ('torch', 'PySide6') if name in sys.modules]))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == []
