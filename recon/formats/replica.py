"""Replica as NICE-SLAM and iMAP render it → posed images with metric depth.

results/frame000000.jpg, results/depth000000.png, traj.txt with a camera-to-world matrix of 16 numbers a line in
OpenCV's axes, and cam_params.json in the scene's folder or the one above.
"""

from __future__ import annotations

import re
from pathlib import Path

from recon.errors import FormatError
from recon.formats.camera_matrix import corner_shift, read_matrix_file
from recon.formats.json_scene import load_object, number
from recon.formats.posed_views import assemble
from recon.formats.reading import Note, Reading, ReadOptions
from recon.formats.scene_files import mask_beside, pictures_in
from recon.formats.scene_views import Lens, Scene, View
from recon.formats.sparse_points import with_sparse_points
from render.frame import Frame

_DEFAULTS = {"w": 1200.0, "h": 680.0, "fx": 600.0, "fy": 600.0, "cx": 599.5, "cy": 339.5, "scale": 6553.5}


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Read the scene in a folder, or that of its traj.txt. Raises FormatError."""
    root = path if path.is_dir() else path.parent
    file = root / "traj.txt"
    poses = read_matrix_file(file)
    if poses.ndim != 2 or not len(poses) or poses.shape[1] not in (4, 16):
        sentence = "A line must have the 16 numbers of a camera's pose."
        raise FormatError(file, sentence, "Take another copy of the data set.")
    poses = (
        poses.reshape(-1, 4, 4) if poses.size % 16 == 0 else poses[: len(poses) // 4 * 4].reshape(-1, 4, 4)
    )
    folder = root / (options.image_folder or "results")
    frames = [each for each in pictures_in(folder) if not each.name.lower().startswith("depth")]
    values, notes = _camera(root)
    lens = _lens(values, options)
    numbers = _numbers(frames, len(poses))
    views = [
        View(frame, poses[i], lens, mask_beside(root, frame), _depth_of(frame))
        for frame, i in zip(frames, numbers, strict=False)
    ]
    if len(views) < max(len(frames), len(poses)):
        notes.append(
            Note("warning", f"There are {len(poses)} poses and {len(frames)} pictures; {len(views)} fit.")
        )
    scene = Scene(
        file, root, views, "metric", 1 / values["scale"], frame=Frame("+Z", "m"), notes=tuple(notes)
    )
    return with_sparse_points(assemble(scene, options), root)


def _camera(root: Path) -> tuple[dict[str, float], list[Note]]:
    """The numbers of cam_params.json, else those that all scenes of Replica have."""
    file = next(
        (each for each in (root / "cam_params.json", root.parent / "cam_params.json") if each.is_file()), None
    )
    if file is None:
        return dict(_DEFAULTS), [
            Note("info", "There is no cam_params.json; Replica's usual camera was taken.")
        ]
    value = load_object(file)
    camera = value.get("camera", value)
    if not isinstance(camera, dict):
        raise FormatError(file, "The file describes no camera.", "Take another copy of the data set.")
    values = {
        key: usual if (n := number(file, camera, key)) is None else n for key, usual in _DEFAULTS.items()
    }
    if min(values["w"], values["h"], values["fx"], values["fy"], values["scale"]) <= 0:
        raise FormatError(file, "The camera has impossible numbers.", "Take another copy of the data set.")
    return values, []


def _lens(values: dict[str, float], options: ReadOptions) -> Lens:
    size = (max(1, round(values["w"])), max(1, round(values["h"])))
    cx, cy = (
        values[key] + corner_shift(values[key], size[axis], options, "center")
        for axis, key in enumerate(("cx", "cy"))
    )
    return Lens((values["fx"], values["fy"]), (cx, cy), size)


def _numbers(frames: list[Path], count: int) -> list[int]:
    """The pose of each picture: by the number in its name, so that some may be missing; else by its place."""
    found = [re.findall(r"\d+", frame.stem) for frame in frames]
    numbers = [int(each[-1]) if each and len(each[-1]) < 9 else -1 for each in found]
    if numbers and min(numbers) >= 0 and max(numbers) < count and len(set(numbers)) == len(numbers):
        return numbers
    return list(range(min(len(frames), count)))


def _depth_of(frame: Path) -> Path:
    name = re.sub("frame|rgb|color", "depth", frame.stem)
    return frame.with_name(f"{name}.png")
