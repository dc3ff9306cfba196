"""How a parallel stack ends: rounded off by the smoothest surface, or cut flat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recon.orex.contours2d import PlaneContours
from recon.orex.grid import Field, Grid

# A flat cap lies this share of a gap beyond the last contour, which would otherwise lie in the cap itself.
FLAT_SHARE = 0.01


def cut_caps(field: Field, grid: Grid, contours: Sequence[PlaneContours], share: float) -> Field:
    """The field of a stack along z, cut flat `share` of the end gaps beyond the first and last drawn plane."""
    heights = np.unique([plane.offset for plane in contours])
    drawn = np.unique([plane.offset for plane in contours if not plane.is_empty])
    gaps = np.diff(heights)
    below = gaps[min(int(np.searchsorted(heights, drawn[0])), len(gaps) - 1)]
    above = gaps[max(int(np.searchsorted(heights, drawn[-1])) - 1, 0)]
    z = grid.axis(2)
    beyond = np.maximum(drawn[0] - share * below - z, z - drawn[-1] - share * above)
    return np.asarray(np.maximum(field, beyond.astype(np.float32)))
