"""Closed contours in a plane: regions by even-odd, brush strokes, smoothing, crossings, in-between shapes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

Points = NDArray[np.float64]


def crosses_itself(points: Points) -> bool:
    """Whether a closed loop touches or crosses itself."""
    return not shapely.is_simple(shapely.linearrings(points))


def loops_cross(points: Points, others: Sequence[Points]) -> bool:
    """Whether a closed loop meets any of the others."""
    if not others:
        return False
    ring = shapely.linearrings(points)
    shapely.prepare(ring)
    return bool(any(shapely.intersects(ring, shapely.linearrings(other)) for other in others))


def edge_is_free(points: Points, start: Points, end: Points, *, is_closed: bool) -> bool:
    """Whether the stretch from start to end meets no edge of the polyline but those that end at its ends."""
    after = np.roll(points, -1, axis=0) if is_closed else points[1:]
    before = points if is_closed else points[:-1]
    if not len(before):
        return True
    touches = np.zeros(len(before), bool)
    for shared in (start, end):
        touches |= (before == shared).all(axis=1) | (after == shared).all(axis=1)
    hits = _segments_meet(start, end, before, after)
    return not (hits & ~touches).any()


def region_of(loops: Sequence[Points]) -> BaseGeometry:
    """The even-odd fill of loops. Loops that cross themselves are mended by the same rule."""
    region: BaseGeometry = Polygon()
    for points in loops:
        polygon = Polygon(points)
        mended = polygon if polygon.is_valid else shapely.make_valid(polygon)
        region = region.symmetric_difference(mended)
    return region


def region_area(loops: Sequence[Points]) -> float:
    """Area of the even-odd fill."""
    return float(region_of(loops).area)


def loops_of(region: BaseGeometry, least_area: float = 0.0) -> list[Points]:
    """The rings of a region as loops without the repeated last point; crumbs up to least_area are left out."""
    loops: list[Points] = []
    for part in getattr(region, "geoms", [region]):
        if not isinstance(part, Polygon) or part.area <= least_area:
            continue
        for ring in (part.exterior, *part.interiors):
            if Polygon(ring).area > least_area:
                loops.append(np.asarray(ring.coords, np.float64)[:-1, :2])
    return loops


def swept_circle(path: Points, radius: float) -> BaseGeometry:
    """The area that a round brush covers along a path (N, 2)."""
    line = LineString(path) if len(path) > 1 else shapely.points(path[0])
    swept: BaseGeometry = line.simplify(radius * 0.01).buffer(radius, quad_segs=12)
    return swept


def brushed(loops: Sequence[Points], path: Points, radius: float, *, erases: bool) -> list[Points]:
    """The loops of a region after a brush stroke. Loops that the stroke left alone come back unchanged."""
    stroke = swept_circle(path, radius)
    region = region_of(loops)
    changed = region.difference(stroke) if erases else region.union(stroke)
    return _with_originals(loops_of(changed, 1e-4 * radius**2), loops)


def smoothed(points: Points, rounds: int = 12) -> Points:
    """A loop without its wiggles, of the same area (Taubin, SIGGRAPH 1995; then scaled about its centre)."""
    before = Polygon(points)
    for step in (0.5, -0.53) * rounds:
        middle = 0.5 * (np.roll(points, 1, axis=0) + np.roll(points, -1, axis=0))
        points = points + step * (middle - points)
    after = Polygon(points)
    if not after.area:
        return points
    centre = np.array([after.centroid.x, after.centroid.y])
    scaled: Points = centre + (points - centre) * np.sqrt(before.area / after.area)
    return scaled


def between(below: Sequence[Points], above: Sequence[Points], share: float, cells: int = 200) -> list[Points]:
    """The shape between two parallel planes: in-plane signed distances blended, 0 = below, 1 = above.

    Shape-based interpolation (Raya and Udupa, IEEE TMI 9, 1990) on a grid of `cells` along the longer side.
    """
    from skimage.measure import find_contours  # Takes long to import, and few need it.

    everything = np.concatenate([*below, *above])
    low, size = everything.min(axis=0), np.ptp(everything, axis=0)
    cell = float(size.max()) / cells
    origin = low - 4 * cell
    shape = (int(np.ceil(size[0] / cell)) + 8, int(np.ceil(size[1] / cell)) + 8)
    first = _signed_distance(below, origin, cell, shape)
    second = _signed_distance(above, origin, cell, shape)
    found = find_contours((1 - share) * first + share * second, 0.0)
    loops = [origin + cell * contour[:-1] for contour in found if len(contour) > 8]
    return [_simplified(loop, 0.1 * cell) for loop in loops]


def point_on_loop(points: Points, place: Points) -> tuple[int, Points, float]:
    """The nearest point of a closed loop: index of the edge's first vertex, the point, and its distance."""
    after = np.roll(points, -1, axis=0)
    edges = after - points
    lengths = np.maximum((edges**2).sum(axis=1), 1e-300)
    shares = np.clip(((place - points) * edges).sum(axis=1) / lengths, 0, 1)
    feet = points + shares[:, None] * edges
    distances = np.linalg.norm(feet - place, axis=1)
    nearest = int(np.argmin(distances))
    return nearest, feet[nearest], float(distances[nearest])


