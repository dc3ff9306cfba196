"""The steps from a splat file to a clean one: how far the project is, and where a click leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.data_words import counted, number
from app.layers import Layer
from app.splat_changes import num_left
from render.gaussians import GaussianCloud
from widgets.stepper import Step

if TYPE_CHECKING:
    from app.main_window import MainWindow


class SplatSteps:
    """Open, clean, select and edit, export."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def steps(self, exported: set[str]) -> list[Step]:
        """Every step with its state. exported: ids of the layers that were written."""
        layers = self._layers
        count = sum(map(num_left, layers))
        gone = sum(len(layer.data) for layer in layers if isinstance(layer.data, GaussianCloud)) - count
        is_out = bool(layers) and all(layer.id in exported for layer in layers)
        return [
            Step("open", "Open", "ok", f"{counted(count, 'Gaussian')} are open.")
            if layers
            else Step("open", "Open", "todo", "Drop a splat file, or import one."),
            Step("clean", "Clean", "ok", f"{number(gone)} were removed.")
            if gone
            else Step("clean", "Clean", "todo", "Remove floaters, or crop to a box."),
            Step(
                "edit",
                "Edit",
                "ok" if self._is_edited else "todo",
                "Select with the tools beside the picture.",
            ),
            Step(
                "export", "Export", "ok" if is_out else "todo", "Written." if is_out else "Not exported yet."
            ),
        ]

    def go_to(self, step: str) -> None:
        """Bring what a step is about to the front."""
        window = self._window
        if step == "open" and not self._layers:
            window.files.import_files()
        elif step == "export":
            if window.actions_by_id["export"].isEnabled():
                window.files.export()
        elif step == "clean" and self._layers:
            self._select_splats()
            window.splat_panels.show_floaters()
        else:
            self._select_splats()
            window.show_task("Splats")
            if step == "edit" and window.splats.layers and not window.splat_tools.tool:
                window.splat_tools.choose("rectangle")

    @property
    def _layers(self) -> list[Layer]:
        return [layer for layer in self._window.project.layers if isinstance(layer.data, GaussianCloud)]

    @property
    def _is_edited(self) -> bool:
        """Whether splats were selected or changed since they were read."""
        return any(layer.marks is not None for layer in self._layers)

    def _select_splats(self) -> None:
        """Work on splats: on the first layer of them where none is selected."""
        if not self._window.splats.layers and self._layers:
            self._window.scene.select([self._layers[0].id])
