"""COLMAP's model as it lies in its files: cameras, images and points, read from text and from binary.

https://colmap.github.io/format.html; src/colmap/scene/reconstruction_io_{text,binary}.cc. Newer models have rigs and
frames beside; images.* still holds every pose, so they are not needed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from render.lenses import LENS_MODELS

_ADVICE = "Copy the model again, or export it again from COLMAP."
_NO_POINT = -1
_NAMES_BY_ID = {lens.colmap_id: name for name, lens in LENS_MODELS.items()}
_EQUIRECTANGULAR = 17
_LONGEST_NAME = 2**12


@dataclass(frozen=True)
class ColmapCamera:
    """params: focal lengths, centre, distortion, as COLMAP orders them."""

    model: str
    size: tuple[int, int]
    params: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class ColmapImage:
    """quat: w, x, y, z and translation: cam_from_world. point_ids: (P,) int64, the points that it sees."""

    name: str
    camera_id: int
    quat: tuple[float, ...]
    translation: tuple[float, ...]
    point_ids: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ColmapModel:
    """images: in the order of their names. point_ids: (M,) int64, rising. points: (M, 3). colors: (M, 3) uint8."""

    cameras: Mapping[int, ColmapCamera]
    images: tuple[ColmapImage, ...]
    point_ids: NDArray[np.int64]
    points: NDArray[np.float64]
    colors: NDArray[np.uint8]


def read_model(folder: Path) -> ColmapModel:
    """Read cameras, images and, where there are any, points; binary where both are there. Raises FormatError."""
    suffix = ".bin" if (folder / "cameras.bin").is_file() and (folder / "images.bin").is_file() else ".txt"
    read = _BINARY if suffix == ".bin" else _TEXT
    cameras = read["cameras"](folder / f"cameras{suffix}")
    images = read["images"](folder / f"images{suffix}")
    points = folder / f"points3D{suffix}"
    ids, positions, colors = read["points"](points) if points.is_file() else _as_points([])
    for image in images:
        if image.camera_id not in cameras:
            sentence = (
                f"The image {image.name} is of camera {image.camera_id}, which cameras{suffix} does not have."
            )
            raise FormatError(folder / f"images{suffix}", sentence, _ADVICE)
    images.sort(key=lambda image: image.name)
    return ColmapModel(cameras, tuple(images), ids, positions, colors)


def count_images(folder: Path) -> int:
    """How many images a model has; 0 where it cannot be told."""
    try:
        if (folder / "images.bin").is_file():
            with (folder / "images.bin").open("rb") as file:
                return int(struct.unpack("<Q", file.read(8))[0])
        return len(_text_images(folder / "images.txt"))
    except (OSError, struct.error, FormatError):
        return 0  # The reader of the chosen model tells what is wrong.


class _Bytes:
    """Reads numbers one after another; raises FormatError at the file's end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path.read_bytes()
        self.place = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        reader = struct.Struct("<" + layout)
        if self.place + reader.size > len(self.data):
            raise self.truncated()
        values = reader.unpack_from(self.data, self.place)
        self.place += reader.size
        return values

    def skip(self, count: int) -> int:
        """Move on by `count` bytes; returns where they start."""
        start = self.place
        if count > len(self.data) - start:
            raise self.truncated()
        self.place += count
        return start

    def text(self) -> str:
        end = self.data.find(b"\0", self.place, self.place + _LONGEST_NAME)
        if end < 0:
            raise self.truncated()
        name = self.data[self.place : end].decode("utf-8", "surrogateescape")
        self.place = end + 1
        return name

    def count(self, smallest: int) -> int:
        """A number of records of at least `smallest` bytes each."""
        number = int(self.take("Q")[0])
        if number * smallest > len(self.data) - self.place:
            raise self.truncated()
        return number

    def truncated(self) -> FormatError:
        return FormatError(self.path, "The file ends too early, or is damaged.", _ADVICE)


def _binary_cameras(path: Path) -> dict[int, ColmapCamera]:
    file = _Bytes(path)
    cameras = {}
    for _ in range(file.count(24)):
        camera_id, number, width, height = file.take("IiQQ")
        name = _NAMES_BY_ID.get(number, str(number)) if number != _EQUIRECTANGULAR else "EQUIRECTANGULAR"
        _check_model(path, name)
        params = file.take(f"{_num_params(name)}d")
        cameras[camera_id] = _camera(path, name, width, height, params)
    return cameras


def _binary_images(path: Path) -> list[ColmapImage]:
    file = _Bytes(path)
    images = []
    for _ in range(file.count(73)):
        _, *pose, camera_id = file.take("I7dI")
        name = file.text()
        num_points = file.count(24)
        start = file.skip(24 * num_points)
        table = np.frombuffer(file.data, np.int64, 3 * num_points, start).reshape(-1, 3)
        images.append(_image(path, name, camera_id, pose, table[:, 2].copy()))
    return images


def _binary_points(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]:
    file = _Bytes(path)
    rows = []
    record = struct.Struct("<Q3d3Bd")
    for _ in range(file.count(record.size + 8)):
        number, *values = file.take("Q3d3Bd")
        rows.append((number, *values[:6]))
        file.skip(8 * file.count(8))
    return _as_points(rows)


