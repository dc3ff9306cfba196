"""The manifest of a project: its keys, what is kept of keys we do not know, and older versions."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from recon.errors import FormatError
from render.frame import Axis, PatientAxes, Unit

FORMAT = "isokiln.project"
SUFFIX = ".isokiln"
SCHEMA = 1

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]

# Older schema → function that makes the next one of it. Each has a golden file in the tests, for ever.
UPGRADES: dict[int, Upgrade] = {}


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True, protected_namespaces=())


class FrameRecord(_Record):
    up: Axis = "+Z"
    handedness: Literal["right"] = "right"
    unit: Unit = "unit"
    metres_per_unit: float | None = None
    patient_axes: PatientAxes | None = None


class AssetRecord(_Record):
    """A file outside the project, by relative path first."""

    relpath: str
    abspath_hint: str
    bytes: int
    fingerprint: str
    options: dict[str, Any] = {}
    embedded: bool = True


class OriginRecord(_Record):
    method: str
    settings: dict[str, Any] = {}
    seed: int = 0
    inputs: list[str] = []
    run: str = ""
    figures: dict[str, Any] = {}


class LayerRecord(_Record):
    uuid: str
    kind: str
    name: str
    visible: bool = True
    locked: bool = False
    display: dict[str, Any] = {}
    origin: OriginRecord | None = None
    source: AssetRecord | None = None
    file: str | None = None
    marks: str | None = None  # a file of what is marked among Gaussians
    version_of: str = ""
    pending: bool = False
    meta: dict[str, Any] = {}
    images: dict[str, str] = {}  # where pictures are that the data refer to


class RunRecord(_Record):
    """A run of this project; everything else about it stands in its folder."""

    uuid: str
    method: str
    name: str
    inputs: list[str] = []
    accepted: bool = False


class PromptRecord(_Record):
    """An edit by words that was asked for. verdict: "" while it is computed, "pending", "accepted", "rejected" or
    "failed". target: what it was to change, in words. settings: of the method, as the prompt box had them."""

    uuid: str
    prompt: str
    method: str = ""
    seed: int = 0
    target: str = ""
    settings: dict[str, Any] = {}
    asked: str = ""  # local time, ISO 8601
    run: str = ""
    verdict: str = ""


class Manifest(_Record):
    format: str = FORMAT
    schema_: int = Field(SCHEMA, alias="schema")
    min_reader: int = 1
    app_version: str = ""
    uuid: str
    revision: str
    parent_revision: str | None = None
    title: str = "Untitled"
    created: str = ""
    modified: str = ""
    lineage: list[str] = []
    frame: FrameRecord | None = None
    layers: list[LayerRecord] = []
    runs: list[RunRecord] = []
    prompts: list[PromptRecord] = []
    session: dict[str, Any] = {}

    @classmethod
    def new(cls, title: str = "Untitled") -> Self:
        """The manifest of a project that was just begun."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(
            schema=SCHEMA,
            uuid=uuid.uuid4().hex,
            revision=uuid.uuid4().hex,
            title=title,
            created=now,
            app_version=app_version(),
        )

    def to_bytes(self) -> bytes:
        return self.model_dump_json(by_alias=True, indent=1).encode()


def manifest_path(path: Path) -> Path:
    """The manifest of a project given by its folder or by the manifest itself; FormatError without one."""
    if path.is_dir():
        found = sorted(path.glob(f"*{SUFFIX}"), key=lambda p: (p.stem != path.name, p.name))
        if not found:
            raise FormatError(
                path, "This folder holds no project.", f"Choose a folder with a *{SUFFIX} file."
            )
        return found[0]
    return path


def is_project(path: Path) -> bool:
    """Whether a path is a project's manifest or folder."""
    if path.is_dir():
        return any(path.glob(f"*{SUFFIX}"))
    return path.suffix == SUFFIX


def read_raw(path: Path) -> dict[str, Any]:
    """The JSON of a manifest, unchecked but for its format. Raises FormatError."""
    try:
        return parsed(path.read_bytes(), path)
    except OSError as error:
        raise FormatError(path, f"The file cannot be read: {error.strerror}.", "Check the path.") from error


def parsed(content: bytes, path: Path) -> dict[str, Any]:
    """A manifest's bytes as JSON. path: what to call the file in a FormatError."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise damaged(path, str(error)) from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise FormatError(path, "This is not an Isokiln project.", f"Choose a *{SUFFIX} file.")
    return value


def damaged(path: Path, details: str) -> FormatError:
    """What is said of a manifest that cannot be understood."""
    return FormatError(
        path,
        "The project file is damaged.",
        "Open one of the backups (*.bak1 … *.bak3) beside it.",
        details=details,
    )


def app_version() -> str:
    """The installed version, or "0" when the program runs from a bare checkout."""
    try:
        return version("isokiln")
    except PackageNotFoundError:
        return "0"


def upgraded(
    raw: dict[str, Any], path: Path, upgrades: Mapping[int, Upgrade] | None = None
) -> tuple[dict[str, Any], bool]:
    """A manifest in today's schema, and whether it comes from a newer program (then open it read-only).

    Raises FormatError when it is too new to be read or says no version.
    """
    table = UPGRADES if upgrades is None else upgrades
    schema, min_reader = raw.get("schema"), raw.get("min_reader", 1)
    if not isinstance(schema, int) or not isinstance(min_reader, int):
        raise FormatError(path, "The project file says no version.", "Open one of the backups beside it.")
    if min_reader > SCHEMA:
        raise FormatError(path, "This project was made by a newer Isokiln.", "Update Isokiln to open it.")
    while schema < SCHEMA:
        if schema not in table:
            raise FormatError(path, f"Version {schema} of the project file is unknown.", "Update Isokiln.")
        raw = {**table[schema](raw), "schema": schema + 1}
        schema += 1
    return raw, schema > SCHEMA