def _signed_distance(loops: Sequence[Points], origin: Points, cell: float, shape: tuple[int, int]) -> Points:
    """Distance to the border of the even-odd region at grid points, negative inside; far where there is none."""
    from scipy.spatial import cKDTree
    from skimage.draw import polygon2mask

    if not loops:
        return np.full(shape, float(max(shape)) * cell)
    inside = np.zeros(shape, bool)
    for points in loops:
        inside ^= polygon2mask(shape, (points - origin) / cell)
    border = np.concatenate([_dense(points, 0.2 * cell) for points in loops])
    rows, columns = np.indices(shape)
    grid = origin + cell * np.stack([rows.ravel(), columns.ravel()], axis=1)
    distance: Points = np.asarray(cKDTree(border).query(grid)[0]).reshape(shape)
    return np.where(inside, -distance, distance)


def _dense(points: Points, gap: float) -> Points:
    """Points along a closed loop, no two neighbours farther apart than the gap."""
    edges = np.roll(points, -1, axis=0) - points
    counts = np.maximum(1, np.ceil(np.linalg.norm(edges, axis=1) / gap)).astype(int)
    firsts = np.repeat(np.cumsum(counts) - counts, counts)
    shares = (np.arange(counts.sum()) - firsts) / np.repeat(counts, counts)
    dense: Points = np.repeat(points, counts, axis=0) + shares[:, None] * np.repeat(edges, counts, axis=0)
    return dense


def _simplified(points: Points, tolerance: float) -> Points:
    """A loop with fewer points, none of it moved by more than the tolerance, and still simple."""
    ring = Polygon(points).simplify(tolerance).exterior
    return np.asarray(ring.coords, np.float64)[:-1]


def _with_originals(loops: list[Points], originals: Sequence[Points]) -> list[Points]:
    """Loops with the same vertices as an original become that original, whatever vertex they start at."""
    known = {_fingerprint(points): points for points in originals}
    return [known.get(_fingerprint(points), points) for points in loops]


def _fingerprint(points: Points) -> bytes:
    return np.ascontiguousarray(points[np.lexsort(points.T)]).tobytes()


def _segments_meet(start: Points, end: Points, before: Points, after: Points) -> NDArray[np.bool_]:
    """Whether the stretch start–end meets each of the stretches before–after (N, 2)."""

    def side(a: Points, b: Points, c: Points) -> Points:
        first, second = b - a, c - a
        return np.sign(first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0])

    apart = side(start, end, before) * side(start, end, after) > 0
    apart |= side(before, after, start) * side(before, after, end) > 0
    low, high = np.minimum(before, after), np.maximum(before, after)
    apart |= (np.maximum(start, end) < low).any(axis=1) | (np.minimum(start, end) > high).any(axis=1)
    return ~apart
