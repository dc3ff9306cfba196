"""Colour seen from a direction: the real spherical harmonics of 3D Gaussian splatting, and how a turn changes them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

MAX_DEGREE = 4
SH_C0 = 0.5 / math.sqrt(math.pi)  # the basis function of degree 0


def sh_basis(directions: ArrayLike, degree: int) -> NDArray[np.float64]:
    """The basis functions up to `degree` at unit `directions` (..., 3) → (..., (degree + 1)²).

    Within a band l the order is m = -l … l, with the Condon–Shortley sign of 3DGS: band 1 is (-y, z, -x).
    Raises ValueError for a degree outside 0 … 4.
    """
    if not 0 <= degree <= MAX_DEGREE:
        raise ValueError(f"spherical harmonics of degree {degree}; 0 to {MAX_DEGREE} can be")
    x, y, z = np.moveaxis(np.asarray(directions, np.float64), -1, 0)
    # cos and sin of m·azimuth times sin^m of the polar angle, by the powers of x + iy.
    powers = [(x + 1j * y) ** m for m in range(degree + 1)]
    columns = []
    for band in range(degree + 1):
        for m in range(-band, band + 1):
            k = abs(m)
            scale = math.sqrt(
                (2 * band + 1) / (4 * math.pi) * math.factorial(band - k) / math.factorial(band + k)
            )
            scale *= (-1) ** k * (math.sqrt(2) if m else 1)
            turn = powers[k].imag if m < 0 else powers[k].real
            columns.append(scale * _legendre(band, k, z) * turn)
    return np.stack(columns, -1)


def _legendre(band: int, k: int, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """The associated Legendre polynomial of (band, k) without its factor sin^k and without the sign (-1)^k."""
    last, here = np.zeros_like(z), np.full_like(z, math.prod(range(1, 2 * k, 2)))
    for n in range(k + 1, band + 1):
        last, here = here, ((2 * n - 1) * z * here - (n + k - 1) * last) / (n - k)
    return here


def sh_rotations(rotation: ArrayLike, degree: int) -> list[NDArray[np.float64]]:
    """For each band l a matrix (2l + 1, 2l + 1) that takes a function's coefficients in frame a to those in frame b.

    rotation: (3, 3), b from a. Made from the values at a set of directions, which determine each band.
    """
    golden = math.pi * (3 - math.sqrt(5))
    n = np.arange(4 * (degree + 1) ** 2)
    height = 1 - 2 * (n + 0.5) / len(n)
    radius = np.sqrt(1 - height**2)
    in_b = np.stack([radius * np.cos(golden * n), radius * np.sin(golden * n), height], -1)
    basis_b = sh_basis(in_b, degree)
    basis_a = sh_basis(in_b @ np.asarray(rotation, np.float64), degree)  # directions in a: R^T d
    bands = [slice(band**2, (band + 1) ** 2) for band in range(degree + 1)]
    return [np.asarray(np.linalg.lstsq(basis_b[:, band], basis_a[:, band])[0], np.float64) for band in bands]


def rotated_sh(sh: NDArray[np.float32], rotation: ArrayLike) -> NDArray[np.float32]:
    """The coefficients (N, K, 3) of colours that turn with the scene; rotation: (3, 3), b from a."""
    count = sh.shape[1]
    bands = np.eye(count)
    for band, matrix in enumerate(sh_rotations(rotation, math.isqrt(count) - 1)):
        if band:
            rows = slice(band**2, (band + 1) ** 2)
            bands[rows, rows] = matrix
    # One product for all bands and channels: several times as fast as one for each band.
    turned: NDArray[np.float32] = sh.reshape(len(sh), 3 * count) @ np.kron(bands.T, np.eye(3)).astype(
        np.float32
    )
    return turned.reshape(sh.shape)
