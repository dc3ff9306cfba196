"""Where in the world the pixels of a view lie, and which way the surface there faces."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors.editor import SceneView
from render.compiled import compiled

Float = NDArray[np.float32]

_FILL = 17  # pixels: holes up to half as far from known depth are filled
_STEP = 1.12  # far over near, within five pixels, that is an edge and no slope
_GRAZING = np.float32(0.12)  # cosine to the ray, below which a plane says little about depth
_FAR = 2.0  # what has no depth lies so many times as far as the farthest that has


@dataclass(frozen=True)
class ViewGeometry:
    """depth: (H, W) z-depth without holes, world unit. points: (H, W, 3) in the world. distance: (H, W) from the camera
    along the ray. is_known: (H, W) where depth was given or lies beside such. eye: (3,) the camera's centre."""

    depth: Float
    points: Float
    distance: Float
    is_known: NDArray[np.bool_]
    eye: NDArray[np.float64]


def view_geometry(view: SceneView, far: float = 0.0) -> ViewGeometry:
    """The geometry of a view. far: z-depth of what has none; 0 for twice the farthest that this view knows, or 1
    where it knows none."""
    filled = _sharpened(filled_depth(view.depth))
    is_known = filled > 0
    if far <= 0:
        far = _FAR * float(filled.max()) if is_known.any() else 1.0
    depth = np.where(is_known, filled, np.float32(far))
    columns, rows = pixel_directions(view)
    in_cam = np.empty((*depth.shape, 3), np.float32)
    in_cam[..., 0], in_cam[..., 1], in_cam[..., 2] = columns * depth, rows[:, None] * depth, depth
    rotation = view.cam_from_world[:3, :3]
    eye = -rotation.T @ view.cam_from_world[:3, 3]
    points = in_cam.reshape(-1, 3) @ rotation.astype(np.float32) + eye.astype(np.float32)
    distance = depth * np.sqrt(columns**2 + (rows**2)[:, None] + 1)
    return ViewGeometry(depth, points.reshape(in_cam.shape), np.asarray(distance, np.float32), is_known, eye)


def moved_onto(
    geometry: ViewGeometry, planes: Float, is_sure: NDArray[np.bool_], slack: float
) -> ViewGeometry:
    """Every point moved along its ray onto a plane, where one is near.

    planes: (H, W, 4) a normal of any length and, times that length, how far the plane is from the camera along it.
    is_sure: (H, W) where there is one. slack: of the distance, how far it may be from the point."""
    depth, distance, points = (np.empty_like(a) for a in (geometry.depth, geometry.distance, geometry.points))
    _move_onto(
        geometry.depth, geometry.distance, geometry.points, geometry.eye.astype(np.float32), planes, is_sure,
        np.float32(slack), depth, distance, points,
    )  # fmt: skip
    return replace(geometry, depth=depth, points=points, distance=distance)


@compiled
def _move_onto(
    depth: Float, distance: Float, points: Float, eye: Float, planes: Float, is_sure: NDArray[np.bool_], slack: float,
    new_depth: Float, new_distance: Float, new_points: Float,
) -> None:  # fmt: skip
    for row in range(depth.shape[0]):
        for column in range(depth.shape[1]):
            x = points[row, column, 0] - eye[0]
            y = points[row, column, 1] - eye[1]
            z = points[row, column, 2] - eye[2]
            a, b, c = planes[row, column, 0], planes[row, column, 1], planes[row, column, 2]
            along, length = a * x + b * y + c * z, np.sqrt(a * a + b * b + c * c)
            scale = np.float32(1)
            if is_sure[row, column] and abs(along) > _GRAZING * distance[row, column] * length:
                wanted = planes[row, column, 3] / along
                if abs(wanted - np.float32(1)) < slack:
                    scale = wanted
            new_depth[row, column] = depth[row, column] * scale
            new_distance[row, column] = distance[row, column] * scale
            new_points[row, column, 0] = eye[0] + x * scale
            new_points[row, column, 1] = eye[1] + y * scale
            new_points[row, column, 2] = eye[2] + z * scale


