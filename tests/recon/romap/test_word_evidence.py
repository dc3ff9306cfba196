"""Networks that find parts: real loading code, tiny random weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from recon.errors import MissingModel, SettingsError
from recon.romap.evidence import LabelEvidence, ScoreEvidence
from recon.romap.mask_networks import ClickNetwork, WordNetwork
from recon.romap.word_evidence import Click, ClickEvidence, SplatPictures, WordEvidence, winner_takes
from tests.recon.romap.romap_runs import find_parts
from tests.synthetic_parts import PARTS, view_ious


@pytest.fixture(scope="module")
def clipseg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from transformers import (
        CLIPSegConfig,
        CLIPSegForImageSegmentation,
        CLIPSegProcessor,
        CLIPTokenizer,
        ViTImageProcessorPil,
    )

    folder = tmp_path_factory.mktemp("clipseg")
    torch.manual_seed(0)
    small = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2, "projection_dim": 16}
    text = {
        "vocab_size": 64,
        "num_hidden_layers": 2,
        "max_position_embeddings": 16,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 1,
    }
    vision = {"num_hidden_layers": 3, "image_size": 32, "patch_size": 8}
    config = CLIPSegConfig(
        text_config=small | text, vision_config=small | vision, projection_dim=16, extract_layers=[0, 1], reduce_dim=8,
        decoder_num_attention_heads=2, decoder_intermediate_size=16,
    )  # fmt: skip
    CLIPSegForImageSegmentation(config).save_pretrained(folder)
    letters = {
        f"{letter}{end}": i
        for i, (letter, end) in enumerate(
            ((letter, end) for letter in "abcdefghijklmnopqrstuvwxyz" for end in ("", "</w>")), 2
        )
    }
    (folder / "vocab.json").write_text(json.dumps({"<|startoftext|>": 0, "<|endoftext|>": 1, **letters}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    CLIPSegProcessor(ViTImageProcessorPil(size={"height": 32, "width": 32}), tokenizer).save_pretrained(
        folder
    )
    return folder


@pytest.fixture(scope="module")
def sam2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from transformers import (
        Sam2Config,
        Sam2HieraDetConfig,
        Sam2MaskDecoderConfig,
        Sam2Model,
        Sam2PromptEncoderConfig,
        Sam2VisionConfig,
    )

    folder, side = tmp_path_factory.mktemp("sam2"), 64
    torch.manual_seed(0)
    backbone = Sam2HieraDetConfig(
        hidden_size=8, num_attention_heads=1, image_size=[side, side],
        window_positional_embedding_background_size=[4, 4], blocks_per_stage=[1, 2, 1, 1],
        embed_dim_per_stage=[8, 16, 32, 64], num_attention_heads_per_stage=[1, 2, 4, 8],
        window_size_per_stage=[4, 2, 2, 2], global_attention_blocks=[2],
    )  # fmt: skip
    vision = Sam2VisionConfig(
        backbone_config=backbone, backbone_channel_list=[64, 32, 16, 8], fpn_hidden_size=32,
        backbone_feature_sizes=[[side // 4] * 2, [side // 8] * 2, [side // 16] * 2],
    )  # fmt: skip
    prompt = Sam2PromptEncoderConfig(hidden_size=32, image_size=side, patch_size=16, mask_input_channels=8)
    decoder = Sam2MaskDecoderConfig(hidden_size=32, mlp_dim=32, num_attention_heads=2, iou_head_hidden_dim=32)
    model = Sam2Model(
        Sam2Config(vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder)
    )
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3)
    model.save_pretrained(folder)
    return folder


@pytest.mark.filterwarnings("ignore")
def test_a_word_network_scores_every_pixel_of_any_picture(clipseg) -> None:
    picture = np.random.default_rng(0).random((40, 60, 3), np.float32)
    network = WordNetwork(clipseg, "cpu")
    scores = network(picture, ["hat", "nose"])
    assert scores.shape == (2, 40, 60) and scores.min() >= 0 and scores.max() <= 1
    assert np.abs(scores[0] - scores[1]).max() > 0
    assert network(picture, ["hat", "nose"]).tobytes() == scores.tobytes()


@pytest.mark.filterwarnings("ignore")
def test_a_click_network_answers_to_where_one_clicks(sam2) -> None:
    picture = np.random.default_rng(0).random((40, 60, 3), np.float32)
    network = ClickNetwork(sam2, "cpu")
    here = network(picture, np.array([[10.0, 10.0]]), [True])
    there = network(picture, np.array([[50.0, 30.0], [5.0, 5.0]]), [True, False])
    assert here.shape == there.shape == (40, 60) and 0 <= here.min() <= here.max() <= 1
    assert np.abs(here - there).max() > 0


@pytest.mark.filterwarnings("ignore")
def test_words_make_parts_from_a_ring_of_views(snowman, clipseg) -> None:
    found, figures = find_parts(
        {"cloud": snowman.plain}, words="hat, nose", words_model=str(clipseg), ring_views=4, image_size=48,
        lifting="votes",
    )  # fmt: skip
    assert found.extra["part"].shape == (len(snowman.cloud),) and figures["parts"] == 3
    assert any("No cameras were given" in note for note in figures["notes"])
    assert found.comments[-3:] == ("part 0 everything else", "part 1 hat", "part 2 nose")


def test_a_network_that_is_not_there_or_cannot_be_loaded_is_named(snowman, tmp_path) -> None:
    with pytest.raises(MissingModel, match=r"CLIPSeg.*hf download"):
        find_parts({"cloud": snowman.plain}, words="hat")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(MissingModel, match="cannot be loaded"):
        find_parts({"cloud": snowman.plain}, words="hat", words_model=str(tmp_path))
    with pytest.raises(MissingModel, match="cannot be loaded"):
        ClickNetwork(tmp_path, "cpu")
    with pytest.raises(SettingsError, match="no names"):
        find_parts({"cloud": snowman.plain}, words=" , ")


class _PerfectEyes:
    """Finds words by the true masks: what a good network would say."""

    def __init__(self, scene) -> None:
        self._scene = scene
        self.view = -1

    def __call__(self, rgb, words):
        self.view += 1
        mask = self._scene.masks[self.view]
        return np.stack([(mask == PARTS.index(word)).astype(np.float32) for word in words])


def test_what_a_good_network_says_becomes_the_parts(snowman) -> None:
    from recon.romap.lifting import lift_votes
    from recon.romap.view_votes import view_votes
    from recon.romap.view_weights import ViewWeights

    cameras = snowman.cameras
    provider = WordEvidence(SplatPictures(snowman.plain, cameras), ("hat", "scarf"), _PerfectEyes(snowman))
    weights = ViewWeights(snowman.plain, cameras)
    votes = [view_votes(weights.of(each.view, each.size), each, 3) for each in provider.evidence()]
    found = lift_votes(snowman.plain, votes).indices
    hat, scarf = PARTS.index("hat"), PARTS.index("scarf")
    named = np.array([0, hat, scarf])[found]
    assert view_ious(snowman, named)[[hat, scarf]].min() > 0.95


def test_clicks_become_evidence_of_their_view_and_part(snowman) -> None:
    def left_half(rgb, points, are_inside):
        scores = np.zeros(rgb.shape[:2], np.float32)
        scores[:, :48] = 0.9
        return scores

    clicks = (Click(2, 1, (20, 20)), Click(2, 1, (70, 20), is_inside=False))
    provider = ClickEvidence(
        SplatPictures(snowman.plain, snowman.cameras), ("rest", "thing"), clicks, left_half
    )
    (evidence,) = provider.evidence()
    assert evidence.view == 2
    np.testing.assert_array_equal(evidence.scores[:, 5, 5], [0, 1])
    np.testing.assert_array_equal(evidence.scores[:, 5, 90], [1, 0])


def test_no_number_is_no_opinion_and_not_background() -> None:
    scores = np.zeros((2, 2, 2), np.float32)
    scores[1, 0] = 1
    scores[:, 1, 1] = np.nan
    shares = ScoreEvidence(0, winner_takes(scores)).shares(3).toarray()
    np.testing.assert_array_equal(shares, [[0, 1, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0]])
    labels = LabelEvidence(0, np.array([[1, 1], [0, -1]], np.int16), 10).shares(3).toarray()
    np.testing.assert_array_equal(labels, 10 * shares)
