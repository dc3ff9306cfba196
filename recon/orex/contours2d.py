"""The contours of one label on one plane, in that plane's own coordinates: inside, distance, samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recon.orex.segment_index import SegmentIndex
from render.cross_sections import Plane, plane_basis

Floats = NDArray[np.float64]


class CurveSamples(NamedTuple):
    """Points spread evenly along contours."""

    points: Floats  # (N, 2)
    normals: Floats  # (N, 2) unit length, to the right of the curve's direction
    lengths: Floats  # (N,) the length of curve that each point stands for


class Distances(NamedTuple):
    """Signed distance to the nearest contour and its nearest point."""

    signed: Floats  # (N,) negative inside, at most the limit
    feet: Floats  # (N, 2) nearest point of the contours; the query itself beyond the limit


@dataclass(frozen=True)
class PlaneContours:
    """Even-odd region of one label on the plane normal . x = offset.

    u, v: (3,) the plane's axes. starts, ends: (S, 2) the segments of all loops.
    """

    normal: Floats
    offset: float
    u: Floats
    v: Floats
    starts: Floats
    ends: Floats

    @classmethod
    def of_plane(cls, plane: Plane, label: int | None = None) -> PlaneContours:
        """The loops of `label` on a plane, or the loops of every label where it is None."""
        axes = np.stack(plane_basis(plane.normal), 1)
        chosen = (loop.points for loop in plane.loops if label is None or loop.label == label)
        return cls.of_rings(plane, [points @ axes for points in chosen])

    @classmethod
    def of_rings(cls, plane: Plane, rings: Sequence[Floats]) -> PlaneContours:
        """Closed rings of (M, 2) plane coordinates on the plane, whatever its own loops are."""
        u, v = plane_basis(plane.normal)
        starts = np.concatenate(rings) if rings else np.zeros((0, 2))
        ends = np.concatenate([np.roll(ring, -1, 0) for ring in rings]) if rings else np.zeros((0, 2))
        return cls(plane.normal, plane.offset, u, v, starts, ends)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was drawn, so that the whole plane is outside."""
        return not len(self.starts)

    @property
    def length(self) -> float:
        """Length of all contours."""
        return float(np.linalg.norm(self.ends - self.starts, axis=1).sum())

    @property
    def area(self) -> float:
        """Area of the even-odd region, exact for loops that do not cross."""
        if self.is_empty:
            return 0.0
        lower, upper = self.starts.min(0), self.starts.max(0)
        count = 256
        rows = lower[1] + (np.arange(count) + 0.5) / count * (upper[1] - lower[1])
        return float(self._index.chord_lengths(rows).mean() * (upper[1] - lower[1]))

    @cached_property
    def _index(self) -> SegmentIndex:
        return SegmentIndex.build(self.starts, self.ends)

    def to_plane(self, points: Floats) -> Floats:
        """(N, 3) points in space → (N, 2) coordinates of their foot on the plane."""
        return points @ np.stack([self.u, self.v], 1)

    def to_space(self, points: Floats) -> Floats:
        """(N, 2) plane coordinates → (N, 3) points on the plane."""
        space: Floats = points[:, :1] * self.u + points[:, 1:] * self.v + self.normal * self.offset
        return space

    def is_inside(self, points: Floats) -> NDArray[np.bool_]:
        """Whether (N, 2) points lie in the even-odd region."""
        if self.is_empty:
            return np.zeros(len(points), bool)
        return self._index.is_inside(points)

    def distances(self, points: Floats, limit: float = np.inf) -> Distances:
        """Exact signed distance of (N, 2) points to the nearest contour, cut at ±limit to save time.

        On an empty plane everything is `limit` outside, which must then be finite.
        """
        if self.is_empty:
            return Distances(np.full(len(points), limit), points.copy())
        # The kernel assumes finite numbers.
        distance, feet = self._index.nearest(points, min(limit, 1e100))
        return Distances(np.where(self.is_inside(points), -distance, distance), feet)

    def sample_curves(self, spacing: float) -> CurveSamples:
        """Points on the contours, evenly by arc length, one about every `spacing`."""
        if self.is_empty:
            return CurveSamples(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0))
        along = self.ends - self.starts
        lengths = np.linalg.norm(along, axis=1)
        kept = lengths > 0
        starts, along, lengths = self.starts[kept], along[kept], lengths[kept]
        cumulative = np.concatenate([[0.0], np.cumsum(lengths)])
        count = max(3, int(np.ceil(cumulative[-1] / spacing)))
        position = (np.arange(count) + 0.5) * (cumulative[-1] / count)
        segment = np.searchsorted(cumulative, position, side="right") - 1
        share = (position - cumulative[segment]) / lengths[segment]
        direction = along[segment] / lengths[segment][:, None]
        normals = np.stack([direction[:, 1], -direction[:, 0]], 1)
        return CurveSamples(
            starts[segment] + along[segment] * share[:, None],
            normals,
            np.full(count, cumulative[-1] / count),
        )
