"""The loops of the coarse field, compiled.

Cameras here: `from_world` (V, 3, 4) into camera axes, `to_world` (3, 4) back, `lens` (V, 4) focal lengths and centre in
pixels; "world" is the frame that the caller chose, for voxels that of their grid.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.compiled import compiled_for_any_number

F32 = np.float32


@compiled_for_any_number  # pictures hold NaN where nothing is known
def vote(
    depth: Any, is_unexplained: Any, poses: Any, lens: Any, truncation: Any, first: Any,
    mean: Any, hits: Any, free: Any, maybe: Any, toward: Any,
) -> None:  # fmt: skip
    """Votes of V views on a slab of voxels.

    depth: (V, H, W) z-depth in voxels, below zero where unknown. is_unexplained: (V, H, W). truncation: voxels.
    first: the slab's place along x. Writes (S, Y, Z) arrays that are zero before: the mean signed distance, along the
    views' axes, of the views that hit; their number; the number of views that see through the voxel; the number of
    views that would, but have an unexplained pixel there; and (S, Y, Z, 3) the sum of those views' unit directions.
    """
    num_views, height, width = depth.shape
    for s in range(mean.shape[0]):
        i = first + s
        for j in range(mean.shape[1]):
            for v in range(num_views):
                p = poses[v]
                x = p[0, 0] * i + p[0, 1] * j + p[0, 3]
                y = p[1, 0] * i + p[1, 1] * j + p[1, 3]
                z = p[2, 0] * i + p[2, 1] * j + p[2, 3]
                for k in range(mean.shape[2]):
                    c = z + p[2, 2] * k
                    if c < F32(1):
                        continue
                    in_x, in_y = x + p[0, 2] * k, y + p[1, 2] * k
                    u = lens[v, 0] * in_x / c + lens[v, 2]
                    if u < 0 or u >= width:
                        continue
                    w = lens[v, 1] * in_y / c + lens[v, 3]
                    if w < 0 or w >= height:
                        continue
                    d = depth[v, int(w), int(u)] - c
                    if d > truncation:
                        if is_unexplained[v, int(w), int(u)]:
                            maybe[s, j, k] += F32(1)
                            length = np.sqrt(in_x * in_x + in_y * in_y + c * c)
                            for axis in range(3):
                                along = p[0, axis] * in_x + p[1, axis] * in_y + p[2, axis] * c
                                toward[s, j, k, axis] += along / length
                        else:
                            free[s, j, k] += F32(1)
                    elif d >= -truncation:
                        mean[s, j, k] += d
                        hits[s, j, k] += F32(1)
            for k in range(mean.shape[2]):
                mean[s, j, k] /= max(hits[s, j, k], F32(1))


@compiled_for_any_number
def _place(to_world: Any, lens: Any, row: Any, column: Any, d: Any) -> Any:
    """The world point of a pixel's centre at z-depth d."""
    x = (F32(column) + F32(0.5) - lens[2]) / lens[0] * d
    y = (F32(row) + F32(0.5) - lens[3]) / lens[1] * d
    return (
        to_world[0, 0] * x + to_world[0, 1] * y + to_world[0, 2] * d + to_world[0, 3],
        to_world[1, 0] * x + to_world[1, 1] * y + to_world[1, 2] * d + to_world[1, 3],
        to_world[2, 0] * x + to_world[2, 1] * y + to_world[2, 2] * d + to_world[2, 3],
    )


@compiled_for_any_number
def _seen_at(p: Any, lens: Any, depth: Any, x: Any, y: Any, z: Any, same_depth: Any) -> Any:
    """Row and column where a view sees a point at the depth that it has there; (-1, -1) where it does not."""
    c = p[2, 0] * x + p[2, 1] * y + p[2, 2] * z + p[2, 3]
    if c <= 0:
        return -1, -1
    u = lens[0] * (p[0, 0] * x + p[0, 1] * y + p[0, 2] * z + p[0, 3]) / c + lens[2]
    w = lens[1] * (p[1, 0] * x + p[1, 1] * y + p[1, 2] * z + p[1, 3]) / c + lens[3]
    if u < 0 or u >= depth.shape[1] or w < 0 or w >= depth.shape[0]:
        return -1, -1
    row, column = int(w), int(u)
    if abs(depth[row, column] - c) > same_depth * c:
        return -1, -1
    return row, column


