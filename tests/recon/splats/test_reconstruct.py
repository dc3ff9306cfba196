"""The whole method on small pictures of a room."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recon.errors import FormatError, InputError
from recon.method import Output, RunContext, StopRequested
from recon.splats import METHOD
from render.gaussians import GaussianCloud
from render.images import ImageSet, PosedImages
from render.rendered_views import RenderedViews
from render.splat_pictures import splat_picture
from render.transforms import Similarity3
from tests.recon.splats.scenes import TINY, drive, rewritten, room

torch = pytest.importorskip("torch")

from recon.splats.preparation import prepare_trainer  # noqa: E402


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> PosedImages:
    return room(tmp_path_factory.mktemp("room"))


@pytest.fixture(scope="module")
def trained(scene) -> tuple[Output, Output, dict]:
    result, _ = drive(METHOD, {"scene": scene}, **TINY | {"steps": 150, "held_out": 5})
    return *result.outputs, dict(result.figures)


def raw(cloud: GaussianCloud) -> bytes:
    return b"".join(array.tobytes() for _, array in cloud.arrays())


def test_a_room_is_learned_from_its_photos(scene, trained):
    splats, views, figures = trained
    cloud = splats.data
    assert isinstance(cloud, GaussianCloud) and isinstance(views.data, RenderedViews)
    assert figures["psnr"] > 20 and figures["psnr_held_out"] > 18
    assert 0.4 < figures["ssim_held_out"] < 1
    assert figures["gaussians"] == len(cloud) <= 900 and cloud.sh.shape[1:] == (4, 3)
    assert figures["images"] == 10 and figures["held_out_images"] == 2
    assert cloud.frame == scene.frame
    cameras = scene.cameras
    picture = splat_picture(cloud, cameras.cam_from_world[0], cameras.focal[0], cameras.center[0], (64, 48))
    off = np.abs(picture - views.data.rgb[0] / 255)
    assert off.max() < 0.01, "drawn again from the result, in the world, it looks the same"
    curve = [point["psnr_held_out"] for point in figures["curves"]]
    assert len(curve) > 10 and curve[-1] > curve[0] + 2
    json.dumps(figures)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(scene):
    clouds = [
        drive(METHOD, {"scene": scene}, RunContext(seed=seed), **TINY)[0].outputs[0].data
        for seed in (0, 0, 1)
    ]
    assert raw(clouds[0]) == raw(clouds[1]) != raw(clouds[2])


@pytest.mark.parametrize(
    "more", [{}, {"growth": "split", "growth_gradient": 1e-5, "exposure": True, "background": "learned"}]
)
def test_a_resumed_run_ends_as_an_uninterrupted_one_bit_for_bit(scene, more):
    kept = []
    context = RunContext(is_checkpoint_due=lambda: len(kept) < 37, save_checkpoint=kept.append)
    whole, _ = drive(METHOD, {"scene": scene}, context, **TINY | more)
    assert int(kept[-1]["step"]) == 37
    resumed, told = drive(
        METHOD, {"scene": scene}, RunContext(load_checkpoint=lambda: kept[-1]), **TINY | more
    )
    assert raw(resumed.outputs[0].data) == raw(whole.outputs[0].data)
    assert resumed.figures["losses"] == whole.figures["losses"]
    assert resumed.figures["curves"] == whole.figures["curves"]
    assert min(each.step for each in told if each.stage == "Training") >= 37


def test_a_run_that_is_stopped_gives_what_it_has(scene):
    steps = METHOD.load()({"scene": scene}, METHOD.make_settings(TINY | {"steps": 5000}), RunContext())
    told = next(steps)
    while told.step < 20:
        told = next(steps)
    told = steps.throw(StopRequested())
    with pytest.raises(StopIteration) as end:
        while True:
            told = next(steps)
    result = end.value.value
    assert result.figures["steps"] == 20 and "Stopped after 20 of 5000 steps." in result.figures["notes"]
    assert len(result.outputs[0].data) > 100


def test_previews_are_clouds_in_the_world(scene):
    _, told = drive(METHOD, {"scene": scene}, RunContext(is_preview_due=lambda: True), **TINY | {"steps": 3})
    previews = [each.preview for each in told if each.preview is not None]
    assert len(previews) == 3 and all(isinstance(each, GaussianCloud) for each in previews)
    low, high = np.quantile(previews[0].means, [0.1, 0.9], axis=0)
    assert (low > scene.bounds[0] - 3).all() and (high < scene.bounds[1] + 3).all()
    training = [each for each in told if each.stage == "Training" and each.losses]
    assert {"photo", "gaussians"} <= set(training[-1].losses)


def test_masked_pixels_are_ignored_exactly(scene, tmp_path):
    mask = np.full((48, 64), 255, np.uint8)
    mask[10:30, 20:50] = 0
    scenes = []
    for name, shade in (("a", (255, 0, 255)), ("b", (0, 90, 3))):
        spoilt = rewritten(
            scene,
            tmp_path / name,
            lambda pixels, i, shade=shade: np.where(mask[..., None] > 0, pixels, shade),
        )
        Image.fromarray(mask).save(tmp_path / name / "mask.png")
        paths = spoilt.images.paths
        scenes.append(replace(spoilt, images=replace(spoilt.images, mask_paths=("mask.png",) * len(paths))))
    results = [drive(METHOD, {"scene": each}, **TINY)[0] for each in scenes]
    assert raw(results[0].outputs[0].data) == raw(results[1].outputs[0].data)
    assert results[0].figures["psnr"] == results[1].figures["psnr"]
    assert results[0].figures["psnr"] > 15


def test_nothing_is_put_where_photos_are_transparent(scene, tmp_path):
    shown = np.zeros((48, 64, 1), np.uint8)
    shown[14:34, 20:44] = 255
    cut = rewritten(scene, tmp_path / "cut", lambda pixels, i: np.concatenate([pixels, shown], -1))
    result, _ = drive(METHOD, {"scene": cut}, **TINY | {"steps": 200, "background": "random"})
    uncertainty = result.outputs[1].data.uncertainty  # 1 - alpha
    corner = uncertainty[:, :8, :8]
    middle = uncertainty[:, 20:28, 28:36]
    assert np.median(corner) > 0.6 and np.median(middle) < 0.4


def test_the_exposure_of_each_photo_is_found(scene, tmp_path):
    gains = np.where(np.arange(10) % 2, 0.7, 1.0)
    dimmed = rewritten(scene, tmp_path / "dim", lambda pixels, i: np.round(pixels * gains[i]))
    settings = METHOD.make_settings(TINY | {"steps": 400, "exposure": True})
    trainer = prepare_trainer({"scene": dimmed}, settings, "cpu", 0)
    while not trainer.pace.is_done:
        trainer.step()
    matrices = trainer.exposures.matrices.numpy()
    usual = (
        np.mean([trainer.photos.photo(i).rgb.mean((0, 1)) for i in range(10)], axis=0) / 255 / gains.mean()
    )
    found = (matrices[:, :, :3] @ usual + matrices[:, :, 3]).mean(1)
    assert found[gains < 1].mean() / found[gains == 1].mean() == pytest.approx(0.7, abs=0.05)
    assert np.ptp(found[gains < 1]) < 0.1 and np.ptp(found[gains == 1]) < 0.1
    assert np.abs(matrices.mean(0) - np.eye(3, 4)).max() < 0.1, "no change on average"


def test_the_number_of_gaussians_never_exceeds_the_limit(scene):
    for most in (300, 501):  # fewer than there are points, and just more
        for growth in ("mcmc", "split"):
            settings = TINY | {"max_gaussians": most, "growth": growth, "growth_gradient": 1e-6}
            _, told = drive(METHOD, {"scene": scene}, **settings)
            counts = [each.losses["gaussians"] for each in told if "gaussians" in each.losses]
            assert max(counts) == most


def test_training_starts_without_points_where_the_photos_agree(scene):
    bare = replace(scene, points=None, observations=None)
    result, _ = drive(METHOD, {"scene": bare}, **TINY | {"steps": 150})
    assert result.figures["psnr"] > 17
    with pytest.raises(InputError, match="not enough points"):
        drive(METHOD, {"scene": bare}, **TINY | {"start": "points"})


def test_training_goes_on_from_a_cloud(scene, trained):
    cloud = trained[0].data
    result, _ = drive(
        METHOD, {"scene": scene, "cloud": cloud}, **TINY | {"steps": 1, "coarse_to_fine": False}
    )
    assert result.figures["psnr"] > trained[2]["psnr"] - 1.5


def test_photos_of_different_sizes_train_together(scene, tmp_path):
    folder = tmp_path / "sizes"
    folder.mkdir()
    sizes = np.array([(64, 48) if i % 2 else (40, 30) for i in range(10)])
    for i, name in enumerate(scene.images.paths):
        Image.open(scene.images.path(i)).resize(tuple(sizes[i])).save(folder / Path(name).name)
    paths = tuple(Path(name).name for name in scene.images.paths)
    mixed = replace(scene, images=ImageSet(str(folder), paths), cameras=scene.cameras.resized(sizes))
    result, _ = drive(METHOD, {"scene": mixed}, **TINY)
    assert result.figures["psnr"] > 15 and result.outputs[1].data.rgb.shape[1:3] == (30, 40)


def test_the_result_moves_with_the_scene_whatever_its_unit(scene):
    b_from_a = Similarity3(np.eye(3), np.array([4e5, -2e5, 10.0]), 1000.0)
    far = scene.transformed(b_from_a, scene.frame)
    results = [drive(METHOD, {"scene": each}, **TINY)[0] for each in (scene, far)]
    assert results[1].figures["psnr"] == pytest.approx(results[0].figures["psnr"], abs=1.0)
    means = results[1].outputs[0].data.means
    assert np.abs(np.median(means, axis=0) - [4e5, -2e5, 10]).max() < 3000


def test_a_time_limit_ends_training(scene):
    result, told = drive(METHOD, {"scene": scene}, **TINY | {"steps": 100_000, "minutes": 0.01})
    assert 3 < result.figures["steps"] < 1000
    last = [each for each in told if each.stage == "Training"][-1]
    assert last.step == last.total == 1000, "the share of the time is told"


@pytest.mark.parametrize("used", [0, 1])
def test_too_few_photos_are_refused(scene, used):
    off = np.arange(10) >= used
    with pytest.raises(InputError, match="switched off" if used == 0 else "One photo"):
        drive(METHOD, {"scene": replace(scene, disabled=off)}, **TINY)


def test_masks_that_leave_nothing_are_refused(scene, tmp_path):
    dark = rewritten(scene, tmp_path / "dark", lambda pixels, i: pixels)
    Image.fromarray(np.zeros((48, 64), np.uint8)).save(tmp_path / "dark" / "mask.png")
    masked = replace(dark, images=replace(dark.images, mask_paths=("mask.png",) * 10))
    with pytest.raises(InputError, match="masks leave no pixel"):
        drive(METHOD, {"scene": masked}, **TINY)


def test_a_photo_that_is_gone_is_named(scene, tmp_path):
    gone = replace(scene, images=replace(scene.images, folder=str(tmp_path)))
    with pytest.raises(FormatError, match="no longer there"):
        drive(METHOD, {"scene": gone}, **TINY)


def test_training_that_fails_says_so(scene, monkeypatch):
    from recon.splats.train import Trainer
    from recon.training import Diverged

    step = Trainer.step

    def spoilt(trainer):
        if trainer.pace.step == 12:
            trainer.gaussians.values["opacity_logits"].data.fill_(np.nan)
        return step(trainer)

    monkeypatch.setattr(Trainer, "step", spoilt)
    with pytest.raises(Diverged, match="step 13: the loss is no number any more"):
        drive(METHOD, {"scene": scene}, **TINY)


def test_views_are_held_out_unasked_only_where_there_are_many():
    from recon.splats.schedule import held_out_every

    settings = METHOD.make_settings({})
    assert [held_out_every(settings, count) for count in (24, 31, 32, 500)] == [0, 0, 8, 8]
    assert held_out_every(METHOD.make_settings({"held_out": 8}), 24) == 8
    assert held_out_every(METHOD.make_settings({"held_out": 0}), 500) == 0
