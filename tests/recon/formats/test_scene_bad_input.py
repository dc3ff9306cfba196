"""Scenes that are damaged, incomplete or impossible: a sentence and an advice, and as much as can be used is."""

from __future__ import annotations

import json
import os
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from recon import formats
from recon.errors import FormatError, InputError
from recon.formats import pixels
from recon.formats.reading import ReadOptions
from recon.formats.scene_checks import check_images, check_scene
from render.cameras import CameraSet
from render.images import DepthCues, ImageSet, NormalCues, PosedImages
from tests.scene_writers import CENTERED_WRITERS, WRITERS, centered, write_colmap_binary, write_transforms
from tests.synthetic_room import make_room, write_images

SCENE = make_room(6, 64, 48, num_points=40).posed


def _read(path: Path, options: ReadOptions = ReadOptions()) -> tuple[PosedImages, list[str]]:
    reading = formats.read(path, options)
    assert isinstance(reading.data, PosedImages)
    return reading.data, [note.sentence for note in reading.notes]


def _error(path: Path, options: ReadOptions = ReadOptions()) -> FormatError | InputError:
    with pytest.raises((FormatError, InputError)) as caught:
        formats.read(path, options)
    assert caught.value.sentence.endswith(".") and caught.value.advice.endswith(".")
    return caught.value


def _changed(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))
    return path


@pytest.fixture
def transforms(tmp_path: Path) -> Path:
    return write_transforms(tmp_path, SCENE)


def test_listed_images_that_are_missing_are_left_out_with_one_notice(transforms: Path) -> None:
    for i in (1, 4):
        (transforms.parent / SCENE.images.paths[i]).unlink()
    posed, notes = _read(transforms)
    assert posed.images.paths == tuple(SCENE.images.paths[i] for i in (0, 2, 3, 5))
    assert np.allclose(posed.cameras.cam_from_world, SCENE.cameras.cam_from_world[[0, 2, 3, 5]])
    assert notes == ["2 of 6 listed images are missing, first 0001.png; they were left out."]
    for i in (0, 2, 3, 5):
        (transforms.parent / SCENE.images.paths[i]).unlink()
    assert "None of the 6 images" in str(_error(transforms))


def test_observations_follow_the_images_that_are_left(tmp_path: Path) -> None:
    write_colmap_binary(tmp_path, SCENE)
    whole, _ = _read(tmp_path)
    (tmp_path / "images" / "0002.png").unlink()
    posed, _ = _read(tmp_path)
    kept = whole.select(np.array([0, 1, 3, 4, 5]))
    assert np.array_equal(posed.observations, kept.observations) and len(posed.observations) > 0


def test_poses_that_are_no_numbers_are_left_out_and_told(transforms: Path) -> None:
    def spoil(value: dict[str, Any]) -> None:
        value["frames"][0]["transform_matrix"][1][2] = float("nan")
        value["frames"][3]["transform_matrix"][0][3] = float("-inf")

    posed, notes = _read(_changed(transforms, spoil))
    assert len(posed) == 4 and notes == ["2 images without a pose, first 0000.png; left out."]


def test_no_pose_at_all_is_an_error(transforms: Path) -> None:
    def spoil(value: dict[str, Any]) -> None:
        for frame in value["frames"]:
            frame["transform_matrix"] = np.full((4, 4), np.nan).tolist()

    assert "pose that is made of numbers" in str(_error(_changed(transforms, spoil)))
    _changed(transforms, lambda value: value["frames"][0].pop("transform_matrix"))
    assert "no matrix" in str(_error(transforms))


@pytest.mark.parametrize("matrix", [np.diag([1, 2, 1, 1]), np.diag([1, 1, -1, 1]), np.zeros((4, 4))])
def test_a_pose_that_no_camera_has_is_an_error(transforms: Path, matrix: np.ndarray) -> None:
    _changed(transforms, lambda value: value["frames"][2].update(transform_matrix=matrix.tolist()))
    assert "The pose of 0002.png" in str(_error(transforms))


def test_a_scaled_rotation_is_taken_as_a_rotation(transforms: Path) -> None:
    def scale(value: dict[str, Any]) -> None:
        for frame in value["frames"]:
            matrix = np.array(frame["transform_matrix"])
            matrix[:3, :3] *= 0.33
            frame["transform_matrix"] = matrix.tolist()

    posed, _ = _read(_changed(transforms, scale))
    assert np.allclose(posed.cameras.cam_from_world, SCENE.cameras.cam_from_world)


