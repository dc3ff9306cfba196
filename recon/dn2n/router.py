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

UNEXPLAINED = 0.3  # share of the edit that a map of colours may leave, so that it is taken
NO_CHANGE = 1 / 255  # mean difference of a view that nobody sees
FINE = 1.5  # pixels: what the views' noise has, and no edit, is finer


@dataclass(frozen=True)
class Route:
    """way: "as-is" where the edit is the same from all sides by construction, "color" for the edit field, "blend" for
    harmonised views. unexplained: share of the edit that a map of colours leaves, within 0 and about 1. reason: for
    people."""

    way: Way
    unexplained: float
    reason: str

    @property
    def is_explained(self) -> bool:
        """Whether a map of colours holds the edit."""
        return self.unexplained < UNEXPLAINED


def choose_route(unexplained: float, consistency: Consistency, is_partial: bool) -> Route:
    """unexplained: from `unexplained_share`. is_partial: whether masks limit the edit, across whose borders a map of
    colours would leak."""
    if consistency == "world":
        return Route(
            "as-is", unexplained, "The edit is anchored in the scene: it is the same from all sides as it is."
        )
    if is_partial:
        return Route("blend", unexplained, "The edit ends at a mask: edited views are blended.")
    percent = f"{100 * (1 - min(unexplained, 1)):.0f} %"
    if unexplained < UNEXPLAINED:
        return Route("color", unexplained, f"A map of colours explains {percent} of the edit.")
    return Route(
        "blend", unexplained, f"A map of colours explains only {percent} of the edit: views are blended."
    )


def unexplained_share(originals: Float, harmonised: Float, mapped: Float) -> float:
    """Of the power of what an edit changed in a set of views (N, H, W, 3), how much a map of colours misses, the median
    over the views.

    harmonised: what the views say together. mapped: what the map makes of the originals.
    """
    shares = []
    for original, edited, told in zip(originals, harmonised, mapped, strict=True):
        change = _smooth(edited - original)
        power = float((change**2).mean())
        if power > NO_CHANGE**2:
            shares.append(float((_smooth(edited - told) ** 2).mean()) / power)
    return float(np.median(shares)) if shares else 0.0


def _smooth(difference: Float) -> Float:
    return np.asarray(cv2.GaussianBlur(difference, (0, 0), FINE / 2), np.float32)
