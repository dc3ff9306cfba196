"""Versions of layers: the one of each family that stands in the list, the tree of them, and going back to one."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app import versions
from app.edit_words import editor_of, prompt_of, what_made
from app.layers import Layer
from app.versions import are_alike, base_of, family_of, root_of
from widgets.version_tree import VersionRow

if TYPE_CHECKING:
    from app.main_window import MainWindow

_SHOWN = "versions"  # in the session of a project: root id → the version that the person chose last


class VersionDesk(QObject):
    """Keeps what is visible and selected in line with the versions that there are. changed: another one is shown."""

    changed = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._current: dict[str, str] = {}  # root → the version that stands for its family
        self._last: tuple[str, str, int | None] | None = None  # selected: layer, its root, the part in it
        window.scene.selection_changed.connect(self._note_selection)
        window.parts.current_changed.connect(self._note_selection)
        tree = window.edit_panel.versions
        tree.shown.connect(self.show)
        tree.branched.connect(self.branch)
        tree.deleted.connect(self.delete_branch)

    # What a person asks for

    def show(self, version_id: str) -> None:
        """Show a version, and no other of its family."""
        project = self._window.project
        layer = project.layer(version_id)
        if layer is None:
            return
        if not layer.is_pending:
            self.choose(root_of(project.layers, layer), layer)
        family = [each for each in family_of(project.layers, layer) if are_alike(each, layer)]
        project.set_visible([each.id for each in family if each.id != version_id], False)
        project.set_visible([version_id], True)
        self.changed.emit()
        self._window.scene.refresh()
        self.select(version_id)

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
                self.select(base.id)

    def choose(self, root: Layer, layer: Layer) -> None:
        """From now on a version stands for its family."""
        session = self._window.document.session
        chosen = session.get(_SHOWN, {})
        session[_SHOWN] = {**(chosen if isinstance(chosen, dict) else {}), root.id: layer.id}

    def select(self, layer_id: str) -> None:
        """Select a layer, and keep the part that was chosen."""
        current = self._window.parts.current
        self._window.scene.select([layer_id])
        if current is not None and self._window.parts.current is None:
            self._window.parts.choose(current[1])

    # Following the project

    def follow_families(self, covered: Collection[str]) -> None:
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
            self._show_in_place(root_id, now, alike, covered)
        self._current = current
        self._window.scene.set_aside(frozenset(aside))

    def _show_in_place(self, root_id: str, now: Layer, alike: list[Layer], covered: Collection[str]) -> None:
        project = self._window.project
        before = self._current.get(root_id)
        project.set_visible([x.id for x in alike if x.id != now.id], False)
        if before is not None and before != now.id and now.id not in covered:
            project.set_visible([now.id], True)

    def follow_selection(self) -> None:
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

    def shown_version(self) -> Layer | None:
        """The version of the selected family that stands in the list."""
        layers, current = self._window.project.layers, self._window.scene.current
        if current is None:
            return None
        shown = self._current.get(root_of(layers, current).id, current.id)
        return self._window.project.layer(shown)

    def forget(self) -> None:
        """Another project comes."""
        self._current, self._last = {}, None

    def show_tree(self, pending: Layer | None) -> None:
        window = self._window
        layers = window.project.layers
        of = pending or self.shown_version()
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


def _in_order(family: tuple[Layer, ...]) -> list[Layer]:
    """Versions so that each comes after the one it was made from."""
    ids = {layer.id for layer in family}
    found = [layer for layer in family if layer.version_of not in ids]
    for layer in found:
        children = [each for each in family if each.version_of == layer.id and each not in found]
        place = found.index(layer) + 1
        found[place:place] = children
    return found
