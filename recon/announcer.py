"""What a worker says: events as JSON lines, for whoever started it and for the run folder."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from recon.run_folder import RunFolder


class Announcer:
    """Writes each event to events.jsonl and, while someone listens, to `lines`. Any thread may use it."""

    def __init__(self, folder: RunFolder, lines: TextIO | None = None) -> None:
        self._path = folder.path / "events.jsonl"
        self._lines = lines
        self._lock = threading.Lock()
        self._end_torn_line()

    def say(self, event: str, **fields: Any) -> None:
        """One event; `fields` are JSON values."""
        line = json.dumps({"event": event, "time": round(time.time(), 3), **fields}, default=_as_json)
        with self._lock:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
            if self._lines is not None:
                self._print(self._lines, line)

    def _print(self, lines: TextIO, line: str) -> None:
        try:
            print(line, file=lines, flush=True)
        except (BrokenPipeError, ValueError):
            self._lines = None  # Nobody listens any more; the folder still records everything.

    @contextmanager
    def logging(self) -> Iterator[None]:
        """Send what the project logs, and warnings, as log events."""
        handler = _LogEvents(self)
        root, own = logging.getLogger(), logging.getLogger("recon")
        level = own.level
        root.addHandler(handler)
        own.setLevel(logging.INFO)
        try:
            yield
        finally:
            root.removeHandler(handler)
            own.setLevel(level)

    def _end_torn_line(self) -> None:
        """A kill may have left half a line; the next event starts on its own."""
        with suppress(FileNotFoundError), self._path.open("rb+") as file:
            if file.seek(0, 2) and (file.seek(-1, 2), file.read(1))[1] != b"\n":
                file.write(b"\n")


class _LogEvents(logging.Handler):
    def __init__(self, announcer: Announcer) -> None:
        super().__init__(logging.INFO)
        self._announcer = announcer

    def emit(self, record: logging.LogRecord) -> None:
        self._announcer.say("log", level=record.levelname.lower(), text=record.getMessage())


def _as_json(value: Any) -> Any:
    """Numbers and arrays of numpy and torch as plain values."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "items"):
        return dict(value)
    return str(value)
