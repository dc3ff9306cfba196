"""Unsaved work, kept outside the project until it is saved or given up."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import psutil

from app import project_folder
from app.directories import state_directory
from app.manifest import read_raw
from app.project_folder import Document
from recon.errors import ReconError
from recon.formats.atomic_file import replacing

_MANIFEST = "work.isokiln"


@dataclass(frozen=True)
class Recovery:
    """Unsaved work of one project.

    base_revision: the save that it goes on from. project_path: its manifest, None for one never saved.
    """

    uuid: str
    title: str
    folder: Path
    base_revision: str
    project_path: Path | None
    saved_at: datetime

    def open(self) -> Document:
        """The unsaved work. Raises FormatError when it is damaged."""
        document = project_folder.open_project(self.folder / _MANIFEST).document
        manifest = document.manifest.model_copy(update={"revision": self.base_revision, "title": self.title})
        return replace(document, manifest=manifest)


def write_recovery(document: Document, project_path: Path | None) -> Recovery:
    """Keep the unsaved state of a project; layer files it shares with the project are linked, not copied."""
    folder = _folder(document.manifest.uuid)
    project_folder.save(folder / _MANIFEST, document)
    owner = psutil.Process()
    record = {
        "uuid": document.manifest.uuid,
        "title": document.manifest.title,
        "base_revision": document.manifest.revision,
        "project_path": str(project_path) if project_path else None,
        "saved_at": datetime.now().astimezone().isoformat(timespec="seconds"),
        "pid": owner.pid,
        "pid_start_time": owner.create_time(),
    }
    with replacing(folder / "recovery.json") as beside:
        beside.write_text(json.dumps(record, indent=1))
    project_folder.remove_unused_layer_files(folder / _MANIFEST)
    return _parse(folder, record)


def find_recovery(uuid: str) -> Recovery | None:
    """Unsaved work of a project that nobody has open any more, newer than its base."""
    found = _read(_folder(uuid))
    return found[0] if found is not None and not found[1] else None


def abandoned_recoveries() -> Iterator[Recovery]:
    """All unsaved work whose program has ended; what a later save has overtaken is dropped."""
    root = state_directory() / "recovery"
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        found = _read(folder)
        if found is None or found[1]:
            continue
        recovery = found[0]
        if recovery.project_path is not None and not recovery.project_path.exists():
            recovery = replace(recovery, project_path=None)  # It is gone: to be saved at a new place.
        if _is_overtaken(recovery):
            discard_recovery(recovery.uuid)
        else:
            yield recovery


def _is_overtaken(recovery: Recovery) -> bool:
    """Whether the project was saved after this work began."""
    if recovery.project_path is None:
        return False
    try:
        return bool(read_raw(recovery.project_path).get("revision") != recovery.base_revision)
    except ReconError:
        return False  # The project cannot be read: its unsaved work is worth all the more.


def discard_recovery(uuid: str) -> None:
    shutil.rmtree(_folder(uuid), ignore_errors=True)


def _folder(uuid: str) -> Path:
    return state_directory() / "recovery" / uuid


def _read(folder: Path) -> tuple[Recovery, bool] | None:
    """The recovery in a folder and whether its program still runs; None when there is none that is whole."""
    try:
        record = json.loads((folder / "recovery.json").read_bytes())
        return _parse(folder, record), _is_running(int(record["pid"]), float(record["pid_start_time"]))
    except (OSError, ValueError, KeyError, TypeError, ReconError):
        return None


def _parse(folder: Path, record: dict[str, str | int | float | None]) -> Recovery:
    path = record["project_path"]
    return Recovery(
        uuid=str(record["uuid"]),
        title=str(record["title"]),
        folder=folder,
        base_revision=str(record["base_revision"]),
        project_path=Path(str(path)) if path else None,
        saved_at=datetime.fromisoformat(str(record["saved_at"])),
    )


def _is_running(pid: int, start_time: float) -> bool:
    if pid == os.getpid():
        return True
    try:
        return abs(psutil.Process(pid).create_time() - start_time) < 1
    except psutil.NoSuchProcess:
        return False
