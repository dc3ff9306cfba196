"""The network that blends views which disagree, run fast; `recon.dn2n.blend_network` is its readable twin, and trains it.

Sixteen pixels at a time: numbers of a block lie as (channel, source, pixel), so that every loop's innermost one runs
along pixels.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from render.compiled import Float, compiled, in_threads
from render.view_candidate_kernels import TOLERANCE
from render.view_candidates import Candidates
from render.view_network_layout import FAINT, HEADER, NUM_FEATURES, VISIBLE, layer_sizes

CHUNK = 1024  # pixels that a thread takes at once
BLOCK = 16
MEDIANS = 16  # columns that are sorted together: four colours, and four to spare
UNUSED = 1e9  # sorts behind all colours


@cache
def shipped_parameters() -> Float:
    """Parameters of the network that comes with the program."""
    with resources.as_file(resources.files("resources") / "dn2n" / "blend.safetensors") as path:
        return read_parameters(path)


def read_parameters(path: Path) -> Float:
    """Parameters of a network from its file. Raises ValueError where they are of none."""
    from safetensors.numpy import load_file

    parameters = np.ascontiguousarray(load_file(path)["parameters"], np.float32)
    layer_sizes(parameters)
    parameters.flags.writeable = False
    return parameters


def blend(candidates: Candidates, parameters: Float) -> Float:
    """(P, 3) colours within 0 and 1. candidates: with coarse colours. parameters: flat, of a network of any width.
    Raises ValueError for parameters of no network."""
    width = layer_sizes(parameters).width
    colors = np.empty((len(candidates.prior), 3), np.float32)
    c = candidates
    in_threads(
        _blend, len(colors), CHUNK, c.colors, c.originals, c.coarse_colors, c.coarse_originals, c.disagreement,
        c.angle, c.scale, c.is_inside, c.prior, np.ascontiguousarray(parameters[HEADER:]), width, colors,
    )  # fmt: skip
    return colors


@compiled
def _layer(weights, bias, x, y):
    """y (O, L) = bias (O,) + weights (O, I) x (I, L), for even O and I a multiple of four."""
    for o in range(0, len(y), 2):
        y0, y1 = y[o], y[o + 1]
        w0, w1 = weights[o], weights[o + 1]
        for k in range(len(y0)):
            y0[k] = bias[o]
            y1[k] = bias[o + 1]
        for i in range(0, len(x), 4):
            x0, x1, x2, x3 = x[i], x[i + 1], x[i + 2], x[i + 3]
            a0, a1, a2, a3 = w0[i], w0[i + 1], w0[i + 2], w0[i + 3]
            b0, b1, b2, b3 = w1[i], w1[i + 1], w1[i + 2], w1[i + 3]
            for k in range(len(y0)):
                y0[k] += (a0 * x0[k] + a1 * x1[k]) + (a2 * x2[k] + a3 * x3[k])
                y1[k] += (b0 * x0[k] + b1 * x1[k]) + (b2 * x2[k] + b3 * x3[k])


@compiled
def _rectify(y):
    for o in range(len(y)):
        row = y[o]
        for k in range(len(row)):
            row[k] = max(row[k], np.float32(0))


@compiled
def _sort(values):
    """Each column of (S, MEDIANS) in order, by exchanging neighbours."""
    count = len(values)
    for turn in range(count):
        for s in range(turn % 2, count - 1, 2):
            low, high = values[s], values[s + 1]
            for k in range(MEDIANS):
                a, b = low[k], high[k]
                low[k] = min(a, b)
                high[k] = max(a, b)


@compiled
def _medians(p, colors, coarse_colors, originals, coarse_originals, seen, values, middle):
    """Middle (MEDIANS,) of the sources that are seen: colour, coarse, original and coarse original."""
    count = len(values)
    num_used = 0
    for s in range(count):
        num_used += seen[s] > np.float32(VISIBLE)
    is_any = num_used > 0
    for s in range(count):
        row = values[s]
        if is_any and seen[s] <= np.float32(VISIBLE):
            row[:] = np.float32(UNUSED)
            continue
        for c in range(3):
            row[c] = colors[p, s, c]
            row[3 + c] = coarse_colors[p, s, c]
            row[6 + c] = originals[p, s, c]
            row[9 + c] = coarse_originals[p, s, c]
    _sort(values)
    if not is_any:
        num_used = count
    low, high = values[(num_used - 1) // 2], values[num_used // 2]
    for k in range(MEDIANS):
        middle[k] = np.float32(0.5) * (low[k] + high[k])


@compiled
def _describe(
    p, k, colors, originals, coarse_colors, coarse_originals, angle, scale, prior, seen, middle, x
):  # fmt: skip
    """What the network sees of each source of pixel p into x (NUM_FEATURES, S · BLOCK), column k of each block."""
    third, three = np.float32(1 / 3), np.float32(3)
    most = prior[p, 0]
    for s in range(1, prior.shape[1]):
        most = max(most, prior[p, s])
    common, size, around = np.float32(FAINT), np.float32(0), np.float32(0)
    for c in range(3):
        edit = middle[3 + c] - middle[9 + c]
        common += edit * edit
        size += abs(edit)
    for s in range(prior.shape[1]):
        around += seen[s]
    around /= np.float32(prior.shape[1])
    for s in range(prior.shape[1]):
        at = s * BLOCK + k
        coarse, before, shared, other = np.float32(0), np.float32(0), np.float32(FAINT), np.float32(0)
        for c in range(3):
            edit = middle[3 + c] - middle[9 + c]
            shared += edit * (coarse_colors[p, s, c] - coarse_originals[p, s, c])
        strength = shared / common
        for c in range(3):
            off = three * (colors[p, s, c] - middle[c])
            coarse_off = three * (coarse_colors[p, s, c] - middle[3 + c])
            before_off = three * (originals[p, s, c] - middle[6 + c])
            x[c, at] = colors[p, s, c]
            x[3 + c, at] = off
            x[6 + c, at] = abs(off)
            x[9 + c, at] = coarse_off
            x[12 + c, at] = before_off
            x[15 + c, at] = three * (coarse_originals[p, s, c] - middle[9 + c])
            coarse += abs(coarse_off)
            before += abs(before_off)
            own = coarse_colors[p, s, c] - coarse_originals[p, s, c]
            other += abs(own - strength * (middle[3 + c] - middle[9 + c]))
        x[18, at] = three * min(angle[p, s], np.float32(1))
        x[19, at] = seen[s]
        x[20, at] = np.float32(0.5) * min(max(scale[p, s], np.float32(-2)), np.float32(2))
        x[21, at] = np.float32(0.25) * max(prior[p, s] - most, np.float32(-8))
        x[22, at] = coarse * third
        x[23, at] = before * third
        x[24, at] = min(max(strength - np.float32(1), np.float32(-2)), np.float32(2))
        x[25, at] = other
        x[26, at] = size
        x[27, at] = around


@compiled
def _pool(hidden, weights, num_sources, pooled):
    """Mean and variance over sources of hidden (C, S · BLOCK) into pooled (2 C, BLOCK). weights: (S · BLOCK,)."""
    width = len(hidden)
    for c in range(width):
        mean, variance, row = pooled[c], pooled[width + c], hidden[c]
        for k in range(BLOCK):
            mean[k] = 0
            variance[k] = 0
        for s in range(num_sources):
            for k in range(BLOCK):
                mean[k] += weights[s * BLOCK + k] * row[s * BLOCK + k]
        for s in range(num_sources):
            for k in range(BLOCK):
                off = row[s * BLOCK + k] - mean[k]
                variance[k] += weights[s * BLOCK + k] * off * off


@compiled
def _weigh(seen, num_sources, weights):
    """Visibility (BLOCK, S) into shares (S · BLOCK,) that sum to 1 for each pixel."""
    for k in range(BLOCK):
        total = np.float32(0)
        for s in range(num_sources):
            total += seen[k, s] + np.float32(1e-3)
        for s in range(num_sources):
            weights[s * BLOCK + k] = (seen[k, s] + np.float32(1e-3)) / total


@compiled
def _softsign(x):
    return x / (np.float32(1) + abs(x))


@compiled
def _reached(color, before, middle, middle_before, share, reach):
    """A channel toward the median, then farther from what it was before the edit."""
    color += share * (middle - color)
    before += share * (middle_before - before)
    return min(max(color + reach * (color - before), np.float32(0)), np.float32(1))


@compiled
def _mix(p, k, colors, coarse_colors, originals, prior, middle, temperature, shifts, share, reach, out):
    """Colour of pixel p: sources by their shifted weights, each drawn to the common tone, then to the median, then
    farther from the original. share, reach: before their bounds."""
    num_sources = prior.shape[1]
    most = np.float32(-1e30)
    for s in range(num_sources):
        most = max(most, prior[p, s] * temperature + shifts[0, s * BLOCK + k])
    share, reach = _softsign(share), _softsign(reach)
    zero, one = np.float32(0), np.float32(1)
    total, red, green, blue = zero, zero, zero, zero
    old_red, old_green, old_blue = zero, zero, zero
    for s in range(num_sources):
        weight = np.exp(prior[p, s] * temperature + shifts[0, s * BLOCK + k] - most)
        gate = _softsign(shifts[1, s * BLOCK + k])
        total += weight
        red += weight * (colors[p, s, 0] + gate * (middle[3] - coarse_colors[p, s, 0]))
        green += weight * (colors[p, s, 1] + gate * (middle[4] - coarse_colors[p, s, 1]))
        blue += weight * (colors[p, s, 2] + gate * (middle[5] - coarse_colors[p, s, 2]))
        old_red += weight * originals[p, s, 0]
        old_green += weight * originals[p, s, 1]
        old_blue += weight * originals[p, s, 2]
    over = one / total
    out[p, 0] = _reached(red * over, old_red * over, middle[0], middle[6], share, reach)
    out[p, 1] = _reached(green * over, old_green * over, middle[1], middle[7], share, reach)
    out[p, 2] = _reached(blue * over, old_blue * over, middle[2], middle[8], share, reach)


@compiled
def _blend(
    start, stop, colors, originals, coarse_colors, coarse_originals, disagreement, angle, scale, is_inside, prior,
    parameters, width, out,
):  # fmt: skip
    num_sources = prior.shape[1]
    lanes = num_sources * BLOCK
    at = 0
    first = parameters[at : at + NUM_FEATURES * width].reshape(width, NUM_FEATURES)
    at += NUM_FEATURES * width
    first_bias = parameters[at : at + width]
    at += width
    second = parameters[at : at + width * width].reshape(width, width)
    at += width * width
    second_bias = parameters[at : at + width]
    at += width
    pool_weights = parameters[at : at + 2 * width * width].reshape(width, 2 * width)
    at += 2 * width * width
    pool_bias = parameters[at : at + width]
    at += width
    third = parameters[at : at + width * width].reshape(width, width)
    at += width * width
    shift = parameters[at : at + 2 * width].reshape(2, width)
    at += 2 * width
    shift_bias = parameters[at : at + 2]
    at += 2
    whole = parameters[at : at + 2 * width].reshape(2, width)
    at += 2 * width
    whole_bias, temperature = parameters[at : at + 2], parameters[at + 2]

    x = np.empty((NUM_FEATURES, lanes), np.float32)
    hidden, other = np.empty((width, lanes), np.float32), np.empty((width, lanes), np.float32)
    pooled, context = np.empty((2 * width, BLOCK), np.float32), np.empty((width, BLOCK), np.float32)
    shifts, weights = np.empty((2, lanes), np.float32), np.empty(lanes, np.float32)
    seen, shares = np.empty((BLOCK, num_sources), np.float32), np.empty((2, BLOCK), np.float32)
    values, middles = np.zeros((num_sources, MEDIANS), np.float32), np.empty((BLOCK, MEDIANS), np.float32)
    no_bias = np.zeros(width, np.float32)
    for begin in range(start, stop, BLOCK):
        for k in range(BLOCK):
            p = min(begin + k, stop - 1)
            for s in range(num_sources):
                off = disagreement[p, s] * np.float32(1 / TOLERANCE)
                agrees = np.exp(np.float32(-0.5) * min(off * off, np.float32(30)))
                seen[k, s] = agrees if is_inside[p, s] else np.float32(0)
            _medians(p, colors, coarse_colors, originals, coarse_originals, seen[k], values, middles[k])
            _describe(
                p, k, colors, originals, coarse_colors, coarse_originals, angle, scale, prior, seen[k], middles[k], x
            )  # fmt: skip
        _layer(first, first_bias, x, hidden)
        _rectify(hidden)
        _layer(second, second_bias, hidden, other)
        _rectify(other)
        _weigh(seen, num_sources, weights)
        _pool(other, weights, num_sources, pooled)
        _layer(pool_weights, pool_bias, pooled, context)
        _layer(third, no_bias, other, hidden)
        for k in range(lanes):
            shifts[0, k] = shift_bias[0]
            shifts[1, k] = shift_bias[1]
        shares[0, :] = whole_bias[0]
        shares[1, :] = whole_bias[1]
        for c in range(width):
            row, around, a, b = hidden[c], context[c], shift[0, c], shift[1, c]
            for s in range(num_sources):
                for k in range(BLOCK):
                    value = max(row[s * BLOCK + k] + around[k], np.float32(0))
                    shifts[0, s * BLOCK + k] += a * value
                    shifts[1, s * BLOCK + k] += b * value
            for k in range(BLOCK):
                value = max(around[k], np.float32(0))
                shares[0, k] += whole[0, c] * value
                shares[1, k] += whole[1, c] * value
        for k in range(min(BLOCK, stop - begin)):
            _mix(
                begin + k, k, colors, coarse_colors, originals, prior, middles[k], temperature, shifts, shares[0, k],
                shares[1, k], out,
            )  # fmt: skip
