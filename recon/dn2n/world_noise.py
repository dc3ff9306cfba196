"""Noise that is anchored in the world, so that it looks the same from all sides."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.compiled import compiled, in_threads


def fractal_noise(points: NDArray[np.floating], octaves: int = 4, seed: int = 0) -> NDArray[np.float32]:
    """Value noise of several octaves at (..., 3) points, within 0 and 1, of features about one unit wide."""
    places = np.ascontiguousarray(points, np.float32).reshape(-1, 3)
    out = np.zeros(len(places), np.float32)
    in_threads(_add_octaves, len(places), 16384, places, octaves, np.uint32(seed), out)
    return out.reshape(points.shape[:-1])


@compiled
def _corner(x: int, y: int, z: int, seed: Any) -> Any:
    """A random number within 0 and 1 of a corner of the lattice."""
    mixed = np.uint32(x * 73856093) ^ np.uint32(y * 19349663) ^ np.uint32(z * 83492791)
    mixed = np.uint32((mixed ^ np.uint32(seed * np.uint32(2654435761))) * np.uint32(0x9E3779B1))
    mixed = np.uint32((mixed ^ (mixed >> np.uint32(15))) * np.uint32(0x85EBCA6B))
    return np.float32((mixed ^ (mixed >> np.uint32(13))) & np.uint32(0xFFFF)) / np.float32(65535)


@compiled
def _value(x: float, y: float, z: float, seed: Any) -> Any:
    i, j, k = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
    fx, fy, fz = x - i, y - j, z - k
    fx, fy, fz = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy), fz * fz * (3 - 2 * fz)
    total = 0.0
    for a in range(2):
        for b in range(2):
            for c in range(2):
                weight = (fx if a else 1 - fx) * (fy if b else 1 - fy) * (fz if c else 1 - fz)
                total += weight * _corner(i + a, j + b, k + c, seed)
    return total


@compiled
def _add_octaves(start: int, stop: int, points: Any, octaves: int, seed: Any, out: Any) -> None:
    for p in range(start, stop):
        scale, share, total, whole = 1.0, 0.5, 0.0, 0.0
        for octave in range(octaves):
            x, y, z = points[p, 0] * scale, points[p, 1] * scale, points[p, 2] * scale
            total += share * _value(x, y, z, seed + np.uint32(octave))
            whole += share
            scale, share = scale * 2, share * 0.5
        out[p] = total / whole
