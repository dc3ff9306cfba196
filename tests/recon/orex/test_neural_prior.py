"""The network learns the distance field that the slices allow, and can be stopped and resumed."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from recon.method import Progress, RunContext, StopRequested
from recon.orex.contours2d import PlaneContours
from recon.orex.fused_network import NetworkShape
from recon.orex.neural_prior import NeuralField, NeuralSettings, fit
from recon.orex.plane_samples import PlaneSamples, sample_planes
from recon.orex.prior_losses import bound_loss, curvature_loss, eikonal_loss, outside_loss, sign_loss
from tests.synthetic import SPHERE, slices_of

Fit = Generator[Progress, None, NeuralField]
QUICK = NeuralSettings(
    steps=120, batch_size=512, spatial_size=256, shape=NetworkShape(width=24, depth=3, num_frequencies=3)
)


def sphere_samples() -> PlaneSamples:
    """A sphere of radius 0.7 cut by seven planes, and the sky around it."""
    contours = [PlaneContours.of_plane(plane) for plane in slices_of(SPHERE, 7).planes()]
    lower, upper = np.full(3, -1.0), np.full(3, 1.0)
    rng = np.random.default_rng(0)
    return sample_planes(contours, lower, upper, 0.04, 0.2, rng, limit=np.inf, hull_offset=0.05)


@pytest.fixture(scope="module")
def samples() -> PlaneSamples:
    return sphere_samples()


def finish(training: Fit) -> tuple[NeuralField, list[Progress]]:
    reports = []
    while True:
        try:
            reports.append(next(training))
        except StopIteration as stop:
            return stop.value, reports


def on_sphere(radius: float, count: int = 400) -> NDArray[np.float64]:
    points = np.random.default_rng(1).normal(size=(count, 3))
    return radius * points / np.linalg.norm(points, axis=1, keepdims=True)


def radial_error(field: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> float:
    """Mean of |f| on the true sphere."""
    return float(np.abs(field(on_sphere(0.7))).mean())


def test_a_sphere_comes_back_from_seven_slices(samples: PlaneSamples) -> None:
    field, reports = finish(fit(samples, replace(QUICK, steps=400), RunContext(seed=1)))
    assert radial_error(field) < 0.012
    assert (field(on_sphere(0.6)) < 0).all()
    assert (field(on_sphere(0.8)) > 0).all()
    assert reports[-1].step == reports[-1].total == 400
    assert set(reports[-1].losses) == {"eikonal", "curvature", "bound", "sign", "contour", "outside"}


def test_the_same_seed_gives_the_same_field_and_another_seed_another(samples: PlaneSamples) -> None:
    probe = on_sphere(0.7)
    quick = replace(QUICK, steps=20)
    first, again, other = (finish(fit(samples, quick, RunContext(seed=seed)))[0](probe) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def test_a_run_resumed_from_its_checkpoint_ends_exactly_where_an_unbroken_one_does(
    samples: PlaneSamples,
) -> None:
    saved: list[dict[str, NDArray[np.generic]]] = []
    settings = replace(QUICK, refresh_steps=30)
    watched = RunContext(
        is_checkpoint_due=lambda: True, save_checkpoint=lambda arrays: saved.append(dict(arrays))
    )
    whole, _ = finish(fit(samples, settings, watched))
    middle = saved[len(saved) // 2]
    assert 0 < int(middle["step"]) < settings.steps
    resumed, reports = finish(fit(samples, settings, RunContext(load_checkpoint=lambda: middle)))
    assert reports[0].step > int(middle["step"])
    probe = on_sphere(0.65)
    assert np.array_equal(whole(probe), resumed(probe))


def test_stopping_gives_the_field_so_far(samples: PlaneSamples) -> None:
    training = fit(samples, replace(QUICK, steps=100_000), RunContext())
    next(training)
    with pytest.raises(StopIteration) as stopped:
        training.throw(StopRequested())
    assert stopped.value.value.was_stopped
    assert np.isfinite(stopped.value.value(on_sphere(0.7))).all()


def test_the_thread_count_is_one_while_training_and_as_before_afterwards(samples: PlaneSamples) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        training = fit(samples, QUICK, RunContext())
        next(training)
        assert torch.get_num_threads() == 1
        training.close()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_the_warm_start_is_followed_close_to_the_planes(samples: PlaneSamples) -> None:
    def another_sphere(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.linalg.norm(points, axis=1) - 0.6

    free = replace(
        QUICK,
        warm_share=1.0,
        contour_weight=0,
        bound_weight=0,
        sign_weight=0,
        outside_weight=0,
        eikonal_weight=0,
    )
    warm, reports = finish(fit(samples, replace(free, steps=300), RunContext(), warm_start=another_sphere))
    cold, _ = finish(fit(samples, free, RunContext()))
    close = samples.points[np.abs(samples.distances) < 0.1]
    assert np.abs(warm(close) - another_sphere(close)).mean() < 0.03
    assert np.abs(cold(close) - another_sphere(close)).mean() > 0.06
    assert "warm start" in reports[0].losses


def test_a_preview_is_made_when_one_is_due(samples: PlaneSamples) -> None:
    from tests.synthetic import mesh_of

    shown = mesh_of(SPHERE, 16)
    context = RunContext(is_preview_due=lambda: True)
    _, reports = finish(fit(samples, replace(QUICK, steps=5), context, preview=lambda field: shown))
    assert all(report.preview is shown for report in reports)


def test_a_true_distance_field_has_no_eikonal_loss_and_the_curvature_of_its_level_sets() -> None:
    radius, step = 0.8, 1e-3
    generator = torch.Generator().manual_seed(0)
    first = torch.from_numpy(on_sphere(radius, 20_000))
    direction = torch.nn.functional.normalize(
        torch.randn(first.shape, generator=generator, dtype=torch.float64)
    )
    points = torch.cat([first, first + step * direction])
    gradients = torch.nn.functional.normalize(points)
    assert float(eikonal_loss(gradients)) < 1e-12
    # The Hessian of |x| has eigenvalues 1/r, 1/r, 0.
    expected = 2 / (3 * radius**2)
    assert float(curvature_loss(gradients, torch.ones(len(points)), step)) == pytest.approx(
        expected, rel=0.02
    )
    flat = torch.tensor([[0.0, 0.0, 1.0]]).expand(10, 3)
    assert float(curvature_loss(flat, torch.ones(10), step)) == 0


def test_values_may_be_anything_up_to_the_in_plane_distance() -> None:
    distances = torch.tensor([0.3, -0.3, torch.inf])
    assert float(bound_loss(torch.tensor([0.3, -0.1, 5.0]), distances)) == 0
    assert float(bound_loss(torch.tensor([0.6, -0.3, 0.0]), distances)) == pytest.approx(0.1)


def test_the_sign_must_be_the_drawn_one_but_need_not_be_clear_near_a_contour() -> None:
    distances = torch.tensor([0.01, -0.01, 1.0, torch.inf])
    assert float(sign_loss(torch.tensor([0.005, -0.005, 0.02, 0.02]), distances)) == pytest.approx(
        0, abs=1e-9
    )
    assert float(sign_loss(torch.tensor([-0.005, 0.005, 0.02, 0.0]), distances)) == pytest.approx(0.01)


def test_what_is_known_to_be_empty_must_be_a_little_outside() -> None:
    assert float(outside_loss(torch.tensor([0.01, 3.0]))) == 0
    assert float(outside_loss(torch.tensor([-0.01, 0.0]))) == pytest.approx(0.015)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_gpu_learns_the_same_sphere(samples: PlaneSamples) -> None:
    field, _ = finish(fit(samples, replace(QUICK, steps=400), RunContext(device="cuda", seed=1)))
    assert field.parameters.is_cuda
    assert radial_error(field) < 0.012
