"""A regular grid in the box, and how values go between it, points and the next coarser grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from render.compiled import compiled

Field = NDArray[np.float32]  # (X, Y, Z) values at the grid's points
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """Points lower + spacing * (i, j, k) with (i, j, k) below shape."""

    lower: Floats
    spacing: float
    shape: tuple[int, int, int]

    @classmethod
    def covering(cls, lower: Floats, upper: Floats, resolution: int, levels: int) -> Grid:
        """The coarsest of `levels` nested grids whose finest has `resolution` points along the longest side."""
        longest = float((upper - lower).max())
        spacing = longest / ((resolution - 1) / 2 ** (levels - 1))
        cells = np.ceil(((upper - lower) / spacing - 1e-6) / 4).astype(int) * 4
        shape = (int(cells[0]) + 1, int(cells[1]) + 1, int(cells[2]) + 1)
        return cls(np.asarray(lower, np.float64), spacing, shape)

    @property
    def finer(self) -> Grid:
        """The same box with half the spacing."""
        x, y, z = (2 * n - 1 for n in self.shape)
        return Grid(self.lower, self.spacing / 2, (x, y, z))

    @property
    def upper(self) -> Floats:
        """(3,) the last point."""
        return np.asarray(self.lower + self.spacing * (np.array(self.shape) - 1))

    @property
    def num_halvings(self) -> int:
        """How often the grid can be made coarser by leaving out every other point."""
        count = 0
        while all((n - 1) % 2 ** (count + 1) == 0 and (n - 1) >> (count + 1) >= 2 for n in self.shape):
            count += 1
        return count

    def axis(self, number: int) -> Floats:
        """Coordinates of the points along one axis."""
        return np.asarray(self.lower[number] + self.spacing * np.arange(self.shape[number]), np.float64)

    def points(self, first: int, last: int) -> Floats:
        """(N, 3) the points of the slabs `first` to `last` (exclusive) along x."""
        axes = (self.axis(0)[first:last], self.axis(1), self.axis(2))
        return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)

    def contains(self, points: Floats, margin: float = 1e-6) -> NDArray[np.bool_]:
        """Whether (N, 3) points lie in the grid's box."""
        inside = (points > self.lower + margin) & (points < self.upper - margin)
        return np.asarray(inside.all(axis=1))


@dataclass(frozen=True)
class Trilinear:
    """Trilinear interpolation B at fixed points of a grid, and its adjoint.

    cells: (N,) flat index of the cell's lowest corner. shares: (N, 3) position in the cell, 0..1.
    """

    shape: tuple[int, int, int]
    cells: NDArray[np.int64]
    shares: NDArray[np.float32]

    @classmethod
    def at(cls, points: Floats, grid: Grid) -> Trilinear:
        """At (N, 3) points; those outside the grid are extrapolated from its border cells."""
        position = (points - grid.lower) / grid.spacing
        corner = np.clip(np.floor(position).astype(np.int64), 0, np.array(grid.shape) - 2)
        cells = (corner[:, 0] * grid.shape[1] + corner[:, 1]) * grid.shape[2] + corner[:, 2]
        return cls(grid.shape, cells, (position - corner).astype(np.float32))

    def joined(self, other: Trilinear) -> Trilinear:
        """At these points and then at the other's, of the same grid."""
        if not len(other.cells):
            return self
        cells, shares = (self.cells, other.cells), (self.shares, other.shares)
        return Trilinear(self.shape, np.concatenate(cells), np.concatenate(shares))

    def interpolate(self, field: Field) -> NDArray[np.float32]:
        """B f: (N,) values at the points."""
        values = np.empty(len(self.cells), np.float32)
        _gather(np.ascontiguousarray(field), self.cells, self.shares, values)
        return values

    def gradient(self, field: Field, spacing: float) -> NDArray[np.float32]:
        """(N, 3) gradient by central differences over two spacings, smoother than the interpolant's own."""
        values = np.empty((len(self.cells), 3), np.float32)
        _gather_gradient(np.ascontiguousarray(field), self.cells, self.shares, values)
        return values / np.float32(spacing)

    def scatter(self, values: NDArray[np.float32]) -> Field:
        """Bᵀ v: the field that receives each point's value by its trilinear weights."""
        field = np.zeros(self.shape, np.float32)
        _scatter(field, self.cells, self.shares, np.asarray(values, np.float32))
        return field

    def add_normal_product(self, field: Field, weights: NDArray[np.float32], out: Field) -> None:
        """out += Bᵀ diag(weights) B f."""
        _add_normal_product(field, self.cells, self.shares, weights, out)

    def diagonal(self, weights: NDArray[np.float32]) -> Field:
        """Diagonal of Bᵀ diag(weights) B."""
        field = np.zeros(self.shape, np.float32)
        _scatter_squares(field, self.cells, self.shares, np.asarray(weights, np.float32))
        return field


def prolong(coarse: Field) -> Field:
    """Linear interpolation onto the next finer grid: k points along an axis become 2k - 1."""
    x, y, z = coarse.shape
    fine = np.empty((2 * x - 1, 2 * y - 1, 2 * z - 1), np.float32)
    _prolong(np.ascontiguousarray(coarse), fine)
    return fine


