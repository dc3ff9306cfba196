"""What the user chose once for all projects, and what was open lately."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.directories import config_directory, state_directory
from recon.formats.atomic_file import replacing

MAX_RECENT = 12
_BASIC: dict[str, Any] = {"basic": True}


class Preferences(BaseModel):
    """Stored as preferences.json; unknown keys of a newer version are kept."""

    model_config = ConfigDict(frozen=True, extra="allow", use_attribute_docstrings=True)

    theme: Literal["dark", "light", "system"] = Field("dark", title="Theme", json_schema_extra=_BASIC)
    """The colours of the window."""
    ui_scale: float = Field(1.0, ge=0.8, le=2.0, title="Scale", json_schema_extra=_BASIC)
    """Size of text and controls; 1 is that of the design."""
    reduce_motion: bool = Field(False, title="Reduce motion", json_schema_extra=_BASIC)
    """Views jump where they would glide."""
    autosave_minutes: float = Field(
        3.0, ge=0.1, le=120, title="Autosave", json_schema_extra=_BASIC | {"unit": "min"}
    )
    """How often unsaved work is kept for recovery."""
    preview_share: float = Field(0.05, ge=0, le=0.25, title="Time for previews", json_schema_extra=_BASIC)
    """Share of a run's time that previews may take."""


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
