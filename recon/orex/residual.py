"""Bend a prior as little as possible so that it agrees with every plane.

The unknown is the residual r = f - f0: its bending and slope are least, f = f0 + r keeps the in-plane distances
next to the contours and the drawn signs everywhere else on the planes. So the prior rules between the planes and the
planes rule on the planes.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recon.orex.box import BoxedSections
from recon.orex.cascade import CascadeSettings, LevelData
from recon.orex.contours2d import PlaneContours
from recon.orex.grid import Field, Grid, Trilinear
from recon.orex.variational import solve

Floats = NDArray[np.float64]

# Grid spacings beside a contour within which distances are equalities.
EQUAL_SPACINGS = 0.5
SIGN_WEIGHT = 0.5
# An empty plane has no contour to help its signs.
EMPTY_WEIGHT = 10.0
# Farther off, a sign must be this clear, as a share of the distance.
SIGN_SHARE = 0.3


@dataclass(frozen=True)
class Pins:
    """Values (N,) that a field is given at (N, 3) points between the planes, in box units."""

    points: Floats = field(default_factory=lambda: np.zeros((0, 3)))
    values: Floats = field(default_factory=lambda: np.zeros(0))


NO_PINS = Pins()


@dataclass(frozen=True)
class ResidualProblem:
    """A prior on its grid and what the planes say of it.

    weights: (P,) extra stiffness of each plane. pins: what is given besides the planes.
    """

    data: LevelData
    prior: Field
    weights: Floats
    planes: NDArray[np.int64]
    pins: Pins

    @classmethod
    def make(
        cls,
        boxed: BoxedSections,
        contours: Sequence[PlaneContours],
        grid: Grid,
        prior: Field,
        settings: CascadeSettings,
        seed: int = 0,
        pins: Pins = NO_PINS,
    ) -> ResidualProblem:
        """Sample the planes at the grid's spacing."""
        rng = np.random.default_rng(seed)
        data = LevelData.make(boxed, contours, grid, settings, rng, coarsest=False)
        weights = np.array([EMPTY_WEIGHT if plane.is_empty else 1.0 for plane in contours])
        return cls(data, prior, weights, data.planes, pins)

    def stiffer(self, planes: Sequence[int], factor: float) -> ResidualProblem:
        """The same problem with some planes held `factor` times more stiffly."""
        weights = self.weights.copy()
        weights[list(planes)] *= factor
        return replace(self, weights=weights)

    def solve(self, start: Field) -> Generator[int, None, Field]:
        """One round from the field `start`, whose slopes and violated signs make the linear problem."""
        data = self.data
        weights, targets = self._targets(start)
        points = data.points.joined(Trilinear.at(self.pins.points, data.grid))
        weights = np.concatenate([weights, np.ones(len(self.pins.values))])
        targets = np.concatenate([targets, self.pins.values])
        stiffness = data.settings.weight * data.grid.spacing**3
        fit = yield from solve(
            start - self.prior,
            points,
            (stiffness * weights).astype(np.float32),
            (targets - points.interpolate(self.prior)).astype(np.float32),
            data.bending,
            min(data.grid.num_halvings, 5),
        )
        return self.prior + fit.field

    def _targets(self, field: Field) -> tuple[Floats, Floats]:
        data, h = self.data, self.data.grid.spacing
        distances = data.distances
        # The field's own scale on the plane: the residual is to move contours, not to change units.
        slope = data.in_plane_slopes(field)
        values = data.points.interpolate(field).astype(np.float64)
        on_planes, on_hull = values[: len(distances)], values[len(distances) :]
        near = np.abs(distances) <= EQUAL_SPACINGS * h
        reach = np.minimum(np.abs(distances) * slope, 2.5 * h)
        least = np.sign(distances) * SIGN_SHARE * reach
        violated = np.where(distances > 0, on_planes < least, on_planes > least)
        weights = np.where(near, 1.0, SIGN_WEIGHT * violated) * self.weights[self.planes]
        targets = np.where(near, distances * slope, least)
        return (
            np.concatenate([weights, 0.3 * (on_hull < 0)]),
            np.concatenate([targets, np.zeros(len(on_hull))]),
        )
