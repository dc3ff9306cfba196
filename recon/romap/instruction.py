"""An instruction in words as changes of a part: colour, material, removal, size, place, turn.

A small grammar of English, no network: clauses apart by commas, "and" or "then", filling words left out, and every
word that is not understood is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from textwrap import shorten

from recon.errors import InputError
from recon.romap.changes import (
    Adjust,
    Change,
    Cover,
    Delete,
    Direction,
    Instruction,
    Move,
    Recolor,
    Rotate,
    Scale,
)
from recon.romap.color_names import LONGEST_NAME, color_of, named_colors
from recon.romap.instruction_words import (
    ADJUST,
    DELETE,
    DETERMINERS,
    DIRECTIONS,
    FILLERS,
    KNOWN,
    MOVE,
    NUMBERS,
    ROTATE,
    SCALE,
    SCALE_DOWN,
    SCALE_UP,
    UNITS,
)
from recon.romap.materials import MATERIALS

_TOKEN = re.compile(r"#[0-9a-f]{3,6}\b|[-+]?\d+(?:[.,]\d+)?|%|°|[-+]?[xyz]\b|[a-z][a-z'’-]*")
_MOST_NAMED = 8  # words that are named as not understood
_MOST_LETTERS = 24  # of a word that is named
_DEFAULT_SHIFT = 0.25  # sizes of the part, where a move has no amount


def parse_instruction(text: str, part_name: str = "") -> Instruction:
    """What an instruction asks for. part_name: what the part is called, if that is known.

    Raises InputError where nothing in it is understood, naming the words and what could be meant.
    """
    clauses = re.split(r"[,;.!?]\s+|[,;.!?]$|\band\b|\bthen\b|\bbut\b", text.lower().replace("’", "'"))
    parser = _Clauses(set(re.findall(r"[a-z]+", part_name.lower())))
    for clause in clauses:
        parser.read(_TOKEN.findall(clause))
    if not parser.changes:
        raise InputError(*_not_understood(text, parser.unknown))
    return Instruction(tuple(parser.changes), tuple(dict.fromkeys(parser.unknown)), " ".join(parser.target))


def _not_understood(text: str, unknown: Sequence[str]) -> tuple[str, str]:
    if not text.strip():
        return "The instruction is empty.", "Say what to change, such as “dark red” or “twice as big”."
    known = sorted({*named_colors(), *MATERIALS, *SCALE, *MOVE, *ROTATE, *DELETE, *ADJUST})
    near = [match for word in unknown for match in get_close_matches(word, known, 1, 0.8)]
    plain = shorten(_brief(text), 60, placeholder=" …")
    named = [f"“{_brief(word)}”" for word in dict.fromkeys(unknown or [plain])]
    words = ", ".join(named[:_MOST_NAMED]) + (" …" if len(named) > _MOST_NAMED else "")
    hint = f"Did you mean {' or '.join(f'“{match}”' for match in dict.fromkeys(near))}? " if near else ""
    return (
        f"Nothing in the instruction is understood: {words} is no colour, material, size, move or turn that is known.",
        f"{hint}Without a network, say a colour (“dark red”), a material ({', '.join(list(MATERIALS)[:4])} …), "
        "“delete”, “twice as big”, “move up 10 cm” or “rotate 30 degrees”; or give anchor images.",
    )


def _brief(word: str) -> str:
    """A word without an end, or signs without spaces, are no more than begun."""
    has_long = any(len(piece) > _MOST_LETTERS for piece in word.split())
    return f"{word[: _MOST_LETTERS - 1]}…" if has_long else word


class _Clauses:
    """Reads clause after clause; later ones may lean on earlier ones ("move it up and left")."""

    def __init__(self, part_words: set[str]) -> None:
        self.changes: list[Change] = []
        self.unknown: list[str] = []
        self.target: list[str] = []
        self._part_words = part_words
        self._verb = ""

    def read(self, words: list[str]) -> None:
        """One clause."""
        if not words:
            return
        words = self._without_target(words)
        readers: tuple[Callable[[list[str]], list[str] | None], ...] = (
            self._delete, self._move, self._rotate, self._scale,
        )  # fmt: skip
        for reader in readers:
            rest = reader(words)
            if rest is not None:
                words = rest
                break
        self._looks(words)

    def _without_target(self, words: list[str]) -> list[str]:
        """Leave out what the clause calls the part: unknown words behind "the", "her" and such."""
        kept: list[str] = []
        is_noun = False
        for place, word in enumerate(words):
            if word in self._part_words:
                continue
            if is_noun and not self._means_something(words, place):
                self.target.append(word)
                continue
            is_noun = word in DETERMINERS
            kept.append(word)
        return kept

    def _means_something(self, words: list[str], place: int) -> bool:
        word = words[place]
        has_color = any(color_of(" ".join(words[place : place + n])) for n in range(1, LONGEST_NAME + 1))
        return word in KNOWN or word in MATERIALS or has_color or not word[0].isalpha()

    def _delete(self, words: list[str]) -> list[str] | None:
        if not DELETE & set(words):
            return None
        self.changes.append(Delete())
        return [word for word in words if word not in DELETE | {"away", "off", "out"}]

    def _move(self, words: list[str]) -> list[str] | None:
        verbs = MOVE & set(words)
        leans = self._verb == "move" and bool(set(words) & set(DIRECTIONS))
        if (not verbs and not leans) or (ROTATE & set(words)):
            return None
        self._verb = "move"
        amount, unit, words = _amount(words)
        direction = next((DIRECTIONS[word] for word in words if word in DIRECTIONS), None)
        if direction is None:
            raise InputError(
                "The instruction does not say where to move the part.",
                "Say up, down, left, right, or along x, y or z.",
            )
        self.changes.append(
            Move(
                direction,
                _DEFAULT_SHIFT if amount is None else amount,
                unit or ("size" if amount is None else "unit"),
            )
        )
        return [word for word in words if word not in MOVE and word not in DIRECTIONS]

    def _rotate(self, words: list[str]) -> list[str] | None:
        upside = "upside" in words or {"flip", "flipped"} & set(words)
        has_number = any(_is_in_digits(word) for word in words)
        verbs = (ROTATE - {"turn"}) & set(words) or ("turn" in words and has_number)
        if not verbs and not upside:
            return None
        self._verb = "rotate"
        if upside:
            self.changes.append(Rotate(180.0, "forward"))
            return [word for word in words if word not in {"upside", "down", "flip", "flipped", *ROTATE}]
        amount, _, words = _amount(words)
        backward = {"clockwise"} & set(words)
        axis: Direction = next((DIRECTIONS[word] for word in words if word in DIRECTIONS), "up")
        if axis in ("left", "right") and "to" in words:  # "rotate to the left": about the vertical
            backward, axis = ({"right"} & set(words)), "up"
        degrees = 90.0 if amount is None else amount
        self.changes.append(Rotate(-degrees if backward else degrees, axis))
        turns = {"clockwise", "counterclockwise", "counter-clockwise", "anticlockwise", "°"}
        done = turns | ROTATE | set(DIRECTIONS)
        return [word for word in words if word not in done]

    def _scale(self, words: list[str]) -> list[str] | None:
        found = SCALE & set(words)
        is_times = "times" in words and bool({"big", "large", "size", "small"} & set(words))
        if not found and not is_times:
            return None
        self._verb = "scale"
        amount, unit, words = _amount(words)
        self.changes.append(Scale(_scale_factor(found, amount, unit, words)))
        done = {"%", "times", "small", "size", "big", "large", "percent", *found}
        return [word for word in words if word not in done]

    def _looks(self, words: list[str]) -> None:
        """Colours, materials and adjustments; what is left is not understood."""
        place, color, material = 0, None, None
        while place < len(words):
            length, found = _color_at(words, place)
            if found is not None:
                color = found
            elif words[place] in MATERIALS:
                material = words[place]
            elif words[place] in ADJUST:
                self.changes.append(_adjusted(ADJUST[words[place]], words))
            elif words[place][0].isalpha() and words[place] not in {*FILLERS, *NUMBERS, *UNITS, "percent"}:
                self.unknown.append(words[place])
            place += length
        if material is not None:
            self.changes.append(Cover(material, None if color is None else color.color))
        elif color is not None:
            self.changes.append(color)


def _color_at(words: list[str], place: int) -> tuple[int, Recolor | None]:
    """The longest colour that begins here, and how many words it takes; a material's own name is none."""
    for length in range(min(LONGEST_NAME, len(words) - place), 0, -1):
        name = " ".join(words[place : place + length])
        color = None if length == 1 and name in MATERIALS else color_of(name)
        if color is not None:
            return length, Recolor(color, name)
    return 1, None


