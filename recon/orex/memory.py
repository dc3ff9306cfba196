"""What a run has worked out so far, under names, so that it can stop anywhere and go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recon.method import RunContext

Array = NDArray[np.generic]


class Memory:
    """Named arrays that a checkpoint holds; those of an earlier attempt are there from the start."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._arrays: dict[str, Array] = dict(context.load_checkpoint() or {})

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def field(self, name: str) -> NDArray[np.float32]:
        """A field kept under this name."""
        return np.asarray(self._arrays[name], np.float32)

    def keep(self, name: str, array: NDArray[np.floating]) -> None:
        """Remember an array from now on."""
        self._arrays[name] = np.asarray(array)

    def forget(self, prefix: str) -> None:
        """Drop everything whose name begins so."""
        self._arrays = {name: array for name, array in self._arrays.items() if not name.startswith(prefix)}

    def save_if_due(self) -> None:
        """Write a checkpoint when the run's pace says so."""
        if self._context.is_checkpoint_due():
            self._context.save_checkpoint(self._arrays)

    def context_for(self, part: str, seed: int) -> RunContext:
        """A context for a part of the run, whose checkpoints are kept under its name with everything else's."""
        prefix = f"{part}/"

        def save(arrays: Mapping[str, Array]) -> None:
            self.forget(prefix)
            self._arrays |= {prefix + name: np.asarray(array) for name, array in arrays.items()}
            self._context.save_checkpoint(self._arrays)

        def load() -> dict[str, Array] | None:
            mine = {n.removeprefix(prefix): a for n, a in self._arrays.items() if n.startswith(prefix)}
            return mine or None

        return replace(self._context, seed=seed, save_checkpoint=save, load_checkpoint=load)
