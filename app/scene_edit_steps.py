"""The steps of editing a scene by words: how far the project is, and where a click leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.data_words import number
from app.edited_scenes import METHOD
from app.image_places import are_lost
from app.job_states import JobState
from app.layers import Layer
from render.images import ImageSet, PosedImages
from render.view_field import ViewField
from widgets.stepper import Step, StepState

if TYPE_CHECKING:
    from app.main_window import MainWindow


class SceneEditSteps:
    """Photos, views and region, prompt, preview, apply, review, export."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def steps(self, exported: set[str]) -> list[Step]:
        """Every step with its state. exported: ids of the layers that were written."""
        found = [self._photos()]
        if isinstance(self._data, ImageSet):
            found.append(
                Step("poses", "Poses", self._running("poses"), "Compute where each photo was taken from.")
            )
        found += [self._views(), self._prompt(), self._preview(), self._apply(), self._review()]
        return [*found, self._export(exported)]

    def go_to(self, step: str) -> None:
        """Bring what a step is about to the front."""
        window = self._window
        if step == "photos":
            if window.images.layer is None:
                window.files.import_folder()
            else:
                window.show_bottom("Images")
        elif step == "poses":
            window.method_panel.set_method("poses")
            window.show_task("Task")
        elif step == "export":
            self._show_export()
        else:
            self._select_scene()
            self._show(step)

    def _show(self, step: str) -> None:
        window = self._window
        window.edits.focus()
        if step == "views":
            window.show_bottom("Images")
            window.scene_edits.choices.views.setFocus()
        elif step == "preview":
            window.scene_edits.make_preview()
        elif step == "review" and window.pending.has_versions:
            window.show_bottom("Edited views")
            window.review.set_mode("split")

    # States

    @property
    def _data(self) -> PosedImages | ImageSet | None:
        layer = self._window.images.layer
        data = layer.data if layer is not None else None
        return data if isinstance(data, PosedImages | ImageSet) else None

    @property
    def _edits(self) -> list[Layer]:
        return [layer for layer in self._window.project.layers if isinstance(layer.data, ViewField)]

    def _photos(self) -> Step:
        data = self._data
        if data is None:
            return Step("photos", "Photos", "todo", "Import a scene with poses, or a folder of photos.")
        if are_lost(data):
            return Step("photos", "Photos", "warning", "The images were not found.")
        return Step("photos", "Photos", "ok", f"{number(len(data))} photos are open.")

    def _views(self) -> Step:
        problem = self._window.scene_edits.problem() if isinstance(self._data, PosedImages) else ""
        if problem:
            return Step("views", "Views", "warning", problem)
        state: StepState = "ok" if isinstance(self._data, PosedImages) else "todo"
        return Step("views", "Views", state, "Choose which photos are edited, and where in them.")

    def _prompt(self) -> Step:
        has_words = bool(self._window.edit_panel.prompt.wish().text)
        is_done = has_words or bool(self._edits)
        return Step("prompt", "Prompt", "ok" if is_done else "todo", "Say what is to change.")

    def _preview(self) -> Step:
        is_done = self._window.scene_edits.has_preview or bool(self._edits)
        return Step("preview", "Preview", "ok" if is_done else "todo", "Try it on one photo first.")

    def _apply(self) -> Step:
        jobs = [x for x in self._window.runs.queue.jobs if self._window.runs.method_of(x) == METHOD]
        if any(job is self._window.runs.current for job in jobs):
            return Step("apply", "Apply", "running", "The edit is being made.")
        if jobs and jobs[-1].state is JobState.FAILED:
            return Step("apply", "Apply", "error", f"{jobs[-1].title} failed.")
        return Step("apply", "Apply", "ok" if self._edits else "todo", "Make the edit of the whole scene.")

    def _review(self) -> Step:
        if any(layer.is_pending for layer in self._edits):
            return Step("review", "Review", "warning", "An edit waits: accept or reject it.")
        return Step(
            "review", "Review", "ok" if self._edits else "todo", "Compare before and after, then accept."
        )

    def _export(self, exported: set[str]) -> Step:
        kept = [layer for layer in self._edits if not layer.is_pending]
        is_out = bool(kept) and (
            self._window.scene_edits.exports.has_exported or any(x.id in exported for x in kept)
        )
        return Step("export", "Export", "ok" if is_out else "todo", "Views, a film, or the field itself.")

    def _running(self, method: str) -> StepState:
        job = self._window.runs.current
        return "running" if job is not None and self._window.runs.method_of(job) == method else "todo"

    # Where a click leads

    def _select_scene(self) -> None:
        """Work on the scene where nothing that can be edited is selected."""
        window = self._window
        target = window.edits.target
        if (target is None or not target.is_scene) and window.images.layer is not None:
            window.scene.select([window.images.layer.id])

    def _show_export(self) -> None:
        if self._edits:
            self._window.scene_edits.exports.ask()
        elif self._window.actions_by_id["export"].isEnabled():
            self._window.files.export()
