"""What changes during training, as functions of the share of it that is done."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recon.nerf import NerfSettings

RATE_FALL = 0.1  # of the learning rate, over the run
WARM_UP = 0.01  # share of training in which the rate rises
EARLY, EARLY_FACTOR = 0.15, 4  # share of training in which rays have so many times the samples, and are fewer
EXPLORE = (0.5, 0.05)  # share of samples that is spread evenly, first and later
OPEN_FIRST, OPEN_ALL = (
    0.4,
    0.3,
)  # share of the hash grid's levels that counts at first; of training when all do
TURN_START, TURN_ALL = 0.0, 0.0  # share of training when directions begin to count, and when they do fully
LEAST_WEIGHT = 5e-4  # of a sample that is learned from
GRID_FALL = 2  # codes of the density grid toward a lower density, each time a sample says so
HELD_OUT_EVERY, FEWEST_TO_HOLD_OUT = 8, 32  # photos


def rate(settings: NerfSettings, share: float) -> float:
    """Learning rate."""
    return float(settings.rate * min(1.0, (share + 1e-4) / WARM_UP) * RATE_FALL**share)


def shape(settings: NerfSettings, share: float) -> tuple[int, int]:
    """Rays, and samples on each."""
    if share < EARLY:
        return max(1, settings.rays // EARLY_FACTOR), EARLY_FACTOR * settings.samples
    return settings.rays, settings.samples


def explored(share: float) -> float:
    """Share of samples that is spread evenly over what light reaches."""
    first, later = EXPLORE
    return max(later, first + (later - first) * share / (2 * EARLY))


def held_out_every(settings: NerfSettings, num_photos: int) -> int:
    """Every which photo is held out; 0 for none."""
    if settings.held_out is not None:
        return settings.held_out
    return HELD_OUT_EVERY if num_photos >= FEWEST_TO_HOLD_OUT else 0


def openness(num_levels: int, share: float) -> NDArray[np.float32]:
    """(L,) how much each level of the hash grid counts: coarse ones first, so that shapes settle before textures."""
    opened = num_levels * min(1.0, OPEN_FIRST + (1 - OPEN_FIRST) * share / OPEN_ALL)
    counts: NDArray[np.float32] = np.clip(opened - np.arange(num_levels), 0, 1).astype(np.float32)
    return counts


def turning(share: float) -> float:
    """How much the direction of a ray counts: at first not at all, lest each photo be painted before its own camera."""
    return min(1.0, max(0.0, (share - TURN_START) / max(TURN_ALL - TURN_START, 1e-9)))
