"""A run as a folder: what to compute, how far it is, and what came out.

run.json is written once by `create`. Everything else is the worker's: status.json (where it stands now),
events.jsonl (everything it said), checkpoints/, previews/latest.npz, results/ and log.txt. Any program may
read a run folder at any time, and may leave a command in it for the worker.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import psutil
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recon.errors import FormatError, InputError
from recon.formats import native
from recon.formats.atomic_file import replacing
from recon.method import Output
from render.scene_data import SceneData

FORMAT = "isokiln.run"
ALIVE = ("starting", "running", "pausing", "paused", "stopping", "saving", "cancelling")
COMMANDS = ("pause", "resume", "stop", "checkpoint", "preview", "cancel", "keep")
_SILENT_AFTER = 30.0  # seconds without a heartbeat after which a worker on another machine counts as dead
_NEWEST_PREVIEW = Path("previews", "latest.npz")


class RunManifest(BaseModel):
    """run.json: everything needed to compute the same again.

    method: an id of recon.METHODS, or "package.module:NAME" of a Method value elsewhere.
    inputs: slot name → path; a relative one starts at the run folder. sources: slot name → the file that the
    person named, where it was read into the run folder; only told, not read.
    preview_share: the share of wall time that previews may take. checkpoint_seconds: time between checkpoints.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    format: Literal["isokiln.run"] = "isokiln.run"
    version: Literal[1] = 1
    method: str
    title: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    inputs: dict[str, str] = Field(default_factory=dict)
    sources: dict[str, str] = Field(default_factory=dict)
    seed: int = 0
    device: str = "cpu"
    preview_share: float = Field(0.05, ge=0, le=1)
    checkpoint_seconds: float = Field(10.0, ge=0)
    created: float = Field(default_factory=time.time)


@dataclass(frozen=True)
class RunStatus:
    """status.json: where a run stands.

    state: "ready", "starting", "running", "pausing", "paused", "stopping", "saving", "cancelling"; then
    "done", "stopped", "failed", "cancelled" or "interrupted". Times in seconds; wall_s and cpu_s add up over
    every attempt at this folder. error: sentence, advice, details and kind of a failed run.
    """

    state: str = "ready"
    pid: int = 0
    pid_start_time: float = 0.0
    host: str = ""
    heartbeat: float = 0.0
    attempt: int = 0
    stage: str = ""
    step: int = 0
    total: int = 0
    preview_share: float = 0.0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_bytes: int = 0
    error: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunFolder:
    """A folder that holds a run. Raises FormatError where run.json is missing or damaged."""

    path: Path

    @property
    def manifest(self) -> RunManifest:
        """What the run was made from. Raises FormatError."""
        path = self.path / "run.json"
        try:
            return RunManifest.model_validate_json(path.read_bytes())
        except OSError as error:
            raise FormatError(
                path,
                "This folder holds no run.",
                "Choose a folder that a run was started in.",
                details=str(error),
            ) from error
        except ValidationError as error:
            raise FormatError(
                path, "The description of this run is damaged.", "Start a new run.", details=str(error)
            ) from error

    def status(self) -> RunStatus:
        """Where the run stands; "interrupted" where its process died without saying how it ended."""
        status = self.recorded_status()
        if status.state in ALIVE and not is_alive(status):
            ended = "cancelled" if status.state == "cancelling" else "interrupted"
            return replace(status, state=ended)
        return status

    def recorded_status(self) -> RunStatus:
        """status.json as the worker last wrote it."""
        try:
            values = json.loads((self.path / "status.json").read_bytes())
            known = {key: values[key] for key in RunStatus.__dataclass_fields__ if key in values}
        except (OSError, ValueError, TypeError):
            return RunStatus()  # No worker has started here, so there is nothing to lose by starting one.
        return RunStatus(**known)

    def write_status(self, status: RunStatus) -> None:
        """Replace status.json. No fsync: it tells of the present, and is worth nothing after a power cut."""
        beside = self.path / f".status.{os.getpid()}.json"
        beside.write_text(json.dumps(asdict(status)))
        beside.replace(self.path / "status.json")

    def input_paths(self) -> dict[str, Path]:
        """Slot name → file, absolute."""
        return {slot: self.path / path for slot, path in self.manifest.inputs.items()}

    def events(self) -> list[dict[str, Any]]:
        """Everything the workers of this run have said."""
        return EventTail(self).read_new()

    def preview(self) -> SceneData | None:
        """The newest preview; None where there is none yet."""
        path = self.path / _NEWEST_PREVIEW
        return native.read(path) if path.exists() else None

    def write_preview(self, data: SceneData) -> None:
        (self.path / _NEWEST_PREVIEW).parent.mkdir(exist_ok=True)
        native.write(self.path / _NEWEST_PREVIEW, data)

    @property
    def has_checkpoint(self) -> bool:
        return any((self.path / "checkpoints").glob("[!.]*.npz"))

    @property
    def has_result(self) -> bool:
        return (self.path / "results" / "result.json").exists()

    @property
    def result_record(self) -> Mapping[str, Any]:
        """result.json: outputs (name, kind, path), figures, stopped, wall_s, cpu_s, peak_bytes; empty before."""
        path = self.path / "results" / "result.json"
        try:
            record: dict[str, Any] = json.loads(path.read_bytes())
        except OSError:
            return {}
        except ValueError as error:
            raise FormatError(path, "The result of this run is damaged.", "Run it again.") from error
        return record

    @property
    def outputs(self) -> tuple[Output, ...]:
        """What the run made; empty before it ended. Raises FormatError."""
        rows = self.result_record.get("outputs", ())
        return tuple(Output(row["name"], native.read(self.path / row["path"])) for row in rows)

    @property
    def figures(self) -> Mapping[str, Any]:
        """What the method reported about its result; empty before it ended."""
        return dict(self.result_record.get("figures", {}))

    def write_result(self, outputs: tuple[Output, ...], record: Mapping[str, Any]) -> None:
        """Store outputs and the record about them; a kill on the way leaves the earlier result whole."""
        folder = self.path / "results"
        folder.mkdir(exist_ok=True)
        prefix = f"{time.time_ns()}"
        rows = []
        for index, output in enumerate(outputs):
            path = folder / f"{prefix}-{index}.npz"
            native.write(path, output.data)
            kind = native.kind_of(output.data)
            rows.append({"name": output.name, "kind": kind, "path": path.relative_to(self.path).as_posix()})
        with replacing(folder / "result.json") as beside:
            beside.write_text(json.dumps({"outputs": rows, **record}, indent=1))
        for path in folder.glob("*.npz"):
            if not path.name.startswith(prefix):
                path.unlink()

    def keep_preview_as_result(self) -> bool:
        """Make the last preview the result of a run whose worker can no longer. False where there is none."""
        preview = self.preview()
        if preview is None:
            return False
        status = self.recorded_status()
        costs = {"wall_s": status.wall_s, "cpu_s": status.cpu_s, "peak_bytes": status.peak_bytes}
        name = self.manifest.title or self.manifest.method
        figures = {"from_preview": True}
        self.write_result((Output(name, preview),), {"figures": figures, "stopped": True, **costs})
        self.write_status(replace(status, state="stopped"))
        return True

    def send(self, command: str) -> None:
        """Leave a command for a worker whose standard input is not ours; it looks twice a second."""
        if command not in COMMANDS:
            raise ValueError(f"unknown command {command!r}")
        folder = self.path / "commands"
        folder.mkdir(exist_ok=True)
        beside = folder / f".{time.time_ns()}"
        beside.write_text(command)
        beside.replace(folder / f"{time.time_ns()}.txt")

    def take_commands(self) -> list[str]:
        """The commands that were left, oldest first; each is given once."""
        taken = []
        for path in sorted((self.path / "commands").glob("*.txt")):
            taken.append(path.read_text().strip())
            path.unlink()
        return taken


