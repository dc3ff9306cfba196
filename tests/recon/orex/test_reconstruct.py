from __future__ import annotations

import numpy as np
import pytest

from recon.errors import InputError
from recon.method import Result, RunContext
from recon.orex import OrexSettings
from recon.orex.reconstruct import run
from recon.surface import describe
from render.cross_sections import CrossSections
from render.frame import Frame
from render.mesh import TriangleMesh
from render.transforms import Similarity3
from tests.stepping import finish
from tests.synthetic import (
    BOX_WITH_HOLE,
    NESTED_SPHERES,
    SPHERE,
    TORUS,
    Shape,
    labelled_slices_of,
    slices_of,
)  # fmt: skip

# Coarse, so that the tests are quick; slices with finer detail make it refine by itself.
QUICK = OrexSettings(prior="none", resolution=49, uncertainty=False)


def solid_of(sections: CrossSections, settings: OrexSettings = QUICK) -> TriangleMesh:
    mesh = result_of(sections, settings).outputs[0].data
    assert isinstance(mesh, TriangleMesh)
    return mesh


def result_of(
    sections: CrossSections, settings: OrexSettings = QUICK, context: RunContext | None = None
) -> Result:
    return finish(run({"sections": sections}, settings, context or RunContext()))


def circle(radius: float, z: float, x: float = 0.0) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    return np.stack([x + radius * np.cos(angle), radius * np.sin(angle), np.full(120, z)], 1)


def square(half: float, z: float, x: float = 0.0) -> np.ndarray:
    return np.array([[x - half, -half, z], [x + half, -half, z], [x + half, half, z], [x - half, half, z]])


@pytest.mark.parametrize("kind", ["parallel", "arbitrary"])
@pytest.mark.parametrize("shape", [SPHERE, TORUS, BOX_WITH_HOLE], ids=lambda shape: shape.name)
def test_a_solid_keeps_volume_and_genus_and_agrees_with_every_slice(shape: Shape, kind: str):
    result = result_of(slices_of(shape, 15, kind))
    mesh = result.outputs[0].data
    assert isinstance(mesh, TriangleMesh)
    report = describe(mesh)
    assert (report.genus, report.num_components) == (shape.genus, 1)
    assert report.is_watertight and report.is_manifold and report.is_consistently_wound
    assert mesh.volume == pytest.approx(shape.volume, rel=0.02 if shape is SPHERE else 0.06)
    assert min(plane["accuracy"] for plane in result.figures["agreement"]) >= 99.9
    assert all(plane["reached"] for plane in result.figures["agreement"])


def test_a_hole_with_an_island_in_it_becomes_a_shell_with_a_core():
    mesh = solid_of(slices_of(NESTED_SPHERES, 17))
    assert mesh.volume == pytest.approx(NESTED_SPHERES.volume, rel=0.05)
    assert describe(mesh).num_components == 3


def test_scaled_turned_and_moved_slices_give_the_same_solid_there():
    sections = slices_of(TORUS, 12, "arbitrary")
    angle = 0.7
    rotation = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]]
    ) @ np.array([[1, 0, 0], [0, 0, -1.0], [0, 1, 0]])
    moved_from_given = Similarity3(rotation, np.array([200.0, -50, 1000]), 40.0)
    moved = CrossSections.from_planes(
        (
            (
                moved_from_given.apply_to_directions(plane.normal),
                float(
                    moved_from_given.apply_to_directions(plane.normal)
                    @ moved_from_given.apply(plane.normal * plane.offset)
                ),
                [(moved_from_given.apply(loop.points), loop.label) for loop in plane.loops],
            )
            for plane in sections.planes()
        ),
        frame=Frame(unit="mm", patient_axes="LPS"),
    )
    given, there = solid_of(sections), solid_of(moved)
    assert there.frame == moved.frame
    assert there.volume == pytest.approx(given.volume * 40**3, rel=0.01)
    assert np.allclose(there.bounds, there_bounds(given, moved_from_given), atol=0.02 * 40)


def there_bounds(mesh: TriangleMesh, there_from_here: Similarity3) -> np.ndarray:
    vertices = there_from_here.apply(mesh.vertices)
    return np.stack([vertices.min(0), vertices.max(0)])


