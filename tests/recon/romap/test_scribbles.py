"""Parts from a few strokes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from recon.errors import InputError
from recon.romap.scribbles import Stroke, evidence_of_strokes, lift_scribbles
from recon.romap.view_votes import view_votes
from recon.romap.view_weights import ViewWeights
from tests.recon.romap.romap_runs import find_parts
from tests.synthetic_parts import PARTS


def _line_in(mask, rng) -> np.ndarray:
    """(2, 2) ends of the longest of some lines that stay well inside a mask."""
    inside = ndimage.distance_transform_edt(mask)
    ys, xs = np.nonzero(inside > 0.5 * inside.max())
    ends = [np.array([[xs[a], ys[a]], [xs[b], ys[b]]]) + 0.5 for a, b in rng.integers(len(xs), size=(60, 2))]

    def length(line: np.ndarray) -> float:
        along = line[0] + np.linspace(0, 1, 30)[:, None] * (line[1] - line[0])
        is_inside = (inside[along[:, 1].astype(int), along[:, 0].astype(int)] > 1.5).all()
        return float(np.linalg.norm(line[1] - line[0])) if is_inside else -1.0

    return max(ends, key=length)


def _three_strokes(scene, name, index=0):
    """Two in the view that shows most of a part, one in a view from elsewhere."""
    rng = np.random.default_rng(0)
    areas = [(scene.masks[view] == PARTS.index(name)).sum() for view in scene.train]
    first = int(np.argmax(areas))
    second = max(
        (view for view in scene.train if areas[view] > 0.3 * areas[first]),
        key=lambda view: np.linalg.norm(scene.cameras.positions[view] - scene.cameras.positions[first]),
    )
    return [
        Stroke(view, index, _line_in(scene.masks[view] == PARTS.index(name), rng), 1.5)
        for view in (first, first, second)
    ]


def _lift(scene, strokes, num_parts):
    weights = ViewWeights(scene.plain, scene.cameras)
    evidence = evidence_of_strokes(strokes, [(96, 96)] * len(scene.cameras))
    votes = [view_votes(weights.of(each.view, each.size), each, num_parts) for each in evidence]
    return lift_scribbles(scene.plain, votes)


@pytest.mark.parametrize("name", ["hat", "scarf", "nose"])
def test_three_strokes_on_two_views_find_a_part(snowman, name) -> None:
    found = _lift(snowman, _three_strokes(snowman, name), 1).indices == 0
    truth = snowman.truth == PARTS.index(name)
    assert (found & truth).sum() / (found | truth).sum() > 0.85


def test_strokes_of_several_parts_live_side_by_side(snowman) -> None:
    names = ("hat", "scarf", "ground")
    strokes = [stroke for i, name in enumerate(names) for stroke in _three_strokes(snowman, name, i)]
    found = _lift(snowman, strokes, 3).indices
    for i, name in enumerate(names):
        truth = snowman.truth == PARTS.index(name)
        assert ((found == i) & truth).sum() / ((found == i) | truth).sum() > 0.8
    assert (found[snowman.truth == PARTS.index("nose")] == -1).mean() > 0.9


def test_a_stroke_covers_the_pixels_of_its_brush_or_polygon() -> None:
    strokes = [Stroke(1, 0, [(2.5, 4.5), (7.5, 4.5)], 1.0), Stroke(1, 2, [(0, 0), (3, 0), (3, 3), (0, 3)])]
    (evidence,) = evidence_of_strokes(strokes, [(10, 8)] * 2)
    expected = np.full((8, 10), -1)
    expected[4, 1:9] = 0
    expected[3, 2:8] = expected[5, 2:8] = 0
    expected[:3, :3] = 2
    np.testing.assert_array_equal(evidence.labels[:3, :3], 2)
    np.testing.assert_array_equal(evidence.labels[4, 2:8], 0)
    assert (evidence.labels >= 0).sum() <= (expected >= 0).sum() + 4
    assert evidence.view == 1 and evidence.is_certain and evidence.strength == 10


def test_strokes_that_contradict_each_other_or_meet_nothing_are_refused(snowman) -> None:
    twice = [Stroke(0, 0, [(40, 40), (55, 55)], 3), Stroke(2, 1, [(40, 40), (55, 55)], 3)]
    votes = [
        view_votes(ViewWeights(snowman.plain, snowman.cameras).of(0, (96, 96)), each, 2)
        for each in evidence_of_strokes(twice, [(96, 96)] * 3)
    ]
    with pytest.raises(InputError, match="contradict"):
        lift_scribbles(snowman.plain, votes)
    with pytest.raises(InputError, match="meet no splat"):
        _lift(snowman, [Stroke(0, 0, [(1, 1), (8, 1)], 1)], 1)


def test_a_folder_of_strokes_finds_a_part_by_its_number(snowman, exact_scene, tmp_path) -> None:
    strokes = evidence_of_strokes(_three_strokes(snowman, "hat"), [(96, 96)] * len(snowman.cameras))
    for each in strokes:
        Image.fromarray(np.where(each.labels == 0, 7, 255).astype(np.uint8)).save(
            tmp_path / f"{each.view:03d}.png"
        )
    found, figures = find_parts({"cloud": snowman.plain, "cameras": exact_scene[0]}, scribbles=str(tmp_path))
    part = found.extra["part"]
    assert set(np.unique(part)) == {-1, 7} and figures["gaussians_of_part"] == {"7": int((part == 7).sum())}
    truth = snowman.truth == PARTS.index("hat")
    assert ((part == 7) & truth).sum() / ((part == 7) | truth).sum() > 0.85


def test_strokes_overrule_masks_that_are_wrong_together(snowman, tmp_path, exact_scene) -> None:
    posed, exact = exact_scene
    nose, head = PARTS.index("nose"), PARTS.index("head")
    masks, drawn = tmp_path / "masks", tmp_path / "drawn"
    masks.mkdir()
    drawn.mkdir()
    for path in sorted(exact.iterdir()):
        with Image.open(path) as picture:
            labels = np.asarray(picture)
        Image.fromarray(np.where((labels == nose) & (path.stem > "001"), head, labels).astype(np.uint8)).save(
            masks / path.name
        )
    for each in evidence_of_strokes(_three_strokes(snowman, "nose"), [(96, 96)] * len(snowman.cameras)):
        Image.fromarray(np.where(each.labels == 0, nose, 255).astype(np.uint8)).save(
            drawn / f"{each.view:03d}.png"
        )
    inputs = {"cloud": snowman.plain, "cameras": posed}
    without = find_parts(inputs, masks)[0].extra["part"]
    with_strokes = find_parts(inputs, masks, scribbles=str(drawn))[0].extra["part"]
    truth = snowman.truth == nose

    def iou(part) -> float:
        return ((part == nose) & truth).sum() / ((part == nose) | truth).sum()

    assert iou(with_strokes) > 0.8
    assert iou(with_strokes) >= iou(without)
