"""The samples of a prior's training on its device, and random draws from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recon.orex.plane_samples import PlaneSamples

Field = Callable[[NDArray[np.float64]], NDArray[np.float64]]

_NUM_WARM = 40_000
_OFF_PLANE = 0.015  # box units; how far from a plane another field is still believed


@dataclass(frozen=True)
class TrainingPoints:
    """The samples on the device. bounds: (N,) signed in-plane distances; infinite where only the sign is known."""

    plane: Tensor
    bounds: Tensor
    contour: Tensor
    outside: Tensor
    lower: Tensor
    extent: Tensor

    @classmethod
    def of(cls, samples: PlaneSamples, device: torch.device) -> TrainingPoints:
        """Move the samples to the device."""
        arrays = (
            samples.points,
            samples.distances,
            samples.contour_points,
            samples.outside,
            samples.lower,
            samples.upper - samples.lower,
        )
        tensors = [torch.tensor(array, dtype=torch.float32, device=device) for array in arrays]
        return cls(*tensors)

    def anywhere(self, count: int, random: torch.Generator) -> Tensor:
        """(N, 3) uniform in the box."""
        return self.lower + self.extent * torch.rand(count, 3, generator=random, device=self.lower.device)

    def choose_plane(self, count: int, random: torch.Generator) -> Tensor:
        """(N,) random rows of the points on planes."""
        return torch.randint(len(self.plane), (count,), generator=random, device=self.plane.device)


@dataclass(frozen=True)
class WarmStart:
    """A field to begin from. points, values: (N, 3), (N,) of it close to the planes, where any field that keeps to
    the planes is right and tells their slope. surface: (M, 3) points near its surface anywhere."""

    points: Tensor
    values: Tensor
    surface: Tensor

    @classmethod
    def of(
        cls, warm: Field, samples: PlaneSamples, band: float, device: torch.device, seed: int
    ) -> WarmStart:
        """Ask the field for its values. band: how near the surface is near, in box units."""
        rng = np.random.default_rng(seed)
        close = samples.points[np.abs(samples.distances) < band]
        chosen = close[rng.integers(len(close), size=_NUM_WARM)] if len(close) else samples.contour_points
        points = chosen + rng.normal(0, _OFF_PLANE, chosen.shape)
        anywhere = rng.uniform(samples.lower, samples.upper, (_NUM_WARM, 3))
        near = anywhere[np.abs(warm(anywhere)) < band]
        arrays = (points, warm(points), near if len(near) else samples.contour_points)
        return cls(*(torch.tensor(array, dtype=torch.float32, device=device) for array in arrays))

    def choose(self, count: int, random: torch.Generator) -> Tensor:
        """(N,) random rows."""
        return torch.randint(len(self.points), (count,), generator=random, device=self.points.device)


def choose(points: Tensor, count: int, random: torch.Generator) -> Tensor:
    """(count, 3) rows drawn with replacement."""
    if not count:
        return points[:0]
    return points[torch.randint(len(points), (count,), generator=random, device=points.device)]


def normal(shape: torch.Size, device: torch.device, random: torch.Generator) -> Tensor:
    """Standard normal numbers."""
    return torch.randn(shape, generator=random, device=device)