def test_an_empty_slice_ends_the_shape_before_it():
    drawn = [((0, 0, 1), z, [(circle(1.0, z), 1)]) for z in np.linspace(-1, 1, 9)]
    open_end = solid_of(CrossSections.from_planes(drawn))
    ended = solid_of(CrossSections.from_planes([*drawn, ((0, 0, 1), 1.05, [])]))
    assert open_end.bounds[1, 2] > 1.055
    assert 1.0 < ended.bounds[1, 2] < 1.05 + 1e-6


def test_two_labels_share_a_wall_and_do_not_overlap():
    planes = [
        ((0, 0, 1), z, [(square(0.5, z, -0.5), 1), (square(0.5, z, 0.5), 2)]) for z in np.linspace(-1, 1, 9)
    ]
    result = result_of(CrossSections.from_planes(planes, label_names={1: "left"}))
    left, right = (output.data for output in result.outputs)
    assert [output.name for output in result.outputs] == ["left", "Label 2"]
    assert isinstance(left, TriangleMesh) and isinstance(right, TriangleMesh)
    # Beyond the last slices the caps are the solver's to shape.
    between = [mesh.vertices[np.abs(mesh.vertices[:, 2]) < 0.95, 0] for mesh in (left, right)]
    assert abs(between[0].max()) < 0.02 and abs(between[1].min()) < 0.02
    on_wall = np.abs(left.vertices[:, 0]) < 0.02
    central = on_wall & (np.abs(left.vertices[:, 1:]) < 0.4).all(1)
    other = right.vertices[np.abs(right.vertices[:, 0]) < 0.02]
    nearest = np.linalg.norm(left.vertices[central][:, None] - other[None], axis=-1).min(1)
    assert central.sum() > 50 and nearest.max() < 5e-3
    assert min(plane["accuracy"] for plane in result.figures["agreement"]) >= 99.9


def test_a_label_inside_another_takes_its_place():
    planes = [((0, 0, 1), z, [(square(1.0, z), 1), (square(0.4, z), 2)]) for z in np.linspace(-1, 1, 7)]
    result = result_of(CrossSections.from_planes(planes))
    outer, inner = (output.data for output in result.outputs)
    assert isinstance(outer, TriangleMesh) and isinstance(inner, TriangleMesh)
    assert inner.volume == pytest.approx(0.64 * 2, rel=0.2)
    assert outer.volume + inner.volume == pytest.approx(4 * 2, rel=0.2)
    assert len(result.figures["overlapping_labels"]) == 7


def test_only_wanted_labels_are_built():
    sections = labelled_slices_of({1: SPHERE, 4: TORUS}, 8)
    result = result_of(sections, QUICK.model_copy(update={"labels": (4,)}))
    assert [output.name for output in result.outputs] == ["torus"]
    with pytest.raises(InputError, match="label 3"):
        result_of(sections, QUICK.model_copy(update={"labels": (3,)}))


@pytest.mark.parametrize(("caps", "beyond"), [("flat", 0.0), ("half-gap", 0.5)])
def test_the_ends_of_a_stack_are_cut_where_wanted(caps: str, beyond: float):
    heights = np.linspace(-1, 1, 9)
    sections = CrossSections.from_planes([((0, 0, 1), z, [(square(1, z), 1)]) for z in heights])
    mesh = solid_of(sections, QUICK.model_copy(update={"caps": caps}))
    assert mesh.bounds[:, 2] == pytest.approx([-1 - 0.25 * beyond, 1 + 0.25 * beyond], abs=0.02)


def test_unequal_spacing_and_planes_in_any_order_are_no_matter():
    heights = [-0.9, 0.1, -0.6, 0.85, -0.55, 0.5]
    radius = {z: float(np.sqrt(1 - z * z)) for z in heights}
    sections = CrossSections.from_planes([((0, 0, 1), z, [(circle(radius[z], z), 1)]) for z in heights])
    assert solid_of(sections).volume == pytest.approx(4 / 3 * np.pi, rel=0.06)


