"""How far the logarithm of depth climbs from one pixel to another, by the normals between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GRAZING = 0.15  # cosine between ray and normal below which depth says nothing
NORMAL_ERROR = 0.05  # radians: what cues are off
NORMAL_PATCH = 0.2  # of the longer side: within which they are off the same way


@dataclass(frozen=True)
class DepthSteps:
    """Steps between points of a lattice over one picture.

    start, end: (K,) flat lattice indices. climb: (K,) log z(end) - log z(start). error: (K,) standard deviation of
    one; deviation: (K,) the same for steps that are taken as independent though their errors are alike over a patch.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    climb: NDArray[np.float64]
    error: NDArray[np.float64]
    deviation: NDArray[np.float64]


def depth_steps(
    normals: NDArray[np.float32],
    focal: NDArray[np.float64],
    center: NDArray[np.float64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> DepthSteps:
    """Steps between neighbours of the lattice rows x columns, right and down.

    normals: (H, W, 3) unit, OpenCV's camera axes, NaN unknown. focal, center: (2,) pixels. A plane n X = d has depth
    z = d / (n r) on the ray r = (x, y, 1), so that log z climbs by -n_x / (n r) along x, and -n_y / (n r) along y;
    summed over the pixels between two points. Right where no edge of depth lies between them.
    """
    height, width = normals.shape[:2]
    x = (np.arange(width) + 0.5 - center[0]) / focal[0]
    y = ((np.arange(height) + 0.5 - center[1]) / focal[1])[:, None]
    along = normals[..., 0].astype(np.float64) * x + normals[..., 1] * y + normals[..., 2]
    cosine = -along / np.sqrt(1 + x**2 + y**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        usable = np.where(cosine > GRAZING, along, np.nan)
        right, down = (-normals[..., k] / usable / focal[k] for k in (0, 1))
    spacing = float(rows[1] - rows[0])
    blow_up = NORMAL_PATCH * max(height, width) / spacing
    lattice = np.arange(len(rows) * len(columns)).reshape(len(rows), len(columns))
    found = []
    for climb, axis in ((right, 1), (down, 0)):
        start, end = (lattice[:, :-1], lattice[:, 1:]) if axis else (lattice[:-1], lattice[1:])
        total = _between(climb, rows, columns, axis)
        # An angle e between normals changes the climb of a step s by e s / cos².
        error = _between(
            NORMAL_ERROR / (np.maximum(cosine, GRAZING) ** 2 * focal[1 - axis]), rows, columns, axis
        )
        known = np.isfinite(total)
        found.append((start[known], end[known], total[known], error[known], error[known] * blow_up))
    return DepthSteps(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _between(
    values: NDArray[np.float64], rows: NDArray[np.int64], columns: NDArray[np.int64], axis: int
) -> NDArray[np.float64]:
    """Sums from each lattice point to the next along the axis, half of both ends; NaN where one value is."""
    picked = values[rows] if axis else values[:, columns]
    places = columns if axis else rows
    ends = np.take(picked, places, axis)
    total = np.nancumsum(picked, axis)
    gaps = np.cumsum(~np.isfinite(picked), axis)
    total = np.diff(np.take(total, places, axis), axis=axis)
    total += 0.5 * np.delete(ends, -1, axis) - 0.5 * np.delete(ends, 0, axis)
    broken = np.diff(np.take(gaps, places, axis), axis=axis) > 0
    return np.where(broken, np.nan, total)
