"""The surface of a signed distance field at any resolution, in blocks that are welded without a seam.

From coarse to fine: the field is read on every eighth grid point, then on every second where the surface may be near,
then on all where it is near. Blocks are layers of eight cells; a block takes the values of the layer that it shares
with the one before from there, so that both see the same numbers, and a vertex is known by the grid edge it lies on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.measure import marching_cubes

from recon.debsdf.sdf_network import SdfNetwork
from recon.errors import NoSurface
from render.frame import Frame
from render.mesh import TriangleMesh

Float = NDArray[np.float32]
Mask = NDArray[np.bool_]
# Of one tile: numbers of the grid edges that vertices lie on (V,), points (V, 3) in grid steps, faces (F, 3).
Part = tuple[NDArray[np.int64], Float, NDArray[np.int32]]
# Reads points (P, 3) of the box; returns (P,) signed distance in box units, positive in free space.
Distance = Callable[[Float], Float]

STRIDE = 8  # cells between the points of the first look, and of a block's depth
_MIDDLE = 2  # cells between the points of the second look
_TILE = 64  # cells of a block's side that marching cubes sees at once
_POINTS_AT_ONCE = 1 << 17
# A network's distance may be this much too long, and no surface is overlooked.
_SLACK = 1.5
# In cells: vertices keep about this far from grid points, so that none coincide.
_CLEARANCE = 1e-3


@dataclass(frozen=True)
class Grid:
    """Cubic cells over a part of the box: origin (3,) and cell in box units, and how many along each axis."""

    origin: NDArray[np.float64]
    cell: float
    num_cells: tuple[int, int, int]

    @classmethod
    def over(cls, bounds_in_box: NDArray[np.float64], resolution: int) -> Grid:
        """`resolution` cells along the longest side of bounds (2, 3), as many as needed along the others."""
        sides = bounds_in_box[1] - bounds_in_box[0]
        cell = float(sides.max()) / resolution
        counts = np.maximum(1, np.ceil(sides / cell - 1e-6)).astype(int)
        return cls(
            np.asarray(bounds_in_box[0], np.float64), cell, (int(counts[0]), int(counts[1]), int(counts[2]))
        )


@dataclass(frozen=True)
class Surface:
    """points: (V, 3) float64 in the box. faces: (F, 3) int32, counter-clockwise seen from free space."""

    points: NDArray[np.float64]
    faces: NDArray[np.int32]

    def mesh(self, world_from_box: NDArray[np.float64], frame: Frame = Frame()) -> TriangleMesh:
        """The same in the world."""
        placed = self.points @ world_from_box[:3, :3].T + world_from_box[:3, 3]
        return TriangleMesh(placed.astype(np.float32), self.faces, frame=frame)


@dataclass(frozen=True)
class MeshEstimate:
    """What a mesh will be like before it is made: triangles, and bytes with colours and one value a vertex."""

    resolution: int
    num_triangles: int

    @property
    def num_bytes(self) -> int:
        """Memory that the mesh will take."""
        a_face, a_vertex = 12, 12 + 3 + 4
        return self.num_triangles * a_face + self.num_triangles // 2 * a_vertex

    def scaled_to(self, resolution: int) -> MeshEstimate:
        """The same for another resolution: triangles grow as its square."""
        return MeshEstimate(resolution, round(self.num_triangles * (resolution / self.resolution) ** 2))


def extract_blocks(
    distance: Distance, grid: Grid, level: float = 0.0
) -> Generator[tuple[int, int], None, Surface]:
    """The surface distance = level, open where it leaves the grid; yields how many blocks of how many are done.

    Beside the mesh some 100 bytes for each point of one layer of the grid are enough. Raises NoSurface.
    """
    coarse = _read_coarse(distance, grid) - np.float32(level)
    if not np.isfinite(coarse).all():
        raise NoSurface(
            "The field holds values that are not numbers.", "Train again with a lower learning rate."
        )
    is_near = _near(coarse, STRIDE * grid.cell)
    parts: list[Part] = []
    count, shared = 0, None
    for block in range(len(is_near)):
        yield block, len(is_near)
        if not is_near[block].any():
            shared = None
            continue
        values = _block_values(distance, grid, level, coarse, is_near, block, shared)
        shared = values[-1]
        for part in _march(values, grid, block):
            parts.append((part[0], part[1], part[2] + np.int32(count)))
            count += len(part[0])
    yield len(is_near), len(is_near)
    if not parts:
        raise NoSurface(
            "The field has no surface here: all of it is free space, or none.",
            "Train longer, or choose another level or region.",
            f"field from {coarse.min():g} to {coarse.max():g} beside the level",
        )
    return _welded(parts, grid)


def extract(distance: Distance, grid: Grid, level: float = 0.0) -> Surface:
    """As `extract_blocks`, at once."""
    blocks = extract_blocks(distance, grid, level)
    while True:
        try:
            next(blocks)
        except StopIteration as done:
            surface: Surface = done.value
            return surface


def preview_mesh(
    network: SdfNetwork,
    resolution: int,
    world_from_box: NDArray[np.float64],
    bounds_in_box: NDArray[np.float64] | None = None,
    frame: Frame = Frame(),
) -> TriangleMesh:
    """The surface of a network in training, in the world; a second or so at a resolution of 128. Raises NoSurface."""
    bounds = np.array([[-1.0] * 3, [1.0] * 3]) if bounds_in_box is None else bounds_in_box
    return extract(distance_of(network), Grid.over(bounds, resolution)).mesh(world_from_box, frame)


def estimate(
    distance: Distance, bounds_in_box: NDArray[np.float64], resolution: int, sample: int = 64
) -> MeshEstimate:
    """What extraction at `resolution` will make, from the surface at `sample` cells.

    Parts too thin for the sample are not counted. No triangles where there is no surface.
    """
    sample = min(sample, resolution)
    try:
        surface = extract(distance, Grid.over(bounds_in_box, sample))
    except NoSurface:
        return MeshEstimate(resolution, 0)
    return MeshEstimate(sample, len(surface.faces)).scaled_to(resolution)


def distance_of(network: SdfNetwork) -> Distance:
    """The network's distance as a function of arrays, on whatever device it is."""

    def distance(points: Float) -> Float:
        at = torch.from_numpy(points).to(next(network.parameters()).device)
        found: Float = network.sdf(at).cpu().numpy()
        return found

    return distance


