"""What training minimises: photos, cues weighted by their learned uncertainty, and a field that stays a distance."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# Below these a cue counts as certain: shares of the depth, and squared differences of unit normals.
DEPTH_FLOOR = 2e-3
NORMAL_FLOOR = 2e-3
BLEND = 0.9


def depth_error(rendered: Tensor, cue: Tensor) -> Tensor:
    """|rendered - cue| as a share of the cue, so that thresholds hold in any room. rendered, cue: (R,) z-depths."""
    return (rendered - cue).abs() / cue


def plain_depth_loss(error: Tensor, weights: Tensor) -> Tensor:
    """Mean error of the rays whose weight is not zero (MonoSDF's, with aligned cues). error, weights: (R,)."""
    return (weights * error).sum() / len(error)


def plain_normal_loss(rendered: Tensor, cue: Tensor, weights: Tensor) -> Tensor:
    """L1 and angular error of unit normals (R, 3) (MonoSDF, arXiv:2206.00665)."""
    angular = 1 - (rendered * cue).sum(1)
    return (weights * ((rendered - cue).abs().sum(1) + angular)).sum() / len(weights)


def uncertain_depth_loss(error: Tensor, uncertainty: Tensor, weights: Tensor, is_kept: Tensor) -> Tensor:
    """Laplace likelihood of the depth cue with a learned scale (DebSDF, eq. 10).

    error, uncertainty: (R,). weights: (R,), 0 where there is no cue. is_kept: (R,) bool; elsewhere the geometry
    gets no gradient while the uncertainty goes on learning. The geometry sees a fixed uncertainty, the uncertainty
    a fixed error.
    """
    scale = uncertainty + DEPTH_FLOOR
    fixed = scale.detach()
    of_geometry = is_kept * (torch.log(fixed) + error / fixed)
    of_uncertainty = torch.log(scale) + error.detach() / scale
    return (weights * (of_geometry + of_uncertainty)).sum() / len(weights)


def uncertain_normal_loss(
    rendered: Tensor, cue: Tensor, uncertainty: Tensor, weights: Tensor, is_kept: Tensor
) -> Tensor:
    """Gaussian likelihood of the normal cue with a learned variance for each axis (DebSDF, eq. 11).

    rendered, cue: (R, 3) unit. uncertainty: (R, 3) standard deviations. weights, is_kept: as for depth.
    """
    variance = uncertainty**2 + NORMAL_FLOOR
    fixed = variance.detach()
    square = (rendered - cue) ** 2
    of_geometry = is_kept * (torch.log(fixed) + square / fixed).sum(1)
    of_uncertainty = (torch.log(variance) + square.detach() / variance).sum(1)
    return (weights * (of_geometry + of_uncertainty)).sum() / len(weights)


def blended_uncertainty(depth: Tensor, normal: Tensor) -> Tensor:
    """(√2 U_d)^(1-q) * mean(U_n)^q with q = 0.9 (DebSDF, eq. 14). depth: (...). normal: (..., 3). Returns (...)."""
    both: Tensor = (math.sqrt(2) * depth).clamp_min(1e-6) ** (1 - BLEND)
    blend: Tensor = both * normal.mean(-1).clamp_min(1e-6) ** BLEND
    return blend


def eikonal_loss(gradients: Tensor) -> Tensor:
    """(|g| - 1)^2, mean over gradients (P, 3)."""
    lengths: Tensor = gradients.norm(dim=1)
    loss: Tensor = (lengths - 1).square().mean()
    return loss


def smoothness_loss(normals: Tensor, beside: Tensor, weights: Tensor) -> Tensor:
    """How far normals (P, 3) differ from those a little beside them; weights: (P,)."""
    change: Tensor = (normals - beside).norm(dim=1)
    return (weights * change).mean()


class Cutoff:
    """The uncertainty above which a cue is excluded: a running quantile with a floor.

    share: at most this much of the rays is excluded. floor: what is less uncertain than this never is. value: the
    running quantile, None before the first rays.
    """

    def __init__(self, share: float, floor: float, value: float | None = None) -> None:
        self.share, self.floor, self.value = share, floor, value

    def update(self, uncertainty: Tensor) -> None:
        """Take the rays' uncertainty (R,) in."""
        if not len(uncertainty) or self.share <= 0:
            return
        now = float(torch.quantile(uncertainty.detach(), 1 - self.share))
        self.value = now if self.value is None else 0.95 * self.value + 0.05 * now

    @property
    def threshold(self) -> float:
        """Rays above it are excluded."""
        if self.share <= 0 or self.value is None:
            return math.inf
        return max(self.value, self.floor)

    def keeps(self, uncertainty: Tensor) -> Tensor:
        """(R,) bool, which rays' cues shape the geometry."""
        return uncertainty.detach() <= self.threshold
