"""Point clouds in PLY, and PLY files without faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon import formats
from recon.errors import FormatError
from recon.formats import point_cloud
from render.frame import Frame
from render.points import PointCloud

RNG = np.random.default_rng(0)
POINTS = RNG.normal(0, 3, (50, 3))
COLORS = RNG.integers(0, 256, (50, 3)).astype(np.uint8)
NORMALS = (POINTS / np.linalg.norm(POINTS, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("colors", [None, COLORS])
@pytest.mark.parametrize("normals", [None, NORMALS])
def test_points_come_back_bit_for_bit(
    tmp_path: Path, colors: np.ndarray | None, normals: np.ndarray | None
) -> None:
    cloud = PointCloud(POINTS, colors, normals, Frame("-Y", "cm"))
    formats.write(tmp_path / "a.ply", cloud)
    back = formats.read(tmp_path / "a.ply").data
    assert isinstance(back, PointCloud) and back.frame == cloud.frame
    assert np.array_equal(back.points, POINTS)
    assert (back.colors is None) == (colors is None) and (back.normals is None) == (normals is None)
    assert colors is None or np.array_equal(back.colors, colors)
    assert normals is None or np.allclose(back.normals, normals, atol=1e-6)


def test_a_text_file_of_points_is_points(tmp_path: Path) -> None:
    header = "ply\nformat ascii 1.0\nelement vertex 2\n" + "".join(f"property float {a}\n" for a in "xyz")
    (tmp_path / "a.ply").write_text(header + "end_header\n0 1 2\n3 4 nan\n")
    cloud = formats.read(tmp_path / "a.ply").data
    assert isinstance(cloud, PointCloud) and cloud.points.tolist() == [[0, 1, 2]]


def test_a_file_without_any_points_is_refused(tmp_path: Path) -> None:
    header = "ply\nformat ascii 1.0\nelement vertex 0\n" + "".join(f"property float {a}\n" for a in "xyz")
    (tmp_path / "a.ply").write_text(header + "end_header\n")
    with pytest.raises(FormatError, match="no points"):
        formats.read(tmp_path / "a.ply")


def test_points_cannot_be_written_as_a_mesh_format(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot hold points") as caught:
        formats.write(tmp_path / "a.stl", PointCloud(POINTS))
    assert ".ply" in caught.value.advice


@given(place=st.integers(0, 10_000), word=st.binary(min_size=1, max_size=8))
def test_damaged_files_are_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, place: int, word: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.ply"
    point_cloud.write(path, PointCloud(POINTS, COLORS, NORMALS))
    data = bytearray(path.read_bytes())
    place %= len(data)
    data[place : place + len(word)] = word
    path.write_bytes(data[: len(data) - place % 3])
    try:
        assert len(point_cloud.read(path).points) > 0
    except FormatError as error:
        assert error.advice
