"""Hole conventions: any set of rings in one plane → rings whose even-odd fill is the same region.

A point has a winding number in each ring; a convention says which winding numbers mean inside. Rings that
neither touch nor cross stay as they were drawn and are only chosen from: a ring counts when the inside
changes across it. Where rings touch or cross, the plane is cut into faces along all of them and the outline of
the faces inside is drawn anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from recon.formats.faces import Points, faces_of, has_many_crossings, outline, retraces, winding_numbers
from recon.formats.reading import HoleRule, Severity

_SLIVER = 1e-10  # area by squared perimeter below which a contour encloses nothing
_HARMLESS = 5e-3  # share of the area that touching may change before it counts as crossing
_BRIDGE = 0.1  # of the median step: how wide a keyhole's bridge may gape

_MANY_EDGE_PAIRS = 10**7


class BrokenRing(Exception):
    """A contour that cannot be put right. ring: its index in the plane; sentence: goes on after its name."""

    def __init__(self, ring: int, sentence: str) -> None:
        super().__init__(sentence)
        self.ring = ring
        self.sentence = sentence


@dataclass(frozen=True)
class Drawing:
    """One label's rings on one plane: (M, 2) points each, in the plane's own units.

    numbers: each ring's index in the plane, for messages. parents: index in `rings` of the ring that this
    one is a hole of. is_repairing: draw contours that cross themselves anew instead of refusing them.
    """

    rings: tuple[Points, ...]
    numbers: tuple[int, ...]
    parents: tuple[int | None, ...]
    rule: HoleRule
    is_repairing: bool = False


@dataclass
class Outcome:
    """unchanged: indices of rings to keep as they are; redrawn: new rings; notes: severity and sentence."""

    unchanged: list[int] = field(default_factory=list)
    redrawn: list[Points] = field(default_factory=list)
    notes: list[tuple[Severity, str]] = field(default_factory=list)


def even_odd_rings(drawing: Drawing) -> Outcome:
    """The rings whose even-odd fill is what the drawing's rule says. Raises BrokenRing."""
    outcome = Outcome()
    rings = list(drawing.rings)
    alive = _without_empty(drawing, _without_twins(drawing, range(len(rings)), outcome), outcome)
    if drawing.rule == "keyhole":
        rings = [_with_closed_bridge(ring) for ring in rings]
    bridged = {i for i in alive if rings[i] is not drawing.rings[i]}
    invalid = _touching_themselves(drawing, rings, alive) | bridged
    for i in sorted(invalid):
        _judge(drawing, rings[i], i, outcome)
    crossing = _crossing_each_other(drawing, rings, alive, invalid, outcome)
    if drawing.rule in ("even-odd", "keyhole"):
        # Parities add, so only the rings concerned need new outlines.
        anew = sorted(invalid | crossing)
        outcome.unchanged = [i for i in alive if i not in invalid | crossing]
    elif invalid or crossing:
        anew = list(alive)
    else:
        outcome.unchanged = _where_inside_changes(drawing, rings, alive, outcome)
        anew = []
    if anew:
        outcome.redrawn = _drawn_anew(drawing, rings, anew)
    return outcome


@dataclass(frozen=True)
class _Turns:
    """Which of num_points points lie in which rings: point and ring, by position, and winding number, each (T,)."""

    num_points: int
    point: NDArray[np.int64]
    ring: NDArray[np.int64]
    turns: NDArray[np.int64]


def _inside(drawing: Drawing, used: list[int], turns: _Turns) -> NDArray[np.bool_]:
    """(num_points,) whether the rule calls each point inside the rings `used`."""
    if drawing.rule == "parent":
        return _inside_some_parent(drawing, used, turns)
    total = np.bincount(turns.point, turns.turns, turns.num_points).astype(np.int64)
    return np.asarray(total != 0 if drawing.rule == "winding" else total % 2 == 1)


def _inside_some_parent(drawing: Drawing, used: list[int], turns: _Turns) -> NDArray[np.bool_]:
    """In some outer contour, and in none of its own holes."""
    position = {ring: k for k, ring in enumerate(used)}
    parents = [drawing.parents[i] for i in used]
    is_hole = np.array([parent is not None for parent in parents], bool)
    # A hole whose parent was left out is a hole in nothing.
    tops = [k if parent is None else position.get(parent, -1) for k, parent in enumerate(parents)]
    top = np.array(tops, np.int64)
    pair = turns.point * len(used) + top[turns.ring]
    in_hole = is_hole[turns.ring]
    filled = turns.point[~in_hole & ~np.isin(pair, pair[in_hole])]
    return np.bincount(filled, minlength=turns.num_points) > 0


