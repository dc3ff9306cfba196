"""Kernels of the edit field: sums over samples, and the affine map of a place."""

# mypy: disable-error-code="no-any-return,return-value,assignment"
# Scalars in kernels are float32 where mypy is told float.

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from render.compiled import compiled

Float = NDArray[np.float32]


@compiled
def accumulate(places: Float, before: Float, after: Float, weights: Float, sums: Float) -> None:
    """Add to the nearest cell of sums (X, Y, Z, 23) the products of each sample: the upper triangle of x xᵀ (10) for
    x = (r, g, b, 1), x dᵀ (12) for the change d, and the weight."""
    x, y, z = sums.shape[:3]
    row = np.empty(4, np.float32)
    for k in range(len(places)):
        i = min(max(int(places[k, 0] + np.float32(0.5)), 0), x - 1)
        j = min(max(int(places[k, 1] + np.float32(0.5)), 0), y - 1)
        l = min(max(int(places[k, 2] + np.float32(0.5)), 0), z - 1)  # noqa: E741
        cell = sums[i, j, l]
        row[:3], row[3] = before[k], np.float32(1)
        weight = weights[k]
        at = 0
        for a in range(4):
            for b in range(a, 4):
                cell[at] += weight * row[a] * row[b]
                at += 1
        for a in range(4):
            for b in range(3):
                cell[at] += weight * row[a] * (after[k, b] - before[k, b])
                at += 1
        cell[at] += weight


@compiled
def map_at(color_map: Float, px: float, py: float, pz: float, out: Float) -> None:
    """(12,) the trilinear map at a place in numbers of cells; beyond the grid that of its border."""
    x, y, z = color_map.shape[:3]
    px = min(max(px, np.float32(0)), np.float32(x - 1))
    py = min(max(py, np.float32(0)), np.float32(y - 1))
    pz = min(max(pz, np.float32(0)), np.float32(z - 1))
    i, j, k = min(int(px), max(x - 2, 0)), min(int(py), max(y - 2, 0)), min(int(pz), max(z - 2, 0))
    a, b, c = px - np.float32(i), py - np.float32(j), pz - np.float32(k)
    out[:] = 0
    for di in range(min(2, x)):
        wi = a if di else 1 - a
        for dj in range(min(2, y)):
            wj = wi * (b if dj else 1 - b)
            for dk in range(min(2, z)):
                weight = wj * (c if dk else 1 - c)
                cell = color_map[i + di, j + dj, k + dk]
                for n in range(12):
                    out[n] += weight * cell[n]


@compiled
def read_at(color_map: Float, places: Float) -> Float:
    """(M, 12) the maps at places (M, 3)."""
    out = np.empty((len(places), 12), np.float32)
    for k in range(len(places)):
        map_at(color_map, places[k, 0], places[k, 1], places[k, 2], out[k])
    return out


@compiled
def _mapped(color: Float, affine: Float, channel: int) -> float:
    row = channel * 4
    value = (
        color[channel] + affine[row] * color[0] + affine[row + 1] * color[1] + affine[row + 2] * color[2] + affine[row + 3]
    )  # fmt: skip
    return min(max(value, np.float32(0)), np.float32(1))


@compiled
def residuals(places: Float, before: Float, after: Float, color_map: Float) -> Float:
    """(M,) mean absolute difference of the mapped colours from those after."""
    left = np.empty(len(places), np.float32)
    affine = np.empty(12, np.float32)
    for k in range(len(places)):
        map_at(color_map, places[k, 0], places[k, 1], places[k, 2], affine)
        total = np.float32(0)
        for channel in range(3):
            total += abs(_mapped(before[k], affine, channel) - after[k, channel])
        left[k] = total / 3
    return left


@compiled
def apply_at(places: Float, colors: Float, color_map: Float, out: Float) -> None:
    """out (M, 3): the colours as mapped at their places."""
    affine = np.empty(12, np.float32)
    for k in range(len(places)):
        map_at(color_map, places[k, 0], places[k, 1], places[k, 2], affine)
        for channel in range(3):
            out[k, channel] = _mapped(colors[k], affine, channel)


@compiled
def apply_map(
    first: int,
    last: int,
    colors: Float,
    depth: Float,
    lens: Float,
    map_from_cam: Float,
    color_map: Float,
    out: Float,
) -> None:
    """As `apply_at` for pixels first … last of a picture, row after row, with depth (H, W)."""
    width = depth.shape[1]
    affine = np.empty(12, np.float32)
    middle = np.empty(3, np.float32)
    for axis in range(3):
        middle[axis] = np.float32(color_map.shape[axis] - 1) / 2
    for k in range(first, last):
        z = depth[k // width, k % width]
        px, py, pz = middle[0], middle[1], middle[2]
        if z > 0:
            x = (np.float32(k % width) + np.float32(0.5) - lens[2]) / lens[0] * z
            y = (np.float32(k // width) + np.float32(0.5) - lens[3]) / lens[1] * z
            px = map_from_cam[0, 0] * x + map_from_cam[0, 1] * y + map_from_cam[0, 2] * z + map_from_cam[0, 3]
            py = map_from_cam[1, 0] * x + map_from_cam[1, 1] * y + map_from_cam[1, 2] * z + map_from_cam[1, 3]
            pz = map_from_cam[2, 0] * x + map_from_cam[2, 1] * y + map_from_cam[2, 2] * z + map_from_cam[2, 3]
        map_at(color_map, px, py, pz, affine)
        for channel in range(3):
            out[k, channel] = _mapped(colors[k], affine, channel)
