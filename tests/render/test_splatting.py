"""The rasteriser of Gaussian splats beside its twin, forward and backward, and what gsplat promises besides."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from render import compiled, spherical_harmonics, splatting_tiles
from render.splatting import rasterization
from tests.render.splatting_twin import projected, rasterization_twin, sh_basis

PARAMETERS = ("means", "quats", "scales", "opacities", "colors", "viewmat", "background")


@dataclass(frozen=True)
class Scene:
    """Parameters in float64 whose values single precision holds exactly, a camera, and how to draw."""

    parameters: dict[str, Tensor]
    K: Tensor
    width: int
    height: int
    wishes: dict[str, Any] = field(default_factory=dict)


def make_scene(
    count: int,
    width: int,
    height: int,
    seed: int = 0,
    degree: int | None = 3,
    channels: int = 3,
    **wishes: Any,
) -> Scene:
    """Gaussians around the origin, seen from four units away."""
    rng = np.random.default_rng(seed)
    colors = rng.standard_normal((count, (degree + 1) ** 2, 3)) * 0.3 if degree is not None else None
    turn = np.linalg.qr(np.eye(3) + 0.2 * rng.standard_normal((3, 3)))[0]
    turn *= np.sign(np.diag(turn))[:, None]
    viewmat = np.eye(4)
    viewmat[:3, :3], viewmat[:3, 3] = turn, [0.1, -0.05, 4]
    parameters = {
        "means": rng.uniform(-1.5, 1.5, (count, 3)),
        "quats": rng.standard_normal((count, 4)) * rng.uniform(0.2, 5, (count, 1)),
        "scales": np.exp(rng.uniform(-4.5, -1.5, (count, 3))),
        "opacities": rng.uniform(0.02, 0.98, count),
        "colors": rng.random((count, channels)) if colors is None else colors,
        "viewmat": viewmat,
        "background": rng.random(3 if degree is not None else channels),
    }
    exact = {name: torch.from_numpy(each.astype(np.float32)).double() for name, each in parameters.items()}
    K = torch.tensor([[1.1 * width, 0, width * 0.52], [0, 1.1 * width + 3, height * 0.47], [0, 0, 1]])
    if degree is not None:
        wishes["sh_degree"] = degree
    return Scene(exact, K, width, height, wishes)


def draw_twin(scene: Scene, parameters: dict[str, Tensor]) -> Any:
    order = [parameters[name] for name in PARAMETERS[:6]]
    return rasterization_twin(
        *order,
        scene.K.double(),
        scene.width,
        scene.height,
        background=parameters["background"],
        **scene.wishes,
    )


def draw(scene: Scene, parameters: dict[str, Tensor], **wishes: Any) -> tuple[Tensor, Tensor, dict[str, Any]]:
    order = [parameters[name] for name in PARAMETERS[:5]]
    K = scene.K.to(parameters["means"])
    background = None if scene.wishes.get("render_mode") in ("D", "ED") else parameters["background"][None]
    return rasterization(
        *order, parameters["viewmat"][None], K[None], scene.width, scene.height,
        backgrounds=background, **{**scene.wishes, **wishes},
    )  # fmt: skip


def leaves(scene: Scene, kind: torch.dtype, device: str = "cpu") -> dict[str, Tensor]:
    return {
        name: each.to(device, kind, copy=True).requires_grad_() for name, each in scene.parameters.items()
    }


def assert_agrees(scene: Scene, device: str = "cpu", tolerance: float = 1e-5) -> None:
    """Picture to 1e-5 and every gradient to 1e-5 of its length, in all pixels where rounding does not decide."""
    exact, ours = leaves(scene, torch.float64), leaves(scene, torch.float32, device)
    twin = draw_twin(scene, exact)
    picture, alpha, _ = draw(scene, ours)
    counts = ~twin.is_delicate
    assert counts.double().mean() > 0.9
    if scene.wishes.get("render_mode", "").endswith("ED"):
        counts &= twin.alpha[..., 0] > 0.1  # dividing by a small alpha makes rounding as much larger
    size = max(1.0, float(twin.picture.detach().abs().max()))
    assert (picture[0].cpu() - twin.picture)[counts].abs().max() <= tolerance * size
    assert (alpha[0].cpu() - twin.alpha)[counts].abs().max() <= tolerance

    generator = torch.Generator().manual_seed(7)
    of_picture = torch.randn(twin.picture.shape, generator=generator) * counts[..., None]
    of_alpha = torch.randn(twin.alpha.shape, generator=generator) * counts[..., None]
    ((twin.picture * of_picture).sum() + (twin.alpha * of_alpha).sum()).backward()
    ((picture[0] * of_picture.to(device)).sum() + (alpha[0] * of_alpha.to(device)).sum()).backward()
    for name in PARAMETERS:
        expected, found = exact[name].grad, ours[name].grad
        if expected is None or not expected.any():
            assert found is None or not found.any(), name
            continue
        assert found is not None and found.isfinite().all(), name
        assert (found.cpu() - expected).norm() <= tolerance * expected.norm(), name


def changed(scene: Scene, **parameters: Any) -> Scene:
    """A scene with some parameters replaced, from floats that single precision holds."""
    new = {name: torch.as_tensor(each).float().double() for name, each in parameters.items()}
    return Scene({**scene.parameters, **new}, scene.K, scene.width, scene.height, scene.wishes)


def scenes() -> dict[str, Scene]:
    base = make_scene(60, 37, 29)
    means, scales = base.parameters["means"], base.parameters["scales"]
    needles = torch.tensor([1.5, 0.003, 0.003]).expand(60, 3)
    half = torch.arange(60) % 2 == 0
    return {
        "random": make_scene(300, 75, 52),
        "multiple of a tile": make_scene(80, 64, 32, seed=1, degree=1),
        "degree 0": make_scene(80, 40, 40, seed=2, degree=0),
        "degree 4": make_scene(60, 33, 47, seed=3, degree=4),
        "lower degree than stored": Scene(base.parameters, base.K, 37, 29, {"sh_degree": 1}),
        "one channel": make_scene(60, 33, 20, seed=4, degree=None, channels=1),
        "three channels": make_scene(60, 33, 20, seed=5, degree=None, channels=3),
        "eleven channels": make_scene(60, 33, 20, seed=6, degree=None, channels=11),
        "antialiased": make_scene(120, 50, 40, seed=7, rasterize_mode="antialiased"),
        "no blur": make_scene(60, 40, 30, seed=8, eps2d=0.0),
        "depth": make_scene(60, 40, 30, seed=9, render_mode="D"),
        "expected depth": changed(make_scene(60, 40, 30, seed=10, render_mode="ED"), background=torch.zeros(3)),
        "colour and depth": make_scene(60, 40, 30, seed=11, render_mode="RGB+D"),
        "colour and expected depth": make_scene(60, 40, 30, seed=12, render_mode="RGB+ED"),
        "planes": make_scene(80, 40, 30, seed=13, near_plane=3.9, far_plane=4.6),
        "around the camera": changed(make_scene(80, 40, 30, seed=14), means=means.repeat(2, 1)[:80] * 4),
        "all behind": changed(base, means=means - torch.tensor([0, 0, 9])),
        "all beside": changed(base, means=means + torch.tensor([30, 0, 0])),
        "huge": changed(base, scales=scales * 30),
        "some huge": changed(base, scales=torch.where(half[:, None], scales * 1e4, scales)),
        "tiny": changed(base, scales=scales * 1e-6),
        "needles": changed(base, scales=needles),
        "discs": changed(base, scales=torch.tensor([0.4, 0.4, 1e-7]).expand(60, 3)),
        "opacity 0": changed(base, opacities=torch.zeros(60)),
        "opacity 1": changed(base, opacities=torch.ones(60)),
        "opacities 0 and 1": changed(base, opacities=half.double()),
        "one": make_scene(1, 20, 20, seed=15),
        "none": make_scene(0, 20, 20),
        "one pixel": make_scene(60, 1, 1, seed=16),
        "one row": make_scene(60, 50, 1, seed=17),
        "one column": make_scene(60, 1, 50, seed=18),
        "equal depths": changed(base, means=means * torch.tensor([1, 1, 0]), viewmat=torch.tensor(
            [[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 4], [0, 0, 0, 1]]
        )),
    }  # fmt: skip


@pytest.mark.parametrize("name", scenes())
def test_numba_draws_and_differentiates_as_the_twin_does(name: str) -> None:
    assert_agrees(scenes()[name])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.skipif(importlib.util.find_spec("gsplat") is None, reason="needs the package gsplat")
@pytest.mark.parametrize("name", scenes())
def test_gsplat_draws_and_differentiates_as_the_twin_does(name: str) -> None:
    # Single precision throughout, atomic sums and a conic that cancels: gsplat's own tests allow 1e-3 and more.
    assert_agrees(scenes()[name], "cuda", tolerance=1e-3)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    count=st.integers(0, 40),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    seed=st.integers(0, 2**31),
    degree=st.sampled_from([None, 0, 1, 2, 3, 4]),
    reach=st.sampled_from([0.1, 1, 10]),
    is_antialiased=st.booleans(),
)
def test_numba_agrees_with_the_twin_on_any_scene(
    count: int, width: int, height: int, seed: int, degree: int | None, reach: float, is_antialiased: bool
) -> None:
    mode = "antialiased" if is_antialiased else "classic"
    scene = make_scene(count, width, height, seed, degree, rasterize_mode=mode)
    assert_agrees(changed(scene, scales=scene.parameters["scales"] * reach), tolerance=2e-5)


def test_two_cameras_are_drawn_as_each_alone() -> None:
    scene = make_scene(80, 40, 30)
    ours = leaves(scene, torch.float32)
    other = torch.eye(4)
    other[:3, 3] = torch.tensor([0.2, 0.1, 5])
    viewmats = torch.stack([ours["viewmat"].detach(), other]).requires_grad_()
    order = [ours[name] for name in PARAMETERS[:5]]
    K = scene.K.float().expand(2, 3, 3)
    both, alphas, meta = rasterization(*order, viewmats, K, 40, 30, sh_degree=3)
    of_both = torch.randn(both.shape, generator=torch.Generator().manual_seed(1))
    (both * of_both).sum().backward()
    together = {name: ours[name].grad.clone() for name in PARAMETERS[:5]}
    for name in PARAMETERS[:5]:
        ours[name].grad = None
    for c in range(2):
        alone, alpha, _ = rasterization(*order, viewmats[c : c + 1], K[:1], 40, 30, sh_degree=3)
        assert torch.equal(alone[0], both[c]) and torch.equal(alpha[0], alphas[c])
        (alone[0] * of_both[c]).sum().backward()
    for name in PARAMETERS[:5]:
        assert (ours[name].grad - together[name]).norm() <= 1e-6 * together[name].norm()
    assert meta["means2d"].shape == (2, 80, 2) and meta["radii"].shape == (2, 80, 2)


def test_the_gradient_by_the_centres_is_what_densification_reads() -> None:
    scene = make_scene(200, 40, 30, seed=20)
    scene = changed(scene, means=0.6 * scene.parameters["means"])
    ours = leaves(scene, torch.float32)
    picture, _, meta = draw(scene, ours, absgrad=True)
    meta["means2d"].retain_grad()
    picture.square().sum().backward()
    of_centres, sizes = meta["means2d"].grad[0], meta["means2d"].absgrad[0]
    assert (sizes >= of_centres.abs() * (1 - 1e-4) - 1e-6).all()
    assert (sizes > 1.2 * of_centres.abs()).any()
    is_seen = meta["radii"][0, :, 0] > 0
    assert not sizes[~is_seen].any() and not of_centres[~is_seen].any()
    # A shift of the principal point moves all centres alike.
    K = scene.K.double().requires_grad_()
    moved = Scene(scene.parameters, K, scene.width, scene.height, scene.wishes)
    draw_twin(moved, scene.parameters).picture.square().sum().backward()
    assert float(of_centres[:, 0].sum()) == pytest.approx(float(K.grad[0, 2]), rel=1e-4)


def test_meta_tells_where_gaussians_lie() -> None:
    scene = make_scene(200, 70, 50, seed=21, rasterize_mode="antialiased")
    ours = leaves(scene, torch.float32)
    _, _, meta = draw(scene, ours)
    centres, depths, covariances, fades = projected(
        *(scene.parameters[name] for name in ("means", "quats", "scales", "viewmat")),
        scene.K.double(),
        70,
        50,
        0.3,
    )
    is_seen = meta["radii"][0, :, 0] > 0
    assert 50 < is_seen.sum() < 200
    assert torch.allclose(meta["means2d"][0][is_seen].double(), centres[is_seen], atol=1e-4)
    assert torch.allclose(meta["depths"][0][is_seen].double(), depths[is_seen], rtol=1e-6)
    inverse = torch.linalg.inv(covariances)[is_seen]
    conics = torch.stack([inverse[:, 0, 0], inverse[:, 0, 1], inverse[:, 1, 1]], -1)
    assert torch.allclose(meta["conics"][0][is_seen].double(), conics, rtol=1e-4, atol=1e-6)
    opacities = scene.parameters["opacities"] * fades
    assert torch.allclose(meta["opacities"][0][is_seen].double(), opacities[is_seen], rtol=1e-5)
    reach = torch.sqrt(2 * torch.log(opacities * 255))[is_seen, None]
    expected = torch.ceil(
        reach * torch.stack([covariances[is_seen, 0, 0], covariances[is_seen, 1, 1]], -1).sqrt()
    )
    assert (meta["radii"][0][is_seen] - expected).abs().max() <= 1
    assert (meta["tiles_per_gauss"][0] > 0).sum() <= is_seen.sum()


def test_small_gaussians_can_be_left_out() -> None:
    scene = make_scene(200, 70, 50, seed=22)
    ours = leaves(scene, torch.float32)
    all_radii = draw(scene, ours)[2]["radii"][0]
    radii = draw(scene, ours, radius_clip=6.0)[2]["radii"][0]
    assert torch.equal(radii[:, 0] > 0, (all_radii > 6).any(1))
    assert 0 < (radii[:, 0] > 0).sum() < (all_radii[:, 0] > 0).sum()


def test_any_number_of_threads_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = make_scene(9000, 90, 70, seed=23)
    answers = []
    for threads in (1, 2, 3):
        monkeypatch.setattr(compiled, "num_threads", lambda threads=threads: threads)
        monkeypatch.setattr(splatting_tiles, "num_threads", lambda threads=threads: threads)
        ours = leaves(scene, torch.float32)
        picture, alpha, _ = draw(scene, ours)
        (picture.square().sum() + alpha.sum()).backward()
        answers.append([picture, alpha, *(ours[name].grad for name in PARAMETERS)])
    for others in answers[1:]:
        assert all(torch.equal(a, b) for a, b in zip(answers[0], others, strict=True))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-38, 0.0])
@pytest.mark.parametrize("name", PARAMETERS[:6])
def test_numbers_beyond_measure_crash_nothing(name: str, value: float) -> None:
    scene = make_scene(64, 33, 33, seed=24)
    ours = {key: each.detach().clone() for key, each in leaves(scene, torch.float32).items()}
    flat = ours[name].view(-1)
    flat[:: 7 if name != "viewmat" else 5] = value
    for each in ours.values():
        each.requires_grad_()
    picture, alpha, _ = draw(scene, ours)
    (picture.sum() + alpha.sum()).backward()
    if name not in ("colors", "viewmat"):
        assert picture.isfinite().all() and alpha.isfinite().all()


def test_double_precision_comes_back_as_it_went() -> None:
    scene = make_scene(40, 20, 20, seed=25)
    exact = leaves(scene, torch.float64)
    picture, _, _ = draw(scene, exact)
    picture.sum().backward()
    assert all(exact[name].grad.dtype == torch.float64 for name in PARAMETERS)


def test_what_does_not_fit_is_refused() -> None:
    scene = make_scene(5, 20, 20)
    ours = leaves(scene, torch.float32)
    for name, wrong in (
        ("quats", torch.ones(5, 3)),
        ("opacities", torch.ones(4)),
        ("colors", torch.ones(4, 16, 3)),
    ):
        with pytest.raises(ValueError, match=name):
            draw(scene, {**ours, name: wrong})
    with pytest.raises(ValueError, match="degree 4"):
        draw(scene, ours, sh_degree=4)
    with pytest.raises(ValueError, match="unknown mode"):
        draw(scene, ours, render_mode="BGR")
    with pytest.raises(ValueError, match="CUDA"):
        draw(scene, ours, packed=True)


def test_the_twins_basis_is_that_of_the_scene_data() -> None:
    directions = np.random.default_rng(0).standard_normal((20, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    assert np.allclose(sh_basis(torch.from_numpy(directions), 4), spherical_harmonics.sh_basis(directions, 4))
