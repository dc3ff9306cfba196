"""Figures of likeness are what their definitions say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import recon.formats
from recon.errors import InputError
from recon.metrics import compare, sample_surface, slice_agreement
from recon.slicing import parallel_planes, slice_mesh
from render.cross_sections import CrossSections
from render.mesh import TriangleMesh
from tests.synthetic import (
    GEAR,
    SPHERE,
    TORUS,
    TWO_SPHERES,
    labelled_slices_of,
    mesh_of,
    slices_of,
    unit_cube,
)


def scaled(mesh: TriangleMesh, factor: float) -> TriangleMesh:
    return TriangleMesh(mesh.vertices * np.float32(factor), mesh.faces)


def shifted(mesh: TriangleMesh, by: tuple[float, float, float]) -> TriangleMesh:
    return TriangleMesh(mesh.vertices + np.float32(by), mesh.faces)


def test_a_mesh_compared_with_itself_is_perfect() -> None:
    figures = compare(mesh_of(TORUS, 48), mesh_of(TORUS, 48))
    assert figures["iou"] == figures["f_score"] == 1
    assert figures["hausdorff"] < 1e-5
    assert figures["normal_consistency"] > 0.99999
    json.dumps(figures)


def test_a_sphere_a_tenth_larger_is_a_tenth_of_the_radius_away_everywhere() -> None:
    sphere = mesh_of(SPHERE)
    figures = compare(scaled(sphere, 1.1), sphere)
    for name in ("chamfer", "hausdorff95", "hausdorff"):
        assert figures[name] == pytest.approx(0.07, rel=0.02)
        assert figures[f"{name}_per_mille"] == pytest.approx(1000 * 0.07 / (1.4 * 3**0.5), rel=0.02)
    assert figures["iou"] == pytest.approx(1.1**-3, abs=0.005)
    assert figures["f_score"] == 0
    assert figures["normal_consistency"] > 0.999


def test_the_same_seed_gives_the_same_figures_and_scale_does_not_matter_per_mille() -> None:
    ours, reference = mesh_of(TORUS, 32), mesh_of(TORUS, 64)
    first, again = (compare(ours, reference, seed=4) for _ in range(2))
    assert first == again
    large = compare(scaled(ours, 1000), scaled(reference, 1000), seed=4)
    assert large["chamfer"] == pytest.approx(1000 * first["chamfer"], rel=1e-3)
    assert large["chamfer_per_mille"] == pytest.approx(first["chamfer_per_mille"], rel=1e-3)


def test_an_open_mesh_has_distances_but_no_volume_overlap_and_says_why() -> None:
    torus = mesh_of(TORUS, 48)
    holed = TriangleMesh(torus.vertices, torus.faces[5:])
    figures = compare(torus, holed)
    assert figures["iou"] is None and "reference is not closed" in figures["iou_reason"]
    assert figures["chamfer"] < 1e-3
    assert "mesh is not closed" in compare(holed, torus)["iou_reason"]


def test_a_mesh_without_area_is_refused() -> None:
    flat = TriangleMesh(np.zeros((3, 3)), np.array([[0, 1, 2]]))
    for pair in ((flat, unit_cube()), (unit_cube(), flat)):
        with pytest.raises(InputError):
            compare(*pair)


def test_samples_lie_on_the_faces_named_and_are_spread_by_area() -> None:
    points, faces = sample_surface(unit_cube(), 12_000, np.random.default_rng(0))
    normals = unit_cube().face_cross_products[faces]
    corners = unit_cube().vertices[unit_cube().faces[faces, 0]]
    assert np.abs(((points - corners) * normals).sum(1)).max() < 1e-12
    assert np.bincount(faces, minlength=12) == pytest.approx(1000, rel=0.15)


@pytest.mark.parametrize("kind", ["parallel", "arbitrary"])
def test_a_mesh_agrees_fully_with_its_own_slices(kind: str) -> None:
    rows = slice_agreement(mesh_of(GEAR), slices_of(GEAR, 8, kind))
    assert [row.plane for row in rows] == list(range(8))
    for row in rows:
        assert row.accuracy == pytest.approx(100, abs=1e-6) and row.iou == pytest.approx(1, abs=1e-6)


def test_agreement_is_the_share_of_area_exactly() -> None:
    sections = slice_mesh(unit_cube(), ([(0, 0, 1.0)], [0.5]))
    (row,) = slice_agreement(shifted(unit_cube(), (0.25, 0, 0)), sections, bounds=unit_cube().bounds)
    window = (1 + 0.1 * 3**0.5) ** 2
    seen = 0.25 + 0.05 * 3**0.5  # the shifted part inside the window, and what is missing on the other side
    assert row.iou == pytest.approx(0.75 / 1.25)
    assert row.accuracy == pytest.approx(100 * (1 - seen / window))


def test_an_empty_plane_agrees_when_the_solid_misses_it_and_disagrees_when_not() -> None:
    empty: list[tuple[np.ndarray, int]] = []
    square = slice_mesh(unit_cube(), ([(0, 0, 1.0)], [0.5])).plane(0)
    sections = CrossSections.from_planes([square, ((0, 0, 1), 1.05, empty), ((0, 0, 1), 0.55, empty)])
    rows = slice_agreement(unit_cube(), sections, bounds=unit_cube().bounds)
    assert [row.iou for row in rows] == pytest.approx([1, 1, 0])
    assert rows[1].accuracy == 100
    assert rows[2].accuracy == pytest.approx(100 * (1 - 1 / (1 + 0.1 * 3**0.5) ** 2))


def test_disabled_planes_are_left_out_and_the_others_keep_their_numbers() -> None:
    sections = slice_mesh(unit_cube(), parallel_planes(unit_cube(), 3))
    left = sections.with_planes(sections.planes(), disabled_planes=[True, False, False])
    assert [row.plane for row in slice_agreement(unit_cube(), left)] == [1, 2]


def test_each_label_is_compared_with_its_own_mesh() -> None:
    shapes = {1: TWO_SPHERES, 2: TORUS}
    sections = labelled_slices_of(shapes, 5, resolution=48)
    meshes = {label: mesh_of(shape, 48) for label, shape in shapes.items()}
    right = slice_agreement(meshes, sections)
    wrong = slice_agreement({1: meshes[2], 2: meshes[1]}, sections)
    for row in right:
        assert {label: each.iou for label, each in row.labels.items()} == pytest.approx(
            {1: 1, 2: 1}, abs=1e-6
        )
    assert all(row.labels[2].iou < 0.9 for row in wrong)
    assert [row.iou for row in wrong] == pytest.approx([1] * 5, abs=1e-6)


def test_a_missing_mesh_of_a_label_counts_as_nothing_there() -> None:
    sections = labelled_slices_of({1: SPHERE, 2: TORUS}, 3, resolution=32)
    rows = slice_agreement({1: mesh_of(SPHERE, 32)}, sections)
    assert all(row.labels[2].iou == 0 and row.labels[1].iou == pytest.approx(1) for row in rows)


@pytest.mark.parametrize("name", ["eight_15", "eight_20", "hand_ok"])
def test_a_reference_solid_agrees_with_its_own_slice_file(name: str, shared_data: Path) -> None:
    solid = recon.formats.read(shared_data / f"slices/{name}_scaled.stl").data
    sections = recon.formats.read(shared_data / f"slices/{name}.csl").data
    rows = slice_agreement(solid, sections)
    assert min(row.iou for row in rows) > 0.9999 and min(row.accuracy for row in rows) > 99.999
