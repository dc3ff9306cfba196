"""What an export will do is known, and true, before it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from recon.errors import InputError
from recon.formats import mesh as mesh_format
from recon.formats.export import FRAME_PRESETS, SUFFIXES, ExportOptions, plan_export, rotation_between
from render.frame import Axis, Frame
from render.mesh import TriangleMesh
from tests.synthetic import GEAR, TORUS, mesh_of, unit_cube

AXES: tuple[Any, ...] = get_args(Axis)


def brick(frame: Frame) -> TriangleMesh:
    """1 wide, 2 deep, 3 high along +Z, its lowest corner at the origin."""
    return TriangleMesh(
        unit_cube().vertices * np.array([1, 2, 3], np.float32), unit_cube().faces, frame=frame
    )


def plan(suffix: str, of: Frame, /, **options: Any) -> Any:
    return plan_export(Path(f"brick{suffix}"), [("brick", brick(of))], ExportOptions(**options))


@pytest.mark.parametrize("up", AXES)
@pytest.mark.parametrize("new_up", AXES)
def test_every_turn_brings_one_axis_to_the_other_and_mirrors_nothing(up: Any, new_up: Any) -> None:
    def vector(axis: str) -> np.ndarray:
        return np.eye(3)["XYZ".index(axis[1])] * (1 if axis[0] == "+" else -1)

    turn = rotation_between(up, new_up)
    assert turn @ vector(up) == pytest.approx(vector(new_up))
    assert np.allclose(turn @ turn.T, np.eye(3)) and np.linalg.det(turn) == pytest.approx(1)


@pytest.mark.parametrize(
    "suffix, up, unit, size",
    [
        (".glb", "+Y", "m", (0.01, 0.03, 0.02)),
        (".obj", "+Y", "cm", (1, 3, 2)),
        (".stl", "+Z", "mm", (10, 20, 30)),
        (".3mf", "+Z", "mm", (10, 20, 30)),
        (".ply", "+Z", "cm", (1, 2, 3)),
    ],
)
def test_each_format_has_its_usual_axes_and_unit(
    suffix: str, up: str, unit: str, size: tuple[float, ...]
) -> None:
    made = plan(suffix, Frame("+Z", "cm"))
    assert (made.up, made.unit) == (up, unit)
    assert made.size == pytest.approx(size)
    assert not made.warnings and not made.is_scale_unknown


@pytest.mark.parametrize(
    "preset, suffix, up, unit",
    [
        ("project", ".stl", "-X", "in"),
        ("blender", ".stl", "+Z", "m"),
        ("blender", ".obj", "+Y", "m"),
        ("unity", ".obj", "+Y", "m"),
        ("unreal", ".obj", "+Z", "cm"),
        ("3d-print", ".stl", "+Z", "mm"),
        ("project", ".glb", "+Y", "m"),
        ("project", ".3mf", "+Z", "mm"),
    ],
)
def test_a_preset_is_what_its_program_expects_but_formats_that_fix_theirs_win(
    preset: Any, suffix: str, up: str, unit: str
) -> None:
    made = plan(suffix, Frame("-X", "in"), frame=preset)
    assert (made.up, made.unit) == (up, unit)


def test_what_the_person_says_goes_before_the_preset() -> None:
    made = plan(".obj", Frame("+Z", "m"), frame="unity", up="-Y", unit="in")
    assert (made.up, made.unit) == ("-Y", "in")
    assert made.size == pytest.approx(np.array([1, 3, 2]) / 0.0254)


def test_a_cube_of_one_metre_is_a_thousand_millimetres_in_stl(tmp_path: Path) -> None:
    mesh = TriangleMesh(unit_cube().vertices, unit_cube().faces, frame=Frame("+Y", "m"))
    written = mesh_format.write(tmp_path / "cube.stl", [("cube", mesh)])
    assert written.plan.size_text == "1 000 x 1 000 x 1 000 mm"
    assert np.ptp(mesh_format.read(tmp_path / "cube.stl").data.bounds, axis=0).tolist() == [1000] * 3


@pytest.mark.parametrize("suffix", [".glb", ".stl", ".3mf"])
def test_an_unknown_scale_is_said_and_one_unit_becomes_one_metre(suffix: str) -> None:
    made = plan(suffix, Frame())
    assert made.is_scale_unknown and any("scale is not set" in each for each in made.warnings)
    assert sorted(made.size) == pytest.approx([1, 2, 3] if suffix == ".glb" else [1000, 2000, 3000])
    said = plan(suffix, Frame(), metres_per_unit=0.01)
    assert not said.is_scale_unknown and not any("scale" in each for each in said.warnings)
    assert sorted(said.size) == pytest.approx(np.array([1, 2, 3]) * (0.01 if suffix == ".glb" else 10))


@pytest.mark.parametrize("suffix", [".ply", ".obj"])
def test_where_the_project_has_no_unit_and_none_is_asked_for_numbers_stay(suffix: str) -> None:
    made = plan(suffix, Frame())
    assert made.unit == "unit" and not made.is_scale_unknown
    assert sorted(made.size) == pytest.approx([1, 2, 3])
    assert made.size_text.endswith(" units")


@pytest.mark.parametrize("unit, word", [("um", "smaller than 5 mm"), ("m", "larger than 2 m")])
def test_a_print_of_an_odd_size_is_warned_about(unit: Any, word: str) -> None:
    assert any(word in each for each in plan(".stl", Frame("+Z", unit)).warnings)
    assert not plan(".stl", Frame("+Z", "cm")).warnings


@pytest.mark.parametrize("up", AXES)
def test_on_the_floor_the_lowest_point_has_height_zero(up: Any, tmp_path: Path) -> None:
    mesh = brick(Frame("+Z", "cm"))
    moved = TriangleMesh(mesh.vertices - np.float32(7), mesh.faces, frame=mesh.frame)
    path = tmp_path / "brick.ply"
    mesh_format.write(path, [("brick", moved)], ExportOptions(up=up, on_floor=True))
    vertices = mesh_format.read(path).data.vertices
    height = vertices[:, "XYZ".index(up[1])] * (1 if up[0] == "+" else -1)
    assert (height.min(), height.max()) == pytest.approx((0, 3))
    assert plan(".stl", Frame("+Z", "cm"), frame="3d-print").file_from_project[2, 3] == 0


@pytest.mark.parametrize("suffix", [".stl", ".obj", ".ply"])
@pytest.mark.parametrize("axes", ["LPS", "RAS"])
def test_medical_meshes_keep_or_change_their_patient_axes_and_say_which(
    suffix: str, axes: Any, tmp_path: Path
) -> None:
    path = tmp_path / f"bone{suffix}"
    mesh = brick(Frame("+Z", "mm", "RAS"))
    mesh_format.write(path, [("bone", mesh)], ExportOptions(patient_axes=axes))
    assert f"SPACE={axes}".encode() in path.read_bytes()
    back = mesh_format.read(path).data
    assert back.frame == Frame("+Z", "mm", axes)
    sign = 1 if axes == "RAS" else -1
    assert back.bounds.tolist() == np.sort([[0, 0, 0], [sign * 1, sign * 2, 3]], axis=0).tolist()
    assert back.volume == pytest.approx(6)


def test_the_medical_preset_is_lps_in_millimetres_and_claims_nothing_that_nobody_said() -> None:
    known = plan(".stl", Frame("+Z", "cm", "RAS"), frame="medical-lps")
    assert (known.patient_axes, known.unit) == ("LPS", "mm")
    unknown = plan(".stl", Frame("+Z", "cm"), frame="medical-lps")
    assert unknown.patient_axes is None and any("patient axes" in each for each in unknown.warnings)
    glb = plan(".glb", Frame("+Z", "mm", "RAS"), frame="medical-lps")
    assert glb.patient_axes is None and any("patient axes" in each for each in glb.warnings)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("normals", [True, False])
def test_the_estimated_size_is_right_within_a_fifth(suffix: str, normals: bool, tmp_path: Path) -> None:
    mesh = mesh_of(GEAR, 64)
    dressed = TriangleMesh(
        mesh.vertices, mesh.faces, np.full((len(mesh.vertices), 3), 99), {"a": mesh.vertices[:, 0]}
    )
    path = tmp_path / f"gear{suffix}"
    written = mesh_format.write(path, [("gear", dressed)], ExportOptions(normals=normals, frame="project"))
    size = sum(file.stat().st_size for file in written.files)
    assert written.plan.estimated_bytes == pytest.approx(size, rel=0.2)


def test_what_a_format_cannot_keep_is_said() -> None:
    mesh = TriangleMesh(
        unit_cube().vertices, unit_cube().faces, np.zeros((8, 3)), {"a": np.zeros(8)}, Frame("+Z", "cm")
    )
    for suffix, number in ((".stl", 2), (".3mf", 2), (".obj", 1), (".glb", 1), (".ply", 0)):
        assert len(plan_export(Path(f"a{suffix}"), [("a", mesh)]).warnings) == number


def test_what_cannot_be_written_is_refused_with_advice() -> None:
    empty = TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3)))
    for path, meshes in (
        ("a.fbx", [("a", unit_cube())]),
        ("a", [("a", unit_cube())]),
        ("a.ply", []),
        ("a.ply", [("a", unit_cube()), ("b", empty)]),
        ("a.ply", [("a", unit_cube()), ("b", unit_cube(Frame("+Y")))]),
    ):
        with pytest.raises(InputError) as caught:
            plan_export(Path(path), meshes)
        assert caught.value.advice


def test_every_option_and_preset_has_a_title_and_every_option_a_description() -> None:
    for field in ExportOptions.model_fields.values():
        assert field.title and field.description
    frame = ExportOptions.model_fields["frame"]
    assert get_args(frame.annotation) == tuple(FRAME_PRESETS)
    assert len({preset.title for preset in FRAME_PRESETS.values()}) == len(FRAME_PRESETS)


@pytest.mark.parametrize("suffix", [".ply", ".stl", ".obj", ".glb", ".3mf"])
def test_a_writing_that_is_ended_leaves_what_was_there_and_nothing_beside(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"part{suffix}"
    path.write_bytes(b"what was there")
    told: list[int] = []

    def end_at_the_second(num_bytes: int) -> None:
        told.append(num_bytes)
        if len(told) == 2:
            raise InterruptedError

    mesh = mesh_of(TORUS, 24)
    with pytest.raises(InterruptedError):
        mesh_format.write(path, [("Torus", mesh)], watch=end_at_the_second)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"what was there"
    told.clear()
    mesh_format.write(path, [("Torus", mesh)], ExportOptions(sidecar=False), watch=told.append)
    assert sum(told) >= path.stat().st_size > 1000
