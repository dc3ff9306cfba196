"""Values of Gaussians by name, their histograms, and selecting by a range (T61)."""

from __future__ import annotations

import colorsys
from dataclasses import replace

import numpy as np
import pytest

from recon.gaussian_selection import combined
from recon.gaussian_values import (
    VALUE_NAMES,
    base_colors,
    distances_from,
    histogram,
    in_range,
    middle,
    value_names,
    values_of,
)
from render.gaussians import GaussianCloud, GaussianMarks
from render.spherical_harmonics import SH_C0
from tests.render.test_gaussians import make_cloud


def graded_cloud(count: int = 100) -> GaussianCloud:
    """Opacity 0.005, 0.015, … 0.995; x 0, 1, …; sizes doubling every ten."""
    step = np.arange(count)
    opacity = (step + 0.5) / count
    zeros = np.zeros((count, 2))
    sizes = np.log(0.001) + np.log(2) * (step // 10)
    return GaussianCloud(
        np.column_stack([step, zeros]),  # type: ignore[arg-type]
        np.tile([1.0, 0, 0, 0], (count, 1)),  # type: ignore[arg-type]
        np.column_stack([sizes, sizes, sizes - 1]),  # type: ignore[arg-type]
        np.log(opacity / (1 - opacity)),  # type: ignore[arg-type]
        np.zeros((count, 1, 3), np.float32),
        {"part": step % 3, "pair": np.zeros((count, 2))},
    )


def test_a_range_of_a_histogram_selects_exactly_what_it_counts() -> None:
    cloud = graded_cloud()
    marks = GaussianMarks.none(100)
    opacity = values_of(cloud, "opacity")
    counted = histogram(opacity, marks.is_drawn, marks.selected, num_bins=10)
    assert counted.counts.tolist() == [10] * 10
    low, high = counted.edges[2] + 1e-6, counted.edges[5] - 1e-6
    chosen = combined(marks, in_range(opacity, low, high), "set")
    assert chosen.selected.sum() == counted.counts[2:5].sum() == 30
    again = histogram(opacity, chosen.is_drawn, chosen.selected, num_bins=10)
    assert again.selected.tolist() == [0, 0, 10, 10, 10, 0, 0, 0, 0, 0]


def test_a_histogram_leaves_out_what_is_hidden_or_deleted() -> None:
    cloud = graded_cloud()
    marks = replace(GaussianMarks.none(100), hidden=np.arange(100) < 25, deleted=np.arange(100) >= 75)
    counted = histogram(values_of(cloud, "x"), marks.is_drawn, marks.selected, num_bins=5)
    assert counted.counts.sum() == 50
    assert (counted.edges[0], counted.edges[-1]) == (25, 74)


def test_sizes_are_counted_in_steps_of_equal_ratio() -> None:
    cloud = graded_cloud()
    everything = np.ones(100, bool)
    sizes = values_of(cloud, "scale_max")
    counted = histogram(sizes, everything, ~everything, num_bins=10, is_logarithmic=True)
    assert counted.counts.tolist() == [10] * 10
    assert np.allclose(counted.edges[[0, -1]], [0.001, 0.001 * 2**9], rtol=1e-5)
    with_nothing = np.concatenate([[0.0, -1.0], sizes]).astype(np.float32)
    everything = np.ones(102, bool)
    counted = histogram(with_nothing, everything, ~everything, num_bins=10, is_logarithmic=True)
    assert counted.counts.tolist() == [12] + [10] * 9


@pytest.mark.parametrize("name", VALUE_NAMES)
def test_every_value_has_a_number_for_each_gaussian_and_a_histogram_that_counts_all(name: str) -> None:
    cloud = make_cloud(500)
    column = values_of(cloud, name)
    assert column.shape == (500,) and column.dtype == np.float32
    everything = np.ones(500, bool)
    counted = histogram(column, everything, everything, is_logarithmic=VALUE_NAMES[name].is_logarithmic)
    assert counted.counts.sum() == counted.selected.sum() == 500
    assert (np.diff(counted.edges) > 0).all()
    assert in_range(column, column.min(), column.max()).all()
    assert values_of(cloud.subset(~everything), name).shape == (0,)


def test_geometry_has_the_values_of_its_formulas() -> None:
    cloud = make_cloud(50)
    scales = cloud.scales.astype(np.float64)
    assert np.allclose(values_of(cloud, "scale_max"), scales.max(1), rtol=1e-5)
    assert np.allclose(values_of(cloud, "scale_min"), scales.min(1), rtol=1e-5)
    assert np.allclose(values_of(cloud, "volume"), 4 / 3 * np.pi * scales.prod(1), rtol=1e-4)
    assert np.allclose(values_of(cloud, "anisotropy"), scales.max(1) / scales.min(1), rtol=1e-4)
    assert (middle(cloud.log_scales) == np.median(cloud.log_scales, axis=1)).all()
    center = cloud.means.mean(0)
    assert np.allclose(values_of(cloud, "distance"), np.linalg.norm(cloud.means - center, axis=1), rtol=1e-4)
    assert distances_from(cloud, cloud.means[7])[7] == 0


def test_colours_have_the_values_of_the_standard_library() -> None:
    rng = np.random.default_rng(0)
    colors = np.vstack(
        [rng.random((60, 3)), np.eye(3), 1 - np.eye(3), np.zeros(3), np.ones(3), [[0.5, 0.5, 0.5]]]
    )
    cloud = colored_cloud(colors)
    assert np.allclose(base_colors(cloud), colors, atol=1e-6)
    hue, saturation, _ = np.array([colorsys.rgb_to_hsv(*color) for color in colors]).T
    turned = np.abs(values_of(cloud, "hue") - 360 * hue)
    assert np.minimum(turned, 360 - turned)[saturation > 0.01].max() < 0.01
    assert np.allclose(values_of(cloud, "saturation"), saturation, atol=1e-4)
    assert np.allclose(values_of(cloud, "luminance"), colors @ [0.2126, 0.7152, 0.0722], atol=1e-5)
    assert values_of(cloud, "red").tolist() == base_colors(cloud)[:, 0].tolist()


def colored_cloud(colors: np.ndarray) -> GaussianCloud:
    """One Gaussian of each colour (N, 3) in a row."""
    cloud = make_cloud(len(colors), degree=0)
    return replace(cloud, sh=((colors - 0.5) / SH_C0)[:, None, :])


def test_a_range_of_hues_may_go_round_through_red() -> None:
    hues = np.array([0, 10, 90, 200, 340, 359], np.float32)
    assert in_range(hues, 330, 20).tolist() == [True, True, False, False, True, True]
    assert in_range(hues, 20, 330).tolist() == [False, False, True, True, False, False]


def test_extra_columns_of_one_number_are_values_too() -> None:
    cloud = graded_cloud()
    names = value_names(cloud)
    assert names["extra.part"].title == "part" and "extra.pair" not in names
    assert in_range(values_of(cloud, "extra.part"), 1, 1).sum() == 33
    with pytest.raises(KeyError):
        values_of(cloud, "extra.nothing")


def test_a_histogram_of_nothing_or_of_one_value_is_still_one() -> None:
    nothing = np.zeros(0, bool)
    empty = histogram(np.zeros(0, np.float32), nothing, nothing, num_bins=4)
    assert empty.counts.tolist() == [0] * 4 and len(empty.edges) == 5
    same = histogram(np.full(3, 2.0, np.float32), np.ones(3, bool), np.zeros(3, bool), num_bins=4)
    assert same.counts.sum() == 3 and same.edges[0] < 2 < same.edges[-1]
