"""The network that blends views that disagree, in torch, as it is trained; `render.view_network` runs the same fast.

It begins as blending by rule. A small network sees each source's colour at a pixel, before and after the edit, sharp
and coarse, beside the medians of all sources (IBRNet's pooling over views, arXiv:2102.13090). It shifts the sources' log
weights, and decides how far each source takes on the tone that all have in common, how far the pixel goes to the median,
and how much stronger its edit is to be than the sources', of which some fell short.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from render.view_candidate_kernels import TOLERANCE
from render.view_candidates import Candidates
from render.view_network_layout import FAINT, HEADER, MAGIC, NUM_FEATURES, VISIBLE, layer_sizes


@dataclass(frozen=True, eq=False)
class CandidateTensors:
    """P pixels as S sources see them: colours (P, S, 3), of the pictures and originals, sharp and coarse; the rest
    (P, S), as in `render.view_candidates.Candidates`."""

    colors: Tensor
    originals: Tensor
    coarse_colors: Tensor
    coarse_originals: Tensor
    disagreement: Tensor
    angle: Tensor
    scale: Tensor
    is_inside: Tensor
    prior: Tensor

    @classmethod
    def of(cls, candidates: Candidates, device: str | torch.device = "cpu") -> CandidateTensors:
        def tensor(array: NDArray[np.float32] | NDArray[np.bool_]) -> Tensor:
            return torch.from_numpy(np.asarray(array, np.float32)).to(device)

        return cls(
            tensor(candidates.colors), tensor(candidates.originals), tensor(candidates.coarse_colors),
            tensor(candidates.coarse_originals), tensor(candidates.disagreement), tensor(candidates.angle),
            tensor(candidates.scale), tensor(candidates.is_inside), tensor(candidates.prior),
        )  # fmt: skip


class BlendNetwork(nn.Module):
    """Candidates → colours. width: channels of the hidden layers, a multiple of 4."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.width = width
        self.first = nn.Linear(NUM_FEATURES, width)
        self.second = nn.Linear(width, width)
        self.pooled = nn.Linear(2 * width, width)
        self.third = nn.Linear(width, width, bias=False)
        self.shift = nn.Linear(width, 2)
        self.whole = nn.Linear(width, 2)
        self.temperature = nn.Parameter(torch.ones(1))
        for layer in (self.shift, self.whole):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, candidates: CandidateTensors) -> Tensor:
        """(P, 3) colours within 0 and 1."""
        c = candidates
        seen = visibility(c)
        is_used = seen > VISIBLE
        is_used = is_used | ~is_used.any(1, keepdim=True)
        middle = Medians.of(c, is_used)
        hidden = torch.relu(self.first(features(c, seen, middle)))
        hidden = torch.relu(self.second(hidden))
        context = self.pooled(_pooled(hidden, seen))
        shift, gate = self.shift(torch.relu(self.third(hidden) + context[:, None])).unbind(-1)
        weights = torch.softmax(c.prior * self.temperature + shift, 1)
        toned = c.colors + _softsign(gate)[..., None] * (middle.coarse_colors[:, None] - c.coarse_colors)
        share, reach = _softsign(self.whole(torch.relu(context))).unbind(-1)
        blend = _toward((weights[..., None] * toned).sum(1), middle.colors, share)
        before = _toward((weights[..., None] * c.originals).sum(1), middle.originals, share)
        return (blend + reach[:, None] * (blend - before)).clamp(0, 1)

    def flat(self) -> NDArray[np.float32]:
        """All parameters as `render.view_network` reads them."""
        parts = [np.array([MAGIC, NUM_FEATURES, self.width, 0], np.float32)]
        parts += [value.detach().cpu().numpy().ravel() for value in self._in_order()]
        return np.concatenate(parts).astype(np.float32)

    def load_flat(self, parameters: NDArray[np.float32]) -> None:
        """Take over what `flat` gave. Raises ValueError for parameters of another network."""
        sizes = layer_sizes(parameters)
        if sizes.width != self.width:
            raise ValueError(f"parameters of a network {sizes.width} wide, not {self.width}")
        start = HEADER
        with torch.no_grad():
            for value in self._in_order():
                part = parameters[start : start + value.numel()]
                value.copy_(torch.from_numpy(part.copy()).reshape(value.shape))
                start += value.numel()

    def _in_order(self) -> list[Tensor]:
        layers = (self.first, self.second, self.pooled, self.third, self.shift, self.whole)
        found = [value for layer in layers for value in (layer.weight, layer.bias) if value is not None]
        return [*found, self.temperature]


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


@dataclass(frozen=True, eq=False)
class Medians:
    """(P, 3) each, of the sources that see a pixel."""

    colors: Tensor
    coarse_colors: Tensor
    originals: Tensor
    coarse_originals: Tensor

    @classmethod
    def of(cls, c: CandidateTensors, is_used: Tensor) -> Medians:
        of_all = (c.colors, c.coarse_colors, c.originals, c.coarse_originals)
        return cls(*(median(values, is_used) for values in of_all))


def features(candidates: CandidateTensors, seen: Tensor, middle: Medians) -> Tensor:
    """(P, S, NUM_FEATURES) what the network sees of each source."""
    c = candidates
    off = 3 * (c.colors - middle.colors[:, None])
    coarse_off = 3 * (c.coarse_colors - middle.coarse_colors[:, None])
    before = 3 * (c.originals - middle.originals[:, None])
    coarse_before = 3 * (c.coarse_originals - middle.coarse_originals[:, None])
    common, own = (
        (middle.coarse_colors - middle.coarse_originals)[:, None],
        c.coarse_colors - c.coarse_originals,
    )
    strength = ((own * common).sum(-1) + FAINT) / ((common**2).sum(-1) + FAINT)
    other = own - strength[..., None] * common
    relative = (c.prior - c.prior.max(1, keepdim=True).values).clamp(min=-8) / 4
    single = [
        3 * c.angle.clamp(max=1), seen, c.scale.clamp(-2, 2) / 2, relative, coarse_off.abs().mean(-1),
        before.abs().mean(-1), (strength - 1).clamp(-2, 2), 3 * other.abs().mean(-1),
        3 * common.abs().mean(-1).expand_as(seen), seen.mean(1, keepdim=True).expand_as(seen),
    ]  # fmt: skip
    triple = [c.colors, off, off.abs(), coarse_off, before, coarse_before]
    return torch.cat([*triple, torch.stack(single, -1)], -1)


def _pooled(hidden: Tensor, seen: Tensor) -> Tensor:
    """(P, 2 C) mean and variance over sources (P, S, C), weighed by how well they are seen."""
    weight = (seen + 1e-3)[..., None]
    weight = weight / weight.sum(1, keepdim=True)
    mean = (hidden * weight).sum(1)
    variance = ((hidden - mean[:, None]) ** 2 * weight).sum(1)
    return torch.cat([mean, variance], -1)


def _toward(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
    return a + share[:, None] * (b - a)


def _softsign(x: Tensor) -> Tensor:
    """Between -1 and 1, with slope 1 at 0."""
    return x / (1 + x.abs())
