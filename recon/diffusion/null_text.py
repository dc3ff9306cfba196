"""Null-text inversion (arXiv:2211.09794) with prompt-to-prompt (arXiv:2208.01626) or Guide-and-Rescale (arXiv:2409.01322).

A picture is turned into noise by DDIM; the words for nothing are fitted in each step so that guidance leads back to the
same picture; then other words lead elsewhere while the picture's layout is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from recon.diffusion import PaintOptions
from recon.diffusion.attention_control import (
    PromptToPrompt,
    SeenMaps,
    controlled,
    matched_tokens,
    word_weights,
)
from recon.diffusion.ddim import Ddim, invert
from recon.diffusion.guidance import ProjectedGuidance
from recon.diffusion.painter import Float, Painter, resized, to_picture, to_tensor
from recon.errors import SettingsError

_RATE = 1e-2  # of the words for nothing, in the first step
_ENOUGH, _ENOUGH_MORE = (
    1e-5,
    2e-5,
)  # loss at which a step's words are good: in the first one, and for each after
_LAYOUT = 1 / 16  # of the latents' pixels, which layers have at most whose layout is taken over
_MOST_PULL = 3.0  # of Guide-and-Rescale's pull, to that of the words


class NullTextPainter(Painter):
    """Redraws a picture by changed words and keeps its layout."""

    channels = frozenset({4})

    def notes(self) -> tuple[str, ...]:
        if self.options.source or self.options.keeps != "prompt-to-prompt":
            return ()
        return (
            "Nothing says what the photos show (option source), so only their layout is kept, not their words.",
        )

    def repaint(
        self, rgb: Float, mask: Float, prompt: str, generator: torch.Generator, strength: float
    ) -> Float:
        if self.options.apg and self.options.keeps == "prompt-to-prompt":
            raise SettingsError(
                "Null-text inversion is fitted to plain guidance.",
                "Leave apg out, or choose keeps=guide-and-rescale.",
            )
        ddim = Ddim(self.pipeline, self.steps)
        ddim.unet.requires_grad_(False)
        latents = ddim.encode(to_tensor(rgb))
        part = torch.tensor(resized(mask, tuple(latents.shape[-2:])), device=latents.device).clamp(0, 1)
        source, target = ddim.words(self.options.source), ddim.words(prompt)
        kept = invert(ddim, latents, source)
        if self.options.keeps == "guide-and-rescale":
            made = guided_and_rescaled(ddim, kept, source, target, self.guidance, self.options, part)
        else:
            nothing = fitted_nothing(
                ddim, kept, source, ddim.words(self.options.negative), self.guidance, self.options.inner_steps
            )
            control = self._control(prompt, latents)
            made = edited(ddim, kept, (source, target), nothing, self.guidance, control, part)
        return to_picture(ddim.decode(made))

    def _control(self, prompt: str, latents: Tensor) -> PromptToPrompt:
        options, tokenizer = self.options, self.pipeline.tokenizer
        source, target = (
            tokenizer(
                text, padding="max_length", truncation=True, max_length=tokenizer.model_max_length
            ).input_ids
            for text in (options.source, prompt)
        )
        return PromptToPrompt(
            torch.tensor(matched_tokens(source, target)), torch.tensor(word_weights(options.reweight, prompt, tokenizer)),
            round(options.cross_share * self.steps), round(options.self_share * self.steps),
            int(_LAYOUT * latents.shape[-2] * latents.shape[-1]),
        )  # fmt: skip


def fitted_nothing(
    ddim: Ddim, kept: Sequence[Tensor], words: Tensor, nothing: Tensor, guidance: float, inner_steps: int
) -> list[Tensor]:
    """Words for nothing (1, 77, C) of each step, with which guidance leads along the inverted latents (algorithm 1)."""
    here, found = kept[0], []
    nothing = nothing.float()
    for step, time in enumerate(ddim.times):
        with torch.no_grad():
            cond = ddim.noise(here, time, words)
        nothing = nothing.detach().clone().requires_grad_()
        adam = torch.optim.Adam([nothing], lr=_RATE * (1 - step / (2 * len(ddim.times))))
        for _ in range(inner_steps):
            with torch.enable_grad():
                without = ddim.noise(here, time, nothing)
                made = ddim.back(without + guidance * (cond - without), time, here)
                loss = (made - kept[step + 1]).square().mean()
                adam.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
            if float(loss.detach()) < _ENOUGH + step * _ENOUGH_MORE:
                break
        with torch.no_grad():
            without = ddim.noise(here, time, nothing)
            here = ddim.back(without + guidance * (cond - without), time, here)
        found.append(nothing.detach())
    return found


def edited(
    ddim: Ddim, kept: Sequence[Tensor], words: tuple[Tensor, Tensor], nothing: Sequence[Tensor], guidance: float,
    control: PromptToPrompt, part: Tensor,
) -> Tensor:  # fmt: skip
    """Latents by the second words, drawn beside those by the first; outside the part (h, w) they are the first's."""
    here = torch.cat([kept[0], kept[0]])
    both = torch.cat(words)
    with torch.no_grad(), controlled(ddim.unet, control):
        for step, time in enumerate(ddim.times):
            control.step = step
            empty = nothing[step].to(both.dtype).expand(2, -1, -1)
            without, cond = ddim.noise(torch.cat([here, here]), time, torch.cat([empty, both])).chunk(2)
            here = ddim.back(without + guidance * (cond - without), time, here)
            here = torch.cat([here[:1], torch.lerp(here[:1], here[1:], part)])
    return here[1:]


