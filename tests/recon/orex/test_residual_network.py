"""The faithful OReX network: each of its parts is there, can be switched off, and does what the paper claims."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from recon.method import Progress, RunContext, StopRequested
from recon.orex import refinement_levels
from recon.orex.contours2d import PlaneContours
from recon.orex.refinement_levels import LEVELS, sample_window
from recon.orex.residual_network import (
    ResidualField,
    ResidualNetwork,
    ResidualSettings,
    cross_entropies,
    encode_iteration,
    fit,
    gradient_hinge,
    logit_gradients,
)
from tests.synthetic import SPHERE, slices_of

# One epoch a level.
QUICK = ResidualSettings(schedule=0.001, iterations=3, width=24, depth=2, batch_size=2048, num_frequencies=3)


@pytest.fixture(autouse=True)
def _few_samples_away_from_contours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The paper's 16 384 points on the hull and 2 048 a plane are most of a small test's time."""
    monkeypatch.setattr(refinement_levels, "_HULL", 1024)
    monkeypatch.setattr(refinement_levels, "_NOISE", 512)


@pytest.fixture(scope="module")
def contours() -> list[PlaneContours]:
    return [PlaneContours.of_plane(plane) for plane in slices_of(SPHERE, 5, resolution=32).planes()]


def finish(training: Generator[Progress, None, ResidualField]) -> tuple[ResidualField, list[Progress]]:
    reports = []
    while True:
        try:
            reports.append(next(training))
        except StopIteration as stop:
            return stop.value, reports


def points_in_box(count: int = 200) -> torch.Tensor:
    return torch.rand(count, 3, generator=torch.Generator().manual_seed(2)) * 2 - 1


def unit_directions(count: int = 1000) -> NDArray[np.float64]:
    directions = np.random.default_rng(1).normal(size=(count, 3))
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def make(settings: ResidualSettings) -> ResidualNetwork:
    torch.manual_seed(0)
    return ResidualNetwork(settings)


def test_the_network_has_the_published_number_of_parameters() -> None:
    network = ResidualNetwork(ResidualSettings())
    assert sum(parameter.numel() for parameter in network.parameters()) == 31_436


def test_every_iterate_is_the_one_before_plus_a_correction_by_shared_weights() -> None:
    network = make(replace(QUICK, iterations=4))
    points = points_in_box()
    logits = network(points)
    assert logits.shape == (4, len(points))
    shorter = ResidualNetwork(replace(QUICK, iterations=2))
    shorter.load_state_dict(network.state_dict())
    torch.testing.assert_close(shorter(points), logits[:2])
    assert ((logits[1:] - logits[:-1]).abs().mean(1) > 1e-4).all()


def test_the_iteration_s_number_is_told_by_sines_and_cosines() -> None:
    like = torch.zeros(32)
    codes = torch.stack([encode_iteration(i, like) for i in range(10)])
    assert codes[0].tolist() == [0.0] * 16 + [1.0] * 16
    assert codes[3, 0] == pytest.approx(np.sin(3.0))
    assert codes[3, 31] == pytest.approx(np.cos(3.0 * 2**15), abs=1e-6)
    assert torch.cdist(codes, codes).fill_diagonal_(torch.inf).min() > 0.5


@pytest.mark.parametrize("hidden_state", [True, False])
def test_the_hidden_state_carries_over_unless_switched_off(hidden_state: bool) -> None:
    network = make(replace(QUICK, hidden_state=hidden_state))
    network(points_in_box())[-1].sum().backward()
    told = network.layers[-1].weight.grad[1:]
    assert bool((told != 0).any()) == hidden_state


@pytest.mark.parametrize("learnable", [True, False])
def test_the_frequencies_train_unless_switched_off(contours: list[PlaneContours], learnable: bool) -> None:
    field, _ = finish(fit(contours, replace(QUICK, learnable_frequencies=learnable), RunContext()))
    moved = (field.network.sine_frequencies.detach() - torch.tensor([1.0, 2.0, 4.0])).abs().max()
    assert bool(moved > 1e-4) == learnable


def test_the_schedule_scales_and_every_level_is_trained() -> None:
    assert ResidualSettings(schedule=1).epochs == (50, 50, 100, 100, 150, 200)
    assert ResidualSettings(schedule=0.1).epochs == (5, 5, 10, 10, 15, 20)
    assert ResidualSettings(schedule=1e-6).epochs == (1,) * len(LEVELS)


def test_levels_are_trained_coarse_to_fine(contours: list[PlaneContours]) -> None:
    _, reports = finish(fit(contours, QUICK, RunContext()))
    stages = list(dict.fromkeys(report.stage for report in reports))
    assert stages == sorted(stages) and stages[-1] == "OReX level 6"
    assert reports[-1].step == reports[-1].total == 600
    steps = [report.step for report in reports]
    assert steps == sorted(steps)


