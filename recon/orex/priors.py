"""What fills the space between the planes: nothing, the cubic of a stack, or a network; chosen by held-out planes."""

from __future__ import annotations

import importlib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.errors import InputError
from recon.interpolation.shape_based import stack_field
from recon.method import Progress
from recon.orex.caps import cut_caps
from recon.orex.cascade import Level, SolveStep, solve_cascade
from recon.orex.contours2d import PlaneContours
from recon.orex.grid import Field, Grid, Trilinear
from recon.orex.held_out import Split, keep_planes, prediction_error, split_planes
from recon.orex.job import Fields, Job
from recon.orex.plane_samples import PlaneSamples, sample_planes
from recon.orex.sampling import PointField, sample_on_grid
from recon.orex.stages import finest_grid

CHOOSING = "Choosing between priors"
SAMPLING = "Sampling the prior"
# Held-out planes are judged on a grid of this size, after this share of the training.
TRIAL_RESOLUTION = 65
TRIAL_SHARE = 0.2
# A held-out error must be below this share of every other's to overrule the usual prior: with a slice left out
# the gap is twice as wide and the network trained in brief, which made the worse prior look twice as good.
CLEARLY = 0.5
# A gap in box units; the longest side of the contours is 1.8.
DENSE_GAP = 0.11
# Slices nearer than this many grid spacings leave nothing between them to learn.
FILLED_SPACINGS = 1.5
NETWORKS = ("mixed", "neural", "orex")
# Points on planes for the networks: spacing and band in box units.
SAMPLE_SPACING = 0.0135
SAMPLE_BAND = 0.15
SEEDS_APART = 1009


@dataclass(frozen=True)
class Choice:
    """The prior to use, the held-out error of each candidate, and why where it needs saying."""

    prior: str
    errors: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""


def choose_prior(job: Job) -> Generator[Progress, None, Choice]:
    """The wanted prior, or for "auto" the one that predicts held-out planes best."""
    wanted = job.settings.prior
    if wanted == "cubic" and not job.boxed.is_stack:
        raise InputError(
            "The cubic between slices needs a parallel stack; these planes are oblique to each other.",
            'Choose "auto", "neural" or "none" between the slices.',
        )
    if wanted in NETWORKS and not has_torch():
        return Choice("none", reason="PyTorch is not installed, so no network can be trained.")
    if wanted != "auto":
        return Choice(wanted)
    if job.boxed.is_stack and job.boxed.gap < FILLED_SPACINGS * finest_grid(job).spacing:
        return Choice(
            "none", reason="The slices are as dense as the grid: nothing is left between them to learn."
        )
    split = split_planes(job.boxed)
    if split is None:
        prior = _preferred(job) if has_torch() else "none"
        return Choice(prior, reason="Too few slices to hold some out.")
    errors = yield from _held_out_errors(job, split)
    reason = "" if has_torch() else "PyTorch is not installed, so no network was tried."
    return Choice(_best(errors, _preferred(job)), errors, reason)


def _preferred(job: Job) -> str:
    """What mostly is best: a network, mixed with the smoothest surface where slices are so dense that it is good."""
    return "mixed" if job.boxed.is_stack and job.boxed.gap < DENSE_GAP else "neural"


def _best(errors: Mapping[str, float], preferred: str) -> str:
    """The preferred prior unless another is clearly better than all: a wider gap exaggerates differences."""
    best, *others = sorted(errors, key=lambda name: errors[name])
    if preferred in errors and others and errors[best] > CLEARLY * errors[others[0]]:
        return preferred
    return best


def has_torch() -> bool:
    """Whether PyTorch can be imported."""
    try:
        importlib.import_module("torch")
    except ImportError:
        return False
    return True


def prior_fields(
    job: Job, choice: Choice, smoothest: Fields, grid: Grid
) -> Generator[Progress, None, Fields]:
    """The chosen prior on the grid, for every label and the background."""
    if choice.prior == "none":
        return smoothest
    fields: Fields = {}
    for key, contours in job.contours.items():
        name = f"prior/{key}"
        if name not in job.memory:
            if choice.prior == "cubic":
                prior = _cubic(job, contours, grid)
            else:
                prior = yield from _trained(job, choice.prior, key, smoothest[key], grid)
                if choice.prior == "mixed":
                    prior = mix(prior, smoothest[key])
            job.memory.keep(name, prior)
            job.memory.forget(f"training/{key}/")
            job.memory.save_if_due()
        fields[key] = job.memory.field(name)
        yield Progress(len(fields), len(job.contours), SAMPLING)
    return fields


def mix(trained: Field, smoothest: Field) -> Field:
    """The mean: a network and a thin plate err in different places."""
    return np.asarray((trained + smoothest) / np.float32(2))


def _cubic(job: Job, contours: Sequence[PlaneContours], grid: Grid) -> Field:
    """The natural cubic spline of in-plane distances, ending half a gap beyond a stack unless it is cut later."""
    field = stack_field(contours, grid, "cubic")
    return cut_caps(field, grid, contours, 0.5) if job.settings.caps == "natural" else field


