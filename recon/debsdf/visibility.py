"""Which triangles the cameras see."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from recon.metrics import raycasting_scene
from render.cameras import CameraSet, pixel_rays
from render.mesh import TriangleMesh

Float = NDArray[np.float32]

FACES_AT_ONCE = 1 << 19
LONGEST_SIDE = 320  # pixels of the pictures that faces are looked for in


def seen_faces(
    mesh: TriangleMesh, cameras: CameraSet, tolerance: float
) -> Generator[int, None, NDArray[np.bool_]]:
    """(F,) faces whose front some camera sees: hit by a pixel's ray, or no deeper behind what is hit near there
    than `tolerance` in the world's unit. Yields the number of cameras done."""
    import open3d  # takes a second

    scene = raycasting_scene(mesh)
    centers, normals = _centers_and_normals(mesh)
    shrink = np.minimum(1, LONGEST_SIDE / cameras.size.max(1, keepdims=True))
    small = cameras.resized(np.maximum(1, np.round(cameras.size * shrink)).astype(np.int64))
    is_seen = np.zeros(len(mesh.faces), bool)
    for view in range(len(cameras)):
        yield view
        distance = _cast(open3d, scene, small, view, normals, is_seen)
        # The farthest hit of the pixels around: a slanted face is deeper at its pixel's edge than in its middle.
        behind = maximum_filter(distance, 3) + np.float32(tolerance)
        left = np.flatnonzero(~is_seen)
        for start in range(0, len(left), FACES_AT_ONCE):
            some = left[start : start + FACES_AT_ONCE]
            is_seen[some[_passes(small, view, centers[some], normals[some], behind)]] = True
    return is_seen


def _centers_and_normals(mesh: TriangleMesh) -> tuple[Float, Float]:
    """(F, 3) each, normals of any length; in single precision, since there may be ten million faces."""
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    return (a + b + c) / np.float32(3), np.cross(b - a, c - a)


def _cast(
    open3d: Any,
    scene: Any,
    cameras: CameraSet,
    view: int,
    normals: Float,
    is_seen: NDArray[np.bool_],
) -> Float:
    """Mark what pixels' rays hit from its front; returns distances (H, W), infinite where nothing is."""
    width, height = (int(side) for side in cameras.size[view])
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    pixels = np.stack([x.ravel(), y.ravel()], 1)
    rays_o, rays_d = pixel_rays(cameras, np.full(len(pixels), view), pixels)
    rays = open3d.core.Tensor(np.concatenate([rays_o, rays_d], 1).astype(np.float32))
    found = scene.cast_rays(rays, nthreads=1)
    distance: Float = found["t_hit"].numpy()
    faces = found["primitive_ids"].numpy().astype(np.int64)
    hit = np.isfinite(distance)
    faces, directions = faces[hit], rays_d[hit]
    is_seen[faces[(normals[faces] * directions).sum(1) < 0]] = True
    return distance.reshape(height, width)


def _passes(
    cameras: CameraSet,
    view: int,
    centers: Float,
    normals: Float,
    behind: Float,
) -> NDArray[np.bool_]:
    """(M,) whether centres (M, 3) of faces are in the picture, face the camera and are not farther than `behind`
    (H, W)."""
    pose = cameras.cam_from_world[view]
    in_cam = centers @ pose[:3, :3].T + pose[:3, 3]
    away = centers - cameras.positions[view]
    depth = np.where(in_cam[:, 2] > 0, in_cam[:, 2], np.inf)
    column, row = np.floor(in_cam[:, :2] / depth[:, None] * cameras.focal[view] + cameras.center[view]).T
    height, width = behind.shape
    is_in = np.isfinite(depth) & (column >= 0) & (row >= 0) & (column < width) & (row < height)
    is_in &= (normals * away).sum(1) < 0
    place = np.where(is_in, row, 0).astype(int), np.where(is_in, column, 0).astype(int)
    passes: NDArray[np.bool_] = is_in & (np.linalg.norm(away, axis=1) <= behind[place])
    return passes


def with_neighbours(mesh: TriangleMesh, is_seen: NDArray[np.bool_], rings: int = 2) -> NDArray[np.bool_]:
    """(F,) the marked faces and those around them, so that nothing seen between pixels is lost."""
    grown: NDArray[np.bool_] = is_seen
    for _ in range(rings):
        touched = np.zeros(len(mesh.vertices), bool)
        touched[mesh.faces[grown]] = True
        grown = np.asarray(touched[mesh.faces].any(1), bool)
    return grown
