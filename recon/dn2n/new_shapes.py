"""Depth of views whose edit changed shapes: found anew from the edited pictures, where these agree about it."""

from __future__ import annotations

from collections.abc import Generator

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.dn2n.depth_views import DepthViews
from recon.dn2n.plane_sweep import sweep_depths
from recon.dn2n.view_kernels import project, sample
from recon.method import Progress
from render.compiled import compiled, in_threads
from render.images import PosedImages

Float = NDArray[np.float32]
Index = NDArray[np.int64]

PARTNERS = 6  # views that each is compared with; the better half counts, as the others may not see the place
CHANGED = 0.04  # mean difference of colours from the photo, below which a pixel shows what it did
REACH = 9  # pixels around a change that may have changed, too
WINDOW = 7  # pixels, over which differences are averaged
BETTER = 0.02  # by which edited pictures must differ less at a new depth than at the old one
ROWS = 16


def find_new_shapes(
    views: DepthViews, photos: Float, edited: Float, posed: PosedImages
) -> Generator[Progress, None, DepthViews]:
    """The same views with the depth of what the edited pictures show. photos, edited: (N, H, W, 3) within 0 and 1.
    posed: the same images, for their sparse points.

    Depth stays where a picture did not change, and where edited pictures agree no better about another."""
    may_differ = [_near(np.abs(a - b).mean(-1) > CHANGED) for a, b in zip(photos, edited, strict=True)]
    if not np.any(may_differ):
        return views
    pictures = np.clip(edited * 255 + 0.5, 0, 255).astype(np.uint8)
    found = yield from sweep_depths(pictures, views.cameras, posed)
    if found is None:
        return views
    depths = views.depths.copy()
    neighbours = views.neighbours(PARTNERS)
    for i in range(len(views)):
        old, new = (_differences(views, edited, each, i, neighbours[i]) for each in (views.depths, found))
        is_new = may_differ[i] & (found[i] > 0) & (new < old - BETTER)
        depths[i][is_new] = found[i][is_new]
        yield Progress(i + 1, len(views), "Finding new shapes")
    return DepthViews(views.cameras, depths, views.tolerance)


def _near(is_changed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    grown = cv2.dilate(is_changed.astype(np.uint8), np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8))
    return np.asarray(grown > 0)


def _differences(views: DepthViews, pictures: Float, depths: Float, view: int, neighbours: Index) -> Float:
    """(H, W) mean difference of a view's picture from its neighbours' at its depth, the better half of them counting."""
    turns, shifts = views.pairs
    found = np.empty(depths.shape[1:], np.float32)
    in_threads(
        _compare, len(found), ROWS, view, pictures, depths[view], neighbours, turns[view], shifts[view], found
    )
    return np.asarray(cv2.blur(found, (WINDOW, WINDOW)), np.float32)


@compiled
def _compare(
    first: int, last: int, view: int, pictures: Float, depth: Float, neighbours: Index, turns: Float, shifts: Float,
    found: Float,
) -> None:  # fmt: skip
    height, width = depth.shape
    color, differences = np.empty(3, np.float32), np.empty(len(neighbours), np.float32)
    for y in range(first, last):
        for x in range(width):
            count = 0
            px, py = np.float32(x) + np.float32(0.5), np.float32(y) + np.float32(0.5)
            for other in neighbours:
                if other < 0 or depth[y, x] <= 0:
                    continue
                u, v, w = project(turns[other], shifts[other], px, py, depth[y, x])
                if w <= 0 or not (0 <= u < width and 0 <= v < height):
                    continue
                sample(pictures[other], u, v, color)
                total = np.float32(0)
                for channel in range(3):
                    total += abs(color[channel] - pictures[view, y, x, channel])
                differences[count] = total / 3
                count += 1
            found[y, x] = np.float32(1)
            if count > 0:
                best = np.sort(differences[:count])[: (count + 1) // 2]
                found[y, x] = best.mean()
