"""Where Isokiln keeps what is the user's and not a project's; `ISOKILN_HOME` puts all of it in one folder."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_DIRECTORIES = platformdirs.PlatformDirs("isokiln", appauthor=False)


def _place(kind: str, default: str) -> Path:
    home = os.environ.get("ISOKILN_HOME")
    path = Path(home) / kind if home else Path(default)
    path.mkdir(parents=True, exist_ok=True)
    return path


def config_directory() -> Path:
    """Preferences and the key map: what a person may edit."""
    return _place("config", _DIRECTORIES.user_config_dir)


def state_directory() -> Path:
    """Recent files, recovery, logs and the window's geometry."""
    return _place("state", _DIRECTORIES.user_state_dir)


def data_directory() -> Path:
    """Downloaded weights and unpacked samples."""
    return _place("data", _DIRECTORIES.user_data_dir)


def projects_directory() -> Path:
    """Default place of new projects. Not made until something is saved there."""
    home = os.environ.get("ISOKILN_HOME")
    base = Path(home) / "documents" if home else Path(_DIRECTORIES.user_documents_dir)
    return base / "Isokiln Projects"
