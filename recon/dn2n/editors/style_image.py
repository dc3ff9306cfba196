"""All views in the colours of a picture that a person chose: one table of colours for the whole scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors import EditorWishes
from recon.dn2n.editors.appearance import mixed
from recon.dn2n.editors.color_transport import color_table, mapped
from recon.dn2n.editors.editor import EditPlan, SceneView
from recon.dn2n.editors.pictures import read_picture
from recon.dn2n.editors.procedural import ProceduralEditor
from recon.errors import InputError

Float = NDArray[np.float32]

LABEL = "Colours of a picture (rule-based, not AI)"
_LONGEST = 512  # pixels of the style picture
_SAMPLES = 4000  # pixels of a view
_FEWEST = 64  # pixels of the style picture
_PLAIN = 0.02  # standard deviation of a channel, below which it is one colour


class StyleImageEditor:
    """Colour transfer by optimal transport on the pooled pixels of all views; a prompt may add effects of the built-in
    editor behind it ("an oil painting")."""

    plan: EditPlan

    def __init__(self, wishes: EditorWishes) -> None:
        if wishes.style is None:
            raise InputError(
                "No style picture was given.", "Choose a picture whose colours the scene should have."
            )
        rgb, alpha = read_picture(wishes.style, _LONGEST)
        self._goal = rgb[alpha > 0.5]
        _check_goal(wishes.style.name, rgb.shape[:2], self._goal)
        self._strength = wishes.strength
        self._effects = ProceduralEditor(wishes) if wishes.prompt.strip() else None
        self._table: Float | None = None
        self._plan_for(wishes)

    def _plan_for(self, wishes: EditorWishes) -> None:
        assert wishes.style is not None
        colors = f"colours of {wishes.style.name}"
        if self._effects is None:
            self.plan = EditPlan(wishes.prompt, LABEL, (colors,), consistency="world")
            return
        more = self._effects.plan
        self.plan = EditPlan(
            wishes.prompt,
            LABEL,
            (colors, *more.operations),
            more.unknown,
            more.targets,
            more.consistency,
            more.notes,
        )

    def prepare(self, views: Sequence[SceneView], seed: int) -> None:
        """Learn where each colour goes from pixels of all views, those within masks where there are any."""
        generator = np.random.default_rng(seed)
        pooled = [_drawn(view, generator) for view in views]
        source = np.concatenate([colors for colors in pooled if len(colors)] or [views[0].rgb.reshape(-1, 3)])
        self._table = color_table(source, self._goal, seed)
        if self._effects is not None:
            self._effects.prepare(views, seed)
            told = self._effects.plan
            self.plan = replace(self.plan, notes=told.notes, consistency=told.consistency)

    def edit(self, view: SceneView, seed: int) -> NDArray[np.float32]:
        """(H, W, 3) in the picture's colours; where the mask is 0 exactly as it was."""
        if self._table is None:
            self.prepare([view], seed)
        assert self._table is not None
        share = view.mask * np.float32(self._strength)
        moved = np.clip(mixed(view.rgb, mapped(view.rgb, self._table), share), 0, 1)
        rgb = np.where(share[..., None] > 0, moved, view.rgb).astype(np.float32)
        if self._effects is None:
            return rgb
        return self._effects.edit(replace(view, rgb=rgb), seed)

    def close(self) -> None:
        """Forget the scene."""
        self._table = None
        if self._effects is not None:
            self._effects.close()


def _check_goal(name: str, size: tuple[int, ...], colors: Float) -> None:
    """Raises InputError where a picture has no colours to give."""
    height, width = size
    if height * width < _FEWEST:
        raise InputError(
            f"{name} is only {width} × {height} pixels.", "Choose a picture of 16 × 16 pixels or more."
        )
    if len(colors) < _FEWEST:
        raise InputError(f"{name} is transparent.", "Choose a picture with colours.")
    if float(colors.std(0).max()) < _PLAIN:
        raise InputError(
            f"{name} shows one colour only, under which nothing of the scene would be seen.",
            "Choose a picture with light and dark, or name the colour in words with the built-in effects.",
        )


def _drawn(view: SceneView, generator: np.random.Generator) -> Float:
    inside = view.rgb[view.mask > 0.5]
    return inside[generator.integers(0, len(inside), _SAMPLES)] if len(inside) else inside
