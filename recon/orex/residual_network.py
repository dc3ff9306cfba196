"""OReX's own prior (arXiv:2211.12886): an inside/outside network that refines its answer ten times.

Faithful to the paper and its published settings; each of its parts can be switched off to see what it does.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, leaky_relu

from recon.method import Progress, RunContext, StopRequested
from recon.orex.contours2d import PlaneContours
from recon.orex.neural_prior import one_thread
from recon.orex.refinement_levels import LEVELS, sample_window
from recon.orex.training_points import Field
from render.scene_data import SceneData

_CHUNK = 2048  # a step takes its batch in parts that fit the processor's cache and keep the run responsive
_REPORT_SECONDS = 0.04


@dataclass(frozen=True)
class ResidualSettings:
    """The paper's hyper-parameters, and its parts as switches.

    schedule: share of the paper's 650 epochs. iterations: 1 switches the refinement off. hinge_weight: 0 switches
    the gradient hinge off. hierarchical_sampling: off trains on the finest window from the start.
    """

    schedule: float = 0.1
    iterations: int = 10
    hidden_state: bool = True
    learnable_frequencies: bool = True
    hierarchical_sampling: bool = True
    hinge_weight: float = 1e-4
    hinge_limit: float = 100.0
    batch_size: int = 2**14
    width: int = 64
    depth: int = 7
    hidden_size: int = 32
    num_frequencies: int = 5
    learning_rate: float = 1e-2
    weight_decay: float = 1e-3

    @property
    def epochs(self) -> tuple[int, ...]:
        """Epochs of each level, one at least."""
        return tuple(max(1, round(self.schedule * level.epochs)) for level in LEVELS)


class ResidualNetwork(nn.Module):
    """s_{i+1} = s_i + ds, h_{i+1} with [ds, h_{i+1}] = MLP([encoding of x, s_i, h_i + encoding of i]).

    The logit s is positive outside. s_0, h_0 and the encoding's frequencies are learned.
    """

    def __init__(self, settings: ResidualSettings) -> None:
        super().__init__()
        self._settings = settings
        octaves = 2.0 ** torch.arange(settings.num_frequencies)
        self.cosine_frequencies = nn.Parameter(octaves.clone(), settings.learnable_frequencies)
        self.sine_frequencies = nn.Parameter(octaves.clone(), settings.learnable_frequencies)
        self.first_logit = nn.Parameter(torch.rand(1))
        self.first_hidden = nn.Parameter(torch.rand(settings.hidden_size))
        inputs = 3 + 6 * settings.num_frequencies + 1 + settings.hidden_size
        sizes = [inputs, *[settings.width] * settings.depth, 1 + settings.hidden_size]
        layers = [nn.Linear(i, o) for i, o in pairwise(sizes)]
        self.layers = nn.ModuleList(layers)
        for layer in layers:
            nn.init.xavier_uniform_(layer.weight)
            nn.init.uniform_(layer.bias)

    def forward(self, points: Tensor) -> Tensor:
        """(iterations, N) logits at (N, 3) points, every iterate in order."""
        encoded = self._encode(points)
        logit = self.first_logit.expand(len(points))
        hidden = self.first_hidden.expand(len(points), -1)
        logits = []
        for iteration in range(self._settings.iterations):
            told = hidden + encode_iteration(iteration, hidden)
            out = torch.cat([encoded, logit[:, None], told], 1)
            for layer in self.layers[:-1]:
                out = leaky_relu(layer(out), 0.01)
            out = self.layers[-1](out)
            logit = logit + out[:, 0]
            if self._settings.hidden_state:
                hidden = out[:, 1:]
            logits.append(logit)
        return torch.stack(logits)

    def _encode(self, points: Tensor) -> Tensor:
        cosines = torch.cos(points[:, :, None] * self.cosine_frequencies).flatten(1)
        sines = torch.sin(points[:, :, None] * self.sine_frequencies).flatten(1)
        return torch.cat([points, cosines, sines], 1)


def encode_iteration(iteration: int, like: Tensor) -> Tensor:
    """(H,) sines and cosines of the iteration's number times 1, 2, 4, …; H is the last size of `like`."""
    half = like.shape[-1] // 2
    # In double precision: the highest frequency turns some 50 000 times.
    angles = iteration * 2.0 ** np.arange(half)
    return torch.tensor(
        np.concatenate([np.sin(angles), np.cos(angles)]), dtype=like.dtype, device=like.device
    )