def _text_cameras(path: Path) -> dict[int, ColmapCamera]:
    cameras = {}
    for number, line in _lines(path):
        words = line.split()
        if not words:
            continue
        _check_model(path, words[1] if len(words) > 1 else "", number)
        count = _num_params(words[1])
        values = _numbers(path, number, words[2:])
        if len(values) != count + 2:
            raise FormatError(path, f"A {words[1]} camera has {count} parameters.", _ADVICE, number)
        width, height = _whole(path, number, words[2]), _whole(path, number, words[3])
        camera_id = _whole(path, number, words[0])
        cameras[camera_id] = _camera(path, words[1], width, height, tuple(values[2:]))
    return cameras


def _text_images(path: Path) -> list[ColmapImage]:
    """Two lines for each image; the second, of its points, may be empty or missing."""
    images = []
    lines = list(_lines(path))
    place = 0
    while place < len(lines):
        number, line = lines[place]
        place += 1
        if not line.strip():
            continue
        words = line.strip().split(maxsplit=9)
        if len(words) < 10:
            raise FormatError(path, "An image needs ten values: id, pose, camera, name.", _ADVICE, number)
        ids = np.zeros(0, np.int64)
        if place < len(lines) and not _is_image_line(lines[place][1]):
            ids = _text_point_ids(path, *lines[place])
            place += 1
        pose = _numbers(path, number, words[1:8])
        images.append(_image(path, words[9], _whole(path, number, words[8]), pose, ids, number))
    return images


def _is_image_line(line: str) -> bool:
    """Whether this is the next image, because a writer left out the line of points of the one before."""
    words = line.split(maxsplit=9)
    return len(words) == 10 and not _is_number(words[9].split()[0])


def _text_point_ids(path: Path, number: int, line: str) -> NDArray[np.int64]:
    words = line.split()
    if len(words) % 3:
        raise FormatError(path, "The line of points does not hold x, y and id of each.", _ADVICE, number)
    try:
        return np.array(words[2::3], np.int64)
    except (ValueError, OverflowError) as error:
        raise FormatError(path, "The id of a point is no number.", _ADVICE, number, str(error)) from error


def _text_points(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]:
    rows = []
    for number, line in _lines(path):
        words = line.split(maxsplit=8)
        if not words:
            continue
        if len(words) < 7:
            raise FormatError(path, "A point needs its id, position and colour.", _ADVICE, number)
        values = _numbers(path, number, words[1:7])
        rows.append((_whole(path, number, words[0]), *values))
    return _as_points(rows)


def _as_points(
    rows: list[tuple[Any, ...]],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]:
    """Rows id, x, y, z, r, g, b, sorted by id; points that are not numbers are left out."""
    rows = sorted(
        (row for row in rows if np.isfinite(row[1:]).all() and row[0] < 2**63), key=lambda row: row[0]
    )
    values = np.array([row[1:] for row in rows], np.float64).reshape(-1, 6)
    ids = np.array([row[0] for row in rows], np.int64)
    return ids, values[:, :3], np.clip(values[:, 3:], 0, 255).astype(np.uint8)


def _check_model(path: Path, name: str, line: int | None = None) -> None:
    if name == "EQUIRECTANGULAR":
        sentence = "The camera is a 360° panorama."
        advice = "Cut the panoramas into pinhole pictures first, for example with COLMAP's panorama_sfm.py."
        raise FormatError(path, sentence, advice, line)
    if name not in LENS_MODELS:
        raise FormatError(path, f"The camera model {name!r} is not known.", _ADVICE, line)


def _num_params(name: str) -> int:
    return LENS_MODELS[name].num_focals + 2 + LENS_MODELS[name].num_params


def _camera(path: Path, name: str, width: int, height: int, params: tuple[float, ...]) -> ColmapCamera:
    if not (0 < width < 2**20 and 0 < height < 2**20) or not np.isfinite(params).all():
        raise FormatError(path, "A camera's size or parameters are impossible.", _ADVICE)
    return ColmapCamera(name, (int(width), int(height)), params)


def _image(
    path: Path,
    name: str,
    camera_id: int,
    pose: list[float],
    point_ids: NDArray[np.int64],
    line: int | None = None,
) -> ColmapImage:
    if not name or "\n" in name:
        raise FormatError(path, "An image has no name.", _ADVICE, line)
    seen = np.unique(point_ids[point_ids != _NO_POINT])
    return ColmapImage(name, camera_id, tuple(pose[:4]), tuple(pose[4:]), seen)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines with their numbers from 1, without comments; empty lines count in images.txt and stay."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except FileNotFoundError as error:
        raise FormatError(path, "The model lacks this file.", _ADVICE) from error
    for number, line in enumerate(text.split("\n"), 1):
        if not line.lstrip().startswith("#"):
            yield number, line


def _numbers(path: Path, line: int, words: list[str]) -> list[float]:
    try:
        return [float(word) for word in words]
    except ValueError as error:
        raise FormatError(
            path, "There is a word where a number must be.", _ADVICE, line, str(error)
        ) from error


def _whole(path: Path, line: int, word: str) -> int:
    if not word.isdecimal() or len(word) > 18:
        raise FormatError(path, f"{word[:20]!r} is no whole number.", _ADVICE, line)
    return int(word)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


_BINARY: Mapping[str, Callable[[Path], Any]] = {
    "cameras": _binary_cameras,
    "images": _binary_images,
    "points": _binary_points,
}
_TEXT: Mapping[str, Callable[[Path], Any]] = {
    "cameras": _text_cameras,
    "images": _text_images,
    "points": _text_points,
}
