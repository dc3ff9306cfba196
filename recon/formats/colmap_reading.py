"""A folder with COLMAP's files → its model, whichever encoding it has."""

from __future__ import annotations

import struct
from pathlib import Path

from recon.errors import FormatError
from recon.formats import colmap_binary, colmap_text
from recon.formats.colmap_model import ADVICE, ColmapModel, as_points

_BINARY = (colmap_binary.read_cameras, colmap_binary.read_images, colmap_binary.read_points)
_TEXT = (colmap_text.read_cameras, colmap_text.read_images, colmap_text.read_points)


def read_model(folder: Path) -> ColmapModel:
    """Read cameras, images and, where there are any, points; binary where both are there. Raises FormatError."""
    is_binary = (folder / "cameras.bin").is_file() and (folder / "images.bin").is_file()
    suffix, (read_cameras, read_images, read_points) = (".bin", _BINARY) if is_binary else (".txt", _TEXT)
    cameras = read_cameras(folder / f"cameras{suffix}")
    images = read_images(folder / f"images{suffix}")
    points = folder / f"points3D{suffix}"
    ids, positions, colors = read_points(points) if points.is_file() else as_points([])
    for image in images:
        if image.camera_id not in cameras:
            sentence = (
                f"The image {image.name} is of camera {image.camera_id}, which cameras{suffix} does not have."
            )
            raise FormatError(folder / f"images{suffix}", sentence, ADVICE)
    images.sort(key=lambda image: image.name)
    return ColmapModel(cameras, tuple(images), ids, positions, colors)


def count_images(folder: Path) -> int:
    """How many images a model has; 0 where it cannot be told."""
    try:
        if (folder / "images.bin").is_file():
            with (folder / "images.bin").open("rb") as file:
                return int(struct.unpack("<Q", file.read(8))[0])
        return len(colmap_text.read_images(folder / "images.txt"))
    except (OSError, struct.error, FormatError):
        return 0  # The reader of the chosen model tells what is wrong.
