"""One plane of cross-sections flattened to two dimensions: contours, crossings and neighbours as drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QPainterPath

from render.cross_sections import CrossSections, plane_basis

Points = NDArray[np.float64]
PARALLEL = 1 - 1e-6  # cosine above which two planes count as parallel


@dataclass(frozen=True, eq=False)
class PlaneMap:
    """Between space and the plane's own coordinates: u to the right, v upwards, the normal to the viewer.

    origin: (3,) a point on the plane. axes: (2, 3) unit vectors u and v.
    """

    origin: Points
    axes: Points
    normal: Points

    @classmethod
    def of(cls, sections: CrossSections, plane: int) -> PlaneMap:
        normal = sections.normals[plane]
        return cls(normal * sections.offsets[plane], np.stack(plane_basis(normal)), normal)

    def flat(self, points: Points) -> Points:
        """(N, 3) points of space dropped onto the plane: (N, 2)."""
        return (points - self.origin) @ self.axes.T

    def raised(self, points: Points) -> Points:
        """(N, 2) points of the plane in space: (N, 3)."""
        return self.origin + points @ self.axes


@dataclass(frozen=True, eq=False)
class FlatLoop:
    """A closed contour in the plane's coordinates: (M, 2) points and its label."""

    points: Points
    label: int


@dataclass(frozen=True, eq=False)
class Crossing:
    """Where another plane passes through this one: its line, and what it says is solid along it.

    line: (2, 2) the line's ends within the drawing. inside: per label (K, 2, 2) stretches that are solid.
    """

    plane: int
    line: Points
    inside: tuple[tuple[int, Points], ...]


def flat_loops(sections: CrossSections, plane: int, onto: PlaneMap | None = None) -> tuple[FlatLoop, ...]:
    """The contours of a plane in its own coordinates, or dropped onto another plane."""
    to_flat = onto or PlaneMap.of(sections, plane)
    return tuple(FlatLoop(to_flat.flat(loop.points), loop.label) for loop in sections.plane(plane).loops)


def neighbours(
    sections: CrossSections, plane: int, label: int | None = None
) -> tuple[int | None, int | None]:
    """The nearest parallel planes below and above along the plane's normal; None where there is none.

    label: look only at planes that have a contour of this label.
    """
    along = sections.normals @ sections.normals[plane]
    parallel = np.abs(along) > PARALLEL
    if label is not None:
        parallel &= np.isin(
            np.arange(sections.num_planes), sections.loop_planes[sections.loop_labels == label]
        )
    heights = np.sign(along) * sections.offsets - sections.offsets[plane]
    below = np.flatnonzero(parallel & (heights < 0))
    above = np.flatnonzero(parallel & (heights > 0))
    return (
        int(below[np.argmax(heights[below])]) if len(below) else None,
        int(above[np.argmin(heights[above])]) if len(above) else None,
    )


def frame_of(sections: CrossSections, plane: int) -> Points:
    """(2, 2) corners around the contours of this plane and those parallel to it; a unit square around none."""
    parallel = np.abs(sections.normals @ sections.normals[plane]) > PARALLEL
    mine = np.repeat(parallel[sections.loop_planes], np.diff(sections.loop_starts))
    if not mine.any():
        return np.array([[-1.0, -1.0], [1.0, 1.0]])
    points = PlaneMap.of(sections, plane).flat(sections.vertices[mine])
    return np.stack([points.min(axis=0), points.max(axis=0)])


def crossings(sections: CrossSections, plane: int, reach: float) -> tuple[Crossing, ...]:
    """The lines of all enabled planes that pass through this one. reach: half the length to draw."""
    here = PlaneMap.of(sections, plane)
    hits, planes, labels = _pierce_points(sections, plane)
    found = []
    for other in range(sections.num_planes):
        line = _line_of(sections, here, other)
        if line is None or sections.disabled_planes[other]:  # type: ignore[index]
            continue
        point, along = line
        mine = planes == other
        ends = np.stack([point - reach * along, point + reach * along])
        found.append(Crossing(other, ends, _stretches(here.flat(hits[mine]), labels[mine], point, along)))
    return tuple(found)


