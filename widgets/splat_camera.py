"""What splats are drawn with: VTK's camera as their shaders need it, and what all of a picture have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from widgets.splat_program import NEAR_SHARE
from widgets.splat_shelf import Place
from widgets.viewport_camera import CameraPose, box_corners

Array = NDArray[np.float64]
Area = tuple[int, int, int, int]  # x, y, width, height in pixels of the device, from the lower left
_ROOM = 16.0  # pixels for what blur and dots add


@dataclass(frozen=True)
class SplatCamera:
    """OpenGL's view and projection (4, 4), the picture in pixels of the device. tangents: half of its width and height
    at depth 1. near: the depth from which on anything is drawn."""

    view: Array
    projection: Array
    size: tuple[int, int]
    is_parallel: bool
    tangents: tuple[float, float]
    near: float

    @property
    def forward(self) -> Array:
        """The unit direction in which the camera looks (3,)."""
        return -self.view[2, :3]

    @property
    def eye(self) -> Array:
        """Where the camera stands (3,)."""
        return np.asarray(np.linalg.inv(self.view)[:3, 3], np.float64)

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for cameras that see the same."""
        return self.view.tobytes(), self.projection.tobytes(), self.size


@dataclass(frozen=True)
class SplatLook:
    """What all splats of a picture have in common.

    clip: n and offset of what is kept, n · x <= offset. crop_from_world: (4, 4), kept is what it takes to -1 … 1.
    moved: (4, 4) for selected Gaussians. coarseness: pixels along a side of one that is drawn. threshold: of the
    sample that is drawn, 0 where it is all. opacity: of the finished picture. area: beside it none are seen. line: what
    parts layers that are seen on one side only, −1 … 1 across the picture.
    """

    clip: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    crop_from_world: Array | None = None
    accent: tuple[float, float, float] = (1.0, 0.5, 0.2)
    depth_range: tuple[float, float] = (0.0, 1.0)
    moved: Array | None = None
    pixel_ratio: float = 1.0
    coarseness: int = 1
    threshold: float = 0.0
    opacity: float = 1.0
    area: Area | None = None
    line: float = 0.0

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for looks that make the same picture of the same splats."""
        boxes = (None if box is None else box.tobytes() for box in (self.crop_from_world, self.moved))
        return self.clip, self.accent, self.depth_range, self.pixel_ratio, self.line, *boxes


def camera_of(renderer: Any, pose: CameraPose) -> SplatCamera:
    """The camera that VTK draws with, which looks from this pose."""
    camera = renderer.GetActiveCamera()
    projection = camera.GetProjectionTransformMatrix(renderer.GetTiledAspectRatio(), -1, 1)
    width, height = (
        renderer.GetRenderWindow().GetActualSize()
    )  # of a tile, where a large picture is made of tiles
    tangent = math.tan(pose.view_angle / 2)
    return SplatCamera(
        view=_array(camera.GetModelViewTransformMatrix()),
        projection=_array(projection),
        size=(width, height),
        is_parallel=pose.parallel,
        tangents=(tangent * width / height, tangent),
        near=NEAR_SHARE * pose.distance,
    )


def area_of(
    camera: SplatCamera, places: Sequence[Place], pixel_ratio: float, is_grown: bool = False
) -> Area | None:
    """The part of the picture that these layers can be seen in; None for all of it."""
    boxes = []
    for place in places:
        if place.reaches is None or place.layer.style.splat_scale > 1:
            return None
        boxes.append(place.reaches[is_grown])
    corners = np.concatenate([box_corners(box) for box in boxes])
    seen = np.c_[corners, np.ones(len(corners))] @ (camera.projection @ camera.view).T
    if not camera.is_parallel and (seen[:, 3] < camera.near).any():
        return None
    pixels = (seen[:, :2] / seen[:, 3:] * 0.5 + 0.5) * camera.size
    low = np.clip(pixels.min(0) - _ROOM * pixel_ratio, 0, camera.size).astype(int)
    high = np.clip(np.ceil(pixels.max(0) + _ROOM * pixel_ratio), 0, camera.size).astype(int)
    (x, y), (width, height) = low.tolist(), np.maximum(high - low, 0).tolist()
    return x, y, width, height


def _array(matrix: Any) -> Array:
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
