"""Odd but legal cross-sections: whatever comes out is a sound solid in the input's frame, with its misses told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from recon.errors import InputError, NoSurface
from recon.interpolation import InterpolateSettings
from recon.interpolation.interpolate import run as interpolate
from recon.method import Result, RunContext
from recon.orex import OrexSettings
from recon.orex.reconstruct import run
from recon.surface import describe
from render.cross_sections import CrossSections
from render.frame import Frame
from render.mesh import TriangleMesh
from tests.stepping import finish

Points = NDArray[np.float64]
Drawn = list[tuple[Points, int]]
PlaneRow = tuple[Sequence[float] | Points, float, Drawn]

QUICK = OrexSettings(prior="none", resolution=41, uncertainty=False, agreement_rounds=1)
FRAME = Frame(up="+Y", unit="mm")


def circle(radius: float, z: float, x: float = 0.0, y: float = 0.0, num: int = 60) -> Points:
    angle = np.linspace(0, 2 * np.pi, num, endpoint=False)
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle), np.full(num, z)], 1)


def box(x0: float, x1: float, z: float) -> Points:
    return np.array([[x0, -0.5, z], [x1, -0.5, z], [x1, 0.5, z], [x0, 0.5, z]])


def stack(heights: Iterable[float], draw: Callable[[float], Drawn]) -> list[PlaneRow]:
    return [((0, 0, 1), z, draw(z)) for z in heights]


def ball(num: int = 7) -> list[PlaneRow]:
    return stack(np.linspace(-0.9, 0.9, num), lambda z: [(circle(float(np.sqrt(1 - z * z)), z), 1)])


def fan(num: int) -> list[PlaneRow]:
    """Great circles of the unit ball on planes through the z axis."""
    rows: list[PlaneRow] = []
    for turn in np.pi * np.arange(num) / num:
        along, normal = np.array([np.cos(turn), np.sin(turn), 0]), np.array([-np.sin(turn), np.cos(turn), 0])
        ring = circle(1.0, 0.0)
        rows.append((normal, 0.0, [(ring[:, :1] * along + ring[:, 1:2] * np.array([0, 0, 1.0]), 1)]))
    return rows


def scaled_and_moved(rows: Iterable[PlaneRow], scale: float, shift: float) -> list[PlaneRow]:
    return [
        (normal, scale * offset + shift * float(np.sum(normal)), [(scale * p + shift, x) for p, x in loops])
        for normal, offset, loops in rows
    ]


def branches(z: float) -> Drawn:
    if z < -0.3:
        return [(circle(0.9, z), 1)]
    if z < 0.3:
        return [(circle(0.35, z, x), 1) for x in (-0.5, 0.5)]
    return [(circle(0.2, z, x, y), 1) for x in (-0.5, 0.5) for y in (-0.3, 0.3)]


ODD: dict[str, list[PlaneRow]] = {
    "tiny coordinates": scaled_and_moved(ball(), 1e-4, 0.0),
    "huge coordinates far from the origin": scaled_and_moved(ball(), 1e3, 1e6),
    "normals of other lengths and directions": [
        ((0, 0, 7), 7 * z, loops) if number % 2 else ((0, 0, -2), -2 * z, loops)
        for number, (_, z, loops) in enumerate(ball())
    ],
    "spacing that differs twentyfold": stack(
        [-0.9, -0.88, -0.86, -0.46, -0.44, -0.04, 0.36, 0.76, 0.78],
        lambda z: [(circle(float(np.sqrt(1 - z * z)), z), 1)],
    ),
    "parallel and oblique planes in any order": [*ball(5)[::-1], *fan(3), *ball(4)],
    "a plane given twice": [*ball(), ball()[2]],
    "planes a rounding apart": [*ball(), ((0, 0, 1), 1e-9, [(circle(1.0, 1e-9), 1)])],
    "empty planes at the ends, one of them far off": [((0, 0, 1), -1.3, []), *ball(), ((0, 0, 1), 60.0, [])],
    "one drawn plane among empty ones": stack((-0.5, 0, 0.5), lambda z: [(circle(1, z), 1)] if not z else []),
    "three points": stack(np.linspace(-1, 1, 5), lambda z: [(circle(0.8, z, num=3), 1)]),
    "a hole, an island in it, a hole in that": stack(
        np.linspace(-1, 1, 5), lambda z: [(circle(r, z), 1) for r in (1, 0.75, 0.5, 0.25)]
    ),
    "contours that touch along a side": stack(
        np.linspace(-1, 1, 5), lambda z: [(box(-1, 0, z), 1), (box(0, 1, z), 1)]
    ),
    "three labels wall to wall": stack(
        np.linspace(-1, 1, 5), lambda z: [(box(-1 + 2 * n / 3, -1 + 2 * (n + 1) / 3, z), n + 1) for n in range(3)]
    ),
    "a label on one plane inside another": stack(
        np.linspace(-1, 1, 5),
        lambda z: [(circle(1, z), 1)] + ([(circle(0.5, z), 1), (circle(0.5, z), 2)] if z == 0 else []),
    ),
    "two planes at a right angle": fan(2),
    "one contour that becomes two and four": stack(np.linspace(-1, 1, 7), branches),
}  # fmt: skip


def result_of(rows: Iterable[PlaneRow], settings: OrexSettings = QUICK, **names: str) -> Result:
    labels = {int(name.removeprefix("label_")): text for name, text in names.items()}
    sections = CrossSections.from_planes(rows, frame=FRAME, label_names=labels)
    return finish(run({"sections": sections}, settings, RunContext()))


def solids_of(result: Result) -> list[TriangleMesh]:
    meshes = [output.data for output in result.outputs]
    assert all(isinstance(mesh, TriangleMesh) for mesh in meshes)
    return [mesh for mesh in meshes if isinstance(mesh, TriangleMesh)]


@pytest.mark.parametrize("name", ODD)
def test_odd_slices_become_sound_solids_in_their_own_frame(name: str):
    sections = CrossSections.from_planes(ODD[name], frame=FRAME)
    result = finish(run({"sections": sections}, QUICK, RunContext()))
    solids = solids_of(result)
    size = float(np.linalg.norm(np.ptp(sections.bounds, axis=0)))
    for mesh in solids:
        report = describe(mesh)
        assert report.is_watertight and report.is_manifold and report.is_consistently_wound
        assert mesh.volume > 0 and mesh.frame == FRAME
        assert np.abs(mesh.bounds - sections.bounds).max() < 0.5 * size
    assert len(solids) == len(sections.labels) and not result.figures["vanished"]
    rows = result.figures["agreement"]
    assert [row["plane"] for row in rows] == list(range(sections.num_planes))
    assert all(row["accuracy"] >= 99.9 or row["why"] for row in rows)
    json.dumps(result.figures, allow_nan=False)


def test_planes_at_one_place_that_differ_are_named_and_a_compromise_is_built():
    wrong: PlaneRow = ((0, 0, 1), 0.0, [(circle(0.5, 0.0), 1)])
    result = result_of([*ball(), wrong])
    assert [pair["planes"] for pair in result.figures["contradictions"]] == [[3, 7]]
    missed = {row["plane"]: row["why"] for row in result.figures["agreement"] if not row["reached"]}
    assert set(missed) == {3, 7} and all("same place" in why for why in missed.values())
    (mesh,) = solids_of(result)
    assert describe(mesh).genus == 0 and describe(mesh).num_components == 1
    waist = mesh.vertices[np.abs(mesh.vertices[:, 2]) < 0.03]
    assert np.hypot(waist[:, 0], waist[:, 1]).mean() == pytest.approx(0.75, abs=0.05)


def test_what_is_drawn_on_one_of_two_planes_at_one_place_counts():
    result = result_of([*ball(), ((0, 0, 1), 0.0, [])])
    assert [pair["planes"] for pair in result.figures["contradictions"]] == [[3, 7]]
    assert solids_of(result)[0].volume == pytest.approx(4 / 3 * np.pi, rel=0.05)


def test_a_label_that_others_cover_is_told_and_the_rest_is_built():
    rows = stack(np.linspace(-1, 1, 5), lambda z: [(circle(1, z), 1), (circle(1, z), 2)])
    result = result_of(rows, label_1="bone", label_2="skin")
    assert [output.name for output in result.outputs] + result.figures["vanished"] == ["bone", "skin"]


def test_labels_of_one_name_give_solids_of_two():
    rows = stack(np.linspace(-1, 1, 5), lambda z: [(box(-1, 0, z), 1), (box(0, 1, z), 2)])
    result = result_of(rows, label_1="bone", label_2="bone")
    assert [output.name for output in result.outputs] == ["bone (1)", "bone (2)"]
    assert set(result.figures["solids"]) == {"bone (1)", "bone (2)"}


def test_uncertainty_is_told_also_of_a_label_on_a_single_plane():
    rows = ODD["a label on one plane inside another"]
    for mesh in solids_of(result_of(rows, QUICK.model_copy(update={"uncertainty": True}))):
        assert np.isfinite(mesh.vertex_values["uncertainty"]).all()


@pytest.mark.parametrize(
    ("rows", "error", "sentence"),
    [
        (scaled_and_moved(ball(), 1.0, 1e6), InputError, "far from the origin"),
        (stack((-1, 0, 1), lambda z: [(box(0, 0, z), 1)]), InputError, "enclose no area"),
        (stack((0, 1e-7), lambda z: [(circle(1, z), 1)]), InputError, "same place"),
        (stack((-1, 0, 1), lambda z: [(circle(1e-4, z), 1)]), NoSurface, "Nothing is left"),
    ],
)  # fmt: skip
def test_what_no_solid_follows_from_is_told(rows: list[PlaneRow], error: type[Exception], sentence: str):
    with pytest.raises(error, match=sentence):
        result_of(rows)


@pytest.mark.parametrize("kind", ["linear", "cubic", "rbf"])
def test_classic_interpolation_takes_planes_twice_and_far_off(kind: str):
    for name in ("a plane given twice", "planes a rounding apart", "one drawn plane among empty ones"):
        settings = InterpolateSettings.model_validate({"kind": kind, "resolution": 41, "centers": 300})
        sections = CrossSections.from_planes(ODD[name], frame=FRAME)
        (mesh,) = solids_of(finish(interpolate({"sections": sections}, settings, RunContext())))
        assert describe(mesh).is_manifold and describe(mesh).genus == 0
        assert np.abs(mesh.bounds).max() < 1.6


def test_biharmonic_interpolation_of_a_single_plane_in_reach_does_not_fail():
    rows = stack((-100, 0, 100), lambda z: [(circle(0.5, z), 1)] if not z else [])
    settings = InterpolateSettings(kind="rbf", resolution=33, centers=100)
    sections = CrossSections.from_planes(rows)
    (mesh,) = solids_of(finish(interpolate({"sections": sections}, settings, RunContext())))
    assert describe(mesh).is_watertight
