"""Edits that wait, and versions: what is shown of them, and what accepting, rejecting and going back do."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app import edit_history, versions
from app.edit_words import changed_words, editor_of, is_invisible, notes_of, prompt_of, short, what_made
from app.layers import Layer
from app.result_words import summary
from app.run_desk import EDIT_STEP
from app.versions import are_alike, base_of, family_of, root_of
from recon import method_by_id
from recon.errors import ReconError
from widgets.version_tree import VersionRow

if TYPE_CHECKING:
    from app.main_window import MainWindow

_SHOWN = "versions"  # in the session of a project: root id → the version that the person chose last
_MOST_SEED = 2**31 - 1


class PendingDesk(QObject):
    """Keeps the bar over the view, the tree of versions and what is visible in line with the project.

    changed: another edit waits, or none.
    """

    changed = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._covered: dict[str, str] = {}  # edit that waits → the layer that is hidden under it
        self._current: dict[str, str] = {}  # root → the version that stands for its family
        self._last: tuple[str, str, int | None] | None = None  # selected: layer, its root, the part in it
        self._told = ""
        self._is_syncing = False
        window.project.state_changed.connect(self.refresh)
        window.scene.selection_changed.connect(self._note_selection)
        window.parts.current_changed.connect(self._note_selection)
        window.document.begun.connect(self._forget)
        window.runs.edit_added.connect(self._on_added)
        tree = window.edit_panel.versions
        tree.shown.connect(self.show)
        tree.branched.connect(self.branch)
        tree.deleted.connect(self.delete_branch)

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
    def has_versions(self) -> bool:
        """Whether there is something to compare: an edit that waits, or a version made from another."""
        return self.pair() is not None

    def pair(self) -> tuple[Layer, Layer] | None:
        """What was before and what is after: of the edit that waits, else of the version that is shown."""
        layers = self._window.project.layers
        after = self.pending or self._shown_version()
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
        self._choose(root_of(project.layers, pending), pending)
        project.edit(f"Accept “{short(pending.name)}”", layers)
        self._select(pending.id)
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
            self._select(base.id)

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

    # Versions

    def show(self, version_id: str) -> None:
        """Show a version, and no other of its family."""
        project = self._window.project
        layer = project.layer(version_id)
        if layer is None:
            return
        if not layer.is_pending:
            self._choose(root_of(project.layers, layer), layer)
        family = [each for each in family_of(project.layers, layer) if are_alike(each, layer)]
        self._is_syncing = True
        project.set_visible([each.id for each in family if each.id != version_id], False)
        project.set_visible([version_id], True)
        self._is_syncing = False
        self.refresh()
        self._window.scene.refresh()
        self._select(version_id)

    def branch(self, version_id: str) -> None:
        """Go on from a version: show it, and take words for another edit of it."""
        self.show(version_id)
        self._window.edits.focus()

    def delete_branch(self, version_id: str) -> None:
        """Remove a version and all that came from it, as one undo step."""
        project = self._window.project
        layer = project.layer(version_id)
        if layer is not None:
            base = base_of(project.layers, layer)
            project.edit(f"Delete “{layer.name}”", versions.without_branch(project.layers, layer))
            if base is not None:
                self._select(base.id)

    # Inner life

    def refresh(self) -> None:
        """Follow the project and the selection."""
        if self._is_syncing:
            return
        self._is_syncing = True
        try:
            self._follow_families()
            self._follow_pending()
        finally:
            self._is_syncing = False
        self._follow_selection()
        self._show_bar()
        self._show_versions()

    def _note_selection(self) -> None:
        """Remember what is selected, until the person selects nothing."""
        window, current = self._window, self._window.scene.current
        if current is not None:
            part, root = window.parts.current, root_of(window.project.layers, current)
            self._last = current.id, root.id, None if part is None else part[1]
        elif self._last is not None:
            last = self._last[0]
            if window.project.layer(last) is not None and last not in window.scene.aside:
                self._last = None

    def _follow_selection(self) -> None:
        """Where undo or redo took the version that was selected, select the one in its place, and the same part."""
        layers, scene = self._window.project.layers, self._window.scene
        if self._last is None or scene.current is not None:
            return
        _, root_id, part = self._last
        waiting = [x.id for x in layers if x.is_pending and root_of(layers, x).id == root_id]
        shown = waiting[-1] if waiting else self._current.get(root_id, root_id)
        if self._window.project.layer(shown) is not None:
            scene.select([shown])
            if part is not None and self._window.parts.current is None:
                self._window.parts.choose(part)

    def _follow_families(self) -> None:
        """Of each family one version stands in the list; another one that does from now on is shown."""
        project = self._window.project
        known = [x for x in project.layers if x.version_of or x.id in self._current]
        roots = {root_of(project.layers, x).id: x for x in known}
        chosen, aside = self._window.document.session.get(_SHOWN, {}), set[str]()
        current: dict[str, str] = {}
        for root_id, member in roots.items():
            family = family_of(project.layers, member)
            wanted = str(chosen.get(root_id, "")) if isinstance(chosen, dict) else ""
            now = versions.current_of(family, wanted, project.hidden)
            alike = [x for x in family if not x.is_pending and are_alike(x, now)]
            aside |= {x.id for x in alike if x.id != now.id}
            current[root_id] = now.id
            self._show_in_place(root_id, now, alike)
        self._current = current
        self._window.scene.set_aside(frozenset(aside))

    def _show_in_place(self, root_id: str, now: Layer, alike: list[Layer]) -> None:
        project = self._window.project
        before = self._current.get(root_id)
        project.set_visible([x.id for x in alike if x.id != now.id], False)
        if before is not None and before != now.id and now.id not in self._covered.values():
            project.set_visible([now.id], True)

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
        self._covered, self._current, self._last = {}, {}, None
        self.refresh()

    def _shown_version(self) -> Layer | None:
        """The version of the selected family that stands in the list."""
        layers, current = self._window.project.layers, self._window.scene.current
        if current is None:
            return None
        shown = self._current.get(root_of(layers, current).id, current.id)
        return self._window.project.layer(shown)

    def _choose(self, root: Layer, layer: Layer) -> None:
        session = self._window.document.session
        chosen = session.get(_SHOWN, {})
        session[_SHOWN] = {**(chosen if isinstance(chosen, dict) else {}), root.id: layer.id}

    def _select(self, layer_id: str) -> None:
        """Select a layer, and keep the part that was chosen."""
        current = self._window.parts.current
        self._window.scene.select([layer_id])
        if current is not None and self._window.parts.current is None:
            self._window.parts.choose(current[1])

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
        window.splat_tools.leave()  # Its options would lie over what is looked at,
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
            bar.show_pending(title, figures, ". ".join(x.rstrip(".") for x in notes if x), has_base=has_base)
        elif not self._window.review.is_of_versions:
            bar.hide()
        self._window.edit_panel.prompt.set_accented(pending is None)
        if told != self._told:
            self._told = told
            self.changed.emit()

    def _show_versions(self) -> None:
        window = self._window
        layers = window.project.layers
        of = self.pending or self._shown_version()
        family = () if of is None else family_of(layers, of)
        seen = [layer.id for layer in family if window.project.is_visible(layer.id)]
        current = next(iter([*seen[::-1], of.id if of is not None else ""]))
        window.edit_panel.versions.set_rows([self._row(layer, current) for layer in _in_order(family)])
        window.edit_panel.show_versions(len(family) > 1)

    def _row(self, layer: Layer, current: str) -> VersionRow:
        origin = layer.origin
        is_edit = bool(layer.version_of)
        seed = f"seed {origin.seed}" if is_edit and origin is not None else ""
        tip = "\n".join(filter(None, (prompt_of(origin), editor_of(origin), seed)))
        return VersionRow(
            layer.id,
            "Waiting" if layer.is_pending else layer.name,
            layer.version_of,
            what_made(layer) if is_edit else "",
            is_current=layer.id == current,
            is_pending=layer.is_pending,
            tip=tip,
        )


def _in_order(family: tuple[Layer, ...]) -> list[Layer]:
    """Versions so that each comes after the one it was made from."""
    ids = {layer.id for layer in family}
    found = [layer for layer in family if layer.version_of not in ids]
    for layer in found:
        children = [each for each in family if each.version_of == layer.id and each not in found]
        place = found.index(layer) + 1
        found[place:place] = children
    return found
