"""How the number of Gaussians changes: relocation, growth, cloning, splitting and pruning."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from recon.splats.parameters import NAMES, Gaussians  # noqa: E402
from recon.splats.relocation import explore, grow, relocate, split_evenly  # noqa: E402
from recon.splats.splitting import Errors, clone_and_split, prune, reset_opacities  # noqa: E402
from render.gaussians import GaussianCloud  # noqa: E402
from render.splat_pictures import splat_picture  # noqa: E402


def make_gaussians(count: int, seed: int = 0, opacity: float | None = None, size: float = 0.05) -> Gaussians:
    rng = np.random.default_rng(seed)
    opacities = rng.uniform(0.05, 0.95, count) if opacity is None else np.full(count, opacity)
    cloud = GaussianCloud(
        rng.uniform(-1, 1, (count, 3)),
        rng.normal(size=(count, 4)),
        np.log(rng.uniform(0.5, 1.5, (count, 3)) * size),
        np.log(opacities / (1 - opacities)),
        rng.normal(size=(count, 4, 3)) * 0.3,
    )
    return Gaussians(cloud)


def picture(gaussians: Gaussians) -> np.ndarray:
    pose = np.eye(4)
    pose[2, 3] = 3
    return splat_picture(gaussians.to_cloud(), pose, (110, 110), (48, 48), (96, 96))


@pytest.mark.parametrize("opacity", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("copies", [1, 2, 5, 30])
def test_copies_in_one_place_look_as_one_gaussian_did(opacity, copies):
    # Along a ray through the middle of equal Gaussians the absorbed light, integrated over the picture, is kept.
    shared, factor = split_evenly(np.array([opacity]), np.array([copies]))
    offset = np.linspace(0, 8, 4001)
    before = opacity * np.exp(-(offset**2) / 2)
    after = 1 - (1 - shared * np.exp(-(offset**2) / (2 * factor**2))) ** copies
    assert after[0] == pytest.approx(opacity, abs=1e-9)
    assert np.trapezoid(after, offset) == pytest.approx(np.trapezoid(before, offset), rel=1e-5)


def test_growing_hardly_changes_the_picture():
    gaussians = make_gaussians(400, size=0.06)
    before = picture(gaussians)
    assert grow(gaussians, 10_000, np.random.default_rng(0)) == 21
    change = np.abs(picture(gaussians) - before)
    assert len(gaussians) == 421
    assert change.max() < 0.06 and change.mean() < 2e-3, "only how the copies fall off differs"
    worse = Gaussians(gaussians.to_cloud())
    worse.append(worse.rows(torch.arange(21)))
    assert np.abs(picture(worse) - before).mean() > 2 * change.mean(), "copies without the formula would show"


def test_relocating_moves_only_what_has_faded_and_hardly_changes_the_picture():
    gaussians = make_gaussians(300)
    gaussians.values["opacity_logits"].data[:20] = -8
    before, means = picture(gaussians), gaussians.values["means"].detach().clone()
    assert relocate(gaussians, 0.005, np.random.default_rng(1)) == 20
    assert len(gaussians) == 300
    assert torch.equal(gaussians.values["means"][20:], means[20:])
    moved = gaussians.values["means"][:20].detach()
    assert all(bool((means[20:] == each).all(1).any()) for each in moved), "each lies on a living one"
    assert (gaussians.opacities > 0.005).all()
    assert np.abs(picture(gaussians) - before).mean() < 2e-3


def test_nothing_is_relocated_where_all_have_faded():
    gaussians = make_gaussians(10, opacity=1e-4)
    assert relocate(gaussians, 0.005, np.random.default_rng(0)) == 0


@pytest.mark.parametrize("most", [50, 52, 60, 10_000])
def test_growth_never_exceeds_the_limit(most):
    gaussians, rng = make_gaussians(50), np.random.default_rng(0)
    for _ in range(40):
        grow(gaussians, most, rng)
        assert len(gaussians) <= most
    assert len(gaussians) == most or most == 10_000
    fewer = make_gaussians(50)
    assert grow(fewer, 20, rng) == 0 and len(fewer) == 50, "a limit below what there is removes nothing"


def test_moments_rest_where_gaussians_were_copied_and_stay_elsewhere():
    gaussians = make_gaussians(40)
    for mean, square in gaussians.moments.values():
        mean.fill_(1)
        square.fill_(1)
    grow(gaussians, 41, np.random.default_rng(3))
    for name in NAMES:
        mean, square = gaussians.moments[name]
        resting = (mean.reshape(41, -1) == 0).all(1)
        assert resting.sum() == 2 and bool(resting[40]), name
        assert torch.equal(mean, square)


def test_noise_moves_transparent_gaussians_within_themselves_and_no_others():
    gaussians = make_gaussians(500, opacity=0.004)
    gaussians.values["opacity_logits"].data[250:] = 3
    before = gaussians.values["means"].detach().clone()
    explore(gaussians, 100.0, torch.Generator().manual_seed(0))
    moved = (gaussians.values["means"].detach() - before).norm(dim=1)
    assert not moved[250:].any() and (moved[:250] > 0).all()
    spread = gaussians.scales.detach()[:250].max(1).values ** 2 * 100
    assert (moved[:250] < 5 * spread).all()


def test_small_gaussians_are_cloned_and_large_ones_split_where_errors_are_large():
    gaussians = make_gaussians(60, size=0.004)
    gaussians.values["log_scales"].data[30:] = np.log(0.2)
    errors = Errors(60, torch.device("cpu"))
    slope = torch.zeros(60, 2)
    slope[[0, 1, 40]] = 1.0
    errors.add(slope, torch.ones(60), (100, 100))
    scales = gaussians.scales.detach().clone()
    assert clone_and_split(gaussians, errors, 1.0, 1000, torch.Generator().manual_seed(0)) == 3
    assert len(gaussians) == 63
    assert torch.equal(gaussians.scales[60:62], scales[:2]), "clones are as large"
    assert torch.allclose(gaussians.scales[[40, 62]], scales[40] / 1.6), "halves are smaller"
    assert clone_and_split(gaussians, Errors(63, torch.device("cpu")), 1.0, 1000, torch.Generator()) == 0


def test_splitting_keeps_to_the_limit_and_takes_the_largest_errors_first():
    gaussians, errors = make_gaussians(10, size=0.004), Errors(10, torch.device("cpu"))
    errors.add(torch.arange(1.0, 11.0)[:, None].repeat(1, 2), torch.ones(10), (10, 10))
    clone_and_split(gaussians, errors, 0.1, 12, torch.Generator().manual_seed(0))
    assert len(gaussians) == 12
    assert torch.equal(gaussians.values["means"][10:], gaussians.values["means"][[9, 8]])


def test_pruning_removes_what_has_faded_but_never_all():
    gaussians = make_gaussians(30, opacity=0.5)
    gaussians.values["opacity_logits"].data[:7] = -9
    assert prune(gaussians, 0.005, is_late=False) == 7 and len(gaussians) == 23
    gaussians.values["opacity_logits"].data.fill_(-9)
    assert prune(gaussians, 0.005, is_late=True) == 0 and len(gaussians) == 23


def test_a_reset_fades_opaque_gaussians_only():
    gaussians = make_gaussians(30, opacity=0.5)
    gaussians.values["opacity_logits"].data[0] = -9
    reset_opacities(gaussians, 0.005)
    assert gaussians.opacities.detach().max().item() == pytest.approx(0.01, rel=1e-3)
    assert gaussians.values["opacity_logits"][0] == -9
