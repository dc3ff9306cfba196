"""One worker a run: a lock that the system lets go of when its process ends, however it ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_NAME = ".worker.lock"


class RunLock:
    """Held by the worker of a run folder. On a disk that knows no locks every worker gets it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._handle: int | None = None

    def take(self) -> bool:
        """Take the lock. False where another worker holds it."""
        try:
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError:
            return True  # The folder cannot be written, which the run will say better.
        try:
            _lock(self._handle)
        except (BlockingIOError, PermissionError):
            self.release()
            return False
        except OSError:
            return True  # Some network disks have no locks; status.json still tells of a worker there.
        return True

    def release(self) -> None:
        """Let go; done at the latest when the process ends. The file stays, for another may have opened it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
