"""Frames of a video: sharp ones, evenly spread; and poses from a video."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from recon.errors import InputError
from recon.poses import METHOD
from recon.poses.video_frames import choose_frames, sharpness
from render.images import ImageSet
from tests.recon.poses.scenes import deviation, find_poses
from tests.synthetic_room import make_room


def write_video(path: Path, frames: np.ndarray, rate: float = 10.0) -> Path:
    """(N, H, W, 3) RGB as MP4."""
    height, width = frames.shape[1:3]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, (width, height))
    assert writer.isOpened()
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    return path


def textured(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 255, (count, 15, 20, 3), np.uint8).repeat(8, 1).repeat(8, 2)


def chosen(video: Path, folder: Path, **settings: object) -> ImageSet:
    *said, images = choose_frames(video, folder, METHOD.make_settings(settings))  # type: ignore[arg-type]
    assert isinstance(images, ImageSet)
    assert all(isinstance(each, tuple) and each[0] <= each[1] for each in said)
    return images


def numbers(images: ImageSet) -> list[int]:
    return [int(path[-10:-4]) for path in images.paths]


def test_a_blurred_picture_is_less_sharp() -> None:
    sharp = textured(1)[0]
    assert sharpness(sharp) > 2 * sharpness(cv2.GaussianBlur(sharp, (0, 0), 1.0))


def test_the_sharpest_frame_of_each_stretch_is_taken(tmp_path: Path) -> None:
    frames = textured(24)
    sharp = [1, 6, 8, 15, 17, 22]
    for i in set(range(24)) - set(sharp):
        frames[i] = cv2.GaussianBlur(frames[i], (0, 0), 3.0)
    images = chosen(write_video(tmp_path / "v.mp4", frames), tmp_path / "run", max_frames=6)
    assert numbers(images) == sharp
    written = cv2.imread(str(images.path(0)))
    assert np.abs(written[..., ::-1].astype(float) - frames[1]).mean() < 25


def test_frames_a_second_limit_the_number_and_the_largest_number_holds(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", textured(30))
    assert len(chosen(video, tmp_path / "a", frames_per_second=2.0)) == 6
    assert len(chosen(video, tmp_path / "b", frames_per_second=10.0, max_frames=7)) == 7
    assert len(chosen(video, tmp_path / "c")) == 30
    spacing = np.diff(numbers(chosen(video, tmp_path / "d", max_frames=5)))
    assert spacing.max() <= 11


def test_frames_that_are_written_are_found_again(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", textured(10))
    first = chosen(video, tmp_path / "run", max_frames=5)
    times = [first.path(i).stat().st_mtime_ns for i in range(5)]
    again = chosen(video, tmp_path / "run", max_frames=5)
    assert again.paths == first.paths
    assert [again.path(i).stat().st_mtime_ns for i in range(5)] == times


@pytest.mark.parametrize("content", [b"", b"this is no video" * 100])
def test_what_is_no_video_is_told_with_advice(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "v.mp4").write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as a video") as error:
        chosen(tmp_path / "v.mp4", tmp_path / "run")
    assert "MP4" in error.value.advice
    with pytest.raises(InputError, match="no video"):
        chosen(tmp_path / "missing.mp4", tmp_path / "run")


def test_poses_come_from_a_video_through_the_room(tmp_path: Path) -> None:
    scene = make_room(16, 320, 240, seed=2)
    order = np.arange(9)
    frames = scene.rgb[order].repeat(2, 0)
    frames[1::2] = [cv2.GaussianBlur(frame, (0, 0), 4.0) for frame in frames[1::2]]
    video = write_video(tmp_path / "walk.mp4", frames)
    images = ImageSet(str(tmp_path), ("walk.mp4",), is_video=True)
    posed, figures = find_poses(images, tmp_path / "run", max_frames=9)
    assert video.exists()
    assert not posed.images.is_video
    assert figures["registered"] == figures["images"] == 9
    assert [path.parent for path in map(posed.images.path, range(9))] == [tmp_path / "run" / "images"] * 9
    off = deviation(posed.cameras, scene.posed.cameras.select(order))
    assert np.sqrt((off.centers**2).mean()) < 0.04
    assert off.degrees.max() < 1.5
