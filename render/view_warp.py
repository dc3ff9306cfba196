"""One view's picture as another camera sees it, by depth, with what the other view hides left out."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from render.splatting_compiled import Float, compiled, in_threads
from render.view_sources import pinhole, relative_columns
from render.view_surface import draw_surface

TOLERANCE = 0.03  # relative difference of depths of one surface
CHUNK = 32  # rows that a thread takes at once


@dataclass(frozen=True, eq=False)
class DepthView:
    """A camera and how deep it sees. pose: (4, 4) cam_from_world. focal, center: (2,) pixels. depth: (H, W) z-depth, 0
    where unknown."""

    pose: NDArray[np.floating]
    focal: NDArray[np.floating]
    center: NDArray[np.floating]
    depth: NDArray[np.floating]


def warped(
    target: DepthView, source: DepthView, picture: ArrayLike, tolerance: float = TOLERANCE
) -> tuple[Float, NDArray[np.bool_]]:
    """What the source's picture (h, w, C) shows of the surface that each pixel of the target sees: (H, W, C) float32,
    bilinear, 0 where it does not see it, and (H, W) where it does.

    A pixel is seen where both depths are known, the point lies in the source's picture, and one of the four pixels
    about it is as deep as the point, within a tolerance relative to depth; the others of them have no say. The other
    way round is the same with target and source exchanged and the target's picture."""
    colors = np.ascontiguousarray(picture, np.float32)
    depth = np.ascontiguousarray(target.depth, np.float32)
    found = np.zeros((*depth.shape, colors.shape[2]), np.float32)
    is_seen = np.zeros(depth.shape, np.bool_)
    camera = relative_columns(source.pose, source.focal, source.center, target.pose)
    in_threads(
        _warp_rows, len(depth), CHUNK, depth, pinhole(target.focal, target.center), camera,
        np.ascontiguousarray(source.depth, np.float32), colors, np.float32(tolerance), found, is_seen,
    )  # fmt: skip
    return found, is_seen


def warped_forward(
    target: DepthView, source: DepthView, picture: ArrayLike, tolerance: float = TOLERANCE
) -> tuple[Float, NDArray[np.bool_], Float]:
    """The same where the target's depths (H, W) are not known, of which only the shape is used: the source's surface is
    drawn as the target's camera sees it. Returns its depth (H, W) too, 0 where it is not."""
    camera = relative_columns(source.pose, source.focal, source.center, target.pose)
    nearness = np.zeros(target.depth.shape, np.float32)
    surface = np.ascontiguousarray(source.depth, np.float32)
    draw_surface(surface, 1, camera, pinhole(target.focal, target.center), nearness)
    depth = np.divide(1, nearness, out=np.zeros_like(nearness), where=nearness > 0)
    known = DepthView(target.pose, target.focal, target.center, depth)
    found, is_seen = warped(known, source, picture, tolerance)
    return found, is_seen, depth


@compiled
def _warp_rows(start, stop, depth, target, camera, source_depth, colors, tolerance, found, is_seen):
    height, width, num_channels = colors.shape
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    for row in range(start, stop):
        for column in range(depth.shape[1]):
            z = depth[row, column]
            if z <= 0:
                continue
            x = (np.float32(column) + half - target[2]) / target[0] * z
            y = (np.float32(row) + half - target[3]) / target[1] * z
            in_z = camera[6] * x + camera[7] * y + camera[8] * z + camera[11]
            if in_z <= np.float32(1e-6):
                continue
            in_x = (camera[0] * x + camera[1] * y + camera[2] * z + camera[9]) / in_z * camera[12] + camera[
                14
            ]
            in_y = (camera[3] * x + camera[4] * y + camera[5] * z + camera[10]) / in_z * camera[13] + camera[
                15
            ]
            if not (0 <= in_x < width and 0 <= in_y < height):
                continue
            u = min(max(in_x - half, zero), np.float32(width - 1))
            v = min(max(in_y - half, zero), np.float32(height - 1))
            left, top = int(u), int(v)
            total = zero
            for corner in range(4):
                i, j = min(top + corner // 2, height - 1), min(left + corner % 2, width - 1)
                across = u - left if corner % 2 else one - (u - left)
                weight = across * (v - top if corner // 2 else one - (v - top))
                near = source_depth[i, j]
                if weight <= 0 or near <= 0 or abs(in_z - near) > tolerance * near:
                    continue
                total += weight
                for channel in range(num_channels):
                    found[row, column, channel] += weight * colors[i, j, channel]
            if total > np.float32(1e-3):
                is_seen[row, column] = True
                for channel in range(num_channels):
                    found[row, column, channel] /= total
            else:
                for channel in range(num_channels):
                    found[row, column, channel] = zero
