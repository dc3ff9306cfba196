"""transforms.json of nerfstudio, instant-ngp and Blender → posed images, and back.

Poses are camera-to-world with OpenGL's camera axes (x right, y up, z backward); pixels as ours.
https://docs.nerf.studio/quickstart/data_conventions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from recon.errors import FormatError
from recon.formats.json_scene import frames_of, load_object, number, picture_path, pose_matrix, text
from recon.formats.posed_views import assemble
from recon.formats.reading import Note, Reading, ReadOptions
from recon.formats.scene_files import mask_beside
from recon.formats.scene_sniffing import TRANSFORMS
from recon.formats.scene_views import OPENGL, Lens, Scene, View
from recon.formats.sparse_points import with_sparse_points
from recon.formats.transforms_writing import write
from render.frame import Frame
from render.images import DepthKind, NormalCues
from render.lenses import LENS_MODELS

__all__ = ["read", "write"]

_MILLIMETRES = 1e-3
_KEYS = {
    "PINHOLE": (), "SIMPLE_PINHOLE": (), "SIMPLE_RADIAL": ("k1",), "RADIAL": ("k1", "k2"),
    "OPENCV": ("k1", "k2", "p1", "p2"), "OPENCV_FISHEYE": ("k1", "k2", "k3", "k4"),
    "FULL_OPENCV": ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6"),
    "SIMPLE_RADIAL_FISHEYE": ("k1",), "RADIAL_FISHEYE": ("k1", "k2"),
    "THIN_PRISM_FISHEYE": ("k1", "k2", "p1", "p2", "k3", "k4", "sx1", "sy1"),
}  # fmt: skip


@dataclass(frozen=True)
class _Cues:
    """How the cues of the file's frames are stored; path_key: what the frames call their depth."""

    depth_key: str
    depth_kind: DepthKind
    depth_scale: float
    is_depth_undistorted: bool
    normals: NormalCues


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Read a transforms.json, or the one of a folder; points and tracks of a COLMAP model beside it too."""
    file = (
        path
        if path.is_file()
        else next((path / name for name in TRANSFORMS if (path / name).is_file()), path)
    )
    value = load_object(file)
    frames = frames_of(file, value, "file_path")
    root = file.parent
    cues = _cues(file, value, frames)
    views = [_view(file, {**value, **frame}, frame, cues, options) for frame in frames]
    by_path = {view.path: {**value, **frame} for view, frame in zip(views, frames, strict=True)}
    scene = Scene(
        file,
        root,
        views,
        cues.depth_kind,
        cues.depth_scale,
        cues.is_depth_undistorted,
        cues.normals,
        frame=_world_frame(value),
        notes=tuple(_notes(value, frames)),
        lens_of_size=lambda view, size: _lens(file, by_path[view.path], size),
    )
    ply = text(value, "ply_file_path")
    return with_sparse_points(assemble(scene, options), root, root / ply if ply else None)


def _view(
    file: Path, value: Mapping[str, Any], frame: Mapping[str, Any], cues: _Cues, options: ReadOptions
) -> View:
    root = file.parent
    path = picture_path(root, frame["file_path"])
    if options.image_folder is not None:
        path = picture_path(root / options.image_folder, Path(frame["file_path"].replace("\\", "/")).name)
    pose = pose_matrix(file, frame.get("transform_matrix"), f"The pose of {path.name}") * OPENGL
    size = _size(file, value)
    mask, depth, normal = (text(frame, key) for key in ("mask_path", cues.depth_key, "mono_normal_path"))
    return View(
        path,
        pose,
        None if size is None else _lens(file, value, size, size),
        picture_path(root, mask) if mask else mask_beside(root, path),
        picture_path(root, depth) if depth else None,
        picture_path(root, normal) if normal else None,
    )


def _size(file: Path, value: Mapping[str, Any]) -> tuple[int, int] | None:
    width, height = number(file, value, "w"), number(file, value, "h")
    if width is None or height is None:
        return None
    if width < 1 or height < 1:
        sentence = f"The size {width:g} × {height:g} is impossible."
        raise FormatError(file, sentence, "Correct w and h, or take them out of the file.")
    return round(width), round(height)


def _lens(
    file: Path, value: Mapping[str, Any], size: tuple[int, int], stated: tuple[int, int] | None = None
) -> Lens:
    """The lens for pictures of `size`; stated: the size that the file gives."""
    x = _focal(file, value, "x", size[0])
    y = _focal(file, value, "y", size[1])
    if x is None and y is None:
        sentence = "The file has neither a focal length (fl_x) nor an angle of view (camera_angle_x)."
        raise FormatError(file, sentence, "Add fl_x, fl_y, cx, cy, w and h to it.")
    focal = (x or y or 0.0, y or x or 0.0)
    cx, cy = number(file, value, "cx"), number(file, value, "cy")
    center = (size[0] / 2 if cx is None else cx, size[1] / 2 if cy is None else cy)
    model, params = _distortion(file, value)
    return Lens(focal, center, stated, model, params)


def _focal(file: Path, value: Mapping[str, Any], axis: str, pixels: int) -> float | None:
    focal, angle = number(file, value, f"fl_{axis}"), number(file, value, f"camera_angle_{axis}")
    if focal is not None or angle is None:
        return focal
    if not 0 < angle < np.pi:
        sentence = f"camera_angle_{axis} is {angle:g}, which is no angle of view in radians."
        raise FormatError(file, sentence, "Correct it, or give fl_x and fl_y.")
    return float(0.5 * pixels / np.tan(0.5 * angle))


def _distortion(file: Path, value: Mapping[str, Any]) -> tuple[str, tuple[float, ...]]:
    """COLMAP's model and its parameters."""
    name = str(value.get("camera_model") or "OPENCV").upper()
    is_fisheye = value.get("is_fisheye") is True or name in ("FISHEYE", "KANNALA_BRANDT", "OPENCV_FISHEYE")
    name = "OPENCV_FISHEYE" if is_fisheye and not name.startswith(("RADIAL_", "SIMPLE_", "THIN_")) else name
    if name in (
        "EQUIRECTANGULAR",
        "OMNIDIRECTIONALSTEREO_L",
        "OMNIDIRECTIONALSTEREO_R",
        "VR180_L",
        "VR180_R",
    ):
        sentence = "The images are 360° panoramas."
        raise FormatError(
            file, sentence, "Cut them into pinhole pictures first, such as six faces of a cube."
        )
    stored = value.get("lens_params")
    if name in LENS_MODELS and isinstance(stored, list):
        listed = {str(i): each for i, each in enumerate(stored)}
        return name, tuple(number(file, listed, key) or 0.0 for key in listed)[: LENS_MODELS[name].num_params]
    if name == "OPENCV" and any(number(file, value, key) for key in ("k3", "k4", "k5", "k6")):
        return "FULL_OPENCV", tuple(_full_opencv(file, value))
    if name not in _KEYS:
        sentence = f"The camera model {name[:40]!r} is not known."
        raise FormatError(file, sentence, f"These are: {', '.join(_KEYS)}.")
    params = tuple(number(file, value, key) or 0.0 for key in _KEYS[name])
    return ("PINHOLE", ()) if name == "OPENCV" and not any(params) else (name, params)


