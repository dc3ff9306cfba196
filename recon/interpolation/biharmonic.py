"""Biharmonic interpolation (Carr et al. 2001): the smoothest field in space through values at scattered points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve
from scipy.spatial.distance import cdist

from recon.orex.contours2d import PlaneContours
from render.compiled import compiled

Floats = NDArray[np.float64]

# Offset of the points beside contours that tell inside from outside, box units.
OFFSET = 0.03
OFFSET_SHARE = 0.4
# Points a plane away from contours, and the most that an in-plane distance says there.
SCATTER = 60
FARTHEST = 0.3
# Lets the surface miss a point by a trace, so that coinciding points do no harm.
SMOOTHING = 1e-5
# Pulls the slope across a plane that holds all centres to nothing.
FLATNESS = 1e-9


@dataclass(frozen=True)
class BiharmonicField:
    """f(x) = a + b . x - sum_k c_k |x - p_k|: (N, 3) points → (N,) values."""

    centers: Floats
    weights: Floats
    constant: float
    slope: Floats

    def __call__(self, points: Floats) -> Floats:
        sums = _sum_distances(np.ascontiguousarray(points), self.centers, self.weights)
        values: Floats = self.constant + points @ self.slope - sums
        return values


def fit_biharmonic(centers: Floats, values: Floats) -> BiharmonicField:
    """The field with the least bending that takes (N,) values at (N, 3) centres."""
    n = len(centers)
    system = np.zeros((n + 4, n + 4))
    system[:n, :n] = -cdist(centers, centers)
    system[np.arange(n), np.arange(n)] += SMOOTHING
    system[:n, n] = system[n, :n] = 1
    system[:n, n + 1 :] = centers
    system[n + 1 :, :n] = centers.T
    # Where all centres lie in one plane nothing says how the field grows across it: not at all then.
    system[np.arange(n + 1, n + 4), np.arange(n + 1, n + 4)] = -FLATNESS
    solution = solve(system, np.concatenate([values, np.zeros(4)]), assume_a="sym")
    return BiharmonicField(centers, solution[:n], float(solution[n]), solution[n + 1 :])


def contour_centers(
    contours: Sequence[PlaneContours], lower: Floats, upper: Floats, count: int, seed: int
) -> tuple[Floats, Floats]:
    """Centres (N, 3) and values (N,): about `count` on contours, some beside them, some anywhere on the planes."""
    rng = np.random.default_rng(seed)
    spacing = sum(plane.length for plane in contours) / count
    centers, values = [], []
    for plane in contours:
        curve = plane.sample_curves(spacing)
        beside = np.concatenate([curve.points + side * OFFSET * curve.normals for side in (-1, 1)])
        beside = beside[rng.random(len(beside)) < OFFSET_SHARE]
        scatter = _scatter(plane, lower, upper, rng)
        others = np.concatenate([beside, scatter])
        centers.append(plane.to_space(np.concatenate([curve.points, others])))
        values.append(np.concatenate([np.zeros(len(curve.points)), plane.distances(others, FARTHEST).signed]))
    return np.concatenate(centers), np.concatenate(values)


def _scatter(plane: PlaneContours, lower: Floats, upper: Floats, rng: np.random.Generator) -> Floats:
    """Up to SCATTER random points of the plane within the box, in plane coordinates."""
    radius = float(np.linalg.norm(upper - lower)) / 2
    middle = plane.to_plane((lower + upper)[None] / 2)
    points = middle + rng.uniform(-radius, radius, (40 * SCATTER, 2))
    space = plane.to_space(points)
    kept: Floats = points[((space > lower) & (space < upper)).all(1)][:SCATTER]
    return kept


@compiled
def _sum_distances(points: Floats, centers: Floats, weights: Floats) -> Floats:
    sums = np.zeros(len(points))
    for n in range(len(points)):
        x, y, z = points[n, 0], points[n, 1], points[n, 2]
        total = 0.0
        for k in range(len(centers)):
            dx, dy, dz = x - centers[k, 0], y - centers[k, 1], z - centers[k, 2]
            total += weights[k] * np.sqrt(dx * dx + dy * dy + dz * dz)
        sums[n] = total
    return sums
