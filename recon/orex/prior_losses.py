"""What a signed distance field must be like, between slices and on them: one function a term."""

from __future__ import annotations

import torch
from torch import Tensor

SIGN_REACH = 0.04  # box units; farther from a contour the sign must be no clearer than here
OUTSIDE_VALUE = 0.01  # box units; little, since caps may bulge over the hull of the contours


def eikonal_loss(gradients: Tensor) -> Tensor:
    """Mean squared deviation of (G, 3) gradients from unit length."""
    return torch.mean((gradients.norm(dim=1) - 1) ** 2)


def curvature_loss(gradients: Tensor, weights: Tensor, step: float) -> Tensor:
    """Weighted mean of |H d|² over random unit directions d, from gradients at x and at x + step d.

    gradients: (2 P, 3), the partners in the second half. weights: (2 P,), of which the first half counts.
    """
    first, second = gradients.chunk(2)
    change = (second - first) / step
    return ((change**2).sum(1) * weights[: len(first)]).mean()


def bound_loss(values: Tensor, distances: Tensor) -> Tensor:
    """Mean excess of |f| over the in-plane distance, which a distance in space cannot exceed."""
    return torch.relu(values.abs() - distances.abs()).mean()


def sign_loss(values: Tensor, distances: Tensor) -> Tensor:
    """Mean shortfall of the field's sign: half the in-plane distance at least, and no more than `SIGN_REACH`."""
    wanted = distances.abs().clamp(max=SIGN_REACH) / 2
    return torch.relu(wanted - torch.sign(distances) * values).mean()


def outside_loss(values: Tensor) -> Tensor:
    """Mean shortfall of the field at points known to lie outside."""
    return torch.relu(OUTSIDE_VALUE - values).mean()
