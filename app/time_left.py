"""How long a stage of a run will still take."""

from __future__ import annotations

import time
from collections import deque
from datetime import datetime, timedelta
from statistics import median

_WINDOW_SECONDS = 60.0
_SETTLED_SECONDS = 5.0
_SETTLED_STEPS = 20


class TimeLeft:
    """Estimates from the median speed of the last minute, for each stage anew."""

    def __init__(self) -> None:
        self._stage = ""
        self._points: deque[tuple[float, int]] = deque()
        self._first: tuple[float, int] = (0.0, 0)
        self._total = 0

    def add(self, stage: str, step: int, total: int, now: float | None = None) -> None:
        """A step was reached at `now` seconds of a steady clock."""
        now = time.monotonic() if now is None else now
        is_same = (stage, total) == (self._stage, self._total)
        if not is_same or not self._points or step < self._points[-1][1]:
            self._stage, self._first = stage, (now, step)
            self._points.clear()
        self._points.append((now, step))
        self._total = total
        while self._points[0][0] < now - _WINDOW_SECONDS:
            self._points.popleft()

    def pause(self) -> None:
        """Time stands still from here to the next step."""
        self._points.clear()

    @property
    def steps_per_second(self) -> float | None:
        """The median speed between neighbouring steps of the last minute; None before two steps."""
        pairs = zip(self._points, list(self._points)[1:], strict=False)
        speeds = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs if b[0] > a[0] and b[1] > a[1]]
        return median(speeds) if speeds else None

    @property
    def seconds(self) -> float | None:
        """Seconds to the end of the stage; None while it is too early to tell."""
        speed = self.steps_per_second
        if speed is None:
            return None
        now, step = self._points[-1]
        if now - self._first[0] < _SETTLED_SECONDS and step - self._first[1] < _SETTLED_STEPS:
            return None
        return max(0, self._total - step) / speed


def describe_time_left(seconds: float | None, now: datetime | None = None) -> str:
    """ "03:12 left (done 14:05)", or "estimating"."""
    if seconds is None:
        return "estimating"
    done = (now or datetime.now()) + timedelta(seconds=seconds)
    return f"{describe_duration(seconds)} left (done {done:%H:%M})"


def describe_duration(seconds: float) -> str:
    """ "03:12", or "1:03:12" from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"
