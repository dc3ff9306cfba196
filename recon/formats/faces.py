"""A plane cut into faces along rings, and the outline of some of the faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Points = NDArray[np.float64]
Polygons = NDArray[Any]  # (K,) of shapely polygons

_MOST_CROSSINGS = 2000
_SAMPLED_EDGES = 64
_SLIVER = 1e-12  # of the squared diagonal
_AT_ONCE = 2**22  # point-edge pairs in memory


def faces_of(rings: Sequence[Points]) -> Polygons:
    """Bounded faces of the drawing that closed (M, 2) rings make, crossings and retraced edges included."""
    lines = [shapely.LineString(np.concatenate([ring, ring[:1]])) for ring in rings]
    noded = shapely.union_all(lines)
    faces: Polygons = shapely.get_parts(shapely.polygonize([noded]))
    everything = np.concatenate(rings)
    smallest = _SLIVER * float((np.ptp(everything, axis=0) ** 2).sum())
    large: Polygons = faces[shapely.area(faces) > smallest]
    return large


def outline(faces: Polygons) -> list[Points]:
    """Closed (M, 2) rings around the union of faces, holes too, without the last repeated point."""
    region = shapely.union_all(faces)
    polygons = [part for part in shapely.get_parts(region) if part.geom_type == "Polygon"]
    rings = [ring for polygon in polygons for ring in (polygon.exterior, *polygon.interiors)]
    return [shapely.get_coordinates(ring)[:-1] for ring in rings]


def winding_numbers(points: Points, ring: Points) -> NDArray[np.int64]:
    """How often a closed (M, 2) ring turns counter-clockwise about each of (K, 2) points off it."""
    low, high = ring.min(0), ring.max(0)
    near = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
    turns = np.zeros(len(points), np.int64)
    chunk = max(1, _AT_ONCE // len(ring))
    for start in range(0, len(near), chunk):
        some = near[start : start + chunk]
        turns[some] = _turns(points[some], ring)
    return turns


def _turns(points: Points, ring: Points) -> NDArray[np.int64]:
    """Signed crossings of the ray to +x with the ring's edges."""
    x, y = points[:, :1], points[:, 1:]
    x0, y0 = ring.T
    x1, y1 = np.roll(ring, -1, axis=0).T
    side = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)  # > 0: the point is left of the edge
    upward = (y0 <= y) & (y1 > y) & (side > 0)
    downward = (y0 > y) & (y1 <= y) & (side < 0)
    return np.asarray(upward.sum(1) - downward.sum(1), np.int64)


def retraces(ring: Points) -> bool:
    """Whether the ring runs along one of its edges twice, as the bridge of a keyhole does."""
    _, corner = np.unique(ring, axis=0, return_inverse=True)
    edges = np.sort(np.stack([corner, np.roll(corner, -1)], axis=1), axis=1)
    return len(np.unique(edges, axis=0)) < len(edges)


def has_many_crossings(ring: Points, other: Points | None = None) -> bool:
    """Whether cutting a ring at all crossings with another, or itself, would take long: judged by some edges."""
    other = ring if other is None else other
    start, end = other, np.roll(other, -1, axis=0)
    sample = np.linspace(0, len(ring) - 1, min(_SAMPLED_EDGES, len(ring))).astype(int)
    hits = sum(int(_cross(ring[i], ring[(i + 1) % len(ring)], start, end).sum()) for i in sample)
    return hits * len(ring) / len(sample) / 2 > _MOST_CROSSINGS


def _cross(a: Points, b: Points, starts: Points, ends: Points) -> NDArray[np.bool_]:
    """Which of the segments cross segment a-b in a point within both."""

    def left(p: Points, q: Points, r: Points) -> Points:
        """Twice the signed area of the triangle p, q, r."""
        area: Points = (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1]) - (q[..., 1] - p[..., 1]) * (
            r[..., 0] - p[..., 0]
        )
        return area

    across = left(a, b, starts) * left(a, b, ends) < 0
    return across & (left(starts, ends, a) * left(starts, ends, b) < 0)
