"""Multiresolution hash encoding (Instant NGP, arXiv:2201.05989) with one parameter layout for every backend.

The layout is tiny-cuda-nn's: one flat float32 table [sum of the levels' entries, F], so that a table trained on a
GPU goes on on a CPU. On the CPU numba kernels run; `torch_jets` is their readable twin, which autograd can also
differentiate twice, in float64 if wanted; on CUDA tiny-cuda-nn runs where it is installed, the twin where not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numba
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recon import hash_grid_kernels as kernels
from render.hash_grid_layout import HashGridLayout

__all__ = ["HashGrid", "HashGridLayout", "corner_entries", "torch_jets"]

INITIAL_RANGE = 1e-4
LEAST_CHUNK = 512  # points that are worth another thread
_CORNERS = [[k & 1, k >> 1 & 1, k >> 2] for k in range(8)]


class HashGrid(torch.nn.Module):
    """Features of points in the unit cube, by trilinear interpolation in tables of several resolutions.

    table: (T, F) float32, T and F by the layout, uniform in ±1e-4 at first. Points outside the cube have the
    features of the nearest point in it. Points that require a gradient are sent through the twin.
    """

    def __init__(self, layout: HashGridLayout, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.layout = layout
        table = torch.empty(layout.num_entries, layout.num_features)
        self.table = torch.nn.Parameter(table.uniform_(-INITIAL_RANGE, INITIAL_RANGE, generator=generator))
        self._cuda_backend: Any = None

    def forward(self, points: Tensor) -> Tensor:
        """points: (N, 3) in [0, 1]. Returns (N, L * F) features."""
        if self._runs_kernels(points):
            return cast(Tensor, _Features.apply(self.table, points, self.layout))  # type: ignore[no-untyped-call]
        if self._runs_tiny_cuda_nn(points):
            return cast(Tensor, self._cuda_backend(self.table, points))
        return torch_jets(self.table, points, self.layout)[0]

    def jets(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """points: (N, 3) in [0, 1]. Returns features (N, L * F) and their slopes (N, L * F, 3) by the point; both
        can be differentiated by the table."""
        if self._runs_kernels(points):
            return cast(tuple[Tensor, Tensor], _Jets.apply(self.table, points, self.layout))  # type: ignore[no-untyped-call]
        return torch_jets(self.table, points, self.layout)

    def with_pullback(self, points: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Features (N, L * F), and the function that takes a derivative (N, L * F) by them to the derivative (N, 3)
        by the points; the fastest way on every backend to the gradient of what is made from the features."""
        if self._runs_kernels(points):
            features, slopes = self.jets(points)
            return features, lambda by_features: _PullBack.apply(by_features, slopes)  # type: ignore[no-untyped-call]
        if not self._runs_tiny_cuda_nn(points):
            features, slopes = self.jets(points)
            return features, lambda by_features: torch.einsum("nf,nfk->nk", by_features, slopes)
        with torch.enable_grad():
            points = points.detach().requires_grad_()
            features = self._cuda_backend(self.table, points)

        def pull_back(by_features: Tensor) -> Tensor:
            wants_graph = torch.is_grad_enabled()
            return torch.autograd.grad(features, points, by_features, create_graph=wants_graph)[0]

        return features if torch.is_grad_enabled() else features.detach(), pull_back

    def _runs_kernels(self, points: Tensor) -> bool:
        is_plain = self.table.dtype == points.dtype == torch.float32 and not points.requires_grad
        return is_plain and points.device.type == "cpu"

    def _runs_tiny_cuda_nn(self, points: Tensor) -> bool:
        if points.device.type != "cuda":
            return False
        if self._cuda_backend is None:
            from recon.hash_grid_cuda import make_backend

            self._cuda_backend = make_backend(self.layout)
        return self._cuda_backend is not None


def torch_jets(table: Tensor, points: Tensor, layout: HashGridLayout) -> tuple[Tensor, Tensor]:
    """Features (N, L * F) and slopes (N, L * F, 3) in plain torch: the oracle of the kernels.

    table: (T, F). points: (N, 3). Differentiable, twice too, by both.
    """
    inside = ((points >= 0) & (points <= 1)).to(points.dtype)
    clamped = points.clamp(0, 1)
    parts = [_level_jets(table, clamped, layout, level) for level in range(layout.num_levels)]
    slopes = torch.cat([part[1] for part in parts], 1)
    return torch.cat([part[0] for part in parts], 1), slopes * inside[:, None]


