"""Cleaning Gaussian clouds: floaters planted and found, crops, small pieces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree

from recon import formats
from recon.gaussian_cleaning import (
    FloaterLimits,
    fainter_than,
    floaters,
    giants,
    isolated,
    outside_box,
    outside_sphere,
    small_pieces,
)
from recon.gaussian_edits import merged
from recon.gaussian_neighbours import neighbour_graph
from render.gaussians import GaussianCloud
from tests.recon.test_gaussian_finding import lattice
from tests.render.test_gaussians import make_cloud

NONE = FloaterLimits(None, None, None)


def surfaces(count: int, seed: int) -> GaussianCloud:
    """A ball on a floor: flat Gaussians that lie along the surfaces and overlap, as trained ones do."""
    rng = np.random.default_rng(seed)
    normals = rng.standard_normal((count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    on_floor = rng.random(count) < 0.5
    spots = np.column_stack([rng.uniform(-2, 2, (count, 2)), np.full(count, -1.0)])
    means = np.where(on_floor[:, None], spots, normals) + rng.normal(0, 0.003, (count, 3))
    spacing = np.sqrt(28 / count)
    scales = np.log(spacing) + rng.normal(0, 0.4, (count, 3)) - [0, 0, 1.5]
    opacities = rng.normal(2, 1, count)
    return GaussianCloud(means, rng.standard_normal((count, 4)), scales, opacities, np.zeros((count, 1, 3)))  # type: ignore[arg-type]


def with_floaters(cloud: GaussianCloud, count: int, seed: int) -> tuple[GaussianCloud, np.ndarray]:
    """The cloud and `count` Gaussians in the free space about it, of all sizes; and which they are."""
    rng = np.random.default_rng(1000 + seed)
    low, high = cloud.bounds
    spots = rng.uniform(low - 0.3 * (high - low), high + 0.3 * (high - low), (20 * count, 3))
    tree = cKDTree(cloud.means)
    spacing = np.median(tree.query(cloud.means, 2)[0][:, 1])
    spots = spots[tree.query(spots)[0] > 8 * spacing][:count]
    scales = (
        np.median(cloud.log_scales.max(1)) + rng.normal(0, 0.7, (count, 1)) + rng.normal(0, 0.3, (count, 3))
    )
    coefficients = np.zeros((count, cloud.sh.shape[1], 3))
    stray = GaussianCloud(
        spots,
        rng.standard_normal((count, 4)),  # type: ignore[arg-type]
        scales,
        rng.normal(-1, 1.5, count),  # type: ignore[arg-type]
        coefficients,  # type: ignore[arg-type]
        frame=cloud.frame,
    )
    return merged([replace(cloud, extra={}), stray]), np.arange(len(cloud) + count) >= len(cloud)


@pytest.mark.parametrize("seed", range(5))
def test_planted_floaters_are_found_and_little_else(seed: int) -> None:
    cloud, is_stray = with_floaters(surfaces(6000, seed), 150, seed)
    found = floaters(cloud, neighbour_graph(cloud))
    assert found[is_stray].mean() > 0.85
    assert is_stray[found].mean() > 0.95


def test_floaters_about_a_trained_figure_are_found(shared_data: Path) -> None:
    figure = formats.read(shared_data / "splats" / "synth" / "trained.ply").data
    assert isinstance(figure, GaussianCloud)
    cloud, is_stray = with_floaters(figure, 200, 3)
    found = floaters(cloud, neighbour_graph(cloud))
    assert found[is_stray].mean() > 0.85
    assert is_stray[found].mean() > 0.95
    assert floaters(figure, neighbour_graph(figure)).mean() < 0.001


def test_a_sparse_background_of_large_gaussians_does_not_float() -> None:
    rng = np.random.default_rng(0)
    count = 400
    directions = rng.standard_normal((count, 3))
    directions *= 15 / np.linalg.norm(directions, axis=1, keepdims=True)
    gap = 15 * np.sqrt(4 * np.pi / count)
    sky = replace(
        make_cloud(count, 0), means=directions, log_scales=np.full((count, 3), np.log(0.6 * gap)), extra={}
    )
    cloud = merged([surfaces(6000, 0), sky])
    found = isolated(cloud, neighbour_graph(cloud))
    assert found[6000:].mean() < 0.1 and found[:6000].mean() < 0.001


def test_each_criterion_finds_what_it_names_and_none_finds_nothing() -> None:
    cloud = surfaces(2000, 1)
    logits = np.array(cloud.opacity_logits)
    logits[:30] = -6
    scales = np.array(cloud.log_scales)
    scales[30:40] = np.log(4.0)
    means = np.array(cloud.means)
    means[40:45] = [[9, 0, 0], [0, 9, 0], [0, 0, 9], [-9, 0, 0], [0, 0, -9]]
    cloud = replace(cloud, means=means, opacity_logits=logits, log_scales=scales)
    graph = neighbour_graph(cloud)
    faint = floaters(cloud, graph, replace(NONE, min_opacity=0.02))
    huge = floaters(cloud, graph, replace(NONE, max_size=0.3))
    alone = floaters(cloud, graph, replace(NONE, isolation=6.0))
    assert np.flatnonzero(faint).tolist() == list(range(30))
    assert np.flatnonzero(huge).tolist() == list(range(30, 40))
    assert np.flatnonzero(alone).tolist() == list(range(40, 45))
    assert (floaters(cloud, graph) == (faint | huge | alone)).all()
    assert not floaters(cloud, graph, NONE).any()


def test_a_stricter_limit_finds_more() -> None:
    cloud, _ = with_floaters(surfaces(3000, 2), 100, 2)
    graph = neighbour_graph(cloud)
    found = [isolated(cloud, graph, isolation) for isolation in (3, 6, 12)]
    assert found[0].sum() > found[1].sum() > found[2].sum() > 0
    assert not (found[2] & ~found[1]).any() and not (found[1] & ~found[0]).any()


def test_a_threshold_of_opacity_takes_what_is_below_it() -> None:
    opacity = (np.arange(100) + 0.5) / 100
    cloud = replace(make_cloud(100), opacity_logits=np.log(opacity / (1 - opacity)))
    assert np.flatnonzero(fainter_than(cloud, 0.3)).tolist() == list(range(30))
    assert not fainter_than(cloud, 0.0).any()


def test_a_giant_is_measured_by_the_cloud_without_its_outliers() -> None:
    cloud = surfaces(2000, 3)
    means, scales = np.array(cloud.means), np.array(cloud.log_scales)
    means[0] = [1e4, 0, 0]  # one outlier far away must not make the giant small
    scales[1] = np.log(5.0)
    found = giants(replace(cloud, means=means, log_scales=scales), 0.3)
    assert np.flatnonzero(found).tolist() == [1]


def test_crops_find_what_lies_outside() -> None:
    cloud = lattice(5, 5, 5)
    world_from_box = np.diag([1.5, 1.5, 1.5, 1.0])
    world_from_box[:3, 3] = 2
    assert outside_box(cloud, world_from_box).sum() == 125 - 27
    assert outside_sphere(cloud, (2, 2, 2), 1.1).sum() == 125 - 7


def test_small_pieces_are_all_but_the_largest() -> None:
    sizes = [4, 3, 2]
    blocks = [lattice(n, n, n, 0.1, 0.05) for n in sizes]
    moved = [replace(block, means=block.means + np.float32(5 * i)) for i, block in enumerate(blocks)]
    cloud = merged(moved)
    graph = neighbour_graph(cloud)
    assert small_pieces(cloud, graph).sum() == 27 + 8
    assert small_pieces(cloud, graph, keep_largest=2).sum() == 8
    assert not small_pieces(cloud, graph, keep_largest=3).any()


def test_an_empty_cloud_has_nothing_to_clean() -> None:
    cloud = make_cloud(0)
    graph = neighbour_graph(cloud)
    assert floaters(cloud, graph).shape == small_pieces(cloud, graph).shape == (0,)
