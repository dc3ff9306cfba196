"""What one training step minimises, put together from its terms, and what the run has learned of its cues so far."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor

from recon.debsdf import DebsdfSettings
from recon.debsdf import losses as terms
from recon.debsdf.depth_correction import DepthCorrections
from recon.debsdf.photos import Photos
from recon.debsdf.rays import Rays, Targets
from recon.debsdf.rendering import DistanceNetwork, Rendered
from recon.debsdf.schedule import Schedule

SMOOTH_REACH = 0.01  # box units between points whose normals should be alike
SMOOTHED_SHARE = 0.7  # of the rays at least, the others being the most uncertain
# Less uncertain than this is never excluded: a share of the depth, a difference of unit normals.
DEPTH_FLOOR, NORMAL_FLOOR = 0.03, 0.12
# The learned uncertainty counts as calibrated from this rank correlation with the errors seen.
CALIBRATED = 0.3
CALIBRATION_EVERY = 8  # steps
# Sparse points looked at in a step; one farther off than this, in box units, is wrong.
SPARSE_A_STEP = 128
SPARSE_REACH = 0.03
MEMORY = 0.95  # of running means

Losses = dict[str, Tensor]


class Objective:
    """The losses of a run, the cutoffs of uncertainty, its calibration and the factors that straighten depth.

    sparse: (M, 3) sparse points in the box, or None. calibration: running rank correlations of the learned
    uncertainty of depth and normals with the errors seen.
    """

    def __init__(
        self,
        settings: DebsdfSettings,
        schedule: Schedule,
        photos: Photos,
        sparse: NDArray[np.float32] | None,
        device: str,
    ) -> None:
        self._settings, self._schedule, self._device = settings, schedule, torch.device(device)
        self._has_depth, self._has_normals = photos.depth is not None, photos.normals is not None
        self._sparse = None if sparse is None else torch.from_numpy(sparse).to(device)
        self.corrections = DepthCorrections(len(photos)).to(device)
        # How much worse than elsewhere a view's normal cue is in some part of its picture.
        self.normal_doubts = DepthCorrections(len(photos)).to(device)
        self.depth_cutoff = terms.Cutoff(settings.excluded_share, DEPTH_FLOOR)
        self.normal_cutoff = terms.Cutoff(settings.excluded_share, NORMAL_FLOOR)
        self._smooth_cutoff = terms.Cutoff(1 - SMOOTHED_SHARE, NORMAL_FLOOR)
        self.calibration = {"depth": 0.0, "normals": 0.0}

    @property
    def has_cues(self) -> bool:
        """Whether there is anything to learn uncertainty from."""
        return self._has_depth or self._has_normals

    def is_late(self, step: int) -> bool:
        """Whether exclusion, guided rays and adaptive smoothness may begin: late enough, and calibrated."""
        return self._schedule.may_exclude(step) and max(self.calibration.values()) > CALIBRATED

    def losses(
        self,
        field: DistanceNetwork,
        rendered: Rendered,
        rays: Rays,
        targets: Targets,
        step: int,
        rng: np.random.Generator,
    ) -> tuple[Losses, tuple[float, float]]:
        """The weighted terms by name, and the shares of depth and normal cues that are excluded."""
        is_late = self.is_late(step)
        rendered = self.doubted(rendered, rays.images, targets.places)
        named = {"Colour": (rendered.rgb - targets.rgb).abs().mean()}
        named |= self._field_losses(field, rendered, is_late, rng)
        if self._sparse is not None and self._settings.sparse_weight:
            named["Sparse points"] = self._sparse_loss(field, self._sparse, rng)
        targets = self._comparable(rendered, rays, targets, step)
        if self._straightens(step):
            named["Depth correction"] = self._settings.correction_weight * self.corrections.prior_loss()
        if not self._schedule.uses_uncertainty(step):
            named |= self._plain_losses(rendered, targets)
        if not self._settings.uncertainty:
            return named, (0.0, 0.0)
        self._learn_calibration(rendered, targets, step)
        kept = self._kept(rendered, is_late)
        excluded = _share_out(kept[0], targets.depth_weight), _share_out(kept[1], targets.normal_weight)
        return named | self._uncertain_losses(rendered, targets, step, *kept), excluded

    def doubted(self, rendered: Rendered, images: Tensor, places: Tensor) -> Rendered:
        """The normals' uncertainty as it is in these parts of these pictures: cues are off by smooth fields too,
        which no point in space knows of."""
        factor = self.normal_doubts.factor(images, places)
        return replace(rendered, normal_uncertainty=rendered.normal_uncertainty * factor[:, None])

    def _straightens(self, step: int) -> bool:
        return self._settings.correct_depth and self._has_depth and self._schedule.is_near(step)

    def _comparable(self, rendered: Rendered, rays: Rays, targets: Targets, step: int) -> Targets:
        """The targets with straightened depth, weightless where a ray meets no surface to compare with."""
        crossed = rendered.is_crossed.float()
        depth = targets.depth
        if self._straightens(step):
            depth = depth * self.corrections.factor(rays.images, targets.places)
        return replace(
            targets,
            depth=depth,
            depth_weight=targets.depth_weight * crossed,
            normal_weight=targets.normal_weight * crossed,
        )

    def _plain_losses(self, rendered: Rendered, targets: Targets) -> Losses:
        named = {}
        if self._has_depth:
            error = terms.depth_error(rendered.depth, targets.depth)
            loss = terms.plain_depth_loss(error, targets.trust * targets.depth_weight)
            named["Depth"] = self._settings.depth_weight * loss
        if self._has_normals:
            weight = targets.trust * targets.normal_weight
            loss = terms.plain_normal_loss(rendered.normals, targets.normals, weight)
            named["Normals"] = self._settings.normal_weight * loss
        return named

    def _uncertain_losses(
        self, rendered: Rendered, targets: Targets, step: int, keeps_depth: Tensor, keeps_normals: Tensor
    ) -> Losses:
        """The uncertainty always learns; the geometry only from cues that are kept, trusted and past the warm-up."""
        shapes = (targets.trust > 0) & self._schedule.uses_uncertainty(step)
        named = {}
        if self._has_depth:
            error = terms.depth_error(rendered.depth, targets.depth)
            loss = terms.uncertain_depth_loss(
                error, rendered.depth_uncertainty, targets.depth_weight, keeps_depth & shapes
            )
            named["Depth uncertainty"] = self._settings.uncertain_depth_weight * loss
        if self._has_normals:
            of_normal, weight = rendered.normal_uncertainty, targets.normal_weight
            loss = terms.uncertain_normal_loss(
                rendered.normals, targets.normals, of_normal, weight, keeps_normals & shapes
            )
            named["Normal uncertainty"] = self._settings.uncertain_normal_weight * loss
        return named

    def _kept(self, rendered: Rendered, is_late: bool) -> tuple[Tensor, Tensor]:
        of_depth, of_normal = rendered.depth_uncertainty, rendered.normal_uncertainty.mean(1)
        self.depth_cutoff.update(of_depth)
        self.normal_cutoff.update(of_normal)
        if not (is_late and self._settings.exclusion):
            everything = torch.ones_like(of_depth, dtype=torch.bool)
            return everything, everything
        return self.depth_cutoff.keeps(of_depth), self.normal_cutoff.keeps(of_normal)

    def _field_losses(
        self, field: DistanceNetwork, rendered: Rendered, is_late: bool, rng: np.random.Generator
    ) -> Losses:
        """The distance property and smoothness, at points on the surface seen and anywhere."""
        surface, chosen = self._surface_points(rendered, rng)
        anywhere = rng.uniform(-1, 1, (len(surface) // 2, 3))
        points = torch.cat([surface, self._tensor(anywhere)])
        beside = points + self._tensor(rng.uniform(-0.5, 0.5, (len(points), 3)) * SMOOTH_REACH)
        _, gradients, _ = field.field(torch.cat([points, beside]).clamp(-1, 1))
        normals = torch.nn.functional.normalize(gradients, dim=1)
        weights = torch.ones(len(points), device=self._device)
        uncertainty = rendered.uncertainty
        self._smooth_cutoff.update(uncertainty)
        if is_late and self._settings.adaptive_smoothness:
            weights[: len(surface)] = self._smooth_cutoff.keeps(uncertainty[chosen]).float()
        smooth = terms.smoothness_loss(normals[: len(points)], normals[len(points) :], weights)
        distance = terms.eikonal_loss(rendered.gradients)
        distance = distance + terms.eikonal_loss(gradients[len(surface) : len(points)])
        return {
            "Distance field": self._settings.eikonal_weight * distance,
            "Smoothness": self._settings.smooth_weight * smooth,
        }

    def _surface_points(self, rendered: Rendered, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """One sample of every other ray, by weight, and which rays."""
        num_rays, num_samples = rendered.weights.shape
        chosen = torch.arange(0, num_rays, 2, device=self._device)
        mass = torch.cumsum(rendered.weights.detach()[chosen] + 1e-4, 1)
        wanted = self._tensor(rng.random((len(chosen), 1), dtype=np.float32)) * mass[:, -1:]
        sample = torch.searchsorted(mass, wanted)[:, 0].clamp_max(num_samples - 1)
        return rendered.points[chosen * num_samples + sample].detach(), chosen

    def _sparse_loss(self, field: DistanceNetwork, points: Tensor, rng: np.random.Generator) -> Tensor:
        """How far the surface is from sparse points, of which some are wrong."""
        chosen = torch.from_numpy(rng.integers(0, len(points), SPARSE_A_STEP)).to(self._device)
        distance = field.field(points[chosen])[0]
        return self._settings.sparse_weight * distance.abs().clamp_max(SPARSE_REACH).mean()

    def _tensor(self, array: NDArray[np.floating]) -> Tensor:
        return torch.from_numpy(array.astype(np.float32)).to(self._device)

    @torch.no_grad()
    def _learn_calibration(self, rendered: Rendered, targets: Targets, step: int) -> None:
        """Running rank correlations, looked at now and then."""
        if step % CALIBRATION_EVERY:
            return
        normals = (rendered.normals - targets.normals).norm(dim=1)
        depth = terms.depth_error(rendered.depth, targets.depth)
        pairs = {
            "depth": (rendered.depth_uncertainty, depth, targets.depth_weight),
            "normals": (rendered.normal_uncertainty.mean(1), normals, targets.normal_weight),
        }
        for name, (uncertainty, error, weight) in pairs.items():
            known = weight > 0
            now = rank_correlation(uncertainty[known].cpu().numpy(), error[known].cpu().numpy())
            self.calibration[name] = MEMORY * self.calibration[name] + (1 - MEMORY) * now

    def state(self) -> NDArray[np.float64]:
        """(5,) cutoffs, NaN where there is none yet, and calibration."""
        values = [np.nan if cut.value is None else cut.value for cut in self._cutoffs]
        return np.array([*values, self.calibration["depth"], self.calibration["normals"]])

    def load(self, state: NDArray[Any]) -> None:
        """Go on from what `state` gave."""
        *cutoffs, depth, normals = np.asarray(state, np.float64).tolist()
        for cut, value in zip(self._cutoffs, cutoffs, strict=True):
            cut.value = None if np.isnan(value) else value
        self.calibration = {"depth": depth, "normals": normals}

    @property
    def _cutoffs(self) -> tuple[terms.Cutoff, terms.Cutoff, terms.Cutoff]:
        return self.depth_cutoff, self.normal_cutoff, self._smooth_cutoff


def _share_out(kept: Tensor, weights: Tensor) -> float:
    known = weights > 0
    return float((~kept[known]).float().mean()) if bool(known.any()) else 0.0


def rank_correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Spearman's; 0 where either does not vary."""
    if len(a) < 8 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])
