"""Layers that are editions of one another: a version, those that were made from it, and the one that waits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from app.layers import Layer, Missing, Origin, new_layer
from render.gaussians import GaussianCloud, GaussianMarks
from render.scene_data import SceneData

_NUMBERED = re.compile(r"^(?P<name>.*?) v(?P<number>\d+)$")
Layers = Sequence[Layer]


def base_of(layers: Layers, layer: Layer) -> Layer | None:
    """What a layer is another edition of; None where that is gone, or there never was one."""
    return next((each for each in layers if each.id == layer.version_of), None) if layer.version_of else None


def root_of(layers: Layers, layer: Layer) -> Layer:
    """The first of the versions that a layer belongs to."""
    seen = {layer.id}
    base = base_of(layers, layer)
    while base is not None and base.id not in seen:
        seen.add(base.id)
        layer, base = base, base_of(layers, base)
    return layer


def family_of(layers: Layers, layer: Layer) -> tuple[Layer, ...]:
    """Every version from the same root, in the project's order; the layer alone where it has none."""
    root = root_of(layers, layer)
    return tuple(each for each in layers if root_of(layers, each).id == root.id)


def made_from(layers: Layers, layer: Layer) -> tuple[Layer, ...]:
    """A version and all that were made from it, one after another."""
    found = [layer]
    for each in found:
        found += [x for x in layers if x.version_of == each.id and x not in found]
    return tuple(found)


def are_alike(a: Layer, b: Layer) -> bool:
    """Whether one can stand in the place of the other: a photo scene and what a method makes of it cannot."""
    return type(a.data) is type(b.data) or isinstance(a.data, Missing) or isinstance(b.data, Missing)


def current_of(family: Layers, shown: str, hidden: frozenset[str]) -> Layer:
    """The version that stands for its family in lists. shown: id of the one that the person chose last.

    Else the one under an edit that waits, the visible one, or the newest."""
    versions = [layer for layer in family if not layer.is_pending] or list(family)
    waiting = [layer.version_of for layer in family if layer.is_pending]
    visible = [layer.id for layer in versions if layer.id not in hidden]
    for wanted in (shown, *waiting[-1:], *visible[-1:], versions[-1].id):
        found = next((layer for layer in versions if layer.id == wanted), None)
        if found is not None:
            return found
    return versions[-1]


def next_name(layers: Layers, base: Layer) -> str:
    """What the next version is called: “Biker v2” after “Biker”."""
    family = family_of(layers, base)
    root = root_of(layers, base)
    match = _NUMBERED.match(root.name)
    name = match["name"] if match else root.name
    numbers = [int(found["number"]) for each in family if (found := _NUMBERED.match(each.name))]
    return f"{name} v{max([1, *numbers]) + 1}"


def pending_layer(base: Layer, name: str, data: SceneData, origin: Origin, style: Mapping[str, Any]) -> Layer:
    """What waits beside a layer to be accepted in its place; it looks as that does."""
    shown = dict(base.style) if isinstance(data, type(base.data)) else dict(style)
    marks = _carried_marks(base, data, int(origin.settings.get("part", -1)))
    return replace(
        new_layer(name, data, style=shown, origin=origin, marks=marks),
        version_of=base.id,
        is_pending=True,
        extra=_carried_notes(base) if isinstance(data, type(base.data)) else {},
    )


def with_pending(layers: Layers, pending: Layer) -> list[Layer]:
    """The layers with one that waits, after all its family, in place of another that waited there."""
    kept = [x for x in layers if not (x.is_pending and x.version_of == pending.version_of)]
    base = next((x for x in kept if x.id == pending.version_of), None)
    family = () if base is None else family_of(kept, base)
    place = max((i for i, x in enumerate(kept) if x in family), default=len(kept) - 1)
    return [*kept[: place + 1], pending, *kept[place + 1 :]]


def accepted(layers: Layers, pending: Layer) -> list[Layer]:
    """The layers with what waited as a version of its own."""
    base = base_of(layers, pending)
    name = next_name(layers, base) if base is not None else pending.name
    done = replace(pending, is_pending=False, name=name)
    return [done if layer.id == pending.id else layer for layer in layers]


def without(layers: Layers, gone: Layers) -> list[Layer]:
    """The layers without some; what was made from these counts as made from what they were made from."""
    parents = {layer.id: layer.version_of for layer in gone}

    def kept_parent(parent: str) -> str:
        while parent in parents:
            parent = parents[parent]
        return parent

    kept = [layer for layer in layers if layer.id not in parents]
    return [replace(x, version_of=kept_parent(x.version_of)) if x.version_of in parents else x for x in kept]


def without_branch(layers: Layers, layer: Layer) -> list[Layer]:
    """The layers without a version and all that were made from it."""
    gone = {each.id for each in made_from(layers, layer)}
    return [each for each in layers if each.id not in gone]


def _carried_notes(base: Layer) -> Mapping[str, Any]:
    """What else is kept with a layer, such as the strokes its parts were found from; but for where its pictures are."""
    return {key: value for key, value in base.extra.items() if key != "images"}


def _carried_marks(base: Layer, data: SceneData, part: int) -> GaussianMarks | None:
    """What is hidden and locked among Gaussians that an edit kept in their order; nothing is selected."""
    marks, content = base.marks, base.content
    if marks is None or not isinstance(content, GaussianCloud) or not isinstance(data, GaussianCloud):
        return None
    kept = ~marks.deleted
    if len(data) != len(content):
        column = content.extra.get("part")
        rest = None if column is None or column.ndim != 1 else column != part
        if rest is None or int(np.count_nonzero(rest)) != len(data):
            return None  # Splats were added or taken away: which is which is not known.
        kept[np.flatnonzero(kept)[~rest]] = False
    nothing = np.zeros(len(data), np.bool_)
    carried = GaussianMarks(nothing, marks.hidden[kept], marks.locked[kept], nothing)
    return carried if carried.hidden.any() or carried.locked.any() else None
