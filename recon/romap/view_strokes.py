"""Parts from strokes that a person drew on views of the splats, put among the parts that there are already.

What a person said stands: splats under strokes, splats that were put into a part by hand, and locked ones. Everything
else is found anew with each stroke; parts without strokes give way where a part with strokes is found.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recon.errors import InputError
from recon.gaussian_selection import Mask
from recon.romap.evidence import NO_OPINION, SCRIBBLE_STRENGTH
from recon.romap.mean_field import AffinityGraph, affinity_graph
from recon.romap.part_table import (
    BY_HAND,
    ERASED,
    MOST_FOUND,
    NO_PART,
    part_confidence,
    part_numbers,
    with_columns,
)
from recon.romap.scribbles import Stroke, evening, evidence_of_strokes, lift_scribbles
from recon.romap.view_votes import ViewVotes
from recon.romap.view_weights import Size
from render.gaussians import GaussianCloud
from render.splat_weights import contribution_weights

Array = NDArray[np.float64]
LONGEST = 640  # pixels of a view in which strokes meet splats
_KEPT_VIEWS = 4  # whose weights are kept; each takes some 50 MB
_WELL_MET = 20.0  # of strength: a third of what a splat right under a stroke gets; there the stroke holds, by hand or not
_ALL = 0.98  # of the splats: a part of so many is none


@dataclass(frozen=True, eq=False)
class StrokedView:
    """A pinhole view that was drawn on. part of a stroke: a part's number, NO_PART for "belongs to none", or ERASED.

    key: equal for equal views. cam_from_world: (4, 4). focal, center: (2,) pixels. strokes: paths in its pixels, the
    last on top. shown: (N,) the splats that were shown when it was drawn on; None for all.
    """

    key: object
    cam_from_world: Array
    focal: Array
    center: Array
    size: Size
    strokes: tuple[Stroke, ...]
    shown: Mask | None = None


@dataclass(frozen=True, eq=False)
class FoundParts:
    """What strokes find. cloud: with its new parts. counts: splats of each part that was drawn. probabilities: (N, K)
    float32 of these parts, in the same order, 0 where nothing was looked for."""

    cloud: GaussianCloud
    counts: dict[int, int]
    probabilities: NDArray[np.float32]


class StrokeFinder:
    """Finds parts again and again while a person draws: keeps what depends on geometry and views only."""

    def __init__(self) -> None:
        self._graph: tuple[object, AffinityGraph] | None = None
        self._weights: OrderedDict[object, sparse.csr_matrix] = OrderedDict()
        self._arrays: tuple[object, ...] = ()

    def prepare(self, cloud: GaussianCloud, kept: Mask | None = None) -> None:
        """Do beforehand what the first search needs. kept: as in `find`."""
        rows = _rows(cloud, kept)
        if len(rows):
            self._meet(cloud, rows)
            self._affinity(cloud.subset(rows) if len(rows) < len(cloud) else cloud)

    def find(
        self,
        cloud: GaussianCloud,
        views: Sequence[StrokedView],
        kept: Mask | None = None,
        locked: Mask | None = None,
        title: Callable[[int], str] = lambda number: f"Part {number}",
    ) -> FoundParts:
        """The parts of all strokes. kept: (N,) splats that are there, locked: (N,) those that nothing changes.

        Raises InputError, in which `title` names parts: no strokes, strokes beside all splats or against each other, a
        part that gets nothing or everything.
        """
        rows = _rows(cloud, kept)
        part_ids = sorted({s.part for view in views for s in view.strokes if s.part >= 0})
        if not part_ids:
            raise _nothing_marked()
        self._meet(cloud, rows)
        there = cloud.subset(rows) if len(rows) < len(cloud) else cloud
        seeds, drawn = self._seeds(there, rows, views, [*part_ids, NO_PART])
        part_ids = [number for number in part_ids if number in drawn]  # others were all taken back
        if not part_ids:
            raise _nothing_marked()
        seeds = _checked(seeds[:, [*drawn.values()]], part_ids, title)
        held = _HeldSplats(cloud, rows, [*drawn])
        labels = lift_scribbles(there, [_one_vote(np.maximum(seeds, held.seeds()))], self._affinity(there))
        index = labels.indices
        _check(index, part_ids, len(there), title)
        free = ~held.by_hand | (seeds.max(1) > _WELL_MET)
        if locked is not None:
            free &= ~locked[rows]
        made = _merged(cloud, rows, index, labels.confidence, free, [*drawn], seeds)
        probabilities = np.zeros((len(cloud), len(part_ids)), np.float32)
        probabilities[rows] = labels.probabilities[:, : len(part_ids)]
        numbers = part_numbers(made)
        return FoundParts(
            made, {k: int(np.count_nonzero(numbers[rows] == k)) for k in part_ids}, probabilities
        )

    def _meet(self, cloud: GaussianCloud, rows: NDArray[np.intp]) -> None:
        """Forget what belongs to other splats."""
        arrays = (cloud.means, cloud.quats, cloud.log_scales, cloud.opacity_logits, cloud.sh)
        now = (*map(id, arrays), len(rows), hash(rows.tobytes()))
        if now != self._arrays[: len(now)]:
            self._graph = None
            self._weights.clear()
            self._arrays = (*now, arrays)  # the arrays live as long as their ids are looked at

    def _affinity(self, cloud: GaussianCloud) -> AffinityGraph:
        if self._graph is None:
            self._graph = (cloud, affinity_graph(cloud))
        return self._graph[1]

    def _seeds(
        self, cloud: GaussianCloud, rows: NDArray[np.intp], views: Sequence[StrokedView], labels: list[int]
    ) -> tuple[NDArray[np.float32], dict[int, int]]:
        """(n, K) pixels of strokes that each splat fills, for each of the labels, times the strength of a stroke; and
        the labels that are still to be seen in any view, each with its place."""
        total, seen = np.zeros((len(cloud), len(labels)), np.float32), set[int]()
        for view in views:
            factor = LONGEST / max(view.size)
            size = (max(1, round(view.size[0] * factor)), max(1, round(view.size[1] * factor)))
            for evidence in evidence_of_strokes(_placed(view.strokes, labels, factor), [size]):
                pixels = np.flatnonzero(evidence.labels.ravel() >= 0)
                if len(pixels):
                    seen |= set(np.unique(evidence.labels.ravel()[pixels]).tolist())
                    shown = None if view.shown is None or len(view.shown) <= rows.max() else view.shown[rows]
                    weights = self._view_weights(cloud, view, shown, factor, size)[pixels]
                    shares = evidence.shares(len(labels))[pixels]
                    filled = np.asarray(weights.sum(0), np.float64).ravel()
                    total += np.asarray((weights.T @ shares).todense(), np.float32) * evening(filled)
        return total, {label: place for place, label in enumerate(labels) if place in seen}

    def _view_weights(
        self, cloud: GaussianCloud, view: StrokedView, shown: Mask | None, factor: float, size: Size
    ) -> sparse.csr_matrix:
        """(pixels, n) of a view, kept for the next stroke on it."""
        if view.key in self._weights:
            self._weights.move_to_end(view.key)
            return self._weights[view.key]
        drawn = cloud if shown is None else replace(
            cloud, opacity_logits=np.where(shown, cloud.opacity_logits, np.float32(-30))
        )  # fmt: skip
        weights = contribution_weights(
            drawn, view.cam_from_world, view.focal * factor, view.center * factor, size
        )
        self._weights[view.key] = weights
        while len(self._weights) > _KEPT_VIEWS:
            self._weights.popitem(last=False)
        return weights


def _rows(cloud: GaussianCloud, kept: Mask | None) -> NDArray[np.intp]:
    return np.arange(len(cloud)) if kept is None or kept.all() else np.flatnonzero(kept)


class _HeldSplats:
    """Splats that a person put somewhere by hand. rows: (n,) of the cloud; labels: those that are looked for."""

    def __init__(self, cloud: GaussianCloud, rows: NDArray[np.intp], labels: Sequence[int]) -> None:
        sure = part_confidence(cloud)
        self.by_hand: Mask = np.zeros(len(rows), bool) if sure is None else sure[rows] >= BY_HAND
        self._numbers, self._labels = part_numbers(cloud)[rows], labels

    def seeds(self) -> NDArray[np.float32]:
        """(n, K) as if a stroke went over each of them."""
        found = [(self._numbers == number) & self.by_hand for number in self._labels]
        return np.stack(found, 1).astype(np.float32) * np.float32(SCRIBBLE_STRENGTH)


def _placed(strokes: Sequence[Stroke], labels: Sequence[int], factor: float) -> list[Stroke]:
    """Strokes in another size of the view, with the places of their labels in place of parts."""
    places = {label: place for place, label in enumerate(labels)} | {ERASED: NO_OPINION}
    return [
        Stroke(0, places[s.part], np.asarray(s.path, np.float64) * factor, s.radius * factor) for s in strokes
    ]


def _checked(
    seeds: NDArray[np.float32], part_ids: Sequence[int], title: Callable[[int], str]
) -> NDArray[np.float32]:
    """The seeds. Raises InputError where a part's strokes, but not those of all parts, meet no splat."""
    for place, number in enumerate(part_ids):
        if not seeds[:, place].any() and seeds.any():
            raise _gets_nothing(title(number))
    return seeds


