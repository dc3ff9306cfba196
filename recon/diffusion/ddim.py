"""Stable Diffusion 1.x step by step: latents, noise foretold, and deterministic steps both ways (DDIM, arXiv:2010.02502)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from recon.diffusion.guidance import PredictionRule
from recon.diffusion.loading import check_finite


class Ddim:
    """The networks of a pipeline, as functions. times: descending, for so many steps."""

    def __init__(self, pipeline: Any, steps: int) -> None:
        from diffusers import DDIMScheduler

        self._pipeline = pipeline
        self._scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
        self._scheduler.set_timesteps(steps)
        self.times = [int(time) for time in self._scheduler.timesteps]
        self._stride = self._scheduler.config.num_train_timesteps // steps

    @property
    def unet(self) -> Any:
        return self._pipeline.unet

    @property
    def device(self) -> torch.device:
        found: torch.device = self._pipeline._execution_device
        return found

    def words(self, prompt: str) -> Tensor:
        """(1, 77, C) what a prompt is to the network."""
        with torch.no_grad():
            found: Tensor = self._pipeline.encode_prompt(prompt, self.device, 1, False)[0]
        return found

    def encode(self, picture: Tensor) -> Tensor:
        """(1, 4, h, w) float32 latents of a picture (1, 3, H, W) within 0 and 1."""
        vae = self._pipeline.vae
        with torch.no_grad():
            latents: Tensor = (
                vae.encode(picture.to(self.device, vae.dtype) * 2 - 1).latent_dist.mode().float()
            )
        return latents * float(vae.config.scaling_factor)

    def decode(self, latents: Tensor) -> Tensor:
        """(1, 3, H, W) within 0 and 1. Raises InputError where a number is none."""
        vae = self._pipeline.vae
        with torch.no_grad():
            made: Tensor = vae.decode((latents / vae.config.scaling_factor).to(vae.dtype)).sample
        return (check_finite(made).float() / 2 + 0.5).clamp(0, 1)

    def noise(self, latents: Tensor, time: int, words: Tensor) -> Tensor:
        """(B, 4, h, w) float32 noise foretold in latents of as many prompts. Slopes flow."""
        made: Tensor = self.unet(latents.to(self.unet.dtype), time, words.to(self.unet.dtype)).sample
        return check_finite(made).float()

    def back(self, noise: Tensor, time: int, latents: Tensor) -> Tensor:
        """Latents one step nearer to the picture."""
        return _moved(latents, noise, self._kept(time), self._kept(time - self._stride))

    def forth(self, noise: Tensor, time: int, latents: Tensor) -> Tensor:
        """Latents of the step before, at a time, one step nearer to noise."""
        return _moved(latents, noise, self._kept(time - self._stride), self._kept(time))

    def rule(self, time: int, latents: Tensor) -> PredictionRule:
        """What foretold noise means at a time."""
        kept = self._kept(time)
        return PredictionRule(latents, kept**-0.5, ((1 - kept) / kept) ** 0.5)

    def _kept(self, time: int) -> float:
        """Share of the picture's variance at a time."""
        scheduler = self._scheduler
        return float(scheduler.alphas_cumprod[time] if time >= 0 else scheduler.final_alpha_cumprod)


def _moved(latents: Tensor, noise: Tensor, kept: float, kept_then: float) -> Tensor:
    clean: Tensor = (latents - (1 - kept) ** 0.5 * noise) / kept**0.5
    moved: Tensor = kept_then**0.5 * clean + (1 - kept_then) ** 0.5 * noise
    return moved


def invert(ddim: Ddim, latents: Tensor, words: Tensor) -> list[Tensor]:
    """Latents turned into noise: at each of the times, then the latents themselves."""
    here, found = latents, [latents]
    for time in reversed(ddim.times):
        with torch.no_grad():
            here = ddim.forth(ddim.noise(here, time, words), time, here)
        found.append(here)
    return found[::-1]
