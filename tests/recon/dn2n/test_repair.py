"""One edit from many: the field of colour maps, the harmoniser, the filter, the way to novel views, the measures."""

import numpy as np
import pytest

from recon.dn2n.consistency import consistency
from recon.dn2n.content_filter import Verdict, decide, judge
from recon.dn2n.depth_views import DepthViews
from recon.dn2n.edit_field import fit_edit_field
from recon.dn2n.harmonise import harmonise
from recon.dn2n.measures import psnr, rank_correlation, ssim, worst_found
from recon.dn2n.repair import EditedViews, RepairWishes, repair
from recon.dn2n.router import choose_route
from recon.dn2n.strength import common_strength, strengths
from recon.dn2n.training.edits import named_edit
from tests.recon.dn2n.edited_scenes import mapped, originals_of, procedural, varying_map, views_of


@pytest.fixture(scope="module")
def scene():
    return procedural()


@pytest.fixture(scope="module")
def views(scene):
    return views_of(scene)


@pytest.fixture(scope="module")
def sunset(scene):
    return named_edit("sunset", scene).apply(scene)


def test_the_field_recovers_a_map_of_colours_that_changes_with_the_place(scene, views):
    originals, true = originals_of(scene), varying_map(scene.points)
    edited = mapped(originals, true)
    field = fit_edit_field(originals, edited, views, np.ones(len(views)))
    for i in range(len(views)):
        assert np.abs(field.apply(originals[i], views, i) - edited[i]).mean() < 0.01
    assert (field.residual < 0.01).all()
    np.testing.assert_allclose(field.strengths.found, 1, atol=0.05)


def test_the_field_ignores_two_of_ten_views_that_were_edited_otherwise(scene, views):
    originals = originals_of(scene)
    clean = mapped(originals, varying_map(scene.points))
    edited = clean.copy()
    edited[2], edited[7] = 1 - originals[2], (0.9, 0.1, 0.1)
    field = fit_edit_field(originals, edited, views, np.ones(len(views)))
    told = np.stack([field.apply(originals[i], views, i) for i in range(len(views))])
    assert np.abs(told - clean).mean() < 0.015
    assert set(np.argsort(field.residual)[-2:]) == {2, 7}


def test_a_view_of_no_weight_has_no_say_in_the_field(scene, views):
    originals = originals_of(scene)
    edited = originals.copy()
    edited[3] = 0
    weights = np.ones(len(views))
    weights[3] = 0
    field = fit_edit_field(originals, edited, views, weights)
    np.testing.assert_allclose(field.color_map, 0, atol=1e-4)


def test_the_harmoniser_takes_away_what_is_each_views_own_tone(scene, views, sunset):
    generator = np.random.default_rng(0)
    gains = generator.uniform(0.8, 1.15, (len(views), 1, 1, 3)).astype(np.float32)
    edited = np.clip(sunset * gains, 0, 1)
    found = harmonise(edited, originals_of(scene), views, np.ones(len(views)))
    before, after = consistency(edited, views), consistency(found.pictures, views)
    own = consistency(sunset, views)
    assert after.short - own.short < 0.35 * (before.short - own.short)
    assert after.far < before.far
    assert found.after.mean() < 0.5 * found.before.mean()


def test_the_harmoniser_leaves_views_that_agree_as_they_are(scene, views, sunset):
    found = harmonise(sunset, originals_of(scene), views, np.ones(len(views)))
    assert np.abs(found.pictures - sunset).mean() < 0.011


def test_what_only_one_view_shows_is_outvoted(scene, views, sunset):
    edited = sunset.copy()
    edited[4, 15:30, 20:40] = (0, 1, 0)
    found = harmonise(edited, originals_of(scene), views, np.ones(len(views)))
    _, votes = _seen_by_others(views, 4)
    patch = np.zeros(votes.shape, bool)
    patch[17:28, 22:38] = True
    patch &= votes >= 4
    assert patch.sum() > 30
    before = np.abs(edited[4] - sunset[4])[patch].mean()
    assert np.abs(found.pictures[4] - sunset[4])[patch].mean() < 0.35 * before


def _seen_by_others(views, index):
    from recon.dn2n.harmonise import consensus_of

    pictures = np.zeros((*views.depths.shape, 3), np.float32)
    return consensus_of(index, pictures, views, np.ones(len(views)), views.neighbours(8))


