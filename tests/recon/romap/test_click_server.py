"""SAM 2 kept at hand while a person clicks: real code, tiny random weights; and outlines of what it finds."""

from __future__ import annotations

import json

import numpy as np
import pytest

from recon.romap.click_server import serve
from recon.romap.mask_networks import ClickNetwork
from recon.romap.outlines import outline_of
from recon.romap.scribbles import Stroke, evidence_of_strokes
from tests.recon.romap.test_word_evidence import sam2  # noqa: F401

pytestmark = pytest.mark.filterwarnings("ignore")


def drawn(outline: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """What a closed path holds, as strokes are read."""
    (evidence,) = evidence_of_strokes([Stroke(0, 1, outline)], [size])
    return evidence.labels == 1


def test_an_outline_holds_pieces_and_leaves_holes_out() -> None:
    mask = np.zeros((60, 80), bool)
    mask[10:40, 10:50] = True
    mask[20:30, 20:30] = False
    mask[45:58, 60:75] = True
    mask[2, 2] = True  # noise
    found = drawn(outline_of(mask), (80, 60))
    assert not (found & ~mask).any(), "strokes stay inside what they mean"
    assert found[25, 45] and not found[25, 25] and found[50, 65] and not found[2, 2]
    assert (found & mask).sum() > 0.8 * mask.sum()
    assert outline_of(np.zeros((9, 9), bool)).shape == (0, 2)


def test_clicks_are_answered_as_the_network_answers_them_and_what_fails_is_told(sam2, tmp_path) -> None:  # noqa: F811
    picture = (np.random.default_rng(0).random((48, 64, 3)) * 255).astype(np.uint8)
    np.save(tmp_path / "view.npy", picture)
    requests = [
        {"picture": str(tmp_path / "view.npy")},
        {"id": 1, "clicks": [[10, 20, True], [30, 30, False]], "boxes": []},
        {"id": 2, "clicks": [[10, 20, False]], "boxes": [[5, 5, 40, 40]]},
        {"id": 3, "clicks": [[10, 20, False]], "boxes": []},
        {"picture": str(tmp_path / "gone.npy")},
    ]
    answers: list[dict] = []
    serve(str(sam2), "cpu", map(json.dumps, requests), lambda answer: answers.append(dict(answer)))
    assert [next(iter(each)) for each in answers] == ["state", "state", "id", "id", "id", "error"]
    network, rgb = ClickNetwork(sam2, "cpu"), picture.astype(np.float32) / 255
    by_clicks = network(rgb, np.array([[10.0, 20], [30, 30]]), [True, False]) > 0.5
    np.testing.assert_array_equal(answers[2]["outline"], outline_of(by_clicks).round(2))
    in_box = network.in_box(rgb, np.array([5.0, 5, 40, 40])) > 0.5
    np.testing.assert_array_equal(answers[3]["outline"], outline_of(in_box).round(2))
    assert answers[4]["outline"] == [], "nothing was said to be inside"
    seen = network._seen
    network.look(rgb)
    assert network._seen is seen, "it looks at a picture once"
    answers.clear()
    serve("sam2-hiera-small", "cpu", [], lambda answer: answers.append(dict(answer)))
    assert answers[0]["error"]["kind"] == "MissingModel" and "hf download" in answers[0]["error"]["advice"]
