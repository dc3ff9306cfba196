"""Scenes of posed photos on the command line: validate and convert."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from recon import formats
from render.images import PosedImages
from tests.synthetic_room import make_room, write_images

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def isokiln(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> tuple[int, str, str]:
        status = main([str(each) for each in arguments], lambda options: 99)
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A scene with cues as transforms.json and COLMAP."""
    folder = tmp_path / "scene"
    posed = write_images(make_room(5, 64, 48, num_points=60), folder, with_cues=True)
    formats.write(folder / "transforms.json", posed)
    formats.write(folder / "sparse/0/cameras.bin", posed)
    return folder


def test_validate_tells_what_a_scene_has(isokiln: Run, scene: Path) -> None:
    status, text, _ = isokiln("validate", scene)
    assert status == 0
    assert "5 images, 5 poses, pinhole camera, cues: depth yes, normals yes, 60 points" in text
    status, text, _ = isokiln("validate", scene / "sparse/0", "--json")
    facts = json.loads(text)
    assert status == 0 and (facts["kind"], facts["images"], facts["poses"]) == ("posed photos", 5, 5)
    assert facts["points"] == 60 and facts["sizes"] == "64 × 48" and facts["depth"] == "none"
    assert facts["observations"] > 60 and facts["up"] == "+Z"


def test_info_tells_the_same_facts(isokiln: Run, scene: Path) -> None:
    status, text, _ = isokiln("info", scene, "--json")
    _, expected, _ = isokiln("validate", scene, "--json")
    facts = json.loads(expected)
    del facts["notes"]
    assert status == 0 and json.loads(text) == facts
    status, text, _ = isokiln("info", scene / "images")
    assert status == 0 and "5 images, no poses" in text


def test_validate_tells_doubts_and_refuses_what_is_impossible(isokiln: Run, scene: Path) -> None:
    value = json.loads((scene / "transforms.json").read_text())
    for frame in value["frames"]:
        frame["transform_matrix"] = np.eye(4).tolist()
    (scene / "transforms.json").write_text(json.dumps(value))
    status, _, errors = isokiln("validate", scene)
    assert status == 1 and "stand in one point" in errors and "different places" in errors
    (scene / "images/0002.png").unlink()
    status, text, errors = isokiln("validate", scene / "sparse/0")
    assert status == 0 and "warning: 1 of 5 listed images are missing, first 0002.png" in text


def test_photos_without_cameras_are_validated(isokiln: Run, scene: Path) -> None:
    status, text, _ = isokiln("validate", scene / "images", "--json")
    facts = json.loads(text)
    assert status == 0 and (facts["kind"], facts["images"]) == ("photos", 5)


@pytest.mark.parametrize("target", ["out", "out/transforms.json", "out/cameras.txt", "out/points3D.bin"])
def test_a_scene_is_converted_into_a_folder_or_one_format(
    isokiln: Run, scene: Path, tmp_path: Path, target: str
) -> None:
    if target != "out":
        (tmp_path / "out").mkdir()
    status, text, errors = isokiln("convert", scene, tmp_path / target)
    assert status == 0 and str(tmp_path / target) in text, errors
    options = formats.ReadOptions(image_folder=str(scene / "images"))
    back = formats.read(tmp_path / "out", options).data
    expected = formats.read(scene).data
    assert isinstance(back, PosedImages) and isinstance(expected, PosedImages)
    assert np.allclose(back.cameras.cam_from_world, expected.cameras.cam_from_world, atol=1e-9)
    if target != "out/transforms.json":
        assert np.allclose(back.points.points, expected.points.points)


def test_a_scene_cannot_become_a_mesh(isokiln: Run, scene: Path, tmp_path: Path) -> None:
    status, _, errors = isokiln("convert", scene, tmp_path / "out.stl")
    assert status == 1 and "cannot hold posed" in errors
