"""Gaussian splats as values, and how a turn changes them."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from render.frame import Frame
from render.gaussians import GaussianCloud, GaussianMarks, without_deleted
from render.spherical_harmonics import rotated_sh, sh_basis
from render.transforms import Similarity3


def make_cloud(count: int, degree: int = 3, seed: int = 0) -> GaussianCloud:
    rng = np.random.default_rng(seed)
    normal = lambda *shape: rng.standard_normal((count, *shape)).astype(np.float32)  # noqa: E731
    extra = {"part": np.arange(count, dtype=np.int32)}
    return GaussianCloud(normal(3), normal(4), normal(3), normal(), normal((degree + 1) ** 2, 3), extra)


def covariances(cloud: GaussianCloud) -> np.ndarray:
    axes = Rotation.from_quat(cloud.quats[:, [1, 2, 3, 0]]).as_matrix()
    return np.einsum("nij,nj,nkj->nik", axes, cloud.scales.astype(np.float64) ** 2, axes)


def test_the_basis_is_orthonormal_and_has_the_signs_of_3dgs() -> None:
    heights, weights = np.polynomial.legendre.leggauss(12)
    azimuths = np.arange(24) * (2 * np.pi / 24)
    z, phi = np.meshgrid(heights, azimuths, indexing="ij")
    directions = np.stack([np.sqrt(1 - z**2) * np.cos(phi), np.sqrt(1 - z**2) * np.sin(phi), z], -1)
    basis = sh_basis(directions, 4)
    gram = np.einsum("ijk,ijl,i->kl", basis, basis, weights) * 2 * np.pi / 24
    assert np.allclose(gram, np.eye(25), atol=1e-12)
    x, y, z1 = 0.48, 0.6, 0.64
    band_1 = sh_basis([x, y, z1], 1)[1:]
    assert np.allclose(band_1, 0.4886025119029199 * np.array([-y, z1, -x]))


@pytest.mark.parametrize("degree", range(5))
def test_a_turned_colour_is_seen_from_the_turned_direction(degree: int) -> None:
    rng = np.random.default_rng(degree)
    turn = Rotation.random(random_state=degree).as_matrix()
    sh = rng.standard_normal((7, (degree + 1) ** 2, 3)).astype(np.float32)
    directions = rng.standard_normal((7, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    before = np.einsum("nk,nkc->nc", sh_basis(directions, degree), sh)
    after = np.einsum("nk,nkc->nc", sh_basis(directions @ turn.T, degree), rotated_sh(sh, turn))
    assert np.allclose(before, after, atol=1e-5)


def test_a_transform_moves_turns_and_scales_every_gaussian() -> None:
    cloud = make_cloud(20)
    turn = Rotation.from_euler("xyz", [0.4, -1.1, 2.0]).as_matrix()
    b_from_a = Similarity3(turn, np.array([1.0, -2.0, 3.0]), 2.5)
    moved = cloud.transformed(b_from_a, Frame())
    assert np.allclose(moved.means, b_from_a.apply(cloud.means), atol=1e-5)
    expected = 2.5**2 * turn @ covariances(cloud) @ turn.T
    assert np.allclose(covariances(moved), expected, rtol=1e-4, atol=1e-4)
    back = moved.transformed(b_from_a.inverse, Frame())
    assert np.allclose(back.sh, cloud.sh, atol=1e-5)


def test_a_half_turn_about_any_axis_is_no_special_case() -> None:
    cloud = make_cloud(5, degree=1)
    for axis in np.eye(3):
        turn = Rotation.from_rotvec(np.pi * axis).as_matrix()
        moved = cloud.transformed(Similarity3(turn, np.zeros(3)), Frame())
        assert np.allclose(covariances(moved), turn @ covariances(cloud) @ turn.T, rtol=1e-4, atol=1e-4)


def test_the_arrays_cannot_be_written_and_survive_pickling() -> None:
    cloud = pickle.loads(pickle.dumps(make_cloud(4)))
    for _, array in cloud.arrays():
        assert not array.flags.writeable
    assert list(cloud.extra) == ["part"]
    assert cloud.sh_degree == 3


def test_arrays_of_another_length_are_refused() -> None:
    cloud = make_cloud(4)
    with pytest.raises(ValueError, match="quats"):
        replace(cloud, quats=cloud.quats[:3])
    with pytest.raises(ValueError, match="degree"):
        replace(cloud, sh=cloud.sh[:, :5])
    with pytest.raises(ValueError, match="part"):
        replace(cloud, extra={"part": np.arange(3)})


def test_deleted_gaussians_are_left_out_and_undeleted_ones_are_the_same() -> None:
    cloud, marks = make_cloud(10), GaussianMarks.none(10)
    assert without_deleted(cloud, marks) is cloud
    rest = without_deleted(cloud, replace(marks, deleted=np.arange(10) % 2 == 0))
    assert rest.extra["part"].tolist() == [1, 3, 5, 7, 9]
    assert rest.means.tobytes() == cloud.means[1::2].tobytes()


def test_what_is_hidden_locked_or_deleted_cannot_be_selected() -> None:
    each = [np.arange(4) == k for k in range(3)]
    marks = GaussianMarks(np.zeros(4), *each)
    assert marks.is_selectable.tolist() == [False, False, False, True]
    assert marks.is_drawn.tolist() == [False, True, False, True]
