"""Parts found and edited by diffusion networks: real code, tiny random weights."""

from __future__ import annotations

import json
import weakref

import numpy as np
import pytest

from recon.errors import FormatError, InputError, MissingModel, SettingsError
from tests.recon.romap.romap_runs import are_same_rows, edit_part, find_parts
from tests.recon.romap.test_word_evidence import sam2  # noqa: F401
from tests.synthetic_parts import PARTS

pytestmark = pytest.mark.filterwarnings("ignore")

SCARF = PARTS.index("scarf")
QUICK = {
    "instruction": "denim", "part": SCARF, "anchor_views": 2, "image_size": 64, "steps": 3, "denoising_steps": 2,
    "options": ("size=32",),
}  # fmt: skip


@pytest.mark.parametrize(
    ("editor", "pipeline", "more"),
    [
        ("slamp", "sd3", {}), ("slamp", "sd3", {"sds": 5.0}), ("ip2p", "ip2p", {"strength": 0.5}),
        ("flux-fill", "flux-fill", {"prior": "grey"}),
    ],
)  # fmt: skip
def test_a_network_edits_one_part_and_no_byte_of_the_others(
    snowman, exact_scene, tiny_pipeline, editor, pipeline, more
) -> None:
    inputs = {"cloud": snowman.cloud, "cameras": exact_scene[0]}
    settings = QUICK | {"editor": editor, "model": str(tiny_pipeline(pipeline))} | more
    edited, figures = edit_part(inputs, seed=3, **settings)
    others = snowman.cloud.extra["part"] != SCARF
    assert are_same_rows(snowman.cloud, edited, others) and figures["changed_outside"] == 0
    assert figures["changed"] == (~others).sum() and figures["visible_change"] > 0.02
    assert figures["edited_images"] == 2 and len(figures["model_hash"]) == 64
    assert figures["editor"].endswith("local") and figures["model_hash"] in edited.comments[-1]
    if "sds" in more:
        again, _ = edit_part(inputs, seed=3, **settings)
        assert again.sh.tobytes() == edited.sh.tobytes() and again.means.tobytes() == edited.means.tobytes()


def test_score_distillation_pulls_only_at_the_part_and_as_hard_as_asked(snowman, tiny_pipeline) -> None:
    from recon.romap import EditSettings
    from recon.romap.painted_anchors import PaintedAnchors

    wishes = EditSettings(**QUICK | {"editor": "slamp", "model": str(tiny_pipeline("sd3")), "sds": 2.0})
    picture = np.random.default_rng(0).random((30, 40, 3), np.float32)
    mask = np.zeros((30, 40), np.float32)
    mask[8:20, 10:30] = 1
    provider = PaintedAnchors(wishes, 5, "cpu")
    slope = provider.pull(picture, mask, 0.0)
    assert slope.shape == picture.shape and np.isfinite(slope).all()
    assert not slope[mask == 0].any() and (slope[mask > 0] != 0).mean() > 0.9
    assert np.abs(slope).sum() == pytest.approx(2.0, rel=1e-4)
    assert provider.pull(picture, 0 * mask, 0.0) is None
    network = weakref.ref(provider._painter.pipeline.transformer)
    provider.close()
    assert network() is None and provider.pull(picture, mask, 0.5) is None
    again = PaintedAnchors(wishes, 5, "cpu")
    assert again.pull(picture, mask, 0.0).tobytes() == slope.tobytes()
    again.close()


def test_the_network_is_let_go_of_before_fitting_unless_it_pulls(snowman, tiny_pipeline) -> None:
    from recon.romap import EditSettings
    from recon.romap.edit_provider import EditView
    from recon.romap.painted_anchors import PaintedAnchors

    mask = np.zeros((40, 40), np.float32)
    mask[10:20, 12:22] = 1
    mask[20, 12:22] = 0.4
    view = EditView(7, np.full((40, 40, 3), 0.2, np.float32), mask)
    provider = PaintedAnchors(
        EditSettings(**QUICK | {"editor": "slamp", "model": str(tiny_pipeline("sd3"))}), 0, "cpu"
    )
    network = weakref.ref(provider._painter.pipeline.transformer)
    (anchor,) = provider.anchors(iter([view]))
    assert anchor.view == 7 and anchor.picture[mask == 0].tobytes() == view.picture[mask == 0].tobytes()
    assert np.abs(anchor.picture - view.picture)[mask == 1].mean() > 0.05
    assert network() is None


