"""What changes during training, as functions of the share of it that is done."""

from __future__ import annotations

from recon.nerf import NerfSettings

RATE_FALL = 1 / 30  # of the learning rate, over the run
WARM_UP = 0.01  # share of training in which the rate rises
EARLY = 0.1  # share of training in which rays have twice the samples, and are half as many
EXPLORE = (0.5, 0.15)  # share of samples that is spread evenly, first and later
LEAST_WEIGHT = 5e-4  # of a sample that is learned from
GRID_FALL = 0.1  # of the density grid toward a lower density, each time a sample says so
RECODE_EVERY = 8  # steps between updates of what samples are placed by
HELD_OUT_EVERY, FEWEST_TO_HOLD_OUT = 8, 32  # photos


def rate(settings: NerfSettings, share: float) -> float:
    """Learning rate."""
    return float(settings.rate * min(1.0, (share + 1e-4) / WARM_UP) * RATE_FALL**share)


def shape(settings: NerfSettings, share: float) -> tuple[int, int]:
    """Rays, and samples on each."""
    if share < EARLY:
        return max(1, settings.rays // 2), 2 * settings.samples
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
