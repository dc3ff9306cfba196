"""The polygons that stand for planes, which have no end of their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from render.cross_sections import CrossSections, plane_basis

Array = NDArray[np.float64]
_ROOM = 0.05  # of the contours' diagonal, around them


def plane_polygons(sections: CrossSections) -> list[Array]:
    """For each plane a rectangle (4, 3) around its contours; parallel planes have the same one.

    A plane without contours has the part that lies in the box of all contours, (N, 3) with N from 0 to 6.
    """
    points = sections.vertices if sections.num_loops else sections.normals * sections.offsets[:, None]
    if not len(points):
        return []
    low, high = points.min(0), points.max(0)
    room = _ROOM * float(np.linalg.norm(high - low)) or 1.0
    polygons = [
        plane_in_box(normal, offset, low - room, high + room)
        for normal, offset in zip(sections.normals, sections.offsets, strict=True)
    ]
    for group in _parallel_groups(sections.normals):
        contours = np.concatenate(
            [loop.points for i in group for loop in sections.plane(i).loops] or [points[:0]]
        )
        if len(contours):
            u, v = plane_basis(sections.normals[group[0]])
            (left, right), (bottom, top) = _extent(contours @ u, room), _extent(contours @ v, room)
            frame = np.array(
                [left * u + bottom * v, right * u + bottom * v, right * u + top * v, left * u + top * v]
            )
            for index in group:
                polygons[index] = frame + _foot(sections, index, sections.normals[group[0]])
    return polygons


def plane_in_box(normal: Array, offset: float, low: Array, high: Array) -> Array:
    """Corners (N, 3) of the polygon that a plane n . x = offset has in a box, counter-clockwise."""
    u, v = plane_basis(normal)
    reach = float(np.linalg.norm(high - low))
    center = (low + high) / 2
    foot = center - normal * (normal @ center - offset)
    polygon = np.array([foot + reach * (a * u + b * v) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
    for axis in range(3):
        polygon = _kept_below(polygon, axis, high[axis], 1.0)
        polygon = _kept_below(polygon, axis, -low[axis], -1.0)
    return polygon


def veil_opacity(wanted: float, num_planes: int) -> float:
    """The opacity of one of many veils: seen through all of them, a third of what is behind is lost at most."""
    most: float = 1 - (1 - 1 / 3) ** (1 / max(1, num_planes))
    return min(wanted, most)


def _extent(values: Array, room: float) -> tuple[float, float]:
    return float(values.min()) - room, float(values.max()) + room


def _foot(sections: CrossSections, index: int, direction: Array) -> Array:
    """The point of a plane nearest to the origin, along the group's own direction."""
    sign = np.sign(sections.normals[index] @ direction)
    foot: Array = direction * (sections.offsets[index] * sign)
    return foot


def _parallel_groups(normals: Array) -> list[list[int]]:
    """Indices of planes, those with equal or opposite normals together."""
    groups: list[list[int]] = []
    for index, normal in enumerate(normals):
        for group in groups:
            if 1 - abs(float(normals[group[0]] @ normal)) < 1e-9:
                group.append(index)
                break
        else:
            groups.append([index])
    return groups


def _kept_below(polygon: Array, axis: int, limit: float, sign: float) -> Array:
    """The part of a convex polygon where sign * coordinate <= limit (Sutherland and Hodgman)."""
    kept: list[Array] = []
    for here, after in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        a, b = sign * here[axis] - limit, sign * after[axis] - limit
        if a <= 0:
            kept.append(here)
        if (a < 0 < b) or (b < 0 < a):
            kept.append(here + (after - here) * (a / (a - b)))
    return np.array(kept) if len(kept) > 2 else np.zeros((0, 3))
