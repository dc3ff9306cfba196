"""Adam, one pass over each array on the CPU, with moments whose rows follow their Gaussians."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from render.compiled import Float, compiled, in_threads

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-15


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
        in_threads(_adam_rows, len(v), _ROWS, v, g, m, s, (rates / unbiased_1).numpy(), 1 / unbiased_2)
        return
    mean.lerp_(slope, 1 - BETA_1)
    square.mul_(BETA_2).addcmul_(slope, slope, value=1 - BETA_2)
    over = (square / unbiased_2).sqrt_().add_(EPSILON)
    values.detach().view(shape).sub_((mean / over).view(shape) * (rates / unbiased_1).to(values.device))


_B1, _B2, _EPSILON, _ONE = np.float32(BETA_1), np.float32(BETA_2), np.float32(EPSILON), np.float32(1)
_ROWS = 4096  # that a thread takes at once


@compiled
def _adam_rows(
    start: int,
    stop: int,
    values: Float,
    slope: Float,
    mean: Float,
    square: Float,
    rates: Float,
    unbias: float,
) -> None:
    scale = np.float32(unbias)
    for i in range(start, stop):
        for c in range(len(rates)):
            g = slope[i, c]
            m = _B1 * mean[i, c] + (_ONE - _B1) * g
            s = _B2 * square[i, c] + (_ONE - _B2) * g * g
            mean[i, c], square[i, c] = m, s
            values[i, c] -= rates[c] * m / (np.sqrt(s * scale) + _EPSILON)
