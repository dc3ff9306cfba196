"""Closed meshes cut by planes give closed contours that lie where the formula says."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.errors import InputError
from recon.slicing import arbitrary_planes, parallel_planes, slice_mesh
from recon.surface import describe, extract_surface
from render.cross_sections import Plane, plane_basis
from render.frame import Frame
from render.mesh import TriangleMesh
from tests.synthetic import GEAR, NESTED_SPHERES, SHAPES, SPHERE, TORUS, Shape, mesh_of, unit_cube


def area(plane: Plane) -> float:
    """Even-odd area of a plane's loops."""
    axes = np.stack(plane_basis(plane.normal), axis=1)
    polygons = [shapely.make_valid(shapely.Polygon(loop.points @ axes)) for loop in plane.loops]
    return float(reduce(shapely.symmetric_difference, polygons).area)


def test_a_sphere_cut_into_ten_slices_gives_ten_circles_on_its_surface() -> None:
    mesh = mesh_of(SPHERE)
    sections = slice_mesh(mesh, parallel_planes(mesh, 10))
    assert sections.num_planes == sections.num_loops == 10
    assert np.abs(SPHERE.sdf(sections.vertices)).max() < 1e-3
    for plane in sections.planes():
        assert area(plane) == pytest.approx(np.pi * (0.7**2 - plane.offset**2), rel=0.01)


def test_the_area_of_many_thin_slices_adds_up_to_the_volume() -> None:
    mesh = mesh_of(GEAR, 48)
    normals, offsets = parallel_planes(mesh, 200)
    areas = [area(plane) for plane in slice_mesh(mesh, (normals, offsets)).planes()]
    assert sum(areas) * float(offsets[1] - offsets[0]) == pytest.approx(mesh.volume, rel=1e-3)


def test_nested_loops_are_rings_and_islands() -> None:
    mesh = mesh_of(NESTED_SPHERES)
    sections = slice_mesh(mesh, ([(0, 0, 1.0)], [0.01]))
    assert sections.num_loops == 3
    assert area(sections.plane(0)) == pytest.approx(np.pi * (0.8**2 - 0.5**2 + 0.25**2), rel=0.01)


@pytest.mark.parametrize("offset, side", [(0.0, 0.0), (0.5, 1.0), (1.0, 1.0), (1.5, 0.0), (-0.5, 0.0)])
def test_a_plane_through_vertices_edges_and_faces_of_a_cube_still_closes(offset: float, side: float) -> None:
    for axis in np.eye(3):
        sections = slice_mesh(unit_cube(), ([axis], [offset]))
        assert sections.num_loops == (1 if side else 0)
        if side:
            assert area(sections.plane(0)) == pytest.approx(1.0)


@pytest.mark.parametrize("normal", [(1, 1, 0), (1, 1, 1), (1, -1, 0), (2, 1, 0)])
def test_a_plane_through_a_cubes_corners_gives_the_exact_polygon(normal: tuple[float, ...]) -> None:
    direction = np.array(normal) / np.linalg.norm(normal)
    middle = float(direction @ np.full(3, 0.5))
    through = slice_mesh(unit_cube(), ([direction], [middle]))
    nearby = slice_mesh(unit_cube(), ([direction], [middle + 1e-7]))
    assert area(through.plane(0)) == pytest.approx(area(nearby.plane(0)), rel=1e-5)


