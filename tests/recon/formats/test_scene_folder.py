"""Scenes written as folders: what this program, COLMAP and nerfstudio find in them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pycolmap
import pytest
from PIL import Image

from recon import formats
from recon.errors import FormatError, InputError
from recon.formats import scene_folder
from recon.formats.reading import ReadOptions
from render.image_files import read_depth, read_image, read_mask, read_normals
from render.images import DepthCues, ImageSet, NormalCues, PosedImages
from tests.synthetic_room import RoomScene, make_room, write_images


@pytest.fixture
def scene() -> RoomScene:
    return make_room(4, 64, 48, num_points=200)


def read_back(folder: Path) -> PosedImages:
    data = formats.read(folder, ReadOptions(read_as="scene")).data
    assert isinstance(data, PosedImages)
    return data


def test_a_written_scene_reads_back_with_cameras_points_and_pixels(scene: RoomScene, tmp_path: Path) -> None:
    posed = write_images(scene, tmp_path / "in")
    notes = scene_folder.write(tmp_path / "out", posed)
    assert notes[0].sentence == "4 images were linked into out/images."
    back = read_back(tmp_path / "out")
    assert np.allclose(back.cameras.cam_from_world, posed.cameras.cam_from_world, atol=1e-9)
    assert np.allclose(back.cameras.focal, posed.cameras.focal)
    assert np.allclose(back.cameras.center, posed.cameras.center)
    assert np.allclose(np.sort(back.points.points, 0), np.sort(posed.points.points, 0))
    assert len(back.observations) == len(posed.observations)
    for i in range(4):
        assert back.images.path(i) == tmp_path / "out" / "images" / f"{i:04d}.png"
        assert np.array_equal(read_image(back, i), scene.rgb[i])
    assert back.images.path(0).samefile(posed.images.path(0))


def test_colmap_and_nerfstudio_find_the_same_images(scene: RoomScene, tmp_path: Path) -> None:
    posed = write_images(scene, tmp_path / "in")
    scene_folder.write(tmp_path / "out", posed)
    model = pycolmap.Reconstruction(tmp_path / "out" / "sparse" / "0")
    assert model.num_reg_images() == 4
    for image in model.images.values():
        assert (tmp_path / "out" / "images" / image.name).is_file()
    first = next(image for image in model.images.values() if image.name == "0000.png")
    assert np.allclose(first.cam_from_world().matrix(), posed.cameras.cam_from_world[0, :3])
    frames = json.loads((tmp_path / "out" / "transforms.json").read_text())["frames"]
    assert all((tmp_path / "out" / frame["file_path"]).is_file() for frame in frames)


def test_images_of_several_folders_keep_their_names_apart(scene: RoomScene, tmp_path: Path) -> None:
    posed = write_images(scene, tmp_path)
    paths = []
    for i in range(4):
        target = tmp_path / "in" / "ab"[i % 2] / f"{i // 2}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        posed.images.path(i).rename(target)
        paths.append(target.relative_to(tmp_path / "in").as_posix())
    moved = replace(posed, images=ImageSet(str(tmp_path / "in"), tuple(paths)))
    scene_folder.write(tmp_path / "out", moved)
    model = pycolmap.Reconstruction(tmp_path / "out" / "sparse" / "0")
    assert sorted(image.name for image in model.images.values()) == [
        "a/0.png",
        "a/1.png",
        "b/0.png",
        "b/1.png",
    ]
    back = read_back(tmp_path / "out")
    for i in range(4):
        row = [path.removeprefix("images/") for path in back.images.paths].index(paths[i])
        assert np.array_equal(read_image(back, row), scene.rgb[i])


@pytest.mark.parametrize("is_inverted", [False, True])
def test_masks_and_cues_go_along(scene: RoomScene, tmp_path: Path, is_inverted: bool) -> None:
    posed = write_images(scene, tmp_path / "in", with_cues=True)
    mask = np.zeros((48, 64), np.uint8)
    mask[:, 20:] = 255
    Image.fromarray(mask).save(tmp_path / "in" / "m.png")
    Image.fromarray(mask.T[:48, :48].copy()).save(tmp_path / "in" / "other.png")
    images = replace(posed.images, mask_paths=("m.png", "", "m.png", "m.png"), are_masks_inverted=is_inverted)
    posed = replace(posed, images=images)
    assert isinstance(posed.depth, DepthCues)
    assert isinstance(posed.normals, NormalCues)
    scene_folder.write(tmp_path / "out", posed)
    back = read_back(tmp_path / "out")
    for i in range(4):
        assert np.array_equal(read_mask(back, i), read_mask(posed, i))
        assert np.allclose(read_depth(back, i), read_depth(posed, i), equal_nan=True)
        assert np.allclose(read_normals(back, i), read_normals(posed, i), equal_nan=True)
    assert all(str(back.images.path(i)).startswith(str(tmp_path / "out")) for i in range(4))


def test_images_that_are_in_the_folder_already_stay(scene: RoomScene, tmp_path: Path) -> None:
    posed = write_images(scene, tmp_path)
    times = [posed.images.path(i).stat().st_mtime_ns for i in range(4)]
    scene_folder.write(tmp_path, posed)
    assert [posed.images.path(i).stat().st_mtime_ns for i in range(4)] == times
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == [f"{i:04d}.png" for i in range(4)]
    assert read_back(tmp_path).images.paths == posed.images.paths


def test_where_the_disk_cannot_link_images_are_copied(
    scene: RoomScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    posed = write_images(scene, tmp_path / "in")
    monkeypatch.setattr("os.link", refuse)
    notes = scene_folder.write(tmp_path / "out", posed)
    assert notes[0].sentence == "4 images were copied into out/images."
    assert np.array_equal(read_image(read_back(tmp_path / "out"), 3), scene.rgb[3])


def test_a_missing_image_and_an_empty_scene_are_told(scene: RoomScene, tmp_path: Path) -> None:
    posed = write_images(scene, tmp_path / "in")
    posed.images.path(2).unlink()
    with pytest.raises(FormatError, match="cannot be written") as error:
        scene_folder.write(tmp_path / "out", posed)
    assert error.value.advice
    with pytest.raises(InputError, match="no cameras"):
        scene_folder.write(tmp_path / "none", posed.select(np.zeros(0, int)))
