"""Networks of others: which there are, and where they lie on this machine. Never downloads."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import platformdirs

from recon.errors import MissingModel, SettingsError
from render.images import DepthKind

Task = Literal["depth", "normals", "words", "clicks", "edit"]


@dataclass(frozen=True)
class Model:
    """One network. hub: its place on the Hugging Face hub. size: bytes. kind, signs: what its numbers mean, for depth
    and for normals; None where it does not apply. is_gated: whether the hub asks for an account and consent first.
    left_out: patterns of the hub's files that need not be fetched, such as the same weights in other formats. sha256: of
    files of weights, by their path, where they are known."""

    id: str
    name: str
    task: Task
    hub: str
    revision: str
    size: int
    licence: str
    kind: DepthKind | None = None
    signs: tuple[int, int, int] | None = None
    is_gated: bool = False
    left_out: tuple[str, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)


@cache
def known_models() -> tuple[Model, ...]:
    """The table `resources/models.toml`."""
    text = resources.files("resources").joinpath("models.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["model"]
    return tuple(Model(**{name: _fixed(value) for name, value in row.items()}) for row in rows)


def _fixed(value: Any) -> Any:
    """Lists as tuples."""
    return tuple(value) if isinstance(value, list) else value


def find_model(name: str, task: Task) -> tuple[Path, Model | None]:
    """The folder of a network by its id in the table, or by its path; and its row in the table, if it is from there.

    Looks in `models/` of the user's data folder, then in the hub's cache. Raises MissingModel, SettingsError.
    """
    if Path(name).is_dir():
        return Path(name), None
    for model in known_models():
        if model.id == name and model.task == task:
            return _installed(model), model
    known = ", ".join(model.id for model in known_models() if model.task == task)
    raise SettingsError(
        f"There is no {task} network {name!r}.", f"Choose one of {known}, or the folder of a network."
    )


def models_folder() -> Path:
    """Where a person may put networks: one folder each, named by its id."""
    home = os.environ.get("ISOKILN_HOME")
    data = Path(home) / "data" if home else Path(platformdirs.user_data_dir("isokiln", appauthor=False))
    return data / "models"


def _installed(model: Model) -> Path:
    own = models_folder() / model.id
    if own.is_dir():
        return own
    cached = _in_hub_cache(model)
    if cached is not None:
        return cached
    consent = f"Accept its licence at huggingface.co/{model.hub} and log in with `hf auth login` first. "
    raise MissingModel(
        f"The network {model.name} ({_in_words(model.size)}, licence {model.licence}) is not on this machine.",
        f"{consent if model.is_gated else ''}Fetch it with `{_command(model, own)}`, or choose "
        "another network.",
        f"looked for in {own} and in the Hugging Face cache",
    )


def _command(model: Model, folder: Path) -> str:
    """What fetches a network's files to a folder."""
    without = "".join(f' --exclude "{pattern}"' for pattern in model.left_out)
    return f"hf download {model.hub}{without} --local-dir {folder}"


def _in_hub_cache(model: Model) -> Path | None:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError
    except ImportError:
        return None
    try:
        return Path(snapshot_download(model.hub, revision=model.revision, local_files_only=True))
    except LocalEntryNotFoundError:
        return None


def _in_words(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
