"""Edits of one part by words and by edited images; the rest keeps its bytes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from recon.errors import InputError, SettingsError
from recon.gaussian_values import base_colors
from recon.romap import edit_figures
from recon.romap.apply_changes import apply_changes
from recon.romap.changes import Delete
from recon.romap.edit_figures import changed_rows
from recon.romap.instruction import parse_instruction
from recon.romap.materials import MATERIALS, material_colors
from render.frame import Frame
from render.images import PosedImages
from render.spherical_harmonics import SH_C0
from tests.recon.romap.romap_runs import are_same_rows, edit_part
from tests.synthetic_parts import PARTS, PartScene, write_part_scene

SCARF = PARTS.index("scarf")
WORDS = (
    "dark red", "denim", "delete it", "twice as big", "move up 0.1", "rotate 30 degrees", "much darker",
    "30% transparent", "blue checkered and 10% smaller",
)  # fmt: skip


@pytest.mark.parametrize("words", WORDS)
def test_an_instruction_changes_the_part_and_no_byte_beside_it(snowman, words) -> None:
    cloud, part = snowman.cloud, snowman.truth == SCARF
    edited, figures = edit_part({"cloud": cloud}, part=SCARF, instruction=words)
    assert figures["changed_outside"] == 0 and figures["changed"] == part.sum()
    rest = edited if "delete" in words else edited.subset(~part)
    assert are_same_rows(rest, cloud.subset(~part), slice(None))
    assert rest.extra["part"].tobytes() == cloud.extra["part"][~part].tobytes()
    assert figures["visible_change"] > 0.02 and figures["notes"] == []
    assert len(edited) == len(cloud) - (part.sum() if "delete" in words else 0)


@pytest.mark.parametrize("name", ["dark red", "navy", "white", "mustard"])
def test_a_part_gets_the_colour_that_was_asked_for_and_keeps_its_light_and_dark(snowman, name) -> None:
    part = snowman.truth == PARTS.index("head")
    edited, _ = edit_part({"cloud": snowman.cloud}, part=PARTS.index("head"), instruction=name)
    (change,) = parse_instruction(name).changes
    before, after = base_colors(snowman.cloud)[part], 0.5 + SH_C0 * edited.sh[part, 0]
    np.testing.assert_allclose(after.mean(0), change.color, atol=0.03)
    assert np.corrcoef(before.mean(1), after.mean(1))[0, 1] > 0.95


def test_a_black_part_can_become_white(snowman) -> None:
    cloud = snowman.cloud
    part = snowman.truth == SCARF
    sh = cloud.sh.copy()
    sh[part] = -0.5 / SH_C0
    edited, _ = edit_part({"cloud": replace(cloud, sh=sh)}, part=SCARF, instruction="white")
    np.testing.assert_allclose(0.5 + SH_C0 * edited.sh[part, 0], 1, atol=1e-5)


def test_gloss_on_a_dark_part_is_no_blotch_on_a_bright_material(snowman) -> None:
    part = snowman.truth == SCARF
    luma = 0.1 * np.exp(0.9 * np.random.default_rng(0).standard_normal(part.sum()))
    sh = np.zeros_like(snowman.cloud.sh)
    sh[part, 0] = (np.clip(luma, 0, 1)[:, None] - 0.5) / SH_C0
    edited, _ = edit_part({"cloud": replace(snowman.cloud, sh=sh)}, part=SCARF, instruction="marble")
    after = 0.5 + SH_C0 * edited.sh[part, 0]
    assert np.quantile(after, 0.95) < 1.25 and np.corrcoef(luma, after.mean(1))[0, 1] > 0.2


def test_lengths_are_in_the_scenes_unit_and_directions_in_its_frame(snowman) -> None:
    part = snowman.truth == SCARF
    cases = (
        (Frame("+Z", "m"), "move up 10 cm", (0, 0, 0.1)),
        (Frame("-Y", "cm"), "move up 10 cm", (0, -10, 0)),
        (Frame("+Y", "mm"), "move it down 0.2 m", (0, -200, 0)),
        (Frame("+Z", "unit"), "move 3 along -x", (-3, 0, 0)),
    )
    for frame, words, shift in cases:
        cloud = replace(snowman.cloud, frame=frame)
        edited, _ = edit_part({"cloud": cloud}, part=SCARF, instruction=words)
        moved = edited.means[part].astype(float) - cloud.means[part]
        np.testing.assert_allclose(
            moved, np.tile(shift, (part.sum(), 1)), atol=1e-4 * max(1, np.abs(shift).max())
        )
    _, figures = edit_part({"cloud": snowman.cloud}, part=SCARF, instruction="move up 10 cm")
    assert any("taken to be metres" in note for note in figures["notes"])


def test_scaling_and_turning_are_about_the_middle_of_the_part(snowman) -> None:
    part = snowman.truth == SCARF
    big, _ = edit_part({"cloud": snowman.cloud}, part=SCARF, instruction="twice as big")
    np.testing.assert_allclose(
        np.ptp(big.means[part], axis=0), 2 * np.ptp(snowman.cloud.means[part], axis=0), rtol=1e-4
    )
    np.testing.assert_allclose(big.scales[part], 2 * snowman.cloud.scales[part], rtol=1e-4)
    turned, _ = edit_part({"cloud": snowman.cloud}, part=SCARF, instruction="rotate 360 degrees around x")
    np.testing.assert_allclose(turned.means[part], snowman.cloud.means[part], atol=1e-5)


def test_a_pattern_is_the_same_for_the_same_seed_and_another_for_another(snowman) -> None:
    body = PARTS.index("body")
    first, again, other = (
        edit_part({"cloud": snowman.cloud}, seed=seed, part=body, instruction="marble")[0].sh.tobytes()
        for seed in (1, 1, 2)
    )
    assert first == again != other


@pytest.mark.parametrize("name", sorted(set(MATERIALS)))
def test_every_material_has_colours_within_bounds_and_takes_another_one(name) -> None:
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (500, 3))
    own = material_colors(MATERIALS[name], points, 0)
    assert own.min() >= 0 and own.max() <= 1 and own.std(0).max() > 0
    green = material_colors(MATERIALS[name], points, 0, (0.1, 0.8, 0.1))
    assert (green[:, 1] >= green[:, 0]).mean() > 0.6


def test_no_visible_change_is_said_with_suggestions(snowman) -> None:
    _, figures = edit_part({"cloud": snowman.cloud}, part=SCARF, instruction="move up 0.00001")
    assert any(note.startswith("No visible change.") for note in figures["notes"])


def test_a_clear_change_needs_one_look_and_none_needs_all(snowman, monkeypatch) -> None:
    looks: list[float] = []
    draw = edit_figures.splat_picture
    monkeypatch.setattr(edit_figures, "splat_picture", lambda *given: looks.append(1) or draw(*given))
    edited, _ = edit_part({"cloud": snowman.cloud}, part=PARTS.index("body"), instruction="dark red")
    assert len(looks) == 2
    looks.clear()
    assert edit_figures.visible_change(edited, edited) == 0 and len(looks) == 12


def test_edits_that_cannot_be_are_refused_with_a_sentence(snowman) -> None:
    cloud = snowman.cloud
    with pytest.raises(InputError, match="no parts yet"):
        edit_part({"cloud": snowman.plain}, part=1, instruction="red")
    with pytest.raises(InputError, match="Part 77 has no splats"):
        edit_part({"cloud": cloud}, part=77, instruction="red")
    with pytest.raises(InputError, match="which part"):
        edit_part({"cloud": cloud}, instruction="red")
    with pytest.raises(SettingsError, match="instruction or edited images"):
        edit_part({"cloud": cloud}, part=SCARF)
    with pytest.raises(InputError, match="leave nothing"):
        everything = replace(cloud, extra={"part": np.zeros(len(cloud), int)})
        edit_part({"cloud": everything}, part=0, instruction="delete")
    with pytest.raises(InputError, match="no splats"):
        apply_changes(cloud, np.zeros(len(cloud), bool), [Delete()])


def test_changes_outside_the_part_would_be_counted(snowman) -> None:
    cloud, part = snowman.cloud, snowman.truth == SCARF
    means = cloud.means.copy()
    means[~part, 0] = np.nextafter(means[~part, 0], np.float32(9))
    rows = np.arange(len(cloud))
    assert changed_rows(cloud, replace(cloud, means=means), rows, part) == (0, (~part).sum())
    assert changed_rows(cloud, cloud.subset(rows[5:]), rows[5:], part) == (0, 5)


# Edited images


@pytest.fixture(scope="module")
def painted(snowman: PartScene, tmp_path_factory: pytest.TempPathFactory):
    """The body in checks: the ideal cloud, posed images and the folder of edited ones (three of four views)."""
    body = snowman.truth == PARTS.index("body")
    places = snowman.cloud.means[body]
    is_dark = np.floor(places[:, 2] * 8 + np.arctan2(places[:, 1], places[:, 0]) * 2) % 2 == 1
    sh = snowman.cloud.sh.copy()
    sh[body, 0] = np.where(is_dark[:, None], [-1.2, 0.3, -0.9], [1.5, 1.2, -1.0])
    ideal = replace(snowman.cloud, sh=sh)
    folder = tmp_path_factory.mktemp("painted")
    posed = write_part_scene(folder, snowman, [snowman.masks[view] for view in snowman.train])
    (folder / "anchors").mkdir()
    for view in snowman.train:
        if view % 4 != 3:
            pixels = (snowman.picture(view, ideal) * 255 + 0.5).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "anchors" / f"{view:03d}.png")
    return ideal, posed, str(folder / "anchors")


def _psnr(scene: PartScene, cloud, ideal, name: str) -> tuple[float, float]:
    """Inside against the ideal, outside (and 3 pixels off) against what was, in held-out views."""
    from scipy import ndimage

    errors: tuple[list, list] = [], []
    for view in np.flatnonzero(scene.is_test):
        mask = scene.masks[view] == PARTS.index(name)
        seen = scene.picture(view, cloud)
        errors[0].append(((seen - scene.picture(view, ideal)) ** 2)[mask])
        errors[1].append(((seen - scene.picture(view)) ** 2)[~ndimage.binary_dilation(mask, iterations=3)])
    inside, outside = (float(np.concatenate(each).mean()) for each in errors)
    return -10 * np.log10(max(inside, 1e-12)), -10 * np.log10(max(outside, 1e-12))


def test_edited_images_change_the_part_and_no_byte_beside_it(snowman, painted) -> None:
    ideal, posed, folder = painted
    body = PARTS.index("body")
    inputs = {"cloud": snowman.cloud, "cameras": posed}
    edited, figures = edit_part(inputs, part=body, anchors=folder, steps=60)
    part = snowman.truth == body
    assert are_same_rows(edited, snowman.cloud, np.flatnonzero(~part))
    assert figures["changed_outside"] == 0 and figures["edited_images"] == 12
    assert figures["last_l1"] < figures["first_l1"]
    before = _psnr(snowman, snowman.cloud, ideal, "body")[0]
    inside, outside = _psnr(snowman, edited, ideal, "body")
    assert inside > max(24, before + 10) and outside > 45


def test_the_same_seed_gives_the_same_bytes(snowman, painted) -> None:
    _, posed, folder = painted
    inputs = {"cloud": snowman.cloud, "cameras": posed}
    first, again, other = (
        edit_part(inputs, seed, part=PARTS.index("body"), anchors=folder, steps=8)[0].sh.tobytes()
        for seed in (3, 3, 4)
    )
    assert first == again != other


def test_the_old_look_is_removed_only_where_the_part_is_sure(snowman, painted) -> None:
    _, posed, folder = painted
    part = snowman.truth == PARTS.index("body")
    sure = np.where(np.arange(len(part)) % 2, 0.9, 0.5).astype(np.float32)
    cloud = replace(snowman.cloud, extra={**snowman.cloud.extra, "part_confidence": sure})
    inputs = {"cloud": cloud, "cameras": posed}
    edited, _ = edit_part(inputs, part=PARTS.index("body"), anchors=folder, steps=1, prior="grey")
    change = np.abs(edited.sh[part, 0] - cloud.sh[part, 0]).max(1)
    assert change[sure[part] > 0.8].min() > 0.15
    assert change[sure[part] < 0.8].max() < 0.1


def test_a_coarse_part_gets_more_splats_that_belong_to_it(snowman, painted) -> None:
    _, posed, folder = painted
    body = snowman.truth == PARTS.index("body")
    kept = ~body | (np.cumsum(body) % 6 == 0)
    coarse = snowman.cloud.subset(kept)
    part = coarse.extra["part"] == PARTS.index("body")
    log_scales = coarse.log_scales.copy()
    log_scales[part] += np.float32(np.log(2.4))
    coarse = replace(coarse, log_scales=log_scales)
    inputs = {"cloud": coarse, "cameras": posed}
    edited, figures = edit_part(inputs, part=PARTS.index("body"), anchors=folder, steps=110)
    assert 0 < figures["added"] <= 0.5 * part.sum()
    is_part = edited.extra["part"] == PARTS.index("body")
    assert is_part.sum() == part.sum() + figures["added"] - figures["removed"]
    assert is_part[len(edited) - figures["added"] :].all()
    assert are_same_rows(edited.subset(~is_part), coarse.subset(~part), slice(None))
    fixed, _ = edit_part(inputs, part=PARTS.index("body"), anchors=folder, steps=10, grows=False)
    assert len(fixed) == len(coarse)


def test_edited_images_that_cannot_be_used_are_refused(snowman, painted, tmp_path) -> None:
    _, posed, folder = painted
    cloud = snowman.cloud
    with pytest.raises(InputError, match="cameras of their views"):
        edit_part({"cloud": cloud}, part=1, anchors=folder)
    inputs = {"cloud": cloud, "cameras": posed}
    with pytest.raises(InputError, match="No picture"):
        edit_part(inputs, part=1, anchors=str(tmp_path))
    Image.fromarray(np.zeros((40, 96, 3), np.uint8)).save(tmp_path / "000.png")
    with pytest.raises(InputError, match="96 × 40"):
        edit_part(inputs, part=1, anchors=str(tmp_path))
    away = PosedImages(posed.images, replace(posed.cameras, center=posed.cameras.center + 900))
    with pytest.raises(InputError, match="shows the part"):
        edit_part({"cloud": cloud, "cameras": away}, part=1, anchors=folder)
