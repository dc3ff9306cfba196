"""When a run may spend time on something other than its work: previews and checkpoints."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.formats.atomic_file import replacing

Clock = Callable[[], float]
Arrays = Mapping[str, NDArray[np.generic]]
_CHECKPOINT_SHARE = 0.05  # of the wall time, at most
_KEPT_CHECKPOINTS = 2


class PreviewBudget:
    """Lets a preview be made only when its expected cost stays within a share of the wall time.

    The cost of one preview runs from the moment when it was called due to the moment when it is written.
    The first is always due, unless the share is 0.
    """

    def __init__(self, share: float, clock: Clock = time.monotonic) -> None:
        self._share = share
        self._clock = clock
        self._start = clock()
        self._asked_at: float | None = None
        self._spent = 0.0
        self._last_cost = 0.0
        self.wanted = False

    def is_due(self) -> bool:
        """Whether a preview now stays within the budget; one that the person asked for always does."""
        now = self._clock()
        expected = self._spent + self._last_cost
        due = self.wanted or (self._share > 0 and expected <= self._share * (now - self._start))
        self._asked_at = now if due else None
        return due

    def count(self) -> None:
        """A preview is written: charge what it took since it was due."""
        now = self._clock()
        self._last_cost = now - (self._asked_at if self._asked_at is not None else now)
        self._spent += self._last_cost
        self._asked_at = None
        self.wanted = False

    def leave_out(self, seconds: float) -> None:
        """Time that does not count as the run's, such as a pause."""
        self._start += seconds

    @property
    def share(self) -> float:
        """The share of the wall time that previews have taken."""
        elapsed = self._clock() - self._start
        return self._spent / elapsed if elapsed > 0 else 0.0


class Checkpoints:
    """The checkpoints of one run folder: numbered .npz files, of which the newest two are kept.

    A file that cannot be read, because the machine died while it was written, falls back to the one before.
    """

    def __init__(
        self,
        folder: Path,
        seconds: float,
        on_saved: Callable[[Path], None] = lambda path: None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._folder = folder
        self._seconds = seconds
        self._on_saved = on_saved
        self._clock = clock
        self._last_saved = clock()
        self._cost = 0.0
        self._wanted_at: float | None = None
        self._was_asked = False

    def want(self) -> None:
        """Have one saved as soon as the method asks whether it is due."""
        if self._wanted_at is None:
            self._wanted_at = self._clock()

    def is_settled(self, patience: float) -> bool:
        """Whether the wanted checkpoint is saved, or not worth waiting for.

        It is not where the method never asks, or has not saved within `patience` seconds.
        """
        if self._wanted_at is None or not self._was_asked:
            return True
        return self._clock() - self._wanted_at > patience

    def is_due(self) -> bool:
        """Whether the method is to save one now."""
        self._was_asked = True
        pause = max(self._seconds, self._cost / _CHECKPOINT_SHARE)
        return self._wanted_at is not None or self._clock() - self._last_saved >= pause

    def save(self, arrays: Arrays) -> None:
        """Write a checkpoint, whole or not at all."""
        began = self._clock()
        self._folder.mkdir(exist_ok=True)
        earlier = self.paths()
        number = int(earlier[-1].stem) + 1 if earlier else 1
        path = self._folder / f"{number:08d}.npz"
        with replacing(path) as beside, beside.open("wb") as file:
            np.savez(file, **{name: np.asarray(array) for name, array in arrays.items()})  # type: ignore[arg-type]
        for old in earlier[: 1 - _KEPT_CHECKPOINTS]:
            old.unlink()
        self._last_saved = self._clock()
        self._cost = self._last_saved - began
        self._wanted_at = None
        self._on_saved(path)

    def load(self) -> dict[str, NDArray[np.generic]] | None:
        """The arrays of the newest checkpoint that is whole, or None."""
        for path in reversed(self.paths()):
            try:
                # Opened here: numpy leaves a file that is no archive open.
                with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                    return {name: archive[name] for name in archive.files}
            except (OSError, ValueError, EOFError, zipfile.BadZipFile):
                continue  # Torn; the one before it is whole.
        return None

    def paths(self) -> list[Path]:
        """Oldest first. Files that a kill left half written start with a dot and are not among them."""
        return sorted(self._folder.glob("[!.]*.npz"))

    def sweep(self) -> None:
        """Remove what kills left half written."""
        for path in self._folder.glob(".*.npz"):
            path.unlink()
