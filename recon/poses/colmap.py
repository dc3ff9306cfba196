"""pycolmap, imported so that the program's own answer to SIGTERM stays: COLMAP's would dump a stack and die."""

from __future__ import annotations

import signal
import threading

_before = signal.getsignal(signal.SIGTERM)

import pycolmap  # noqa: E402

if threading.current_thread() is threading.main_thread() and _before is not None:
    signal.signal(signal.SIGTERM, _before)

__all__ = ["pycolmap"]