def _full_opencv(file: Path, value: Mapping[str, Any]) -> list[float]:
    """nerfstudio's OPENCV with k3; its k4 of the fourth power has no twin here and in OpenCV."""
    if number(file, value, "k4") and not (number(file, value, "k5") or number(file, value, "k6")):
        sentence = "The lens has a radial parameter k4, which its model OPENCV does not have."
        raise FormatError(file, sentence, "Set k4 to 0, or camera_model to OPENCV_FISHEYE or FULL_OPENCV.")
    return [number(file, value, key) or 0.0 for key in _KEYS["FULL_OPENCV"]]


def _cues(file: Path, value: Mapping[str, Any], frames: list[dict[str, Any]]) -> _Cues:
    """Depth of a sensor where any frame has it, else of a network."""
    kind: DepthKind = "metric"
    if any("depth_file_path" in frame for frame in frames):
        key, scale = "depth_file_path", number(file, value, "depth_unit_scale_factor") or _MILLIMETRES
    elif any("depth_path" in frame for frame in frames):
        key, scale = "depth_path", number(file, value, "integer_depth_scale") or _MILLIMETRES
    else:
        key, scale = "mono_depth_path", number(file, value, "mono_depth_scale") or 1.0
        stored = value.get("mono_depth_kind", "depth")
        if stored not in get_args(DepthKind):
            kinds = ", ".join(get_args(DepthKind))
            raise FormatError(file, f"mono_depth_kind is {str(stored)[:40]!r}.", f"It can be one of {kinds}.")
        kind = stored
    if scale <= 0:
        raise FormatError(file, f"The scale of depth is {scale:g}.", "It must be above 0.")
    is_undistorted = key == "mono_depth_path" and value.get("mono_depth_undistorted") is True
    return _Cues(key, kind, scale, is_undistorted, _normal_cues(file, value))


def _normal_cues(file: Path, value: Mapping[str, Any]) -> NormalCues:
    """As MonoSDF's: (n + 1) / 2 in camera axes, unless our own keys say more."""
    signs, space = value.get("mono_normal_signs", [1, 1, 1]), value.get("mono_normal_space", "camera")
    is_zero_to_one = value.get("mono_normal_zero_to_one", True) is not False
    is_undistorted = value.get("mono_normal_undistorted") is True
    try:
        return NormalCues((), is_zero_to_one, space, tuple(signs), are_undistorted=is_undistorted)
    except (TypeError, ValueError) as error:
        sentence = "mono_normal_signs or mono_normal_space is not understood."
        raise FormatError(file, sentence, "They are three of -1 and 1, and camera or world.") from error


def _world_frame(value: Mapping[str, Any]) -> Frame:
    """What our own key says; elsewhere +Z is up and nobody knows the unit."""
    stored = value.get("world_frame")
    try:
        return Frame(stored["up"], stored["unit"]) if isinstance(stored, dict) else Frame()
    except (KeyError, ValueError):
        return Frame()


def _notes(value: Mapping[str, Any], frames: list[dict[str, Any]]) -> list[Note]:
    notes = []
    if "applied_transform" in value:
        sentence = "The file says that its poses were turned (applied_transform); the scene stays as turned."
        notes.append(Note("info", sentence))
    named = sum("mono_normal_path" in frame for frame in frames)
    if 0 < named < len(frames):
        notes.append(Note("info", f"{len(frames) - named} frames name no normals."))
    return notes
