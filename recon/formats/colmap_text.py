"""COLMAP's cameras.txt, images.txt and points3D.txt: https://colmap.github.io/format.html."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.colmap_model import (
    ADVICE,
    ColmapCamera,
    ColmapImage,
    Points,
    as_points,
    check_model,
    make_camera,
    make_image,
    num_params,
)


def read_cameras(path: Path) -> dict[int, ColmapCamera]:
    cameras = {}
    for number, line in _lines(path):
        words = line.split()
        if not words:
            continue
        check_model(path, words[1] if len(words) > 1 else "", number)
        count = num_params(words[1])
        values = _numbers(path, number, words[2:])
        if len(values) != count + 2:
            raise FormatError(path, f"A {words[1]} camera has {count} parameters.", ADVICE, number)
        width, height = _whole(path, number, words[2]), _whole(path, number, words[3])
        camera_id = _whole(path, number, words[0])
        cameras[camera_id] = make_camera(path, words[1], width, height, tuple(values[2:]))
    return cameras


def read_images(path: Path) -> list[ColmapImage]:
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
            raise FormatError(path, "An image needs ten values: id, pose, camera, name.", ADVICE, number)
        ids = np.zeros(0, np.int64)
        if place < len(lines) and not _is_image_line(lines[place][1]):
            ids = _text_point_ids(path, *lines[place])
            place += 1
        pose = _numbers(path, number, words[1:8])
        images.append(make_image(path, words[9], _whole(path, number, words[8]), pose, ids, number))
    return images


def _is_image_line(line: str) -> bool:
    """Whether this is the next image, because a writer left out the line of points of the one before."""
    words = line.split(maxsplit=9)
    return len(words) == 10 and not _is_number(words[9].split()[0])


def _text_point_ids(path: Path, number: int, line: str) -> NDArray[np.int64]:
    words = line.split()
    if len(words) % 3:
        raise FormatError(path, "The line of points does not hold x, y and id of each.", ADVICE, number)
    try:
        return np.array(words[2::3], np.int64)
    except (ValueError, OverflowError) as error:
        raise FormatError(path, "The id of a point is no number.", ADVICE, number, str(error)) from error


def read_points(path: Path) -> Points:
    rows = []
    for number, line in _lines(path):
        words = line.split(maxsplit=8)
        if not words:
            continue
        if len(words) < 7:
            raise FormatError(path, "A point needs its id, position and colour.", ADVICE, number)
        values = _numbers(path, number, words[1:7])
        rows.append((_whole(path, number, words[0]), *values))
    return as_points(rows)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines with their numbers from 1, without comments; empty lines count in images.txt and stay."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except FileNotFoundError as error:
        raise FormatError(path, "The model lacks this file.", ADVICE) from error
    for number, line in enumerate(text.split("\n"), 1):
        if not line.lstrip().startswith("#"):
            yield number, line


def _numbers(path: Path, line: int, words: list[str]) -> list[float]:
    try:
        return [float(word) for word in words]
    except ValueError as error:
        raise FormatError(
            path, "There is a word where a number must be.", ADVICE, line, str(error)
        ) from error


def _whole(path: Path, line: int, word: str) -> int:
    if not word.isdecimal() or len(word) > 18:
        raise FormatError(path, f"{word[:20]!r} is no whole number.", ADVICE, line)
    return int(word)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
