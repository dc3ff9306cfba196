"""What was asked for by words in this project: noted with each run, with what came of it, and stepped through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.edit_words import time_words
from app.layers import Layer
from app.manifest import PromptRecord
from widgets.prompt_history import PromptRow

Records = tuple[PromptRecord, ...]
_MOST = 500


def added(
    records: Records,
    *,
    prompt: str,
    method: str,
    seed: int,
    target: str,
    settings: Mapping[str, Any],
    run: str,
) -> Records:
    """The wishes with a new one, asked for now. Of very many the oldest go."""
    asked = datetime.now().isoformat(timespec="seconds")
    record = PromptRecord(
        uuid=run,
        prompt=prompt,
        method=method,
        seed=seed,
        target=target,
        settings=dict(settings),
        asked=asked,
        run=run,
    )
    return (*records, record)[-_MOST:]


def judged(records: Records, run: str, verdict: str) -> Records:
    """The wishes with what came of a run."""
    return tuple(
        each.model_copy(update={"verdict": verdict}) if each.run == run else each for each in records
    )


def rows_of(records: Records, layers: Sequence[Layer]) -> list[PromptRow]:
    """The list of wishes, the newest first; what stands among the layers tells more than what was noted."""
    found = {x.origin.run: x for x in layers if x.origin is not None and x.origin.run}
    return [
        PromptRow(
            each.uuid, each.prompt or "Edited pictures", each.target, time_words(each.asked), each.seed,
            _verdict(each, found.get(each.run)),
        )
        for each in reversed(records)
    ]  # fmt: skip


def _verdict(record: PromptRecord, layer: Layer | None) -> str:
    if layer is not None:
        return "pending" if layer.is_pending else "accepted"
    return "rejected" if record.verdict == "pending" else record.verdict


class Steps:
    """Where one is among earlier sentences, for the keys that step through them; what was typed last comes back."""

    def __init__(self) -> None:
        self._place = 0  # steps back from now
        self._typed = ""

    def step(self, by: int, records: Records, text: str) -> str | None:
        """The sentence that is `by` later (−1: the one before); None where there is none."""
        sentences = list(dict.fromkeys(each.prompt for each in reversed(records) if each.prompt))
        place = self._place - by
        if not 0 <= place <= len(sentences):
            return None
        if self._place == 0:
            self._typed = text
        self._place = place
        return self._typed if place == 0 else sentences[place - 1]

    def forget(self) -> None:
        """Something else was typed: stepping begins there."""
        self._place = 0