@dataclass(frozen=True)
class ResidualField:
    """A trained network as a field: (N, 3) points in box units → (N,) values, negative inside.

    The last logit, over its median slope at the contours, so that values near the surface are about distances.
    """

    network: ResidualNetwork
    slope: float
    was_stopped: bool = False

    @torch.no_grad()
    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        values = np.empty(len(points))
        device = self.network.first_logit.device
        for first in range(0, len(points), _CHUNK):
            part = torch.tensor(points[first : first + _CHUNK], dtype=torch.float32, device=device)
            values[first : first + _CHUNK] = self.network(part)[-1].cpu().numpy() / self.slope
        return values


def fit(
    contours: Sequence[PlaneContours],
    settings: ResidualSettings,
    context: RunContext,
    preview: Callable[[Field], SceneData | None] | None = None,
) -> Generator[Progress, None, ResidualField]:
    """Train on one label's contours, in box units; resumes from the context's checkpoint exactly."""
    with one_thread():
        training = _Training(contours, settings, context)
        loaded = context.load_checkpoint()
        if loaded is not None:
            training.restore(loaded)
        try:
            yield from _train(training, context, preview)
        except StopRequested:
            return training.field(was_stopped=True)
        return training.field()


def _train(
    training: _Training, context: RunContext, preview: Callable[[Field], SceneData | None] | None
) -> Generator[Progress, None, None]:
    reported = time.monotonic()
    while not training.is_done:
        for _ in training.advance():
            if time.monotonic() - reported > _REPORT_SECONDS:
                yield training.progress(None)
                reported = time.monotonic()
        shown = preview(training.field()) if preview and context.is_preview_due() else None
        if context.is_checkpoint_due():
            context.save_checkpoint(training.checkpoint())
        if shown is not None or training.is_done:
            yield training.progress(shown)


