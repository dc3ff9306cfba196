"""Keeps status.json of a run up to date while the run computes."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from recon.commands import Commands
from recon.run_folder import RunFolder, RunStatus, end_process_tree

BEAT_SECONDS = 2.0
LOOK_SECONDS = 0.25  # between looks for commands left in the folder
GRACE_SECONDS = 10.0  # between a cancel and the end of a worker that does not obey it


class Heartbeat:
    """A thread that writes the status every two seconds, and ends a worker that does not obey a cancel."""

    def __init__(self, folder: RunFolder, commands: Commands, grace: float = GRACE_SECONDS) -> None:
        self._folder = folder
        self._commands = commands
        self._grace = grace
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._before = folder.recorded_status()
        self._began = time.monotonic()
        self._cpu_before = _cpu_seconds()
        self._paused = 0.0
        own = psutil.Process()
        self._status = RunStatus(
            state="starting",
            pid=own.pid,
            pid_start_time=own.create_time(),
            host=socket.gethostname(),
            attempt=self._before.attempt + 1,
        )
        self._thread = threading.Thread(target=self._beat, daemon=True, name="heartbeat")

    def start(self) -> None:
        self.update()
        self._thread.start()

    def stop(self) -> None:
        """End the thread; the status stays as it was last updated."""
        self._over.set()
        self._thread.join()

    def note(self, **changes: Any) -> None:
        """Change fields of the status, to be written with the next beat."""
        with self._lock:
            self._status = replace(self._status, **changes)

    def update(self, **changes: Any) -> None:
        """Change fields of the status and write it now."""
        with self._lock:
            self._status = replace(self._status, heartbeat=time.time(), **self.costs(), **changes)
            self._folder.write_status(self._status)

    def leave_out(self, seconds: float) -> None:
        """Time that does not count as the run's, such as a pause."""
        self._paused += seconds

    def costs(self) -> dict[str, Any]:
        """wall_s and cpu_s over every attempt at this run, peak_bytes of this one."""
        return {
            "wall_s": self._before.wall_s + time.monotonic() - self._began - self._paused,
            "cpu_s": self._before.cpu_s + _cpu_seconds() - self._cpu_before,
            "peak_bytes": max(self._before.peak_bytes, peak_bytes()),
        }

    def _beat(self) -> None:
        last = time.monotonic()
        while not self._over.wait(LOOK_SECONDS):
            for command in self._folder.take_commands():
                self._commands.take(command)
            if time.monotonic() - last >= BEAT_SECONDS:
                self.update()
                last = time.monotonic()
            asked = self._commands.cancel_at
            if asked is not None and time.monotonic() - asked > self._grace:
                end_process_tree(os.getpid())


def peak_bytes() -> int:
    """The most memory that this process has held at once."""
    if sys.platform == "linux":
        # Not getrusage: its maximum starts with that of the process that started this one.
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _cpu_seconds() -> float:
    """CPU time of this process and of those it started that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
