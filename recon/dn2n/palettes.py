"""Palettes as the mean and spread of their colours, and colours carried from one to another."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.colors import Float, clipped


def random_moments(generator: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean (3,) and covariance (3, 3) of a palette: a wide axis near grey and two narrow ones."""
    axes, _ = np.linalg.qr(np.array([1.0, 1, 1])[:, None] * [1, 0, 0] + generator.normal(0, 0.35, (3, 3)))
    spread = generator.uniform((0.12, 0.03, 0.02), (0.28, 0.13, 0.07))
    return generator.uniform(0.25, 0.7, 3), (axes * spread**2) @ axes.T


def gaussian_transport(
    pool: NDArray[np.floating], mean: NDArray[np.float64], covariance: NDArray[np.float64], share: float
) -> Callable[[Float], Float]:
    """The linear map that carries the moments of `pool` (M, 3) to others with the least movement (Pitié and Kokaram
    2007), gone along by `share`."""
    own_mean, own = pool.mean(0), np.cov(pool.T) + 1e-4 * np.eye(3)
    root = _square_root(own)
    back = np.linalg.inv(root)
    matrix = back @ _square_root(root @ covariance @ root) @ back
    matrix = np.eye(3) * (1 - share) + matrix * share
    shift = own_mean * (1 - share) + mean * share - matrix @ own_mean

    def change(colors: Float) -> Float:
        return clipped(colors @ matrix.T + shift)

    return change


def _square_root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 1e-9))) @ vectors.T)
