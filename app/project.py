"""The open project: a tuple of layers and the one undoable edit."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from app.layers import Layer, Missing, ProjectState
from recon.formats import native
from render.frame import Frame
from render.scene_data import SceneData

_NOTHING = ProjectState()
UNDO_BUDGET_BYTES = 512 * 2**20


class Project(QObject):
    """Layers and frame, changed only through `edit`; visibility is a view and no undo step.

    Signals: state_changed after every edit, undo and redo; visibility_changed.
    """

    state_changed = Signal()
    visibility_changed = Signal()

    def __init__(
        self,
        state: ProjectState = _NOTHING,
        spill_folder: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.state = state
        self.hidden: frozenset[str] = frozenset()
        self.spill_folder = spill_folder
        self.undo_stack = QUndoStack(self)

    def load(self, state: ProjectState, hidden: frozenset[str] = frozenset()) -> None:
        """Become another project; there is nothing to undo to."""
        self.state, self.hidden = state, hidden
        self.undo_stack.clear()
        self.state_changed.emit()

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self.state.layers

    @property
    def frame(self) -> Frame:
        return self.state.frame

    def layer(self, layer_id: str) -> Layer | None:
        """The layer of that id, if it is still there."""
        return next((layer for layer in self.layers if layer.id == layer_id), None)

    def edit(
        self, text: str, layers: Iterable[Layer], frame: Frame | None = None, merge_key: str = ""
    ) -> None:
        """Swap the layers (and the frame) for others, as one undo step named `text`.

        Compute first, then call this: nothing here can fail. Edits that follow each other with the same
        merge_key, like the positions of a dragged slider, become one step.
        """
        after = ProjectState(tuple(layers), frame or self.frame)
        self.undo_stack.push(_Swap(self, text, self.state, after, merge_key))
        self._keep_undo_in_budget()

    def rewrite(self, change: Callable[[SceneData], SceneData]) -> None:
        """Put other values in place of data, here and in every undo step: the same things told otherwise."""
        done: dict[int, SceneData] = {}

        def new(layer: Layer) -> Layer:
            if isinstance(layer.data, Missing):
                return layer
            if id(layer.data) not in done:
                done[id(layer.data)] = change(layer.data)
            data = done[id(layer.data)]
            return layer if data is layer.data else replace(layer, data=data)

        before = self.state
        for command in self._commands():
            command.rewrite(new)
        self.state = _rewritten(self.state, new)
        if self.state is not before:
            self.state_changed.emit()

    def set_visible(self, layer_ids: Iterable[str], visible: bool) -> None:
        """Show or hide layers."""
        ids = frozenset(layer_ids)
        hidden = self.hidden - ids if visible else self.hidden | ids
        if hidden != self.hidden:
            self.hidden = hidden
            self.visibility_changed.emit()

    def is_visible(self, layer_id: str) -> bool:
        return layer_id not in self.hidden

    @property
    def undo_bytes(self) -> int:
        """Memory of arrays that only the undo stack holds."""
        return sum(_bytes_of(data) for data in self._undo_payloads().values())

    def _commands(self) -> list[_Swap]:
        commands = (self.undo_stack.command(i) for i in range(self.undo_stack.count()))
        return [command for command in commands if isinstance(command, _Swap)]

    def _undo_payloads(self) -> dict[int, SceneData]:
        live = {id(layer.data) for layer in self.layers}
        held = (layer.data for command in self._commands() for layer in command.layers_in_memory())
        return {id(d): d for d in held if id(d) not in live and not isinstance(d, Missing)}

    def _keep_undo_in_budget(self) -> None:
        """Write what the oldest steps hold to disk until the rest fits; undo reads it back."""
        if self.spill_folder is None or self.undo_bytes <= UNDO_BUDGET_BYTES:
            return
        live = frozenset(id(layer.data) for layer in self.layers)
        for command in self._commands():
            command.spill(self.spill_folder, live)
            if self.undo_bytes <= UNDO_BUDGET_BYTES:
                return


def _rewritten(state: ProjectState, new: Callable[[Layer], Layer]) -> ProjectState:
    layers = tuple(new(layer) for layer in state.layers)
    is_same = all(a is b for a, b in zip(layers, state.layers, strict=True))
    return state if is_same else replace(state, layers=layers)


def _bytes_of(data: SceneData) -> int:
    return data.num_bytes


class _Snapshot:
    """A state whose large data may wait on the disk."""

    def __init__(self, state: ProjectState) -> None:
        self._state = state
        self._files: dict[str, Path] = {}

    def layers_in_memory(self) -> list[Layer]:
        return [layer for layer in self._state.layers if layer.id not in self._files]

    def rewrite(self, new: Callable[[Layer], Layer]) -> None:
        self._state = _rewritten(self._state, new)

    def restore(self) -> ProjectState:
        layers = tuple(
            replace(layer, data=native.read(self._files[layer.id])) if layer.id in self._files else layer
            for layer in self._state.layers
        )
        self._state, self._files = replace(self._state, layers=layers), {}
        return self._state

    def spill(self, folder: Path, live: frozenset[int]) -> None:
        layers = []
        for layer in self._state.layers:
            data = layer.data
            if layer.id not in self._files and id(data) not in live and not isinstance(data, Missing):
                path = folder / f"undo-{uuid.uuid4().hex}.npz"
                folder.mkdir(parents=True, exist_ok=True)
                native.write(path, data)
                self._files[layer.id] = path
                layer = replace(layer, data=Missing(type(data).__name__, {}))
            layers.append(layer)
        self._state = replace(self._state, layers=tuple(layers))


class _Swap(QUndoCommand):
    """The one command. Its redo cannot raise: Qt would keep a command whose redo did."""

    def __init__(
        self, project: Project, text: str, before: ProjectState, after: ProjectState, merge_key: str
    ) -> None:
        super().__init__(text)
        self._project = project
        self._before, self._after = _Snapshot(before), _Snapshot(after)
        self._merge_key = merge_key

    def layers_in_memory(self) -> list[Layer]:
        return self._before.layers_in_memory() + self._after.layers_in_memory()

    def spill(self, folder: Path, live: frozenset[int]) -> None:
        self._before.spill(folder, live)
        self._after.spill(folder, live)

    def rewrite(self, new: Callable[[Layer], Layer]) -> None:
        self._before.rewrite(new)
        self._after.rewrite(new)

    def undo(self) -> None:
        self._swap_in(self._before)

    def redo(self) -> None:
        self._swap_in(self._after)

    def _swap_in(self, snapshot: _Snapshot) -> None:
        self._project.state = snapshot.restore()
        self._project.state_changed.emit()

    def id(self) -> int:
        return 1 if self._merge_key else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Swap) or other._merge_key != self._merge_key:
            return False
        self._after = other._after
        self.setText(other.text())
        return True