def test_images_of_another_shape_than_the_cameras_are_an_error_with_both_sizes(transforms: Path) -> None:
    for path in SCENE.images.paths:
        Image.new("RGB", (64, 40)).save(transforms.parent / path)
    assert "64 × 40 pixels, but its camera 64 × 48" in str(_error(transforms))
    for path in SCENE.images.paths:
        Image.new("RGB", (48, 64)).save(transforms.parent / path)
    assert "turn it back" in _error(transforms).advice


def test_one_image_of_another_shape_is_left_out(transforms: Path) -> None:
    Image.new("RGB", (30, 30)).save(transforms.parent / SCENE.images.paths[3])
    posed, notes = _read(transforms)
    assert len(posed) == 5 and notes == [
        "1 image of another shape than the camera, first 0003.png; left out."
    ]


def test_an_image_that_cannot_be_read_is_left_out_and_all_of_them_are_an_error(transforms: Path) -> None:
    (transforms.parent / SCENE.images.paths[2]).write_bytes(b"nothing of use")
    posed, notes = _read(transforms)
    assert len(posed) == 5 and notes == ["1 image that cannot be read, first 0002.png; left out."]
    for path in SCENE.images.paths:
        (transforms.parent / path).write_bytes(b"")
    assert "None of its images can be read" in str(_error(transforms))


def test_an_image_listed_twice_is_taken_once(transforms: Path) -> None:
    _changed(transforms, lambda value: value["frames"].append(value["frames"][1]))
    posed, notes = _read(transforms)
    assert len(posed) == 6 and notes == [
        "1 image more than once, first 0001.png; the first of each was taken."
    ]


def test_panoramas_are_refused_with_an_advice(transforms: Path, tmp_path: Path) -> None:
    _changed(transforms, lambda value: value.update(camera_model="EQUIRECTANGULAR"))
    assert "360°" in str(_error(transforms)) and "Cut them" in _error(transforms).advice
    WRITERS["colmap text"](tmp_path / "colmap", SCENE)
    file = tmp_path / "colmap/sparse/0/cameras.txt"
    file.write_text("7 EQUIRECTANGULAR 64 48 64 48\n")
    assert "360°" in str(_error(tmp_path / "colmap"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fl_x": "wide"}, "fl_x is 'wide'"),
        ({"fl_x": -3.0}, "impossible numbers"),
        ({"camera_model": "PERISCOPE"}, "'PERISCOPE' is not known"),
        ({"frames": {}}, "no list of frames"),
        ({"frames": []}, "lists no images"),
        ({"w": 0}, "impossible"),
        ({"camera_model": "OPENCV", "k4": 0.1}, "k4"),
        ({"mono_depth_kind": "inches"}, "mono_depth_kind"),
        ({"depth_unit_scale_factor": -1}, None),
    ],
)
def test_nonsense_in_transforms_is_named(transforms: Path, change: dict[str, Any], words: str | None) -> None:
    _changed(transforms, lambda value: value.update(change))
    if words is None:
        assert len(_read(transforms)[0]) == 6  # Nothing uses the scale of a depth that is not there.
    else:
        assert words in str(_error(transforms))


def test_a_missing_focal_length_is_told(transforms: Path) -> None:
    _changed(transforms, lambda value: (value.pop("fl_x"), value.pop("fl_y")))
    assert "neither a focal length" in str(_error(transforms))


def test_numbers_of_cameras_and_pictures_that_do_not_fit_are_told(tmp_path: Path) -> None:
    WRITERS["monosdf"](tmp_path, SCENE)
    (tmp_path / "000003_rgb.png").unlink()
    posed, _ = _read(tmp_path)  # The numbers in the names tell which camera is whose.
    assert np.allclose(posed.cameras.cam_from_world, SCENE.cameras.cam_from_world[[0, 1, 2, 4, 5]], atol=1e-9)
    (tmp_path / "000004_rgb.png").rename(tmp_path / "other_rgb.png")
    assert "6 cameras, but 5 pictures" in str(_error(tmp_path))


