"""Surfels seen by one view."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors.editor import SceneView
from recon.dn2n.editors.surfel_kernels import nearest_two, paint_strokes, spread_values
from recon.dn2n.editors.surfels import Surfels
from recon.dn2n.editors.view_geometry import ViewGeometry

Float = NDArray[np.float32]
_THINNEST = 1.0
_WINDOW = 9  # pixels around the middle of a box in which depth is looked at
_STEPS = (1, 3, 9)  # and every so many pixels, the larger the box


def boxes_of(
    surfels: Surfels, view: SceneView, depth: Float, radii: Float, extents: Float | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Which surfels with these radii (M,) the view may see, and the pixels that each may touch: (V,) and (V, 4) first
    and last-but-one row, then column. depth: (H, W) of the view; what lies far behind or before it is left out.
    extents: (M, 2) half sizes along the picture's axes where these are less than the radii."""
    in_cam = surfels.positions @ view.cam_from_world[:3, :3].T + view.cam_from_world[:3, 3]
    z = in_cam[:, 2]
    front = z > radii
    wide = radii[:, None] if extents is None else extents
    reach = np.where(front[:, None], wide / np.where(front, z, 1)[:, None], 0) * view.focal + 1
    pixels = in_cam[:, :2] / np.where(front, z, 1)[:, None] * view.focal + view.center
    height, width = view.depth.shape
    low = np.clip(np.floor(pixels - reach), 0, (width, height)).astype(np.int32)
    high = np.clip(np.ceil(pixels + reach), 0, (width, height)).astype(np.int32)
    seen = np.nonzero(front & (high > low).all(1))[0]
    seen = seen[
        _is_near(depth, (low[seen] + high[seen]) // 2, (high[seen] - low[seen]).max(1), z[seen], radii[seen])
    ]
    return seen, np.stack([low[seen, 1], high[seen, 1], low[seen, 0], high[seen, 0]], 1)


def _is_near(
    depth: Float, middles: NDArray[np.int32], across: NDArray[np.int32], z: NDArray[np.floating], radii: Float
) -> NDArray[np.bool_]:
    """(V,) whether a surfel may touch the surface that is seen within its box; large ones always may."""
    is_near = np.ones(len(z), np.bool_)
    window = np.ones((2 * _WINDOW + 1, 2 * _WINDOW + 1), np.uint8)
    least = 0
    for step in _STEPS:
        thin = np.ascontiguousarray(depth[::step, ::step])
        these = np.nonzero((across > least) & (across <= 2 * _WINDOW * step))[0]
        rows, columns = (np.minimum(middles[these, 1 - k] // step, thin.shape[k] - 1) for k in range(2))
        nearest, farthest = cv2.erode(thin, window)[rows, columns], cv2.dilate(thin, window)[rows, columns]
        is_near[these] = (z[these] > nearest - radii[these]) & (z[these] < farthest + radii[these])
        least = 2 * _WINDOW * step
    return is_near


def spread(
    surfels: Surfels, values: Float, view: SceneView, geometry: ViewGeometry, reach: float = 1.3
) -> tuple[Float, Float]:
    """Values (M, C) of surfels blended over the view, (H, W, C), and the blend's weight (H, W): 0 where none is.

    reach: radius of a surfel's influence in sizes of its cell."""
    radii = surfels.sizes * np.float32(reach)
    seen, boxes = boxes_of(surfels, view, geometry.depth, radii)
    totals = np.zeros((*view.depth.shape, values.shape[1]), np.float32)
    weights = np.zeros(view.depth.shape, np.float32)
    spread_values(
        surfels.positions[seen], boxes, surfels.normals[seen], radii[seen], _THINNEST, values[seen],
        geometry.points, totals, weights,
    )  # fmt: skip
    totals /= np.maximum(weights, 1e-6)[..., None]
    return totals, weights


def owners(
    surfels: Surfels, view: SceneView, geometry: ViewGeometry
) -> tuple[NDArray[np.int32], Float, Float]:
    """(H, W) index of the nearest surfel, −1 for none; distance to it and to the next in sizes of cells."""
    seen, boxes = boxes_of(surfels, view, geometry.depth, surfels.sizes * np.float32(1.2))
    first, second = (np.full(view.depth.shape, 81, np.float32) for _ in range(2))
    owner = np.full(view.depth.shape, -1, np.int32)
    nearest_two(surfels.positions[seen], boxes, surfels.sizes[seen], geometry.points, first, second, owner)
    found = seen[np.maximum(owner, 0)].astype(np.int32) if len(seen) else owner
    return np.where(owner >= 0, found, -1).astype(np.int32), np.sqrt(first), np.sqrt(second)


def paint(
    surfels: Surfels, chosen: NDArray[np.bool_], colors: Float, along: Float, lengths: Float, widths: Float,
    view: SceneView, geometry: ViewGeometry, canvas: Float, relief: Float, cover: Float,
) -> None:  # fmt: skip
    """Lay one stroke for each chosen surfel over the canvas, in the order of priorities, which is the world's own."""
    turn = view.cam_from_world[:2, :3].T.astype(np.float32)
    across = np.cross(surfels.normals, along)
    extents = 1.15 * np.hypot((along @ turn) * lengths[:, None], (across @ turn) * widths[:, None])
    seen, boxes = boxes_of(surfels, view, geometry.depth, np.maximum(lengths, widths), extents)
    keep = chosen[seen]
    seen, boxes = seen[keep], boxes[keep]
    in_cam = surfels.positions[seen] @ view.cam_from_world[2, :3] + view.cam_from_world[2, 3]
    pixels = np.asarray(in_cam / view.focal.mean(), np.float32)
    order = np.argsort(surfels.priorities[seen], kind="stable")
    paint_strokes(
        order, surfels.positions[seen], boxes, surfels.normals[seen], along[seen], lengths[seen], widths[seen],
        colors[seen], surfels.priorities[seen], geometry.points, pixels, canvas, relief, cover,
    )  # fmt: skip
