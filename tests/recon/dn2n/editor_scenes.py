"""Views of the room whose depth is exact, as editors see them, and how far edited views disagree."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors import SceneView
from tests.synthetic_room import make_room


def room_views(
    num_views: int = 5, width: int = 128, height: int = 96, with_depth: bool = True
) -> list[SceneView]:
    room = make_room(num_views=3 * num_views, width=width, height=height)
    cameras = room.posed.cameras
    return [
        SceneView(
            f"images/{i:04d}.png", room.rgb[i] / np.float32(255), room.depth[i] * with_depth,
            np.ones((height, width), np.float32), cameras.cam_from_world[i], cameras.focal[i], cameras.center[i],
            np.array([0.0, 0, 1]),
        )
        for i in range(num_views)
    ]  # fmt: skip


def masked(view: SceneView, mask: NDArray[np.float32]) -> SceneView:
    return SceneView(
        view.name, view.rgb, view.depth, mask, view.cam_from_world, view.focal, view.center, view.up
    )


def disagreement(views: Sequence[SceneView], pictures: Sequence[NDArray[np.float32]]) -> float:
    """RMS difference of each view and the next warped into it by exact depth, where the same surface is seen."""
    errors = [_pair(views[i], views[i + 1], pictures[i], pictures[i + 1]) for i in range(len(views) - 1)]
    joined = np.concatenate(errors)
    assert len(joined) > 0.2 * len(errors) * views[0].depth.size, "the views hardly overlap"
    return float(np.sqrt(joined.mean()))


def _pair(
    there: SceneView, here: SceneView, a: NDArray[np.float32], b: NDArray[np.float32]
) -> NDArray[np.floating]:
    points, depth = world_points(here), here.depth
    in_cam = points @ there.cam_from_world[:3, :3].T + there.cam_from_world[:3, 3]
    z = in_cam[..., 2]
    pixels = in_cam[..., :2] / np.maximum(z, 1e-6)[..., None] * there.focal + there.center - 0.5
    x, y = np.float32(pixels[..., 0]), np.float32(pixels[..., 1])
    seen = cv2.remap(there.depth, x, y, cv2.INTER_LINEAR, borderValue=0)
    near = cv2.erode(there.depth, np.ones((5, 5), np.uint8))
    edge = cv2.remap(near, x, y, cv2.INTER_NEAREST, borderValue=0)
    good = (
        (z > 0)
        & (np.abs(seen - z) < 0.01 * z)
        & (edge > 0.93 * z)
        & (cv2.erode(depth, np.ones((5, 5))) > 0.93 * depth)
    )
    warped = cv2.remap(np.ascontiguousarray(a), x, y, cv2.INTER_LINEAR)
    return ((warped - b)[good] ** 2).mean(-1)


def world_points(view: SceneView) -> NDArray[np.floating]:
    """(H, W, 3) by exact depth."""
    height, width = view.depth.shape
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    in_cam = np.stack(
        [(x - view.center[0]) / view.focal[0], (y - view.center[1]) / view.focal[1], np.ones_like(x)], -1
    )
    in_cam *= view.depth[..., None]
    return (in_cam - view.cam_from_world[:3, 3]) @ view.cam_from_world[:3, :3]