def test_missing_frames_of_replica_keep_their_poses(tmp_path: Path) -> None:
    folder = tmp_path / "scene"
    folder.mkdir()
    WRITERS["replica"](folder, SCENE)
    (folder / "results/frame000002.jpg").unlink()
    posed, notes = _read(folder)
    assert np.allclose(posed.cameras.cam_from_world, SCENE.cameras.cam_from_world[[0, 1, 3, 4, 5]], atol=1e-9)
    assert any("6 poses and 5 pictures" in note for note in notes)


def test_lost_poses_of_scannet_and_neural_rgbd_are_left_out(tmp_path: Path) -> None:
    for name, file in (("scannet", "pose/2.txt"), ("neural_rgbd", "poses.txt")):
        folder = tmp_path / name
        folder.mkdir()
        {**WRITERS, **CENTERED_WRITERS}[name](folder, centered(SCENE))
        if name == "scannet":
            (folder / file).write_text("-inf -inf -inf -inf\n" * 4)
        else:
            rows = (folder / file).read_text().splitlines()
            rows[8:12] = ["nan nan nan nan"] * 4
            (folder / file).write_text("\n".join(rows))
        posed, notes = _read(folder)
        assert len(posed) == 5 and any("without a pose" in note for note in notes)


def test_photos_that_are_nowhere_are_told_with_the_option_that_names_them(tmp_path: Path) -> None:
    write_colmap_binary(tmp_path, SCENE)
    (tmp_path / "images").rename(tmp_path / "elsewhere")
    assert "--read-image-folder" in _error(tmp_path).advice
    assert len(_read(tmp_path, ReadOptions(image_folder="elsewhere"))[0]) == 6
    assert len(_read(tmp_path, ReadOptions(image_folder=str(tmp_path / "elsewhere")))[0]) == 6


def test_a_folder_of_photos_is_no_scene(tmp_path: Path) -> None:
    write_images(make_room(3, 32, 24), tmp_path)
    with pytest.raises(FormatError, match="not their cameras") as caught:
        formats.read(tmp_path, wanted="posed_images")
    assert "method poses" in caught.value.advice


# What check_scene finds


def _room(folder: Path, count: int = 4) -> PosedImages:
    return write_images(make_room(count, 64, 48, num_points=40), folder, with_cues=True)


def _at(posed: PosedImages, positions: np.ndarray) -> PosedImages:
    poses = posed.cameras.cam_from_world.copy()
    poses[:, :3, 3] = -np.einsum("nij,nj->ni", poses[:, :3, :3], positions)
    cameras = posed.cameras
    return replace(posed, cameras=CameraSet(poses, cameras.focal, cameras.center, cameras.size))


def _impossible(posed: PosedImages) -> str:
    with pytest.raises(InputError) as caught:
        check_scene(posed)
    assert caught.value.advice.endswith(".")
    return caught.value.sentence


def _doubts(posed: PosedImages) -> str:
    return " ".join(note.sentence for note in check_scene(posed))


def test_a_good_scene_has_nothing_to_note(tmp_path: Path) -> None:
    assert check_scene(_room(tmp_path)) == ()


def test_too_few_images_are_an_error_and_two_a_warning(tmp_path: Path) -> None:
    posed = _room(tmp_path)
    assert "only one image" in _impossible(posed.select(np.array([2])))
    assert "only two images" in _doubts(posed.select(np.array([0, 2])))
    disabled = np.array([True, True, False, True])
    assert "3 are left out" in _impossible(replace(posed, disabled=disabled))
    assert "no image" in _impossible(posed.select(np.array([], int)))


def test_cameras_in_one_point_are_an_error_and_close_ones_a_warning(tmp_path: Path) -> None:
    posed = _room(tmp_path)
    assert "one point" in _impossible(_at(posed, np.tile([0.3, 0.1, 1.0], (4, 1))))
    assert "one point" in _impossible(_at(replace(posed, points=None, observations=None), np.zeros((4, 3))))
    near = np.array([[0.3, 0.1, 1.0]]) + np.random.default_rng(0).normal(0, 2e-3, (4, 3))
    assert "very close together" in _doubts(_at(posed, near))


