"""Posed images → a COLMAP model, as binary or as text."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.formats.atomic_file import replacing
from recon.formats.reading import Note
from render.images import PosedImages
from render.lenses import LENS_MODELS, distort

_Camera = tuple[str, int, int, tuple[float, ...]]  # model, width, height, parameters


@dataclass(frozen=True, eq=False)
class _Row:
    """One image with what it sees. pixels: (P, 2) of the picture that was taken. points: (P,) from 0."""

    number: int
    camera: int
    name: str
    quat: NDArray[np.float64]
    translation: NDArray[np.float64]
    pixels: NDArray[np.float64]
    points: NDArray[np.int64]


def write(path: Path, posed: PosedImages) -> tuple[Note, ...]:
    """Write cameras, images and points3D into a folder, or beside a path such as FOLDER/cameras.txt; text where
    it ends in .txt, else binary. Images are named relative to the folder that they share."""
    folder = path.parent if path.suffix.lower() in (".bin", ".txt") else path
    folder.mkdir(parents=True, exist_ok=True)
    is_text = path.suffix.lower() == ".txt"
    cameras, camera_of = _distinct_cameras(posed)
    base = image_base(posed)
    rows = list(_rows(posed, camera_of, base))
    cameras_in = (_cameras_text(cameras), _cameras_binary(cameras))
    images_in = (_images_text(rows), _images_binary(rows))
    points_in = (_points_text(posed, rows), _points_binary(posed, rows))
    for name, (lines, chunks) in zip(
        ("cameras", "images", "points3D"), (cameras_in, images_in, points_in), strict=True
    ):
        with replacing(folder / f"{name}.{'txt' if is_text else 'bin'}") as beside, beside.open("wb") as file:
            encoded = ((line + "\n").encode("utf-8", "surrogateescape") for line in lines)
            file.writelines(encoded if is_text else chunks)
    return (Note("info", f"The model names its images from the folder {base}."),)


def image_base(posed: PosedImages) -> Path:
    """The folder that all images share, from which a COLMAP model names them."""
    parents = {str(posed.images.path(i).absolute().parent) for i in range(len(posed))}
    return Path(os.path.commonpath(parents))


def _distinct_cameras(posed: PosedImages) -> tuple[list[_Camera], list[int]]:
    """Each camera once as (model, width, height, params), and the number from 1 of each image's."""
    numbers: dict[_Camera, int] = {}
    camera_of = [numbers.setdefault(_camera(posed, i), len(numbers) + 1) for i in range(len(posed))]
    return list(numbers), camera_of


def _camera(posed: PosedImages, index: int) -> _Camera:
    assert posed.lens_params is not None
    model = posed.lens_models[index]
    lens = LENS_MODELS[model]
    focal = posed.cameras.focal[index].tolist()
    own = posed.lens_params[index, : lens.num_params].tolist()
    if lens.num_focals == 1 and focal[0] != focal[1]:
        model, own = _with_two_focals(model, own)
    params = (*focal[: LENS_MODELS[model].num_focals], *posed.cameras.center[index].tolist(), *own)
    width, height = posed.cameras.size[index].tolist()
    return model, width, height, params


def _with_two_focals(model: str, params: list[float]) -> tuple[str, list[float]]:
    """The model that holds two focal lengths and bends rays in the same way."""
    wider = {
        "SIMPLE_PINHOLE": ("PINHOLE", 0),
        "SIMPLE_RADIAL": ("OPENCV", 4),
        "RADIAL": ("OPENCV", 4),
        "SIMPLE_RADIAL_FISHEYE": ("OPENCV_FISHEYE", 4),
        "RADIAL_FISHEYE": ("OPENCV_FISHEYE", 4),
        "SIMPLE_FISHEYE": ("FISHEYE", 0),
        "SIMPLE_DIVISION": ("DIVISION", 1),
    }
    name, count = wider[model]
    return name, params + [0.0] * (count - len(params))


def _rows(posed: PosedImages, camera_of: list[int], base: Path) -> Iterator[_Row]:
    assert posed.observations is not None
    for i in range(len(posed)):
        pose = posed.cameras.cam_from_world[i]
        points = np.unique(posed.observations[posed.observations[:, 0] == i, 1]).astype(np.int64)
        name = posed.images.path(i).absolute().relative_to(base).as_posix()
        pixels = _projected(posed, i, points)
        yield _Row(i + 1, camera_of[i], name, quat_of_rotation(pose[:3, :3]), pose[:3, 3], pixels, points)


