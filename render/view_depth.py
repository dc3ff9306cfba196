"""How deep a new camera sees, from the depths of the views around it.

Each view's depth map is drawn as a surface, torn where it steps, into a depth map of the new camera. Where these maps
disagree, the nearest surface counts that is not refuted: views that see through a surface refute it (Merrell et al.,
Real-time visibility-based fusion of depth maps, 2007). What is left open is filled from farther neighbours.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from render.compiled import Float, compiled, in_threads
from render.view_field import ViewField
from render.view_sources import FOCAL, LOG_WEIGHT, choose_sources, pinhole, prepared, source_cameras
from render.view_surface import draw_surface

SAME = 0.04  # relative difference of depths that two views may have of one surface
SPREAD = 0.07  # relative spread of the depths that views have of one surface
NEAR_ANGLE = 0.2  # radians, below which one view's depth is as good as another's
ROUNDS = 2  # of looking for the middle of such depths
SEEN_THROUGH = 0.05  # relative distance behind a surface, that a view must see, to refute it
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
    shares = np.exp(cameras[:, LOG_WEIGHT])
    in_threads(_fuse, flat.shape[1], CHUNK, flat, field.depths, views, cameras, shares, target, nearness)
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
    fineness = cameras[:, FOCAL] / target[0]
    strides = np.clip(np.floor(fineness + 0.25), 1, 16).astype(np.int64)
    in_threads(_warp, len(chosen), 1, field.depths, chosen, strides, cameras, target, warped)
    return warped


@compiled
def _warp(start, stop, depths, chosen, strides, cameras, target, warped):
    for s in range(start, stop):
        draw_surface(depths[chosen[s]], strides[s], cameras[s], target, warped[s])


@compiled
def _fuse(start, stop, warped, depths, chosen, cameras, shares, target, nearness):
    """Choose between the views' inverse depths (S, P) of each pixel. shares: (S,) the views' weights."""
    columns = nearness.shape[1]
    weights = np.empty(len(chosen), np.float32)
    one, half = np.float32(1), np.float32(0.5)
    for p in range(start, stop):
        first = _nearest_before(np.float32(1e30), warped, p)
        if first <= 0:
            continue
        row = p // columns
        column = p - row * columns
        dx = (np.float32(column) + half - target[2]) / target[0]
        dy = (np.float32(row) + half - target[3]) / target[1]
        _weigh(one / first, dx, dy, cameras, shares, weights)
        best, best_balance = np.float32(0), np.float32(-1e30)
        while first > 0:
            value = first
            for _ in range(ROUNDS):
                value = _mean_near(value, warped, p, weights)
            balance, refined = _votes(one / value, dx, dy, depths, chosen, cameras, shares, weights)
            if balance > best_balance:
                best, best_balance = one / refined, balance
            if balance > 0:
                break
            first = _nearest_before(min(value, first) * np.float32(1 - SAME), warped, p)
        nearness[row, column] = best


@compiled
def _nearest_before(limit, warped, p):
    """The largest of a pixel's inverse depths (S, P) below a limit, 0 where there is none."""
    found = np.float32(0)
    for s in range(len(warped)):
        value = warped[s, p]
        found = max(found, value if value < limit else np.float32(0))
    return found


@compiled
def _weigh(z, dx, dy, cameras, shares, weights):
    """Weights (S,) of sources for a point at depth z of a pixel's ray: most that look from nearby and the same side."""
    x, y = dx * z, dy * z
    own = x * x + y * y + z * z
    for s in range(len(cameras)):
        ray_x, ray_y, ray_z = x - cameras[s, 16], y - cameras[s, 17], z - cameras[s, 18]
        square = max(ray_x * ray_x + ray_y * ray_y + ray_z * ray_z, np.float32(1e-20))
        cosine = (ray_x * x + ray_y * y + ray_z * z) / np.sqrt(square * own)
        chord = max(np.float32(2) - np.float32(2) * cosine, np.float32(0)) + np.float32(NEAR_ANGLE**2)
        weights[s] = shares[s] * own / (square * chord)


