"""Edits that change shapes: the depth of what edited pictures show."""

from dataclasses import replace

import numpy as np
import pytest

import recon.dn2n.training.scenes as scenes
from recon.dn2n.depth_views import DepthViews
from recon.dn2n.new_shapes import find_new_shapes
from render.images import ImageSet, PosedImages
from tests.stepping import finish

SEED, COUNT, SIZE = 32, 9, (96, 72)


@pytest.fixture(scope="module")
def before_and_after():
    """A scene, and the same seen from the same places without one of its things."""
    with pytest.MonkeyPatch.context() as patch:
        layout_of, poses_of = scenes._random_layout, scenes._random_poses
        layouts = []

        def layout(generator, gone=()):
            layouts.append(layout_of(generator))
            shapes = layouts[-1].local_from_world.copy()
            shapes[list(gone)] *= 1e4
            return replace(layouts[-1], local_from_world=shapes)

        patch.setattr(
            scenes, "_random_poses", lambda _, count, generator: poses_of(layouts[-1], count, generator)
        )
        patch.setattr(scenes, "_random_layout", layout)
        before = scenes.make_scene(SEED, COUNT, SIZE)
        patch.setattr(scenes, "_random_layout", lambda generator: layout(generator, gone=(1, 3)))
        return before, scenes.make_scene(SEED, COUNT, SIZE)


def test_what_stood_behind_a_thing_that_an_edit_took_away_gets_its_own_depth(before_and_after):
    before, after = before_and_after
    posed = PosedImages(ImageSet("/", tuple(map(str, range(COUNT)))), before.cameras)
    photos, edited = before.rgb / np.float32(255), after.rgb / np.float32(255)
    views = DepthViews(before.cameras, before.depth, 0.02)
    found = finish(find_new_shapes(views, photos, edited, posed))
    is_other = np.abs(before.depth / after.depth - 1) > 0.05
    assert is_other.mean() > 0.05
    off = [np.abs(depth / after.depth - 1)[is_other] for depth in (before.depth, found.depths)]
    assert np.median(off[1]) < 0.5 * np.median(off[0])
    is_same = (before.rgb == after.rgb).all(-1)
    kept = found.depths == before.depth
    assert kept[is_same].mean() > 0.97
    assert finish(find_new_shapes(views, photos, photos, posed)) is views