def test_views_that_break_the_scene_get_the_highest_scores_and_are_left_out(scene, views, sunset):
    originals, generator = originals_of(scene), np.random.default_rng(1)
    edited = np.clip(sunset * generator.uniform(0.96, 1.04, (len(views), 1, 1, 3)), 0, 1).astype(np.float32)
    edited[1], edited[6] = originals[1], 1 - sunset[6]
    given = EditedViews(tuple(map(str, range(len(views)))), originals, edited, views)
    found = repair(given)
    scores = [verdict.score for verdict in found.verdicts]
    assert set(np.argsort(scores)[-2:]) == {1, 6}
    assert {i for i, verdict in enumerate(found.verdicts) if verdict.decision != "kept"} == {1, 6}
    assert found.verdicts[1].weight <= 0.25 >= found.verdicts[6].weight
    assert (found.weights == 1).all()  # Their photos are as good as the others.
    assert "hardly shows" in found.verdicts[1].reason
    assert all(verdict.reason for verdict in (found.verdicts[1], found.verdicts[6]))
    kept = repair(given, RepairWishes(keep=("6",), drop=("0",)))
    assert (kept.verdicts[6].decision, kept.verdicts[0].decision) == ("kept", "dropped")
    assert kept.verdicts[0].is_overruled and kept.weights[0] == 0


def _verdicts(scores):
    return [Verdict(score, score, score, 1.0, 1.0) for score in scores]


def test_the_filter_keeps_at_least_eight_views_and_three_fifths_of_them():
    everything = np.ones((30, 4), bool)
    scores = np.full(30, 0.05) + np.arange(30) * 1e-4
    scores[:14] = 0.5
    scores[:14] += np.arange(14) * 0.01
    found = decide(_verdicts(scores), everything)
    assert sum(verdict.decision == "dropped" for verdict in found) <= 12
    few = decide(_verdicts([0.12, *[0.05] * 7]), np.ones((8, 4), bool))
    assert few[0].decision == "weakened" and 0 < few[0].weight < 0.1


def test_the_filter_never_opens_a_hole():
    places = np.ones((20, 6), bool)
    places[3:, 5] = False  # A place that three views see, the worst of all among them.
    scores = [0.12, *[0.05] * 18, 0.11]
    found = decide(_verdicts(scores), places)
    assert found[0].decision == "weakened" and "Too few others" in found[0].reason
    assert found[19].decision == "dropped"


def test_views_that_show_something_else_altogether_go_where_any_other_sees_the_same():
    places = np.ones((5, 4), bool)
    places[2:, 3] = False
    found = decide(_verdicts([0.5, *[0.05] * 4]), places)
    assert [verdict.decision for verdict in found] == ["dropped", *["kept"] * 4]
    places[1:, 1:] = False  # Now it alone sees three of four.
    assert decide(_verdicts([0.5, *[0.05] * 4]), places)[0].decision == "weakened"
    pair = decide(_verdicts([0.9, 0.05, 0.05]), np.ones((3, 2), bool))
    assert pair[0].decision == "weakened"


def test_a_view_of_another_picture_is_dropped_though_its_colours_are_near_those_of_the_others():
    others = [Verdict(0.05, 0.05, 0.05, 1.0, 0.9, shared=0.95) for _ in range(8)]
    strangers = [Verdict(0.06, 0.06, 0.06, 1.0, 0.02, shared=0.3) for _ in range(4)]
    found = decide([*others, *strangers], np.ones((12, 4), bool))
    assert [verdict.decision for verdict in found] == ["kept"] * 8 + ["dropped"] * 4
    assert all("another picture" in verdict.reason for verdict in found[8:])
    covered = [
        Verdict(0.06, 0.06, 0.06, 1.0, 0.02, shared=0.95) for _ in range(4)
    ]  # An edit that is to cover all.
    assert all(verdict.decision == "kept" for verdict in decide([*others, *covered], np.ones((12, 4), bool)))


def test_scores_that_nobody_sees_are_not_held_against_a_view():
    found = decide(_verdicts([0.02, *[0.001] * 19]), np.ones((20, 3), bool))
    assert all(verdict.decision == "kept" and verdict.weight == 1 for verdict in found)


