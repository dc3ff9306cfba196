"""Which triangles the cameras see."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from recon.metrics import raycasting_scene
from render.cameras import CameraSet, pixel_rays
from render.compiled import compiled_for_any_number
from render.mesh import TriangleMesh

Float = NDArray[np.float32]

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
        camera = small.cam_from_world[view], small.positions[view], small.focal[view], small.center[view]
        _mark_seen(centers, normals, *camera, behind, is_seen)
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


@compiled_for_any_number
def _mark_seen(centers, normals, cam_from_world, position, focal, center, behind, is_seen):  # type: ignore[no-untyped-def]
    """Mark faces whose centres (F, 3) are in the picture, face the camera and are not farther than `behind` (H, W)."""
    height, width = behind.shape
    for face in range(len(centers)):
        if is_seen[face]:
            continue
        x, y, z = centers[face, 0], centers[face, 1], centers[face, 2]
        away_x, away_y, away_z = x - position[0], y - position[1], z - position[2]
        if normals[face, 0] * away_x + normals[face, 1] * away_y + normals[face, 2] * away_z >= 0:
            continue
        pose = cam_from_world
        depth = pose[2, 0] * x + pose[2, 1] * y + pose[2, 2] * z + pose[2, 3]
        if depth <= 0:
            continue
        right = pose[0, 0] * x + pose[0, 1] * y + pose[0, 2] * z + pose[0, 3]
        down = pose[1, 0] * x + pose[1, 1] * y + pose[1, 2] * z + pose[1, 3]
        column = right / depth * focal[0] + center[0]
        row = down / depth * focal[1] + center[1]
        if not (0 <= column < width and 0 <= row < height):
            continue
        distance = np.sqrt(away_x * away_x + away_y * away_y + away_z * away_z)
        is_seen[face] = distance <= behind[int(row), int(column)]


def with_neighbours(mesh: TriangleMesh, is_seen: NDArray[np.bool_], rings: int = 2) -> NDArray[np.bool_]:
    """(F,) the marked faces and those around them, so that nothing seen between pixels is lost."""
    grown: NDArray[np.bool_] = is_seen
    for _ in range(rings):
        touched = np.zeros(len(mesh.vertices), bool)
        touched[mesh.faces[grown]] = True
        grown = np.asarray(touched[mesh.faces].any(1), bool)
    return grown
