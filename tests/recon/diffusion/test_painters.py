"""Networks that repaint pictures: real loading and running, tiny random weights."""

from __future__ import annotations

import shutil
import weakref

import numpy as np
import pytest

from recon.diffusion import PAINTERS, PaintOptions, options_of
from recon.dn2n.editors import EDITORS, SceneView, make_editor
from recon.errors import InputError, MissingModel, OutOfMemory, SettingsError

pytestmark = pytest.mark.filterwarnings("ignore")

FOLDERS = {
    "ip2p": "ip2p", "img2img": "sd", "sdxl": "sdxl", "sd3": "sd3", "flux-kontext": "flux-kontext", "null-text": "sd",
    "inpaint": "inpaint", "flux-fill": "flux-fill", "slamp": "sd3",
}  # fmt: skip
QUICK = {"size": 32, "steps": 2, "inner_steps": 1}
RGB = np.random.default_rng(0).random((40, 60, 3), np.float32)
MASK = np.zeros((40, 60), np.float32)
MASK[10:30, 10:40] = 1
MASK[10:30, 40:44] = 0.5


def _new(tiny_pipeline, name, **options):
    from recon.diffusion.painter import make_painter

    return make_painter(name, str(tiny_pipeline(FOLDERS[name])), QUICK | options, "cpu")


@pytest.fixture(scope="module")
def painter(tiny_pipeline):
    """Gives painters, each made once."""
    made = {}

    def give(name, **options):
        key = (name, *sorted(options.items()))
        if key not in made:
            made[key] = _new(tiny_pipeline, name, **options)
        return made[key]

    return give


@pytest.mark.parametrize("name", FOLDERS)
def test_a_painter_changes_what_its_mask_covers_and_no_bit_elsewhere(painter, name) -> None:
    network = painter(name)
    first = network.paint(RGB, MASK, "make it red", 1)
    assert first.shape == RGB.shape and first.dtype == np.float32 and 0 <= first.min() <= first.max() <= 1
    assert np.abs(first - RGB)[MASK > 0].mean() > 0.01
    assert first[MASK == 0].tobytes() == RGB[MASK == 0].tobytes()
    assert network.paint(RGB, MASK, "make it red", 1).tobytes() == first.tobytes()
    assert np.abs(network.paint(RGB, MASK, "a green cat", 1) - first).max() > 1e-4
    if name != "null-text":  # which begins from the picture's own noise
        assert np.abs(network.paint(RGB, MASK, "make it red", 2) - first).max() > 1e-3
    assert network.paint(RGB, MASK, "make it red", 1, strength=0).tobytes() == RGB.tobytes()


@pytest.mark.parametrize("name", ["ip2p", "img2img", "slamp"])
def test_projected_guidance_with_everything_kept_is_plain_guidance(painter, name) -> None:
    plain = painter(name, guidance=9.0).paint(RGB, MASK, "red", 1)
    kept = {"apg": True, "apg_parallel": 1.0, "apg_norm": 1e9, "apg_momentum": 0.0}
    same = painter(name, guidance=9.0, **kept).paint(RGB, MASK, "red", 1)
    projected = painter(name, guidance=9.0, apg=True).paint(RGB, MASK, "red", 1)
    np.testing.assert_allclose(same, plain, atol=2e-3)
    assert np.abs(same - plain).max() < 0.1 * np.abs(projected - plain).max()


def test_projected_guidance_shortens_steps_and_drops_what_lies_along_the_prediction() -> None:
    import torch

    from recon.diffusion.guidance import ProjectedGuidance

    clean, without = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    step = ProjectedGuidance(2.0, parallel=0.0, norm=1.0)(clean, without) - clean
    assert abs(float((step * clean).sum())) < 1e-4 and float(step.norm()) <= 1
    plain = ProjectedGuidance(3.0, parallel=1.0, norm=1e9)(clean, without)
    torch.testing.assert_close(plain, without + 3 * (clean - without))


