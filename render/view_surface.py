"""A depth map as a surface, torn where it steps, as another camera sees it."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from render.compiled import compiled

STEP = 0.05  # relative difference of neighbouring depths that is a step, unless it goes on evenly
EVEN = 0.35  # how much of a change of inverse depth the next may differ by, on one surface


@compiled
def draw_surface(depth, stride, camera, target, nearness):
    """Keep in `nearness` (H, W) the largest inverse depth of the surface through the middles of a source's pixels.

    depth: (h, w) z-depth, 0 where unknown, of which every stride-th pixel is taken. camera: (NUM_COLUMNS,) of the source
    and target: (4,) of the camera, see `view_sources`. What is seen from behind is left out."""
    height, width = depth.shape
    half = np.float32(0.5)
    xs, ys, overs = (
        np.zeros((2, width), np.float32), np.zeros((2, width), np.float32), np.zeros((2, width), np.float32)
    )  # fmt: skip
    rows, columns = (height - 2) // stride + 2, (width - 2) // stride + 2
    for row in range(rows):
        v, old, new = min(row * stride, height - 1), (row + 1) % 2, row % 2
        for column in range(columns):
            u = min(column * stride, width - 1)
            x, y, over = np.float32(0), np.float32(0), np.float32(0)
            z = depth[v, u]
            if z > 0:
                x, y, over = _project(np.float32(u) + half, np.float32(v) + half, z, camera, target)
            xs[new, column], ys[new, column], overs[new, column] = x, y, over
        above = max(v - stride, 0) if v < height - 1 or row == 0 else min((row - 1) * stride, height - 1)
        for column in range(columns - 1 if row > 0 else 0):
            left, right = min(column * stride, width - 1), min((column + 1) * stride, width - 1)
            z00, z01, z10, z11 = depth[above, left], depth[above, right], depth[v, left], depth[v, right]
            low, high = min(min(z00, z01), min(z10, z11)), max(max(z00, z01), max(z10, z11))
            if high <= 0:
                continue
            if low > 0 and (high < low * np.float32(1 + STEP) or _is_slope(depth, left, above, right, v)):
                _draw_quad(
                    nearness, xs[old, column], ys[old, column], overs[old, column],
                    xs[old, column + 1], ys[old, column + 1], overs[old, column + 1],
                    xs[new, column], ys[new, column], overs[new, column],
                    xs[new, column + 1], ys[new, column + 1], overs[new, column + 1],
                )  # fmt: skip
            else:
                _draw_quarters(left, above, right, v, z00, z01, z10, z11, camera, target, nearness)


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
    over = np.float32(1) / in_z
    in_x = (camera[0] * x + camera[3] * y + camera[6] * w) * over * target[0] + target[2]
    in_y = (camera[1] * x + camera[4] * y + camera[7] * w) * over * target[1] + target[3]
    return in_x, in_y, over


@compiled
def _is_slope(depth, left, top, right, bottom):
    """Whether four pixels lie on a steep surface rather than across a step: inverse depths of a plane change evenly, so
    each large change must go on before or after it."""
    across, down = right - left, bottom - top
    return (
        _goes_on(depth, left, top, across, 0 * down)
        and _goes_on(depth, left, bottom, across, 0 * down)
        and _goes_on(depth, left, top, 0 * across, down)
        and _goes_on(depth, right, top, 0 * across, down)
    )


@compiled
def _goes_on(depth, u, v, across, down):
    """Whether the change of inverse depth from u, v to the next pixel is small, or as large before it or after it."""
    here, there = depth[v, u], depth[v + down, u + across]
    if max(here, there) < min(here, there) * np.float32(1 + STEP / 2):
        return True
    one = np.float32(1)
    change = one / there - one / here
    for k in range(2):
        i, j = (v - down, u - across) if k == 0 else (v + 2 * down, u + 2 * across)
        if 0 <= i < depth.shape[0] and 0 <= j < depth.shape[1] and depth[i, j] > 0:
            next_change = one / here - one / depth[i, j] if k == 0 else one / depth[i, j] - one / there
            if abs(next_change - change) < np.float32(EVEN) * abs(change):
                return True
    return False


@compiled
def _draw_quarters(left, top, right, bottom, z00, z01, z10, z11, camera, target, nearness):
    """Draw the quarters of a torn square, each as deep as its own corner."""
    half = np.float32(0.5)
    x0, x2 = np.float32(left) + half, np.float32(right) + half
    y0, y2 = np.float32(top) + half, np.float32(bottom) + half
    x1, y1 = half * (x0 + x2), half * (y0 + y2)
    for k in range(4):
        z = z00 if k == 0 else z01 if k == 1 else z10 if k == 2 else z11
        if z <= 0:
            continue
        u0, u1 = (x1, x2) if k % 2 else (x0, x1)
        v0, v1 = (y1, y2) if k // 2 else (y0, y1)
        ax, ay, a = _project(u0, v0, z, camera, target)
        bx, by, b = _project(u1, v0, z, camera, target)
        cx, cy, c = _project(u0, v1, z, camera, target)
        dx, dy, d = _project(u1, v1, z, camera, target)
        _draw_quad(nearness, ax, ay, a, bx, by, b, cx, cy, c, dx, dy, d)


@compiled
def _draw_quad(nearness, ax, ay, a, bx, by, b, cx, cy, c, dx, dy, d):
    """Draw two triangles a b c and b d c, of x, y, inverse depth each, which turn as they do in the source."""
    if min(min(a, b), min(c, d)) > 0:
        _draw_triangle(nearness, ax, ay, a, bx, by, b, cx, cy, c)
        _draw_triangle(nearness, bx, by, b, dx, dy, d, cx, cy, c)


@compiled
def _draw_triangle(nearness, ax, ay, a, bx, by, b, cx, cy, c):
    height, width = nearness.shape
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    one, half, slack, zero = np.float32(1), np.float32(0.5), np.float32(1e-4), np.float32(0)
    low_x, high_x, low_y, high_y = (
        min(ax, min(bx, cx)),
        max(ax, max(bx, cx)),
        min(ay, min(by, cy)),
        max(ay, max(by, cy)),
    )
    if area <= np.float32(1e-9) or high_x < zero or high_y < zero or low_x > width or low_y > height:
        return
    # The first pixel whose middle is not before the triangle, and the one after the last.
    left = np.int64(max(low_x + half - slack, zero))
    right = np.int64(min(high_x + half + slack, np.float32(width)))
    top = np.int64(max(low_y + half - slack, zero))
    bottom = np.int64(min(high_y + half + slack, np.float32(height)))
    over = one / area
    b_x, b_y, c_x, c_y = (cy - ay) * over, (ax - cx) * over, (ay - by) * over, (bx - ax) * over
    for row in range(top, bottom):
        from_a = np.float32(row) + half - ay
        for column in range(left, right):
            across = np.float32(column) + half - ax
            of_b, of_c = across * b_x + from_a * b_y, across * c_x + from_a * c_y
            of_a = one - of_b - of_c
            if min(of_a, min(of_b, of_c)) >= -slack:
                value = of_a * a + of_b * b + of_c * c
                if value > nearness[row, column]:
                    nearness[row, column] = value
