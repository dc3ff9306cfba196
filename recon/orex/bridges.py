"""Bridges and pinholes that the space between the slices made up: thin handles that no slice shows.

Where two fingers pass close to each other between two slices, a smooth field may let them touch; where a wall is
thin, it may leave a pinhole. Either is a handle that the field hardly has: at its thinnest place, a saddle of the
field, the value is next to zero. Such a place is cut, or filled, if it is much thinner than what it joins and no
slice passes through it and shows it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import euler_number
from skimage.segmentation import watershed

from recon.method import Progress
from recon.orex.contours2d import PlaneContours
from recon.orex.evidence import drop_unseen
from recon.orex.grid import Field, Grid
from recon.orex.job import Fields, Job, counted
from recon.orex.residual import Pins
from recon.orex.saddles import ALL_AROUND, Saddle, loop_saddles
from recon.orex.stages import ITERATIONS, ROUNDS, fitting_problem
from recon.surface import describe, extract_surface

Ints = NDArray[np.int64]

MENDING = "Cutting bridges"

# A neck is thin whose field value is less than this share of the gap between slices, and of a grid spacing.
THIN_GAPS = 0.1
THIN_SPACINGS = 0.1
# No neck is thin that is deeper than this, in box units, however far slices are apart.
THICKEST = 0.01
# What a neck joins must be this many times as deep, or else it is no neck but a thin part of an even shape.
DEEPER = 4.0
# A slice shows a neck if it says, this many spacings clear of its contours, what the neck is made of.
SHOWN_SPACINGS = 0.25
# How far beyond zero a section is brought, in grid spacings.
MARGIN_SPACINGS = 0.5
# Box units around a saddle that are looked at.
WINDOW = 0.2
# How many saddles are looked at, the thinnest: a field of few slices may ripple around zero in hundreds of places.
MOST_TRIED = 48
# How often to solve again where the solid touches beside a cut.
REPEATS = 3


@dataclass(frozen=True)
class Neck:
    """The thinnest section of a handle: (N, 3) grid points, to be raised above zero, or lowered where it is a gap."""

    points: Ints
    value: float
    is_gap: bool


@dataclass(frozen=True)
class Handles:
    """How many bridges were cut and pinholes filled."""

    cut: int = 0
    filled: int = 0

    def __add__(self, other: Handles) -> Handles:
        return Handles(self.cut + other.cut, self.filled + other.filled)

    def __str__(self) -> str:
        """A sentence; nothing where nothing was done."""
        words = [
            f"{number} {what}{' was' if number == 1 else 's were'} {done}"
            for number, what, done in ((self.cut, "bridge", "cut"), (self.filled, "pinhole", "filled"))
            if number
        ]
        return f"Shown by no slice: {', '.join(words)}." if words else ""


@dataclass(frozen=True)
class Mended:
    """Fields without the handles that no slice shows; by label how many those were, and what keeps them away."""

    fields: Fields
    handles: Mapping[int, Handles] = dataclasses.field(default_factory=dict)
    pins: Mapping[int, Pins] = dataclasses.field(default_factory=dict)


def mend(job: Job, fields: Fields, grid: Grid) -> Generator[Progress, None, Mended]:
    """Cut or fill the thin handles of every label that no slice shows, and solve again around them."""
    mended: Fields = dict(fields)
    handles: dict[int, Handles] = {}
    pins: dict[int, Pins] = {}
    for number, (key, field) in enumerate(fields.items()):
        yield Progress(number, len(fields), MENDING)
        necks = find_necks(field, grid, job.contours[key], job.boxed.gap)
        if not necks:
            continue
        solved, necks = yield from _solve_without(job, key, field, grid, necks)
        before, after = (_genus_and_parts(each, grid, job.contours[key]) for each in (field, solved))
        fewer = before[0] - after[0]
        if fewer > 0 and after[1] <= before[1]:
            filled = min(fewer, sum(neck.is_gap for neck in necks))
            mended[key], handles[key] = solved, Handles(fewer - filled, filled)
            pins[key] = _pins(necks, grid)
    return Mended(mended, handles, pins)


def _solve_without(
    job: Job, key: int, field: Field, grid: Grid, necks: list[Neck]
) -> Generator[Progress, None, tuple[Field, list[Neck]]]:
    """The field with the necks' sections on the other side of zero, bent as little as possible for it.

    What bends away from one neck may touch beside it; those places are necks of the next repeat, and returned too.
    """
    problem = fitting_problem(job, key, field, grid)
    solved, found = field, necks
    for repeat in range(REPEATS):
        problem = dataclasses.replace(problem, pins=_pins(necks, grid))
        for round_ in range(ROUNDS):
            done = (repeat * ROUNDS + round_) * ITERATIONS
            steps = problem.solve(solved)
            solved = yield from counted(steps, MENDING, REPEATS * ROUNDS * ITERATIONS, done)
        found = find_necks(solved, grid, job.contours[key], job.boxed.gap)
        if not found:
            break
        necks = [*necks, *found]
    return solved, necks


def _pins(necks: Sequence[Neck], grid: Grid) -> Pins:
    """What is to hold at the points of all sections."""
    sides = np.repeat([-1.0 if neck.is_gap else 1.0 for neck in necks], [len(neck.points) for neck in necks])
    points = grid.lower + grid.spacing * np.concatenate([neck.points for neck in necks])
    return Pins(points, MARGIN_SPACINGS * grid.spacing * sides)


def _genus_and_parts(field: Field, grid: Grid, contours: Sequence[PlaneContours]) -> tuple[int, int]:
    """Genus and number of parts of the surface, crumbs aside."""
    seen = drop_unseen(field, grid, contours)
    if seen.min() >= 0:
        return 0, 0
    report = describe(extract_surface(seen, grid.lower, grid.spacing))
    return sum(report.component_genera), report.num_components


def find_necks(field: Field, grid: Grid, contours: Sequence[PlaneContours], gap: float) -> list[Neck]:
    """Necks of the solid field < 0 and, as gaps, of the space around it, that may go; thinnest first.

    gap: how far slices are apart, in box units. Each lowers the genus by one if it goes after those before it.
    """
    thin = max(min(THIN_GAPS * gap, THICKEST), THIN_SPACINGS * grid.spacing)
    reach = math.ceil(WINDOW / grid.spacing)
    necks: list[Neck] = []
    changed = field.copy()
    for saddle, is_gap in _candidates(field, thin)[:MOST_TRIED]:
        side = -1 if is_gap else 1
        points = _section(np.float32(side) * changed, saddle, reach)
        if points is None or _is_shown(points, grid, contours, is_gap):
            continue
        indices = tuple(points.T)
        opened = changed.copy()
        opened[indices] = side * grid.spacing
        if _handles(opened, points) < _handles(changed, points):
            necks.append(Neck(points, saddle.value, is_gap))
            changed = opened
    return necks


def _candidates(field: Field, thin: float) -> list[tuple[Saddle, bool]]:
    """Saddles less than `thin` from zero that close a loop of the solid, or (True) of the space around it."""
    found = [(saddle, False) for saddle in loop_saddles(field, -thin)]
    found += [(saddle, True) for saddle in loop_saddles(-field, -thin)]
    return sorted(found, key=lambda candidate: abs(candidate[0].value))


def _section(field: Field, saddle: Saddle, reach: int) -> Ints | None:
    """(N, 3) the points of {field < 0} that keep apart what the saddle joins; None where it is no narrow neck."""
    corner, near, lobes = _lobes(field, saddle, reach)
    depths = ndimage.minimum(near, lobes, np.unique(lobes[lobes > 0]))
    if np.max(depths) > DEEPER * saddle.value:
        return None
    basins = watershed(near, lobes, connectivity=3, mask=near < 0, watershed_line=True)
    parts, _ = ndimage.label((near < 0) & (basins == 0), ALL_AROUND)
    middle = tuple(np.array(saddle.point) - corner)
    points = np.argwhere(parts == parts[middle])
    if not parts[middle] or (points == 0).any() or (points == np.array(near.shape) - 1).any():
        return None
    return np.asarray(points + corner)


def _lobes(field: Field, saddle: Saddle, reach: int) -> tuple[Ints, Field, NDArray[np.int32]]:
    """The largest window, `reach` points each way, where what the saddle joins hangs apart.

    Returns its corner, its values and the labels of the parts."""
    point = np.array(saddle.point)
    for radius in range(reach, 0, -1):
        corner = np.maximum(point - radius, 0)
        near = field[tuple(slice(a, b) for a, b in zip(corner, point + radius + 1, strict=True))]
        labels, _ = ndimage.label(near < saddle.value, ALL_AROUND)
        touched = np.unique(labels[tuple(slice(max(c - 1, 0), c + 2) for c in point - corner)])
        if np.count_nonzero(touched) > 1:
            break
    return corner, near, np.where(np.isin(labels, touched), labels, 0).astype(np.int32)


def _is_shown(points: Ints, grid: Grid, contours: Sequence[PlaneContours], is_gap: bool) -> bool:
    """Whether a slice passes through these points and says that the solid, or the gap, is there."""
    space = grid.lower + grid.spacing * points
    limit = SHOWN_SPACINGS * grid.spacing
    for plane in contours:
        close = np.abs(space @ plane.normal - plane.offset) < grid.spacing
        signed = plane.distances(plane.to_plane(space[close]), 2 * limit).signed
        if (signed > limit if is_gap else signed < -limit).any():
            return True
    return False


def _handles(field: Field, points: Ints) -> int:
    """Handles less parts of {field < 0} around the points, up to a constant."""
    low, high = np.maximum(points.min(0) - 2, 0), points.max(0) + 3
    near = field[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    return -int(euler_number(near < 0, connectivity=3))
