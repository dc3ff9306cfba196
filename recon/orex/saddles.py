"""Where a solid grows together as its field's level rises: the thinnest places of its handles.

Points are added in the order of their values. A point whose lower neighbours hang apart around it is a saddle: it
joins two parts, or, where these hang together elsewhere already, it closes a loop, which is a handle of the solid.
The deeper below zero a loop closes, the thicker is the handle's thinnest place.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from recon.orex.grid import Field
from render.compiled import compiled

Ints = NDArray[np.int64]

ALL_AROUND = np.ones((3, 3, 3), bool)  # neighbours by face, edge and corner


class Saddle(NamedTuple):
    """A grid point (i, j, k) that closes a loop, and the field's value there."""

    point: tuple[int, int, int]
    value: float


def loop_saddles(field: Field, least: float, most: float = 0.0) -> list[Saddle]:
    """Points with values from least to most at which {field < level} closes a loop, thinnest first."""
    flat = np.ascontiguousarray(field).reshape(-1)
    band = np.flatnonzero((flat >= least) & (flat < most))
    order = band[np.argsort(flat[band], kind="stable")]
    roots = _deep_roots(field, least)
    closing = np.zeros(len(order), bool)
    _sweep(np.array(field.shape), order, roots, closing)
    found = order[closing][::-1]
    points = np.stack(np.unravel_index(found, field.shape), 1).tolist()
    return [Saddle((i, j, k), float(flat[n])) for (i, j, k), n in zip(points, found, strict=True)]


def _deep_roots(field: Field, least: float) -> Ints:
    """(N,) for each point below `least` one point of its connected part, the same for all; -1 elsewhere."""
    labels, count = ndimage.label(field < least, ALL_AROUND)
    flat = labels.reshape(-1)
    first = np.full(count + 1, -1, np.int64)
    deep = np.flatnonzero(flat)
    first[flat[deep]] = deep
    return np.asarray(first[flat])


@compiled
def _root(roots: Ints, n: int) -> int:
    while roots[n] != n:
        roots[n] = roots[roots[n]]
        n = roots[n]
    return n


@compiled
def _sweep(shape: Ints, order: Ints, roots: Ints, closing: NDArray[np.bool_]) -> None:
    """Add the points of `order` to the parts that `roots` tells, and mark those that close a loop."""
    ny, nz = shape[1], shape[2]
    around = np.empty((26, 3), np.int64)
    part = np.empty(26, np.int64)  # which of the parts around the point each neighbour is in
    for place in range(len(order)):
        n = order[place]
        i, j, k = n // (ny * nz), n // nz % ny, n % nz
        count = 0
        for a in range(max(i - 1, 0), min(i + 2, shape[0])):
            for b in range(max(j - 1, 0), min(j + 2, ny)):
                for c in range(max(k - 1, 0), min(k + 2, nz)):
                    if roots[(a * ny + b) * nz + c] >= 0:
                        around[count, 0], around[count, 1], around[count, 2] = a, b, c
                        part[count] = count
                        count += 1
        for p in range(count):
            for q in range(p):
                if part[p] != part[q] and np.abs(around[p] - around[q]).max() <= 1:
                    old, new = part[p], part[q]
                    for r in range(count):
                        if part[r] == old:
                            part[r] = new
        roots[n] = n
        for p in range(count):
            if part[p] != p:
                continue  # Each part is asked once, by the neighbour that it is named after.
            other = _root(roots, (around[p, 0] * ny + around[p, 1]) * nz + around[p, 2])
            mine = _root(roots, n)
            if other == mine:
                closing[place] = True
            else:
                roots[mine] = other
