"""The rasteriser of Gaussian splats as its formulas stand in the papers: every Gaussian in every pixel, in plain torch.

Any floating type, differentiable in everything. 3D Gaussian splatting (arXiv:2308.04079), gsplat (arXiv:2409.06765).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from render.spherical_harmonics import MAX_DEGREE

ALPHA_MIN, ALPHA_MAX, TRANSMITTANCE_MIN = 1 / 255, 0.999, 1e-4


@dataclass(frozen=True)
class TwinPicture:
    """picture (H, W, D), alpha (H, W, 1), weights (H * W, N) in the order of the Gaussians, and is_delicate (H, W):
    whether a pixel is so near to one of the rasteriser's thresholds that rounding may decide."""

    picture: Tensor
    alpha: Tensor
    weights: Tensor
    is_delicate: Tensor


def rotations(quats: Tensor) -> Tensor:
    """(N, 3, 3) of quaternions (N, 4) wxyz of any length."""
    w, x, y, z = torch.nn.functional.normalize(quats, dim=-1).unbind(-1)
    rows = [
        torch.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], -1),
        torch.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], -1),
        torch.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], -1),
    ]
    return torch.stack(rows, 1)


def projected(
    means: Tensor,
    quats: Tensor,
    scales: Tensor,
    viewmat: Tensor,
    K: Tensor,
    width: int,
    height: int,
    eps2d: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """means2d (N, 2), depths (N,), covariances (N, 2, 2) in pixels², and compensations (N,)."""
    x, y, z = (means @ viewmat[:3, :3].T + viewmat[:3, 3]).unbind(-1)
    fx, fy, cx, cy = K[0, 0], K[1, 1], K[0, 2], K[1, 2]
    means2d = torch.stack([fx * x / z + cx, fy * y / z + cy], -1)
    beyond_x, beyond_y = 0.3 * (0.5 * width / fx), 0.3 * (0.5 * height / fy)
    x = z * (x / z).clamp(-(cx / fx + beyond_x), (width - cx) / fx + beyond_x)
    y = z * (y / z).clamp(-(cy / fy + beyond_y), (height - cy) / fy + beyond_y)
    zero = torch.zeros_like(z)
    slope = torch.stack(
        [torch.stack([fx / z, zero, -fx * x / z**2], -1), torch.stack([zero, fy / z, -fy * y / z**2], -1)], 1
    )
    axes = slope @ viewmat[:3, :3] @ rotations(quats) * scales[:, None]
    sharp = axes @ axes.transpose(1, 2)
    blurred = sharp + eps2d * torch.eye(2, dtype=means.dtype)
    ratio = torch.linalg.det(sharp) / torch.linalg.det(blurred)
    return means2d, z, blurred, ratio.clamp(min=1e-30).sqrt()


def seen_colors(means: Tensor, viewmat: Tensor, sh: Tensor, degree: int) -> Tensor:
    """(N, 3) colours from a camera."""
    position = -viewmat[:3, :3].T @ viewmat[:3, 3]
    basis = sh_basis(torch.nn.functional.normalize(means - position, dim=-1), degree)
    return ((basis[..., None] * sh[:, : basis.shape[1]]).sum(1) + 0.5).clamp(min=0)


def sh_basis(directions: Tensor, degree: int) -> Tensor:
    """The basis by its recurrences, as `render.spherical_harmonics.sh_basis` has it, (N, (degree + 1)²)."""
    assert 0 <= degree <= MAX_DEGREE
    x, y, z = directions.unbind(-1)
    cosines, sines = [torch.ones_like(x)], [torch.zeros_like(x)]
    for _ in range(degree):
        c, s = cosines[-1], sines[-1]
        cosines.append(x * c - y * s)
        sines.append(x * s + y * c)
    columns = []
    for band in range(degree + 1):
        for m in range(-band, band + 1):
            k = abs(m)
            factor = (2 * band + 1) / (4 * torch.pi)
            for n in range(band - k + 1, band + k + 1):
                factor /= n
            factor = factor**0.5 * (-1) ** k * (2**0.5 if m else 1)
            columns.append(factor * _legendre(band, k, z) * (sines[k] if m < 0 else cosines[k]))
    return torch.stack(columns, -1)


def _legendre(band: int, k: int, z: Tensor) -> Tensor:
    last, here = torch.zeros_like(z), torch.ones_like(z)
    for odd in range(1, 2 * k, 2):
        here = here * odd
    for n in range(k + 1, band + 1):
        last, here = here, ((2 * n - 1) * z * here - (n + k - 1) * last) / (n - k)
    return here


def rasterization_twin(
    means: Tensor,
    quats: Tensor,
    scales: Tensor,
    opacities: Tensor,
    colors: Tensor,
    viewmat: Tensor,
    K: Tensor,
    width: int,
    height: int,
    near_plane: float = 0.01,
    far_plane: float = 1e10,
    eps2d: float = 0.3,
    sh_degree: int | None = None,
    background: Tensor | None = None,
    render_mode: str = "RGB",
    rasterize_mode: str = "classic",
) -> TwinPicture:
    """As `render.splatting.rasterization`, for one camera: viewmat (4, 4), K (3, 3), background (D,)."""
    in_front = means @ viewmat[2, :3] + viewmat[2, 3]
    drawn = torch.nonzero((in_front >= near_plane) & (in_front <= far_plane))[:, 0]
    drawn = drawn[torch.argsort(in_front[drawn].float(), stable=True)]
    some = means[drawn]
    means2d, depths, covariances, fades = projected(
        some, quats[drawn], scales[drawn], viewmat, K, width, height, eps2d
    )
    seen = opacities[drawn] * fades if rasterize_mode == "antialiased" else opacities[drawn]
    channels = colors[drawn] if sh_degree is None else seen_colors(some, viewmat, colors[drawn], sh_degree)
    behind = torch.zeros(channels.shape[1], dtype=means.dtype) if background is None else background
    if render_mode != "RGB":
        parts = [channels, depths[:, None]] if "RGB" in render_mode else [depths[:, None]]
        channels = torch.cat(parts, 1)
        behind = torch.cat([behind, behind.new_zeros(1)]) if "RGB" in render_mode else behind.new_zeros(1)
    weights, rest, is_delicate = _weights(means2d, covariances, seen, width, height)
    picture, alpha = weights @ channels + rest[:, None] * behind, 1 - rest[:, None]
    if render_mode.endswith("ED"):
        picture = torch.cat([picture[:, :-1], picture[:, -1:] / alpha.clamp(min=1e-10)], 1)
    all_weights = weights.new_zeros(height * width, len(means)).index_copy(1, drawn, weights)
    shape = (height, width, -1)
    return TwinPicture(picture.view(shape), alpha.view(shape), all_weights, is_delicate.view(height, width))


def _weights(
    means2d: Tensor, covariances: Tensor, opacities: Tensor, width: int, height: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Weights (H * W, n) of Gaussians in order of depth, what is left (H * W,), and who is delicate (H * W,)."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    pixels = torch.stack([columns.reshape(-1), rows.reshape(-1)], -1).to(means2d) + 0.5
    away = pixels[:, None] - means2d
    inverse = torch.linalg.inv(covariances)
    exponents = 0.5 * torch.einsum("pni,nij,pnj->pn", away, inverse, away)
    unbounded = opacities * torch.exp(-exponents)
    alphas = torch.where(unbounded >= ALPHA_MIN, unbounded.clamp(max=ALPHA_MAX), 0)
    after = torch.cumprod(1 - alphas, 1)
    before = torch.cat([torch.ones_like(after[:, :1]), after[:, :-1]], 1)
    is_shown = after > TRANSMITTANCE_MIN
    weights = torch.where(is_shown, alphas * before, 0)
    shown = torch.where(is_shown, alphas, 0)
    rest = torch.prod(1 - shown, 1)
    near = lambda values, threshold, by: (values - threshold).abs() < by * threshold  # noqa: E731
    delicate = near(unbounded, ALPHA_MIN, 1e-4) | near(unbounded, ALPHA_MAX, 1e-4)
    delicate |= near(after, TRANSMITTANCE_MIN, 1e-3) & (alphas > 0)
    return weights, rest, delicate.any(1)
