"""The built-in effects: a prompt's operations on views, anchored in the world so that all views get the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors import EditorWishes, appearance
from recon.dn2n.editors.appearance import Picture, mixed
from recon.dn2n.editors.editor import EditPlan, SceneView
from recon.dn2n.editors.operations import Operation
from recon.dn2n.editors.prompt import parse_prompt
from recon.dn2n.editors.scene_frame import SceneFrame, frame_of
from recon.dn2n.editors.weather import WEATHER
from recon.dn2n.editors.worksheet import Worksheet

_POINTWISE: Mapping[str, Callable[[Picture], Picture]] = {
    name: getattr(appearance, name)
    for name in (
        "sunset", "dawn", "dusk", "night", "overcast", "sunny", "warm", "cold", "bright", "dark", "vivid", "faded",
        "contrast", "flat", "summer", "sepia", "mono", "negative", "poster",
    )
}  # fmt: skip


class ProceduralEditor:
    """Edits by rules, without a network; see EFFECTS for what it can do."""

    plan: EditPlan

    def __init__(self, wishes: EditorWishes) -> None:
        self._prompt = parse_prompt(wishes.prompt)
        self._strength = wishes.strength
        self._frame: SceneFrame | None = None
        self.plan = self._prompt.plan

    def prepare(self, views: Sequence[SceneView], seed: int) -> None:
        """Learn from the views how large and how light the scene is, and what of it is known."""
        self._frame = frame_of(views)
        self.plan = _told(self._prompt.plan, self._prompt.operations, self._frame)

    def edit(self, view: SceneView, seed: int) -> NDArray[np.float32]:
        """(H, W, 3) the edited picture; where the mask is 0 exactly as it was."""
        if self._frame is None:
            self.prepare([view], seed)
        assert self._frame is not None
        share = view.mask * np.float32(self._strength)
        if not share.any():
            return view.rgb.copy()
        sheet = Worksheet(view, self._frame, seed)
        rgb = view.rgb
        for operation in self._prompt.operations:
            rgb = _applied(operation, rgb, sheet)
        edited = np.clip(mixed(view.rgb, rgb, share), 0, 1)
        return np.asarray(np.where(share[..., None] > 0, edited, view.rgb), np.float32)

    def close(self) -> None:
        """Nothing is held but a few numbers."""
        self._frame = None


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
    return _POINTWISE[operation.name](rgb)


def _told(plan: EditPlan, operations: Sequence[Operation], frame: SceneFrame) -> EditPlan:
    """The plan with what the views say about it: masks and depth."""
    notes = list(plan.notes)
    if plan.targets and not frame.has_mask:
        names = " and ".join(f"“{name}”" for name in plan.targets)
        notes.append(f"No mask or part says where {names} is, so the whole scene is changed.")
    if not frame.has_depth and any(each.effect.needs_depth for each in operations):
        notes.append("Depth is not known, so patterns and weather follow each picture and differ from view to view.")
        return replace(plan, notes=tuple(notes), consistency="screen")
    return replace(plan, notes=tuple(notes))
