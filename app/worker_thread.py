"""A run computed in this program's own process: for edits that take a moment, where starting a process takes longer."""

from __future__ import annotations

import math
import threading
from pathlib import Path

from recon.active_run import ActiveRun
from recon.announcer import Announcer
from recon.commands import Commands
from recon.run_folder import RunFolder


class WorkerThread:
    """Runs one folder on a thread of its own, started, commanded and ended as `WorkerProcess` is.

    The same folder, status and events as of a run elsewhere, so that whoever follows them sees no difference.
    """

    def __init__(self) -> None:
        self._commands = Commands()
        self._thread: threading.Thread | None = None
        self._status: int | None = None

    @property
    def exit_status(self) -> int | None:
        """None while it runs."""
        return self._status

    def run(self, folder: Path) -> None:
        """Run a run folder."""
        self._thread = threading.Thread(target=self._run, args=(RunFolder(folder),), daemon=True, name="edit")
        self._thread.start()

    def send(self, command: str) -> None:
        """Give it a command, which it obeys at its next step."""
        self._commands.take(command)

    def close(self, patience: float = 0.0) -> str:
        """Have it end at its next step, and wait for that: a thread cannot be ended from outside."""
        if self._status is None:
            self._commands.take("parent gone")
        if self._thread is not None:
            self._thread.join()
        return ""

    def kill(self) -> None:
        """End it without a result."""
        self._commands.take("cancel")

    def leave(self) -> None:
        """Follow it no longer; it ends with this program."""

    def _run(self, folder: RunFolder) -> None:
        try:
            # No grace: what does not obey a cancel is ended with its process, which is the window's.
            self._status = ActiveRun(folder, self._commands, Announcer(folder), grace=math.inf).execute()
        finally:
            self._status = 1 if self._status is None else self._status
