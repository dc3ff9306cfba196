"""Edits by words: what would be changed, what the sentence asks for, and the run that makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QFileDialog

from app import edit_history
from app.data_words import counted, number
from app.edit_engines import edit_methods, engine_in, engines_of, is_instant, with_engine
from app.edit_history import Steps
from app.edit_words import PART_IDEAS, SCENE_IDEAS, part_words, prompt_field, prompt_of, scene_words, short
from app.errors import ErrorReport
from app.jobs import Job
from app.layers import Layer
from app.method_panel import StartWish
from app.part_changes import new_part
from app.run_desk import id_of
from app.versions import base_of
from recon.method import Method
from recon.romap.part_table import NO_PART, next_number, part_numbers
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.view_field import ViewField
from widgets.notices import NoticeAction, Sheet
from widgets.prompt_box import PromptWish

if TYPE_CHECKING:
    from app.main_window import MainWindow

_WORDS_MS = 120  # after the last key
_CHOOSE = "Choose a part, or select splats with the tools beside the picture."
_SELECTED = "Selected splats"
_FIRST_DECIDE = "Accept or reject the edit that waits first."


@dataclass(frozen=True)
class EditTarget:
    """What an edit would change. part: its number, NO_PART for the splats that are selected or for a whole scene.
    problem: why it cannot be changed now."""

    method: Method
    layer: Layer
    title: str
    note: str = ""
    icon: str = "layer-splats"
    part: int = NO_PART
    part_name: str = ""
    problem: str = ""

    @property
    def is_scene(self) -> bool:
        return self.method.id != "romap.edit"


class EditDesk(QObject):
    """What stands behind the prompt box."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._panel, self._box = window.edit_panel, window.edit_panel.prompt
        self._methods = {method.id: method for method in edit_methods(window.methods)}
        self._pictures: dict[str, Path] = {}  # edited pictures in place of words, by layer
        self._steps, self._is_stepping = Steps(), False
        self._idle = QTimer(self, singleShot=True, interval=_WORDS_MS)
        self._idle.timeout.connect(self._read_words)
        self._box.text_changed.connect(self._on_text)
        self._box.run_wished.connect(self.run)
        self._box.stepped.connect(self._step)
        self._box.folder_wished.connect(self._choose_folder)
        self._box.cleared.connect(lambda: self.use_pictures(None))
        self._box.all_wished.connect(self.show_all_settings)
        self._panel.history.chosen.connect(self.show_earlier)
        self._panel.import_wished.connect(window.files.import_files)
        window.parts.current_changed.connect(self.refresh)
        window.project.state_changed.connect(self.refresh)
        window.document.changed.connect(self._show_history)
        window.runs.changed.connect(self._show_busy)
        self._target: EditTarget | None = None

    # What would be changed

    @property
    def target(self) -> EditTarget | None:
        """What an edit would change now; None where nothing open can be edited."""
        return self._target

    def refresh(self) -> None:
        """Follow the project, what is selected, and the chosen part."""
        before, self._target = self._target, self._find_target()
        target = self._target
        self._panel.set_usable(target is not None)
        if target is None or target == before:
            return
        self._box.set_target(target.icon, target.title, target.note)
        self._box.set_problem(target.problem)
        if before is None or before.method.id != target.method.id:
            self._box.set_engines(engines_of(target.method))
            self._box.set_ideas(SCENE_IDEAS if target.is_scene else PART_IDEAS)
        self._show_pictures()
        self._read_words()

    def _find_target(self) -> EditTarget | None:
        """A part of the splats that are selected in the list; else the scene that is."""
        scene = next(
            (x for x in self._window.scene.selected if isinstance(x.data, PosedImages | ViewField)), None
        )
        if scene is not None and (method := self._scene_method(scene)) is not None:
            scene = self._settled(scene)
            return EditTarget(method, scene, "Whole scene", scene.name, "layer-cameras")
        method = self._methods.get("romap.edit")
        layer = next(iter(self._window.splats.layers), None)
        if method is None or layer is None or not isinstance(layer.data, GaussianCloud):
            return None
        return self._part_target(method, self._settled(layer), layer)

    def _part_target(self, method: Method, layer: Layer, seen: Layer) -> EditTarget:
        current = self._window.parts.current
        if current is not None:
            _, part, title = current
            found = next((each for each in self._window.parts.parts if each.number == part), None)
            count, name = (0, "") if found is None else (found.count, found.name)
            problem = "" if count else f"“{title}” has no splats yet."
            if layer is not seen and not has_part(layer, part):
                problem = _FIRST_DECIDE
            return EditTarget(
                method,
                layer,
                title if title.startswith("Part ") else f"Part: {title}",
                counted(count, "splat"),
                part=part,
                part_name=name,
                problem=problem,
            )
        selected = 0 if seen.marks is None else int(np.count_nonzero(seen.marks.selected))
        if selected:
            problem = "" if layer is seen else _FIRST_DECIDE
            return EditTarget(method, layer, _SELECTED, number(selected), problem=problem)
        return EditTarget(method, layer, "No part chosen", layer.name, problem=_CHOOSE)

    def _scene_method(self, layer: Layer) -> Method | None:
        """The method that edits such a scene."""
        kinds = {"posed_images": PosedImages, "view_field": ViewField}
        return next(
            (
                method
                for method in self._methods.values()
                for slot in method.inputs
                if slot.name == method.edits and isinstance(layer.data, kinds.get(slot.kind, ()))
            ),
            None,
        )

    def _settled(self, layer: Layer) -> Layer:
        """What an edit that waits was made from: the next try begins there, too."""
        base = base_of(self._window.project.layers, layer) if layer.is_pending else None
        return layer if base is None else base

    # Making it

    def run(self, wish: PromptWish) -> None:
        """Make the edit: of the chosen part, or of the selected splats, which become a part of their own first."""
        target = self._target
        if target is None or target.problem:
            return
        if target.title == _SELECTED:
            self._make_part(target.layer, wish)
        else:
            self._start(target, wish)

    def _make_part(self, layer: Layer, wish: PromptWish) -> None:
        """Make a part of what is selected, and edit that."""
        assert isinstance(layer.data, GaussianCloud)
        number = next_number(layer.data)
        self._window.splats.do(lambda given: new_part(given[0], number, f"Part {number}"))
        self._window.splats.edits.then(lambda: self._run_on_part(number, wish))

    def _run_on_part(self, number: int, wish: PromptWish) -> None:
        self._window.parts.choose(number)
        self.refresh()
        if self._target is not None and self._target.part == number:
            self._start(self._target, wish)

    def _start(self, target: EditTarget, wish: PromptWish) -> None:
        settings = self._settings(target, wish)
        title = "Edited pictures" if settings.get("anchors") else short(wish.text)
        self.start(target.method, settings, self._inputs(target), wish.seed, title, target.title)

    def start(
        self,
        method: Method,
        settings: Mapping[str, Any],
        inputs: Mapping[str, str],
        seed: int,
        title: str,
        target: str,
    ) -> None:
        """Begin an edit and note that it was asked for."""
        instant = is_instant(method, settings)
        device = "cpu" if instant else self._window.method_panel.run_block.device()
        wish = StartWish(method, settings, inputs, device, seed, title, instant)
        job = self._window.runs.start(wish)
        if job is None:
            return
        prompt = str(settings.get(prompt_field(method)) or "")
        document = self._window.document
        document.set_prompts(
            edit_history.added(
                document.prompts, prompt=prompt, method=method.id, seed=seed, target=target,
                settings=settings, run=id_of(job),
            )
        )  # fmt: skip
        self._steps.forget()

    def _settings(self, target: EditTarget, wish: PromptWish) -> dict[str, Any]:
        method, fields = target.method, target.method.settings.model_fields
        pictures = self._pictures.get(target.layer.id)
        values: dict[str, Any] = {**with_engine(method, wish.engine)}
        if pictures is None:
            values[prompt_field(method)] = wish.text
        elif "anchors" in fields:
            values["anchors"] = str(pictures)
        if "strength" in fields:
            values["strength"] = wish.strength
        if not target.is_scene:
            values["part"] = target.part
        return method.make_settings(values).model_dump(mode="json")

    def _inputs(self, target: EditTarget) -> dict[str, str]:
        """The layer, and cameras where edited pictures need them."""
        inputs = {target.method.edits: target.layer.id}
        if not target.is_scene and target.layer.id in self._pictures:
            cameras = self._cameras()
            if cameras is not None:
                inputs["cameras"] = cameras.id
        return inputs

    def _cameras(self) -> Layer | None:
        layers = self._window.project.layers
        return next((layer for layer in layers if isinstance(layer.data, PosedImages)), None)

    def show_all_settings(self) -> None:
        """Show every setting of this kind of edit, with what the box says."""
        target = self._target
        if target is not None:
            wish = self._box.wish()
            self._window.method_panel.set_values(target.method.id, self._settings(target, wish), wish.seed)
            self._window.show_task("Task")

    # Edited pictures in place of words

    def use_pictures(self, folder: Path | None) -> None:
        """Fit the part to the edited pictures of a folder; None takes words again."""
        target = self._target
        if target is not None:
            if folder is None:
                self._pictures.pop(target.layer.id, None)
            else:
                self._pictures[target.layer.id] = folder
            self._show_pictures()

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self._window, "Edited pictures, named as the views")
        if folder:
            self.use_pictures(Path(folder))

    def _show_pictures(self) -> None:
        target = self._target
        folder = None if target is None else self._pictures.get(target.layer.id)
        self._box.set_pictures("" if folder is None else _pictures_words(folder))

    # Words

    def _on_text(self, _text: str) -> None:
        if not self._is_stepping:
            self._steps.forget()
        self._idle.start()

    def _read_words(self) -> None:
        """Tell what is understood of the sentence."""
        target, text = self._target, self._box.wish().text
        if target is None:
            return
        words, problem, advice = scene_words(text) if target.is_scene else part_words(text, target.part_name)
        self._box.set_words(words, problem, advice)

    def focus(self) -> None:
        """Bring the prompt box to the front."""
        self._window.set_tab_shown(self._window.task_tabs, "Edit", True)
        self._window.show_task("Edit")
        self._box.text.setFocus()

    # What was asked for before

    def _step(self, by: int) -> None:
        text = self._steps.step(by, self._window.document.prompts, self._box.text.toPlainText())
        if text is not None:
            self._is_stepping = True
            self._box.set_text(text)
            self._is_stepping = False

    def show_earlier(self, wish_id: str) -> None:
        """Show an earlier wish in the box, with its seed, ready to be made again."""
        record = next((each for each in self._window.document.prompts if each.uuid == wish_id), None)
        if record is not None:
            self.show_wish(record.prompt, record.settings, record.seed)

    def show_wish(self, prompt: str, settings: Mapping[str, Any], seed: int) -> None:
        """Show what made an edit in the box, with its seed."""
        strength = float(settings.get("strength", 1.0))
        self._box.set_wish(PromptWish(prompt, engine_in(settings), strength, seed))
        self.focus()

    def show_history(self) -> None:
        """Bring what was asked for before to the front."""
        self.focus()
        self._panel.open_history()

    def _show_history(self) -> None:
        document = self._window.document
        self._panel.history.set_rows(edit_history.rows_of(document.prompts, self._window.project.layers))
        self._panel.show_history(bool(document.prompts))

    def _show_busy(self) -> None:
        job = self._window.runs.current
        self._box.set_busy(job is not None and job.is_in_process)

    # What went wrong

    def is_edit(self, job: Job) -> bool:
        """Whether a run makes an edit by words."""
        return self._window.runs.method_of(job) in self._methods

    def show_failure(self, job: Job, report: ErrorReport) -> None:
        """Say why an edit was not made, with what can be done about it."""
        document, shell = self._window.document, self._window.shell
        document.set_prompts(edit_history.judged(document.prompts, id_of(job), "failed"))
        if report.code != "E12":
            shell.show_error(report)
            return
        shell.ask(
            report.sentence,
            report.advice,
            [
                ("Use built-in effects", lambda: self._again_by_rules(job)),
                ("Details", lambda: shell.show_error(report)),
                ("Close", lambda: None),
            ],
            "warning",
        )

    def _again_by_rules(self, job: Job) -> None:
        method = self._methods[self._window.runs.method_of(job)]
        self._box.set_engine(engines_of(method)[0].id)
        self._box.run()

    def show_nothing_changed(self, layer: Layer) -> Sheet:
        """E23: the edit cannot be seen; three things to try."""
        origin = layer.origin
        assert origin is not None
        strength = float(origin.settings.get("strength", 1.0))
        actions = [NoticeAction("strength", "More strength", True)] if strength < 1 else []
        actions += [
            NoticeAction("seed", "Another seed", strength >= 1),
            NoticeAction("prompt", "Simpler words"),
        ]
        sheet = Sheet(
            self._window,
            "The edit changed almost nothing",
            f"“{short(prompt_of(origin)) or layer.name}” was made, but no pixel differs by more than one step of 255. "
            "It still waits; nothing is lost.",
            [*actions, NoticeAction("keep", "Close")],
            "warning",
        )
        sheet.chosen.connect(lambda chosen: self._try(chosen, layer))
        return sheet

    def _try(self, chosen: str, layer: Layer) -> None:
        origin = layer.origin
        assert origin is not None
        if chosen == "strength":
            self.show_wish(prompt_of(origin), {**origin.settings, "strength": 1.0}, origin.seed)
            self._box.run()
        elif chosen == "seed":
            self._window.pending.try_another_seed()
        elif chosen == "prompt":
            self.show_wish(prompt_of(origin), origin.settings, origin.seed)
            self._box.text.selectAll()


def has_part(layer: Layer, number: int) -> bool:
    """Whether any splat of a layer belongs to a part."""
    data = layer.data
    return isinstance(data, GaussianCloud) and bool((part_numbers(data) == number).any())


def _pictures_words(folder: Path) -> str:
    kinds = (".png", ".jpg", ".jpeg", ".webp")
    count = sum(path.suffix.lower() in kinds for path in folder.iterdir()) if folder.is_dir() else 0
    return f"{counted(count, 'edited picture')} in {folder.name}"
