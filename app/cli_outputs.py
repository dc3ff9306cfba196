"""What `isokiln run` writes: meshes into one file, posed images into a folder, anything as scene data."""

from __future__ import annotations

import argparse
import errno
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from app.cli_options import model_from
from app.image_places import rebased
from recon import formats
from recon.errors import FormatError, InputError
from recon.formats.atomic_file import replacing
from recon.method import Method, Output
from recon.run_folder import RunFolder
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.mesh import TriangleMesh
from render.scene_data import SceneData
from render.view_field import ViewField

NATIVE = ".npz"
IN_FOLDERS = ("posed_images", "view_field")  # kinds of scene data that are written as a folder of files
EDIT_PARTS = {"edited": ".png", "novel": ".png", "depth": ".npy"}  # folders of an edit, and the files in each
LAST_FILE = "metrics.json"  # of an edit
EDIT_FILES = ("views.json", "field.npz", LAST_FILE)
SMALLEST_ROOM = 1 << 20  # bytes that must fit where a result is to be written


def check_output(output: Path, sources: Sequence[Path], makes: str | None = "mesh") -> None:
    """Refuse, before hours of work, what cannot be written. Raises FormatError, InputError.

    makes: the kind of scene data, None where nobody knows yet; posed images and fields of views go into a folder.
    """
    if makes in IN_FOLDERS and output.suffix.lower() != NATIVE:
        check_folder(output, sources)
        if makes == "view_field":
            check_parts(output)
        return
    if any(output.absolute() == source.absolute() for source in sources):
        raise InputError(f"{output.name} is the input.", "Choose another name for the output.")
    suffixes = _writable(makes)
    if not output.name.lower().endswith(tuple(suffixes)):
        is_known = output.suffix.lower() in _writable(None)
        sentence = formats.only_read(output) or (
            "A file with this ending cannot hold the result." if is_known else "No format has this ending."
        )
        raise FormatError(output, sentence, f"Choose one of these endings: {', '.join(suffixes)}.")
    if not output.absolute().parent.is_dir():
        raise InputError(f"There is no folder {output.absolute().parent}.", "Make it, or choose another.")
    if output.is_dir():
        raise InputError(f"{output} is a folder.", "Give a file to write.")
    if output.exists() and not os.access(output, os.W_OK):
        raise InputError(f"{output} may not be written.", "Choose another place, or change its permissions.")
    check_place(output.absolute().parent)


