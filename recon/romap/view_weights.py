"""The compositing weights of every view, made when they are first asked for and kept where they are needed again."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from render.cameras import CameraSet
from render.gaussians import GaussianCloud
from render.splat_weights import contribution_weights

Size = tuple[int, int]  # width, height


class ViewWeights:
    """W of each view of a cloud: (H·W, N) sparse. are_kept: iterative lifting needs all of them again and again;
    votes need each once, and a large scene's do not fit into memory together."""

    def __init__(self, cloud: GaussianCloud, cameras: CameraSet, are_kept: bool = False) -> None:
        self.cloud = cloud
        self.cameras = cameras
        self._are_kept = are_kept
        self._kept: dict[tuple[int, Size], sparse.csr_matrix] = {}

    def of(self, view: int, size: Size) -> sparse.csr_matrix:
        """The weights of one view on a grid of pixels of this size."""
        if (view, size) in self._kept:
            return self._kept[view, size]
        camera = self.cameras.select(np.array([view])).resized(np.array([size]))
        weights = contribution_weights(
            self.cloud, camera.cam_from_world[0], camera.focal[0], camera.center[0], size
        )
        if self._are_kept:
            self._kept[view, size] = weights
        return weights
