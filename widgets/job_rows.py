"""A job as the window shows it: its row, and the words and icons of states and of what one may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class JobRow:
    """Everything about one job that is shown. The program fills it; widgets only draw it.

    state: a key of STATES. fraction: how far the whole run is, 0 to 1, or None where nobody knows.
    step and total count within the stage. left: the time left in words. result: the outcome in words, or
    what went wrong. preview_share: share of the time that previews cost. primary, others: what one may do
    now, keys of VERBS, the foremost first; a primary verb that is not enabled is drawn but cannot be pressed.
    """

    id: str
    state: str
    name: str
    workflow: str = ""
    fraction: float | None = None
    stage: str = ""
    step: int = 0
    total: int = 0
    speed: float | None = None  # steps a second
    elapsed: float = 0.0  # seconds
    left: str = ""
    device: str = ""
    peak_bytes: int = 0
    result: str = ""
    preview_share: float = 0.0
    queue_place: int = 0
    primary: str | None = None
    others: tuple[str, ...] = ()
    is_primary_enabled: bool = True

    @property
    def is_active(self) -> bool:
        """Whether the job has a process at this moment."""
        return self.state in _ACTIVE

    @property
    def state_words(self) -> str:
        word = state_look(self.state).word
        return f"{word} ({self.queue_place})" if self.state == "queued" and self.queue_place else word


class StateLook(NamedTuple):
    word: str
    icon: str
    color: str  # token of the theme


class VerbLook(NamedTuple):
    word: str
    icon: str
    tip: str


_ACTIVE = {"starting", "running", "pausing", "paused", "stopping", "saving", "cancelling"}

STATES = {
    "draft": StateLook("Draft", "circle-dashed", "text_second"),
    "ready": StateLook("Ready", "circle", "text_second"),
    "queued": StateLook("Queued", "clock", "link"),
    "starting": StateLook("Starting", "loader", "link"),
    "running": StateLook("Running", "circle-play", "ok"),
    "pausing": StateLook("Pausing", "loader", "warn"),
    "paused": StateLook("Paused", "circle-pause", "warn"),
    "stopping": StateLook("Stopping", "loader", "warn"),
    "saving": StateLook("Saving", "save", "warn"),
    "cancelling": StateLook("Cancelling", "loader", "warn"),
    "done": StateLook("Done", "circle-check", "ok"),
    "stopped": StateLook("Stopped", "circle-stop", "text_second"),
    "cancelled": StateLook("Cancelled", "ban", "text_second"),
    "failed": StateLook("Failed", "circle-alert", "error"),
    "interrupted": StateLook("Interrupted", "unlink", "error"),
}

VERBS = {
    "start": VerbLook("Start", "play", "Start this run"),
    "check": VerbLook("Check", "list-checks", "Check inputs and settings without running"),
    "enqueue": VerbLook("Add to queue", "plus", "Run after those that wait"),
    "move_up": VerbLook("Move up", "arrow-up", "Run earlier"),
    "move_down": VerbLook("Move down", "arrow-down", "Run later"),
    "remove": VerbLook("Remove", "x", "Take out of the queue"),
    "cancel": VerbLook("Cancel", "x", "End now and keep the last checkpoint"),
    "pause": VerbLook("Pause", "pause", "Pause after this step (F6)"),
    "resume": VerbLook("Resume", "play", "Go on from the last checkpoint"),
    "checkpoint": VerbLook("Checkpoint", "save", "Save a checkpoint now (F8)"),
    "preview": VerbLook("Preview", "eye", "Make a preview now (F9)"),
    "stop": VerbLook("Stop", "square", "Finish this step and keep the result so far (Shift+F5)"),
    "show": VerbLook("Show", "eye", "Show the result"),
    "use_result": VerbLook("Use result", "check", "Put what there is into the project"),
    "continue": VerbLook("Continue training…", "step-forward", "Train on from here"),
    "duplicate": VerbLook("Duplicate", "copy", "A new run with the same settings"),
    "retry": VerbLook("Retry", "refresh-cw", "Run again with the same settings"),
    "show_error": VerbLook("Show error", "message-square", "What went wrong and what to do"),
    "copy_details": VerbLook("Copy details", "clipboard-copy", "Copy the error's details"),
    "discard": VerbLook("Discard", "trash-2", "Remove this run and its files"),
}


def state_look(state: str) -> StateLook:
    """Word, icon and colour of a state."""
    return STATES.get(state, StateLook(state.capitalize(), "circle", "text_second"))


def verb_look(verb: str) -> VerbLook:
    """Word, icon and tooltip of what one may do. Raises KeyError for an unknown verb."""
    return VERBS[verb]


def device_text(device: str) -> str:
    """ "cpu" and "cuda:1" as a person calls them: "CPU", "GPU 1"."""
    kind, _, number = device.partition(":")
    words = {"cpu": "CPU", "cuda": "GPU"}.get(kind)
    return f"{words} {number}".strip() if words else device


def duration_text(seconds: float) -> str:
    """ "03:12", or "1:03:12" from an hour on."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def bytes_text(count: int) -> str:
    """ "1.2 GB"; empty for none."""
    if count <= 0:
        return ""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 999.5:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def step_text(row: JobRow) -> str:
    """ "1 240 of 2 000"; empty where steps are not counted."""
    return f"{row.step:,} of {row.total:,}".replace(",", "\u2009") if row.total else ""
