"""The loss between pictures: the kernels against torch's own operations and against skimage."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from recon.splats.photometric import photometric_loss, reference_loss, ssim_map  # noqa: E402


def pair(height: int, width: int, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    target = torch.rand(height, width, 3, generator=generator)
    picture = (target + 0.2 * torch.randn(height, width, 3, generator=generator)).clamp(0, 1)
    used = (torch.rand(height, width, generator=generator) > 0.25).float()
    return picture, target, used


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (40, 3), (37, 53)])
@pytest.mark.parametrize("weight", [0.0, 0.2, 1.0])
def test_the_kernels_give_the_loss_and_slope_of_torch_in_double_precision(size, weight):
    picture, target, used = pair(*size)
    picture.requires_grad_()
    loss = photometric_loss(picture, target, used, weight)
    loss.backward()
    precise = picture.detach().double().requires_grad_()
    expected = reference_loss(precise, target.double(), used.double(), weight)
    expected.backward()
    assert abs(loss.item() - expected.item()) < 1e-6
    assert (picture.grad - precise.grad).norm() <= 1e-5 * precise.grad.norm() + 1e-9


def test_the_slope_is_scaled_with_what_comes_after():
    picture, target, used = pair(20, 20)
    picture.requires_grad_()
    (3 * photometric_loss(picture, target, used, 0.2)).backward()
    tripled = picture.grad.clone()
    picture.grad = None
    photometric_loss(picture, target, used, 0.2).backward()
    assert torch.allclose(tripled, 3 * picture.grad)


def test_what_is_masked_changes_neither_loss_nor_slope():
    picture, target, used = pair(24, 31)
    changed, wanted = picture.clone(), target.clone()
    changed[used == 0] = torch.rand(3)
    wanted[used == 0] = torch.rand(3)
    slopes = []
    for a, b in ((picture, target), (changed, wanted)):
        a = a.requires_grad_()
        loss = photometric_loss(a, b, used, 0.2)
        loss.backward()
        slopes.append((loss.item(), a.grad))
    assert slopes[0][0] == slopes[1][0]
    assert torch.equal(slopes[0][1], slopes[1][1])
    assert not slopes[0][1][used == 0].any()


def test_a_picture_without_any_pixel_that_counts_costs_nothing():
    picture, target, used = pair(12, 12)
    picture.requires_grad_()
    loss = photometric_loss(picture, target, torch.zeros_like(used), 0.2)
    loss.backward()
    assert loss.item() == 0 and not picture.grad.any()


def test_structural_similarity_is_that_of_skimage():
    from skimage.metrics import structural_similarity

    picture, target, _ = pair(40, 44)
    a, b = picture.numpy().astype(np.float64), target.numpy().astype(np.float64)
    _, whole = structural_similarity(
        a, b, channel_axis=2, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        full=True,
    )  # fmt: skip
    ours = ssim_map(torch.from_numpy(a), torch.from_numpy(b)).numpy()
    inner = slice(6, -6)  # Outside the picture we take zeros, skimage mirrors.
    assert np.abs(ours - whole)[inner, inner].max() < 1e-4
