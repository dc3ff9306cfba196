"""Adaptive density control of 3DGS (arXiv:2308.04079, section 5): clone what is small, split what is large."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from recon.splats.parameters import Arrays, Gaussians
from recon.splats.relocation import rotations

SMALL = 0.01  # extents; a Gaussian up to this size is cloned, a larger one split
LARGEST = 0.1  # extents; a larger one is removed after the first reset
SHRINK = 1.6  # a split Gaussian's halves are smaller by
RESET_EVERY = 30  # refinements
RESET_TO = 2.0  # least opacities


class Errors:
    """For each Gaussian the sum of the slopes of its place in the pictures, and in how many it was seen."""

    def __init__(self, count: int, device: torch.device) -> None:
        self.sums = torch.zeros(count, device=device)
        self.seen = torch.zeros(count, device=device)

    def add(self, slope: Tensor, is_seen: Tensor, size: tuple[int, int]) -> None:
        """slope: (N, 2) of the loss in pixels of a picture of `size`; is_seen: (N,)."""
        half = torch.tensor(size, dtype=torch.float32, device=slope.device) / 2  # to units of half a picture
        self.sums += (slope * half).norm(dim=1) * is_seen
        self.seen += is_seen

    @property
    def means(self) -> Tensor:
        return self.sums / self.seen.clamp(min=1)

    def state(self) -> Arrays:
        return {"error sums": self.sums.cpu().numpy().copy(), "error seen": self.seen.cpu().numpy().copy()}

    def load(self, arrays: Arrays) -> None:
        """Go on from what `state` gave."""
        self.sums = torch.from_numpy(np.array(arrays["error sums"])).to(self.sums.device)
        self.seen = torch.from_numpy(np.array(arrays["error seen"])).to(self.seen.device)


@torch.no_grad()
def clone_and_split(
    gaussians: Gaussians, errors: Errors, threshold: float, most: int, generator: torch.Generator
) -> int:
    """Double the Gaussians whose mean slope exceeds the threshold, those with the largest first where `most` is near.

    Returns how many were added.
    """
    means = errors.means
    chosen = torch.nonzero(means > threshold)[:, 0]
    room = max(0, most - len(gaussians))
    if len(chosen) > room:
        chosen = chosen[torch.argsort(means[chosen], descending=True, stable=True)[:room]]
    is_small = gaussians.scales[chosen].max(1).values <= SMALL
    small, large = chosen[is_small], chosen[~is_small]
    added = gaussians.rows(small)
    for name, halves in _halves(gaussians, large, generator).items():
        gaussians.values[name].data[large] = halves[0]
        added[name] = torch.cat([added[name], halves[1]])
    gaussians.rest(large)
    gaussians.append(added)
    return len(chosen)


@torch.no_grad()
def prune(gaussians: Gaussians, min_opacity: float, is_late: bool) -> int:
    """Remove what has faded and, late, what is too large. Never all. Returns how many."""
    kept = gaussians.opacities > min_opacity
    if is_late:
        kept &= gaussians.scales.max(1).values < LARGEST
    if not bool(kept.any()) or bool(kept.all()):
        return 0
    gaussians.keep(kept)
    return int((~kept).sum())


@torch.no_grad()
def reset_opacities(gaussians: Gaussians, min_opacity: float) -> None:
    """Fade everything, so that only what the photos need comes back."""
    limit = min(RESET_TO * min_opacity, 0.5)
    gaussians.values["opacity_logits"].data.clamp_(max=math.log(limit / (1 - limit)))
    for moment in gaussians.moments["opacity_logits"]:
        moment.zero_()


def _halves(gaussians: Gaussians, rows: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """(2, M, ...) two smaller Gaussians each, drawn from the one that they replace."""
    values = gaussians.rows(rows)
    normal = torch.randn(2, len(rows), 3, generator=generator, device=gaussians.device)
    offsets = rotations(values["quats"]) @ (normal * values["log_scales"].exp())[..., None]
    halves = {name: value.expand(2, *value.shape).clone() for name, value in values.items()}
    halves["means"] += offsets[..., 0]
    halves["log_scales"] -= math.log(SHRINK)
    return halves
