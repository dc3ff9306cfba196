"""What changes during training, as functions of the share of the steps that is done."""

from __future__ import annotations

from dataclasses import dataclass

from recon.debsdf import DebsdfSettings
from recon.debsdf.density import warm_up

# Blur of the density in box units, from start to end. A surface that has far to travel must be seen from afar.
BETAS = {"depth": (0.01, 0.0035), "sphere": (0.06, 0.01)}
BETA_SHARE = 0.8
SETTLED_FROM_SPHERE = 0.6  # share of the steps
RATE_FALL = 0.1
RATE_WARM_UP = 50  # steps
# Steps between looks at the cached distance, and between full ones while the surface travels.
REFRESH_EVERY = 24
REFRESH_ALL_EVERY = 72


@dataclass(frozen=True)
class Schedule:
    """The schedule of a run. start: "depth" or "sphere"."""

    settings: DebsdfSettings
    start: str

    def share(self, step: int) -> float:
        """Of the steps that is done before `step`."""
        return step / self.settings.steps

    def beta(self, step: int) -> float:
        """Blur of the density in box units: falls by the same factor in every step until 80 % of them."""
        first, last = BETAS[self.start]
        first, last = self.settings.beta_start or first, self.settings.beta_end or last
        done = min(1.0, self.share(step) / BETA_SHARE)
        return float(first * (last / first) ** done)

    @property
    def table_rate(self) -> float:
        """Factor of the hash table's learning rate: from a sphere it has far to go."""
        return 2.0 if self.start == "sphere" else 1.0

    def rate(self, step: int) -> float:
        """Factor of the learning rates."""
        return float(RATE_FALL ** self.share(step) * min(1.0, (step + 1) / RATE_WARM_UP))

    def is_near(self, step: int) -> bool:
        """Whether the surface is by now about where it belongs, so that what is left of the errors is the cues'.

        Sooner, whatever explains errors by bad cues would keep a surface that travels from arriving.
        """
        first = SETTLED_FROM_SPHERE if self.start == "sphere" else 0.0
        return self.share(step) >= max(self.settings.warm_up, first)

    def uses_uncertainty(self, step: int) -> bool:
        """Whether the learned uncertainty weights the cues by now."""
        return self.settings.uncertainty and self.is_near(step)

    def may_exclude(self, step: int) -> bool:
        """Whether it is late enough for what hangs on calibrated uncertainty."""
        return self.uses_uncertainty(step) and self.share(step) >= self.settings.exclusion_start

    def bias(self, step: int) -> float:
        """How far the bias-aware mapping is switched on."""
        if not self.settings.bias_aware or not self.settings.uncertainty:
            return 0.0
        return warm_up(self.share(step), self.settings.bias_start, self.settings.bias_end)

    def refresh(self, step: int) -> str:
        """What to do with the cached distance before `step`: "all", "near" or ""."""
        if step == 0:
            return "all"
        if self.start == "sphere" and self.share(step) < 0.7 and step % REFRESH_ALL_EVERY == 0:
            return "all"
        return "near" if step % REFRESH_EVERY == 0 else ""
