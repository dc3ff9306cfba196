"""The .csl format: full grammar, exact round trips, errors with their line, and only FormatError for damage."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recon import formats
from recon.errors import FormatError
from recon.formats import ReadOptions
from render.cross_sections import CrossSections

SQUARE = np.array([[0, 0, 0], [4, 0, 0], [4, 4, 0], [0, 4, 0]], float)

SMALL = """CSLC
2 2

1 8 2 0 0 2 -2

0 0 1
8.0 0. 1
8e0 +8 1.
0 .8e1 1
2 2 1
2 6 1
6 6 1
6 2 1

4 1 0 1 2 3
4 h 0 2 4 5 6 7

2 0 0 0 0 1 -3
"""

COUNTS = {  # planes, loops, vertices of the real files
    "Heart-25-even-better.csl": (25, 33, 4534),
    "Heart-simplified.csl": (2, 2, 104),
    "Horsers.csl": (29, 66, 4101),
    "ParallelEight.csl": (20, 28, 1156),
    "SideBishop.csl": (10, 22, 1376),
    "Skull-20.csl": (16, 43, 8821),
    "armadillo.csl": (26, 62, 11039),
    "eight_15.csl": (15, 21, 2028),
    "eight_20.csl": (20, 30, 3178),
    "hand_ok.csl": (15, 29, 4082),
    "procedural/gear_arb20.csl": (20, 50, 22530),
    "procedural/knot_par20.csl": (20, 60, 12691),
}


def sections(path: Path, **options: object) -> CrossSections:
    data = formats.read(path, ReadOptions.model_validate(options)).data
    assert isinstance(data, CrossSections)
    return data


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a.csl"
    path.write_bytes(text.encode())
    return path


def failure(path: Path) -> FormatError:
    with pytest.raises(FormatError) as caught:
        formats.read(path)
    assert caught.value.advice and "\n" not in caught.value.sentence
    return caught.value


def assert_same(a: CrossSections, b: CrossSections) -> None:
    for (name, left), (_, right) in zip(a.arrays(), b.arrays(), strict=True):
        assert left.tobytes() == right.tobytes(), name


@pytest.mark.parametrize("name", COUNTS)
def test_real_files_parse_whole_and_come_back_the_same(tmp_path: Path, shared_data: Path, name: str) -> None:
    data = sections(shared_data / "slices" / name)
    assert (data.num_planes, data.num_loops, len(data.vertices)) == COUNTS[name]
    formats.write(tmp_path / "a.csl", data)
    back = sections(tmp_path / "a.csl")
    assert np.array_equal(back.loop_labels, data.loop_labels) and np.allclose(back.offsets, data.offsets)
    assert sorted(map(tuple, back.vertices)) == sorted(map(tuple, data.vertices))


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_any_float_syntax_line_ending_normal_length_and_empty_plane_is_read(
    tmp_path: Path, ending: str
) -> None:
    data = sections(written(tmp_path, SMALL.replace("\n", ending)))
    assert data.num_planes == 2 and np.allclose(data.normals, [0, 0, 1]) and np.allclose(data.offsets, [1, 3])
    assert not data.plane(1).loops
    assert data.labels == (1,)  # the hole's own label does not count
    assert data.plane(0).loops[0].points.tolist() == [[0, 0, 1], [8, 0, 1], [8, 8, 1], [0, 8, 1]]


@pytest.mark.parametrize("mark", ["4 h 0 2", "4h0 2", "4 h0 2", "4h 0 2"])
def test_a_hole_mark_may_be_glued(tmp_path: Path, mark: str) -> None:
    data = sections(written(tmp_path, SMALL.replace("4 h 0 2", mark)))
    assert data.num_loops == 2 and data.labels == (1,)


def test_several_labels_are_kept_apart_and_can_be_chosen(tmp_path: Path) -> None:
    path = written(tmp_path, SMALL.replace("4 h 0 2 4 5 6 7", "4 7 4 5 6 7"))
    assert sections(path).labels == (1, 7)
    assert sections(path, labels=(7,)).num_loops == 1
    with pytest.raises(FormatError, match="no label 3"):
        sections(path, labels=(3,))


def test_contours_within_contours_are_holes_and_that_is_told_where_none_is_marked(tmp_path: Path) -> None:
    marked = formats.read(written(tmp_path, SMALL))
    unmarked = formats.read(written(tmp_path, SMALL.replace("4 h 0 2", "4 1")))
    assert isinstance(marked.data, CrossSections) and isinstance(unmarked.data, CrossSections)
    assert_same(marked.data, unmarked.data)
    assert any("read as a hole" in note.sentence for note in unmarked.notes)
    assert not any("read as a hole" in note.sentence for note in marked.notes)


def test_a_plane_given_twice_is_told(tmp_path: Path) -> None:
    plane = "{} 4 1 {} 0 0 2\n-2 0 0\n-2 1 0\n-2 1 1\n-2 0 1\n4 1 0 1 2 3\n"
    text = "CSLC\n2 2\n" + plane.format(1, 1) + plane.format(2, -1).replace("0 0 2\n", "0 0 -2\n")
    reading = formats.read(written(tmp_path, text))
    assert [note.sentence for note in reading.notes] == [
        "Planes 1 and 2 lie in the same place; keep one of them."
    ]


def test_written_holes_are_marked_and_turn_the_other_way(tmp_path: Path) -> None:
    formats.write(tmp_path / "b.csl", sections(written(tmp_path, SMALL)))
    lines = (tmp_path / "b.csl").read_text().split("\n")
    assert lines[:2] == ["CSLC", "2 2"]
    holes = [line for line in lines if " h " in line]
    assert holes == ["4 h 0 1 4 5 6 7"]  # clockwise seen from the normal


def test_what_a_csl_file_cannot_hold_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, SMALL)
    assert formats.write(tmp_path / "b.csl", sections(path)) == ()
    (note,) = formats.write(tmp_path / "b.csl", sections(path, unit="mm"))
    assert "unit" in note.sentence


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("CSLC", "CSL", 1, ""),
        ("2 2\n", "1000000000 2\n", 2, "promises 1,000,000,000 planes"),
        ("1 8 2 0", "1 999999999 2 0", 4, "promises 999,999,999 vertices"),
        ("2 6 1\n", "2 nan 1\n", 11, "'nan' is not a number"),
        ("2 6 1\n", "2 1e999 1\n", 11, "is not a number"),
        ("2 6 1\n", "2 6,5 1\n", 11, "written with a point"),
        ("2 6 1\n", "2 6\n", 11, "three numbers, not 2"),
        ("4 1 0 1 2 3", "4 1 0 1 2 8", 15, "names vertex 8"),
        ("4 1 0 1 2 3", "5 1 0 1 2 3", 15, "promises 5 vertices and names 4"),
        ("4 1 0 1 2 3", "4 0 0 1 2 3", 15, "Label 0 means outside"),
        ("4 h 0 2", "4 h 5 2", 16, "names contour 5"),
        ("4 h 0 2", "4 h 1 2", 16, "hole in itself"),
        ("0 0 2 -2", "0 0 0 -2", 4, "no usable normal"),
        ("8.0 0. 1", "8.0 0. 4", 15, "off the plane"),
        ("4 1 0 1 2 3", "4 1 0 2 1 3", 15, "crosses itself"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in SMALL
    error = failure(written(tmp_path, SMALL.replace(old, new, 1)))
    assert error.line == line or not words
    assert words in error.sentence and "a.csl" in error.sentence


def test_a_file_without_contours_and_one_of_one_plane(tmp_path: Path) -> None:
    assert "no contour" in failure(written(tmp_path, "CSLC\n1 2\n1 0 0 0 0 1 0\n")).sentence
    reading = formats.read(written(tmp_path, SMALL))
    assert any(note.severity == "warning" and "one plane" in note.sentence for note in reading.notes)


def test_empty_missing_forbidden_and_unknown_files_say_so(tmp_path: Path) -> None:
    (tmp_path / "empty.csl").touch()
    assert "empty" in failure(tmp_path / "empty.csl").sentence
    assert "no such file" in failure(tmp_path / "none.csl").sentence
    (tmp_path / "a.xyz").write_text("hello")
    assert "Cannot tell what this is" in failure(tmp_path / "a.xyz").sentence
    (tmp_path / "folder").mkdir()
    assert "empty" in failure(tmp_path / "folder").sentence
    (tmp_path / "folder" / "readme.txt").write_text("hello")
    assert "no masks" in failure(tmp_path / "folder").sentence


def test_the_first_bytes_count_more_than_the_suffix(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n" + SMALL)
    assert sections(tmp_path / "a.txt").num_planes == 2


def test_data_go_only_into_formats_that_hold_them(tmp_path: Path) -> None:
    data = sections(written(tmp_path, SMALL))
    with pytest.raises(FormatError, match="cannot hold cross-sections") as caught:
        formats.write(tmp_path / "a.stl", data)
    assert ".csl" in caught.value.advice
    with pytest.raises(FormatError, match="cannot be written"):
        formats.write(tmp_path / "no folder" / "a.csl", data)


finite = st.floats(-1e6, 1e6, allow_subnormal=False)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    planes=st.lists(
        st.tuples(
            finite,
            st.lists(st.tuples(finite, finite, st.floats(1e-3, 1e3), st.integers(1, 5)), max_size=1),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_sections_come_back_bit_for_bit(
    tmp_path: Path, planes: list[tuple[float, list[tuple[float, float, float, int]]]]
) -> None:
    drawn = [
        ([0, 0, 1], z, [(np.array([x, y, z]) + SQUARE * size, label) for x, y, size, label in rings])
        for z, rings in planes
    ]
    drawn.append(([0, 0, 1], 0.0, [(SQUARE * 1e-3, 1)]))
    data = CrossSections.from_planes(drawn)
    for ending in (".csl", ".json"):
        formats.write(tmp_path / f"a{ending}", data)
        assert_same(data, sections(tmp_path / f"a{ending}"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_give_only_format_errors(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(SMALL.encode())
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(content) - 1))
        bit = data.draw(
            st.sampled_from([b"", b"-", b"e9", b"h", b" ", b"\n", b"nan", b"\xff", b"99999999", b"7"])
        )
        content[place : place + data.draw(st.integers(0, 3))] = bit
    path = tmp_path / "a.csl"
    path.write_bytes(
        content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    )
    try:
        reading = formats.read(path)
    except FormatError as error:
        assert error.sentence and error.advice
    else:
        assert isinstance(reading.data, CrossSections)


def test_binary_garbage_called_csl_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csl").write_bytes(np.random.default_rng(1).bytes(100_000))
    failure(tmp_path / "a.csl")
    (tmp_path / "a.csl").write_bytes(b"CSLC\n" + np.random.default_rng(1).bytes(100_000))
    failure(tmp_path / "a.csl")


def test_two_hundred_planes_of_a_hundred_thousand_vertices_are_read_quickly(tmp_path: Path) -> None:
    angle = np.arange(500) / 500 * 2 * np.pi
    ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1) * (100 + 9 * np.sin(9 * angle))[:, None]
    planes = [([0, 0, 1], float(z), [(ring + np.array([0, 0, z]), 1 + z % 4)]) for z in range(200)]
    formats.write(tmp_path / "a.csl", CrossSections.from_planes(planes))
    start = time.process_time()
    data = sections(tmp_path / "a.csl")
    assert len(data.vertices) == 100_000 and data.labels == (1, 2, 3, 4)
    assert time.process_time() - start < 5
