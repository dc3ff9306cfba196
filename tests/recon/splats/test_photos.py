"""What training reads of photos, and how much of it is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from recon.splats.photos import Photo, Photos
from tests.recon.splats.scenes import rewritten, room


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return room(tmp_path_factory.mktemp("room"))


def test_photos_are_kept_within_the_budget_only(scene):
    one = 64 * 48 * 4
    photos = Photos(scene, 0, 0, "cpu", "auto", budget=3 * one)
    first = photos.photo(0)
    for view in range(10):
        photos.photo(view)
        assert photos.kept_bytes <= 3 * one
    again = photos.photo(0)
    assert again is not first and np.array_equal(again.rgb, first.rgb)
    assert photos.photo(0) is again


def test_large_photos_are_scaled_to_what_training_can_use(scene):
    assert Photos(scene, 32, 0, "cpu", "auto").size(0) == (32, 24)
    assert Photos(scene, 0, 0, "cpu", "auto").size(0) == (64, 48), "small ones are not enlarged"
    huge = replace(scene, cameras=scene.cameras.resized(np.tile([6400, 4800], (10, 1))))
    width, height = Photos(huge, 0, 0, "cpu", "auto").size(0)
    assert width * height == pytest.approx(480 * 480, rel=0.01) and width * 3 == pytest.approx(
        height * 4, abs=4
    )


def test_a_smaller_photo_counts_only_where_all_beneath_did():
    used = np.full((4, 4), 255, np.uint8)
    used[0, 1] = 0
    rgb = np.full((4, 4, 3), 200, np.uint8)
    rgb[0, 1] = 0
    small = Photo(rgb, used).scaled((2, 2))
    assert small.used.tolist() == [[0, 255], [255, 255]]
    assert (small.rgb[small.used > 0] == 200).all()


@pytest.mark.parametrize("wish", ["auto", "ignore", "empty"])
def test_transparency_and_masks_mean_what_was_asked_for(scene, tmp_path, wish):
    alpha = np.full((48, 64, 1), 255, np.uint8)
    alpha[:10] = 0
    cut = rewritten(scene, tmp_path / "cut", lambda pixels, i: np.concatenate([pixels, alpha], -1))
    mask = np.full((48, 64), 255, np.uint8)
    mask[-10:] = 0
    Image.fromarray(mask).save(tmp_path / "cut" / "mask.png")
    masked = replace(cut, images=replace(cut.images, mask_paths=("mask.png",) * 10))
    photo = Photos(masked, 0, 0, "cpu", wish).photo(0)
    is_used = {"auto": slice(0, -10), "ignore": slice(10, -10), "empty": slice(None)}[wish]
    expected = np.zeros((48, 64), bool)
    expected[is_used] = True
    assert np.array_equal(photo.used > 0, expected)
    if wish == "ignore":
        assert photo.opacity is None
    else:
        assert photo.opacity is not None and not photo.opacity[:10].any()
        assert photo.opacity[-10:].any() == (wish == "auto")
