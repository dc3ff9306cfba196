"""Parts from masks: exact ones, ones that contradict each other, and those that no one can use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recon.errors import FormatError, InputError, ReconError, SettingsError
from recon.romap.lifting import lift_votes
from recon.romap.mask_folder import open_masks
from recon.romap.mean_field import affinity_graph
from recon.romap.part_figures import masks_miou
from recon.romap.view_confusion import labels_through_confusion
from recon.romap.view_votes import view_votes
from recon.romap.view_weights import ViewWeights
from tests.recon.romap.romap_runs import find_parts, spoilt_masks
from tests.synthetic_parts import PARTS, make_part_scene, part_ious, view_ious, write_part_scene


def _votes(scene, posed, folder):
    masks = open_masks(folder, posed, 512)
    weights = ViewWeights(scene.plain, posed.cameras)
    return [view_votes(weights.of(each.view, each.size), each, len(PARTS)) for each in masks.evidence()]


def test_votes_through_compositing_weights_add_up_to_the_labelled_pixels(snowman, exact_scene) -> None:
    posed, folder = exact_scene
    mask = snowman.masks[0]
    vote = _votes(snowman, posed, folder)[0]
    weights = ViewWeights(snowman.plain, posed.cameras).of(0, (96, 96))
    labelled = weights[np.flatnonzero(mask.ravel() != 255)].sum()
    assert vote.totals.sum() == pytest.approx(labelled, rel=1e-5)
    assert vote.silent.sum() == pytest.approx(weights.sum() - labelled, rel=1e-3)


def test_exact_masks_come_back_as_the_parts_they_show(snowman, exact_scene) -> None:
    posed, folder = exact_scene
    found, figures = find_parts({"cloud": snowman.plain, "cameras": posed}, folder)
    assert view_ious(snowman, found.extra["part"]).mean() > 0.998
    assert figures["masks_miou"] > 0.85 and figures["parts"] == len(PARTS)
    assert sum(figures["gaussians_of_part"].values()) + figures["without_part"] == len(found)


def test_the_parts_are_a_whole_number_column_with_a_confidence_beside_it(snowman, exact_scene) -> None:
    posed, folder = exact_scene
    cloud = replace(snowman.plain, extra={"kept": np.arange(len(snowman.cloud))})
    found, _ = find_parts({"cloud": cloud, "cameras": posed}, folder)
    assert found.extra["part"].dtype == np.int32 and found.extra["part_confidence"].dtype == np.float32
    assert found.extra["kept"].tobytes() == cloud.extra["kept"].tobytes()
    assert found.means is cloud.means and found.sh is cloud.sh
    confidence = found.extra["part_confidence"]
    assert confidence.min() >= 0 and confidence.max() <= 1


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_masks_that_contradict_each_other_are_seen_through(tmp_path, seed) -> None:
    scene = make_part_scene(3000, 96, 16, 3, seed=seed)
    posed = write_part_scene(tmp_path, scene, spoilt_masks(scene, seed))
    inputs = {"cloud": scene.plain, "cameras": posed}
    reliable = find_parts(inputs, tmp_path / "masks")[0].extra["part"]
    plain = find_parts(inputs, tmp_path / "masks", lifting="votes")[0].extra["part"]
    assert view_ious(scene, reliable).mean() > 0.8
    assert view_ious(scene, reliable).mean() > view_ious(scene, plain).mean() + 0.1
    assert part_ious(reliable, scene.truth).mean() > part_ious(plain, scene.truth).mean() + 0.1


def test_a_view_that_swaps_left_and_right_is_found_out(snowman, tmp_path) -> None:
    masks = [snowman.masks[view].copy() for view in snowman.train]
    left, right = PARTS.index("left_arm"), PARTS.index("right_arm")
    is_left, is_right = masks[0] == left, masks[0] == right
    masks[0][is_left], masks[0][is_right] = right, left
    posed = write_part_scene(tmp_path, snowman, masks)
    found, figures = find_parts({"cloud": snowman.plain, "cameras": posed}, tmp_path / "masks")
    assert figures["notes"] == [f"Parts {left} and {right} are taken for each other in images/000.png."]
    agreement = figures["agreement_of_view"]
    assert min(agreement, key=agreement.get) == "images/000.png"
    assert view_ious(snowman, found.extra["part"])[[left, right]].min() > 0.99


def test_a_part_that_most_views_miss_is_still_found(snowman, tmp_path) -> None:
    scarf, body = PARTS.index("scarf"), PARTS.index("body")
    masks = [snowman.masks[view].copy() for view in snowman.train]
    for number, mask in enumerate(masks):
        if number % 8 < 5:
            mask[mask == scarf] = body
    posed = write_part_scene(tmp_path, snowman, masks)
    inputs = {"cloud": snowman.plain, "cameras": posed}
    found = find_parts(inputs, tmp_path / "masks")[0].extra["part"]
    voted = find_parts(inputs, tmp_path / "masks", lifting="votes")[0].extra["part"]
    assert view_ious(snowman, found)[scarf] > 0.9 > 0.7 > view_ious(snowman, voted)[scarf]


def test_learned_confusions_are_probabilities(snowman, spoilt_scene) -> None:
    votes = _votes(snowman, *spoilt_scene)
    graph = affinity_graph(snowman.plain)
    found = labels_through_confusion(votes, graph, len(snowman.cloud))
    np.testing.assert_allclose(found.confusions.sum(2), 1, atol=1e-5)
    np.testing.assert_allclose(found.probabilities.sum(1), 1, atol=1e-5)
    assert found.confusions.min() > 0 and 0 < found.agreement.min() <= found.agreement.max() <= 1


def test_lifting_is_the_same_again_and_fast_enough(snowman, spoilt_scene) -> None:
    votes = _votes(snowman, *spoilt_scene)
    first, again = (lift_votes(snowman.plain, votes) for _ in range(2))
    assert first.probabilities.tobytes() == again.probabilities.tobytes()
    assert masks_miou(first.indices, votes) > 0.4


def test_what_no_mask_speaks_of_belongs_to_no_part(snowman, tmp_path) -> None:
    ground = PARTS.index("ground")
    masks = [np.where(snowman.masks[view] == ground, 255, snowman.masks[view]) for view in snowman.train]
    posed = write_part_scene(tmp_path, snowman, masks)
    found, figures = find_parts({"cloud": snowman.plain, "cameras": posed}, tmp_path / "masks")
    silent = found.extra["part"] == -1
    assert (silent & (snowman.truth == ground)).sum() > 0.8 * (snowman.truth == ground).sum()
    assert (silent & (snowman.truth != ground)).sum() < 0.01 * len(found)
    assert figures["without_part"] == silent.sum() and not found.extra["part_confidence"][silent].any()


def test_views_without_a_mask_and_masks_of_another_size_are_noted(snowman, exact_scene, tmp_path) -> None:
    posed, folder = exact_scene
    for path in sorted(folder.iterdir())[:10]:
        with Image.open(path) as mask:
            mask.resize((192, 192), Image.Resampling.NEAREST).save(tmp_path / path.name)
    found, figures = find_parts({"cloud": snowman.plain, "cameras": posed}, tmp_path)
    assert any("6 of 16 images have no mask" in note for note in figures["notes"])
    assert any("10 masks have another size" in note for note in figures["notes"])
    assert view_ious(snowman, found.extra["part"]).mean() > 0.9


def _folder(tmp_path: Path, pixels, name: str = "000.png") -> Path:
    Image.fromarray(pixels).save(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("pixels", "name", "sentence"),
    [
        (np.full((96, 96), 255, np.uint8), "000.png", "no part at all"),
        (np.full((96, 96), 3, np.uint8), "000.png", "one part only"),
        (np.zeros((50, 96), np.uint8), "000.png", "96 × 50 pixels"),
        (np.zeros((96, 96), np.uint8), "other.png", "No mask"),
        (np.random.default_rng(0).integers(0, 9, (96, 96, 3), np.uint8), "000.png", "in colours"),
    ],
)
def test_masks_that_cannot_be_used_are_refused_with_a_sentence(
    snowman, exact_scene, tmp_path, pixels, name, sentence
):
    with pytest.raises((InputError, FormatError), match=sentence):
        find_parts({"cloud": snowman.plain, "cameras": exact_scene[0]}, _folder(tmp_path, pixels, name))


def test_a_broken_mask_is_named(snowman, exact_scene, tmp_path) -> None:
    (tmp_path / "000.png").write_bytes(b"no picture")
    with pytest.raises(FormatError, match=r"000\.png"):
        find_parts({"cloud": snowman.plain, "cameras": exact_scene[0]}, tmp_path)


def test_masks_that_show_other_places_than_the_splats_are_refused(snowman, exact_scene) -> None:
    posed, folder = exact_scene
    elsewhere = replace(snowman.plain, means=snowman.plain.means + 100)
    with pytest.raises(InputError, match="No mask says anything"):
        find_parts({"cloud": elsewhere, "cameras": posed}, folder)


def test_asking_for_nothing_or_without_cameras_is_refused(snowman, exact_scene) -> None:
    posed, folder = exact_scene
    with pytest.raises(SettingsError, match="Nothing tells"):
        find_parts({"cloud": snowman.plain, "cameras": posed})
    with pytest.raises(InputError, match="cameras"):
        find_parts({"cloud": snowman.plain}, folder)
    with pytest.raises(ReconError, match="no folder"):
        find_parts({"cloud": snowman.plain, "cameras": posed}, folder / "nowhere")


def test_palettes_and_sixteen_bits_are_read_by_number(snowman, exact_scene, tmp_path) -> None:
    posed, folder = exact_scene
    for path in folder.iterdir():
        with Image.open(path) as mask:
            numbers = np.asarray(mask)
        if path.stem < "008":
            picture = Image.fromarray(numbers).convert("P")
            picture.putpalette(np.random.default_rng(0).integers(0, 255, 768, np.uint8).tobytes())
            picture.putdata(numbers.ravel().tolist())
        else:
            picture = Image.fromarray(np.where(numbers == 255, np.uint16(65535), numbers.astype(np.uint16)))
        picture.save(tmp_path / path.name)
    inputs = {"cloud": snowman.plain, "cameras": posed}
    first, again = (find_parts(inputs, each)[0].extra["part"] for each in (folder, tmp_path))
    assert first.tobytes() == again.tobytes()
