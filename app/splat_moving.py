"""Moving, turning and scaling the selected Gaussians: what the gizmo drags and what is typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject

from app.splat_changes import gaussians
from app.splat_edits import Change, Splats, splats_of
from app.splat_selection import middle_of, moved
from recon.gaussian_edits import about_pivot, transformed
from recon.gaussian_selection import Mask
from render.gaussians import GaussianCloud
from render.transforms import Similarity3
from widgets.gizmo import Gizmo, Motion

if TYPE_CHECKING:
    from app.main_window import MainWindow


class MovingDesk(QObject):
    """Shows where a drag leads while it lasts, and makes one undo step of it. Without a selection everything moves."""

    def __init__(self, window: MainWindow, gizmo: Gizmo) -> None:
        super().__init__(window)
        self._window, self._gizmo = window, gizmo
        self._shown: tuple[str, ...] = ()
        gizmo.dragged.connect(self.preview)
        gizmo.dropped.connect(self.apply)
        gizmo.cancelled.connect(self.end_preview)

    def pivot(self) -> NDArray[np.float64] | None:
        """The middle of what would move."""
        parts = [splats_of(layer) for layer in self._window.splats.layers]
        given = [part for part in parts if part is not None]
        middles = [(middle_of(s.cloud, chosen), np.count_nonzero(chosen)) for s, chosen in _chosen(given)]
        weighed = [(middle, count) for middle, count in middles if middle is not None]
        if not weighed:
            return None
        points, counts = np.stack([m for m, _ in weighed]), np.array([c for _, c in weighed])
        return np.asarray(counts @ points / counts.sum())

    def place(self) -> None:
        """Put the gizmo at the middle of the selection."""
        if not self._gizmo.is_dragging:
            self._gizmo.place(self.pivot())

    def preview(self, motion: Motion) -> None:
        """Show the selection where a drag has brought it: moved by the graphics card where that draws nothing else
        moved, else computed, of which only the newest answer counts."""
        change = similarity_of(motion)
        if self._moves_all_that_is_selected():
            self._window.viewport.splats.set_moved(change.matrix)
            return
        parts = [splats_of(layer) for layer in self._window.splats.layers]
        given = [part for part in parts if part is not None and part.id in self._window.splats.ids]
        self._window.splats.look(
            "preview of a motion",
            lambda: {s.id: moved(s.cloud, chosen, change) for s, chosen in _chosen(given)},
            self._show,
        )

    def apply(self, motion: Motion) -> None:
        """Move the selection, colours and all, as one undo step."""
        change = similarity_of(motion)
        verb = _verb(motion)

        def compute(given: Sequence[Splats]) -> Change | str:
            chosen = _chosen(given)
            count = sum(int(np.count_nonzero(each)) for _, each in chosen)
            fields = {s.id: {"data": _moved_for_good(s.cloud, each, change)} for s, each in chosen}
            return Change(f"{verb} {gaussians(count)}", fields)

        self._window.splats.do(compute)
        self._window.splats.edits.then(lambda: self._window.viewport.splats.set_moved(None))

    def end_preview(self) -> None:
        """Show the layers as they are."""
        self._window.viewport.splats.set_moved(None)
        self._window.splats.look("preview of a motion", lambda: {}, self._show)

    def _moves_all_that_is_selected(self) -> bool:
        """Whether the selected Gaussians of all layers, which the graphics card can move, are those that move."""
        window = self._window
        parts = [splats_of(layer) for layer in window.project.layers]
        marked = {part.id for part in parts if part is not None and part.marks.selected.any()}
        return bool(marked) and marked <= set(window.splats.ids) and not window.viewport.splats.problem

    def _show(self, clouds: dict[str, GaussianCloud]) -> None:
        if clouds and not self._gizmo.is_dragging:
            return  # The drag has ended meanwhile: its edit shows itself.
        self._window.scene.show_clouds(clouds)


def similarity_of(motion: Motion) -> Similarity3:
    """A gizmo's motion as a transform of the world."""
    return about_pivot(motion.rotation, motion.scale, motion.translation, motion.pivot)


def _chosen(given: Sequence[Splats]) -> list[tuple[Splats, Mask]]:
    """What moves of each layer: its selection, or, when nothing is selected anywhere, all that is not locked."""
    if any(splats.marks.selected.any() for splats in given):
        return [(splats, splats.marks.selected) for splats in given if splats.marks.selected.any()]
    return [(splats, splats.marks.is_selectable) for splats in given]


def _moved_for_good(cloud: GaussianCloud, chosen: Mask, change: Similarity3) -> GaussianCloud:
    return cloud.transformed(change, cloud.frame) if chosen.all() else transformed(cloud, chosen, change)


def _verb(motion: Motion) -> str:
    if motion.scale != 1:
        return "Scale"
    return "Rotate" if not np.allclose(motion.rotation, np.eye(3)) else "Move"
