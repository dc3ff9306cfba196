"""Edits of Gaussian clouds: colour, opacity, size, place; splitting, merging, duplicating."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from recon import gaussian_colors as colors
from recon import gaussian_edits as edits
from recon.errors import InputError
from recon.gaussian_colors import ColorChange
from render.frame import Frame
from render.gaussians import GaussianCloud
from render.spherical_harmonics import sh_basis
from render.transforms import Similarity3
from tests.render.test_gaussians import covariances, make_cloud

CHOSEN = np.arange(20) % 3 == 0
DIRECTIONS = np.random.default_rng(5).standard_normal((9, 3))
DIRECTIONS /= np.linalg.norm(DIRECTIONS, axis=1, keepdims=True)

changes = st.one_of(
    st.floats(-180, 180).map(colors.hue),
    st.floats(0, 3).map(colors.saturation),
    st.floats(0, 3).map(colors.brightness),
    st.floats(0, 3).map(colors.contrast),
    st.tuples(st.tuples(*[st.floats(0, 1)] * 3), st.floats(0, 1)).map(lambda each: colors.tint(*each)),
)


def seen_from(cloud: GaussianCloud, directions: np.ndarray) -> np.ndarray:
    """(N, D, 3) colours, not clipped."""
    return 0.5 + np.einsum("dk,nkc->ndc", sh_basis(directions, cloud.sh_degree), cloud.sh.astype(np.float64))


@given(changes, st.integers(0, 3))
def test_a_change_of_colour_is_exact_from_every_direction(change: ColorChange, degree: int) -> None:
    cloud = make_cloud(20, degree)
    changed = edits.recolored(cloud, CHOSEN, change)
    expected = change.apply(seen_from(cloud, DIRECTIONS))
    assert np.allclose(seen_from(changed, DIRECTIONS)[CHOSEN], expected[CHOSEN], atol=1e-4)
    assert changed.sh[~CHOSEN].tobytes() == cloud.sh[~CHOSEN].tobytes()
    assert changed.means is cloud.means and changed.opacity_logits is cloud.opacity_logits


@given(changes, changes)
def test_changes_one_after_the_other_are_one_change(first: ColorChange, second: ColorChange) -> None:
    some = np.random.default_rng(0).random((30, 3))
    assert np.allclose((second @ first).apply(some), second.apply(first.apply(some)), atol=1e-9)


@given(st.floats(-180, 180), st.floats(0.2, 3), st.floats(0.2, 3), st.floats(0.2, 3))
def test_recolouring_and_back_gives_the_colours_again(
    turn: float, saturation: float, brightness: float, contrast: float
) -> None:
    change = colors.adjustment(turn, saturation, brightness, contrast)
    inverse = np.linalg.inv(change.matrix)
    back = ColorChange(inverse, -inverse @ change.offset)
    cloud = make_cloud(20, 2)
    again = edits.recolored(edits.recolored(cloud, CHOSEN, change), CHOSEN, back)
    assert np.allclose(again.sh, cloud.sh, atol=2e-3)


def test_the_sliders_do_what_their_names_say() -> None:
    grey, some = np.full(3, 0.3), np.array([0.8, 0.4, 0.1])
    assert np.allclose(colors.no_change().apply(some), some)
    assert np.allclose(colors.hue(120).apply([1, 0, 0]), [0, 1, 0])
    assert np.allclose(colors.hue(120).apply([0, 1, 0]), [0, 0, 1])
    assert np.allclose(colors.hue(77).apply(grey), grey)
    assert np.allclose(colors.saturation(0).apply(some), colors.LUMA @ some)
    assert np.allclose(colors.saturation(2).apply(grey), grey)
    assert np.allclose(colors.brightness(0.5).apply(some), some / 2)
    assert np.allclose(colors.contrast(3).apply([0.5, 0.6, 0.4]), [0.5, 0.8, 0.2])
    assert np.allclose(colors.tint([0, 0, 1], 0.25).apply(some), 0.75 * some + [0, 0, 0.25])
    assert np.allclose(colors.multiplied([1, 0.5, 0]).apply(some), [0.8, 0.2, 0])


def test_a_full_tint_is_flat_from_every_direction() -> None:
    cloud = make_cloud(20)
    red = edits.recolored(cloud, np.ones(20, bool), colors.tint([0.9, 0.1, 0.2], 1.0))
    assert np.allclose(seen_from(red, DIRECTIONS), [0.9, 0.1, 0.2], atol=1e-6)


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 4.0])
def test_opacities_are_multiplied_and_end_at_one(factor: float) -> None:
    cloud = make_cloud(20)
    changed = edits.with_opacity_scaled(cloud, CHOSEN, factor)
    expected = np.minimum(cloud.opacities.astype(np.float64) * factor, 1)
    assert np.allclose(changed.opacities[CHOSEN], expected[CHOSEN], atol=1e-5)
    assert (changed.opacity_logits[~CHOSEN] == cloud.opacity_logits[~CHOSEN]).all()
    assert changed.sh is cloud.sh


def test_sizes_are_multiplied_in_place() -> None:
    cloud = make_cloud(20)
    changed = edits.with_sizes_scaled(cloud, CHOSEN, 2.5)
    factors = np.where(CHOSEN, 2.5, 1.0)[:, None]
    assert np.allclose(changed.scales, cloud.scales * factors, rtol=1e-5)
    assert changed.means is cloud.means and changed.quats is cloud.quats


def gizmo() -> Similarity3:
    turn = Rotation.from_rotvec([0.4, -0.9, 0.3]).as_matrix()
    return edits.about_pivot(turn, 1.7, [0.5, 0, -1], [1.0, 2, 3])


def test_a_gizmo_turns_about_its_pivot() -> None:
    pivot = np.array([1.0, 2, 3])
    assert np.allclose(gizmo().apply(pivot), pivot + np.array([0.5, 0, -1]))
    turn = Rotation.from_rotvec([0, 0, np.pi / 2]).as_matrix()
    only_turned = edits.about_pivot(turn, 2.0, [0, 0, 0], pivot)
    assert np.allclose(only_turned.apply(pivot + np.array([1, 0, 0])), pivot + np.array([0, 2, 0]))


def test_a_transformed_selection_is_what_the_whole_cloud_would_be_there() -> None:
    cloud = make_cloud(20)
    changed = edits.transformed(cloud, CHOSEN, gizmo())
    whole = cloud.transformed(gizmo(), cloud.frame)
    assert np.allclose(changed.means[CHOSEN], whole.means[CHOSEN], atol=1e-5)
    assert np.allclose(covariances(changed)[CHOSEN], covariances(whole)[CHOSEN], rtol=1e-4, atol=1e-4)
    for name in ("means", "quats", "log_scales", "sh"):
        assert getattr(changed, name)[~CHOSEN].tobytes() == getattr(cloud, name)[~CHOSEN].tobytes()


def test_the_colours_of_a_turned_selection_turn_with_it() -> None:
    cloud = make_cloud(20)
    changed = edits.transformed(cloud, CHOSEN, gizmo())
    turned = DIRECTIONS @ gizmo().rotation.T
    assert np.allclose(seen_from(changed, turned)[CHOSEN], seen_from(cloud, DIRECTIONS)[CHOSEN], atol=1e-4)


def test_a_transform_and_its_inverse_leave_the_scene_as_it_was() -> None:
    cloud = make_cloud(20)
    there = edits.transformed(cloud, CHOSEN, gizmo())
    back = edits.transformed(there, CHOSEN, gizmo().inverse)
    assert np.allclose(back.means, cloud.means, atol=1e-5)
    assert np.allclose(back.sh, cloud.sh, atol=1e-4)
    assert np.allclose(covariances(back), covariances(cloud), rtol=1e-3, atol=1e-4)


def test_what_only_moves_shares_its_colours_and_turns() -> None:
    cloud = make_cloud(20)
    moved = edits.transformed(cloud, CHOSEN, Similarity3(np.eye(3), np.array([1.0, 0, 0])))
    assert moved.sh is cloud.sh and moved.quats is cloud.quats and moved.log_scales is cloud.log_scales
    assert np.allclose(moved.means - cloud.means, CHOSEN[:, None] * np.array([1.0, 0, 0]), atol=1e-6)


def test_splitting_and_merging_gives_every_gaussian_back() -> None:
    cloud = make_cloud(20)
    rest, taken = edits.split(cloud, CHOSEN)
    assert len(rest) == 13 and len(taken) == 7
    whole = edits.merged([rest, taken])
    order = np.argsort(np.concatenate([np.flatnonzero(~CHOSEN), np.flatnonzero(CHOSEN)]))
    for (name, array), (_, again) in zip(cloud.arrays(), whole.subset(order).arrays(), strict=True):
        assert again.tobytes() == array.tobytes(), name


def test_deleting_for_good_leaves_the_rest_and_nothing_when_nothing_is_chosen() -> None:
    cloud = make_cloud(20)
    assert edits.without(cloud, CHOSEN).extra["part"].tolist() == np.flatnonzero(~CHOSEN).tolist()
    assert edits.without(cloud, np.zeros(20, bool)) is cloud


def test_duplicates_stand_behind_the_others() -> None:
    cloud = make_cloud(20)
    more = edits.duplicated(cloud, CHOSEN)
    assert len(more) == 27
    assert more.means[:20].tobytes() == cloud.means.tobytes()
    assert more.sh[20:].tobytes() == cloud.sh[CHOSEN].tobytes()


def test_merging_fills_up_colours_and_columns() -> None:
    plain = replace(make_cloud(3, degree=0), extra={}, comments=("a", "b"))
    rich = replace(
        make_cloud(2, degree=2),
        extra={"part": np.array([4, 5]), "pair": np.ones((2, 2))},
        comments=("b", "c"),
    )
    both = edits.merged([plain, rich])
    assert both.sh_degree == 2 and not both.sh[:3, 1:].any()
    assert np.allclose(seen_from(both, DIRECTIONS)[:3], seen_from(plain, DIRECTIONS), atol=1e-6)
    assert both.extra["part"].tolist() == [-1, -1, -1, 4, 5]
    assert both.extra["pair"].tolist() == [[0, 0]] * 3 + [[1, 1]] * 2
    assert both.comments == ("a", "b", "c")


def test_clouds_of_other_frames_or_columns_are_not_merged() -> None:
    cloud = make_cloud(3)
    with pytest.raises(InputError, match="axes or units"):
        edits.merged([cloud, replace(cloud, frame=Frame("+Y"))])
    with pytest.raises(InputError, match="part"):
        edits.merged([cloud, replace(cloud, extra={"part": np.zeros((3, 2))})])
    with pytest.raises(InputError, match="nothing to merge"):
        edits.merged([])


def test_a_column_of_fractions_keeps_them_when_merged_behind_whole_numbers() -> None:
    cloud = make_cloud(2)
    halves = replace(cloud, extra={"part": np.array([0.5, 1.5])})
    assert edits.merged([cloud, halves]).extra["part"].tolist() == [0, 1, 0.5, 1.5]
    unsigned = replace(cloud, extra={"part": np.array([3, 4], np.uint8)})
    without_part = replace(cloud, extra={})
    assert edits.merged([unsigned, without_part]).extra["part"].tolist() == [3, 4, -1, -1]


def test_a_lower_degree_keeps_the_lower_bands_and_a_higher_adds_none() -> None:
    cloud = make_cloud(20)
    flat = edits.with_sh_degree(cloud, 1)
    assert flat.sh.tobytes() == cloud.sh[:, :4].tobytes()
    assert edits.with_sh_degree(flat, 3).sh[:, :4].tobytes() == flat.sh.tobytes()
    assert not edits.with_sh_degree(flat, 3).sh[:, 4:].any()
    assert edits.with_sh_degree(cloud, 3) is cloud
    with pytest.raises(InputError):
        edits.with_sh_degree(cloud, 5)


@pytest.mark.parametrize("factor", [-1.0, float("nan"), float("inf")])
def test_factors_that_make_no_sense_are_refused(factor: float) -> None:
    cloud = make_cloud(20)
    with pytest.raises(InputError):
        edits.with_opacity_scaled(cloud, CHOSEN, factor)
    with pytest.raises(InputError):
        edits.with_sizes_scaled(cloud, CHOSEN, factor)


def test_no_edit_changes_what_it_was_given() -> None:
    cloud = make_cloud(20)
    before = {name: array.tobytes() for name, array in cloud.arrays()}
    edits.recolored(cloud, CHOSEN, colors.hue(90))
    edits.with_opacity_scaled(cloud, CHOSEN, 0.3)
    edits.with_sizes_scaled(cloud, CHOSEN, 2)
    edits.transformed(cloud, CHOSEN, gizmo())
    edits.duplicated(cloud, CHOSEN)
    assert {name: array.tobytes() for name, array in cloud.arrays()} == before
