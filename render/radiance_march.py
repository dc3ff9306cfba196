"""Numba kernels that place samples along rays of radiance fields: more where the density grid says that light is lost.

Rays are in box units with directions of length 1. `recon.nerf.twin` says the same in torch, readably.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from render.compiled import Float, compiled
from render.radiance_layout import FARTHEST

MOST_BINS = 768  # along a ray
LEAST_LEFT = 1e-3  # share of the light beyond which a ray is not followed
WIDEST = 16.0  # bins that a sample may stand for
STEP_CAP = 0.7  # of a bin's absorption by the density grid: what is behind it is looked at, too
NEVER, EMPTY, STEPS_AN_OCTAVE, MIDDLE_CODE = 0, 1, 8, 96  # of the codes of the density grid

_F = np.float32
_ZERO, _HALF, _ONE = _F(0), _F(0.5), _F(1)
_FAR = _F(FARTHEST)


def code_densities() -> Float:
    """(256,) density per box unit that a code of the density grid stands for; 0 is never looked at, 1 is empty."""
    densities = np.exp2((np.arange(256) - MIDDLE_CODE) / STEPS_AN_OCTAVE).astype(np.float32)
    densities[:2] = 0
    return densities


@compiled
def code_of(logarithm: Any) -> Any:
    """The code of a density, of which the first network gives the logarithm as `density_of` reads it."""
    code: Any = np.int32(
        (min(logarithm, _F(10)) - _ONE) * _F(STEPS_AN_OCTAVE / np.log(2)) + _F(MIDDLE_CODE + 0.5)
    )
    return np.int32(min(max(code, 1), 255))


@compiled
def shrink(largest: Any, shell: Any) -> Any:
    """What to multiply a place by to contract it. largest: its largest coordinate, without sign."""
    if largest <= _ONE:
        return _ONE
    return (_ONE + shell * (_ONE - _ONE / largest)) / largest


@compiled
def cell_of(x: Any, y: Any, z: Any, shell: Any, cells: Any) -> Any:
    """Number of the cell of the density grid that a place lies in, and its largest coordinate."""
    largest = max(abs(x), abs(y), abs(z))
    factor = shrink(largest, shell) / (_ONE + shell) * _HALF * _F(cells)
    middle = _HALF * _F(cells)
    i, j, k = np.int32(x * factor + middle), np.int32(y * factor + middle), np.int32(z * factor + middle)
    none, last = np.int32(0), np.int32(cells - 1)
    i, j, k = min(max(i, none), last), min(max(j, none), last), min(max(k, none), last)
    return np.uint64((i * cells + j) * cells + k), largest


@compiled
def place_samples(
    start: Any, stop: Any, origins: Any, directions: Any, nearest: Any, noise: Any, explore: Any, shell: Any,
    extent: Any, cells: Any, codes: Any, densities: Any, places: Any, widths: Any, spots: Any, points: Any,
) -> None:  # fmt: skip
    """Samples of rays start … stop, more where the density grid says that light is absorbed (its inverse CDF).

    origins, directions: (R, 3). nearest: distance before which nothing is. noise: (R, 2) within [0, 1), where bins
    begin and where in its share of the CDF a sample lies. explore: of all samples, how many are spread evenly over
    what light reaches. extent: of the hash grid's unit cube, the edge that is used. codes: (cells^3,) of the density grid, densities: (256,) theirs. Writes (R, S): places,
    distances along the ray; widths, how long a part of the ray each sample stands for, 0 for none; spots, how far
    along all bins it is, within 0 and 1; and points (R * S, 3) within the hash grid's unit cube.
    """
    edges = np.empty(MOST_BINS + 1, np.float32)
    chances, left_at = np.empty(MOST_BINS, np.float32), np.empty(MOST_BINS, np.float32)
    to_unit, half = _HALF * extent / (_ONE + shell), _HALF * extent
    num_samples = places.shape[1]
    for ray in range(start, stop):
        origin, direction = origins[ray], directions[ray]
        count = _absorb(
            origin, direction, nearest, noise[ray, 0], shell, cells, codes, densities, edges, chances, left_at
        )
        total = _explore(explore, count, chances, left_at)
        if total < 0:
            places[ray], widths[ray], spots[ray] = nearest, _ZERO, _ZERO
            points[ray * num_samples : (ray + 1) * num_samples] = half
            continue
        _invert(noise[ray, 1], total, count, edges, chances, places[ray], widths[ray], spots[ray])
        for s in range(num_samples):
            t = places[ray, s]
            x, y, z = origin[0] + t * direction[0], origin[1] + t * direction[1], origin[2] + t * direction[2]
            factor = shrink(max(abs(x), abs(y), abs(z)), shell) * to_unit
            point = points[ray * num_samples + s]
            point[0], point[1], point[2] = x * factor + half, y * factor + half, z * factor + half


@compiled
def _absorb(
    origin: Any, direction: Any, nearest: Any, jitter: Any, shell: Any, cells: Any, codes: Any, densities: Any,
    edges: Any, chances: Any, left_at: Any,
) -> Any:  # fmt: skip
    """Along a ray through the density grid: edges of bins, the light that each absorbs, and a quarter of what its
    neighbours do; what is left of the light before each, -1 where nothing is ever looked at. Returns how many there are.
    """
    ox, oy, oz = origin[0], origin[1], origin[2]
    dx, dy, dz = direction[0], direction[1], direction[2]
    cell = _F(2) * (_ONE + shell) / _F(cells)
    t, left, count = nearest + jitter * cell, _ONE, 0
    before = _ZERO
    for _ in range(MOST_BINS):
        largest = max(abs(ox + t * dx), abs(oy + t * dy), abs(oz + t * dz))
        step = cell
        if largest > _ONE:
            step = cell * largest * np.sqrt(largest)
        middle = t + _HALF * step
        at, largest = cell_of(ox + middle * dx, oy + middle * dy, oz + middle * dz, shell, cells)
        if largest > _FAR or left < _F(LEAST_LEFT):
            break
        code = codes[at]
        edges[count] = t
        t += step
        edges[count + 1] = t
        weight = _ZERO
        if code > EMPTY:
            depth = densities[code] * step
            # Near enough to 1 - exp(-depth), and cheaper.
            weight = left * min(depth / (_ONE + depth), _F(STEP_CAP))
        left_at[count] = left if code != NEVER else _F(-1)
        chances[count] = weight + _F(0.25) * before
        if count:
            chances[count - 1] += _F(0.25) * weight
        before = weight
        left -= weight
        count += 1
    return count


@compiled
def _explore(explore: Any, count: Any, chances: Any, left_at: Any) -> Any:
    """Give each bin its share of the samples that are spread evenly over what light reaches, none to those that are
    never looked at. Returns the sum of all chances, -1 where no bin may be looked at."""
    total, free = _ZERO, _ZERO
    for k in range(count):
        if left_at[k] < 0:
            chances[k] = _ZERO
        else:
            total += chances[k]
            free += left_at[k]
    if free <= 0:
        return _F(-1)
    # Where the density grid knows of nothing all samples explore.
    shared = explore * max(total, _F(0.05)) / free
    total = _ZERO
    for k in range(count):
        if left_at[k] >= 0:
            chances[k] += shared * left_at[k]
            total += chances[k]
    return total


@compiled
def _invert(
    jitter: Any, total: Any, count: Any, edges: Any, chances: Any, places: Any, widths: Any, spots: Any
) -> None:
    """Places, widths and spots (S,) of samples at equal steps of the sum of chances."""
    num_samples = len(places)
    per_sample = total / _F(num_samples)
    k, done = 0, _ZERO
    for s in range(num_samples):
        wanted = (_F(s) + jitter) * per_sample
        while k < count - 1 and done + chances[k] <= wanted:
            done += chances[k]
            k += 1
        chance = max(chances[k], _F(1e-9))
        part = min(max((wanted - done) / chance, _ZERO), _F(0.9999))
        step = edges[k + 1] - edges[k]
        share = min(per_sample / chance, _F(WIDEST))
        places[s] = edges[k] + part * step
        widths[s] = step * share if chances[k] > 0 else _ZERO
        spots[s] = (_F(k) + part) / _F(MOST_BINS)