def restrict(fine: Field) -> Field:
    """The adjoint of `prolong`."""
    x, y, z = ((n + 1) // 2 for n in fine.shape)
    coarse = np.empty((x, y, z), np.float32)
    _restrict(np.ascontiguousarray(fine), coarse)
    return coarse


@compiled
def _corner_weights(shares: NDArray[np.float32], n: int, out: NDArray[np.float32]) -> None:
    u, v, w = shares[n, 0], shares[n, 1], shares[n, 2]
    one = np.float32(1)
    out[0] = (one - u) * (one - v) * (one - w)
    out[1] = (one - u) * (one - v) * w
    out[2] = (one - u) * v * (one - w)
    out[3] = (one - u) * v * w
    out[4] = u * (one - v) * (one - w)
    out[5] = u * (one - v) * w
    out[6] = u * v * (one - w)
    out[7] = u * v * w


@compiled
def _corner_steps(ny: int, nz: int) -> NDArray[np.int64]:
    return np.array([0, 1, nz, nz + 1, ny * nz, ny * nz + 1, ny * nz + nz, ny * nz + nz + 1])


@compiled
def _gather(
    field: Field, cells: NDArray[np.int64], shares: NDArray[np.float32], out: NDArray[np.float32]
) -> None:
    flat, steps = field.reshape(-1), _corner_steps(field.shape[1], field.shape[2])
    weights = np.empty(8, np.float32)
    for n in range(len(cells)):
        _corner_weights(shares, n, weights)
        total = np.float32(0)
        for c in range(8):
            total += weights[c] * flat[cells[n] + steps[c]]
        out[n] = total


@compiled
def _gather_gradient(
    field: Field, cells: NDArray[np.int64], shares: NDArray[np.float32], out: NDArray[np.float32]
) -> None:
    nx, ny, nz = field.shape
    weights = np.empty(8, np.float32)
    for n in range(len(cells)):
        _corner_weights(shares, n, weights)
        i0, j0, k0 = cells[n] // (ny * nz), cells[n] // nz % ny, cells[n] % nz
        out[n] = 0
        for c in range(8):
            i, j, k = i0 + c // 4, j0 + c // 2 % 2, k0 + c % 2
            il, ih, jl, jh = max(i - 1, 0), min(i + 1, nx - 1), max(j - 1, 0), min(j + 1, ny - 1)
            kl, kh = max(k - 1, 0), min(k + 1, nz - 1)
            out[n, 0] += weights[c] * (field[ih, j, k] - field[il, j, k]) / np.float32(ih - il)
            out[n, 1] += weights[c] * (field[i, jh, k] - field[i, jl, k]) / np.float32(jh - jl)
            out[n, 2] += weights[c] * (field[i, j, kh] - field[i, j, kl]) / np.float32(kh - kl)


@compiled
def _scatter(
    field: Field, cells: NDArray[np.int64], shares: NDArray[np.float32], values: NDArray[np.float32]
) -> None:
    flat, steps = field.reshape(-1), _corner_steps(field.shape[1], field.shape[2])
    weights = np.empty(8, np.float32)
    for n in range(len(cells)):
        _corner_weights(shares, n, weights)
        for c in range(8):
            flat[cells[n] + steps[c]] += weights[c] * values[n]


@compiled
def _scatter_squares(
    field: Field, cells: NDArray[np.int64], shares: NDArray[np.float32], values: NDArray[np.float32]
) -> None:
    flat, steps = field.reshape(-1), _corner_steps(field.shape[1], field.shape[2])
    weights = np.empty(8, np.float32)
    for n in range(len(cells)):
        _corner_weights(shares, n, weights)
        for c in range(8):
            flat[cells[n] + steps[c]] += weights[c] * weights[c] * values[n]


@compiled
def _add_normal_product(
    field: Field, cells: NDArray[np.int64], shares: NDArray[np.float32], data: NDArray[np.float32], out: Field
) -> None:
    flat, steps = field.reshape(-1), _corner_steps(field.shape[1], field.shape[2])
    target = out.reshape(-1)
    weights = np.empty(8, np.float32)
    for n in range(len(cells)):
        if data[n] == 0:
            continue
        _corner_weights(shares, n, weights)
        total = np.float32(0)
        for c in range(8):
            total += weights[c] * flat[cells[n] + steps[c]]
        total *= data[n]
        for c in range(8):
            target[cells[n] + steps[c]] += weights[c] * total


@compiled
def _prolong(coarse: Field, fine: Field) -> None:
    half, nz = np.float32(0.5), coarse.shape[2]
    row = np.empty(nz, np.float32)
    for i in range(fine.shape[0]):
        i0, i1 = i // 2, (i + 1) // 2
        for j in range(fine.shape[1]):
            j0, j1 = j // 2, (j + 1) // 2
            for k in range(nz):
                row[k] = (
                    half
                    * half
                    * (coarse[i0, j0, k] + coarse[i0, j1, k] + coarse[i1, j0, k] + coarse[i1, j1, k])
                )
            for k in range(nz - 1):
                fine[i, j, 2 * k] = row[k]
                fine[i, j, 2 * k + 1] = half * (row[k] + row[k + 1])
            fine[i, j, 2 * nz - 2] = row[nz - 1]


@compiled
def _restrict(fine: Field, coarse: Field) -> None:
    half, one, nz = np.float32(0.5), np.float32(1), fine.shape[2]
    row = np.empty(nz, np.float32)
    for i in range(coarse.shape[0]):
        for j in range(coarse.shape[1]):
            row[:] = 0
            for di in range(-1, 2):
                if not 0 <= 2 * i + di < fine.shape[0]:
                    continue
                for dj in range(-1, 2):
                    if not 0 <= 2 * j + dj < fine.shape[1]:
                        continue
                    weight = (half if di else one) * (half if dj else one)
                    for k in range(nz):
                        row[k] += weight * fine[2 * i + di, 2 * j + dj, k]
            for k in range(coarse.shape[2]):
                total = row[2 * k]
                if k > 0:
                    total += half * row[2 * k - 1]
                if 2 * k + 1 < nz:
                    total += half * row[2 * k + 1]
                coarse[i, j, k] = total
