"""Cues computed by networks: real loading code, tiny random weights."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recon.cues import CuesSettings
from recon.cues.compute import run
from recon.cues.models import find_model, known_models, models_folder
from recon.errors import InputError, MissingModel, SettingsError
from recon.method import Result, RunContext
from render.image_files import read_depth, read_normals
from render.images import PosedImages
from tests.recon.cues.tiny_networks import save_depth_network, save_normals_network
from tests.synthetic_room import make_room, write_images

pytestmark = pytest.mark.filterwarnings("ignore")  # transformers and diffusers warn of what is theirs


def finished(scene: PosedImages, settings: CuesSettings, folder: Path) -> Result:
    steps = run({"scene": scene}, settings, RunContext(folder=folder))
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


@pytest.fixture(scope="module")
def depth_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers")
    return save_depth_network(tmp_path_factory.mktemp("networks") / "tiny-depth")


@pytest.fixture
def room(tmp_path: Path) -> PosedImages:
    return write_images(make_room(4, 64, 48), tmp_path / "room")


def test_every_used_photo_gets_a_depth_file_and_an_unused_one_none(depth_network, room, tmp_path) -> None:
    room = replace(room, disabled=np.array([False, True, False, False]))
    settings = CuesSettings(depth_model=str(depth_network), normal_model="none")
    scene = finished(room, settings, tmp_path).outputs[0].data
    assert [bool(path) for path in scene.depth.paths] == [True, False, True, True]
    assert scene.depth.kind in ("depth", "disparity") and scene.depth.source == "tiny-depth"
    depth = read_depth(scene, 0, (64, 48))
    assert depth.shape == (48, 64) and np.isfinite(depth).all() and depth.std() > 0


def test_a_run_that_was_ended_keeps_what_it_has_made(depth_network, room, tmp_path) -> None:
    settings = CuesSettings(depth_model=str(depth_network), normal_model="none")
    steps = run({"scene": room}, settings, RunContext(folder=tmp_path))
    next(steps), next(steps)
    steps.close()
    made = sorted(tmp_path.glob("depth-*/*.npy"))
    assert len(made) == 2
    np.save(made[0], np.full((48, 64), 7.0, np.float32))
    scene = finished(room, settings, tmp_path).outputs[0].data
    assert (read_depth(scene, 0, (64, 48)) == 7).all()
    assert len(list(tmp_path.glob("depth-*/*.npy"))) == 4 and not list(tmp_path.glob("depth-*/*.part"))


def test_normals_from_a_diffusion_pipeline_are_unit_vectors(room, tmp_path) -> None:
    pytest.importorskip("diffusers")
    network = save_normals_network(tmp_path / "tiny-normals")
    settings = CuesSettings(depth_model="none", normal_model=str(network), steps=1)
    scene = finished(room.select(np.arange(1)), settings, tmp_path).outputs[0].data
    normals = read_normals(scene, 0, (64, 48))
    assert np.allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-3)


def test_normals_derived_from_exact_depth_are_those_of_the_room(tmp_path) -> None:
    made = make_room(3, 96, 72)
    room = replace(write_images(made, tmp_path / "room", with_cues=True), normals=None)
    scene = finished(room, CuesSettings(depth_model="keep"), tmp_path).outputs[0].data
    assert scene.depth == room.depth
    angles = [(read_normals(scene, i, (96, 72)) * made.normals[i]).sum(-1) for i in range(3)]
    assert np.median(angles) > 0.999 and np.mean(np.array(angles) > 0.99) > 0.85


def test_a_network_that_is_not_here_is_named_with_its_size_licence_and_how_to_get_it(room, tmp_path) -> None:
    with pytest.raises(MissingModel) as caught:
        finished(room, CuesSettings(depth_model="depth-anything-v2-large"), tmp_path)
    assert "Depth Anything V2 Large" in caught.value.sentence and "1.3 GB" in caught.value.sentence
    assert "CC-BY-NC-4.0" in caught.value.sentence and "hf download" in caught.value.advice


def test_a_network_in_the_users_folder_is_found_by_its_name(isokiln_home) -> None:
    folder = models_folder() / "depth-pro"
    folder.mkdir(parents=True)
    found, model = find_model("depth-pro", "depth")
    assert found == folder and model is not None and model.kind == "metric"
    assert folder.is_relative_to(isokiln_home)


def test_a_result_names_the_weights_and_others_than_the_published_are_refused(
    depth_network, room, tmp_path, isokiln_home, monkeypatch
) -> None:
    (models_folder()).mkdir(parents=True)
    shutil.copytree(depth_network, models_folder() / "zoedepth")
    settings = CuesSettings(depth_model="zoedepth", normal_model="none")
    weights = hashlib.sha256((depth_network / "model.safetensors").read_bytes()).hexdigest()
    figures = finished(room, settings, tmp_path).figures
    assert figures["networks"] == [
        {"name": "ZoeDepth NYU and KITTI", "sha256": {"model.safetensors": weights}}
    ]
    rows = [replace(model, sha256={"model.safetensors": weights}) for model in known_models()]
    monkeypatch.setattr("recon.cues.models.known_models", lambda: rows)
    assert finished(room, settings, tmp_path).figures["networks"] == figures["networks"]
    rows[:] = [replace(model, sha256={"model.safetensors": "0" * 64}) for model in rows]
    with pytest.raises(InputError, match="is not the one that was published"):
        finished(room, settings, tmp_path)


def test_an_unknown_network_and_one_for_another_task_are_refused() -> None:
    for name in ("depth-nothing", "marigold-normals"):
        with pytest.raises(SettingsError, match="Choose one of"):
            find_model(name, "depth")


def test_a_folder_without_a_network_is_refused_with_a_sentence(room, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingModel, match="cannot be loaded"):
        finished(room, CuesSettings(depth_model=str(tmp_path / "empty"), normal_model="none"), tmp_path)


def test_a_wrong_kind_of_depth_is_refused(depth_network, room, tmp_path) -> None:
    with pytest.raises(SettingsError, match="metric, depth or disparity"):
        finished(room, CuesSettings(depth_model=str(depth_network), depth_kind="far"), tmp_path)


def test_a_scene_whose_photos_are_all_switched_off_is_refused(room, tmp_path) -> None:
    with pytest.raises(InputError, match="switched off"):
        finished(replace(room, disabled=np.ones(4, bool)), CuesSettings(), tmp_path)


def test_the_table_of_networks_tells_what_a_person_must_know() -> None:
    assert {model.task for model in known_models()} == {"depth", "normals", "words", "clicks", "edit"}
    for model in known_models():
        assert model.size > 1e6 and model.licence and model.hub.count("/") == 1 and model.revision
        assert (model.kind is not None) == (model.task == "depth")
        assert (model.signs is not None) == (model.task == "normals")
