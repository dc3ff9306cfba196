"""The loops of the joint alignment, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from render.compiled import compiled_for_any_number

GRAZING = 0.15  # cosine between ray and normal below which views say nothing about each other
ALIKE = 0.8  # cosine between the normals of two views on one surface


@compiled_for_any_number
def add_rows(index: Any, coefficients: Any, residual: Any, weights: Any, matrix: Any, right: Any) -> None:
    """Adds weighted equations sum_k coefficients[r, k] x[index[r, k]] = residual[r] to matrix (U, U), right (U,)."""
    for r in range(len(residual)):
        for a in range(index.shape[1]):
            value = weights[r] * coefficients[r, a]
            right[index[r, a]] += value * residual[r]
            for b in range(index.shape[1]):
                matrix[index[r, a], index[r, b]] += value * coefficients[r, b]


@compiled_for_any_number
def cell_seen_at(point: Any, from_world: Any, lens: Any, step: Any, width: Any, height: Any) -> Any:
    """Flat index of the lattice cell where a view sees a point; -1 where it does not.

    width, height: of the lattice. step: pixels between its points.
    """
    p = from_world
    c = p[2, 0] * point[0] + p[2, 1] * point[1] + p[2, 2] * point[2] + p[2, 3]
    if c <= 1e-9:
        return -1
    u = lens[0] * (p[0, 0] * point[0] + p[0, 1] * point[1] + p[0, 2] * point[2] + p[0, 3]) / c + lens[2]
    v = lens[1] * (p[1, 0] * point[0] + p[1, 1] * point[1] + p[1, 2] * point[2] + p[1, 3]) / c + lens[3]
    if u < 0 or v < 0 or u >= width * step or v >= height * step:
        return -1
    return int(v / step) * width + int(u / step)


@compiled_for_any_number
def offset_between(i: Any, a: Any, j: Any, b: Any, points: Any, along: Any, normals: Any, gate: Any) -> Any:
    """Whether cells a and b of views i and j show one surface; how far a lies before it, and how both would move.

    Returns found, offset, move of a, move of b (along b's normal, per unit of the logarithm of depth), tangential.
    """
    alike, offset, move_a, move_b = 0.0, 0.0, 0.0, 0.0
    square_a, square_b, square = 0.0, 0.0, 0.0
    for axis in range(3):
        n = normals[j, b, axis]
        apart = points[i, a, axis] - points[j, b, axis]
        alike += n * normals[i, a, axis]
        offset += n * apart
        move_a += n * along[i, a, axis]
        move_b += n * along[j, b, axis]
        square_a += along[i, a, axis] ** 2
        square_b += along[j, b, axis] ** 2
        square += apart * apart
    length_a, length_b = np.sqrt(square_a), np.sqrt(square_b)
    reach = gate * max(length_a, length_b)
    found = (
        alike > ALIKE
        and -move_a > GRAZING * length_a
        and -move_b > GRAZING * length_b
        and abs(offset) < reach
        and square < (2 * reach + 0.1 * length_a) ** 2
    )
    return found, offset, move_a, move_b, square - offset * offset


@compiled_for_any_number
def count_matches(
    i: Any, every: Any, points: Any, along: Any, normals: Any, is_good: Any, from_world: Any, lens: Any, step: Any,
    width: Any, height: Any, gate: Any, counts: Any,
) -> None:  # fmt: skip
    """Writes to counts (N,) how many cells of view i, every n-th, match one of each other view. Arrays as in
    `add_matches`."""
    for j in range(len(points)):
        if j == i:
            continue
        for a in range(every // 2, points.shape[1], every):
            if not is_good[i, a]:
                continue
            b = cell_seen_at(points[i, a], from_world[j], lens[j], step, width, height)
            if b >= 0 and is_good[j, b] and offset_between(i, a, j, b, points, along, normals, gate)[0]:
                counts[j] += 1


@compiled_for_any_number
def add_matches(
    i: Any, j: Any, points: Any, along: Any, normals: Any, is_good: Any, from_world: Any, lens: Any, step: Any,
    width: Any, height: Any, gate: Any, noise: Any, tilt: Any, cut: Any, nodes: Any, coefficients: Any,
    own: Any, cross: Any, right: Any,
) -> None:  # fmt: skip
    """Adds to the normal equations that the cells of view i lie on the planes of view j's.

    points: (N, S, 3) in the world. along: (N, S, 3) how they move per unit of the logarithm of depth. normals:
    (N, S, 3). is_good: (N, S). from_world: (N, 3, 4), lens: (N, 4) focal lengths and centre. noise: standard deviation
    of the logarithm of depth; tilt: of normals, radians; cut: where weights begin to fall (Geman and McClure).
    nodes: (S, K) which unknowns move a cell, coefficients: (N, S, K) by how much. own: (N, U, U), cross: (U, U) rows of
    i and columns of j, right: (N, U).
    """
    for a in range(points.shape[1]):
        if not is_good[i, a]:
            continue
        b = cell_seen_at(points[i, a], from_world[j], lens[j], step, width, height)
        if b < 0 or not is_good[j, b]:
            continue
        found, offset, move_a, move_b, square = offset_between(i, a, j, b, points, along, normals, gate)
        if not found:
            continue
        both = move_a * move_a + move_b * move_b
        size = np.sqrt(both)
        residual = -offset / size
        weight = 1 / (1 + (residual / cut) ** 2) ** 2 / (noise * noise + tilt * tilt * square / both)
        for m in range(nodes.shape[1]):
            to_a = move_a / size * coefficients[i, a, m]
            to_b = -move_b / size * coefficients[j, b, m]
            right[i, nodes[a, m]] += weight * to_a * residual
            right[j, nodes[b, m]] += weight * to_b * residual
            for n in range(nodes.shape[1]):
                with_a = move_a / size * coefficients[i, a, n]
                with_b = -move_b / size * coefficients[j, b, n]
                own[i, nodes[a, m], nodes[a, n]] += weight * to_a * with_a
                own[j, nodes[b, m], nodes[b, n]] += weight * to_b * with_b
                cross[nodes[a, m], nodes[b, n]] += weight * to_a * with_b
