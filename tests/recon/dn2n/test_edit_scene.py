"""The whole method on a small scene: its files, that nothing in it is random, and what it refuses."""

import errno
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import recon.dn2n.edit_scene as edit_scene
from app import cli_outputs
from app.cli_run import main as isokiln_run
from recon.dn2n import METHOD, scene_depth
from recon.dn2n.editors.editor import EditPlan
from recon.dn2n.outputs import picture_names
from recon.dn2n.photo_error import left_out_psnr, probes
from recon.dn2n.scene_depth import find_depth
from recon.dn2n.scene_views import Coverage, SceneViews
from recon.errors import InputError, MissingModel, ReconError, SettingsError
from recon.formats import native
from recon.method import Progress, RunContext
from render.view_field import ViewField
from tests.recon.dn2n.edited_scenes import originals_of, procedural, write_scene
from tests.stepping import finish

# A radiance field as small as one can be.
TINY = {
    "steps": 20, "rays": 512, "samples": 8, "levels": 4, "table_size": 14, "width": 16, "detail": 128, "held_out": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return write_scene(procedural(), tmp_path_factory.mktemp("scene"))


def edited(folder, scene, inputs=None, context=None, **settings):
    run = edit_scene.run(
        {"scene": scene, **(inputs or {})}, METHOD.make_settings(settings), RunContext(folder=folder)
    )
    return finish(run)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def picture_at(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.fixture(scope="module")
def written(scene, tmp_path_factory):
    """What the command line makes of a sunset that each view has differently."""
    place = tmp_path_factory.mktemp("run")
    native.write(place / "scene.npz", scene)
    novel = scene.select(np.array([2, 5, 7]))
    native.write(place / "cameras.npz", novel)
    words = ["dn2n", str(place / "scene.npz"), "--prompt", "a red sunset", "--variation", "1", "--seed", "4"]
    words += ["--cameras", str(place / "cameras.npz"), "--held-out", "5", "--route", "color"]
    assert isokiln_run([*words, "-o", str(place / "out")]) == 0
    return place / "out"


def test_the_command_line_writes_edited_and_novel_views_depth_scores_and_measures(written, scene):
    names = [Path(name).stem for name in scene.images.names]
    assert sorted(path.stem for path in (written / "edited").iterdir()) == names
    assert sorted(path.name for path in (written / "novel").iterdir()) == ["02.png", "05.png", "07.png"]
    for name in ("02", "05", "07"):
        depth = np.load(written / "depth" / f"{name}.npy")
        assert picture_at(written / "novel" / f"{name}.png").shape == (48, 64, 3)
        assert depth.shape == (48, 64)
        known = depth > 0
        assert known.mean() > 0.9
        assert np.median(np.abs(depth / procedural().depth[int(name)] - 1)[known]) < 0.02
    rows = json.loads((written / "views.json").read_text())
    assert [row["name"] for row in rows] == list(scene.images.names)
    assert [row["decision"] for row in rows].count("held out") == 2
    assert all(0 <= row["score"] <= 1 for row in rows if row["decision"] != "held out")
    measures = json.loads((written / "metrics.json").read_text())
    assert measures["way"] == "color" and measures["novel_views"] == 3
    assert measures["warp_edited_together"]["short"] < measures["warp_edited_alone"]["short"]
    assert measures["depth"]["from"] == "the scene's own depth"
    field = native.read(written / "field.npz")
    assert isinstance(field, ViewField) and len(field) == 8 and field.has_color_map
    assert json.loads(field.layout)["prompt"] == "a red sunset"


def test_an_edit_takes_the_place_of_an_earlier_one_in_its_folder(written, tmp_path):
    place = tmp_path / "out"
    for part in ("novel", "depth"):
        (place / part).mkdir(parents=True)
    (place / "novel/elsewhere.png").touch()
    (place / "depth/elsewhere.npy").touch()
    (place / "novel/notes.txt").touch()
    cli_outputs._write_edit(written, place)  # not an edit yet: nothing is taken away
    assert (place / "novel/elsewhere.png").exists()
    cli_outputs._write_edit(written, place)
    kept = files_of(place)
    assert kept.pop("novel/notes.txt") == b""
    assert kept == files_of(written)


def test_a_file_in_the_place_of_a_folder_of_the_edit_is_told(written, tmp_path):
    (tmp_path / "novel").write_text("mine")
    with pytest.raises(InputError, match="is a file, and must be a folder"):
        cli_outputs._write_edit(written, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["novel"]


def test_places_that_cannot_be_written_are_told_before_anything_is_computed(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.touch()
    (tmp_path / "earlier/views.json").mkdir(parents=True)
    for place, told in (
        (file, "is a file"),
        (file / "in it", "not a folder"),
        (tmp_path / "earlier", "must be a file"),
    ):
        with pytest.raises(InputError, match=told):
            cli_outputs.check_output(place, [], "view_field")
    cli_outputs.check_output(tmp_path / "new/folder", [], "view_field")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["earlier", "file"]
    for number, told in ((errno.ENOSPC, "no room left"), (errno.EROFS, "may not be written")):
        monkeypatch.setattr(cli_outputs.tempfile, "TemporaryFile", lambda dir, number=number: refuse(number))
        with pytest.raises(InputError, match=told):
            cli_outputs.check_output(tmp_path / "new", [], "view_field")


def refuse(number):
    raise OSError(number, "refused")


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (("images/a.jpg", "images/b.jpg"), ["a.png", "b.png"]),
        (("images/l/0.png", "images/r/0.png"), ["l-0.png", "r-0.png"]),
        (("a/0.png", "a/0.jpg"), ["0-1.png", "0-2.png"]),
        (("l/0.png", "0.png"), ["l-0.png", "0.png"]),
    ],
)
def test_pictures_are_named_as_the_photos_with_folders_where_these_tell_them_apart(names, files):
    assert picture_names(names) == files


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(scene, tmp_path):
    made, scene = [], scene.select(np.arange(5))
    for name, seed in (("a", 3), ("b", 3), ("c", 5)):
        folder = tmp_path / name
        folder.mkdir()
        settings = METHOD.make_settings({"prompt": "make it night", "variation": 1.0, "route": "color"})
        finish(edit_scene.run({"scene": scene}, settings, RunContext(seed=seed, folder=folder)))
        made.append(files_of(folder))
    assert made[0] == made[1]
    assert made[0]["edited/00.png"] != made[2]["edited/00.png"]


def test_an_edit_that_is_anchored_in_the_scene_is_left_as_it_is_and_gone_on_from(scene, tmp_path):
    first = edited(tmp_path, scene, prompt="make it night")
    field = first.outputs[0].data
    assert first.figures["way"] == "as-is"
    assert "psnr_unedited" in first.figures  # of views that are drawn without themselves
    night = picture_at(tmp_path / "edited/03.png")
    np.testing.assert_array_equal(field.pictures[3], night)
    second = edited(tmp_path, scene, {"before": field}, prompt="sepia")
    again = second.outputs[0].data
    assert again.pictures.mean() < 0.8 * scene_mean()
    assert second.figures["psnr_unedited"] > first.figures["psnr_unedited"], "the night is dark"
    np.testing.assert_array_equal(again.depths, field.depths)
    np.testing.assert_array_equal(again.originals, field.originals)
    poses = scene.cameras.cam_from_world.copy()
    poses[:, 0, 3] += 0.5
    elsewhere = replace(scene, cameras=replace(scene.cameras, cam_from_world=poses))
    with pytest.raises(InputError, match="taken from elsewhere"):
        edited(tmp_path, elsewhere, {"before": field}, prompt="sepia")


def scene_mean():
    return procedural().rgb.mean()


def test_masks_limit_an_edit_and_leave_every_other_byte(scene, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    where = np.zeros((48, 64), np.uint8)
    where[10:30, 20:50] = 255
    for name in ("00", "01", "02", "03", "04"):
        Image.fromarray(where).save(masks / f"{name}.png")
    result = edited(tmp_path, scene, prompt="make it night", masks=str(masks))
    field = result.outputs[0].data
    outside = where == 0
    for i in range(10):
        is_masked = i < 5
        np.testing.assert_array_equal(field.pictures[i][outside], procedural().rgb[i][outside])
        assert (field.pictures[i] != procedural().rgb[i]).any() == is_masked


def test_nothing_is_edited_or_drawn_where_photos_are_transparent_and_masked_pixels_stay(scene, tmp_path):
    made, folder = procedural(), tmp_path / "cut out"
    middle = np.median(made.points.reshape(-1, 3), 0)
    away = np.linalg.norm(made.points - middle, axis=-1)
    is_shown = away < np.quantile(away, 0.5)
    (folder / "images").mkdir(parents=True)
    for i, path in enumerate(scene.images.paths):
        junk = np.random.default_rng(i).integers(0, 255, (48, 64, 3))
        rgb = np.where(is_shown[i, ..., None], made.rgb[i], junk)
        Image.fromarray(np.dstack([rgb, 255 * is_shown[i]]).astype(np.uint8)).save(folder / path)
        mask = np.zeros((48, 64), np.uint8)
        mask[:, 8:] = 255
        Image.fromarray(mask).save(folder / f"{i}.png")
    masks = ("0.png", *[""] * (len(scene) - 1))
    depth = replace(
        scene.depth, paths=tuple(str(Path(scene.images.folder, each)) for each in scene.depth.paths)
    )
    images = replace(scene.images, folder=str(folder), mask_paths=masks)
    field = (
        edited(tmp_path, replace(scene, images=images, depth=depth), prompt="make it night").outputs[0].data
    )
    assert field.is_cut_out and not replace(field, layout='{"prompt": "behind"}').is_cut_out
    np.testing.assert_array_equal(picture_at(tmp_path / "edited/04.png")[..., 3], 255 * is_shown[4])
    gone = ~is_shown
    gone[0, :, :8] = True
    np.testing.assert_array_equal(field.pictures[gone], field.originals[gone])
    assert (field.pictures != field.originals)[~gone].any(-1).mean() > 0.9
    assert (field.depths[gone] == 0).all()
    for path in (tmp_path / "novel").iterdir():
        drawn = picture_at(path)[..., 3] > 0
        wanted = is_shown[int(path.stem)]
        assert (drawn & wanted).sum() > 0.85 * (drawn | wanted).sum()


def test_views_edited_elsewhere_may_be_some_of_them(scene, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for i in range(7):
        picture = procedural().rgb[i].astype(np.float32) * (1.0, 0.7, 0.5)
        Image.fromarray(picture.astype(np.uint8)).save(elsewhere / f"{i:02d}.png")
    result = edited(tmp_path, scene, editor="folder", edits=str(elsewhere), prompt="")
    assert len(result.outputs[0].data) == 7
    rows = json.loads((tmp_path / "views.json").read_text())
    assert [row["decision"] for row in rows[7:]] == ["not edited"] * 3
    assert sorted(path.stem for path in (tmp_path / "novel").iterdir()) == ["07", "08", "09"]
    told = picture_at(tmp_path / "novel/08.png").astype(float)
    wanted = procedural().rgb[8] * np.array([1.0, 0.7, 0.5])
    assert np.abs(told - wanted).mean() < 16


def test_depth_comes_from_photos_where_there_is_none(tmp_path):
    scene = procedural(12, (80, 60))
    posed = write_scene(scene, tmp_path, with_depth=False)
    views = SceneViews(posed, scene.cameras, scene.rgb, np.zeros(12, bool))
    found = finish(find_depth(views))
    assert found.source == "photos" and found.known > 0.9
    error = np.abs(found.views.depths / scene.depth - 1)
    assert np.median(error) < 0.03


def test_depth_that_contradicts_the_photos_gives_way_to_better_and_a_field_is_trained_where_there_is_none(
    scene, monkeypatch
):
    made = procedural()
    views = SceneViews(scene, made.cameras, made.rgb, np.zeros(10, bool))
    kept = finish(find_depth(views))
    assert kept.source == "scene" and kept.psnr > 22 and not kept.notes
    is_used = np.ones(made.depth.shape, bool)
    is_used[probes(views)[0]] = False
    told = left_out_psnr(replace(views, coverage=Coverage(is_used=is_used)), made.depth)
    assert abs(told - kept.psnr) < 3, "a photo that shows nothing has no say"
    wrong = replace(scene, depth=replace(scene.depth, scale=0.6))
    views = replace(views, posed=wrong)
    monkeypatch.setattr(scene_depth, "photo_depths", lambda views: iter_of(made.depth))
    assert finish(find_depth(views)).source == "photos"
    monkeypatch.setattr(scene_depth, "photo_depths", lambda views: iter_of(None))
    bare = replace(views, posed=replace(scene, depth=None))
    monkeypatch.setattr("recon.dn2n.trained_depth.SETTINGS", TINY)
    said = [progress.stage for progress in scene_depth.trained_depths(bare)]
    assert "Training a radiance field for depth" in said
    monkeypatch.setattr(scene_depth, "trained_depths", lambda views, device: iter_of(made.depth))
    trained = finish(find_depth(bare))
    assert trained.source == "trained" and any("was trained" in note for note in trained.notes)
    monkeypatch.setattr(scene_depth, "trained_depths", lambda views, device: iter_of(noise))
    noise = np.random.default_rng(0).uniform(0.3, 3, made.depth.shape).astype(np.float32) * made.depth
    with pytest.raises(InputError, match="no depth"):  # no better than photos of one colour
        finish(find_depth(bare))


def iter_of(depths):
    yield Progress(0, 1, "Comparing")
    return depths


BAD_PROMPTS = {
    "empty": ("   ", "empty"),
    "unknown": ("blorfle the wibbly snark", "blorfle"),
    "long": ("make it " + "very " * 998 + "old", "5,001 characters"),
}


@pytest.mark.parametrize("prompt, told", BAD_PROMPTS.values(), ids=BAD_PROMPTS)
def test_prompts_that_cannot_be_done_are_told_before_anything_is_read(scene, tmp_path, prompt, told):
    gone = replace(scene, images=replace(scene.images, folder="/nowhere"))
    with pytest.raises(InputError, match=told) as caught:
        edited(tmp_path, gone, prompt=prompt)
    assert caught.value.advice and len(str(caught.value)) < 700
    assert not list(tmp_path.iterdir())


def test_one_view_views_without_overlap_and_no_depth_are_told(scene, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="One view"):
        edited(tmp_path, scene.select(np.array([0])), prompt="make it night")
    poses = np.array(scene.cameras.cam_from_world)
    poses[:, 0, 3] += np.arange(len(poses)) * 1e4
    apart = replace(scene, cameras=replace(scene.cameras, cam_from_world=poses))
    with pytest.raises(InputError, match="No two views"):
        edited(tmp_path, apart, prompt="make it night")
    monkeypatch.setattr("recon.dn2n.trained_depth.SETTINGS", TINY)
    with pytest.raises(InputError, match="no depth"):
        edited(tmp_path, replace(apart, depth=None), prompt="make it night")
    with pytest.raises(InputError, match="no depth from the splats"):
        edited(tmp_path, scene, prompt="make it night", depth="cloud")


@dataclass
class FaultyEditor:
    """An editor that does what it should not."""

    fault: str
    plan: EditPlan = EditPlan("a wish", "Faulty", ("a wish",))
    is_closed: bool = False

    def prepare(self, views, seed):
        if self.fault == "gated":
            raise MissingModel("The network is gated.", "Accept its licence on its page.")

    def edit(self, view, seed):
        if self.fault == "size":
            return view.rgb[::2, ::2]
        if self.fault == "nan":
            return np.where(view.rgb > 0.5, np.float32(np.nan), view.rgb)
        if self.fault == "noise":
            return np.random.default_rng(seed).random(view.rgb.shape, np.float32)
        return view.rgb if self.fault == "same" else 1 - view.rgb

    def close(self):
        self.is_closed = True


FAULTS = {
    "size": "32×24 pixels instead of 64×48",
    "nan": "no colours",
    "same": "No visible change",
    "gated": "gated",
    "noise": "Every view was left out: the edited pictures",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_an_editor_gets_wrong_is_told_and_nothing_is_left(scene, tmp_path, monkeypatch, fault):
    editor = FaultyEditor(fault)
    monkeypatch.setattr(edit_scene, "editor_of", lambda settings, device: editor)
    with pytest.raises(ReconError, match=FAULTS[fault]) as caught:
        edited(tmp_path, scene, prompt="a wish")
    assert caught.value.advice
    assert editor.is_closed and not list(tmp_path.iterdir())
    if fault == "same":
        assert caught.value.advice.count(",") == 2  # three suggestions


def test_a_run_that_is_cancelled_lets_go_of_its_editor(scene, tmp_path, monkeypatch):
    editor = FaultyEditor("")
    monkeypatch.setattr(edit_scene, "editor_of", lambda settings, device: editor)
    run = edit_scene.run({"scene": scene}, METHOD.make_settings({"prompt": "a"}), RunContext(folder=tmp_path))
    for progress in run:
        if progress.stage == "Editing views" and progress.step == 3:
            break
    run.close()
    assert editor.is_closed and not list(tmp_path.iterdir())


def test_leaving_every_view_out_is_refused_and_names_must_be_views(scene, tmp_path):
    with pytest.raises(InputError, match="Every view was left out"):
        edited(tmp_path, scene, prompt="make it night", drop=scene.images.names)
    with pytest.raises(SettingsError, match="nobody"):
        edited(tmp_path, scene, prompt="make it night", keep=("nobody.png",))


def test_unknown_words_are_named_beside_what_was_understood(scene, tmp_path):
    result = edited(tmp_path, scene, prompt="make it night and wibbly")
    assert any("wibbly" in note for note in result.figures["notes"])
    assert (
        np.abs(result.outputs[0].data.pictures / np.float32(255) - originals_of(procedural())).mean() > 0.05
    )
