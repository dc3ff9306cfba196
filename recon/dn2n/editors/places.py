"""Where each effect of a prompt goes: masks of things by name, one mask for all, or the whole scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors.editor import SceneView
from recon.dn2n.editors.operations import Operation
from recon.dn2n.editors.prompt import Prompt
from recon.dn2n.editors.target_names import masks_called, unnamed
from recon.errors import InputError

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Placement:
    """operations: those that there is a place for. notes: what a person should know."""

    operations: tuple[Operation, ...]
    notes: tuple[str, ...]


def placed(prompt: Prompt, views: Sequence[SceneView]) -> Placement:
    """Which effects can go where they are wanted. Raises InputError where things of several names are to look
    differently, and nothing says where each is, or no mask has the name of any."""
    names = sorted({name for view in views for name in view.named})
    if names:
        return _by_names(prompt, names)
    targets = list(dict.fromkeys(each.target for each in prompt.operations if each.target))
    if len(targets) > 1:
        raise InputError(
            f"The prompt changes {_listed(targets)}, and nothing says where each of them is.",
            "Give a folder of masks with a folder for each by its name, or change one after the other, each within its "
            "mask or part.",
        )
    has_mask = any((view.mask < 0.5).any() for view in views)
    if has_mask:
        return Placement(prompt.operations, ())
    notes = []
    if targets:
        notes.append(f"No mask or part says where {_listed(targets)} is, so the whole scene is changed.")
    if prompt.spared:
        notes.append(f"No mask says where {_listed(prompt.spared)} is, so it is changed too.")
    return Placement(prompt.operations, tuple(notes))


def _by_names(prompt: Prompt, names: Sequence[str]) -> Placement:
    known = {name: np.zeros(1, np.float32) for name in names}
    kept = [
        each for each in prompt.operations if not each.target or masks_called(each.target, known) is not None
    ]
    missing = [name for target in (*prompt.targets, *prompt.spared) for name in unnamed(target, known)]
    if not kept:
        raise InputError(
            f"No mask is called {_listed(missing)}.",
            f"The folder of masks has {_listed(names)}: use these names.",
        )
    gone = [each.phrase for each in prompt.operations if each not in kept]
    notes = [f"No mask is called {_listed(missing)}; there are {_listed(names)}."] if missing else []
    notes += [f"Left out: {', '.join(gone)}."] if gone else []
    return Placement(tuple(kept), tuple(notes))


def share_of(operation: Operation, spared: Sequence[str], view: SceneView) -> Float | None:
    """(H, W) how much of each pixel an effect is for; None for all of the view's own mask."""
    if not view.named:
        return None
    own = masks_called(operation.target, view.named) if operation.target else None
    share = np.ones_like(view.mask) if own is None else own
    for name in spared:
        left = masks_called(name, view.named)
        share = share if left is None else np.asarray(share * (1 - left), np.float32)
    return share


def within(view: SceneView, target: str) -> SceneView:
    """The view with the mask of what a word means, where there is one."""
    own = masks_called(target, view.named) if target and view.named else None
    return view if own is None else replace(view, mask=own)


def _listed(names: Sequence[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + f" and {quoted[-1]}"
