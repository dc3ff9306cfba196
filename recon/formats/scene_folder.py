"""Posed images → a folder that this program, COLMAP and nerfstudio can all read.

SCENE/images/           the photos, linked where the disk can do that, else copied
SCENE/masks/            their masks, not inverted
SCENE/depth/ normals/   their cues
SCENE/sparse/0/         cameras.bin, images.bin, points3D.bin
SCENE/transforms.json
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from recon.errors import FormatError, InputError
from recon.formats import colmap_writing, transforms_writing
from recon.formats.atomic_file import replacing
from recon.formats.reading import Note
from render.image_files import read_array
from render.images import ImageSet, PosedImages

_MODEL = Path("sparse", "0")
_TRANSFORMS = "transforms.json"


def is_scene_folder(path: Path) -> bool:
    """Whether a folder already holds cameras of one of the kinds that `write` makes."""
    return (path / "sparse").exists() or (path / _TRANSFORMS).exists()


def write(folder: Path, posed: PosedImages) -> tuple[Note, ...]:
    """Make or fill the folder; what it holds of the same names is replaced. Raises FormatError, InputError."""
    if not len(posed):
        raise InputError("There are no cameras to write.", "Take images whose cameras are known.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        here, num_linked = _with_files(folder, posed)
        notes = [
            *colmap_writing.write(folder / _MODEL, here),
            *transforms_writing.write(folder / _TRANSFORMS, here),
        ]
    except OSError as error:
        advice = (
            "Check that there is room on the disk, that you may write there, and that the images are there."
        )
        sentence = f"The scene cannot be written: {error.strerror or error}."
        raise FormatError(folder, sentence, advice, details=str(error)) from error
    how = "linked" if num_linked == len(here) else "copied" if not num_linked else "linked or copied"
    told = Note("info", f"{len(here)} images were {how} into {folder.name}/images.")
    return (told, *(note for note in notes if note.severity == "warning"))


def _with_files(folder: Path, posed: PosedImages) -> tuple[PosedImages, int]:
    """The scene with its files in the folder, and how many of its photos are links."""
    base = colmap_writing.image_base(posed)
    names = [_name_of(posed.images.path(i).absolute().relative_to(base)) for i in range(len(posed))]
    num_linked = sum(_bring(posed.images.path(i), folder / "images" / name) for i, name in enumerate(names))
    masks = tuple(_bring_masks(folder, posed.images, names))
    images = ImageSet(
        str(folder.absolute()), tuple(f"images/{name}" for name in names), masks, frame=posed.images.frame
    )
    depth = posed.depth and replace(
        posed.depth, paths=_bring_cues(folder, "depth", posed.depth.paths, posed.images, names)
    )
    normals = posed.normals and replace(
        posed.normals, paths=_bring_cues(folder, "normals", posed.normals.paths, posed.images, names)
    )
    return replace(posed, images=images, depth=depth, normals=normals), num_linked


def _name_of(path: Path) -> str:
    return PurePosixPath(*path.parts).as_posix()


def _bring_masks(folder: Path, images: ImageSet, names: Sequence[str]) -> Iterator[str]:
    """The masks' new paths. Inverted ones are written anew: neither COLMAP nor nerfstudio knows of such."""
    for index, name in enumerate(names):
        source = images.mask_path(index)
        if source is None:
            yield ""
            continue
        target = f"masks/{name}.png"
        if images.are_masks_inverted:
            _write_inverted(source, folder / target)
        else:
            _bring(source, folder / target)
        yield target


def _write_inverted(source: Path, target: Path) -> None:
    import cv2

    pixels = read_array(source)
    is_set = pixels[..., :3].any(-1) if pixels.ndim == 3 else pixels != 0
    target.parent.mkdir(parents=True, exist_ok=True)
    is_whole, content = cv2.imencode(".png", np.where(is_set, 0, 255).astype(np.uint8))
    assert is_whole
    with replacing(target) as beside:
        content.tofile(beside)


def _bring_cues(
    folder: Path, kind: str, paths: Sequence[str], images: ImageSet, names: Sequence[str]
) -> tuple[str, ...]:
    """The cues' new paths, each named like its photo."""
    new = []
    for path, name in zip(paths, names, strict=True):
        target = str(PurePosixPath(kind, name).with_suffix(Path(path).suffix)) if path else ""
        if path:
            _bring(Path(images.folder, path), folder / target)
        new.append(target)
    return tuple(new)


def _bring(source: Path, target: Path) -> bool:
    """The same file at another place: a link where the disk can do that. True where it is one."""
    if target.exists() and target.samefile(source):
        return True
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as beside:
        try:
            os.link(source.resolve(), beside)
        except OSError:
            shutil.copyfile(source, beside)
            return False
    return True
