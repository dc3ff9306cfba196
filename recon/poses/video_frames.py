"""The frames of a video to work with: sharp ones, evenly spread."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.errors import InputError
from recon.formats.atomic_file import replacing
from recon.poses import PosesSettings
from render.images import ImageSet

VIDEO_SUFFIXES = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mts", ".3gp", ".wmv")

_SHARPNESS_SIZE = 640  # px, longer side of the picture whose sharpness is measured
_JPEG_QUALITY = 95
_LIST = "frames.json"


@dataclass(frozen=True)
class _Video:
    path: Path
    num_frames: int
    frames_per_second: float


def choose_frames(video: Path, folder: Path, settings: PosesSettings) -> Iterator[tuple[int, int] | ImageSet]:
    """Write the sharpest frame of each stretch of a video as JPEG into `folder`/images.

    Yields (frame, number of frames) while it reads, and last the images. A second call finds the images that the
    first has written. Raises InputError for what cannot be read, or has no frames.
    """
    done = _read_list(folder)
    if done is None:
        about = _look_at(video)
        stride = _stride(about, settings)
        names: list[str] = []
        best: tuple[float, int, NDArray[np.uint8]] | None = None
        (folder / "images").mkdir(parents=True, exist_ok=True)
        for number, pixels in _frames(about):
            if best is not None and int(number / stride) != int(best[1] / stride):
                names.append(_write(folder, best[1], best[2]))
                best = None
            score = sharpness(pixels)
            if best is None or score > best[0]:
                best = score, number, pixels
            yield number + 1, max(about.num_frames, number + 1)
        if best is None:
            raise InputError(
                f"{video.name} has no frames.", "Check that it plays, or export it as MP4 (H.264)."
            )
        names.append(_write(folder, best[1], best[2]))
        done = names[: settings.max_frames]
        with replacing(folder / _LIST) as beside:
            beside.write_text(json.dumps(done))
    yield ImageSet(str(folder.absolute()), tuple(done))


def sharpness(pixels: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of (H, W, 3) BGR, which blur lowers (Pech-Pacheco et al. 2000)."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    factor = _SHARPNESS_SIZE / max(grey.shape)
    if factor < 1:
        grey = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def _look_at(path: Path) -> _Video:
    if not path.is_file():
        raise InputError(f"There is no video {path.name}.", "Check where it is.")
    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.isOpened():
            raise InputError(
                f"{path.name} cannot be read as a video.",
                "Check that it plays, or export it as MP4 (H.264); frames as images work too.",
            )
        rate = float(capture.get(cv2.CAP_PROP_FPS))
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if count <= 0:  # Streams do not tell.
            count = sum(1 for _ in iter(capture.grab, False))
    finally:
        capture.release()
    return _Video(path, count, rate if np.isfinite(rate) and 0 < rate < 1000 else 30.0)


def _stride(video: _Video, settings: PosesSettings) -> float:
    """Frames in a stretch that gives one image, at least 1."""
    spread = video.num_frames / settings.max_frames
    if settings.frames_per_second > 0:
        spread = max(spread, video.frames_per_second / settings.frames_per_second)
    return max(1.0, spread)


def _frames(video: _Video) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """(number, (H, W, 3) BGR) of every frame that can be decoded."""
    capture = cv2.VideoCapture(str(video.path))
    try:
        number = 0
        while True:
            is_there, pixels = capture.read()
            if not is_there:
                return
            yield number, np.asarray(pixels, np.uint8)
            number += 1
    finally:
        capture.release()


def _write(folder: Path, number: int, pixels: NDArray[np.uint8]) -> str:
    """Write a frame; returns its path in the folder."""
    name = f"images/frame_{number:06d}.jpg"
    is_whole, content = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    assert is_whole
    with replacing(folder / name) as beside:
        content.tofile(beside)
    return name


def _read_list(folder: Path) -> list[str] | None:
    """The images of an earlier attempt that came to its end."""
    with suppress(OSError, ValueError):
        names = json.loads((folder / _LIST).read_text())
        if isinstance(names, list) and names and all((folder / str(name)).exists() for name in names):
            return [str(name) for name in names]
    return None