def _level_jets(table: Tensor, points: Tensor, layout: HashGridLayout, level: int) -> tuple[Tensor, Tensor]:
    scale = float(layout.scales[level])
    position = points * scale + 0.5
    cell = position.detach().floor()
    corners = torch.tensor(_CORNERS, device=points.device)
    values = table[corner_entries(cell.long()[:, None] + corners, layout, level)]
    place = (position - cell)[:, None]
    factors = torch.where(corners.bool(), place, 1 - place)  # (N, 8, 3)
    signs = (2 * corners - 1).to(points.dtype) * scale
    x, y, z = factors.unbind(-1)
    weights = torch.stack([signs[:, 0] * y * z, x * signs[:, 1] * z, x * y * signs[:, 2]], -1)
    features = ((x * y * z)[..., None] * values).sum(1)
    return features, torch.einsum("nck,ncf->nfk", weights, values)


def corner_entries(corners: Tensor, layout: HashGridLayout, level: int) -> Tensor:
    """Rows of the table of grid points. corners: (..., 3) int64, not negative."""
    first = int(layout.offsets[level])
    if layout.is_dense[level]:
        resolution = int(layout.resolutions[level])
        x, y, z = corners.clamp(max=resolution - 1).unbind(-1)
        return first + x + resolution * (y + resolution * z)
    size = int(layout.offsets[level + 1]) - first
    x, y, z = (corners * torch.tensor(kernels.PRIMES, device=corners.device)).unbind(-1)
    return first + ((x ^ y ^ z) & (size - 1))


def _chunk(points: Tensor) -> int:
    """Points for one thread: all that are its share, so that a level's table is fetched into its cache once."""
    threads: int = numba.get_num_threads()
    return max(LEAST_CHUNK, -(-len(points) // threads))


class _Features(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, points: Tensor, layout: HashGridLayout) -> Tensor:
        points = points.contiguous()
        out = torch.empty(len(points), layout.num_outputs)
        kernels.kernels(layout.num_features).features(
            points.numpy(), table.detach().numpy(), layout.levels, _chunk(points), out.numpy()
        )
        ctx.points, ctx.layout, ctx.shape = points, layout, table.shape
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *of_outputs: Tensor) -> tuple[Tensor, None, None]:
        of_table = torch.zeros(ctx.shape)
        of_out = of_outputs[0].contiguous().numpy()
        kernel = kernels.kernels(ctx.layout.num_features).add_features_gradient
        kernel(ctx.points.numpy(), ctx.layout.levels, of_out, of_table.numpy())
        return of_table, None, None


class _Jets(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, points: Tensor, layout: HashGridLayout) -> tuple[Tensor, Tensor]:
        points = points.contiguous()
        out = torch.empty(len(points), layout.num_outputs)
        slopes = torch.empty(len(points), layout.num_outputs, 3)
        kernels.kernels(layout.num_features).jets(
            points.numpy(), table.detach().numpy(), layout.levels, _chunk(points), out.numpy(), slopes.numpy()
        )
        ctx.points, ctx.layout, ctx.shape = points, layout, table.shape
        return out, slopes

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *of_outputs: Tensor) -> tuple[Tensor, None, None]:
        of_table = torch.zeros(ctx.shape)
        of_out, of_slopes = (of.contiguous().numpy() for of in of_outputs)
        kernel = kernels.kernels(ctx.layout.num_features).add_jets_gradient
        kernel(ctx.points.numpy(), ctx.layout.levels, of_out, of_slopes, of_table.numpy())
        return of_table, None, None


class _PullBack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, by_features: Tensor, slopes: Tensor) -> Tensor:
        by_features = by_features.contiguous()
        out = torch.empty(len(slopes), 3)
        kernels.pull_back(by_features.detach().numpy(), slopes.detach().numpy(), out.numpy())
        ctx.save_for_backward(by_features, slopes)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *of_outputs: Tensor) -> tuple[Tensor, Tensor]:
        by_features, slopes = ctx.saved_tensors
        gradients = torch.empty_like(by_features), torch.empty_like(slopes)
        kernels.pull_back_gradient(
            by_features.detach().numpy(),
            slopes.detach().numpy(),
            of_outputs[0].contiguous().numpy(),
            *(gradient.numpy() for gradient in gradients),
        )
        return gradients