def pixel_directions(view: SceneView) -> tuple[Float, Float]:
    """x/z of every column (W,) and y/z of every row (H,)."""
    height, width = view.depth.shape
    columns = (np.arange(width) + 0.5 - view.center[0]) / view.focal[0]
    rows = (np.arange(height) + 0.5 - view.center[1]) / view.focal[1]
    return columns.astype(np.float32), rows.astype(np.float32)


def filled_depth(depth: Float) -> Float:
    """Small holes get the mean of what is known around them; 0 stays where nothing is near."""
    is_known = np.isfinite(depth) & (depth > 0)
    if is_known.all():
        return depth
    clean = np.where(is_known, depth, np.float32(0))
    share = cv2.blur(is_known.astype(np.float32), (_FILL, _FILL))
    near = cv2.blur(clean, (_FILL, _FILL)) / np.maximum(share, 1e-6)
    return np.where(is_known, clean, np.where(share > 0.02, near, np.float32(0)))


def _sharpened(depth: Float) -> Float:
    """Depth that smears from a near surface to a far one belongs to the one that it is nearer to."""
    window = np.ones((5, 5), np.uint8)
    nearest, farthest = cv2.erode(depth, window), cv2.dilate(depth, window)
    is_step = (nearest > 0) & (farthest > _STEP * nearest)
    snapped = np.where(depth - nearest < farthest - depth, nearest, farthest)
    return np.where(is_step, snapped, depth)


def world_normals(view: SceneView, geometry: ViewGeometry, radius: int = 0) -> Float:
    """(H, W, 3) unit normals in the world that look at the camera.

    A plane is fitted around each pixel, where 1/z is linear in the picture; what lies on another surface counts
    little (a bilateral weight), so that edges stay. radius: pixels; 0 for one by the picture's size.
    """
    radius = radius or max(2, round(max(view.depth.shape) / 90))
    columns, rows = pixel_directions(view)
    normals = np.empty((*view.depth.shape, 3), np.float32)
    _fit_planes(np.float32(1) / geometry.depth, columns, rows, radius, max(1, radius // 2), normals)
    turned = normals.reshape(-1, 3) @ view.cam_from_world[:3, :3].astype(np.float32)
    return np.asarray(turned.reshape(normals.shape), np.float32)


@compiled
def _fit_planes(inverse: Float, columns: Float, rows: Float, radius: int, step: int, normals: Float) -> None:
    """Camera normals by weighted least squares of 1/z = a x + b y + c: the normal is along (a, b, c)."""
    height, width = inverse.shape
    for row in range(height):
        for column in range(width):
            here = inverse[row, column]
            w0 = wx = wy = wd = wxx = wxy = wyy = wxd = wyd = np.float32(0)
            for v in range(max(row - radius, 0), min(row + radius + 1, height), step):
                y = rows[v] - rows[row]
                for u in range(max(column - radius, 0), min(column + radius + 1, width), step):
                    x = columns[u] - columns[column]
                    d = inverse[v, u] - here
                    off = d / (here * np.float32(0.06))
                    weight = np.float32(1) / (np.float32(1) + off * off * off * off)
                    w0, wx, wy, wd = w0 + weight, wx + weight * x, wy + weight * y, wd + weight * d
                    wxx, wxy, wyy = wxx + weight * x * x, wxy + weight * x * y, wyy + weight * y * y
                    wxd, wyd = wxd + weight * x * d, wyd + weight * y * d
            cxx, cxy, cyy = wxx - wx * wx / w0, wxy - wx * wy / w0, wyy - wy * wy / w0
            cxd, cyd = wxd - wx * wd / w0, wyd - wy * wd / w0
            det = cxx * cyy - cxy * cxy
            a = b = np.float32(0)
            if det > np.float32(1e-3) * cxx * cyy:
                a, b = (cyy * cxd - cxy * cyd) / det, (cxx * cyd - cxy * cxd) / det
            c = here + (wd - a * wx - b * wy) / w0 - a * columns[column] - b * rows[row]
            length = np.sqrt(a * a + b * b + c * c)
            sign = -1 if a * columns[column] + b * rows[row] + c > 0 else 1
            for k, value in enumerate((a, b, c)):
                normals[row, column, k] = sign * value / length
