"""sdfstudio's meta_data.json → posed images in the scene's world frame.

`camtoworld` has OpenCV's camera axes and lies in a box of about [-1, 1]³; `worldtogt` leads out of it.
https://github.com/autonomousvision/sdfstudio/blob/master/docs/sdfstudio-data.md
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.camera_matrix import read_matrix_file
from recon.formats.json_scene import frames_of, load_object, number, picture_path, pose_matrix, text
from recon.formats.posed_views import assemble
from recon.formats.reading import Note, Reading, ReadOptions
from recon.formats.scene_files import mask_beside
from recon.formats.scene_sniffing import META_DATA
from recon.formats.scene_views import Lens, Scene, View
from recon.formats.sparse_points import with_sparse_points
from render.images import DepthKind
from render.points import PointCloud
from render.transforms import Similarity3

_ADVICE = "Export the scene again from sdfstudio."
_FARTHEST = 1e9  # corner of a box: beyond, numbers are damaged


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Read a meta_data.json, or the one of a folder. Raises FormatError."""
    file = path if path.is_file() else path / META_DATA[0]
    value = load_object(file)
    frames = frames_of(file, value, "rgb_path")
    world_from_box = _world_from_box(file, value)
    depth_key, kind = _depth_key(frames)
    size = _size(file, value)
    views = [_view(file, frame, world_from_box, size, depth_key, options) for frame in frames]
    points, observations = _points(file, frames, world_from_box)
    scene = Scene(
        file,
        file.parent,
        views,
        kind,
        _depth_scale(frames, depth_key, world_from_box),
        points=points,
        observations=observations,
        notes=tuple(_notes(file, value, frames)),
        world_from_region=_region(file, value, world_from_box),
    )
    return with_sparse_points(assemble(scene, options), file.parent)


def _world_from_box(file: Path, value: Mapping[str, Any]) -> Similarity3:
    if value.get("worldtogt") is None:
        return Similarity3.identity()
    matrix = pose_matrix(file, value["worldtogt"], "worldtogt")
    scale = float(np.cbrt(np.linalg.det(matrix[:3, :3])))
    try:
        return Similarity3(matrix[:3, :3] / scale, matrix[:3, 3], scale)
    except (ValueError, ZeroDivisionError) as error:
        sentence = "worldtogt is no rotation, scale and shift."
        raise FormatError(file, sentence, _ADVICE, details=str(error)) from error


def _region(file: Path, value: Mapping[str, Any], world_from_box: Similarity3) -> NDArray[np.float64] | None:
    """The scene's box where rays are bounded by it; with other colliders it holds no more than a guess."""
    box = value.get("scene_box")
    if not isinstance(box, Mapping) or box.get("collider_type") != "box" or box.get("aabb") is None:
        return None
    try:
        corners = np.array(box["aabb"], np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(file, "scene_box.aabb holds no corners.", _ADVICE, details=str(error)) from error
    if corners.shape != (2, 3) or not np.isfinite(corners).all() or not (corners[1] > corners[0]).all():
        raise FormatError(file, "scene_box.aabb is no box of two corners.", _ADVICE)
    if np.abs(corners).max() > _FARTHEST:
        raise FormatError(file, "scene_box.aabb lies too far out.", _ADVICE)
    region = np.eye(4)
    region[:3, :3] = np.diag(np.diff(corners, axis=0)[0] / 2)
    region[:3, 3] = corners.mean(0)
    return world_from_box.matrix @ region


def _view(
    file: Path,
    frame: Mapping[str, Any],
    world_from_box: Similarity3,
    size: tuple[int, int] | None,
    depth_key: str,
    options: ReadOptions,
) -> View:
    root = file.parent
    path = picture_path(root, frame["rgb_path"])
    if options.image_folder is not None:
        path = root / options.image_folder / Path(frame["rgb_path"]).name
    in_box = pose_matrix(file, frame.get("camtoworld"), f"The pose of {path.name}")
    pose = in_box.copy()
    pose[:3, :3] = world_from_box.rotation @ in_box[:3, :3]
    pose[:3, 3] = world_from_box.apply(in_box[:3, 3])
    k = pose_matrix(file, frame.get("intrinsics"), f"The intrinsics of {path.name}")[:3, :3]
    mask, depth, normal = (text(frame, key) for key in ("foreground_mask", depth_key, "mono_normal_path"))
    return View(
        path,
        pose,
        Lens((k[0, 0], k[1, 1]), (k[0, 2], k[1, 2]), size),
        root / mask if mask else mask_beside(root, path),
        root / depth if depth else None,
        root / normal if normal else None,
    )


def _depth_key(frames: list[dict[str, Any]]) -> tuple[str, DepthKind]:
    """A sensor's depth where any frame has it, else a network's."""
    if any(text(frame, "sensor_depth_path") for frame in frames):
        return "sensor_depth_path", "metric"
    return "mono_depth_path", "depth"


def _depth_scale(frames: list[dict[str, Any]], key: str, world_from_box: Similarity3) -> float:
    """A sensor's arrays are in units of the box, its pictures in millimetres of the world."""
    if key == "mono_depth_path":
        return 1.0
    names = [name for frame in frames if (name := text(frame, key))]
    return world_from_box.scale if names[0].lower().endswith((".npy", ".exr")) else 1e-3


def _size(file: Path, value: Mapping[str, Any]) -> tuple[int, int] | None:
    width, height = number(file, value, "width"), number(file, value, "height")
    return (round(width), round(height)) if width and height and width >= 1 and height >= 1 else None


def _points(
    file: Path, frames: list[dict[str, Any]], world_from_box: Similarity3
) -> tuple[PointCloud | None, NDArray[np.int32] | None]:
    """The points that each frame lists, in the world; each is seen by that frame."""
    rows, seen = [], []
    for i, frame in enumerate(frames):
        name = text(frame, "sfm_sparse_points_view")
        if name is None or not (file.parent / name).is_file():
            continue
        points = read_matrix_file(file.parent / name)
        points = (
            points[np.isfinite(points).all(1)] if points.ndim == 2 and points.shape[1] >= 3 else points[:0]
        )
        if len(points):
            rows.append(points[:, :3])
            seen.append(np.full(len(points), i))
    if not rows:
        return None, None
    positions, first = np.unique(np.concatenate(rows), axis=0, return_inverse=True)
    observations = np.stack([np.concatenate(seen), first.ravel()], 1).astype(np.int32)
    return PointCloud(world_from_box.apply(positions)), observations


def _notes(file: Path, value: Mapping[str, Any], frames: list[dict[str, Any]]) -> list[Note]:
    notes = []
    if value.get("worldtogt") is None:
        sentence = (
            "The file does not say where its box lies in the world (worldtogt); the box's frame is the world."
        )
        notes.append(Note("info", sentence))
    skews = [pose_matrix(file, frame.get("intrinsics"), "A camera")[0, 1] for frame in frames]
    if np.abs(skews).max(initial=0) > 0.1:
        notes.append(
            Note("warning", f"The cameras are skewed by {np.abs(skews).max():.2g} pixels, which is ignored.")
        )
    return notes
