"""Lens models against COLMAP's own cameras."""

from __future__ import annotations

import numpy as np
import pycolmap
import pytest

from render.lenses import LENS_MODELS, distort, is_perfect, reach, undistortion_map

PARAMS = {
    "SIMPLE_RADIAL": [-0.11],
    "RADIAL": [-0.21, 0.05],
    "OPENCV": [-0.17, 0.04, 0.003, -0.002],
    "OPENCV_FISHEYE": [0.03, -0.02, 0.006, -0.001],
    "FULL_OPENCV": [0.21, -0.08, 0.004, -0.003, 0.02, 0.31, -0.05, 0.01],
    "FOV": [0.83],
    "SIMPLE_RADIAL_FISHEYE": [-0.04],
    "RADIAL_FISHEYE": [-0.05, 0.01],
    "THIN_PRISM_FISHEYE": [0.05, -0.01, 0.002, -0.003, 0.004, -0.001, 0.006, -0.005],
    "RAD_TAN_THIN_PRISM_FISHEYE": [0.03, -0.02, 0.01, -0.004, 0.002, -3e-4, 2e-3, -1e-3, 4e-3, 1e-3, -2e-3, 5e-4],
    "SIMPLE_DIVISION": [-0.09],
    "DIVISION": [-0.07],
    "EUCM": [0.57, 1.1],
}  # fmt: skip


def _colmap_camera(name: str, params: list[float]) -> pycolmap.Camera:
    focals = [523.0] if LENS_MODELS[name].num_focals == 1 else [523.0, 517.0]
    return pycolmap.Camera(model=name, width=800, height=600, params=[*focals, 391.5, 307.25, *params])


@pytest.mark.parametrize("name", LENS_MODELS)
def test_every_lens_bends_rays_as_colmap_does(name: str) -> None:
    camera = _colmap_camera(name, PARAMS.get(name, []))
    xy = np.concatenate(
        [np.random.default_rng(1).uniform(-0.7, 0.7, (500, 2)), [[0, 0], [1e-9, 0], [0, 3e-3]]]
    )
    expected = np.array(camera.img_from_cam(np.concatenate([xy, np.ones((len(xy), 1))], 1)))
    raw = distort(name, PARAMS.get(name, []), xy) * [camera.focal_length_x, camera.focal_length_y] + [
        391.5,
        307.25,
    ]
    assert np.abs(raw - expected).max() < 523 * 1e-9


@pytest.mark.parametrize("name", LENS_MODELS)
def test_the_table_counts_parameters_as_colmap_does(name: str) -> None:
    lens = LENS_MODELS[name]
    camera = _colmap_camera(name, [0.0] * lens.num_params)
    assert camera.verify_params() and len(camera.params) == lens.num_focals + 2 + lens.num_params
    assert int(camera.model.value) == lens.colmap_id


def test_every_model_of_colmap_that_has_a_pinhole_twin_is_known() -> None:
    names = set(pycolmap.CameraModelId.__members__) - {"INVALID", "EQUIRECTANGULAR"}
    assert names == set(LENS_MODELS)


def test_a_narrow_field_of_view_takes_colmaps_series() -> None:
    xy = np.random.default_rng(2).uniform(-0.7, 0.7, (50, 2))
    for omega in (5e-3, 9e-3, 2e-2):
        camera = _colmap_camera("FOV", [omega])
        expected = np.array(camera.img_from_cam(np.concatenate([xy, np.ones((50, 1))], 1)))
        assert np.abs(distort("FOV", [omega], xy) * [523, 517] + [391.5, 307.25] - expected).max() < 523e-9


def test_only_a_lens_that_bends_nothing_is_perfect() -> None:
    assert is_perfect("SIMPLE_PINHOLE", []) and is_perfect("OPENCV", np.zeros(12))
    assert not is_perfect("OPENCV", [0, 0, 0, 1e-5]) and not is_perfect("OPENCV_FISHEYE", np.zeros(12))
    assert not is_perfect("FISHEYE", []) and not is_perfect("FOV", [0.0])


def test_a_lens_reaches_to_where_its_polynomial_turns_back() -> None:
    # r (1 - 0.25 r²) grows up to r² = 1 / 0.75.
    assert abs(reach("SIMPLE_RADIAL", [-0.25]) - 0.75**-0.5) < 0.01
    assert reach("PINHOLE", []) == np.inf and reach("OPENCV_FISHEYE", [0.0] * 4) == np.inf


def test_pixels_beyond_the_fold_are_not_valid_although_they_fall_into_the_picture() -> None:
    where, is_valid = undistortion_map("SIMPLE_RADIAL", [-0.25], (60, 60), (100, 50), (200, 100))
    radius = (np.arange(200) + 0.5 - 100) / 60
    row = is_valid[50]
    assert not row[np.abs(radius) > 0.75**-0.5 + 0.02].any() and row[np.abs(radius) < 1].all()
    assert where.shape == (100, 200, 2)


def test_a_barrel_lens_leaves_the_corners_of_the_map_empty_and_a_pinhole_none() -> None:
    _, is_valid = undistortion_map("SIMPLE_RADIAL", [0.2], (300, 300), (320, 240), (640, 480))
    assert not is_valid[0, 0] and is_valid[240, 320]
    where, is_valid = undistortion_map("PINHOLE", [], (300, 310), (320, 240), (640, 480))
    assert is_valid.all() and np.allclose(where[7, 9], [9.5, 7.5], atol=1e-4)
