"""METHOD romap.edit: change one part by words or by edited images, and nothing else."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.diffusion import PAINTERS
from recon.errors import InputError, SettingsError
from recon.method import Output, Progress, Result, Run, RunContext
from recon.romap import BUILT_IN, EDITED_IMAGES, EditSettings
from recon.romap.edit_figures import Edited, changed_rows, visible_change
from recon.romap.instruction import parse_instruction
from recon.romap.part_names import name_of_part
from recon.romap.strength import apply_in_part
from render.gaussians import GaussianCloud
from render.scene_data import SceneData

Mask = NDArray[np.bool_]
BY_RULES = ("words", "anchors")  # editors that need no network
_NOTHING_TO_SEE = 1 / 255
_SUGGESTIONS = (
    "No visible change. Is it the right part? Is the change stronger than what was there, such as another colour? "
    "Does the part show from outside?"
)


def run(inputs: Mapping[str, SceneData], settings: EditSettings, context: RunContext) -> Run:
    """The cloud with its part changed. Raises InputError, SettingsError."""
    cloud = inputs["cloud"]
    assert isinstance(cloud, GaussianCloud)
    if bool(settings.instruction.strip()) == bool(settings.anchors):
        raise SettingsError(
            "An edit needs an instruction or edited images, one of them.",
            "Say in words what is to change, or give a folder of edited images.",
        )
    _check_editor(settings)
    part = part_mask(cloud, settings.part)
    if settings.anchors or settings.editor not in BY_RULES:
        from recon.romap.edit_by_pictures import edit_by_pictures

        edited = yield from edit_by_pictures(cloud, part, inputs.get("cameras"), settings, context)
    else:
        edited = yield from _by_words(cloud, part, settings, context.seed)
    edited = replace(edited, cloud=_with_origin(cloud, edited.cloud, settings, context.seed, edited.figures))
    return Result((Output("Edited splats", edited.cloud),), _figures(cloud, part, edited, settings))


def _check_editor(settings: EditSettings) -> None:
    """Raises SettingsError where the editor cannot do with what is given."""
    if settings.editor == "anchors" and not settings.anchors:
        raise SettingsError("There are no edited images.", "Give their folder.")
    if settings.anchors and settings.editor not in BY_RULES:
        raise SettingsError(
            "Edited images and a network are both asked for.",
            "Leave out the folder, or choose the built-in effects as the editor.",
        )
    if settings.sds > 0 and settings.editor != "slamp":
        raise SettingsError(
            "Score distillation needs Stable Diffusion 3.",
            "Choose the editor “slamp”, or no score distillation.",
        )


def _with_origin(
    before: GaussianCloud, after: GaussianCloud, settings: EditSettings, seed: int, figures: Mapping[str, Any]
) -> GaussianCloud:
    """The cloud with a line about this edit among its comments, which files keep."""
    name = name_of_part(before, settings.part)
    of_part = f"part {settings.part}" + (f" ({name})" if name else "")
    wish = f'"{settings.instruction.strip()}"' if settings.instruction.strip() else "edited images"
    model = f" {figures['model']}, sha256 {figures['model_hash']}" if figures.get("model_hash") else ""
    strength = f", strength {settings.strength:g}" if settings.strength < 1 else ""
    line = f"edit of {of_part}: {wish}{strength}, seed {seed}; {_editor(settings)}{model}"
    return replace(after, comments=(*before.comments, line))


def _editor(settings: EditSettings) -> str:
    """Who made the edit, told honestly."""
    if settings.anchors:
        return EDITED_IMAGES
    return BUILT_IN if settings.editor in BY_RULES else PAINTERS[settings.editor].label


def part_mask(cloud: GaussianCloud, number: int) -> Mask:
    """(N,) Gaussians of a part by its number. Raises InputError: no such column or part."""
    column = cloud.extra.get("part")
    if column is None or column.ndim != 1:
        raise InputError("The splats have no parts yet.", "Find parts first (romap.part).")
    mask: Mask = column == number
    if not mask.any():
        there = sorted(int(each) for each in np.unique(column) if each >= 0)
        known = ", ".join(map(str, there)) or "none"
        which = "Say which part to edit" if number < 0 else f"Part {number} has no splats"
        raise InputError(f"{which}.", f"There are these parts: {known}.")
    return mask


def _by_words(
    cloud: GaussianCloud, part: Mask, settings: EditSettings, seed: int
) -> Generator[Progress, None, Edited]:
    wish = parse_instruction(settings.instruction, name_of_part(cloud, settings.part))
    yield Progress(1, 1, "Changing the part")
    changed = apply_in_part(cloud, part, wish.changes, seed, settings.strength)
    notes = changed.notes
    if wish.unknown:
        words = ", ".join(f"“{word}”" for word in wish.unknown)
        notes = (*notes, f"Not understood and left out: {words}.")
    told = [type(change).__name__.lower() for change in wish.changes]
    return Edited(changed.cloud, changed.rows, notes, {"changes": ", ".join(told), "target": wish.target})


def _figures(before: GaussianCloud, part: Mask, edited: Edited, settings: EditSettings) -> dict[str, Any]:
    """What changed, and the proof that nothing else did."""
    inside, outside = changed_rows(before, edited.cloud, edited.rows, part)
    figures: dict[str, Any] = {
        "part": settings.part,
        "editor": _editor(settings),
        "gaussians": len(edited.cloud),
        "changed": inside,
        "changed_outside": outside,
        "added": int((edited.rows < 0).sum()),
        "removed": len(before) - int((edited.rows >= 0).sum()),
        **edited.figures,
    }
    if outside:
        raise AssertionError(f"{outside} Gaussians outside the part changed")
    figures["visible_change"] = visible_change(before, edited.cloud)
    notes = list(edited.notes)
    if figures["visible_change"] < _NOTHING_TO_SEE:
        notes.append(_SUGGESTIONS)
    return {**figures, "notes": notes}