def _without_twins(drawing: Drawing, alive: range, outcome: Outcome) -> list[int]:
    """Leave out contours drawn twice: under even-odd they would cancel each other."""
    if len(alive) < 2:
        return list(alive)
    seen: dict[tuple[bool, bytes], int] = {}
    kept = []
    for i in alive:
        ring = drawing.rings[i]
        key = (drawing.parents[i] is None, ring[np.lexsort(ring.T)].tobytes())
        if key in seen:
            text = f"Contour {drawing.numbers[i] + 1} repeats contour {seen[key] + 1} and was left out."
            outcome.notes.append(("warning", text))
        else:
            seen[key] = drawing.numbers[i]
            kept.append(i)
    return kept


def _without_empty(drawing: Drawing, alive: list[int], outcome: Outcome) -> list[int]:
    """Leave out contours that enclose nothing: one or two points, or all on a line."""
    kept = []
    for i in alive:
        ring = drawing.rings[i]
        perimeter = float(np.linalg.norm(ring - np.roll(ring, 1, axis=0), axis=1).sum())
        # A figure of eight has no net area either; what it encloses is seen by its spread across its length.
        thickness = _thickness(ring) if len(ring) > 2 else 0.0
        if thickness > _SLIVER * perimeter:
            kept.append(i)
            continue
        count = f"only {len(ring)} points" if len(ring) > 1 else "only one point"
        reason = count if len(ring) < 3 else "no area"
        outcome.notes.append(("warning", f"Contour {drawing.numbers[i] + 1} has {reason} and was left out."))
    return kept


def _thickness(ring: Points) -> float:
    """Root mean square distance of the points from their best line."""
    centred = ring - ring.mean(0)
    return float(np.linalg.svd(centred, compute_uv=False)[1] / np.sqrt(len(ring)))


def _with_closed_bridge(ring: Points) -> Points:
    """Snap the two sides of a keyhole's bridge together: two nearby edges, run in opposite directions."""
    from scipy.spatial import cKDTree

    steps = np.linalg.norm(ring - np.roll(ring, 1, axis=0), axis=1)
    pairs = cKDTree(ring).query_pairs(_BRIDGE * float(np.median(steps)))
    count = len(ring)
    sides = [(i, j) for i, j in pairs if j - i > 3 and (i + 1, j - 1) in pairs]
    sides += [(i + 1, j - 1) for i, j in sides]
    # A bridge may also start at the ring's first point.
    sides += [(0, count - 1)] if (0, count - 1) in pairs and sides else []
    snapped = ring.copy()
    for i, j in sorted(set(sides)):
        snapped[j] = snapped[i]
    return snapped if sides else ring


def _touching_themselves(drawing: Drawing, rings: list[Points], alive: list[int]) -> set[int]:
    """Rings that are not simple; rings of a hundred-thousand random edges are refused at once."""
    if not alive:
        return set()
    valid = shapely.is_valid(np.array([shapely.Polygon(rings[i]) for i in alive], object))
    invalid = {i for i, good in zip(alive, valid, strict=True) if not good}
    for i in invalid:
        if has_many_crossings(rings[i]):
            raise BrokenRing(drawing.numbers[i], "crosses itself in very many places.")
    return invalid


def _judge(drawing: Drawing, ring: Points, index: int, outcome: Outcome) -> None:
    """Tell how a ring that touches itself will be drawn, or raise BrokenRing when it truly crosses itself."""
    faces = faces_of([ring])
    areas = shapely.area(faces)
    winding = winding_numbers(shapely.get_coordinates(shapely.point_on_surface(faces)), ring)
    total = float(areas[winding != 0].sum())
    direction = 1 if float((areas * winding).sum()) >= 0 else -1
    wrong = float(areas[winding * direction < 0].sum())
    if drawing.rule not in ("winding", "keyhole") and not retraces(ring):
        wrong += float(areas[np.abs(winding) > 1].sum())
    name = f"Contour {drawing.numbers[index] + 1}"
    if wrong <= _HARMLESS * total:
        outcome.notes.append(("info", f"{name} touched itself; its outline was drawn anew."))
    elif drawing.is_repairing:
        outcome.notes.append(("warning", f"{name} crossed itself; its outline was drawn anew."))
    else:
        raise BrokenRing(drawing.numbers[index], "crosses itself.")


