"""OReX's hierarchical sampling (arXiv:2211.12886): six levels of samples, ever nearer to the contours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from recon.orex.contours2d import PlaneContours

Floats = NDArray[np.float64]

INSIDE, OUTSIDE, ON_CONTOUR = 0.0, 1.0, 0.5
WINDOW = 3  # levels that are trained on together


@dataclass(frozen=True)
class Level:
    """radius: box units from the contour. count: points a vertex, and on each side of an edge. epochs: in full."""

    radius: float
    count: int
    epochs: int


LEVELS = (
    Level(1 / 16, 2, 50),
    Level(1 / 32, 2, 50),
    Level(1 / 32, 3, 100),
    Level(1 / 64, 3, 100),
    Level(1 / 64, 4, 150),
    Level(1 / 128, 5, 200),
)
_NOISE = 2048  # points a plane
_HULL = 2**14
_HULL_SCALE = 1.05


class Labelled(NamedTuple):
    """Points in space with what is known of them: `INSIDE`, `OUTSIDE` or `ON_CONTOUR`."""

    points: Floats  # (N, 3)
    labels: Floats  # (N,)


def window(level: int) -> range:
    """The levels whose samples are trained on at `level`."""
    return range(max(0, level - WINDOW + 1), level + 1)


def sample_window(contours: Sequence[PlaneContours], level: int, seed: int) -> Labelled:
    """The training set of a level: its own samples and those of the two before; the same for the same seed."""
    parts = [
        sample_level(contours, number, np.random.default_rng([seed, number])) for number in window(level)
    ]
    return _join(parts)


def sample_level(contours: Sequence[PlaneContours], level: int, rng: np.random.Generator) -> Labelled:
    """Samples around vertices and edges, on edges, scattered on each plane, and on the hull of all contours."""
    planes = [_sample_plane(plane, LEVELS[level], rng) for plane in contours]
    return _join([*planes, _sample_hull(contours, rng)])


def _sample_plane(plane: PlaneContours, level: Level, rng: np.random.Generator) -> Labelled:
    noise = rng.uniform(-1, 1, (_NOISE, 2))
    if plane.is_empty:
        return Labelled(plane.to_space(noise), np.full(_NOISE, OUTSIDE))
    on_edges, beside_edges = around_edges(plane, level)
    beside = np.concatenate([around_vertices(plane, level), beside_edges, plane.starts.mean(0) + noise])
    labels = np.where(plane.is_inside(beside), INSIDE, OUTSIDE)
    points = plane.to_space(np.concatenate([beside, on_edges]))
    return Labelled(points, np.concatenate([labels, np.full(len(on_edges), ON_CONTOUR)]))


def around_vertices(plane: PlaneContours, level: Level) -> Floats:
    """(V * count, 2) points on a circle of the level's radius around every contour vertex."""
    angles = 2 * np.pi * np.arange(level.count) / level.count
    circle = level.radius * np.stack([np.cos(angles), np.sin(angles)], 1)
    return np.reshape(plane.starts[:, None] + circle, (-1, 2))


def around_edges(plane: PlaneContours, level: Level) -> tuple[Floats, Floats]:
    """(E * count, 2) points on the contour's edges and (2 * E * count, 2) points the radius to either side."""
    along = plane.ends - plane.starts
    lengths = np.linalg.norm(along, axis=1, keepdims=True)
    normals = np.stack([along[:, 1], -along[:, 0]], 1) / np.maximum(lengths, 1e-12)
    shares = np.arange(level.count)[None, :, None] / level.count
    on_edges = (plane.starts[:, None] + shares * along[:, None]).reshape(-1, 2)
    aside = level.radius * np.repeat(normals, level.count, axis=0)
    return on_edges, np.concatenate([on_edges + aside, on_edges - aside])


def _sample_hull(contours: Sequence[PlaneContours], rng: np.random.Generator) -> Labelled:
    """Points on the convex hull of all vertices, scaled up a little about the origin: all outside."""
    corners = np.concatenate([plane.to_space(plane.starts) for plane in contours])
    try:
        triangles = corners[ConvexHull(corners).simplices]
    except QhullError:  # The contours lie in one plane, which has no hull in space.
        return Labelled(np.zeros((0, 3)), np.zeros(0))
    sides = triangles[:, 1:] - triangles[:, :1]
    areas = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
    chosen = rng.choice(len(areas), _HULL, p=areas / areas.sum())
    shares = rng.dirichlet((1, 1, 1), _HULL)
    points = (triangles[chosen] * shares[:, :, None]).sum(1) * _HULL_SCALE
    return Labelled(points, np.full(_HULL, OUTSIDE))


def _join(parts: Sequence[Labelled]) -> Labelled:
    return Labelled(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