def _projected(posed: PosedImages, index: int, points: NDArray[np.int64]) -> NDArray[np.float64]:
    """(P, 2) where the points appear in the picture that was taken."""
    assert posed.lens_params is not None
    if not len(points) or posed.points is None:
        return np.zeros((0, 2))
    pose = posed.cameras.cam_from_world[index]
    in_cam = posed.points.points[points] @ pose[:3, :3].T + pose[:3, 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        xy = distort(posed.lens_models[index], posed.lens_params[index], in_cam[:, :2] / in_cam[:, 2:])
    return np.asarray(
        np.nan_to_num(xy * posed.cameras.focal[index] + posed.cameras.center[index]), np.float64
    )


def quat_of_rotation(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4,) w, x, y, z with w ≥ 0 of a (3, 3) rotation: the largest eigenvector of Bar-Itzhack's matrix (2000)."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation
    matrix = np.array(
        [
            [xx + yy + zz, zy - yz, xz - zx, yx - xy],
            [zy - yz, xx - yy - zz, yx + xy, xz + zx],
            [xz - zx, yx + xy, yy - xx - zz, zy + yz],
            [yx - xy, xz + zx, zy + yz, zz - xx - yy],
        ]
    )
    quat = np.linalg.eigh(matrix)[1][:, -1]
    return np.asarray(quat if quat[0] >= 0 else -quat, np.float64)


def _tracks(posed: PosedImages, rows: list[_Row]) -> list[list[tuple[int, int]]]:
    """For each point, (image, place of the point in that image)."""
    assert posed.points is not None
    tracks: list[list[tuple[int, int]]] = [[] for _ in range(len(posed.points.points))]
    for row in rows:
        for place, point in enumerate(row.points.tolist()):
            tracks[point].append((row.number, place))
    return tracks


def _points(posed: PosedImages) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    if posed.points is None:
        return np.zeros((0, 3)), np.zeros((0, 3), np.uint8)
    points, colors = posed.points.points, posed.points.colors
    return points, np.full((len(points), 3), 128, np.uint8) if colors is None else colors


def _cameras_text(cameras: list[_Camera]) -> Iterator[str]:
    yield "# Camera list: CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]"
    for number, (model, width, height, params) in enumerate(cameras, 1):
        yield " ".join([str(number), model, str(width), str(height), *map(repr, params)])


def _images_text(rows: list[_Row]) -> Iterator[str]:
    yield "# Image list: IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME, then POINTS2D[] as (X, Y, POINT3D_ID)"
    for row in rows:
        pose = " ".join(map(repr, [*row.quat.tolist(), *row.translation.tolist()]))
        yield f"{row.number} {pose} {row.camera} {row.name}"
        pairs = zip(row.pixels.tolist(), row.points.tolist(), strict=True)
        yield " ".join(f"{x!r} {y!r} {point + 1}" for (x, y), point in pairs)


def _points_text(posed: PosedImages, rows: list[_Row]) -> Iterator[str]:
    yield "# 3D point list: POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[] as (IMAGE_ID, POINT2D_IDX)"
    if posed.points is None:
        return
    points, colors = _points(posed)
    each = zip(points.tolist(), colors.tolist(), _tracks(posed, rows), strict=True)
    for number, (point, color, track) in enumerate(each, 1):
        words = [*map(repr, point), *map(str, color), "0", *(f"{image} {place}" for image, place in track)]
        yield f"{number} {' '.join(words)}"


def _cameras_binary(cameras: list[_Camera]) -> Iterator[bytes]:
    yield struct.pack("<Q", len(cameras))
    for number, (model, width, height, params) in enumerate(cameras, 1):
        yield struct.pack("<IiQQ", number, LENS_MODELS[model].colmap_id, width, height)
        yield struct.pack(f"<{len(params)}d", *params)


def _images_binary(rows: list[_Row]) -> Iterator[bytes]:
    yield struct.pack("<Q", len(rows))
    for row in rows:
        yield struct.pack("<I7dI", row.number, *row.quat, *row.translation, row.camera)
        yield row.name.encode("utf-8", "surrogateescape") + b"\0"
        table = np.zeros(len(row.points), [("x", "<f8"), ("y", "<f8"), ("id", "<i8")])
        table["x"], table["y"], table["id"] = row.pixels[:, 0], row.pixels[:, 1], row.points + 1
        yield struct.pack("<Q", len(table)) + table.tobytes()


def _points_binary(posed: PosedImages, rows: list[_Row]) -> Iterator[bytes]:
    points, colors = _points(posed)
    yield struct.pack("<Q", len(points))
    if posed.points is None:
        return
    each = zip(points.tolist(), colors.tolist(), _tracks(posed, rows), strict=True)
    for number, (point, color, track) in enumerate(each, 1):
        yield struct.pack("<Q3d3Bd", number, *point, *color, 0.0)
        numbers = [value for pair in track for value in pair]
        yield struct.pack(f"<Q{len(numbers)}I", len(track), *numbers)
