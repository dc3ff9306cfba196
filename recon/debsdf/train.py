"""Training: one step, and everything that the next one depends on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor

from recon.debsdf import DebsdfSettings
from recon.debsdf import losses as terms
from recon.debsdf.color_network import ColorNetwork
from recon.debsdf.depth_correction import DepthCorrections
from recon.debsdf.rays import Rays, Targets, TrainingRays
from recon.debsdf.rendering import Rendered, render
from recon.debsdf.sampler import CachedSdf, SampleCounts, sample_rays, sample_rays_on_device
from recon.debsdf.schedule import Schedule
from recon.debsdf.sdf_network import SdfNetwork

Arrays = dict[str, NDArray[Any]]

# Cells of the cached distance read anew at a time.
CELLS_A_REFRESH = 40_000
SPHERE_CACHE = 96
SMOOTH_REACH = 0.01  # box units between points whose normals should be alike
# Less uncertain than this is never excluded: a share of the depth, a difference of unit normals.
DEPTH_FLOOR, NORMAL_FLOOR = 0.03, 0.12
# The learned uncertainty counts as calibrated from this rank correlation with the errors seen.
CALIBRATED = 0.3
# Sparse points looked at in a step; one farther off than this, in box units, is wrong.
SPARSE_A_STEP = 128
SPARSE_REACH = 0.03
MEMORY = 0.95  # of running means


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
        self.depth_cutoff = terms.Cutoff(settings.excluded_share, DEPTH_FLOOR)
        self.normal_cutoff = terms.Cutoff(settings.excluded_share, NORMAL_FLOOR)
        self.smooth_cutoff = terms.Cutoff(0.3, NORMAL_FLOOR)
        self.calibration = {"depth": 0.0, "normals": 0.0}
        self.counts = SampleCounts(settings.importance_samples, settings.stratified_samples)
        self.corrections = DepthCorrections(len(rays.photos)).to(device)
        self.sparse = None if sparse_points is None else torch.from_numpy(sparse_points).to(device)
        self._optimizer = self._make_optimizer()
        self._rates = [group["lr"] for group in self._optimizer.param_groups]

    def _make_optimizer(self) -> torch.optim.Adam:
        networks = [*self.field.layer_parameters, *self.color.parameters()]
        groups = [{"params": networks, "lr": self.settings.learning_rate}]
        if self.field.grid_parameters:
            groups.append(
                {
                    "params": self.field.grid_parameters,
                    "lr": self.settings.table_learning_rate * self.schedule.table_rate,
                }
            )
        if self.settings.correct_depth:
            groups.append(
                {"params": list(self.corrections.parameters()), "lr": self.settings.learning_rate / 2}
            )
        return torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-15, fused=True)

    @property
    def beta(self) -> float:
        """Blur of the density now, in box units."""
        return self.schedule.beta(self.step_count)

    @property
    def is_calibrated(self) -> bool:
        """Whether the learned uncertainty tells where cues are wrong."""
        return max(self.calibration.values()) > CALIBRATED

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
        is_late = self.schedule.may_exclude(self.step_count) and self.is_calibrated
        pixels = self.rays.draw(self.settings.rays, is_late and self.settings.guided_rays, self.rng)
        targets = self.rays.targets(pixels)
        rays = self.rays.rays(pixels)
        rendered = self._render(rays)
        named, excluded = self._losses(rendered, targets, rays.images, is_late)
        self._optimizer.zero_grad(set_to_none=True)
        torch.stack(list(named.values())).sum().backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._learn_calibration(rendered, targets)
        if self.settings.guided_rays:
            self.rays.guide.update(pixels, rendered.uncertainty.cpu().numpy())
        self.step_count += 1
        return StepReport({name: float(value.detach()) for name, value in named.items()}, *excluded)

    def _render(self, rays: Rays) -> Rendered:
        return render(self.field, self.color, rays, self._distances(rays.origins, rays.directions), self.beta,
                      self.schedule.bias(self.step_count))  # fmt: skip

    @torch.no_grad()
    def look(self, pixels: NDArray[np.int64], has_code: bool = True) -> Rendered:
        """Render flat pixels (R,) as training would now, without learning from them. has_code: take the images' codes,
        not the mean of all. Leaves the random numbers of training alone."""
        rays = self.rays.rays(pixels)
        if not has_code:
            rays = replace(rays, images=torch.full_like(rays.images, -1))
        kept, self.rng = self.rng, np.random.default_rng(0)
        try:
            return self._render(rays)
        finally:
            self.rng = kept

    def _distances(self, origins: Tensor, directions: Tensor) -> Tensor:
        if self.device.type == "cpu":
            found = sample_rays(
                origins.numpy(), directions.numpy(), self.cache.values, self.beta, self.counts, self.rng
            )
            return torch.from_numpy(found)
        grid = torch.from_numpy(self.cache.values).to(self.device)
        return sample_rays_on_device(origins, directions, grid, self.beta, self.counts)

    def _losses(
        self, rendered: Rendered, targets: Targets, images: Tensor, is_late: bool
    ) -> tuple[dict[str, Tensor], tuple[float, float]]:
        named = {"Colour": (rendered.rgb - targets.rgb).abs().mean()}
        named |= self._field_losses(rendered, is_late)
        if self.sparse is not None and self.settings.sparse_weight:
            named["Sparse points"] = self._sparse_loss(self.sparse)
        # A ray that meets no surface has no cue to compare with.
        crossed = rendered.is_crossed.float()
        targets = replace(
            targets,
            depth=self._straightened(targets, images),
            depth_weight=targets.depth_weight * crossed,
            normal_weight=targets.normal_weight * crossed,
        )
        if self._straightens and self.rays.photos.depth is not None:
            named["Depth correction"] = self.settings.correction_weight * self.corrections.prior_loss()
        if not self.schedule.uses_uncertainty(self.step_count):
            named |= self._plain_losses(rendered, targets)
        if not self.settings.uncertainty:
            return named, (0.0, 0.0)
        kept = self._kept(rendered, is_late)
        excluded = _share_out(kept[0], targets.depth_weight), _share_out(kept[1], targets.normal_weight)
        return named | self._uncertain_losses(rendered, targets, *kept), excluded

    @property
    def _straightens(self) -> bool:
        return self.settings.correct_depth and self.schedule.is_near(self.step_count)

    def _straightened(self, targets: Targets, images: Tensor) -> Tensor:
        if not self._straightens:
            return targets.depth
        return targets.depth * self.corrections.factor(images, targets.places)

    def _plain_losses(self, rendered: Rendered, targets: Targets) -> dict[str, Tensor]:
        named, photos = {}, self.rays.photos
        if photos.depth is not None:
            error = terms.depth_error(rendered.depth, targets.depth)
            loss = terms.plain_depth_loss(error, targets.trust * targets.depth_weight)
            named["Depth"] = self.settings.depth_weight * loss
        if photos.normals is not None:
            weight = targets.trust * targets.normal_weight
            loss = terms.plain_normal_loss(rendered.normals, targets.normals, weight)
            named["Normals"] = self.settings.normal_weight * loss
        return named

    def _uncertain_losses(
        self, rendered: Rendered, targets: Targets, keeps_depth: Tensor, keeps_normals: Tensor
    ) -> dict[str, Tensor]:
        """The uncertainty always learns; the geometry only from cues that are kept, trusted and past the warm-up."""
        shapes = (targets.trust > 0) & self.schedule.uses_uncertainty(self.step_count)
        named, photos = {}, self.rays.photos
        if photos.depth is not None:
            error = terms.depth_error(rendered.depth, targets.depth)
            loss = terms.uncertain_depth_loss(
                error, rendered.depth_uncertainty, targets.depth_weight, keeps_depth & shapes
            )
            named["Depth uncertainty"] = self.settings.uncertain_depth_weight * loss
        if photos.normals is not None:
            of_normal, weight = rendered.normal_uncertainty, targets.normal_weight
            loss = terms.uncertain_normal_loss(
                rendered.normals, targets.normals, of_normal, weight, keeps_normals & shapes
            )
            named["Normal uncertainty"] = self.settings.uncertain_normal_weight * loss
        return named

    def _kept(self, rendered: Rendered, is_late: bool) -> tuple[Tensor, Tensor]:
        of_depth, of_normal = rendered.depth_uncertainty, rendered.normal_uncertainty.mean(1)
        self.depth_cutoff.update(of_depth)
        self.normal_cutoff.update(of_normal)
        if not (is_late and self.settings.exclusion):
            everything = torch.ones_like(of_depth, dtype=torch.bool)
            return everything, everything
        return self.depth_cutoff.keeps(of_depth), self.normal_cutoff.keeps(of_normal)

    def _field_losses(self, rendered: Rendered, is_late: bool) -> dict[str, Tensor]:
        """The distance property and smoothness, at points on the surface seen and anywhere."""
        surface, chosen = self._surface_points(rendered)
        num_anywhere = len(surface) // 2
        anywhere = self.rng.uniform(-1, 1, (num_anywhere, 3)).astype(np.float32)
        points = torch.cat([surface, torch.from_numpy(anywhere).to(self.device)])
        reach = self.rng.uniform(-0.5, 0.5, (len(points), 3)).astype(np.float32) * SMOOTH_REACH
        beside = points + torch.from_numpy(reach).to(self.device)
        _, gradients, _ = self.field.field(torch.cat([points, beside]).clamp(-1, 1))
        normals = torch.nn.functional.normalize(gradients, dim=1)
        weights = torch.ones(len(points), device=self.device)
        uncertainty = rendered.uncertainty
        self.smooth_cutoff.update(uncertainty)
        if is_late and self.settings.adaptive_smoothness:
            weights[: len(surface)] = self.smooth_cutoff.keeps(uncertainty[chosen]).float()
        smooth = terms.smoothness_loss(normals[: len(points)], normals[len(points) :], weights)
        distance = terms.eikonal_loss(rendered.gradients) + terms.eikonal_loss(
            gradients[len(surface) : len(points)]
        )
        return {
            "Distance field": self.settings.eikonal_weight * distance,
            "Smoothness": self.settings.smooth_weight * smooth,
        }

    def _sparse_loss(self, points: Tensor) -> Tensor:
        """How far the surface is from sparse points, of which some are wrong."""
        chosen = torch.from_numpy(self.rng.integers(0, len(points), SPARSE_A_STEP)).to(self.device)
        distance = self.field.field(points[chosen])[0]
        return self.settings.sparse_weight * distance.abs().clamp_max(SPARSE_REACH).mean()

    def _surface_points(self, rendered: Rendered) -> tuple[Tensor, Tensor]:
        """One sample of every other ray, by weight, and which rays."""
        num_rays, num_samples = rendered.weights.shape
        chosen = torch.arange(0, num_rays, 2, device=self.device)
        mass = torch.cumsum(rendered.weights.detach()[chosen] + 1e-4, 1)
        wanted = (
            torch.from_numpy(self.rng.random((len(chosen), 1), dtype=np.float32)).to(self.device)
            * mass[:, -1:]
        )
        sample = torch.searchsorted(mass, wanted)[:, 0].clamp_max(num_samples - 1)
        return rendered.points[chosen * num_samples + sample].detach(), chosen

    def _learn_calibration(self, rendered: Rendered, targets: Targets) -> None:
        """Running rank correlation of learned uncertainties with the errors seen, looked at now and then."""
        if not self.settings.uncertainty or self.step_count % 8:
            return
        with torch.no_grad():
            depth = terms.depth_error(rendered.depth, targets.depth)
            normals = (rendered.normals - targets.normals).norm(dim=1)
            pairs = {
                "depth": (rendered.depth_uncertainty, depth, targets.depth_weight),
                "normals": (rendered.normal_uncertainty.mean(1), normals, targets.normal_weight),
            }
        for name, (uncertainty, error, weight) in pairs.items():
            known = weight > 0
            now = rank_correlation(uncertainty.detach()[known].cpu().numpy(), error[known].cpu().numpy())
            self.calibration[name] = MEMORY * self.calibration[name] + (1 - MEMORY) * now

    def state(self) -> Arrays:
        """Everything that the next steps depend on, as arrays by name."""
        arrays: Arrays = {"step": np.array(self.step_count), "cache": self.cache.values.copy()}
        arrays["guide"] = self.rays.guide.values.copy()
        arrays["random"] = np.frombuffer(json.dumps(self.rng.bit_generator.state).encode(), np.uint8).copy()
        cutoffs = [self.depth_cutoff, self.normal_cutoff, self.smooth_cutoff]
        arrays["cutoffs"] = np.array([np.nan if cut.value is None else cut.value for cut in cutoffs])
        arrays["calibration"] = np.array([self.calibration["depth"], self.calibration["normals"]])
        for index, parameter in enumerate(self._parameters()):
            arrays[f"parameter {index}"] = parameter.detach().cpu().numpy().copy()
            for name, value in self._optimizer.state.get(parameter, {}).items():
                arrays[f"adam {index} {name}"] = value.detach().cpu().numpy().copy()
        return arrays

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` gave."""
        self.step_count = int(arrays["step"])
        self._refreshed_at = -1
        np.copyto(self.cache.values, arrays["cache"])
        np.copyto(self.rays.guide.values, arrays["guide"])
        self.rng.bit_generator.state = json.loads(arrays["random"].tobytes())
        cutoffs = [self.depth_cutoff, self.normal_cutoff, self.smooth_cutoff]
        for cut, value in zip(cutoffs, np.asarray(arrays["cutoffs"], np.float64).tolist(), strict=True):
            cut.value = None if np.isnan(value) else value
        self.calibration = dict(
            zip(("depth", "normals"), np.asarray(arrays["calibration"], np.float64).tolist(), strict=True)
        )
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


def _share_out(kept: Tensor, weights: Tensor) -> float:
    known = weights > 0
    return float((~kept[known]).float().mean()) if bool(known.any()) else 0.0


def rank_correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Spearman's; 0 where either does not vary."""
    if len(a) < 8 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])
