"""Edits of a whole scene in words and figures: their steps, scores of views, how far views agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from widgets.edited_views import EditedView
from widgets.scene_choices import Stage

# What a run says that it does, by how its words begin, for each step that a person is told of.
STAGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Read photos and depth",
        ("Reading", "Finding", "Matching", "Aligning", "Computing", "Training", "Comparing"),
    ),
    ("Edit the views", ("Editing",)),
    ("Make one edit of them all", ("Making",)),
    ("Draw and measure", ("Writing", "Drawing", "Measuring")),
)
_SECONDS_A_VIEW = 0.7  # of the built-in effects, on two cores


def stages_of(stage: str, share: float) -> list[Stage]:
    """The steps of a run that says it is in `stage`, done by `share`."""
    now = next((i for i, (_, starts) in enumerate(STAGES) if stage.startswith(starts)), 0)
    found = []
    for place, (title, _) in enumerate(STAGES):
        state = "done" if place < now else "running" if place == now else "todo"
        found.append(Stage(title, state, share if place == now else 0.0))  # type: ignore[arg-type]
    return found


def view_of(row: Mapping[str, Any]) -> EditedView:
    """One line of views.json."""
    score = row.get("score")
    decision = str(row["decision"])
    reason = str(row.get("reason") or "")
    words = {"weakened": f"Counts less: {reason}" if reason else "Counts less", "held out": "Held out"}
    return EditedView(
        str(row["name"]),
        None if score is None else 100 * float(score),
        decision in ("kept", "weakened", "held out"),
        words.get(decision, reason),
        bool(row.get("is_overruled")),
        decision == "weakened",
    )


def consistency_words(figures: Mapping[str, Any]) -> str:
    """How far neighbouring views differ about the same places, as edited one by one and as they are now: "Views
    differed by 4.1 %, now by 1.2 %"."""
    alone, together = figures.get("warp_edited_alone"), figures.get("warp_edited_together")
    if not isinstance(alone, Mapping) or not isinstance(together, Mapping):
        return ""
    before, after = 100 * float(alone.get("short", 0)), 100 * float(together.get("short", 0))
    if f"{before:.1f}" == f"{after:.1f}":
        return f"Views differ by {after:.1f} %"
    return f"Views differed by {before:.1f} %, now by {after:.1f} %"


def time_words(num_views: int) -> str:
    """About how long the built-in effects take."""
    seconds = 4 + _SECONDS_A_VIEW * num_views
    return f"about {round(seconds / 5) * 5 or 5} s" if seconds < 90 else f"about {round(seconds / 60)} min"
