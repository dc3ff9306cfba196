"""The network that blends views: begins by rule, equals its fast kernel, learns, and its shipped weights are of use."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from recon.dn2n.blend_network import BlendNetwork, CandidateTensors
from recon.dn2n.training.cases import make_training_case, neighbouring_patch, random_patch
from recon.dn2n.training.evaluate import FIRST_SEED, alone, blending, make_case, psnr, warp_error
from recon.dn2n.training.train import CurvePoint, TrainingSettings, difference, save, train
from render.view_candidates import Candidates, blended
from render.view_network import blend, read_parameters, shipped_parameters
from render.view_network_layout import layer_sizes
from render.view_sources import NUM_SOURCES

CARD = Path(__file__).parents[3] / "resources" / "dn2n" / "blend.json"


def random_candidates(num_pixels: int, num_sources: int, seed: int = 0) -> Candidates:
    generator = np.random.default_rng(seed)
    pairs = (num_pixels, num_sources)

    def colors() -> np.ndarray:
        return generator.random((*pairs, 3), np.float32)

    def normal(spread: float) -> np.ndarray:
        return generator.normal(0, spread, pairs).astype(np.float32)

    return Candidates(
        colors(), colors(), colors(), colors(), colors(), colors(), normal(0.03), generator.random(pairs, np.float32),
        normal(1), generator.random(pairs) < 0.8, normal(3),
    )  # fmt: skip


def random_network(width: int, seed: int = 0) -> BlendNetwork:
    torch.manual_seed(seed)
    network = BlendNetwork(width)
    with torch.no_grad():
        for value in network.parameters():
            value.add_(0.2 * torch.randn_like(value))
    return network


def unedited(candidates: Candidates) -> Candidates:
    """The same, whose pictures are the originals."""
    c = candidates
    return replace(c, originals=c.colors, coarse_originals=c.coarse_colors, wide_originals=c.wide_colors)


def test_where_nothing_is_edited_or_all_agree_on_the_edit_every_network_blends_by_rule() -> None:
    candidates, parameters = unedited(random_candidates(100, 6)), random_network(8).flat()
    np.testing.assert_allclose(blend(candidates, parameters), blended(candidates), atol=1e-6)
    shift = np.float32([0.1, -0.2, 0.05])  # the same edit of every blurred colour
    brighter = replace(
        candidates, coarse_colors=candidates.coarse_colors + shift, wide_colors=candidates.wide_colors + shift
    )
    np.testing.assert_allclose(blend(brighter, parameters), blended(candidates), atol=1e-5)
    assert np.abs(blend(random_candidates(100, 6), parameters) - blended(candidates)).mean() > 0.01


def test_sources_that_the_rule_goes_without_count_only_where_edits_differ() -> None:
    many, parameters = random_candidates(50, NUM_SOURCES + 3), random_network(8).flat()

    def few(candidates: Candidates) -> Candidates:
        return Candidates(
            *(np.ascontiguousarray(array[:, :NUM_SOURCES]) for array in vars(candidates).values())
        )

    plain = replace(unedited(many), is_inside=np.ones((50, NUM_SOURCES + 3), np.bool_))
    np.testing.assert_allclose(blend(plain, parameters), blended(few(plain)), atol=1e-4)
    assert np.abs(blend(many, parameters) - blend(few(many), parameters)).mean() > 0.01


def test_a_view_of_another_tone_takes_on_that_of_the_others() -> None:
    """One of six views, and the nearest one, is off by the same colour everywhere: half of it goes at the least."""
    generator = np.random.default_rng(0)
    before = generator.random((50, 1, 3), np.float32)
    original = np.broadcast_to(before, (50, 6, 3)) * np.float32(0.5) + np.float32(0.2)
    edit = np.float32([[0.1, 0, 0]] * 5 + [[0.1, 0.15, -0.1]])
    prior = np.zeros((50, 6), np.float32)
    prior[:, 5] = 4
    known = replace(
        random_candidates(50, 6), colors=original + edit, originals=original, coarse_colors=original + edit,
        coarse_originals=original, wide_colors=original + edit, wide_originals=original, prior=prior,
        disagreement=np.zeros((50, 6), np.float32), scale=np.zeros((50, 6), np.float32),
        angle=np.full((50, 6), 0.1, np.float32), is_inside=np.ones((50, 6), np.bool_),
    )  # fmt: skip
    wanted = original[:, 0] + edit[0]
    off = {
        "rule": np.abs(blended(known) - wanted).mean(),
        "network": np.abs(blend(known, shipped_parameters()) - wanted).mean(),
    }
    assert off["rule"] > 0.06 and off["network"] < 0.5 * off["rule"]


@pytest.mark.parametrize(
    ("width", "num_pixels", "num_sources"), [(16, 37, 11), (8, 50, 3), (24, 16, 1), (8, 1, 5)]
)
def test_the_kernel_gives_what_the_readable_network_gives(
    width: int, num_pixels: int, num_sources: int
) -> None:
    network, candidates = random_network(width), random_candidates(num_pixels, num_sources)
    with torch.no_grad():
        wanted = network(CandidateTensors.of(candidates)).numpy()
    found = blend(candidates, network.flat())
    np.testing.assert_allclose(found, wanted, atol=2e-5)
    assert num_sources == 1 or np.abs(found - blended(candidates)).mean() > 0.01


def test_pixels_that_no_source_sees_get_a_colour_all_the_same() -> None:
    unseen = replace(random_candidates(20, 4), is_inside=np.zeros((20, 4), np.bool_))
    network = random_network(8)
    with torch.no_grad():
        wanted = network(CandidateTensors.of(unseen)).numpy()
    found = blend(unseen, network.flat())
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_colours_do_not_depend_on_the_order_of_the_sources() -> None:
    candidates, parameters = random_candidates(40, 5), random_network(8).flat()
    order = np.array([3, 0, 4, 1, 2])
    turned = Candidates(*(np.ascontiguousarray(array[:, order]) for array in vars(candidates).values()))
    np.testing.assert_allclose(blend(turned, parameters), blend(candidates, parameters), atol=1e-5)


def test_parameters_survive_being_flat() -> None:
    network = random_network(8)
    flat = network.flat()
    assert len(flat) == layer_sizes(flat).count
    again = BlendNetwork(8)
    again.load_flat(flat)
    np.testing.assert_array_equal(again.flat(), flat)


def test_numbers_that_are_no_network_are_refused() -> None:
    flat = BlendNetwork(8).flat()
    for wrong in (flat[:-1], np.zeros_like(flat), np.zeros(0, np.float32)):
        with pytest.raises(ValueError, match="no blending network"):
            blend(random_candidates(4, 2), wrong)
    with pytest.raises(ValueError, match="wide"):
        BlendNetwork(12).load_flat(flat)


def test_a_few_steps_lower_the_loss_of_a_patch_of_perturbed_views() -> None:
    case = make_training_case(3, 1.0, "perturbed", ((48, 36),))
    patch = random_patch(case, case.fields[:1], (40, 30), np.random.default_rng(0))
    candidates, truth = CandidateTensors.of(patch.candidates[0]), torch.from_numpy(patch.truth)
    torch.manual_seed(0)
    network = BlendNetwork(8)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(40):
        loss = difference(network(candidates), truth, patch.shape)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert losses[-1] < 0.9 * losses[0]


def test_neighbouring_patches_show_the_same_places() -> None:
    case = make_training_case(3, 1.0, "clean", ((64, 48),))
    generator = np.random.default_rng(0)
    patch = random_patch(case, case.fields[:1], (32, 24), generator)
    other, seen = neighbouring_patch(case, case.fields[:1], patch, generator)
    assert other.view != patch.view and len(seen) > 50
    points = case.scene.points.reshape(len(case.clean), -1, 3)
    away = points[patch.view, patch.pixels[seen]] - points[other.view, other.pixels]
    depth = case.scene.depth[other.view].ravel()[other.pixels]
    assert np.median(np.linalg.norm(away, axis=1) / depth) < 0.02  # a pixel is 1/48 to 1/83 of the depth wide


def test_training_repeats_by_its_seed_and_keeps_a_card_and_a_curve(tmp_path: Path) -> None:
    settings = TrainingSettings(
        width=8, steps=6, seed=3, sizes=((48, 36),), patch=(24, 16), at_once=1, report=3
    )
    points: list[CurvePoint] = []
    for point, network in train(settings):  # noqa: B007 (the last is used)
        points.append(point)
    *_, (again, same) = train(settings)
    assert [point.step for point in points] == [3, 6]
    assert again.loss == points[-1].loss
    np.testing.assert_array_equal(same.flat(), network.flat())
    assert (network.flat() != BlendNetwork(8).flat()).any()
    save(tmp_path, "tiny", network, settings, points, "train --width 8")
    np.testing.assert_array_equal(read_parameters(tmp_path / "tiny.safetensors"), network.flat())
    assert json.loads((tmp_path / "tiny.json").read_text())["command"] == "train --width 8"
    assert len((tmp_path / "tiny_curve.csv").read_text().splitlines()) == 1 + len(points)


def test_the_shipped_network_is_that_of_its_card() -> None:
    card = json.loads(CARD.read_text())
    parameters = shipped_parameters()
    assert len(parameters) == card["parameters"] == layer_sizes(parameters).count
    assert layer_sizes(parameters).width == card["width"]
    assert CARD.with_suffix(".safetensors").stat().st_size < 200_000
    assert "recon.dn2n.training.train" in card["command"]
    assert not parameters.flags.writeable


def test_the_shipped_network_makes_more_of_perturbed_views_than_the_rule() -> None:
    case = make_case(FIRST_SEED + 42, "color", (64, 48))
    found = {}
    for name, network in (("rule", None), ("network", shipped_parameters())):
        pictures = {view: blending(network)(case, view) for view in case.held_out}
        fidelity = np.mean([psnr(picture, case.clean[view]) for view, picture in pictures.items()])
        found[name] = fidelity, warp_error(pictures, case.scene)
    assert found["network"][0] > found["rule"][0] + 0.8
    assert found["network"][1] < 0.95 * found["rule"][1]
    separately = warp_error({view: alone(case, view) for view in case.held_out}, case.scene)
    assert found["network"][1] < 0.4 * separately
