"""Which Gaussians the photos say anything about: others are wherever training left them, and spoil other views."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from recon.splats.pictures import NEAR, Camera
from recon.splats.train import Trainer
from render.splatting import rasterization

LEAST_WEIGHT = 0.5  # compositing weight summed over the pixels of all photos: half a pixel's worth


def is_seen(trainer: Trainer) -> NDArray[np.bool_]:
    """(N,) whether a Gaussian shows in the photos that were trained on, where they count."""
    weights = sum((_weights_in(trainer, int(view)) for view in trainer.photos.trained), start=torch.zeros(()))
    return np.asarray((weights >= LEAST_WEIGHT).expand(len(trainer.gaussians)).cpu().numpy())


def _weights_in(trainer: Trainer, view: int) -> torch.Tensor:
    """(N,) the summed compositing weight of each Gaussian in one photo, which is the slope of the picture's sum in a
    channel of its own."""
    gaussians = trainer.gaussians
    camera = Camera.of(trainer.in_box, view, trainer.photos.size(view))
    ones = torch.ones(len(gaussians), 1, device=trainer.device, requires_grad=True)
    picture, _, _ = rasterization(
        gaussians.values["means"].detach(),
        gaussians.values["quats"].detach(),
        gaussians.scales.detach(),
        gaussians.opacities.detach(),
        ones,
        camera.cam_from_world.to(trainer.device),
        camera.intrinsics.to(trainer.device),
        *camera.size,
        near_plane=NEAR,
        packed=False,
        rasterize_mode="antialiased" if trainer.settings.antialiased else "classic",
    )
    _, used = trainer.target(trainer.photos.photo(view))
    return torch.autograd.grad((picture[0, ..., 0] * used).sum(), ones)[0][:, 0]
