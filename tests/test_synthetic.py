"""The shapes with known answers are what they say."""

from __future__ import annotations

import numpy as np
import pytest

from recon.surface import describe
from tests.synthetic import (
    SHAPES,
    SPHERE,
    TORUS,
    Shape,
    field_of,
    labelled_slices_of,
    mesh_of,
    slices_of,
)

each_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())


@each_shape
def test_the_mesh_of_a_shape_is_closed_and_has_its_holes_pieces_and_volume(shape: Shape) -> None:
    report = describe(mesh_of(shape))
    assert report.is_watertight and report.is_manifold and report.is_consistently_wound
    assert (report.genus, report.num_components) == (shape.genus, shape.num_components)
    assert report.volume is not None and report.volume > 0
    if shape.volume is not None:
        assert report.volume == pytest.approx(shape.volume, rel=4e-3)


@each_shape
def test_the_vertices_of_a_shapes_mesh_lie_on_the_shape(shape: Shape) -> None:
    mesh, spacing = mesh_of(shape), 2 / 95
    off = np.abs(shape.sdf(mesh.vertices.astype(np.float64)))
    assert off.max() < (0.5 if shape.is_exact else 2) * spacing
    assert off.mean() < 0.05 * spacing


@pytest.mark.parametrize(
    "shape", [shape for shape in SHAPES.values() if shape.is_exact], ids=lambda s: s.name
)
def test_a_distance_never_grows_faster_than_the_way(shape: Shape) -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (2000, 3))
    steps = np.random.default_rng(1).normal(size=(2000, 3)) * 0.01
    change = np.abs(shape.sdf(points + steps) - shape.sdf(points))
    assert (change <= np.linalg.norm(steps, axis=1) + 2e-5).all()


@each_shape
def test_a_shape_stays_inside_its_box(shape: Shape) -> None:
    field, _, _ = field_of(shape, 48)
    for axis in range(3):
        faces = np.take(field, [0, -1], axis=axis)
        assert faces.min() > 0


@pytest.mark.parametrize("kind", ["parallel", "arbitrary"])
def test_slices_of_a_shape_are_the_same_for_the_same_seed_and_none_is_empty(kind: str) -> None:
    sections = slices_of(TORUS, 12, kind, seed=5, resolution=48)
    slices_of.cache_clear()
    again = slices_of(TORUS, 12, kind, seed=5, resolution=48)
    assert np.array_equal(sections.vertices, again.vertices)
    assert set(sections.loop_planes) == set(range(12))


def test_several_shapes_cut_by_the_same_planes_keep_their_labels() -> None:
    sections = labelled_slices_of({1: SPHERE, 4: TORUS}, 6, resolution=32)
    assert sections.labels == (1, 4)
    assert sections.label_name(4) == "torus"
    on_sphere = np.concatenate(
        [loop.points for p in sections.planes() for loop in p.loops if loop.label == 1]
    )
    assert np.abs(SPHERE.sdf(on_sphere)).max() < 0.01
