"""From cross-sections to one closed mesh a label: the whole pipeline as one generator."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from recon.errors import InputError, NoSurface
from recon.method import Output, Progress, Result, Run, RunContext, StopRequested
from recon.orex import OrexSettings
from recon.orex.agreement import agree, agreement_figures
from recon.orex.box import box_sections
from recon.orex.bridges import Handles, Mended, mend
from recon.orex.caps import extended_ends
from recon.orex.coincident import reconcile
from recon.orex.grid import Field, Grid
from recon.orex.job import Job
from recon.orex.label_regions import LabelRegions, label_regions
from recon.orex.memory import Memory
from recon.orex.priors import Choice, choose_prior, prior_fields
from recon.orex.stages import finest_grid, fit_planes, smoothest_fields
from recon.orex.uncertainty import estimate_uncertainty
from recon.surface import describe
from render.cross_sections import CrossSections
from render.mesh import TriangleMesh

# In box units; less is rounding.
LEAST_AREA = 1e-9
# Vertices may be rounded by this share of the grid's spacing; more shows on the slices.
COARSEST_STEP = 0.1


@dataclass
class Clock:
    """Seconds that each stage took, by wall and by processor."""

    wall: dict[str, float] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)
    _last: tuple[float, float] = field(default_factory=lambda: (time.perf_counter(), time.process_time()))

    def lap(self, stage: str) -> None:
        """Put the time since the last lap down to a stage."""
        now = (time.perf_counter(), time.process_time())
        self.wall[stage] = round(now[0] - self._last[0], 3)
        self.processor[stage] = round(now[1] - self._last[1], 3)
        self._last = now


def run(inputs: Mapping[str, Any], settings: OrexSettings, context: RunContext) -> Run:
    """Solids through the contours of `inputs["sections"]`, in its unit and frame.

    Raises InputError for contours that no solid follows from, and NoSurface where a solid vanishes.
    """
    sections: CrossSections = inputs["sections"]
    job = prepare(sections, settings, context)
    chosen = chosen_labels(job)
    clock = Clock()
    smoothest = yield from smoothest_fields(job)
    grid = finest_grid(job)
    clock.lap("smoothest surface")
    choice, priors = Choice("none"), smoothest
    try:
        choice = yield from choose_prior(job)
        priors = yield from prior_fields(job, choice, smoothest, grid)
    except StopRequested:
        choice = Choice("none", choice.errors, "Stopped before the prior was ready.")
    clock.lap("prior")
    fields = yield from fit_planes(job, priors, grid)
    mended = (yield from mend(job, fields, grid)) if settings.cut_bridges else Mended(fields)
    agreed = yield from agree(job, mended.fields, grid, mended.pins)
    clock.lap("fit to the slices")
    solids = job.solids(agreed.fields, agreed.grid)
    left = surviving(solids, chosen)
    handles = {label: mended.handles.get(label, Handles()) for label in left}
    names = output_names(sections, chosen)
    meshes: dict[str, TriangleMesh] = {}
    for label in left:
        meshes[names[label]] = yield from _finished_mesh(job, label, solids[label], agreed.grid)
    clock.lap("surface")
    figures = {
        "prior": choice.prior,
        "held_out_errors": dict(choice.errors),
        "note": " ".join(filter(None, [choice.reason, str(sum(handles.values(), Handles()))])),
        "bridges": {names[label]: asdict(found) for label, found in handles.items()},
        "solids": {name: shape_figures(mesh) for name, mesh in meshes.items()},
        "vanished": [names[label] for label in chosen if label not in left],
        "grid": list(agreed.grid.shape),
        "grid_spacing": agreed.grid.spacing * job.boxed.world_from_box.scale,
        **agreement_figures(job, agreed),
        "seconds": clock.wall,
        "cpu_seconds": clock.processor,
    }
    return Result(tuple(Output(name, mesh) for name, mesh in meshes.items()), figures)


def prepare(sections: CrossSections, settings: OrexSettings, context: RunContext) -> Job:
    """Everything that the stages share. Raises InputError for contours that no solid follows from."""
    boxed = box_sections(sections)
    regions = label_regions(boxed)
    _check_areas(regions)
    contours, coinciding = reconcile(boxed, regions.contours)
    if boxed.is_stack and settings.caps != "natural":
        contours = {key: [*planes, *extended_ends(planes)] for key, planes in contours.items()}
    job = Job(
        boxed, contours, regions.overlaps, settings, context, Memory(context), sections.frame, coinciding
    )
    _check_precision(sections, finest_grid(job).spacing * boxed.world_from_box.scale)
    return job


def _check_precision(sections: CrossSections, spacing: float) -> None:
    """Refuse coordinates that leave a mesh's single precision too few digits for the shape."""
    step = float(np.spacing(np.abs(sections.bounds).max().astype(np.float32)))
    if step > COARSEST_STEP * spacing:
        middle = ", ".join(f"{x:.6g}" for x in sections.bounds.mean(0))
        raise InputError(
            f"The contours lie so far from the origin that a mesh keeps their coordinates only to {step:.2g}.",
            f"Subtract about ({middle}) from all coordinates.",
        )


