"""COLMAP's cameras.bin, images.bin and points3D.bin: src/colmap/scene/reconstruction_io_binary.cc."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

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
from render.lenses import LENS_MODELS

_NAMES_BY_ID = {lens.colmap_id: name for name, lens in LENS_MODELS.items()}
_EQUIRECTANGULAR = 17
_LONGEST_NAME = 2**12


def read_cameras(path: Path) -> dict[int, ColmapCamera]:
    file = _Bytes(path)
    cameras = {}
    for _ in range(file.count(24)):
        camera_id, number, width, height = file.take("IiQQ")
        name = _NAMES_BY_ID.get(number, str(number)) if number != _EQUIRECTANGULAR else "EQUIRECTANGULAR"
        check_model(path, name)
        params = file.take(f"{num_params(name)}d")
        cameras[camera_id] = make_camera(path, name, width, height, params)
    return cameras


def read_images(path: Path) -> list[ColmapImage]:
    file = _Bytes(path)
    images = []
    for _ in range(file.count(73)):
        _, *pose, camera_id = file.take("I7dI")
        name = file.text()
        num_points = file.count(24)
        start = file.skip(24 * num_points)
        table = np.frombuffer(file.data, np.int64, 3 * num_points, start).reshape(-1, 3)
        images.append(make_image(path, name, camera_id, pose, table[:, 2].copy()))
    return images


def read_points(path: Path) -> Points:
    file = _Bytes(path)
    rows = []
    record = struct.Struct("<Q3d3Bd")
    for _ in range(file.count(record.size + 8)):
        number, *values = file.take("Q3d3Bd")
        rows.append((number, *values[:6]))
        file.skip(8 * file.count(8))
    return as_points(rows)


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
        return FormatError(self.path, "The file ends too early, or is damaged.", ADVICE)
