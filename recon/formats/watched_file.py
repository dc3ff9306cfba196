"""A file whose writing can be followed, and ended between two pieces."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PIECE = 2**20  # bytes

Watch = Callable[[int], None]


class WatchedFile(io.BufferedWriter):
    """Calls `watch` with the bytes of each piece before it is written; what that raises ends the writing."""

    def __init__(self, path: Path, watch: Watch) -> None:
        super().__init__(io.FileIO(path, "wb"))
        self._watch = watch

    def write(self, data: Any) -> int:
        pieces = memoryview(data).cast("B")
        for start in range(0, len(pieces), _PIECE):
            piece = pieces[start : start + _PIECE]
            self._watch(len(piece))
            super().write(piece)
        return len(pieces)
