"""The algebra of selecting Gaussians."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recon import gaussian_selection as selection
from recon.gaussian_selection import SELECT_MODES, Mask, combined, counts_of
from render.gaussians import GaussianMarks

COUNT = 12
masks = hnp.arrays(np.bool_, COUNT)


@st.composite
def some_marks(draw: st.DrawFn) -> GaussianMarks:
    """Marks as the program makes them: nothing that is hidden, locked or deleted is selected."""
    hidden, locked, deleted = (draw(masks) for _ in range(3))
    return GaussianMarks(draw(masks) & ~(hidden | locked | deleted), hidden, locked, deleted)


def selected(marks: GaussianMarks, found: Mask, mode: selection.SelectMode) -> Mask:
    return combined(marks, found, mode).selected


@given(some_marks(), masks)
def test_the_modes_are_those_of_sets(marks: GaussianMarks, found: Mask) -> None:
    free, before = marks.is_selectable, marks.selected
    assert (selected(marks, found, "set") == (found & free)).all()
    assert (selected(marks, found, "add") == (before | found & free)).all()
    assert (selected(marks, found, "remove") == (before & ~found)).all()
    assert (selected(marks, found, "intersect") == (before & found)).all()


@given(some_marks(), masks, st.sampled_from(SELECT_MODES))
def test_doing_it_twice_changes_nothing_more(
    marks: GaussianMarks, found: Mask, mode: selection.SelectMode
) -> None:
    once = combined(marks, found, mode)
    assert (selected(once, found, mode) == once.selected).all()


@given(some_marks(), masks)
def test_adding_then_removing_leaves_what_was_outside(marks: GaussianMarks, found: Mask) -> None:
    there_and_back = combined(combined(marks, found, "add"), found, "remove")
    assert (there_and_back.selected == (marks.selected & ~found)).all()


@given(some_marks(), masks)
def test_removing_is_intersecting_with_the_rest(marks: GaussianMarks, found: Mask) -> None:
    assert (selected(marks, found, "remove") == selected(marks, ~found, "intersect")).all()


@given(some_marks())
def test_inverting_twice_gives_the_selection_back(marks: GaussianMarks) -> None:
    once = selection.invert_selection(marks)
    assert not (once.selected & marks.selected).any()
    assert ((once.selected | marks.selected) == marks.is_selectable).all()
    assert (selection.invert_selection(once).selected == marks.selected).all()


@given(some_marks(), masks, st.sampled_from(SELECT_MODES))
def test_nothing_hidden_locked_or_deleted_is_ever_selected(
    marks: GaussianMarks, found: Mask, mode: selection.SelectMode
) -> None:
    after = [
        combined(marks, found, mode),
        selection.select_all(marks),
        selection.invert_selection(marks),
        selection.hide_selected(marks),
        selection.isolate_selected(marks),
        selection.lock_selected(marks),
        selection.delete_selected(marks),
        selection.show_all(marks),
        selection.unlock_all(marks),
        selection.restore_deleted(marks),
    ]
    for each in after:
        assert not (each.selected & ~each.is_selectable).any()


@given(some_marks())
def test_what_was_selected_is_hidden_locked_or_deleted_and_nothing_else(marks: GaussianMarks) -> None:
    chosen = marks.selected
    assert (selection.hide_selected(marks).hidden == (marks.hidden | chosen)).all()
    assert (selection.lock_selected(marks).locked == (marks.locked | chosen)).all()
    assert (selection.delete_selected(marks).deleted == (marks.deleted | chosen)).all()
    for change in (selection.hide_selected, selection.lock_selected, selection.delete_selected):
        assert not change(marks).selected.any()


@given(some_marks())
def test_isolating_shows_the_selection_alone_and_showing_all_ends_it(marks: GaussianMarks) -> None:
    alone = selection.isolate_selected(marks)
    if marks.selected.any():
        assert (alone.is_drawn == marks.selected).all()
        assert (selection.show_all(alone).is_drawn == ~marks.deleted).all()
    else:
        assert alone is marks


@given(some_marks())
def test_the_counts_add_up(marks: GaussianMarks) -> None:
    counts = counts_of(marks)
    assert counts.total + counts.deleted == COUNT
    assert counts.selected == marks.selected.sum()
    assert counts.hidden == (marks.hidden & ~marks.deleted).sum()
    assert counts.locked == (marks.locked & ~marks.deleted).sum()


def test_a_change_shares_what_it_does_not_change() -> None:
    marks = replace(GaussianMarks.none(4), locked=np.array([True, False, False, False]))
    after = combined(marks, np.ones(4, bool), "set")
    assert after.locked is marks.locked and after.hidden is marks.hidden and after.deleted is marks.deleted
    assert after.selected.tolist() == [False, True, True, True]
    assert not after.selected.flags.writeable


def test_a_tool_may_keep_writing_into_what_it_found() -> None:
    found = np.array([True, False])
    marks = combined(GaussianMarks.none(2), found, "set")
    found[:] = True
    assert marks.selected.tolist() == [True, False]


def test_another_mode_or_number_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="xor"):
        combined(GaussianMarks.none(2), np.ones(2, bool), "xor")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="shape"):
        combined(GaussianMarks.none(2), np.ones(3, bool), "set")