def test_strength_and_noise_say_how_far_image_to_image_goes(painter) -> None:
    changes = [
        painter("img2img", steps=10, noise=noise).paint(RGB, MASK, "red", 1, strength)
        for noise, strength in ((0.1, 1.0), (0.2, 1.0), (0.8, 1.0), (0.8, 0.25))
    ]
    least, little, much, weak = changes
    assert np.abs(much - least).mean() > np.abs(little - least).mean() > 0
    assert weak.tobytes() == little.tobytes()


@pytest.mark.parametrize(
    ("shape", "longest", "multiple", "expected"),
    [((1080, 1920), 512, 8, (288, 512)), ((192, 108), 512, 16, (512, 288)), ((10, 1000), 64, 16, (16, 64))],
)
def test_sizes_for_networks_are_multiples_and_keep_the_shape(shape, longest, multiple, expected) -> None:
    from recon.diffusion.painter import network_size

    assert network_size(shape, longest, multiple) == expected


def test_closing_lets_go_of_every_network(tiny_pipeline) -> None:
    network = _new(tiny_pipeline, "img2img")
    network.paint(RGB, MASK, "red", 1)
    held = [
        weakref.ref(network.pipeline.unet),
        weakref.ref(network.pipeline.vae),
        weakref.ref(network.pipeline),
    ]
    network.close()
    assert [each() for each in held] == [None] * 3
    with pytest.raises(RuntimeError, match="closed"):
        network.paint(RGB, MASK, "red", 1)


@pytest.mark.parametrize("kind", ["cuda", "ram", "allocator"])
def test_running_out_of_memory_says_what_to_lower(painter, monkeypatch, kind) -> None:
    import torch

    error = {
        "cuda": torch.OutOfMemoryError("CUDA out of memory"), "ram": MemoryError(),
        "allocator": RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"),
    }[kind]  # fmt: skip
    network = painter("img2img")

    def fail(*given, **named):
        raise error

    monkeypatch.setattr(network.pipeline.unet, "forward", fail)
    with pytest.raises(OutOfMemory, match=r"size=512.*offload=model"):
        network.paint(RGB, MASK, "red", 1)


@pytest.mark.parametrize("name", ["ip2p", "slamp", "null-text"])
def test_numbers_that_are_none_are_told(tiny_pipeline, name) -> None:
    import torch

    network = _new(tiny_pipeline, name)
    with torch.no_grad():
        next(network.pipeline.vae.decoder.parameters()).fill_(float("nan"))
    with pytest.raises(InputError, match=r"NaN.*float32"):
        network.paint(RGB, MASK, "red", 1)


def test_what_is_not_there_is_named_with_its_size_licence_and_command(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ISOKILN_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingModel, match=r"InstructPix2Pix .5\.5 GB, licence MIT. .*hf download timbrooks"):
        make_editor("ip2p", "red")
    with pytest.raises(
        MissingModel, match=r"Accept its licence at huggingface\.co/black-forest.*hf auth login.*hf down"
    ):
        make_editor("flux-kontext", "red")
    with pytest.raises(MissingModel, match="cannot be loaded"):
        make_editor("ip2p", "red", options={"model": str(tmp_path)})


def test_a_network_of_another_kind_is_refused_before_it_runs(tiny_pipeline) -> None:
    with pytest.raises(MissingModel, match="holds StableDiffusion3Pipeline"):
        make_editor("ip2p", "red", options={"model": str(tiny_pipeline("sd3"))})
    with pytest.raises(MissingModel, match="not made for InstructPix2Pix"):
        make_editor("ip2p", "red", options={"model": str(tiny_pipeline("sd"))})


def test_a_damaged_file_is_told(tiny_pipeline, tmp_path) -> None:
    folder = shutil.copytree(tiny_pipeline("sd"), tmp_path / "broken")
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"no weights")
    with pytest.raises(MissingModel, match=r"cannot be loaded.*fetch it anew"):
        make_editor("img2img", "red", options={"model": str(folder)})


