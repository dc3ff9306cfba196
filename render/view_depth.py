"""How deep a new camera sees, from the depths of the views around it.

Each view's depth map is drawn as a surface, torn where it steps, into a depth map of the new camera. Where these maps
disagree, the nearest surface counts that is not refuted: views that see through a surface refute it (Merrell et al.,
Real-time visibility-based fusion of depth maps, 2007). What is left open is filled from farther neighbours.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from render.splatting_compiled import Float, compiled, in_threads
from render.view_field import ViewField
from render.view_sources import choose_sources, pinhole, prepared, source_cameras

STEP = 0.05  # relative difference of neighbouring depths that is a step, and not a slope
EVEN = 0.35  # how much of a change of inverse depth the next may differ by, on one surface
SAME = 0.05  # relative difference of depths that two views may have of one surface
SPREAD = .035  # relative spread of the depths that views have of one surface
NEAR_ANGLE = .2  # radians, below which one view's depth is as good as another's
ROUNDS = 2  # of looking for the middle of such depths
SEEN_THROUGH = 0.06  # relative distance behind a surface, that a view must see, to refute it
LONGEST_FILL = 0.3  # of the picture's longer side: no wider hole is filled
RADIUS = 1  # pixels, over which neighbours of one surface are averaged
ROWS = 16  # that a thread takes at once
CHUNK = 2048  # pixels that a thread takes at once


def novel_depth(
    field: ViewField,
    pose: ArrayLike,
    focal: ArrayLike,
    center: ArrayLike,
    size: tuple[int, int],
    chosen: NDArray[np.integer] | None = None,
) -> Float:
    """(H, W) z-depth in the world's unit that a camera sees, 0 where the views know of nothing or only of sky.

    chosen: (S,) views to use; the best ones for this camera where not given."""
    if chosen is None:
        chosen = choose_sources(field, pose, focal, center, size)
    views = np.ascontiguousarray(chosen, np.int64)
    width, height = int(size[0]), int(size[1])
    if not len(views) or not len(prepared(field).known_depths):
        return np.zeros((height, width), np.float32)
    cameras, target = source_cameras(field, views, pose), pinhole(focal, center)
    warped = warped_depths(field, views, cameras, target, (width, height))
    nearness = np.zeros((height, width), np.float32)
    flat = warped.reshape(len(views), -1)
    in_threads(_fuse, flat.shape[1], CHUNK, flat, field.depths, views, cameras, target, nearness)
    smooth = np.empty_like(nearness)
    in_threads(_smooth, height, ROWS, nearness, smooth)
    nearness = smooth
    is_sky = np.zeros(nearness.shape, np.bool_)
    in_threads(_find_sky, nearness.size, CHUNK, nearness, field.depths, views, cameras, target, is_sky)
    filled: Float = _filled(nearness, is_sky, LONGEST_FILL * max(size))
    depth: Float = np.divide(1, filled, out=np.zeros_like(filled), where=filled > 0)
    return depth


def warped_depths(
    field: ViewField, chosen: NDArray[np.int64], cameras: Float, target: Float, size: tuple[int, int]
) -> Float:
    """(S, H, W) inverse z-depth at which a camera sees the surface that each of the chosen views knows, 0 for none."""
    warped = np.zeros((len(chosen), size[1], size[0]), np.float32)
    finest = float(target[:2].max()) / prepared(field).usual_depth
    coarseness = cameras[:, 12] / np.maximum(prepared(field).usual_depth, 1e-9) / finest
    strides = np.clip(np.floor(coarseness + 0.25), 1, 8).astype(np.int64)
    in_threads(_warp, len(chosen), 1, field.depths, chosen, strides, cameras, target, warped)
    return warped


@compiled
def _warp(start, stop, depths, chosen, strides, cameras, target, warped):
    for s in range(start, stop):
        draw_surface(depths[chosen[s]], strides[s], cameras[s], target, warped[s])


@compiled
def _project(u, v, z, camera, target):
    """Where a camera sees the point at u, v (pixels from the corner) and depth z of a source: x, y, inverse depth,
    which is 0 behind the camera."""
    x = (u - camera[14]) / camera[12] * z - camera[9]
    y = (v - camera[15]) / camera[13] * z - camera[10]
    w = z - camera[11]
    in_z = camera[2] * x + camera[5] * y + camera[8] * w
    if in_z < np.float32(1e-6):
        return np.float32(0), np.float32(0), np.float32(0)
    over = 1 / in_z
    in_x = (camera[0] * x + camera[3] * y + camera[6] * w) * over * target[0] + target[2]
    in_y = (camera[1] * x + camera[4] * y + camera[7] * w) * over * target[1] + target[3]
    return in_x, in_y, over


@compiled
def draw_surface(depth, stride, camera, target, nearness):
    """Keep in `nearness` (H, W) the largest inverse depth of a surface through the middles of a source's pixels."""
    height, width = depth.shape
    rows, columns = (height - 1) // stride + 1, (width - 1) // stride + 1
    first = np.empty((columns, 3), np.float32)
    second = np.empty((columns, 3), np.float32)
    half = np.float32(0.5)
    for row in range(rows):
        v = row * stride
        for column in range(columns):
            z = depth[v, column * stride]
            x, y, over = np.float32(0), np.float32(0), np.float32(0)
            if z > 0:
                x, y, over = _project(column * stride + half, v + half, z, camera, target)
            second[column, 0], second[column, 1], second[column, 2] = x, y, over
        if row > 0:
            above = v - stride
            for column in range(columns - 1):
                u = column * stride
                z00, z01 = depth[above, u], depth[above, u + stride]
                z10, z11 = depth[v, u], depth[v, u + stride]
                low, high = min(min(z00, z01), min(z10, z11)), max(max(z00, z01), max(z10, z11))
                if high <= 0:
                    continue
                if low > 0 and (high < low * np.float32(1 + STEP) or _is_slope(depth, u, above, stride)):
                    _draw_quad(nearness, first[column], first[column + 1], second[column], second[column + 1])
                else:
                    _draw_corners(u, above, stride, z00, z01, z10, z11, camera, target, nearness)
        first, second = second, first


