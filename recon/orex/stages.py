"""Stages of a reconstruction that need no learning: the smoothest surface, and the fit of a prior to the planes."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace

from recon.method import Progress
from recon.orex.cascade import Level, SolveStep, num_levels, solve_cascade
from recon.orex.grid import Field, Grid
from recon.orex.job import Fields, Job, counted
from recon.orex.residual import NO_PINS, Pins, ResidualProblem

SMOOTHEST = "Smoothest surface"
FITTING = "Fitting the slices"
# Rounds of slopes and violated signs of the fit, and most CG iterations of each.
ROUNDS = 2
ITERATIONS = 60


def finest_grid(job: Job) -> Grid:
    """The grid that the result is computed on."""
    levels = num_levels(job.settings.resolution)
    grid = Grid.covering(job.boxed.lower, job.boxed.upper, job.settings.resolution, levels)
    for _ in range(levels - 1):
        grid = grid.finer
    return grid


def smoothest_fields(job: Job) -> Generator[Progress, None, Fields]:
    """The field without a prior for every label and the background; previews show the first of them."""
    order = sorted(job.contours)
    for number, key in enumerate(order):
        name = f"smoothest/{key}"
        if name not in job.memory:
            level = yield from _smoothest(job, key, number, len(order))
            job.memory.keep(name, level.field)
            job.memory.save_if_due()
    return {key: job.memory.field(f"smoothest/{key}") for key in order}


def _smoothest(job: Job, key: int, number: int, count: int) -> Generator[Progress, None, Level]:
    """One field; the background, which comes first, shows the union of all labels."""
    last: Level | None = None
    step = total = 0
    for event in solve_cascade(job.boxed, job.contours[key], job.cascade_settings, job.context.seed):
        if isinstance(event, SolveStep):
            step, total = event.step + number * event.total, event.total * count
            yield Progress(step, total, SMOOTHEST)
        else:
            last = event
            if number == 0 and (not event.is_final or job.context.is_preview_due()):
                yield Progress(step, total, SMOOTHEST, preview=job.preview(event.field, event.grid))
    assert last is not None
    return last


def fit_planes(job: Job, priors: Mapping[int, Field], grid: Grid) -> Generator[Progress, None, Fields]:
    """Bend every prior so that it agrees with the planes."""
    fields: Fields = {}
    total = ROUNDS * ITERATIONS * len(priors)
    for number, (key, prior) in enumerate(priors.items()):
        problem = fitting_problem(job, key, prior, grid)
        field = prior
        for round_ in range(ROUNDS):
            done = ITERATIONS * (number * ROUNDS + round_)
            field = yield from counted(problem.solve(field), FITTING, total, done)
        fields[key] = field
    return fields


def fit_stiffer(
    job: Job, key: int, field: Field, grid: Grid, planes: Sequence[int], factor: float, pins: Pins = NO_PINS
) -> Generator[Progress, None, Field]:
    """Fit once more from `field`, with some planes held `factor` times more stiffly."""
    problem = fitting_problem(job, key, field, grid, pins).stiffer(planes, factor)
    for round_ in range(ROUNDS):
        steps = problem.solve(field)
        field = yield from counted(
            steps, "Agreeing with every slice", ROUNDS * ITERATIONS, round_ * ITERATIONS
        )
    return field


def fitting_problem(job: Job, key: int, prior: Field, grid: Grid, pins: Pins = NO_PINS) -> ResidualProblem:
    """What the planes, and the pins between them, say against a prior."""
    settings = replace(job.cascade_settings, tension=job.settings.prior_tension)
    return ResidualProblem.make(job.boxed, job.contours[key], grid, prior, settings, job.context.seed, pins)