def test_planes_that_contradict_each_other_are_named_with_how_far_they_do():
    def slab(z: float) -> tuple[tuple[int, int, int], float, list[tuple[np.ndarray, int]]]:
        return (0, 0, 1), z, [(square(0.8, z), 1)]

    wrong = square(0.3, 0.0)[:, [2, 0, 1]] + [0, 0.4, 0]
    sections = CrossSections.from_planes([*map(slab, (-0.6, -0.2, 0.2, 0.6)), ((1, 0, 0), 0.0, [(wrong, 1)])])
    result = result_of(sections)
    pairs = {tuple(pair["planes"]): pair["length"] for pair in result.figures["contradictions"]}
    assert pairs[(0, 4)] == pytest.approx(1.6, abs=0.02)
    assert pairs[(1, 4)] == pytest.approx(1.0, abs=0.02)
    missed = [plane for plane in result.figures["agreement"] if not plane["reached"]]
    assert missed and all("cross" in plane["why"] for plane in missed)


def test_disabled_planes_are_left_out_and_the_others_keep_their_numbers():
    good = [((0, 0, 1), z, [(circle(1.0, z), 1)]) for z in np.linspace(-1, 1, 9)]
    bad = ((0, 0, 1), 0.1, [(circle(3.0, 0.1), 1)])
    sections = CrossSections.from_planes([bad, *good], disabled_planes=[True] + [False] * 9)
    result = result_of(sections)
    mesh = result.outputs[0].data
    assert np.abs(mesh.bounds[:, :2]).max() < 1.1
    assert [plane["plane"] for plane in result.figures["agreement"]] == list(range(1, 10))


def test_too_little_input_says_what_to_add():
    one = ((0, 0, 1), 0.0, [(circle(1, 0), 1)])
    with pytest.raises(InputError, match="only one plane"):
        result_of(CrossSections.from_planes([one]))
    with pytest.raises(InputError, match="no contour"):
        result_of(CrossSections.from_planes([((0, 0, 1), 0, []), ((0, 0, 1), 1, [])]))
    with pytest.raises(InputError, match="same place"):
        result_of(CrossSections.from_planes([one, one]))


def test_one_drawn_slice_between_two_empty_ones_is_a_disc():
    planes = [((0, 0, 1), -0.3, []), ((0, 0, 1), 0.0, [(circle(1, 0), 1)]), ((0, 0, 1), 0.3, [])]
    mesh = solid_of(CrossSections.from_planes(planes))
    assert -0.3 < mesh.bounds[0, 2] < mesh.bounds[1, 2] < 0.3
    assert describe(mesh).genus == 0


def test_a_coarse_preview_comes_first_and_progress_never_runs_past_its_total():
    events = list(
        run(
            {"sections": slices_of(SPHERE, 8, resolution=48)},
            QUICK.model_copy(update={"resolution": 65}),
            RunContext(),
        )
    )
    previews = [number for number, event in enumerate(events) if event.preview is not None]
    assert 0 < previews[0] < len(events) / 2
    assert all(0 <= event.step <= event.total for event in events)
    assert len(events) > 50


def test_uncertainty_is_small_on_the_slices_and_larger_between_them():
    result = result_of(slices_of(SPHERE, 6), QUICK.model_copy(update={"uncertainty": True}))
    mesh = result.outputs[0].data
    assert isinstance(mesh, TriangleMesh)
    spread = mesh.vertex_values["uncertainty"]
    assert spread.shape == (len(mesh.vertices),) and (spread >= 0).all() and 0 < spread.max() < 0.5


def test_a_run_goes_on_from_its_checkpoint_without_repeating_the_first_stage():
    sections, kept = slices_of(TORUS, 10), {}
    context = RunContext(is_checkpoint_due=lambda: True, save_checkpoint=kept.update)
    whole = result_of(sections, context=context)
    resumed = RunContext(load_checkpoint=lambda: kept)
    events = list(run({"sections": sections}, QUICK, resumed))
    assert "Smoothest surface" not in {event.stage for event in events}
    again = result_of(sections, context=resumed)
    assert np.array_equal(again.outputs[0].data.vertices, whole.outputs[0].data.vertices)


def test_cubic_between_oblique_slices_is_refused_with_what_to_choose():
    with pytest.raises(InputError, match="parallel") as refused:
        result_of(slices_of(SPHERE, 6, "arbitrary"), QUICK.model_copy(update={"prior": "cubic"}))
    assert "neural" in refused.value.advice
