from __future__ import annotations

import numpy as np
import pytest

from recon.orex.grid import Grid, Trilinear, prolong, restrict
from recon.orex.variational import Bending, solve
from tests.stepping import finish

GRID = Grid(np.array([-1.0, -0.5, -1.0]), 0.125, (17, 9, 17))


def random_field(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def plain_energy(field: np.ndarray, tension: float) -> float:
    """|D² f|² + tension |D f|² by differences, the mixed ones counted twice."""
    total = 0.0
    for a in range(3):
        total += tension * (np.diff(field, axis=a) ** 2).sum() + (np.diff(field, 2, axis=a) ** 2).sum()
        for b in range(a + 1, 3):
            total += 2 * (np.diff(np.diff(field, axis=a), axis=b) ** 2).sum()
    return float(total)


@pytest.mark.parametrize("shape", [(5, 5, 5), (9, 6, 17), (3, 4, 3)])
def test_bending_is_the_gradient_of_the_energy_of_all_second_differences(shape):
    field = random_field(shape).astype(np.float64)
    image = Bending.on(shape, 0.7).apply(field.astype(np.float32))
    assert (field * image).sum() == pytest.approx(plain_energy(field, 0.7), rel=1e-5)


def test_bending_is_symmetric():
    a, b = random_field((9, 7, 8), 1), random_field((9, 7, 8), 2)
    bending = Bending.on((9, 7, 8), 2.0)
    assert (a * bending.apply(b)).sum() == pytest.approx((b * bending.apply(a)).sum(), rel=1e-4)


def test_a_linear_field_costs_no_bending_up_to_the_border():
    points = GRID.points(0, 17)
    field = (points @ [1.0, -2.0, 0.5] + 3).reshape(GRID.shape).astype(np.float32)
    assert np.abs(Bending.on(GRID.shape, 0.0).apply(field)).max() < 2e-5


def test_restriction_is_the_adjoint_of_prolongation():
    coarse, fine = random_field((5, 3, 9)), random_field((9, 5, 17), 1)
    assert (prolong(coarse) * fine).sum() == pytest.approx((coarse * restrict(fine)).sum(), rel=1e-5)
    assert (prolong(np.ones((5, 3, 9), np.float32)) == 1).all()


def test_scattering_is_the_adjoint_of_interpolation_and_the_normal_product_is_both():
    rng = np.random.default_rng(0)
    points = rng.uniform(GRID.lower, GRID.upper, (300, 3))
    at, field = Trilinear.at(points, GRID), random_field(GRID.shape)
    values, weights = rng.normal(size=300).astype(np.float32), rng.random(300).astype(np.float32)
    assert (at.interpolate(field) * values).sum() == pytest.approx(
        (field * at.scatter(values)).sum(), rel=1e-4
    )
    product = np.zeros(GRID.shape, np.float32)
    at.add_normal_product(field, weights, product)
    assert np.allclose(product, at.scatter(weights * at.interpolate(field)), atol=1e-5)
    one = np.zeros(GRID.shape, np.float32)
    one[3, 4, 5] = 1
    product = np.zeros(GRID.shape, np.float32)
    at.add_normal_product(one, weights, product)
    assert at.diagonal(weights)[3, 4, 5] == pytest.approx(product[3, 4, 5], rel=1e-5)


def test_interpolation_and_gradient_of_a_linear_field_are_exact():
    points = np.random.default_rng(0).uniform(GRID.lower, GRID.upper, (200, 3))
    slope = np.array([1.0, -2.0, 0.5])
    field = (GRID.points(0, 17) @ slope + 3).reshape(GRID.shape).astype(np.float32)
    at = Trilinear.at(points, GRID)
    assert np.allclose(at.interpolate(field), points @ slope + 3, atol=1e-5)
    assert np.allclose(at.gradient(field, GRID.spacing), slope, atol=1e-4)


def test_a_linear_field_is_found_again_from_scattered_values_everywhere():
    rng = np.random.default_rng(0)
    points = rng.uniform(GRID.lower, GRID.upper, (200, 3))
    slope = np.array([1.0, -2.0, 0.5])
    weights = np.full(200, 1e3, np.float32)
    start = np.zeros(GRID.shape, np.float32)
    fit = finish(
        solve(
            start, Trilinear.at(points, GRID), weights, (points @ slope).astype(np.float32),
            Bending.on(GRID.shape, 0.0), GRID.num_halvings, 400, 1e-6,
        )
    )  # fmt: skip
    wanted = (GRID.points(0, 17) @ slope).reshape(GRID.shape)
    assert np.abs(fit.field - wanted).max() < 2e-3


def test_levels_of_the_preconditioner_save_iterations():
    rng = np.random.default_rng(0)
    points = rng.uniform(GRID.lower, GRID.upper, (60, 3))
    at, values = Trilinear.at(points, GRID), rng.normal(size=60).astype(np.float32)
    weights = np.full(60, 100, np.float32)
    start, bending = np.zeros(GRID.shape, np.float32), Bending.on(GRID.shape, 0.01)
    counts = [finish(solve(start, at, weights, values, bending, levels, 500)).iterations for levels in (0, 3)]
    assert counts[1] < 0.6 * counts[0] < 300
