"""Planes at one place whose drawings differ: no solid follows both, so a drawing between them is built instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from skimage.measure import find_contours

from recon.orex.box import BoxedSections
from recon.orex.contours2d import PlaneContours
from recon.orex.contradictions import Contradiction
from render.cross_sections import Plane

Floats = NDArray[np.float64]
Contours = dict[int, list[PlaneContours]]

# Differences below this share of what either has inside are drawing accuracy.
LEAST_SHARE = 1e-3
LATTICE = 256  # points along a side on which drawings are compared and averaged


def reconcile(
    boxed: BoxedSections, contours: Mapping[int, Sequence[PlaneContours]]
) -> tuple[Contours, list[Contradiction]]:
    """Contours of every label with those of contradicting planes at one place averaged, and the contradictions.

    What is drawn on one such plane and not at all on another counts as drawn.
    """
    reconciled = {key: list(planes) for key, planes in contours.items()}
    found: dict[tuple[int, int], Contradiction] = {}
    for group in groups(boxed):
        for key, planes in contours.items():
            pairs = [pair for other in group[1:] for pair in _compare(group[0], other, planes)]
            for pair in pairs:
                known = found.get((pair.first, pair.second), pair)
                found[pair.first, pair.second] = max(known, pair, key=lambda one: one.share)
            if pairs:
                for number, plane in zip(group, _averaged([planes[n] for n in group]), strict=True):
                    reconciled[key][number] = plane
    return reconciled, list(found.values())


def groups(boxed: BoxedSections) -> Iterator[list[int]]:
    """Planes that lie at one place within the box, two or more each, ascending."""
    normals = np.stack([plane.normal for plane in boxed.planes])
    offsets = np.array([plane.offset for plane in boxed.planes])
    corners = np.stack(np.meshgrid(*zip(boxed.lower, boxed.upper, strict=True), indexing="ij"), -1).reshape(
        -1, 3
    )
    rest = np.arange(len(offsets))
    while len(rest):
        first, rest = rest[0], rest[1:]
        on_first = corners - np.outer(corners @ normals[first] - offsets[first], normals[first])
        apart = np.abs(on_first @ normals[rest].T - offsets[rest]).max(0)
        if (apart < boxed.same_place).any():
            yield [int(first), *map(int, rest[apart < boxed.same_place])]
        rest = rest[apart >= boxed.same_place]


def _compare(first: int, second: int, planes: Sequence[PlaneContours]) -> Iterator[Contradiction]:
    """The contradiction between two planes at one place, if there is any; its length is the area's longer side."""
    one, other = planes[first], planes[second]
    if one.is_empty and other.is_empty:
        return
    points = _lattice([one, other]).reshape(-1, 2)
    there = other.to_plane(one.to_space(points))
    inside, inside_there = one.is_inside(points), other.is_inside(there)
    wrong, either = inside ^ inside_there, inside | inside_there
    if wrong.sum() > LEAST_SHARE * either.sum():
        length = float(np.ptp(points[wrong], axis=0).max())
        yield Contradiction(first, second, length, float(wrong.sum() / either.sum()), is_same_place=True)


def _lattice(planes: Sequence[PlaneContours]) -> Floats:
    """(LATTICE, LATTICE, 2) points over what is drawn on any of the planes, in the first one's coordinates."""
    drawn = np.concatenate([planes[0].to_plane(plane.to_space(plane.starts)) for plane in planes])
    lower, upper = drawn.min(0), drawn.max(0)
    margin = 0.02 * float((upper - lower).max()) + 1e-9
    axes = (np.linspace(low - margin, high + margin, LATTICE) for low, high in zip(lower, upper, strict=True))
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1)


def _averaged(planes: Sequence[PlaneContours]) -> list[PlaneContours]:
    """Every plane with the contour where the mean of the drawn ones' signed distances is zero."""
    drawn = [plane for plane in planes if not plane.is_empty]
    leader = drawn[0]
    if len(drawn) == 1:
        return [_moved(leader, [], plane) for plane in planes]
    lattice = _lattice(drawn)
    space = leader.to_space(lattice.reshape(-1, 2))
    mean = np.mean([plane.distances(plane.to_plane(space)).signed for plane in drawn], axis=0)
    first, step = lattice[0, 0], lattice[1, 1] - lattice[0, 0]
    rings = [first + ring[:-1] * step for ring in find_contours(mean.reshape(LATTICE, LATTICE), 0.0)]
    return [_moved(leader, rings, plane) for plane in planes]


def _moved(leader: PlaneContours, rings: Sequence[Floats], plane: PlaneContours) -> PlaneContours:
    """The rings, or else the leader's own contours, on another plane at the same place."""
    if rings:
        return PlaneContours.of_rings(
            Plane(plane.normal, plane.offset, ()), [plane.to_plane(leader.to_space(ring)) for ring in rings]
        )
    ends = (plane.to_plane(leader.to_space(points)) for points in (leader.starts, leader.ends))
    starts, stops = ends
    return replace(plane, starts=starts, ends=stops)
