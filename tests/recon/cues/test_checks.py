"""Cues that are not what they are said to be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recon.cues.checks import SIGNS, check_cues
from recon.cues.normals_from_depth import normals_from_depth
from render.images import PosedImages
from tests.synthetic_room import make_room, write_images

SIZE = (96, 72)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> PosedImages:
    return write_images(make_room(6, *SIZE), tmp_path_factory.mktemp("room"), with_cues=True)


def test_normals_of_a_slanted_plane_are_exact() -> None:
    focal, center = np.array([80.0, 82.0]), np.array([40.3, 29.0])
    rows, columns = np.mgrid[:60, :80]
    rays = np.stack(
        [(columns + 0.5 - center[0]) / focal[0], (rows + 0.5 - center[1]) / focal[1], np.ones((60, 80))], -1
    )
    normal = np.array([0.3, -0.5, -0.8]) / np.linalg.norm([0.3, -0.5, -0.8])
    depth = -2 / (rays @ normal)
    found = normals_from_depth(depth, focal, center)
    assert np.allclose(found, normal, atol=1e-4)
    depth[30, 40] = np.nan
    assert np.isnan(normals_from_depth(depth, focal, center)).any(-1).sum() == 25


def test_right_cues_pass_unchanged(room) -> None:
    checked = check_cues(room, SIZE)
    assert not checked.is_changed and len(checked.verdicts) == 2
    assert "metric" in checked.verdicts[0] and "as declared" in checked.verdicts[1]


@pytest.mark.parametrize("declared", ["disparity", "metric"])
def test_a_wrong_kind_of_depth_is_mended(room, declared) -> None:
    wrong = replace(room, depth=replace(room.depth, kind=declared, scale=0.0004))
    checked = check_cues(wrong, SIZE)
    assert checked.posed.depth.kind == "depth" and checked.is_changed
    assert "was declared" in checked.verdicts[0]


@pytest.mark.parametrize("signs", [sign for sign in SIGNS if sign != (1, 1, 1)])
def test_wrong_signs_of_normals_are_mended(room, signs) -> None:
    checked = check_cues(replace(room, normals=replace(room.normals, signs=signs)), SIZE)
    assert checked.posed.normals.signs == (1, 1, 1) and "not as declared" in checked.verdicts[1]


def test_normals_declared_in_world_axes_are_found_to_be_in_the_cameras(room) -> None:
    checked = check_cues(replace(room, normals=replace(room.normals, space="world")), SIZE)
    assert checked.posed.normals.space == "camera" and checked.posed.normals.signs == (1, 1, 1)


def test_axes_in_another_order_are_told(room, tmp_path: Path) -> None:
    from PIL import Image

    from render.image_files import read_array

    folder = Path(room.images.folder)
    paths = []
    for i, path in enumerate(room.normals.paths):
        turned = read_array(folder / path)[..., [1, 2, 0]]
        Image.fromarray(turned).save(tmp_path / f"{i}.png")
        paths.append(str(tmp_path / f"{i}.png"))
    checked = check_cues(replace(room, normals=replace(room.normals, paths=tuple(paths))), SIZE)
    assert "axes in the order zxy" in checked.verdicts[1]


def test_without_depth_normals_in_opengl_axes_are_turned_to_the_camera(room) -> None:
    wrong = replace(room, depth=None, normals=replace(room.normals, signs=(1, -1, -1)))
    checked = check_cues(wrong, SIZE)
    assert checked.posed.normals.signs == (1, 1, 1) and "OpenGL" in checked.verdicts[0]


def test_without_points_the_declared_kind_stands(room) -> None:
    blind = replace(room, points=None, observations=None, depth=replace(room.depth, kind="depth"))
    checked = check_cues(blind, SIZE)
    assert checked.posed.depth.kind == "depth" and "no sparse points" in checked.verdicts[0]
