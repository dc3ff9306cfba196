"""What reconstructed depth gets wrong: waves, blurred edges, holes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.dn2n.colors import enlarged

USUAL_ERROR = 0.01  # of the depth


def disturbed_depths(
    depths: NDArray[np.float32], generator: np.random.Generator, level: float = 1.0, *, has_gaps: bool = True
) -> NDArray[np.float32]:
    """Depths (N, H, W) as a reconstruction gives them. level: 1 for waves of 1 % of the depth. has_gaps: with edges
    that are off by a pixel or so, and holes (0), in some of the views."""
    found = np.empty_like(depths)
    height, width = depths.shape[1:]
    for i, depth in enumerate(depths):
        waves = enlarged(generator.standard_normal((8, 8, 1), np.float32), width, height)[..., 0]
        found[i] = depth * np.maximum(1 + np.float32(USUAL_ERROR * level) * waves, np.float32(0.5))
        if has_gaps and generator.random() < 0.5:
            found[i] = _with_rough_edges(found[i], generator)
        if has_gaps and generator.random() < 0.3:
            found[i] = _with_holes(found[i], generator)
    return found


def _with_rough_edges(depth: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
    """Nearer or farther surfaces grown by a pixel, or smoothed over."""
    kind = generator.integers(3)
    if kind == 2:
        return np.asarray(cv2.medianBlur(depth, 5), np.float32)
    grow = cv2.erode if kind else cv2.dilate
    return np.asarray(grow(depth, np.ones((3, 3), np.uint8)), np.float32)


def _with_holes(depth: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
    """Unknown in a few places."""
    height, width = depth.shape
    level = enlarged(generator.standard_normal((8, 8, 1), np.float32), width, height)[..., 0]
    return np.where(level > generator.uniform(1.6, 2.5), np.float32(0), depth)
