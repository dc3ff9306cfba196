"""Posed images → transforms.json, as nerfstudio reads it; what it has no key for stands under keys of our own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from recon.formats.atomic_file import replacing
from recon.formats.reading import Note
from recon.formats.scene_views import OPENGL
from render.images import PosedImages
from render.lenses import LENS_MODELS

_OPENCV = ("k1", "k2", "p1", "p2")
_AS_OPENCV = {
    "PINHOLE": (),
    "SIMPLE_PINHOLE": (),
    "SIMPLE_RADIAL": ("k1",),
    "RADIAL": ("k1", "k2"),
    "OPENCV": _OPENCV,
}
_AS_FISHEYE = {
    "FISHEYE": (),
    "SIMPLE_FISHEYE": (),
    "SIMPLE_RADIAL_FISHEYE": ("k1",),
    "RADIAL_FISHEYE": ("k1", "k2"),
    "OPENCV_FISHEYE": ("k1", "k2", "k3", "k4"),
}


def write(path: Path, posed: PosedImages) -> tuple[Note, ...]:
    """Write the cameras, cues and masks; images are named relative to the file. Returns what it cannot hold."""
    value: dict[str, Any] = {"camera_model": "OPENCV"}
    cameras = [_camera(posed, i) for i in range(len(posed))]
    shared = {key: each for key, each in cameras[0].items() if all(c.get(key) == each for c in cameras)}
    value.update(shared)
    value.update(_cue_keys(posed))
    value["world_frame"] = {"up": posed.frame.up, "unit": posed.frame.unit}
    frames = []
    for i, camera in enumerate(cameras):
        own = {key: each for key, each in camera.items() if key not in shared}
        frames.append({**_files(path, posed, i), **own, "transform_matrix": _pose(posed, i)})
    value["frames"] = frames
    with replacing(path) as beside:
        beside.write_text(json.dumps(value, indent=1), encoding="utf-8")
    return tuple(_losses(posed))


def _camera(posed: PosedImages, index: int) -> dict[str, Any]:
    assert posed.lens_params is not None
    cameras, model = posed.cameras, posed.lens_models[index]
    (fx, fy), (cx, cy) = cameras.focal[index].tolist(), cameras.center[index].tolist()
    width, height = cameras.size[index].tolist()
    params = posed.lens_params[index].tolist()
    value = {"fl_x": fx, "fl_y": fy, "cx": cx, "cy": cy, "w": width, "h": height}
    if model in _AS_OPENCV:
        return {**value, "camera_model": "OPENCV", **_named(_AS_OPENCV[model], _OPENCV, params)}
    if model in _AS_FISHEYE:
        names = _AS_FISHEYE["OPENCV_FISHEYE"]
        return {**value, "camera_model": "OPENCV_FISHEYE", **_named(_AS_FISHEYE[model], names, params)}
    return {**value, "camera_model": model, "lens_params": params[: LENS_MODELS[model].num_params]}


def _named(own: tuple[str, ...], all_names: tuple[str, ...], params: list[float]) -> dict[str, float]:
    values = dict(zip(own, params, strict=False))
    return {name: values.get(name, 0.0) for name in all_names}


def _files(path: Path, posed: PosedImages, index: int) -> dict[str, str]:
    """Names of the image, its mask and its cues."""
    files = {"file_path": _from(path, str(posed.images.path(index)))}
    mask = posed.images.mask_path(index)
    if mask is not None and not posed.images.are_masks_inverted:
        files["mask_path"] = _from(path, str(mask))
    depth_key = "mono_depth_path"
    for cues, key in ((posed.depth, depth_key), (posed.normals, "mono_normal_path")):
        if cues is not None and cues.paths[index]:
            files[key] = _from(path, str(Path(posed.images.folder, cues.paths[index])))
    return files


def _cue_keys(posed: PosedImages) -> dict[str, Any]:
    value: dict[str, Any] = {}
    if posed.depth is not None:
        value.update(mono_depth_kind=posed.depth.kind, mono_depth_scale=posed.depth.scale)
        value.update(mono_depth_undistorted=posed.depth.are_undistorted)
    if posed.normals is not None:
        cues = posed.normals
        value.update(mono_normal_zero_to_one=cues.is_zero_to_one, mono_normal_space=cues.space)
        value.update(mono_normal_signs=list(cues.signs), mono_normal_undistorted=cues.are_undistorted)
    return value


def _pose(posed: PosedImages, index: int) -> list[list[float]]:
    pose: list[list[float]] = (posed.cameras.world_from_cam[index] * OPENGL + 0.0).tolist()
    return pose


def _from(path: Path, file: str) -> str:
    """A file's name as seen from the folder of `path`; absolute on another drive."""
    try:
        return Path(os.path.relpath(file, path.absolute().parent)).as_posix()
    except ValueError:
        return Path(file).as_posix()


def _losses(posed: PosedImages) -> list[Note]:
    notes = []
    own = sorted(set(posed.lens_models) - _AS_OPENCV.keys() - _AS_FISHEYE.keys())
    if own:
        sentence = f"Other programs may not know the lens model {own[0]} in transforms.json."
        notes.append(Note("warning", sentence))
    if posed.images.are_masks_inverted and any(posed.images.mask_paths):
        notes.append(
            Note("warning", "Inverted masks cannot be named in transforms.json; they were left out.")
        )
    if posed.points is not None and len(posed.points.points):
        notes.append(Note("info", "The sparse points are not in transforms.json; a COLMAP model holds them."))
    assert posed.disabled is not None
    if np.any(posed.disabled):
        notes.append(Note("info", "Images that are left out are in the file like the others."))
    return notes
