"""What changes during training, as functions of the share of it that is done."""

from __future__ import annotations

import math
from dataclasses import dataclass

from recon.splats import SplatSettings

# A picture's sides are divided by the first number until this share of the steps is done, or of the time: steps in
# small pictures take little of that.
LEVELS = ((4, 0.25), (2, 0.55))
LEVELS_BY_TIME = ((4, 0.12), (2, 0.4))
SMALLEST_SIDE = 48  # pixels of a picture that is scaled down
RATE_FALL = 0.01  # of the learning rate of places, over the run
USUAL_STEPS = 30_000  # that the rates of 3DGS are made for
MEANS_RATE = 1.6e-4  # box units a step
MOST_FASTER = 6.0
DEGREE_SHARES = (0.15, 0.3, 0.45)  # done before each band of colours by direction is added
REFINEMENTS = 100  # in a run, where its steps allow
REFINE_PAUSE = (10, 100)  # steps between, at least and at most
REFINE_START = 0.02
NOISE_END = 0.95

HELD_OUT_EVERY, FEWEST_TO_HOLD_OUT = 8, 32  # photos

GAUSSIANS_A_STEP = {"cpu": 6, "cuda": 150}  # beyond the first steps
FIRST_STEPS = 700
FEWEST, MOST = 8_000, {"cpu": 120_000, "cuda": 1_000_000}


@dataclass(frozen=True)
class Schedule:
    """The schedule of a run."""

    settings: SplatSettings

    def level(self, share: float, size: tuple[int, int]) -> int:
        """What to divide the sides of a picture of `size` by."""
        if not self.settings.coarse_to_fine:
            return 1
        levels = LEVELS_BY_TIME if self.settings.minutes else LEVELS
        wish = next((factor for factor, end in levels if share < end), 1)
        while wish > 1 and min(size) / wish < SMALLEST_SIDE:
            wish //= 2
        return wish

    def degree(self, share: float) -> int:
        """Of the spherical harmonics."""
        return min(self.settings.sh_degree, sum(share >= each for each in DEGREE_SHARES))

    def rates(self, share: float, steps: float) -> dict[str, float]:
        """Learning rates by name. steps: how many the run will take, as far as is known."""
        settings = self.settings
        faster = min(MOST_FASTER, max(1.0, math.sqrt(USUAL_STEPS / max(steps, 1.0))))
        means = settings.means_rate or MEANS_RATE * faster
        return {
            "means": means * RATE_FALL**share,
            "quats": settings.quats_rate,
            "log_scales": settings.scales_rate,
            "opacity_logits": settings.opacities_rate,
            "sh": settings.colors_rate,
        }

    def is_refined(self, share: float, since_share: float, since_steps: int) -> bool:
        """Whether to relocate and grow now; since: the last time."""
        if not REFINE_START <= share < self.settings.refine_end:
            return False
        if self.settings.refine_every:
            return since_steps >= self.settings.refine_every
        least, most = REFINE_PAUSE
        return since_steps >= most or (since_steps >= least and since_share >= 1 / REFINEMENTS)


def held_out_every(settings: SplatSettings, num_photos: int) -> int:
    """Every which photo is held out; 0 for none."""
    if settings.held_out is not None:
        return settings.held_out
    return HELD_OUT_EVERY if num_photos >= FEWEST_TO_HOLD_OUT else 0


def most_gaussians(settings: SplatSettings, device: str) -> int:
    """How many Gaussians there may be."""
    if settings.max_gaussians:
        return settings.max_gaussians
    kind = "cuda" if device.startswith("cuda") else "cpu"
    return int(min(MOST[kind], max(FEWEST, GAUSSIANS_A_STEP[kind] * (settings.steps - FIRST_STEPS))))
