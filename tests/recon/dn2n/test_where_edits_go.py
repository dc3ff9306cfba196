"""Which photos an edit takes, and where in them it goes."""

from dataclasses import replace

import numpy as np
import pytest

from recon.dn2n.depth_views import DepthViews
from recon.dn2n.edit_masks import masks_of_box
from recon.dn2n.scene_views import chosen_photos
from recon.errors import InputError
from render.cameras import CameraSet
from render.images import ImageSet, PosedImages


def make_posed(count=6):
    cameras = CameraSet(
        np.tile(np.eye(4), (count, 1, 1)),
        np.full((count, 2), 10.0),
        np.full((count, 2), 8.0),
        np.full((count, 2), 16),
    )
    return PosedImages(ImageSet("/", tuple(f"{i}.png" for i in range(count))), cameras)


def test_photos_are_chosen_by_name_among_those_that_are_switched_on():
    posed = replace(make_posed(), disabled=np.array([0, 1, 0, 0, 0, 0], bool))
    assert chosen_photos(posed, 1).tolist() == [0, 2, 3, 4, 5]
    assert chosen_photos(posed, 2).tolist() == [0, 3, 5]
    assert chosen_photos(posed, 1, ("1.png", "3.png", "5.png")).tolist() == [3, 5]
    with pytest.raises(InputError, match=r"7\.png"):
        chosen_photos(posed, 1, ("7.png",))


def test_a_box_limits_an_edit_to_what_lies_in_it():
    depths = np.full((1, 16, 16), 4.0, np.float32)
    depths[0, :8] = 0  # unknown
    depths[0, :, 12:] = 9.0  # behind the box
    views = DepthViews(make_posed(1).cameras, depths)
    box = np.diag([1.0, 1.0, 0.5, 1.0])
    box[2, 3] = 4.0
    mask = masks_of_box(box, views)[0].astype(bool)
    x = (np.arange(16) + 0.5 - 8) / 10 * 4
    wanted = (np.abs(x)[None] <= 1) & (np.abs(x)[:, None] <= 1)
    wanted[:8] = wanted[:, 12:] = False
    np.testing.assert_array_equal(mask, wanted)
    with pytest.raises(InputError, match="no box"):
        masks_of_box(None, views)
    box[2, 3] = 40.0
    with pytest.raises(InputError, match="Nothing"):
        masks_of_box(box, views)
