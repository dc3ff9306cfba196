"""Which way an edit is taken to novel views: as a map of colours, by blending edited views, or with no repair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors.editor import Consistency

Float = NDArray[np.float32]
Way = Literal["as-is", "color", "blend"]

MISSED = 1.9  # see `missed_share`; on seeds 5000 … and 970000 … edits of colours were up to 1.3, of texture from 2.05
NO_CHANGE = 1 / 255  # difference of colours that nobody sees
FINE = 0.75  # pixels (sigma): what the views' noise has, and no edit, is finer

_AS_IS = "The edit is anchored in the scene: it is the same from all sides as it is."
_PARTIAL = "The edit ends at a mask: edited views are blended."


@dataclass(frozen=True)
class Route:
    """way: "as-is" where the edit is the same from all sides by construction, "color" for the edit field, "blend" for
    harmonised views. unexplained: share of the edit that a map of colours leaves, within 0 and about 1. reason: for
    people. missed: from `missed_share`."""

    way: Way
    unexplained: float
    reason: str
    missed: float = 0.0

    @property
    def is_explained(self) -> bool:
        """Whether a map of colours holds the edit."""
        return self.missed < MISSED


def choose_route(unexplained: float, missed: float, consistency: Consistency, is_partial: bool) -> Route:
    """unexplained: from `unexplained_share`, missed: from `missed_share`. is_partial: whether masks limit the edit,
    across whose borders a map of colours would leak."""
    if consistency == "world":
        return Route("as-is", unexplained, _AS_IS, missed)
    if is_partial:
        return Route("blend", unexplained, _PARTIAL, missed)
    percent = f"{100 * (1 - min(unexplained, 1)):.0f} %"
    if missed < MISSED:
        reason = f"A map of colours holds the edit: it explains {percent} of it."
        return Route("color", unexplained, reason, missed)
    reason = "The edit changes texture that a map of colours would miss: edited views are blended."
    return Route("blend", unexplained, reason, missed)


def missed_share(harmonised: Float, blended: Float, mapped: Float, is_foretold: NDArray[np.bool_]) -> float:
    """How much worse a map of colours foretells views that are left out than blending does: the ratio of their mean
    squared errors. What is wrong with a view itself is in both; of an edit of texture the texture is in one.

    harmonised: (N, H, W, 3) each view in the tone of all. blended: the same as the other views show it; mapped: as the
    map has it of the others' photos, both as strong as was meant. is_foretold: (N, H, W) where others see enough.
    """
    if not is_foretold.any():
        return 0.0
    by_map, by_blending = (
        float(((harmonised - each)[is_foretold] ** 2).mean()) for each in (mapped, blended)
    )
    return by_map / max(by_blending, NO_CHANGE**2)


def unexplained_share(originals: Float, common: Float, mapped: Float) -> float:
    """Of the power of what an edit changed in a set of views (N, H, W, 3), how much a map of colours misses, the median
    over the views."""
    shares = []
    for original, edited, told in zip(originals, common, mapped, strict=True):
        power = float((_smooth(edited - original) ** 2).mean())
        if power > NO_CHANGE**2:
            shares.append(float((_smooth(edited - told) ** 2).mean()) / power)
    return float(np.median(shares)) if shares else 0.0


def _smooth(difference: Float) -> Float:
    return np.asarray(cv2.GaussianBlur(difference, (0, 0), FINE), np.float32)
