"""How well the photos of a scene are foretold from each other, what is said of it, and depth that views lend each other."""

from dataclasses import replace

import numpy as np
import pytest

from recon.dn2n.calibration import SHARPNESSES, Calibration, best_column, calibrate, doubts
from recon.dn2n.plane_sweep import with_others
from recon.dn2n.plane_sweep_kernels import add_difference, mean_of_best
from tests.recon.dn2n.edited_scenes import procedural
from tests.render.view_scenes import field_of, poses_around


@pytest.fixture(scope="module")
def field():
    return field_of(poses_around(7))


def test_photos_are_foretold_well_where_depth_is_right_and_badly_where_it_is_not(field):
    found = calibrate(field)
    assert found.psnr > 32 and found.views == 7 and found.shown > 0.95
    assert found.sharpness in SHARPNESSES
    assert calibrate(replace(field, depths=field.depths * np.float32(1.3))).psnr < found.psnr - 6


def test_the_edit_has_no_say_in_how_photos_are_foretold(field):
    edited = replace(field, pictures=255 - field.pictures, sharpness=2.0)
    assert calibrate(edited) == calibrate(field)


def test_where_nobody_shows_what_a_view_shows_nothing_is_foretold(field):
    found = calibrate(replace(field, weights=np.eye(7, dtype=np.float32)[0]))
    assert np.isnan(found.psnr) and (found.sharpness, found.views) == (1.0, 0)


@pytest.mark.parametrize(
    ("gains", "best"),
    [
        ([[-0.2, 0.0, 0.3], [-0.3, 0.0, 0.2], [-0.2, 0.0, 0.25]], 2),
        ([[-0.2, 0.0, 1.5], [-0.3, 0.0, -0.9], [-0.2, 0.0, -0.3]], 1),  # one view only gains
        ([[0.5, 0.0, -0.2], [0.4, 0.0, 0.1], [0.5, 0.0, 0.1]], 0),
        ([[0.0, 0.0, 0.01], [0.0, 0.0, 0.01], [0.0, 0.0, 0.01]], 1),  # too little
        ([[0.0, 0.0, 3.0]], 1),  # one view proves nothing
    ],
)
def test_another_sharpness_is_taken_only_where_it_is_surely_better(gains, best):
    assert best_column(np.array(gains) + 25.0, 1) == best


def told(psnr, num_views, source):
    return " ".join(doubts(Calibration(1.0, psnr, 1.0, 4), num_views, source))


def test_bad_new_views_are_told_with_the_figure_and_what_helps():
    assert told(30.0, 50, "photos") == told(22.0, 12, "scene") == ""
    assert "17.2 dB" in told(17.2, 50, "photos") and "stripes" in told(17.2, 50, "photos")
    assert "more photos" in told(17.2, 3, "photos") and "stripes" not in told(17.2, 3, "photos")
    assert "cameras and scale" in told(17.2, 50, "cloud")
    assert "not at all" in told(np.nan, 2, "scene")
    assert "With 3 photos" in told(32.0, 3, "scene")


def test_gaps_in_depth_have_what_several_other_views_know_there():
    scene = procedural()
    kept = scene.depth.copy()
    kept[4, 10:30, 20:50] = 0
    whole = with_others(kept, scene.cameras, scene.rgb)
    known = kept > 0
    np.testing.assert_array_equal(whole[known], kept[known])
    lent = ~known & (whole > 0)
    assert lent.sum() > 0.6 * (~known).sum()
    assert np.median(np.abs(whole[lent] / scene.depth[lent] - 1)) < 0.01


@pytest.mark.parametrize("partners", [1, 3, 5])
def test_the_worst_partners_of_a_pixel_do_not_count(partners):
    generator = np.random.default_rng(0)
    mine = generator.random(200, np.float32)
    mean, spread = generator.random(200, np.float32), generator.random(200, np.float32)
    total, cost = np.zeros((3, 200), np.float32), np.empty(200, np.float32)
    differences = []
    for _ in range(partners):
        warped = generator.random(200, np.float32) - np.float32(0.2)
        sums = np.stack([warped, warped**2 + generator.random(200, np.float32), mine * warped])
        add_difference(mean, spread, warped, sums, total)
        both = (spread + 2e-4) * (np.maximum(sums[1] - sums[0] ** 2, 0) + 2e-4)
        likeness = (sums[2] - mean * sums[0] + 2e-4) / np.sqrt(both)
        differences.append(np.where(warped >= 0, np.clip((1 - likeness) / 2, 0, 1), 1))
    mean_of_best(total, partners, cost)
    kept = np.sort(differences, 0)[: partners - (partners >= 3) - (partners >= 5)]
    np.testing.assert_allclose(cost, kept.mean(0), atol=2e-5)
