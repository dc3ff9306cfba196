"""Versions of layers as plain values: which stands for its family, how the next is called, what stays when one goes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app import edit_history, versions
from app.edit_words import change_words, part_words, time_words
from app.layers import Origin, new_layer
from recon.romap.changes import Adjust, Move, Rotate, Scale
from render.gaussians import GaussianCloud, GaussianMarks


def cloud(count: int = 4) -> GaussianCloud:
    return GaussianCloud(
        np.zeros((count, 3)), np.tile([1.0, 0, 0, 0], (count, 1)), np.zeros((count, 3)), np.zeros(count),
        np.zeros((count, 1, 3)), {"part": np.arange(count, dtype=np.int32) % 2},
    )  # fmt: skip


def family():
    """A root, a version of it, and two versions of that."""
    root = new_layer("Figure", cloud())
    second = replace(new_layer("Figure v2", cloud()), version_of=root.id)
    third, fourth = (replace(new_layer(f"Figure v{n}", cloud()), version_of=second.id) for n in (3, 4))
    return root, second, third, fourth


def test_a_family_is_found_from_any_of_its_versions_and_others_are_not_in_it():
    layers = family()
    other = new_layer("Other", cloud())
    for layer in layers:
        assert versions.root_of(layers, layer) is layers[0]
        assert versions.family_of([*layers, other], layer) == layers
    assert versions.family_of([*layers, other], other) == (other,)
    assert versions.made_from(layers, layers[1]) == layers[1:]
    assert versions.next_name(layers, layers[1]) == "Figure v5", "no name is given twice"


def test_what_stands_for_a_family_is_what_was_chosen_else_what_is_seen_else_the_newest():
    root, second, third, fourth = layers = family()
    hidden = frozenset(x.id for x in layers)
    assert versions.current_of(layers, second.id, hidden) is second
    assert versions.current_of(layers, "gone", hidden - {third.id}) is third
    assert versions.current_of(layers, "", hidden) is fourth
    waiting = replace(new_layer("gold", cloud()), version_of=root.id, is_pending=True)
    assert versions.current_of([*layers, waiting], "", hidden) is root, "what an edit waits on is in use"


def test_a_version_that_goes_leaves_what_came_from_it_to_what_it_came_from():
    root, second, *_ = layers = family()
    left = versions.without(layers, [second])
    assert [(x.name, x.version_of) for x in left] == [
        ("Figure", ""), ("Figure v3", root.id), ("Figure v4", root.id),
    ]  # fmt: skip
    assert versions.without_branch(layers, second) == [root]
    assert [x.version_of for x in versions.without(layers, [root, second])] == ["", ""]


def test_one_edit_waits_on_a_layer_at_a_time_and_carries_what_was_hidden():
    base = new_layer("Figure", cloud(6))
    nothing = np.zeros(6, bool)
    hidden, deleted = nothing.copy(), nothing.copy()
    hidden[3], deleted[0] = True, True
    base = replace(base, marks=GaussianMarks(~nothing, hidden, nothing, deleted), style={"opacity": 0.5})
    origin = Origin("romap.edit", {"part": 1, "instruction": "red"})
    first = versions.pending_layer(base, "red", base.content, origin, {})
    assert first.style == {"opacity": 0.5} and first.version_of == base.id and first.is_pending
    assert (
        first.marks.hidden.tolist() == [False, False, True, False, False] and not first.marks.selected.any()
    )
    without_part = base.content.subset(base.content.extra["part"] != 1)
    second = versions.pending_layer(base, "delete", without_part, origin, {})
    assert second.marks is None, "what was hidden belonged to the part, which is gone"
    layers = versions.with_pending(versions.with_pending([base], first), second)
    assert layers == [base, second]
    (_, done) = versions.accepted(layers, second)
    assert done.name == "Figure v2" and not done.is_pending and done.id == second.id


def test_wishes_are_kept_with_what_came_of_them():
    records = edit_history.added(
        (), prompt="red", method="m", seed=3, target="hat", settings={"part": 1}, run="a"
    )
    records = edit_history.added(
        records, prompt="blue", method="m", seed=4, target="hat", settings={}, run="b"
    )
    records = edit_history.judged(edit_history.judged(records, "a", "pending"), "b", "failed")
    made = replace(new_layer("red", cloud()), origin=Origin("m", run="a"), is_pending=True)
    rows = edit_history.rows_of(records, [made])
    assert [(row.prompt, row.seed, row.verdict) for row in rows] == [
        ("blue", 4, "failed"),
        ("red", 3, "pending"),
    ]
    assert [row.verdict for row in edit_history.rows_of(records, [replace(made, is_pending=False)])][
        1
    ] == "accepted"
    assert [row.verdict for row in edit_history.rows_of(records, [])][1] == "rejected"
    assert rows[0].when == time_words(records[1].asked) != ""


def test_changes_are_told_in_words():
    assert change_words(Scale(0.5)) == "size × 0.5"
    assert change_words(Move("up", 0.25, "size")) == "move up 25 % of its size"
    assert change_words(Move("left", 10, "cm")) == "move left 10 cm"
    assert change_words(Rotate(30, "up")) == "turn 30° about up"
    assert change_words(Adjust(brightness=0.7)) == "brightness × 0.7"
    words, problem, advice = part_words("dark green leather", "")
    assert [word.text for word in words] == ["material leather in dark green"] and not problem and not advice
