"""Edits of meshes keep what they should keep."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from recon import mesh_edits
from recon.errors import InputError
from recon.surface import describe, extract_surface
from render.frame import Frame
from render.mesh import TriangleMesh
from tests.synthetic import (
    GEAR,
    NESTED_SPHERES,
    SHAPES,
    SPHERE,
    TORUS,
    TWO_SPHERES,
    Shape,
    mesh_of,
    unit_cube,
)

FRAME = Frame("+Y", "mm", "LPS")


def dressed(mesh: TriangleMesh) -> TriangleMesh:
    """The mesh with colours and values made from its positions, in a frame of its own."""
    shares = (mesh.vertices - mesh.vertices.min(0)) / np.ptp(mesh.vertices, axis=0)
    colors = (255 * shares).astype(np.uint8)
    return TriangleMesh(mesh.vertices, mesh.faces, colors, {"height": mesh.vertices[:, 2]}, FRAME)


def assert_dress_fits(mesh: TriangleMesh, within: float) -> None:
    assert mesh.frame == FRAME and mesh.colors is not None
    assert np.abs(mesh.vertex_values["height"] - mesh.vertices[:, 2]).max() <= within


def without_faces_near(mesh: TriangleMesh, point: tuple[float, float, float], radius: float) -> TriangleMesh:
    middles = mesh.vertices[mesh.faces].mean(1)
    far = np.linalg.norm(middles - np.array(point), axis=1) > radius
    return mesh_edits.with_faces(mesh, mesh.faces[far])


def test_the_smaller_of_two_spheres_goes_and_the_larger_stays_as_it_was() -> None:
    mesh = dressed(mesh_of(TWO_SPHERES, 48))
    larger = mesh_edits.remove_small_components(mesh, keep_largest=1)
    assert describe(larger).num_components == 1
    assert larger.volume == pytest.approx(4 / 3 * np.pi * 0.35**3, rel=0.02)
    assert_dress_fits(larger, 0)


def test_pieces_are_kept_by_their_share_of_the_largest() -> None:
    mesh = mesh_of(NESTED_SPHERES, 48)  # areas as 0.64 : 0.25 : 0.0625
    counts = [
        describe(mesh_edits.remove_small_components(mesh, share)).num_components for share in (0.05, 0.2, 0.5)
    ]
    assert counts == [3, 2, 1]
    assert mesh_edits.remove_small_components(mesh, 0.05) is mesh


@pytest.mark.parametrize("shape", [SPHERE, TORUS, GEAR], ids=lambda shape: shape.name)
@pytest.mark.parametrize("radius", [0.03, 0.12, 0.3])
def test_a_hole_cut_into_a_solid_is_closed_again(shape: Shape, radius: float) -> None:
    mesh = dressed(mesh_of(shape, 64))
    point = tuple(mesh.vertices[np.argmax(mesh.vertices[:, 0])].tolist())
    holed = without_faces_near(mesh, point, radius)
    assert not describe(holed).is_watertight
    filled = mesh_edits.fill_holes(holed)
    before, after = describe(mesh), describe(filled)
    assert after.is_manifold and after.is_consistently_wound
    assert (after.genus, after.num_components) == (before.genus, before.num_components)
    assert np.array_equal(filled.faces[: len(holed.faces)], holed.faces)
    assert_dress_fits(filled, 0.3)


@given(seed=st.integers(0, 10**6), num_removed=st.integers(1, 120))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_however_many_faces_are_torn_out_every_edge_is_closed_again(seed: int, num_removed: int) -> None:
    random = np.random.default_rng(seed)
    mesh = mesh_of(TORUS, 16)
    torn = mesh_edits.with_faces(mesh, random.permutation(mesh.faces)[num_removed:])
    report = describe(mesh_edits.fill_holes(torn))
    assert report.num_open_edges == 0 and report.is_consistently_wound


def test_holes_larger_than_asked_for_stay_open() -> None:
    mesh = without_faces_near(mesh_of(SPHERE, 48), (0.7, 0, 0), 0.2)
    small = mesh_edits.with_faces(mesh, mesh.faces[1:])
    filled = mesh_edits.fill_holes(small, max_edges=3)
    assert len(filled.faces) == len(small.faces) + 1
    assert describe(filled).num_open_edges == describe(mesh).num_open_edges > 3


def test_a_rim_of_a_hundred_thousand_edges_is_closed_in_seconds() -> None:
    turns = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    rim = np.stack([np.cos(turns), np.sin(turns), 0.5 * np.sin(7 * turns)], axis=1)
    following = np.roll(np.arange(len(turns)), -1)
    tip = np.full(len(turns), len(turns))
    cone = TriangleMesh(
        np.vstack([rim, [0, 0, 3]]), np.stack([np.arange(len(turns)), following, tip], axis=1)
    )
    start = time.process_time()
    assert describe(mesh_edits.fill_holes(cone)).is_manifold
    assert time.process_time() - start < 10


def test_a_missing_side_of_a_cube_is_filled_flat_without_new_vertices() -> None:
    filled = mesh_edits.fill_holes(TriangleMesh(unit_cube().vertices, unit_cube().faces[2:]))
    assert (len(filled.vertices), len(filled.faces), filled.volume) == (8, 12, pytest.approx(1))


def test_smoothing_takes_noise_away_and_keeps_volume_shape_and_dress() -> None:
    clean = mesh_of(SPHERE, 48)
    random = np.random.default_rng(0)
    noisy = TriangleMesh(
        clean.vertices + random.normal(0, 0.006, clean.vertices.shape).astype(np.float32),
        clean.faces,
        frame=FRAME,
    )
    smooth = mesh_edits.smooth(noisy, 20)
    assert smooth.volume == pytest.approx(noisy.volume, rel=1e-5)
    off = [np.abs(np.linalg.norm(mesh.vertices, axis=1) - 0.7).std() for mesh in (noisy, smooth)]
    assert off[1] < 0.4 * off[0]
    assert np.array_equal(smooth.faces, noisy.faces) and smooth.frame == FRAME


def test_smoothing_many_times_does_not_shrink_a_torus() -> None:
    smooth = mesh_edits.smooth(mesh_of(TORUS, 64), 200)
    assert np.abs(TORUS.sdf(smooth.vertices.astype(np.float64))).max() < 0.01
    assert describe(smooth).genus == 1


def test_smoothing_leaves_an_open_rim_in_place() -> None:
    mesh = without_faces_near(mesh_of(SPHERE, 48), (0.7, 0, 0), 0.3)
    edges = mesh_edits.edge_table(mesh.faces)
    rim = np.unique(edges.ends[edges.num_faces == 1])
    smooth = mesh_edits.smooth(mesh, 5)
    assert np.array_equal(smooth.vertices[rim], mesh.vertices[rim])
    assert not np.array_equal(smooth.vertices, mesh.vertices)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize("share", [0.5, 0.1, 0.03])
def test_fewer_faces_keep_the_solid_closed_with_its_holes_and_pieces(shape: Shape, share: float) -> None:
    mesh = dressed(mesh_of(shape, 64))
    target = int(share * len(mesh.faces))
    fewer = mesh_edits.decimate(mesh, target)
    before, after = describe(mesh), describe(fewer)
    assert after.is_manifold and after.is_consistently_wound
    assert sorted(after.component_genera) == sorted(before.component_genera)
    assert len(fewer.faces) <= 1.6 * target
    assert fewer.volume == pytest.approx(mesh.volume, rel=1e-4)
    assert np.abs(shape.sdf(fewer.vertices.astype(np.float64))).max() < 0.05
    assert_dress_fits(fewer, 0.15)


def test_the_result_does_not_depend_on_the_unit() -> None:
    mesh = mesh_of(GEAR, 48)
    large = TriangleMesh(mesh.vertices * np.float32(1024), mesh.faces)
    small = mesh_edits.decimate(mesh, 2000)
    assert np.array_equal(mesh_edits.decimate(large, 2000).faces, small.faces)


def test_a_tangle_of_noise_stays_a_closed_manifold_when_faces_go() -> None:
    field = gaussian_filter(np.random.default_rng(1).normal(size=(30, 30, 30)), 2).astype(np.float32)
    mesh = extract_surface(field, (0, 0, 0), 1.0)
    fewer = mesh_edits.decimate(mesh, len(mesh.faces) // 5)
    assert len(fewer.faces) < 0.5 * len(mesh.faces)
    assert describe(fewer).component_genera and describe(fewer).genus == describe(mesh).genus


def test_seams_are_welded_and_faces_without_area_go() -> None:
    corners = unit_cube().vertices[unit_cube().faces].reshape(-1, 3)
    soup = TriangleMesh(corners, np.arange(36).reshape(-1, 3), frame=FRAME)
    welded = mesh_edits.weld(soup)
    assert (len(welded.vertices), welded.volume, welded.frame) == (8, pytest.approx(1), FRAME)
    assert describe(welded).is_manifold
    assert mesh_edits.weld(welded) is welded


def test_flipping_turns_the_inside_out_and_back() -> None:
    mesh = dressed(mesh_of(TORUS, 32))
    flipped = mesh_edits.flip_normals(mesh)
    assert flipped.volume == pytest.approx(-mesh.volume)
    assert np.array_equal(mesh_edits.flip_normals(flipped).faces, mesh.faces)
    assert_dress_fits(flipped, 0)


@given(seed=st.integers(0, 10**6), share=st.floats(0, 0.4))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_faces_wound_the_wrong_way_are_turned_back(seed: int, share: float) -> None:
    mesh = mesh_of(NESTED_SPHERES, 24)
    wrong = np.random.default_rng(seed).random(len(mesh.faces)) < share
    mixed = TriangleMesh(mesh.vertices, np.where(wrong[:, None], mesh.faces[:, ::-1], mesh.faces))
    assert np.array_equal(mesh_edits.make_winding_consistent(mixed).volume, mesh.volume)
    assert describe(mesh_edits.make_winding_consistent(mixed)).is_consistently_wound


def test_a_moebius_strip_stays_as_it_is_and_a_consistent_mesh_is_the_same_object() -> None:
    turns = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    rim = [
        ((1 + s * np.cos(t / 2)) * np.cos(t), (1 + s * np.cos(t / 2)) * np.sin(t), s * np.sin(t / 2))
        for t in turns
        for s in (-0.3, 0.3)
    ]
    pairs = [(2 * i, 2 * i + 1, 2 * i + 2, 2 * i + 3) for i in range(11)] + [(22, 23, 1, 0)]
    strip = TriangleMesh(np.array(rim), np.array([f for a, b, c, d in pairs for f in ((a, b, c), (c, b, d))]))
    assert mesh_edits.make_winding_consistent(strip) is strip
    ring = mesh_of(TORUS, 24)
    assert mesh_edits.make_winding_consistent(ring) is ring


def test_no_edit_changes_the_mesh_that_it_was_given() -> None:
    mesh = dressed(mesh_of(TWO_SPHERES, 32))
    arrays = {name: np.array(array) for name, array in mesh.arrays()}
    for edit in (
        lambda: mesh_edits.remove_small_components(mesh, keep_largest=1),
        lambda: mesh_edits.fill_holes(mesh),
        lambda: mesh_edits.smooth(mesh, 3),
        lambda: mesh_edits.decimate(mesh, 500),
        lambda: mesh_edits.flip_normals(mesh),
        lambda: mesh_edits.weld(mesh),
        lambda: mesh_edits.make_winding_consistent(mesh),
    ):
        edit()
    assert all(np.array_equal(array, arrays[name]) for name, array in mesh.arrays())


def test_senseless_wishes_are_refused_with_advice() -> None:
    empty = TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3)))
    for refused in (
        lambda: mesh_edits.remove_small_components(empty),
        lambda: mesh_edits.remove_small_components(unit_cube(), min_share=2),
        lambda: mesh_edits.remove_small_components(unit_cube(), keep_largest=0),
        lambda: mesh_edits.fill_holes(unit_cube(), max_edges=2),
        lambda: mesh_edits.smooth(unit_cube(), -1),
        lambda: mesh_edits.decimate(unit_cube(), 3),
        lambda: mesh_edits.decimate(empty, 100),
    ):
        with pytest.raises(InputError) as caught:
            refused()
        assert caught.value.advice
