"""What the person wants of a run that is under way."""

from __future__ import annotations

import threading
import time


class Commands:
    """Commands for one run, given by any thread and obeyed by the run at its next step.

    Attributes are plain flags: reading one is atomic, and the run looks at them at every step.
    """

    def __init__(self) -> None:
        self.pause = False
        self.stop = False
        self.interrupt = False
        self.cancel_at: float | None = None
        self.checkpoint = False
        self.preview = False
        self.keep = False
        self.arrived = threading.Event()

    def take(self, command: str) -> None:
        """Note a command; one that is unknown is left out, as it may come from a newer window."""
        match command:
            case "pause":
                self.pause = True
            case "resume":
                self.pause = False
            case "stop":
                self.stop = True
            case "checkpoint":
                self.checkpoint = True
            case "preview":
                self.preview = True
            case "keep":
                self.keep = True
            case "interrupt":
                self._end()
                self.interrupt = True
            case "parent gone" if not self.keep:
                self._end()
                self.interrupt = True
            case "cancel":
                self._end()
        self.arrived.set()

    def _end(self) -> None:
        self.cancel_at = self.cancel_at or time.monotonic()

    @property
    def is_ending(self) -> bool:
        """Whether the run is to end at its next step without a result."""
        return self.cancel_at is not None
