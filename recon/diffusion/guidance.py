"""How strongly words count: adaptive projected guidance in place of the plain one (APG, arXiv:2410.02416).

A pipeline mixes the predictions of one batch, with and without the words, itself. A hook behind the network replaces all
of them by the guided one: their mixture is then that again, whatever the pipeline's scale.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from recon.diffusion import PaintOptions


@dataclass
class ProjectedGuidance:
    """Steps of one picture. parallel: η, norm: r, momentum: β of the paper."""

    scale: float
    parallel: float = 0.0
    norm: float = 15.0
    momentum: float = -0.5
    _average: Tensor | None = None

    def __call__(self, clean: Tensor, without: Tensor) -> Tensor:
        """The guided clean picture from those foretold with and without the words, (B, C, H, W) each (algorithm 1)."""
        difference = clean - without
        if self._average is not None:
            difference = difference + self.momentum * self._average
        self._average = difference
        axes = tuple(range(1, clean.ndim))
        length = difference.square().sum(axes, keepdim=True).sqrt()
        difference = difference * (self.norm / length.clamp_min(1e-12)).clamp(max=1)
        direction = clean / clean.square().sum(axes, keepdim=True).sqrt().clamp_min(1e-12)
        along = (difference * direction).sum(axes, keepdim=True) * direction
        return clean + (self.scale - 1) * (difference - along + self.parallel * along)


@contextmanager
def with_guidance(pipeline: Any, order: Sequence[str], scale: float, options: PaintOptions) -> Iterator[None]:
    """APG within, where the options ask for it. order: what the batch's predictions are."""
    if not options.apg or scale <= 1 or not order:
        yield
        return
    network = getattr(pipeline, "unet", None) or pipeline.transformer
    wishes = (options.apg_parallel, options.apg_norm, options.apg_momentum)
    hook = _Hook(pipeline.scheduler, tuple(order), ProjectedGuidance(scale, *wishes), options.image_guidance)
    handle = network.register_forward_hook(hook, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


@dataclass
class _Hook:
    scheduler: Any
    order: tuple[str, ...]
    guidance: ProjectedGuidance
    image_scale: float

    def __call__(self, module: Any, given: tuple[Any, ...], named: dict[str, Any], output: Any) -> Any:
        made = output[0] if isinstance(output, tuple) else output.sample
        count = len(self.order)
        if len(made) % count:
            return output  # the pipeline runs without guidance
        noisy = given[0] if given else named["hidden_states"]
        time = given[1] if len(given) > 1 else named["timestep"]
        noisy = noisy[: len(noisy) // count, : made.shape[1]].float()
        foretold = dict(zip(self.order, made.float().chunk(count), strict=True))
        rule = _rule(self.scheduler, time, noisy)
        other = foretold.get("image", foretold["uncond"])
        clean, without = rule.clean(foretold["cond"]), rule.clean(other)
        guided = rule.prediction(self.guidance(clean, without))
        if "image" in foretold:
            guided = guided + (self.image_scale - 1) * (foretold["image"] - foretold["uncond"])
        guided = torch.cat([guided] * count).to(made.dtype)
        return (guided, *output[1:]) if isinstance(output, tuple) else type(output)(sample=guided)


@dataclass(frozen=True)
class PredictionRule:
    """clean = a · noisy − b · prediction."""

    noisy: Tensor
    a: float
    b: float

    def clean(self, prediction: Tensor) -> Tensor:
        return self.a * self.noisy - self.b * prediction

    def prediction(self, clean: Tensor) -> Tensor:
        return (self.a * self.noisy - clean) / self.b


def _rule(scheduler: Any, time: Tensor | float, noisy: Tensor) -> PredictionRule:
    """What a prediction means at a time (0 … 1000): a velocity of a straight flow, noise, or a v-prediction."""
    now = float(torch.as_tensor(time).float().reshape(-1)[0])
    if not hasattr(scheduler, "alphas_cumprod"):
        return PredictionRule(noisy, 1.0, max(now / scheduler.config.num_train_timesteps, 1e-4))
    kept = float(scheduler.alphas_cumprod[int(now)])
    signal, noise = kept**0.5, max((1 - kept) ** 0.5, 1e-4)
    if scheduler.config.prediction_type == "v_prediction":
        return PredictionRule(noisy, signal, noise)
    return PredictionRule(noisy, 1 / signal, noise / signal)
