"""What may be done now: the conditions of the action table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.export_formats import is_exportable
from app.job_states import JobState
from app.layer_look import kind_of
from app.splat_changes import gaussians
from app.splat_tool_table import TOOL_OF_ACTION
from app.workflows import SLICES, SPLATS, SURFACE, TEXT
from widgets.parts import ICON_GAP

if TYPE_CHECKING:
    from app.main_window import MainWindow


class Conditions:
    """Each condition by the name that `actions.REASONS` explains."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._holds: dict[str, Callable[[], bool]] = {
            "layer": lambda: bool(window.scene.selected),
            "layer or splats": lambda: bool(window.scene.selected) or window.splats.num_selected > 0,
            "splats": lambda: bool(window.splats.layers),
            "selected splats": lambda: window.splats.has_mark("selected"),
            "locked splats": lambda: window.splats.has_mark("locked"),
            "deleted splats": lambda: window.splats.has_mark("deleted"),
            "two splat layers": lambda: len(window.splats.layers) > 1,
            "mesh": lambda: self._is_selected("mesh"),
            "sections": lambda: window.slice_view.sections is not None,
            "any layer": lambda: bool(window.project.layers),
            "exportable": lambda: any(is_exportable(layer.data) for layer in window.project.layers),
            "two meshes": lambda: sum(kind_of(x) == "mesh" for x in window.project.layers) > 1,
            "uncertainty": lambda: "uncertainty" in window.scene.value_names(),
            "undo": window.project.undo_stack.canUndo,
            "redo": window.project.undo_stack.canRedo,
            "startable": lambda: self._is_paused() or not window.method_panel.problem,
            "running": lambda: window.runs.is_running,
            "missing": lambda: bool(window.files.missing_layers()),
            "viewport": lambda: not window.is_on_start_page,
            "images": lambda: window.images.layer is not None,
            "posed images": lambda: window.images.posed is not None,
            "editable": lambda: window.edits.target is not None,
            "pending edit": lambda: window.pending.has_pending,
            "pending edit with a seed": lambda: window.pending.has_seed,
            "versions": lambda: window.pending.has_versions,
            "through camera": lambda: not window.compare_view.isHidden(),
        }

    def holds(self, name: str) -> bool:
        return self._holds[name]()

    def update(self) -> None:
        """Switch the actions on and off, name undo and redo after what they would do, and tell the steps."""
        window = self._window
        table = window.actions_by_id
        table.update(self.holds)
        stack = window.project.undo_stack
        table["undo"].setText(f"Undo {stack.undoText()}".strip())
        table["redo"].setText(f"Redo {stack.redoText()}".strip())
        self._name_what_is_meant()
        start = "Resume" if self._is_paused() else "Start"
        table["start"].setText(start)
        table["start"].setIconText(f"{ICON_GAP}{start}")
        for key, is_on in self._checked().items():
            table[key].setChecked(is_on)
        window.scenes.update()
        window.steps.update()

    def _name_what_is_meant(self) -> None:
        """Say of commands whether they act on splats or on layers."""
        count = self._window.splats.num_selected
        what = gaussians(count) if count else "layers" if len(self._window.scene.selected) > 1 else "layer"
        for key, verb in (
            ("duplicate", "Duplicate"),
            ("delete", "Delete"),
            ("isolate", "Isolate"),
            ("hide", "Hide"),
        ):
            self._window.actions_by_id[key].setText(f"{verb} {what}")

    def _checked(self) -> dict[str, bool]:
        view = self._window.viewport
        return {
            "uncertainty": self._window.scene.is_shown_by("uncertainty"),
            "ortho": view.camera.parallel,
            "xray": view.is_xray,
            "grid": view.is_shown("grid"),
            "axes": view.is_shown("axes"),
            "clip": view.clip is not None,
            "measure": view.active_tool == "measure",
            **self._checked_splat_tools(),
            "part_show": self._window.parts.show == "parts",
            "part_sure": self._window.parts.show == "sure",
            "part_mark": bool(self._window.parts.marking.tool),
            "frustums": view.images.are_shown,
            "sparse_points": view.images.points_shown,
            "workflow_surface": self._window.workflows.current == SURFACE,
            "workflow_slices": self._window.workflows.current == SLICES,
            "workflow_splats": self._window.workflows.current == SPLATS,
            "workflow_text": self._window.workflows.current == TEXT,
            "slice_pane": not self._window.slice_view.isHidden(),
            "full_screen": self._window.isFullScreen(),
        }

    def _checked_splat_tools(self) -> dict[str, bool]:
        desk = self._window.splat_tools
        ticks = {action: desk.tool == tool for action, tool in TOOL_OF_ACTION.items()}
        return {**ticks, "select_visible": desk.only_visible, "select_footprint": desk.by_footprint}

    def _is_selected(self, kind: str) -> bool:
        current = self._window.scene.current
        return current is not None and kind_of(current) == kind

    def _is_paused(self) -> bool:
        job = self._window.runs.current
        return job is not None and job.state is JobState.PAUSED
