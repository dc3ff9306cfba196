"""From cross-sections to one closed mesh a label: the whole pipeline as one generator."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recon.errors import InputError
from recon.method import Output, Progress, Result, Run, RunContext
from recon.orex import OrexSettings
from recon.orex.box import BoxedSections, box_sections
from recon.orex.cascade import CascadeSettings, SolveStep, solve_cascade
from recon.orex.grid import Field, Grid
from recon.orex.labels import separate_labels
from recon.surface import describe, extract_surface
from render.cross_sections import CrossSections
from render.frame import Frame
from render.mesh import TriangleMesh
from render.transforms import Similarity3


@dataclass(frozen=True)
class Job:
    """What every stage needs to know."""

    sections: CrossSections
    boxed: BoxedSections
    labels: tuple[int, ...]
    settings: OrexSettings
    context: RunContext


def run(inputs: Mapping[str, Any], settings: OrexSettings, context: RunContext) -> Run:
    """Solids through the contours of `inputs["sections"]`, in its unit and frame.

    Raises InputError for contours that no solid follows from, and NoSurface where a solid vanishes.
    """
    started = time.perf_counter()
    sections: CrossSections = inputs["sections"]
    job = Job(sections, box_sections(sections), _chosen_labels(sections, settings), settings, context)
    grid, fields = yield from _smoothest_fields(job)
    solids = separate_labels(fields)
    meshes = {sections.label_name(label): _mesh(solids[label], grid, job) for label in job.labels}
    outputs = tuple(Output(name, mesh) for name, mesh in meshes.items())
    figures = {
        "prior": "none",
        "solids": {name: _shape_figures(mesh) for name, mesh in meshes.items()},
        "seconds": {"total": round(time.perf_counter() - started, 2)},
    }
    return Result(outputs, figures)


def _chosen_labels(sections: CrossSections, settings: OrexSettings) -> tuple[int, ...]:
    present = sections.enabled().labels
    missing = [label for label in settings.labels if label not in present]
    if missing:
        raise InputError(
            f"No contour has label {missing[0]}.",
            f"Labels that occur: {', '.join(map(str, present)) or 'none'}.",
        )
    return tuple(settings.labels) or present


def _smoothest_fields(job: Job) -> Generator[Progress, None, tuple[Grid, dict[int, Field]]]:
    """Stage A for every label on one grid; all labels are solved, so that those built keep their neighbours out."""
    fields: dict[int, Field] = {}
    labels = job.boxed.labels
    for number, label in enumerate(labels):
        solving = solve_cascade(job.boxed, job.boxed.contours(label), cascade_settings(job.settings))
        for event in solving:
            if isinstance(event, SolveStep):
                total = event.total * len(labels)
                yield Progress(event.step + number * event.total, total, "Smoothest surface")
            elif not event.is_final and number == 0:
                preview = _mesh(event.field, event.grid, job)
                yield Progress(1, len(labels), "Smoothest surface", preview=preview)
            else:
                grid, fields[label] = event.grid, event.field
    return grid, fields


def cascade_settings(settings: OrexSettings) -> CascadeSettings:
    """The part of the settings that stage A reads."""
    return CascadeSettings(
        resolution=settings.resolution,
        weight=settings.plane_weight,
        band=settings.band,
        tension=settings.gradient_penalty,
        slope_correction=settings.slope_correction,
        outside_hull=settings.outside_hull,
    )


def _mesh(field: Field, grid: Grid, job: Job) -> TriangleMesh:
    surface = extract_surface(field, grid.lower, grid.spacing)
    return place_in_world(surface, job.boxed.world_from_box, job.sections.frame)


def place_in_world(mesh: TriangleMesh, world_from_box: Similarity3, frame: Frame) -> TriangleMesh:
    """The mesh in the input's unit and frame."""
    vertices = world_from_box.apply(mesh.vertices).astype(np.float32)
    return TriangleMesh(vertices, mesh.faces, frame=frame)


def _shape_figures(mesh: TriangleMesh) -> dict[str, Any]:
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
