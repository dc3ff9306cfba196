"""Gaussians as texels, their rows, and the order in which they are drawn."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from render.gaussians import GaussianCloud, GaussianMarks
from tests.render.test_gaussians import make_cloud
from widgets.splat_order import (
    Part,
    Question,
    Sorter,
    descending,
    far_to_near,
    reaches_of,
    sample_of,
    threshold_for,
)
from widgets.splat_pace import Pace
from widgets.splat_packing import band_texels, log_range_of, pack_colors, pack_marks, pack_shapes
from widgets.splat_program import ROW
from widgets.splat_shelf import Shelf, pack
from widgets.theme import active_theme
from widgets.viewport_splats_layer import SplatsLayer
from widgets.viewport_style import LayerStyle


def test_sixteen_bits_keep_rotation_size_and_opacity() -> None:
    cloud = make_cloud(500)
    low, high = log_range_of(cloud.log_scales)
    texels = pack_shapes(cloud.quats, cloud.log_scales, cloud.opacity_logits, (low, high))
    parts = np.stack([texels & 0xFFFF, texels >> 16], -1).reshape(len(cloud), 8) / 65535
    unit = cloud.quats / np.linalg.norm(cloud.quats, axis=1, keepdims=True)
    assert np.abs(parts[:, :4] * 2 - 1 - unit).max() < 2e-5
    assert np.abs(low + (high - low) * parts[:, 4:7] - cloud.log_scales).max() < (high - low) / 65535
    assert np.abs(parts[:, 7] - cloud.opacities).max() < 1e-5


@pytest.mark.parametrize("degree", range(5))
def test_the_bands_come_back_to_a_thousandth_of_the_largest(degree: int) -> None:
    cloud = make_cloud(200, degree)
    base, bands = pack_colors(cloud.sh, band_texels(degree))
    assert np.allclose(base[:, :3], 0.5 + 0.28209479 * cloud.sh[:, 0], atol=2e-3)
    count = (degree + 1) ** 2 - 1
    parts = bands[:, :count]
    steps = np.stack([parts & 0x7FF, (parts >> 11) & 0x7FF, parts >> 22], -1).astype(float)
    values = np.stack([steps[..., 0] - 1023, steps[..., 1] - 1023, 2 * (steps[..., 2] - 511)], -1) / 1022
    largest = base[:, 3].astype(float)[:, None, None]
    assert (np.abs(values * largest - cloud.sh[:, 1:]) <= largest * 1.1e-3 + 1e-6).all()


def test_colours_without_bands_or_all_zero_are_no_special_case() -> None:
    base, bands = pack_colors(np.zeros((3, 4, 3), np.float32), band_texels(3))
    assert bands.shape == (3, 16) and np.isfinite(base).all()
    assert pack_colors(np.zeros((0, 1, 3), np.float32), 0).bands.shape == (0, 0)


def test_every_mark_has_its_bit() -> None:
    marks = GaussianMarks(*(np.arange(16) & (1 << bit) > 0 for bit in range(4)))
    assert pack_marks(marks, 16).tolist() == list(range(16))
    assert not pack_marks(None, 4).any()


def test_the_order_is_that_of_a_stable_sort() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0, 1e3, 5000), rng.normal(0, 1e-3, 5000), [0, -0.0, 7, 7, 7]])
    values = values.astype(np.float32)
    assert (values[descending(values)] == np.sort(values)[::-1]).all()
    assert descending(np.array([7, 7, 9, 7], np.float32)).tolist() == [2, 0, 1, 3]


def test_layers_are_sorted_together_and_moved_gaussians_where_they_are_moved_to() -> None:
    a, b = make_cloud(300, seed=1), make_cloud(200, seed=2)
    forward = np.array([0.0, 0.6, 0.8])
    rows = np.arange(0, 200, 3, dtype=np.int32)
    chosen = np.arange(300) % 5 == 0
    shift = np.eye(4)
    shift[:3, 3] = 0, 10, 0
    parts = Part(0, a.means, None, shift, chosen), Part(4 * ROW, b.means, rows)
    ids = far_to_near(Question(parts, forward))
    assert len(ids) == 300 + len(rows) == len(set(ids.tolist()))
    places = {i: a.means[i] + (shift[:3, 3] if chosen[i] else 0) for i in range(300)}
    places.update({4 * ROW + int(i): b.means[i] for i in rows})
    depths = np.array([places[int(i)] @ forward for i in ids])
    assert (np.diff(depths) <= 1e-5).all()
    assert (ids[:50] < 300).all()


def test_a_sample_keeps_the_large_and_stands_for_the_small() -> None:
    rng = np.random.default_rng(3)
    log_scales = np.repeat(rng.choice([-6.0, -2.0], (20_000, 1), p=[0.98, 0.02]), 3, axis=1).astype(
        np.float32
    )
    sample = sample_of(log_scales, np.full(20_000, 4.0, np.float32))
    assert (np.diff(sample.keys) >= 0).all() and len(set(sample.rows.tolist())) == 20_000
    threshold = threshold_for([sample], 2000)
    kept = sample.rows[:2000]
    large = log_scales[:, 0] > -3
    assert large[kept].sum() == large.sum()
    # What a kept small one stands for, one over its chance, adds up to all of them.
    weight = math.exp(-12.0) / (1 + math.exp(-4.0))
    assert (~large[kept]).sum() / (threshold * weight) == pytest.approx((~large).sum(), rel=0.1)
    assert threshold_for([sample, sample], 40_000) == 0.0


def test_the_box_around_holds_every_gaussian() -> None:
    cloud = make_cloud(400)
    plain, grown = reaches_of(cloud.means, cloud.log_scales)
    reach = 3.33 * cloud.scales.max(1, keepdims=True)
    assert (cloud.means - reach >= plain[0]).all() and (cloud.means + reach <= plain[1]).all()
    assert (grown[0] <= plain[0]).all() and (grown[1] >= plain[1]).all()


def test_only_the_newest_question_is_answered(qtbot: QtBot) -> None:
    parent = QObject()
    sorter = Sorter(parent)
    cloud = make_cloud(60_000, 0)
    threads = threading.active_count()
    directions = np.random.default_rng(0).standard_normal((30, 3))
    for number, forward in enumerate(directions):
        sorter.ask(Question((Part(0, cloud.means),), forward, number))
    answered = []

    def last() -> int:
        answer = sorter.take()
        answered.extend([] if answer is None else [answer[0].tag])
        return answered[-1] if answered else -1

    qtbot.waitUntil(lambda: last() == 29, timeout=5000)
    assert len(answered) < 30
    sorter.stop()
    assert threading.active_count() <= threads


def layer_of(cloud: GaussianCloud, style: LayerStyle | None = None) -> SplatsLayer:
    layer = SplatsLayer(active_theme(), 1.0)
    layer.set(cloud, style or LayerStyle(), "shaded")
    return layer


def filled(shelf: Shelf) -> list[str]:
    """Pack everything that is missing; returns which parts that were."""
    parts = []
    while (piece := shelf.next_piece()) is not None:
        place, part, start = piece
        assert pack(place, part, start, shelf.band_stride)
        del place.missing[part, start]
        parts.append(part)
    return parts


def test_what_did_not_change_is_not_packed_again() -> None:
    shelf, cloud = Shelf(), make_cloud(5000)
    layer = layer_of(cloud)
    assert shelf.put({"a": layer})
    assert sorted(filled(shelf)) == ["colors", "marks", "means", "shapes"]
    marks = replace(GaussianMarks.none(5000), selected=np.arange(5000) < 10)
    layer.set(cloud, LayerStyle(marks=marks), "shaded")
    assert not shelf.put({"a": layer}) and filled(shelf) == ["marks"]
    recoloured = replace(cloud, sh=cloud.sh * 0.5)
    layer.set(recoloured, LayerStyle(marks=marks), "shaded")
    assert not shelf.put({"a": layer}) and filled(shelf) == ["colors"]
    layer.set(recoloured, LayerStyle(marks=marks, opacity=0.5, splat_view="rings", sh_degree=1), "shaded")
    assert not shelf.put({"a": layer}) and filled(shelf) == []
    layer.set(recoloured, LayerStyle(marks=marks, splat_coloring="label"), "shaded")
    assert not shelf.put({"a": layer}) and filled(shelf) == ["paint"]


def test_layers_lie_apart_and_a_gap_is_used_again() -> None:
    shelf = Shelf()
    layers = {name: layer_of(make_cloud(count, 0)) for name, count in (("a", 9000), ("b", 3000), ("c", 5000))}
    assert shelf.put(layers)
    rows = sorted((place.row, place.row + place.num_rows) for place in shelf.places.values())
    assert all(before[1] <= after[0] for before, after in pairwise(rows))
    del layers["b"]
    assert not shelf.put(layers)
    layers["d"] = layer_of(make_cloud(2500, 0))
    assert not shelf.put(layers) and shelf.places["d"].row == 5
    layers["e"] = layer_of(make_cloud(9000, 1))
    assert shelf.put(layers) and shelf.band_stride == 1


def test_the_textures_shrink_when_most_of_them_is_free() -> None:
    shelf = Shelf()
    small, large = layer_of(make_cloud(100, 0)), layer_of(make_cloud(50_000, 0))
    shelf.put({"small": small, "large": large})
    assert shelf.put({"small": small}) and shelf.num_rows == 1


def test_the_pace_comes_to_what_the_time_allows_and_stays_there() -> None:
    pace = Pace()
    counts = []
    for _ in range(60):
        counts.append(pace.count)
        seconds = 2e-6 * pace.count / pace.coarseness
        pace.note_moving(pace.count, seconds)
        pace.note_picture(seconds + 0.012)
    assert len(set(counts[-20:])) == 1
    slow = Pace()
    for _ in range(60):
        slow.note_moving(slow.count, 1.0)
        slow.note_picture(1.5)
    assert slow.count == 3000 and slow.coarseness == 5
    few = Pace()
    for _ in range(10):
        few.note_moving(2000, 1e-3, is_all=True)
    assert few.coarseness == 1  # all of few splats are drawn in every pixel
