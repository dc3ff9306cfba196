"""Contours as files draw them → cross-sections as methods trust them.

Readers collect `DrawnPlane`s and call `to_sections`: repeated points go, small gaps are closed, touching
and doubled contours are put right, every hole convention becomes even-odd. What was done is told in notes;
what cannot be done is an error that names plane and contour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.nesting import BrokenRing, Drawing, even_odd_rings
from recon.formats.reading import HoleRule, Note, Reading, ReadOptions, Severity
from render.cross_sections import CrossSections, plane_basis
from render.frame import Frame

Points = NDArray[np.float64]

_SAME_POINT = 1e-9  # of the drawing's diagonal
_ON_PLANE = 5e-5  # of the diagonal: half of what CrossSections allows
_NEAR_PLANE = 5e-3  # of the diagonal: moved onto the plane and told
_MOST_NOTES = 100
_SMALL_GAP = 0.02  # of the contour's length


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


@dataclass
class _Loops:
    """What `CrossSections` will be made of, and the notes so far."""

    normals: list[Points] = field(default_factory=list)
    offsets: list[float] = field(default_factory=list)
    points: list[Points] = field(default_factory=list)
    planes: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    disabled: list[bool] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def to_sections(
    path: Path,
    planes: Sequence[DrawnPlane],
    options: ReadOptions,
    rule: HoleRule = "even-odd",
    *,
    label_names: dict[int, str] | None = None,
    frame: Frame = Frame(),
    notes: Sequence[Note] = (),
) -> Reading:
    """Make cross-sections of what a file drew.

    rule: the format's own hole convention, which `options.holes` overrides. notes: what the reader has to
    say itself. Raises FormatError for no contour at all, labels that are not there, vertices off their
    plane, and contours that are open or cross themselves (unless `options.broken_contours` says otherwise).
    """
    planes = _with_wanted_labels(path, planes, options)
    scale = _diagonal(path, planes)
    used = rule if options.holes == "auto" else options.holes
    loops = _Loops(notes=list(notes))
    for plane in planes:
        _add_plane(path, plane, options, used, scale, loops)
    if not loops.points:
        raise FormatError(
            path, "The file has no closed contour.", "Check that contours were exported with the planes."
        )
    if len(set(loops.planes)) == 1:
        sentence = "Only one plane has contours; a solid needs two or more."
        loops.notes.append(Note("warning", sentence))
    loops.notes += _coinciding(loops, scale)
    names = label_names or {}
    if options.labels is not None:
        names = {label: name for label, name in names.items() if label in options.labels}
    data = _sections(loops, names, frame)
    return Reading(data, tuple(_bounded(loops.notes)))


def _sections(loops: _Loops, label_names: dict[int, str], frame: Frame) -> CrossSections:
    """The flat value; it would refuse what the steps above let through, so none of that is left."""
    return CrossSections(
        normals=np.array(loops.normals),
        offsets=np.array(loops.offsets),
        vertices=np.concatenate(loops.points),
        loop_starts=np.concatenate([[0], np.cumsum([len(points) for points in loops.points])]),
        loop_planes=np.array(loops.planes),
        loop_labels=np.array(loops.labels),
        label_names=label_names,
        frame=frame,
        disabled_planes=np.array(loops.disabled),
    )


def _coinciding(loops: _Loops, scale: float) -> list[Note]:
    """Tell of planes drawn twice: whatever differs between the two contradicts itself."""
    normals = np.array(loops.normals)
    # Opposite normals are the same plane: the largest component decides the sign.
    largest = np.take_along_axis(normals, np.abs(normals).argmax(1)[:, None], 1)
    keys = np.round(np.c_[normals, np.array(loops.offsets) / scale] * np.sign(largest) * 1e6)
    first: dict[bytes, int] = {}
    notes = []
    for i in sorted(set(loops.planes)):
        same = first.setdefault((keys[i] + 0.0).tobytes(), i)
        if same != i:
            sentence = f"Planes {same + 1} and {i + 1} lie in the same place; keep one of them."
            notes.append(Note("warning", sentence))
    return notes


def _bounded(notes: list[Note]) -> list[Note]:
    """As many notes as a person reads, warnings first."""
    if len(notes) <= _MOST_NOTES:
        return notes
    notes = sorted(notes, key=lambda note: note.severity != "warning")
    more = Note(notes[_MOST_NOTES].severity, f"{len(notes) - _MOST_NOTES:,} more notes were left out.")
    return [*notes[:_MOST_NOTES], more]


def _add_plane(
    path: Path, plane: DrawnPlane, options: ReadOptions, rule: HoleRule, scale: float, loops: _Loops
) -> None:
    """Check and append one plane, or leave it out where that is wanted of broken ones."""
    index = len(loops.offsets)
    normal, offset = _unit_plane(path, plane)
    notes: list[Note] = []
    try:
        rings = _on_plane(path, plane, normal, offset, scale, index, notes)
        rings = _cleaned(plane, rings, options, scale, index, notes)
        kept = _even_odd(plane, rings, (normal, offset), options, rule, index, notes)
    except BrokenRing as broken:
        sentence = f"Plane {plane.number}, contour {broken.ring + 1} {broken.sentence}"
        if options.broken_contours != "leave-out":
            advice = "Correct the contour where it was drawn, or read the file with broken contours repaired or left out."
            raise FormatError(path, sentence, advice, plane.rings[broken.ring].line) from broken
        loops.notes.append(Note("warning", f"{sentence} The plane was left out."))
        return
    loops.normals.append(normal)
    loops.offsets.append(offset)
    loops.disabled.append(plane.is_disabled)
    loops.notes += notes
    for ring in kept:
        loops.points.append(ring.points)
        loops.planes.append(index)
        loops.labels.append(ring.label)


def _with_wanted_labels(
    path: Path, planes: Sequence[DrawnPlane], options: ReadOptions
) -> Sequence[DrawnPlane]:
    """Give holes their parent's label, then keep the contours of the wanted labels; planes stay."""
    planes = [replace(plane, rings=_with_parents_label(path, plane)) for plane in planes]
    if options.labels is None:
        return planes
    present = {ring.label for plane in planes for ring in plane.rings}
    missing = sorted(set(options.labels) - present)
    if missing:
        have = ", ".join(map(str, sorted(present)[:20])) or "none"
        raise FormatError(path, f"There is no label {missing[0]}.", f"Choose among these labels: {have}.")
    return [_with_labels(plane, set(options.labels)) for plane in planes]


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


