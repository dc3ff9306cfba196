"""The open project: a tuple of layers and the one undoable edit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from app.layers import Layer, Missing, ProjectState
from app.undo_snapshots import OnDisk, Snapshot, Value, arrays_of, rewritten, values_of
from recon.errors import ReconError
from render.frame import Frame
from render.scene_data import SceneData

_NOTHING = ProjectState()
UNDO_BUDGET_BYTES = 512 * 2**20

# What the work is called, the work, what to do with its answer, and with its error.
RunAside = Callable[[str, Callable[[], Any], Callable[[Any], None], Callable[[Exception], None]], None]


class Project(QObject):
    """Layers and frame, changed only through `edit`; visibility is a view and no undo step.

    Signals: state_changed after every edit, undo and redo; visibility_changed; spilled when a value that undo needs
    went to the disk. run_aside: how to do work off the window's thread, as `Background.run` does.
    """

    state_changed = Signal()
    visibility_changed = Signal()
    spilled = Signal()

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
        self.run_aside: RunAside = _at_once
        self._is_spilling = False
        self._on_disk: WeakKeyDictionary[Value, OnDisk] = WeakKeyDictionary()

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
        self.state = rewritten(self.state, new)
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
        live, held = self._live_arrays(), dict[int, int]()
        for value in self._undo_values():
            held.update({key: array.nbytes for key, array in arrays_of(value).items() if key not in live})
        return sum(held.values())

    def _commands(self) -> list[_Swap]:
        commands = (self.undo_stack.command(i) for i in range(self.undo_stack.count()))
        return [command for command in commands if isinstance(command, _Swap)]

    def _undo_values(self) -> list[Value]:
        """What the undo stack holds in the memory, the oldest first, each once."""
        found = (value for command in self._commands() for value in command.values())
        return list({id(value): value for value in found}.values())

    def _live_arrays(self) -> frozenset[int]:
        return frozenset(
            key for layer in self.layers for value in values_of(layer) for key in arrays_of(value)
        )

    def _keep_undo_in_budget(self) -> None:
        """Write what the oldest steps hold to disk until the rest fits; undo reads it back.

        One value at a time, off the window's thread: a large one takes a while.
        """
        if self.spill_folder is None or self._is_spilling or self.undo_bytes <= UNDO_BUDGET_BYTES:
            return
        live, folder = self._live_arrays(), self.spill_folder
        value = next((v for v in self._undo_values() if not arrays_of(v).keys() <= live), None)
        if value is None:
            return
        kept = self._on_disk.get(value)
        self._is_spilling = True
        self.run_aside(
            "undo to disk",
            lambda: kept or OnDisk(value, folder),
            partial(self._release, value),
            self._stop_spilling,
        )

    def _release(self, value: Value, place: OnDisk) -> None:
        self._is_spilling = False
        self._on_disk[value] = place
        if not arrays_of(value).keys() <= self._live_arrays():  # It may have been undone to meanwhile.
            for command in self._commands():
                command.release(value, place)
            self.spilled.emit()
        self._keep_undo_in_budget()

    def _stop_spilling(self, _: Exception) -> None:
        """The disk refuses: everything stays in the memory, and the next edit tries again."""
        self._is_spilling = False


def _at_once(
    _key: str, work: Callable[[], Any], on_done: Callable[[Any], None], on_failed: Callable[[Exception], None]
) -> None:
    """Do work here and now, where nobody gave a way to do it aside."""
    try:
        answer = work()
    except (OSError, ReconError) as error:
        on_failed(error)
        return
    on_done(answer)


class _Swap(QUndoCommand):
    """The one command. Its redo cannot raise: Qt would keep a command whose redo did."""

    def __init__(
        self, project: Project, text: str, before: ProjectState, after: ProjectState, merge_key: str
    ) -> None:
        super().__init__(text)
        self._project = project
        self._before, self._after = Snapshot(before), Snapshot(after)
        self._merge_key = merge_key

    def values(self) -> Iterator[Value]:
        yield from self._before.values()
        yield from self._after.values()

    def release(self, value: Value, place: OnDisk) -> None:
        self._before.release(value, place)
        self._after.release(value, place)

    def rewrite(self, new: Callable[[Layer], Layer]) -> None:
        self._before.rewrite(new)
        self._after.rewrite(new)

    def undo(self) -> None:
        self._swap_in(self._before)

    def redo(self) -> None:
        self._swap_in(self._after)

    def _swap_in(self, snapshot: Snapshot) -> None:
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
