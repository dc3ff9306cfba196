"""What the user chose once for all projects, and what was open lately."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.directories import config_directory, state_directory
from recon.formats.atomic_file import replacing

MAX_RECENT = 12


class Preferences(BaseModel):
    """Stored as preferences.json; unknown keys of a newer version are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")

    theme: Literal["dark", "light", "system"] = "dark"
    ui_scale: float = Field(1.0, ge=0.8, le=2.0)
    reduce_motion: bool = False
    device: Literal["auto", "cpu", "cuda"] = "auto"
    autosave_minutes: float = Field(3.0, gt=0)
    preview_share: float = Field(0.05, ge=0, le=0.25)


def load_preferences() -> Preferences:
    """The stored preferences; defaults where there are none or they cannot be read."""
    try:
        return Preferences.model_validate_json((config_directory() / "preferences.json").read_bytes())
    except (OSError, ValidationError):
        return Preferences()


def save_preferences(preferences: Preferences) -> None:
    with replacing(config_directory() / "preferences.json") as beside:
        beside.write_text(preferences.model_dump_json(indent=1))


class RecentProject(BaseModel):
    """A project that was open; the path is where it was then."""

    model_config = ConfigDict(frozen=True)

    uuid: str
    title: str
    path: Path
    opened: datetime


def load_recent() -> tuple[RecentProject, ...]:
    """Lately opened projects, newest first."""
    try:
        rows = json.loads((state_directory() / "recent.json").read_bytes())
        return tuple(RecentProject.model_validate(row) for row in rows)
    except (OSError, ValueError, TypeError):
        return ()


def remember_project(uuid: str, title: str, path: Path) -> None:
    """Put a project at the head of the recent list."""
    newest = RecentProject(uuid=uuid, title=title, path=path, opened=datetime.now(UTC))
    others = [row for row in load_recent() if row.path != path and row.uuid != uuid]
    _store_recent([newest, *others][:MAX_RECENT])


def forget_project(path: Path) -> None:
    _store_recent([row for row in load_recent() if row.path != path])


def _store_recent(rows: list[RecentProject]) -> None:
    with replacing(state_directory() / "recent.json") as beside:
        beside.write_text(json.dumps([row.model_dump(mode="json") for row in rows], indent=1))