def _diagonal(path: Path, planes: Sequence[DrawnPlane]) -> float:
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


def _unit_plane(path: Path, plane: DrawnPlane) -> tuple[Points, float]:
    """Normal of unit length and its offset; a normal that has unit length already stays bit for bit."""
    with np.errstate(over="ignore", invalid="ignore"):
        length = float(np.linalg.norm(plane.normal))
    if not (1e-100 < length < 1e100 and abs(plane.offset) < 1e100):
        sentence = f"Plane {plane.number} has no usable normal and offset."
        raise FormatError(path, sentence, "Export the planes again.", plane.line)
    if abs(length - 1) < 1e-12:
        return plane.normal, plane.offset
    return plane.normal / length, plane.offset / length


def _on_plane(
    path: Path, plane: DrawnPlane, normal: Points, offset: float, scale: float, index: int, notes: list[Note]
) -> list[Ring]:
    """Move points that lie a little off the plane onto it; refuse those that lie far off."""
    rings, moved = [], 0.0
    for number, ring in enumerate(plane.rings):
        off = ring.points @ normal - offset
        farthest = float(np.abs(off).max(initial=0))
        if farthest > _NEAR_PLANE * scale:
            raise FormatError(
                path,
                f"Plane {plane.number}, contour {number + 1} has a point that lies {farthest:.4g} off the plane.",
                "Check the plane's equation, or export the contours again.",
                ring.line,
            )
        if farthest > _ON_PLANE * scale:
            ring = replace(ring, points=ring.points - off[:, None] * normal)
            moved = max(moved, farthest)
        rings.append(ring)
    if moved:
        notes.append(
            Note("warning", f"Points up to {moved:.3g} off the plane were moved onto it.", index)
        )  # fmt: skip
    return rings


