"""Which of the things that can be made the window is set up for: its methods, steps and panes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.layer_look import kind_of
from app.layers import Layer
from recon.method import Method

if TYPE_CHECKING:
    from app.main_window import MainWindow

SLICES, SURFACE, SPLATS = "slices", "surface", "splats"
TITLES = {SLICES: "Surface from slices", SURFACE: "Surface from photos", SPLATS: "Gaussian splats"}
_WORKFLOW_OF_KIND = {
    "cross_sections": SLICES, "images": SURFACE, "posed_images": SURFACE, "sdf_field": SURFACE, "views": SURFACE,
    "gaussians": SPLATS,
}  # fmt: skip


def workflow_of_method(method: Method) -> str:
    """The workflow that a method belongs to; "" for one that serves all."""
    kinds = (_WORKFLOW_OF_KIND.get(slot.kind, "") for slot in method.inputs)
    return next((workflow for workflow in kinds if workflow), "")


def methods_of(workflow: str, methods: Iterable[Method]) -> list[Method]:
    """The methods of a workflow: those that make its result in menu order, then those that prepare or finish it."""
    fitting = [method for method in methods if workflow_of_method(method) in (workflow, "")]
    return sorted(fitting, key=_rank)


def _rank(method: Method) -> int:
    """0 for what makes a surface from what a person brings; 1 for poses, cues, extraction, comparison."""
    return int(method.id in ("poses", "cues", "extract", "views", "distance"))


class Workflows(QObject):
    """The workflow of the window. changed: its name."""

    changed = Signal(str)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.current = ""

    def choose(self, workflow: str) -> None:
        """Set the window up for a workflow."""
        if workflow == self.current:
            return
        self.current = workflow
        window = self._window
        is_surface, is_slices, is_splats = (workflow == each for each in (SURFACE, SLICES, SPLATS))
        window.docks["dock_task"].setWindowTitle(TITLES[workflow])
        window.method_panel.show_methods([x.id for x in methods_of(workflow, window.methods)])
        for title in ("Images", "Figures"):
            window.set_tab_shown(window.bottom_tabs, title, is_surface)
        window.set_tab_shown(window.task_tabs, "Scene", is_surface)
        window.set_tab_shown(window.task_tabs, "Agreement", is_slices)
        window.set_tab_shown(window.task_tabs, "Mesh", not is_splats)
        for title in ("Splats", "Parts"):
            window.set_tab_shown(window.task_tabs, title, is_splats or window.splat_panels.has_splats)
        window.set_tab_shown(window.task_tabs, "Edit", is_splats or window.splat_panels.has_splats)
        window.view.set_slice_pane(is_slices)
        if not is_surface:
            window.images.leave_camera()
        window.bottom_tabs.setCurrentWidget(window.image_strip if is_surface else window.job_panel)
        first = {SURFACE: window.scene_panel, SPLATS: window.splat_panel}
        window.task_tabs.setCurrentWidget(first.get(workflow, window.method_panel))
        window.docks["dock_bottom"].setVisible(self.needs_runs and not window.is_on_start_page)
        self.changed.emit(workflow)

    @property
    def needs_runs(self) -> bool:
        """Whether the panel of runs is of use: splats are edited without, and the picture wants its room."""
        return self.current != SPLATS or bool(self._window.runs.queue.jobs)

    def choose_slices(self, on: bool = True) -> None:
        self.choose(SLICES)

    def choose_surface(self, on: bool = True) -> None:
        self.choose(SURFACE)

    def choose_splats(self, on: bool = True) -> None:
        self.choose(SPLATS)

    def follow(self, layers: Sequence[Layer]) -> None:
        """Choose what fits layers that were just imported or opened; those that fit all change nothing."""
        found = (_WORKFLOW_OF_KIND.get(kind_of(layer), "") for layer in layers)
        workflow = next((name for name in found if name), "")
        if workflow:
            self.choose(workflow)
