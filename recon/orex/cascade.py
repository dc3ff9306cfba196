"""Stage A: the smoothest signed field through the contours, coarse grid to fine, without learning."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon.orex.box import BoxedSections
from recon.orex.contours2d import PlaneContours
from recon.orex.grid import Field, Grid, Trilinear, prolong
from recon.orex.plane_samples import sample_planes
from recon.orex.variational import Bending, Fit, solve

Floats = NDArray[np.float64]

# The steepest plane still tells something about the distance in space.
MIN_SLOPE = 0.25
SIGN_WEIGHT = 0.3
HULL_WEIGHT = 0.3
FIRM_SPACINGS = 1.5
HINT_WEIGHT = 1e-2
# Rounds of slope and active set, coarsest level first; finer levels repeat the last.
ROUNDS = (3, 2, 1)


@dataclass(frozen=True)
class CascadeSettings:
    """resolution: points along the longest side. weight: stiffness of the data. band, tension: box units."""

    resolution: int = 129
    weight: float = 1e7
    band: float = 0.12
    tension: float = 10.0
    slope_correction: bool = True
    outside_hull: bool = True


@dataclass(frozen=True)
class Level:
    """A field on its grid; is_final on the finest level."""

    grid: Grid
    field: Field
    is_final: bool


@dataclass(frozen=True)
class SolveStep:
    """One CG iteration: its number of about how many in the whole cascade."""

    step: int
    total: int


def num_levels(resolution: int) -> int:
    """Levels of the cascade, such that the coarsest has about 33 points."""
    return 1 + max(0, round(math.log2((resolution - 1) / 32)))


def solve_cascade(
    boxed: BoxedSections, contours: Sequence[PlaneContours], settings: CascadeSettings, seed: int = 0
) -> Generator[SolveStep | Level, None, Level]:
    """The thin-plate field of one label; yields every CG iteration and every finished level."""
    levels = num_levels(settings.resolution)
    grid = Grid.covering(boxed.lower, boxed.upper, settings.resolution, levels)
    rounds = [ROUNDS[min(level, len(ROUNDS) - 1)] for level in range(levels)]
    most = 60
    field = np.full(grid.shape, 0.1, np.float32)
    rng = np.random.default_rng(seed)
    for level in range(levels):
        if level:
            grid, field = grid.finer, prolong(field)
        data = LevelData.make(boxed, contours, grid, settings, rng, coarsest=level == 0)
        for round_ in range(rounds[level]):
            is_first = level == 0 and round_ == 0
            done = most * (sum(rounds[:level]) + round_)
            fit = yield from _counted(data.solve(field, is_first), done, most * sum(rounds))
            field = fit.field
        result = Level(grid, field, level == levels - 1)
        yield result
    return result


def _counted(iterations: Generator[int, None, Fit], done: int, total: int) -> Generator[SolveStep, None, Fit]:
    while True:
        try:
            number = next(iterations)
        except StopIteration as stop:
            fit: Fit = stop.value
            return fit
        yield SolveStep(done + number, total)


@dataclass(frozen=True)
class LevelData:
    """The samples of one level with their interpolation on its grid.

    distances: (N,) of the points on planes, contours last. planes, normals: (N,), (N, 3) of each point. points: those
    on planes and after them num_hull points of the hull. feet: the nearest contour points.
    """

    grid: Grid
    settings: CascadeSettings
    distances: Floats
    planes: NDArray[np.int64]
    normals: Floats
    points: Trilinear
    feet: Trilinear
    num_hull: int
    bending: Bending

    @classmethod
    def make(
        cls,
        boxed: BoxedSections,
        contours: Sequence[PlaneContours],
        grid: Grid,
        settings: CascadeSettings,
        rng: np.random.Generator,
        coarsest: bool,
    ) -> LevelData:
        """Sample the planes at about the grid's spacing."""
        lower, upper, h = grid.lower, grid.upper, grid.spacing
        samples = sample_planes(
            contours,
            lower,
            upper,
            h * (0.7 if coarsest else 1.0),
            max(settings.band, 1.5 * h),
            rng,
            hull_offset=boxed.hull_offset if settings.outside_hull else None,
        )
        planes = np.concatenate([samples.planes, samples.contour_planes])
        on_planes = np.concatenate([samples.points, samples.contour_points])
        return cls(
            grid,
            settings,
            np.concatenate([samples.distances, np.zeros(len(samples.contour_points))]),
            planes,
            np.stack([plane.normal for plane in contours])[planes],
            Trilinear.at(np.concatenate([on_planes, samples.outside]), grid),
            Trilinear.at(np.concatenate([samples.feet, samples.contour_points]), grid),
            len(samples.outside),
            Bending.on(grid.shape, settings.tension * h * h),
        )

    def solve(self, field: Field, is_first: bool) -> Generator[int, None, Fit]:
        """One round: slopes and violated signs of `field` make the next linear problem."""
        weights, targets = self._first_targets() if is_first else self._targets(field)
        stiffness = self.settings.weight * self.grid.spacing**3
        return solve(
            field,
            self.points,
            (stiffness * weights).astype(np.float32),
            targets.astype(np.float32),
            self.bending,
            min(self.grid.num_halvings, 5),
        )

    @property
    def _band(self) -> float:
        return max(self.settings.band, 1.5 * self.grid.spacing)

    def _nearness(self) -> Floats:
        """(N,) weight of a distance: in full at the contour, less where it only hints at the shape in space."""
        away = np.abs(self.distances) / self.grid.spacing
        return np.asarray(np.where(away < FIRM_SPACINGS, 1.0, HINT_WEIGHT))

    def _first_targets(self) -> tuple[Floats, Floats]:
        """Every sample as an equality: there is no field yet to tell which signs are violated."""
        near = np.abs(self.distances) < self._band
        weights = np.concatenate([np.where(near, 1.0, SIGN_WEIGHT), np.full(self.num_hull, HULL_WEIGHT)])
        return weights, np.concatenate([self.distances, np.full(self.num_hull, 0.05)])

    def _targets(self, field: Field) -> tuple[Floats, Floats]:
        """Equalities in the band; outside it and on the hull only what has the wrong sign or is too near zero."""
        distances, band = self.distances, self._band
        slope = self.slopes(field) if self.settings.slope_correction else np.ones(len(distances))
        values = self.points.interpolate(field).astype(np.float64)
        on_planes, on_hull = values[: len(distances)], values[len(distances) :]
        near = np.abs(distances) < band
        least = np.sign(distances) * band * slope * 0.9
        violated = np.where(distances > 0, on_planes < least, on_planes > least)
        weights = np.where(near, self._nearness(), SIGN_WEIGHT * violated)
        targets = np.where(near, distances * slope, least)
        return (
            np.concatenate([weights, HULL_WEIGHT * (on_hull < 0)]),
            np.concatenate([targets, np.zeros(self.num_hull)]),
        )

    def in_plane_slopes(self, field: Field) -> Floats:
        """(N,) how fast the field grows along the plane at the contour's foot, in units a unit."""
        gradient = self.feet.gradient(field, self.grid.spacing).astype(np.float64)
        along = gradient - (gradient * self.normals).sum(1, keepdims=True) * self.normals
        slope: Floats = np.clip(np.linalg.norm(along, axis=1), MIN_SLOPE, 1)
        return slope

    def slopes(self, field: Field) -> Floats:
        """(N,) distance in space a unit of in-plane distance, from the field's gradient at the contour's foot."""
        gradient = self.feet.gradient(field, self.grid.spacing).astype(np.float64)
        length = np.linalg.norm(gradient, axis=1) + 1e-9
        across = (gradient * self.normals).sum(1) / length
        slope: Floats = np.clip(np.sqrt(np.clip(1 - across**2, 0, 1)), MIN_SLOPE, 1)
        return slope
