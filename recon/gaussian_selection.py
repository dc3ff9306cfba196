"""The algebra of selecting Gaussians: each function takes marks and gives new ones that share what did not change.

Hidden, locked and deleted Gaussians are never selected: a tool may find them, the algebra leaves them out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from render.gaussians import GaussianMarks

Mask = NDArray[np.bool_]
SelectMode = Literal["set", "add", "remove", "intersect"]
SELECT_MODES: tuple[SelectMode, ...] = ("set", "add", "remove", "intersect")


@dataclass(frozen=True)
class MarkCounts:
    """How many Gaussians of a layer bear each mark. total: those not deleted."""

    total: int
    selected: int
    hidden: int
    locked: int
    deleted: int


def counts_of(marks: GaussianMarks) -> MarkCounts:
    """Count the marks; hidden and locked count only what is not deleted."""
    left = ~marks.deleted
    hidden, locked = (int(np.count_nonzero(each & left)) for each in (marks.hidden, marks.locked))
    total = int(np.count_nonzero(left))
    return MarkCounts(total, int(np.count_nonzero(marks.selected)), hidden, locked, len(marks) - total)


def combined(marks: GaussianMarks, found: Mask, mode: SelectMode) -> GaussianMarks:
    """The selection after a tool found (N,) Gaussians: set it to them, add, remove, or keep what is in both.

    Raises ValueError for another mode or another number of Gaussians.
    """
    if found.shape != marks.selected.shape:
        raise ValueError(f"found has shape {found.shape}, the marks {marks.selected.shape}")
    if mode == "set":
        selected = found & marks.is_selectable
    elif mode == "add":
        selected = marks.selected | (found & marks.is_selectable)
    elif mode == "remove":
        selected = marks.selected & ~found
    elif mode == "intersect":
        selected = marks.selected & found
    else:
        raise ValueError(f"unknown way to combine selections: {mode!r}")
    return with_selected(marks, selected)


def with_selected(marks: GaussianMarks, selected: Mask) -> GaussianMarks:
    """The same marks with another selection (N,), as it is."""
    return replace(marks, selected=selected)


def select_all(marks: GaussianMarks) -> GaussianMarks:
    """Select everything that can be selected."""
    return with_selected(marks, marks.is_selectable)


def select_none(marks: GaussianMarks) -> GaussianMarks:
    """Select nothing."""
    return with_selected(marks, np.zeros(len(marks), bool))


def invert_selection(marks: GaussianMarks) -> GaussianMarks:
    """Select what can be selected and is not."""
    return with_selected(marks, marks.is_selectable & ~marks.selected)


def hide_selected(marks: GaussianMarks) -> GaussianMarks:
    """Hide the selection; nothing is selected then."""
    return replace(select_none(marks), hidden=marks.hidden | marks.selected)


def isolate_selected(marks: GaussianMarks) -> GaussianMarks:
    """Hide all but the selection, which stays selected; with nothing selected, nothing changes."""
    if not marks.selected.any():
        return marks
    return replace(marks, hidden=~marks.selected)


def show_all(marks: GaussianMarks) -> GaussianMarks:
    """Show what was hidden; the selection stays."""
    return replace(marks, hidden=np.zeros(len(marks), bool))


def lock_selected(marks: GaussianMarks) -> GaussianMarks:
    """Keep the selection from being selected and edited; nothing is selected then."""
    return replace(select_none(marks), locked=marks.locked | marks.selected)


def unlock_all(marks: GaussianMarks) -> GaussianMarks:
    """Let everything be selected again; the selection stays."""
    return replace(marks, locked=np.zeros(len(marks), bool))


def delete_selected(marks: GaussianMarks) -> GaussianMarks:
    """Mark the selection as deleted; nothing is selected then."""
    return replace(select_none(marks), deleted=marks.deleted | marks.selected)


def restore_deleted(marks: GaussianMarks) -> GaussianMarks:
    """Bring back everything that was deleted and is still in the layer's data; the selection stays."""
    return replace(marks, deleted=np.zeros(len(marks), bool))