def check_place(folder: Path) -> None:
    """Refuse a folder in which no file can be made, or with hardly any room left. Raises InputError."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"?" * SMALLEST_ROOM)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(
                f"There is no room left in {folder}.", "Make room there, or choose another place with -o."
            ) from error
        raise InputError(
            f"{folder} may not be written.", "Choose another place, or change its permissions.", str(error)
        ) from error


def check_room(files: Path, output: Path) -> None:
    """Refuse where the disk has less room than the files need. Raises InputError."""
    needed = sum(file.stat().st_size for file in files.rglob("*") if file.is_file())
    place = next(each for each in (output.absolute(), *output.absolute().parents) if each.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise InputError(
            f"The result needs {needed / 1e6:.1f} MB, and {place} has {free / 1e6:.1f} MB left.",
            "Make room there, or choose another place with -o.",
        )


def check_parts(output: Path) -> None:
    """Refuse a folder where the folders and files of an edit cannot be made. Raises InputError."""
    for part in (*EDIT_PARTS, *EDIT_FILES):
        place, is_folder = output / part, part in EDIT_PARTS
        if place.exists() and place.is_dir() != is_folder:
            kinds = ("file", "folder") if is_folder else ("folder", "file")
            sentence = f"{place} is a {kinds[0]}, and must be a {kinds[1]}."
            raise InputError(sentence, "Choose another folder for -o.")


def _writable(makes: str | None) -> list[str]:
    """Endings of files that can hold a kind of scene data, None for any; the usual one first."""
    fitting = (
        kind for kind in formats.FILE_KINDS if kind.is_writable and (makes is None or kind.holds(makes))
    )
    return list(dict.fromkeys(suffix for kind in fitting for suffix in kind.suffixes))


def check_folder(output: Path, sources: Sequence[Path]) -> None:
    """Refuse a folder that cannot be made, or whose cameras are those of the input. Raises InputError."""
    from recon.formats.scene_folder import is_scene_folder

    if output.is_file():
        raise InputError(
            f"{output} is a file.", "The result is many files: give a folder to make, or FILE.npz."
        )
    suffixes = {suffix for kind in formats.FILE_KINDS for suffix in kind.suffixes}
    if output.suffix.lower() in suffixes:
        raise InputError(
            f"{output.name} cannot hold the result.",
            "It is many files: give a folder to make, or FILE.npz.",
        )
    place = next(each for each in (output.absolute(), *output.absolute().parents) if each.exists())
    if not place.is_dir():
        raise InputError(f"{place} is a file, not a folder.", "Choose another place with -o.")
    check_place(place)
    target = output.resolve()
    if is_scene_folder(output) and any(source.resolve().is_relative_to(target) for source in sources):
        raise InputError(
            f"{output.name} already holds cameras of these images, which would be replaced.",
            "Choose another folder for the output.",
        )


def write_outputs(
    path: Path, outputs: Sequence[Output], options: argparse.Namespace, method: Method | None = None,
    folder: RunFolder | None = None,
) -> list[Path]:  # fmt: skip
    """Write a result. Returns the files; what could not be held is told on standard error.

    Several solids go into one file; posed images and the files of a field of views into the folder `path`; in .npz
    the first output, others beside it. What a mesh file cannot hold goes into the folder of --also, where one was named.
    """
    also: Path | None = getattr(options, "also", None)
    written, rest = _write_main(path, outputs, options, folder)
    if also is not None:
        also.mkdir(parents=True, exist_ok=True)
        written += [
            _write_native(also / f"{_file_name(output)}{NATIVE}", output.data, folder) for output in rest
        ]
    elif rest and method is not None:
        names = ", ".join(output.name for output in rest)
        print(f"info: not written: {names}; --also FOLDER keeps them.", file=sys.stderr)
    return written


def tell_notes(path: Path, notes: Sequence[formats.Note]) -> None:
    """What a reader or writer took for granted or repaired, on standard error."""
    for note in notes:
        where = f", plane {note.plane + 1}" if note.plane is not None else ""
        print(f"{note.severity}: {path.name}{where}: {note.sentence}", file=sys.stderr)


def _write_main(
    path: Path, outputs: Sequence[Output], options: argparse.Namespace, folder: RunFolder | None
) -> tuple[list[Path], list[Output]]:
    """The files of -o, and the outputs that they do not hold."""
    from recon.formats.export import ExportOptions

    first = outputs[0] if outputs else None
    if first is None:
        raise InputError("The run was ended before it had a result.", "Start it again.")
    if path.suffix.lower() == NATIVE:
        return [
            _write_native(_beside(path, output) if i else path, output.data, folder)
            for i, output in enumerate(outputs)
        ], []
    if isinstance(first.data, PosedImages) and path.suffix.lower() not in _endings(first.data):
        from recon.formats import scene_folder

        tell_notes(path, scene_folder.write(path, first.data))
        return [path], list(outputs[1:])
    if isinstance(first.data, ViewField) and folder is not None:
        _write_edit(folder.path / "files", path)
        return [path], list(outputs[1:])
    export = model_from(options, ExportOptions, "write-")
    meshes = [(output.name, output.data) for output in outputs if isinstance(output.data, TriangleMesh)]
    if meshes:
        from recon.formats import mesh

        written = mesh.write(path, meshes, export)
        for warning in written.warnings:
            print(f"warning: {path.name}: {warning}", file=sys.stderr)
        return list(written.files), [each for each in outputs if not isinstance(each.data, TriangleMesh)]
    clouds = [(output.name, output.data) for output in outputs if isinstance(output.data, GaussianCloud)]
    if clouds and isinstance(first.data, GaussianCloud):
        from recon.formats import gaussian_export

        if gaussian_export.suffix_of(path):
            splats = gaussian_export.write(path, clouds, export)
            for warning in splats.warnings:
                print(f"warning: {path.name}: {warning}", file=sys.stderr)
            return list(splats.files), [x for x in outputs if not isinstance(x.data, GaussianCloud)]
    tell_notes(path, formats.write(path, first.data, export))
    return [path], list(outputs[1:])


def _write_edit(files: Path, path: Path) -> None:
    """The folder of an edit; pictures of an earlier edit there, which is replaced, do not stay among its own. The file
    of measures comes last: a folder without it is not whole. Raises InputError."""
    check_parts(path)
    check_room(files, path)
    last = path / LAST_FILE
    if (path / "views.json").is_file() and last.is_file():
        last.unlink()
        for part, ending in EDIT_PARTS.items():
            for old in (path / part).glob(f"*{ending}"):
                old.unlink()
    try:
        shutil.copytree(files, path, dirs_exist_ok=True, ignore=_all_but_last(files))
        with replacing(last) as beside:
            shutil.copyfile(files / LAST_FILE, beside)
    except OSError as error:
        advice = "Check that there is room on the disk and that you may write there."
        raise FormatError(path, "The folder cannot be written whole.", advice, details=str(error)) from error


def _all_but_last(files: Path) -> Callable[[str, list[str]], set[str]]:
    return lambda folder, names: {LAST_FILE}.intersection(names) if Path(folder) == files else set()


def _endings(data: SceneData) -> set[str]:
    return {suffix for kind in formats.kinds_to_write(data) for suffix in kind.suffixes}


def _write_native(path: Path, data: SceneData, folder: RunFolder | None) -> Path:
    """Write scene data bit for bit; pictures that lie in the run's folder move to a folder beside it."""
    if folder is not None:
        inside = folder.path / "files"
        beside = path.absolute().with_suffix("")
        moved = rebased(data, inside.absolute(), beside)
        if moved is not data:
            shutil.copytree(inside, beside, dirs_exist_ok=True)
            data = moved
    formats.write(path, data)
    return path


def _beside(path: Path, output: Output) -> Path:
    return path.with_name(f"{path.stem}-{_file_name(output)}{path.suffix}")


def _file_name(output: Output) -> str:
    """The name of an output as a file's: "Camera poses" is "camera-poses"."""
    return re.sub(r"[^\w.]+", "-", output.name.lower()).strip("-.") or "output"
