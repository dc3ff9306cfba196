"""Surfels seen by one view."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors.editor import SceneView
from recon.dn2n.editors.surfel_kernels import nearest_two, paint_strokes, spread_values
from recon.dn2n.editors.surfels import Surfels

Float = NDArray[np.float32]
_THINNEST = 1.0


def boxes_of(surfels: Surfels, view: SceneView, radii: Float) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Which surfels with these radii (M,) the view may see, and the pixels that each may touch: (V,) and (V, 4) first
    and last-but-one row, then column."""
    in_cam = surfels.positions @ view.cam_from_world[:3, :3].T + view.cam_from_world[:3, 3]
    z = in_cam[:, 2]
    front = z > radii
    reach = np.where(front, radii / np.where(front, z, 1), 0)[:, None] * view.focal + 1
    pixels = in_cam[:, :2] / np.where(front, z, 1)[:, None] * view.focal + view.center
    height, width = view.depth.shape
    low = np.clip(np.floor(pixels - reach), 0, (width, height)).astype(np.int32)
    high = np.clip(np.ceil(pixels + reach), 0, (width, height)).astype(np.int32)
    seen = np.nonzero(front & (high > low).all(1))[0]
    return seen, np.stack([low[seen, 1], high[seen, 1], low[seen, 0], high[seen, 0]], 1)


def spread(surfels: Surfels, values: Float, view: SceneView, points: Float, reach: float = 1.3) -> tuple[Float, Float]:
    """Values (M, C) of surfels blended over the view, (H, W, C), and the blend's weight (H, W): 0 where none is.

    reach: radius of a surfel's influence in sizes of its cell."""
    radii = surfels.sizes * np.float32(reach)
    seen, boxes = boxes_of(surfels, view, radii)
    totals = np.zeros((*view.depth.shape, values.shape[1]), np.float32)
    weights = np.zeros(view.depth.shape, np.float32)
    spread_values(
        surfels.positions[seen], boxes, surfels.normals[seen], radii[seen], _THINNEST, values[seen], points, totals,
        weights,
    )  # fmt: skip
    totals /= np.maximum(weights, 1e-6)[..., None]
    return totals, weights


def owners(surfels: Surfels, view: SceneView, points: Float) -> tuple[NDArray[np.int32], Float, Float]:
    """(H, W) index of the nearest surfel, −1 for none; distance to it and to the next in sizes of cells."""
    seen, boxes = boxes_of(surfels, view, surfels.sizes * np.float32(1.2))
    first, second = (np.full(view.depth.shape, 9, np.float32) for _ in range(2))
    owner = np.full(view.depth.shape, -1, np.int32)
    nearest_two(surfels.positions[seen], boxes, surfels.sizes[seen], points, first, second, owner)
    found = seen[np.maximum(owner, 0)].astype(np.int32) if len(seen) else owner
    return np.where(owner >= 0, found, -1).astype(np.int32), first, second


def paint(
    surfels: Surfels, chosen: NDArray[np.bool_], colors: Float, along: Float, lengths: Float, widths: Float,
    view: SceneView, points: Float, canvas: Float, relief: Float, cover: Float,
) -> None:  # fmt: skip
    """Lay one stroke for each chosen surfel over the canvas, in the order of priorities, which is the world's own."""
    seen, boxes = boxes_of(surfels, view, np.maximum(lengths, widths))
    keep = chosen[seen]
    seen, boxes = seen[keep], boxes[keep]
    order = np.argsort(surfels.priorities[seen], kind="stable")
    paint_strokes(
        order, surfels.positions[seen], boxes, surfels.normals[seen], along[seen], lengths[seen], widths[seen],
        colors[seen], surfels.priorities[seen], points, canvas, relief, cover,
    )  # fmt: skip
