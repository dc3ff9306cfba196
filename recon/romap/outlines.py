"""The outline of a mask as one closed path, as a person would draw it with a lasso."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_LEAST_SHARE = 0.01  # of the largest piece; smaller pieces and holes are noise
_LEAST_PIXELS = 9.0
_STRAIGHT = 0.7  # pixels that the path may stray


def outline_of(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(M, 2) x, y in pixels: what lies inside by the even-odd rule is the mask (H, W); (0, 2) for an empty one.

    Several pieces and holes hang together by lines that are gone there and back, and so hold nothing.
    """
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    areas = [cv2.contourArea(each) for each in found]
    least = max([_LEAST_PIXELS, *(_LEAST_SHARE * area for area in areas)])
    kept = [
        cv2.approxPolyDP(each, _STRAIGHT, True)[:, 0].astype(np.float64) + 0.5
        for each, area in zip(found, areas, strict=True)
        if area >= least
    ]
    kept = [np.concatenate([loop, loop[:1]]) for loop in kept if len(loop) > 2]
    if not kept:
        return np.zeros((0, 2))
    home = kept[0][:1]
    return np.concatenate([kept[0], *(np.concatenate([loop, home]) for loop in kept[1:])])
