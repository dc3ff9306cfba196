"""Where to sample each ray: around the surface that a cached grid of signed distance shows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from render.compiled import compiled, compiled_in_parallel

Array = NDArray[np.float32]
# Reads (P, 3) points in the box; returns (P,) signed distance.
Sdf = Callable[[Array], Array]

NUM_STEPS = 256  # of the walk along a ray, at most
STEP_SHARE = 0.7  # of the distance that a step may go; a network's distance is not quite one
BLOCK = 1 << 17


class CachedSdf:
    """Signed distance on a grid over the box [-1, 1]^3, kept near the network's.

    values: (R, R, R) float32, [i, j, k] at (x, y, z) = -1 + 2 (i, j, k) / (R - 1). `refresh` looks at cells near
    the surface and a few anywhere, which follows a surface that shifts; one that travels leaves the cells behind,
    and only `refresh_all` finds it again.
    """

    def __init__(self, resolution: int, rng: np.random.Generator) -> None:
        self.values = np.ones((resolution,) * 3, np.float32)
        self.rng = rng

    @property
    def cell(self) -> float:
        """Distance of neighbouring grid points in box units."""
        return 2.0 / (len(self.values) - 1)

    def points(self, cells: NDArray[np.int64]) -> Array:
        """(P, 3) places of flat cell indices."""
        index = np.stack(np.unravel_index(cells, self.values.shape), 1)
        return (index * self.cell - 1).astype(np.float32)

    def refresh_all(self, sdf: Sdf) -> None:
        """Read every cell anew."""
        for first in range(0, self.values.size, BLOCK):
            self._read(sdf, np.arange(first, min(first + BLOCK, self.values.size)))

    def refresh(self, sdf: Sdf, count: int, band: float = 2.5) -> None:
        """Read anew `count` cells: most within `band` cells of the surface, a fifth anywhere."""
        near = np.flatnonzero(np.abs(self.values.ravel()) < band * self.cell)
        wanted = min(len(near), count - count // 5)
        chosen = near if wanted == len(near) else near[self.rng.integers(0, len(near), wanted)]
        anywhere = self.rng.integers(0, self.values.size, count // 5)
        self._read(sdf, np.concatenate([chosen, anywhere]))

    def _read(self, sdf: Sdf, cells: NDArray[np.int64]) -> None:
        self.values.reshape(-1)[cells] = sdf(self.points(cells))


@dataclass(frozen=True)
class SampleCounts:
    """Samples of a ray: importance ones by the weights on the cached grid, and stratified ones."""

    importance: int = 14
    stratified: int = 4

    @property
    def total(self) -> int:
        """All samples of a ray."""
        return self.importance + self.stratified


def sample_rays(
    rays_o: Array, rays_d: Array, grid: Array, beta: float, counts: SampleCounts, rng: np.random.Generator
) -> Array:
    """Sorted distances (R, S) along rays.

    rays_o, rays_d: (R, 3) in the box, rays_d of unit length. grid: CachedSdf.values. beta: blur of the density in
    box units; it is widened to a cell of the grid. Importance samples follow the weights of volume rendering on
    the grid, stratified ones spread from the box's entry to shortly behind the surface.
    """
    blur = np.float32(max(beta, 1.2 / (len(grid) - 1)))
    jitter = rng.random((len(rays_o), counts.total), dtype=np.float32)
    distances = np.empty((len(rays_o), counts.total), np.float32)
    _sample(rays_o, rays_d, grid, blur, counts.importance, jitter, distances)
    return distances


@compiled
def _look_up(grid, x, y, z):  # type: ignore[no-untyped-def]
    """Trilinear value at a point of the box."""
    size = grid.shape[0]
    half = np.float32(0.5 * (size - 1))
    x = min(max((x + 1) * half, 0), size - 1.001)
    y = min(max((y + 1) * half, 0), size - 1.001)
    z = min(max((z + 1) * half, 0), size - 1.001)
    i, j, k = int(x), int(y), int(z)
    u, v, w = x - i, y - j, z - k
    low = (grid[i, j, k] * (1 - w) + grid[i, j, k + 1] * w) * (1 - v)
    low += (grid[i, j + 1, k] * (1 - w) + grid[i, j + 1, k + 1] * w) * v
    high = (grid[i + 1, j, k] * (1 - w) + grid[i + 1, j, k + 1] * w) * (1 - v)
    high += (grid[i + 1, j + 1, k] * (1 - w) + grid[i + 1, j + 1, k + 1] * w) * v
    return low * (1 - u) + high * u


@compiled
def _box_span(rays_o, rays_d, i):  # type: ignore[no-untyped-def]
    """Where a ray enters the box (0 inside it) and leaves it; a short span at the origin where it misses."""
    near, far = np.float32(0), np.float32(1e9)
    for axis in range(3):
        d = rays_d[i, axis]
        if abs(d) > 1e-9:
            first, last = (-1 - rays_o[i, axis]) / d, (1 - rays_o[i, axis]) / d
            near, far = max(near, min(first, last)), min(far, max(first, last))
    return near, max(far, near + np.float32(0.02))


@compiled_in_parallel
def _sample(rays_o, rays_d, grid, beta, num_importance, jitter, out):  # type: ignore[no-untyped-def]
    """Walk along each ray, by the distance itself in the open and a third of a cell near the surface."""
    smallest = np.float32(0.7 / (grid.shape[0] - 1))
    num_stratified = out.shape[1] - num_importance
    for i in numba.prange(rays_o.shape[0]):
        near, far = _box_span(rays_o, rays_d, i)
        ends = np.empty(NUM_STEPS + 1, np.float32)
        mass = np.empty(NUM_STEPS + 1, np.float32)
        ends[0], mass[0] = near, 0
        left, t, n = np.float32(1), near, 0
        s = _look_up(
            grid,
            rays_o[i, 0] + t * rays_d[i, 0],
            rays_o[i, 1] + t * rays_d[i, 1],
            rays_o[i, 2] + t * rays_d[i, 2],
        )
        while n < NUM_STEPS and t < far:
            step = max(smallest * (1 + n / 64), STEP_SHARE * abs(s) - beta)
            if n == NUM_STEPS - 1:
                step = far - t
            step = min(step, far - t + np.float32(1e-6))
            after = t + step
            following = _look_up(
                grid,
                rays_o[i, 0] + after * rays_d[i, 0],
                rays_o[i, 1] + after * rays_d[i, 1],
                rays_o[i, 2] + after * rays_d[i, 2],
            )
            middle = 0.5 * (s + following)
            tail = math.exp(-abs(middle) / beta) * 0.5
            opacity = 1 - math.exp(-(1 - tail if middle < 0 else tail) / beta * step)
            n += 1
            ends[n] = after
            mass[n] = mass[n - 1] + left * opacity + np.float32(0.01) * step
            left *= 1 - opacity
            t, s = after, following
            if left < 1e-3:
                break
        behind = min(far, t + 3 * beta)
        cell = 0
        for q in range(num_importance):
            wanted = (q + jitter[i, q]) / num_importance * mass[n]
            while cell < n - 1 and mass[cell + 1] < wanted:
                cell += 1
            share = (wanted - mass[cell]) / (mass[cell + 1] - mass[cell] + np.float32(1e-12))
            out[i, q] = ends[cell] + min(max(share, 0), 1) * (ends[cell + 1] - ends[cell])
        for q in range(num_stratified):
            share = (q + jitter[i, num_importance + q]) / num_stratified
            out[i, num_importance + q] = near + share * (behind - near)
        out[i].sort()


def sample_rays_on_device(
    rays_o: Tensor,
    rays_d: Tensor,
    grid: Tensor,
    beta: float,
    counts: SampleCounts,
    rng: np.random.Generator,
    num_cells: int = 192,
) -> Tensor:
    """What `sample_rays` does, in torch on the tensors' device, with cells of one length along each ray.

    grid: (R, R, R). Returns sorted distances (R, S).
    """
    blur = max(beta, 1.2 / (len(grid) - 1))
    jitter = torch.from_numpy(rng.random((len(rays_o), counts.total), dtype=np.float32)).to(rays_o.device)
    near, far = _spans(rays_o, rays_d)
    step = (far - near) / num_cells
    edges = near[:, None] + step[:, None] * torch.arange(num_cells + 1, device=near.device)
    middles = 0.5 * (edges[:, 1:] + edges[:, :-1])
    points = rays_o[:, None] + middles[..., None] * rays_d[:, None]
    sdf = torch.nn.functional.grid_sample(
        grid[None, None], points.flip(-1)[None, :, :, None], align_corners=True, padding_mode="border"
    )[0, 0, :, :, 0]
    tail = 0.5 * torch.exp(-sdf.abs() / blur)
    depth = torch.where(sdf < 0, 1 - tail, tail) / blur * step[:, None]
    before = torch.cumsum(depth, 1) - depth
    weights = (1 - torch.exp(-depth)) * torch.exp(-before) + 0.01 * step[:, None]
    mass = torch.nn.functional.pad(torch.cumsum(weights, 1), (1, 0))
    wanted = _stratified(jitter[:, : counts.importance]) * mass[:, -1:]
    cell = (torch.searchsorted(mass, wanted) - 1).clamp(0, num_cells - 1)
    share = (wanted - mass.gather(1, cell)) / weights.gather(1, cell)
    important = edges.gather(1, cell) + share.clamp(0, 1) * step[:, None]
    is_open = torch.exp(-before) > 1e-3
    behind = torch.minimum(far, near + is_open.sum(1) * step + 3 * blur)
    spread = near[:, None] + _stratified(jitter[:, counts.importance :]) * (behind - near)[:, None]
    return torch.cat([important, spread], 1).sort(1).values


def _spans(rays_o: Tensor, rays_d: Tensor) -> tuple[Tensor, Tensor]:
    safe = torch.where(rays_d.abs() < 1e-9, torch.full_like(rays_d, 1e-9), rays_d)
    first, last = (-1 - rays_o) / safe, (1 - rays_o) / safe
    near = torch.minimum(first, last).amax(1).clamp_min(0)
    return near, torch.maximum(torch.maximum(first, last).amin(1), near + 0.02)


def _stratified(jitter: Tensor) -> Tensor:
    """Shares (R, C) in [0, 1), one in each of C equal parts. jitter: (R, C) in [0, 1)."""
    count = jitter.shape[1]
    return (torch.arange(count, device=jitter.device) + jitter) / max(count, 1)
