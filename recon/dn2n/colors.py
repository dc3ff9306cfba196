"""Small operations on colours and pictures that edits and perturbations share."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

LUMA = np.array((0.299, 0.587, 0.114), np.float32)
YIQ = np.array(((0.299, 0.587, 0.114), (0.596, -0.274, -0.322), (0.211, -0.523, 0.312)))


def clipped(colors: NDArray[np.floating]) -> Float:
    """Colours within 0 and 1, in single precision."""
    return np.asarray(np.clip(colors, 0, 1), np.float32)


def luma(colors: NDArray[np.floating]) -> Float:
    """(...) lightness of (..., 3) colours (Rec. 601)."""
    return np.asarray(colors @ LUMA, np.float32)


def turned_hue(colors: NDArray[np.floating], angle: float, saturation: float) -> Float:
    """Colours (..., 3) with their chroma turned by an angle in radians and scaled; not clipped."""
    c, s = np.cos(angle) * saturation, np.sin(angle) * saturation
    matrix = np.linalg.inv(YIQ) @ np.array(((1, 0, 0), (0, c, -s), (0, s, c))) @ YIQ
    return np.asarray(colors @ matrix.T, np.float32)


def ramp(lightness: NDArray[np.floating], stops: NDArray[np.floating]) -> Float:
    """Colours (..., 3) between evenly spaced stops (K, 3) at a lightness (...) within 0 and 1."""
    place = lightness * (len(stops) - 1)
    below = np.clip(place.astype(np.int64), 0, len(stops) - 2)
    share = (place - below)[..., None]
    return np.asarray(stops[below] * (1 - share) + stops[below + 1] * share, np.float32)


def enlarged(values: Float, width: int, height: int) -> Float:
    """(height, width, C) a smooth picture of (h, w, C) values."""
    found = cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(found, np.float32).reshape(height, width, -1)
