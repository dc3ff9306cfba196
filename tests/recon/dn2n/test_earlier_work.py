"""A person who keeps other views waits neither for depth nor for editing a second time."""

import json
from dataclasses import replace

import numpy as np
import pytest

import recon.dn2n.edit_scene as edit_scene
from recon.dn2n import METHOD
from recon.dn2n.earlier_work import earlier_work
from recon.errors import InputError
from recon.method import RunContext
from tests.recon.dn2n.edited_scenes import procedural, write_scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return write_scene(procedural(), tmp_path_factory.mktemp("scene"))


def edited(folder, scene, **settings):
    """The field, its figures, and the stages that were told."""
    folder.mkdir(exist_ok=True)
    run = edit_scene.run({"scene": scene}, METHOD.make_settings(settings), RunContext(folder=folder))
    stages = []
    try:
        while True:
            stages.append(next(run).stage)
    except StopIteration as end:
        return end.value.outputs[0].data, end.value.figures, set(stages)


@pytest.fixture(scope="module")
def first(scene, tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    return folder, *edited(folder, scene, prompt="a night scene", image_size=64)


def test_with_other_views_an_edit_is_made_of_the_depth_and_pictures_of_before(
    scene, first, tmp_path, monkeypatch
):
    folder, field, figures, _ = first
    monkeypatch.setattr(edit_scene, "find_depth", None)
    monkeypatch.setattr(edit_scene, "editor_of", None)
    wish = {"prompt": "a night scene", "image_size": 64, "reuse": str(folder)}
    again, figures_again, _ = edited(tmp_path / "again", scene, **wish)
    np.testing.assert_allclose(again.depths, field.depths, rtol=1e-3)
    assert np.abs(again.pictures.astype(int) - field.pictures).max() <= 3, "bytes, in place of floats"
    assert {**figures_again["depth"], "tolerance": 0} == {**figures["depth"], "tolerance": 0}

    out = field.names[2]
    other, _, _ = edited(tmp_path / "other", scene, **wish, drop=[out])
    assert other.weights[2] == 0 and other.weights[[0, 1, 3]].all()
    row = json.loads((tmp_path / "other" / "views.json").read_text())[2]
    assert row["name"] == out and row["decision"] == "dropped" and row["is_overruled"]

    poses = scene.cameras.cam_from_world.copy()
    poses[:, :3, 3] *= 2
    larger = replace(scene, cameras=replace(scene.cameras, cam_from_world=poses))
    with pytest.raises(InputError, match="cannot be used again") as refusal:
        edited(tmp_path / "larger", larger, **wish)
    assert "other photos" in refusal.value.details


@pytest.mark.parametrize("other", [{"prompt": "snow"}, {"image_size": 32}, {"reuse": "/nowhere"}])
def test_what_another_edit_left_is_not_taken(first, other, caplog):
    settings = {"prompt": "a night scene", "image_size": 64, "reuse": str(first[0])}
    assert earlier_work(METHOD.make_settings(settings), 0) is not None
    assert earlier_work(METHOD.make_settings(settings | other), 0) is None
    assert "made anew" in caplog.text
    assert earlier_work(METHOD.make_settings(settings), 1) is None, "another seed is another edit"
