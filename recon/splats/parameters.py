"""The Gaussians while they are trained: tensors that grow, and the optimiser's moments that go with their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recon.splats.adam import adam_step
from render.gaussians import GaussianCloud

NAMES = ("means", "quats", "log_scales", "opacity_logits", "sh")
SH_REST = 0.05  # of the learning rate of colour, for what hangs on the direction

Arrays = dict[str, NDArray[Any]]


class Gaussians:
    """N Gaussians in the training's box. values: as in GaussianCloud, by name; sh has the bands that are in use.

    moments: for each name the running mean and mean square of its slope.
    """

    def __init__(self, cloud: GaussianCloud, device: str = "cpu") -> None:
        self.device = torch.device(device)
        self.values = {name: torch.tensor(getattr(cloud, name), device=self.device) for name in NAMES}
        self.moments = {
            name: (torch.zeros_like(value), torch.zeros_like(value)) for name, value in self.values.items()
        }
        self._ask_for_slopes()

    def __len__(self) -> int:
        return len(self.values["means"])

    @property
    def sh_degree(self) -> int:
        bands: float = self.values["sh"].shape[1] ** 0.5
        return round(bands) - 1

    @property
    def opacities(self) -> Tensor:
        """(N,) within 0 and 1."""
        return torch.sigmoid(self.values["opacity_logits"])

    @property
    def scales(self) -> Tensor:
        """(N, 3) standard deviations in box units."""
        return torch.exp(self.values["log_scales"])

    def step(self, rates: Mapping[str, float], step: int) -> None:
        """Follow the slopes that were found, and forget them. rates: of each name; step: from 1."""
        for name, value in self.values.items():
            if value.grad is None:
                continue
            mean, square = self.moments[name]
            adam_step(value, value.grad, mean, square, self._rates(name, rates[name]), step)
            value.grad = None

    def _rates(self, name: str, rate: float) -> Tensor:
        columns = self.values[name][0].numel() if len(self) else 1
        found = torch.full((columns,), rate)
        if name == "sh":
            found[3:] *= SH_REST
        return found

    @torch.no_grad()
    def raise_degree(self, degree: int) -> None:
        """Add bands of spherical harmonics, zero at first."""
        more = (degree + 1) ** 2 - self.values["sh"].shape[1]
        if more <= 0:
            return
        bands = torch.zeros(len(self), more, 3, device=self.device)
        self.values["sh"] = torch.cat([self.values["sh"].detach(), bands], 1)
        mean, square = self.moments["sh"]
        self.moments["sh"] = torch.cat([mean, bands], 1), torch.cat([square, bands], 1)
        self._ask_for_slopes()

    @torch.no_grad()
    def keep(self, rows: Tensor) -> None:
        """Only these rows: a mask (N,) or indices."""
        self._map(lambda value: value[rows])

    @torch.no_grad()
    def append(self, added: Mapping[str, Tensor]) -> None:
        """More Gaussians, by name, with moments at rest."""
        for name in NAMES:
            self.values[name] = torch.cat([self.values[name].detach(), added[name]])
            rest = torch.zeros_like(added[name])
            mean, square = self.moments[name]
            self.moments[name] = torch.cat([mean, rest]), torch.cat([square, rest])
        self._ask_for_slopes()

    @torch.no_grad()
    def rest(self, rows: Tensor) -> None:
        """Forget the moments of these rows."""
        for mean, square in self.moments.values():
            mean[rows] = 0
            square[rows] = 0

    def rows(self, rows: Tensor) -> dict[str, Tensor]:
        """Copies of the values of these rows, by name."""
        return {name: value.detach()[rows].clone() for name, value in self.values.items()}

    def to_cloud(self) -> GaussianCloud:
        """What there is now, in the box."""
        means, quats, log_scales, opacity_logits, sh = (
            self.values[name].detach().cpu().numpy() for name in NAMES
        )
        return GaussianCloud(means, quats, log_scales, opacity_logits, sh)

    def is_finite(self) -> bool:
        """Whether no value has become infinite or no number."""
        return all(bool(torch.isfinite(value).all()) for value in self.values.values())

    def state(self) -> Arrays:
        """Values and moments as arrays by name."""
        arrays: Arrays = {}
        for name, value in self.values.items():
            arrays[name] = value.detach().cpu().numpy().copy()
            for which, moment in zip(("mean", "square"), self.moments[name], strict=True):
                arrays[f"{name} {which}"] = moment.cpu().numpy().copy()
        return arrays

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` gave."""
        for name in NAMES:
            self.values[name] = self._tensor(arrays[name])
            self.moments[name] = self._tensor(arrays[f"{name} mean"]), self._tensor(arrays[f"{name} square"])
        self._ask_for_slopes()

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.array(array)).to(self.device)

    def _map(self, function: Any) -> None:
        for name in NAMES:
            self.values[name] = function(self.values[name].detach())
            mean, square = self.moments[name]
            self.moments[name] = function(mean), function(square)
        self._ask_for_slopes()

    def _ask_for_slopes(self) -> None:
        for value in self.values.values():
            value.requires_grad_()
