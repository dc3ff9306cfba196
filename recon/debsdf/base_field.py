"""What the network adds to: a fixed signed distance, from a coarse grid or a sphere seen from inside."""

from __future__ import annotations

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from render.compiled import compiled, compiled_in_parallel

_OFFSETS = torch.tensor([[i, j, k] for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)])


class SphereBase(torch.nn.Module):
    """The inside of a sphere around the box's centre is free space: where to start when no depth is known."""

    def __init__(self, radius: float) -> None:
        super().__init__()
        self.radius = radius

    def jets(self, points: Tensor) -> tuple[Tensor, Tensor]:
        distance: Tensor = torch.linalg.vector_norm(points, dim=1)
        return self.radius - distance, -points / distance.clamp_min(1e-6)[:, None]


class GridBase(torch.nn.Module):
    """Values on a grid over [-1, 1]^3 joined by a quadratic B-spline, so that the gradient is continuous.

    coefficients: (R, R, R) float32 of the spline that goes through the grid's values. A point outside the box has
    the value of the nearest point in it, and no slope there across the border.
    """

    coefficients: Tensor

    def __init__(self, coefficients: Tensor) -> None:
        super().__init__()
        if coefficients.ndim != 3 or len(set(coefficients.shape)) != 1 or len(coefficients) < 3:
            raise ValueError(
                f"a base grid must be a cube of at least 3 points, not {tuple(coefficients.shape)}"
            )
        self.register_buffer("coefficients", coefficients.float().contiguous())

    @classmethod
    def through(cls, values: NDArray[np.floating]) -> GridBase:
        """The spline through values (R, R, R) at the grid points linspace(-1, 1, R), x first."""
        if not np.isfinite(values).all():
            raise ValueError("a base grid must hold finite values")
        return cls(torch.from_numpy(ndimage.spline_filter(values, 2, output=np.float32, mode="mirror")))

    def jets(self, points: Tensor) -> tuple[Tensor, Tensor]:
        points = points.detach()
        if points.device.type != "cpu" or points.dtype != torch.float32:
            return torch_spline_jets(self.coefficients, points)
        value, gradient = torch.empty(len(points)), torch.empty(len(points), 3)
        _spline_jets(points.contiguous().numpy(), self.coefficients.numpy(), value.numpy(), gradient.numpy())
        return value, gradient


def torch_spline_jets(coefficients: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Value (N,) and gradient (N, 3) of the spline, readably: the twin of the kernel."""
    last = len(coefficients) - 1
    position = (points.clamp(-1, 1) + 1) * (last / 2)
    nearest = (position + 0.5).floor()
    t = (position - nearest)[..., None]
    weights = torch.cat([(0.5 - t) ** 2 / 2, 0.75 - t * t, (0.5 + t) ** 2 / 2], -1)  # (N, 3 axes, 3 taps)
    slopes = torch.cat([t - 0.5, -2 * t, t + 0.5], -1) * (last / 2)
    taps = nearest.long()[:, None] + _OFFSETS.to(points.device)
    taps = last - (last - taps.abs()).abs()  # Mirrored at both ends.
    values = coefficients.to(points.dtype)[tuple(taps.unbind(-1))].view(-1, 3, 3, 3)
    x, y, z = weights.unbind(1)
    dx, dy, dz = slopes.unbind(1)
    total = torch.einsum("nijk,ni,nj,nk->n", values, x, y, z)
    gradient = torch.stack(
        [torch.einsum("nijk,ni,nj,nk->n", values, *w) for w in ((dx, y, z), (x, dy, z), (x, y, dz))], 1
    )
    return total, gradient * (points.abs() <= 1)


@compiled
def _taps(value, last):  # type: ignore[no-untyped-def]
    """Three grid points around a place, their weights and the weights' slopes."""
    clamped = min(max(value, np.float32(-1)), np.float32(1))
    half = np.float32(last) * np.float32(0.5)
    position = (clamped + np.float32(1)) * half
    i = np.int64(position + np.float32(0.5))
    t = position - np.float32(i)
    low, high = np.float32(0.5) - t, np.float32(0.5) + t
    slope = half if clamped == value else np.float32(0)
    return (
        (abs(i - 1), i, last - abs(last - i - 1)),
        (low * low * np.float32(0.5), np.float32(0.75) - t * t, high * high * np.float32(0.5)),
        (-low * slope, np.float32(-2) * t * slope, high * slope),
    )


@compiled_in_parallel
def _spline_jets(points, coefficients, out, gradient):  # type: ignore[no-untyped-def]
    last = coefficients.shape[0] - 1
    for n in numba.prange(points.shape[0]):
        xs, wx, dx = _taps(points[n, 0], last)
        ys, wy, dy = _taps(points[n, 1], last)
        zs, wz, dz = _taps(points[n, 2], last)
        value = along_x = along_y = along_z = np.float32(0)
        for a in range(3):
            plane = plane_y = plane_z = np.float32(0)
            for b in range(3):
                c0 = coefficients[xs[a], ys[b], zs[0]]
                c1 = coefficients[xs[a], ys[b], zs[1]]
                c2 = coefficients[xs[a], ys[b], zs[2]]
                line = wz[0] * c0 + wz[1] * c1 + wz[2] * c2
                plane += wy[b] * line
                plane_y += dy[b] * line
                plane_z += wy[b] * (dz[0] * c0 + dz[1] * c1 + dz[2] * c2)
            value += wx[a] * plane
            along_x += dx[a] * plane
            along_y += wx[a] * plane_y
            along_z += wx[a] * plane_z
        out[n] = value
        gradient[n, 0], gradient[n, 1], gradient[n, 2] = along_x, along_y, along_z
