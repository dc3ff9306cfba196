"""What kind of scene lies in a folder or a file, told without reading it; light to import."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

TRANSFORMS = ("transforms.json", "transforms_train.json")
META_DATA = ("meta_data.json",)
CAMERA_ARCHIVES = ("cameras.npz", "cameras_sphere.npz")
COLMAP_FILES = tuple(f"{part}{end}" for end in (".bin", ".txt") for part in ("cameras", "images", "points3D"))
POSE_LISTS = ("poses.txt", "trainval_poses.txt")
PHOTOS = (".jpg", ".jpeg", ".webp", ".bmp")
PICTURES = (*PHOTOS, ".png", ".tif", ".tiff")
VIDEOS = (".mp4", ".mov", ".avi", ".mkv", ".webm")

_COLMAP_PLACES = ("sparse", "colmap/sparse", "colmap", "dense/sparse", "distorted/sparse", "sparse_text", ".")


def is_transforms(head: bytes) -> bool:
    """Whether a file's first bytes are of a transforms.json."""
    words = (
        "camera_angle_x",
        "fl_x",
        "transform_matrix",
        "applied_transform",
        "ply_file_path",
        "aabb_scale",
        "file_path",
    )
    return _is_object_with(head, words) and not is_meta_data(head)


def is_meta_data(head: bytes) -> bool:
    """Whether a file's first bytes are of an sdfstudio meta_data.json."""
    return _is_object_with(head, ("has_mono_prior", "camtoworld", "rgb_path", "worldtogt", "scene_box"))


def _is_object_with(head: bytes, words: tuple[str, ...]) -> bool:
    is_object = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"
    return is_object and any(f'"{word}"'.encode() in head for word in words)


def is_camera_archive(path: Path) -> bool:
    """Whether a .npz holds camera matrices, by the names of its parts."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(re.fullmatch(r"world_mat_\d+\.npy", name) for name in archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError):
        return False


def is_colmap_model(folder: Path) -> bool:
    """Whether a folder holds cameras and images in COLMAP's text or binary."""
    return any(
        all((folder / f"{part}{end}").is_file() for part in ("cameras", "images")) for end in (".bin", ".txt")
    )


def find_colmap_models(folder: Path) -> list[Path]:
    """Folders of models under a scene's folder, or the folder itself; those of the first usual place."""
    for place in _COLMAP_PLACES:
        base = folder / place
        if not base.is_dir():
            continue
        if is_colmap_model(base):
            return [base]
        found = sorted(
            (each for each in base.iterdir() if each.is_dir() and is_colmap_model(each)), key=_by_number
        )
        if found:
            return found
    return []


def is_replica(folder: Path) -> bool:
    """Whether a folder has a trajectory and results."""
    return (folder / "traj.txt").is_file() and (folder / "results").is_dir()


def is_scannet(folder: Path) -> bool:
    """Whether a folder has colours and poses."""
    return (folder / "color").is_dir() and (folder / "pose").is_dir()


def is_neural_rgbd(folder: Path) -> bool:
    """Whether a folder has poses and a focal length."""
    return (folder / "focal.txt").is_file() and any((folder / name).is_file() for name in POSE_LISTS)


def scene_in(folder: Path) -> str | None:
    """The id of the format of the scene in a folder; of several, the one that says most. None for no scene."""
    files = (("transforms", TRANSFORMS), ("sdfstudio", META_DATA), ("monosdf", CAMERA_ARCHIVES))
    for id, names in files:
        if any((folder / name).is_file() for name in names):
            return id
    if find_colmap_models(folder):
        return "colmap"
    folders = (("replica", is_replica), ("scannet", is_scannet), ("neural_rgbd", is_neural_rgbd))
    return next((id for id, is_one in folders if is_one(folder)), None)


def has_photos(folder: Path) -> bool:
    """Whether a folder, or its `images`, holds pictures in formats that are only used for photos."""
    places = (folder, folder / "images", folder / "rgb")
    return any(
        each.suffix.lower() in PHOTOS for place in places if place.is_dir() for each in place.iterdir()
    )


def _by_number(folder: Path) -> tuple[int, str]:
    return (int(folder.name), "") if folder.name.isdecimal() else (2**31, folder.name)
