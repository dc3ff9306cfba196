"""Our contour JSON: exact round trips, each way to give a plane, and places in messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recon import formats
from recon.errors import FormatError
from recon.formats import ReadOptions, contour_json
from render.cross_sections import CrossSections
from render.frame import Frame

SQUARE = [[0, 0], [9, 0], [9, 9], [0, 9]]
HOLE = [[3, 3], [3, 6], [6, 6], [6, 3]]


def value(**more: Any) -> dict[str, Any]:
    basis = [[1, 0, 0], [0, 0.8, 0.6]]
    planes = [
        {"origin": [1, 2, z], "basis": basis, "loops": [{"points": SQUARE}, {"points": HOLE}]} for z in (0, 5)
    ]
    return {"format": "isokiln.contours", "version": 1, "planes": planes} | more


def saved(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "a.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def sections(path: Path, **options: Any) -> CrossSections:
    data = formats.read(path, ReadOptions(**options)).data
    assert isinstance(data, CrossSections)
    return data


def test_everything_comes_back_exactly(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    planes = []
    for _ in range(4):
        u, v, normal = np.linalg.qr(rng.normal(size=(3, 3)))[0].T
        center = rng.normal(size=3) * 100
        angle = np.sort(rng.uniform(0, 2 * np.pi, 9))
        points = center + np.outer(np.cos(angle), u) + np.outer(np.sin(angle), v)
        planes.append((normal, float(normal @ center), [(points, 2)]))
    planes.append((np.array([0, 0, 1.0]), 0.1, []))
    data = CrossSections.from_planes(
        planes,
        label_names={2: "Fémur", 5: "absent"},
        frame=Frame("-Y", "cm", "RAS"),
        disabled_planes=[False, True, False, False, True],
    )
    formats.write(tmp_path / "a.json", data)
    back = sections(tmp_path / "a.json")
    for (name, left), (_, right) in zip(data.arrays(), back.arrays(), strict=True):
        assert left.tobytes() == right.tobytes(), name
    assert back.frame == data.frame and back.label_names == data.label_names


def test_points_in_a_planes_basis_lie_in_the_world(tmp_path: Path) -> None:
    data = sections(saved(tmp_path, value(unit="mm", labels={"1": "Box"})))
    assert data.num_loops == 4 and data.frame.unit == "mm" and data.label_name(1) == "Box"
    assert np.allclose(data.plane(1).loops[0].points[2], [10, 2 + 9 * 0.8, 5 + 9 * 0.6])
    assert np.allclose(np.abs(data.normals @ [0, -0.6, 0.8]), 1)


def test_a_plane_by_normal_and_origin_is_that_by_normal_and_offset(tmp_path: Path) -> None:
    points = [[*xy, 4] for xy in SQUARE]
    loops = [{"points": points}]
    planes = [
        {"normal": [0, 0, 2], "offset": 8, "loops": loops},
        {"normal": [0, 0, 1], "origin": [7, 7, 4], "loops": loops},
    ]
    data = sections(saved(tmp_path, value(planes=planes)))
    assert np.allclose(data.offsets, 4)


def test_axes_stated_by_the_file_are_turned_when_others_are_wanted(tmp_path: Path) -> None:
    path = saved(tmp_path, value(patient_axes="RAS"))
    ras, lps = sections(path), sections(path, patient_axes="LPS")
    assert (ras.frame.patient_axes, lps.frame.patient_axes) == ("RAS", "LPS")
    assert np.array_equal(ras.vertices * [-1, -1, 1], lps.vertices)
    unstated = sections(saved(tmp_path, value()), patient_axes="LPS")
    assert np.array_equal(unstated.vertices, ras.vertices)


def test_open_loops_are_named_closed_when_the_gap_is_small_or_repaired_when_asked(tmp_path: Path) -> None:
    wide = value()
    wide["planes"][1]["loops"][0]["closed"] = False
    path = saved(tmp_path, wide)
    with pytest.raises(FormatError, match="Plane 2, contour 1 is open"):
        sections(path)
    assert sections(path, broken_contours="repair").num_loops == 4
    reading = formats.read(path, ReadOptions(broken_contours="leave-out"))
    assert isinstance(reading.data, CrossSections) and reading.data.num_planes == 1
    assert any("left out" in note.sentence for note in reading.notes)
    wide["planes"][1]["loops"][0]["points"] = [*SQUARE, [0, 0.1]]
    reading = formats.read(saved(tmp_path, wide))
    assert any("joined" in note.sentence and note.plane == 1 for note in reading.notes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "other"}, "no contours"),
        ({"version": 2}, "version 2"),
        ({"lables": {}}, "lables"),
        ({"unit": "parsec"}, "unit"),
        ({"holes": "oddly"}, "holes"),
        ({"planes": 7}, "planes"),
        ({"planes": []}, "no contour"),
        ({"planes": [{"loops": []}]}, "Plane 1 has neither"),
        ({"planes": [{"normal": [0, 0, 1], "loops": []}]}, "Plane 1 has neither"),
        (
            {"planes": [{"normal": [0, 0, 1], "offset": 0, "loops": [{"points": SQUARE}]}]},
            "points of two numbers",
        ),
        (
            {"planes": [{"normal": [0, 0, 1], "offset": 0, "loops": [{"points": [[0, 0, "x"]]}]}]},
            "plane 1, loop 1, points",
        ),
        (
            {"planes": [{"normal": [0, 0, 1], "offset": 0, "loops": [{"points": [], "hole_in": 4}]}]},
            "hole in loop 5",
        ),
        (
            {"planes": [{"normal": [0, 0, 0], "offset": 0, "loops": [{"points": [[0, 0, 0]] * 3}]}]},
            "no usable normal",
        ),
    ],
)
def test_mistakes_are_named_by_their_place(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(FormatError) as caught:
        sections(saved(tmp_path, value(**change)))
    assert words in caught.value.sentence and caught.value.advice


def test_syntax_errors_name_the_line_and_deep_nesting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        sections(saved(tmp_path, '{"format": "isokiln.contours",\n "planes": [}'))
    assert caught.value.line == 2
    with pytest.raises(FormatError):
        sections(saved(tmp_path, '{"a": ' + "[" * 200_000))
    with pytest.raises(FormatError):
        sections(saved(tmp_path, json.dumps(value()).replace("9", "9" * 6000, 1)))
    with pytest.raises(FormatError):
        sections(saved(tmp_path, json.dumps(value()).replace("9", "NaN", 1)))


def test_keys_starting_with_x_are_for_others(tmp_path: Path) -> None:
    assert sections(saved(tmp_path, value(x_scanner="CT-2"))).num_planes == 2


def test_the_documented_example_is_read(tmp_path: Path) -> None:
    documentation = contour_json.__doc__ or ""
    example = documentation[documentation.index("{") : documentation.index("\n\nformat, version")]
    data = sections(saved(tmp_path, example))
    assert (data.num_planes, data.num_loops, data.frame.patient_axes) == (3, 3, "LPS")
    assert data.label_names == {1: "Femur", 2: "Tibia"}


def test_the_schema_describes_the_format() -> None:
    described = contour_json.schema()
    assert set(described["required"]) == {"format", "version", "planes"}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_give_only_format_errors(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(json.dumps(value(holes="parent", labels={"1": "x"})).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        bit = data.draw(
            st.sampled_from([b"", b"-", b"e99", b"]", b"{", b"null", b"\xff", b"99999999", b"true", b'"'])
        )
        content[place : place + data.draw(st.integers(0, 4))] = bit
    path = tmp_path / "a.json"
    path.write_bytes(
        content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    )
    try:
        reading = formats.read(path)
    except FormatError as error:
        assert error.sentence and error.advice
    else:
        assert isinstance(reading.data, CrossSections)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    planes=st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["normal", "offset", "origin", "basis", "loops", "points"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_in_place_of_planes_gives_only_format_errors(tmp_path: Path, planes: Any) -> None:
    with pytest.raises(FormatError):
        sections(saved(tmp_path, value(planes=planes)))
