"""How much of an edit each view shows, and how much of it all together should show.

A 2D editor that fails does too little: it leaves some views half as they were, so that what the views say together is
weaker than what was meant. An editor that errs in other ways (each view in a palette of its own) does not, and its
views are to be believed. Which of the two it is shows in how views disagree: along the change itself, or any way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

BY_CHANCE = 0.08  # of what views disagree about, that lies along the change where editors do not fall short
PER_SPREAD = 0.8  # of the spread of strengths that is added; both calibrated on seeds 5000 … and 970000 …
MOST_STRENGTHENED = 1.4
FEWEST = 3  # views that can tell


@dataclass(frozen=True, eq=False)
class Strengths:
    """found: (N,) how much of the common change each view shows, 1 for all of it. change: (N,) mean square of that
    change. off: (N,) mean square of what the view differs from the common edit."""

    found: Float
    change: Float
    off: Float


def strengths(originals: Float, edited: Float, common: Float) -> Strengths:
    """Of views (N, H, W, 3), against what they say together."""
    count = len(common)
    change = (common - originals).reshape(count, -1).astype(np.float64)
    shown = (edited - originals).reshape(count, -1)
    power = (change * change).mean(1)
    off = ((shown - change) ** 2).mean(1)
    return strengths_of((change * shown).mean(1), power, off)


def strengths_of(
    product: NDArray[np.floating], change: NDArray[np.floating], off: NDArray[np.floating]
) -> Strengths:
    """From the means (N,) of the common change times the shown, of its square, and of the square of their difference."""
    found = np.where(change > 1e-6, product / np.maximum(change, 1e-9), 1.0)
    return Strengths(*(np.asarray(each, np.float32) for each in (found, change, off)))


def common_strength(told: Strengths, weights: Float) -> float:
    """By how much the common change is to be strengthened: by the spread of the views' strengths, as far as it is more
    than errors of any other kind would give."""
    used = np.asarray(weights) > 0
    total = float(told.off[used].sum())
    if used.sum() < FEWEST or total <= 0:
        return 1.0
    found, change = told.found[used], told.change[used]
    along = float((change * (found - 1) ** 2).sum()) / total
    true_share = max(0.0, 1 - BY_CHANCE / max(along, 1e-9))
    return float(min(1 + PER_SPREAD * float(np.std(found)) * true_share**0.5, MOST_STRENGTHENED))
