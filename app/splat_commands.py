"""What menus and keys do with Gaussians: to the selected ones of the chosen layers, or else to the layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject

from app.background import Background
from app.layers import Layer
from app.splat_changes import (
    NOTHING,
    Marking,
    as_part,
    by_neighbours,
    gaussians,
    marked,
    merged_layers,
    num_left,
    num_selected,
    selected_by,
    to_layers,
)
from app.splat_edits import Change, Compute, SplatEdits, Splats
from recon import gaussian_selection as marking
from recon.gaussian_neighbours import grown, shrunk
from render.gaussians import GaussianCloud

if TYPE_CHECKING:
    from app.main_window import MainWindow


class SplatCommands(QObject):
    """The commands of the action table for splats, each one undo step; `edits` does them in turn."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.background = Background(self)
        self._asked: dict[str, int] = {}
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
        """The layers that may be edited: those that are seen and not locked."""
        project = self._window.project
        return tuple(x.id for x in self.layers if not x.is_locked and project.is_visible(x.id))

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
        """Edit the chosen layers; one that is locked or hidden says that it is."""
        if not self.ids and self.layers:
            layer = self.layers[0]
            state = "locked" if layer.is_locked else "hidden"
            self._window.shell.toast(f"“{layer.name}” is {state}.", "warning")
        elif self.ids:
            self.edits.do(self.ids, compute)

    def look(self, key: str, work: Callable[[], Any], on_done: Callable[[Any], None]) -> None:
        """Compute something to show. Of several that wait under one key, as while a slider is dragged, only the newest
        is computed."""
        number = self._asked[key] = self._asked.get(key, 0) + 1

        def unless_overtaken() -> Any:
            return work() if self._asked[key] == number else None

        self.background.run(key, unless_overtaken, on_done, self._window.shell.show_error)

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
        self.do(lambda given: by_neighbours("Grow the selection", given, grown))

    def shrink(self) -> None:
        """Leave out the rim of the selection."""
        self.do(lambda given: by_neighbours("Shrink the selection", given, shrunk))

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
        self.do(lambda given: marked("Unlock all Gaussians", given, marking.unlock_all))

    def delete(self) -> None:
        """Delete the selected Gaussians, or the selected layers when there are none."""
        self._either(
            lambda: self._mark("Delete", marking.delete_selected), self._window.scene.delete_selected
        )

    def restore(self) -> None:
        """Bring deleted Gaussians back."""
        self.do(lambda given: marked("Restore deleted Gaussians", given, marking.restore_deleted))

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
        self.do(merged_layers)

    def save_part(self) -> None:
        """Number the selected Gaussians as a part, in the column that part editing reads."""
        self.do(as_part)

    def _show_hidden(self) -> None:
        if self.has_mark("hidden"):
            self.do(lambda given: marked("Show all Gaussians", given, marking.show_all))
        else:
            self._window.scene.show_all()

    def _either(self, with_splats: Callable[[], None], with_layers: Callable[[], None]) -> None:
        """Act on selected Gaussians, or on layers where none are selected once all edits before are done."""
        self.edits.then(lambda: with_splats() if self.num_selected else with_layers())

    def _separate(self, verb: str, *, is_moved: bool) -> None:
        styles = {layer.id: dict(layer.style) for layer in self.layers}
        self.do(lambda given: to_layers(verb, given, styles, is_moved=is_moved))

    def _select(self, text: str, mark: Marking) -> None:
        self.do(lambda given: selected_by(text, given, mark))

    def _mark(self, verb: str, mark: Marking) -> None:
        def compute(given: Sequence[Splats]) -> Change | str:
            count = num_selected(given)
            return marked(f"{verb} {gaussians(count)}", given, mark) if count else NOTHING

        self.do(compute)

    def _after(self, change: Change) -> None:
        if change.added:
            self._window.scene.select([layer.id for layer in change.added])
        if change.said:
            self._window.shell.toast(change.said, "ok")
