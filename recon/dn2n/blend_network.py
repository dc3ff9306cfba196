"""The network that blends views that disagree, in torch, as it is trained; `render.view_network` runs the same fast.

Where the edits of all sources agree, as where nothing is edited, it is blending by rule, exactly. A small network sees
each source's colour at a pixel, before and after the edit, and how its edit differs from the others', at the pixel and
blurred over a 16th and a quarter of a picture (IBRNet's pooling over views, arXiv:2102.13090). It shifts the sources' log
weights, lets them vote on the edit's common tone at both scales and decides how far each source takes it on, how far
the pixel goes to the median, and how much stronger its edit is to be than the sources', of which some fell short.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from render.view_candidate_kernels import TOLERANCE
from render.view_candidates import Candidates
from render.view_network_layout import (
    CALM,
    FAINT,
    HEADER,
    LEAK,
    MAGIC,
    NUM_FEATURES,
    NUM_HEADS,
    NUM_SHARED,
    SPARED,
    SPARED_FROM,
    TINY,
    VISIBLE,
    layer_sizes,
)
from render.view_sources import NUM_SOURCES

FIRST_GATE = 1.0  # of an untrained network, before its bound: sources take on half of the common tone


@dataclass(frozen=True, eq=False)
class CandidateTensors:
    """P pixels as S sources see them: colours (P, S, 3), of the pictures and originals, sharp, coarse and wide; the rest
    (P, S), as in `render.view_candidates.Candidates`."""

    colors: Tensor
    originals: Tensor
    coarse_colors: Tensor
    coarse_originals: Tensor
    wide_colors: Tensor
    wide_originals: Tensor
    disagreement: Tensor
    angle: Tensor
    scale: Tensor
    is_inside: Tensor
    prior: Tensor

    @classmethod
    def of(cls, candidates: Candidates, device: str | torch.device = "cpu") -> CandidateTensors:
        def tensor(name: str) -> Tensor:
            return torch.from_numpy(np.asarray(getattr(candidates, name), np.float32)).to(device)

        return cls(*(tensor(field.name) for field in fields(cls)))


class BlendNetwork(nn.Module):
    """Candidates → colours. width: channels of the hidden layers, a multiple of 4. calm: mean difference of the edits
    at which it does half of what it would; 0 lets it do all of it wherever they differ at all."""

    def __init__(self, width: int = 24, calm: float = CALM) -> None:
        super().__init__()
        self.width, self.calm = width, calm
        self.first = nn.Linear(NUM_FEATURES, width)
        self.second = nn.Linear(width, width)
        self.pooled = nn.Linear(2 * width, width)
        self.third = nn.Linear(width, width, bias=False)
        self.heads = nn.Linear(width, NUM_HEADS)
        self.whole = nn.Linear(width + NUM_SHARED, 2)
        self.temperature = nn.Parameter(torch.ones(1))
        for layer in (self.heads, self.whole):
            nn.init.normal_(layer.weight, 0, 0.01)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.heads.bias[1:3] = FIRST_GATE

    def forward(self, candidates: CandidateTensors) -> Tensor:
        """(P, 3) colours within 0 and 1."""
        c, of = candidates, Evidence.of(candidates, self.calm)
        hidden = leaky_relu(self.first(features(c, of)), LEAK)
        hidden = leaky_relu(self.second(hidden), LEAK)
        context = self.pooled(_pooled(hidden, of.shares))
        hidden = leaky_relu(self.third(hidden) + context[:, None], LEAK)
        shift, wide_gate, coarse_gate, vote = self.heads(hidden).unbind(-1)
        whole = self.whole(torch.cat([leaky_relu(context, LEAK), of.shared], -1))
        share, reach = (of.discord[:, None] * _bounded(whole, 1.0)).unbind(-1)

        discord = of.discord[:, None]
        prior = c.prior * (1 + discord * (self.temperature - 1)) + discord * shift
        spared = SPARED * (1 - discord / SPARED_FROM).clamp(min=0)
        is_more = torch.arange(prior.shape[1], device=prior.device) >= NUM_SOURCES
        weights = torch.softmax(prior - spared * is_more, 1)[..., None]
        votes = torch.softmax(torch.log(of.shares) + vote, 1)[..., None]
        wide = (votes * of.wide_edits).sum(1, keepdim=True) - of.wide_edits
        coarse = (votes * of.coarse_edits).sum(1, keepdim=True) - of.coarse_edits
        wide_gate, coarse_gate = (
            (discord * _bounded(gate, 2.0))[..., None] for gate in (wide_gate, coarse_gate)
        )
        toned = c.colors + wide_gate * wide + coarse_gate * (coarse - wide)
        blend = _toward((weights * toned).sum(1), of.colors, share)
        before = _toward((weights * c.originals).sum(1), of.originals, share)
        return (blend + reach[:, None] * (blend - before)).clamp(0, 1)

    def flat(self) -> NDArray[np.float32]:
        """All parameters as `render.view_network` reads them."""
        parts = [np.array([MAGIC, NUM_FEATURES, self.width, self.calm], np.float32)]
        parts += [value.detach().cpu().numpy().ravel() for value in self._in_order()]
        return np.concatenate(parts).astype(np.float32)

    def load_flat(self, parameters: NDArray[np.float32]) -> None:
        """Take over what `flat` gave. Raises ValueError for parameters of another network."""
        sizes = layer_sizes(parameters)
        if sizes.width != self.width:
            raise ValueError(f"parameters of a network {sizes.width} wide, not {self.width}")
        self.calm = sizes.calm
        start = HEADER
        with torch.no_grad():
            for value in self._in_order():
                part = parameters[start : start + value.numel()]
                value.copy_(torch.from_numpy(part.copy()).reshape(value.shape))
                start += value.numel()

    def _in_order(self) -> list[Tensor]:
        layers = (self.first, self.second, self.pooled, self.third, self.heads, self.whole)
        found = [value for layer in layers for value in (layer.weight, layer.bias) if value is not None]
        return [*found, self.temperature]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the sources say together about P pixels.

    seen: (P, S) within 0 and 1, inside the source, and its depth agrees. shares: (P, S) the same, summing to 1.
    colors, originals: (P, 3) medians of the sources that see a pixel. coarse_edits, wide_edits: (P, S, 3) blurred
    colours less blurred originals. common_coarse, common_wide: (P, 3) their medians. discord: (P,) within 0 and 1, how
    far they differ: 0 where nothing is edited. coarse_strength, wide_strength: (P, S) of a source's edit along the
    common one, coarse_rest, wide_rest: (P, S) how much else it is, sums over channels. shared: (P, NUM_SHARED) what
    tells how far sources fall short: the strongest over the common edit, how strengths spread, the edit's size, what
    else it is.
    """

    seen: Tensor
    shares: Tensor
    colors: Tensor
    originals: Tensor
    coarse_edits: Tensor
    wide_edits: Tensor
    common_coarse: Tensor
    common_wide: Tensor
    discord: Tensor
    coarse_strength: Tensor
    coarse_rest: Tensor
    wide_strength: Tensor
    wide_rest: Tensor
    shared: Tensor

    @classmethod
    def of(cls, c: CandidateTensors, calm: float = CALM) -> Evidence:
        seen = visibility(c)
        is_used = seen > VISIBLE
        is_used = is_used | ~is_used.any(1, keepdim=True)
        shares = (seen + 1e-3) / (seen + 1e-3).sum(1, keepdim=True)
        coarse, wide = c.coarse_colors - c.coarse_originals, c.wide_colors - c.wide_originals
        common_coarse, common_wide = median(coarse, is_used), median(wide, is_used)
        off = (coarse - common_coarse[:, None]).abs().sum(-1) + (wide - common_wide[:, None]).abs().sum(-1)
        amount = (shares * off).sum(1) / 6
        coarse_strength, coarse_rest = _strength(coarse, common_coarse)
        wide_strength, wide_rest = _strength(wide, common_wide)
        strongest = wide_strength.masked_fill(~is_used, -torch.inf).max(1).values
        mean = (shares * wide_strength).sum(1, keepdim=True)
        spread = (shares * (wide_strength - mean) ** 2).sum(1).sqrt()
        shared = [
            _limited(strongest - 1),
            spread.clamp(max=2),
            common_wide.abs().sum(-1),
            (shares * wide_rest).sum(1),
        ]
        return cls(
            seen, shares, median(c.colors, is_used), median(c.originals, is_used), coarse, wide, common_coarse,
            common_wide, amount**2 / (amount**2 + calm**2 + TINY), coarse_strength, coarse_rest, wide_strength, wide_rest,
            torch.stack(shared, -1),
        )  # fmt: skip