def test_flat_sampling_trains_on_the_finest_window_at_once(contours: list[PlaneContours]) -> None:
    asked: list[int] = []

    def watch(planes: list[PlaneContours], level: int, seed: int) -> object:
        asked.append(level)
        return sample_window(planes, level, seed)

    for hierarchical in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("recon.orex.residual_network.sample_window", watch)
            finish(fit(contours, replace(QUICK, hierarchical_sampling=hierarchical), RunContext()))
    assert asked == [0, 1, 2, 3, 4, 5] + [5] * 6


@pytest.mark.slow
def test_a_sphere_comes_back_and_the_iterations_sharpen_it(contours: list[PlaneContours]) -> None:
    settings = ResidualSettings(schedule=0.03, iterations=4, width=32, depth=4, batch_size=1024)
    field, _ = finish(fit(contours, settings, RunContext(seed=3)))
    # The paper's hull samples cut off the caps beyond the first and last plane.
    directions = unit_directions()
    directions = directions[np.abs(directions @ contours[0].normal) < 0.6]
    assert (field(0.6 * directions) < 0).mean() > 0.97
    assert (field(0.8 * directions) > 0).mean() > 0.97
    assert np.abs(field(0.7 * directions)).mean() < 0.04
    samples = sample_window(contours, 5, seed=9)
    with torch.no_grad():
        logits = field.network(torch.tensor(samples.points, dtype=torch.float32))
    errors = cross_entropies(logits, torch.tensor(samples.labels, dtype=torch.float32)).tolist()
    assert errors[-1] < 0.9 * errors[0]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.slow
def test_the_hinge_removes_ripples(contours: list[PlaneContours]) -> None:
    """A ripple is a gradient that leaves the surface's normal; a logit that need not be steep has fewer."""
    free = ResidualSettings(schedule=0.02, iterations=2, width=32, depth=4, batch_size=1024, hinge_weight=0)
    held = replace(free, hinge_weight=1e-2, hinge_limit=20.0)
    on_surface = torch.tensor(0.7 * unit_directions(), dtype=torch.float32)
    spreads, steepest = [], []
    for settings in (free, held):
        field, _ = finish(fit(contours, settings, RunContext(seed=3)))
        gradients = logit_gradients(field.network, on_surface)
        lengths = gradients.norm(dim=1)
        steepest.append(float(lengths.quantile(0.95)))
        spreads.append(float(lengths.std() / lengths.mean()))
    assert steepest[1] < 0.7 * steepest[0]
    assert spreads[1] < 0.8 * spreads[0]


def test_the_hinge_is_the_mean_excess_of_the_gradient_and_so_is_its_derivative() -> None:
    network = make(QUICK)
    points = points_in_box(50).requires_grad_()
    lengths = logit_gradients(network, points).norm(dim=1)
    limit = float(lengths.median())
    hinge = gradient_hinge(network, points, network(points)[-1], limit)
    plain = torch.relu(logit_gradients(network, points, create_graph=True).norm(dim=1) - limit).mean()
    assert hinge.item() == pytest.approx(plain.item(), rel=1e-5)
    weights = [layer.weight for layer in network.layers]
    for got, expected in zip(
        torch.autograd.grad(hinge, weights), torch.autograd.grad(plain, weights), strict=True
    ):
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-7)
    assert gradient_hinge(network, points, network(points)[-1], float(lengths.max()) + 1) == 0


def test_a_run_resumed_from_its_checkpoint_ends_exactly_where_an_unbroken_one_does(
    contours: list[PlaneContours],
) -> None:
    saved: list[dict[str, NDArray[np.generic]]] = []
    watched = RunContext(
        is_checkpoint_due=lambda: True, save_checkpoint=lambda arrays: saved.append(dict(arrays))
    )
    whole, _ = finish(fit(contours, QUICK, watched))
    middle = saved[len(saved) // 2]
    assert 0 < middle["position"][0] < 6
    resumed, _ = finish(fit(contours, QUICK, RunContext(load_checkpoint=lambda: middle)))
    probe = points_in_box().numpy().astype(np.float64)
    assert np.array_equal(whole(probe), resumed(probe))


def test_stopping_gives_the_field_so_far(contours: list[PlaneContours]) -> None:
    training = fit(contours, replace(QUICK, schedule=1.0), RunContext())
    next(training)
    with pytest.raises(StopIteration) as stopped:
        training.throw(StopRequested())
    assert stopped.value.value.was_stopped
    assert np.isfinite(stopped.value.value(np.zeros((3, 3)))).all()


def test_the_field_is_about_a_distance_at_the_contours(contours: list[PlaneContours]) -> None:
    field, _ = finish(fit(contours, QUICK, RunContext()))
    samples = sample_window(contours, 5, 0)
    on_contour = torch.tensor(samples.points[samples.labels == 0.5], dtype=torch.float32)
    slopes = logit_gradients(field.network, on_contour).norm(dim=1) / field.slope
    assert 0.8 < float(slopes.median()) < 1.2
