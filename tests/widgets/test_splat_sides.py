"""Two layers of splats compared in one live picture: each pixel shows one of them, as if it were there alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.widgets.test_viewport_splats import ball, bare
from widgets.splat_sides import WHOLE, Sides

BOTH = {"before": "left", "after": "right"}


@pytest.fixture
def two(qtbot):
    """A viewport with two clouds at one place, and what each looks like alone."""
    viewport = bare(qtbot, 200, 120)
    before = ball(800, degree=1)
    after = replace(before, sh=-before.sh, means=1.2 * before.means)
    viewport.show_layer("before", before)
    viewport.show_layer("after", after)
    viewport.frame_all(animated=False)
    alone = {}
    for name, other in (("before", "after"), ("after", "before")):
        viewport.splats.set_sides(Sides({other: "nowhere"}))
        alone[name] = viewport.screenshot().astype(int)
    assert np.abs(alone["before"] - alone["after"]).mean() > 5
    return viewport, alone


def test_a_line_parts_the_two_and_can_be_moved(two):
    viewport, alone = two
    for line in (0.0, -0.35, 0.5):
        viewport.splats.set_sides(Sides(BOTH, line))
        seen = viewport.screenshot().astype(int)
        column = round((0.5 + 0.5 * line) * seen.shape[1])
        assert np.abs(seen[:, : column - 1] - alone["before"][:, : column - 1]).max() <= 3
        assert np.abs(seen[:, column + 1 :] - alone["after"][:, column + 1 :]).max() <= 3
    viewport.splats.set_sides(Sides(BOTH, 1.0))
    assert np.abs(viewport.screenshot().astype(int)[:, :-1] - alone["before"][:, :-1]).max() <= 3


def test_beside_each_other_both_halves_show_the_middle(two):
    viewport, alone = two
    viewport.splats.set_sides(Sides(BOTH, 0.0, is_beside=True))
    seen = viewport.screenshot().astype(int)
    width = seen.shape[1]
    quarter = width // 4
    background = np.abs(seen - alone["before"])  # VTK's background does not go along
    assert background.mean() > 1
    middle = {name: picture[:, quarter:-quarter] for name, picture in alone.items()}
    for name, half in (("before", seen[:, : width // 2]), ("after", seen[:, width // 2 :])):
        inside = middle[name]
        assert np.median(np.abs(half - inside).max(-1)) <= 2, name


def test_a_side_nowhere_hides_without_touching_what_is_visible_and_whole_shows_all(two):
    viewport, alone = two
    viewport.splats.set_sides(WHOLE)
    both = viewport.screenshot().astype(int)
    assert all(np.abs(both - picture).mean() > 2 for picture in alone.values())
    viewport.splats.set_sides(Sides({"before": "nowhere", "after": "nowhere"}))
    nothing = viewport.screenshot().astype(int)
    assert np.abs(nothing - nothing[:, :1]).max() <= 1, "only the background is left"
