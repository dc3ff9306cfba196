"""The loss between a rendered picture and a photo: absolute difference and structural similarity (SSIM)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import conv2d

from recon.splats.photometric_kernels import (
    C1,
    C2,
    RADIUS,
    WINDOW,
    slope_of_loss,
    statistics_and_slopes,
)
from render.compiled import in_threads

ROWS_AT_ONCE = 32  # that a thread takes


def photometric_loss(picture: Tensor, target: Tensor, used: Tensor, ssim_weight: float) -> Tensor:
    """(1 - w) · mean |difference| + w · (1 - mean SSIM) over the used pixels (3DGS, arXiv:2308.04079, eq. 7).

    picture, target: (H, W, 3) float32. used: (H, W) float32, 1 or 0. What is not used counts as 0 in both, also in
    the windows of SSIM around it, so nothing there can matter. 0 where no pixel is used.
    """
    if picture.device.type == "cpu":
        loss: Tensor = _KernelLoss.apply(picture, target, used, ssim_weight)  # type: ignore[no-untyped-call]
        return loss
    return reference_loss(picture, target, used, ssim_weight)


def reference_loss(picture: Tensor, target: Tensor, used: Tensor, ssim_weight: float) -> Tensor:
    """As `photometric_loss`, of torch's own operations, on any device and in any precision."""
    share = 1 / (3 * used.sum()).clamp(min=1)
    masked, wanted = picture * used[..., None], target * used[..., None]
    l1 = (masked - wanted).abs().sum() * share
    ssim = (ssim_map(masked, wanted) * used[..., None]).sum() * share
    is_any = (used.sum() > 0).to(picture.dtype)
    return (1 - ssim_weight) * l1 + ssim_weight * (is_any - ssim)


def ssim_map(a: Tensor, b: Tensor) -> Tensor:
    """SSIM (H, W, 3) of two pictures of values up to 1: a Gaussian window of 11 pixels, sigma 1.5 (Wang et al. 2004),
    zeros outside."""
    planes = torch.stack([a, b, a * a, b * b, a * b]).permute(0, 3, 1, 2)
    mean_a, mean_b, square_a, square_b, product = _blurred(planes.reshape(-1, 1, *planes.shape[2:])).reshape(
        planes.shape
    )
    spread = square_a - mean_a**2 + square_b - mean_b**2 + C2
    shared = 2 * (product - mean_a * mean_b) + C2
    found: Tensor = (2 * mean_a * mean_b + C1) * shared / ((mean_a**2 + mean_b**2 + C1) * spread)
    return found.permute(1, 2, 0)


def _blurred(planes: Tensor) -> Tensor:
    window = torch.tensor(WINDOW, dtype=planes.dtype, device=planes.device)
    down = conv2d(planes, window.view(1, 1, -1, 1), padding=(RADIUS, 0))
    across: Tensor = conv2d(down, window.view(1, 1, 1, -1), padding=(0, RADIUS))
    return across


class _KernelLoss(torch.autograd.Function):
    """The loss and, in the same go, its slope."""

    @staticmethod
    def forward(ctx: Any, picture: Tensor, target: Tensor, used: Tensor, ssim_weight: float) -> Tensor:
        mask = used.detach().numpy()
        share = 1 / max(3 * float(mask.sum()), 1.0)
        is_any = float(mask.any())
        a, b = _planes(picture.detach().numpy(), mask), _planes(target.detach().numpy(), mask)
        height, width = mask.shape
        slopes = np.zeros((3, 3, height + 2 * RADIUS, width), np.float32)
        l1, ssim = np.empty((height, 3), np.float32), np.empty((height, 3), np.float32)
        in_threads(statistics_and_slopes, height, ROWS_AT_ONCE, a, b, mask, slopes, l1, ssim)
        slope = np.empty((height, width, 3), np.float32)
        weights = ((1 - ssim_weight) * share, -ssim_weight * share)
        in_threads(slope_of_loss, height, ROWS_AT_ONCE, a, b, slopes, mask, *weights, slope)
        ctx.save_for_backward(torch.from_numpy(slope))
        l1_mean = l1.sum(dtype=np.float64) * share
        ssim_mean = ssim.sum(dtype=np.float64) * share
        return picture.new_tensor((1 - ssim_weight) * l1_mean + ssim_weight * (is_any - ssim_mean))

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None, None, None]:
        (slope,) = ctx.saved_tensors
        return slope * slopes[0], None, None, None


def _planes(picture: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """(3, H + 10, W) of (H, W, 3), 0 where not used and beyond top and bottom."""
    height, width = mask.shape
    planes = np.zeros((3, height + 2 * RADIUS, width), np.float32)
    for channel in range(3):
        np.multiply(picture[..., channel], mask, out=planes[channel, RADIUS : RADIUS + height])
    return planes
