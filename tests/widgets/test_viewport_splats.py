"""Gaussian splats in the viewport: equal to the CPU's pictures, amid meshes, cut, marked, and gone without a trace."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from render.frame import Frame
from render.gaussians import GaussianCloud, GaussianMarks
from render.splat_pictures import splat_picture_with_alpha
from tests.widgets.viewports import cube, opened
from widgets import viewport_camera as cameras
from widgets.viewport import Viewport
from widgets.viewport_clip import ClipPlane
from widgets.viewport_style import LayerStyle


def ball(count: int = 3000, degree: int = 3, seed: int = 0, radius: float = 1.0) -> GaussianCloud:
    """Gaussians of all shapes in a ball, coloured differently from each side."""
    rng = np.random.default_rng(seed)
    means = rng.standard_normal((count, 3))
    means *= radius * rng.random((count, 1)) ** (1 / 3) / np.linalg.norm(means, axis=1, keepdims=True)
    sh = rng.normal(0, 0.25, (count, (degree + 1) ** 2, 3))
    sh[:, 0] = means / radius * 1.5
    return GaussianCloud(
        means.astype(np.float32),
        rng.standard_normal((count, 4)).astype(np.float32),
        rng.normal(np.log(0.03 * radius), 0.7, (count, 3)).astype(np.float32),
        rng.normal(0.5, 2.0, count).astype(np.float32),
        sh.astype(np.float32),
        {"part": (means[:, 0] > 0).astype(np.int32) + 1},
    )


def one_splat(
    at: tuple[float, float, float], color: tuple[float, float, float], size: float
) -> GaussianCloud:
    """A round, nearly opaque Gaussian of one colour."""
    sh = ((np.array(color) - 0.5) / 0.28209479177387814).astype(np.float32)
    return GaussianCloud(
        np.array([at], np.float32), np.array([[1, 0, 0, 0]], np.float32),
        np.full((1, 3), np.log(size), np.float32), np.array([8.0], np.float32), sh.reshape(1, 1, 3),
    )  # fmt: skip


def reference(viewport: Viewport, cloud: GaussianCloud, scale: int = 1) -> NDArray[np.float32]:
    """What the CPU draws for the viewport's camera: (H, W, 4), colours times alpha."""
    pose, ratio = viewport.camera, scale * viewport.devicePixelRatioF()
    width, height = round(viewport.width() * ratio), round(viewport.height() * ratio)
    right, up, back = pose.axes
    cam_from_world = np.eye(4)
    cam_from_world[:3, :3] = np.stack([right, -up, -back])
    cam_from_world[:3, 3] = -cam_from_world[:3, :3] @ np.asarray(pose.position)
    focal = height / (2 * math.tan(pose.view_angle / 2))
    center = pose.axis_pixel((width, height))
    return splat_picture_with_alpha(cloud, cam_from_world, (focal, focal), center, (width, height))