@compiled
def _is_slope(depth, u, v, stride):
    """Whether the four pixels from u, v on lie on a steep surface rather than across a step: inverse depths of a plane
    change evenly, so each large change must go on before or after it."""
    return (
        _goes_on(depth, u, v, stride, 0)
        and _goes_on(depth, u, v + stride, stride, 0)
        and _goes_on(depth, u, v, 0, stride)
        and _goes_on(depth, u + stride, v, 0, stride)
    )


@compiled
def _goes_on(depth, u, v, across, down):
    """Whether the change of inverse depth from u, v to the next pixel is small, or as large before it or after it."""
    here, there = depth[v, u], depth[v + down, u + across]
    if max(here, there) < min(here, there) * np.float32(1 + STEP / 2):
        return True
    change = 1 / there - 1 / here
    for k in range(2):
        i, j = (v - down, u - across) if k == 0 else (v + 2 * down, u + 2 * across)
        if 0 <= i < depth.shape[0] and 0 <= j < depth.shape[1] and depth[i, j] > 0:
            next_change = 1 / here - 1 / depth[i, j] if k == 0 else 1 / depth[i, j] - 1 / there
            if abs(next_change - change) < np.float32(EVEN) * abs(change):
                return True
    return False


@compiled
def _draw_corners(u, v, stride, z00, z01, z10, z11, camera, target, nearness):
    """Draw the quarters of a torn square, each as deep as its own corner."""
    middle = np.float32(0.5) * stride
    corners = np.empty((4, 3), np.float32)
    for k in range(4):
        z = z00 if k == 0 else z01 if k == 1 else z10 if k == 2 else z11
        if z <= 0:
            continue
        left = u + np.float32(0.5) + (middle if k % 2 else np.float32(0))
        top = v + np.float32(0.5) + (middle if k // 2 else np.float32(0))
        for n in range(4):
            x, y, over = _project(left + (n % 2) * middle, top + (n // 2) * middle, z, camera, target)
            corners[n, 0], corners[n, 1], corners[n, 2] = x, y, over
        _draw_quad(nearness, corners[0], corners[1], corners[2], corners[3])


@compiled
def _draw_quad(nearness, a, b, c, d):
    """Draw two triangles a b c and b d c, of x, y, inverse depth each, which turn as they do in the source."""
    if min(min(a[2], b[2]), min(c[2], d[2])) > 0:
        _draw_triangle(nearness, a, b, c)
        _draw_triangle(nearness, b, d, c)


@compiled
def _draw_triangle(nearness, a, b, c):
    height, width = nearness.shape
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if area <= np.float32(1e-9):  # seen from behind
        return
    half, slack = np.float32(0.5), np.float32(1e-4)
    low_x, high_x = min(a[0], min(b[0], c[0])), max(a[0], max(b[0], c[0]))
    low_y, high_y = min(a[1], min(b[1], c[1])), max(a[1], max(b[1], c[1]))
    if high_x < 0 or high_y < 0 or low_x > width or low_y > height:
        return
    left, right = (
        int(np.ceil(max(low_x - half - slack, np.float32(0)))),
        int(min(high_x + slack, np.float32(width)) + half),
    )
    top, bottom = (
        int(np.ceil(max(low_y - half - slack, np.float32(0)))),
        int(min(high_y + slack, np.float32(height)) + half),
    )
    over = 1 / area
    for row in range(top, min(bottom, height)):
        y = row + half
        for column in range(left, min(right, width)):
            x = column + half
            of_b = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) * over
            of_c = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) * over
            of_a = 1 - of_b - of_c
            if of_a >= -slack and of_b >= -slack and of_c >= -slack:
                value = of_a * a[2] + of_b * b[2] + of_c * c[2]
                if value > nearness[row, column]:
                    nearness[row, column] = value


@compiled
def _fuse(start, stop, warped, depths, chosen, cameras, target, nearness):
    """Choose between the views' inverse depths (S, P) of each pixel."""
    num_sources = len(chosen)
    columns = nearness.shape[1]
    order, weights = np.empty(num_sources, np.int64), np.empty(num_sources, np.float32)
    one = np.float32(1)
    for p in range(start, stop):
        known = 0
        for s in range(num_sources):
            value = warped[s, p]
            if value <= 0:
                continue
            k = known
            while k > 0 and warped[order[k - 1], p] < value:
                order[k] = order[k - 1]
                k -= 1
            order[k] = s
            known += 1
        if known == 0:
            continue
        row = p // columns
        dx = (np.float32(p - row * columns) + np.float32(0.5) - target[2]) / target[0]
        dy = (np.float32(row) + np.float32(0.5) - target[3]) / target[1]
        best, best_balance = np.float32(0), np.float32(-1e30)
        for k in range(known):
            s = order[k]
            weights[k] = np.exp(camera_weight(cameras[s], one / warped[s, p], dx, dy))
        first = 0
        while first < known:
            value = warped[order[first], p]
            for _ in range(ROUNDS):
                value = _mean_near(value, warped, p, order[:known], weights)
            balance = _votes(one / value, dx, dy, depths, chosen, cameras)
            if balance > best_balance:
                best, best_balance = value, balance
            if balance > 0:
                break
            limit = min(value, warped[order[first], p]) * np.float32(1 - SAME)
            while first < known and warped[order[first], p] >= limit:
                first += 1
        nearness[row, p - row * columns] = best


@compiled
def camera_weight(camera, z, dx, dy):
    """Log weight of a source for a point at depth z of a pixel's ray: most where it looks from nearly the same side."""
    x, y = dx * z, dy * z
    ray_x, ray_y, ray_z = x - camera[16], y - camera[17], z - camera[18]
    length = np.sqrt(max(ray_x * ray_x + ray_y * ray_y + ray_z * ray_z, np.float32(1e-20)))
    own = np.sqrt(x * x + y * y + z * z)
    cosine = (ray_x * x + ray_y * y + ray_z * z) / (length * own)
    chord = np.sqrt(max(2 - 2 * cosine, np.float32(0)))
    return camera[19] - 2 * np.log(chord + np.float32(NEAR_ANGLE)) - 2 * np.log(length / own)


@compiled
def _mean_near(value, warped, p, order, weights):
    """The mean of the inverse depths that differ little from a value."""
    total, sum_of_weights = np.float32(1e-12) * value, np.float32(1e-12)
    for k in range(len(order)):
        found = warped[order[k], p]
        off = (found / value - 1) * np.float32(1 / SPREAD)
        weight = weights[k] * np.exp(-np.float32(0.5) * min(off * off, np.float32(60)))
        total += weight * found
        sum_of_weights += weight
    return total / sum_of_weights


@compiled
def _votes(z, dx, dy, depths, chosen, cameras):
    """Weight of the views that see a surface at depth z of a pixel's ray, less that of those that see through it. Of
    each the four pixels about the point vote, by how near they are, so that an outline may pass between them."""
    height, width = depths.shape[1], depths.shape[2]
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    x, y = dx * z, dy * z
    balance = zero
    for s in range(len(chosen)):
        camera = cameras[s]
        in_z = camera[6] * x + camera[7] * y + camera[8] * z + camera[11]
        if in_z <= np.float32(1e-6):
            continue
        u = (camera[0] * x + camera[1] * y + camera[2] * z + camera[9]) / in_z * camera[12] + camera[14]
        v = (camera[3] * x + camera[4] * y + camera[5] * z + camera[10]) / in_z * camera[13] + camera[15]
        if not (0 <= u < width and 0 <= v < height):
            continue
        u, v = (
            min(max(u - half, zero), np.float32(width - 1)),
            min(max(v - half, zero), np.float32(height - 1)),
        )
        left, top = int(u), int(v)
        right, below = min(left + 1, width - 1), min(top + 1, height - 1)
        p, q = u - left, v - top
        depth = depths[chosen[s]]
        vote = (one - q) * ((one - p) * _vote(depth[top, left], in_z) + p * _vote(depth[top, right], in_z))
        vote += q * ((one - p) * _vote(depth[below, left], in_z) + p * _vote(depth[below, right], in_z))
        balance += np.exp(camera[19]) * vote
    return balance


@compiled
def _vote(seen, z):
    """1 where a view sees a surface as deep as z, -1 where it sees through it, 0 where something is before it or
    nothing is known."""
    if seen <= 0 or seen < z * np.float32(1 - SAME):
        return np.float32(0)
    return np.float32(1) if seen < z * np.float32(1 + SEEN_THROUGH) else np.float32(-1)


@compiled
def _smooth(start, stop, nearness, smooth):
    """The mean of neighbours of one surface: inverse depths of a plane change evenly, so that it stays where it is."""
    height, width = nearness.shape
    radius = RADIUS
    for row in range(start, stop):
        for column in range(width):
            value = nearness[row, column]
            smooth[row, column] = value
            if value <= 0:
                continue
            total, weights = np.float32(0), np.float32(0)
            over = np.float32(1 / SPREAD) / value
            across, down = min(radius, column, width - 1 - column), min(radius, row, height - 1 - row)
            for i in range(row - down, row + down + 1):
                for j in range(column - across, column + across + 1):
                    found = nearness[i, j]
                    off = (found - value) * over
                    weight = 1 / (1 + off * off * off * off)
                    total += weight * found
                    weights += weight
            smooth[row, column] = total / weights


@compiled
def _find_sky(start, stop, nearness, depths, chosen, cameras, target, is_sky):
    """Where no depth is known, and more views than not know none in that direction."""
    columns = nearness.shape[1]
    for p in range(start, stop):
        row = p // columns
        column = p - row * columns
        if nearness[row, column] > 0:
            continue
        dx = (np.float32(column) + np.float32(0.5) - target[2]) / target[0]
        dy = (np.float32(row) + np.float32(0.5) - target[3]) / target[1]
        balance = np.float32(0)
        for s in range(len(chosen)):
            camera = cameras[s]
            in_z = camera[6] * dx + camera[7] * dy + camera[8]
            if in_z <= np.float32(1e-6):
                continue
            u = (camera[0] * dx + camera[1] * dy + camera[2]) / in_z * camera[12] + camera[14]
            v = (camera[3] * dx + camera[4] * dy + camera[5]) / in_z * camera[13] + camera[15]
            if 0 <= u < depths.shape[2] and 0 <= v < depths.shape[1]:
                is_known = depths[chosen[s], int(v), int(u)] > 0
                balance += np.exp(camera[19]) * (-1 if is_known else 1)
        is_sky[row, column] = balance > 0


@compiled
def _filled(nearness, is_sky, longest):
    """Fill holes from the nearest pixels to the left, right, above and below: from the farthest of those about as
    near as the nearest. What is sky, or farther off than `longest` pixels, stays open."""
    height, width = nearness.shape
    values = np.zeros((4, height, width), np.float32)
    ways = np.full((4, height, width), np.float32(1e9), np.float32)
    for row in range(height):
        for direction in range(2):
            value, way = np.float32(0), np.float32(1e9)
            for k in range(width):
                column = k if direction == 0 else width - 1 - k
                way += 1
                if nearness[row, column] > 0:
                    value, way = nearness[row, column], np.float32(0)
                values[direction, row, column], ways[direction, row, column] = value, way
    for direction in range(2):
        value_of, way_of = np.zeros(width, np.float32), np.full(width, np.float32(1e9), np.float32)
        for k in range(height):
            row = k if direction == 0 else height - 1 - k
            for column in range(width):
                way_of[column] += 1
                if nearness[row, column] > 0:
                    value_of[column], way_of[column] = nearness[row, column], np.float32(0)
                values[2 + direction, row, column], ways[2 + direction, row, column] = (
                    value_of[column],
                    way_of[column],
                )
    filled = nearness.copy()
    for row in range(height):
        for column in range(width):
            if nearness[row, column] > 0 or is_sky[row, column]:
                continue
            shortest = np.float32(1e9)
            for k in range(4):
                shortest = min(shortest, ways[k, row, column])
            if shortest > longest:
                continue
            value = np.float32(1e30)
            for k in range(4):
                if ways[k, row, column] <= 2 * shortest + 1:
                    value = min(value, values[k, row, column])
            filled[row, column] = value
    return filled