class EventTail:
    """Reads events.jsonl as it grows. A line that a kill tore is left out."""

    def __init__(self, folder: RunFolder, *, from_end: bool = False) -> None:
        self._path = folder.path / "events.jsonl"
        self._offset = self._path.stat().st_size if from_end and self._path.exists() else 0

    def read_new(self) -> list[dict[str, Any]]:
        """The events since the last call; a line still being written waits for the next."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        return [event for line in whole.splitlines() if (event := _parse_event(line)) is not None]


def _parse_event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None


def create(
    folder: Path,
    method_id: str,
    settings: Mapping[str, Any],
    inputs: Mapping[str, Path | SceneData],
    seed: int = 0,
    device: str = "cpu",
    *,
    title: str = "",
    preview_share: float = 0.05,
    checkpoint_seconds: float = 10.0,
    sources: Mapping[str, str] | None = None,
) -> RunFolder:
    """Make a run folder. Scene data, as values or as .npz, are stored in it; other files stay where they are.

    Raises InputError where the folder already holds a run.
    """
    folder = folder.absolute()
    if (folder / "run.json").exists():
        raise InputError(f"{folder.name} already holds a run.", "Choose another folder, or resume that run.")
    folder.mkdir(parents=True, exist_ok=True)
    manifest = RunManifest(
        method=method_id,
        title=title,
        settings=dict(settings),
        inputs={slot: _store_input(folder, slot, value) for slot, value in inputs.items()},
        sources=dict(sources or {}),
        seed=seed,
        device=device,
        preview_share=preview_share,
        checkpoint_seconds=checkpoint_seconds,
    )
    with replacing(folder / "run.json") as beside:
        beside.write_text(manifest.model_dump_json(indent=1))
    return RunFolder(folder)


def _store_input(folder: Path, slot: str, value: Path | SceneData) -> str:
    """The path to write into the manifest for one input."""
    if isinstance(value, Path) and value.suffix != ".npz":
        return str(value.absolute())
    stored = folder / "inputs" / f"{slot}.npz"
    stored.parent.mkdir(exist_ok=True)
    if isinstance(value, Path):
        _link(value, stored)
    else:
        native.write(stored, value)
    return stored.relative_to(folder).as_posix()


def _link(source: Path, target: Path) -> None:
    """The same file under another name where the disk can do that, else a copy. Raises FormatError."""
    try:
        os.link(source, target)
    except OSError:
        try:
            shutil.copyfile(source, target)
        except OSError as error:
            raise FormatError(
                source,
                "The file cannot be read.",
                "Check that it exists and may be read.",
                details=str(error),
            ) from error


def is_alive(status: RunStatus) -> bool:
    """Whether the process that wrote this status still runs: the same pid, started at the same time."""
    if status.host != socket.gethostname():
        return time.time() - status.heartbeat < _SILENT_AFTER
    try:
        process = psutil.Process(status.pid)
        started, state = process.create_time(), process.status()
    except psutil.Error:
        return False
    return abs(started - status.pid_start_time) < 1 and state != psutil.STATUS_ZOMBIE


def end_process_tree(pid: int) -> None:
    """Kill a process and everything it started; done when it is already gone."""
    try:
        process = psutil.Process(pid)
        family = [*process.children(recursive=True), process]
    except psutil.Error:
        return
    for member in family:
        try:
            member.kill()
        except psutil.Error:
            continue  # It ended by itself meanwhile, which is what was wanted.
