"""Colour, depth and normals of procedural scenes: every pixel's ray meets balls, boxes, cylinders and a room."""

from __future__ import annotations

from typing import Any

import numpy as np

from recon.dn2n.training.textures import NUM_LEVELS, SIDE
from render.compiled import compiled

BALL, BOX, CYLINDER = 0, 1, 2
NEAREST = 0.02  # along a ray, so that shadows do not begin in their own surface
FARTHEST = 1e9


@compiled
def _ball(o: Any, d: Any) -> Any:
    a = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    b = d[0] * o[0] + d[1] * o[1] + d[2] * o[2]
    inside = b * b - a * (o[0] * o[0] + o[1] * o[1] + o[2] * o[2] - 1)
    return (-b - np.sqrt(inside)) / a if inside > 0 else FARTHEST


@compiled
def _slab(o: float, d: float) -> Any:
    """Where a ray enters and leaves -1 … 1 along one axis."""
    slope = d if abs(d) > 1e-9 else 1e-9
    first, second = (-1 - o) / slope, (1 - o) / slope
    return min(first, second), max(first, second)


@compiled
def _box(o: Any, d: Any) -> Any:
    near, far = -FARTHEST, FARTHEST
    for axis in range(3):
        enter, leave = _slab(o[axis], d[axis])
        near, far = max(near, enter), min(far, leave)
    return near if near < far else FARTHEST


@compiled
def _cylinder(o: Any, d: Any) -> Any:
    """Radius 1 around Z, from -1 to 1."""
    near, far = _slab(o[2], d[2])
    a = max(d[0] * d[0] + d[1] * d[1], 1e-12)
    b = d[0] * o[0] + d[1] * o[1]
    inside = b * b - a * (o[0] * o[0] + o[1] * o[1] - 1)
    if inside <= 0:
        return FARTHEST
    root = np.sqrt(inside)
    near, far = max(near, (-b - root) / a), min(far, (-b + root) / a)
    return near if near < far else FARTHEST


@compiled
def _into(local_from_world: Any, p: Any, out: Any, is_point: float) -> None:
    for i in range(3):
        m = local_from_world[i]
        out[i] = m[0] * p[0] + m[1] * p[1] + m[2] * p[2] + is_point * m[3]


@compiled
def _first_hit(o: Any, d: Any, kinds: Any, local_from_world: Any, lo: Any, ld: Any) -> Any:
    """Distance along d, and which primitive; FARTHEST and -1 where there is only the room."""
    best, which = FARTHEST, -1
    for i in range(len(kinds)):
        _into(local_from_world[i], o, lo, 1.0)
        _into(local_from_world[i], d, ld, 0.0)
        if kinds[i] == BALL:
            t = _ball(lo, ld)
        elif kinds[i] == BOX:
            t = _box(lo, ld)
        else:
            t = _cylinder(lo, ld)
        if NEAREST < t < best:
            best, which = t, i
    return best, which


@compiled
def _wall(o: Any, d: Any, room: Any) -> Any:
    """Distance to the room's wall from inside, and which of the six. room: (2, 3) its corners."""
    best, which = FARTHEST, 0
    for axis in range(3):
        side = 1 if d[axis] > 0 else 0
        slope = d[axis] if abs(d[axis]) > 1e-9 else 1e-9
        t = (room[side, axis] - o[axis]) / slope
        if NEAREST < t < best:
            best, which = t, 2 * axis + side
    return best, which


@compiled
def _local_normal(kind: int, p: Any, n: Any) -> Any:
    """Outward, by the primitive's own axes; returns the axis that the texture is laid along."""
    axis = 0
    for i in range(3):
        if abs(p[i]) > abs(p[axis]):
            axis = i
    n[:] = p
    if kind == CYLINDER:
        is_cap = abs(p[2]) > 1 - 1e-9
        n[0], n[1], n[2] = (0.0, 0.0, p[2]) if is_cap else (p[0], p[1], 0.0)
        axis = 2 if is_cap else (0 if abs(p[0]) > abs(p[1]) else 1)
    elif kind == BOX:
        n[:] = 0
        n[axis] = p[axis]
    return axis


@compiled
def _mirrored(u: float, side: int) -> Any:
    """Texel of a place in -1 … 1, mirrored beyond."""
    period = (u * 0.5 + 0.5) % 2
    return (period if period < 1 else 2 - period) * side - 0.5


@compiled
def _texel(texture: Any, u: float, v: float, level: int, out: Any, share: float) -> None:
    """Add `share` of the texture of one level at (u, v), bilinear."""
    side, start = SIDE >> level, 2 * SIDE - (2 * SIDE >> level)
    x, y = _mirrored(u, side), _mirrored(v, side)
    x, y = min(max(x, 0.0), side - 1.001), min(max(y, 0.0), side - 1.001)
    column, row = int(x), int(y)
    fx, fy = x - column, y - row
    for c in range(3):
        top = texture[row, start + column, c] * (1 - fx) + texture[row, start + column + 1, c] * fx
        low = texture[row + 1, start + column, c] * (1 - fx) + texture[row + 1, start + column + 1, c] * fx
        out[c] += share * (top * (1 - fy) + low * fy)


