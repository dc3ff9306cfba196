"""Numba kernels of training: pictures of rays, and the way back from them to every parameter.

`recon.nerf.twin` says the same in torch, where autograd goes the way back.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from render.compiled import Kernel, compiled
from render.radiance_kernels import BLOCK, corners_of, density_of, layer, level_of
from render.radiance_march import NEVER, code_of

_F = np.float32
_ZERO, _HALF, _ONE = _F(0), _F(0.5), _F(1)
BETA_1, BETA_2, EPSILON = 0.9, 0.99, 1e-15  # of Adam, as in Instant NGP
_B1, _B2, _EPSILON = _F(BETA_1), _F(BETA_2), _F(EPSILON)
DEPTH_REACH = 0.2  # of a depth: how far off is as bad as nothing at all


@compiled
def slopes_of_rays(
    start: Any, stop: Any, weights: Any, widths: Any, places: Any, spots: Any, slots: Any, shared: Any,
    colors: Any, of_rgb: Any, of_alpha: Any, distortion: Any, known: Any, trust: Any, of_density: Any,
    of_colors: Any, costs: Any,
) -> None:  # fmt: skip
    """Slopes by the logarithm of density (…, BLOCK) and by colours before the sigmoid (…, 4, BLOCK) of what is chosen.

    of_rgb, of_alpha: (R, 3), (R,) slopes by what `sum_rays` gave. distortion: weight of mip-NeRF 360's loss. known:
    (R,) distance of the surface, trust: (R,) the weight of that, 0 where unknown. costs: (R, 2) is written, the loss by
    distortion and by known distances.
    """
    count = weights.shape[1]
    by_weight, left_after = np.empty(count, np.float32), np.empty(count, np.float32)
    for ray in range(start, stop):
        total, moment, left = _ZERO, _ZERO, _ONE
        for s in range(count):
            i = ray * count + s
            left *= np.exp(-density_of(shared[i // BLOCK, 0, i % BLOCK]) * widths[ray, s])
            left_after[s] = left
            total += weights[ray, s]
            moment += weights[ray, s] * spots[ray, s]
        before, moment_before = _ZERO, _ZERO
        bent, off = _ZERO, _ZERO
        for s in range(count):
            n = slots[ray, s]
            if n < 0:
                continue
            weight, spot = weights[ray, s], spots[ray, s]
            block, lane = n // BLOCK, n % BLOCK
            slope = of_alpha[ray]
            nearness = near_share(places[ray, s])
            for channel in range(3):
                color = colors[block, channel, lane]
                slope += of_rgb[ray, channel] * color
                bend = nearness * weight * color * (_ONE - color)
                of_colors[block, channel, lane] = of_rgb[ray, channel] * bend
            of_colors[block, 3, lane] = _ZERO
            behind, moment_behind = total - before - weight, moment - moment_before - weight * spot
            spread = spot * before - moment_before + moment_behind - spot * behind
            wide = _gap(spots, ray, s, count) / _F(3)
            slope += distortion * _F(2) * (spread + wide * weight)
            bent += weight * (spread + wide * weight)
            if trust[ray] > 0:
                away = min(abs(places[ray, s] - known[ray]) / (_F(DEPTH_REACH) * known[ray]), _ONE) - _ONE
                slope += trust[ray] * away
                off += weight * away
            by_weight[s] = slope
            before += weight
            moment_before += weight * spot
        costs[ray, 0], costs[ray, 1] = distortion * bent, trust[ray] * (off + _ONE)
        later = _ZERO
        for back in range(count):
            s = count - 1 - back
            n = slots[ray, s]
            if n < 0:
                continue
            i = ray * count + s
            logarithm = shared[i // BLOCK, 0, i % BLOCK]
            slope = widths[ray, s] * (left_after[s] * by_weight[s] - later) * density_of(logarithm)
            slope *= near_share(places[ray, s])
            of_density[n // BLOCK, n % BLOCK] = slope if logarithm < _F(10) else _ZERO
            later += weights[ray, s] * by_weight[s]


@compiled
def near_share(place: Any) -> Any:
    """How much a sample at a distance (box units) teaches: rays of one camera are dense before it, and would else put
    there what only that camera sees ("Floaters no more", Philip and Deschaintre 2023)."""
    return min(place * place, _ONE)


@compiled
def _gap(spots: Any, ray: Any, s: Any, count: Any) -> Any:
    """How far apart the neighbours of a sample are, halved."""
    last, following = max(s - 1, 0), min(s + 1, count - 1)
    return (spots[ray, following] - spots[ray, last]) * _HALF


@compiled
def _add_outer(above: Any, below: Any, of_weights: Any, of_biases: Any) -> None:
    """of_weights (O, I) += above (O, B) below (I, B)^T, of_biases (O,) += sums of above."""
    count = above.shape[1]
    for o in range(above.shape[0]):
        row = above[o]
        total = _ZERO
        for s in range(count):
            total += row[s]
        of_biases[o] += total
        for i in range(0, below.shape[0], 4):
            w, x, y, z = below[i], below[i + 1], below[i + 2], below[i + 3]
            a = b = c = d = _ZERO
            for s in range(count):
                value = row[s]
                a += value * w[s]
                b += value * x[s]
                c += value * y[s]
                d += value * z[s]
            of_weights[o, i] += a
            of_weights[o, i + 1] += b
            of_weights[o, i + 2] += c
            of_weights[o, i + 3] += d


@compiled
def _cut(slopes: Any, hidden: Any) -> None:
    """Nothing where the layer was cut off."""
    for o in range(slopes.shape[0]):
        row, kept = slopes[o], hidden[o]
        for s in range(row.shape[0]):
            row[s] = row[s] if kept[s] > _ZERO else _ZERO


@compiled
def color_slopes(
    start: Any, stop: Any, per_group: Any, inputs: Any, first: Any, second: Any, of_colors: Any, w3: Any,
    w4: Any, w5: Any, of_w3: Any, of_b3: Any, of_w4: Any, of_b4: Any, of_w5: Any, of_b5: Any, of_inputs: Any,
) -> None:  # fmt: skip
    """Back through the colour network. Groups start … stop of blocks write their own sums of slopes (groups, …)."""
    width = second.shape[1]
    third, above, below = (
        np.empty((width, BLOCK), np.float32),
        np.empty((width, BLOCK), np.float32),
        w3.T.copy(),
    )
    back4, back5, none = w4.T.copy(), w5.T.copy(), np.zeros(max(width, w3.shape[1]), np.float32)
    for group in range(start, stop):
        for block in range(group * per_group, min((group + 1) * per_group, len(inputs))):
            _add_outer(of_colors[block], second[block], of_w5[group], of_b5[group])
            layer(back5, none, of_colors[block], third, False)
            _cut(third, second[block])
            _add_outer(third, first[block], of_w4[group], of_b4[group])
            layer(back4, none, third, above, False)
            _cut(above, first[block])
            _add_outer(above, inputs[block], of_w3[group], of_b3[group])
            layer(below[: of_inputs.shape[1]], none, above, of_inputs[block], False)


@compiled
def shared_slopes(
    start: Any, stop: Any, per_group: Any, chosen: Any, features: Any, of_density: Any, of_shared: Any, w1: Any,
    b1: Any, w2: Any, of_w1: Any, of_b1: Any, of_w2: Any, of_b2: Any, of_features: Any,
) -> None:  # fmt: skip
    """Back through the first network for what is chosen (M,); of_shared: (…, O, BLOCK) slopes that colours left."""
    width, num_features = w1.shape
    used, hidden = np.zeros((num_features, BLOCK), np.float32), np.empty((width, BLOCK), np.float32)
    above, back1, back2 = np.empty((width, BLOCK), np.float32), w1.T.copy(), w2.T.copy()
    none = np.zeros(max(width, num_features), np.float32)
    for group in range(start, stop):
        for block in range(group * per_group, min((group + 1) * per_group, len(of_shared))):
            for lane in range(BLOCK):
                n = block * BLOCK + lane
                if n < len(chosen):
                    i = chosen[n]
                    for k in range(num_features):
                        used[k, lane] = features[i // BLOCK, k, i % BLOCK]
                    of_shared[block, 0, lane] += of_density[block, lane]
                else:
                    for k in range(num_features):
                        used[k, lane] = _ZERO
                    for k in range(of_shared.shape[1]):
                        of_shared[block, k, lane] = _ZERO
            layer(w1, b1, used, hidden, True)
            _add_outer(of_shared[block], hidden, of_w2[group], of_b2[group])
            layer(back2, none, of_shared[block], above, False)
            _cut(above, hidden)
            _add_outer(above, used, of_w1[group], of_b1[group])
            layer(back1, none, above, of_features[block], False)


@cache
def scatterer(width: int) -> Kernel:
    """The kernel scatter(start, stop, points, chosen, of_features, levels, openness, of_table) for `width` features a
    level: levels start … stop add to their rows of the flat of_table."""

    @compiled
    def scatter(
        start: Any,
        stop: Any,
        points: Any,
        chosen: Any,
        of_features: Any,
        levels: Any,
        openness: Any,
        of_table: Any,
    ) -> None:
        values = np.empty(width, np.float32)
        for level in range(start, stop):
            if openness[level] <= 0:
                continue
            of_level, share = level_of(levels, level, width), openness[level]
            column = np.uint64(level * width)
            for n in range(len(chosen)):
                (a, b, c, d, e, f, g, h), (u, v, w) = corners_of(points, chosen[n], of_level)
                block, lane = np.uint64(n // BLOCK), np.uint64(n % BLOCK)
                for k in range(width):
                    values[k] = share * of_features[block, column + np.uint64(k), lane]
                for k in range(width):
                    at = np.uint64(k)
                    far = values[k] * w
                    near = values[k] - far
                    cd, gh = near * v, far * v
                    ab, ef = near - cd, far - gh
                    of_b, of_d, of_f, of_h = ab * u, cd * u, ef * u, gh * u
                    of_table[a + at] += ab - of_b
                    of_table[b + at] += of_b
                    of_table[c + at] += cd - of_d
                    of_table[d + at] += of_d
                    of_table[e + at] += ef - of_f
                    of_table[f + at] += of_f
                    of_table[g + at] += gh - of_h
                    of_table[h + at] += of_h

    return scatter


@compiled
def follow_slopes(
    start: Any,
    stop: Any,
    values: Any,
    slopes: Any,
    means: Any,
    squares: Any,
    rate: Any,
    unbias: Any,
    is_sparse: Any,
) -> None:
    """Adam on flat arrays; slopes are zeroed. rate: divided by the first moment's bias; unbias: one over the second's.
    is_sparse: what has no slope stays as it is, as in tiny-cuda-nn."""
    for i in range(start, stop):
        slope = slopes[i]
        if is_sparse and slope == _ZERO:
            continue
        slopes[i] = _ZERO
        mean = _B1 * means[i] + (_ONE - _B1) * slope
        square = _B2 * squares[i] + (_ONE - _B2) * slope * slope
        means[i], squares[i] = mean, square
        values[i] -= rate * mean / (np.sqrt(square * unbias) + _EPSILON)


@compiled
def heed_samples(
    points: Any, shared: Any, widths: Any, cells: Any, extent: Any, fall: Any, codes: Any
) -> None:
    """Tell the density grid's codes (cells^3,) of samples: up at once, down by `fall`. extent: of the unit cube that
    the cells fill."""
    scale = _F(cells) / extent
    none, last = np.int32(0), np.int32(cells - 1)
    flat = widths.ravel()
    for n in range(len(points)):
        if flat[n] <= 0:
            continue
        i, j, k = (
            np.int32(points[n, 0] * scale),
            np.int32(points[n, 1] * scale),
            np.int32(points[n, 2] * scale),
        )
        i, j, k = min(max(i, none), last), min(max(j, none), last), min(max(k, none), last)
        at = np.uint64((i * np.int32(cells) + j) * np.int32(cells) + k)
        known: Any = np.int32(codes[at])
        if known != NEVER:
            code: Any = code_of(shared[n // BLOCK, 0, n % BLOCK])
            codes[at] = code if code > known - fall else known - fall
