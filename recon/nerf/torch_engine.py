"""A step of learning in torch: on a GPU, with tiny-cuda-nn's hash grid where that is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recon.hash_grid import torch_jets
from recon.hash_grid_cuda import make_backend
from recon.nerf import twin
from recon.nerf.kernels import BETA_1, BETA_2, EPSILON
from recon.nerf.schedule import GRID_FALL, LEAST_WEIGHT
from render.compiled import Float
from render.radiance_layout import RadianceLayout
from render.radiance_march import MIDDLE_CODE, NEVER, STEPS_AN_OCTAVE, code_densities
from render.radiance_rays import Rays

Loss = Callable[[Tensor, Tensor], dict[str, Tensor]]


class TorchEngine:
    """The parameters of a field, their moments, and the density grid, on a device; see `engine.KernelEngine`."""

    def __init__(
        self, layout: RadianceLayout, parameters: dict[str, Float], codes: NDArray[np.uint8], device: str
    ) -> None:
        self.layout, self._device = layout, torch.device(device)
        self._parameters = {
            name: torch.tensor(value, device=self._device).requires_grad_()
            for name, value in parameters.items()
        }
        self._optimizer = torch.optim.Adam(
            list(self._parameters.values()), betas=(BETA_1, BETA_2), eps=EPSILON
        )
        self._codes = torch.tensor(codes, device=self._device)
        self._densities = torch.tensor(code_densities(), device=self._device)
        self._openness = torch.ones(layout.grid.num_outputs, device=self._device)
        self._turning = 1.0
        self._backend = make_backend(layout.grid) if self._device.type == "cuda" else None

    def open_levels(self, openness: Float, turning: float) -> None:
        """How much each level of the hash grid (L,), and directions, count; within 0 and 1."""
        self._turning = turning
        self._openness = torch.tensor(openness.repeat(self.layout.grid.num_features), device=self._device)

    def step(
        self, rays: Rays, num_samples: int, explore: float, loss: Loss, distortion: float, known: Float,
        trust: Float, rate: float, count: int,
    ) -> dict[str, float]:  # fmt: skip
        """As `KernelEngine.step`; count is not asked for, as the optimiser counts."""
        origins, directions, noise, distances, weights = (
            torch.from_numpy(each).to(self._device)
            for each in (rays.origins, rays.directions, rays.noise, known, trust)
        )
        placed = twin.place_samples(
            origins, directions, noise, num_samples, explore, self.layout, self._codes, self._densities
        )
        drawn = twin.draw(
            self.layout, self._parameters, self._encode, placed, directions, LEAST_WEIGHT, self._turning
        )
        losses = loss(drawn.rgb, drawn.alpha)
        if distortion:
            losses["floaters"] = distortion * twin.distortion(drawn, placed).mean()
        if bool((weights > 0).any()):
            losses["depth"] = twin.depth_cost(drawn, placed, distances, weights).sum()
        self._optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._heed(placed, drawn.density.detach())
        return {name: float(value.detach()) for name, value in losses.items()}

    def _encode(self, points: Tensor) -> Tensor:
        table = self._parameters["table"]
        if self._backend is not None:
            return self._backend(table, points) * self._openness
        return torch_jets(table, points, self.layout.grid)[0] * self._openness

    @torch.no_grad()
    def _heed(self, placed: twin.Placed, density: Tensor) -> None:
        """Tell the density grid of samples: up at once, down by as many codes as there were samples."""
        is_there = placed.widths > 0
        cells = self.layout.cells
        place = (placed.points[is_there] * (cells / self.layout.grid.safe_extent)).long().clamp(0, cells - 1)
        at = (place[:, 0] * cells + place[:, 1]) * cells + place[:, 2]
        found = torch.log2(density[is_there].clamp(min=1e-9)) * STEPS_AN_OCTAVE + MIDDLE_CODE + 0.5
        touched, inverse, counts = torch.unique(at, return_inverse=True, return_counts=True)
        highest = torch.zeros(len(touched), device=self._device).scatter_reduce(0, inverse, found, "amax")
        known = self._codes[touched].float()
        heeded = torch.maximum(highest, known - GRID_FALL * counts).clamp(1, 255)
        self._codes[touched] = torch.where(known == NEVER, known, heeded).to(torch.uint8)

    def is_finite(self) -> bool:
        """Whether all parameters are numbers."""
        return all(bool(torch.isfinite(value).all()) for value in self._parameters.values())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The parameters, and the codes of the density grid as "density"."""
        found: dict[str, NDArray[Any]] = {
            name: value.detach().cpu().numpy() for name, value in self._parameters.items()
        }
        return found | {"density": self._codes.cpu().numpy()}

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that the next steps depend on, as arrays by name."""
        kept = {name: np.array(value) for name, value in self.arrays().items()}
        for name, value in self._parameters.items():
            for key, moment in self._optimizer.state[value].items():
                kept[f"{name} {key}"] = moment.cpu().numpy().copy()
        return kept

    @torch.no_grad()
    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` gave."""
        self._codes.copy_(torch.from_numpy(np.array(arrays["density"])))
        for name, value in self._parameters.items():
            value.copy_(torch.from_numpy(np.array(arrays[name])))
            self._optimizer.state[value] = {
                key: _kept(arrays[f"{name} {key}"], key, self._device)
                for key in ("step", "exp_avg", "exp_avg_sq")
                if f"{name} {key}" in arrays
            }


def _kept(array: NDArray[Any], key: str, device: torch.device) -> Tensor:
    kept = torch.from_numpy(np.array(array))
    return kept if key == "step" else kept.to(device)
