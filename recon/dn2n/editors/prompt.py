"""A prompt in words as effects on a scene: a small grammar of English, no network.

Each clause has a verb, what it is about, looks with their degrees, places and negations; words that are not
understood are named. Grammar in prompt_clauses, words in prompt_words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from recon.dn2n.editors.editor import Consistency, EditPlan
from recon.dn2n.editors.operations import EFFECTS, Operation
from recon.dn2n.editors.prompt_clauses import ClauseReader
from recon.dn2n.editors.prompt_items import read_items
from recon.dn2n.editors.prompt_words import NOUNS, PHRASES
from recon.errors import InputError
from recon.romap.color_names import named_colors

LABEL = "Built-in effects (rule-based, not AI)"
LONGEST_PROMPT = 600  # characters
_EXAMPLES = "“make it autumn”, “a night scene”, “the wall is dark blue” or “an oil painting”"
_NEEDS_NETWORK = "The built-in effects change colour, light, season, weather, material and style only."
_MOST_HINTS = 4
_FOREIGN = frozenset([
    "es", "de", "le", "la", "el", "los", "las", "und", "der", "die", "das", "den", "dem", "en", "un", "une", "una", "il", "lo", "les",
    "des", "du", "con", "avec", "mit", "ein", "eine", "einen", "mach", "mache", "haz", "fais", "als", "wie", "como", "comme",
    "zu", "zur", "zum", "im", "na", "di", "che", "noche", "nacht", "nuit", "notte", "noite", "herbst", "hiver", "automne",
])  # fmt: skip


@dataclass(frozen=True)
class Prompt:
    """What a prompt asks for.

    operations: in their order. unknown: words that mean nothing here, in their order. targets: words for where.
    excluded: looks that are asked not to be. spared: names of what is to stay as it is. hints: (word, what could be
    meant).
    """

    text: str
    operations: tuple[Operation, ...]
    unknown: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()
    hints: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def consistency(self) -> Consistency:
        return "screen" if any(each.effect.consistency == "screen" for each in self.operations) else "world"

    @property
    def plan(self) -> EditPlan:
        """As an editor shows it."""
        return EditPlan(
            self.text, LABEL, tuple(each.phrase for each in self.operations), self.unknown,
            tuple(dict.fromkeys((*self.targets, *self.spared))), self.consistency, self.notes,
        )  # fmt: skip


def parse_prompt(prompt: str) -> Prompt:
    """What a prompt asks of the built-in effects.

    Raises InputError where it is empty, too long, or nothing in it can be done, naming the words and what could be
    meant. Takes milliseconds and no heavy package.
    """
    text = " ".join(prompt.split())
    _check_length(text)
    reader = ClauseReader()
    reader.read(read_items(text))
    unknown = tuple(dict.fromkeys(reader.unknown))
    hints = _hints([word for word in unknown if word not in NOUNS and word not in _vocabulary()])
    if not reader.operations:
        raise InputError(*_refusal(text, reader, unknown, hints))
    return Prompt(
        text, _merged(reader.operations), unknown, tuple(dict.fromkeys(reader.targets)),
        tuple(dict.fromkeys(reader.excluded)), reader.spared, hints, _notes(reader, unknown, hints),
    )  # fmt: skip


def _check_length(text: str) -> None:
    if not text:
        raise InputError("The prompt is empty.", f"Say how the scene should look, such as {_EXAMPLES}.")
    if len(text) > LONGEST_PROMPT:
        raise InputError(
            f"The prompt is {len(text):,} characters long; at most {LONGEST_PROMPT} are read.",
            f"Say in a sentence how the scene should look, such as {_EXAMPLES}.",
        )


def _merged(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """Each thing once, in its strongest wording; a colour of the same target as a coloured light stays."""
    found: dict[tuple[str, str, str], Operation] = {}
    for each in operations:
        key = (each.name, each.color_name, each.target)
        if key not in found or found[key].amount < each.amount:
            found[key] = each
    return tuple(found.values())


def _refusal(
    text: str, reader: ClauseReader, unknown: Sequence[str], hints: Sequence[tuple[str, str]]
) -> tuple[str, str]:
    if reader.objects:
        things = " and ".join(f"“{thing}”" for thing in dict.fromkeys(reader.objects))
        return (
            f"Adding, removing or replacing {things} needs a generative model.",
            f"{_hint_text(hints)}{_NEEDS_NETWORK} Choose another editor, or say something such as {_EXAMPLES}.",
        )
    if reader.excluded or (reader.spared and not unknown):
        return "The prompt only says what not to do.", f"Say how the scene should look, such as {_EXAMPLES}."
    words = ", ".join(f"“{_short(word)}”" for word in unknown[:8]) or f"“{_short(text)}”"
    more = f" and {len(unknown) - 8} more words" if len(unknown) > 8 else ""
    english = "Prompts are read in English. " if _is_foreign(text, unknown) else ""
    return (
        f"Nothing in the prompt is understood: {words}{more}.",
        f"{english}{_hint_text(hints)}{_NEEDS_NETWORK} Say for instance {_EXAMPLES}.",
    )


def _is_foreign(text: str, unknown: Sequence[str]) -> bool:
    """Whether it is written in other letters, or has small words of other languages."""
    letters = [letter for letter in text if letter.isalpha()]
    return any(not letter.isascii() for letter in letters) or not _FOREIGN.isdisjoint(unknown)


def _notes(reader: ClauseReader, unknown: Sequence[str], hints: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    notes = []
    if reader.objects:
        things = " and ".join(f"“{thing}”" for thing in dict.fromkeys(reader.objects))
        notes.append(f"Adding, removing or replacing {things} needs a generative model and is left out.")
    if others := [word for word in unknown if not any(word in thing.split() for thing in reader.objects)]:
        words = ", ".join(f"“{_short(word)}”" for word in others[:8])
        notes.append(f"Not understood and left out: {words}. {_hint_text(hints)}".strip())
    if reader.excluded:
        notes.append(f"Left alone, as asked: {', '.join(dict.fromkeys(reader.excluded))}.")
    if reader.has_guessed_stone:
        notes.append("No material was named, so it is stone.")
    return tuple(notes)


def _hint_text(hints: Sequence[tuple[str, str]]) -> str:
    meant = " or ".join(f"“{match}”" for match in dict.fromkeys(match for _, match in hints))
    return f"Did you mean {meant}? " if meant else ""


def _hints(unknown: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """What unknown words could be misspellings of."""
    found = []
    for word in [word for word in unknown if 3 < len(word) < 20][:_MOST_HINTS]:
        near = [k for k in _vocabulary() if abs(len(k) - len(word)) < 3 and word[0] in k[:2]]
        found += [
            (word, match) for match in get_close_matches(word, near, 1, 0.75 if len(word) < 5 else 0.74)
        ]
    return tuple(found)


@cache
def _vocabulary() -> tuple[str, ...]:
    """Every word or phrase that changes something, in a fixed order."""
    names = (*PHRASES, *(name for name in named_colors() if " " not in name), *EFFECTS)
    return tuple(dict.fromkeys(name for name in names if len(name) > 3))


def _short(word: str) -> str:
    return word if len(word) <= 24 else word[:23] + "…"
