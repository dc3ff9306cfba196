"""What an edit by words would change now: the chosen part, what is selected, or a whole scene."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.data_words import counted, number
from app.layers import Layer
from app.versions import base_of
from app.workflows import TEXT
from recon.method import Method
from recon.romap.part_table import NO_PART, part_numbers
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.view_field import ViewField

if TYPE_CHECKING:
    from app.main_window import MainWindow

SELECTED = "Selected splats"
BEFORE = "before"  # the slot of a method for the version that an edit goes on from
_CHOOSE = "Choose a part under “Parts”, or select splats with the tools beside the picture."
_FIRST_DECIDE = "Accept or reject the edit that waits first."
_SCENES: dict[str, type] = {"posed_images": PosedImages, "view_field": ViewField}


@dataclass(frozen=True)
class EditTarget:
    """What an edit would change. part: its number, NO_PART for the splats that are selected or for a whole scene.
    problem: why it cannot be changed now."""

    method: Method
    layer: Layer
    title: str
    note: str = ""
    icon: str = "layer-splats"
    part: int = NO_PART
    part_name: str = ""
    problem: str = ""

    @property
    def is_scene(self) -> bool:
        return self.method.id != "romap.edit"

    @property
    def is_selection(self) -> bool:
        """Whether it is what is selected, of which a part is made first."""
        return self.title == SELECTED


def find_target(window: MainWindow, methods: Iterable[Method]) -> EditTarget | None:
    """A whole scene where one is selected in the list, else a part of the splats; None without either."""
    methods = tuple(methods)
    scene = _scene(window)
    method = None if scene is None else _method_for_scene(scene, methods)
    if scene is not None and method is not None:
        scene = _settled(window, scene)
        return EditTarget(method, scene, "Whole scene", scene.name, "layer-cameras")
    method = next((each for each in methods if each.id == "romap.edit"), None)
    layer = next(iter(window.splats.layers), None)
    if method is None or layer is None or not isinstance(layer.data, GaussianCloud):
        return None
    return _of_splats(window, method, _settled(window, layer), layer)


def _scene(window: MainWindow) -> Layer | None:
    """The scene that is selected; where nothing is, and scenes are what the window is set up for, the newest."""
    offered = window.scene.selected
    if not offered and window.workflows.current == TEXT:
        offered = window.project.layers[::-1]
    return next((x for x in offered if isinstance(x.data, PosedImages | ViewField)), None)


def _of_splats(window: MainWindow, method: Method, layer: Layer, seen: Layer) -> EditTarget:
    """layer: what would be changed. seen: what is selected in the list, which may be an edit of it that waits."""
    current = window.parts.current
    if current is not None:
        return _of_part(window, method, layer, current[1], current[2])
    selected = 0 if seen.marks is None else int(np.count_nonzero(seen.marks.selected))
    if selected:
        problem = "" if layer is seen else _FIRST_DECIDE
        return EditTarget(method, layer, SELECTED, number(selected), problem=problem)
    return EditTarget(method, layer, "No part chosen", layer.name, problem=_CHOOSE)


def _of_part(window: MainWindow, method: Method, layer: Layer, part: int, title: str) -> EditTarget:
    found = next((each for each in window.parts.parts if each.number == part), None)
    count, name = (0, "") if found is None else (found.count, found.name)
    problem = "" if count else f"“{title}” has no splats yet."
    if count and not _has_part(layer, part):
        problem = _FIRST_DECIDE
    shown = title if title.startswith("Part ") else f"Part: {title}"
    return EditTarget(
        method, layer, shown, counted(count, "splat"), part=part, part_name=name, problem=problem
    )


def _method_for_scene(layer: Layer, methods: Iterable[Method]) -> Method | None:
    """The method that edits such a scene."""
    slots = ((m, slot) for m in methods for slot in m.inputs if slot.name in (m.edits, BEFORE))
    return next((m for m, slot in slots if isinstance(layer.data, _SCENES.get(slot.kind, ()))), None)


def _settled(window: MainWindow, layer: Layer) -> Layer:
    """What an edit that waits was made from: the next try begins there, too."""
    base = base_of(window.project.layers, layer) if layer.is_pending else None
    return layer if base is None else base


def _has_part(layer: Layer, part: int) -> bool:
    data = layer.data
    return isinstance(data, GaussianCloud) and bool((part_numbers(data) == part).any())