def test_views_whose_edit_is_weaker_are_taken_for_failures(scene, views, sunset):
    originals = originals_of(scene)
    share = np.linspace(0.5, 1, len(views), dtype=np.float32)[:, None, None, None]
    edited = originals + share * (sunset - originals)
    found = strengths(originals, edited, sunset)
    np.testing.assert_allclose(found.found, share.ravel(), atol=1e-3)
    together = strengths(originals, edited, originals + np.float32(0.75) * (sunset - originals))
    assert common_strength(together, np.ones(len(views))) == pytest.approx(0.9 / 0.75, abs=0.05)
    given = EditedViews(tuple(map(str, range(len(views)))), originals, edited, views)
    assert psnr(repair(given).pictures, sunset) > psnr(edited, sunset) + 5


def test_views_that_err_in_any_direction_are_not_taken_for_failures(scene, views, sunset):
    originals, generator = originals_of(scene), np.random.default_rng(3)
    turns = generator.normal(0, 0.5, (len(views), 1, 3, 3)).astype(np.float32)
    edited = sunset + (originals - originals.mean((1, 2), keepdims=True)) @ turns
    together = strengths(originals, edited, sunset)
    assert np.std(together.found) > 0.15
    assert common_strength(together, np.ones(len(views))) < 1.05


def test_the_way_follows_what_the_edit_changes(scene, views, sunset):
    originals, generator = originals_of(scene), np.random.default_rng(2)
    gains = generator.uniform(0.9, 1.1, (len(views), 1, 1, 3)).astype(np.float32)
    names = tuple(map(str, range(len(views))))
    colors = repair(EditedViews(names, originals, np.clip(sunset * gains, 0, 1), views))
    assert colors.route.way == "color" and colors.color_map.size
    marble = named_edit("marble", scene).apply(scene)
    texture = repair(EditedViews(names, originals, np.clip(marble * gains, 0, 1), views))
    assert texture.route.way == "blend" and not texture.color_map.size
    assert "texture" in texture.route.reason
    anchored = repair(EditedViews(names, originals, sunset, views, "world"))
    assert anchored.route.way == "as-is"
    np.testing.assert_array_equal(anchored.pictures, sunset)
    assert choose_route(0.1, 0.5, "none", is_partial=True).way == "blend"


def test_outside_masks_views_stay_bit_for_bit(scene, views, sunset):
    originals = originals_of(scene)
    masks = np.zeros(views.depths.shape, np.float32)
    masks[:, 10:30, 10:40] = 1
    edited = np.where(masks[..., None] > 0, sunset, originals)
    found = repair(EditedViews(tuple("0123456789"), originals, edited, views, "none", masks))
    outside = masks == 0
    np.testing.assert_array_equal(found.pictures[outside], originals[outside])
    assert np.abs(found.pictures - sunset)[~outside].mean() < 0.02
    assert not found.color_map.size


def test_judging_needs_no_more_than_one_view(scene, sunset):
    views = DepthViews(scene.cameras.select(np.array([0])), scene.depth[:1])
    originals = originals_of(scene)[:1]
    verdicts = judge(originals, sunset[:1], sunset[:1], sunset[:1], np.ones(1, np.float32), views)
    assert verdicts[0].decision == "kept"
    found = repair(EditedViews(("a",), originals, sunset[:1], views))
    assert found.pictures.shape == originals.shape


def test_measures_know_their_answers():
    generator = np.random.default_rng(0)
    a = generator.random((32, 40, 3)).astype(np.float32)
    assert psnr(a, a + 0.1) == pytest.approx(20, abs=1e-3)
    mask = np.zeros((32, 40), bool)
    mask[:4] = True
    b = a.copy()
    b[4:] = 0
    assert psnr(a, b, mask) == 100 and np.isnan(psnr(a, b, np.zeros_like(mask)))
    assert ssim(a, a) == pytest.approx(1) and ssim(a, 1 - a) < 0
    assert rank_correlation([1, 2, 3, 4], [1, 4, 9, 16]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [5, 5, 5]) == 0
    assert worst_found([0, 9, 8, 1], [0, 5, 4, 9], worst=2, top=3) == 1
    assert worst_found([0, 9, 8, 1], [3, 5, 0, 9], worst=2, top=3) == 0.5


def test_warp_error_is_that_of_the_pictures_and_nothing_without_overlap(scene, views):
    flat = np.full((len(views), 48, 64, 3), 0.5, np.float32)
    assert consistency(flat, views).short == 0
    flat[::2] += 0.1
    assert 0 < consistency(flat, views).far <= 0.1 + 1e-6
    away = DepthViews(views.cameras, np.zeros_like(views.depths))
    assert consistency(flat, away) == consistency(flat * 0, away)