def _read(distance: Distance, points: NDArray[np.float64]) -> Float:
    """(P,) values at (P, 3) points, a piece at a time."""
    pieces = [
        distance(points[i : i + _POINTS_AT_ONCE].astype(np.float32))
        for i in range(0, len(points), _POINTS_AT_ONCE)
    ]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def _read_coarse(distance: Distance, grid: Grid) -> Float:
    shape = tuple(math.ceil(count / STRIDE) + 1 for count in grid.num_cells)
    values = np.empty(shape, np.float32)
    rows = np.stack(np.meshgrid(*map(np.arange, shape[1:]), indexing="ij"), -1).reshape(-1, 2)
    for i in range(shape[0]):
        places = np.concatenate([np.full((len(rows), 1), i), rows], 1) * (STRIDE * grid.cell)
        values[i] = _read(distance, grid.origin + places).reshape(shape[1:])
    return values


def _near(values: Float, size: float) -> Mask:
    """Cells (X - 1, Y - 1, Z - 1) of `size` that the surface may touch, by the values at their corners."""
    corners = [
        values[x : x + values.shape[0] - 1, y : y + values.shape[1] - 1, z : z + values.shape[2] - 1]
        for x in (0, 1) for y in (0, 1) for z in (0, 1)
    ]  # fmt: skip
    closest, low, high = np.abs(corners[0]), corners[0].copy(), corners[0].copy()
    for corner in corners[1:]:
        np.minimum(closest, np.abs(corner), out=closest)
        np.minimum(low, corner, out=low)
        np.maximum(high, corner, out=high)
    # The middle of a cell is half a diagonal from its corners.
    return (closest <= _SLACK * math.sqrt(3) / 2 * size) | ((low < 0) & (high >= 0))


def _block_values(
    distance: Distance,
    grid: Grid,
    level: float,
    coarse: Float,
    is_near: Mask,
    block: int,
    shared: Float | None,
) -> Float:
    """Values less the level at the grid points of a block, (at most 9, Y + 1, Z + 1); true near the surface,
    interpolated elsewhere. shared: the last layer of the block before."""
    factor = STRIDE // _MIDDLE
    first = np.array([block * STRIDE, 0, 0])
    # One layer of middle cells of the next block too: they say which points of the shared layer are needed.
    middle = _enlarged(coarse[block : block + 3], factor)[: factor + 2]
    may_touch = _repeated(is_near[block : block + 2], factor)[: len(middle) - 1]
    wanted = _corners_of(may_touch)
    _fill(distance, grid, level, middle, wanted, first, _MIDDLE)
    fine = _enlarged(middle, _MIDDLE)
    touches = may_touch & _near(middle, _MIDDLE * grid.cell)
    needed = _corners_of(_repeated(touches, _MIDDLE))
    needed[::_MIDDLE, ::_MIDDLE, ::_MIDDLE] &= ~wanted
    last = [min(STRIDE, grid.num_cells[0] - block * STRIDE), *grid.num_cells[1:]]
    kept = tuple(slice(None, count + 1) for count in last)
    fine, needed = np.ascontiguousarray(fine[kept]), needed[kept]
    if shared is not None:
        fine[0], needed[0] = shared, False
    _fill(distance, grid, level, fine, needed, first, 1)
    return fine


