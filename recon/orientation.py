"""Which way is up in a scene: from three points on the floor, or from the floor that its points show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recon.errors import InputError
from render.cameras import CameraSet
from render.frame import Axis, axis_vector
from render.transforms import Similarity3

Array = NDArray[np.float64]
_TRIALS = 1500
_TILT = np.radians(35)  # a floor is not steeper against the cameras' mean up
_THICKNESS = 0.004  # of the scene's size, within which points count as on the floor
_LEAST_SHARE = 0.03  # of the points that a floor must hold
_BELOW = 0.03  # of the points at most may lie below the floor


def up_of_cameras(cameras: CameraSet) -> Array:
    """(3,) the mean direction that is up in the pictures; people mostly hold a camera level."""
    up: Array = -cameras.cam_from_world[:, 1, :3].sum(0)
    length = float(np.linalg.norm(up))
    return up / length if length > 1e-9 else np.array([0.0, 0.0, 1.0])


def turned_up(points: Array, above: Array, up: Axis) -> Similarity3:
    """The motion that lays three points (3, 3) on the ground. above: (3,) any point that shall be over it.

    Raises InputError when the points lie on one line.
    """
    normal = np.cross(points[1] - points[0], points[2] - points[0])
    length = float(np.linalg.norm(normal))
    if length < 1e-9 * max(1e-30, float(np.ptp(points, axis=0).max()) ** 2):
        raise InputError("The three points lie on one line.", "Choose three points that span a triangle.")
    normal = normal / length
    if normal @ (above - points[0]) < 0:
        normal = -normal
    return _onto_ground(normal, points.mean(0), up)


def floor_up(points: Array, cameras: CameraSet, up: Axis, seed: int = 0) -> Similarity3:
    """The motion that lays the scene's floor on the ground: the lowest large plane of its points (M, 3).

    Planes through three random points are counted (Fischler and Bolles 1981). Raises InputError without a floor.
    """
    guess = up_of_cameras(cameras)
    plane = _best_plane(points, guess, np.random.default_rng(seed)) if len(points) >= 30 else None
    if plane is None:
        raise InputError(
            "No floor was found among the points.",
            "Choose three points on the floor instead, or reconstruct first and orient then.",
        )
    normal, center = plane
    return _onto_ground(normal, center, up)


def _best_plane(points: Array, guess: Array, rng: np.random.Generator) -> tuple[Array, Array] | None:
    low, high = np.quantile(points, [0.02, 0.98], axis=0)
    thickness = _THICKNESS * float(np.linalg.norm(high - low))
    triples = points[rng.integers(0, len(points), (_TRIALS, 3))]
    normals = np.cross(triples[:, 1] - triples[:, 0], triples[:, 2] - triples[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    normals = normals / np.maximum(lengths, 1e-30)[:, None]
    normals *= np.sign(normals @ guess)[:, None]
    sample = points[rng.permutation(len(points))[:5000]]
    best, most = None, _LEAST_SHARE
    for normal, corner in zip(normals, triples[:, 0], strict=True):
        if normal @ guess < np.cos(_TILT):
            continue
        heights = (sample - corner) @ normal
        share = float((np.abs(heights) < thickness).mean())
        if share > most and (heights < -3 * thickness).mean() <= _BELOW:
            best, most = (normal, corner), share
    return None if best is None else _refined(points, best, thickness)


def _refined(points: Array, plane: tuple[Array, Array], thickness: float) -> tuple[Array, Array]:
    """The plane that fits its points best; ever nearer ones count, so that feet of walls do not tilt it."""
    normal, center = plane
    for reach in (2.0, 2.0, 1.0, 1.0, 0.5, 0.5, 0.25):
        near = points[np.abs((points - center) @ normal) < reach * thickness]
        if len(near) < 12:
            break
        center = near.mean(0)
        fitted = np.linalg.svd(near - center, full_matrices=False)[2][2]
        normal = fitted * (np.sign(fitted @ normal) or 1)
    return normal, center


def _onto_ground(normal: Array, on_plane: Array, up: Axis) -> Similarity3:
    """Turns `normal` to the up axis by the shortest way and moves the plane to height zero."""
    target = axis_vector(up)
    rotation = _shortest_turn(normal, target)
    height = float((rotation @ on_plane) @ target)
    return Similarity3(rotation, -height * target)


def _shortest_turn(start: Array, end: Array) -> Array:
    """The rotation (3, 3) by the least angle that takes one unit vector to another (Rodrigues)."""
    axis, cosine = np.cross(start, end), float(start @ end)
    if cosine < -1 + 1e-9:  # Opposite: any half turn across.
        across = np.cross(start, np.eye(3)[int(np.argmin(np.abs(start)))])
        across /= np.linalg.norm(across)
        half_turn: Array = 2 * np.outer(across, across) - np.eye(3)
        return half_turn
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    rotation: Array = np.eye(3) + cross + cross @ cross / (1 + cosine)
    return rotation
