"""The steps from photos to a surface: how far the project is, and where a click leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.data_words import number, used_words
from app.image_places import are_lost
from app.job_states import JobState
from app.layers import Layer, Missing
from recon import METHODS
from render.images import ImageSet, PosedImages
from render.mesh import TriangleMesh
from render.sdf_field import SdfField
from widgets.stepper import Step, StepState

if TYPE_CHECKING:
    from app.main_window import MainWindow

EXTRACT = "extract"
_HELPING = ("poses", "cues", "views")  # methods that make no surface


class SurfaceSteps:
    """Photos, poses where there are none, region, images, cues, surface, extraction."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def steps(self) -> list[Step]:
        """Every step with its state."""
        data = self._data
        posed = data if isinstance(data, PosedImages) else None
        found = [self._photos(data)]
        if isinstance(data, ImageSet):
            found.append(
                Step("poses", "Poses", self._running("poses"), "Compute where each photo was taken from.")
            )
        found += [self._region(posed), self._images(posed), self._cues(posed)]
        return [*found, self._surface(), self._extract()]

    def go_to(self, step: str) -> None:
        """Bring what a step is about to the front."""
        window = self._window
        if step == "photos":
            self._show_photos()
        elif step == "poses":
            window.method_panel.set_method("poses")
            window.show_task("Task")
        elif step in ("region", "images", "cues"):
            window.show_task("Scene")
            window.scene_panel.show_section(step)
            if step == "images":
                window.show_bottom("Images")
        elif step == "surface":
            self._show_surface()
        else:
            self._show_extract()

    # States

    @property
    def _data(self) -> PosedImages | ImageSet | None:
        layer = self._window.images.layer
        data = layer.data if layer is not None else None
        return data if isinstance(data, PosedImages | ImageSet) else None

    def _photos(self, data: PosedImages | ImageSet | None) -> Step:
        if data is None:
            return Step(
                "photos", "Photos", "todo", "Import a scene with poses, a folder of photos or a video."
            )
        if are_lost(data):
            return Step("photos", "Photos", "warning", "The images were not found.")
        return Step("photos", "Photos", "ok", f"{number(len(data))} images are open.")

    def _region(self, posed: PosedImages | None) -> Step:
        if posed is not None and posed.world_from_region is not None:
            return Step("region", "Region", "ok", "A box says what is reconstructed.")
        return Step("region", "Region", self._optional(), "No box: the whole scene is used.")

    def _images(self, posed: PosedImages | None) -> Step:
        if posed is None:
            return Step("images", "Images", "todo", "Leave out photos that would do harm.")
        enough: StepState = "ok" if len(posed.used) >= 3 else "warning"
        return Step("images", "Images", enough, f"{used_words(posed)}.")

    def _cues(self, posed: PosedImages | None) -> Step:
        if posed is not None and (posed.depth is not None or posed.normals is not None):
            return Step("cues", "Cues", "ok", "There are depth or normals of the photos.")
        state = self._running("cues")
        return Step(
            "cues", "Cues", self._optional() if state == "todo" else state, "None: walls will be poor."
        )

    def _surface(self) -> Step:
        made = self._newest(TriangleMesh, SdfField)
        jobs = [
            job
            for job in self._window.runs.queue.jobs
            if self._window.runs.method_of(job) not in (*_HELPING, EXTRACT, "")
        ]
        if any(job is self._window.runs.current for job in jobs):
            return Step("surface", "Surface", "running", "A run is under way.")
        if jobs and jobs[-1].state is JobState.FAILED:
            return Step("surface", "Surface", "error", f"{jobs[-1].title} failed.")
        problem = self._window.method_panel.form.problem()
        if problem:
            return Step("surface", "Surface", "error", problem)
        if made is not None:
            return Step("surface", "Surface", "ok", f"{made.name} is here.")
        return Step("surface", "Surface", "todo", "Choose a method and start it with F5.")

    def _extract(self) -> Step:
        field = self._newest(SdfField)
        state = self._running(EXTRACT)
        if state == "todo" and any(x.origin is not None and x.origin.method == EXTRACT for x in self._layers):
            state = "ok"
        note = "Make the final mesh of a trained surface." if field is not None else "First train a surface."
        return Step(EXTRACT, "Extract", state, note)

    def _running(self, method: str) -> StepState:
        job = self._window.runs.current
        return "running" if job is not None and self._window.runs.method_of(job) == method else "todo"

    def _optional(self) -> StepState:
        """What nobody did is done with once there is a surface without it."""
        return "ok" if self._newest(TriangleMesh, SdfField) is not None else "todo"

    @property
    def _layers(self) -> tuple[Layer, ...]:
        return self._window.project.layers

    def _newest(self, *kinds: type) -> Layer | None:
        made = (x for x in reversed(self._layers) if x.origin is not None and not isinstance(x.data, Missing))
        return next((layer for layer in made if isinstance(layer.data, kinds)), None)

    # Where clicks lead

    def _show_photos(self) -> None:
        layer = self._window.images.layer
        if layer is None:
            self._window.files.import_folder()
        else:
            self._window.scene.select([layer.id])
            self._window.scene.frame_all()
            self._window.show_bottom("Images")

    def _show_surface(self) -> None:
        window, panel = self._window, self._window.method_panel
        if panel.method.id in (*_HELPING, EXTRACT):
            makers = (m for m in METHODS if any(slot.kind == "posed_images" for slot in m.inputs))
            chosen = next((m.id for m in makers if m.id not in (*_HELPING, EXTRACT)), "")
            if chosen:
                panel.set_method(chosen)
        window.show_task("Task")
        panel.form.setFocus()

    def _show_extract(self) -> None:
        if any(method.id == EXTRACT for method in METHODS):
            self._window.method_panel.set_method(EXTRACT)
        self._window.show_task("Task")
