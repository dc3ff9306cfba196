"""Edits of a whole scene by words: which photos and where, the preview of one, the steps, the gallery of edited views."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from app.background import Background
from app.edit_preview import Preview, preview_of
from app.job_states import ENDED
from app.jobs import Job
from app.layers import Layer
from app.scene_edit_words import consistency_words, stages_of, time_words, view_of
from recon.formats import native
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.radiance_field import RadianceField
from render.view_field import ViewField
from widgets.compare_canvas import ComparePicture
from widgets.edited_views import EditedView, overruled
from widgets.scene_choices import PreviewRow, SceneChoice, SceneChoices, StageList
from widgets.viewport_images import pose_of

if TYPE_CHECKING:
    from app.main_window import MainWindow

METHOD = "dn2n"
_TAB = "Edited views"
_NO_PHOTOS = "Open the photos that this scene was made of, to edit it."
_EXAMPLE = "How it should look: “autumn”, “a night scene”, “oil painting” …"
_THUMBNAIL = 232  # pixels of the longer side
_LOG = logging.getLogger(__name__)


class SceneEditDesk(QObject):
    """What stands around the prompt box when a whole scene is edited."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.choices, self.preview, self.stages = SceneChoices(), PreviewRow(), StageList()
        self._background = Background(self)  # a preview takes a second; files must not wait for it
        self._masks = ""
        self._shown: tuple[str, Path] | None = None  # layer and folder of the edit that the gallery shows
        self._views: tuple[EditedView, ...] = ()
        self._decided: tuple[EditedView, ...] = ()
        self.has_preview = self.has_export = False
        panel = window.edit_panel
        panel.add_above(self.choices)
        panel.prompt.add_before_run(self.preview)
        panel.add_below(self.stages)
        self.choices.changed.connect(lambda _: self.refresh())
        self.choices.region_wished.connect(self._on_region)
        self.preview.wished.connect(self.make_preview)
        gallery = window.edited_views
        gallery.current_changed.connect(self.look_at)
        gallery.overruled.connect(self._overrule)
        gallery.forgotten.connect(lambda: self._show_views(self._decided))
        gallery.apply_wished.connect(self.apply_again)
        window.runs.progressed.connect(self._show_stage)
        window.runs.edit_added.connect(self._on_added)
        window.runs.changed.connect(self._on_runs)
        window.review_bar.mode_chosen.connect(lambda _: window.images.leave_camera())
        window.document.begun.connect(self._forget)
        window.workflows.changed.connect(lambda _: self._on_workflow())
        window.image_strip.selection_changed.connect(self.refresh)
        self.refresh()

    # What an edit takes

    @property
    def scene(self) -> Layer | None:
        """The posed photos that would be edited."""
        target = self._window.edits.target
        layer = target.layer if target is not None and target.is_scene else None
        return None if layer is None else self._photos_of(layer)

    def settings(self) -> dict[str, Any]:
        """What is chosen, as settings of the method."""
        choice = self.choices.choice
        values: dict[str, Any] = {"geometry": "kept" if choice.keeps_shapes else "free"}
        if choice.views == "every":
            values["views"] = choice.every
        if choice.views == "selected":
            values["only"] = self._selected_names()
        if choice.region == "box":
            values["in_box"] = True
        if choice.region == "masks":
            values["masks"] = choice.masks
        if choice.region == "part" and self._window.parts.current is not None:
            values["part"] = self._window.parts.current[1]
        return values

    def inputs(self, layer: Layer) -> dict[str, str]:
        """The photos; the version that the edit goes on from; what tells of their depth."""
        photos = self._photos_of(layer)
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
        self._follow_gallery()

    # Preview of one view

    def make_preview(self) -> None:
        """Edit the current photo alone, off the window's thread, and show it beside the original."""
        scene = self.scene
        if scene is None or not isinstance(scene.data, PosedImages):
            return
        posed, view = scene.data, self._current_view(scene.data)
        box = self._window.edit_panel.prompt.wish()
        if not box.text:
            self.preview.set_state("Say first what is to change.", "warn")
            return
        problem = self.problem()
        if problem:
            self.preview.set_state(problem, "warn")
            return
        target = self._window.edits.target
        assert target is not None
        values = self._window.edits.settings_of(target, box)
        layers = self.inputs(target.layer)
        others = {
            slot: self._window.project.layer(layer_id) for slot, layer_id in layers.items() if slot != "scene"
        }
        data = {slot: layer.content for slot, layer in others.items() if layer is not None}
        self.preview.set_state("Editing one view…", "busy")
        self._background.run(
            "preview",
            lambda: preview_of(posed, view, values, box.seed, data),
            lambda found: self._show_preview(posed, view, found),
            self._show_preview_problem,
        )

    def _show_preview(self, posed: PosedImages, view: int, found: Preview) -> None:
        window = self._window
        if window.compare_view.isHidden():
            window.show_compare()
        name = posed.images.names[view].rpartition("/")[2]
        pictures = [ComparePicture("Before", found.before), ComparePicture("Edited view", found.after)]
        window.compare_view.show_image(name, pictures, "Preview of one view")
        words = f"Previewed in {found.seconds:.1f} s; nothing changed in 3D."
        self.preview.set_state(f"{words} {found.note}".strip(), "info" if found.is_visible else "warn")
        self.has_preview = True
        window.steps.update()

    def _show_preview_problem(self, error: Exception) -> None:
        from app.errors import describe_error

        report = describe_error(error)
        self.preview.set_state(f"{report.sentence} {report.advice}", "warn")

    # The gallery

    def look_at(self, index: int) -> None:
        """Show an edited view beside its photo."""
        if self._shown is None or not 0 <= index < len(self._views):
            return
        folder, view, posed = self._shown[1], self._views[index], self._photos_of_shown()
        names = posed.images.names if posed is not None else ()
        place = names.index(view.name) if view.name in names else -1

        def pictures() -> list[ComparePicture]:
            from app.view_pictures import pictures_of

            edited = ComparePicture("Edited view", _read(_file_of(folder, view.name)))
            photos = [] if posed is None or place < 0 else pictures_of(posed, place, None)[:1]
            return [*photos, edited]

        def show(found: list[ComparePicture]) -> None:
            if self._window.compare_view.isHidden():
                self._window.show_compare()
            self._window.compare_view.show_image(view.name.rpartition("/")[2], found, view.row().note)

        self._background.run("look", pictures, show, self._window.shell.show_error)

    def apply_again(self) -> None:
        """Make the edit again with the views that a person kept and left out."""
        layer = None if self._shown is None else self._window.project.layer(self._shown[0])
        if layer is None or layer.origin is None:
            return
        origin = layer.origin
        by_hand = [view for view in self._views if view.is_overruled]
        settings = {
            **origin.settings,
            "keep": [view.name for view in by_hand if view.is_kept],
            "drop": [view.name for view in by_hand if not view.is_kept],
        }
        record = next((run for run in self._window.document.runs if run.uuid == origin.run), None)
        job = self._window.runs.job(origin.run)
        if record is None or job is None:
            self._window.shell.toast(
                "The run that made this edit is gone: make it again from its words.", "warning"
            )
            return
        inputs = dict(zip(job.folder.manifest.inputs, record.inputs, strict=False))
        method = next(each for each in self._window.methods if each.id == METHOD)
        self._window.edits.start(method, settings, inputs, origin.seed, layer.name, "Whole scene")

    def _overrule(self, which: Sequence[int], keeps: bool) -> None:
        self._show_views(tuple(overruled(self._views, which, keeps)))

    def _show_views(self, views: tuple[EditedView, ...]) -> None:
        self._views = views
        layer = None if self._shown is None else self._window.project.layer(self._shown[0])
        figures = {} if layer is None or layer.origin is None else layer.origin.figures
        self._window.edited_views.set_views(views, consistency_words(figures))

    def _follow_gallery(self) -> None:
        """Show the views of the edit that waits, of the one that is selected, else of the newest."""
        layer = self._edit_shown()
        folder = None if layer is None else self.folder_of(layer)
        shown = None if layer is None or folder is None else (layer.id, folder)
        if shown == self._shown:
            return
        self._shown = shown
        self._window.edited_views.forget_pictures()
        self._decided = () if folder is None else tuple(_read_views(folder))
        self._show_views(self._decided)
        if folder is not None:
            self._background.run(
                "thumbnails",
                lambda: {i: _read(_file_of(folder, v.name), _THUMBNAIL) for i, v in enumerate(self._decided)},
                self._window.edited_views.set_pictures,
                lambda problem: _LOG.warning("Edited views cannot be shown: %s", problem),
            )

    def folder_of(self, layer: Layer) -> Path | None:
        """Where the run of an edit left its files, if they are there."""
        if layer.origin is None or layer.origin.method != METHOD:
            return None
        folder = self._window.document.folder / "runs" / layer.origin.run / "files"
        job = self._window.runs.job(layer.origin.run)
        places = [folder] if job is None else [folder, Path(job.folder.path) / "files"]
        return next((place for place in places if (place / "views.json").exists()), None)

    def _edit_shown(self) -> Layer | None:
        pending = self._window.pending.pending
        edits = [x for x in self._window.project.layers if x.origin is not None and x.origin.method == METHOD]
        offers = [pending, *self._window.scene.selected, *reversed(edits)]
        return next((x for x in offers if x is not None and x in edits), None)

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

    def _on_added(self, pending: Layer) -> None:
        """An edited scene came: look at it as its photos do, and take away what would be drawn over it."""
        field, window = pending.data, self._window
        if not isinstance(field, ViewField):
            return
        window.images.leave_camera()
        window.view.set_frustums(False)
        window.view.set_sparse_points(False)
        window.show_bottom(_TAB)
        others = [x for x in window.project.layers if isinstance(x.data, ViewField) and x.id != pending.id]
        if not others:
            middle = np.mean(np.asarray(field.bounds), axis=0)
            size = window.viewport.width(), window.viewport.height()
            view = self._last_view(field)
            window.viewport.camera = pose_of(field.cameras, view, size, middle)

    def _last_view(self, field: ViewField) -> int:
        """The view of a field that was previewed, or is the current photo; else its middle one."""
        posed, current = self._window.images.posed, self._window.images.current
        name = posed.images.names[current] if posed is not None and 0 <= current < len(posed) else ""
        return field.names.index(name) if name in field.names else len(field) // 2

    # Export

    def ask_export(self) -> None:
        """Ask what of the edited scene is wished as files."""
        field = self._field()
        if field is None:
            return
        self._window.shell.ask(
            "Export the edited scene",
            "The views as they are after the edit, a film along the camera path, or the whole scene for another day: "
            "the command line draws it from any cameras (isokiln render).",
            [
                ("Views…", lambda: self._ask_views(field)),
                ("Film…", self._window.paths.film_turntable),
                ("Scene file…", lambda: self._ask_field(field)),
                ("Cancel", lambda: None),
            ],
        )

    def write_views(self, field: ViewField, folder: Path) -> None:
        """Write every view as the edit has it, as PNG, in the background."""
        self._background.run(
            "export", lambda: _write_views(field, folder), self._on_exported, self._window.shell.show_error
        )

    def write_field(self, field: ViewField, path: Path) -> None:
        """Write the whole edited scene as one file, in the background."""

        def work() -> Path:
            native.write(path, field)
            return path

        self._background.run("export", work, self._on_exported, self._window.shell.show_error)

    def _field(self) -> ViewField | None:
        """The edited scene that is selected, else the newest."""
        edits = [
            x.data for x in self._window.project.layers if isinstance(x.data, ViewField) and not x.is_pending
        ]
        chosen = [x.data for x in self._window.scene.selected if isinstance(x.data, ViewField)]
        return next(iter([*chosen, *reversed(edits)]), None)

    def _ask_views(self, field: ViewField) -> None:
        name = self._window.files.pick_folder(
            self._window, "Folder for the views", str(self._window.files.last_folder)
        )
        if name:
            self.write_views(field, Path(name))

    def _ask_field(self, field: ViewField) -> None:
        files = self._window.files
        suggested = files.last_folder / f"{self._window.document.title}.npz"
        name, _ = files.pick_to_save(self._window, "Save the edited scene", str(suggested), "Scene (*.npz)")
        if name:
            self.write_field(field, Path(name).with_suffix(".npz"))

    def _on_exported(self, path: Path) -> None:
        self.has_export = True
        self._window.files.last_folder = path.parent
        self._window.exports.exported.emit([path])
        self._window.steps.update()

    # Inner life

    def close(self) -> None:
        """The window closes."""
        self._background.close()

    def _forget(self) -> None:
        self.has_preview = self.has_export = False
        self.choices.set_choice(SceneChoice())
        self.preview.set_state("")
        self.stages.set_stages(())
        self.refresh()

    def _on_workflow(self) -> None:
        """What is edited where nothing is selected depends on it."""
        self._window.edits.refresh()
        self.refresh()

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
        choice = self.choices.choice
        count = {"all": used, "every": -(-used // choice.every), "selected": len(self._selected_names())}[
            choice.views
        ]
        self.choices.set_note(f"{count} of {used} photos, {time_words(count)}.", self.problem())
        self._window.edit_panel.prompt.set_problem(self.problem())

    def _photos_of(self, layer: Layer) -> Layer | None:
        """The photos themselves, or those that an edit was made from."""
        if isinstance(layer.data, PosedImages):
            return layer
        given = () if layer.origin is None else layer.origin.inputs
        found = (self._window.project.layer(each) for each in given)
        return next((x for x in found if x is not None and isinstance(x.data, PosedImages)), None)

    def _photos_of_shown(self) -> PosedImages | None:
        layer = None if self._shown is None else self._window.project.layer(self._shown[0])
        photos = None if layer is None else self._photos_of(layer)
        return photos.data if photos is not None and isinstance(photos.data, PosedImages) else None

    def _selected_names(self) -> list[str]:
        scene = self.scene
        if scene is None or not isinstance(scene.data, PosedImages) or self._window.images.layer is not scene:
            return []
        used = set(scene.data.used.tolist())
        return [scene.data.images.names[i] for i in self._window.image_strip.selected() if i in used]

    def _current_view(self, posed: PosedImages) -> int:
        """The current photo, else the one in the middle of those that are used."""
        current = self._window.images.current
        if self._window.images.posed is posed and 0 <= current < len(posed):
            return current
        used = posed.used
        return int(used[len(used) // 2]) if len(used) else 0


def _read_views(folder: Path) -> list[EditedView]:
    try:
        rows = json.loads((folder / "views.json").read_text(encoding="utf-8"))
        return [view_of(row) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        _LOG.warning("The scores of edited views cannot be read: %s", problem)
        return []


def _write_views(field: ViewField, folder: Path) -> Path:
    """One PNG a view, named as its photo; returns the first. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{Path(name).stem}.png" for name in field.names]
    if len(set(paths)) < len(paths):
        paths = [folder / f"{i + 1:04d}.png" for i in range(len(paths))]
    for path, picture in zip(paths, field.pictures, strict=True):
        Image.fromarray(picture).save(path)
    return paths[0]


def _file_of(folder: Path, name: str) -> Path:
    rows: Sequence[Mapping[str, Any]] = json.loads((folder / "views.json").read_text(encoding="utf-8"))
    return folder / next(str(row["file"]) for row in rows if row["name"] == name)


def _read(path: Path, longest: int = 0) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        if longest:
            picture.thumbnail((longest, longest))
        return np.asarray(picture.convert("RGB"))
