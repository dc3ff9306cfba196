"""Contours as files draw them → cross-sections as methods trust them.

Readers collect `DrawnPlane`s and call `to_sections`: repeated points go, small gaps are closed, touching
and doubled contours are put right, every hole convention becomes even-odd. What was done is told in notes;
what cannot be done is an error that names plane and contour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recon.errors import FormatError
from recon.formats.drawn_planes import DrawnPlane, Points, Ring, diagonal, with_wanted_labels
from recon.formats.nesting import BrokenRing
from recon.formats.reading import HoleRule, Note, Reading, ReadOptions
from recon.formats.ring_repairs import Repair, Said, repaired, with_unit_normal
from render.cross_sections import CrossSections
from render.frame import Frame

__all__ = ["DrawnPlane", "Ring", "to_sections"]

_MOST_NOTES = 100
_FARTHEST_OFF = 9e-5  # of the diagonal: what CrossSections allows, less rounding


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
    farthest_off: float = 0.0


def to_sections(
    path: Path,
    planes: Sequence[DrawnPlane],
    options: ReadOptions,
    rule: HoleRule = "even-odd",
    *,
    label_names: Mapping[int, str] | None = None,
    frame: Frame = Frame(),
    notes: Sequence[Note] = (),
) -> Reading:
    """Make cross-sections of what a file drew.

    rule: the format's own hole convention, which `options.holes` overrides. notes: what the reader has to
    say itself. Raises FormatError for no contour at all, labels that are not there, vertices off their
    plane, and contours that are open or cross themselves (unless `options.broken_contours` says otherwise).
    """
    planes = with_wanted_labels(path, planes, options.labels)
    used = rule if options.holes == "auto" else options.holes
    repair = Repair(path, used, diagonal(path, planes), options.broken_contours == "repair")
    loops = _Loops(notes=list(notes))
    for plane in planes:
        _add_plane(repair, plane, options.broken_contours == "leave-out", loops)
    _check_loops(path, loops)
    if len(set(loops.planes)) == 1:
        loops.notes.append(Note("warning", "Only one plane has contours; a solid needs two or more."))
    loops.notes += _coinciding(loops, repair.scale)
    names = {k: v for k, v in (label_names or {}).items() if options.labels is None or k in options.labels}
    return Reading(_sections(loops, names, frame), tuple(_bounded(loops.notes)))


def _add_plane(repair: Repair, plane: DrawnPlane, is_left_out_when_broken: bool, loops: _Loops) -> None:
    """Append one plane put right, or leave it out where that is wanted of broken ones."""
    plane = with_unit_normal(repair.path, plane)
    said: Said = []
    try:
        rings = repaired(repair, plane, said)
    except BrokenRing as broken:
        sentence = f"Plane {plane.number}, contour {broken.ring + 1} {broken.sentence}"
        if not is_left_out_when_broken:
            advice = "Correct the contour where it was drawn, or read the file with broken contours repaired or left out."
            raise FormatError(repair.path, sentence, advice, plane.rings[broken.ring].line) from broken
        loops.notes.append(Note("warning", f"{sentence} The plane was left out."))
        return
    index = len(loops.offsets)
    loops.normals.append(plane.normal)
    loops.offsets.append(plane.offset)
    loops.disabled.append(plane.is_disabled)
    loops.notes += [Note(severity, sentence, index) for severity, sentence in said]
    for ring in rings:
        off = float(np.abs(ring.points @ plane.normal - plane.offset).max())
        loops.farthest_off = max(loops.farthest_off, off)
        loops.points.append(ring.points)
        loops.planes.append(index)
        loops.labels.append(ring.label)


def _check_loops(path: Path, loops: _Loops) -> None:
    """Refuse no contours, and those too small for how far they lie off their planes."""
    if not loops.points:
        advice = "Check that contours were exported with the planes."
        raise FormatError(path, "The file has no closed contour.", advice)
    size = float(np.linalg.norm(np.ptp(np.concatenate(loops.points), axis=0)))
    if loops.farthest_off > _FARTHEST_OFF * size:
        sentence = (
            f"The contours lie up to {loops.farthest_off:.3g} off their planes, which is much for their size."
        )
        raise FormatError(path, sentence, "Check the planes' equations, or export the contours again.")


def _sections(loops: _Loops, label_names: Mapping[int, str], frame: Frame) -> CrossSections:
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
