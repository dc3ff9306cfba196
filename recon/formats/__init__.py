"""Files → scene data and back: the format is told by the first bytes, then by the suffix.

A format's module is imported when a file of that kind is read or written.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from recon.errors import FormatError
from recon.formats import scene_sniffing
from recon.formats.file_kinds import FILE_KINDS, FileKind, is_dicom
from recon.formats.reading import Note, Reading, ReadOptions
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.mesh import TriangleMesh
from render.points import PointCloud
from render.scene_data import SCENE_DATA_KINDS, SceneData

__all__ = [
    "FILE_KINDS",
    "FileKind",
    "Note",
    "ReadOptions",
    "Reading",
    "in_words",
    "kind_of_file",
    "kind_to_write",
    "kinds_to_write",
    "only_read",
    "read",
    "read_masks",
    "write",
]

_HEAD = 2**16  # bytes looked at: the longest header of a PLY file
_LONGEST_DOCUMENT = 2**26  # bytes of the document in a GLB file


def read(path: Path, options: ReadOptions = ReadOptions(), wanted: str | None = None) -> Reading:
    """Read a file or a folder. Raises only FormatError and InputError.

    wanted: the kind of scene data that is asked for, a key of SCENE_DATA_KINDS, where the same folder could be
    several, such as photos and masks; `options.read_as` counts more.
    """
    wanted = _READ_AS.get(options.read_as, wanted)
    try:
        return _as_wanted(path, _read(path, options, wanted), wanted)
    except OSError as error:
        raise _unreadable(path, error) from error


def _read(path: Path, options: ReadOptions, wanted: str | None) -> Reading:
    kind = kind_of_file(path, wanted)
    module = _import(kind, path)
    if kind.uses_options:
        reading: Reading = module.read(path, options)
        if isinstance(reading.data, PosedImages) and wanted == "images":
            return Reading(reading.data.images, reading.notes)
        return _with_cues(reading) if kind.data == "posed_images" else reading
    return Reading(module.read(path))


def _as_wanted(path: Path, reading: Reading, wanted: str | None) -> Reading:
    """Splats, meshes and scenes as points where those are wanted. Raises FormatError for splats that are none, and
    meshes that are splats."""
    data = reading.data
    if wanted == "points" and isinstance(data, GaussianCloud | TriangleMesh):
        from recon.formats.as_points import as_points

        return replace(reading, data=as_points(data))
    if wanted == "points" and isinstance(data, PosedImages):
        if data.points is None:
            raise FormatError(path, "The scene holds no points, only cameras.", "Open it as a scene.")
        return replace(reading, data=data.points)
    is_wrong = wanted in _ADVICE_FOR and not isinstance(data, SCENE_DATA_KINDS[wanted])
    if is_wrong and isinstance(data, GaussianCloud | TriangleMesh | PointCloud):
        assert wanted is not None
        sentence = f"This file holds {in_words(data)}, not {_WORDS[wanted].removeprefix('Gaussian ')}."
        raise FormatError(path, sentence, _ADVICE_FOR[wanted])
    return reading


def _with_cues(reading: Reading) -> Reading:
    from recon.formats import cues_beside

    return cues_beside.with_cues_beside(reading)


def read_masks(paths: Sequence[Path], options: ReadOptions = ReadOptions()) -> Reading:
    """Read PNG or TIFF masks chosen one by one, in the natural order of their names."""
    from recon.formats import mask_stack
    from recon.formats.natural_order import natural_order

    paths = sorted(paths, key=natural_order)
    try:
        return mask_stack.read_files(paths, options)
    except OSError as error:
        raise _unreadable(Path(error.filename or paths[0]), error) from error


def write(path: Path, data: SceneData, options: Any = None) -> tuple[Note, ...]:
    """Write scene data in the format that the suffix names; returns what the format could not hold.

    options: an ExportOptions for meshes and splats. Raises FormatError for a suffix that cannot hold this kind of data.
    """
    kinds = kinds_to_write(data)
    kind = next((kind for kind in kinds if kind.is_named(path.name)), None)
    kind = kind or kind_to_write(path, data)
    if kind is None:
        usual = ", ".join(kind.patterns[0].removeprefix("*") for kind in kinds)
        sentence = only_read(path) or f"A file with this ending cannot hold {in_words(data)}."
        raise FormatError(path, sentence, f"Choose one of these endings: {usual}.")
    try:
        return _written(path, data, kind, options)
    except OSError as error:
        advice = "Check that there is room on the disk and that you may write there."
        raise FormatError(path, "The file cannot be written.", advice, details=str(error)) from error


def only_read(path: Path) -> str:
    """Why a file with this ending cannot be written, where its format is one that is only read; else ""."""
    kinds = [kind for kind in FILE_KINDS if _suffix(path) in kind.suffixes]
    if not kinds or any(kind.is_writable for kind in kinds):
        return ""
    return f"{kinds[0].suffixes[0][1:].upper()} is read here, but not written."


def kinds_to_write(data: SceneData) -> tuple[FileKind, ...]:
    """The formats that can hold this data."""
    name = next(name for name, kind in SCENE_DATA_KINDS.items() if isinstance(data, kind))
    return tuple(kind for kind in FILE_KINDS if kind.is_writable and kind.holds(name))


def kind_to_write(path: Path, data: SceneData) -> FileKind | None:
    """The format for this data that the path's ending names, the longest of several; None where there is none."""
    name = path.name.lower()
    fitting = [
        (suffix, kind) for kind in kinds_to_write(data) for suffix in kind.suffixes if name.endswith(suffix)
    ]
    return max(fitting, key=lambda pair: len(pair[0]))[1] if fitting else None


