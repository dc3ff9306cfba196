"""The network that blends views which disagree, run fast; `recon.dn2n.blend_network` is its readable twin, and trains it."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from render.compiled import Float, compiled, in_threads
from render.view_candidates import Candidates
from render.view_network_kernels import (
    BLOCK,
    DISCORD,
    MEDIANS,
    NUM_TOLD,
    STRONGEST,
    describe,
    edits_of,
    look,
    medians,
    mix,
    weigh_edits,
)
from render.view_network_layout import HEADER, LEAK, NUM_FEATURES, NUM_HEADS, NUM_SHARED, layer_sizes

CHUNK = 1024  # pixels that a thread takes at once


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
    """(P, 3) colours within 0 and 1. candidates: with coarse colours, and the rule's log weights as prior, which the
    network starts from. parameters: flat, of a network of any width. Raises ValueError for parameters of no network."""
    sizes = layer_sizes(parameters)
    colors = np.empty((len(candidates.prior), 3), np.float32)
    c = candidates
    in_threads(
        _blend, len(colors), CHUNK, c.colors, c.originals, c.coarse_colors, c.coarse_originals, c.wide_colors,
        c.wide_originals, c.disagreement, c.angle, c.scale, c.is_inside, c.prior,
        np.ascontiguousarray(parameters[HEADER:]), sizes.width, np.float32(sizes.calm), colors,
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
def _leak(y):
    """What is below 0, made small."""
    for o in range(len(y)):
        row = y[o]
        for k in range(len(row)):
            row[k] = max(row[k], np.float32(LEAK) * row[k])


@compiled
def _pool(hidden, shares, pooled):
    """Mean and variance over sources of hidden (C, S · BLOCK) into pooled (2 C, BLOCK). shares: (BLOCK, S)."""
    width, num_sources = len(hidden), shares.shape[1]
    for c in range(width):
        mean, variance, row = pooled[c], pooled[width + c], hidden[c]
        for k in range(BLOCK):
            mean[k] = 0
            variance[k] = 0
        for s in range(num_sources):
            for k in range(BLOCK):
                mean[k] += shares[k, s] * row[s * BLOCK + k]
        for s in range(num_sources):
            for k in range(BLOCK):
                off = row[s * BLOCK + k] - mean[k]
                variance[k] += shares[k, s] * off * off


@compiled
def _blend(
    start, stop, colors, originals, coarse_colors, coarse_originals, wide_colors, wide_originals, disagreement, angle,
    scale, is_inside, prior, parameters, width, calm, out,
):  # fmt: skip
    num_sources = prior.shape[1]
    lanes, c = num_sources * BLOCK, width
    at = 0
    first = parameters[at : at + NUM_FEATURES * c].reshape(c, NUM_FEATURES)
    at += NUM_FEATURES * c
    first_bias = parameters[at : at + c]
    at += c
    second = parameters[at : at + c * c].reshape(c, c)
    at += c * c
    second_bias = parameters[at : at + c]
    at += c
    pool_weights = parameters[at : at + 2 * c * c].reshape(c, 2 * c)
    at += 2 * c * c
    pool_bias = parameters[at : at + c]
    at += c
    third = parameters[at : at + c * c].reshape(c, c)
    at += c * c
    head_weights = parameters[at : at + NUM_HEADS * c].reshape(NUM_HEADS, c)
    at += NUM_HEADS * c
    head_bias = parameters[at : at + NUM_HEADS]
    at += NUM_HEADS
    whole_weights = parameters[at : at + 2 * (c + NUM_SHARED)].reshape(2, c + NUM_SHARED)
    at += 2 * (c + NUM_SHARED)
    whole_bias, temperature = parameters[at : at + 2], parameters[at + 2]

    x = np.empty((NUM_FEATURES, lanes), np.float32)
    hidden, other = np.empty((c, lanes), np.float32), np.empty((c, lanes), np.float32)
    pooled, context = np.empty((2 * c, BLOCK), np.float32), np.empty((c + NUM_SHARED, BLOCK), np.float32)
    heads, whole = np.empty((NUM_HEADS, lanes), np.float32), np.empty((2, BLOCK), np.float32)
    seen, shares = np.empty((BLOCK, num_sources), np.float32), np.empty((BLOCK, num_sources), np.float32)
    edits, strengths = np.empty((BLOCK, num_sources, 6), np.float32), np.empty((num_sources, 4), np.float32)
    values, middles = np.zeros((num_sources, MEDIANS), np.float32), np.empty((BLOCK, MEDIANS), np.float32)
    told, work, no_bias = (
        np.empty((BLOCK, NUM_TOLD), np.float32),
        np.empty(12, np.float32),
        np.zeros(c, np.float32),
    )
    for begin in range(start, stop, BLOCK):
        for k in range(BLOCK):
            p = min(begin + k, stop - 1)
            look(disagreement[p], is_inside[p], seen[k], shares[k])
            edits_of(p, coarse_colors, coarse_originals, wide_colors, wide_originals, edits[k])
            medians(p, colors, originals, edits[k], seen[k], values, middles[k])
            weigh_edits(edits[k], seen[k], shares[k], middles[k], calm, strengths, told[k])
            describe(
                p, k, colors, originals, coarse_originals, angle, scale, prior, seen[k], edits[k], middles[k],
                strengths, told[k], x,
            )  # fmt: skip
        _layer(first, first_bias, x, hidden)
        _leak(hidden)
        _layer(second, second_bias, hidden, other)
        _leak(other)
        _pool(other, shares, pooled)
        _layer(pool_weights, pool_bias, pooled, context[:c])
        _layer(third, no_bias, other, hidden)
        for i in range(c):
            row, around = hidden[i], context[i]
            for s in range(num_sources):
                for k in range(BLOCK):
                    row[s * BLOCK + k] += around[k]
        _leak(hidden)
        _layer(head_weights, head_bias, hidden, heads)
        _leak(context[:c])
        for i in range(NUM_SHARED):
            for k in range(BLOCK):
                context[c + i, k] = told[k, STRONGEST + i]
        _layer(whole_weights, whole_bias, context, whole)
        for k in range(min(BLOCK, stop - begin)):
            mix(
                begin + k, k, colors, originals, prior, edits[k], shares[k], middles[k], told[k, DISCORD], temperature,
                heads, whole, work, out,
            )  # fmt: skip
