"""Which parts a cloud has, and how they are named, joined and taken apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recon.romap.part_names import name_of_part
from recon.romap.part_table import (
    BY_HAND,
    MOST_FOUND,
    NO_PART,
    assigned,
    merged_parts,
    names_of,
    next_number,
    part_confidence,
    part_numbers,
    parts_of,
    renamed,
    without_part,
)
from tests.synthetic_parts import make_part_scene


@pytest.fixture(scope="module")
def cloud():
    plain = make_part_scene(400, 32, 1, 1, 0).plain.subset(np.arange(300))
    return replace(plain, extra={}, comments=("made by hand",))


def test_a_cloud_without_a_column_has_only_what_belongs_to_no_part(cloud) -> None:
    (nobody,) = parts_of(cloud)
    assert (nobody.number, nobody.count, nobody.title) == (NO_PART, len(cloud), "No part")
    assert next_number(cloud) == 1 and part_confidence(cloud) is None


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int64, np.float32])
def test_a_column_of_any_kind_of_number_tells_parts(cloud, kind) -> None:
    column = np.arange(len(cloud)) % 3
    found = parts_of(replace(cloud, extra={"part": column.astype(kind)}))
    assert [(part.number, part.title, part.count) for part in found] == [
        (0, "Part 0", 100), (1, "Part 1", 100), (2, "Part 2", 100), (NO_PART, "No part", 0),
    ]  # fmt: skip
    assert all(part.confidence is None for part in found)


def test_numbers_beyond_all_bounds_and_no_numbers_at_all_do_no_harm(cloud) -> None:
    column = np.full(len(cloud), np.nan, np.float32)
    column[:5] = 3_000_000
    assert [(part.number, part.count) for part in parts_of(replace(cloud, extra={"part": column}))] == [
        (3_000_000, 5), (NO_PART, len(cloud) - 5),
    ]  # fmt: skip


def test_what_was_deleted_does_not_count(cloud) -> None:
    kept = np.arange(len(cloud)) >= 50
    made = assigned(cloud, np.arange(len(cloud)) < 80, 4)
    assert [(part.number, part.count) for part in parts_of(made, kept)] == [(4, 30), (NO_PART, 220)]


def test_names_are_one_line_and_survive_beside_other_comments(cloud) -> None:
    made = renamed(renamed(cloud, 2, "  left\n eye "), 7, "hat")
    assert made.comments == ("made by hand", "part 2 left eye", "part 7 hat")
    assert names_of(made) == {2: "left eye", 7: "hat"} and name_of_part(made, 2) == "left eye"
    assert [part.title for part in parts_of(made)] == ["left eye", "hat", "No part"], "also without any splat"
    assert next_number(made) == 8


def test_what_a_person_assigns_is_sure_and_the_rest_stays(cloud) -> None:
    rows = np.arange(len(cloud)) < 10
    made = assigned(cloud, rows, 1)
    assert (part_numbers(made) == np.where(rows, 1, NO_PART)).all()
    sure = part_confidence(made)
    assert (sure == np.where(rows, BY_HAND, 0)).all()
    again = assigned(made, np.arange(len(cloud)) == 0, NO_PART)
    assert part_numbers(again)[0] == NO_PART and part_confidence(again)[0] == BY_HAND
    assert (part_numbers(made)[rows] == 1).all(), "the cloud before is as it was"


def test_parts_of_a_file_that_tells_no_confidence_may_be_found_anew(cloud) -> None:
    labelled = replace(cloud, extra={"part": np.full(len(cloud), 5)})
    sure = part_confidence(assigned(labelled, np.arange(len(cloud)) == 3, 1))
    assert sure[3] == BY_HAND and np.allclose(np.delete(sure, 3), MOST_FOUND) and MOST_FOUND < BY_HAND


def test_merging_and_deleting_forget_names_and_keep_splats(cloud) -> None:
    made = assigned(cloud, np.arange(len(cloud)) < 10, 1)
    made = assigned(made, (np.arange(len(cloud)) >= 10) & (np.arange(len(cloud)) < 30), 2)
    made = renamed(renamed(made, 1, "nose"), 2, "mouth")
    one = merged_parts(made, [2, 1], 2)
    assert [(part.title, part.count) for part in parts_of(one)] == [("mouth", 30), ("No part", 270)]
    none = without_part(one, 2)
    assert [(part.title, part.count) for part in parts_of(none)] == [("No part", 300)]
    assert none.comments == ("made by hand",) and (part_confidence(none) == 0).all()
    assert none.means is cloud.means and none.sh is cloud.sh
