"""The mapping from signed distance to density, against formulas written out for one sample at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from recon.debsdf.density import (  # noqa: E402
    curvature_radii,
    distance_along_ray,
    gated_cosine,
    laplace_density,
    warm_up,
)  # fmt: skip


def scalar_density(s: float, beta: float) -> float:
    """VolSDF: sigma(s) = (0.5 + 0.5 sign(-s) (1 - exp(-|s| / beta))) / beta."""
    return (0.5 - 0.5 * math.copysign(1, s) * -math.expm1(-abs(s) / beta)) / beta


def scalar_distance(s: float, c: float, radius: float) -> float:
    """Formulas 18 to 21 and their fallbacks, one number at a time."""
    a = radius - s
    square = a * a - (a + s) ** 2 * (1 - c * c)
    if square > 1e-9:
        y = (a + s) * c - math.copysign(1, a) * math.sqrt(square)
    else:
        y = s / c + s * math.tan(math.acos(c))
    if abs(radius) > 1e3 or (s * a <= 0 and abs(s) >= abs(a)) or abs(s) > abs(y):
        return s / c
    return y


def scalar_radius(step: float, n: np.ndarray, following: np.ndarray, v: np.ndarray) -> float:
    """The law of sines with angles by arccos."""
    across = np.cross(n, v)
    across /= np.linalg.norm(across)
    m = following - (following @ across) * across
    m /= np.linalg.norm(m)
    radius = step * math.sin(math.acos(m @ v)) / max(math.sin(math.acos(n @ m)), 1e-9)
    return float(-radius if n @ v > m @ v else radius)


def unit(rng: np.random.Generator, *shape: int) -> np.ndarray:
    vectors = rng.normal(size=(*shape, 3))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def test_the_density_is_volsdfs() -> None:
    sdf = np.concatenate([np.random.default_rng(0).normal(0, 0.05, 500), [0.0, 1.0, -1.0]])
    density = laplace_density(torch.tensor(sdf), 0.02).numpy()
    np.testing.assert_allclose(density, [scalar_density(s, 0.02) for s in sdf], rtol=1e-12, atol=1e-18)
    assert laplace_density(torch.tensor([-1.0, 0.0, 1.0]), 0.01).tolist() == pytest.approx([100, 50, 0])


def test_the_distance_along_the_ray_equals_the_formulas_for_every_kind_of_sample() -> None:
    rng = np.random.default_rng(1)
    count = 4000
    sdf, cosine = rng.normal(0, 0.1, count), rng.uniform(0.01, 1, count)
    radius = rng.normal(0, 0.3, count)
    radius[:200] = rng.choice([-1e10, -2e3, 2e3, 1e10], 200)
    expected = [scalar_distance(*sample) for sample in zip(sdf, cosine, radius, strict=True)]
    got = distance_along_ray(*map(torch.tensor, (sdf, cosine, radius))).numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-13)
    # All branches occur, or the equality would say little.
    flat = np.isclose(got, sdf / cosine, rtol=1e-9)
    assert 0.1 < flat.mean() < 0.9


def test_the_radius_of_curvature_equals_the_law_of_sines() -> None:
    rng = np.random.default_rng(2)
    distances = np.sort(rng.random((200, 5)), axis=1)
    rays, normals = unit(rng, 200), unit(rng, 200, 5)
    got = curvature_radii(*map(torch.tensor, (distances, rays, normals))).numpy()
    for ray in range(200):
        for i in range(4):
            step = distances[ray, i + 1] - distances[ray, i]
            expected = scalar_radius(step, normals[ray, i], normals[ray, i + 1], rays[ray])
            assert got[ray, i] == pytest.approx(expected, rel=1e-6)
    assert (got[:, 4] >= 1e9).all()


def test_on_a_ball_the_radius_and_the_way_to_its_surface_are_exact() -> None:
    """Samples before a ball of radius 0.4: the level set has radius 0.4 + s and the way to the hit is known."""
    origin, ray = torch.tensor([-1.0, 0.15, 0.1]).double(), torch.tensor([1.0, 0.0, 0.0]).double()
    hit = 1 - math.sqrt(0.4**2 - 0.15**2 - 0.1**2)
    t = torch.linspace(0.2, hit - 1e-3, 40, dtype=torch.float64)
    points = origin + t[:, None] * ray
    length = points.norm(dim=1)
    normals = points / length[:, None]
    radii = curvature_radii(t[None], ray[None], normals[None])[0]
    torch.testing.assert_close(radii[:-1], length[:-1], rtol=1e-6, atol=0.0)
    cosine = (normals @ ray).abs()
    way = distance_along_ray(length - 0.4, cosine, radii)[:-1]
    torch.testing.assert_close(way, (hit - t)[:-1], rtol=1e-6, atol=1e-9)


def test_a_flat_surface_gives_the_distance_over_the_cosine() -> None:
    sdf = torch.linspace(-0.2, 0.2, 41, dtype=torch.float64)
    cosine = torch.full_like(sdf, 0.3)
    for radius in (1e4, 1e7, 1e10):
        got = distance_along_ray(sdf, cosine, torch.full_like(sdf, radius))
        torch.testing.assert_close(got, sdf / 0.3, rtol=0, atol=0)
    # And the curved formula runs into that limit.
    near = distance_along_ray(sdf[21:], cosine[21:], torch.full_like(sdf[21:], 900.0))
    torch.testing.assert_close(near, sdf[21:] / 0.3, rtol=5e-3, atol=0.0)


def test_a_ray_along_the_normal_gives_the_plain_distance() -> None:
    rng = np.random.default_rng(3)
    sdf, radius = torch.tensor(rng.normal(0, 0.1, 500)), torch.tensor(rng.normal(0, 0.5, 500))
    got = distance_along_ray(sdf, torch.ones_like(sdf), radius)
    torch.testing.assert_close(got, sdf, rtol=1e-6, atol=1e-9)


def test_trusted_cues_and_the_start_of_the_warm_up_leave_volsdf_as_it_is() -> None:
    cosine = torch.linspace(0, 1, 11, dtype=torch.float64)
    trusted = gated_cosine(cosine, torch.zeros_like(cosine), 1.0)
    early = gated_cosine(cosine, torch.ones_like(cosine), 0.0)
    assert (trusted == 1).all() and (early == 1).all()
    full = gated_cosine(cosine, torch.full_like(cosine, 0.5), 1.0)
    torch.testing.assert_close(full, cosine.clamp_min(1e-4))
    half = gated_cosine(cosine[1:], torch.full_like(cosine[1:], 0.25), 1.0)
    torch.testing.assert_close(half, cosine[1:].sqrt())


def test_no_gradient_goes_through_the_gate_or_the_radius_but_through_the_distance() -> None:
    uncertainty = torch.full((8,), 0.3, dtype=torch.float64, requires_grad=True)
    sdf = torch.linspace(0.01, 0.1, 8, dtype=torch.float64, requires_grad=True)
    cosine = gated_cosine(torch.full_like(sdf, 0.5).detach(), uncertainty, 1.0)
    radius = curvature_radii(
        torch.arange(8, dtype=torch.float64)[None],
        torch.tensor([[0.0, 0.6, 0.8]]).double(),
        torch.nn.functional.normalize(torch.rand(1, 8, 3, dtype=torch.float64), dim=-1),
    )[0]
    distance_along_ray(sdf, cosine, radius).sum().backward()
    assert uncertainty.grad is None
    assert sdf.grad is not None and torch.isfinite(sdf.grad).all() and (sdf.grad > 0).any()


def test_the_warm_up_runs_from_nothing_to_all_as_two_to_the_power() -> None:
    assert warm_up(0.1, 0.6, 0.8) == 0 and warm_up(0.6, 0.6, 0.8) == 0
    assert warm_up(0.7, 0.6, 0.8) == pytest.approx(math.sqrt(2) - 1)
    assert warm_up(0.8, 0.6, 0.8) == 1 and warm_up(1.0, 0.6, 0.8) == 1
