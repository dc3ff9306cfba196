"""A whole scene edited by a tiny network: masks hold, seeds come back, and the result says which network it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import recon.dn2n.edit_scene as edit_scene
from recon.dn2n import METHOD
from recon.errors import OutOfMemory, SettingsError
from recon.method import RunContext
from tests.recon.dn2n.edited_scenes import procedural, write_scene
from tests.recon.romap.romap_runs import result_of

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return write_scene(procedural(), tmp_path_factory.mktemp("scene"))


def _edited(folder: Path, scene, model: Path, seed: int = 0, **settings):
    folder.mkdir(exist_ok=True)
    wishes = {
        "editor": "ip2p",
        "model": str(model),
        "prompt": "make it red",
        "denoising_steps": 2,
        "views": 2,
    }
    given = METHOD.make_settings(wishes | {"options": ("size=32",)} | settings)
    return result_of(edit_scene.run({"scene": scene}, given, RunContext(folder=folder, seed=seed)))


def _pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "edited").iterdir())}


def test_a_network_edits_a_scene_within_its_masks_and_is_named(scene, tiny_pipeline, tmp_path) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    mask = np.zeros((48, 64), np.uint8)
    mask[:, 20:50] = 255
    for path in scene.images.paths:
        Image.fromarray(mask).save(masks / Path(path).name)
    result = _edited(tmp_path / "a", scene, tiny_pipeline("ip2p"), masks=str(masks))
    assert len(result.figures["model_hash"]) == 64 and result.figures["label"] == "InstructPix2Pix, local"
    assert (
        json.loads((tmp_path / "a" / "metrics.json").read_text())["model_hash"]
        == result.figures["model_hash"]
    )
    for path in sorted((tmp_path / "a" / "edited").iterdir()):
        before = np.asarray(Image.open(Path(scene.images.folder) / "images" / path.name))
        after = np.asarray(Image.open(path))
        assert (before[mask == 0] == after[mask == 0]).all()
        assert np.abs(before[mask > 0].astype(int) - after[mask > 0]).mean() > 2
    _edited(tmp_path / "b", scene, tiny_pipeline("ip2p"), masks=str(masks))
    assert _pictures(tmp_path / "a") == _pictures(tmp_path / "b")


def test_a_full_memory_ends_the_edit_with_what_to_lower(scene, tiny_pipeline, tmp_path, monkeypatch) -> None:
    import diffusers
    import torch

    def fail(*given, **named):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(diffusers.UNet2DConditionModel, "forward", fail)
    with pytest.raises(OutOfMemory, match="Lower the size"):
        _edited(tmp_path / "a", scene, tiny_pipeline("ip2p"))
    assert not (tmp_path / "a" / "edited").exists()


def test_settings_of_networks_are_checked(tmp_path) -> None:
    with pytest.raises(SettingsError, match="editor"):
        METHOD.make_settings({"editor": "magic"})
    given = METHOD.make_settings({"model": str(tmp_path), "guidance": 3})
    assert given.model == str(tmp_path.absolute())
    assert METHOD.make_settings({"model": "instruct-pix2pix"}).model == "instruct-pix2pix"