class _Training:
    """The state of a run: network, optimiser, and the place in the schedule."""

    def __init__(
        self, contours: Sequence[PlaneContours], settings: ResidualSettings, context: RunContext
    ) -> None:
        self._contours, self._settings, self._seed = contours, settings, context.seed
        self._device = torch.device(context.device)
        with torch.random.fork_rng([]):
            torch.manual_seed(context.seed)
            self.network = ResidualNetwork(settings)
        self.network.to(self._device)
        self._trained = [p for p in self.network.parameters() if p.requires_grad]
        self._optimiser = torch.optim.Adam(
            self._trained, lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._losses: dict[str, float] = {}
        self._level = -1
        self._epoch = self._batch = 0
        self._enter_epoch()

    @property
    def is_done(self) -> bool:
        return self._epoch >= sum(self._settings.epochs)

    def advance(self) -> Generator[None, None, None]:
        """One step of the optimiser; yields after each part of its batch."""
        chosen = self._order[self._batch * self._settings.batch_size :][: self._settings.batch_size]
        self._optimiser.zero_grad()
        totals: dict[str, float] = {}
        for part in torch.split(chosen, _CHUNK):
            losses = batch_losses(self.network, self._points[part], self._labels[part], self._settings)
            share = len(part) / len(chosen)
            (torch.stack(list(losses.values())).sum() * share).backward()  # type: ignore[no-untyped-call]
            for name, loss in losses.items():
                totals[name] = totals.get(name, 0.0) + float(loss.detach()) * share
            yield
        self._losses = totals
        self._optimiser.step()
        self._batch += 1
        if self._batch == self._num_batches:
            self._epoch, self._batch = self._epoch + 1, 0
            self._enter_epoch()

    def progress(self, shown: SceneData | None) -> Progress:
        """Counts epochs in hundredths, so that the bar moves within an epoch too."""
        done = self._epoch + self._batch / self._num_batches
        total = 100 * sum(self._settings.epochs)
        return Progress(
            max(1, round(100 * done)), total, f"OReX level {self._level + 1}", self._losses, shown
        )

    def field(self, was_stopped: bool = False) -> ResidualField:
        """The field as it is now; training goes on without changing it."""
        network = ResidualNetwork(self._settings).to(self._device)
        network.load_state_dict(self.network.state_dict())
        on_contour = self._points[self._labels == 0.5][:_CHUNK]
        slope = float(logit_gradients(network, on_contour).norm(dim=1).median()) if len(on_contour) else 1.0
        return ResidualField(network, max(slope, 1e-6), was_stopped)

    def checkpoint(self) -> dict[str, NDArray[np.generic]]:
        """Everything that the rest of the run depends on; the samples and their order follow from the seed."""
        arrays: dict[str, NDArray[np.generic]] = {"position": np.array([self._epoch, self._batch])}
        for number, parameter in enumerate(self._trained):
            state = self._optimiser.state.get(parameter) or {}
            arrays[f"parameter_{number}"] = parameter.detach().cpu().numpy().copy()
            for name in ("exp_avg", "exp_avg_sq", "step"):
                if name in state:
                    arrays[f"{name}_{number}"] = state[name].cpu().numpy().copy()
        return arrays

    def restore(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from what `checkpoint` returned."""
        for number, parameter in enumerate(self._trained):
            with torch.no_grad():
                parameter.copy_(torch.tensor(arrays[f"parameter_{number}"]))
            moments = {
                name: torch.tensor(arrays[f"{name}_{number}"], device=self._device)
                for name in ("exp_avg", "exp_avg_sq")
            }
            self._optimiser.state[parameter] = moments | {"step": torch.tensor(arrays[f"step_{number}"])}
        self._epoch, batch = (int(n) for n in arrays["position"])
        self._enter_epoch()
        self._batch = batch

    def _enter_epoch(self) -> None:
        """The samples of the epoch's level in the epoch's own order, and its learning rate."""
        epochs = self._settings.epochs
        level = int(np.searchsorted(np.cumsum(epochs), min(self._epoch, sum(epochs) - 1), side="right"))
        if level != self._level:
            self._level = level
            self._load_samples(level if self._settings.hierarchical_sampling else len(LEVELS) - 1)
        shuffler = torch.Generator().manual_seed(self._seed * 1_000_003 + self._epoch)
        self._order = torch.randperm(len(self._points), generator=shuffler).to(self._device)
        self._num_batches = math.ceil(len(self._order) / self._settings.batch_size)
        # The paper's 0.9 every ten of 650 epochs, over whatever share of them is trained.
        decay = 0.9 ** (self._epoch / sum(epochs) * sum(level.epochs for level in LEVELS) // 10)
        for group in self._optimiser.param_groups:
            group["lr"] = self._settings.learning_rate * decay

    def _load_samples(self, level: int) -> None:
        samples = sample_window(self._contours, level, self._seed)
        self._points = torch.tensor(samples.points, dtype=torch.float32, device=self._device)
        self._labels = torch.tensor(samples.labels, dtype=torch.float32, device=self._device)


def batch_losses(
    network: ResidualNetwork, points: Tensor, labels: Tensor, settings: ResidualSettings
) -> dict[str, Tensor]:
    """The cross-entropy, a mean over all iterates, and the weighted gradient hinge of the last one."""
    tracked = points.clone().requires_grad_(settings.hinge_weight > 0)
    logits = network(tracked)
    losses = {"cross-entropy": cross_entropies(logits, labels).mean()}
    if settings.hinge_weight > 0:
        losses["hinge"] = settings.hinge_weight * gradient_hinge(
            network, tracked, logits[-1], settings.hinge_limit
        )
    return losses


def cross_entropies(logits: Tensor, labels: Tensor) -> Tensor:
    """(iterations,) mean cross-entropy of each iterate; labels of 0.5 pull the logit to zero."""
    wanted = labels.expand_as(logits)
    return binary_cross_entropy_with_logits(logits, wanted, reduction="none").mean(1)


def gradient_hinge(network: ResidualNetwork, points: Tensor, logits: Tensor, limit: float) -> Tensor:
    """Mean of max(0, |grad s| - limit), the paper's term against ripples.

    Exact, but second derivatives are only taken where the hinge is active, which is seldom: it is zero elsewhere
    and so is its own gradient.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), points, retain_graph=True)
    steep = points.detach()[gradient.norm(dim=1) > limit]
    if not len(steep):
        return logits.new_zeros(())
    lengths = logit_gradients(network, steep, create_graph=True).norm(dim=1)
    return torch.sum(lengths - limit) / len(points)


def logit_gradients(network: ResidualNetwork, points: Tensor, create_graph: bool = False) -> Tensor:
    """(N, 3) gradient of the last logit in space."""
    tracked = points.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(network(tracked)[-1].sum(), tracked, create_graph=create_graph)
    return gradient
