"""Edits of layers of splats: computed off the window's thread one after another, each pushed as one undo step."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.background import Background
from app.layers import Layer
from app.project import Project
from render.gaussians import GaussianCloud, GaussianMarks


@dataclass(frozen=True)
class Splats:
    """A layer of splats as an edit finds it."""

    id: str
    name: str
    cloud: GaussianCloud
    marks: GaussianMarks


@dataclass(frozen=True)
class Change:
    """What an edit does, ready to be pushed. fields: by layer id, what it replaces of the layer. added: new layers, which
    become the selected ones. removed: layers that go. said: a sentence to tell when it is done. merge_key: as of
    `Project.edit`. finish: what becomes of each changed layer besides, when it is pushed."""

    text: str
    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    added: tuple[Layer, ...] = ()
    removed: frozenset[str] = frozenset()
    said: str = ""
    merge_key: str = ""
    finish: Callable[[Layer], Layer] = field(default=lambda layer: layer)


Compute = Callable[[Sequence[Splats]], Change | str]


class SplatEdits(QObject):
    """A queue of edits, so that each works on what the one before left.

    pushed: the Change that was made. refused: why nothing was done, a sentence. failed: the exception. busy_changed:
    whether an edit is being computed.
    """

    pushed = Signal(object)
    refused = Signal(str)
    failed = Signal(object)
    busy_changed = Signal(bool)

    def __init__(self, project: Project, background: Background, parent: QObject) -> None:
        super().__init__(parent)
        self._project, self._background = project, background
        self._waiting: deque[tuple[tuple[str, ...], Compute] | Callable[[], None]] = deque()
        self._is_busy = False

    @property
    def is_busy(self) -> bool:
        """Whether an edit is being computed or waits."""
        return self._is_busy or bool(self._waiting)

    def do(self, layer_ids: Sequence[str], compute: Compute) -> None:
        """Compute an edit of these layers, after those that were asked for before, and push it.

        compute: called on the background thread; answers a sentence when there is nothing to do.
        """
        self._waiting.append((tuple(layer_ids), compute))
        self._next()

    def then(self, act: Callable[[], None]) -> None:
        """Call something when all that was asked for before is done: at once when nothing waits."""
        self._waiting.append(act)
        self._next()

    def _next(self) -> None:
        while self._waiting and not self._is_busy:
            waiting = self._waiting.popleft()
            if callable(waiting):
                self._act(waiting)
            else:
                self._begin(*waiting)

    def _act(self, act: Callable[[], None]) -> None:
        """Call something; the edits that it asks for come before those that wait already."""
        waiting, self._waiting = self._waiting, deque()
        self._is_busy = True  # So that what it asks for waits until it stands in its place.
        try:
            act()
        finally:
            self._is_busy = False
            self._waiting.extend(waiting)

    def _begin(self, layer_ids: Sequence[str], compute: Compute) -> None:
        given = [splats for splats in (splats_of(self._project.layer(i)) for i in layer_ids) if splats]
        self._set_busy(True)
        self._background.run(
            "splat edit", lambda: compute(given), lambda answer: self._push(given, answer), self._fail
        )

    def _push(self, given: Sequence[Splats], answer: Change | str) -> None:
        if isinstance(answer, str):
            if answer:
                self.refused.emit(answer)
        elif not all(self._is_as_before(splats) for splats in given):
            self.refused.emit(f"{answer.text}: the splats have changed meanwhile.")
        else:
            layers = _applied(self._project.layers, answer)
            self._project.edit(answer.text, layers, merge_key=answer.merge_key)
            self.pushed.emit(answer)
        self._set_busy(False)
        self._next()

    def _fail(self, error: Exception) -> None:
        self._waiting.clear()
        self._set_busy(False)
        self.failed.emit(error)

    def _is_as_before(self, splats: Splats) -> bool:
        layer = self._project.layer(splats.id)
        if layer is None or layer.data is not splats.cloud:
            return False
        return layer.marks is splats.marks or (layer.marks is None and not _has_any(splats.marks))

    def _set_busy(self, is_busy: bool) -> None:
        self._is_busy = is_busy
        self.busy_changed.emit(is_busy)


def splats_of(layer: Layer | None) -> Splats | None:
    """A layer's splats and marks; None for another kind of layer."""
    if layer is None or not isinstance(layer.data, GaussianCloud):
        return None
    marks = layer.marks if layer.marks is not None else GaussianMarks.none(len(layer.data))
    return Splats(layer.id, layer.name, layer.data, marks)


def _has_any(marks: GaussianMarks) -> bool:
    return any(array.any() for _, array in marks.arrays())


def _changed(layer: Layer, change: Change) -> Layer:
    if layer.id not in change.fields:
        return layer
    return change.finish(replace(layer, **change.fields[layer.id]))


def _applied(layers: tuple[Layer, ...], change: Change) -> tuple[Layer, ...]:
    """The project's layers after a change; new ones stand right below the last that was changed or removed."""
    touched = [i for i, layer in enumerate(layers) if layer.id in change.fields or layer.id in change.removed]
    place = touched[-1] + 1 if touched else len(layers)
    kept = [_changed(layer, change) if layer.id not in change.removed else None for layer in layers]
    result = [*kept[:place], *change.added, *kept[place:]]
    return tuple(layer for layer in result if layer is not None)
