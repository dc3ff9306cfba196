"""Least squares in unknowns of many views, of which each is coupled with a few others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, cg

NUM_ITERATIONS = 60


def solve_coupled(
    own: NDArray[np.float64], pairs: NDArray[np.int64], cross: NDArray[np.float32], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """x (N, U) of own x + cross x = right, by conjugate gradients that start from each view on its own.

    own: (N, U, U) each view's, symmetric and positive. pairs: (P, 2) views that are coupled, by cross (P, U, U) as
    rows of the first and columns of the second; the other way its transpose holds. right: (N, U).
    """
    inverse = np.linalg.inv(own)
    first, second = pairs.T

    def multiply(x: NDArray[np.float64]) -> NDArray[np.float64]:
        x = x.reshape(right.shape)
        product = np.matmul(own, x[..., None])[..., 0]
        single = x.astype(np.float32)
        np.add.at(product, first, np.matmul(cross, single[second][..., None])[..., 0])
        np.add.at(product, second, np.matmul(single[first][:, None], cross)[:, 0])
        return np.asarray(product.ravel(), np.float64)

    def divide(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.matmul(inverse, x.reshape(*right.shape, 1)).ravel(), np.float64)

    shape = (right.size, right.size)
    solution, _ = cg(
        LinearOperator(shape, multiply, dtype=np.float64),
        right.ravel(),
        rtol=1e-3,
        maxiter=NUM_ITERATIONS,
        M=LinearOperator(shape, divide, dtype=np.float64),
    )
    return np.asarray(solution.reshape(right.shape), np.float64)
