"""The export dialog of the window: says what will be written, and writes it in the background."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.background import Background
from app.edit_words import provenance
from app.export_formats import check_wish, command_words, fitting_formats, is_exportable, plan_of, write_wish
from app.file_desk import FileDesk
from app.layer_look import describe, kind_of
from app.layers import Layer
from recon.errors import InputError, ReconError
from recon.formats.export import FRAME_PRESETS, ExportPlan
from render.gaussians import GaussianCloud
from render.mesh import TriangleMesh
from widgets.export_dialog import ExportDialog
from widgets.export_rows import ExportLayer, ExportWarning, ExportWish
from widgets.job_rows import bytes_text
from widgets.layer_list import KIND_ICONS
from widgets.notices import NoticeAction


class _Cancelled(Exception):
    """The person wished that the writing ends."""


class ExportDesk(QObject):
    """One dialog at a time, and one file.

    exported: the paths written. cancelled: nothing was written. scale_wished: say how long a unit is.
    """

    exported = Signal(object)
    cancelled = Signal()
    scale_wished = Signal()
    failed = Signal(object)
    _wrote = Signal(int)  # bytes, on the background thread

    def __init__(self, window: QWidget, files: FileDesk, background: Background) -> None:
        super().__init__(window)
        self._window, self._files, self._background = window, files, background
        self.dialog: ExportDialog | None = None
        self.earlier: Callable[[], frozenset[str]] = frozenset  # ids of versions that others came after
        self._is_cancelled = threading.Event()
        self._num_bytes = self._expected_bytes = 0
        self._contents: dict[str, tuple[Layer, Any]] = {}
        self._wrote.connect(self._show_progress)

    def show(self, selected: Sequence[str]) -> ExportDialog:
        """Open the dialog with these layers ticked, or all visible meshes and splats when none can be exported."""
        if self.dialog is not None:
            self.dialog.raise_()
            if not self.dialog.close():  # It writes.
                return self.dialog
        layers = self._layers(selected)
        ticked = {layer.id for layer in layers if layer.is_chosen}
        self.dialog = ExportDialog(
            layers,
            fitting_formats([layer.data for layer in self._exportable() if layer.id in ticked]),
            [(name, preset.title) for name, preset in FRAME_PRESETS.items()],
            self._files.last_folder,
            self._stem(layers),
            self._window,
        )
        self.dialog.changed.connect(self._take_change)
        self.dialog.export_wished.connect(self.write)
        self.dialog.warning_chosen.connect(lambda _: self.scale_wished.emit())
        self.dialog.cancel_wished.connect(self._is_cancelled.set)
        self.dialog.finished.connect(self._forget_dialog)
        self.dialog.finished.connect(self.dialog.deleteLater)
        self._plan(self.dialog.wish())
        self.dialog.show()
        return self.dialog

    def write(self, wish: ExportWish) -> None:
        """Write what is wished in the background; the dialog closes when it is done."""
        chosen = self._chosen(wish)
        try:
            self._check(wish)
            plan = plan_of(wish, chosen)
        except ReconError as error:
            self.failed.emit(error)
            return
        made = self._provenance(wish)
        self._files.last_folder = wish.path.parent
        self._is_cancelled.clear()
        self._num_bytes, self._expected_bytes = 0, plan.estimated_bytes if plan is not None else 0
        if self.dialog is not None:
            self.dialog.set_writing(True)
        self._background.run(
            "export",
            lambda: write_wish(wish, chosen, self._watch, made),
            self._finish,
            self._end_failed,
        )

    def plan_again(self) -> None:
        """What is to be exported, or its frame, has changed."""
        if self.dialog is not None and self.dialog.isVisible():
            self._plan(self.dialog.wish())

    # Inner life

    def _watch(self, num_bytes: int) -> None:
        """Called on the background thread before each piece of a file is written."""
        if self._is_cancelled.is_set():
            raise _Cancelled
        self._wrote.emit(num_bytes)

    def _show_progress(self, num_bytes: int) -> None:
        self._num_bytes += num_bytes
        if self.dialog is not None:
            self.dialog.set_progress(self._num_bytes / max(1, self._expected_bytes))

    def _forget_dialog(self) -> None:
        self.dialog = None
        self._contents.clear()

    def _stem(self, layers: Sequence[ExportLayer]) -> str:
        """The project's name, or that of the one layer while the project has none; never that of a source."""
        names = [layer.name for layer in layers if layer.is_chosen]
        stem = self._files.document.title
        if self._files.document.path is None and len(names) == 1:
            stem = names[0].replace("/", "-")
        sources = [layer.source.path for layer in self._files.project.layers if layer.source]
        is_taken = any(
            path.parent == self._files.last_folder and path.name.startswith(f"{stem}.") for path in sources
        )
        return f"{stem}-edited" if is_taken else stem

    def _exportable(self) -> list[Layer]:
        return [layer for layer in self._files.project.layers if is_exportable(layer.data)]

    def _layers(self, selected: Sequence[str]) -> list[ExportLayer]:
        project, earlier = self._files.project, self.earlier()
        chosen = {layer.id for layer in self._exportable() if layer.id in selected}
        seen = [layer for layer in self._exportable() if project.is_visible(layer.id)]
        for kind in (TriangleMesh, GaussianCloud):
            found = {layer.id for layer in seen if isinstance(layer.data, kind)}
            chosen = chosen or (found - earlier) or found
        return [
            ExportLayer(
                layer.id, layer.name, KIND_ICONS.get(kind_of(layer), "box"), describe(layer),
                layer.id in chosen, project.is_visible(layer.id), layer.id in selected, layer.id in earlier,
            )
            for layer in self._exportable()
        ]  # fmt: skip

    def _chosen(self, wish: ExportWish) -> list[tuple[str, Any]]:
        """Names and contents, of splats without the deleted ones."""
        return [(layer.name, self._content(layer)) for layer in self._exportable() if layer.id in wish.layers]

    def _provenance(self, wish: ExportWish) -> dict[str, Any]:
        """How each layer was made, by its name; nothing for layers that were read from files."""
        layers = [layer for layer in self._exportable() if layer.id in wish.layers]
        made = {layer.name: provenance(layer) for layer in layers}
        return {"made_by": known} if (known := {name: each for name, each in made.items() if each}) else {}

    def _content(self, layer: Layer) -> Any:
        """A layer's content, which takes long to make of many splats: kept while the dialog shows the same layer."""
        kept = self._contents.get(layer.id)
        if kept is None or kept[0] is not layer:
            kept = self._contents[layer.id] = (layer, layer.content)
        return kept[1]

    def _take_change(self, wish: ExportWish) -> None:
        """Offer the formats that fit what is ticked now, and show what would be written."""
        if self.dialog is not None:
            self.dialog.set_formats(fitting_formats([data for _, data in self._chosen(wish)]))
            self._plan(self.dialog.wish())

    def _plan(self, wish: ExportWish) -> None:
        """Show size, frame and warnings of what would be written."""
        if self.dialog is None:  # a change told late: the files are written and the dialog is closed
            return
        self.dialog.set_problem("")
        self.dialog.set_warnings(())
        try:
            self._check(wish)
            plan = plan_of(wish, self._chosen(wish))
            if plan is not None:
                self._show_plan(plan)
            else:
                self.dialog.set_estimate(", ".join(name for name, _ in self._chosen(wish)))
                self.dialog.set_frame_text("As in the project")
            self.dialog.set_command(*self._command(wish))
        except ReconError as error:
            self.dialog.set_problem(f"{error.sentence} {error.advice}")
            self.dialog.set_command("")
            self.dialog.set_estimate("")
            self.dialog.set_frame_text("")

    def _show_plan(self, plan: ExportPlan) -> None:
        assert self.dialog is not None
        files = f"{len(plan.files)} files, " if len(plan.files) > 1 else ""
        self.dialog.set_estimate(f"{plan.size_text}, {files}about {bytes_text(plan.estimated_bytes)}")
        unit = "" if plan.unit == "unit" else f", in {plan.unit}"
        axes = f", {plan.patient_axes}" if plan.patient_axes else ""
        as_is = ", numbers as in the project" if np.array_equal(plan.file_from_project, np.eye(4)) else ""
        self.dialog.set_frame_text(f"{plan.up} up{unit}{axes}{as_is}")
        actions = (NoticeAction("set scale", "Set scale…"),) if plan.is_scale_unknown else ()
        self.dialog.set_warnings(
            [ExportWarning(text, actions=actions if i == 0 else ()) for i, text in enumerate(plan.warnings)]
        )

    def _check(self, wish: ExportWish) -> None:
        """Raises InputError where this cannot be written."""
        check_wish(wish, [data for _, data in self._chosen(wish)])
        if self._is_read(wish.path):
            raise InputError("This file is used by the project.", "Choose another name.")

    def _is_read(self, path: Path) -> bool:
        """Whether the project reads that file, or holds it as its own."""
        place = path.resolve()
        sources = [layer.source.path.resolve() for layer in self._files.project.layers if layer.source]
        project = self._files.document.path
        own = [project.resolve().parent / name for name in ("layers", "runs")] if project else []
        return any(place == used or used in place.parents for used in (*sources, *own))

    def _command(self, wish: ExportWish) -> tuple[str, str]:
        """The command line that writes the same file from the project's own copy of the layer, or why there is none."""
        if len(wish.layers) != 1:
            return "", "The command line writes one layer at a time."
        layer = self._files.project.layer(wish.layers[0])
        stored = self._files.document.file_of(wish.layers[0])
        if stored is None or layer is None:
            return "", "Save the project first: the command reads the layer from it."
        if self._content(layer) is not layer.data:
            return "", "The project's copy of this layer still holds the deleted splats."
        return shlex.join(command_words(wish, stored, layer.data)), ""

    def _finish(self, paths: Sequence[Path]) -> None:
        if self.dialog is not None:
            self.dialog.set_writing(False)
            self.dialog.close()
        self.exported.emit(paths)

    def _end_failed(self, error: Exception) -> None:
        if self.dialog is not None:
            self.dialog.set_writing(False)
        if isinstance(error, _Cancelled):
            self.cancelled.emit()
        else:
            self.failed.emit(error)
