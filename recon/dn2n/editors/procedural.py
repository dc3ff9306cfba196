"""The built-in effects: a prompt's operations on views, anchored in the world so that all views get the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors import EditorWishes, appearance
from recon.dn2n.editors.appearance import Picture, mixed
from recon.dn2n.editors.editor import EditPlan, SceneView
from recon.dn2n.editors.materials import LOOKS, covered, glossy
from recon.dn2n.editors.operations import Operation
from recon.dn2n.editors.places import Placement, placed, share_of, within
from recon.dn2n.editors.prompt import parse_prompt
from recon.dn2n.editors.scene_frame import SceneFrame, frame_of
from recon.dn2n.editors.seasons import SEASON_LAYERS, SEASONS
from recon.dn2n.editors.styles import STYLE_LAYERS, STYLES
from recon.dn2n.editors.surfels import Surfels, pooled_surfels
from recon.dn2n.editors.weather import NEED_SURFELS, WEATHER, by_night
from recon.dn2n.editors.worksheet import BASE, Worksheet

_POINTWISE: Mapping[str, Callable[[Picture], Picture]] = {
    name: getattr(appearance, name)
    for name in (
        "sunset", "dawn", "dusk", "overcast", "sunny", "warm", "cold", "bright", "dark", "faded",
        "flat", "summer", "sepia", "mono", "negative",
    )
}  # fmt: skip
_ON_SHARED: Mapping[str, Callable[[Picture], Picture]] = {
    "contrast": lambda rgb: appearance.s_curve(rgb, 0.9),
    "poster": appearance.poster,
    "vivid": appearance.vivid,
}
_GRAIN_KEPT = {"contrast": 1.0, "poster": 0.25, "vivid": 1.0}


class ProceduralEditor:
    """Edits by rules, without a network; see EFFECTS for what it can do."""

    plan: EditPlan

    def __init__(self, wishes: EditorWishes) -> None:
        self._prompt = parse_prompt(wishes.prompt)
        self._strength = wishes.strength
        self._operations = self._prompt.operations
        self._frames: dict[str, SceneFrame] = {}
        self._surfels: dict[float, Surfels] = {}
        self.plan = self._prompt.plan

    def prepare(self, views: Sequence[SceneView], seed: int) -> None:
        """Learn from the views how large and how light the scene and its targets are, and what of it is known.

        Raises InputError where nothing says where things are that are to look differently."""
        placement = placed(self._prompt, views)
        self._operations = placement.operations
        targets = {"", *(each.target for each in self._operations)}
        self._frames = {
            target: frame_of([within(view, target) for view in views]) for target in sorted(targets)
        }
        self._surfels, frame = {}, self._frames[""]
        if frame.has_depth:
            layers = [_layers(operation) for operation in self._operations]
            fractions = sorted({size for sizes in layers for size in sizes})
            self._surfels = pooled_surfels(views, frame, fractions, seed)
        self.plan = _told(self._prompt.plan, placement, frame)

    def edit(self, view: SceneView, seed: int) -> NDArray[np.float32]:
        """(H, W, 3) the edited picture; where the mask is 0 exactly as it was."""
        if not self._frames:
            self.prepare([view], seed)
        if not (self._strength and view.mask.any()):
            return view.rgb.copy()
        rgb, sheets = view.rgb, dict[str, Worksheet]()
        for operation in self._operations:
            target, share = operation.target, share_of(operation, self._prompt.spared, view)
            if share is not None and not share.any():
                continue
            if target not in sheets:
                sheets[target] = Worksheet(view, self._frames[target], self._surfels, seed)
            edited = _applied(operation, rgb, sheets[target])
            rgb = edited if share is None else mixed(rgb, edited, share)
        return self._within_mask(view, rgb)

    def _within_mask(self, view: SceneView, rgb: Picture) -> Picture:
        """Masks by name have been heeded already."""
        share = (view.mask > 0).astype(np.float32) if view.named else view.mask
        edited = np.clip(mixed(view.rgb, rgb, share * np.float32(self._strength)), 0, 1)
        return np.asarray(np.where(share[..., None] > 0, edited, view.rgb), np.float32)

    def close(self) -> None:
        """Forget the scene."""
        self._frames, self._surfels = {}, {}


def _layers(operation: Operation) -> tuple[float, ...]:
    """Sizes of surfels that an operation draws with."""
    kind = operation.effect.kind
    if kind == "style":
        return STYLE_LAYERS[operation.name]
    if kind == "season":
        return SEASON_LAYERS[operation.name]
    return (BASE,) if kind in ("material", "finish") or operation.name in {*NEED_SURFELS, *_ON_SHARED} else ()


def _applied(operation: Operation, rgb: Picture, sheet: Worksheet) -> Picture:
    """One operation, as strong as it is asked for."""
    amount = operation.amount
    if operation.effect.kind == "weather":
        return WEATHER[operation.name](rgb, sheet, amount)
    edited = _changed(operation, rgb, sheet)
    return np.clip(mixed(rgb, edited, float(amount)), 0, 1)


def _changed(operation: Operation, rgb: Picture, sheet: Worksheet) -> Picture:
    if operation.name == "tint" and operation.color is not None:
        return appearance.tinted(rgb, operation.color, sheet.frame.mean_light)
    if operation.name == "colored light" and operation.color is not None:
        return appearance.colored_light(rgb, operation.color)
    if operation.name == "night":
        return by_night(rgb, sheet)
    if operation.name == "tinge" and operation.color is not None:
        return appearance.tinged(rgb, operation.color)
    if operation.name == "gloss":
        return glossy(rgb, sheet)
    if operation.name in LOOKS:
        return covered(rgb, sheet, operation.name, operation.color)
    if operation.name in STYLES:
        return STYLES[operation.name](rgb, sheet)
    if operation.name in SEASONS:
        return SEASONS[operation.name](rgb, sheet)
    if operation.name in _ON_SHARED:
        return _on_shared(operation.name, rgb, sheet)
    return _POINTWISE[operation.name](rgb)


def _on_shared(name: str, rgb: Picture, sheet: Worksheet) -> Picture:
    """A map that would enlarge the views' differences, of what all views see together; grain is added back as it was."""
    shared = sheet.pooled_colors
    return np.asarray(_ON_SHARED[name](shared) + _GRAIN_KEPT[name] * (rgb - shared), np.float32)


def _told(plan: EditPlan, placement: Placement, frame: SceneFrame) -> EditPlan:
    """The plan with what the views say about it: masks and depth."""
    notes, left = [*plan.notes, *placement.notes], placement.operations
    told = replace(plan, operations=tuple(each.phrase for each in left))
    if not frame.has_depth and any(each.effect.needs_depth for each in left):
        notes.append(
            "Depth is not known, so patterns and weather follow each picture and differ from view to view."
        )
        return replace(told, notes=tuple(notes), consistency="screen")
    return replace(told, notes=tuple(notes))