def _cleaned(
    plane: DrawnPlane, rings: list[Ring], options: ReadOptions, scale: float, index: int, notes: list[Note]
) -> list[Ring]:
    """Drop repeated points and close small gaps."""
    cleaned, repeated = [], 0
    for number, ring in enumerate(rings):
        points = without_repeats(ring.points, _SAME_POINT * scale)
        is_explicitly_closed = len(ring.points) > 1 and np.array_equal(ring.points[0], ring.points[-1])
        repeated += len(ring.points) - len(points) - int(is_explicitly_closed)
        if ring.is_open and not is_explicitly_closed and len(points) > 1:
            _close(plane, number, points, options, index, notes)
        cleaned.append(ring if len(points) == len(ring.points) else replace(ring, points=points))
    if repeated > 0:
        text = "1 repeated point was" if repeated == 1 else f"{repeated} repeated points were"
        notes.append(Note("info", f"{text} left out.", index))
    return cleaned


def without_repeats(points: Points, tolerance: float) -> Points:
    """A closed contour without points that repeat the one before, the last being before the first."""
    if len(points) < 2:
        return points
    step = np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1)
    keep = step > tolerance
    if keep.all():
        return points
    # When only the closing step is null the file repeated its first point at the end: drop that one.
    if not keep[0] and keep[1:].all():
        return points[:-1]
    keep[0] = True
    kept: Points = points[keep]
    while len(kept) > 1 and np.linalg.norm(kept[-1] - kept[0]) <= tolerance:
        kept = kept[:-1]
    return kept


def _close(
    plane: DrawnPlane, number: int, points: Points, options: ReadOptions, index: int, notes: list[Note]
) -> None:
    """Tell that an open contour's ends get joined, or raise BrokenRing when they lie too far apart."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    gap = float(np.linalg.norm(points[-1] - points[0]))
    # One missing point of many is a small gap, one side of a square is not.
    usual = 2 * float(np.median(steps)) if len(points) >= 16 else 0.0
    small = max(_SMALL_GAP * float(steps.sum()), usual)
    if gap > small and options.broken_contours != "repair":
        raise BrokenRing(number, f"is open: its ends lie {gap:.4g} apart.")
    severity: Severity = "info" if gap <= small else "warning"
    sentence = f"Contour {number + 1} was open; its ends, {gap:.3g} apart, were joined."
    notes.append(Note(severity, sentence, index))


def _even_odd(
    plane: DrawnPlane,
    rings: list[Ring],
    equation: tuple[Points, float],
    options: ReadOptions,
    rule: HoleRule,
    index: int,
    notes: list[Note],
) -> list[Ring]:
    """Each label's contours so that their even-odd fill is what the file's rule meant."""
    normal, offset = equation
    u, v = plane_basis(normal)
    kept: list[Ring] = []
    for label in sorted({ring.label for ring in rings}):
        members = [i for i, ring in enumerate(rings) if ring.label == label]
        drawing = Drawing(
            rings=tuple(rings[i].points @ np.stack([u, v], axis=1) for i in members),
            numbers=tuple(members),
            parents=tuple(_position(members, rings[i].parent) for i in members),
            rule=rule,
            is_repairing=options.broken_contours == "repair",
        )
        outcome = even_odd_rings(drawing)
        notes += [Note(s, text, index) for s, text in outcome.notes]
        kept += [rings[members[i]] for i in outcome.unchanged]
        kept += [Ring(p[:, :1] * u + p[:, 1:] * v + offset * normal, label) for p in outcome.redrawn]
    order = {id(ring): i for i, ring in enumerate(rings)}
    return sorted(kept, key=lambda ring: order.get(id(ring), len(rings)))


def _position(members: list[int], parent: int | None) -> int | None:
    return None if parent is None else members.index(parent)
