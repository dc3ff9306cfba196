"""Colour seen from a direction, and how uncertain the cues are there."""

from __future__ import annotations

import math

import torch
from torch import Tensor

NUM_HARMONICS = 9
# What a cue is off before anything is known: shares of the depth, and of a unit normal.
TYPICAL_DEPTH_ERROR = 0.03
TYPICAL_NORMAL_ERROR = 0.08


class ColorNetwork(torch.nn.Module):
    """RGB from feature, normal, direction, place and the image's code; uncertainty from all but the normal and place.

    num_features: length of the field's feature. num_images: rows of the code table; code_size 0 for none. The
    uncertainty has a branch of its own, so that it can be had for every sample without its colour. It starts at
    what cues are usually off.
    """

    def __init__(
        self, num_features: int, num_images: int, code_size: int, generator: torch.Generator, width: int = 64
    ) -> None:
        super().__init__()
        self.codes = torch.nn.Parameter(torch.empty(num_images, code_size))
        torch.nn.init.uniform_(self.codes, -1e-2, 1e-2, generator)
        shared = num_features + NUM_HARMONICS + code_size
        self.color = torch.nn.Sequential(
            torch.nn.Linear(shared + 6, width), torch.nn.ReLU(),
            torch.nn.Linear(width, width), torch.nn.ReLU(),
            torch.nn.Linear(width, 3),
        )  # fmt: skip
        self.uncertainty = torch.nn.Sequential(
            torch.nn.Linear(shared, width // 2), torch.nn.ReLU(), torch.nn.Linear(width // 2, 4)
        )
        for layer in (*self.color, *self.uncertainty):
            if isinstance(layer, torch.nn.Linear):
                _initialise(layer, generator)
        with torch.no_grad():
            last = self.uncertainty[-1]
            assert isinstance(last, torch.nn.Linear)
            last.weight.mul_(0.1)
            last.bias.copy_(
                _inverse_softplus(torch.tensor([TYPICAL_DEPTH_ERROR] + 3 * [TYPICAL_NORMAL_ERROR]))
            )

    def shared(self, features: Tensor, directions: Tensor, images: Tensor) -> Tensor:
        """What both branches read. features: (P, F). directions: (P, 3) unit. images: (P,) rows of the codes, -1 for
        none in particular (the mean of all)."""
        codes = self.codes[images.clamp_min(0)]
        if bool((images < 0).any()):
            codes = torch.where((images < 0)[:, None], self.codes.mean(0), codes)
        return torch.cat([features, harmonics(directions), codes], 1)

    def colors(self, shared: Tensor, normals: Tensor, points: Tensor) -> Tensor:
        """(P, 3) sRGB in [0, 1]. normals, points: (P, 3), points in the box."""
        rgb: Tensor = torch.sigmoid(self.color(torch.cat([shared, normals, points], 1)))
        return rgb

    def uncertainties(self, shared: Tensor) -> tuple[Tensor, Tensor]:
        """Of the depth cue (P,), a share of the depth, and of the normal cue (P, 3), a difference of unit vectors."""
        out = torch.nn.functional.softplus(self.uncertainty(shared))
        return out[:, 0], out[:, 1:]


def harmonics(directions: Tensor) -> Tensor:
    """Real spherical harmonics up to degree 2 without their constants. directions: (P, 3) unit. Returns (P, 9)."""
    x, y, z = directions.unbind(-1)
    columns = [torch.ones_like(x), x, y, z, x * y, y * z, x * z, x * x - y * y, 3 * z * z - 1]
    return torch.stack(columns, -1)


def _initialise(layer: torch.nn.Linear, generator: torch.Generator) -> None:
    """torch's own initialisation from a generator of ours, so that a seed means the same network."""
    bound = 1 / math.sqrt(layer.in_features)
    torch.nn.init.uniform_(layer.weight, -bound, bound, generator)
    torch.nn.init.uniform_(layer.bias, -bound, bound, generator)


def _inverse_softplus(values: Tensor) -> Tensor:
    return torch.log(torch.expm1(values))
