"""What every training from photos is wrapped in: how far it is, how it goes, and what is kept and shown meanwhile."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from recon.errors import ReconError
from recon.method import Progress, RunContext, StopRequested
from render.scene_data import SceneData

REPORT_EVERY = 10  # steps
CHECK_EVERY = 100  # steps, whether all is finite
THOUSANDTHS = 1000  # of a time limit
MEMORY = 0.95  # of the losses shown


class Diverged(ReconError):
    """Training left the finite numbers."""


@dataclass
class Clock:
    """Processor and wall seconds that each stage took."""

    processor: dict[str, float] = field(default_factory=dict)
    wall: dict[str, float] = field(default_factory=dict)
    _last: tuple[float, float] = field(default_factory=lambda: (time.process_time(), time.perf_counter()))

    def lap(self, stage: str) -> None:
        """Put the time since the last lap down to a stage."""
        now = (time.process_time(), time.perf_counter())
        self.processor[stage] = round(now[0] - self._last[0], 2)
        self.wall[stage] = round(now[1] - self._last[1], 2)
        self._last = now

    @property
    def wall_in_all(self) -> float:
        """Wall seconds of all stages."""
        return round(sum(self.wall.values()), 2)


class Pace:
    """How far training is: of its steps, or of its time limit where that is more.

    step: how many are done. minutes: a limit, of the processor, on a GPU of the clock.
    """

    def __init__(self, steps: int, minutes: float | None, device: str) -> None:
        self.steps, self.minutes, self.step = steps, minutes, 0
        self._now = time.perf_counter if device.startswith("cuda") else time.process_time
        self._began, self._before = self._now(), 0.0

    @property
    def seconds(self) -> float:
        """That training took, in earlier attempts too."""
        return self._before + self._now() - self._began

    @property
    def share(self) -> float:
        """Of training that is done."""
        done = self.step / self.steps
        if self.minutes:
            done = max(done, self.seconds / (60 * self.minutes))
        return min(1.0, done)

    @property
    def is_done(self) -> bool:
        return self.share >= 1.0

    @property
    def place(self) -> tuple[int, int]:
        """Step and number of steps; thousandths where a time limit decides, as nobody knows how many steps fit in it."""
        if self.minutes:
            return round(THOUSANDTHS * self.share), THOUSANDTHS
        return self.step, self.steps

    def leave_out(self, seconds: float) -> None:
        """Time that does not count as training, such as measuring."""
        self._before -= seconds

    def state(self) -> dict[str, NDArray[Any]]:
        """What `load` needs, as arrays by name."""
        return {"step": np.array(self.step), "seconds": np.array(self.seconds)}

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` gave."""
        self.step, self._before = int(arrays["step"]), float(arrays["seconds"])
        self._began = self._now()


class Trainer(Protocol):
    """What is trained: one step at a time, kept and restored as arrays by name."""

    @property
    def pace(self) -> Pace: ...

    def step(self) -> Mapping[str, float]:
        """Learn once. Returns losses by name."""

    def is_finite(self) -> bool:
        """Whether all that was learned are numbers."""

    def state(self) -> dict[str, NDArray[Any]]: ...

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None: ...


@dataclass
class Course:
    """How training went: running means of losses, and points of curves, each with its "step" and "share"."""

    losses: dict[str, float] = field(default_factory=dict)
    points: list[dict[str, float]] = field(default_factory=list)

    def add(self, losses: Mapping[str, float]) -> None:
        """Take one step in."""
        for name, value in losses.items():
            self.losses[name] = MEMORY * self.losses.get(name, value) + (1 - MEMORY) * value

    def is_due(self, share: float, every: float) -> bool:
        """Whether to measure a point of the curves now: one each `every` of training."""
        return not self.points or share >= self.points[-1]["share"] + every

    def told(self) -> dict[str, float]:
        """What is plotted while training runs: losses, and how near pictures were when they were measured last."""
        last = self.points[-1] if self.points else {}
        return {**self.losses, **{name: value for name, value in last.items() if name.startswith("psnr")}}

    def state(self) -> dict[str, NDArray[Any]]:
        """All of it as an array of text."""
        text = json.dumps({"losses": self.losses, "points": self.points})
        return {"course": np.frombuffer(text.encode(), np.uint8).copy()}

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` gave."""
        kept = json.loads(arrays["course"].tobytes())
        self.losses, self.points = kept["losses"], kept["points"]


@dataclass
class Training:
    """A trainer under way, from its checkpoint where there is one, to its end or until the person stops it.

    measure: figures of a point of the curves, each `curve_every` of training. preview: what there is now. advice: where
    training fails. told: what is plotted beside the losses. shows_start: there is something to see before the first
    step.
    """

    trainer: Trainer
    context: RunContext
    measure: Callable[[], Mapping[str, float]]
    preview: Callable[[], SceneData]
    advice: str
    curve_every: float
    told: Callable[[], Mapping[str, float]] = dict
    shows_start: bool = False
    course: Course = field(default_factory=Course)
    is_stopped: bool = False

    def __post_init__(self) -> None:
        arrays = self.context.load_checkpoint()
        if arrays is not None:
            self.trainer.load(arrays)
            self.course.load(arrays)

    @property
    def notes(self) -> list[str]:
        """That it was stopped, where it was."""
        pace = self.trainer.pace
        return [f"Stopped after {pace.step} of {pace.steps} steps."] if self.is_stopped else []

    def steps(self) -> Generator[Progress, None, None]:
        """Train. Raises Diverged where a loss, or at times where any parameter, is no number any more."""
        try:
            if self.shows_start and self.trainer.pace.step == 0 and self.context.is_preview_due():
                yield Progress(*self.trainer.pace.place, "Training", {}, self.preview())
            while not self.trainer.pace.is_done:
                yield from self._step()
        except StopRequested:
            self.is_stopped = True

    def _step(self) -> Generator[Progress, None, None]:
        pace, context = self.trainer.pace, self.context
        losses = self.trainer.step()
        self.course.add(losses)
        self._check(losses)
        if self.course.is_due(pace.share, self.curve_every):
            self.course.points.append({"step": pace.step, "share": pace.share, **self.measure()})
        is_done = pace.is_done
        if context.is_checkpoint_due() and not is_done:
            context.save_checkpoint(self.trainer.state() | self.course.state())
        preview = self.preview() if not is_done and context.is_preview_due() else None
        if preview is not None or is_done or pace.step % REPORT_EVERY == 0:
            yield Progress(*pace.place, "Training", {**self.course.told(), **self.told()}, preview)

    def _check(self, losses: Mapping[str, float]) -> None:
        step = self.trainer.pace.step
        is_finite = all(np.isfinite(value) for value in losses.values())
        if is_finite and step % CHECK_EVERY == 0:
            is_finite = self.trainer.is_finite()
        if not is_finite:
            raise Diverged(
                f"Training failed at step {step}: the loss is no number any more.",
                self.advice,
                str(dict(losses)),
            )