def _held_out_errors(job: Job, split: Split) -> Generator[Progress, None, dict[str, float]]:
    """Each candidate's error on planes it has not seen, for the union of all labels."""
    drawn = job.all_drawn()
    kept, held = [drawn[n] for n in split.kept], [drawn[n] for n in split.held]
    boxed = keep_planes(job.boxed, split.kept)
    settings = replace(job.cascade_settings, resolution=min(TRIAL_RESOLUTION, job.settings.resolution))
    level: Level | None = None
    for event in solve_cascade(boxed, kept, settings, job.context.seed):
        if isinstance(event, SolveStep):
            yield Progress(event.step, event.total, CHOOSING)
        else:
            level = event
    assert level is not None
    grid = level.grid
    errors = {"none": prediction_error(level.field, grid, held)}
    if job.boxed.is_stack:
        errors["cubic"] = prediction_error(stack_field(kept, grid, "cubic"), grid, held)
    if has_torch():
        steps = max(1, round(TRIAL_SHARE * job.settings.steps))
        trained = yield from _train(job, "neural", kept, "trial", 0, steps, level.field, grid)
        sampled = yield from _sampled(trained, grid)
        errors["neural"] = prediction_error(sampled, grid, held)
        errors["mixed"] = prediction_error(mix(sampled, level.field), grid, held)
        job.memory.forget("trial/")
    return errors


def _trained(
    job: Job, prior: str, key: int, smoothest: Field, grid: Grid
) -> Generator[Progress, None, Field]:
    """The mean of the wanted number of networks, on the grid."""
    total: Field | None = None
    for number in range(job.settings.networks if prior != "orex" else 1):
        name = f"training/{key}/{number}"
        trained = yield from _train(
            job, prior, job.contours[key], name, number, job.settings.steps, smoothest, grid
        )
        sampled = yield from _sampled(trained, grid)
        total = sampled if total is None else total + sampled
        if trained.was_stopped:
            break
    assert total is not None
    return np.asarray(total / np.float32(number + 1), np.float32)


def _sampled(trained: PointField, grid: Grid) -> Generator[Progress, None, Field]:
    sampling = sample_on_grid(trained, grid)
    while True:
        try:
            done, total = next(sampling)
        except StopIteration as stop:
            values: Field = stop.value
            return values
        yield Progress(done, total, SAMPLING)


def _train(
    job: Job,
    prior: str,
    contours: Sequence[PlaneContours],
    name: str,
    number: int,
    steps: int,
    smoothest: Field,
    grid: Grid,
) -> Generator[Progress, None, Any]:
    """Train one network on one label's contours."""
    context = job.memory.context_for(name, job.context.seed + SEEDS_APART * number)
    if prior == "orex":
        return (yield from _train_residual_network(job, contours, context))
    network: Any = importlib.import_module("recon.orex.neural_prior")
    warm = _WarmStart(smoothest, grid)
    settings = network.NeuralSettings(
        steps=steps,
        batch_size=job.settings.batch_size,
        shape=network.NetworkShape(width=job.settings.width),
    )
    samples = neural_samples(job, contours)
    preview = _Preview(job)
    return (yield from network.fit(samples, settings, context, warm_start=warm, preview=preview))


def _train_residual_network(
    job: Job, contours: Sequence[PlaneContours], context: Any
) -> Generator[Progress, None, Any]:
    network: Any = importlib.import_module("recon.orex.residual_network")
    chosen = job.settings
    settings = network.ResidualSettings(
        schedule=chosen.schedule,
        iterations=chosen.iterations,
        hidden_state=chosen.hidden_state,
        learnable_frequencies=chosen.learnable_frequencies,
        hierarchical_sampling=chosen.hierarchical_sampling,
        hinge_weight=chosen.hinge_weight,
        hinge_limit=chosen.hinge_limit,
    )
    return (yield from network.fit(contours, settings, context, preview=_Preview(job)))


def neural_samples(job: Job, contours: Sequence[PlaneContours]) -> PlaneSamples:
    """The planes as the neural prior is trained on them, with whole distances."""
    return sample_planes(
        contours,
        job.boxed.lower,
        job.boxed.upper,
        SAMPLE_SPACING,
        SAMPLE_BAND,
        np.random.default_rng(job.context.seed),
        limit=np.inf,
        hull_offset=job.boxed.hull_offset,
    )


@dataclass(frozen=True)
class _WarmStart:
    """The smoothest field as a function of points."""

    field: Field
    grid: Grid

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        return Trilinear.at(points, self.grid).interpolate(self.field).astype(np.float64)


@dataclass(frozen=True)
class _Preview:
    """Makes a coarse mesh of a network under training."""

    job: Job

    def __call__(self, trained: PointField) -> Any:
        boxed = self.job.boxed
        coarse = Grid.covering(boxed.lower, boxed.upper, TRIAL_RESOLUTION, 2).finer
        sampling = sample_on_grid(trained, coarse)
        while True:
            try:
                next(sampling)
            except StopIteration as stop:
                return self.job.preview(stop.value, coarse)
