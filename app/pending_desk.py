"""Edits that wait: what is shown of them, and what accepting, rejecting and trying again do."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app import edit_history, versions
from app.edit_words import (
    changed_words,
    editor_of,
    has_seed,
    is_invisible,
    notes_of,
    prompt_of,
    short,
    what_made,
)
from app.layers import Layer
from app.result_words import summary
from app.run_desk import EDIT_STEP
from app.version_desk import VersionDesk
from app.versions import are_alike, base_of, root_of
from recon import method_by_id
from recon.errors import ReconError

if TYPE_CHECKING:
    from app.main_window import MainWindow

_MOST_SEED = 2**31 - 1


class PendingDesk(QObject):
    """Keeps the bar over the view, and what is visible while an edit waits, in line with the project.

    changed: another edit waits, or none.
    """

    changed = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._covered: dict[str, str] = {}  # edit that waits → the layer that is hidden under it
        self.versions = VersionDesk(window)
        self._told = ""
        self._is_syncing = False
        window.project.state_changed.connect(self.refresh)
        window.document.begun.connect(self._forget)
        window.runs.edit_added.connect(self._on_added)
        self.versions.changed.connect(self.refresh)

    # What waits

    @property
    def pending(self) -> Layer | None:
        """The edit that waits: of what is selected, else the newest."""
        layers = self._window.project.layers
        waiting = [layer for layer in layers if layer.is_pending]
        current = self._window.scene.current
        if current is not None:
            roots = {root_of(layers, layer).id: layer for layer in waiting}
            found = roots.get(root_of(layers, current).id)
            if found is not None:
                return found
        return waiting[-1] if waiting else None

    @property
    def has_pending(self) -> bool:
        return self.pending is not None

    @property
    def has_seed(self) -> bool:
        """Whether an edit waits that another seed would make another."""
        return self.pending is not None and has_seed(self.pending.origin)

    @property
    def has_versions(self) -> bool:
        """Whether there is something to compare: an edit that waits, or a version made from another."""
        return self.pair() is not None

    def pair(self) -> tuple[Layer, Layer] | None:
        """What was before and what is after: of the edit that waits, else of the version that is shown."""
        layers = self._window.project.layers
        after = self.pending or self.versions.shown_version()
        before = None if after is None else base_of(layers, after)
        return None if after is None or before is None else (before, after)

    # What a person decides

    def accept(self) -> None:
        """Keep the edit that waits as a new version, as one undo step."""
        pending = self.pending
        if pending is None:
            return
        project = self._window.project
        layers = versions.accepted(project.layers, pending)
        self._note(pending, "accepted")
        self.versions.choose(root_of(project.layers, pending), pending)
        project.edit(f"Accept “{short(pending.name)}”", layers)
        self.versions.select(pending.id)
        name = next(layer.name for layer in layers if layer.id == pending.id)
        self._window.shell.toast(f"Accepted as “{name}”.", "ok")

    def reject(self) -> None:
        """Drop the edit that waits; what it was made from is as it was, to the last byte."""
        pending = self.pending
        if pending is None:
            return
        base = base_of(self._window.project.layers, pending)
        self._note(pending, "rejected")
        kept = [layer for layer in self._window.project.layers if layer.id != pending.id]
        self._window.project.edit(f"Reject “{short(pending.name)}”", kept)
        if base is not None:
            self.versions.select(base.id)

    def try_another_seed(self) -> None:
        """Make the edit that waits again, the same but for its seed; it takes the place of this one."""
        pending = self.pending
        if pending is None or pending.origin is None:
            return
        origin, inputs, data = pending.origin, *self._inputs_of(pending)
        try:
            method = method_by_id(origin.method)
        except ReconError as error:
            self._window.shell.show_error(error)
            return
        seed = random.randrange(_MOST_SEED)
        self._window.edit_panel.prompt.seed.setValue(seed)
        target = next((x.target for x in self._window.document.prompts if x.run == origin.run), "")
        self._window.edits.start(method, origin.settings, inputs, seed, pending.name, target, data=data)

    def refine(self) -> None:
        """Show what made the edit that waits in the prompt box, to be changed and made again."""
        pending = self.pending
        if pending is not None and pending.origin is not None:
            origin = pending.origin
            if not prompt_of(origin):
                self._window.edits.focus()
                self._window.edits.paint()
                return
            self._window.edits.show_wish(prompt_of(origin), origin.settings, origin.seed)

    # Inner life

    def refresh(self) -> None:
        """Follow the project and the selection."""
        if self._is_syncing:
            return
        self._is_syncing = True
        try:
            self.versions.follow_families(self._covered.values())
            self._follow_pending()
        finally:
            self._is_syncing = False
        self.versions.follow_selection()
        self._show_bar()
        self.versions.show_tree(self.pending)

    def _follow_pending(self) -> None:
        """What waits is seen in place of what it was made from; when it goes, that is seen again."""
        project = self._window.project
        waiting = {x.id: x.version_of for x in project.layers if x.is_pending}
        for pending_id, base_id in waiting.items():
            base, pending = project.layer(base_id), project.layer(pending_id)
            if pending_id not in self._covered and base is not None and pending is not None:
                if are_alike(base, pending):
                    project.set_visible([base_id], False)
                project.set_visible([pending_id], True)
        gone = {key: base for key, base in self._covered.items() if key not in waiting}
        self._covered = waiting
        if any(project.layer(key) is None for key in gone):
            QTimer.singleShot(0, self, self._tell_of_undo)  # The stack says what it did once it is done.
        for base_id in gone.values():
            if project.layer(base_id) is not None and base_id not in (
                *self._window.scene.aside,
                *waiting.values(),
            ):
                project.set_visible([base_id], True)

    def _tell_of_undo(self) -> None:
        """An edit that waited went: where undo took it, say how it comes back."""
        stack = self._window.project.undo_stack
        edit = stack.redoText().removeprefix(EDIT_STEP)
        if edit != stack.redoText():
            self._window.shell.toast(
                f"Took back “{short(edit)}”, which waited. Redo brings it again.", "info"
            )

    def _forget(self) -> None:
        self._covered = {}
        self.versions.forget()
        self.refresh()

    def _note(self, pending: Layer, verdict: str) -> None:
        document = self._window.document
        run = "" if pending.origin is None else pending.origin.run
        document.set_prompts(edit_history.judged(document.prompts, run, verdict))

    def _inputs_of(self, pending: Layer) -> tuple[dict[str, str], dict[str, Path]]:
        """Slot → layer, and slot → file of what was no layer, of the run that made an edit."""
        window, run = self._window, "" if pending.origin is None else pending.origin.run
        record = next((each for each in window.document.runs if each.uuid == run), None)
        job = window.runs.job(run)
        if record is None or job is None:
            return {
                method_by_id(pending.origin.method).edits: pending.version_of
            } if pending.origin else {}, {}
        layers = dict(zip(job.folder.manifest.inputs, record.inputs, strict=False))
        return layers, {slot: path for slot, path in job.folder.input_paths().items() if slot not in layers}

    def _on_added(self, pending: Layer) -> None:
        """An edit was made: it waits now."""
        window = self._window
        self._note(pending, "pending")
        window.splat_tools.leave()  # Its options would lie over what is looked at, as strokes that mark parts would,
        window.parts.marking.leave()
        window.parts.set_show("color")  # and colours that stand for parts hide those that were edited.
        window.parts.choose(int((pending.origin.settings if pending.origin else {}).get("part", -1)))
        self.refresh()
        figures = pending.origin.figures if pending.origin is not None else {}
        if is_invisible(figures):
            window.edit_trouble.show_nothing_changed(pending)

    def _show_bar(self) -> None:
        pending = self.pending
        told = "" if pending is None else pending.id
        bar = self._window.review_bar
        if pending is not None and pending.origin is not None:
            figures = changed_words(pending.origin.figures) or summary(pending.origin.figures)
            notes = [editor_of(pending.origin), *notes_of(pending.origin)]
            made = what_made(pending)
            title = f"Pending edit {made}" if prompt_of(pending.origin) else f"Pending edit by {made}"
            has_base = base_of(self._window.project.layers, pending) is not None
            note = ". ".join(x.rstrip(".") for x in notes if x)
            bar.show_pending(title, figures, note, has_base=has_base, has_seed=self.has_seed)
        elif not self._window.review.is_of_versions:
            bar.hide()
        self._window.edit_panel.prompt.set_accented(pending is None)
        if told != self._told:
            self._told = told
            self.changed.emit()
