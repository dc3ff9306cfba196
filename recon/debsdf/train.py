"""Training: one step, and everything that the next one depends on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recon.debsdf import DebsdfSettings
from recon.debsdf.color_network import ColorNetwork
from recon.debsdf.objective import Objective
from recon.debsdf.rays import Rays, TrainingRays
from recon.debsdf.rendering import Rendered, render
from recon.debsdf.sampler import CachedSdf, SampleCounts, sample_rays, sample_rays_on_device
from recon.debsdf.schedule import Schedule
from recon.debsdf.sdf_network import SdfNetwork

Arrays = dict[str, NDArray[Any]]

CELLS_A_REFRESH = 40_000  # of the cached distance
SPHERE_CACHE = 96


@dataclass(frozen=True)
class StepReport:
    """What one step cost, by name, and the shares of cues that were excluded."""

    losses: dict[str, float]
    excluded_depth: float
    excluded_normals: float


class Trainer:
    """The networks, the optimiser and the caches of one run; `state` and `load` keep and restore all of it."""

    def __init__(
        self,
        field: SdfNetwork,
        color: ColorNetwork,
        rays: TrainingRays,
        settings: DebsdfSettings,
        schedule: Schedule,
        seed: int,
        sparse_points: NDArray[np.float32] | None = None,
        device: str = "cpu",
    ) -> None:
        self.field, self.color, self.rays = field.to(device), color.to(device), rays
        self.settings, self.schedule, self.device = settings, schedule, torch.device(device)
        self.rng = np.random.default_rng(seed)
        finest = settings.cache_resolution
        is_coarse = schedule.start == "sphere"  # It is read whole again and again, and the blur is wide.
        self.cache = CachedSdf(min(finest, SPHERE_CACHE) if is_coarse else finest, self.rng)
        self.step_count = 0
        self._refreshed_at = -1
        self.objective = Objective(settings, schedule, rays.photos, sparse_points, device)
        self.counts = SampleCounts(settings.importance_samples, settings.stratified_samples)
        self._optimizer = self._make_optimizer()
        self._rates = [group["lr"] for group in self._optimizer.param_groups]

    def _make_optimizer(self) -> torch.optim.Adam:
        settings = self.settings
        networks = [*self.field.layer_parameters, *self.color.parameters()]
        corrections = list(self.objective.corrections.parameters())
        groups: list[dict[str, Any]] = [
            {"params": networks, "lr": settings.learning_rate},
            {"params": corrections, "lr": settings.learning_rate / 2},
            {"params": list(self.objective.normal_doubts.parameters()), "lr": 2.5 * settings.learning_rate},
        ]
        if self.field.grid_parameters:
            rate = settings.table_learning_rate * self.schedule.table_rate
            groups.append({"params": self.field.grid_parameters, "lr": rate})
        return torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-15, fused=True)

    @property
    def beta(self) -> float:
        """Blur of the density now, in box units."""
        return self.schedule.beta(self.step_count)

    def sdf(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Signed distance (P,) in box units at points (P, 3)."""
        found: NDArray[np.float32] = self.field.sdf(torch.from_numpy(points).to(self.device)).cpu().numpy()
        return found

    def refresh_cache(self) -> None:
        """Look at the field again for where to sample, when it is time; once in a step."""
        if self._refreshed_at == self.step_count:
            return
        self._refreshed_at = self.step_count
        wish = self.schedule.refresh(self.step_count)
        if wish == "all":
            self.cache.refresh_all(self.sdf)
        elif wish == "near":
            self.cache.refresh(self.sdf, CELLS_A_REFRESH)

    def step(self) -> StepReport:
        """Train on one batch of rays."""
        self.refresh_cache()
        factor = self.schedule.rate(self.step_count)
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        is_guided = self.settings.guided_rays and self.objective.is_late(self.step_count)
        pixels = self.rays.draw(self.settings.rays, is_guided, self.rng)
        rays, targets = self.rays.rays(pixels), self.rays.targets(pixels)
        rendered = self._render(rays, self.rng)
        named, excluded = self.objective.losses(
            self.field, rendered, rays, targets, self.step_count, self.rng
        )
        self._optimizer.zero_grad(set_to_none=True)
        torch.stack(list(named.values())).sum().backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        if self.settings.guided_rays:
            self.rays.guide.update(pixels, rendered.uncertainty.cpu().numpy())
        self.step_count += 1
        return StepReport({name: float(value.detach()) for name, value in named.items()}, *excluded)

    def _render(self, rays: Rays, rng: np.random.Generator) -> Rendered:
        distances = self._distances(rays.origins, rays.directions, rng)
        bias = self.schedule.bias(self.step_count) if self.objective.has_cues else 0.0
        return render(self.field, self.color, rays, distances, self.beta, bias)

    @torch.no_grad()
    def look(self, pixels: NDArray[np.int64], has_code: bool = True) -> Rendered:
        """Render flat pixels (R,) as training would now, without learning from them and without touching its random
        numbers. has_code: take the images' codes, not the mean of all."""
        rays, rng = self.rays.rays(pixels), np.random.default_rng(0)
        if not has_code:
            return self._render(replace(rays, images=torch.full_like(rays.images, -1)), rng)
        return self.objective.doubted(self._render(rays, rng), rays.images, self.rays.places(pixels))

    def _distances(self, origins: Tensor, directions: Tensor, rng: np.random.Generator) -> Tensor:
        if self.device.type == "cpu":
            found = sample_rays(
                origins.numpy(), directions.numpy(), self.cache.values, self.beta, self.counts, rng
            )
            return torch.from_numpy(found)
        grid = torch.from_numpy(self.cache.values).to(self.device)
        return sample_rays_on_device(origins, directions, grid, self.beta, self.counts, rng)

    def state(self) -> Arrays:
        """Everything that the next steps depend on, as arrays by name."""
        arrays: Arrays = {"step": np.array(self.step_count), "cache": self.cache.values.copy()}
        arrays["guide"] = self.rays.guide.values.copy()
        arrays["random"] = np.frombuffer(json.dumps(self.rng.bit_generator.state).encode(), np.uint8).copy()
        arrays["objective"] = self.objective.state()
        for index, parameter in enumerate(self._parameters()):
            arrays[f"parameter {index}"] = parameter.detach().cpu().numpy().copy()
            for name, value in self._optimizer.state.get(parameter, {}).items():
                arrays[f"adam {index} {name}"] = value.detach().cpu().numpy().copy()
        return arrays

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` gave."""
        self.step_count, self._refreshed_at = int(arrays["step"]), -1
        np.copyto(self.cache.values, arrays["cache"])
        np.copyto(self.rays.guide.values, arrays["guide"])
        self.rng.bit_generator.state = json.loads(arrays["random"].tobytes())
        self.objective.load(arrays["objective"])
        for index, parameter in enumerate(self._parameters()):
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(np.asarray(arrays[f"parameter {index}"])))
            names = [name for name in ("step", "exp_avg", "exp_avg_sq") if f"adam {index} {name}" in arrays]
            kept = {name: torch.from_numpy(np.array(arrays[f"adam {index} {name}"])) for name in names}
            if kept:
                self._optimizer.state[parameter] = {
                    name: value.to(self.device) for name, value in kept.items()
                }

    def _parameters(self) -> list[torch.nn.Parameter]:
        return [parameter for group in self._optimizer.param_groups for parameter in group["params"]]
