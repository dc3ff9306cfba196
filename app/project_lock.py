"""One program at a time saves a project: the lock in its folder says which."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QLockFile

_NAME = ".lock"


class Holder(NamedTuple):
    """The program that has a project open."""

    pid: int
    host: str

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine, where it is known to be alive: a dead one's lock is nobody's."""
        return self.host == socket.gethostname()


def take_lock(folder: Path, *, take_over: bool = False) -> QLockFile | None:
    """Mark the project of a folder as open here; None when another program has it open."""
    if take_over:
        (folder / _NAME).unlink(missing_ok=True)
    lock = _lock_file(folder)
    if not lock.tryLock(0) and lock.error() == QLockFile.LockError.LockFailedError:
        return None
    return lock


def lock_holder(folder: Path) -> Holder | None:
    """Who has the project of a folder open, or None."""
    lock = take_lock(folder) if folder.is_dir() else _lock_file(folder)
    if lock is not None:
        lock.unlock()
        return None
    pid, host, _ = _lock_file(folder).getLockInfo()
    return Holder(int(pid), str(host))


def _lock_file(folder: Path) -> QLockFile:
    lock = QLockFile(str(folder / _NAME))
    lock.setStaleLockTime(0)  # Only a lock whose program has ended is stale, however old it is.
    return lock
