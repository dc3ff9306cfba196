"""States that undo goes back to, whose large values may wait on the disk."""

from __future__ import annotations

import uuid
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from app import marks_files
from app.layers import Layer, Missing, ProjectState
from recon.formats import native
from render.gaussians import GaussianMarks
from render.scene_data import SceneData

Value = SceneData | GaussianMarks


class OnDisk:
    """A value that waits in a file, and is read once for all who ask while someone holds it."""

    def __init__(self, value: Value, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._is_marks = isinstance(value, GaussianMarks)
        suffix = marks_files.SUFFIX if self._is_marks else ".npz"
        self._path = folder / f"undo-{uuid.uuid4().hex}{suffix}"
        if isinstance(value, GaussianMarks):
            marks_files.write(self._path, value)
        else:
            native.write(self._path, value)
        self._value = weakref.ref(value)

    def read(self) -> Value:
        value = self._value()
        if value is None:
            value = marks_files.read(self._path) if self._is_marks else native.read(self._path)
            self._value = weakref.ref(value)
        return value


class Snapshot:
    """A state; `release` takes a value out of the memory, `restore` brings all of them back."""

    def __init__(self, state: ProjectState) -> None:
        self._state = state
        self._away: dict[tuple[str, str], OnDisk] = {}  # layer id, field

    def values(self) -> Iterator[Value]:
        """Data and marks that are in the memory."""
        for layer in self._state.layers:
            yield from values_of(layer)

    def rewrite(self, new: Callable[[Layer], Layer]) -> None:
        """Put other layers in place of these."""
        self._state = rewritten(self._state, new)

    def restore(self) -> ProjectState:
        """The whole state, in the memory again."""
        if self._away:
            self._state = rewritten(self._state, self._whole)
            self._away = {}
        return self._state

    def release(self, value: Value, place: OnDisk) -> None:
        """Let the disk keep a value for this state."""

        def without(layer: Layer) -> Layer:
            if layer.data is value:
                self._away[layer.id, "data"] = place
                layer = replace(layer, data=Missing(type(value).__name__, {}))
            if layer.marks is value:
                self._away[layer.id, "marks"] = place
                layer = replace(layer, marks=None)
            return layer

        self._state = rewritten(self._state, without)

    def _whole(self, layer: Layer) -> Layer:
        fields: dict[str, Any] = {
            name: self._away[layer.id, name].read()
            for name in ("data", "marks")
            if (layer.id, name) in self._away
        }
        return replace(layer, **fields) if fields else layer


def values_of(layer: Layer) -> Iterator[Value]:
    """The data and the marks of a layer, as far as there are any."""
    if not isinstance(layer.data, Missing):
        yield layer.data
    if layer.marks is not None:
        yield layer.marks


def arrays_of(value: Value) -> dict[int, NDArray[Any]]:
    """The arrays of a value by their identity: values share those that did not change."""
    return {id(array): array for _, array in value.arrays()}


def rewritten(state: ProjectState, new: Callable[[Layer], Layer]) -> ProjectState:
    """The state with other layers; the same one where no layer is another."""
    layers = tuple(new(layer) for layer in state.layers)
    is_same = all(a is b for a, b in zip(layers, state.layers, strict=True))
    return state if is_same else replace(state, layers=layers)
