"""A line through points of which some are wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

NUM_ROUNDS = 20
NUM_PAIRS = 300  # of points, each of which proposes a line
NUM_JUDGES = 500  # points that judge the proposals, at most
FLOOR = 0.01  # relative error below which all points count alike

Unknowns = Literal["none", "scale", "depth", "disparity"]


@dataclass(frozen=True)
class LineFit:
    """scale and shift; the share of points within the tolerance; their median relative error; why it failed."""

    scale: float
    shift: float
    inliers: float
    residual: float
    num_points: int
    reason: str = ""

    @classmethod
    def failed(cls, reason: str, num_points: int = 0) -> LineFit:
        return cls(1.0, 0.0, 0.0, float("nan"), num_points, reason)


def fit_line(
    stored: NDArray[np.float64], z: NDArray[np.float64], unknowns: Unknowns, tolerance: float
) -> LineFit:
    """The line that most points agree on, and among these least absolute relative error in z-depth.

    stored, z: (K,). unknowns: "none" (z = stored), "scale" (z = scale * stored), "depth" (z = scale * stored +
    shift) or "disparity" (1 / z = scale * stored + shift). tolerance: relative error of an inlier.
    """
    target = 1 / z if unknowns == "disparity" else z
    scale, shift = 1.0, 0.0
    if unknowns != "none" and len(z):
        is_shifted = unknowns != "scale"
        kept = _agreeing(stored, target, is_shifted, tolerance)
        scale, shift = _reweighted(stored[kept], target[kept], is_shifted)
    line = scale * stored + shift
    # The same to first order for both: |1 / line - z| / z where the line is the disparity.
    error = np.abs(line - target) / target
    inliers = float((error < tolerance).mean()) if len(z) else 0.0
    residual = float(np.median(error)) if len(z) else float("nan")
    return LineFit(scale, shift, inliers, residual, len(z))


def _agreeing(
    stored: NDArray[np.float64], target: NDArray[np.float64], is_shifted: bool, tolerance: float
) -> NDArray[np.bool_]:
    """(K,) the points within twice the tolerance of that line through two of them whose truncated squared relative
    errors are least (MSAC, Torr and Zisserman 2000): where points lie in two heaps, a compromise fits neither."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, len(stored), (2, NUM_PAIRS))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = (target[a] - target[b]) / (stored[a] - stored[b]) if is_shifted else target[a] / stored[a]
    shift = target[a] - scale * stored[a]
    usable = np.isfinite(scale)
    if not usable.any():
        return np.ones(len(stored), bool)
    scale, shift = scale[usable, None], shift[usable, None]
    judges = rng.permutation(len(stored))[:NUM_JUDGES]
    errors = (scale * stored[judges] + shift) / target[judges] - 1
    best = int(np.minimum(errors**2, tolerance**2).sum(1).argmin())
    near: NDArray[np.bool_] = np.abs((scale[best] * stored + shift[best]) / target - 1) < 2 * tolerance
    return near


def _reweighted(
    stored: NDArray[np.float64], target: NDArray[np.float64], is_shifted: bool
) -> tuple[float, float]:
    """Least absolute errors by iteratively reweighted least squares.

    Solves stored = (target - shift) / scale: the points are exact and the stored numbers are not, and fitted the
    other way round noise would pull the scale down and everything far away nearer.

    Errors are measured in the target's unit as a share of the target.
    """
    rows = np.stack([target, np.ones_like(target)], 1)[:, : 1 + is_shifted] / target[:, None]
    right = stored / target
    weights = np.ones(len(rows))
    slope, offset = 0.0, 0.0
    for _ in range(NUM_ROUNDS):
        solution = np.linalg.lstsq(rows * weights[:, None], right * weights, rcond=None)[0]
        slope, offset = float(solution[0]), float(solution[1]) if is_shifted else 0.0
        error = np.abs(rows @ solution - right) / max(abs(slope), 1e-12)
        weights = 1 / np.sqrt(np.maximum(error, FLOOR))
    if slope == 0:
        return 0.0, float(np.median(target))
    return 1 / slope, -offset / slope