def visibility(candidates: CandidateTensors) -> Tensor:
    """(P, S) within 0 and 1: inside the source, and its depth agrees."""
    off = (candidates.disagreement / TOLERANCE) ** 2
    return candidates.is_inside * torch.exp(-0.5 * off.clamp(max=30))


def median(values: Tensor, is_used: Tensor) -> Tensor:
    """(P, 3) per channel of those values (P, S, 3) that are used (P, S), at least one a pixel; the mean of the two in
    the middle where their number is even."""
    ordered = torch.where(is_used[..., None], values, torch.inf).sort(1).values
    count = is_used.sum(1)
    low, high = ((count - 1) // 2)[:, None, None], (count // 2)[:, None, None]
    shape = (-1, -1, values.shape[2])
    return 0.5 * (ordered.gather(1, low.expand(shape)) + ordered.gather(1, high.expand(shape)))[:, 0]


def features(candidates: CandidateTensors, of: Evidence) -> Tensor:
    """(P, S, NUM_FEATURES) what the network sees of each source."""
    c = candidates
    off, before = 3 * (c.colors - of.colors[:, None]), 3 * (c.originals - of.originals[:, None])
    coarse, wide = (
        3 * (of.coarse_edits - of.common_coarse[:, None]),
        3 * (of.wide_edits - of.common_wide[:, None]),
    )
    own = c.colors - c.originals - of.common_coarse[:, None]
    relative = (c.prior - c.prior.max(1, keepdim=True).values).clamp(min=-8) / 4
    single = [
        3 * c.angle.clamp(max=1), of.seen, c.scale.clamp(-2, 2) / 2, relative, coarse.abs().mean(-1),
        wide.abs().mean(-1), before.abs().mean(-1), _limited(of.coarse_strength - 1), of.coarse_rest,
        _limited(of.wide_strength - 1), of.wide_rest, own.abs().sum(-1), (c.coarse_originals - c.originals).abs().sum(-1),
    ]  # fmt: skip
    strongest, _, size, _ = of.shared.unbind(-1)
    whole = [of.common_coarse.abs().sum(-1), size, of.seen.mean(1), strongest, of.discord]
    triple = [c.colors, off, off.abs(), before, coarse, wide]
    alike = torch.stack(whole, -1)[:, None].expand(-1, c.prior.shape[1], -1)
    return torch.cat([*triple, torch.stack(single, -1), alike], -1)


def _strength(edits: Tensor, common: Tensor) -> tuple[Tensor, Tensor]:
    """(P, S) each of edits (P, S, 3): how strong they are along the common one (P, 3), and how much else they are."""
    along = common[:, None]
    strength = ((edits * along).sum(-1) + FAINT) / ((along**2).sum(-1) + FAINT)
    return strength, (edits - strength[..., None] * along).abs().sum(-1)


def _limited(x: Tensor) -> Tensor:
    return x.clamp(-2, 2)


def _pooled(hidden: Tensor, shares: Tensor) -> Tensor:
    """(P, 2 C) mean and variance over sources (P, S, C), weighed by how well they are seen."""
    weight = shares[..., None]
    mean = (hidden * weight).sum(1)
    variance = ((hidden - mean[:, None]) ** 2 * weight).sum(1)
    return torch.cat([mean, variance], -1)


def _toward(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
    return a + share[:, None] * (b - a)


def _bounded(x: Tensor, most: float) -> Tensor:
    """Between -most and most, with slope 1 at 0."""
    return x / (1 + x.abs() / most)
