"""The uncertainty is small where slices were drawn, grows between them, and tells where the surface is wrong."""

from __future__ import annotations

from collections.abc import Generator
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from recon.orex.box import MARGIN, box_sections
from recon.orex.cascade import CascadeSettings, solve_cascade
from recon.orex.uncertainty import distance_to_planes, estimate_uncertainty
from recon.surface import extract_surface
from render.cross_sections import CrossSections
from tests.synthetic import FINGERS, SPHERE, TORUS, Shape, slices_of


def finish(work: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


def solve(
    sections: CrossSections, resolution: int = 97
) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float64]]:
    """Vertices of the smoothest surface in world units, their uncertainty, and their distance to planes."""
    boxed, settings = box_sections(sections), CascadeSettings(resolution=resolution)
    contours = boxed.contours(None)
    level = finish(solve_cascade(boxed, contours, settings))
    vertices = extract_surface(level.field, level.grid.lower, level.grid.spacing).vertices.astype(np.float64)
    # The open end of a stack runs on beyond its last contour and is cut there at the end of the pipeline.
    vertices = vertices[(np.abs(vertices) < boxed.upper - MARGIN + 0.5 * boxed.gap).all(1)]
    spread = finish(estimate_uncertainty(boxed, contours, vertices, settings))
    scale = boxed.world_from_box.scale
    away = distance_to_planes(contours, vertices)
    return boxed.world_from_box.apply(vertices), spread * scale, away * scale


@lru_cache
def solved(shape: Shape, kind: str) -> tuple[Any, Any, Any]:
    return solve(slices_of(shape, 12, kind))


@pytest.mark.parametrize("kind", ["parallel", "arbitrary"])
@pytest.mark.parametrize("shape", [TORUS, FINGERS], ids=lambda shape: shape.name)
def test_it_is_small_on_the_planes_and_grows_between_them(shape: Shape, kind: str) -> None:
    _, spread, away = solved(shape, kind)
    on_planes, between = spread[away < 0.005], spread[away > np.quantile(away, 0.8)]
    assert len(on_planes) > 100
    assert np.median(on_planes) < 0.004
    assert np.median(between) > 2 * np.median(on_planes)
    assert (spread >= 0).all() and np.isfinite(spread).all()


@pytest.mark.parametrize("kind", ["parallel", "arbitrary"])
@pytest.mark.parametrize("shape", [TORUS, FINGERS], ids=lambda shape: shape.name)
def test_it_is_larger_where_the_surface_is_wrong(shape: Shape, kind: str) -> None:
    vertices, spread, _ = solved(shape, kind)
    error = np.abs(shape.sdf(vertices))
    assert spearmanr(spread, error).statistic > 0.45
    worst = error > np.quantile(error, 0.9)
    assert np.median(spread[worst]) > 2 * np.median(spread[~worst])


@pytest.mark.parametrize("kind", ["parallel", "arbitrary"])
@pytest.mark.parametrize("shape", [TORUS, FINGERS], ids=lambda shape: shape.name)
def test_its_size_is_that_of_the_error_within_a_factor_of_four(shape: Shape, kind: str) -> None:
    vertices, spread, _ = solved(shape, kind)
    error = float(np.sqrt(np.mean(shape.sdf(vertices) ** 2)))
    predicted = float(np.sqrt(np.mean(spread.astype(np.float64) ** 2)))
    assert 0.25 < predicted / error < 4


def test_two_planes_are_enough_to_say_something() -> None:
    _, spread, _ = solve(slices_of(SPHERE, 2), 49)
    assert np.isfinite(spread).all()
    assert spread.max() > 0.01


def test_it_follows_the_unit_of_the_input() -> None:
    sections = slices_of(TORUS, 8)
    grown = CrossSections.from_planes(
        [
            (plane.normal, 40 * plane.offset, [(40 * loop.points, 1) for loop in plane.loops])
            for plane in sections.planes()
        ]
    )
    small, large = solve(sections, 49)[1], solve(grown, 49)[1]
    assert np.median(large) == pytest.approx(40 * np.median(small), rel=0.02)
