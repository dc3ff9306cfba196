"""A radiance field from posed photos: learned, repeated, resumed, stopped, refused; drawn without torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recon.errors import InputError, ReconError
from recon.hash_grid import torch_jets
from recon.method import Output, Progress, Result, RunContext, StopRequested
from recon.nerf import METHOD, twin
from recon.nerf.engine import KernelEngine
from recon.nerf.preparation import find_box, prepare_trainer
from recon.nerf.sight import first_codes
from recon.nerf.torch_engine import TorchEngine
from recon.nerf.train import Trainer
from render.image_files import read_image
from render.images import PosedImages
from render.radiance_field import RadianceField
from render.radiance_layout import layout_of
from render.radiance_march import code_densities
from render.radiance_pictures import EXPLORE, LEAST_WEIGHT, radiance_picture, radiance_strips
from render.radiance_rays import Rays, follow
from tests.recon.splats.scenes import drive, rewritten, room
from tests.synthetic_room import make_room, write_images

# As small as a run can be that still learns.
TINY: dict[str, Any] = {
    "steps": 30, "rays": 256, "samples": 8, "levels": 4, "table_size": 11, "width": 16, "detail": 128, "held_out": 0,
}  # fmt: skip
LEARNING: dict[str, Any] = TINY | {"steps": 160, "rays": 512, "table_size": 14, "held_out": 5}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> PosedImages:
    return room(tmp_path_factory.mktemp("room"))


@pytest.fixture(scope="module")
def trained(scene: PosedImages) -> tuple[Result, list[Progress]]:
    return drive(METHOD, {"scene": replace(scene, depth=None)}, **LEARNING)


def field_of(result: Result) -> RadianceField:
    data = result.outputs[0].data
    assert isinstance(data, RadianceField)
    return data


def camera(posed: PosedImages, view: int) -> tuple[Any, Any, Any, tuple[int, int]]:
    cameras = posed.cameras
    width, height = cameras.size[view].tolist()
    return cameras.cam_from_world[view], cameras.focal[view], cameras.center[view], (width, height)


def raw(field: RadianceField) -> bytes:
    return b"".join(
        np.ascontiguousarray(field.parameters[name]).tobytes() for name in sorted(field.parameters)
    )


def test_a_room_is_learned_and_photos_that_were_never_shown_are_predicted(
    scene: PosedImages, trained: tuple[Result, list[Progress]]
) -> None:
    result, told = trained
    assert result.figures["held_out_images"] == 2
    # One colour for all of it: 11. Eight photos of fine patches say little of the two others: longer does not help.
    assert result.figures["psnr_held_out"] > 17
    assert result.figures["psnr_trained"] > 19
    assert [output.name for output in result.outputs] == ["Radiance field", "Views"]
    losses = [progress.losses["photo"] for progress in told if "photo" in progress.losses]
    assert losses[-1] < 0.5 * losses[0]  # a grid of 128 cells cannot show all patches
    view = 2  # the first that is held out of every five
    picture = radiance_picture(field_of(result), *camera(scene, view))
    photo = read_image(scene, view) / 255
    square = float(((picture.over((0, 0, 0)) - photo) ** 2).mean())
    assert -10 * np.log10(square) > 17
    assert picture.alpha.mean() > 0.95


def test_a_picture_is_what_torch_draws_of_the_same_field(
    scene: PosedImages, trained: tuple[Result, list[Progress]]
) -> None:
    field = field_of(trained[0])
    layout = layout_of(field)
    pose, focal, center, (width, height) = camera(scene, 1)
    picture = radiance_picture(field, pose, focal, center, (width, height))
    box_from_cam = np.linalg.inv(field.world_from_box) @ np.linalg.inv(pose)
    y, x = np.mgrid[0:height, 0:width].reshape(2, -1) + 0.5
    toward = np.stack([(x - center[0]) / focal[0], (y - center[1]) / focal[1], np.ones(x.shape)], 1)
    turned = toward @ box_from_cam[:3, :3].T
    directions = torch.from_numpy(turned / np.linalg.norm(turned, axis=1, keepdims=True)).float()
    origins = torch.from_numpy(np.tile(box_from_cam[:3, 3], (len(x), 1))).float()
    parameters = {name: torch.tensor(field.parameters[name]) for name in layout.shapes}
    placed = twin.place_samples(
        origins, directions, torch.full((len(x), 2), 0.5), layout.num_samples, EXPLORE, layout,
        torch.tensor(field.parameters["density"]), torch.from_numpy(code_densities()),
    )  # fmt: skip
    drawn = twin.draw(
        layout, parameters, lambda points: torch_jets(parameters["table"], points, layout.grid)[0], placed, directions,
        LEAST_WEIGHT,
    )  # fmt: skip
    apart = np.abs(picture.rgb.reshape(-1, 3) - drawn.rgb.numpy()).max(1)
    assert np.median(apart) < 1e-4
    assert np.quantile(apart, 0.99) < 0.01  # a sample moves by a bin where numbers round otherwise
    np.testing.assert_allclose(picture.alpha.ravel().mean(), drawn.alpha.mean().item(), atol=1e-3)


def test_strips_make_up_the_picture_and_rows_are_those_of_the_whole(
    scene: PosedImages, trained: tuple[Result, list[Progress]]
) -> None:
    field, at = field_of(trained[0]), camera(scene, 0)
    whole = radiance_picture(field, *at)
    big = at[0], at[1] * 4, at[2] * 4, (at[3][0] * 4, at[3][1] * 4)
    strips = list(radiance_strips(field, *big))
    assert len(strips) > 2
    assert [rows.start for rows, _ in strips][1:] == [rows.stop for rows, _ in strips][:-1]
    np.testing.assert_array_equal(
        np.concatenate([part.rgb for _, part in strips]), radiance_picture(field, *big).rgb
    )
    some = radiance_picture(field, *at, rows=slice(7, 20))
    np.testing.assert_array_equal(some.rgb, whole.rgb[7:20])
    np.testing.assert_array_equal(some.depth, whole.depth[7:20])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(scene: PosedImages) -> None:
    fields = [
        field_of(drive(METHOD, {"scene": scene}, RunContext(seed=seed), **TINY | {"exposure": True})[0])
        for seed in (0, 0, 1)
    ]
    assert raw(fields[0]) == raw(fields[1]) != raw(fields[2])


@pytest.mark.parametrize("device", ["kernels", "torch"])
def test_a_resumed_run_ends_as_an_uninterrupted_one_bit_for_bit(
    scene: PosedImages, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if device == "torch":
        monkeypatch.setattr("recon.nerf.preparation.KernelEngine", on_processor)
    settings = METHOD.make_settings(TINY | {"steps": 8, "rays": 64, "exposure": True})
    whole = prepare_trainer(scene, settings, "cpu", 0)  # type: ignore[arg-type]
    half = prepare_trainer(scene, settings, "cpu", 0)  # type: ignore[arg-type]
    for _ in range(8):
        whole.step()
    for _ in range(4):
        half.step()
    kept = {name: np.array(value) for name, value in half.state().items()}
    resumed = prepare_trainer(scene, settings, "cpu", 5)  # type: ignore[arg-type]
    resumed.load(kept)
    for _ in range(4):
        resumed.step()
    ends = whole.state(), resumed.state()
    assert ends[0].keys() == ends[1].keys()
    for name in ends[0].keys() - {"seconds"}:
        np.testing.assert_array_equal(ends[0][name], ends[1][name], err_msg=name)


def on_processor(*start: Any) -> TorchEngine:
    """The engine that a GPU would run."""
    return TorchEngine(*start, "cpu")


def test_torch_alone_learns_as_the_kernels_do(scene: PosedImages, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = METHOD.make_settings(TINY | {"steps": 40})
    ends = []
    for make in (None, on_processor):
        if make is not None:
            monkeypatch.setattr("recon.nerf.preparation.KernelEngine", make)
        trainer = prepare_trainer(scene, settings, "cpu", 0)  # type: ignore[arg-type]
        losses = [trainer.step()["photo"] for _ in range(40)]
        ends.append(np.mean(losses[-10:]))
        assert ends[-1] < 0.75 * losses[0]  # coarse levels only, for a third of the steps
    assert ends[1] == pytest.approx(ends[0], rel=0.15)


def test_a_run_that_is_stopped_gives_what_it_has(scene: PosedImages) -> None:
    steps = METHOD.load()({"scene": scene}, METHOD.make_settings(TINY | {"steps": 100_000}), RunContext())
    while next(steps).stage != "Training":
        pass
    try:
        steps.throw(StopRequested())
        while True:
            next(steps)
    except StopIteration as end:
        result = end.value
    assert "Stopped after 10 of 100000 steps." in result.figures["notes"]
    assert field_of(result).parameters["table"].any()


def test_previews_are_fields_in_the_world(scene: PosedImages) -> None:
    _, told = drive(METHOD, {"scene": scene}, RunContext(is_preview_due=lambda: True), **TINY | {"steps": 3})
    previews = [progress.preview for progress in told if progress.preview is not None]
    assert previews and all(isinstance(each, RadianceField) for each in previews)
    assert previews[0].frame == scene.frame


def test_nothing_is_put_where_photos_are_transparent(scene: PosedImages, tmp_path: Path) -> None:
    def half_empty(pixels: np.ndarray, _: int) -> np.ndarray:
        alpha = np.full((*pixels.shape[:2], 1), 255, np.uint8)
        alpha[:, : pixels.shape[1] // 2] = 0
        return np.concatenate([pixels, alpha], 2)

    shown = rewritten(scene, tmp_path / "shown", half_empty)
    result, _ = drive(METHOD, {"scene": shown.select(np.arange(3))}, **TINY | {"steps": 120})
    alpha = radiance_picture(field_of(result), *camera(scene, 0)).alpha
    assert alpha[:, :28].mean() < 0.3 < 0.9 < alpha[:, 36:].mean()


def test_the_regions_box_is_where_the_field_is(scene: PosedImages) -> None:
    region = np.diag([2.0, 1.0, 0.5, 1.0])
    region[:3, 3] = 1, 2, 3
    world_from_box, bounds = find_box(replace(scene, world_from_region=region))
    assert world_from_box.scale == 2.0
    np.testing.assert_allclose(world_from_box.apply(bounds), [[-1, 1, 2.5], [3, 3, 3.5]])


def test_a_time_limit_ends_training(scene: PosedImages) -> None:
    result, _ = drive(METHOD, {"scene": scene}, **TINY | {"steps": 1_000_000, "minutes": 0.005})
    assert 1 <= result.figures["steps"] < 100_000


def test_known_depth_is_heeded(tmp_path: Path) -> None:
    known = make_room(4, 48, 36)
    posed = write_images(known, tmp_path, with_cues=True)
    medians = []
    for weight in (0.0, 0.05):
        settings = METHOD.make_settings(TINY | {"depth_weight": weight, "steps": 100})
        trainer: Trainer = prepare_trainer(posed, settings, "cpu", 0)  # type: ignore[arg-type]
        assert trainer.pixels.has_depth == (weight > 0)
        losses = [trainer.step() for _ in range(100)]
        assert ("depth" in losses[0]) == (weight > 0)
        field, off = trainer.field(posed.frame, posed.cameras), []
        for view in range(len(posed)):
            found = radiance_picture(field, *camera(posed, view)).depth
            both = (found > 0) & np.isfinite(known.depth[view])
            off.append(np.abs(found[both] / known.depth[view][both] - 1))
        medians.append(np.median(np.concatenate(off)))
    assert losses[-1]["depth"] < 0.6 * losses[0]["depth"]
    assert medians[1] < 0.1
    assert medians[1] < 0.3 * medians[0]


def test_samples_look_at_known_surfaces_from_the_first_step(tmp_path: Path) -> None:
    posed = write_images(make_room(4, 48, 36), tmp_path, with_cues=True)
    trainer: Trainer = prepare_trainer(posed, METHOD.make_settings(TINY), "cpu", 0)  # type: ignore[arg-type]
    assert isinstance(trainer.engine, KernelEngine)
    network, rng = trainer.engine.network, np.random.default_rng(0)
    batch = trainer.pixels.draw(500, rng)
    rays = Rays(batch.origins, batch.directions, rng.random((500, 2), np.float32))
    codes = first_codes(posed.cameras.transformed(trainer.world_from_box.inverse), network.layout)
    reached = []
    for network_now in (network, replace(network, codes=codes)):
        samples = follow(network_now, rays, 8, 0.05, 0.0)
        known = batch.distance[:, None]
        reached.append((np.abs(samples.places - known) < 0.05 * known).any(1)[batch.distance > 0].mean())
    assert reached[0] > 0.95
    assert reached[1] < 0.5  # as they look where nothing is known


@pytest.mark.parametrize("used", [0, 1])
def test_too_few_photos_are_refused(scene: PosedImages, used: int) -> None:
    disabled = np.arange(len(scene)) >= used
    with pytest.raises(InputError):
        drive(METHOD, {"scene": replace(scene, disabled=disabled)}, **TINY)


def test_training_that_fails_says_so(scene: PosedImages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trainer, "step", lambda trainer: {"photo": float("nan")})
    with pytest.raises(ReconError, match="no number"):
        drive(METHOD, {"scene": scene}, **TINY)


def test_what_is_no_field_of_ours_is_not_drawn(
    scene: PosedImages, trained: tuple[Result, list[Progress]]
) -> None:
    field = field_of(trained[0])
    assert isinstance(trained[0].outputs[0], Output)
    with pytest.raises(ValueError, match="radiance field"):
        radiance_picture(replace(field, layout="{}"), *camera(scene, 0))
    lacking = {name: value for name, value in field.parameters.items() if name != "w3"}
    with pytest.raises(ValueError, match="w3"):
        radiance_picture(replace(field, parameters=lacking), *camera(scene, 0))
