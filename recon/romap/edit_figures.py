"""How much an edit changed, inside its part and outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.romap.ring import ring_of_cameras
from render.gaussians import PARAMETERS, GaussianCloud
from render.splat_pictures import splat_picture

_VIEWS, _SIZE = 6, 96  # of the quick look around, in pixels
CLEAR = 0.05  # change of a colour that nobody overlooks: some twelve of 255 steps


@dataclass(frozen=True, eq=False)
class Edited:
    """rows: (M,) each Gaussian's row before, −1 for added ones."""

    cloud: GaussianCloud
    rows: NDArray[np.int64]
    notes: tuple[str, ...]
    figures: Mapping[str, Any]


def changed_rows(
    before: GaussianCloud, after: GaussianCloud, rows: NDArray[np.int64], part: NDArray[np.bool_]
) -> tuple[int, int]:
    """How many Gaussians of the part, and how many others, have another bit anywhere, or are gone.

    rows: (M,) for each Gaussian after, its row before, −1 for added ones. Added ones count as the part's."""
    is_old = rows >= 0
    old = rows[is_old]
    is_other = np.ones(len(before), bool)
    same = np.ones(len(old), bool)
    for name in PARAMETERS:
        same &= _are_same_bits(getattr(before, name)[old], getattr(after, name)[is_old])
    for name, column in before.extra.items():
        same &= _are_same_bits(column[old], after.extra[name][is_old])
    is_other[old] = ~same
    return int((is_other & part).sum() + (~is_old).sum()), int((is_other & ~part).sum())


def _are_same_bits(a: NDArray[np.generic], b: NDArray[np.generic]) -> NDArray[np.bool_]:
    """(M,) rows that are the same byte by byte."""
    if not len(a):
        return np.ones(0, bool)
    first, second = (
        np.ascontiguousarray(each).reshape(len(a), -1).view(np.uint8).reshape(len(a), -1) for each in (a, b)
    )
    found: NDArray[np.bool_] = (first == second).all(1)
    return found


def visible_change(before: GaussianCloud, after: GaussianCloud) -> float:
    """Change of a pixel's colour, the 99.9 % of them, in a few small views around the scene: 0 … 1.

    The largest of all views, but the first that is CLEAR ends the look: that one is told then. So only what is hidden
    or faint is drawn from all sides."""
    if not len(after):
        return 1.0
    cameras = ring_of_cameras(before, _VIEWS, _SIZE)
    most = 0.0
    for pose, focal, center in zip(cameras.cam_from_world, cameras.focal, cameras.center, strict=True):
        pictures = [splat_picture(cloud, pose, focal, center, (_SIZE, _SIZE)) for cloud in (before, after)]
        most = max(most, float(np.quantile(np.abs(pictures[1] - pictures[0]).max(-1), 0.999)))
        if most >= CLEAR:
            break
    return most