def test_cues_of_another_resolution_are_fine_and_of_another_view_an_error(tmp_path: Path) -> None:
    posed = _room(tmp_path)
    assert posed.depth is not None
    for path in posed.depth.paths:
        Image.fromarray(np.full((24, 32), 900, np.uint16)).save(tmp_path / path)
    assert "same everywhere" in _doubts(posed)
    for path in posed.depth.paths:
        Image.fromarray(np.full((48, 48), 900, np.uint16)).save(tmp_path / path)
    assert "48 × 48 pixels, its image 64 × 48" in _impossible(posed)


def test_depth_of_zeros_and_cues_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    posed = _room(tmp_path)
    assert posed.depth is not None and posed.normals is not None
    for path in posed.depth.paths:
        Image.fromarray(np.zeros((48, 64), np.uint16)).save(tmp_path / path)
    assert "zero everywhere" in _doubts(posed)
    (tmp_path / posed.normals.paths[1]).write_bytes(b"x")
    assert "1 of 4 pictures of normals cannot be read" in _doubts(posed)


def test_relative_depth_without_points_is_told(tmp_path: Path) -> None:
    posed = _room(tmp_path)
    assert posed.depth is not None
    posed = replace(posed, points=None, observations=None, depth=DepthCues(posed.depth.paths, "depth"))
    assert "no sparse points" in _doubts(posed)


def test_images_that_went_or_changed_since_are_told(tmp_path: Path) -> None:
    posed = _room(tmp_path)
    posed.images.path(1).unlink()
    assert "1 images cannot be read" in _doubts(posed)
    Image.new("RGB", (50, 50)).save(posed.images.path(1))
    assert "50 × 50 pixels, but its camera 64 × 48" in _impossible(posed)
    for i in range(4):
        posed.images.path(i).unlink()
    assert "None of the images" in _impossible(posed)


def test_photos_without_cameras_are_checked_too(tmp_path: Path) -> None:
    images = _room(tmp_path).images
    assert check_images(images) == ()
    assert "Fewer than three" in check_images(images.select(np.array([0, 1])))[0].sentence
    images.path(0).write_bytes(b"x")
    assert "1 images cannot be read" in check_images(images)[0].sentence
    with pytest.raises(InputError, match="None of the images"):
        check_images(images.select(np.array([0])))
    with pytest.raises(InputError, match="no images"):
        check_images(ImageSet(str(tmp_path), ()))


def test_pictures_that_cannot_be_read_are_told_by_name(tmp_path: Path) -> None:
    posed = _room(tmp_path)
    assert posed.depth is not None and posed.normals is not None
    (tmp_path / posed.images.paths[0]).unlink()
    (tmp_path / posed.images.paths[1]).write_bytes(b"x")
    (tmp_path / posed.depth.paths[0]).write_bytes(b"x")
    Image.new("L", (64, 48)).save(tmp_path / posed.normals.paths[0])
    with pytest.raises(FormatError, match=r"0000\.png: The picture is no longer there"):
        pixels.read_image(posed, 0)
    with pytest.raises(FormatError, match=r"0001\.png: The picture cannot be read"):
        pixels.read_image(posed, 1, (8, 6))
    with pytest.raises(FormatError, match="The depth cannot be read"):
        pixels.read_depth(posed, 0)
    with pytest.raises(FormatError, match="The normal picture cannot be read"):
        pixels.read_normals(posed, 0)
    with pytest.raises(FormatError, match="The mask cannot be read"):
        pixels.read_mask(posed, 1)
    bare = replace(posed, normals=NormalCues(("",) * 4))
    with pytest.raises(FormatError):
        pixels.read_normals(bare, 2)


