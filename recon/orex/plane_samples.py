"""What the planes say, as points: signed in-plane distances near the contours, signs farther off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from recon.orex.contours2d import PlaneContours

Floats = NDArray[np.float64]

# Signs change slowly away from contours: a share of those points is enough. An empty plane keeps them all.
FAR_SHARE = 0.15

# Contour samples a grid spacing of contour length.
CURVE_DENSITY = 1.5
MAX_HULL_POINTS = 20_000
# Random points of the box, of which those outside the hull are added.
NUM_FAR_POINTS = 10_000
NUM_DIRECTIONS = 200


@dataclass(frozen=True)
class PlaneSamples:
    """What the planes say of one label, in box units.

    points, feet: (N, 3) on planes, and the nearest contour point of each. distances: (N,) in-plane signed
    distance, negative inside, cut at the limit it was asked with; so it is infinite on an empty plane sampled
    without a limit. planes: (N,) index of the plane. contour_points: (M, 3) evenly along the contours;
    contour_planes: (M,). outside: (H, 3) points that lie outside every contour's hull. lower, upper: (3,) the box.
    """

    points: Floats
    distances: Floats
    feet: Floats
    planes: NDArray[np.int64]
    contour_points: Floats
    contour_planes: NDArray[np.int64]
    outside: Floats
    lower: Floats
    upper: Floats

    def __len__(self) -> int:
        return len(self.points)


def sample_planes(
    contours: Sequence[PlaneContours],
    lower: Floats,
    upper: Floats,
    spacing: float,
    band: float,
    rng: np.random.Generator,
    limit: float | None = None,
    hull_offset: float | None = None,
) -> PlaneSamples:
    """All points of a jittered square grid within `band` of a contour, some beyond, and the contours themselves.

    lower, upper: (3,) box that points stay in. spacing: of the square grid. limit: distances are cut there, at
    twice the band when not given. hull_offset: distance of the outside points from the contours' hull; none are
    made without it.
    """
    cut = 2 * band if limit is None else limit
    parts = [_sample_plane(plane, lower, upper, spacing, band, cut, rng) for plane in contours]
    curves = [plane.to_space(plane.sample_curves(spacing / CURVE_DENSITY).points) for plane in contours]
    outside = np.zeros((0, 3))
    if hull_offset is not None:
        outside = sample_hull(contours, lower, upper, spacing, hull_offset)
    return PlaneSamples(
        np.concatenate([points for points, _, _ in parts]),
        np.concatenate([signed for _, signed, _ in parts]),
        np.concatenate([feet for _, _, feet in parts]),
        np.repeat(np.arange(len(parts)), [len(points) for points, _, _ in parts]),
        np.concatenate(curves),
        np.repeat(np.arange(len(curves)), [len(curve) for curve in curves]),
        outside,
        lower,
        upper,
    )


def sample_hull(
    contours: Sequence[PlaneContours], lower: Floats, upper: Floats, spacing: float, offset: float
) -> Floats:
    """(N, 3) points `offset` or more outside the convex hull of all contours; none where the hull is flat."""
    corners = np.concatenate([plane.to_space(plane.starts) for plane in contours])
    try:
        hull = ConvexHull(corners)
    except (QhullError, ValueError):  # flat; or no corners at all
        return np.zeros((0, 3))
    triangles, normals = corners[hull.simplices], hull.equations[:, :3]
    areas = np.linalg.norm(
        np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1
    )
    count = int(np.clip(areas.sum() / spacing**2, 500, MAX_HULL_POINTS))
    rng = np.random.default_rng(1)
    chosen = rng.choice(len(areas), count, p=areas / areas.sum())
    shares = rng.dirichlet((1, 1, 1), count)
    shell = (triangles[chosen] * shares[:, :, None]).sum(1) + normals[chosen] * offset
    anywhere = rng.uniform(lower, upper, (NUM_FAR_POINTS, 3))
    directions = _directions(NUM_DIRECTIONS)
    reach = (corners[hull.vertices] @ directions.T).max(0)
    away = (anywhere @ directions.T - reach).max(1) > offset
    points: Floats = np.clip(np.concatenate([shell, anywhere[away]]), lower + 1e-4, upper - 1e-4)
    return points


def _directions(count: int) -> Floats:
    """(N, 3) unit vectors spread evenly over the sphere, on a Fibonacci spiral."""
    height = 1 - 2 * (np.arange(count) + 0.5) / count
    angle = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    radius = np.sqrt(1 - height**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], 1)


def _sample_plane(
    plane: PlaneContours,
    lower: Floats,
    upper: Floats,
    spacing: float,
    band: float,
    limit: float,
    rng: np.random.Generator,
) -> tuple[Floats, Floats, Floats]:
    """Points (N, 3), their signed distances (N,) and contour feet (N, 3)."""
    points = _square_grid(plane, lower, upper, spacing, rng)
    signed, feet = plane.distances(points, limit)
    if not plane.is_empty:
        kept = (np.abs(signed) < band) | (rng.random(len(points)) < FAR_SHARE)
        points, signed, feet = points[kept], signed[kept], feet[kept]
    return plane.to_space(points), signed, plane.to_space(feet)


def _square_grid(
    plane: PlaneContours, lower: Floats, upper: Floats, spacing: float, rng: np.random.Generator
) -> Floats:
    """(N, 2) jittered grid points of the plane within the box."""
    corners = np.stack(np.meshgrid(*zip(lower, upper, strict=True), indexing="ij"), -1).reshape(-1, 3)
    corners = plane.to_plane(corners)
    axes = [
        np.arange(low + spacing / 2, high, spacing)
        for low, high in zip(corners.min(0), corners.max(0), strict=True)
    ]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 2)
    points += rng.uniform(-0.3, 0.3, points.shape) * spacing
    space = plane.to_space(points)
    inside = ((space > lower + 1e-6) & (space < upper - 1e-6)).all(1)
    kept: Floats = points[inside]
    return kept