def _fill(
    distance: Distance,
    grid: Grid,
    level: float,
    values: Float,
    wanted: Mask,
    first: NDArray[np.int64],
    stride: int,
) -> None:
    """Read the wanted points of an array that starts at grid point `first`."""
    places = np.argwhere(wanted) * stride + first
    values[wanted] = _read(distance, grid.origin + places * grid.cell) - np.float32(level)


def _enlarged(values: Float, factor: int) -> Float:
    """Linear interpolation to `factor` times as many steps along each axis."""
    for axis in range(3):
        swept = np.moveaxis(values, axis, 0)
        shape = (factor * (len(swept) - 1) + 1, *swept.shape[1:])
        larger = np.empty(shape, np.float32)
        larger[::factor] = swept
        for k in range(1, factor):
            share = np.float32(k / factor)
            larger[k::factor] = swept[:-1] * (1 - share) + swept[1:] * share
        values = np.moveaxis(larger, 0, axis)
    return np.ascontiguousarray(values)


def _repeated(cells: Mask, factor: int) -> Mask:
    return cells.repeat(factor, 0).repeat(factor, 1).repeat(factor, 2)


def _corners_of(cells: Mask) -> Mask:
    """Grid points, one more along each axis, that a marked cell has as a corner."""
    corners = np.pad(cells, ((0, 1),) * 3)
    for axis in range(3):
        upper, lower = [slice(None)] * 3, [slice(None)] * 3
        upper[axis], lower[axis] = slice(1, None), slice(None, -1)
        corners[tuple(upper)] |= corners[tuple(lower)].copy()
    return corners


def _march(values: Float, grid: Grid, block: int) -> Generator[Part]:
    """Marching cubes over the tiles of a block."""
    smallest = np.float32(_CLEARANCE * grid.cell)
    sign = np.where(values < 0, np.float32(-1), np.float32(1))
    cleared = np.maximum(np.abs(values), smallest) * sign
    for y in range(0, values.shape[1] - 1, _TILE):
        for z in range(0, values.shape[2] - 1, _TILE):
            tile = cleared[:, y : y + _TILE + 1, z : z + _TILE + 1]
            if tile.min() > 0 or tile.max() < 0:
                continue
            points, faces = _march_tile(tile)
            first = np.array([block * STRIDE, y, z])
            yield _keys(points, first, grid), points + first.astype(np.float32), faces


def _march_tile(tile: Float) -> tuple[Float, NDArray[np.int32]]:
    points, faces, _, _ = marching_cubes(np.ascontiguousarray(tile), 0.0)
    return points.astype(np.float32), faces.astype(np.int32)


def _keys(points: Float, first: NDArray[np.int64], grid: Grid) -> NDArray[np.int64]:
    """(V,) numbers of the grid edges that vertices lie on; a vertex inside a cell has the cell's."""
    start = np.floor(points)
    is_between = points > start
    axis = np.where(is_between.sum(1) == 1, is_between.argmax(1), 3)
    node = start.astype(np.int64) + first
    _, rows, columns = (count + 1 for count in grid.num_cells)
    keys: NDArray[np.int64] = ((node[:, 0] * rows + node[:, 1]) * columns + node[:, 2]) * 4 + axis
    return keys


def _welded(parts: list[Part], grid: Grid) -> Surface:
    """One surface of all parts, which are used up: at a thousand cells they are the most that memory holds."""
    keys, points = (np.concatenate([part[k] for part in parts]) for k in range(2))
    faces = np.concatenate([part[2] for part in parts])
    parts.clear()
    _, firsts, same = np.unique(keys, return_index=True, return_inverse=True)
    return Surface(grid.origin + points[firsts] * grid.cell, same.ravel().astype(np.int32)[faces])
