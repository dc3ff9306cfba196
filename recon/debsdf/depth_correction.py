"""A smooth factor for each view's depth cue, learned with the surface: no network is affine all over a picture."""

from __future__ import annotations

import torch
from torch import Tensor

NODES = (7, 9)  # down and across a picture
SPREAD = 0.05  # of the logarithm: how far networks are off, smoothly


class DepthCorrections(torch.nn.Module):
    """log_factors: (N, 7, 9), bilinear between nodes at the middles of equal cells of each picture."""

    def __init__(self, num_images: int) -> None:
        super().__init__()
        self.log_factors = torch.nn.Parameter(torch.zeros(num_images, *NODES))

    def factor(self, images: Tensor, places: Tensor) -> Tensor:
        """(R,) what to multiply the depth of pixels by. images: (R,). places: (R, 2) x, y as shares of the picture."""
        rows, columns = NODES
        x = (places[:, 0] * columns - 0.5).clamp(0, columns - 1.001)
        y = (places[:, 1] * rows - 0.5).clamp(0, rows - 1.001)
        i, j = y.long(), x.long()
        u, v = y - i, x - j
        flat = self.log_factors.flatten(1)
        corner = i * columns + j
        low = flat[images, corner] * (1 - v) + flat[images, corner + 1] * v
        high = flat[images, corner + columns] * (1 - v) + flat[images, corner + columns + 1] * v
        return torch.exp(low * (1 - u) + high * u)

    def prior_loss(self) -> Tensor:
        """Mean square of the factors' logarithms, in usual ones: without it surface and cues could drift together."""
        return (self.log_factors / SPREAD).square().mean()
