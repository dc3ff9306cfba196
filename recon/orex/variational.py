"""The thin-plate field on a grid that fits weighted values at points: conjugate gradients, multilevel.

Minimises  sum_k w_k (B_k f - g_k)² + |D² f|² + tension |D f|²  over the grid, with the whole Hessian and natural
boundaries, so that linear fields cost no bending. Lengths are in grid spacings.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon.orex.grid import Field, Trilinear, prolong, restrict
from render.compiled import compiled

Rows = NDArray[np.float32]  # a banded matrix, one row a line

# The diagonal of |D² f|² away from the border.
BENDING_DIAGONAL = 42.0


@dataclass(frozen=True)
class Bending:
    """f → (D²ᵀ D² + tension Dᵀ D) f, as sums of products of one-dimensional operators.

    second: per axis the (n, 5) rows of D²ᵀ D² along it; first: the (n, 3) rows of Dᵀ D.
    """

    second: tuple[Rows, Rows, Rows]
    first: tuple[Rows, Rows, Rows]
    tension: float

    @classmethod
    def on(cls, shape: tuple[int, int, int], tension: float) -> Bending:
        """On a grid of this shape; tension in spacings squared."""
        x, y, z = shape
        second = (_second_rows(x), _second_rows(y), _second_rows(z))
        return cls(second, (_first_rows(x), _first_rows(y), _first_rows(z)), tension)

    def apply(self, field: Field) -> Field:
        """The gradient of half the energy, (X, Y, Z)."""
        out = np.empty_like(field)
        (mx, my, mz), (kx, ky, kz) = self.second, self.first
        _apply_bending(field, mx, my, mz, kx, ky, kz, np.float32(self.tension), out)
        return out

    @property
    def diagonal(self) -> float:
        """Diagonal entry away from the border."""
        return BENDING_DIAGONAL + 6 * self.tension


@dataclass(frozen=True)
class Fit:
    """The field found, the CG iterations it took, and how far the preconditioned residual fell."""

    field: Field
    iterations: int
    reduction: float


class MultilevelDiagonal:
    """Preconditioner that adds up diagonal corrections on nested grids (Bramble, Pasciak, Xu 1990)."""

    def __init__(
        self, bending: Bending, points: Trilinear, weights: NDArray[np.float32], levels: int
    ) -> None:
        total = points.scatter(weights)
        self._inverse = [_inverse(points.diagonal(weights) + np.float32(bending.diagonal))]
        for level in range(1, levels + 1):
            # A bump twice as wide: eight times the volume, a quarter of the slope, a sixteenth of the bending.
            total = restrict(total)
            energy = BENDING_DIAGONAL / 2**level + 6 * bending.tension * 2**level
            diagonal = np.float32(energy) + np.float32(0.4) * total
            self._inverse.append(_inverse(diagonal))

    def apply(self, residual: Field) -> Field:
        """About A⁻¹ r."""
        residuals = [residual]
        for _ in self._inverse[1:]:
            residuals.append(restrict(residuals[-1]))
        correction: Field = residuals[-1] * self._inverse[-1]
        for inverse, finer in zip(self._inverse[-2::-1], residuals[-2::-1], strict=True):
            correction = prolong(correction)
            correction += finer * inverse
        return correction


def solve(
    start: Field,
    points: Trilinear,
    weights: NDArray[np.float32],
    values: NDArray[np.float32],
    bending: Bending,
    levels: int,
    max_iterations: int = 60,
    tolerance: float = 2e-3,
) -> Generator[int, None, Fit]:
    """Fit the values at the points from `start` on; yields the iteration's number.

    start: (X, Y, Z). weights, values: (N,) for the points. levels: coarser grids of the preconditioner.
    """
    weights = np.asarray(weights, np.float32)
    precondition = MultilevelDiagonal(bending, points, weights, levels)

    def apply(field: Field) -> Field:
        out = bending.apply(field)
        points.add_normal_product(field, weights, out)
        return out

    field = start.copy()
    residual = points.scatter(weights * np.asarray(values, np.float32)) - apply(field)
    correction = precondition.apply(residual)
    direction = correction.copy()
    first = product = _dot(residual, correction)
    iteration = 0
    while iteration < max_iterations and product > tolerance**2 * first and product > 0:
        image = apply(direction)
        step = np.float32(product / _dot(direction, image))
        field += step * direction
        residual -= step * image
        correction = precondition.apply(residual)
        previous, product = product, _dot(residual, correction)
        direction *= np.float32(product / previous)
        direction += correction
        iteration += 1
        yield iteration
    return Fit(field, iteration, float(np.sqrt(max(product, 0.0) / first)) if first > 0 else 0.0)


def _inverse(diagonal: Field) -> Field:
    return np.asarray(1 / diagonal, np.float32)


def _dot(a: Field, b: Field) -> float:
    return float(_kernel_dot(a.reshape(-1), b.reshape(-1)))


def _second_rows(n: int) -> NDArray[np.float32]:
    """(n, 5) rows of D²ᵀ D² in one dimension, natural at both ends."""
    difference = np.zeros((max(n - 2, 0), n))
    for i in range(n - 2):
        difference[i, i : i + 3] = 1, -2, 1
    return _bands(difference.T @ difference, 2)


def _first_rows(n: int) -> NDArray[np.float32]:
    """(n, 3) rows of Dᵀ D in one dimension, natural at both ends."""
    difference = np.eye(n - 1, n, 1) - np.eye(n - 1, n)
    return _bands(difference.T @ difference, 1)


def _bands(matrix: NDArray[np.float64], width: int) -> NDArray[np.float32]:
    n = len(matrix)
    bands = np.zeros((n, 2 * width + 1), np.float32)
    for offset in range(-width, width + 1):
        i = np.arange(max(0, -offset), min(n, n - offset))
        bands[i, offset + width] = matrix[i, i + offset]
    return bands


@compiled
def _kernel_dot(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    total = 0.0
    for n in range(len(a)):
        total += np.float64(a[n]) * np.float64(b[n])
    return total


@compiled
def _apply_bending(
    field: Field,
    mx: NDArray[np.float32], my: NDArray[np.float32], mz: NDArray[np.float32],
    kx: NDArray[np.float32], ky: NDArray[np.float32], kz: NDArray[np.float32],
    tension: np.float32, out: Field,
) -> None:  # fmt: skip
    """out = (Mx + My + Mz + 2 (Kx Ky + Kx Kz + Ky Kz) + tension (Kx + Ky + Kz)) f, row by row along z."""
    nx, ny, nz = field.shape
    two = np.float32(2)
    plain = np.empty(nz, np.float32)  # what stays in its own z
    spread = np.zeros(nz + 2, np.float32)  # what Kz is applied to
    centre = np.zeros(nz + 4, np.float32)
    for i in range(nx):
        for j in range(ny):
            plain[:] = 0
            own = np.float32(0)
            for a in range(-2, 3):
                ia = i + a
                if 0 <= ia < nx:
                    weight = mx[i, a + 2]
                    if -1 <= a <= 1:
                        weight += tension * kx[i, a + 1] + two * kx[i, a + 1] * ky[j, 1]
                    if a == 0:
                        own += weight
                    elif weight != 0:
                        row = field[ia, j]
                        for k in range(nz):
                            plain[k] += weight * row[k]
                ja = j + a
                if 0 <= ja < ny:
                    weight = my[j, a + 2]
                    if -1 <= a <= 1:
                        weight += tension * ky[j, a + 1]
                        if a != 0:
                            weight += two * kx[i, 1] * ky[j, a + 1]
                    if a == 0:
                        own += weight
                    elif weight != 0:
                        row = field[i, ja]
                        for k in range(nz):
                            plain[k] += weight * row[k]
            for a in (-1, 1):
                for b in (-1, 1):
                    if 0 <= i + a < nx and 0 <= j + b < ny:
                        weight = two * kx[i, a + 1] * ky[j, b + 1]
                        row = field[i + a, j + b]
                        for k in range(nz):
                            plain[k] += weight * row[k]
            row = field[i, j]
            weight = two * (kx[i, 1] + ky[j, 1]) + tension
            for k in range(nz):
                spread[k + 1] = weight * row[k]
                centre[k + 2] = row[k]
            for a in (-1, 1):
                if 0 <= i + a < nx:
                    weight, row = two * kx[i, a + 1], field[i + a, j]
                    for k in range(nz):
                        spread[k + 1] += weight * row[k]
                if 0 <= j + a < ny:
                    weight, row = two * ky[j, a + 1], field[i, j + a]
                    for k in range(nz):
                        spread[k + 1] += weight * row[k]
            for k in range(nz):
                out[i, j, k] = (
                    plain[k]
                    + own * centre[k + 2]
                    + kz[k, 0] * spread[k] + kz[k, 1] * spread[k + 1] + kz[k, 2] * spread[k + 2]
                    + mz[k, 0] * centre[k] + mz[k, 1] * centre[k + 1] + mz[k, 2] * centre[k + 2]
                    + mz[k, 3] * centre[k + 3] + mz[k, 4] * centre[k + 4]
                )  # fmt: skip
