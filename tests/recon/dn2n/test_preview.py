"""The preview of one view: what a run would make of it, at once, and honest about what it does not know."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from recon.dn2n import METHOD
from recon.dn2n.preview import preview_view
from recon.dn2n.preview_run import PICTURES, PREVIEW
from recon.errors import InputError
from recon.method import RunContext
from recon.run_request import find_method
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


@pytest.mark.filterwarnings("ignore")
def test_a_preview_by_a_network_is_a_run_of_its_own_with_two_pictures(posed, tiny_pipeline, tmp_path):
    values = {
        "prompt": "bronze",
        "editor": "ip2p",
        "model": str(tiny_pipeline("ip2p")),
        "options": ("size=32",),
    }
    settings = METHOD.make_settings(values | {"denoising_steps": 1})
    inputs = {
        "scene": posed.select(np.array([1])),
        "field": None,
        "cloud": None,
        "before": None,
        "cameras": None,
    }
    run = find_method(PREVIEW.id).load()(inputs, settings, RunContext(seed=2, folder=tmp_path))
    stages = []
    while True:
        try:
            stages.append(next(run).stage)
        except StopIteration as end:
            figures = end.value.figures
            break
    assert stages == ["Reading the photo", "Loading the editor", "Editing the photo"]
    before, after = (np.asarray(Image.open(tmp_path / name)) for name in PICTURES)
    np.testing.assert_array_equal(
        before, preview_view(posed, 1, METHOD.make_settings({"prompt": "night"})).before
    )
    assert before.shape == after.shape and (before != after).any()
    assert figures["label"] == "InstructPix2Pix, local" and len(figures["model_hash"]) == 64
