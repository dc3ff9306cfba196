"""OReX's samples lie where the paper puts them and say what is drawn there."""

from __future__ import annotations

import numpy as np
import pytest

from recon.orex.contours2d import PlaneContours
from recon.orex.refinement_levels import (
    INSIDE,
    LEVELS,
    ON_CONTOUR,
    OUTSIDE,
    Labelled,
    around_edges,
    around_vertices,
    sample_level,
    sample_window,
    window,
)
from render.cross_sections import Plane
from tests.synthetic import SPHERE, slices_of

ALL_LEVELS = range(len(LEVELS))


def sphere_contours() -> list[PlaneContours]:
    return [PlaneContours.of_plane(plane) for plane in slices_of(SPHERE, 5).planes()]


def test_the_radii_shrink_from_a_sixteenth_to_a_hundred_and_twenty_eighth() -> None:
    radii = [level.radius for level in LEVELS]
    assert radii == [1 / 16, 1 / 32, 1 / 32, 1 / 64, 1 / 64, 1 / 128]
    assert [level.count for level in LEVELS] == [2, 2, 3, 3, 4, 5]
    assert sum(level.epochs for level in LEVELS) == 650


def test_a_window_holds_three_levels_once_there_are_three() -> None:
    assert [list(window(level)) for level in ALL_LEVELS] == [
        [0], [0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5],
    ]  # fmt: skip
    contours = sphere_contours()
    levels = [sample_level(contours, n, np.random.default_rng([7, n])) for n in (1, 2, 3)]
    together = sample_window(contours, 3, seed=7)
    np.testing.assert_array_equal(together.points, np.concatenate([level.points for level in levels]))


@pytest.mark.parametrize("number", ALL_LEVELS)
def test_points_lie_the_level_s_radius_from_vertices_and_edges(number: int) -> None:
    level = LEVELS[number]
    plane = sphere_contours()[2]
    circles = around_vertices(plane, level).reshape(len(plane.starts), level.count, 2)
    reach = np.linalg.norm(circles - plane.starts[:, None], axis=2)
    np.testing.assert_allclose(reach, level.radius, rtol=1e-12)
    on_edges, beside = around_edges(plane, level)
    assert len(on_edges) == level.count * len(plane.starts)
    assert len(beside) == 2 * len(on_edges)
    assert np.abs(plane.distances(on_edges).signed).max() < 1e-12
    # Measured along the edge's normal; the neighbouring edge of a convex contour may be a little nearer.
    distances = np.abs(plane.distances(beside).signed)
    assert distances.max() <= level.radius * (1 + 1e-9)
    assert np.median(distances) > 0.9 * level.radius


def test_labels_are_those_of_the_solid() -> None:
    contours = sphere_contours()
    samples = sample_level(contours, 3, np.random.default_rng(0))
    heights = samples.points @ contours[0].normal
    on_planes = np.abs(heights[:, None] - [plane.offset for plane in contours]).min(1) < 1e-9
    samples = Labelled(samples.points[on_planes], samples.labels[on_planes])
    inside = SPHERE.sdf(samples.points) < 0
    sure = np.abs(SPHERE.sdf(samples.points)) > 5e-3  # the contours are polygons
    assert (samples.labels[sure & inside] == INSIDE).all()
    assert (samples.labels[sure & ~inside] == OUTSIDE).all()
    assert (np.abs(SPHERE.sdf(samples.points[samples.labels == ON_CONTOUR])) < 5e-3).all()


def test_an_island_inside_a_hole_is_inside() -> None:
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    loops = [np.c_[size * square, np.zeros(4)] for size in (0.9, 0.6, 0.3)]
    normal = np.array([0.0, 0.0, 1.0])
    rings = slices_of(SPHERE, 5).from_planes([(normal, 0.0, [(loop, 1) for loop in loops])])
    samples = sample_level([PlaneContours.of_plane(rings.plane(0))], 0, np.random.default_rng(0))
    reach = np.abs(samples.points[:, :2]).max(1)
    assert (samples.labels[reach < 0.29] == INSIDE).all()
    assert (samples.labels[(reach > 0.31) & (reach < 0.59)] == OUTSIDE).all()
    assert (samples.labels[(reach > 0.61) & (reach < 0.89)] == INSIDE).all()


def test_an_empty_plane_is_outside_everywhere() -> None:
    empty = PlaneContours.of_plane(Plane(np.array([0.0, 0.0, 1.0]), 0.9, ()))
    contours = [*sphere_contours(), empty]
    samples = sample_level(contours, 0, np.random.default_rng(0))
    on_empty = np.abs(samples.points[:, 2] - 0.9) < 1e-9
    assert on_empty.sum() >= 2048
    assert (samples.labels[on_empty] == OUTSIDE).all()
