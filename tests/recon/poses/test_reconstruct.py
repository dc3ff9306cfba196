"""Camera poses from photos: rooms whose cameras are known, resuming, ending early, and bad input."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recon import run_folder
from recon.errors import InputError
from recon.method import StopRequested
from recon.poses.database import MatchDatabase
from recon.run_folder import RunFolder
from render.image_files import read_image
from render.images import ImageSet, PosedImages
from tests.recon.poses.scenes import deviation, drive, find_poses, of_images, start
from tests.synthetic_room import RoomScene, make_room, write_images

NUM_VIEWS = 12
STAGES = ("Finding features", "Matching images", "Placing images", "Colouring points")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> tuple[RoomScene, PosedImages]:
    """A room and its photos as files, with the true cameras."""
    scene = make_room(NUM_VIEWS, 320, 240, seed=3)
    return scene, write_images(scene, tmp_path_factory.mktemp("room"))


@pytest.fixture(scope="module")
def few(room: tuple[RoomScene, PosedImages]) -> ImageSet:
    """Five neighbouring photos of the room."""
    return room[1].images.select(np.arange(5))


def test_cameras_of_a_room_come_back_within_two_centimetres_and_one_degree(
    room: tuple[RoomScene, PosedImages], tmp_path: Path
) -> None:
    scene, true = room
    result, said = drive(start(true.images, tmp_path))
    found = result.outputs[0].data
    assert isinstance(found, PosedImages)
    assert len(found) == NUM_VIEWS
    assert found.images.paths == true.images.paths
    assert found.images.folder == true.images.folder
    off = deviation(found.cameras, true.cameras)
    assert np.sqrt((off.centers**2).mean()) < 0.02
    assert off.degrees.max() < 1
    assert found.cameras.focal == pytest.approx(true.cameras.focal, rel=0.02)
    up_in_true = off.true_from_found.apply_to_directions([0, 0, 1])
    assert np.degrees(np.arccos(up_in_true[2])) < 1
    assert result.figures["registered"] == result.figures["images"] == NUM_VIEWS
    assert result.figures["reprojection_error_px"] < 0.6
    assert [stage for stage in STAGES if any(p.stage == stage for p in said)] == list(STAGES)
    features = [p.step for p in said if p.stage == "Finding features"]
    assert set(range(1, NUM_VIEWS + 1)) <= set(features)
    points_in_true = off.true_from_found.apply(found.points.points)
    assert np.median(np.abs(_room_distance(points_in_true))) < 0.02
    _check_observations(found, scene)


def _room_distance(points: np.ndarray) -> np.ndarray:
    from tests.synthetic_room import room_sdf

    return room_sdf(points)


def _check_observations(found: PosedImages, scene: RoomScene) -> None:
    """Points appear where their observations say, in the colour that they were given."""
    image, point = found.observations.T
    pose = found.cameras.cam_from_world[image]
    in_cam = np.einsum("nij,nj->ni", pose[:, :3, :3], found.points.points[point]) + pose[:, :3, 3]
    assert (in_cam[:, 2] > 0).all()
    pixel = in_cam[:, :2] / in_cam[:, 2:] * found.cameras.focal[image] + found.cameras.center[image]
    assert ((pixel > -2) & (pixel < found.cameras.size[image] + 2)).mean() > 0.99
    column, row = np.clip(np.floor(pixel).astype(int), 0, [319, 239]).T
    shown = scene.rgb[image, row, column].astype(float)
    assert np.median(np.abs(shown - found.points.colors[point]).max(1)) < 20


def test_the_same_seed_gives_the_same_cameras(
    few: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    first, _ = find_poses(few, tmp_path / "a", seed=5)
    second, _ = find_poses(few, tmp_path / "b", seed=5)
    assert np.array_equal(first.cameras.cam_from_world, second.cameras.cam_from_world)
    assert np.array_equal(first.points.points, second.points.points)


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_closed_in_any_stage_ends_within_two_seconds_and_goes_on_later(
    few: ImageSet, tmp_path: Path, stage: str
) -> None:
    run = start(few, tmp_path)
    while next(run).stage != stage:
        pass
    began = time.monotonic()
    run.close()
    assert time.monotonic() - began < 2
    assert not [thread for thread in threading.enumerate() if thread.name == "mapping"]
    posed, figures = find_poses(few, tmp_path)
    assert figures["registered"] == len(posed) == 5


def test_a_stopped_mapping_gives_what_was_placed(room: tuple[RoomScene, PosedImages], tmp_path: Path) -> None:
    run = start(room[1].images, tmp_path)
    while True:
        progress = next(run)
        if progress.stage == "Placing images" and progress.step >= 4:
            break
    with pytest.raises(StopIteration) as end:
        run.throw(StopRequested())
        while True:
            next(run)
    posed = end.value.value.outputs[0].data
    assert 4 <= len(posed) <= NUM_VIEWS


@pytest.mark.parametrize("stage", ["Finding features", "Matching images", "Placing images"])
def test_a_killed_worker_goes_on_from_what_is_done(
    room: tuple[RoomScene, PosedImages], tmp_path: Path, stage: str
) -> None:
    true = room[1].select(np.arange(7))
    folder = run_folder.create(tmp_path / "run", "poses", {}, {"images": true.images}, checkpoint_seconds=0.0)
    command = [sys.executable, "-m", "recon.worker", str(folder.path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    try:
        assert process.stdout is not None
        said = (json.loads(line) for line in process.stdout)
        next(event for event in said if event.get("stage") == stage and event["step"] >= 3)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    done = _features_in(folder)
    assert done
    assert subprocess.run(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL).returncode == 0
    posed = RunFolder(folder.path).outputs[0].data
    assert isinstance(posed, PosedImages)
    assert len(posed) == 7
    off = deviation(posed.cameras, true.cameras)
    assert np.sqrt((off.centers**2).mean()) < 0.02
    begun = [n for n, event in enumerate(folder.events()) if event["event"] == "hello"]
    assert len(begun) == 2
    steps = [
        event["step"]
        for event in folder.events()[begun[1] :]
        if event["event"] == "progress" and event["stage"] == "Finding features"
    ]
    assert all(step >= len(done) for step in steps)  # nothing was computed twice
    assert done <= _features_in(folder)


def test_a_worker_that_is_asked_to_end_keeps_its_checkpoint(few: ImageSet, tmp_path: Path) -> None:
    """COLMAP's own answer to SIGTERM would be a stack trace and death."""
    folder = run_folder.create(tmp_path / "run", "poses", {}, {"images": few}, checkpoint_seconds=0.0)
    command = [sys.executable, "-m", "recon.worker", str(folder.path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    try:
        assert process.stdout is not None
        said = (json.loads(line) for line in process.stdout)
        next(event for event in said if event.get("stage") == "Finding features")
        process.send_signal(signal.SIGTERM)
        states = [event["state"] for event in said if event["event"] == "state"]
    finally:
        process.communicate(timeout=20)
    assert process.returncode == 0
    assert states[-1] == "interrupted"
    assert folder.has_checkpoint


def _features_in(folder: RunFolder) -> set[int]:
    with MatchDatabase(folder.path / "files" / "database.db") as database:
        return {i for i in database.images if database.has_features(i)}


def test_previews_show_the_cameras_placed_so_far(
    room: tuple[RoomScene, PosedImages], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recon.poses.mapping._LOOK_SECONDS", 0.002)
    _, said = drive(start(room[1].images.select(np.arange(9)), tmp_path, previews=True))
    previews = [progress.preview for progress in said if progress.preview is not None]
    assert previews
    assert all(isinstance(preview, PosedImages) and 2 <= len(preview) <= 9 for preview in previews)


@pytest.mark.parametrize("pairing", ["neighbours", "look-alike"])
def test_images_need_not_all_be_compared(
    room: tuple[RoomScene, PosedImages], tmp_path: Path, pairing: str
) -> None:
    posed, _ = find_poses(room[1].images.select(np.arange(7)), tmp_path, pairing=pairing)
    assert len(posed) == 7
    off = deviation(posed.cameras, room[1].cameras.select(np.arange(7)))
    assert np.sqrt((off.centers**2).mean()) < 0.02


# Bad input


def test_no_image_and_one_image_are_refused_with_advice(few: ImageSet, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no images") as none:
        next(start(few.select(np.zeros(0, int)), tmp_path / "none"))
    assert none.value.advice
    with pytest.raises(InputError, match="One image") as one:
        drive(start(few.select(np.array([0])), tmp_path / "one"))
    assert "more" in one.value.advice or "10 to 20" in one.value.advice


def test_two_images_are_placed_with_a_warning(
    few: ImageSet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        posed, figures = find_poses(few.select(np.array([0, 1])), tmp_path)
    assert len(posed) == figures["registered"] == 2
    assert "uncertain" in caplog.text


def test_an_unreadable_image_is_left_out_and_named(
    few: ImageSet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for i in range(5):
        (tmp_path / f"{i}.png").write_bytes(few.path(i).read_bytes())
    (tmp_path / "5.png").write_bytes(b"this is no picture")
    (tmp_path / "6.png").write_bytes(few.path(0).read_bytes()[:5000])
    images = ImageSet(str(tmp_path), tuple(f"{i}.png" for i in range(7)))
    with caplog.at_level(logging.WARNING):
        posed, figures = find_poses(images, tmp_path / "run")
    assert posed.images.paths == tuple(f"{i}.png" for i in range(5))
    assert [row["image"] for row in figures["not_registered"]] == ["5.png", "6.png"]
    assert {row["reason"] for row in figures["not_registered"]} == {"unreadable"}
    assert "5.png" in caplog.text
    assert "6.png" in caplog.text


def test_pictures_without_texture_are_told_with_advice(tmp_path: Path) -> None:
    for i in range(3):
        Image.new("RGB", (320, 240), (90 + i, 120, 200)).save(tmp_path / f"{i}.png")
    images = ImageSet(str(tmp_path), ("0.png", "1.png", "2.png"))
    with pytest.raises(InputError, match="3 of 3 have too few features") as error:
        find_poses(images, tmp_path / "run")
    assert "texture" in error.value.advice


def test_pictures_of_different_things_are_told_with_advice(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for i in range(3):
        blocks = rng.integers(0, 255, (30, 40, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        Image.fromarray(blocks).save(tmp_path / f"{i}.png")
    images = ImageSet(str(tmp_path), ("0.png", "1.png", "2.png"))
    with pytest.raises(InputError, match="3 match no other image") as error:
        find_poses(images, tmp_path / "run")
    assert "more photos" in error.value.advice


def test_two_scenes_in_one_folder_make_two_groups_to_choose_from(
    few: ImageSet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = write_images(_another_room(), tmp_path / "other").images.select(np.arange(4))
    paths = (*(str(few.path(i)) for i in range(5)), *(str(other.path(i)) for i in range(4)))
    images = ImageSet(str(tmp_path), paths)
    with caplog.at_level(logging.WARNING):
        posed, figures = find_poses(images, tmp_path / "run")
    assert [model["images"] for model in figures["models"]] == [5, 4]
    assert posed.images.paths == paths[:5]
    assert {row["reason"] for row in figures["not_registered"]} == {"in another group"}
    assert "2 groups" in caplog.text
    second, _ = find_poses(images, tmp_path / "run", model=2)
    assert second.images.paths == paths[5:]
    with pytest.raises(InputError, match="no group 3"):
        find_poses(images, tmp_path / "run", model=3)


def _another_room() -> RoomScene:
    """The room mirrored and in other colours, so that nothing of it matches the first."""
    scene = make_room(NUM_VIEWS, 320, 240, seed=8)
    flipped = np.ascontiguousarray(255 - scene.rgb[:, ::-1, :, ::-1])
    return RoomScene(scene.posed, flipped, scene.depth, scene.normals)


def test_one_lens_for_images_of_two_sizes_is_refused(few: ImageSet, tmp_path: Path) -> None:
    Image.fromarray(read_image(few, 0)).resize((160, 120)).save(tmp_path / "small.png")
    images = ImageSet(str(tmp_path), (str(few.path(1)), "small.png"))
    with pytest.raises(InputError, match="2 sizes"):
        find_poses(images, tmp_path / "run", lenses="one")


# Masks and lenses


def test_nothing_is_seen_where_a_mask_leaves_out(
    room: tuple[RoomScene, PosedImages], few: ImageSet, tmp_path: Path
) -> None:
    mask = np.full((240, 320), 255, np.uint8)
    mask[:, :50] = 0
    Image.fromarray(mask).save(tmp_path / "mask.png")
    masked = ImageSet(few.folder, few.paths, (str(tmp_path / "mask.png"),) * 5)
    posed, _ = find_poses(masked, tmp_path / "run")
    with MatchDatabase(tmp_path / "run" / "database.db") as database:
        columns = np.concatenate([database.features(i).points[:, 0] for i in range(5)])
    assert columns.min() >= 50
    assert len(columns) > 2000
    assert len(posed) == 5
    assert posed.images.mask_paths == masked.mask_paths


def test_each_image_may_have_a_lens_of_its_own(few: ImageSet, tmp_path: Path) -> None:
    posed, figures = find_poses(
        few, tmp_path, lenses="each", camera_model="SIMPLE_PINHOLE", field_of_view=67.4
    )
    assert posed.lens_models == ("SIMPLE_PINHOLE",) * len(posed)
    assert len(np.unique(posed.cameras.focal[:, 0])) == len(posed)
    assert len(figures["lenses"]) == len(posed)


def test_a_distorted_lens_is_found_with_its_distortion(
    room: tuple[RoomScene, PosedImages], tmp_path: Path
) -> None:
    import cv2

    true = room[1]
    x, y = np.meshgrid(np.arange(320) + 0.5, np.arange(240) + 0.5)
    center, focal = true.cameras.center[0], true.cameras.focal[0, 0]
    distorted = np.stack([(x - center[0]) / focal, (y - center[1]) / focal], -1)
    straight = distorted.copy()
    for _ in range(50):
        straight = distorted / (1 - 0.12 * (straight**2).sum(-1, keepdims=True))
    where = (straight * focal + center - 0.5).astype(np.float32)
    for i in range(NUM_VIEWS):
        bent = cv2.remap(room[0].rgb[i], where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        Image.fromarray(bent).save(tmp_path / f"{i:04d}.png")
    images = ImageSet(str(tmp_path), tuple(f"{i:04d}.png" for i in range(NUM_VIEWS)))
    posed, _ = find_poses(images, tmp_path / "run")
    off = deviation(posed.cameras, of_images(true, posed))
    assert np.sqrt((off.centers**2).mean()) < 0.03
    assert posed.lens_models[0] == "SIMPLE_RADIAL"
    assert posed.lens_params[0, 0] == pytest.approx(-0.12, abs=0.03)