def _adjusted(change: Adjust, words: list[str]) -> Adjust:
    """The change as strong as "50 %" says, or "much" and "slightly"."""
    amount, unit, _ = _amount(list(words))
    power = (
        2.0 if {"much", "very"} & set(words) else 0.5 if {"slightly", "bit", "little"} & set(words) else 1.0
    )
    if amount is not None and unit == "%":
        share = amount / 100
        if change.opacity < 1:
            return Adjust(opacity=max(0.0, 1 - share))
        if change.brightness != 1:
            return Adjust(brightness=max(0.0, 1 + share if change.brightness > 1 else 1 - share))
        return Adjust(saturation=max(0.0, 1 + share if change.saturation > 1 else 1 - share))
    return Adjust(
        *(value**power for value in (change.brightness, change.saturation, change.contrast, change.opacity))
    )


def _scale_factor(
    found: set[str] | frozenset[str], amount: float | None, unit: str, words: list[str]
) -> float:
    shrinks = bool(found & set(SCALE_DOWN)) or "small" in words
    if amount is not None and unit == "%":
        share = amount / 100
        if found & {"scale", "resize", "scaled"} and not {"by"} & set(words):
            factor = share
        else:
            factor = 1 - share if shrinks else 1 + share
    elif amount is not None:
        factor = 1 / amount if shrinks and amount > 1 and "half" not in found else amount
    else:
        named = {**SCALE_UP, **SCALE_DOWN}
        # "half as big", "twice the size": the stronger word counts
        factor = max((named[word] for word in found if word in named), key=lambda f: abs(f - 1), default=1.25)
        factor = 1 / factor if "small" in words and factor > 1 else factor
    if not 1e-3 <= factor <= 1e3:
        raise InputError(
            f"The part would become {factor:g} times as large.", "Choose a factor between 0.001 and 1000."
        )
    return factor


def _amount(words: list[str]) -> tuple[float | None, str, list[str]]:
    """The first number, its unit ("%", a length's name or ""), and the other words."""
    for place, word in enumerate(words):
        number = _number(word)
        if number is None or (word == "half" and "as" in words):
            continue
        rest = words[place + 1 : place + 2]
        unit = "%" if rest in (["%"], ["percent"]) else UNITS.get(rest[0], "") if rest else ""
        return number, unit, words[:place] + words[place + (2 if unit else 1) :]
    return None, "", words


def _number(word: str) -> float | None:
    return float(word.replace(",", ".")) if _is_in_digits(word) else NUMBERS.get(word)


def _is_in_digits(word: str) -> bool:
    return word[0].isdigit() or (word[0] in "+-" and word[1:2].isdigit())