def outline(loops: Iterable[FlatLoop | Points]) -> QPainterPath:
    """Closed loops as one path with even-odd fill."""
    return path_of([loop.points if isinstance(loop, FlatLoop) else loop for loop in loops])


def path_of(loops: Sequence[Points]) -> QPainterPath:
    """Closed loops of (M, 2) points as one path; built in one go, a hundred thousand points in milliseconds."""
    closed = [np.vstack([loop, loop[:1]]) for loop in loops if len(loop)]
    if not closed:
        return QPainterPath()
    points = np.concatenate(closed)
    connect = np.ones(len(points), np.int32)
    connect[np.cumsum([len(loop) for loop in closed]) - 1] = 0
    return _path_through(points, connect)


def line_path(points: Points) -> QPainterPath:
    """An open polyline of (M, 2) points as a path."""
    return _path_through(points, "all")


def _path_through(points: Points, connect: NDArray[np.int32] | str) -> QPainterPath:
    from pyqtgraph.functions import arrayToQPath  # Long to import: not before there is a contour.

    path: QPainterPath = arrayToQPath(points[:, 0], points[:, 1], connect=connect, finiteCheck=False)
    return path


def thinned(points: Points, step: float) -> Points:
    """A loop without the points that fall into the same cell of width `step` as the one before."""
    if len(points) < 64:
        return points
    cells = np.floor(points / step)
    keep = np.ones(len(points), bool)
    keep[1:] = (cells[1:] != cells[:-1]).any(axis=1)
    return points[keep] if keep.sum() >= 3 else points[:: max(1, len(points) // 4)]


def thinned_outside(points: Points, low: Points, high: Points, step: float) -> Points:
    """A loop that is as it was within a box, with fewer points outside it, none more than `step` from the other."""
    is_inside = ((points >= low) & (points <= high)).all(axis=1)
    if len(points) < 256 or is_inside.all():
        return points
    cells = np.floor(points / step)
    keep = is_inside | np.roll(is_inside, 1) | np.roll(is_inside, -1)
    keep[0] = True
    keep[1:] |= (cells[1:] != cells[:-1]).any(axis=1)
    return points[keep] if keep.sum() >= 3 else points[:: max(1, len(points) // 4)]


def _pierce_points(
    sections: CrossSections, plane: int
) -> tuple[Points, NDArray[np.int64], NDArray[np.int64]]:
    """Where the contours of all other planes go through this one: points (N, 3), their planes and labels."""
    heights = sections.vertices @ sections.normals[plane] - sections.offsets[plane]
    lengths = np.diff(sections.loop_starts)
    following = np.arange(1, len(sections.vertices) + 1)
    following[sections.loop_starts[1:] - 1] = sections.loop_starts[:-1]
    crosses = (heights > 0) != (heights[following] > 0)
    planes = np.repeat(sections.loop_planes, lengths)
    at = np.flatnonzero(crosses & (planes != plane))
    share = heights[at] / (heights[at] - heights[following[at]])
    start, end = sections.vertices[at], sections.vertices[following[at]]
    return start + share[:, None] * (end - start), planes[at], np.repeat(sections.loop_labels, lengths)[at]


def _line_of(sections: CrossSections, here: PlaneMap, other: int) -> tuple[Points, Points] | None:
    """Point and direction (2,) of another plane's line in this one; None when parallel."""
    normal = sections.normals[other]
    across = here.axes @ normal
    steepness = float(across @ across)
    if steepness < 1 - PARALLEL**2:
        return None
    distance = float(sections.offsets[other] - normal @ here.origin)
    return across * (distance / steepness), np.array([-across[1], across[0]]) / np.sqrt(steepness)


def _stretches(
    points: Points, labels: NDArray[np.int64], start: Points, along: Points
) -> tuple[tuple[int, Points], ...]:
    """Pair the points along the line: between the first and second it is solid, and so on (even-odd)."""
    found = []
    for label in np.unique(labels):
        places = np.sort((points[labels == label] - start) @ along)
        places = places[: len(places) // 2 * 2].reshape(-1, 2)
        found.append((int(label), start + places[..., None] * along))
    return tuple(found)
