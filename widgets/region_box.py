"""The box to reconstruct, as a transform from [-1, 1]^3: its corners, its faces, and edits of it. No Qt, no VTK."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SIGNS = np.array(list(product((-1.0, 1.0), repeat=3)))
FACES = tuple((axis, side) for axis in range(3) for side in (-1, 1))  # (axis, side) of the six
_LEAST = 0.02  # of the longest side: a face cannot be pushed through the opposite one


def box_points(world_from_region: Array) -> Array:
    """(8, 3) corners in the world."""
    placed: Array = _SIGNS @ world_from_region[:3, :3].T + world_from_region[:3, 3]
    return placed


def box_edges() -> NDArray[np.int64]:
    """(12, 2) pairs of the corners that an edge joins."""
    pairs = [(i, j) for i in range(8) for j in range(i + 1, 8) if np.abs(_SIGNS[i] - _SIGNS[j]).sum() == 2]
    return np.array(pairs)


def face_center(world_from_region: Array, face: tuple[int, int]) -> Array:
    """(3,) middle of a face."""
    axis, side = face
    center: Array = world_from_region[:3, 3] + side * world_from_region[:3, axis]
    return center


def with_face_moved(world_from_region: Array, face: tuple[int, int], by: float) -> Array:
    """The box with one face moved outwards by a length; the opposite one stays."""
    axis, side = face
    half = world_from_region[:3, axis]
    length = float(np.linalg.norm(half))
    longest = float(np.linalg.norm(world_from_region[:3, :3], axis=0).max())
    new_length = max(length + by / 2, _LEAST * longest)
    moved = world_from_region.copy()
    moved[:3, axis] = half * (new_length / length)
    moved[:3, 3] += side * (moved[:3, axis] - half)
    return moved


def moved_by(world_from_region: Array, shift: Array) -> Array:
    """The box moved as a whole."""
    moved = world_from_region.copy()
    moved[:3, 3] += shift
    return moved


def fitted(points: Array, cameras: Array, margin: float = 0.05) -> Array:
    """An upright box (4, 4) around most points (M, 3), and around the cameras (N, 3) where there are few points.

    The outermost 1 % of the points of each side are left out: they are often wrong."""
    around = np.quantile(points, [0.01, 0.99], axis=0) if len(points) >= 20 else cameras
    low, high = around.min(0), around.max(0)
    half = np.maximum((high - low) / 2 * (1 + 2 * margin), 1e-3 * max(float((high - low).max()), 1e-6))
    region = np.eye(4)
    region[:3, :3] = np.diag(half)
    region[:3, 3] = (low + high) / 2
    return region