def test_five_thousand_images_of_20_megapixels_are_read_by_their_headers(tmp_path: Path) -> None:
    count = 5000
    Image.new("1", (5472, 3648)).save(tmp_path / "0.png")
    frames = []
    for i in range(count):
        if i:
            os.link(tmp_path / "0.png", tmp_path / f"{i}.png")
        pose = np.eye(4)
        pose[0, 3] = i
        frames.append({"file_path": f"{i}.png", "transform_matrix": pose.tolist()})
    value = {"fl_x": 4000.0, "w": 5472, "h": 3648, "frames": frames}
    (tmp_path / "transforms.json").write_text(json.dumps(value))
    started = time.process_time()
    posed, notes = _read(tmp_path)
    assert time.process_time() - started < count * 1e-3
    assert len(posed) == count and notes == []
    (tmp_path / "transforms.json").write_text(json.dumps({**value, "frames": frames[:300]}))
    tracemalloc.start()  # slows everything down, hence fewer
    _read(tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 2**23  # one picture unpacked is 2**24 and more
    tracemalloc.stop()


# Fuzzing

FUZZED = {
    "transforms": "transforms.json",
    "meta_data": "meta_data.json",
    "monosdf": "cameras.npz",
    "replica": "traj.txt",
    "scannet": "intrinsic/intrinsic_color.txt",
    "neural_rgbd": "poses.txt",
    "colmap text": "sparse/0/images.txt",
    "colmap binary": "sparse/0/images.bin",
}
OTHER_FILES = {
    "colmap text": ["sparse/0/cameras.txt", "sparse/0/points3D.txt"],
    "colmap binary": ["sparse/0/cameras.bin", "sparse/0/points3D.bin"],
    "replica": ["../cam_params.json"],
    "neural_rgbd": ["focal.txt"],
    "scannet": ["pose/1.txt"],
}
CASES = [(name, file) for name, first in FUZZED.items() for file in [first, *OTHER_FILES.get(name, [])]]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One scene of three views in every format."""
    root = tmp_path_factory.mktemp("scenes")
    small = centered(SCENE.select(np.arange(3)))
    for name in FUZZED:
        folder = root / name.replace(" ", "_") / "scene"
        folder.mkdir(parents=True)
        {**WRITERS, **CENTERED_WRITERS}[name](folder, small)
    return root


def _accepts_or_tells(path: Path) -> None:
    try:
        reading = formats.read(path)
    except (FormatError, InputError) as error:
        assert error.sentence and error.advice
    else:
        assert isinstance(reading.data, PosedImages)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("name", "file"), CASES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_scene_files_are_read_or_refused_in_words(
    scenes: Path, name: str, file: str, data: st.DataObject
) -> None:
    folder = scenes / name.replace(" ", "_") / "scene"
    path = folder / file
    whole = path.read_bytes()
    try:
        path.write_bytes(_damaged(whole, data))
        _accepts_or_tells(folder)
    finally:
        path.write_bytes(whole)


def _damaged(whole: bytes, data: st.DataObject) -> bytes:
    """Cut off, or some bytes or words replaced."""
    if data.draw(st.booleans()):
        return whole[: data.draw(st.integers(0, len(whole) - 1))]
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(changed) - 1))
        word = data.draw(st.one_of(st.binary(min_size=1, max_size=9), st.sampled_from(WORDS)))
        changed[place : place + len(word)] = word
    return bytes(changed)


WORDS = [
    b"nan",
    b"-inf",
    b"1e999",
    b"null",
    b"[]",
    b"{}",
    b'""',
    b"-1",
    b"99999999999999999999",
    b"\n",
    b" ",
    b"\0",
]


@pytest.mark.parametrize(("name", "file"), CASES)
def test_every_file_cut_off_anywhere_is_read_or_refused_in_words(scenes: Path, name: str, file: str) -> None:
    folder = scenes / name.replace(" ", "_") / "scene"
    path = folder / file
    whole = path.read_bytes()
    try:
        for length in np.unique(np.linspace(0, len(whole) - 1, 12).astype(int)):
            path.write_bytes(whole[:length])
            _accepts_or_tells(folder)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("file", ["cameras.bin", "images.bin", "points3D.bin"])
def test_a_binary_model_that_is_cut_off_is_always_refused(scenes: Path, file: str) -> None:
    folder = scenes / "colmap_binary" / "scene"
    path = folder / "sparse/0" / file
    whole = path.read_bytes()
    try:
        for length in range(0, len(whole) - 1, 7):
            path.write_bytes(whole[:length])
            with pytest.raises(FormatError, match="ends too early"):
                formats.read(folder)
    finally:
        path.write_bytes(whole)


def test_files_that_promise_too_much_take_no_memory(scenes: Path) -> None:
    folder = scenes / "colmap_binary" / "scene"
    for name in ("cameras.bin", "images.bin", "points3D.bin"):
        path = folder / "sparse/0" / name
        whole = path.read_bytes()
        path.write_bytes((2**60).to_bytes(8, "little") + whole[8:])
        tracemalloc.start()
        with pytest.raises(FormatError):
            formats.read(folder)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        path.write_bytes(whole)
        assert peak < 2**22
