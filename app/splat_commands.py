"""What menus and keys do with Gaussians: to the selected ones of the chosen layers, or else to the layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from PySide6.QtCore import QObject

from app.background import Background
from app.data_words import counted, number
from app.layers import Layer, new_layer
from app.splat_edits import Change, Compute, SplatEdits, Splats
from recon import gaussian_selection as marking
from recon.gaussian_edits import merged
from recon.gaussian_neighbours import NeighbourGraph, grown, neighbour_graph, shrunk
from render.gaussians import GaussianCloud, GaussianMarks

if TYPE_CHECKING:
    from app.main_window import MainWindow

PART = "part"  # the column that says which part a Gaussian belongs to; 0 is none
_NOTHING = "No Gaussians are selected."
_GRAPHS: WeakKeyDictionary[GaussianCloud, NeighbourGraph] = WeakKeyDictionary()

Marking = Callable[[GaussianMarks], GaussianMarks]


class SplatCommands(QObject):
    """The commands of the action table for splats, each one undo step; `edits` does them in turn."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.background = Background(self)
        self.edits = SplatEdits(window.project, self.background, self)
        self.edits.refused.connect(lambda sentence: window.shell.toast(sentence))
        self.edits.failed.connect(window.shell.show_error)
        self.edits.pushed.connect(self._after)

    # What they work on

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of splats that tools and commands work on: those that are selected, or the only one there is."""
        chosen = tuple(x for x in self._window.scene.selected if isinstance(x.data, GaussianCloud))
        if chosen or self._window.scene.selected:
            return chosen
        all_splats = [x for x in self._window.project.layers if isinstance(x.data, GaussianCloud)]
        return tuple(all_splats) if len(all_splats) == 1 else ()

    @property
    def ids(self) -> tuple[str, ...]:
        """The layers that may be edited."""
        return tuple(layer.id for layer in self.layers if not layer.is_locked)

    @property
    def num_selected(self) -> int:
        """How many Gaussians are selected in the layers that commands work on."""
        marks = (layer.marks for layer in self.layers)
        return sum(int(np.count_nonzero(each.selected)) for each in marks if each is not None)

    @property
    def num_left(self) -> int:
        """How many Gaussians there are in these layers, but for deleted ones."""
        return sum(num_left(layer) for layer in self.layers)

    def has_mark(self, name: str) -> bool:
        """Whether any Gaussian of these layers is "selected", "hidden", "locked" or "deleted"."""
        marks = (layer.marks for layer in self.layers)
        return any(bool(getattr(each, name).any()) for each in marks if each is not None)

    def do(self, compute: Compute) -> None:
        """Edit the chosen layers; a locked one says that it is."""
        if not self.ids and self.layers:
            self._window.shell.toast(f"“{self.layers[0].name}” is locked.", "warning")
        elif self.ids:
            self.edits.do(self.ids, compute)

    def close(self) -> None:
        """The window closes: wait for what is being computed."""
        self.background.close()

    # Select

    def select_all(self) -> None:
        self._select("Select all", marking.select_all)

    def select_none(self) -> None:
        self._select("Select nothing", marking.select_none)

    def invert(self) -> None:
        self._select("Invert the selection", marking.invert_selection)

    def grow(self) -> None:
        """Take in the nearest neighbours of the selection."""
        self.do(lambda given: _by_neighbours("Grow the selection", given, grown))

    def shrink(self) -> None:
        """Leave out the rim of the selection."""
        self.do(lambda given: _by_neighbours("Shrink the selection", given, shrunk))

    # Marks

    def hide(self) -> None:
        """Hide the selected Gaussians, or the selected layers when there are none."""
        self._either(lambda: self._mark("Hide", marking.hide_selected), self._window.scene.hide_selected)

    def isolate(self) -> None:
        """Show only the selected Gaussians, or only the selected layers."""
        self._either(
            lambda: self._mark("Isolate", marking.isolate_selected), self._window.scene.isolate_selected
        )

    def show_all(self) -> None:
        """Show hidden Gaussians; when there are none, hidden layers."""
        self.edits.then(self._show_hidden)

    def lock(self) -> None:
        """Keep the selected Gaussians from being selected and edited."""
        self._mark("Lock", marking.lock_selected)

    def unlock_all(self) -> None:
        self.do(lambda given: _marked("Unlock all Gaussians", given, marking.unlock_all))

    def delete(self) -> None:
        """Delete the selected Gaussians, or the selected layers when there are none."""
        self._either(
            lambda: self._mark("Delete", marking.delete_selected), self._window.scene.delete_selected
        )

    def restore(self) -> None:
        """Bring deleted Gaussians back."""
        self.do(lambda given: _marked("Restore deleted Gaussians", given, marking.restore_deleted))

    # Layers

    def duplicate(self) -> None:
        """Copy the selected Gaussians to a new layer, or the selected layers when there are none."""
        self._either(
            lambda: self._separate("Duplicate", is_moved=False), self._window.scene.duplicate_selected
        )

    def split(self) -> None:
        """Move the selected Gaussians to a layer of their own."""
        self._separate("Split off", is_moved=True)

    def merge(self) -> None:
        """Make one layer of the selected layers of splats."""
        self.do(_merged)

    def save_part(self) -> None:
        """Number the selected Gaussians as a part, in the column that part editing reads."""
        self.do(_as_part)

    def _show_hidden(self) -> None:
        if self.has_mark("hidden"):
            self.do(lambda given: _marked("Show all Gaussians", given, marking.show_all))
        else:
            self._window.scene.show_all()

    def _either(self, with_splats: Callable[[], None], with_layers: Callable[[], None]) -> None:
        """Act on selected Gaussians, or on layers where none are selected once all edits before are done."""
        self.edits.then(lambda: with_splats() if self.num_selected else with_layers())

    def _separate(self, verb: str, *, is_moved: bool) -> None:
        styles = {layer.id: dict(layer.style) for layer in self.layers}
        self.do(lambda given: _to_layers(verb, given, styles, is_moved=is_moved))

    def _select(self, text: str, mark: Marking) -> None:
        self.do(lambda given: _selected(text, given, mark))

    def _mark(self, verb: str, mark: Marking) -> None:
        def compute(given: Sequence[Splats]) -> Change | str:
            count = num_selected(given)
            return _marked(f"{verb} {gaussians(count)}", given, mark) if count else _NOTHING

        self.do(compute)

    def _after(self, change: Change) -> None:
        if change.added:
            self._window.scene.select([layer.id for layer in change.added])
        if change.said:
            self._window.shell.toast(change.said, "ok")


# --- words and counts ------------------------------------------------------------------------------------


def gaussians(count: int) -> str:
    """ "1 Gaussian", "1 240 Gaussians"."""
    return counted(count, "Gaussian")


def num_selected(given: Sequence[Splats]) -> int:
    """How many Gaussians are selected in all."""
    return sum(int(np.count_nonzero(splats.marks.selected)) for splats in given)


def num_left(layer: Layer) -> int:
    """How many Gaussians of a layer are not deleted."""
    if not isinstance(layer.data, GaussianCloud):
        return 0
    deleted = 0 if layer.marks is None else int(np.count_nonzero(layer.marks.deleted))
    return len(layer.data) - deleted


def graph_of(cloud: GaussianCloud) -> NeighbourGraph:
    """The neighbours of each Gaussian, made once for a cloud; for the background thread."""
    if cloud not in _GRAPHS:
        _GRAPHS[cloud] = neighbour_graph(cloud)
    return _GRAPHS[cloud]


# --- edits, computed off the window's thread -------------------------------------------------------------


def selection_change(
    given: Sequence[Splats], selected: Sequence[marking.Mask], text: str = ""
) -> Change | str:
    """Give each layer the selection (N,) that goes with it; "" when nothing is different."""
    fields = {
        splats.id: {"marks": marking.with_selected(splats.marks, each)}
        for splats, each in zip(given, selected, strict=True)
        if not np.array_equal(each, splats.marks.selected)
    }
    if not fields:
        return ""
    count = sum(int(np.count_nonzero(each)) for each in selected)
    return Change(text or (f"Select {gaussians(count)}" if count else "Select nothing"), fields)


def _selected(text: str, given: Sequence[Splats], mark: Marking) -> Change | str:
    return selection_change(given, [mark(splats.marks).selected for splats in given], text)


def _by_neighbours(
    text: str,
    given: Sequence[Splats],
    step: Callable[[marking.Mask, NeighbourGraph, marking.Mask], marking.Mask],
) -> Change | str:
    if not num_selected(given):
        return _NOTHING
    selected = [
        step(splats.marks.selected, graph_of(splats.cloud), splats.marks.is_selectable) for splats in given
    ]
    return selection_change(given, selected, text)


def _marked(text: str, given: Sequence[Splats], mark: Marking) -> Change | str:
    return Change(text, {splats.id: {"marks": mark(splats.marks)} for splats in given})


def _to_layers(
    verb: str, given: Sequence[Splats], styles: Mapping[str, Mapping[str, Any]], *, is_moved: bool
) -> Change | str:
    """The selected Gaussians of each layer as a new one; gone from the old one when they are moved."""
    chosen = [splats for splats in given if splats.marks.selected.any()]
    if not chosen:
        return _NOTHING
    added = tuple(
        new_layer(
            f"{splats.name} {'part' if is_moved else 'copy'}",
            splats.cloud.subset(splats.marks.selected),
            style=styles.get(splats.id, {}),
        )
        for splats in chosen
    )
    leave = marking.delete_selected if is_moved else marking.select_none
    fields = {splats.id: {"marks": leave(splats.marks)} for splats in chosen}
    return Change(f"{verb} {gaussians(num_selected(chosen))}", fields, added)


def _merged(given: Sequence[Splats]) -> Change | str:
    if len(given) < 2:
        return "Select two or more layers of splats to merge."
    kept = [~splats.marks.deleted for splats in given]
    cloud = merged(
        [
            splats.cloud if each.all() else splats.cloud.subset(each)
            for splats, each in zip(given, kept, strict=True)
        ]
    )
    marks = GaussianMarks(
        *(
            np.concatenate([getattr(s.marks, name)[each] for s, each in zip(given, kept, strict=True)])
            for name in GaussianMarks.__dataclass_fields__
        )
    )
    text = f"Merge {number(len(given))} layers"
    layer = new_layer(given[0].name, cloud, marks=marks)
    return Change(text, added=(layer,), removed=frozenset(splats.id for splats in given))


def _as_part(given: Sequence[Splats]) -> Change | str:
    chosen = [splats for splats in given if splats.marks.selected.any()]
    if not chosen:
        return _NOTHING
    part = 1 + max(
        int(splats.cloud.extra[PART].max(initial=0)) if PART in splats.cloud.extra else 0 for splats in given
    )
    fields = {splats.id: {"data": _with_part(splats, part)} for splats in chosen}
    count = gaussians(num_selected(chosen))
    return Change(f"Save part {part}", fields, said=f"Part {part}: {count}.")


def _with_part(splats: Splats, part: int) -> GaussianCloud:
    column = splats.cloud.extra.get(PART)
    numbers = np.zeros(len(splats.cloud), np.int32) if column is None else column.astype(np.int32)
    numbers[splats.marks.selected] = part
    return replace(splats.cloud, extra={**splats.cloud.extra, PART: numbers})
