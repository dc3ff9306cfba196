"""The states of a job, what a person may do in each, and how one follows another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Badge = Literal["grey", "blue", "green", "amber", "red"]


class JobState(StrEnum):
    """Where a job stands. The values are those of status.json, and three that only the window knows."""

    DRAFT = "draft"  # its settings are not valid yet
    READY = "ready"
    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    SAVING = "saving"
    CANCELLING = "cancelling"
    DONE = "done"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Offer:
    """What a state offers: its first button, the others, the colour and the words of its badge."""

    text: str
    badge: Badge
    primary: str | None
    others: tuple[str, ...] = ()
    is_primary_enabled: bool = True

    @property
    def buttons(self) -> tuple[str, ...]:
        """Every button that can be pressed, the first one first."""
        first = (self.primary,) if self.primary and self.is_primary_enabled else ()
        return first + self.others


OFFERS: dict[JobState, Offer] = {
    JobState.DRAFT: Offer("Draft", "grey", "start", ("check",), is_primary_enabled=False),
    JobState.READY: Offer("Ready", "grey", "start", ("enqueue", "check")),
    JobState.QUEUED: Offer("Queued", "blue", None, ("move_up", "move_down", "remove")),
    JobState.STARTING: Offer("Starting", "blue", None, ("cancel",)),
    JobState.RUNNING: Offer("Running", "green", "pause", ("checkpoint", "stop", "cancel")),
    JobState.PAUSING: Offer("Pausing", "amber", None),
    JobState.STOPPING: Offer("Stopping", "amber", None),
    JobState.SAVING: Offer("Saving", "amber", None),
    JobState.CANCELLING: Offer("Cancelling", "amber", None),
    JobState.PAUSED: Offer("Paused", "amber", "resume", ("stop", "cancel")),
    JobState.DONE: Offer("Done", "green", "show", ("duplicate", "discard")),
    JobState.STOPPED: Offer("Stopped", "grey", "resume", ("use_result", "duplicate", "discard")),
    JobState.CANCELLED: Offer("Cancelled", "grey", "resume", ("duplicate", "discard")),
    JobState.FAILED: Offer("Failed", "red", "show_error", ("retry", "duplicate", "copy_details", "discard")),
    JobState.INTERRUPTED: Offer("Interrupted", "red", "resume", ("duplicate", "discard")),
}

ENDED = frozenset(
    {JobState.DONE, JobState.STOPPED, JobState.CANCELLED, JobState.FAILED, JobState.INTERRUPTED}
)
STARTABLE = ENDED - {JobState.DONE} | {JobState.READY}
ACTIVE = frozenset(JobState) - ENDED - {JobState.DRAFT, JobState.READY, JobState.QUEUED}

_RUNS_ON = {JobState.STOPPING, JobState.CANCELLING, JobState.FAILED, JobState.INTERRUPTED}
_FOLLOWERS: dict[JobState, frozenset[JobState]] = {
    JobState.DRAFT: frozenset({JobState.READY}),
    JobState.READY: frozenset({JobState.DRAFT, JobState.QUEUED, JobState.STARTING}),
    JobState.QUEUED: frozenset({JobState.READY, JobState.STARTING, *ENDED - {JobState.DONE}}),
    JobState.STARTING: frozenset({JobState.RUNNING, *_RUNS_ON}),
    JobState.RUNNING: frozenset({JobState.PAUSING, JobState.SAVING, *_RUNS_ON}),
    JobState.PAUSING: frozenset({JobState.PAUSED, JobState.RUNNING, JobState.SAVING, *_RUNS_ON}),
    JobState.PAUSED: frozenset({JobState.RUNNING, *_RUNS_ON}),
    JobState.STOPPING: frozenset({JobState.SAVING, JobState.STOPPED, *_RUNS_ON}),
    JobState.SAVING: frozenset({JobState.DONE, JobState.STOPPED, *_RUNS_ON}),
    JobState.CANCELLING: frozenset(
        {JobState.CANCELLED, JobState.SAVING, JobState.FAILED, JobState.INTERRUPTED}
    ),
    **{state: frozenset({JobState.QUEUED, JobState.STARTING}) for state in ENDED},
}


def may_follow(state: JobState, following: JobState) -> bool:
    """Whether a job in `state` can come to `following` in one step."""
    return following in _FOLLOWERS[state]