def _nothing_marked() -> InputError:
    return InputError("Nothing is marked yet.", "Choose a part and draw on it, in one to three views.")


def _gets_nothing(title: str) -> InputError:
    return InputError(
        f"“{title}” gets no splats from its strokes.",
        "Draw over the middle of it, where nothing is in front, or with a larger brush.",
    )


def _one_vote(seeds: NDArray[np.float32]) -> ViewVotes:
    """All strokes as if drawn on one view; a label without any is left to the rest."""
    rows = np.flatnonzero(seeds.any(1))
    nobody = np.zeros(0, np.int32)
    return ViewVotes(0, rows, seeds[rows], nobody, nobody.astype(np.float32), is_certain=True)


def _check(
    index: NDArray[np.int32], part_ids: Sequence[int], count: int, title: Callable[[int], str]
) -> None:
    counts = np.bincount(index[index >= 0], minlength=len(part_ids) + 1)
    for place, number in enumerate(part_ids):
        if not counts[place]:
            raise _gets_nothing(title(number))
        if counts[place] > _ALL * count:
            raise InputError(
                f"“{title(number)}” would be everything.",
                "Mark what does not belong to it, with “No part” or as another part.",
            )


def _merged(
    cloud: GaussianCloud,
    rows: NDArray[np.intp],
    index: NDArray[np.int32],
    confidence: NDArray[np.float32],
    free: Mask,
    drawn: Sequence[int],
    seeds: NDArray[np.float32],
) -> GaussianCloud:
    """The cloud with what was found, where it is free to change."""
    numbers, sure = part_numbers(cloud).copy(), part_confidence(cloud)
    sure = np.where(numbers == NO_PART, 0, MOST_FOUND).astype(np.float32) if sure is None else sure.copy()
    old, old_sure = numbers[rows], sure[rows]
    found = np.array([*drawn, NO_PART], np.int32)[index]  # index −1 is the last
    is_drawn = (found == NO_PART) & (seeds.max(1) > _WELL_MET) & (index >= 0)
    changes = free & ((found != NO_PART) | np.isin(old, drawn) | is_drawn)
    numbers[rows] = np.where(changes, found, old)
    now = np.where(found == NO_PART, 0, np.minimum(confidence, MOST_FOUND))
    sure[rows] = np.where(changes, now, old_sure)
    return with_columns(cloud, numbers, sure)
