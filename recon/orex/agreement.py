"""Whether the solids agree with every plane, solving again where they do not, and why where they cannot."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recon.method import Progress
from recon.metrics import PlaneAgreement, slice_agreement
from recon.orex.contradictions import Contradiction, find_contradictions
from recon.orex.grid import Grid, prolong
from recon.orex.job import Fields, Job
from recon.orex.residual import NO_PINS, Pins
from recon.orex.stages import fit_stiffer
from recon.surface import extract_surface
from render.cross_sections import CrossSections
from render.mesh import TriangleMesh

CHECKING = "Checking the slices"
# The least intersection over union on a plane; accuracy alone forgives small contours.
LEAST_IOU = 0.995
STIFFER = 8.0
# The finest grid that a refinement may reach, along the longest side.
MOST_POINTS = 385


@dataclass(frozen=True)
class Agreed:
    """Fields that were made to agree as well as they do, on their grid."""

    fields: Fields
    grid: Grid
    planes: list[PlaneAgreement]
    contradictions: list[Contradiction]
    rounds: int


def agree(
    job: Job, fields: Fields, grid: Grid, pins: Mapping[int, Pins] | None = None
) -> Generator[Progress, None, Agreed]:
    """Hold planes that the solids miss more stiffly, then refine the grid, until all agree or rounds run out.

    pins: by label, values between the planes that are to stay.
    """
    rounds = job.settings.agreement_rounds
    found = contradictions(job)
    hopeless = {number for pair in found for number in (pair.first, pair.second)} | set(job.overlaps)
    planes = check(job, fields, grid)
    yield Progress(1, rounds + 1, CHECKING)
    done = 0
    while done < rounds:
        missed = [plane.plane for plane in missed_planes(job, planes) if plane.plane not in hopeless]
        if not missed:
            break
        finer = done > 0 and 2 * max(grid.shape) - 1 <= MOST_POINTS
        if finer:
            fields, grid = {key: prolong(field) for key, field in fields.items()}, grid.finer
        for key in fields:
            factor, kept = STIFFER ** (done + 1), (pins or {}).get(key, NO_PINS)
            fields[key] = yield from fit_stiffer(job, key, fields[key], grid, missed, factor, kept)
        planes = check(job, fields, grid)
        done += 1
        yield Progress(done + 1, rounds + 1, CHECKING)
    return Agreed(fields, grid, planes, found, done)


def check(job: Job, fields: Fields, grid: Grid) -> list[PlaneAgreement]:
    """Cut the solids by every plane; indices count the boxed planes."""
    meshes = {}
    for label, field in job.solids(fields, grid).items():
        if field.min() < 0:
            meshes[label] = extract_surface(field, grid.lower, grid.spacing)
    sections = CrossSections.from_planes(job.boxed.planes)
    solid: TriangleMesh | Mapping[int, TriangleMesh] = meshes
    if len(job.boxed.labels) == 1 and meshes:
        solid = next(iter(meshes.values()))
    return slice_agreement(solid, sections)


def missed_planes(job: Job, planes: Sequence[PlaneAgreement]) -> list[PlaneAgreement]:
    """Planes where a label or the whole falls short of the agreement to reach."""
    least = 100 * job.settings.agreement
    return [
        plane
        for plane in planes
        if any(one.accuracy < least or one.iou < LEAST_IOU for one in (plane, *plane.labels.values()))
    ]


def contradictions(job: Job) -> list[Contradiction]:
    """Pairs of planes that disagree along their crossing or, at one place, all over; worst first."""
    crossing = []
    if not job.boxed.is_stack:
        crossing = find_contradictions(job.all_drawn(), job.boxed.lower, job.boxed.upper)
    return sorted([*job.coinciding, *crossing], key=lambda pair: -pair.length)


def agreement_figures(job: Job, agreed: Agreed) -> dict[str, Any]:
    """The table for the person: each plane's numbers, what fell short and why."""
    missed = {plane.plane for plane in missed_planes(job, agreed.planes)}
    scale = job.boxed.world_from_box.scale
    source = job.boxed.source_planes
    found = agreed.contradictions
    return {
        "agreement": [
            {
                "plane": source[plane.plane],
                "accuracy": plane.accuracy,
                "iou": plane.iou,
                "labels": {label: one.iou for label, one in plane.labels.items()},
                "reached": plane.plane not in missed,
                "why": _why(job, plane.plane, found, agreed.grid) if plane.plane in missed else "",
            }
            for plane in agreed.planes
        ],
        "agreement_rounds": agreed.rounds,
        "contradictions": [
            {
                "planes": [source[pair.first], source[pair.second]],
                "length": pair.length * scale,
                "share": pair.share,
            }
            for pair in found
        ],
        "overlapping_labels": {source[plane]: share for plane, share in job.overlaps.items()},
    }


def _why(job: Job, plane: int, found: Sequence[Contradiction], grid: Grid) -> str:
    """One sentence on why a plane could not be agreed with; planes are counted from 1."""
    source = job.boxed.source_planes
    mine = [pair for pair in found if plane in (pair.first, pair.second)]
    for is_same_place, where in ((True, "at the same place"), (False, "where they cross")):
        against = {pair.first + pair.second - plane for pair in mine if pair.is_same_place == is_same_place}
        if against:
            names = ", ".join(str(source[other] + 1) for other in sorted(against)[:4])
            return f"It says otherwise than plane {names} {where}."
    if plane in job.overlaps:
        return "Labels overlap on it; the smaller one has the place."
    spacing = grid.spacing * job.boxed.world_from_box.scale
    if _is_cut_at(job, plane):
        return f"The solid is cut flat at it, and the grid of spacing {spacing:.3g} rounds the rim; raise the resolution."
    if _nearest_gap(job, plane) < grid.spacing:
        return f"The next plane is nearer than the grid's spacing of {spacing:.3g}; raise the resolution."
    return f"Its contours have detail finer than the grid's spacing of {spacing:.3g}; raise the resolution."


def _is_cut_at(job: Job, plane: int) -> bool:
    """Whether the solid is to end right at this plane, the first or last drawn one of a stack."""
    if not job.boxed.is_stack or job.settings.caps != "flat":
        return False
    heights = [contours.offset for contours in job.all_drawn() if not contours.is_empty]
    return job.boxed.planes[plane].offset in (min(heights), max(heights))


def _nearest_gap(job: Job, plane: int) -> float:
    """How far the next plane of a stack is from this one; infinite for other planes."""
    if not job.boxed.is_stack:
        return float("inf")
    gaps = np.abs(job.boxed.heights - job.boxed.planes[plane].offset)
    return float(gaps[gaps > 0].min(initial=np.inf))
