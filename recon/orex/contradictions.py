"""Planes that cannot both hold: where two planes cross, they must say the same along the line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon.orex.contours2d import PlaneContours

Floats = NDArray[np.float64]

SAMPLES = 512
# Disagreement along a line shorter than this is drawing accuracy, not contradiction; box units.
TOLERANCE = 0.02


@dataclass(frozen=True)
class Contradiction:
    """Planes first and second disagree along `length` of their crossing line, `share` of what either has inside.

    is_same_place: they do not cross but lie on each other; length is then the longer side of where they disagree.
    """

    first: int
    second: int
    length: float
    share: float
    is_same_place: bool = False


def find_contradictions(
    contours: Sequence[PlaneContours], lower: Floats, upper: Floats
) -> list[Contradiction]:
    """Every pair of planes that disagree where they cross within the box, worst first. Lengths in box units."""
    found = []
    for first, one in enumerate(contours):
        for second in range(first + 1, len(contours)):
            line = _crossing(one, contours[second], lower, upper)
            if line is not None:
                contradiction = _compare(first, second, contours, *line)
                if contradiction is not None:
                    found.append(contradiction)
    return sorted(found, key=lambda contradiction: -contradiction.length)


def _crossing(
    one: PlaneContours, other: PlaneContours, lower: Floats, upper: Floats
) -> tuple[Floats, float] | None:
    """Points (S, 3) along the planes' common line within the box and the length that each stands for."""
    direction = np.cross(one.normal, other.normal)
    sine = float(np.linalg.norm(direction))
    if sine < 1e-3:
        return None
    direction /= sine
    system = np.stack([one.normal, other.normal, direction])
    middle = (lower + upper) / 2
    origin = np.linalg.solve(system, np.array([one.offset, other.offset, direction @ middle]))
    with np.errstate(divide="ignore", invalid="ignore"):
        one_side, other_side = (lower - origin) / direction, (upper - origin) / direction
    begin = float(np.nanmax(np.minimum(one_side, other_side)))
    end = float(np.nanmin(np.maximum(one_side, other_side)))
    if not begin < end:
        return None
    step = (end - begin) / SAMPLES
    return origin + np.outer(begin + (np.arange(SAMPLES) + 0.5) * step, direction), step


def _compare(
    first: int, second: int, contours: Sequence[PlaneContours], points: Floats, step: float
) -> Contradiction | None:
    one, other = (plane.is_inside(plane.to_plane(points)) for plane in (contours[first], contours[second]))
    length = float((one ^ other).sum() * step)
    if length < TOLERANCE:
        return None
    return Contradiction(first, second, length, length / float((one | other).sum() * step))
