"""Adam, one pass over each array on the CPU, with moments whose rows follow their Gaussians."""

from __future__ import annotations

from typing import TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

# Not TBB first: open3d brings an old one, of which numba warns before it takes another.
numba.config.THREADING_LAYER_PRIORITY = ["omp", "workqueue", "tbb"]

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-15

Float = NDArray[np.float32]
F = TypeVar("F")


def adam_step(values: Tensor, slope: Tensor, mean: Tensor, square: Tensor, rates: Tensor, step: int) -> None:
    """Change `values` and both moments in place (Kingma and Ba 2015, algorithm 1).

    values, slope, mean, square: (N, ...) float32, contiguous. rates: (C,), for each number of a row; step: from 1.
    """
    unbiased_1, unbiased_2 = 1 - BETA_1**step, 1 - BETA_2**step
    shape = (len(values), rates.numel())
    if values.device.type == "cpu":
        v, g, m, s = (
            each.detach().reshape(shape).numpy() for each in (values, slope.contiguous(), mean, square)
        )
        _adam_rows(v, g, m, s, (rates / unbiased_1).numpy(), 1 / unbiased_2)
        return
    mean.lerp_(slope, 1 - BETA_1)
    square.mul_(BETA_2).addcmul_(slope, slope, value=1 - BETA_2)
    over = (square / unbiased_2).sqrt_().add_(EPSILON)
    values.detach().view(shape).sub_((mean / over).view(shape) * (rates / unbiased_1).to(values.device))


def _compiled(function: F) -> F:
    return cast(F, numba.njit(cache=True, fastmath=True, nogil=True, parallel=True)(function))


_B1, _B2, _EPSILON, _ONE = np.float32(BETA_1), np.float32(BETA_2), np.float32(EPSILON), np.float32(1)
_ROWS = 512  # a task


@_compiled
def _adam_rows(values: Float, slope: Float, mean: Float, square: Float, rates: Float, unbias: float) -> None:
    rows, columns = values.shape
    scale = np.float32(unbias)
    for task in numba.prange((rows + _ROWS - 1) // _ROWS):
        for i in range(task * _ROWS, min(rows, (task + 1) * _ROWS)):
            for c in range(columns):
                g = slope[i, c]
                m = _B1 * mean[i, c] + (_ONE - _B1) * g
                s = _B2 * square[i, c] + (_ONE - _B2) * g * g
                mean[i, c], square[i, c] = m, s
                values[i, c] -= rates[c] * m / (np.sqrt(s * scale) + _EPSILON)