@compiled
def _mean_near(value, warped, p, weights):
    """The mean of a pixel's inverse depths (S, P) that differ little from a value."""
    total, sum_of_weights = np.float32(1e-12) * value, np.float32(1e-12)
    over = np.float32(1 / SPREAD) / value
    for s in range(len(warped)):
        found = warped[s, p]
        weight = weights[s] * _bell((found - value) * over) if found > 0 else np.float32(0)
        total += weight * found
        sum_of_weights += weight
    return total / sum_of_weights


@compiled
def _bell(off):
    """1 at 0, half at 1, nearly nothing beyond 3."""
    square = off * off
    return np.float32(1) / (np.float32(1) + square * square)


@compiled
def _votes(z, dx, dy, depths, chosen, cameras, shares, weights):
    """Weight of the views that see a surface at depth z of a pixel's ray, less that of those that see through it; and
    the mean of the depths at which their own pixels there put it. Of each the four pixels about the point vote, by how
    near they are, so that an outline may pass between them."""
    height, width = depths.shape[1], depths.shape[2]
    half, one, zero, tiny = np.float32(0.5), np.float32(1), np.float32(0), np.float32(1e-6)
    x, y = dx * z, dy * z
    balance, total, sum_of_weights = zero, tiny * z, tiny
    over = np.float32(1 / SPREAD) / z
    flat, across, down = depths.reshape(-1), np.float32(width), np.float32(height)
    for s in range(len(chosen)):
        slope = cameras[s, 6] * dx + cameras[s, 7] * dy + cameras[s, 8]
        in_z = slope * z + cameras[s, 11]
        if in_z <= tiny:
            continue
        inverse = one / in_z
        u = (cameras[s, 0] * x + cameras[s, 1] * y + cameras[s, 2] * z + cameras[s, 9]) * inverse * cameras[
            s, 12
        ] + cameras[s, 14]
        v = (cameras[s, 3] * x + cameras[s, 4] * y + cameras[s, 5] * z + cameras[s, 10]) * inverse * cameras[
            s, 13
        ] + cameras[s, 15]
        if not (zero <= u < across and zero <= v < down):
            continue
        u, v = min(max(u - half, zero), across - one), min(max(v - half, zero), down - one)
        left, top = np.int32(u), np.int32(v)
        p, q = u - np.float32(left), v - np.float32(top)
        right = np.uint64(1) if left < width - 1 else np.uint64(0)
        upper = np.uint64((chosen[s] * height + top) * width + left)
        lower = upper + (np.uint64(width) if top < height - 1 else np.uint64(0))
        d00, d01, d10, d11 = flat[upper], flat[upper + right], flat[lower], flat[lower + right]
        w00, w01, w10, w11 = (one - p) * (one - q), p * (one - q), (one - p) * q, p * q
        before, behind = in_z * np.float32(1 - SAME), in_z * np.float32(1 + SEEN_THROUGH)
        passed = (w00 if d00 > behind else zero) + (w01 if d01 > behind else zero)
        passed += (w10 if d10 > behind else zero) + (w11 if d11 > behind else zero)
        w00, w01 = w00 if before < d00 <= behind else zero, w01 if before < d01 <= behind else zero
        w10, w11 = w10 if before < d10 <= behind else zero, w11 if before < d11 <= behind else zero
        agreed = w00 + w01 + w10 + w11
        balance += weights[s] * (agreed - passed)
        if agreed > tiny and slope > np.float32(0.3):
            found = ((w00 * d00 + w01 * d01 + w10 * d10 + w11 * d11) / agreed - cameras[s, 11]) / slope
            weight = weights[s] * agreed * _bell((found - z) * over)
            total += weight * found
            sum_of_weights += weight
    return balance, total / sum_of_weights


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
                    weight = _bell(off)
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
