"""Fewer Gaussians that look nearly the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recon.errors import InputError
from recon.gaussian_decimation import decimated
from recon.gaussian_edits import merged
from recon.gaussian_mixture import areas, mixture_of
from recon.gaussian_projection import ScreenCamera
from render.gaussians import GaussianCloud
from render.splat_pictures import splat_picture
from render.transforms import Similarity3
from tests.recon.test_gaussian_cleaning import surfaces
from tests.render.test_gaussians import covariances, make_cloud


def plain_cloud(count: int) -> GaussianCloud:
    return replace(make_cloud(count, degree=1), extra={})


def colored_surfaces(count: int, seed: int = 0) -> GaussianCloud:
    cloud = surfaces(count, seed)
    return replace(cloud, sh=np.sin(4 * cloud.means)[:, None, :])


def picture(cloud: GaussianCloud, azimuth: float) -> np.ndarray:
    eye = 6 * np.array([np.cos(azimuth), np.sin(azimuth), 0.5])
    forward = -eye / np.linalg.norm(eye)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    camera = ScreenCamera(np.eye(4), np.full(2, 120.0), np.full(2, 48.0))
    cam_from_world = np.eye(4)
    cam_from_world[:3, :3], cam_from_world[:3, 3] = rotation, -rotation @ eye
    drawn = splat_picture(cloud, cam_from_world, camera.focal, camera.center, (96, 96), (0.5, 0.5, 0.5))
    return np.asarray(drawn, np.float64)


def psnr(cloud: GaussianCloud, truth: GaussianCloud) -> float:
    errors = [(picture(cloud, a) - picture(truth, a)) ** 2 for a in (0.3, 2.4, 4.5)]
    return float(-10 * np.log10(np.mean(errors)))


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_merging_changes_pictures_far_less_than_leaving_out_at_random(share: float) -> None:
    cloud = colored_surfaces(4000)
    count = round(share * len(cloud))
    kept = np.random.default_rng(0).permutation(len(cloud))[:count]
    fewer = decimated(cloud, count)
    assert len(fewer) == count
    assert psnr(fewer, cloud) > psnr(cloud.subset(kept), cloud) + 5


def test_exactly_the_target_is_left_and_the_same_each_time() -> None:
    cloud = plain_cloud(700)
    for target in (699, 350, 101, 2, 1):
        assert len(decimated(cloud, target)) == target
    first, second = decimated(cloud, 123), decimated(cloud, 123)
    for (_, a), (_, b) in zip(first.arrays(), second.arrays(), strict=True):
        assert a.tobytes() == b.tobytes()


def test_a_target_that_is_reached_already_changes_nothing() -> None:
    cloud = make_cloud(20)
    assert decimated(cloud, 20) is cloud and decimated(cloud, 50) is cloud
    with pytest.raises(InputError, match="No splat"):
        decimated(cloud, 0)


def test_what_is_not_merged_stays_to_the_last_bit() -> None:
    cloud = colored_surfaces(1000)
    fewer = decimated(cloud, 900)
    before = {row.tobytes() for row in cloud.means}
    is_old = np.array([row.tobytes() in before for row in fewer.means])
    assert is_old.sum() >= 790  # at most a hundred pairs were merged
    rows = [np.flatnonzero((cloud.means == mean).all(1))[0] for mean in fewer.means[is_old]]
    assert rows == sorted(rows)
    for name in ("quats", "log_scales", "opacity_logits", "sh"):
        assert getattr(fewer, name)[is_old].tobytes() == getattr(cloud, name)[rows].tobytes()


def test_gaussians_in_one_place_become_one_of_the_same_shape_and_colour() -> None:
    one = plain_cloud(1)
    cloud = merged([one, one])
    both = decimated(replace(cloud, opacity_logits=np.full(2, -2.0)), 1)
    assert np.allclose(both.means, one.means, atol=1e-6)
    assert np.allclose(covariances(both), covariances(one), rtol=1e-3, atol=1e-5)
    assert np.allclose(both.sh, one.sh, atol=1e-6)
    alone = 1 / (1 + np.exp(2.0))
    assert both.opacities[0] == pytest.approx(1 - (1 - alone) ** 2, rel=1e-3)


def test_invisible_gaussians_go_first_and_only_as_many_as_must() -> None:
    cloud = colored_surfaces(500)
    logits = np.array(cloud.opacity_logits)
    logits[::5] = -8 - np.arange(100)
    cloud = replace(cloud, opacity_logits=logits, extra={"row": np.arange(500)})
    visible = decimated(cloud, 400)
    assert visible.extra["row"].tolist() == [row for row in range(500) if row % 5]
    assert visible.sh.tobytes() == cloud.sh[np.arange(500) % 5 != 0].tobytes()
    most = decimated(cloud, 460)
    assert set(range(500)) - set(most.extra["row"].tolist()) == set(range(300, 500, 5))


def test_parts_are_never_mixed() -> None:
    cloud = colored_surfaces(600)
    part = (cloud.means[:, 0] > 0).astype(np.int32)
    red_and_blue = np.where(part[:, None, None] == 1, [1.0, 0, 0], [0, 0, 1.0]).astype(np.float32)
    cloud = replace(cloud, sh=red_and_blue, extra={"part": part})
    fewer = decimated(cloud, 60)
    expected = np.where(fewer.extra["part"][:, None] == 1, [1.0, 0, 0], [0, 0, 1.0])
    assert np.allclose(fewer.sh[:, 0], expected, atol=1e-6)
    every_part_alone = replace(cloud, extra={"part": np.arange(600)})
    assert len(decimated(every_part_alone, 60)) == 60


def test_a_cloud_in_one_point_and_a_tiny_and_a_huge_one_are_no_special_case() -> None:
    in_one = replace(plain_cloud(50), means=np.zeros((50, 3), np.float32))
    assert len(decimated(in_one, 7)) == 7
    cloud = colored_surfaces(300)
    for scale in (1e-4, 1e4):
        scaled = cloud.transformed(Similarity3(np.eye(3), np.zeros(3), scale), cloud.frame)
        fewer = decimated(scaled, 100)
        assert np.allclose(fewer.means / scale, decimated(cloud, 100).means, atol=1e-3)


def test_the_area_of_a_flat_disc_is_that_of_its_circle() -> None:
    disc = replace(make_cloud(1), log_scales=np.log([[3.0, 2.0, 1e-6]]))
    assert areas(mixture_of(disc).spreads)[0] == pytest.approx(6.0, rel=1e-3)
