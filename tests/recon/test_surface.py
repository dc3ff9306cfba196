"""Fields become closed surfaces, whatever the field."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

import recon.surface
from recon.errors import NoSurface
from recon.surface import describe, extract_surface
from render.frame import Frame
from render.mesh import TriangleMesh
from tests.synthetic import SPHERE, TORUS, field_of


def noise(seed: int, shape: tuple[int, ...], smoothness: float) -> NDArray[np.float32]:
    field = np.random.default_rng(seed).normal(size=shape)
    return gaussian_filter(field, smoothness).astype(np.float32) if smoothness else field.astype(np.float32)


def assert_sound(mesh: TriangleMesh) -> None:
    report = describe(mesh)
    assert report.is_watertight and report.is_manifold and report.is_consistently_wound
    assert mesh.volume > 0
    assert len(np.unique(mesh.vertices, axis=0)) == len(mesh.vertices)
    assert np.linalg.norm(mesh.face_cross_products, axis=1).min() > 0
    assert len(np.unique(mesh.faces)) == len(mesh.vertices)


@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(*[st.integers(2, 14)] * 3),
    smoothness=st.sampled_from([0, 0.5, 1.0, 2.0]),
    level=st.sampled_from([0.0, 0.1, -0.2]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_surface_of_any_noise_is_closed_manifold_and_wound_outward(
    seed: int, shape: tuple[int, int, int], smoothness: float, level: float
) -> None:
    field = noise(seed, shape, smoothness)
    if field.min() >= level:
        with pytest.raises(NoSurface):
            extract_surface(field, (0, 0, 0), 1.0, level)
    else:
        assert_sound(extract_surface(field, (0, 0, 0), 1.0, level))


@pytest.mark.parametrize("seed, smoothness", [(0, 0), (1, 0.5), (3, 0.5), (2, 1.0)])
def test_large_noise_with_rare_ambiguous_cells_is_closed_too(seed: int, smoothness: float) -> None:
    assert_sound(extract_surface(noise(seed, (40, 40, 40), smoothness), (0, 0, 0), 1.0))


@pytest.mark.parametrize(
    "field",
    [
        np.random.default_rng(0).integers(-1, 2, (20, 20, 20)),
        np.random.default_rng(1).choice([-1, 1], (20, 20, 20)),
        np.random.default_rng(2).normal(size=(20, 20, 20))
        * 10.0 ** np.random.default_rng(3).integers(-30, 3, 20),
        np.where(np.random.default_rng(4).random((20, 20, 20)) < 0.5, -1e-38, 1e-38),
        -np.ones((5, 5, 5)),
    ],
    ids=["with exact zeros", "two values", "thirty orders of magnitude", "tiny", "all inside"],
)
def test_degenerate_fields_give_sound_surfaces(field: NDArray[np.floating]) -> None:
    assert_sound(extract_surface(field.astype(np.float32), (0, 0, 0), 1.0))


def test_a_sphere_lies_where_its_formula_says_in_world_units_and_frame() -> None:
    field, origin, spacing = field_of(SPHERE, 64)
    frame = Frame("+Y", "mm", "LPS")
    mesh = extract_surface(field, origin * 100 + 7, spacing * 100, frame=frame)
    radius = np.linalg.norm(mesh.vertices - 7, axis=1)
    assert np.abs(radius - 70).max() < 0.1
    assert mesh.frame == frame


def test_another_level_moves_the_surface_outward() -> None:
    mesh = extract_surface(*field_of(SPHERE, 64), level=0.1)
    assert np.linalg.norm(mesh.vertices, axis=1) == pytest.approx(0.8, abs=1e-3)


def test_a_solid_cut_by_the_grids_border_is_closed_by_a_flat_wall_half_a_cell_beyond() -> None:
    field = np.fromfunction(lambda i, j, k: np.hypot(j - 5, k - 5) - 3, (8, 11, 11)).astype(np.float32)
    mesh = extract_surface(field, (0, 0, 0), 1.0)
    assert_sound(mesh)
    assert mesh.bounds[:, 0] == pytest.approx([-0.5, 7.5], abs=1e-6)


@pytest.mark.parametrize("slab", [1, 500, 4000])
def test_slabs_join_to_the_very_same_surface(slab: int, monkeypatch: pytest.MonkeyPatch) -> None:
    field = noise(3, (31, 15, 17), 1.0)
    whole = extract_surface(field, (0, 0, 0), 0.1)
    monkeypatch.setattr(recon.surface, "VOXELS_A_SLAB", slab)
    joined = extract_surface(field, (0, 0, 0), 0.1)
    assert len(joined.faces) == len(whole.faces)
    assert joined.volume == pytest.approx(whole.volume, rel=1e-6)
    assert np.allclose(np.unique(joined.vertices, axis=0), np.unique(whole.vertices, axis=0), atol=1e-6)
    assert_sound(joined)


@pytest.mark.parametrize("value", [0.0, 1.0, np.nan, np.inf, -np.inf])
def test_a_field_without_a_surface_says_so(value: float) -> None:
    with pytest.raises(NoSurface) as caught:
        extract_surface(np.full((4, 4, 4), value, np.float32), (0, 0, 0), 1.0)
    assert caught.value.advice


@pytest.mark.parametrize("holes", [0, 1, 2, 3])
def test_genus_counts_the_holes_of_linked_tori(holes: int) -> None:
    field, origin, spacing = field_of(TORUS, 40)
    joined = np.concatenate([field[4:-4]] * holes) if holes else field_of(SPHERE, 40)[0]
    report = describe(extract_surface(joined, origin, spacing))
    assert (report.genus, report.num_components) == (holes, 1)


def test_an_open_mesh_has_no_volume_and_no_genus() -> None:
    sphere = extract_surface(*field_of(SPHERE, 24))
    report = describe(TriangleMesh(sphere.vertices, sphere.faces[1:]))
    assert not report.is_watertight and not report.is_manifold
    assert report.is_consistently_wound
    assert (report.genus, report.volume, report.num_open_edges) == (None, None, 3)


def test_a_flipped_face_is_noticed() -> None:
    sphere = extract_surface(*field_of(SPHERE, 24))
    faces = np.array(sphere.faces)
    faces[7] = faces[7, ::-1]
    report = describe(TriangleMesh(sphere.vertices, faces))
    assert report.is_watertight and report.is_manifold
    assert not report.is_consistently_wound


def test_two_sheets_that_touch_in_a_point_are_no_manifold() -> None:
    vertices = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, 0, 0), (0, -1, 0), (0, 0, -1)]
    one = [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]
    other = [(0, 4, 5), (0, 6, 4), (0, 5, 6), (4, 6, 5)]
    report = describe(TriangleMesh(np.array(vertices), np.array(one + other)))
    assert report.is_watertight and not report.is_manifold
    assert report.num_components == 1


def test_an_empty_mesh_is_described_as_such() -> None:
    report = describe(TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3))))
    assert (report.num_faces, report.num_components, report.area) == (0, 0, 0)
    assert not report.is_watertight


def test_a_field_of_129_cubed_is_extracted_within_two_seconds_of_one_core() -> None:
    field, origin, spacing = field_of(SPHERE, 129)
    start = time.process_time()
    extract_surface(field, origin, spacing)
    assert time.process_time() - start < 2.0