def kind_of_file(path: Path, wanted: str | None = None) -> FileKind:
    """The format of a file or folder; wanted: see `read`. Raises FormatError when nothing fits, OSError when it
    cannot be opened."""
    if path.is_dir():
        return _kind_of_folder(path, None if wanted in _OF_FILES else wanted)
    if wanted == "images" and _suffix(path) in scene_sniffing.PICTURES:
        return _kind("photos")
    with path.open("rb") as file:
        head = _beginning(file)
    if not head:
        raise FormatError(path, "The file is empty.", "Export it again from the program that made it.")
    for kind in FILE_KINDS:
        if kind.is_known_by(head):
            return kind
    if _suffix(path) == ".npz":
        return _kind("monosdf" if scene_sniffing.is_camera_archive(path) else "native")
    by_name = next((kind for kind in FILE_KINDS if kind.is_named(path.name)), None)
    if by_name is not None:
        return by_name
    by_suffix = [kind for kind in FILE_KINDS if _suffix(path) in kind.suffixes]
    if by_suffix:
        return by_suffix[0]
    raise FormatError(path, "Cannot tell what this is.", _what_can_be_read())


def _kind_of_folder(path: Path, wanted: str | None) -> FileKind:
    """A scene of photos, photos, masks, or DICOM files whatever their names are."""
    if wanted == "images":
        return _kind("photos")
    scene = scene_sniffing.scene_in(path) if wanted in (None, "posed_images") else None
    if scene is not None:
        return _kind(scene)
    if wanted == "posed_images":
        sentence = "The folder holds photos at most, but not their cameras."
        advice = "Find the cameras with the method poses, or choose a folder with transforms.json, COLMAP's sparse, …"
        raise FormatError(path, sentence, advice)
    if wanted is None and (scene_sniffing.has_photos(path) or _has_colour_pictures(path)):
        return _kind("photos")
    names = sorted(each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
    masks, dicom = _kind("masks"), _kind("dicom")
    if any(_suffix(each) in masks.suffixes for each in names):
        return masks
    if any(_suffix(each) in dicom.suffixes or is_dicom(_head(each)) for each in names[:200]):
        return dicom
    if not names:
        raise FormatError(path, "The folder is empty.", "Choose a folder of masks or of DICOM files.")
    advice = (
        "Choose a folder of PNG or TIFF masks, of DICOM files, of photos, a scene with cameras, or one file."
    )
    others = " and no photos" if wanted is None else ""
    raise FormatError(path, f"The folder holds no masks and no DICOM files{others}.", advice)


def _has_colour_pictures(path: Path) -> bool:
    """Whether the first PNG or TIFF picture of a folder, or of its `images`, is in colours, as no mask is."""
    from recon.formats import picture_sniffing

    return picture_sniffing.has_colour_pictures(path)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""  # One unreadable file must not hide what the others are.


def _beginning(file: BinaryIO) -> bytes:
    """What tells the format: of binary glTF the whole document, of other files the first bytes."""
    head = file.read(_HEAD)
    size = int.from_bytes(head[12:16], "little") if head.startswith(b"glTF") else 0
    return head + file.read(min(max(0, 20 + size - len(head)), _LONGEST_DOCUMENT))


def _kind(id: str) -> FileKind:
    return next(kind for kind in FILE_KINDS if kind.id == id)


def _suffix(path: Path) -> str:
    """The ending in lower case; .nii.gz is one ending, and so is .compressed.ply."""
    name = path.name.lower()
    return next((each for each in _TWO_PART if name.endswith(each)), path.suffix.lower())


def _import(kind: FileKind, path: Path) -> Any:
    try:
        return importlib.import_module(kind.module)
    except ModuleNotFoundError as error:
        if error.name not in ("SimpleITK", "pydicom"):
            raise
        sentence = f"Reading this needs the package {error.name}, which is not installed."
        raise FormatError(path, sentence, "Install Isokiln with its extra `medical`.") from error


def _unreadable(path: Path, error: OSError) -> FormatError:
    if isinstance(error, FileNotFoundError):
        return FormatError(path, "There is no such file.", "Check the name, or whether it was moved.")
    if isinstance(error, PermissionError):
        return FormatError(
            path, "You may not read this file.", "Ask its owner, or copy it to your own folder."
        )
    return FormatError(
        path, "The file cannot be read.", "Check the disk or the network it is on.", details=str(error)
    )


def _written(path: Path, data: SceneData, kind: FileKind, options: Any) -> tuple[Note, ...]:
    module = importlib.import_module(kind.module)
    if isinstance(data, PointCloud) and kind.id == "ply":
        module = importlib.import_module("recon.formats.point_cloud")
    if isinstance(data, TriangleMesh) and kind.data == "mesh":
        given = options or importlib.import_module("recon.formats.export").ExportOptions()
        written = module.write(path, [(path.stem, data)], given)
        return tuple(Note("warning", sentence) for sentence in written.warnings)
    if isinstance(data, GaussianCloud) and kind.data == "gaussians":
        from recon.formats import export, gaussian_export

        splats = gaussian_export.write(path, [(path.stem, data)], options or export.ExportOptions())
        return tuple(Note("warning", sentence) for sentence in splats.warnings)
    return tuple(module.write(path, data) or ())


_TWO_PART = (".nii.gz", ".compressed.ply")
_READ_AS = {
    "slices": "cross_sections",
    "photos": "images",
    "scene": "posed_images",
    "mesh": "mesh",
    "points": "points",
    "splats": "gaussians",
}
_WORDS = {
    "cross_sections": "cross-sections",
    "mesh": "a mesh",
    "images": "photos without cameras",
    "posed_images": "posed photos",
    "points": "points",
    "sdf_field": "a field",
    "views": "rendered views",
    "gaussians": "Gaussian splats",
    "radiance_field": "a radiance field",
    "view_field": "a field of views",
}
_OF_FILES = ("mesh", "points", "gaussians")  # kinds of data that say nothing about what a folder is
_ADVICE_FOR = {
    "gaussians": "Choose a file of splats; open this one as what it is.",
    "mesh": "Open it as what it is; the method splats.mesh makes a mesh of splats.",
}


def in_words(data: SceneData) -> str:
    """What scene data are, such as "a mesh"."""
    return next(_WORDS[name] for name, kind in SCENE_DATA_KINDS.items() if isinstance(data, kind))


def _what_can_be_read() -> str:
    """E.g. "Isokiln reads .csl, .json, … files"."""
    suffixes: Iterable[str] = (suffix for kind in FILE_KINDS if kind.is_readable for suffix in kind.suffixes)
    return f"Isokiln reads {', '.join(suffixes)}, and folders of masks, DICOM files, photos or scenes with cameras."