@compiled_for_any_number
def count_matches(
    view: Any, neighbours: Any, depth: Any, rgb: Any, low: Any, high: Any, from_world: Any, to_world: Any,
    lens: Any, difference: Any, same_depth: Any, step: Any, matched: Any, tested: Any,
) -> None:  # fmt: skip
    """Adds for every pixel of `view` in how many neighbours its point could be looked up, and has its colour.

    depth: (V, H, W), not positive where unknown. rgb: (H, W, 3) of this view. low, high: (V, H, W, 3) range of colours
    around each pixel. difference: how far beyond that range a colour may lie.
    """
    for row in range(step // 2, depth.shape[1], step):
        for column in range(depth.shape[2]):
            d = depth[view, row, column]
            if d <= 0:
                continue
            x, y, z = _place(to_world, lens[view], row, column, d)
            for v in neighbours:
                r, c = _seen_at(from_world[v], lens[v], depth[v], x, y, z, same_depth)
                if r < 0:
                    continue
                tested[row, column] += 1
                is_same = True
                for channel in range(3):
                    value = np.int32(rgb[row, column, channel])
                    if value < np.int32(low[v, r, c, channel]) - difference:
                        is_same = False
                    if value > np.int32(high[v, r, c, channel]) + difference:
                        is_same = False
                if is_same:
                    matched[row, column] += 1


@compiled_for_any_number
def count_overlap(
    view: Any, depth: Any, from_world: Any, to_world: Any, lens: Any, same_depth: Any, step: Any, overlap: Any
) -> None:
    """Adds to overlap (V,) how many of the view's pixels, every n-th, each other view sees too."""
    for row in range(step // 2, depth.shape[1], step):
        for column in range(step // 2, depth.shape[2], step):
            d = depth[view, row, column]
            if d <= 0:
                continue
            x, y, z = _place(to_world, lens[view], row, column, d)
            for v in range(len(depth)):
                r, _ = _seen_at(from_world[v], lens[v], depth[v], x, y, z, same_depth)
                if r >= 0:
                    overlap[v] += 1


@compiled_for_any_number
def trilinear(grid: Any, x: Any, y: Any, z: Any) -> Any:
    """The value at one point in grid coordinates; beyond the grid that of its border."""
    x = min(max(x, F32(0)), F32(grid.shape[0]) - F32(1.001))
    y = min(max(y, F32(0)), F32(grid.shape[1]) - F32(1.001))
    z = min(max(z, F32(0)), F32(grid.shape[2]) - F32(1.001))
    i, j, k = int(x), int(y), int(z)
    a, b, c = x - F32(i), y - F32(j), z - F32(k)
    low = (grid[i, j, k] * (F32(1) - c) + grid[i, j, k + 1] * c) * (F32(1) - b)
    low += (grid[i, j + 1, k] * (F32(1) - c) + grid[i, j + 1, k + 1] * c) * b
    high = (grid[i + 1, j, k] * (F32(1) - c) + grid[i + 1, j, k + 1] * c) * (F32(1) - b)
    high += (grid[i + 1, j + 1, k] * (F32(1) - c) + grid[i + 1, j + 1, k + 1] * c) * b
    return low * (F32(1) - a) + high * a


@compiled_for_any_number
def sample_grid(grid: Any, places: Any) -> NDArray[np.float32]:
    """Trilinear values (P,) at grid coordinates (P, 3)."""
    values = np.empty(len(places), np.float32)
    for n in range(len(places)):
        values[n] = trilinear(grid, places[n, 0], places[n, 1], places[n, 2])
    return values


@compiled_for_any_number
def cast_rays(sdf: Any, origin: Any, rotation: Any, lens: Any, step: Any, depth: Any) -> None:
    """Writes z-depth (H, W) in voxels of the first crossing from free space (sdf > 0), where there is one.

    sdf: (X, Y, Z) in voxels. origin: (3,) grid coordinates. rotation: (3, 3) grid from camera axes. lens: (4,).
    step: only every n-th row and column. A ray that starts inside matter first walks out of it.
    """
    for row in range(step // 2, depth.shape[0], step):
        for column in range(step // 2, depth.shape[1], step):
            x = (F32(column) + F32(0.5) - lens[2]) / lens[0]
            y = (F32(row) + F32(0.5) - lens[3]) / lens[1]
            found = _first_crossing(sdf, origin, rotation, x, y)
            if found > 0:
                depth[row, column] = found


@compiled_for_any_number
def _first_crossing(sdf: Any, origin: Any, rotation: Any, dx: Any, dy: Any) -> Any:
    """Depth along the axis of the first crossing on the ray (dx, dy, 1) in camera axes; -1 for none."""
    length = np.sqrt(dx * dx + dy * dy + F32(1))
    x = (rotation[0, 0] * dx + rotation[0, 1] * dy + rotation[0, 2]) / length
    y = (rotation[1, 0] * dx + rotation[1, 1] * dy + rotation[1, 2]) / length
    z = (rotation[2, 0] * dx + rotation[2, 1] * dy + rotation[2, 2]) / length
    far = F32(2) * F32(sdf.shape[0] + sdf.shape[1] + sdf.shape[2])
    t, before, last, was_free = F32(0), F32(0), F32(0), False
    while t < far:
        px, py, pz = origin[0] + t * x, origin[1] + t * y, origin[2] + t * z
        outside = max(
            max(-px, px - F32(sdf.shape[0] - 1)),
            max(-py, py - F32(sdf.shape[1] - 1)),
            max(-pz, pz - F32(sdf.shape[2] - 1)),
        )
        if outside > 0:
            if was_free:
                return F32(-1)
            t += max(outside, F32(0.5))
            continue
        value = trilinear(sdf, px, py, pz)
        if value <= 0 and was_free:
            share = before / (before - value)
            return (t - (F32(1) - share) * last) / length
        was_free = was_free or value > 0
        before = value
        last = min(max(abs(value) * F32(0.8), F32(0.3)), F32(8))
        t += last
    return F32(-1)
