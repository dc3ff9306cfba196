"""SAM 2 in a process of its own, as Qt signals: it looks at a picture once, and then says what clicks on it mean."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal

from app.errors import describe_death, describe_event

_ENDING_MS = 2000


class ClickProcess(QObject):
    """One process at a time. seen: it looked at the picture that was shown last. found: the number of a request and
    (M, 2) the outline. failed: an ErrorReport."""

    seen = Signal()
    found = Signal(int, object)
    failed = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._rest = b""

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def start(self, network: str, device: str) -> None:
        """Load a network: its id, or its folder."""
        self.close()
        process = self._process = QProcess(self)
        process.setProcessEnvironment(_environment())
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._on_end)
        process.start(sys.executable, ["-m", "recon.romap.click_server", network, device])

    def show(self, picture: Path) -> None:
        """Have it look at a picture."""
        self._send({"picture": str(picture)})

    def ask(
        self, number: int, clicks: Sequence[tuple[float, float, bool]], boxes: Sequence[Sequence[float]]
    ) -> None:
        """Ask what clicks and boxes mean, in pixels of the picture."""
        self._send(
            {"id": number, "clicks": [list(each) for each in clicks], "boxes": [list(b) for b in boxes]}
        )

    def close(self) -> None:
        """End it and let go of its memory."""
        process, self._process, self._rest = self._process, None, b""
        if process is None:
            return
        process.readyReadStandardOutput.disconnect(self._read)
        process.finished.disconnect(self._on_end)
        process.kill()
        process.waitForFinished(_ENDING_MS)
        process.deleteLater()

    # Inner life

    def _send(self, request: Mapping[str, Any]) -> None:
        if self._process is not None:
            self._process.write(json.dumps(request).encode() + b"\n")

    def _read(self) -> None:
        assert self._process is not None
        *lines, self._rest = (self._rest + bytes(self._process.readAllStandardOutput().data())).split(b"\n")
        for line in lines:
            self._take(json.loads(line))

    def _take(self, answer: Mapping[str, Any]) -> None:
        if "error" in answer:
            self.failed.emit(describe_event(answer["error"]))
        elif "id" in answer:
            self.found.emit(answer["id"], np.array(answer["outline"], np.float64).reshape(-1, 2))
        elif answer.get("state") == "seen":
            self.seen.emit()

    def _on_end(self, status: int) -> None:
        """It ended by itself: after an error that it told of, or because the system ended it."""
        words = (
            ""
            if self._process is None
            else bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace")
        )
        self._process, self._rest = None, b""
        if status:
            self.failed.emit(describe_death(-9 if status == 9 else status, words))


def _environment() -> QProcessEnvironment:
    found = QProcessEnvironment.systemEnvironment()
    found.insert("PYTHONPATH", os.pathsep.join(entry for entry in sys.path if entry))
    found.insert("PYTHONUNBUFFERED", "1")
    return found
