"""How far a run is, on a terminal or as plain lines."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from typing import Any, TextIO

from app.time_left import TimeLeft, describe_time_left

_PLAIN_SECONDS = 10.0  # between lines where there is no terminal
_DRAW_SECONDS = 0.1
_SHORTEST_BAR = 10
_FIGURES_WIDTH = 44  # as wide as they mostly are, so that the bar keeps its length


class RunProgress:
    """Shows a worker's events on `stream`: one line drawn anew on a terminal, else a line now and then."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._time_left = TimeLeft()
        self._stage = ("", 0)
        self._shown: tuple[str, int, int] | None = None
        self._shown_at = 0.0
        self._is_line_open = False
        self._was_preparing = False

    def show(self, event: Mapping[str, Any]) -> None:
        """Take in one event of a worker."""
        match event["event"]:
            case "hello" if event["resumed"]:
                self.say("Resuming from the last checkpoint.")
            case "log" if event["level"] in ("warning", "error", "critical"):
                self.say(f"{event['level']}: {event['text']}")
            case "preparing" if not self._was_preparing:
                self._was_preparing = True
                self.say("Preparing calculations: this is done once on a machine.")
            case "progress":
                self._show_progress(event)

    def say(self, text: str) -> None:
        """A line of its own."""
        self.close()
        print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """End the line that is being drawn."""
        if self._is_line_open:
            print(file=self._stream, flush=True)
            self._is_line_open = False

    def _show_progress(self, event: Mapping[str, Any]) -> None:
        self._time_left.add(event["stage"], event["step"], event["total"], event["time"])
        is_new = (event["stage"], event["total"]) != self._stage
        is_last = event["step"] >= event["total"]
        place = (event["stage"], event["step"], event["total"])
        if place == self._shown:
            return
        if is_new:
            self.close()
            self._stage = (event["stage"], event["total"])
        pause = _DRAW_SECONDS if self._is_terminal else _PLAIN_SECONDS
        if not (is_new or is_last) and time.monotonic() - self._shown_at < pause:
            return
        self._shown, self._shown_at = place, time.monotonic()
        left = "" if is_last else describe_time_left(self._time_left.seconds)
        figures = f"{event['step']}/{event['total']}  {event['it_s']:.3g} it/s  {left}".rstrip()
        if self._is_terminal:
            self._draw(event["stage"], figures, event["step"] / max(1, event["total"]))
        else:
            print(f"{event['stage']}: {figures}", file=self._stream, flush=True)

    def _draw(self, stage: str, figures: str, fraction: float) -> None:
        """Stage, bar and figures over the line that was drawn last."""
        width = shutil.get_terminal_size().columns - 1
        room = width - len(stage) - max(len(figures), _FIGURES_WIDTH) - 4
        bar = ""
        if room >= _SHORTEST_BAR:
            room = min(room, 30)
            full = round(room * min(1.0, fraction))
            bar = "━" * full + "─" * (room - full)
        line = f"{stage}  {bar}  {figures}"[:width]
        print(f"\r\x1b[K{line}", end="", file=self._stream, flush=True)
        self._is_line_open = True
