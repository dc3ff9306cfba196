from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from recon.errors import InputError
from recon.interpolation import InterpolateSettings
from recon.interpolation.biharmonic import fit_biharmonic
from recon.interpolation.interpolate import run
from recon.interpolation.shape_based import interpolate_stack
from recon.method import Result, RunContext
from recon.surface import describe
from render.cross_sections import CrossSections
from render.mesh import TriangleMesh
from tests.stepping import finish
from tests.synthetic import SPHERE, TORUS, labelled_slices_of, slices_of

needs_itk = pytest.mark.skipif(importlib.util.find_spec("itk") is None, reason="ITK is not installed")


def interpolated(sections: CrossSections, kind: str, **changes: object) -> Result:
    settings = InterpolateSettings.model_validate({"kind": kind, "resolution": 65} | changes)
    return finish(run({"sections": sections}, settings, RunContext()))


def only_mesh(result: Result) -> TriangleMesh:
    (output,) = result.outputs
    assert isinstance(output.data, TriangleMesh)
    return output.data


@pytest.mark.parametrize(
    "kind", ["linear", "cubic", "rbf", pytest.param("morphological", marks=(needs_itk, pytest.mark.slow))]
)
def test_a_torus_keeps_its_hole_and_volume(kind: str):
    resolution = 33 if kind == "morphological" else 65  # ITK takes its time
    mesh = only_mesh(interpolated(slices_of(TORUS, 15), kind, centers=800, resolution=resolution))
    report = describe(mesh)
    assert report.is_watertight and report.genus == 1 and report.num_components == 1
    assert mesh.volume == pytest.approx(TORUS.volume, rel=0.05)


def test_rbf_takes_oblique_planes_and_the_others_say_what_does():
    oblique = slices_of(SPHERE, 8, "arbitrary")
    assert only_mesh(interpolated(oblique, "rbf", centers=500)).volume == pytest.approx(
        SPHERE.volume, rel=0.03
    )
    for kind in ("linear", "cubic", "morphological"):
        with pytest.raises(InputError, match="parallel") as refused:
            interpolated(oblique, kind)
        assert "rbf" in refused.value.advice


def test_without_itk_the_morphological_kind_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="ITK") as refused:
        interpolated(slices_of(SPHERE, 8), "morphological")
    assert "isokiln[medical]" in refused.value.advice


def test_every_label_becomes_a_solid_of_its_name():
    result = interpolated(labelled_slices_of({1: SPHERE, 3: TORUS}, 9), "cubic")
    assert [output.name for output in result.outputs] == ["sphere", "torus"]


def test_linear_is_the_straight_line_and_cubic_the_natural_spline_between_planes():
    heights = np.array([0.0, 1.0, 2.0])
    distances = np.array([0.0, 1.0, 0.0], np.float32).reshape(3, 1, 1)
    z = np.array([-1.0, 0.5, 1.0, 3.0])
    assert np.allclose(interpolate_stack(heights, distances, z, "linear")[0, 0], [0, 0.5, 1, 0])
    assert np.allclose(interpolate_stack(heights, distances, z, "cubic")[0, 0], [0, 0.6875, 1, 0])


def test_the_biharmonic_field_goes_through_its_values_and_keeps_linear_ones_everywhere():
    rng = np.random.default_rng(0)
    centers, slope = rng.uniform(-1, 1, (80, 3)), np.array([1.0, -2, 0.5])
    wavy = np.sin(3 * centers).sum(1)
    assert np.allclose(fit_biharmonic(centers, wavy)(centers), wavy, atol=1e-3)
    elsewhere = rng.uniform(-2, 2, (50, 3))
    assert np.allclose(
        fit_biharmonic(centers, centers @ slope + 1)(elsewhere), elsewhere @ slope + 1, atol=1e-6
    )


@pytest.mark.parametrize(("caps", "end"), [("flat", 1.0), ("half-gap", 1.125)])
def test_a_stack_is_cut_where_wanted(caps: str, end: float):
    square = np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]])
    planes = [((0, 0, 1), z, [(np.c_[square, np.full(4, z)], 1)]) for z in np.linspace(-1, 1, 9)]
    mesh = only_mesh(interpolated(CrossSections.from_planes(planes), "linear", caps=caps))
    assert mesh.bounds[:, 2] == pytest.approx([-end, end], abs=0.01)


def test_every_plane_is_listed_with_its_agreement():
    figures = interpolated(slices_of(SPHERE, 8), "cubic").figures
    assert [plane["plane"] for plane in figures["agreement"]] == list(range(8))
    assert all(plane["accuracy"] > 99 for plane in figures["agreement"])
