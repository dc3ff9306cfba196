"""Edits of a whole scene by words: which photos and where, the preview of one, the steps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from app.edit_engines import is_network
from app.edit_gallery import EditGallery
from app.edited_scenes import METHOD, photos_of
from app.job_states import ENDED
from app.jobs import Job
from app.layers import Layer
from app.path_photos import photos_along
from app.run_desk import id_of
from app.scene_edit_export import SceneEditExport
from app.scene_edit_words import stages_of, time_words
from app.scene_preview import ScenePreview
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.radiance_field import RadianceField
from render.view_field import ViewField
from widgets.scene_choices import SceneChoice, SceneChoices, StageList
from widgets.viewport_images import pose_of

if TYPE_CHECKING:
    from app.main_window import MainWindow

_TAB = "Edited views"
_NO_PHOTOS = "Open the photos that this scene was made of, to edit it."
_EXAMPLE = "How it should look: “autumn”, “a night scene”, “oil painting” …"


class SceneEditDesk(QObject):
    """What stands around the prompt box when a whole scene is edited."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.choices, self.stages = SceneChoices(), StageList()
        self.previews = ScenePreview(window, self)
        self.preview = self.previews.row
        self._has_fields = False
        self._aside: tuple[bool, bool] | None = None  # cameras and points as shown before an edit came
        self.gallery, self.exports = EditGallery(window, self), SceneEditExport(window, self)
        panel = window.edit_panel
        panel.add_above(self.choices)
        for widget in (self.stages, self.preview):
            panel.prompt.add_before_run(widget)
        self.choices.changed.connect(lambda _: self.refresh())
        panel.prompt.settings.engine_chosen.connect(lambda _: self.refresh())
        self.choices.region_wished.connect(self._on_region)
        self.stages.cancelled.connect(self._cancel)
        window.runs.progressed.connect(self._show_stage)
        window.runs.edit_added.connect(self._on_added)
        window.project.state_changed.connect(self._follow_fields)
        window.runs.changed.connect(self._on_runs)
        window.review_bar.mode_chosen.connect(lambda _: window.images.leave_camera())
        window.document.begun.connect(self._forget)
        window.workflows.changed.connect(lambda _: self._on_workflow())
        window.image_strip.selection_changed.connect(self.refresh)
        window.paths.changed.connect(self.refresh)
        self.refresh()

    # What an edit takes

    @property
    def has_preview(self) -> bool:
        """Whether an edit was tried on one view."""
        return self.previews.has_preview

    def make_preview(self) -> None:
        """Try the edit on one view."""
        self.previews.make()

    @property
    def scene(self) -> Layer | None:
        """The posed photos that would be edited."""
        target = self._window.edits.target
        layer = target.layer if target is not None and target.is_scene else None
        return None if layer is None else photos_of(self._window.project, layer)

    def settings(self) -> dict[str, Any]:
        """What is chosen, as settings of the method."""
        choice = self.choices.choice
        values: dict[str, Any] = {"geometry": "kept" if choice.keeps_shapes else "free"}
        if choice.views == "every":
            values["views"] = choice.every
        if choice.views == "selected":
            values["only"] = self._selected_names()
        if choice.views == "path":
            values["only"] = list(self._path_names())
        if choice.region == "box":
            values["in_box"] = True
        if choice.region == "masks":
            values["masks"] = choice.masks
        if choice.region == "part" and self._window.parts.current is not None:
            values["part"] = self._window.parts.current[1]
        return values

    def inputs(self, layer: Layer) -> dict[str, str]:
        """The photos; the version that the edit goes on from; what tells of their depth."""
        photos = photos_of(self._window.project, layer)
        given = {"scene": layer.id if photos is None else photos.id}
        if isinstance(layer.data, ViewField):
            return given | {"before": layer.id}
        for slot, kind in (("field", RadianceField), ("cloud", GaussianCloud)):
            found = [x for x in self._window.project.layers if isinstance(x.data, kind) and not x.is_pending]
            if found:
                given[slot] = found[-1].id
        return given

    def problem(self) -> str:
        """Why what is chosen cannot be edited; "" when it can."""
        choice, scene = self.choices.choice, self.scene
        posed = scene.data if scene is not None and isinstance(scene.data, PosedImages) else None
        if choice.region == "box" and (posed is None or posed.world_from_region is None):
            return "There is no box yet: draw one around what is to change."
        if choice.region == "masks" and not choice.masks:
            return "Choose the folder that holds a mask for each photo."
        if choice.region == "part" and self._window.parts.current is None:
            return "Choose a part of splats of this scene first."
        if choice.views == "selected" and len(self._selected_names()) < 2:
            return "Select two photos or more in the list below."
        if choice.views == "path" and len(self._window.paths.path) < 2:
            return "Make a camera path first: two views or more, under “Camera path” below."
        return ""

    def refresh(self) -> None:
        """Follow what is selected and chosen."""
        target = self._window.edits.target
        is_scene = target is not None and target.is_scene
        for widget in (self.choices, self.preview):
            widget.setVisible(is_scene)
        if is_scene:
            self._window.edit_panel.prompt.set_wording("Apply to scene", _EXAMPLE)
        else:
            self._window.edit_panel.prompt.set_wording()
        if not is_scene:
            self.stages.set_stages(())
        else:
            self._show_note()
        self.gallery.refresh()

    # Steps

    def _show_stage(self, job: Job) -> None:
        if self._window.runs.method_of(job) == METHOD:
            progress = job.progress
            self.stages.set_stages(stages_of(progress.stage, progress.fraction))

    def _on_runs(self) -> None:
        jobs = [x for x in self._window.runs.queue.jobs if self._window.runs.method_of(x) == METHOD]
        if jobs and jobs[-1].state in ENDED and self.stages.stages:
            self.stages.set_stages(())
        if jobs and jobs[-1].state not in ENDED and not self.stages.stages:
            self.stages.set_stages(stages_of("", 0.0))

    def _cancel(self) -> None:
        """End the edit that is made, or take it out of the queue."""
        runs = self._window.runs
        jobs = [x for x in runs.queue.jobs if runs.method_of(x) == METHOD and x.state not in ENDED]
        if jobs:
            runs.do(id_of(jobs[-1]), "cancel" if jobs[-1] is runs.current else "remove")

    def _on_added(self, pending: Layer) -> None:
        """An edited scene came: look at it as its photos do, and take away what would be drawn over it."""
        field, window = pending.data, self._window
        if not isinstance(field, ViewField):
            return
        window.images.leave_camera()
        self._put_aside()
        window.show_bottom(_TAB)
        others = [x for x in window.project.layers if isinstance(x.data, ViewField) and x.id != pending.id]
        if not others:
            middle = np.mean(np.asarray(field.bounds), axis=0)
            size = window.viewport.width(), window.viewport.height()
            view = self._last_view(field)
            window.viewport.camera = pose_of(field.cameras, view, size, middle)

    def _put_aside(self) -> None:
        """Take away what would be drawn over an edited scene, and remember what it was."""
        images, view = self._window.viewport.images, self._window.view
        self._aside = self._aside or (images.are_shown, images.points_shown)
        view.set_frustums(False)
        view.set_sparse_points(False)

    def _follow_fields(self) -> None:
        """The first edited scene came, or the last one went by Reject or undo: then the cameras of its photos are all
        that there is to see."""
        project = self._window.project
        had, self._has_fields = self._has_fields, any(isinstance(x.data, ViewField) for x in project.layers)
        if self._has_fields == had or not project.undo_stack.count():
            return  # A project that was just opened looks as it did.
        if self._has_fields:
            self._put_aside()
        elif self._aside is not None:
            (frustums, points), self._aside = self._aside, None
            self._window.view.set_frustums(frustums)
            self._window.view.set_sparse_points(points)
        self._window.conditions.update()

    def _last_view(self, field: ViewField) -> int:
        """The view of a field that was previewed, or is the current photo; else its middle one."""
        posed, current = self._window.images.posed, self._window.images.current
        name = posed.images.names[current] if posed is not None and 0 <= current < len(posed) else ""
        return field.names.index(name) if name in field.names else len(field) // 2

    # Inner life

    def close(self) -> None:
        """The window closes."""
        for each in (self.previews, self.gallery, self.exports):
            each.close()

    def _forget(self) -> None:
        self._aside = None
        self.previews.forget()
        self.exports.forget()
        self.choices.set_choice(SceneChoice())
        self.stages.set_stages(())
        self.refresh()

    def _on_workflow(self) -> None:
        """What is edited where nothing is selected depends on it, and so do the steps."""
        self._window.edits.refresh()
        self.refresh()
        self._window.steps.update()

    def _on_region(self, region: str) -> None:
        window = self._window
        if region == "box":
            scene = self.scene
            if scene is not None:
                window.scene.select([scene.id])
            window.scenes.edit_region()
        elif region == "part":
            window.show_task("Parts")
        elif region == "masks":
            folder = QFileDialog.getExistingDirectory(window, "Masks, named as the photos")
            if folder:
                self.choices.set_choice(replace(self.choices.choice, masks=folder))
                self.refresh()

    def _show_note(self) -> None:
        scene = self.scene
        posed = scene.data if scene is not None and isinstance(scene.data, PosedImages) else None
        target = self._window.edits.target
        if target is not None and isinstance(target.layer.data, ViewField):
            missing = "" if scene is not None else _NO_PHOTOS
            self._window.edit_panel.prompt.set_problem(missing)
            self.choices.set_note(
                f"Goes on from “{target.layer.name}” and its {len(target.layer.data)} views.", missing
            )
            return
        if posed is None:
            self.choices.set_note("", "The photos of this scene are not open.")
            return
        used = len(posed.used)
        count = self._count(used)
        engine = self._window.edit_panel.prompt.wish().engine
        takes = "" if is_network(engine) else f", {time_words(count)}"
        self.choices.set_note(f"{count} of {used} photos{takes}.", self.problem())
        self._window.edit_panel.prompt.set_problem(self.problem())

    def _count(self, used: int) -> int:
        """How many photos are chosen, of those that are used."""
        choice = self.choices.choice
        if choice.views == "every":
            return -(-used // choice.every)
        if choice.views == "all":
            return used
        return len(self._path_names() if choice.views == "path" else self._selected_names())

    def _path_names(self) -> tuple[str, ...]:
        scene = self.scene
        if scene is None or not isinstance(scene.data, PosedImages):
            return ()
        return photos_along(self._window.paths.path, scene.data)

    def _selected_names(self) -> list[str]:
        scene = self.scene
        if scene is None or not isinstance(scene.data, PosedImages) or self._window.images.layer is not scene:
            return []
        used = set(scene.data.used.tolist())
        return [scene.data.images.names[i] for i in self._window.image_strip.selected() if i in used]

    def current_view(self, posed: PosedImages) -> int:
        """The current photo, else the one in the middle of those that are used."""
        current = self._window.images.current
        if self._window.images.posed is posed and 0 <= current < len(posed):
            return current
        used = posed.used
        return int(used[len(used) // 2]) if len(used) else 0
