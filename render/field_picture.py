"""What a radiance field looks like from one camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from render.frozen import Frozen


@dataclass(frozen=True, eq=False)
class FieldPicture(Frozen):
    """What a field looks like. rgb: (H, W, 3) float32 sRGB within 0 and 1, times alpha. alpha: (H, W) float32 within 0
    and 1. depth: (H, W) float32 z-depth in the world's unit, 0 where nothing is."""

    rgb: NDArray[np.float32]
    alpha: NDArray[np.float32]
    depth: NDArray[np.float32]

    def __post_init__(self) -> None:
        rgb = self._own("rgb", np.float32, (None, None, 3))
        self._own("alpha", np.float32, rgb.shape[:2])
        self._own("depth", np.float32, rgb.shape[:2])

    @property
    def filled(self) -> NDArray[np.float32]:
        """(H, W, 3) the colours themselves, black where alpha is 0."""
        return np.where(self.alpha[..., None] > 0, self.rgb / np.maximum(self.alpha, 1e-6)[..., None], 0)

    def over(self, background: ArrayLike) -> NDArray[np.float32]:
        """(H, W, 3) the picture before a background colour (3,)."""
        color = np.asarray(background, np.float32)
        return np.clip(self.rgb + (1 - self.alpha[..., None]) * color, 0, 1)
