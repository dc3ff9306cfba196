"""Which Gaussians are seen from a camera: those that are not behind enough others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recon.gaussian_projection import Projection, ScreenCamera, projected, screen_radii
from recon.gaussian_selection import Mask
from render.gaussians import GaussianCloud, GaussianMarks

Array = NDArray[np.float32]

_LONG_SIDE = 320  # cells of the picture
_NUM_DEPTHS = 96  # steps of depth
_NUM_LEVELS = 5  # large Gaussians are spread over coarser cells, each twice as long as of the level before
_REACH = 2  # cells of its level that a Gaussian covers at most, to each side
_LIGHT_LEFT = 0.25  # share of the light that still comes through, below which nothing is seen
_LARGEST_ALPHA = 0.99


def visible(cloud: GaussianCloud, marks: GaussianMarks, camera: ScreenCamera, size: tuple[int, int]) -> Mask:
    """Which drawn Gaussians (N,) are seen in a picture of `size` pixels: those whose middles a quarter of the light
    or more reaches.

    The picture is divided into cells and steps of depth. Each Gaussian adds its optical depth, −log(1 − α), to those
    that it covers (order-independent, as in volume rendering, Max 1995), so that nothing needs sorting.
    """
    projection = projected(cloud, camera)
    cell = max(1.0, max(size) / _LONG_SIDE)
    shape = int(np.ceil(size[1] / cell)), int(np.ceil(size[0] / cell))
    rows = _rows_inside(projection, marks, size)
    seen = np.zeros(len(cloud), bool)
    if not len(rows):
        return seen
    cells = projection.positions[rows] / np.float32(cell)
    steps, near, per_step = _depth_steps(projection.depths[rows])
    radii = screen_radii(cloud, camera, projection)[rows] / np.float32(cell)
    front = _front_steps(cells, steps, radii, cloud.opacities[rows], shape)
    slack = np.exp(cloud.log_scales[rows].max(1)) / per_step
    columns, lines = cells.astype(np.intp).T
    seen[rows] = (projection.depths[rows] - near) / per_step <= front[lines, columns] + 1 + slack
    return seen


def _rows_inside(projection: Projection, marks: GaussianMarks, size: tuple[int, int]) -> NDArray[np.intp]:
    x, y = projection.positions.T
    with np.errstate(invalid="ignore"):
        is_inside = (x >= 0) & (x < size[0]) & (y >= 0) & (y < size[1])
    return np.flatnonzero(is_inside & marks.is_drawn)


def _depth_steps(depths: Array) -> tuple[NDArray[np.int32], float, float]:
    """The step of each depth, where the steps begin, and how long one is; a few that lie far off share the last."""
    low, high = np.quantile(depths[:: max(1, len(depths) // 100_000)], [0.0, 0.995])
    per_step = max(float(high - low), 1e-12) / (_NUM_DEPTHS - 1)
    steps = np.clip((depths - low) / per_step, 0, _NUM_DEPTHS - 1).astype(np.int32)
    return steps, float(low), per_step


def _front_steps(
    cells: Array, steps: NDArray[np.int32], radii: Array, opacities: Array, shape: tuple[int, int]
) -> NDArray[np.int64]:
    """(H, W) the step of depth in which the light through a cell is taken, _NUM_DEPTHS where it never is."""
    total = np.zeros((*shape, _NUM_DEPTHS), np.float32)
    levels = np.clip(np.ceil(np.log2(np.maximum(radii, 1e-6))), 0, _NUM_LEVELS - 1).astype(np.int32)
    for level in range(_NUM_LEVELS):
        chosen = levels == level
        if chosen.any():
            side = 2**level
            part = _optical_depths(
                cells[chosen] / side, steps[chosen], radii[chosen] / side, opacities[chosen],
                (-(-shape[0] // side), -(-shape[1] // side)),
            )  # fmt: skip
            total += part.repeat(side, 0).repeat(side, 1)[: shape[0], : shape[1]]
    is_dark = np.cumsum(total, axis=2, out=total) >= -np.log(_LIGHT_LEFT)
    return np.where(is_dark[..., -1], is_dark.argmax(2), _NUM_DEPTHS)


def _optical_depths(
    cells: Array, steps: NDArray[np.int32], radii: Array, opacities: Array, shape: tuple[int, int]
) -> Array:
    """(H, W, steps) what Gaussians of about a cell's size take of the light in each cell."""
    height, width = shape
    columns, lines = cells.astype(np.int32).T
    covered = np.minimum(1, 2 * np.pi * radii**2)  # of a cell, by one that is smaller than it
    total = np.zeros(height * width * _NUM_DEPTHS)
    for dx, dy in np.ndindex(2 * _REACH + 1, 2 * _REACH + 1):
        x, y = columns + dx - _REACH, lines + dy - _REACH
        square = (x + 0.5 - cells[:, 0]) ** 2 + (y + 0.5 - cells[:, 1]) ** 2
        spread = np.maximum(radii, 0.5) ** 2
        alpha = np.minimum(opacities * np.exp(-square / (2 * spread)), _LARGEST_ALPHA)
        is_in = (x >= 0) & (x < width) & (y >= 0) & (y < height) & (alpha > 1 / 255)
        places = ((y * width + x) * _NUM_DEPTHS + steps)[is_in]
        total += np.bincount(places, -np.log1p(-alpha[is_in]) * covered[is_in], len(total))
    return total.reshape(height, width, _NUM_DEPTHS).astype(np.float32)
