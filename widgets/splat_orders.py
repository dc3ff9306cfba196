"""Which Gaussians of the visible layers are drawn, and in which order: of all of them, and of some for quick pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from widgets.splat_order import Part, Question, Sorter, far_to_near, threshold_for
from widgets.splat_shelf import Place

Array = NDArray[np.float64]
Name = Literal["all", "some"]
_QUICK = 50_000  # Gaussians that are sorted in less time than a picture takes to be seen
_FIRST = 200_000  # up to so many the first time, rather than a picture without them


@dataclass(frozen=True)
class Tag:
    """What an order was made for. plan: which Gaussians its indices stand for."""

    name: Name
    forward: tuple[float, ...]
    plan: tuple[object, ...]
    places: tuple[object, ...]
    threshold: float
    moved: object


@dataclass(frozen=True, eq=False)
class Order:
    """Indices of Gaussians, the farthest first. threshold: of the sample that they are, 0 where they are all."""

    ids: NDArray[np.uint32]
    tag: Tag

    @property
    def threshold(self) -> float:
        return self.tag.threshold


class Orders(QObject):
    """Keeps the newest orders; asks for others in the sorter's thread. changed: there is a newer one."""

    changed = Signal()

    def __init__(self, parent: QObject, sorter: Sorter) -> None:
        super().__init__(parent)
        self._sorter = sorter
        sorter.answered.connect(self._on_answered)
        self._held: dict[Name, Order] = {}
        self._places: Sequence[Place] = ()
        self._plan: tuple[object, ...] = ()
        self._forward: Array = np.zeros(3)
        self._moved: Array | None = None
        self._moved_version: tuple[object, ...] = ()

    @property
    def num_gaussians(self) -> int:
        """How many the visible layers have."""
        return sum(len(place.cloud) for place in self._places)

    def look(
        self,
        places: Sequence[Place],
        plan: tuple[object, ...],
        forward: Array,
        moved: Array | None,
        version: tuple[object, ...],
    ) -> None:
        """Order these visible layers along the camera's direction; moved: (4, 4) of those that are selected."""
        if plan != self._plan:
            self._held.clear()
        self._places, self._plan, self._forward = places, plan, forward
        self._moved, self._moved_version = moved, version

    def held(self, name: Name) -> Order | None:
        """The newest order, perhaps of another direction."""
        return self._held.get(name)

    def exact(self) -> Order | None:
        """The order of all Gaussians for the camera as it is now, or None until it is found."""
        order = self._held.get("all")
        return order if order is not None and order.tag == self._question("all", 0).tag else None

    def want_some(self, count: int) -> None:
        """Have about `count` of the Gaussians in order."""
        self._want(self._question("some", count), at_once=count <= _QUICK)

    def want_all(self, at_once: bool) -> None:
        """Have all of them in order; at_once: wait for it."""
        is_first = "all" not in self._held and self.num_gaussians <= _FIRST
        self._want(self._question("all", 0), at_once or is_first)

    def forget(self) -> None:
        """Hold nothing."""
        self._held.clear()
        self._places, self._plan = (), ()

    def _want(self, question: Question, at_once: bool) -> None:
        held = self._held.get(question.tag.name)
        if held is not None and held.tag == question.tag:
            return
        if at_once:
            self._take(question, far_to_near(question))
        else:
            self._sorter.ask(question)

    def _question(self, name: Name, count: int) -> Question:
        threshold = 0.0
        if name == "some":
            samples = [place.sample for place in self._places if place.sample is not None]
            threshold = threshold_for(samples, count)
        parts = tuple(self._part(place, threshold) for place in self._places)
        moved = None if self._moved is None else (self._moved.tobytes(), self._moved_version)
        places = tuple((place.row, place.generation, place.num_ready) for place in self._places)
        return Question(
            parts, self._forward, Tag(name, tuple(self._forward), self._plan, places, threshold, moved)
        )

    def _part(self, place: Place, threshold: float) -> Part:
        means, marks = place.cloud.means[: place.num_ready], place.layer.style.marks
        rows = None
        if threshold > 0 and place.sample is not None:
            rows = place.sample.rows[: int(np.searchsorted(place.sample.keys, threshold))]
            if len(means) < len(place.cloud):
                rows = rows[rows < len(means)]
        is_moved = marks.selected[: len(means)] if self._moved is not None and marks is not None else None
        return Part(place.first, means, rows, self._moved, is_moved)

    def _take(self, question: Question, ids: NDArray[np.uint32]) -> None:
        tag: Tag = question.tag
        if tag.plan == self._plan:
            self._held[tag.name] = Order(ids, tag)

    def _on_answered(self) -> None:
        answer = self._sorter.take()
        if answer is not None:
            self._take(*answer)
            self.changed.emit()
