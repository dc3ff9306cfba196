"""Where a person keeps networks, remembered for each use of one; and what is said of those that are not here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from app.directories import config_directory
from recon.cues.models import Task, find_model
from recon.diffusion import PAINTERS
from recon.diffusion.pipeline_folder import check_folder
from recon.errors import ReconError
from recon.formats.atomic_file import replacing

_FILE = "networks.json"
_FETCH = re.compile(r"Fetch it with `[^`]+`, or choose another network\.")
_BELOW = "Fetch it once with the command below, or choose the folder where it lies."


@dataclass(frozen=True)
class NetworkProblem:
    """Why a network cannot be used, in words, and the command that would help, "" for none."""

    words: str = ""
    command: str = ""


def load_folders() -> dict[str, str]:
    """Folder by use: the id of an editor, "words" or "clicks". Empty where none was ever chosen."""
    try:
        stored = json.loads((config_directory() / _FILE).read_text(encoding="utf-8"))
        return {str(use): str(folder) for use, folder in stored.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def remember_folder(use: str, folder: str) -> None:
    """Keep the folder that a person chose; "" for the usual place."""
    folders = {name: kept for name, kept in load_folders().items() if name != use}
    if folder:
        folders[use] = folder
    with replacing(config_directory() / _FILE) as beside:
        beside.write_text(json.dumps(folders, indent=1))


def editor_problem(engine: str, folder: str) -> NetworkProblem:
    """Why the network of an editor cannot be used. Looks on the disk: for the background."""
    kind = PAINTERS.get(engine)
    if kind is None:
        return NetworkProblem()
    found = _looked_up(folder or kind.model, "edit")
    if isinstance(found, NetworkProblem):
        return found
    try:
        check_folder(found, kind)
    except ReconError as error:
        return NetworkProblem(str(error))
    return NetworkProblem()


def finder_problem(name: str, task: Task, folder: str) -> NetworkProblem:
    """Why a network that finds parts by words or clicks cannot be used. Looks on the disk: for the background."""
    found = _looked_up(folder or name, task)
    if isinstance(found, NetworkProblem):
        return found
    if not (found / "config.json").is_file():
        return NetworkProblem(
            f"There is no network in {found.name}: it has no config.json. Choose another folder."
        )
    return NetworkProblem()


def _looked_up(name: str, task: Task) -> Path | NetworkProblem:
    if Path(name).is_absolute() and not Path(name).is_dir():
        return NetworkProblem(f"There is no folder {name}. Choose another one, or clear the field.")
    try:
        return find_model(name, task)[0]
    except ReconError as error:
        command = " && ".join(re.findall("`([^`]+)`", error.advice))
        advice = _FETCH.sub(_BELOW, error.advice).replace("`", "")
        return NetworkProblem(f"{error.sentence} {advice}", command)
