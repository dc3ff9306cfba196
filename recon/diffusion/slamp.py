"""Scheduled latent mixing and part editing: RoMaP (arXiv:2507.11061), algorithm 2, through Stable Diffusion 3.

The picture is turned into noise and back again by other words. Outside the part the original's latents are mixed in,
little in the early steps and much in the last: when that changes is the trade-off between a bold change of the part and
one that fits what is around it. The paper gives neither γ, η, α nor the number of steps; the values here are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from recon.diffusion import PaintOptions
from recon.diffusion.flow import Flow, Words, invert, noise_like
from recon.diffusion.guidance import ProjectedGuidance
from recon.diffusion.painter import Float, Painter, resized, to_picture, to_tensor


@dataclass(frozen=True)
class Mixing:
    """When latents of the original stand outside the part. steps: of all; last: t_s, how many of them keep much."""

    base: float
    late: float
    last: int
    steps: int

    def share(self, step: int) -> float:
        """F of step 1, 2, … in algorithm 2."""
        return self.late if step > self.steps - self.last else self.base


@dataclass(frozen=True)
class Pull:
    """η: how strongly the first steps are pulled to the original."""

    eta: float
    steps: int

    def share(self, step: int) -> float:
        return self.eta if step <= self.steps else 0.0


class SlampPainter(Painter):
    """Repaints a part of a picture."""

    def notes(self) -> tuple[str, ...]:
        return ("Values of SLaMP that its paper does not give (γ, η, α) are this program's.",)

    def repaint(
        self, rgb: Float, mask: Float, prompt: str, generator: torch.Generator, strength: float
    ) -> Float:
        flow = Flow(self.pipeline)
        with torch.no_grad():
            original = flow.encode(to_tensor(rgb))
        part = torch.tensor(resized(mask, tuple(original.shape[-2:])), device=original.device).clamp(0, 1)
        made = slamp(flow, original, part, prompt, self.options, self.steps, self.guidance, generator)
        return to_picture(flow.decode(made))


def slamp(
    flow: Flow, original: Tensor, part: Tensor, prompt: str, options: PaintOptions, steps: int, guidance: float,
    generator: torch.Generator,
) -> Tensor:  # fmt: skip
    """Latents (1, C, h, w) of the picture by other words. part: (h, w) within 0 and 1."""
    times = flow.times(steps)
    nothing = flow.words(options.negative)
    kept = invert(flow, original, flow.words(""), noise_like(original, generator), times, options.gamma)
    words = flow.words(prompt)
    if options.source:
        words = flow.words(options.source).mixed(words, options.prompt_share)
    mixing = Mixing(options.alpha_base, options.alpha_last, round(options.mix_steps * steps), steps)
    pull = Pull(options.eta, round(options.eta_share * steps))
    guide = _guide(flow, words, nothing, guidance, options)
    here = kept[0]
    for step, (now, then) in enumerate(pairwise(times), 1):
        velocity = torch.lerp(guide(here, now), (here - original) / now, pull.share(step))
        here = here + (then - now) * velocity
        outside = mixing.share(step) * (1 - part)
        here = torch.lerp(here, kept[step], outside.expand_as(here))
    return here


def _guide(
    flow: Flow, words: Words, nothing: Words, scale: float, options: PaintOptions
) -> Callable[[Tensor, float], Tensor]:
    """The velocity at latents and a time, by the words more than without them."""
    both = words.beside(nothing)
    projected = ProjectedGuidance(scale, options.apg_parallel, options.apg_norm, options.apg_momentum)

    def guided(here: Tensor, now: float) -> Tensor:
        if scale <= 1:
            return flow.velocity(here, now, words)
        cond, without = flow.velocity(here, now, both).chunk(2)
        if not options.apg:
            return without + scale * (cond - without)
        return (here - projected(here - now * cond, here - now * without)) / now

    return guided
