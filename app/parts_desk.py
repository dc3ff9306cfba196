"""The parts of the chosen layer of splats: which there are, which one is chosen, and what is done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.layers import Layer
from recon.romap.part_table import NO_PART, Part, parts_of
from render.gaussians import GaussianCloud

if TYPE_CHECKING:
    from app.main_window import MainWindow


class PartsDesk(QObject):
    """Parts of one layer: the first of those that commands for splats work on.

    current_changed: another part is chosen, or none.
    """

    current_changed = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._chosen: dict[str, int] = {}  # by layer
        self._told: tuple[str, int, str] | None = None
        self._parts: tuple[tuple[object, object], tuple[Part, ...]] = ((None, None), ())

    @property
    def layer(self) -> Layer | None:
        """The layer whose parts are shown."""
        return next(iter(self._window.splats.layers), None)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every part of the layer, and last what belongs to none."""
        layer = self.layer
        if layer is None or not isinstance(layer.data, GaussianCloud):
            return ()
        key = (layer.data, layer.marks)
        if self._parts[0] != key:
            kept = None if layer.marks is None else ~layer.marks.deleted
            self._parts = key, parts_of(layer.data, kept)
        return self._parts[1]

    @property
    def current(self) -> tuple[str, int, str] | None:
        """The chosen part: id of its layer, its number and what it is called; None without one."""
        layer = self.layer
        if layer is None:
            return None
        number = self._chosen.get(layer.id, NO_PART)
        part = next((part for part in self.parts if part.number == number != NO_PART), None)
        return None if part is None else (layer.id, part.number, part.title)

    def choose(self, number: int) -> None:
        """Work on this part of the layer from now on; NO_PART for none."""
        layer = self.layer
        if layer is not None:
            self._chosen[layer.id] = number
            self.refresh()

    def refresh(self) -> None:
        """Follow the project and the selection of layers."""
        current = self.current
        if current != self._told:
            self._told = current
            self.current_changed.emit()
