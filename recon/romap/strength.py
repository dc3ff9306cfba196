"""How much of a change is made: a share of the way from how a part is to how it would be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recon.romap.apply_changes import Changed, apply_changes
from recon.romap.changes import Adjust, Change, Cover, Delete, Move, Recolor, Rotate, Scale
from render.gaussians import GaussianCloud

Mask = NDArray[np.bool_]


def apply_in_part(
    cloud: GaussianCloud, chosen: Mask, changes: Sequence[Change], seed: int, strength: float
) -> Changed:
    """All changes in their order, each by a share `strength` within 0 and 1. Raises InputError as apply_changes.

    Colours and materials are mixed with what was there; sizes, moves and turns go a part of the way. What is deleted
    is deleted whole.
    """
    if strength >= 1:
        return apply_changes(cloud, chosen, changes, seed)
    rows, notes = np.arange(len(cloud)), list[str]()
    for change in changes:
        step = apply_changes(cloud, chosen, [weakened(change, strength)], seed)
        cloud = (
            _mixed(cloud, step.cloud, chosen, strength) if isinstance(change, Recolor | Cover) else step.cloud
        )
        rows, notes = rows[step.rows], [*notes, *step.notes]
        if isinstance(change, Delete):
            break
    return Changed(cloud, rows, tuple(dict.fromkeys(notes)))


def weakened(change: Change, strength: float) -> Change:
    """A change a part of the way. Colours and materials stay: their result is mixed with what was there."""
    match change:
        case Adjust():
            return Adjust(*(1 + strength * (value - 1) for value in _factors(change)))
        case Scale():
            return Scale(change.factor**strength)
        case Move():
            return replace(change, amount=change.amount * strength)
        case Rotate():
            return replace(change, degrees=change.degrees * strength)
        case _:
            return change


def _factors(change: Adjust) -> tuple[float, ...]:
    return change.brightness, change.saturation, change.contrast, change.opacity


def _mixed(before: GaussianCloud, after: GaussianCloud, chosen: Mask, share: float) -> GaussianCloud:
    """Colours between those of two clouds that differ in colour only, for the chosen ones."""
    sh = before.sh.copy()
    sh[chosen] += np.float32(share) * (after.sh[chosen] - before.sh[chosen])
    return replace(after, sh=sh)
