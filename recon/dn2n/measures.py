"""How near edited pictures are to what they should be, and how well scores tell which of them are bad."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Float = NDArray[np.float32]

SSIM_WINDOW = 7  # pixels, all of one weight
_C1, _C2 = 0.01**2, 0.03**2


def psnr(a: ArrayLike, b: ArrayLike, mask: NDArray[np.bool_] | None = None) -> float:
    """dB between two pictures (H, W, 3) within 0 and 1, of the pixels of a mask (H, W) where one is given; NaN for none."""
    square = (np.asarray(a, np.float64) - np.asarray(b, np.float64)) ** 2
    if mask is not None:
        square = square[mask]
    return float(-10 * np.log10(max(square.mean(), 1e-10))) if square.size else float("nan")


def ssim_map(a: Float, b: Float) -> Float:
    """(H, W) structural similarity of two pictures (H, W, 3) within 0 and 1, the mean of their channels (Wang et al.
    2004, with a square window)."""
    a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
    mean_a, mean_b = _blurred(a), _blurred(b)
    spread_a, spread_b = _blurred(a * a) - mean_a**2, _blurred(b * b) - mean_b**2
    common = _blurred(a * b) - mean_a * mean_b
    light = (2 * mean_a * mean_b + _C1) / (mean_a**2 + mean_b**2 + _C1)
    structure = (2 * common + _C2) / (spread_a + spread_b + _C2)
    similarity: Float = (light * structure).mean(-1)
    return similarity


def ssim(a: Float, b: Float) -> float:
    """The mean of `ssim_map`."""
    return float(ssim_map(a, b).mean())


def rank_correlation(a: ArrayLike, b: ArrayLike) -> float:
    """Spearman's, 0 where one of them is constant."""
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(stats.spearmanr(first, second).statistic)


def worst_found(errors: ArrayLike, scores: ArrayLike, worst: int = 2, top: int = 3) -> float:
    """Share of the `worst` largest errors that are among the `top` largest scores."""
    bad = np.argsort(-np.asarray(errors), kind="stable")[:worst]
    named = np.argsort(-np.asarray(scores), kind="stable")[:top]
    return float(np.isin(bad, named).mean())


def _blurred(picture: Float) -> Float:
    return np.asarray(
        cv2.blur(picture, (SSIM_WINDOW, SSIM_WINDOW), borderType=cv2.BORDER_REFLECT_101), np.float32
    )
