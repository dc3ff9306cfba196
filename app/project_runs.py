"""The runs of a project on the disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from recon.run_folder import ALIVE, RunFolder


def run_folders(folder: Path) -> Iterable[Path]:
    """The run folders of a project."""
    runs = folder / "runs"
    found = runs.iterdir() if runs.is_dir() else ()
    return sorted(path for path in found if path.is_dir() and not path.name.startswith("."))


def is_under_way(run: Path) -> bool:
    """Whether a program works in this run folder now."""
    return RunFolder(run).status().state in ALIVE


def copy_run(run: Path, target: Path) -> None:
    """Copy a run folder, in place of what is at `target`; arrays as hard links where possible.

    Arrays are never changed once written; the rest is added to by later attempts, so it must not be shared.
    """
    if not run.is_dir():
        raise FileNotFoundError(f"There is no run at {run}.")
    beside = target.with_name(f".{target.name}")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for path in sorted(run.rglob("[!.]*")):
        place = beside / path.relative_to(run)
        if path.is_dir():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".npz":
            link_or_copy(path, place)
        else:
            shutil.copy2(path, place)
    shutil.rmtree(target, ignore_errors=True)
    beside.replace(target)


def link_or_copy(old: Path, new: Path) -> None:
    """A second name for a file, or a copy of it where the file system knows no such thing."""
    try:
        os.link(old, new)
    except OSError:
        shutil.copy2(old, new)
