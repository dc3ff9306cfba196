"""Score distillation with a straight flow: which way a picture must change to look as the words say.

RFDS-Rev (arXiv:2406.03293, algorithm 3), with which RoMaP (arXiv:2507.11061, section 3.3) pulls besides its anchors: noise
is first turned to what the network would take the picture from, then the guided velocity from there is compared with the
picture's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from recon.diffusion.flow import Flow, Words, noise_like
from recon.diffusion.loading import guarded
from recon.diffusion.painter import Float, network_size, resized, to_tensor
from recon.errors import SettingsError


@dataclass(frozen=True)
class DistillationWishes:
    """first, last: times between which one is drawn, 0 picture … 1 noise. size: longer side, multiple: of both."""

    prompt: str
    negative: str = ""
    guidance: float = 100.0
    first: float = 0.3
    last: float = 0.98
    size: int = 512
    multiple: int = 16


class Distillation:
    """Slopes of one prompt's loss, with noise and times of one seed."""

    def __init__(self, flow: Flow, wishes: DistillationWishes, seed: int) -> None:
        if wishes.first > wishes.last:
            raise SettingsError(
                "The times of score distillation are crossed.", "Let the first be the smaller one."
            )
        self._flow, self._wishes = flow, wishes
        with guarded():
            self._words: Words = flow.words(wishes.prompt).beside(flow.words(wishes.negative))
            self._nothing = flow.words("")
        self._generator = torch.Generator("cpu").manual_seed(seed % 2**63)

    def slope(self, picture: Float, mask: Float) -> Float:
        """(H, W, 3) slope of the loss by a picture within 0 and 1; 0 outside the mask (H, W). Raises OutOfMemory."""
        size = network_size(picture.shape, self._wishes.size, self._wishes.multiple)
        leaf = to_tensor(picture).requires_grad_()
        with guarded(), torch.enable_grad():
            seen = torch.nn.functional.interpolate(leaf, size=size, mode="bilinear", antialias=True)
            latents = self._flow.encode(seen.clamp(0, 1))
            target = self._target(latents.detach())
            inside = torch.tensor(resized(mask, tuple(latents.shape[-2:])), device=latents.device).clamp(0, 1)
            weight = inside / (inside.sum() * latents.shape[1]).clamp_min(1e-6)
            loss = ((latents - target).square() * weight).sum()
            (slope,) = torch.autograd.grad(loss, leaf)
        found: Float = slope[0].permute(1, 2, 0).float().numpy() * mask[..., None]
        return found

    def _target(self, latents: Tensor) -> Tensor:
        """The latents whose own velocity is the guided one."""
        wishes, flow = self._wishes, self._flow
        time = wishes.first + (wishes.last - wishes.first) * float(torch.rand((), generator=self._generator))
        noise = noise_like(latents, self._generator)
        noisy = time * noise + (1 - time) * latents
        noise = noise + (1 - time) * (flow.velocity(noisy, time, self._nothing) + latents - noise)
        noisy = time * noise + (1 - time) * latents
        cond, without = flow.velocity(noisy, time, self._words).chunk(2)
        return noise - (without + wishes.guidance * (cond - without))