@compiled
def _texture(texture: Any, p: Any, axis: int, scale: float, footprint: float, out: Any) -> None:
    """Colour of the texture laid along an axis, blurred to the size of a pixel. footprint: (texture's units)."""
    u, v = p[(axis + 1) % 3] * scale, p[(axis + 2) % 3] * scale
    level = min(max(np.log2(max(footprint * scale * SIDE / 2, 1e-6)), 0.0), NUM_LEVELS - 1.001)
    whole = int(level)
    out[:] = 0
    _texel(texture, u, v, whole, out, 1 - (level - whole))
    _texel(texture, u, v, whole + 1, out, level - whole)


@compiled
def _shade(out: Any, n: Any, d: Any, is_dark: bool, light: Any) -> None:
    """Lambert and a highlight of one distant light. light: direction 0–2, colour 3–5, ambient 6, highlight 7."""
    length = np.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2])
    facing = n[0] * light[0] + n[1] * light[1] + n[2] * light[2]
    diffuse = 0.0 if is_dark else max(facing, 0.0)
    half, along = 0.0, 0.0
    for i in range(3):
        h = light[i] - d[i] / length
        half += h * h
        along += h * n[i]
    shine = 0.0 if is_dark else light[7] * max(along / np.sqrt(half + 1e-9), 0.0) ** 20
    for c in range(3):
        out[c] = out[c] * (light[6] + (1 - light[6]) * 1.4 * diffuse) * light[3 + c] + shine
        out[c] = min(max(out[c], 0.0), 1.0)


@compiled
def cast_rows(
    start: int, stop: int, width: int, samples: int, world_from_cam: Any, lens: Any, kinds: Any, local_from_world: Any,
    scales: Any, room: Any, room_scale: float, textures: Any, light: Any, has_shadows: bool,
    rgb: Any, depth: Any, normals: Any,
) -> None:  # fmt: skip
    """Rows start … stop of one view. lens: focal x, y, centre x, y. local_from_world: (K, 3, 4) into unit
    primitives. scales: (K, 4) half sizes and texture scale. textures: K of primitives, then six of walls. rgb:
    (H, W, 3) mean of samples² rays. depth: (H, W) z-depth and normals: (H, W, 3) in the world, at pixel centres."""
    o, d, p, n, color = np.empty(3), np.empty(3), np.empty(3), np.empty(3), np.empty(3)
    lo, ld, local = np.empty(3), np.empty(3), np.empty(3)
    o[:] = world_from_cam[:3, 3]
    pixel = 1 / (lens[0] * samples)
    for row in range(start, stop):
        for column in range(width):
            for k in range(samples * samples + 1):
                is_center = k == samples * samples
                x = column + (0.5 if is_center else (k % samples + 0.5) / samples)
                y = row + (0.5 if is_center else (k // samples + 0.5) / samples)
                x, y = (x - lens[2]) / lens[0], (y - lens[3]) / lens[1]
                for i in range(3):
                    m = world_from_cam[i]
                    d[i] = m[0] * x + m[1] * y + m[2]
                t, which = _first_hit(o, d, kinds, local_from_world, lo, ld)
                wall, side = _wall(o, d, room)
                if wall < t:
                    t, which = wall, -1
                for i in range(3):
                    p[i] = o[i] + t * d[i]
                if which < 0:
                    axis = side // 2
                    n[:] = 0
                    n[axis] = 1.0 - 2.0 * (side % 2)
                    texture, scale = len(kinds) + side, room_scale
                    local[:] = p
                else:
                    _into(local_from_world[which], p, lo, 1.0)
                    axis = _local_normal(kinds[which], lo, ld)
                    length = 0.0
                    for i in range(3):
                        m = local_from_world[which]
                        n[i] = m[0, i] * ld[0] + m[1, i] * ld[1] + m[2, i] * ld[2]
                        length += n[i] * n[i]
                        local[i] = lo[i] * scales[which, i]
                    n /= np.sqrt(length)
                    texture, scale = which, scales[which, 3]
                if is_center:
                    depth[row, column] = t
                    normals[row, column] = n
                    continue
                slant = abs(d[0] * n[0] + d[1] * n[1] + d[2] * n[2])
                slant /= np.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2])
                _texture(textures[texture], local, axis, scale, t * pixel / max(slant, 0.25), color)
                is_dark = False
                if has_shadows:
                    shadow, _ = _first_hit(p, light[:3], kinds, local_from_world, lo, ld)
                    is_dark = shadow < FARTHEST
                _shade(color, n, d, is_dark, light)
                for c in range(3):
                    rgb[row, column, c] += color[c] / (samples * samples)
