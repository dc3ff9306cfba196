"""3DGS-MCMC (arXiv:2404.09591): relocate what has faded, grow by a share, and explore by noise."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recon.splats.parameters import Gaussians

GROWTH = 1.05  # at each refinement
MOST_COPIES = 51  # of one Gaussian at once
STEEPNESS, KNEE = 100.0, 0.995  # of the noise over 1 - opacity
OPAQUE = 0.2  # above, the noise is less than a millionth of its most
OPACITY_MARGIN = 1e-6


def split_evenly(
    opacities: NDArray[np.float64], copies: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Opacity (N,) and factor of the scales (N,) of `copies` Gaussians in one place that look as one did.

    opacities: (N,) of the one. copies: (N,) >= 1. Equation 9 of 3DGS-MCMC, whose double sum over binomials is
    Σ_j C(n, j) (-1)^(j-1) o^j / √j by the hockey-stick identity.
    """
    shared = 1 - (1 - opacities) ** (1 / copies)
    total = np.zeros(len(opacities))
    for j in range(1, int(copies.max(initial=1)) + 1):
        choices = np.array([math.comb(int(n), j) for n in np.arange(copies.max(initial=1) + 1)], np.float64)
        total += choices[copies] * (-1) ** (j - 1) * shared**j / math.sqrt(j)
    return shared, opacities / total


@torch.no_grad()
def relocate(gaussians: Gaussians, min_opacity: float, rng: np.random.Generator) -> int:
    """Move Gaussians that are fainter than `min_opacity` onto others, drawn by opacity. Returns how many."""
    opacities = _opacities(gaussians)
    is_dead = ~(opacities > min_opacity)
    dead, alive = np.flatnonzero(is_dead), np.flatnonzero(~is_dead)
    if not len(dead) or not len(alive):
        return 0
    sources = alive[_draw(opacities[alive], len(dead), rng)]
    _share(gaussians, opacities, sources)
    target, source = torch.from_numpy(dead), torch.from_numpy(sources)
    for value in gaussians.values.values():
        value.data[target.to(value.device)] = value.data[source.to(value.device)]
    gaussians.rest(torch.cat([target, source]).to(gaussians.device))
    return len(dead)


@torch.no_grad()
def grow(gaussians: Gaussians, most: int, rng: np.random.Generator) -> int:
    """Add 5 % on top of Gaussians that are drawn by opacity, never beyond `most`. Returns how many."""
    count = min(most, int(GROWTH * len(gaussians)) + 1) - len(gaussians)
    opacities = _opacities(gaussians)
    if count <= 0 or not opacities.sum() > 0:
        return 0
    sources = _draw(opacities, count, rng)
    _share(gaussians, opacities, sources)
    rows = torch.from_numpy(sources).to(gaussians.device)
    gaussians.rest(rows)
    gaussians.append(gaussians.rows(rows))
    return count


@torch.no_grad()
def explore(gaussians: Gaussians, strength: float, generator: torch.Generator) -> None:
    """Shake each mean along its Gaussian, the more the more transparent it is (equation 8)."""
    opacities = gaussians.opacities.detach()
    rows = torch.nonzero(opacities < OPAQUE)[:, 0]
    openness = torch.sigmoid(STEEPNESS * ((1 - opacities[rows]) - KNEE))
    values = gaussians.values
    turns = rotations(values["quats"].detach()[rows])
    variances = torch.exp(2 * values["log_scales"].detach()[rows])
    normal = torch.randn(len(rows), 3, generator=generator, device=gaussians.device)
    in_gaussian = (turns.transpose(1, 2) @ normal[..., None])[..., 0] * variances
    moved = (turns @ in_gaussian[..., None])[..., 0] * (strength * openness)[:, None]
    values["means"].data.index_add_(0, rows, moved)


def _opacities(gaussians: Gaussians) -> NDArray[np.float64]:
    return np.nan_to_num(gaussians.opacities.detach().cpu().numpy().astype(np.float64))


def _draw(weights: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices (count,), each with a chance in proportion to its weight."""
    ends = np.cumsum(weights)
    found = np.searchsorted(ends, rng.random(count) * ends[-1], side="right")
    rows: NDArray[np.int64] = np.minimum(found, len(weights) - 1).astype(np.int64)
    return rows


def _share(gaussians: Gaussians, opacities: NDArray[np.float64], sources: NDArray[np.int64]) -> None:
    """Give each Gaussian in `sources`, which gets copies, what is left to each of them."""
    rows, drawn = np.unique(sources, return_counts=True)
    shared, factor = split_evenly(opacities[rows], np.minimum(drawn + 1, MOST_COPIES))
    shared = np.clip(shared, OPACITY_MARGIN, 1 - OPACITY_MARGIN)
    place = torch.from_numpy(rows).to(gaussians.device)
    values = gaussians.values
    logits = np.log(shared / (1 - shared)).astype(np.float32)
    values["opacity_logits"].data[place] = torch.from_numpy(logits).to(gaussians.device)
    growth = torch.from_numpy(np.log(factor).astype(np.float32)).to(gaussians.device)
    values["log_scales"].data[place] += growth[:, None]


def rotations(quats: Tensor) -> Tensor:
    """(N, 3, 3), world from Gaussian, of quaternions (N, 4) wxyz."""
    w, x, y, z = (quats / quats.norm(dim=1, keepdim=True).clamp(min=1e-12)).unbind(1)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(rows, 1).reshape(-1, 3, 3)