def test_what_contradicts_itself_is_told_before_a_network_is_loaded(snowman, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ISOKILN_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    inputs = {"cloud": snowman.cloud}
    with pytest.raises(SettingsError, match="needs Stable Diffusion 3"):
        edit_part(inputs, **QUICK | {"editor": "ip2p", "sds": 1.0})
    with pytest.raises(SettingsError, match="both asked for"):
        edit_part(inputs, part=SCARF, anchors=str(tmp_path), editor="slamp")
    with pytest.raises(SettingsError, match="no edited images"):
        edit_part(inputs, **QUICK | {"editor": "anchors"})
    with pytest.raises(MissingModel, match=r"Stable Diffusion 3 Medium.*Accept its licence"):
        edit_part(inputs, **QUICK | {"editor": "slamp"})


def test_views_to_repaint_lie_around_the_part(snowman, exact_scene) -> None:
    from recon.romap.edit_by_pictures import chosen_views
    from recon.romap.edit_provider import EditView

    cameras = exact_scene[0].cameras
    views = [
        EditView(i, np.zeros((4, 4, 3)), np.full((4, 4), 1.0 if i % 2 else 0.6)) for i in range(len(cameras))
    ]
    chosen = [view.view for view in chosen_views(views, cameras, 4)]
    assert len(set(chosen)) == 4
    places = cameras.positions[chosen]
    apart = np.linalg.norm(places[:, None] - places, axis=-1)[~np.eye(4, dtype=bool)].min()
    first = cameras.positions[:4]
    assert apart > np.linalg.norm(first[:, None] - first, axis=-1)[~np.eye(4, dtype=bool)].min()
    hidden = [EditView(0, np.zeros((4, 4, 3)), np.zeros((4, 4)))]
    with pytest.raises(InputError, match="No view shows the part"):
        chosen_views(hidden, cameras, 4)


def test_attention_maps_have_a_score_a_patch_and_follow_picture_and_words(tiny_pipeline) -> None:
    from recon.diffusion import PAINTERS, PaintOptions
    from recon.diffusion.attention_maps import WordMaps
    from recon.diffusion.loading import LocalPipeline

    local = LocalPipeline(PAINTERS["slamp"], str(tiny_pipeline("sd3")), PaintOptions(), "cpu")
    finder = WordMaps(local.pipeline, 32, 16, seed=0)
    picture = np.random.default_rng(0).random((40, 80, 3), np.float32)
    maps = finder.maps(picture, ["nose", "red hat"])
    assert maps.shape == (2, 16 // 4 // 2, 32 // 4 // 2) and np.isfinite(maps).all() and maps.std() > 0
    assert finder.maps(picture, ["nose", "red hat"]).tobytes() == maps.tobytes()
    assert np.abs(maps[0] - maps[1]).max() > 0
    assert np.abs(finder.maps(picture[:, ::-1], ["nose", "red hat"]) - maps).max() > 0
    assert not local.pipeline.transformer._forward_pre_hooks, "nothing stays on the network"
    local.close()


def test_temperature_widens_a_part_and_the_first_named_wins() -> None:
    from recon.diffusion.attention_maps import parts_of_maps

    x = np.linspace(-1, 1, 16, dtype=np.float32)
    hill = np.exp(-(x[:, None] ** 2 + x**2) * 2)
    areas = [(parts_of_maps(hill[None], [t], (64, 64)) > 0.5).mean() for t in (0.1, 0.2, 0.7)]
    assert areas[0] < areas[1] < areas[2]
    small, large = parts_of_maps(np.stack([hill, hill]), [0.1, 0.7], (64, 64))
    assert small.max() == 1 and (large[small > 0.5] == 0).all() and (large > 0.5).any()
    assert not parts_of_maps(np.zeros((1, 4, 4), np.float32), [0.2], (8, 8))[0].std()


def test_parts_by_attention_come_through_the_method(snowman, tiny_pipeline) -> None:
    more = {
        "words_model": str(tiny_pipeline("sd3")),
        "words_size": 32,
        "ring_views": 4,
        "image_size": 48,
        "lifting": "votes",
    }
    found, figures = find_parts({"cloud": snowman.plain}, words="hat, nose", temperatures=(0.1, 0.4), **more)
    assert found.comments[-2:] == ("part 1 hat", "part 2 nose") and figures["parts"] == 3
    with pytest.raises(SettingsError, match="3 temperatures for 2 parts"):
        find_parts({"cloud": snowman.plain}, words="hat, nose", temperatures=(0.1, 0.4, 1), **more)


def _clicks(folder, rows):
    path = folder / "clicks.json"
    path.write_text(rows if isinstance(rows, str) else json.dumps(rows))
    return str(path)


def test_clicks_and_boxes_of_a_file_become_parts(snowman, exact_scene, sam2, tmp_path) -> None:  # noqa: F811
    scene = exact_scene[0]
    first, second = (scene.images.names[view] for view in scene.used[:2])
    clicks = _clicks(tmp_path, {
        first: [{"part": 3, "point": [40, 40]}, {"part": 3, "point": [5, 5], "inside": False}],
        second: [{"part": 7, "box": [20, 20, 60, 70]}],
    })  # fmt: skip
    found, _ = find_parts(
        {"cloud": snowman.plain, "cameras": scene},
        clicks=clicks,
        clicks_model=str(sam2),
        image_size=48,
        lifting="votes",
    )
    assert set(np.unique(found.extra["part"])) <= {-1, 0, 3, 7} and (found.extra["part"] >= 0).any()


@pytest.mark.parametrize(
    ("rows", "error", "words"),
    [
        ("{", FormatError, "cannot be read"), ({}, FormatError, "no views"), ({"VIEW": 3}, FormatError, "no list"),
        ({"VIEW": [{"point": [1, 2]}]}, FormatError, "lacks its part"),
        ({"VIEW": [{"part": 0, "point": [1, 2]}]}, FormatError, "no part that can be"),
        ({"VIEW": [{"part": 1, "point": [1, 2, 3]}]}, FormatError, "no place"),
        ({"VIEW": [{"part": 1, "point": [1, 2000]}]}, InputError, "outside its view"),
        ({"VIEW": [{"part": 1, "box": [9, 9, 1, 1]}]}, InputError, "outside its view"),
        ({"VIEW": [{"part": 1, "point": [1, 2], "inside": False}]}, InputError, "No click"),
        ({"nobody": [{"part": 1, "point": [1, 2]}]}, InputError, "No view is called"),
    ],
)  # fmt: skip
def test_clicks_that_cannot_be_are_told(exact_scene, tmp_path, rows, error, words) -> None:
    from pathlib import Path

    from recon.romap.click_files import read_clicks

    scene = exact_scene[0]
    if isinstance(rows, dict):
        rows = {name.replace("VIEW", scene.images.names[0]): value for name, value in rows.items()}
    sizes = scene.cameras.size
    with pytest.raises(error, match=words):
        read_clicks(Path(_clicks(tmp_path, rows)), scene.images.names, sizes, sizes // 2)


@pytest.fixture(scope="module")
def grounding_dino(tmp_path_factory):
    import string

    import torch
    from transformers import (
        BertConfig,
        BertTokenizer,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        GroundingDinoImageProcessorPil,
        GroundingDinoProcessor,
        SwinConfig,
    )

    folder = tmp_path_factory.mktemp("grounding-dino")
    torch.manual_seed(0)
    backbone = SwinConfig(
        image_size=32, patch_size=4, embed_dim=8, depths=[1, 1, 1], num_heads=[1, 1, 1], window_size=2,
        out_features=["stage1", "stage2", "stage3"],
    )  # fmt: skip
    text = BertConfig(
        vocab_size=64, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=64,
    )  # fmt: skip
    config = GroundingDinoConfig(
        backbone_config=backbone, text_config=text, d_model=32, encoder_layers=1, decoder_layers=2,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, num_queries=5,
        num_feature_levels=3, max_text_len=32,
    )  # fmt: skip
    GroundingDinoForObjectDetection(config).save_pretrained(folder)
    letters = [*string.ascii_lowercase, *("##" + letter for letter in string.ascii_lowercase)]
    (folder / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", *letters])
    )
    images = GroundingDinoImageProcessorPil(size={"shortest_edge": 32, "longest_edge": 64})
    GroundingDinoProcessor(images, BertTokenizer(str(folder / "vocab.txt"))).save_pretrained(folder)
    return folder


def test_boxes_by_words_are_filled_or_get_their_outline(snowman, grounding_dino, sam2, tmp_path) -> None:  # noqa: F811
    from recon.romap.mask_networks import ClickNetwork
    from recon.romap.word_networks import BoxNetwork

    picture = np.random.default_rng(0).random((40, 60, 3), np.float32)
    boxes = BoxNetwork(grounding_dino, None, "cpu")(picture, ["hat", "nose"])
    assert boxes.shape == (2, 40, 60) and set(np.unique(boxes)) <= {0, 1} and boxes.any()
    for box in boxes:
        rows, columns = np.nonzero(box)
        assert len(rows) == 0 or box[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].all()
    outlines = ClickNetwork(sam2, "cpu")
    shapes = BoxNetwork(grounding_dino, outlines, "cpu")(picture, ["hat", "nose"])
    assert shapes.shape == (2, 40, 60) and shapes.min() >= 0 and not set(np.unique(shapes)) <= {0, 1}
    found, _ = find_parts(
        {"cloud": snowman.plain}, words="hat, nose", words_model=str(grounding_dino), clicks_model=str(sam2),
        ring_views=4, image_size=48, lifting="votes",
    )  # fmt: skip
    assert found.extra["part"].shape == (len(snowman.cloud),)
    (tmp_path / "config.json").write_text('{"model_type": "grounding-dino"}')
    with pytest.raises(MissingModel, match="cannot be loaded"):
        BoxNetwork(tmp_path, None, "cpu")