def guided_and_rescaled(
    ddim: Ddim, kept: Sequence[Tensor], source: Tensor, target: Tensor, guidance: float, options: PaintOptions,
    part: Tensor,
) -> Tensor:  # fmt: skip
    """Latents by other words, pulled in each step to the self-attention of the inverted picture. The pull is rescaled to
    stay between a least and a most share of the words' own (noise rescaling, section 3.3 there). Of its guiders we take
    the one of self-attention; bounds and its use in all steps are ours."""
    here, nothing = kept[0], ddim.words(options.negative)
    projected = ProjectedGuidance(guidance, options.apg_parallel, options.apg_norm, options.apg_momentum)
    for step, time in enumerate(ddim.times):
        with torch.no_grad():
            without, cond = ddim.noise(here.expand(2, -1, -1, -1), time, torch.cat([nothing, target])).chunk(
                2
            )
        words = (guidance - 1) * (cond - without)
        if options.apg:
            rule = ddim.rule(time, here)
            words = rule.prediction(projected(rule.clean(cond), rule.clean(without))) - cond
        pull = _layout_slope(ddim, here, kept[step], time, source)
        share = float(pull.norm() / words.norm().clamp_min(1e-8))
        wanted = min(max(share, options.guide_share), _MOST_PULL)
        noise = cond + words + pull * (wanted / share if share > 0 else 0.0)
        here = ddim.back(noise, time, here)
        here = torch.lerp(kept[step + 1], here, part.expand_as(here))
    return here


def _layout_slope(ddim: Ddim, here: Tensor, original: Tensor, time: int, words: Tensor) -> Tensor:
    """Which way latents leave the self-attention that the original's have."""
    wanted, found = SeenMaps(), SeenMaps()
    with torch.no_grad(), controlled(ddim.unet, wanted):
        ddim.noise(original, time, words)
    leaf = here.detach().requires_grad_()
    with torch.enable_grad(), controlled(ddim.unet, found):
        ddim.noise(leaf, time, words)
        energy = torch.stack(
            [(a - b).square().sum() for a, b in zip(found.maps, wanted.maps, strict=True)]
        ).sum()
        (slope,) = torch.autograd.grad(energy, leaf)
    return slope
