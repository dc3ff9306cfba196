"""COLMAP's model as it lies in its files: cameras, images and points; what both encodings share.

Newer models have rigs and frames beside; images.* still holds every pose, so they are not needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from render.lenses import LENS_MODELS

ADVICE = "Copy the model again, or export it again from COLMAP."
Points = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]  # ids, positions, colours

_NO_POINT = -1


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


def as_points(rows: list[tuple[Any, ...]]) -> Points:
    """Rows id, x, y, z, r, g, b, sorted by id; points that are not numbers are left out."""
    rows = sorted((row for row in rows if row[0] < 2**63), key=lambda row: row[0])
    ids = np.array([row[0] for row in rows], np.int64)
    values = np.array([row[1:] for row in rows], np.float64).reshape(-1, 6)
    is_number = np.isfinite(values).all(1)
    values = values[is_number]
    return ids[is_number], values[:, :3], np.clip(values[:, 3:], 0, 255).astype(np.uint8)


def check_model(path: Path, name: str, line: int | None = None) -> None:
    """Raises FormatError for a camera model that is no pinhole with a lens."""
    if name == "EQUIRECTANGULAR":
        sentence = "The camera is a 360° panorama."
        advice = "Cut the panoramas into pinhole pictures first, for example with COLMAP's panorama_sfm.py."
        raise FormatError(path, sentence, advice, line)
    if name not in LENS_MODELS:
        raise FormatError(path, f"The camera model {name!r} is not known.", ADVICE, line)


def num_params(name: str) -> int:
    """Focal lengths, centre and distortion of a camera model."""
    return LENS_MODELS[name].num_focals + 2 + LENS_MODELS[name].num_params


def make_camera(path: Path, name: str, width: int, height: int, params: tuple[float, ...]) -> ColmapCamera:
    """Raises FormatError for numbers that no camera has."""
    if not (0 < width < 2**20 and 0 < height < 2**20) or not np.isfinite(params).all():
        raise FormatError(path, "A camera's size or parameters are impossible.", ADVICE)
    return ColmapCamera(name, (int(width), int(height)), params)


def make_image(
    path: Path,
    name: str,
    camera_id: int,
    pose: list[float],
    point_ids: NDArray[np.int64],
    line: int | None = None,
) -> ColmapImage:
    """pose: quaternion, then translation. point_ids: of every feature, -1 for none. Raises FormatError."""
    if not name or "\n" in name:
        raise FormatError(path, "An image has no name.", ADVICE, line)
    seen = np.unique(point_ids[point_ids != _NO_POINT])
    return ColmapImage(name, camera_id, tuple(pose[:4]), tuple(pose[4:]), seen)
