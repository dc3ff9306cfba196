"""The default prior: a small network that is a smooth signed distance field through the slices.

What a slice tells of space is used as what it is: the field is zero on contours, has the drawn sign elsewhere on
the plane, and its magnitude never exceeds the in-plane distance. Between the slices the field is a distance field
(eikonal) whose level sets bend little near the surface: the curvature is felt by the difference of two gradients
a short step apart (Hutchinson's estimate of the Hessian's norm).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recon.method import Progress, RunContext, StopRequested
from recon.orex.fused_network import (
    NetworkShape,
    evaluate,
    initial_parameters,
    octave_weights,
    value_and_gradient,
)
from recon.orex.plane_samples import PlaneSamples
from recon.orex.prior_losses import bound_loss, curvature_loss, eikonal_loss, outside_loss, sign_loss
from recon.orex.training_points import Field, TrainingPoints, WarmStart, choose, normal
from render.scene_data import SceneData

Arrays = dict[str, NDArray[np.generic]]

_REPORT_SECONDS = 0.04
_CHUNK = 16_384


@dataclass(frozen=True)
class NeuralSettings:
    """How the network is trained; the weights multiply means over their own points.

    batch_size: points on planes a step. spatial_size: points in space a step, half of them near the surface.
    anneal: share of the run after which all octaves of the encoding are open. curvature_start: how many times
    stiffer the surface is at first, falling steadily to 1. curvature_step: box units between the two gradients.
    curvature_band: distance to the surface within which curvature counts.
    warm_share: share of the run during which the warm start is followed.
    """

    steps: int = 3000
    batch_size: int = 2048
    spatial_size: int = 1024
    learning_rate: float = 3e-3
    shape: NetworkShape = field(default_factory=NetworkShape)
    anneal: float = 0.5
    contour_weight: float = 1.0
    contour_share: float = 0.0625
    bound_weight: float = 2.0
    sign_weight: float = 8.0
    outside_weight: float = 1.5
    outside_share: float = 0.125
    eikonal_weight: float = 0.1
    curvature_weight: float = 2e-4
    curvature_start: float = 5.0
    curvature_step: float = 0.02
    curvature_band: float = 0.1
    surface_band: float = 0.1
    refresh_steps: int = 200
    warm_weight: float = 1.0
    warm_share: float = 0.25


@dataclass(frozen=True)
class NeuralField:
    """A trained field: (N, 3) points in box units → (N,) signed values, negative inside.

    was_stopped: whether the person stopped the training early.
    """

    shape: NetworkShape
    parameters: Tensor
    octaves: Tensor
    was_stopped: bool = False

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        values = np.empty(len(points))
        for first in range(0, len(points), _CHUNK):
            part = np.ascontiguousarray(points[first : first + _CHUNK], dtype=np.float32)
            chunk = torch.from_numpy(part).to(self.parameters.device)
            values[first : first + _CHUNK] = (
                evaluate(self.shape, self.parameters, self.octaves, chunk).cpu().numpy()
            )
        return values


def fit(
    samples: PlaneSamples,
    settings: NeuralSettings,
    context: RunContext,
    warm_start: Field | None = None,
    preview: Callable[[Field], SceneData | None] | None = None,
) -> Generator[Progress, None, NeuralField]:
    """Train the network on one label's samples; resumes from the context's checkpoint exactly.

    warm_start: a field to begin from and to look for the surface with. preview: makes scene data of the field
    so far when the context says that a preview is due. Torch runs on one thread meanwhile.
    """
    with one_thread():
        training = _Training(samples, settings, context, warm_start)
        loaded = context.load_checkpoint()
        if loaded is not None:
            training.restore(loaded)
        try:
            yield from _train(training, settings, context, preview)
        except StopRequested:
            return training.field(was_stopped=True)
        return training.field()


def _train(
    training: _Training,
    settings: NeuralSettings,
    context: RunContext,
    preview: Callable[[Field], SceneData | None] | None,
) -> Generator[Progress, None, None]:
    reported = time.monotonic()
    while training.step < settings.steps:
        training.advance()
        now = time.monotonic()
        if now - reported < _REPORT_SECONDS and training.step < settings.steps:
            continue
        shown = preview(training.field()) if preview and context.is_preview_due() else None
        if context.is_checkpoint_due():
            context.save_checkpoint(training.checkpoint())
        yield Progress(training.step, settings.steps, "Neural prior", training.losses(), shown)
        reported = time.monotonic()


@contextmanager
def one_thread() -> Generator[None, None, None]:
    """Small matrices gain nothing from more threads and lose much on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Training:
    """The state of a run: parameters, optimiser, random state and the points near the surface."""

    def __init__(
        self, samples: PlaneSamples, settings: NeuralSettings, context: RunContext, warm_start: Field | None
    ) -> None:
        device = torch.device(context.device)
        self.step = 0
        self._settings = settings
        self._random = torch.Generator(device).manual_seed(context.seed)
        initial = initial_parameters(settings.shape, torch.Generator().manual_seed(context.seed))
        self._parameters = initial.to(device).requires_grad_()
        self._optimiser = torch.optim.Adam([self._parameters], betas=(0.9, 0.99), eps=1e-15)
        self._points = TrainingPoints.of(samples, device)
        self._warm = None
        self._surface = self._points.contour
        if warm_start:
            self._warm = WarmStart.of(warm_start, samples, settings.surface_band, device, context.seed)
            self._surface = self._warm.surface
        self._losses: dict[str, Tensor] = {}

    def advance(self) -> None:
        """One step of training."""
        settings, done = self._settings, self.step / self._settings.steps
        if self._is_refresh_due():
            self._surface = self._find_surface()
        for group in self._optimiser.param_groups:
            group["lr"] = 1e-5 + (settings.learning_rate - 1e-5) * 0.5 * (1 + math.cos(math.pi * done))
        self._losses = self._compute_losses(done)
        loss = torch.stack(list(self._losses.values())).sum()
        (self._parameters.grad,) = torch.autograd.grad(loss, [self._parameters])
        self._optimiser.step()
        self.step += 1

    def field(self, was_stopped: bool = False) -> NeuralField:
        """The field as it is now."""
        octaves = octave_weights(self._settings.shape, self._opened, self._parameters.detach())
        return NeuralField(self._settings.shape, self._parameters.detach().clone(), octaves, was_stopped)

    def losses(self) -> Mapping[str, float]:
        """The weighted losses of the last step by name."""
        return {name: float(loss.detach()) for name, loss in self._losses.items()}

    @property
    def _opened(self) -> float:
        return self.step / self._settings.steps / self._settings.anneal

    def _is_refresh_due(self) -> bool:
        every = self._settings.refresh_steps
        return self.step == every // 2 or (self.step > 0 and self.step % every == 0)

    def _find_surface(self, count: int = 40_000) -> Tensor:
        """Random points of the box within the band around the present surface."""
        candidates = self._points.anywhere(count, self._random)
        octaves = octave_weights(self._settings.shape, self._opened, candidates)
        values = torch.cat(
            [
                evaluate(self._settings.shape, self._parameters.detach(), octaves, part)
                for part in torch.split(candidates, _CHUNK)
            ]
        )
        near = candidates[values.abs() < self._settings.surface_band]
        return near if len(near) > count // 100 else self._points.contour

    def _compute_losses(self, done: float) -> dict[str, Tensor]:
        settings, points = self._settings, self._points
        spatial = self._sample_space()
        num_contour = int(settings.batch_size * settings.contour_share)
        num_outside = int(settings.batch_size * settings.outside_share) if len(points.outside) else 0
        plane = points.choose_plane(settings.batch_size - num_contour - num_outside, self._random)
        contour = choose(points.contour, num_contour, self._random)
        outside = choose(points.outside, num_outside, self._random)
        parts = [spatial, points.plane[plane], contour, outside]
        if self._warm and done < settings.warm_share:
            chosen = self._warm.choose(settings.spatial_size, self._random)
            parts.append(self._warm.points[chosen])
        octaves = octave_weights(settings.shape, self._opened, spatial)
        values, gradients = value_and_gradient(
            settings.shape, self._parameters, octaves, torch.cat(parts), len(spatial)
        )
        of = torch.split(values, [len(part) for part in parts])
        near = torch.exp(-((of[0].detach() / settings.curvature_band) ** 2))
        bounds = points.bounds[plane]
        stiffness = settings.curvature_weight * settings.curvature_start ** (1 - done)
        losses = {
            "eikonal": settings.eikonal_weight * eikonal_loss(gradients),
            "curvature": stiffness * curvature_loss(gradients, near, settings.curvature_step),
            "bound": settings.bound_weight * bound_loss(of[1], bounds),
            "sign": settings.sign_weight * sign_loss(of[1], bounds),
            "contour": settings.contour_weight * of[2].abs().mean(),
        }
        if num_outside:
            losses["outside"] = settings.outside_weight * outside_loss(of[3])
        if len(parts) == 5 and self._warm:
            fading = settings.warm_weight * (1 - done / settings.warm_share)
            losses["warm start"] = fading * (of[4] - self._warm.values[chosen]).abs().mean()
        return losses

    def _sample_space(self) -> Tensor:
        """Pairs of points a short step apart: the first half of the rows, then their partners."""
        pairs = self._settings.spatial_size // 2
        anywhere = self._points.anywhere(pairs - pairs // 2, self._random)
        near = choose(self._surface, pairs // 2, self._random)
        near = near + 0.02 * normal(near.shape, near.device, self._random)
        first = torch.cat([anywhere, near])
        direction = normal(first.shape, first.device, self._random)
        direction = direction / direction.norm(dim=1, keepdim=True)
        return torch.cat([first, first + self._settings.curvature_step * direction])

    def checkpoint(self) -> Arrays:
        """Everything that the rest of the run depends on."""
        state = self._optimiser.state[self._parameters]
        arrays = {
            "parameters": self._parameters.detach(),
            "first_moment": state["exp_avg"],
            "second_moment": state["exp_avg_sq"],
            "random": self._random.get_state(),
            "surface": self._surface,
        }
        # Copies, since on the CPU the arrays would share memory with what trains on.
        copies = {name: value.cpu().numpy().copy() for name, value in arrays.items()}
        return {"step": np.array(self.step)} | copies

    def restore(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from what `checkpoint` returned."""
        self.step = int(arrays["step"])
        device = self._parameters.device
        with torch.no_grad():
            self._parameters.copy_(torch.tensor(arrays["parameters"]))
        self._optimiser.state[self._parameters] = {
            "step": torch.tensor(float(self.step)),
            "exp_avg": torch.tensor(arrays["first_moment"], device=device),
            "exp_avg_sq": torch.tensor(arrays["second_moment"], device=device),
        }
        self._random.set_state(torch.tensor(arrays["random"]))
        self._surface = torch.tensor(arrays["surface"], device=device)
