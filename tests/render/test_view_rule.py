"""Blending by rule: what hides a place does not paint it, what no view shows fades, and sharpness prefers the best."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recon.formats import native
from render.view_candidate_kernels import MOST_PENALTY, OUTSIDE
from render.view_candidates import Candidates, room_for
from render.view_field import ViewField
from render.view_pictures import ViewDrawer, view_picture
from render.view_rule import blended_by_rule, by_rule, guessed_share
from tests.render.view_scenes import CENTER, FOCAL, SIZE, field_of, poses_around

RED, GREEN = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])


def two_sources(red: float, green: float, *, green_ends: bool) -> Candidates:
    """One pixel that a red and a green source have, with these log priors; the green one's picture ends before it or
    not."""
    found = room_for(1, 2, with_coarse=False)
    found.colors[0] = RED, GREEN
    found.prior[0] = red, green
    found.is_inside[0] = True, not green_ends
    return found


@pytest.mark.parametrize(
    ("red", "beyond", "wanted"),
    [
        (
            -2.0 - MOST_PENALTY / 2,
            0.05,
            GREEN,
        ),  # hidden by something else in the red one, the green one ends nearby
        (-2.0 - MOST_PENALTY / 2, 0.5, RED),  # the green one ends far from it
        (-6.0, 0.0, RED),  # seen by the red one, though not quite where it was thought to be
    ],
)
def test_a_source_that_ends_near_a_place_paints_it_before_one_that_does_not_see_it(red, beyond, wanted):
    found = two_sources(red, OUTSIDE * (1 + beyond), green_ends=True)
    np.testing.assert_allclose(blended_by_rule(found)[0], wanted, atol=0.01)


def test_sharpness_is_the_power_of_the_sources_weights():
    found = two_sources(-1.0, -1.7, green_ends=False)
    for sharpness in (0.5, 1.0, 2.0):
        red, green, _ = blended_by_rule(found, sharpness)[0]
        assert red / green == pytest.approx(np.exp(0.7 * sharpness), rel=1e-4)


def test_colours_are_guessed_from_where_pictures_end_only():
    ends = ((-20.0, 1.0), (-99.0, 0.0), (-99.0, 0.03), (-99.0, 0.2))
    found = [two_sources(red, OUTSIDE * (1 + beyond), green_ends=True) for red, beyond in ends]
    shares = [guessed_share(by_rule(each).prior.max(1))[0] for each in found]
    assert shares[:2] == [0, 0] and 0 < shares[2] < 1 and shares[3] == 1


@pytest.fixture(scope="module")
def field() -> ViewField:
    return field_of(poses_around(4))


def test_pictures_fade_where_no_view_shows_anything_and_are_whole_where_one_does(field):
    """A camera that sees twice as much as any view: what lies beyond them is a soft frame, less and less of it."""
    size = 2 * SIZE[0], 2 * SIZE[1]
    pose = field.cameras.cam_from_world[1]
    picture = view_picture(field, pose, FOCAL, 2 * CENTER, size)
    left, top = SIZE[0] // 2, SIZE[1] // 2
    within = np.zeros(picture.alpha.shape, bool)
    within[top + 1 : -top - 1, left + 1 : -left - 1] = True
    assert (picture.alpha[within] == 1).all()
    faint = (picture.alpha > 0.02) & (picture.alpha < 0.98)
    assert faint.mean() > 0.02 and not (faint & within).any()
    assert (picture.alpha == 0).mean() > 0.05 and not picture.depth[picture.alpha == 0].any()
    assert (picture.rgb <= picture.alpha[..., None] + 1e-6).all()
    np.testing.assert_allclose(
        picture.filled[faint] * picture.alpha[faint][:, None], picture.rgb[faint], atol=1e-6
    )
    assert picture.filled[faint].min() > 0.02  # no dark frame


def test_a_sharper_field_draws_more_of_its_best_view(field):
    pictures = np.stack([np.full_like(field.pictures[0], 60 * k) for k in range(4)])
    pose = field.cameras.cam_from_world[0]
    greys = [
        ViewDrawer(replace(field, pictures=pictures, sharpness=sharpness), pose, FOCAL, CENTER, SIZE).picture().rgb.mean()
        for sharpness in (0.5, 1.0, 2.0)
    ]  # fmt: skip
    assert greys[0] > 1.5 * greys[1] > 3 * greys[2] >= 0
    with pytest.raises(ValueError, match="sharpness"):
        replace(field, sharpness=0.0)


def test_sharpness_is_kept_in_files_and_is_1_in_those_of_before(field, tmp_path: Path):
    native.write(tmp_path / "new.npz", replace(field, sharpness=1.4))
    assert native.read(tmp_path / "new.npz").sharpness == 1.4
    with zipfile.ZipFile(tmp_path / "new.npz") as new, zipfile.ZipFile(tmp_path / "old.npz", "w") as old:
        for name in new.namelist():
            content = new.read(name)
            if name == "scene.json":
                header = json.loads(content)
                del header["sharpness"]
                content = json.dumps(header).encode()
            old.writestr(name, content)
    assert native.read(tmp_path / "old.npz").sharpness == 1.0
