from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.orex.contours2d import PlaneContours
from render.cross_sections import CrossSections

SQUARE = np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]])


def on_plane(*rings: np.ndarray, normal: tuple[float, float, float] = (0, 0, 1)) -> PlaneContours:
    plane = CrossSections.from_planes([(normal, 0.5, [])]).plane(0)
    return PlaneContours.of_rings(plane, list(rings))


def circle(radius: float, count: int = 400) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return radius * np.stack([np.cos(angle), np.sin(angle)], 1)


def test_inside_is_even_odd_so_that_an_island_in_a_hole_is_inside():
    contours = on_plane(3 * SQUARE, 2 * SQUARE, SQUARE)
    points = np.array([[0, 0.1], [1.5, 0.1], [2.5, 0.1], [3.5, 0.1]])
    assert contours.is_inside(points).tolist() == [True, False, True, False]
    assert contours.area == pytest.approx(36 - 16 + 4, rel=1e-2)
    assert contours.length == pytest.approx(24 + 16 + 8)


def test_the_distance_to_a_square_is_exact_inside_outside_and_at_corners():
    contours = on_plane(SQUARE)
    points = np.array([[0.0, 0.0], [0.9, 0.2], [3.0, 0.0], [4.0, 5.0], [1.0, 0.3]])
    signed, feet = contours.distances(points)
    assert np.allclose(signed, [-1, -0.1, 2, 5, 0], atol=1e-12)
    assert np.allclose(feet[1:4], [[1, 0.2], [1, 0], [1, 1]])


@settings(max_examples=40, deadline=None)
@given(
    st.integers(3, 60),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.05, 0.7, np.inf]),
)
def test_distance_and_side_equal_a_plain_search_over_all_segments(count, seed, limit):
    rng = np.random.default_rng(seed)
    ring = rng.normal(size=(count, 2)) * [1, rng.uniform(0.01, 3)]
    points = np.concatenate([rng.normal(size=(50, 2)) * 2, ring])
    contours = on_plane(ring)
    along = contours.ends - contours.starts
    offset = points[:, None] - contours.starts
    share = np.clip((offset * along).sum(-1) / (along**2).sum(-1), 0, 1)
    plain = np.linalg.norm(offset - share[..., None] * along, axis=-1).min(1)
    (ax, ay), (bx, by) = contours.starts.T, contours.ends.T
    x, y = points[:, :1], points[:, 1:]
    crosses = ((ay <= y) != (by <= y)) & (ax + (y - ay) * (bx - ax) / np.where(by == ay, 1, by - ay) > x)
    inside = crosses.sum(1) % 2 == 1
    signed = contours.distances(points, limit).signed
    assert np.allclose(np.abs(signed), np.minimum(plain, limit), atol=1e-9)
    clear = plain > 1e-9
    assert (np.signbit(signed[clear]) == inside[clear]).all()


def test_samples_lie_on_the_curve_evenly_by_length_whatever_the_tessellation():
    ring = np.concatenate([circle(1.0, 4000)[:2000], circle(1.0, 40)[20:]])
    samples = on_plane(ring).sample_curves(0.01)
    assert np.allclose(np.linalg.norm(samples.points, axis=1), 1, atol=5e-3)
    left = (samples.points[:, 1] > 0).mean()
    assert left == pytest.approx(0.5, abs=0.01)
    assert samples.lengths.sum() == pytest.approx(2 * np.pi, rel=2e-3)
    assert np.allclose(samples.normals, samples.points, atol=0.1)


def test_going_to_space_and_back_keeps_plane_coordinates_for_any_normal():
    contours = on_plane(SQUARE, normal=(0.2, -0.7, 0.4))
    space = contours.to_space(SQUARE)
    assert np.allclose(contours.to_plane(space), SQUARE)
    assert np.allclose(space @ contours.normal, contours.offset)


def test_an_empty_plane_is_outside_everywhere():
    contours = on_plane()
    assert contours.is_empty
    assert not contours.is_inside(SQUARE).any()
    assert (contours.distances(SQUARE, 0.3).signed == 0.3).all()
