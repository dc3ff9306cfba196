"""Edits by words: what the sentence asks for, the run that makes it, and what was asked for before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

from app import edit_history
from app.edit_engines import (
    edit_methods,
    engine_in,
    engines_of,
    is_by_rules,
    is_instant,
    needs_picture,
    with_engine,
)
from app.edit_history import Steps
from app.edit_networks import EditNetworks
from app.edit_pictures import EditPictures, StylePicture
from app.edit_target import EditTarget, find_target
from app.edit_words import PART_IDEAS, SCENE_IDEAS, part_words, prompt_field, scene_words, short
from app.jobs import Job
from app.method_panel import StartWish
from app.part_changes import new_part
from app.run_desk import id_of
from app.view_painting import PaintedPictures
from recon.method import Method
from recon.romap.part_table import next_number
from render.gaussians import GaussianCloud
from render.scene_data import SceneData
from widgets.paint_canvas import Picture
from widgets.prompt_box import PromptWish

if TYPE_CHECKING:
    from app.main_window import MainWindow

_WORDS_MS = 120  # after the last key


class EditDesk(QObject):
    """What stands behind the prompt box."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._panel, self._box = window.edit_panel, window.edit_panel.prompt
        self._methods = {method.id: method for method in edit_methods(window.methods)}
        self.pictures, self.networks = EditPictures(window), EditNetworks(window)
        self._steps, self._is_stepping = Steps(), False
        self._target: EditTarget | None = None
        self._idle = QTimer(self, singleShot=True, interval=_WORDS_MS)
        self._idle.timeout.connect(self.read_words)
        self._connect()

    def _connect(self) -> None:
        window, box = self._window, self._box
        box.text_changed.connect(self._on_text)
        box.run_wished.connect(self.run)
        box.stepped.connect(self._step)
        box.paint_wished.connect(self.paint)
        box.folder_wished.connect(self._choose_folder)
        box.cleared.connect(self._use_words)
        box.settings.engine_chosen.connect(self._on_engine)
        box.all_wished.connect(self.show_all_settings)
        self.pictures.changed.connect(self._show_pictures)
        self._panel.history.chosen.connect(self.show_earlier)
        self._panel.import_wished.connect(window.files.import_files)
        window.parts.current_changed.connect(self.refresh)
        window.project.state_changed.connect(self.refresh)
        window.document.changed.connect(self._show_history)
        window.runs.changed.connect(self._show_busy)
        window.runs.edit_added.connect(lambda _: self._show_busy())

    # What would be changed

    @property
    def target(self) -> EditTarget | None:
        """What an edit would change now; None where nothing open can be edited."""
        return self._target

    def refresh(self) -> None:
        """Follow the project, what is selected, and the chosen part."""
        before, self._target = self._target, find_target(self._window, self._methods.values())
        target = self._target
        self._panel.set_usable(target is not None)
        if target is None or target == before:
            return
        self._box.set_target(target.icon, target.title, target.note)
        self._box.set_problem(target.problem)
        if before is None or before.method.id != target.method.id:
            self.networks.offer(target.method)
            self._box.set_ideas(SCENE_IDEAS if target.is_scene else PART_IDEAS)
        self._show_pictures()
        self.read_words()

    # Making it

    def run(self, wish: PromptWish) -> None:
        """Make the edit: of the chosen part, or of the selected splats, which become a part of their own first."""
        if self._target is not None and not self._target.problem:
            self._with_part(self._target, lambda found: self._start(found, wish))

    def run_by_rules(self) -> None:
        """Make what the box says by the built-in effects."""
        if self._target is not None:
            self._box.settings.set_engine(engines_of(self._target.method)[0].id)
            self._box.run()

    def start(
        self,
        method: Method,
        settings: Mapping[str, Any],
        inputs: Mapping[str, str],
        seed: int,
        title: str,
        target: str,
        *,
        data: Mapping[str, SceneData | Path] | None = None,
        pictures: Mapping[str, Picture] | None = None,
    ) -> None:
        """Begin an edit and note that it was asked for. data, pictures: see StartWish."""
        instant = not pictures and is_instant(method, settings)
        device = "cpu" if instant else self._window.method_panel.run_block.device()
        wish = StartWish(
            method, settings, inputs, device, seed, title, instant, dict(data or {}), dict(pictures or {})
        )
        job = self._window.runs.start(wish)
        if job is not None:
            self._note(job, method, settings, seed, target)

    def _note(self, job: Job, method: Method, settings: Mapping[str, Any], seed: int, target: str) -> None:
        document, prompt = self._window.document, str(settings.get(prompt_field(method)) or "")
        records = edit_history.added(
            document.prompts, prompt=prompt, method=method.id, seed=seed, target=target, settings=settings,
            run=id_of(job),
        )  # fmt: skip
        document.set_prompts(records)
        self._steps.forget()

    def _with_part(self, target: EditTarget, act: Callable[[EditTarget], None]) -> None:
        """Do something with a part; of selected splats one is made first."""
        if not target.is_selection or not isinstance(target.layer.data, GaussianCloud):
            act(target)
            return
        number = next_number(target.layer.data)

        def then() -> None:
            self._window.parts.choose(number)
            self.refresh()
            if self._target is not None and self._target.part == number:
                act(self._target)

        self._window.splats.do(lambda given: new_part(given[0], number, f"Part {number}"))
        self._window.splats.edits.then(then)

    def _start(self, target: EditTarget, wish: PromptWish) -> None:
        pictures = self.pictures.of(target.layer)
        settings, inputs = self._settings(target, wish), self._inputs(target)
        start = partial(self.start, target.method, settings, inputs, wish.seed)
        if isinstance(pictures, PaintedPictures):
            cameras = {"cameras": pictures.cameras}
            start("Painted views", target.title, data=cameras, pictures=pictures.pictures)
        else:
            start(self.pictures.words(target.layer).capitalize() or short(wish.text), target.title)

    def settings_of(self, target: EditTarget, wish: PromptWish) -> dict[str, Any]:
        """The settings of a run that makes an edit."""
        return self._settings(target, wish)

    def _settings(self, target: EditTarget, wish: PromptWish) -> dict[str, Any]:
        method, fields = target.method, target.method.settings.model_fields
        pictures = self.pictures.of(target.layer)
        values = with_engine(method, wish.engine) | self.networks.settings(method, wish.engine)
        if isinstance(pictures, StylePicture):
            values["style"] = str(pictures.path)
        elif isinstance(pictures, Path):
            values |= _folder_settings(pictures, is_scene=target.is_scene)
        elif pictures is None:
            values[prompt_field(method)] = wish.text
        if "strength" in fields and self._box.settings.has_strength:
            values["strength"] = wish.strength
        if target.is_scene:
            values |= self._window.scene_edits.settings()
        else:
            values["part"] = target.part
        return method.make_settings(values).model_dump(mode="json")

    def _inputs(self, target: EditTarget) -> dict[str, str]:
        """The layer, and cameras where the pictures of a folder need them."""
        if target.is_scene:
            return self._window.scene_edits.inputs(target.layer)
        inputs = {target.method.edits: target.layer.id}
        cameras = self.pictures.cameras()
        if not target.is_scene and isinstance(self.pictures.of(target.layer), Path) and cameras is not None:
            inputs["cameras"] = cameras.id
        return inputs

    def show_all_settings(self) -> None:
        """Show every setting of this kind of edit, with what the box says."""
        target, wish = self._target, self._box.wish()
        if target is not None:
            settings = self._settings(target, wish)
            self._window.method_panel.set_values(target.method.id, settings, wish.seed)
            self._window.show_task("Task")

    # Edited pictures in place of words

    def paint(self) -> None:
        """Open views of the part to paint on."""
        target = self._target
        if target is not None and not target.problem and not target.is_scene:
            self._with_part(target, self.pictures.paint)

    def _choose_folder(self) -> None:
        if self._target is not None:
            self.pictures.choose_folder(self._target)

    def _use_words(self) -> None:
        if self._target is not None:
            if needs_picture(self._box.wish().engine):
                self._box.settings.set_engine(engines_of(self._target.method)[0].id)
            self.pictures.use(self._target.layer, None)

    def _on_engine(self, engine: str) -> None:
        """One that needs a picture asks for it; without it the built-in effects stay chosen."""
        target = self._target
        if target is None:
            return
        self.read_words()
        if needs_picture(engine) and not self.pictures.choose_style(target):
            self._box.settings.set_engine(engines_of(target.method)[0].id)
        elif not needs_picture(engine) and isinstance(self.pictures.of(target.layer), StylePicture):
            self.pictures.use(target.layer, None)

    def _show_pictures(self) -> None:
        target = self._target
        words = "" if target is None else self.pictures.words(target.layer)
        is_scene = target is not None and target.is_scene
        is_style = target is not None and isinstance(self.pictures.of(target.layer), StylePicture)
        has_maker = not words or is_style
        self._box.set_pictures(words, can_paint=target is not None and not is_scene)
        self._box.settings.set_shown(maker=has_maker, strength=has_maker or is_scene)

    # Words

    def focus(self) -> None:
        """Bring the prompt box to the front."""
        self._window.set_tab_shown(self._window.task_tabs, "Edit", True)
        self._window.show_task("Edit")
        self._box.text.setFocus()

    def _on_text(self, _text: str) -> None:
        if not self._is_stepping:
            self._steps.forget()
        if self._box.problem:
            self.read_words()  # Nobody waits to be told that it can be done now.
        else:
            self._idle.start()

    def read_words(self) -> None:
        """Tell what is understood of the sentence."""
        target, wish = self._target, self._box.wish()
        text = wish.text
        if not is_by_rules(wish.engine):
            self._box.set_words(())
        elif target is not None:
            is_scene = target.is_scene
            self._box.set_words(*(scene_words(text) if is_scene else part_words(text, target.part_name)))

    # What was asked for before

    def show_earlier(self, wish_id: str) -> None:
        """Show an earlier wish in the box, with its seed, ready to be made again."""
        record = next((each for each in self._window.document.prompts if each.uuid == wish_id), None)
        if record is not None:
            self.show_wish(record.prompt, record.settings, record.seed)

    def show_wish(self, prompt: str, settings: Mapping[str, Any], seed: int) -> None:
        """Show what made an edit in the box, with its seed."""
        strength = float(settings.get("strength", 1.0))
        self._box.set_wish(PromptWish(prompt, engine_in(settings), strength, seed))
        self.networks.take(engine_in(settings), str(settings.get("model") or ""))
        self.focus()

    def show_history(self) -> None:
        """Bring what was asked for before to the front."""
        self.focus()
        self._panel.open_history()

    def is_edit(self, job: Job) -> bool:
        """Whether a run makes an edit by words."""
        return self._window.runs.method_of(job) in self._methods

    def _step(self, by: int) -> None:
        text = self._steps.step(by, self._window.document.prompts, self._box.text.toPlainText())
        if text is not None:
            self._is_stepping = True
            self._box.set_text(text)
            self._is_stepping = False

    def _show_history(self) -> None:
        document = self._window.document
        self._panel.history.set_rows(edit_history.rows_of(document.prompts, self._window.project.layers))
        self._panel.show_history(bool(document.prompts))

    def _show_busy(self) -> None:
        job = self._window.runs.current
        is_making = job is not None and job.result is None and (job.is_in_process or self.is_edit(job))
        self._box.set_busy(is_making)


def _folder_settings(folder: Path, *, is_scene: bool) -> dict[str, Any]:
    """The settings that take edited pictures from a folder."""
    return {"editor": "folder", "edits": str(folder)} if is_scene else {"anchors": str(folder)}