def over(splats: NDArray[np.float32], behind: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The CPU's picture laid over what else is drawn, 0 … 255."""
    return splats[..., :3] * 255.0 + (1 - splats[..., 3:]) * behind


def psnr(a: NDArray[np.float64], b: NDArray[np.float64] | NDArray[np.uint8]) -> float:
    return float(10 * np.log10(255**2 / max(np.mean((a.astype(float) - b) ** 2), 1e-9)))


def bare(qtbot: QtBot, width: int = 320, height: int = 240) -> Viewport:
    """A viewport without a grid, so that what is behind the splats is known."""
    viewport = opened(qtbot, width, height)
    viewport.set_shown("grid", False)
    return viewport


def agreement(viewport: Viewport, cloud: GaussianCloud) -> float:
    """dB between the viewport and the CPU over the same background, where either draws anything."""
    behind = viewport.screenshot()
    viewport.show_layer("splats", cloud)
    drawn = viewport.screenshot()
    wanted = over(reference(viewport, cloud), behind)
    seen = np.abs(wanted - behind).max(-1) > 1
    assert seen.mean() > 0.05
    return psnr(wanted[seen], drawn[seen])


@pytest.mark.parametrize("degree", range(5))
def test_the_picture_is_the_one_that_the_cpu_draws(qtbot: QtBot, degree: int) -> None:
    viewport, cloud = bare(qtbot), ball(degree=degree, seed=degree)
    viewport.camera = cameras.fit(viewport.camera, cloud.means, 4 / 3)
    assert agreement(viewport, cloud) > 45


def test_a_cloud_trained_with_the_filter_of_mip_splatting_is_drawn_with_it(qtbot: QtBot) -> None:
    viewport, cloud = bare(qtbot), replace(ball(), is_antialiased=True)
    cloud = replace(cloud, log_scales=cloud.log_scales - 1.5)  # small, so that it matters
    viewport.camera = cameras.fit(viewport.camera, cloud.means, 4 / 3)
    assert agreement(viewport, cloud) > 45
    assert (
        psnr(viewport.screenshot().astype(float), shown(viewport, replace(cloud, is_antialiased=False))) < 40
    )


def shown(viewport: Viewport, cloud: GaussianCloud, style: LayerStyle | None = None) -> NDArray[np.uint8]:
    viewport.show_layer("splats", cloud, style)
    return viewport.screenshot()


def test_the_camera_may_stand_within_the_splats(qtbot: QtBot) -> None:
    viewport, cloud = bare(qtbot), ball()
    far = cloud.means[np.linalg.norm(cloud.means - [0.2, 0, 0], axis=1) > 0.35]
    cloud = cloud.subset(np.linalg.norm(cloud.means - [0.2, 0, 0], axis=1) > 0.35)
    assert len(far) == len(cloud)
    viewport.camera = cameras.CameraPose((0.2, 0, 0), (-0.6, 0.1, 0.0), (0, 0, 1), view_angle=1.2)
    assert agreement(viewport, cloud) > 45


def test_biker_is_drawn_as_the_cpu_draws_it(qtbot: QtBot, shared_data: Path) -> None:
    from recon.formats import read

    cloud = read(shared_data / "splats" / "real" / "biker.compressed.ply").data
    assert isinstance(cloud, GaussianCloud)
    viewport = bare(qtbot, 240, 320)
    viewport.set_up_axis("-Y")
    viewport.camera = cameras.fit(viewport.camera, cloud.means, 3 / 4)
    assert agreement(viewport, cloud) > 45


@pytest.mark.parametrize("samples", [0, 4])
def test_splats_are_hidden_by_meshes_before_them_and_hide_those_behind(qtbot: QtBot, samples: int) -> None:
    viewport = Viewport(multi_samples=samples)
    qtbot.addWidget(viewport)
    viewport.resize(200, 150)
    viewport.show()
    viewport.set_reduce_motion(True)
    viewport.set_view("front", animated=False)
    viewport.show_layer("cube", cube(0.6), LayerStyle(shading="normals"))
    viewport.show_layer("before", one_splat((0.0, -1.0, 0.0), (1, 0, 0), 0.05))
    viewport.show_layer("behind", one_splat((0.0, 1.0, 0.0), (0, 1, 0), 0.6))
    viewport.camera = cameras.CameraPose((0, -6, 0), (0, 0, 0), (0, 0, 1))
    picture = viewport.screenshot().astype(int)
    middle, cube_beside, above = picture[75, 100], picture[75, 108], picture[75 - 20, 100]
    assert np.abs(middle - [254, 0, 0]).max() <= 4  # red over the cube
    assert np.abs(cube_beside - [128, 0, 128]).max() <= 4  # the cube over green
    assert above[1] > 150 and above[0] < 60  # green above the cube


def test_the_layers_are_sorted_among_each_other(qtbot: QtBot) -> None:
    viewport = bare(qtbot, 200, 150)
    viewport.camera = cameras.CameraPose((0, -6, 0), (0, 0, 0), (0, 0, 1))
    cloud = ball(2000)
    viewport.show_layer("splats", cloud)
    whole = viewport.screenshot()
    viewport.show_layer("splats", cloud.subset(np.arange(0, 2000, 2)))
    viewport.show_layer("others", cloud.subset(np.arange(1, 2000, 2)))
    assert psnr(viewport.screenshot().astype(float), whole) > 45


def test_a_parallel_camera_shows_splats_where_it_shows_meshes(qtbot: QtBot) -> None:
    viewport = bare(qtbot, 200, 150)
    viewport.camera = cameras.CameraPose((0, -6, 0), (0, 0, 0), (0, 0, 1), parallel=True)
    for depth in (-2.0, 0.0, 2.0):
        viewport.show_layer("splats", one_splat((0.5, depth, 0.25), (1, 0, 0), 0.1))
        picture = viewport.screenshot().astype(int)
        x, y, _ = cameras.project(viewport.camera, [(0.5, depth, 0.25)], (200, 150))[0]
        redness = np.maximum(picture[..., 0] - picture[..., 1], 0).astype(float)
        rows, columns = np.mgrid[:150, :200] + 0.5
        assert abs((columns * redness).sum() / redness.sum() - x) < 0.2
        assert abs((rows * redness).sum() / redness.sum() - y) < 0.2
        spread = math.sqrt(((columns - x) ** 2 * redness).sum() / redness.sum())
        assert spread == pytest.approx(0.1 / viewport.camera.units_per_pixel((200, 150)), rel=0.15)


def test_the_clip_plane_and_the_crop_box_cut_splats(qtbot: QtBot) -> None:
    viewport, cloud = bare(qtbot), ball()
    viewport.camera = cameras.fit(viewport.camera, cloud.means, 4 / 3)
    left = shown(viewport, cloud.subset(cloud.means[:, 0] <= 0.1))
    viewport.show_layer("splats", cloud)
    viewport.set_clip(ClipPlane((1.0, 0.0, 0.0), 0.1))
    assert psnr(viewport.screenshot().astype(float), left) > 45
    viewport.set_clip(None)
    box = np.diag([0.5, 0.6, 0.7, 1.0])
    box[:3, 3] = 0.1, 0.0, -0.2
    inside = (np.abs((cloud.means - box[:3, 3]) / [0.5, 0.6, 0.7]) <= 1).all(1)
    viewport.splats.set_crop(box)
    cropped = viewport.screenshot()
    viewport.splats.set_crop(None)
    assert psnr(cropped.astype(float), shown(viewport, cloud.subset(inside))) > 45


def test_marks_hide_dim_and_tint(qtbot: QtBot) -> None:
    viewport, cloud = bare(qtbot), ball(degree=0)
    viewport.camera = cameras.fit(viewport.camera, cloud.means, 4 / 3)
    plain = shown(viewport, cloud).astype(float)
    none = GaussianMarks.none(len(cloud))
    half = cloud.means[:, 0] > 0
    for name in ("hidden", "deleted"):
        gone = shown(viewport, cloud, LayerStyle(marks=replace(none, **{name: half})))
        assert psnr(gone.astype(float), shown(viewport, cloud.subset(~half))) > 45
    every = np.ones(len(cloud), bool)
    locked = shown(viewport, cloud, LayerStyle(marks=replace(none, locked=every))).astype(float)
    assert locked.mean() < 0.85 * plain.mean()
    tinted = shown(viewport, cloud, LayerStyle(marks=replace(none, selected=every))).astype(float)
    changed = np.abs(tinted - plain).max(-1) > 30
    red, _, blue = tinted[changed].mean(0)
    assert red > blue + 60  # the accent is orange


def test_a_transparent_picture_has_colours_that_do_not_know_the_background(qtbot: QtBot) -> None:
    viewport = bare(qtbot, 200, 150)
    viewport.camera = cameras.CameraPose((0, -6, 0), (0, 0, 0), (0, 0, 1))
    viewport.show_layer("splats", one_splat((0, 0, 0), (1.0, 0.5, 0.25), 0.3))
    picture = viewport.screenshot(transparent=True).astype(int)
    assert picture[5, 5, 3] == 0 and picture[75, 100, 3] >= 252
    half = np.abs(picture[..., 3] - 128) < 60
    assert half.sum() > 50
    assert np.abs(picture[half][:, :3] - [255, 128, 64]).max() <= 6


def test_the_opacity_of_a_layer_lets_a_mesh_within_be_seen(qtbot: QtBot) -> None:
    viewport = bare(qtbot, 200, 150)
    viewport.camera = cameras.CameraPose((0, -6, 0), (0, 0, 0), (0, 0, 1))
    viewport.show_layer("cube", cube(0.4), LayerStyle(shading="normals"))
    splat = one_splat((0, -1, 0), (1, 1, 1), 0.5)
    assert shown(viewport, splat)[75, 100].min() > 245
    veiled = shown(viewport, splat, LayerStyle(opacity=0.5))[75, 100].astype(int)
    assert np.abs(veiled - (np.array([128, 0, 128]) + 255) / 2).max() <= 4


def test_frame_all_is_not_led_astray_by_floaters(qtbot: QtBot) -> None:
    viewport, cloud = bare(qtbot), ball()
    viewport.show_layer("splats", cloud)
    viewport.frame_all(animated=False)
    wanted = viewport.camera
    means = cloud.means.copy()
    means[:12] *= 5000
    viewport.show_layer("splats", replace(cloud, means=means))
    viewport.frame_all(animated=False)
    assert viewport.camera.distance == pytest.approx(wanted.distance, rel=0.05)
    assert np.allclose(viewport.camera.focal, wanted.focal, atol=0.05)


def test_the_unit_of_a_cloud_is_said(qtbot: QtBot) -> None:
    viewport = bare(qtbot)
    viewport.show_layer("splats", replace(ball(50), frame=Frame(unit="m")))
    assert viewport._furniture.unit == "m"


def test_a_click_finds_the_splat_that_stops_the_eye(qtbot: QtBot) -> None:
    viewport = bare(qtbot, 200, 150)
    viewport.camera = cameras.CameraPose((0, -6, 0), (0, 0, 0), (0, 0, 1))
    faint = replace(one_splat((0, -2, 0), (1, 1, 1), 0.3), opacity_logits=np.array([-2.5], np.float32))
    viewport.show_layer("haze", faint)
    viewport.show_layer("solid", one_splat((0, 0.5, 0), (1, 0, 0), 0.4))
    pick = viewport._picker.splat(viewport.camera, 100, 75, (200, 150))
    assert pick is not None and pick.layer_id == "solid"
    assert np.allclose(pick.point, (0, 0.5, 0), atol=1e-5)
    with qtbot.waitSignal(viewport.picked) as told:
        viewport._clicks.pick(QPointF(100, 75))
    assert told.args[0] == "solid"
    viewport.show_layer("mesh", cube(0.2, (0, -1, 0)))
    with qtbot.waitSignal(viewport.picked) as told:
        viewport._clicks.pick(QPointF(100, 75))
    assert told.args[0] == "mesh"
    viewport.remove_layer("mesh")
    gone = GaussianMarks.none(1)
    viewport.show_layer(
        "solid", one_splat((0, 0.5, 0), (1, 0, 0), 0.4), LayerStyle(marks=replace(gone, hidden=~gone.hidden))
    )
    assert viewport._picker.splat(viewport.camera, 100, 75, (200, 150)) is None
    assert viewport._picker.splat(viewport.camera, 10, 10, (200, 150)) is None


def test_a_double_click_turns_about_the_surface_of_the_splats(qtbot: QtBot) -> None:
    viewport, cloud = bare(qtbot), ball(20_000)
    cloud = replace(cloud, opacity_logits=np.full(20_000, 4, np.float32))
    viewport.camera = cameras.CameraPose((0, -6, 0), (0, 0, 0), (0, 0, 1))
    viewport.show_layer("splats", cloud)
    viewport._clicks.set_pivot(QPointF(160, 120))
    focal = np.asarray(viewport.camera.focal)
    assert -1.1 < focal[1] < -0.85 and np.abs(focal[[0, 2]]).max() < 0.02


def test_what_is_measured_on_splats_is_a_length_between_them(qtbot: QtBot) -> None:
    viewport = bare(qtbot, 400, 300)
    viewport.camera = cameras.CameraPose((0, -6, 0), (0, 0, 0), (0, 0, 1))
    viewport.show_layer("left", one_splat((-0.8, 0, 0), (1, 0, 0), 0.1))
    viewport.show_layer("right", one_splat((0.7, 0, 0), (0, 1, 0), 0.1))
    viewport.begin_measuring()
    for x in (-0.8, 0.7):
        place = cameras.project(viewport.camera, [(x, 0, 0)], (400, 300))[0]
        viewport._click(QPointF(*place[:2]))
    assert viewport.measurements[0].length == pytest.approx(1.5, abs=0.01)


def test_a_camera_whose_axis_is_beside_the_middle_sees_them_in_their_places(qtbot: QtBot) -> None:
    viewport, cloud = bare(qtbot), ball()
    viewport.camera = replace(cameras.fit(viewport.camera, cloud.means, 4 / 3), shift=(0.15, -0.1))
    assert agreement(viewport, cloud) > 45


def test_a_picture_larger_than_the_screen_has_no_seams(qtbot: QtBot) -> None:
    viewport, cloud = bare(qtbot, 160, 120), ball()
    viewport.camera = cameras.fit(viewport.camera, cloud.means, 4 / 3)
    behind = viewport.screenshot(scale=2)
    viewport.show_layer("splats", cloud)
    assert psnr(over(reference(viewport, cloud, scale=2), behind), viewport.screenshot(scale=2)) > 45


@pytest.mark.parametrize("samples", [0, 4])
def test_a_veil_before_splats_dims_them_and_one_behind_does_not(qtbot: QtBot, samples: int) -> None:
    viewport = Viewport(multi_samples=samples)
    qtbot.addWidget(viewport)
    viewport.resize(200, 150)
    viewport.show()
    viewport.set_shown("grid", False)
    viewport.camera = cameras.CameraPose((0, -6, 0), (0, 0, 0), (0, 0, 1))
    plain = shown(viewport, one_splat((0, 0, 0), (0, 1, 0), 0.3))[75, 100].astype(int)
    veil = LayerStyle(shading="normals", opacity=0.5)
    viewport.show_layer("veil", cube(0.5, (0, 2, 0)), veil)
    assert np.abs(viewport.screenshot()[75, 100] - plain).max() <= 2
    viewport.show_layer("veil", cube(0.5, (0, -2, 0)), veil)
    before = viewport.screenshot()[75, 100].astype(int)
    assert before[1] < 0.7 * plain[1] and before[0] > plain[0] + 40
