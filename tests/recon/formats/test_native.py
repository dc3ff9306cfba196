"""Scene data as our own .npz: bit-exact, whole or not at all, and deaf to damaged files."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recon.errors import FormatError
from recon.formats import native
from render.cross_sections import CrossSections
from render.frame import Frame
from render.mesh import TriangleMesh

SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)


def sections() -> CrossSections:
    planes = [([0, 0, 1], 0.1 + 0.2, [(SQUARE + np.array([0, 0, 0.1 + 0.2]), 3)]), ([0, 0, 1], 1 / 3, [])]
    return CrossSections.from_planes(
        planes,
        label_names={3: "Ventricle, left ♥"},
        frame=Frame("-Y", "mm", "RAS"),
        disabled_planes=[False, True],
    )


def mesh() -> TriangleMesh:
    return TriangleMesh(
        np.eye(4, 3, dtype=np.float32) / 3,
        np.array([[0, 1, 2], [0, 3, 1]], np.int32),
        colors=np.arange(12, dtype=np.uint8).reshape(4, 3),
        vertex_values={"uncertainty": np.arange(4, dtype=np.float32), "a/b.npy": -np.ones(4, np.float32)},
        frame=Frame("+Y", "in"),
    )


def assert_same(a: CrossSections | TriangleMesh, b: CrossSections | TriangleMesh) -> None:
    assert type(a) is type(b) and a.frame == b.frame
    for (name, left), (_, right) in zip(a.arrays(), b.arrays(), strict=True):
        assert left.dtype == right.dtype and left.shape == right.shape, name
        assert left.tobytes() == right.tobytes(), name


def test_cross_sections_come_back_bit_for_bit(tmp_path: Path) -> None:
    native.write(tmp_path / "a.npz", sections())
    back = native.read(tmp_path / "a.npz")
    assert_same(sections(), back)
    assert isinstance(back, CrossSections) and dict(back.label_names) == {3: "Ventricle, left ♥"}


def test_a_mesh_with_colours_and_values_comes_back_bit_for_bit(tmp_path: Path) -> None:
    native.write(tmp_path / "a.npz", mesh())
    back = native.read(tmp_path / "a.npz")
    assert_same(mesh(), back)
    assert isinstance(back, TriangleMesh) and list(back.vertex_values) == ["uncertainty", "a/b.npy"]
    for name, values in mesh().vertex_values.items():
        assert np.array_equal(values, back.vertex_values[name])


def test_empty_data_come_back(tmp_path: Path) -> None:
    empty = CrossSections.from_planes([])
    native.write(tmp_path / "a.npz", empty)
    assert_same(empty, native.read(tmp_path / "a.npz"))
    bare = TriangleMesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    native.write(tmp_path / "b.npz", bare)
    assert_same(bare, native.read(tmp_path / "b.npz"))


def test_the_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    native.write(tmp_path / "a.npz", mesh())
    native.write(tmp_path / "b.npz", mesh())
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_numpy_opens_the_file_too(tmp_path: Path) -> None:
    native.write(tmp_path / "a.npz", mesh())
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        assert np.array_equal(arrays["faces"], mesh().faces)


def test_a_failed_write_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.npz"
    native.write(path, mesh())
    before = path.read_bytes()

    def fail(*arguments: object, **options: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(np.lib.format, "write_array", fail)
    with pytest.raises(OSError, match="disk full"):
        native.write(path, sections())
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def test_an_array_header_that_claims_more_than_the_file_holds_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 3)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "scene.json", '{"format": "isokiln.scene-data", "version": 1, "kind": "cross_sections"}'
        )
        archive.writestr("vertices.npy", header.getvalue() + bytes(64))
    start = time.process_time()
    with pytest.raises(FormatError, match="cut off"):
        native.read(path)
    assert time.process_time() - start < 0.5


def test_a_compressed_archive_and_one_with_pickles_are_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", vertices=np.zeros((1000, 3)))
    with pytest.raises(FormatError, match="not scene data"):
        native.read(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", things=np.array([{}, None], object), allow_pickle=True)
    with pytest.raises(FormatError):
        native.read(tmp_path / "b.npz")


def test_a_newer_version_is_named(tmp_path: Path) -> None:
    native.write(tmp_path / "a.npz", sections())
    content = (tmp_path / "a.npz").read_bytes().replace(b'"version": 1', b'"version": 7')
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        start = content.index(b"{")
        end = content.index(b"PK", start)
        archive.writestr("scene.json", content[start:end].strip(b"\0"))
    with pytest.raises(FormatError, match="version 7"):
        native.read(tmp_path / "b.npz")


def test_a_missing_file_is_a_format_error(tmp_path: Path) -> None:
    with pytest.raises(FormatError):
        native.read(tmp_path / "none.npz")


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_give_only_format_errors(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "a.npz"
    native.write(path, data.draw(st.sampled_from([sections(), mesh()])))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([0, 0, 1]))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if cut else content)
    try:
        back = native.read(path)
    except FormatError as error:
        assert error.advice and str(path.name) in error.sentence
    else:
        assert isinstance(back, CrossSections | TriangleMesh)