def _check_areas(regions: LabelRegions) -> None:
    if not any(plane.area > LEAST_AREA for planes in regions.contours.values() for plane in planes):
        raise InputError(
            "The contours enclose no area.", "Check that each goes once around what it outlines."
        )


def chosen_labels(job: Job) -> tuple[int, ...]:
    """The labels to build. Raises InputError for one that does not occur."""
    present = job.boxed.labels
    missing = [label for label in job.settings.labels if label not in present]
    if missing:
        raise InputError(
            f"No contour has label {missing[0]}.", f"Labels that occur: {', '.join(map(str, present))}."
        )
    return tuple(dict.fromkeys(job.settings.labels)) or present


def surviving(solids: Mapping[int, Field], labels: Sequence[int]) -> tuple[int, ...]:
    """The labels with something inside. Raises NoSurface where none has."""
    left = tuple(label for label in labels if label in solids and solids[label].min() < 0)
    if not left:
        named = f"label {labels[0]}" if len(labels) == 1 else "the labels"
        raise NoSurface(
            f"Nothing is left of {named}.",
            "It is thinner than the grid's cells, or other labels cover it; raise the resolution.",
        )
    return left


def output_names(sections: CrossSections, labels: Sequence[int]) -> dict[int, str]:
    """What each label's solid is called; labels of one name have their number added."""
    names = {label: sections.label_name(label) for label in labels}
    often = Counter(names.values())
    return {label: name if often[name] == 1 else f"{name} ({label})" for label, name in names.items()}


def _finished_mesh(job: Job, label: int, solid: Field, grid: Grid) -> Generator[Progress, None, TriangleMesh]:
    """The label's surface, with its uncertainty where that is wanted."""
    mesh = job.mesh(solid, grid)
    if not job.settings.uncertainty:
        return mesh
    world_from_box = job.boxed.world_from_box
    vertices = world_from_box.inverse.apply(mesh.vertices)
    spread = yield from estimate_uncertainty(
        job.boxed, job.contours[label], vertices, job.cascade_settings, job.context.seed
    )
    distance = (spread * world_from_box.scale).astype(np.float32)
    return TriangleMesh(mesh.vertices, mesh.faces, vertex_values={"uncertainty": distance}, frame=mesh.frame)


def shape_figures(mesh: TriangleMesh) -> dict[str, Any]:
    """What the result's table says of a mesh."""
    report = describe(mesh)
    return {
        "components": report.num_components,
        "genus": report.genus,
        "volume": report.volume,
        "area": report.area,
        "watertight": report.is_watertight,
        "vertices": report.num_vertices,
        "faces": report.num_faces,
    }
