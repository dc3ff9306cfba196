"""Editors of single views that need no network: built-in effects, a style picture, a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recon.dn2n.editors import EDITORS, SceneView, make_editor
from recon.dn2n.editors.color_transport import color_table, mapped
from recon.dn2n.editors.folder import MissingView
from recon.dn2n.editors.operations import EFFECTS
from recon.dn2n.editors.scene_frame import frame_of
from recon.dn2n.editors.surfels import pooled_surfels
from recon.dn2n.editors.view_geometry import view_geometry, world_normals
from recon.dn2n.editors.weather import optical_depth
from recon.dn2n.editors.worksheet import Worksheet
from recon.errors import InputError, SettingsError
from tests.recon.dn2n.editor_scenes import disagreement, masked, room_views, world_points

_WORDS = {"tint": "dark green", "colored light": "red light", "tinge": "bluish", "gloss": "glossy", "checks": "checkered", "clear": "clear air", "mono": "monochrome",
          "sand": "sandy", "dots": "dotted", "winter": "bare winter"}  # fmt: skip


@pytest.fixture(scope="module")
def views() -> list[SceneView]:
    return room_views()


def edited(prompt: str, views: Sequence[SceneView], seed: int = 0, **wishes: object) -> list[np.ndarray]:
    editor = make_editor("procedural", prompt, **wishes)  # type: ignore[arg-type]
    editor.prepare(views, seed)
    pictures = [editor.edit(view, seed) for view in views]
    editor.close()
    return pictures


@pytest.mark.parametrize("name", sorted(EFFECTS))
def test_an_effect_changes_the_views_and_no_more_apart_than_it_says(
    name: str, views: list[SceneView]
) -> None:
    pictures = edited(_WORDS.get(name, name), views)
    for view, picture in zip(views, pictures, strict=True):
        assert picture.dtype == np.float32 and picture.shape == view.rgb.shape
        assert picture.min() >= 0 and picture.max() <= 1
    assert np.mean([np.abs(p - v.rgb).mean() for p, v in zip(pictures, views, strict=True)]) > 0.004
    if EFFECTS[name].consistency == "world":
        # pixels of 4 cm: an edge of a pattern costs here what it does not in photos, see tests/benchmarks/README.md
        assert disagreement(views, pictures) < 1.5 * disagreement(views, [view.rgb for view in views])


def test_strength_goes_from_nothing_to_all(views: list[SceneView]) -> None:
    none, half, full = (edited("night, snow", views[:1], strength=s)[0] for s in (0.0, 0.5, 1.0))
    assert (none == views[0].rgb).all()
    assert np.abs(half - (views[0].rgb + full) / 2).max() < 1e-5
    assert np.abs(full - views[0].rgb).mean() > 0.1


def test_nothing_changes_outside_the_mask(views: list[SceneView]) -> None:
    mask = np.zeros(views[0].depth.shape, np.float32)
    mask[30:60, 40:90] = 1
    some = [masked(view, mask) for view in views]
    for prompt in ("make the ball gold", "oil painting", "fog, autumn", "contrast"):
        picture = edited(prompt, some)[0]
        assert (picture[mask == 0] == some[0].rgb[mask == 0]).all()
        assert np.abs(picture - some[0].rgb)[mask == 1].mean() > 0.01


def test_a_target_without_a_mask_is_told(views: list[SceneView]) -> None:
    editor = make_editor("procedural", "the ball is gold")
    editor.prepare(views, 0)
    assert editor.plan.targets == ("ball",)
    assert any("No mask" in note and "“ball”" in note for note in editor.plan.notes)
    mask = np.zeros(views[0].depth.shape, np.float32)
    mask[:, :40] = 1
    editor.prepare([masked(view, mask) for view in views], 0)
    assert not any("No mask" in note for note in editor.plan.notes)


def test_the_same_seed_gives_the_same_picture_and_another_another(views: list[SceneView]) -> None:
    first, again, other = (edited("oil painting, wood", views[:2], seed)[1] for seed in (3, 3, 4))
    assert (first == again).all()
    assert np.abs(first - other).mean() > 0.003


def test_fog_hides_as_an_exponential_of_distance(views: list[SceneView]) -> None:
    sheet = Worksheet(views[0], frame_of(views), {}, 0)
    near, dense = optical_depth(sheet, 0.5), optical_depth(sheet, 1.5)
    assert np.allclose(dense, 3 * near, rtol=1e-5)
    distance = np.linalg.norm(world_points(views[0]) + _eye(views[0]), axis=-1)
    beyond = near > 0
    ratio = near[beyond] / (distance[beyond] - 0.8 * sheet.frame.near)
    assert beyond.mean() > 0.8 and np.quantile(np.abs(ratio / np.median(ratio) - 1), 0.9) < 1e-3
    picture = edited("fog", views)[0]
    left = np.abs(picture - [0.78, 0.80, 0.82]).mean(-1) / np.maximum(
        np.abs(views[0].rgb - [0.78, 0.80, 0.82]).mean(-1), 0.05
    )
    far, close = distance > np.quantile(distance, 0.9), distance < np.quantile(distance, 0.1)
    assert left[far].mean() < 0.75 * left[close].mean()


def _eye(view: SceneView) -> np.ndarray:
    return view.cam_from_world[:3, :3].T @ view.cam_from_world[:3, 3]


def test_snow_lies_on_what_faces_up_only(views: list[SceneView]) -> None:
    whiter = []
    for view, picture in zip(views, edited("snow", views), strict=True):
        z = world_points(view)[..., 2]
        floor, upright = z < 0.01, (z > 1.0) & (z < 2.3)
        assert picture[floor].mean() > 0.7
        whiter.append((picture[floor].min(-1).mean(), picture[upright].min(-1).mean()))
    assert np.mean([a - b for a, b in whiter]) > 0.15
    bare = edited("overcast", views)
    walls = [(world_points(view)[..., 2] > 1.0) & (world_points(view)[..., 2] < 2.3) for view in views]
    snowy = edited("snow", views)
    for view, a, b, wall in zip(views, snowy, bare, walls, strict=True):
        cold = view.rgb + 0.7 * (b - view.rgb)
        assert np.quantile(np.abs(a - cold)[wall], 0.9) < 0.03


def test_normals_of_pooled_patches_are_true(views: list[SceneView]) -> None:
    surfels = pooled_surfels(views, frame_of(views), [1 / 40], 0)[1 / 40]
    floor = (np.abs(surfels.positions[:, 2]) < 0.01) & (np.abs(surfels.normals[:, 2]) > 0.5)
    assert floor.sum() > 50
    assert np.median(surfels.normals[floor, 2]) > 0.99
    own = world_normals(views[0], view_geometry(views[0]))
    assert np.allclose(np.linalg.norm(own, axis=-1), 1, atol=1e-4)


def test_without_depth_effects_still_work_and_say_that_they_follow_the_picture() -> None:
    flat = room_views(2, with_depth=False)
    for prompt in ("fog", "wood", "oil painting", "snow", "autumn", "mosaic", "poster"):
        editor = make_editor("procedural", prompt)
        editor.prepare(flat, 0)
        picture = editor.edit(flat[0], 0)
        assert np.isfinite(picture).all() and np.abs(picture - flat[0].rgb).mean() > 0.004
        if prompt != "poster":
            assert editor.plan.consistency == "screen" and "Depth is not known" in editor.plan.notes[-1]


def test_tiny_views_and_holes_in_depth_break_nothing() -> None:
    for size in ((1, 1), (2, 3), (5, 4)):
        depth = np.ones(size, np.float32)
        depth.flat[0] = 0
        view = SceneView(
            "a", np.full((*size, 3), 0.5, np.float32), depth, np.ones(size, np.float32), np.eye(4), np.array([4.0, 4]),
            np.array([1.0, 1]), np.array([0, -1.0, 0]),
        )  # fmt: skip
        for prompt in (
            "snow, fog",
            "marble",
            "oil painting",
            "pencil",
            "cartoon, watercolour",
            "mosaic",
            "autumn",
        ):
            assert np.isfinite(edited(prompt, [view])[0]).all()


def test_wrong_names_and_strengths_are_refused() -> None:
    with pytest.raises(SettingsError, match="no editor called “magic”"):
        make_editor("magic", "autumn")
    with pytest.raises(SettingsError, match="strength"):
        make_editor("procedural", "autumn", strength=1.5)
    assert [kind.id for kind in EDITORS[:3]] == ["procedural", "style-image", "folder"]


@pytest.fixture(scope="module")
def style(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("style") / "embers.png"
    generator = np.random.default_rng(0)
    mix = generator.random((40, 60, 1)) ** 2
    colors = (1 - mix) * [40, 10, 60] + mix * [250, 150, 20] + generator.normal(0, 6, (40, 60, 3))
    Image.fromarray(np.clip(colors, 0, 255).astype(np.uint8)).save(path)
    return path


def test_a_style_picture_gives_its_mean_and_covariance_to_all_views(
    views: list[SceneView], style: Path
) -> None:
    editor = make_editor("style-image", "", style=style)
    editor.prepare(views, 0)
    pictures = [editor.edit(view, 0) for view in views]
    goal = np.asarray(Image.open(style), np.float64).reshape(-1, 3) / 255
    before = np.concatenate([view.rgb.reshape(-1, 3) for view in views])
    after = np.concatenate([picture.reshape(-1, 3) for picture in pictures])
    assert (
        np.abs(after.mean(0) - goal.mean(0)).max() < 0.12 * np.abs(before.mean(0) - goal.mean(0)).max() + 0.01
    )
    apart = [np.linalg.norm(np.cov(colors.T) - np.cov(goal.T)) for colors in (before, after)]
    assert apart[1] < 0.35 * apart[0]
    assert editor.plan.consistency == "world" and editor.plan.operations == ("colours of embers.png",)


def test_a_table_of_colours_moves_equal_colours_equally() -> None:
    generator = np.random.default_rng(1)
    source = (generator.random((4000, 3)) * [0.3, 0.2, 0.4] + 0.2).astype(np.float32)
    same = color_table(source, source, 0)
    picture = source[:100].reshape(10, 10, 3)
    assert np.abs(mapped(picture, same) - picture).max() < 0.03
    shifted = color_table(source, source + np.float32([0.2, 0.1, 0]), 0)
    assert np.abs(mapped(picture, shifted) - picture - [0.2, 0.1, 0]).mean() < 0.015


def test_a_style_that_is_missing_or_broken_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No style picture"):
        make_editor("style-image", "")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="no picture that can be read"):
        make_editor("style-image", "", style=tmp_path / "bad.png")
    for colors, sentence in (
        (np.zeros((3, 3, 3)), "only 3 × 3 pixels"),
        (np.full((20, 20, 3), 0.4), "one colour only"),
        (np.zeros((20, 20, 4)), "transparent"),
    ):
        save(tmp_path, "odd.png", colors)
        with pytest.raises(InputError, match=sentence):
            make_editor("style-image", "", style=tmp_path / "odd.png")


def test_a_grey_picture_of_sixteen_bits_takes_all_colours_away(
    views: list[SceneView], tmp_path: Path
) -> None:
    Image.fromarray(np.linspace(0, 65535, 1024).astype(np.uint16).reshape(32, 32)).save(tmp_path / "grey.png")
    editor = make_editor("style-image", "", style=tmp_path / "grey.png")
    editor.prepare(views, 0)
    picture = editor.edit(views[0], 0)
    assert np.ptp(picture, axis=-1).max() < 1e-3 and picture.std() > 0.15


def save(folder: Path, name: str, rgb: np.ndarray) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((np.clip(rgb, 0, 1) * 255).round().astype(np.uint8)).save(path)


def test_pictures_of_a_folder_are_found_by_name_and_scaled(views: list[SceneView], tmp_path: Path) -> None:
    save(tmp_path, "images/0000.png", 1 - views[0].rgb)
    save(tmp_path, "0001.jpg", np.full((192, 256, 3), 0.25))
    editor = make_editor("folder", "", folder=tmp_path)
    editor.prepare(views, 0)
    assert "3 of 5 views" in editor.plan.notes[0]
    assert np.abs(editor.edit(views[0], 0) - (1 - views[0].rgb)).max() < 0.003
    assert np.abs(editor.edit(views[1], 0) - 0.25).max() < 0.01
    assert any("scaled" in note for note in editor.plan.notes)
    with pytest.raises(MissingView, match="no edited picture"):
        editor.edit(views[2], 0)


def test_transparent_pixels_show_the_view_as_it_was(views: list[SceneView], tmp_path: Path) -> None:
    picture = np.zeros((*views[0].depth.shape, 4))
    picture[:, :50] = [1, 0, 0, 1]
    save(tmp_path, "0000.png", picture)
    result = make_editor("folder", "", folder=tmp_path).edit(views[0], 0)
    assert (result[:, :50] == [1, 0, 0]).all() and (result[:, 50:] == views[0].rgb[:, 50:]).all()


def test_numbers_that_are_none_show_the_view_as_it_was(views: list[SceneView], tmp_path: Path) -> None:
    grey = np.full(views[0].depth.shape, 0.5, np.float32)
    grey[:10] = np.nan
    Image.fromarray(grey).save(tmp_path / "0000.tif")
    result = make_editor("folder", "", folder=tmp_path).edit(views[0], 0)
    assert (result[:10] == views[0].rgb[:10]).all() and np.allclose(result[10:], 0.5)


def test_folders_that_cannot_be_used_are_refused(views: list[SceneView], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No folder"):
        make_editor("folder", "")
    with pytest.raises(InputError, match="is not there"):
        make_editor("folder", "", folder=tmp_path / "nowhere")
    with pytest.raises(InputError, match="no picture in"):
        make_editor("folder", "", folder=tmp_path)
    save(tmp_path, "other.png", views[0].rgb)
    with pytest.raises(InputError, match="None of the pictures"):
        make_editor("folder", "", folder=tmp_path).prepare(views, 0)
    save(tmp_path, "0000.png", np.zeros((50, 50, 3)))
    with pytest.raises(InputError, match="another shape"):
        make_editor("folder", "", folder=tmp_path).edit(views[0], 0)
