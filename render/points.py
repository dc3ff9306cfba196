"""Point clouds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from render.frame import Frame
from render.frozen import Frozen
from render.transforms import Similarity3


@dataclass(frozen=True, eq=False)
class PointCloud(Frozen):
    """Points in space. points: (M, 3) float64 in the frame's unit. colors: (M, 3) uint8 sRGB or None.
    normals: (M, 3) float32 unit length or None."""

    points: NDArray[np.float64]
    colors: NDArray[np.uint8] | None = None
    normals: NDArray[np.float32] | None = None
    frame: Frame = Frame()

    def __post_init__(self) -> None:
        points = self._own("points", np.float64, (None, 3))
        if self.colors is not None:
            self._own("colors", np.uint8, (len(points), 3))
        if self.normals is not None:
            self._own("normals", np.float32, (len(points), 3))

    @property
    def bounds(self) -> NDArray[np.float64]:
        """(2, 3) lower and upper corner; zeros when there are no points."""
        if not len(self.points):
            return np.zeros((2, 3))
        return np.stack([self.points.min(0), self.points.max(0)])

    def transformed(self, b_from_a: Similarity3, frame: Frame) -> PointCloud:
        """The points in another frame."""
        normals = None if self.normals is None else b_from_a.apply_to_directions(self.normals)
        return PointCloud(b_from_a.apply(self.points), self.colors, normals, frame)  # type: ignore[arg-type]
