"""Parts found from strokes on views, among the parts that are there already."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recon.errors import InputError
from recon.romap.part_table import BY_HAND, ERASED, NO_PART, assigned, part_confidence, part_numbers
from recon.romap.scribbles import Stroke
from recon.romap.view_strokes import StrokedView, StrokeFinder
from tests.recon.romap.test_scribbles import _three_strokes
from tests.synthetic_parts import PARTS


@pytest.fixture(scope="module")
def finder() -> StrokeFinder:
    return StrokeFinder()


@pytest.fixture
def plain(snowman):
    return replace(snowman.plain, extra={}, comments=())


def view_of(scene, view: int, strokes, zoom: float = 1.0, radius: float = 10.0, **more) -> StrokedView:
    """A view of a window of 900 × 700 pixels with strokes of the scene's small pictures."""
    cameras = scene.cameras
    factor = 700 / cameras.size[view][1] * zoom
    middle = np.mean([np.asarray(s.path, float).mean(0) for s in strokes], axis=0) * factor
    shift = np.array([450.0, 350.0]) - (middle if zoom > 1 else np.array([350.0, 350.0]) * zoom)
    return StrokedView(
        (view, zoom), cameras.cam_from_world[view], cameras.focal[view] * factor,
        cameras.center[view] * factor + shift, (900, 700),
        tuple(Stroke(0, s.part, np.asarray(s.path, float) * factor + shift, radius) for s in strokes), **more,
    )  # fmt: skip


def views_of(scene, parts, zoom: float = 1.0) -> list[StrokedView]:
    """Three strokes on two views for each part, by its number."""
    by_view: dict[int, list[Stroke]] = {}
    for name, number in parts.items():
        for stroke in _three_strokes(scene, name, number):
            by_view.setdefault(stroke.view, []).append(stroke)
    return [view_of(scene, view, strokes, zoom) for view, strokes in by_view.items()]


def iou(cloud, number: int, truth) -> float:
    found = part_numbers(cloud) == number
    return float((found & truth).sum() / (found | truth).sum())


@pytest.mark.parametrize("zoom", [0.5, 1.0, 3.0])
def test_strokes_find_the_same_part_however_near_the_view_is(snowman, plain, zoom) -> None:
    found = StrokeFinder().find(plain, views_of(snowman, {"hat": 3}, zoom))
    assert iou(found.cloud, 3, snowman.truth == PARTS.index("hat")) > 0.85
    assert found.counts == {3: int((part_numbers(found.cloud) == 3).sum())}
    assert found.probabilities.shape == (len(plain), 1)


def test_parts_without_strokes_give_way_and_locked_ones_do_not(snowman, plain, finder) -> None:
    hat = snowman.truth == PARTS.index("hat")
    before = assigned(plain, hat | (snowman.truth == PARTS.index("scarf")), 9, 0.5)
    found = finder.find(before, views_of(snowman, {"hat": 3})).cloud
    assert (part_numbers(found)[hat] == 3).mean() > 0.85
    assert (part_numbers(found)[snowman.truth == PARTS.index("scarf")] == 9).mean() > 0.85
    locked = finder.find(before, views_of(snowman, {"hat": 3}), locked=hat).cloud
    assert (part_numbers(locked)[hat] == 9).all()


def test_what_a_person_put_somewhere_by_hand_is_not_found_elsewhere(snowman, plain, finder) -> None:
    hat = np.flatnonzero(snowman.truth == PARTS.index("hat"))
    free = finder.find(plain, views_of(snowman, {"hat": 3})).cloud
    chosen = np.zeros(len(plain), bool)
    chosen[hat[:4]] = True
    far = np.zeros(len(plain), bool)
    far[np.flatnonzero(snowman.truth == PARTS.index("ground"))[:3]] = True
    by_hand = assigned(assigned(plain, chosen, NO_PART), far, 3)
    found = finder.find(by_hand, views_of(snowman, {"hat": 3})).cloud
    assert (part_numbers(free)[chosen] == 3).any()
    assert (part_numbers(found)[chosen] == NO_PART).mean() >= 0.5, "but where a stroke goes right over them"
    assert (part_numbers(found)[far] == 3).all() and (part_confidence(found)[far] == BY_HAND).all()


def test_a_stroke_that_was_taken_back_finds_nothing(snowman, plain, finder) -> None:
    strokes = _three_strokes(snowman, "hat", 3)
    rubbed = [replace(s, part=ERASED) for s in strokes]
    first = strokes[0].view
    one = view_of(
        snowman, first, [*(s for s in strokes if s.view == first), *(s for s in rubbed if s.view == first)]
    )
    scarf = views_of(snowman, {"scarf": 4})
    found = finder.find(plain, [one, *(v for v in scarf if v.key[0] != first)])
    assert set(np.unique(part_numbers(found.cloud))) == {NO_PART, 4}
    with pytest.raises(InputError, match="Nothing is marked"):
        finder.find(plain, [one])


def test_what_is_drawn_as_no_part_bounds_a_part(snowman, plain, finder) -> None:
    views = views_of(snowman, {"head": 1})
    leaky = part_numbers(finder.find(plain, views).cloud) == 1
    body = views_of(snowman, {"body": NO_PART})
    bounded = part_numbers(finder.find(plain, [*views, *body]).cloud)
    is_body = snowman.truth == PARTS.index("body")
    assert (bounded[is_body] == 1).sum() <= leaky[is_body].sum() and NO_PART in bounded
    assert (bounded[snowman.truth == PARTS.index("head")] == 1).mean() > 0.5


def test_strokes_go_through_what_was_hidden_when_they_were_drawn(snowman, plain, finder) -> None:
    strokes = _three_strokes(snowman, "hat", 3)[:1]
    shown = snowman.truth != PARTS.index("hat")
    through = replace(view_of(snowman, strokes[0].view, strokes, shown=shown), key="hidden")
    try:
        found = part_numbers(finder.find(plain, [through]).cloud) == 3
        assert (snowman.truth[found] != PARTS.index("hat")).mean() > 0.5
    except InputError as error:
        assert "meet no splat" in error.sentence, "there is nothing behind the hat"


def test_deleted_splats_are_neither_met_nor_labelled(snowman, plain, finder) -> None:
    kept = snowman.truth != PARTS.index("ground")
    found = finder.find(plain, views_of(snowman, {"hat": 3}), kept=kept)
    assert (part_numbers(found.cloud)[~kept] == NO_PART).all() and found.counts[3] > 0


def test_a_part_of_nothing_or_of_everything_is_refused_in_the_words_of_the_person(
    snowman, plain, finder
) -> None:
    views = views_of(snowman, {"hat": 3})
    beside = view_of(snowman, 0, [Stroke(0, 8, np.array([[-60.0, -60.0], [-55.0, -60.0]]))], zoom=0.5)
    with pytest.raises(InputError, match="“Beak” gets no splats"):
        finder.find(plain, [*views, replace(beside, strokes=(Stroke(0, 8, np.array([[2.0, 2], [9, 2]]), 2.0),))],
                    title=lambda number: {3: "Hat", 8: "Beak"}[number])  # fmt: skip
    only = snowman.truth == PARTS.index("hat")
    with pytest.raises(InputError, match="“Hat” would be everything"):
        finder.find(plain, views, kept=only, title=lambda _: "Hat")
    with pytest.raises(InputError, match="Nothing is marked"):
        finder.find(plain, [])
