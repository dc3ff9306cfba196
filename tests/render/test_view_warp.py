"""One view's picture in another's place: the same colours where both see, nothing where one does not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from render.view_warp import DepthView, warped, warped_forward
from tests.render.view_scenes import CENTER, FOCAL, is_on_box, poses_around, psnr, seen

Shot = tuple[DepthView, NDArray[np.float64]]


@pytest.fixture(scope="module")
def shots() -> list[Shot]:
    poses = poses_around(3, spread=0.3)
    made = []
    for pose in poses:
        rgb, depth = seen(pose)
        made.append((DepthView(pose, FOCAL, CENTER, depth), rgb))
    return made


@pytest.mark.parametrize("pair", [(0, 1), (1, 0), (0, 2)])
def test_a_picture_warped_to_another_camera_is_what_that_sees(
    shots: list[Shot], pair: tuple[int, int]
) -> None:
    (target, truth), (source, picture) = shots[pair[0]], shots[pair[1]]
    found, is_seen = warped(target, source, picture)
    assert 0.6 < is_seen.mean() < 0.98
    assert psnr(found[is_seen], truth[is_seen]) > 35
    assert not found[~is_seen].any()


def test_what_is_hidden_from_the_other_view_is_left_out(shots: list[Shot]) -> None:
    (target, _), (source, _) = shots[0], shots[2]
    marks = is_on_box(source.pose, source.depth)[..., None].astype(float)
    found, is_seen = warped(target, source, marks)
    is_box = is_on_box(target.pose, target.depth)
    assert (is_box & is_seen).sum() > 300 and (~is_box & is_seen).sum() > 1000
    assert found[is_seen & is_box].mean() > 0.9
    assert (found[is_seen & ~is_box] > 0.01).mean() < 0.01  # pixels across the boxes' feet
    is_hidden = warped(target, source, marks, tolerance=9.0)[1] & ~is_seen
    assert is_hidden.mean() > 0.05


def test_without_its_own_depth_a_camera_is_shown_the_others_surface(shots: list[Shot]) -> None:
    (target, truth), (source, picture) = shots[1], shots[0]
    unknown = DepthView(target.pose, target.focal, target.center, np.zeros_like(target.depth))
    found, is_seen, depth = warped_forward(unknown, source, picture)
    is_near = np.abs(depth / target.depth - 1) < 0.01
    assert is_seen.mean() > 0.6
    assert (is_near & is_seen).sum() > 0.95 * is_seen.sum()
    both = is_near & is_seen
    assert psnr(found[both], truth[both]) > 35


def test_views_that_share_nothing_leave_nothing(shots: list[Shot]) -> None:
    (target, _), (source, picture) = shots[0], shots[1]
    away = DepthView(np.diag([-1.0, 1, -1, 1]) @ source.pose, FOCAL, CENTER, source.depth)
    found, is_seen = warped(target, away, picture)
    assert not is_seen.any() and not found.any()
    blind = DepthView(source.pose, FOCAL, CENTER, np.zeros_like(source.depth))
    assert not warped(target, blind, picture)[1].any()
