"""How far the slices leave the surface undetermined, as a distance at every vertex.

Two answers are averaged. One: how much the surface moves when the space between the slices is filled by other
rules (no tension, much tension, no slope correction), all of which keep to every slice. The other: how much it
moves when every fourth slice is left out, which counts in full halfway between slices and not at all on a slice.
Both are the field's change over its slope, so they are distances. Coarse grids without learning: a second or two.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recon.method import Progress
from recon.orex.box import BoxedSections
from recon.orex.cascade import CascadeSettings, Level, SolveStep, solve_cascade
from recon.orex.contours2d import PlaneContours
from recon.orex.grid import Trilinear

Floats = NDArray[np.float64]

RESOLUTION = 65
NUM_GROUPS = 4  # each left out once
_STAGE = "Uncertainty"
_SLOPES = (0.3, 3.0)  # a field flatter or steeper than this is no distance, and its change no displacement


def estimate_uncertainty(
    boxed: BoxedSections,
    contours: Sequence[PlaneContours],
    vertices: Floats,
    settings: CascadeSettings,
    seed: int = 0,
) -> Generator[Progress, None, NDArray[np.float32]]:
    """(V,) about one standard deviation of the surface's position at (V, 3) vertices; all in box units.

    settings: those of the solid itself; the resolution is lowered.
    """
    coarse = replace(settings, resolution=min(settings.resolution, RESOLUTION))
    rules = _other_rules(coarse)
    groups = _groups(boxed, contours, seed)
    total = len(rules) + 1 + len(groups)
    by_rule = []
    for number, rule in enumerate([coarse, *rules]):
        level = yield from _solve(boxed, contours, rule, seed + number, number, total)
        by_rule.append(_displacements(level, vertices))
    without = []
    for number, group in enumerate(groups, len(by_rule)):
        kept = [n for n in range(len(contours)) if n not in group]
        fewer = replace(boxed, planes=tuple(boxed.planes[n] for n in kept))
        level = yield from _solve(fewer, [contours[n] for n in kept], coarse, seed, number, total)
        without.append(_displacements(level, vertices) - by_rule[0])
    spread: Floats = np.std(np.stack(by_rule), axis=0)
    if without:
        moved = np.sqrt(np.mean(np.square(without), axis=0))
        between = np.clip(distance_to_planes(contours, vertices) / max(boxed.gap, 1e-9), 0, 1)
        spread = (spread + moved * between) / 2
    return np.asarray(spread, np.float32)


def distance_to_planes(contours: Sequence[PlaneContours], points: Floats) -> Floats:
    """(N,) distance of (N, 3) points to the nearest plane."""
    nearest = np.full(len(points), np.inf)
    for plane in contours:
        nearest = np.minimum(nearest, np.abs(points @ plane.normal - plane.offset))
    return nearest


def _other_rules(settings: CascadeSettings) -> list[CascadeSettings]:
    return [
        replace(settings, tension=0.0),
        replace(settings, tension=max(3000.0, 30 * settings.tension)),
        replace(settings, slope_correction=not settings.slope_correction),
    ]


def _groups(boxed: BoxedSections, contours: Sequence[PlaneContours], seed: int) -> list[set[int]]:
    """Planes to leave out together: every fourth of a stack, a random quarter of others; never so many that
    fewer than two planes with contours of this label remain."""
    count = boxed.num_planes
    order = np.argsort(boxed.heights) if boxed.is_stack else np.random.default_rng(seed).permutation(count)
    groups = [{int(n) for n in order[first::NUM_GROUPS]} for first in range(NUM_GROUPS)]
    drawn = {n for n, plane in enumerate(contours[:count]) if not plane.is_empty}
    return [group for group in groups if group and len(drawn - group) >= 2]


def _solve(
    boxed: BoxedSections,
    contours: Sequence[PlaneContours],
    settings: CascadeSettings,
    seed: int,
    number: int,
    total: int,
) -> Generator[Progress, None, Level]:
    solving = solve_cascade(boxed, contours, settings, seed)
    while True:
        try:
            event = next(solving)
        except StopIteration as stop:
            level: Level = stop.value
            return level
        if isinstance(event, SolveStep):
            share = (number + event.step / event.total) / total
            yield Progress(max(1, round(1000 * share)), 1000, _STAGE)


def _displacements(level: Level, vertices: Floats) -> Floats:
    """(V,) how far the level's surface is from each vertex, to first order; signed."""
    at = Trilinear.at(vertices, level.grid)
    slope = np.linalg.norm(at.gradient(level.field, level.grid.spacing), axis=1)
    moved: Floats = at.interpolate(level.field).astype(np.float64) / np.clip(slope, *_SLOPES)
    return moved
