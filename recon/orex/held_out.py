"""Leave slices out and see who predicts them: an honest way to choose between priors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recon.orex.box import BoxedSections
from recon.orex.contours2d import PlaneContours
from recon.orex.grid import Field, Grid, Trilinear

Floats = NDArray[np.float64]

EVERY = 5
# With fewer drawn planes than this, leaving one out changes the task.
LEAST_DRAWN = 6


@dataclass(frozen=True)
class Split:
    """Planes kept to build from, and those held out to judge by; indices into the boxed planes."""

    kept: tuple[int, ...]
    held: tuple[int, ...]


def split_planes(boxed: BoxedSections) -> Split | None:
    """Hold out every fifth drawn plane, never an end of a stack. None where there are too few."""
    drawn = [number for number, plane in enumerate(boxed.planes) if plane.loops]
    drawn.sort(key=lambda number: boxed.planes[number].offset if boxed.is_stack else number)
    if len(drawn) < LEAST_DRAWN:
        return None
    held = tuple(sorted(drawn[EVERY // 2 : -1 : EVERY]))
    kept = tuple(number for number in range(boxed.num_planes) if number not in held)
    return Split(kept, held)


def keep_planes(boxed: BoxedSections, kept: Sequence[int]) -> BoxedSections:
    """The same box with only some of its planes."""
    return replace(
        boxed,
        planes=tuple(boxed.planes[number] for number in kept),
        source_planes=tuple(boxed.source_planes[number] for number in kept),
    )


def prediction_error(field: Field, grid: Grid, held: Sequence[PlaneContours]) -> float:
    """Area wrongly classified on the held-out planes over the area that either has inside, 0..1."""
    wrong = either = 0.0
    for plane in held:
        points = _lattice(plane, grid)
        space = plane.to_space(points)
        contained = grid.contains(space)
        got = Trilinear.at(space[contained], grid).interpolate(field) < 0
        wanted = plane.is_inside(points[contained])
        wrong += float((got != wanted).sum())
        either += float((got | wanted).sum())
    return wrong / either if either else 0.0


def _lattice(plane: PlaneContours, grid: Grid) -> Floats:
    corners = np.stack(np.meshgrid(*zip(grid.lower, grid.upper, strict=True), indexing="ij"), -1)
    corners = plane.to_plane(corners.reshape(-1, 3))
    axes = [
        np.arange(low, high, grid.spacing / 2)
        for low, high in zip(corners.min(0), corners.max(0), strict=True)
    ]
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 2)
