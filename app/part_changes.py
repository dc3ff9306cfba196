"""Edits of the parts of a layer of splats as pure functions; computed off the window's thread, pushed as one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from app.data_words import counted
from app.layers import Layer
from app.part_strokes import extra_with, merged_strokes, views_in, without_parts
from app.splat_changes import graph_of
from app.splat_edits import Change, Splats
from recon.gaussian_neighbours import NeighbourGraph
from recon.gaussian_selection import Mask
from recon.romap import part_table as table
from recon.romap.part_table import BY_HAND, NO_PART
from render.gaussians import GaussianCloud

Step = Callable[[Mask, NeighbourGraph, Mask], Mask]


def splats(count: int) -> str:
    """ "1 splat", "1 240 splats"."""
    return counted(count, "splat")


def mask_of(given: Splats, number: int) -> Mask:
    """(N,) the splats of a part that were not deleted."""
    found: Mask = (table.part_numbers(given.cloud) == number) & ~given.marks.deleted
    return found


def title_of(cloud: GaussianCloud, number: int) -> str:
    """What a part is called."""
    return table.Part(number, table.names_of(cloud).get(number, ""), 0).title


def new_part(given: Splats, number: int, name: str) -> Change:
    """A part of the selected splats, or an empty one when none is selected."""
    chosen = given.marks.selected
    cloud = table.renamed(given.cloud, number, name)
    count = int(np.count_nonzero(chosen))
    if not count:
        return Change(f"Make “{name}”", {given.id: {"data": cloud}})
    fields = {"data": table.assigned(cloud, chosen, number), "marks": _unselected(given)}
    return Change(f"Make “{name}” of {splats(count)}", {given.id: fields})


def added(given: Splats, number: int) -> Change | str:
    """The selected splats belong to a part."""
    chosen = given.marks.selected & (table.part_numbers(given.cloud) != number)
    count = int(np.count_nonzero(chosen))
    if not count:
        return "All selected splats belong to it already." if given.marks.selected.any() else NOTHING
    fields = {"data": table.assigned(given.cloud, chosen, number), "marks": _unselected(given)}
    return Change(f"Add {splats(count)} to “{title_of(given.cloud, number)}”", {given.id: fields})


def taken_out(given: Splats, number: int) -> Change | str:
    """The selected splats belong to a part no more, or to none at all."""
    chosen = given.marks.selected & mask_of(given, number)
    count = int(np.count_nonzero(chosen))
    if not count:
        return "No selected splat belongs to it." if given.marks.selected.any() else NOTHING
    fields = {"data": table.assigned(given.cloud, chosen, NO_PART), "marks": _unselected(given)}
    return Change(f"Take {splats(count)} out of “{title_of(given.cloud, number)}”", {given.id: fields})


def resized(given: Splats, number: int, verb: str, step: Step) -> Change | str:
    """A part and its neighbours, or without its rim. Locked splats stay what they are."""
    before = mask_of(given, number)
    free = ~(given.marks.locked | given.marks.deleted)
    after = step(before, graph_of(given.cloud), free)
    changed = (after != before) & free
    name = title_of(given.cloud, number)
    if not changed.any():
        return f"“{name}” stays as it is: all around it is locked."
    if not after.any():
        return f"Nothing would be left of “{name}”."
    cloud = table.assigned(given.cloud, changed & after, number)
    cloud = table.assigned(cloud, changed & before, NO_PART)
    return Change(f"{verb} “{name}”", {given.id: {"data": cloud}})


def merged(given: Splats, numbers: Sequence[int], into: int) -> Change:
    """Several parts become one, and so do their strokes."""
    cloud = table.merged_parts(given.cloud, numbers, into)
    name = title_of(given.cloud, into)

    def with_strokes(layer: Layer) -> Layer:
        views = merged_strokes(views_in(layer.extra), numbers, into)
        return replace(layer, extra=extra_with(layer.extra, views))

    text = f"Make one part, “{name}”, of {len(numbers)}"
    return Change(text, {given.id: {"data": cloud}}, finish=with_strokes)


def deleted(given: Splats, numbers: Sequence[int]) -> Change:
    """Parts are forgotten, with their strokes; their splats stay."""
    cloud = given.cloud
    for number in numbers:
        cloud = table.without_part(cloud, number)
    first = title_of(given.cloud, numbers[0])
    what = f"“{first}”" if len(numbers) == 1 else f"{len(numbers)} parts"

    def without_strokes(layer: Layer) -> Layer:
        views = without_parts(views_in(layer.extra), numbers)
        return replace(layer, extra=extra_with(layer.extra, views))

    return Change(f"Delete {what}", {given.id: {"data": cloud}}, finish=without_strokes)


def renamed(given: Splats, number: int, name: str) -> Change | str:
    before = title_of(given.cloud, number)
    others = {key: title for key, title in table.names_of(given.cloud).items() if key != number}
    if name in others.values():
        return f"There is a part “{name}” already."
    return Change(f"Rename “{before}”", {given.id: {"data": table.renamed(given.cloud, number, name)}})


def selected(given: Splats, number: int) -> Change | str:
    """The splats of a part are selected, as far as they can be."""
    chosen = mask_of(given, number) & given.marks.is_selectable
    if np.array_equal(chosen, given.marks.selected):
        return ""
    text = f"Select “{title_of(given.cloud, number)}”"
    return Change(text, {given.id: {"marks": replace(given.marks, selected=chosen)}}, merge_key="select part")


def hidden(given: Splats, number: int, is_hidden: bool) -> Change:
    """The splats of a part are hidden, or shown."""
    mask, marks = mask_of(given, number), given.marks
    changed = replace(
        marks,
        hidden=marks.hidden | mask if is_hidden else marks.hidden & ~mask,
        selected=marks.selected & ~mask if is_hidden else marks.selected,
    )
    verb = "Hide" if is_hidden else "Show"
    return Change(f"{verb} “{title_of(given.cloud, number)}”", {given.id: {"marks": changed}})


def locked(given: Splats, number: int, is_locked: bool) -> Change:
    """Nothing changes the splats of a part, or anything may again."""
    mask, marks = mask_of(given, number), given.marks
    changed = replace(
        marks,
        locked=marks.locked | mask if is_locked else marks.locked & ~mask,
        selected=marks.selected & ~mask if is_locked else marks.selected,
    )
    verb = "Lock" if is_locked else "Unlock"
    return Change(f"{verb} “{title_of(given.cloud, number)}”", {given.id: {"marks": changed}})


def sure_mask(given: Splats, number: int, least: float, probability: np.ndarray | None) -> Mask:
    """(N,) what of a part, and, where it is known how likely others are, of no part, is sure enough to belong to it.

    probability: (N,) of this part, for every splat; None: only how sure its own splats are is known. What was said by
    hand stays."""
    mask = mask_of(given, number)
    sure = table.part_confidence(given.cloud)
    if sure is None:
        return mask
    by_hand = sure >= BY_HAND
    free = ~(given.marks.locked | given.marks.deleted)
    value = sure if probability is None else np.where(by_hand, sure, probability)
    found = mask & ((value >= least) | by_hand)
    if probability is not None:
        is_nobody = (table.part_numbers(given.cloud) == NO_PART) & ~by_hand
        found |= is_nobody & free & (probability >= least)
    found |= mask & ~free
    return np.asarray(found, bool)


def kept_sure(given: Splats, number: int, least: float, probability: np.ndarray | None) -> Change | str:
    """A part of what is sure enough to belong to it."""
    before, after = mask_of(given, number), sure_mask(given, number, least, probability)
    name = title_of(given.cloud, number)
    if not after.any():
        return f"Nothing of “{name}” is that sure."
    if np.array_equal(before, after):
        return f"“{name}” stays as it is."
    joined = after & ~before
    sure = table.part_confidence(given.cloud)
    assert sure is not None
    of_joined = sure if probability is None else np.minimum(probability, table.MOST_FOUND).astype(np.float32)
    cloud = table.assigned(given.cloud, joined, number, of_joined)
    cloud = table.assigned(cloud, before & ~after, NO_PART, 0.0)
    return Change(f"Keep what is sure of “{name}”", {given.id: {"data": cloud}})


def recolored_style(style: Mapping[str, object], number: int, color: str) -> dict[str, object]:
    """A layer's display values with another colour of a part."""
    pairs = style.get("label_colors") or ()
    assert isinstance(pairs, list | tuple)
    colors = {int(label): str(own) for label, own in pairs}
    return {**style, "label_colors": tuple(sorted({**colors, number: color}.items()))}


def _unselected(given: Splats) -> object:
    return replace(given.marks, selected=np.zeros(len(given.marks), bool))


NOTHING = "No splats are selected."
