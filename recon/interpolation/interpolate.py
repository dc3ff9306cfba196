"""Classic interpolation as a run: one closed mesh a label, in the input's unit and frame."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from recon.errors import InputError
from recon.interpolation import InterpolateSettings
from recon.interpolation.biharmonic import contour_centers, fit_biharmonic
from recon.interpolation.morphological import morphological_fields
from recon.interpolation.shape_based import stack_field
from recon.method import Output, Progress, Result, Run, RunContext
from recon.orex import OrexSettings
from recon.orex.agreement import Agreed, agreement_figures, check, contradictions
from recon.orex.contours2d import PlaneContours
from recon.orex.grid import Field, Grid
from recon.orex.job import Fields, Job
from recon.orex.label_regions import BACKGROUND
from recon.orex.reconstruct import chosen_labels, output_names, prepare, shape_figures, surviving
from recon.orex.sampling import sample_on_grid
from recon.orex.stages import finest_grid
from render.cross_sections import CrossSections

INTERPOLATING = "Interpolating"


def run(inputs: Mapping[str, Any], settings: InterpolateSettings, context: RunContext) -> Run:
    """Solids between the contours of `inputs["sections"]`.

    Raises InputError for oblique planes and a kind that needs parallel ones, and for contours that no solid
    follows from.
    """
    sections: CrossSections = inputs["sections"]
    job = prepare(sections, _common_settings(settings), context)
    labels = chosen_labels(job)
    if settings.kind != "rbf" and not job.boxed.is_stack:
        raise InputError(
            f"The {settings.kind} kind needs parallel planes; these are oblique to each other.",
            'Choose the kind "rbf", or the method "Surface from slices", which take planes at any angle.',
        )
    grid = finest_grid(job)
    fields = yield from _interpolate(job, settings, grid)
    solids = job.solids(fields, grid)
    left = surviving(solids, labels)
    names = output_names(sections, labels)
    meshes = {}
    for label in left:
        meshes[names[label]] = job.mesh(solids[label], grid)
        yield Progress(len(meshes), len(left), "Surface")
    agreed = Agreed(fields, grid, check(job, fields, grid), contradictions(job), 0)
    figures = {
        "kind": settings.kind,
        "solids": {name: shape_figures(mesh) for name, mesh in meshes.items()},
        "vanished": [names[label] for label in labels if label not in left],
        **agreement_figures(job, agreed),
    }
    return Result(tuple(Output(name, mesh) for name, mesh in meshes.items()), figures)


def _common_settings(settings: InterpolateSettings) -> OrexSettings:
    """What the shared stages read."""
    caps = "natural" if settings.kind == "rbf" else settings.caps
    return OrexSettings(resolution=settings.resolution, labels=settings.labels, caps=caps)


def _interpolate(job: Job, settings: InterpolateSettings, grid: Grid) -> Generator[Progress, None, Fields]:
    """The field of every label, and of the background where there are several."""
    yield Progress(0, len(job.contours), INTERPOLATING)
    if settings.kind == "morphological":
        # ITK keeps labels apart itself.
        labels = {key: planes for key, planes in job.contours.items() if key != BACKGROUND}
        return (yield from _morphological(labels, grid))
    fields: Fields = {}
    for key, contours in job.contours.items():
        if settings.kind == "rbf":
            fields[key] = yield from _biharmonic(job, key, settings, grid)
        else:
            fields[key] = stack_field(contours, grid, settings.kind)
        yield Progress(len(fields), len(job.contours), INTERPOLATING)
    return fields


def _morphological(
    labels: Mapping[int, list[PlaneContours]], grid: Grid
) -> Generator[Progress, None, Fields]:
    working = morphological_fields(labels, grid)
    while True:
        try:
            next(working)
        except StopIteration as stop:
            fields: Fields = stop.value
            return fields
        yield Progress(0, len(labels), INTERPOLATING)


def _biharmonic(
    job: Job, key: int, settings: InterpolateSettings, grid: Grid
) -> Generator[Progress, None, Field]:
    centers, values = contour_centers(
        job.contours[key], job.boxed.lower, job.boxed.upper, settings.centers, job.context.seed
    )
    sampling = sample_on_grid(fit_biharmonic(centers, values), grid)
    while True:
        try:
            done, total = next(sampling)
        except StopIteration as stop:
            field: Field = stop.value
            return field
        yield Progress(done, total, INTERPOLATING)
