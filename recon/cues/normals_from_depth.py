"""Normals of the surface that a depth picture shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

HALF_WINDOW = 2  # pixels: planes are fitted to 5 x 5


def normals_from_depth(
    depth: NDArray[np.floating], focal: NDArray[np.float64], center: NDArray[np.float64]
) -> NDArray[np.float32]:
    """(H, W, 3) unit normals in OpenCV's camera axes, looking at the camera, of planes fitted to 5 x 5 pixels.

    depth: (H, W) z-depth, NaN unknown. focal, center: (2,) pixels. In pictures of a plane the inverse depth is linear:
    a X + b Y + c Z = 1 is 1 / z = a x + b y + c on the ray (x, y, 1), so that the fit is two filters. NaN where the
    window holds an unknown pixel; the border gets the normals beside it.
    """
    inverse = 1 / np.asarray(depth, np.float64)
    offsets = np.arange(-HALF_WINDOW, HALF_WINDOW + 1)
    slope = offsets / (len(offsets) * (offsets**2).sum())
    flat = np.ones(len(offsets))
    across = ndimage.correlate1d(ndimage.correlate1d(inverse, slope, axis=1), flat, axis=0)
    down = ndimage.correlate1d(ndimage.correlate1d(inverse, slope, axis=0), flat, axis=1)
    mean = ndimage.correlate1d(ndimage.correlate1d(inverse, flat, axis=0), flat, axis=1) / len(offsets) ** 2
    a, b = across * focal[0], down * focal[1]
    rows, columns = np.mgrid[: depth.shape[0], : depth.shape[1]]
    x, y = (columns + 0.5 - center[0]) / focal[0], (rows + 0.5 - center[1]) / focal[1]
    normals = -np.stack([a, b, mean - a * x - b * y], -1)
    with np.errstate(invalid="ignore", divide="ignore"):
        normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return _with_border(normals.astype(np.float32))


def _with_border(normals: NDArray[np.float32]) -> NDArray[np.float32]:
    h = HALF_WINDOW
    if min(normals.shape[:2]) <= 2 * h:
        return normals
    return np.pad(normals[h:-h, h:-h], ((h, h), (h, h), (0, 0)), mode="edge")
