"""What each loss teaches whom: the geometry, the uncertainty, both or neither."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from recon.debsdf import losses  # noqa: E402


def leaf(values: list[float] | list[list[float]]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def test_the_depth_loss_has_the_gradients_of_equation_10() -> None:
    rendered, uncertainty = leaf([1.2, 0.7, 2.0]), leaf([0.1, 0.3, 0.05])
    cue = torch.tensor([1.0, 1.0, 1.9], dtype=torch.float64)
    error = losses.depth_error(rendered, cue)
    ones, kept = torch.ones(3, dtype=torch.float64), torch.ones(3, dtype=torch.bool)
    losses.uncertain_depth_loss(error, uncertainty, ones, kept).backward()
    u = uncertainty.detach() + losses.DEPTH_FLOOR
    e = error.detach()
    # Geometry: sign(e) / u; uncertainty: d/du (log u + e / u) = 1 / u - e / u^2; each as if the other were fixed.
    torch.testing.assert_close(rendered.grad, torch.sign(rendered.detach() - cue) / cue / u / 3)
    torch.testing.assert_close(uncertainty.grad, (1 / u - e / u**2) / 3)


def test_the_normal_loss_has_the_gradients_of_equation_11() -> None:
    rendered, uncertainty = leaf([[0.0, 0.6, 0.8], [1.0, 0.0, 0.0]]), leaf([[0.1, 0.2, 0.3], [0.4, 0.1, 0.2]])
    cue = torch.tensor([[0.0, 0.0, 1.0], [0.6, 0.8, 0.0]], dtype=torch.float64)
    ones, kept = torch.ones(2, dtype=torch.float64), torch.ones(2, dtype=torch.bool)
    losses.uncertain_normal_loss(rendered, cue, uncertainty, ones, kept).backward()
    sigma = uncertainty.detach()
    v, e = sigma**2 + losses.NORMAL_FLOOR, rendered.detach() - cue
    torch.testing.assert_close(rendered.grad, 2 * e / v / 2)
    torch.testing.assert_close(uncertainty.grad, (1 / v - e**2 / v**2) * 2 * sigma / 2)


def test_an_excluded_ray_shapes_no_geometry_but_its_uncertainty_goes_on_learning() -> None:
    rendered, uncertainty = leaf([1.2, 0.7]), leaf([0.1, 0.3])
    error = losses.depth_error(rendered, torch.ones(2, dtype=torch.float64))
    ones = torch.ones(2, dtype=torch.float64)
    losses.uncertain_depth_loss(error, uncertainty, ones, torch.tensor([True, False])).backward()
    assert rendered.grad is not None and uncertainty.grad is not None
    assert rendered.grad[0] != 0 and rendered.grad[1] == 0
    assert (uncertainty.grad != 0).all()


def test_the_best_uncertainty_is_the_error_seen() -> None:
    """Laplace: the scale that minimises the loss is the mean absolute error; Gaussian: the root mean square."""
    error = torch.tensor([0.02, 0.04, 0.06, 0.2], dtype=torch.float64)
    scale = leaf([0.3])
    optimizer = torch.optim.Adam([scale], lr=0.02)
    for _ in range(800):
        optimizer.zero_grad()
        ones, kept = torch.ones(4, dtype=torch.float64), torch.ones(4, dtype=torch.bool)
        losses.uncertain_depth_loss(error, scale.expand(4), ones, kept).backward()
        optimizer.step()
    assert float(scale.detach()) + losses.DEPTH_FLOOR == pytest.approx(float(error.mean()), rel=0.02)


def test_rays_without_a_cue_change_nothing() -> None:
    rendered, uncertainty = leaf([[0.0, 0.6, 0.8]]), leaf([[0.1, 0.2, 0.3]])
    none, kept = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.bool)
    cue = torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64)
    (
        losses.uncertain_normal_loss(rendered, cue, uncertainty, none, kept)
        + losses.plain_normal_loss(rendered, cue, none)
    ).backward()
    assert rendered.grad is not None and uncertainty.grad is not None
    assert not rendered.grad.any() and not uncertainty.grad.any()


def test_the_blend_is_equation_14() -> None:
    depth, normal = torch.tensor([0.05]), torch.tensor([[0.1, 0.2, 0.6]])
    expected = (math.sqrt(2) * 0.05) ** 0.1 * 0.3**0.9
    assert float(losses.blended_uncertainty(depth, normal)) == pytest.approx(expected, rel=1e-6)


def test_a_cutoff_excludes_its_share_and_never_what_is_certain() -> None:
    torch.manual_seed(0)
    cutoff = losses.Cutoff(0.1, 0.02)
    for _ in range(50):
        cutoff.update(torch.rand(1000))
    assert float((~cutoff.keeps(torch.rand(20_000))).float().mean()) == pytest.approx(0.1, abs=0.015)
    for _ in range(300):
        cutoff.update(torch.rand(1000) * 0.01)
    assert bool(cutoff.keeps(torch.rand(1000) * 0.01).all())


def test_a_share_of_zero_excludes_nothing() -> None:
    cutoff = losses.Cutoff(0.0, 0.0)
    cutoff.update(torch.rand(100))
    assert bool(cutoff.keeps(torch.rand(100) * 1e6).all())


def test_the_distance_property_costs_nothing_for_a_distance() -> None:
    unit = torch.nn.functional.normalize(torch.rand(50, 3, dtype=torch.float64), dim=1)
    assert float(losses.eikonal_loss(unit)) == pytest.approx(0, abs=1e-12)
    assert float(losses.eikonal_loss(2 * unit)) == pytest.approx(1)


def test_smoothness_is_not_asked_where_its_weight_is_zero() -> None:
    normals = torch.eye(3, dtype=torch.float64)
    beside = torch.roll(normals, 1, 0)
    weights = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    assert float(losses.smoothness_loss(normals, beside, weights)) == pytest.approx(math.sqrt(2) / 3)
