"""Edits of layers of splats as pure functions: what they find, and the change that is pushed; off the window's thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from app.data_words import counted, number
from app.layers import Layer, new_layer
from app.splat_edits import Change, Splats
from recon import gaussian_selection as marking
from recon.gaussian_edits import merged
from recon.gaussian_neighbours import NeighbourGraph, neighbour_graph
from recon.romap.part_table import assigned, next_number
from render.gaussians import GaussianCloud, GaussianMarks

NOTHING = "No Gaussians are selected."
_GRAPHS: WeakKeyDictionary[GaussianCloud, NeighbourGraph] = WeakKeyDictionary()

Marking = Callable[[GaussianMarks], GaussianMarks]


# --- words and counts ------------------------------------------------------------------------------------


def gaussians(count: int) -> str:
    """ "1 Gaussian", "1 240 Gaussians"."""
    return counted(count, "Gaussian")


def num_selected(given: Sequence[Splats]) -> int:
    """How many Gaussians are selected in all."""
    return sum(int(np.count_nonzero(splats.marks.selected)) for splats in given)


def num_left(layer: Layer) -> int:
    """How many Gaussians of a layer are not deleted."""
    if not isinstance(layer.data, GaussianCloud):
        return 0
    deleted = 0 if layer.marks is None else int(np.count_nonzero(layer.marks.deleted))
    return len(layer.data) - deleted


def graph_of(cloud: GaussianCloud) -> NeighbourGraph:
    """The neighbours of each Gaussian, made once for a cloud; for the background thread."""
    if cloud not in _GRAPHS:
        _GRAPHS[cloud] = neighbour_graph(cloud)
    return _GRAPHS[cloud]


# --- edits, computed off the window's thread -------------------------------------------------------------


def selection_change(
    given: Sequence[Splats], selected: Sequence[marking.Mask], text: str = ""
) -> Change | str:
    """Give each layer the selection (N,) that goes with it; "" when nothing is different."""
    fields = {
        splats.id: {"marks": marking.with_selected(splats.marks, each)}
        for splats, each in zip(given, selected, strict=True)
        if not np.array_equal(each, splats.marks.selected)
    }
    if not fields:
        return ""
    count = sum(int(np.count_nonzero(each)) for each in selected)
    return Change(text or (f"Select {gaussians(count)}" if count else "Select nothing"), fields)


def selected_by(text: str, given: Sequence[Splats], mark: Marking) -> Change | str:
    return selection_change(given, [mark(splats.marks).selected for splats in given], text)


def by_neighbours(
    text: str,
    given: Sequence[Splats],
    step: Callable[[marking.Mask, NeighbourGraph, marking.Mask], marking.Mask],
) -> Change | str:
    if not num_selected(given):
        return NOTHING
    selected = [
        step(splats.marks.selected, graph_of(splats.cloud), splats.marks.is_selectable) for splats in given
    ]
    return selection_change(given, selected, text)


def marked(text: str, given: Sequence[Splats], mark: Marking) -> Change | str:
    return Change(text, {splats.id: {"marks": mark(splats.marks)} for splats in given})


def to_layers(
    verb: str, given: Sequence[Splats], styles: Mapping[str, Mapping[str, Any]], *, is_moved: bool
) -> Change | str:
    """The selected Gaussians of each layer as a new one; gone from the old one when they are moved."""
    chosen = [splats for splats in given if splats.marks.selected.any()]
    if not chosen:
        return NOTHING
    added = tuple(
        new_layer(
            f"{splats.name} {'part' if is_moved else 'copy'}",
            splats.cloud.subset(splats.marks.selected),
            style=styles.get(splats.id, {}),
        )
        for splats in chosen
    )
    leave = marking.delete_selected if is_moved else marking.select_none
    fields = {splats.id: {"marks": leave(splats.marks)} for splats in chosen}
    return Change(f"{verb} {gaussians(num_selected(chosen))}", fields, added)


def merged_layers(given: Sequence[Splats]) -> Change | str:
    if len(given) < 2:
        return "Select two or more layers of splats to merge."
    kept = [~splats.marks.deleted for splats in given]
    cloud = merged(
        [
            splats.cloud if each.all() else splats.cloud.subset(each)
            for splats, each in zip(given, kept, strict=True)
        ]
    )
    marks = GaussianMarks(
        *(
            np.concatenate([getattr(s.marks, name)[each] for s, each in zip(given, kept, strict=True)])
            for name in GaussianMarks.__dataclass_fields__
        )
    )
    text = f"Merge {number(len(given))} layers"
    layer = new_layer(given[0].name, cloud, marks=marks)
    return Change(text, added=(layer,), removed=frozenset(splats.id for splats in given))


def as_part(given: Sequence[Splats]) -> Change | str:
    chosen = [splats for splats in given if splats.marks.selected.any()]
    if not chosen:
        return NOTHING
    part = max(next_number(splats.cloud) for splats in given)
    fields = {splats.id: {"data": _with_part(splats, part)} for splats in chosen}
    count = gaussians(num_selected(chosen))
    return Change(f"Save part {part}", fields, said=f"Part {part}: {count}.")


def _with_part(splats: Splats, part: int) -> GaussianCloud:
    return assigned(splats.cloud, splats.marks.selected, part)
