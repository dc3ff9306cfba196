"""The frame that the solve works in: contours centred, turned along the stack, about one unit in radius."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recon.errors import InputError
from recon.orex.contours2d import PlaneContours
from render.cross_sections import CrossSections, Loop, Plane, plane_basis
from render.transforms import Similarity3

Floats = NDArray[np.float64]

# Half the longest side of the contours' box, so that shapes of any size share the tuned lengths.
RADIUS = 0.9
MARGIN = 0.18
# Normals closer than this are parallel; files write them with few digits.
PARALLEL = 1e-4
# Planes nearer than this share of the usual gap lie at one place; in box units never more nor less than these.
SAME_PLACE = 0.05
NEAREST, FARTHEST = 1e-5, 1e-3
# Most room beyond the ends of a stack: a plane farther off says nothing about how the shape ends.
MOST_ROOM = 3.0


@dataclass(frozen=True)
class BoxedSections:
    """Planes in the box frame.

    lower, upper: (3,) the contours' bounds with a margin. is_stack: whether all planes are parallel; a stack's
    normals are +z. source_planes: index of each plane in what was given.
    """

    planes: tuple[Plane, ...]
    labels: tuple[int, ...]
    world_from_box: Similarity3
    lower: Floats
    upper: Floats
    is_stack: bool
    source_planes: tuple[int, ...]

    @property
    def num_planes(self) -> int:
        return len(self.planes)

    @property
    def heights(self) -> Floats:
        """(P,) offsets of the planes: heights along z in a stack, in no order."""
        return np.array([plane.offset for plane in self.planes])

    @property
    def gap(self) -> float:
        """About how far neighbouring planes are apart."""
        if self.is_stack:
            gaps = np.diff(np.unique(self.heights))
            return float(np.median(gaps[gaps > NEAREST])) if (gaps > NEAREST).any() else float(gaps.sum())
        return float((self.upper - self.lower).max() - 2 * MARGIN) / self.num_planes

    @property
    def same_place(self) -> float:
        """Planes nearer than this are drawings of one slice."""
        return float(np.clip(SAME_PLACE * self.gap, NEAREST, FARTHEST))

    @property
    def hull_offset(self) -> float:
        """How far outside the contours' hull surely nothing is."""
        return float(np.clip(0.5 * self.gap, 0.01, 0.06))

    def contours(self, label: int | None = None) -> list[PlaneContours]:
        """Per plane the contours of one label, or of all."""
        return [PlaneContours.of_plane(plane, label) for plane in self.planes]


def box_sections(sections: CrossSections) -> BoxedSections:
    """Bring cross-sections into the box frame. Raises InputError where no solid can follow from them."""
    used = sections.enabled()
    assert sections.disabled_planes is not None
    source = tuple(int(i) for i in np.flatnonzero(~sections.disabled_planes))
    _check(used)
    rotation = _box_from_world_rotation(used.normals)
    turned = used.vertices @ rotation.T
    lower, upper = turned.min(0), turned.max(0)
    scale = RADIUS / (float((upper - lower).max()) / 2)
    box_from_world = Similarity3(rotation, -scale * (lower + upper) / 2, scale)
    half = scale * (upper - lower) / 2 + MARGIN
    planes = tuple(_transform(used, box_from_world))
    boxed = BoxedSections(
        planes, used.labels, box_from_world.inverse, -half, half, is_parallel(used.normals), source
    )
    if not boxed.is_stack:
        return boxed
    # Room for the next slice beyond either end, which may be empty, and past it.
    room = np.array([0, 0, np.clip(1.2 * boxed.gap - MARGIN, 0.0, MOST_ROOM)])
    return replace(boxed, planes=_leveled(boxed), lower=-half - room, upper=half + room)


def _leveled(boxed: BoxedSections) -> tuple[Plane, ...]:
    """A stack's planes, those at one place at exactly one height: across a gap of nothing all slopes are steep."""
    planes = list(boxed.planes)
    level = -np.inf
    for number in np.argsort(boxed.heights, kind="stable"):
        plane = planes[number]
        if plane.offset - level >= boxed.same_place:
            level = plane.offset
        loops = tuple(Loop(np.column_stack([p[:, :2], np.full(len(p), level)]), x) for p, x in plane.loops)
        planes[number] = Plane(plane.normal, level, loops)
    return tuple(planes)


def is_parallel(normals: Floats) -> bool:
    """Whether all of (P, 3) unit normals point along one line."""
    return bool((np.linalg.norm(np.cross(normals, normals[0]), axis=1) < PARALLEL).all())


def _check(sections: CrossSections) -> None:
    if not sections.num_loops:
        raise InputError(
            "There is no contour on any plane in use.",
            "Draw or import contours, or enable planes that have some.",
        )
    if sections.num_planes < 2:
        raise InputError(
            "There is only one plane, from which no solid can be made.",
            "Add a second plane; an empty one on either side also tells where the shape ends.",
        )
    heights = sections.offsets * np.where(sections.normals @ sections.normals[0] < 0, -1, 1)
    extent = float(np.linalg.norm(np.ptp(sections.vertices, axis=0)))
    if not extent > 0:
        raise InputError("All contours shrink to a single point.", "Check the unit and the file.")
    if is_parallel(sections.normals) and np.ptp(heights) < NEAREST * extent:
        raise InputError(
            "All planes lie at the same place.", "Check the slice spacing; two planes must be apart."
        )


def _box_from_world_rotation(normals: Floats) -> Floats:
    """Rows are the box's axes: a stack stands along z, anything else keeps the world's axes."""
    if not is_parallel(normals):
        return np.eye(3)
    u, v = plane_basis(normals[0])
    return np.stack([u, v, normals[0]])


def _transform(sections: CrossSections, box_from_world: Similarity3) -> Iterator[Plane]:
    is_stack = is_parallel(sections.normals)
    for plane in sections.planes():
        normal = box_from_world.apply_to_directions(plane.normal)
        offset = float(normal @ box_from_world.apply(plane.normal * plane.offset))
        if is_stack:
            # Exactly along z and the same way up, so that a plane is one height.
            offset, normal = offset * float(np.sign(normal[2])), np.array([0.0, 0.0, 1.0])
        yield Plane(
            normal,
            offset,
            tuple(Loop(box_from_world.apply(loop.points), loop.label) for loop in plane.loops),
        )
