"""Edits that could not be made, or changed nothing: what is said, and what can be tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app import edit_history
from app.edit_words import has_seed, prompt_of, short
from app.errors import ErrorReport
from app.jobs import Job
from app.layers import Layer
from app.run_desk import id_of
from widgets.notices import NoticeAction, Sheet

if TYPE_CHECKING:
    from app.main_window import MainWindow

_MODEL_MISSING, _NO_MEMORY = "E12", "E14"


class EditTrouble(QObject):
    """Sheets with actions."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def show_failure(self, job: Job, report: ErrorReport) -> None:
        """Say why an edit was not made, and offer what can be done about it."""
        document, shell, edits = self._window.document, self._window.shell, self._window.edits
        document.set_prompts(edit_history.judged(document.prompts, id_of(job), "failed"))
        offers = []
        if report.code == _MODEL_MISSING:
            offers.append(("Use built-in effects", edits.run_by_rules))
        if report.code == _NO_MEMORY and job.folder.manifest.device != "cpu":
            offers.append(("Use the processor", lambda: self._again_on_cpu(job)))
        if not offers:
            shell.show_error(report)
            return
        details = ("Details", lambda: shell.show_error(report))
        shell.ask(report.sentence, report.advice, [*offers, details, ("Close", lambda: None)], "warning")

    def show_nothing_changed(self, layer: Layer) -> Sheet:
        """E23: the edit cannot be seen; three things to try where words made it."""
        origin = layer.origin
        assert origin is not None
        is_weak = float(origin.settings.get("strength", 1.0)) < 1
        actions = [NoticeAction("keep", "Close")]
        if has_seed(origin):  # other pictures than those of a folder are not for words to make
            actions[:0] = [
                NoticeAction("strength", "More strength" if is_weak else "Stronger words", is_weak),
                NoticeAction("seed", "Another seed", not is_weak),
                NoticeAction("prompt", "Simpler words"),
            ]
        sheet = Sheet(
            self._window,
            "The edit changed almost nothing",
            f"“{short(prompt_of(origin)) or layer.name}” was made, but no pixel differs by more than one step of 255. "
            "It still waits; nothing is lost.",
            actions,
            "warning",
        )
        sheet.chosen.connect(lambda chosen: self._try(chosen, layer, is_weak))
        return sheet

    def _try(self, chosen: str, layer: Layer, is_weak: bool) -> None:
        edits, origin = self._window.edits, layer.origin
        assert origin is not None
        prompt = prompt_of(origin)
        if chosen == "seed":
            self._window.pending.try_another_seed()
        elif chosen == "strength" and is_weak:
            edits.show_wish(prompt, {**origin.settings, "strength": 1.0}, origin.seed)
            self._window.edit_panel.prompt.run()
        elif chosen in ("strength", "prompt"):
            edits.show_wish(prompt, origin.settings, origin.seed)
            self._window.edit_panel.prompt.text.selectAll()

    def _again_on_cpu(self, job: Job) -> None:
        block = self._window.method_panel.run_block
        block.choose_device("cpu")
        self._window.edit_panel.prompt.run()