def _crossing_each_other(
    drawing: Drawing, rings: list[Points], alive: list[int], invalid: set[int], outcome: Outcome
) -> set[int]:
    """Rings that cross other rings of the label; what the rule makes of them is told."""
    if len(alive) < 2:
        return set()
    polygons = np.array([shapely.Polygon(rings[i]) for i in alive], object)
    bad = [position for position, i in enumerate(alive) if i in invalid]
    polygons[bad] = shapely.make_valid(polygons[bad])
    tree = shapely.STRtree(polygons)
    _refuse_combs(drawing, rings, alive, tree.query(polygons))
    first, second = tree.query(polygons, predicate="overlaps")
    pairs = [(alive[a], alive[b]) for a, b in zip(first, second, strict=True) if a < b]
    for a, b in pairs[:1]:
        more = f" (and {len(pairs) - 1} more pairs)" if len(pairs) > 1 else ""
        text = f"Contours {drawing.numbers[a] + 1} and {drawing.numbers[b] + 1} cross{more}; "
        outcome.notes.append(("warning", text + _meaning_of_overlap(drawing)))
    return {alive[a] for a in first}


def _refuse_combs(drawing: Drawing, rings: list[Points], alive: list[int], near: NDArray[np.int64]) -> None:
    """Refuse pairs of large rings with so many crossings that finding them all would take the memory."""
    lengths = np.array([len(rings[i]) for i in alive])
    large = lengths[near[0]] * lengths[near[1]] > _MANY_EDGE_PAIRS
    for a, b in near[:, large & (near[0] < near[1])].T:
        if has_many_crossings(rings[alive[a]], rings[alive[b]]):
            sentence = f"crosses contour {drawing.numbers[alive[a]] + 1} in very many places."
            raise BrokenRing(drawing.numbers[alive[b]], sentence)


def _meaning_of_overlap(drawing: Drawing) -> str:
    if drawing.rule in ("even-odd", "keyhole"):
        return "what lies in both was taken as outside (even-odd)."
    return "what lies in either was taken as inside."


def _where_inside_changes(
    drawing: Drawing, rings: list[Points], alive: list[int], outcome: Outcome
) -> list[int]:
    """Of rings that do not cross: those with inside on one side and outside on the other."""
    polygons = np.array([shapely.Polygon(rings[i]) for i in alive], object)
    around = np.array([1 if shapely.is_ccw(polygon.exterior) else -1 for polygon in polygons], np.int64)
    inner, outer = shapely.STRtree(polygons).query(polygons, predicate="covered_by")
    # A point just within a ring lies in it and in all around it; one just without lies in those around it.
    within = _Turns(len(alive), inner, outer, around[outer])
    apart = inner != outer
    without = _Turns(len(alive), inner[apart], outer[apart], around[outer[apart]])
    changes = _inside(drawing, alive, within) != _inside(drawing, alive, without)
    for i, kept in zip(alive, changes, strict=True):
        if not kept:
            what = (
                "is no hole of a contour around it"
                if drawing.parents[i] is not None
                else "lies in the inside"
            )
            text = f"Contour {drawing.numbers[i] + 1} {what}, so it bounds nothing and was left out."
            outcome.notes.append(("warning", text))
    return [i for i, kept in zip(alive, changes, strict=True) if kept]


def _drawn_anew(drawing: Drawing, rings: list[Points], used: list[int]) -> list[Points]:
    """Outline of the faces that the rule calls inside."""
    chosen = [rings[i] for i in used]
    faces = faces_of(chosen)
    points = shapely.get_coordinates(shapely.point_on_surface(faces))
    winding = [winding_numbers(points, ring) for ring in chosen]
    hit = [np.flatnonzero(each) for each in winding]
    turns = _Turns(
        len(faces),
        np.concatenate(hit),
        np.repeat(np.arange(len(chosen)), [len(each) for each in hit]),
        np.concatenate([each[some] for each, some in zip(winding, hit, strict=True)]),
    )
    return outline(faces[_inside(drawing, used, turns)])
