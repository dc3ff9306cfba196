"""Commands on projects: pack, unpack, relink."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from app import project_folder, project_pack, relinking
from app.layers import Layer
from recon.errors import InputError


def pack(arguments: Sequence[str]) -> int:
    """`isokiln pack PROJECT`."""
    parser = argparse.ArgumentParser(
        prog="isokiln pack", description="Put a whole project into one file.", allow_abbrev=False
    )
    parser.add_argument("project", type=Path, metavar="PROJECT", help="its folder or its .isokiln file")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="default PROJECT.isokilnz beside it"
    )
    parser.add_argument("--with-checkpoints", action="store_true", help="so that its runs can be resumed")
    options = parser.parse_args(arguments)
    folder = options.project if options.project.is_dir() else options.project.parent
    target = options.output or folder.absolute().with_suffix(project_pack.PACK_SUFFIX)
    print(project_pack.pack(options.project, target, with_checkpoints=options.with_checkpoints))
    return 0


def unpack(arguments: Sequence[str]) -> int:
    """`isokiln unpack FILE`."""
    parser = argparse.ArgumentParser(
        prog="isokiln unpack", description="Make a project folder from a packed one.", allow_abbrev=False
    )
    parser.add_argument("pack", type=Path, metavar="FILE")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="default FILE without its ending")
    options = parser.parse_args(arguments)
    print(project_pack.unpack(options.pack, options.output or options.pack.with_suffix("")))
    return 0


def relink(arguments: Sequence[str]) -> int:
    """`isokiln relink PROJECT [PLACE …]`."""
    parser = argparse.ArgumentParser(
        prog="isokiln relink",
        description="Give layers of a project the files again that were moved. Without PLACE, list what is missing.",
        epilog="Exit status: 0 nothing is missing any more, 1 something is, 2 wrong usage.",
        allow_abbrev=False,
    )
    parser.add_argument("project", type=Path, metavar="PROJECT", help="its folder or its .isokiln file")
    parser.add_argument(
        "places",
        type=Path,
        nargs="*",
        metavar="PLACE",
        help="the file, or a folder to look in with all below it",
    )
    parser.add_argument("--use-anyway", action="store_true", help="also files that have changed since")
    parser.add_argument(
        "--dry-run", action="store_true", help="tell what would be done, and leave the project"
    )
    options = parser.parse_intermixed_args(arguments)
    for place in options.places:
        if not place.exists():
            raise InputError(f"There is no {place}.", "Check the name, or whether it was moved.")
    opened = project_folder.open_project(options.project)
    layers = opened.document.state.layers
    lost = [layer for layer in layers if relinking.is_lost(layer)]
    found = {layer.id: relinking.find(layer, options.places) for layer in lost}
    taken = {
        id: each
        for id, each in found.items()
        if each is not None and not each.problem and (options.use_anyway or not each.difference)
    }
    for layer in lost:
        print(_about_lost(layer, found[layer.id], is_taken=layer.id in taken))
    if not lost:
        print("Nothing is missing.")
    if taken and not options.dry_run:
        _save_relinked(opened, {id: each.layer for id, each in taken.items()})
    return 0 if len(taken) == len(lost) else 1


def _about_lost(layer: Layer, found: relinking.Found | None, *, is_taken: bool) -> str:
    """One line on a lost layer and what was found for it."""
    if found is None:
        return f"missing: “{layer.name}”: {relinking.wanted(layer)}"
    if found.problem:
        return f"cannot be read: “{layer.name}”: {found.place}: {found.problem}"
    line = f"“{layer.name}”: {found.place}"
    if found.difference:
        line += f" ({found.difference})"
    return f"relinked: {line}" if is_taken else f"differs: {line} --use-anyway takes it."


def _save_relinked(opened: project_folder.Opened, layers: Mapping[str, Layer]) -> None:
    """Save the project with these layers in place of the lost ones. Raises InputError where it may not be."""
    from app.project_lock import lock_holder  # Qt's own lock: only this command waits for Qt

    if lock_holder(opened.path.parent) is not None:
        raise InputError("The project is open in a window.", "Relink there, or close it first.")
    if opened.is_read_only:
        raise InputError("A newer version made this project.", "Relink with that version.")
    document = opened.document
    state = replace(
        document.state, layers=tuple(layers.get(layer.id, layer) for layer in document.state.layers)
    )
    project_folder.save(opened.path, replace(document, state=state))
