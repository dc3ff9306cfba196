"""Where the pictures of image layers are: projects refer to them by path, and both may have been moved."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from weakref import WeakKeyDictionary

from recon.errors import InputError
from render.images import DepthCues, ImageSet, NormalCues, PosedImages
from render.scene_data import SceneData

Cues = TypeVar("Cues", DepthCues, NormalCues)
_LOOKED_AT = 8  # pictures that are looked for to tell whether a folder is the right one
_LOST: WeakKeyDictionary[SceneData, bool] = WeakKeyDictionary()


def images_of(data: object) -> ImageSet | None:
    """The pictures that data refer to, if any."""
    if isinstance(data, PosedImages):
        return data.images
    return data if isinstance(data, ImageSet) else None


def are_lost(data: object) -> bool:
    """Whether pictures that data refer to were not there when this was first asked of these data."""
    images = images_of(data)
    if images is None or not isinstance(data, PosedImages | ImageSet):
        return False
    if data not in _LOST:
        _LOST[data] = not holds(Path(images.folder), images)
    return _LOST[data]


def holds(folder: Path, images: ImageSet) -> bool:
    """Whether a folder has at least one of the first pictures."""
    return not images.paths or any((folder / path).exists() for path in images.paths[:_LOOKED_AT])


def num_found(folder: Path, images: ImageSet) -> int:
    """How many of the pictures are below a folder."""
    return sum((folder / path).exists() for path in images.paths)


def hint_of(data: object, project: Path) -> dict[str, str]:
    """What a project's record says of the pictures, so that they are found from wherever it will be opened."""
    images = images_of(data)
    if images is None:
        return {}
    try:
        relative = Path(os.path.relpath(images.folder, project)).as_posix()
    except ValueError:  # Another drive on Windows.
        relative = images.folder
    return {"relpath": relative, "project": project.resolve().as_posix()}


def found_again(data: SceneData, hint: dict[str, str], project: Path) -> SceneData:
    """The data with their pictures where they are now; the same object where they never moved or are lost."""
    images = images_of(data)
    if images is None or not hint:
        return data
    before, now = Path(hint.get("project", "")), project.resolve()
    if before.as_posix() not in (".", now.as_posix()):
        data = rebased(data, before, now)
    images = images_of(data)
    assert images is not None
    name = Path(images.folder).name
    candidates = (
        project / hint.get("relpath", ""),
        Path(images.folder),
        project / name,
        project.parent / name,
    )
    place = next((folder for folder in candidates if folder.is_dir() and holds(folder, images)), None)
    if place is None:
        return data
    return with_folder(data, Path(os.path.normpath(place.absolute())))


def files_of(data: object) -> tuple[Path, tuple[str, ...]]:
    """The folder of data's pictures, and the paths below it of all that they refer to: images, masks, cues."""
    images = images_of(data)
    if images is None:
        return Path(), ()
    paths = [*images.paths, *images.mask_paths]
    if isinstance(data, PosedImages):
        paths += [path for cues in (data.depth, data.normals) if cues is not None for path in cues.paths]
    return Path(images.folder), tuple(dict.fromkeys(p for p in paths if p and not Path(p).is_absolute()))


def relocated(data: SceneData, chosen: Path) -> SceneData:
    """The data with their pictures in a folder that a person chose: it, one in it, or the one it is in.

    Raises InputError when none of the pictures is there.
    """
    images = images_of(data)
    assert images is not None
    folder = chosen if chosen.is_dir() else chosen.parent
    inside = sorted(path for path in folder.iterdir() if path.is_dir())
    place = next((path for path in (folder, *folder.parents[:2], *inside) if holds(path, images)), None)
    if place is None:
        looked_for = Path(images.paths[0]).name if images.paths else ""
        raise InputError(
            f"The folder {folder.name} holds none of the {len(images)} images.",
            f"Choose the folder with {looked_for} in it, or the one above.",
        )
    return with_folder(data, place)


def with_folder(data: SceneData, folder: Path) -> SceneData:
    """The same pictures in another folder; the same object where it is the same folder."""
    if isinstance(data, PosedImages) and data.images.folder != str(folder):
        return replace(data, images=replace(data.images, folder=str(folder)))
    if isinstance(data, ImageSet) and data.folder != str(folder):
        return replace(data, folder=str(folder))
    return data


def rebased(data: SceneData, old: Path, new: Path) -> SceneData:
    """Data whose files below `old` are now below `new`: a run's pictures move with its folder."""

    def moved(path: str) -> str:
        inside = path and Path(path).is_absolute() and Path(path).is_relative_to(old)
        return str(new / Path(path).relative_to(old)) if inside else path

    if isinstance(data, ImageSet):
        return _rebased_images(data, moved)
    if not isinstance(data, PosedImages):
        return data
    images = _rebased_images(data.images, moved)
    depth, normals = _rebased_cues(data.depth, moved), _rebased_cues(data.normals, moved)
    if images is data.images and depth is data.depth and normals is data.normals:
        return data
    return replace(data, images=images, depth=depth, normals=normals)


def _rebased_images(images: ImageSet, moved: Callable[[str], str]) -> ImageSet:
    folder, paths, masks = moved(images.folder), _all(images.paths, moved), _all(images.mask_paths, moved)
    if (folder, paths, masks) == (images.folder, images.paths, images.mask_paths):
        return images
    return replace(images, folder=folder, paths=paths, mask_paths=masks)


def _rebased_cues(cues: Cues | None, moved: Callable[[str], str]) -> Cues | None:
    if cues is None or _all(cues.paths, moved) == cues.paths:
        return cues
    return replace(cues, paths=_all(cues.paths, moved))


def _all(paths: Sequence[str], moved: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(moved(path) for path in paths)
