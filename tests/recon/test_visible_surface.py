"""Metrics of what cameras see."""

from __future__ import annotations

import numpy as np
import pytest

from recon.visible_surface import VisibleSurface
from render.cameras import CameraSet
from render.mesh import TriangleMesh

TOLERANCES = {"5": 0.05, "2": 0.02}


def squares(*heights: float) -> TriangleMesh:
    """Squares of side 2 at these heights."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32)
    vertices = np.concatenate([np.concatenate([corners, np.full((4, 1), h, np.float32)], 1) for h in heights])
    faces = np.concatenate([np.array([[0, 1, 2], [0, 2, 3]], np.int32) + 4 * k for k in range(len(heights))])
    return TriangleMesh(vertices, faces)


@pytest.fixture
def above() -> CameraSet:
    """One camera at height 3 that looks down and sees all of the squares."""
    pose = np.diag([1.0, -1, -1, 1])
    pose[:3, 3] = 0, 0, 3
    each = np.ones((1, 2))
    return CameraSet(pose[None], each * 80, each * 100, (each * 200).astype(int))


def test_the_reference_itself_is_perfect(above) -> None:
    figures = VisibleSurface(squares(0), above, TOLERANCES).compare(squares(0))
    assert figures["f_5"] == figures["f_2"] == 100 and figures["nc"] == pytest.approx(100, abs=1e-3)
    assert figures["accuracy"] < 1e-6


def test_a_surface_three_centimetres_off_counts_at_five_and_not_at_two(above) -> None:
    figures = VisibleSurface(squares(0), above, TOLERANCES).compare(squares(0.03))
    assert figures["f_5"] == 100 and figures["f_2"] == 0
    assert figures["accuracy"] == pytest.approx(0.03, abs=1e-5)


def test_what_no_camera_sees_does_not_count_on_either_side(above) -> None:
    hidden_below = squares(0, -0.5)
    assert VisibleSurface(hidden_below, above, TOLERANCES).compare(squares(0))["f_5"] == 100
    assert VisibleSurface(squares(0), above, TOLERANCES).compare(hidden_below)["f_5"] == 100


def test_a_missing_half_halves_the_recall_and_leaves_the_precision(above) -> None:
    half = TriangleMesh(squares(0).vertices, squares(0).faces[:1])
    figures = VisibleSurface(squares(0), above, TOLERANCES).compare(half)
    assert figures["precision_5"] == 100 and figures["recall_5"] == pytest.approx(53.5, abs=2)


def test_parts_are_judged_apart(above) -> None:
    reference = squares(0)
    parts = {"first": np.array([True, False])}
    half = TriangleMesh(reference.vertices, reference.faces[1:])
    figures = VisibleSurface(reference, above, TOLERANCES, parts).compare(half)
    assert figures["recall_5_first"] < 10 < figures["recall_5"]


def test_nothing_and_an_empty_mesh_score_zero(above) -> None:
    empty = TriangleMesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    surface = VisibleSurface(squares(0), above, TOLERANCES, {"first": np.array([True, False])})
    for mesh in (empty, squares(9)):
        figures = surface.compare(mesh)
        assert figures["f_5"] == figures["f_5_first"] == 0 and figures["nc"] == 0
