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

SLICES, SURFACE, SPLATS, TEXT = "slices", "surface", "splats", "text"
TITLES = {
    SLICES: "Surface from slices", SURFACE: "Surface from photos", SPLATS: "Gaussian splats",
    TEXT: "Edit a scene by words",
}  # fmt: skip
_WORKFLOW_OF_KIND = {
    "cross_sections": SLICES, "images": SURFACE, "posed_images": SURFACE, "sdf_field": SURFACE, "views": SURFACE,
    "gaussians": SPLATS, "radiance_field": TEXT, "view_field": TEXT,
}  # fmt: skip
_OF_TEXT = ("dn2n", "nerf", "poses", "cues")  # methods of its workflow beside those that begin with a field


def workflow_of_method(method: Method) -> str:
    """The workflow that a method belongs to; "" for one that serves all."""
    kinds = (_WORKFLOW_OF_KIND.get(slot.kind, "") for slot in method.inputs)
    return next((workflow for workflow in kinds if workflow), "")


def methods_of(workflow: str, methods: Iterable[Method]) -> list[Method]:
    """The methods of a workflow: those that make its result in menu order, then those that prepare or finish it."""
    fitting = [
        method
        for method in methods
        if workflow_of_method(method) in (workflow, "") or (workflow == TEXT and method.id in _OF_TEXT)
    ]
    return sorted(fitting, key=lambda method: _rank(method, workflow))


def _rank(method: Method, workflow: str) -> int:
    """1 for what makes the result from what a person brings; 2 for poses, cues, extraction, comparison."""
    if workflow == TEXT and method.id == "dn2n":
        return 0
    return 2 if method.id in ("poses", "cues", "extract", "views", "distance") else 1


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
        is_surface, is_slices, is_splats, is_text = (
            workflow == each for each in (SURFACE, SLICES, SPLATS, TEXT)
        )
        has_photos = is_surface or is_text
        window.docks["dock_task"].setWindowTitle(TITLES[workflow])
        window.method_panel.show_methods([x.id for x in methods_of(workflow, window.methods)])
        window.set_tab_shown(window.bottom_tabs, "Images", has_photos)
        window.set_tab_shown(window.bottom_tabs, "Figures", is_surface)
        window.set_tab_shown(window.bottom_tabs, "Edited views", is_text)
        window.set_tab_shown(window.task_tabs, "Scene", has_photos)
        window.set_tab_shown(window.task_tabs, "Agreement", is_slices)
        window.set_tab_shown(window.task_tabs, "Mesh", not (is_splats or is_text))
        for title in ("Splats", "Parts"):
            window.set_tab_shown(window.task_tabs, title, is_splats or window.splat_panels.has_splats)
        window.set_tab_shown(window.task_tabs, "Edit", is_splats or is_text or window.splat_panels.has_splats)
        window.view.set_slice_pane(is_slices)
        if not has_photos:
            window.images.leave_camera()
        window.bottom_tabs.setCurrentWidget(window.image_strip if has_photos else window.job_panel)
        first = {SURFACE: window.scene_panel, SPLATS: window.splat_panel, TEXT: window.edit_panel}
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

    def choose_text(self, on: bool = True) -> None:
        self.choose(TEXT)

    def follow(self, layers: Sequence[Layer]) -> None:
        """Choose what fits layers that were just imported or opened; those that fit all change nothing."""
        found = [_WORKFLOW_OF_KIND.get(kind_of(layer), "") for layer in layers]
        if TEXT in found or (self.current == TEXT and SURFACE in found):  # photos serve both
            self.choose(TEXT)
            return
        workflow = next((name for name in found if name), "")
        if workflow:
            self.choose(workflow)
