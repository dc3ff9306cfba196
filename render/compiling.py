"""Tells when kernels are compiled: on a new machine that takes seconds to minutes, once; then they are kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import event

_KIND = "numba:compile"  # told by numba of what it did not find in its cache


class _Listener(event.Listener):  # type: ignore[misc]
    """Counts what is under way in all threads: kernels that compile others are told of once."""

    def __init__(self, tell: Callable[[bool], None]) -> None:
        self._tell, self._count, self._lock = tell, 0, threading.Lock()

    def on_start(self, _: Any) -> None:
        self._add(1)

    def on_end(self, _: Any) -> None:
        self._add(-1)

    def _add(self, change: int) -> None:
        with self._lock:
            before, self._count = self._count, self._count + change
            if (before > 0) != (self._count > 0):
                self._tell(self._count > 0)


@contextmanager
def telling(tell: Callable[[bool], None]) -> Iterator[None]:
    """Meanwhile `tell` is called when compiling begins (True) and ends (False), in whatever thread that happens."""
    listener = _Listener(tell)
    event.register(_KIND, listener)
    try:
        yield
    finally:
        event.unregister(_KIND, listener)
