"""What a reconstruction looks like from the cameras of its images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from render.frame import Frame
from render.frozen import Frozen


@dataclass(frozen=True, eq=False)
class RenderedViews(Frozen):
    """K pictures of one size, each covering the whole of its image.

    names: the images' names. rgb: (K, H, W, 3) uint8 sRGB. depth: (K, H, W) float32 z-depth in the world's unit,
    0 where nothing was hit. normals: (K, H, W, 3) float32 in OpenCV's camera axes. uncertainty: (K, H, W)
    float32 >= 0. psnr: (K,) float32 dB against the photo, and is_held_out: (K,) bool, images that were not
    trained on.
    """

    names: tuple[str, ...]
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    normals: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    psnr: NDArray[np.float32]
    is_held_out: NDArray[np.bool_]
    frame: Frame = Frame()

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        count = len(self.names)
        rgb = self._own("rgb", np.uint8, (count, None, None, 3))
        height, width = rgb.shape[1:3]
        self._own("depth", np.float32, (count, height, width))
        self._own("normals", np.float32, (count, height, width, 3))
        self._own("uncertainty", np.float32, (count, height, width))
        self._own("psnr", np.float32, (count,))
        self._own("is_held_out", np.bool_, (count,))

    @property
    def bounds(self) -> NDArray[np.float64]:
        """(2, 3) zeros: pictures are nowhere."""
        return np.zeros((2, 3))
