"""Distance from a mesh to a reference."""

from dataclasses import replace

import numpy as np
import pytest

from recon.distance import METHOD, DistanceSettings
from recon.method import Result, RunContext
from render.mesh import TriangleMesh
from tests.synthetic import SPHERE, mesh_of


def finish(generator) -> Result:
    while True:
        try:
            next(generator)
        except StopIteration as stop:
            return stop.value


def scaled(mesh: TriangleMesh, factor: float) -> TriangleMesh:
    return replace(mesh, vertices=mesh.vertices * np.float32(factor))


@pytest.mark.parametrize("signed", [True, False])
def test_a_smaller_sphere_lies_inside_a_larger_one_by_the_difference_of_their_radii(signed):
    reference = mesh_of(SPHERE, 64)
    radius = float(np.linalg.norm(reference.vertices, axis=1).mean())
    inputs = {"mesh": scaled(reference, 0.75), "reference": reference}
    result = finish(METHOD.load()(inputs, DistanceSettings(signed=signed), RunContext()))
    distance = result.outputs[0].data.vertex_values["distance"]
    expected = -0.25 * radius if signed else 0.25 * radius
    assert np.allclose(distance, expected, atol=0.01 * radius)
    assert result.figures["is_signed"] == signed
    assert result.figures["iou"] == pytest.approx(0.75**3, abs=0.01)


def test_a_reference_with_a_hole_gives_unsigned_distances_and_says_so():
    reference = mesh_of(SPHERE, 48)
    inputs = {"mesh": scaled(reference, 0.9), "reference": replace(reference, faces=reference.faces[1:])}
    result = finish(METHOD.load()(inputs, DistanceSettings(), RunContext()))
    assert result.outputs[0].data.vertex_values["distance"].min() >= 0
    assert result.figures["is_signed"] is False and result.figures["iou"] is None
