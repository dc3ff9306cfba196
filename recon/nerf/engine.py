"""A step of learning on the processor: numba kernels there and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recon.nerf import kernels
from recon.nerf.schedule import GRID_FALL, LEAST_WEIGHT
from render.compiled import Float, in_threads
from render.radiance_kernels import BLOCK, sum_rays
from render.radiance_layout import RadianceLayout
from render.radiance_rays import RAYS, Network, Rays, Samples, follow

Loss = Callable[[Tensor, Tensor], dict[str, Tensor]]
GROUPS = 16  # sums of slopes that are added up in the same order, whatever the number of threads
ELEMENTS = 1 << 18  # of a flat array that a thread takes at once


class KernelEngine:
    """The parameters of a field, their moments, and the density grid.

    parameters: by the layout's names; codes: (cells^3,) uint8 of the density grid.
    """

    def __init__(
        self, layout: RadianceLayout, parameters: dict[str, Float], codes: NDArray[np.uint8]
    ) -> None:
        self.network = Network(
            layout, parameters, codes, np.ones(layout.grid.num_levels, np.float32), np.ones(1, np.float32)
        )
        self.slopes = {name: np.zeros_like(value) for name, value in parameters.items()}
        self._means = {name: np.zeros_like(value) for name, value in parameters.items()}
        self._squares = {name: np.zeros_like(value) for name, value in parameters.items()}

    @property
    def layout(self) -> RadianceLayout:
        return self.network.layout

    def open_levels(self, openness: Float, turning: float) -> None:
        """How much each level of the hash grid (L,), and directions, count; within 0 and 1."""
        self.network.openness[:], self.network.turning[:] = openness, turning

    def step(
        self, rays: Rays, num_samples: int, explore: float, loss: Loss, distortion: float, known: Float,
        trust: Float, rate: float, count: int,
    ) -> dict[str, float]:  # fmt: skip
        """Follow the slopes of what `loss` makes of colours (R, 3) and alpha (R,), of distortion, and of known distances
        (R,) that count by trust (R,). count: of this step, from 1. Returns losses by name."""
        samples = follow(self.network, rays, num_samples, explore, LEAST_WEIGHT, is_kept=True)
        rgb, alpha = self.sums(samples)
        colors, opaque = (torch.from_numpy(each).requires_grad_() for each in (rgb, alpha))
        losses = loss(colors, opaque)
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        assert colors.grad is not None and opaque.grad is not None
        costs = self.go_back(
            samples, rays, colors.grad.numpy(), opaque.grad.numpy(), distortion, known, trust
        )
        layout = self.network.layout
        extent = np.float32(layout.grid.safe_extent)
        kernels.heed_samples(
            samples.points,
            samples.shared,
            samples.widths,
            layout.cells,
            extent,
            GRID_FALL,
            self.network.codes,
        )
        self._follow(rate, count)
        named = dict(zip(("floaters", "depth"), costs, strict=True))
        return {name: float(value.detach()) for name, value in losses.items()} | {
            name: value for name, value in named.items() if value
        }

    def sums(self, samples: Samples) -> tuple[Float, Float]:
        count = len(samples.weights)
        rgb, alpha, distance = (np.empty(shape, np.float32) for shape in ((count, 3), count, count))
        in_threads(
            sum_rays, count, RAYS, samples.weights, samples.places, samples.slots, samples.colors,
            rgb, alpha, distance,
        )  # fmt: skip
        return rgb, alpha

    def go_back(
        self, samples: Samples, rays: Rays, of_rgb: Float, of_alpha: Float, distortion: float, known: Float,
        trust: Float,
    ) -> tuple[float, float]:  # fmt: skip
        """Write the slopes by all parameters. Returns the losses by distortion and known distances."""
        num, layout, parameters = len(samples.colors), self.network.layout, self.network.parameters
        of_density, of_colors = np.zeros((num, BLOCK), np.float32), np.zeros((num, 4, BLOCK), np.float32)
        costs = np.empty((len(rays), 2), np.float32)
        weight = np.float32(distortion / len(rays))
        in_threads(
            kernels.slopes_of_rays, len(rays), RAYS, samples.weights, samples.widths, samples.places, samples.spots,
            samples.slots, samples.shared, samples.colors, of_rgb, of_alpha, weight, known, trust, of_density,
            of_colors, costs,
        )  # fmt: skip
        per_group = -(-num // GROUPS)
        sums = {
            name: np.zeros((GROUPS, *value.shape), np.float32)
            for name, value in parameters.items() if name != "table"
        }  # fmt: skip
        of_shared = np.empty((num, layout.num_shared, BLOCK), np.float32)
        in_threads(
            kernels.color_slopes, GROUPS, 1, per_group, samples.inputs, samples.first, samples.second, of_colors,
            parameters["w3"], parameters["w4"], parameters["w5"],
            *(sums[name] for name in ("w3", "b3", "w4", "b4", "w5", "b5")), of_shared,
        )  # fmt: skip
        of_features = np.empty((num, layout.grid.num_outputs, BLOCK), np.float32)
        in_threads(
            kernels.shared_slopes, GROUPS, 1, per_group, samples.chosen, samples.features, of_density, of_shared,
            *self.network.names(1), parameters["w2"], *(sums[name] for name in ("w1", "b1", "w2", "b2")), of_features,
        )  # fmt: skip
        for name, value in sums.items():
            np.sum(value, 0, out=self.slopes[name])
        scatter = kernels.scatterer(layout.grid.num_features)
        in_threads(
            scatter, layout.grid.num_levels, 1, samples.points, samples.chosen, of_features, layout.grid.levels,
            self.network.openness, self.slopes["table"].reshape(-1),
        )  # fmt: skip
        bent, off = costs.sum(0).tolist()
        return bent, off

    def _follow(self, rate: float, count: int) -> None:
        first = np.float32(rate / (1 - kernels.BETA_1**count))
        unbias = np.float32(1 / (1 - kernels.BETA_2**count))
        for name, value in self.network.parameters.items():
            arrays = (value, self.slopes[name], self._means[name], self._squares[name])
            flat = (each.reshape(-1) for each in arrays)
            in_threads(kernels.follow_slopes, value.size, ELEMENTS, *flat, first, unbias, name == "table")

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The parameters, and the codes of the density grid as "density"."""
        return {**self.network.parameters, "density": self.network.codes}

    def is_finite(self) -> bool:
        """Whether all parameters are numbers."""
        return all(bool(np.isfinite(value).all()) for value in self.network.parameters.values())

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that the next steps depend on, as arrays by name."""
        kept: dict[str, NDArray[Any]] = {"density": self.network.codes.copy()}
        for name, value in self.network.parameters.items():
            kept[name] = value.copy()
            kept[f"{name} mean"], kept[f"{name} square"] = (
                self._means[name].copy(),
                self._squares[name].copy(),
            )
        return kept

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` gave."""
        self.network.codes[:] = arrays["density"]
        for name, value in self.network.parameters.items():
            value[:] = arrays[name]
            self._means[name][:], self._squares[name][:] = arrays[f"{name} mean"], arrays[f"{name} square"]
