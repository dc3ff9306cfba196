"""Cues and masks that another scene file in the same folder names, for a scene whose own file names none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from recon.errors import FormatError, InputError
from recon.formats import monosdf, sdfstudio, transforms
from recon.formats.reading import Note, Reading
from recon.formats.scene_sniffing import CAMERA_ARCHIVES, META_DATA, TRANSFORMS
from render.images import DepthCues, NormalCues, PosedImages

_Cues = TypeVar("_Cues", DepthCues, NormalCues)
_READERS = ((TRANSFORMS, transforms.read), (META_DATA, sdfstudio.read), (CAMERA_ARCHIVES, monosdf.read))


def with_cues_beside(reading: Reading) -> Reading:
    """Only cues that do not depend on the scene's unit are taken: the other file's may be another one."""
    posed, notes = reading.data, list(reading.notes)
    if not isinstance(posed, PosedImages) or (posed.depth is not None and posed.normals is not None):
        return reading
    for name, other in _others(Path(posed.images.folder)):
        added = _with_cues_of(posed, other)
        if added is not posed:
            notes.append(Note("info", f"Cues of the images were found in {name}."))
            posed = added
    return replace(reading, data=posed, notes=tuple(notes))


def _others(folder: Path) -> Iterator[tuple[str, PosedImages]]:
    """Every scene file of the folder that can be read."""
    for names, read in _READERS:
        for name in names:
            if not (folder / name).is_file():
                continue
            try:
                data = read(folder / name).data
            except (FormatError, InputError):
                continue  # It was not asked for, so what is wrong with it does not matter.
            if isinstance(data, PosedImages):
                yield name, data


def _with_cues_of(posed: PosedImages, other: PosedImages) -> PosedImages:
    place = {path: i for i, path in enumerate(other.images.paths)}
    if other.images.folder != posed.images.folder or not place.keys() & set(posed.images.paths):
        return posed
    if posed.depth is None and other.depth is not None and other.depth.kind != "metric":
        posed = replace(posed, depth=_reordered(other.depth, place, posed))
    if posed.normals is None and other.normals is not None and other.normals.space == "camera":
        posed = replace(posed, normals=_reordered(other.normals, place, posed))
    return posed


def _reordered(cues: _Cues, place: dict[str, int], posed: PosedImages) -> _Cues:
    paths = tuple(cues.paths[place[path]] if path in place else "" for path in posed.images.paths)
    return replace(cues, paths=paths)
