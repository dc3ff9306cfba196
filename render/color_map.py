"""How a grid of local colour maps changes colours: each cell adds A c + b to a colour c, smoothly between cells."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from render.compiled import Float, compiled, in_threads
from render.view_field import ViewField

CHUNK = 4096  # colours that a thread takes at once


def mapped(
    field: ViewField, rgb: ArrayLike, points: ArrayLike, world_from_points: ArrayLike | None = None
) -> Float:
    """Colours (P, 3) within 0 and 1, changed by what the field's colour map says at points (P, 3).

    Between centres of cells the map is trilinear; outside the grid it is that of the nearest cell. world_from_points:
    (4, 4) from the points' axes to the world, where they are not in the world. A field without colour map changes
    nothing."""
    colors = np.array(rgb, np.float32)
    if not field.has_color_map:
        return colors
    cells_from_points = np.linalg.inv(field.world_from_map)
    if world_from_points is not None:
        cells_from_points = cells_from_points @ np.asarray(world_from_points, np.float64)
    places = np.ascontiguousarray(points, np.float32)
    if world_from_points is None:  # Far from the world's origin float32 would be too coarse.
        in_cells = np.asarray(points, np.float64) @ cells_from_points[:3, :3].T + cells_from_points[:3, 3]
        places, cells_from_points = in_cells.astype(np.float32), np.eye(4)
    axes = np.ascontiguousarray(cells_from_points[:3], np.float32)
    in_threads(_map, len(colors), CHUNK, field.color_map, axes, places, colors)
    return colors


@compiled
def _along(value, count):
    """The cell before a place along an axis of `count` cells, the one after, and the part of the way between."""
    place = min(max(value, np.float32(0)), np.float32(count - 1))
    before = int(place)
    return before, min(before + 1, count - 1), place - np.float32(before)


@compiled
def _map(start, stop, color_map, axes, points, colors):
    """Change colours (P, 3) in place. axes: (3, 4) cells_from_points."""
    one = np.float32(1)
    local = np.empty(12, np.float32)
    for p in range(start, stop):
        x, y, z = points[p, 0], points[p, 1], points[p, 2]
        i, next_i, u = _along(
            axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z + axes[0, 3], color_map.shape[0]
        )
        j, next_j, v = _along(
            axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z + axes[1, 3], color_map.shape[1]
        )
        k, next_k, w = _along(
            axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * z + axes[2, 3], color_map.shape[2]
        )
        low, high = one - u, u
        near_near, near_far, far_near, far_far = (one - v) * (one - w), (one - v) * w, v * (one - w), v * w
        for n in range(12):
            local[n] = low * (
                near_near * color_map[i, j, k, n] + near_far * color_map[i, j, next_k, n]
                + far_near * color_map[i, next_j, k, n] + far_far * color_map[i, next_j, next_k, n]
            ) + high * (
                near_near * color_map[next_i, j, k, n] + near_far * color_map[next_i, j, next_k, n]
                + far_near * color_map[next_i, next_j, k, n] + far_far * color_map[next_i, next_j, next_k, n]
            )  # fmt: skip
        red, green, blue = colors[p, 0], colors[p, 1], colors[p, 2]
        for n in range(3):
            change = (
                local[4 * n] * red + local[4 * n + 1] * green + local[4 * n + 2] * blue + local[4 * n + 3]
            )
            colors[p, n] = min(max(colors[p, n] + change, np.float32(0)), one)
