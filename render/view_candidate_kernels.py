"""The kernels of `render.view_candidates`: points are projected into each source, and its pictures read there."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from render.compiled import Float, aligned_scratch, compiled
from render.view_sources import CHANNELS, NEAREST_ANGLE, NUM_LEVELS

OUTSIDE = -40.0  # log prior at the border of a view's picture, and once more for each of its lengths beyond
UNSURE = -6.0  # of one that does not know the depth of what it sees there
TOLERANCE = 0.03  # relative difference of depths that is an error rather than another surface
MOST_DISAGREEMENT = 1.0  # beyond which the difference is not told
MOST_PENALTY = 60.0  # squared tolerances
COARSE_CELLS, WIDER = (
    16,
    2,
)  # pixels of the coarse level along a picture's longer side; halvings to the wide one
BLOCK = 64  # pixels that are projected at once, without branches, so that the compiler makes vectors of it
SHRINKS: Float = np.array([0.5**level for level in range(NUM_LEVELS)], np.float32)
LN_2 = float(np.log(2))

# log2 of numbers from 1 to 2
LOG_0, LOG_1, LOG_2, LOG_3, LOG_4, LOG_5 = (
    np.polynomial.chebyshev.Chebyshev.interpolate(np.log2, 5, domain=[1, 2])
    .convert(kind=np.polynomial.Polynomial)
    .coef.astype(np.float32)
)
_DX, _DY, _RAY_Z, _OWN, _FINITE = (np.uint64(k * BLOCK) for k in range(5))
_X, _Y, _Z, _ANGLE, _BITS, _LIKELY = (np.uint64(k * BLOCK) for k in range(6))
NUM_RAY_ROWS, NUM_PLACE_ROWS = 5, 6


@compiled
def fill_candidates(
    start, stop, texels, levels, blurred, depths, chosen, cameras, per_depth, first, target, depth, pixels,
    colors, originals, coarse_colors, coarse_originals, wide_colors, wide_originals, disagreement, angles, scales,
    is_inside, prior,
):  # fmt: skip
    """Fill what is known of pixels start … stop; the arrays as of `Candidates`. blurred: (2,) which of the levels are
    the coarse and the wide one. The rest as in `KnownViews`."""
    height, width = depths.shape[1], depths.shape[2]
    rays = aligned_scratch(NUM_RAY_ROWS * BLOCK)
    places = aligned_scratch(NUM_PLACE_ROWS * BLOCK)
    weights = np.empty(4, np.float32)
    sample = aligned_scratch(CHANNELS)
    half, one = np.float32(0.5), np.float32(1)
    for begin in range(start, stop, BLOCK):
        _aim(begin, stop, target, depth, pixels, rays)
        for s in range(len(chosen)):
            seen, colored = depths[chosen[s]], texels[s]
            log_weight = cameras[s, 19]
            _project(cameras[s], per_depth, target[0], width, height, rays, places)
            for k in range(min(BLOCK, stop - begin)):
                p = begin + k
                x, y, z = places[_X + k], places[_Y + k], places[_Z + k]
                scale, likely = places[_BITS + k], places[_LIKELY + k]
                difference, penalty, is_whole = _weigh(seen, x, y, z, rays[_FINITE + k] == 0, weights)
                inside = likely > np.float32(OUTSIDE)
                if inside:
                    off = difference * np.float32(1 / TOLERANCE)
                    likely += penalty - half * min(off * off, np.float32(MOST_PENALTY))
                prior[p, s] = log_weight + likely
                disagreement[p, s] = difference
                angles[p, s] = places[_ANGLE + k]
                scales[p, s] = scale
                is_inside[p, s] = inside
                if scale < half:
                    if is_whole:
                        _sample(colored, levels[0, 0], height, width, one, x, y, sample)
                    else:
                        _sample_with(colored, height, width, x, y, weights, sample)
                else:
                    level = min(np.int64(scale + half), np.int64(NUM_LEVELS - 1))
                    _sample_level(colored, levels, level, x, y, sample)
                for channel in range(3):
                    colors[p, s, channel] = sample[first + channel]
                    originals[p, s, channel] = sample[3 + channel]
                if len(coarse_colors) > 0:
                    _sample_level(colored, levels, blurred[0], x, y, sample)
                    for channel in range(3):
                        coarse_colors[p, s, channel] = sample[first + channel]
                        coarse_originals[p, s, channel] = sample[3 + channel]
                    _sample_level(colored, levels, blurred[1], x, y, sample)
                    for channel in range(3):
                        wide_colors[p, s, channel] = sample[first + channel]
                        wide_originals[p, s, channel] = sample[3 + channel]


@compiled
def _aim(begin, stop, target, depth, pixels, rays):
    """Rows of a block of pixels: point in the camera's axes, one over the ray's length at depth 1, 0 for sky else 1.

    A block is always full, of the last pixel again: so each number is the same wherever its pixel lies in a block."""
    columns = depth.shape[1]
    one, half = np.float32(1), np.float32(0.5)
    for k in range(BLOCK):
        pixel = pixels[min(begin + k, stop - 1)]
        row = pixel // columns
        column = pixel - row * columns
        z = depth[row, column]
        dx = (np.float32(column) + half - target[2]) / target[0]
        dy = (np.float32(row) + half - target[3]) / target[1]
        finite = one if z > 0 else np.float32(0)
        z = z if z > 0 else one
        rays[_DX + k], rays[_DY + k], rays[_RAY_Z + k] = dx, dy, z
        rays[_OWN + k], rays[_FINITE + k] = one / np.sqrt(dx * dx + dy * dy + one), finite


@compiled
def _log2(value):
    """log2 of a positive number, to 2e-5."""
    bits = np.float32(value).view(np.int32)
    exponent = np.float32((bits >> np.int32(23)) - np.int32(127))
    m = np.int32((bits & np.int32(0x7FFFFF)) | np.int32(0x3F800000)).view(np.float32)
    return exponent + (LOG_0 + m * (LOG_1 + m * (LOG_2 + m * (LOG_3 + m * (LOG_4 + m * LOG_5)))))


@compiled
def _project(camera, per_depth, focal, width, height, rays, places):
    """Rows of a block of pixels in one source: x, y, kept within its picture, depth, angle, log2 of the scale, and the
    log prior without what depths say, which is at most OUTSIDE where the picture does not contain the point."""
    one, zero, tiny = np.float32(1), np.float32(0), np.float32(1e-6)
    r0, r1, r2, r3, r4, r5, r6, r7, r8 = (
        camera[0], camera[1], camera[2], camera[3], camera[4], camera[5], camera[6], camera[7], camera[8],
    )  # fmt: skip
    t0, t1, t2, f0, f1, c0, c1 = (
        camera[9],
        camera[10],
        camera[11],
        camera[12],
        camera[13],
        camera[14],
        camera[15],
    )
    p0, p1, p2 = camera[16], camera[17], camera[18]
    away = np.sqrt(p0 * p0 + p1 * p1 + p2 * p2) * per_depth
    zoom = f0 / focal
    width, height = np.float32(width), np.float32(height)
    over_size = one / max(width, height)
    for k in range(BLOCK):
        finite = rays[_FINITE + k]
        dx, dy, z = rays[_DX + k], rays[_DY + k], rays[_RAY_Z + k]
        x, y, own = dx * z, dy * z, rays[_OWN + k]
        in_x = r0 * x + r1 * y + r2 * z + finite * t0
        in_y = r3 * x + r4 * y + r5 * z + finite * t1
        in_z = r6 * x + r7 * y + r8 * z + finite * t2
        ray_x, ray_y, ray_z = x - p0, y - p1, z - p2
        over = one / np.sqrt(max(ray_x * ray_x + ray_y * ray_y + ray_z * ray_z, np.float32(1e-20)))
        off_x, off_y, off_z = ray_x * over - dx * own, ray_y * over - dy * own, ray_z * over - own
        chord = off_x * off_x + off_y * off_y + off_z * off_z
        # 2 asin(c / 2) to a percent up to a right angle. Sky is seen from one direction: nearer cameras count more.
        angle = np.sqrt(chord) * (one + chord * np.float32(1 / 24) + chord * chord * np.float32(3 / 640))
        angle = angle if finite > zero else away
        is_before = in_z > tiny
        depth = max(in_z, tiny)
        bits = _log2(zoom * z / depth)
        in_x, in_y = in_x / depth * f0 + c0, in_y / depth * f1 + c1
        beyond = max(max(-in_x, in_x - width), max(-in_y, in_y - height))
        likely = np.float32(-2 * LN_2) * _log2(angle + np.float32(NEAREST_ANGLE)) + min(bits, zero)
        outside = np.float32(OUTSIDE) * (one + min(beyond * over_size, np.float32(2)))
        likely = likely if beyond < zero else outside
        places[_LIKELY + k] = likely if is_before else np.float32(3 * OUTSIDE)
        places[_X + k] = min(max(in_x, zero), width)
        places[_Y + k] = min(max(in_y, zero), height)
        places[_Z + k], places[_ANGLE + k], places[_BITS + k] = depth, angle, bits


@compiled
def _weigh(seen, x, y, z, is_sky, weights):
    """How far a point at x, y, z of a source lies behind what it sees there, the log prior's change by what is not
    known, and whether the four pixels about it show one surface; else their weights (4,) are filled by agreement."""
    height, width = seen.shape
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    x, y = min(max(x - half, zero), np.float32(width - 1)), min(max(y - half, zero), np.float32(height - 1))
    u, v = np.int64(x), np.int64(y)
    right, below = np.uint64(min(u + 1, width - 1)), np.uint64(min(v + 1, height - 1))
    p, q = x - np.float32(u), y - np.float32(v)
    left, top = np.uint64(u), np.uint64(v)
    d00, d01, d10, d11 = seen[top, left], seen[top, right], seen[below, left], seen[below, right]
    w00, w01, w10, w11 = (one - p) * (one - q), p * (one - q), (one - p) * q, p * q
    low, high = min(min(d00, d01), min(d10, d11)), max(max(d00, d01), max(d10, d11))
    if is_sky:
        known = (w00 if d00 > 0 else zero) + (w01 if d01 > 0 else zero)
        known += (w10 if d10 > 0 else zero) + (w11 if d11 > 0 else zero)
        return zero, -np.float32(MOST_PENALTY / 2) * known, True
    if low > 0 and high < low * np.float32(1 + 2 * TOLERANCE):
        near = w00 * d00 + w01 * d01 + w10 * d10 + w11 * d11
        return _relative(z, near), zero, True
    w00, w01, w10, w11 = (
        w00 * _agreement(z, d00), w01 * _agreement(z, d01), w10 * _agreement(z, d10), w11 * _agreement(z, d11),
    )  # fmt: skip
    total = one / max(w00 + w01 + w10 + w11, np.float32(1e-20))
    w00, w01, w10, w11 = w00 * total, w01 * total, w10 * total, w11 * total
    weights[0], weights[1], weights[2], weights[3] = w00, w01, w10, w11
    known = (w00 if d00 > 0 else zero) + (w01 if d01 > 0 else zero)
    known += (w10 if d10 > 0 else zero) + (w11 if d11 > 0 else zero)
    penalty = np.float32(UNSURE) * (one - known)
    if known < np.float32(1e-3):
        return zero, penalty, False
    return _relative(z, (w00 * d00 + w01 * d01 + w10 * d10 + w11 * d11) / known), penalty, False


@compiled
def _relative(z, near):
    most = np.float32(MOST_DISAGREEMENT)
    return min(max(z / near - np.float32(1), -most), most)


@compiled
def _agreement(z, near):
    """Weight within 1e-6 and 1 of a pixel at depth `near` for a point at z: none beyond three tolerances."""
    if near <= 0:
        return np.float32(1e-6)
    off = (z / near - np.float32(1)) * np.float32(1 / (3 * TOLERANCE))
    bell = max(np.float32(1) - off * off, np.float32(0))
    return max(bell * bell, np.float32(1e-6))


@compiled
def _sample_level(texels, levels, level, x, y, sample):
    first, height, width = levels[level]
    _sample(texels, first, height, width, SHRINKS[level], x, y, sample)


@compiled
def _sample(texels, first, height, width, shrink, x, y, sample):
    """Fill `sample` (CHANNELS,) with what lies at x, y, in pixels of the whole picture, in one of its levels, within 0
    and 1. texels: flat. first: where the level begins. shrink: its pixels to one of the whole picture."""
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    x = min(max(x * shrink - half, zero), np.float32(width - 1))
    y = min(max(y * shrink - half, zero), np.float32(height - 1))
    u, v = np.int32(x), np.int32(y)
    p, q = x - np.float32(u), y - np.float32(v)
    k = np.float32(1 / 255)
    right = np.uint64(CHANNELS) if u < width - 1 else np.uint64(0)
    upper = np.uint64((first + v * width + u) * CHANNELS)
    lower = upper + (np.uint64(CHANNELS * width) if v < height - 1 else np.uint64(0))
    a, b, c, d = (one - p) * (one - q) * k, p * (one - q) * k, (one - p) * q * k, p * q * k
    for n in range(CHANNELS):
        m = np.uint64(n)
        sample[n] = (
            a * texels[upper + m] + b * texels[upper + right + m]
            + c * texels[lower + m] + d * texels[lower + right + m]
        )  # fmt: skip


@compiled
def _sample_with(texels, height, width, x, y, weights, sample):
    """The same of the whole picture, with weights (4,) in place of those by nearness."""
    half, zero = np.float32(0.5), np.float32(0)
    u = np.int32(min(max(x - half, zero), np.float32(width - 1)))
    v = np.int32(min(max(y - half, zero), np.float32(height - 1)))
    k = np.float32(1 / 255)
    right = np.uint64(CHANNELS) if u < width - 1 else np.uint64(0)
    upper = np.uint64((v * width + u) * CHANNELS)
    lower = upper + (np.uint64(CHANNELS * width) if v < height - 1 else np.uint64(0))
    a, b, c, d = weights[0] * k, weights[1] * k, weights[2] * k, weights[3] * k
    for n in range(CHANNELS):
        m = np.uint64(n)
        sample[n] = (
            a * texels[upper + m] + b * texels[upper + right + m]
            + c * texels[lower + m] + d * texels[lower + right + m]
        )  # fmt: skip


@compiled
def blend_by_prior(start, stop, colors, prior, blend):
    num_sources = prior.shape[1]
    for p in range(start, stop):
        most = np.float32(-1e30)
        for s in range(num_sources):
            most = max(most, prior[p, s])
        red, green, blue, total = np.float32(0), np.float32(0), np.float32(0), np.float32(1e-30)
        for s in range(num_sources):
            weight = np.exp(prior[p, s] - most)
            total += weight
            red += weight * colors[p, s, 0]
            green += weight * colors[p, s, 1]
            blue += weight * colors[p, s, 2]
        blend[p, 0], blend[p, 1], blend[p, 2] = red / total, green / total, blue / total
