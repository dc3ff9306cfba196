"""Planes with contours as files draw them, before anything is put right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Ring:
    """One contour as drawn: (M, 3) points, the last joined to the first unless is_open.

    parent: index in its plane of the contour that it is a hole of, where the format says so.
    line: where it stands in a text file.
    """

    points: Points
    label: int
    parent: int | None = None
    is_open: bool = False
    line: int | None = None


@dataclass(frozen=True)
class DrawnPlane:
    """One plane as drawn: n . x = offset with a normal of any length but zero. number: as the person counts."""

    normal: Points
    offset: float
    rings: tuple[Ring, ...]
    number: int
    line: int | None = None
    is_disabled: bool = False


def with_wanted_labels(
    path: Path, planes: Sequence[DrawnPlane], wanted_labels: Sequence[int] | None
) -> Sequence[DrawnPlane]:
    """Give holes their parent's label, then keep the contours of the wanted labels; planes stay."""
    planes = [replace(plane, rings=_with_parents_label(path, plane)) for plane in planes]
    if wanted_labels is None:
        return planes
    present = {ring.label for plane in planes for ring in plane.rings}
    missing = sorted(set(wanted_labels) - present)
    if missing:
        have = ", ".join(map(str, sorted(present)[:20])) or "none"
        raise FormatError(path, f"There is no label {missing[0]}.", f"Choose among these labels: {have}.")
    return [_with_labels(plane, set(wanted_labels)) for plane in planes]


def _with_labels(plane: DrawnPlane, wanted: set[int]) -> DrawnPlane:
    """The plane with the contours of some labels; parents are counted anew."""
    kept = [i for i, ring in enumerate(plane.rings) if ring.label in wanted]
    new_index = {old: new for new, old in enumerate(kept)}
    rings = []
    for ring in (plane.rings[i] for i in kept):
        # A hole has its parent's label, so the parent was kept with it.
        parent = None if ring.parent is None else new_index[ring.parent]
        rings.append(replace(ring, parent=parent))
    return replace(plane, rings=tuple(rings))


def _with_parents_label(path: Path, plane: DrawnPlane) -> tuple[Ring, ...]:
    """Attach each hole to the outer contour at the top of its chain of parents, whose label it takes."""
    rings = []
    for index, ring in enumerate(plane.rings):
        top, steps = ring.parent, 0
        while top is not None and plane.rings[top].parent is not None and steps <= len(plane.rings):
            top, steps = plane.rings[top].parent, steps + 1
        if steps > len(plane.rings) or top == index:
            raise FormatError(
                path,
                f"Plane {plane.number}, contour {index + 1} is a hole in itself.",
                "Export the contours again.",
                ring.line,
            )
        rings.append(ring if top is None else replace(ring, parent=top, label=plane.rings[top].label))
    return tuple(rings)


def diagonal(path: Path, planes: Sequence[DrawnPlane]) -> float:
    """Diagonal of all points' bounding box; refuses numbers that are not finite or absurdly large."""
    everything = [ring.points for plane in planes for ring in plane.rings if len(ring.points)]
    if not everything:
        raise FormatError(
            path, "The file has no contour.", "Check that contours were exported with the planes."
        )
    points = np.concatenate(everything)
    if not np.isfinite(points).all() or np.abs(points).max() > 1e12:
        plane, index = next(
            (plane, i)
            for plane in planes
            for i, ring in enumerate(plane.rings)
            if not (np.abs(ring.points) <= 1e12).all()
        )
        raise FormatError(
            path,
            f"Plane {plane.number}, contour {index + 1} has a coordinate that is no usable number.",
            "Export the contours again.",
            plane.rings[index].line,
        )
    return float(np.linalg.norm(np.ptp(points, axis=0)))