@given(seed=st.integers(0, 10**6), exactly=st.booleans())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_any_plane_through_any_vertex_gives_closed_loops_that_enclose_the_inside(
    seed: int, exactly: bool
) -> None:
    random = np.random.default_rng(seed)
    mesh = extract_surface(random.normal(size=(6, 6, 6)).astype(np.float32), (0, 0, 0), 1.0)
    normal = np.eye(3)[random.integers(3)] if exactly else random.normal(size=3)
    normal = normal / np.linalg.norm(normal)
    offset = float(mesh.vertices[random.integers(len(mesh.vertices))].astype(np.float64) @ normal)
    plane = slice_mesh(mesh, ([normal], [offset])).plane(0)
    for loop in plane.loops:
        assert np.linalg.norm(loop.points - np.roll(loop.points, 1, axis=0), axis=1).min() > 0
    thin = [slice_mesh(mesh, ([normal], [offset + side * 1e-5])).plane(0) for side in (-1, 1)]
    areas = [area(each) if each.loops else 0.0 for each in thin]
    here = area(plane) if plane.loops else 0.0
    assert min(areas) - 1e-2 <= here <= max(areas) + 1e-2


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_arbitrary_planes_all_hit_and_their_contours_lie_on_the_shape(shape: Shape) -> None:
    mesh = mesh_of(shape)
    normals, offsets = arbitrary_planes(mesh, 15, seed=1)
    sections = slice_mesh(mesh, (normals, offsets))
    assert set(sections.loop_planes) == set(range(15))
    assert np.abs(shape.sdf(sections.vertices)).max() < (0.015 if shape.is_exact else 0.05)
    again, _ = arbitrary_planes(mesh, 15, seed=1)
    other, _ = arbitrary_planes(mesh, 15, seed=2)
    assert np.array_equal(normals, again) and not np.allclose(normals, other)


def test_parallel_planes_stand_in_the_middle_of_equal_parts() -> None:
    normals, offsets = parallel_planes(unit_cube(), 4, axis=2)
    assert normals.tolist() == [[0, 0, 1]] * 4
    assert offsets == pytest.approx([0.125, 0.375, 0.625, 0.875])
    tilted, reach = parallel_planes(unit_cube(), 2, axis=(1, 1, 0))
    assert np.linalg.norm(tilted, axis=1) == pytest.approx(1)
    assert reach == pytest.approx(np.sqrt(2) * np.array([0.25, 0.75]))


def test_the_longest_side_is_cut_by_default() -> None:
    stretched = TriangleMesh(unit_cube().vertices * np.float32([1, 3, 2]), unit_cube().faces)
    assert parallel_planes(stretched, 2)[0].tolist() == [[0, 1, 0]] * 2


def test_normals_of_any_length_and_the_frame_are_carried_over() -> None:
    frame = Frame("+Y", "mm", "RAS")
    sections = slice_mesh(unit_cube(frame), ([(0, 0, 5.0)], [2.5]))
    assert sections.frame == frame
    assert sections.offsets == pytest.approx([0.5])
    assert sections.bounds == pytest.approx(np.array([[0, 0, 0.5], [1, 1, 0.5]]))


def test_faces_without_area_change_neither_the_contours_nor_what_is_closed() -> None:
    mesh = unit_cube()
    odd = np.array([[0, 0, 7], [3, 3, 3], [2, 6, 2]])
    littered = TriangleMesh(mesh.vertices, np.concatenate([mesh.faces[:5], odd, mesh.faces[5:]]))
    assert describe(littered).is_watertight and not describe(littered).is_manifold
    planes = arbitrary_planes(mesh, 12, seed=4)
    clean, cut = slice_mesh(mesh, planes), slice_mesh(littered, planes)
    assert [area(p) for p in cut.planes()] == pytest.approx([area(p) for p in clean.planes()])


def test_a_plane_that_misses_is_kept_as_an_empty_plane() -> None:
    sections = slice_mesh(unit_cube(), ([(0, 0, 1), (0, 0, 1)], [0.5, 9.0]))
    assert sections.num_planes == 2 and sections.loop_planes.tolist() == [0]


def test_an_open_mesh_an_empty_mesh_and_senseless_planes_are_refused_with_advice() -> None:
    torus = mesh_of(TORUS, 48)
    holed = TriangleMesh(torus.vertices, torus.faces[3:])
    empty = TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3)))
    dots = TriangleMesh(unit_cube().vertices, np.array([[0, 0, 0], [7, 7, 7]]))
    for refused in (
        lambda: slice_mesh(holed, parallel_planes(holed, 3)),
        lambda: parallel_planes(empty, 3),
        lambda: arbitrary_planes(empty, 3),
        lambda: arbitrary_planes(dots, 3),
        lambda: parallel_planes(torus, 0),
        lambda: parallel_planes(torus, 2, axis=(0, 0, 0)),
        lambda: slice_mesh(torus, ([(0, 0, 0)], [1.0])),
        lambda: slice_mesh(torus, ([(0, 0, np.nan)], [1.0])),
    ):
        with pytest.raises(InputError) as caught:
            refused()
        assert caught.value.sentence and caught.value.advice
