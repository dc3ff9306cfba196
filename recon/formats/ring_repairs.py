"""What is put right in the contours of one plane, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from recon.errors import FormatError
from recon.formats.drawn_planes import DrawnPlane, Points, Ring
from recon.formats.nesting import BrokenRing, Drawing, even_odd_rings
from recon.formats.reading import HoleRule, Severity
from render.cross_sections import plane_basis

Said = list[tuple[Severity, str]]

_SAME_POINT = 1e-9  # of the drawing's diagonal
_ON_PLANE = 5e-5  # of the diagonal: half of what CrossSections allows
_NEAR_PLANE = 5e-3  # of the diagonal: moved onto the plane and told
_SMALL_GAP = 0.02  # of the contour's length


@dataclass(frozen=True)
class Repair:
    """How a file's contours are put right. scale: the drawing's diagonal. rule: what makes a hole.

    is_closing: join and draw anew what is open or crosses itself, instead of raising BrokenRing.
    """

    path: Path
    rule: HoleRule
    scale: float
    is_closing: bool = False


def repaired(repair: Repair, plane: DrawnPlane, said: Said) -> list[Ring]:
    """The plane's contours, closed, simple and even-odd by label; `said` gets what was done.

    plane: with a normal of unit length. Raises BrokenRing, and FormatError for points far off the plane.
    """
    rings = _on_plane(repair, plane, said)
    rings = _cleaned(repair, rings, said)
    return _even_odd(repair, plane, rings, said)


def with_unit_normal(path: Path, plane: DrawnPlane) -> DrawnPlane:
    """The plane with a normal of unit length; one that has it already stays bit for bit."""
    with np.errstate(over="ignore", invalid="ignore"):
        length = float(np.linalg.norm(plane.normal))
    if not (1e-100 < length < 1e100 and abs(plane.offset) < 1e100):
        sentence = f"Plane {plane.number} has no usable normal and offset."
        raise FormatError(path, sentence, "Export the planes again.", plane.line)
    if abs(length - 1) < 1e-12:
        return plane
    return replace(plane, normal=plane.normal / length, offset=plane.offset / length)


def _on_plane(repair: Repair, plane: DrawnPlane, said: Said) -> list[Ring]:
    """Move points that lie a little off the plane onto it; refuse those that lie far off."""
    rings, moved = [], 0.0
    for number, ring in enumerate(plane.rings, 1):
        off = ring.points @ plane.normal - plane.offset
        farthest = float(np.abs(off).max(initial=0))
        if farthest > _NEAR_PLANE * repair.scale:
            sentence = (
                f"Plane {plane.number}, contour {number} has a point that lies {farthest:.4g} off the plane."
            )
            advice = "Check the plane's equation, or export the contours again."
            raise FormatError(repair.path, sentence, advice, ring.line)
        if farthest > _ON_PLANE * repair.scale:
            ring = replace(ring, points=ring.points - off[:, None] * plane.normal)
            moved = max(moved, farthest)
        rings.append(ring)
    if moved:
        said.append(("warning", f"Points up to {moved:.3g} off the plane were moved onto it."))
    return rings


def _cleaned(repair: Repair, rings: list[Ring], said: Said) -> list[Ring]:
    """Drop repeated points and close small gaps."""
    cleaned, repeated = [], 0
    for number, ring in enumerate(rings):
        points = without_repeats(ring.points, _SAME_POINT * repair.scale)
        is_explicitly_closed = len(ring.points) > 1 and np.array_equal(ring.points[0], ring.points[-1])
        repeated += len(ring.points) - len(points) - int(is_explicitly_closed)
        if ring.is_open and not is_explicitly_closed and len(points) > 1:
            _close(repair, number, points, said)
        cleaned.append(ring if len(points) == len(ring.points) else replace(ring, points=points))
    if repeated > 0:
        text = "1 repeated point was" if repeated == 1 else f"{repeated} repeated points were"
        said.append(("info", f"{text} left out."))
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


def _close(repair: Repair, number: int, points: Points, said: Said) -> None:
    """Tell that an open contour's ends get joined, or raise BrokenRing when they lie too far apart."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    gap = float(np.linalg.norm(points[-1] - points[0]))
    # One missing point of many is a small gap, one side of a square is not.
    usual = 2 * float(np.median(steps)) if len(points) >= 16 else 0.0
    small = max(_SMALL_GAP * float(steps.sum()), usual)
    if gap > small and not repair.is_closing:
        raise BrokenRing(number, f"is open: its ends lie {gap:.4g} apart.")
    severity: Severity = "info" if gap <= small else "warning"
    said.append((severity, f"Contour {number + 1} was open; its ends, {gap:.3g} apart, were joined."))


def _even_odd(repair: Repair, plane: DrawnPlane, rings: list[Ring], said: Said) -> list[Ring]:
    """Each label's contours so that their even-odd fill is what the file's rule meant; new ones come last."""
    u, v = plane_basis(plane.normal)
    basis = np.stack([u, v], axis=1)
    unchanged: list[int] = []
    redrawn: list[Ring] = []
    for label in sorted({ring.label for ring in rings}):
        members = [i for i, ring in enumerate(rings) if ring.label == label]
        position = {i: k for k, i in enumerate(members)}
        parents = [rings[i].parent for i in members]
        drawing = Drawing(
            rings=tuple(rings[i].points @ basis for i in members),
            numbers=tuple(members),
            parents=tuple(None if parent is None else position[parent] for parent in parents),
            rule=repair.rule,
            is_repairing=repair.is_closing,
        )
        outcome = even_odd_rings(drawing)
        said += outcome.notes
        unchanged += [members[k] for k in outcome.unchanged]
        redrawn += [Ring(ring @ basis.T + plane.offset * plane.normal, label) for ring in outcome.redrawn]
    return [rings[i] for i in sorted(unchanged)] + redrawn
