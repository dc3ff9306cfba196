"""What the pictures of rays are to become: the photos' colours, before whatever is behind."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

HUBER = 0.1  # colour difference from which on it counts linearly


@dataclass(frozen=True)
class Target:
    """rgb: (R, 3) of the photo. opacity: (R,) share of each pixel that is the scene's. behind: (R, 3) colour of the
    background. exposure: (R, 3, 4) change of colours of each ray's photo, or None."""

    rgb: Tensor
    opacity: Tensor
    behind: Tensor
    exposure: Tensor | None = None


def photo_loss(rgb: Tensor, alpha: Tensor, target: Target) -> Tensor:
    """Mean over rays of a difference of colours, squared where it is small. rgb: (R, 3) before black. alpha: (R,)."""
    opacity = target.opacity[:, None]
    wanted = target.rgb * opacity + target.behind * (1 - opacity)
    if target.exposure is not None:
        rgb = (target.exposure[:, :, :3] @ rgb[:, :, None])[..., 0] + target.exposure[:, :, 3] * alpha[
            :, None
        ]
    seen = rgb + (1 - alpha[:, None]) * target.behind
    return torch.nn.functional.huber_loss(seen, wanted, reduction="mean", delta=HUBER)
