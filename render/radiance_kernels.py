"""Numba kernels of radiance fields, shared by drawing and training: features of samples, layers, sums along rays.

Values of samples lie in blocks (number of blocks, channels, BLOCK), so that a layer's inner loop runs along samples.
`recon.nerf.twin` says the same in torch, readably.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from render.compiled import Kernel, compiled

BLOCK = 128  # samples

_F = np.float32
_U = np.uint32
_PRIME_Y, _PRIME_Z = _U(2654435761), _U(805459861)
_ZERO, _HALF, _ONE = _F(0), _F(0.5), _F(1)


@compiled
def _row(hashed: Any, mask: Any, of_level: Any) -> Any:
    """Where the features of a row of a level begin in the flat table."""
    return of_level[3] + np.uint64(hashed & mask) * of_level[4]


@compiled
def corners_of(points: Any, i: Any, of_level: Any) -> Any:
    """Where the features of the corners of a point's cell begin, in the order 000 100 010 110 001 101 011 111 of x, y,
    z; and the place in the cell (3,). of_level: as `level_of` gives it."""
    scale, resolution, mask = of_level[0], of_level[1], of_level[2]
    px, py = points[i, 0] * scale + _HALF, points[i, 1] * scale + _HALF
    pz = points[i, 2] * scale + _HALF
    i, j, k = np.int32(px), np.int32(py), np.int32(pz)
    place = px - _F(i), py - _F(j), pz - _F(k)
    x, y, z = _U(i), _U(j), _U(k)
    if of_level[5]:
        top, whole = resolution - _U(1), _U(0xFFFFFFFF)
        x1 = min(x + _U(1), top)
        y0, y1 = y * resolution, min(y + _U(1), top) * resolution
        z0, z1 = z * resolution * resolution, min(z + _U(1), top) * resolution * resolution
        rows = (
            _row(x + y0 + z0, whole, of_level), _row(x1 + y0 + z0, whole, of_level),
            _row(x + y1 + z0, whole, of_level), _row(x1 + y1 + z0, whole, of_level),
            _row(x + y0 + z1, whole, of_level), _row(x1 + y0 + z1, whole, of_level),
            _row(x + y1 + z1, whole, of_level), _row(x1 + y1 + z1, whole, of_level),
        )  # fmt: skip
        return rows, place
    x1, y0, z0 = x + _U(1), y * _PRIME_Y, z * _PRIME_Z
    y1, z1 = y0 + _PRIME_Y, z0 + _PRIME_Z
    rows = (
        _row(x ^ y0 ^ z0, mask, of_level), _row(x1 ^ y0 ^ z0, mask, of_level),
        _row(x ^ y1 ^ z0, mask, of_level), _row(x1 ^ y1 ^ z0, mask, of_level),
        _row(x ^ y0 ^ z1, mask, of_level), _row(x1 ^ y0 ^ z1, mask, of_level),
        _row(x ^ y1 ^ z1, mask, of_level), _row(x1 ^ y1 ^ z1, mask, of_level),
    )  # fmt: skip
    return rows, place


@compiled
def level_of(levels: Any, level: Any, width: Any) -> Any:
    """Scale, resolution, mask of the hash, first number in the flat table, features a row, whether dense."""
    scales, resolutions, is_dense, offsets = levels
    mask = _U(offsets[level + 1] - offsets[level] - 1)
    first = np.uint64(offsets[level]) * np.uint64(width)
    return scales[level], _U(resolutions[level]), mask, first, np.uint64(width), is_dense[level]


@cache
def encoder(width: int) -> Kernel:
    """The kernel encode(start, stop, points (N, 3), flat table, levels, openness, out) for `width` features a level:
    writes features of points start … stop, times the openness (L,) of their level, into blocks (…, L * width, BLOCK).
    """

    @compiled
    def encode(start: Any, stop: Any, points: Any, table: Any, levels: Any, openness: Any, out: Any) -> None:
        values = np.empty(width, np.float32)
        for level in range(len(openness)):
            if openness[level] <= 0:
                for i in range(start, stop):
                    for k in range(width):
                        out[i // BLOCK, level * width + k, i % BLOCK] = _ZERO
                continue
            of_level, share = level_of(levels, level, width), openness[level]
            column = np.uint64(level * width)
            for i in range(start, stop):
                (a, b, c, d, e, f, g, h), (u, v, w) = corners_of(points, i, of_level)
                for k in range(width):
                    at = np.uint64(k)
                    ab = table[a + at] + u * (table[b + at] - table[a + at])
                    cd = table[c + at] + u * (table[d + at] - table[c + at])
                    ef = table[e + at] + u * (table[f + at] - table[e + at])
                    gh = table[g + at] + u * (table[h + at] - table[g + at])
                    near, far = ab + v * (cd - ab), ef + v * (gh - ef)
                    values[k] = share * (near + w * (far - near))
                block, lane = np.uint64(i // BLOCK), np.uint64(i % BLOCK)
                for k in range(width):
                    out[block, column + np.uint64(k), lane] = values[k]

    return encode


@compiled
def layer(weights: Any, biases: Any, inputs: Any, outputs: Any, is_bent: Any) -> None:
    """outputs (O, B) = weights (O, I) inputs (I, B) + biases (O,), below zero cut off where is_bent. I divides by 4, O
    by 2."""
    count = outputs.shape[1]
    for o in range(0, outputs.shape[0], 2):
        first, second = outputs[o], outputs[o + 1]
        bias, other = biases[o], biases[o + 1]
        for s in range(count):
            first[s] = bias
        for s in range(count):
            second[s] = other
        for i in range(0, weights.shape[1], 4):
            a, b, c, d = weights[o, i], weights[o, i + 1], weights[o, i + 2], weights[o, i + 3]
            e, f, g, h = (
                weights[o + 1, i],
                weights[o + 1, i + 1],
                weights[o + 1, i + 2],
                weights[o + 1, i + 3],
            )
            w, x, y, z = inputs[i], inputs[i + 1], inputs[i + 2], inputs[i + 3]
            for s in range(count):
                first[s] += a * w[s] + b * x[s] + c * y[s] + d * z[s]
                second[s] += e * w[s] + f * x[s] + g * y[s] + h * z[s]
        if is_bent:
            for s in range(count):
                first[s] = max(first[s], _ZERO)
            for s in range(count):
                second[s] = max(second[s], _ZERO)


@compiled
def shared_network(
    start: Any, stop: Any, features: Any, w1: Any, b1: Any, w2: Any, b2: Any, hidden: Any, shared: Any
) -> None:
    """The first network on blocks start … stop: features (…, I, BLOCK) → hidden (…, H, BLOCK), shared (…, O, BLOCK).
    hidden may have one block only, to be overwritten."""
    keeps = len(hidden) > 1
    for block in range(start, stop):
        within = hidden[block if keeps else 0]
        layer(w1, b1, features[block], within, True)
        layer(w2, b2, within, shared[block], False)


@compiled
def color_network(
    start: Any, stop: Any, inputs: Any, w3: Any, b3: Any, w4: Any, b4: Any, w5: Any, b5: Any,
    first: Any, second: Any, colors: Any,
) -> None:  # fmt: skip
    """The second network on blocks: inputs (…, I, BLOCK) → colors (…, 4, BLOCK) within 0 and 1, of which three count.
    first, second: hidden layers (…, H, BLOCK), or of one block only."""
    keeps = len(first) > 1
    for block in range(start, stop):
        at = block if keeps else 0
        layer(w3, b3, inputs[block], first[at], True)
        layer(w4, b4, first[at], second[at], True)
        layer(w5, b5, second[at], colors[block], False)
        for channel in range(3):
            out = colors[block, channel]
            for s in range(BLOCK):
                out[s] = _ONE / (_ONE + np.exp(-out[s]))


@compiled
def write_harmonics(out: Any, lane: Any, x: Any, y: Any, z: Any) -> None:
    """The real spherical harmonics of degree 3 (16) of a direction into rows of out (16, BLOCK)."""
    xx, yy, zz, xy, yz, xz = x * x, y * y, z * z, x * y, y * z, x * z
    out[0, lane] = _F(0.28209479)
    out[1, lane], out[2, lane], out[3, lane] = _F(-0.48860251) * y, _F(0.48860251) * z, _F(-0.48860251) * x
    out[4, lane], out[5, lane] = _F(1.09254843) * xy, _F(-1.09254843) * yz
    out[6, lane] = _F(0.94617470) * zz - _F(0.31539157)
    out[7, lane], out[8, lane] = _F(-1.09254843) * xz, _F(0.54627422) * (xx - yy)
    out[9, lane] = _F(0.59004359) * y * (yy - _F(3) * xx)
    out[10, lane] = _F(2.89061144) * xy * z
    out[11, lane] = _F(0.45704580) * y * (_ONE - _F(5) * zz)
    out[12, lane] = _F(0.37317633) * z * (_F(5) * zz - _F(3))
    out[13, lane] = _F(0.45704580) * x * (_ONE - _F(5) * zz)
    out[14, lane] = _F(1.44530572) * z * (xx - yy)
    out[15, lane] = _F(0.59004359) * x * (_F(3) * yy - xx)


@compiled
def density_of(logarithm: Any) -> Any:
    """Per box unit."""
    return np.exp(min(logarithm, _F(10)) - _ONE)


@compiled
def weigh(start: Any, stop: Any, shared: Any, widths: Any, least: Any, weights: Any, is_drawn: Any) -> None:
    """Weights (R, S) of the samples of rays start … stop, 0 below `least`, where is_drawn (R, S) says False."""
    num_samples = widths.shape[1]
    for ray in range(start, stop):
        left = _ONE
        for s in range(num_samples):
            i = ray * num_samples + s
            density = density_of(shared[i // BLOCK, 0, i % BLOCK])
            passed = np.exp(-density * widths[ray, s])
            weight = left * (_ONE - passed)
            left *= passed
            is_drawn[ray, s] = weight > least
            weights[ray, s] = weight if weight > least else _ZERO


@compiled
def gather_color_inputs(
    start: Any,
    stop: Any,
    chosen: Any,
    shared: Any,
    directions: Any,
    num_samples: Any,
    turning: Any,
    inputs: Any,
) -> None:
    """Inputs (…, O + 16, BLOCK) of the second network for the samples chosen[start … stop] of all rays. turning: (1,)
    within 0 and 1, how much directions count."""
    width = shared.shape[1]
    for n in range(start, stop):
        i = chosen[n]
        block, lane = n // BLOCK, n % BLOCK
        for k in range(width):
            inputs[block, k, lane] = shared[i // BLOCK, k, i % BLOCK]
        ray = i // num_samples
        write_harmonics(
            inputs[block, width:], lane, directions[ray, 0], directions[ray, 1], directions[ray, 2]
        )
        for k in range(width + 1, inputs.shape[1]):
            inputs[block, k, lane] *= turning[0]


@compiled
def sum_rays(
    start: Any,
    stop: Any,
    weights: Any,
    places: Any,
    slots: Any,
    colors: Any,
    rgb: Any,
    alpha: Any,
    distance: Any,
) -> None:
    """Colours (R, 3) before black, alpha (R,), and the distance (R,) where half of that is absorbed."""
    count = weights.shape[1]
    for ray in range(start, stop):
        r = g = b = a = _ZERO
        for s in range(count):
            n = slots[ray, s]
            if n < 0:
                continue
            weight = weights[ray, s]
            block, lane = n // BLOCK, n % BLOCK
            r += weight * colors[block, 0, lane]
            g += weight * colors[block, 1, lane]
            b += weight * colors[block, 2, lane]
            a += weight
        rgb[ray, 0], rgb[ray, 1], rgb[ray, 2], alpha[ray] = r, g, b, a
        distance[ray] = _middle(weights[ray], places[ray], a * _HALF)


@compiled
def _middle(weights: Any, places: Any, half: Any) -> Any:
    """Distance at which the sum of weights reaches `half`, between the samples around."""
    done, last_place, last_done = _ZERO, places[0], _ZERO
    for s in range(len(weights)):
        weight = weights[s]
        if weight <= 0:
            continue
        middle = done + _HALF * weight
        if middle >= half:
            part = (half - last_done) / max(middle - last_done, _F(1e-9))
            return last_place + part * (places[s] - last_place) if last_done > 0 else places[s]
        done, last_place, last_done = done + weight, places[s], middle
    return last_place
