"""The steps of a workflow: how far the project is, and where a click leads; those from slices are here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.job_states import JobState
from app.layers import Layer, Missing
from app.result_words import agreement_words
from app.scene_edit_steps import SceneEditSteps
from app.splat_steps import SplatSteps
from app.surface_steps import SurfaceSteps
from app.workflows import SPLATS, SURFACE, TEXT
from widgets.stepper import Step, StepState

if TYPE_CHECKING:
    from app.main_window import MainWindow


class Steps(QObject):
    """Keeps the stepper in line with the project and its runs."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._exported: set[str] = set()
        self._surface = SurfaceSteps(window)
        self._splats = SplatSteps(window)
        self._scene_edits = SceneEditSteps(window)
        window.stepper.chosen.connect(self.go_to)

    def update(self) -> None:
        """Say how far each step is; the first that is not done is the current one."""
        if self._window.workflows.current == SURFACE:
            steps = self._surface.steps()
        elif self._window.workflows.current == SPLATS:
            steps = self._splats.steps(self._exported)
        elif self._window.workflows.current == TEXT:
            steps = self._scene_edits.steps(self._exported)
        else:
            steps = [self._slices(), self._settings(), self._run(), self._result(), self._export()]
        current = next((step for step in steps if step.state != "ok"), None)
        self._window.stepper.set_steps(
            [Step(s.id, s.title, s.state, s.note, is_current=s is current) for s in steps]
        )

    def note_export(self) -> None:
        """What is visible now has been written."""
        self._exported = {layer.id for layer in self._window.project.layers}
        self.update()

    def go_to(self, step: str) -> None:
        """Bring what a step is about to the front."""
        window = self._window
        if window.workflows.current == SURFACE:
            self._surface.go_to(step)
        elif window.workflows.current == SPLATS:
            self._splats.go_to(step)
        elif window.workflows.current == TEXT:
            self._scene_edits.go_to(step)
        elif step == "slices":
            self._show_slices()
        elif step == "settings":
            window.show_task("Task")
            window.method_panel.form.setFocus()
        elif step == "run":
            window.show_task("Task")
            window.show_bottom("Jobs")
        elif step == "result":
            self._show_result()
        elif window.actions_by_id["export"].isEnabled():
            window.files.export()

    # Inner life

    def _slices(self) -> Step:
        given = self._window.method_panel.inputs()
        missing = len(given) < sum(not slot.optional for slot in self._window.method_panel.method.inputs)
        note = self._window.method_panel.problem if missing else "The inputs are chosen."
        return Step("slices", "Slices", "todo" if missing else "ok", note)

    def _settings(self) -> Step:
        problem = self._window.method_panel.form.problem()
        return Step("settings", "Settings", "error" if problem else "ok", problem or "The settings are fine.")

    def _run(self) -> Step:
        jobs = self._window.runs.queue.jobs
        if self._window.runs.is_running:
            return Step("run", "Run", "running", "A run is under way.")
        if not jobs:
            done: StepState = "ok" if self._newest_result() is not None else "todo"
            return Step("run", "Run", done, "Press F5 to start.")
        state = jobs[-1].state
        looks: dict[JobState, StepState] = {
            JobState.DONE: "ok",
            JobState.STOPPED: "ok",
            JobState.FAILED: "error",
            JobState.INTERRUPTED: "warning",
        }
        return Step("run", "Run", looks.get(state, "todo"), f"{jobs[-1].title}: {state.value}.")

    def _result(self) -> Step:
        layer = self._newest_result()
        if layer is None:
            return Step("result", "Result", "todo", "There is no result yet.")
        assert layer.origin is not None
        table = layer.origin.figures.get("agreement", ())
        is_whole = all(entry.get("reached", True) for entry in table)
        note = f"{agreement_words(table)} agree with the solid." if table else f"{layer.name} is here."
        return Step("result", "Result", "ok" if is_whole else "warning", note)

    def _export(self) -> Step:
        layer = self._newest_result()
        is_done = layer is not None and layer.id in self._exported
        return Step(
            "export", "Export", "ok" if is_done else "todo", "Written." if is_done else "Not exported yet."
        )

    def _newest_result(self) -> Layer | None:
        made = (x for x in reversed(self._window.project.layers) if x.origin is not None)
        return next((layer for layer in made if not isinstance(layer.data, Missing)), None)

    def _show_slices(self) -> None:
        window = self._window
        layer = window.scene.sliced
        if layer is None:
            window.files.import_files()
        else:
            window.scene.select([layer.id])
            window.view.set_slice_pane(True)
            window.slice_view.setFocus()

    def _show_result(self) -> None:
        layer = self._newest_result()
        if layer is not None:
            self._window.scene.select([layer.id])
            self._window.show_task("Agreement" if self._window.agreement.has_table(layer) else "Mesh")
