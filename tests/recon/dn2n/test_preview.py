"""The preview of one view: what a run would make of it, at once, and honest about what it does not know."""

from dataclasses import replace

import numpy as np
import pytest

from recon.dn2n import METHOD
from recon.dn2n.preview import preview_view
from recon.errors import InputError
from tests.synthetic_room import make_room, write_images


@pytest.fixture(scope="module")
def posed(tmp_path_factory):
    return write_images(make_room(3, 48, 36), tmp_path_factory.mktemp("room"))


def test_the_preview_shows_the_photo_and_the_same_edited(posed):
    found = preview_view(posed, 1, METHOD.make_settings({"prompt": "make it night"}), seed=3)
    assert found.before.shape == found.after.shape == (36, 48, 3)
    assert found.after.mean() < 0.7 * found.before.mean()
    again = preview_view(posed, 1, METHOD.make_settings({"prompt": "make it night"}), seed=3)
    np.testing.assert_array_equal(again.after, found.after)


def test_the_preview_tells_what_was_not_understood_and_that_depth_is_missing(posed):
    plain = replace(posed, depth=None)
    found = preview_view(plain, 0, METHOD.make_settings({"prompt": "make it night and wibbly"}))
    assert any("wibbly" in note for note in found.notes)
    assert any("depth" in note for note in found.notes)
    boxed = replace(plain, world_from_region=np.eye(4))
    with pytest.raises(InputError, match="depth"):
        preview_view(boxed, 0, METHOD.make_settings({"prompt": "make it night", "in_box": True}))