def test_options_are_checked_by_name_and_range(tiny_pipeline) -> None:
    for options, words in (
        ({"stepps": 3}, "no option “stepps”"), ({"steps": 0}, "steps cannot be 0"), ({"size": "big"}, "size cannot be"),
        ({"apg": True}, "no adaptive projected guidance"), ({"reweight": "dog:2"}, "not one of a word"),
    ):  # fmt: skip
        name = {"apg": "flux-kontext", "reweight": "null-text"}.get(next(iter(options)), "ip2p")
        with pytest.raises(SettingsError, match=words):
            editor = make_editor(
                name, "red", options=QUICK | {"model": str(tiny_pipeline(FOLDERS[name]))} | options
            )
            try:
                editor.edit(_view(), 0)
            finally:
                editor.close()
    assert options_of(("steps=4", "apg=true", "source=a cat")) == {"steps": 4, "apg": True, "source": "a cat"}


def test_qwen_is_asked_in_the_words_of_its_pipeline(tmp_path, monkeypatch) -> None:
    import importlib.util
    import inspect
    from types import SimpleNamespace

    import diffusers
    import torch

    from recon.diffusion.pipeline_painters import QwenPainter

    call = inspect.signature(diffusers.QwenImageEditPipeline.__call__)
    asked = {}

    def pipeline(**named):
        asked.update(call.bind(None, **named).arguments)
        return SimpleNamespace(images=torch.full((1, 3, named["height"], named["width"]), 0.25))

    painter = QwenPainter.__new__(QwenPainter)  # its processor needs torchvision, which tests do without
    painter.kind, painter.options = PAINTERS["qwen-image-edit"], PaintOptions(size=64, steps=3, guidance=2.0)
    painter.local = SimpleNamespace(pipeline=pipeline)
    made = painter.paint(RGB, MASK, "red", 0)
    np.testing.assert_allclose(made[MASK == 1], 0.25)
    wanted = {"height": 32, "width": 64, "num_inference_steps": 3, "true_cfg_scale": 2.0, "prompt": "red"}
    assert {name: asked[name] for name in wanted} == wanted and asked["negative_prompt"] == " "
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (tmp_path / "model_index.json").write_text('{"_class_name": "QwenImageEditPipeline"}')
    with pytest.raises(MissingModel, match=r"torchvision.*pip install"):
        make_editor("qwen-image-edit", "red", options={"model": str(tmp_path)})


def test_every_network_of_the_tables_has_its_editor_model_and_class() -> None:
    import diffusers

    from recon.cues.models import known_models

    known = {model.id for model in known_models() if model.task == "edit"}
    assert {kind.model for kind in PAINTERS.values()} == known
    assert all(hasattr(diffusers, kind.pipeline) for kind in PAINTERS.values())
    networks = {kind.id for kind in EDITORS if kind.needs == "network"}
    assert networks <= set(PAINTERS) and len(networks) == 7
    assert PaintOptions().noise == 0.75


def _view(mask=MASK) -> SceneView:
    return SceneView("a", RGB, np.ones((40, 60)), mask, np.eye(4), (50, 50), (30, 20), (0, 0, 1))


def test_a_scene_s_editor_says_which_network_with_which_weights(tiny_pipeline) -> None:
    options = QUICK | {"model": str(tiny_pipeline("ip2p"))}
    editor = make_editor("ip2p", "make it red", strength=0.5, options=options)
    try:
        plan = editor.plan
        assert plan.label == "InstructPix2Pix, local" and plan.consistency == "none"
        assert len(plan.model_hash) == 64 and "mixed" in plan.notes[0]
        editor.prepare([_view()], 3)
        made = editor.edit(_view(), 3)
        assert made[MASK == 0].tobytes() == RGB[MASK == 0].tobytes()
        assert editor.edit(_view(np.zeros((40, 60))), 3).tobytes() == RGB.tobytes()
    finally:
        editor.close()
    with pytest.raises(InputError, match="prompt is empty"):
        make_editor("ip2p", " ", options=options)
