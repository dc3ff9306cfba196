"""Stable Diffusion 3 step by step: its latents, its velocity, and pictures turned back into noise.

A straight flow leads from the picture at time 0 to noise at time 1: z(t) = (1 − t) z(0) + t n, velocity v = n − z(0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from recon.diffusion.loading import check_finite


@dataclass(frozen=True)
class Words:
    """What a prompt is to the network. tokens: (B, L, C); pooled: (B, C)."""

    tokens: Tensor
    pooled: Tensor

    def mixed(self, other: Words, share: float) -> Words:
        """So much of the other."""
        return Words(
            torch.lerp(self.tokens, other.tokens, share), torch.lerp(self.pooled, other.pooled, share)
        )

    def beside(self, other: Words) -> Words:
        """Both as one batch."""
        return Words(torch.cat([self.tokens, other.tokens]), torch.cat([self.pooled, other.pooled]))


class Flow:
    """The networks of a pipeline of Stable Diffusion 3, as functions."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._horizon = float(pipeline.scheduler.config.num_train_timesteps)

    @property
    def device(self) -> torch.device:
        found: torch.device = self._pipeline._execution_device
        return found

    @property
    def dtype(self) -> torch.dtype:
        found: torch.dtype = self._pipeline.transformer.dtype
        return found

    def words(self, prompt: str) -> Words:
        """A prompt for the network."""
        with torch.no_grad():
            tokens, _, pooled, _ = self._pipeline.encode_prompt(
                prompt, prompt, prompt, device=self.device, do_classifier_free_guidance=False
            )
        return Words(tokens, pooled)

    def times(self, steps: int) -> list[float]:
        """From noise, 1, to picture, 0: one more than steps, spaced as the network was trained."""
        scheduler = self._pipeline.scheduler
        scheduler.set_timesteps(steps)
        return [float(sigma) for sigma in scheduler.sigmas]

    def encode(self, picture: Tensor) -> Tensor:
        """(1, C, h, w) float32 latents of a picture (1, 3, H, W) within 0 and 1: the mean of what they may be."""
        vae = self._pipeline.vae
        latents: Tensor = vae.encode(picture.to(self.device, vae.dtype) * 2 - 1).latent_dist.mode().float()
        return (latents - (vae.config.shift_factor or 0)) * float(vae.config.scaling_factor)

    def decode(self, latents: Tensor) -> Tensor:
        """(1, 3, H, W) within 0 and 1. Raises InputError where a number is none."""
        vae = self._pipeline.vae
        scaled = latents / vae.config.scaling_factor + (vae.config.shift_factor or 0)
        with torch.no_grad():
            made: Tensor = vae.decode(scaled.to(vae.dtype)).sample
        return (check_finite(made).float() / 2 + 0.5).clamp(0, 1)

    def velocity(self, latents: Tensor, time: float, words: Words) -> Tensor:
        """v at latents (1, C, h, w) for each of the words' B prompts: (B, C, h, w) float32."""
        count = len(words.tokens)
        with torch.no_grad():
            made: Tensor = self._pipeline.transformer(
                hidden_states=latents.expand(count, -1, -1, -1).to(self.dtype),
                timestep=torch.full((count,), time * self._horizon, device=self.device),
                encoder_hidden_states=words.tokens, pooled_projections=words.pooled, return_dict=False,
            )[0]  # fmt: skip
        return check_finite(made).float()


def invert(
    flow: Flow, latents: Tensor, words: Words, noise: Tensor, times: Sequence[float], gamma: float
) -> list[Tensor]:
    """Latents at each of the times, turned into noise step by step (controlled forward flow of RF inversion,
    arXiv:2410.10792, eq. 8): z ← z + dt (γ (noise − z) / (1 − t) + (1 − γ) v).

    times: from 1 to 0; the list is in their order, its last entry the latents themselves.
    """
    here, found = latents, [latents]
    for now, then in zip(times[:0:-1], times[-2::-1], strict=True):
        towards = (noise - here) / max(1 - now, 1e-6)
        own = flow.velocity(here, now, words) if gamma < 1 else towards
        here = here + (then - now) * torch.lerp(own, towards, gamma)
        found.append(here)
    return found[::-1]


def noise_like(latents: Tensor, generator: torch.Generator) -> Tensor:
    """Standard noise from a generator on the CPU, the same on every device."""
    return torch.randn(latents.shape, generator=generator).to(latents.device)
