"""Edits of one plane of cross-sections: other contours, copies of a neighbour's, the shape in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from render.cross_sections import CrossSections, Loop
from widgets.contour_geometry import between, smoothed
from widgets.plane_drawing import FlatLoop, PlaneMap, flat_loops, neighbours


def with_loops(
    sections: CrossSections, plane: int, before: Sequence[FlatLoop], after: Sequence[FlatLoop]
) -> CrossSections:
    """Cross-sections with other contours on one plane.

    before: the plane's own loops as they were flattened. Those of them that are also in `after` keep their
    points in space to the last bit.
    """
    here, planes = PlaneMap.of(sections, plane), list(sections.planes())
    known = {id(flat.points): loop.points for flat, loop in zip(before, planes[plane].loops, strict=True)}
    loops = tuple(
        Loop(known[id(flat.points)] if id(flat.points) in known else here.raised(flat.points), flat.label)
        for flat in after
    )
    planes[plane] = planes[plane]._replace(loops=loops)
    return sections.with_planes(planes, sections.disabled_planes)


def smooth(loops: Sequence[FlatLoop], chosen: set[int]) -> list[FlatLoop]:
    """The loops with the chosen ones smoothed."""
    return [replace(x, points=smoothed(x.points)) if i in chosen else x for i, x in enumerate(loops)]


def neighbour(sections: CrossSections, plane: int, step: int) -> int | None:
    """The nearest parallel plane with a lower (step -1) or higher (+1) number; None where there is none."""
    found = [other for other in neighbours(sections, plane) if other is not None]
    return next((other for other in found if (other - plane) * step > 0), None)


def in_between(sections: CrossSections, plane: int) -> list[FlatLoop]:
    """Loops of every label blended from the nearest parallel planes that have it on either side.

    They are weighted by where the plane lies between them. Empty when no label is on both sides.
    """
    here, found = PlaneMap.of(sections, plane), list[FlatLoop]()
    for label in sections.labels:
        below, above = neighbours(sections, plane, label)
        if below is None or above is None:
            continue
        first, second = (
            [loop.points for loop in flat_loops(sections, other, here) if loop.label == label]
            for other in (below, above)
        )
        gaps = [_distance(sections, other, here) for other in (below, above)]
        found += [FlatLoop(points, label) for points in between(first, second, gaps[0] / sum(gaps))]
    return found


def _distance(sections: CrossSections, other: int, here: PlaneMap) -> float:
    """From a plane to another that is parallel to it."""
    return abs(float(here.normal @ (sections.normals[other] * sections.offsets[other] - here.origin)))
