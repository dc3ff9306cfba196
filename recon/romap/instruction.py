"""An instruction in words as changes of a part: colour, material, removal, size, place, turn.

A small grammar of English, no network: clauses apart by commas, "and" or "then", filling words left out, and every
word that is not understood is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from recon.errors import InputError
from recon.romap.color_names import LONGEST_NAME, Rgb, color_of, named_colors
from recon.romap.materials import MATERIALS
from render.frame import METRES_PER_UNIT

Direction = Literal["up", "down", "left", "right", "forward", "back", "x", "y", "z", "-x", "-y", "-z"]


@dataclass(frozen=True)
class Recolor:
    """Give the part this colour on average; light and dark on it stay."""

    color: Rgb
    name: str


@dataclass(frozen=True)
class Adjust:
    """Factors of brightness, saturation, contrast and opacity."""

    brightness: float = 1.0
    saturation: float = 1.0
    contrast: float = 1.0
    opacity: float = 1.0


@dataclass(frozen=True)
class Cover:
    """Cover with a material of that name, in its own colours or in this one."""

    material: str
    color: Rgb | None = None


@dataclass(frozen=True)
class Delete:
    """Remove the part."""


@dataclass(frozen=True)
class Scale:
    """Make it so many times as large about its middle."""

    factor: float


@dataclass(frozen=True)
class Move:
    """amount: in `unit`: a length's name, "unit" for the scene's own, "size" for sizes of the part."""

    direction: Direction
    amount: float
    unit: str


@dataclass(frozen=True)
class Rotate:
    """Turn about an axis through its middle, counter-clockwise seen from the axis's tip."""

    degrees: float
    axis: Direction


Change = Recolor | Adjust | Cover | Delete | Scale | Move | Rotate


@dataclass(frozen=True)
class Instruction:
    """changes: in their order. unknown: words that mean nothing here. target: what the text calls the part."""

    changes: tuple[Change, ...]
    unknown: tuple[str, ...] = ()
    target: str = ""


_FILLERS = frozenset(
    [
        "a",
        "an",
        "the",
        "it",
        "its",
        "it's",
        "this",
        "that",
        "his",
        "her",
        "their",
        "my",
        "our",
        "your",
        "please",
        "can",
        "could",
        "you",
        "would",
        "make",
        "made",
        "turn",
        "paint",
        "color",
        "colour",
        "coloured",
        "colored",
        "dye",
        "recolor",
        "recolour",
        "tint",
        "give",
        "set",
        "change",
        "let",
        "have",
        "get",
        "into",
        "in",
        "to",
        "as",
        "of",
        "on",
        "with",
        "be",
        "become",
        "look",
        "looks",
        "like",
        "made",
        "from",
        "for",
        "by",
        "so",
        "some",
        "all",
        "entire",
        "whole",
        "part",
        "region",
        "area",
        "piece",
        "thing",
        "object",
        "one",
        "is",
        "are",
        "them",
        "they",
        "itself",
        "just",
        "very",
        "completely",
        "fully",
        "please",
        "around",
        "about",
        "texture",
        "textured",
        "material",
        "pattern",
        "surface",
        "colour's",
        "size",
        "sized",
        "big",
        "large",
        "much",
        "again",
        "degrees",
        "degree",
        "units",
        "unit",
        "along",
        "axis",
        "direction",
        "bit",
        "little",
        "slightly",
        "an'",
        "more",
        "wards",
        "towards",
        "toward",
        "transform",
        "convert",
        "replace",
        "cover",
        "covered",
        "apply",
        "use",
        "using",
        "style",
        "times",
        "than",
        "now",
        "how",
        "many",
    ]
)
_DETERMINERS = frozenset(["the", "his", "her", "its", "their", "my", "our", "this", "that"])
_DELETE = frozenset(
    [
        "delete",
        "remove",
        "erase",
        "hide",
        "cut",
        "drop",
        "eliminate",
        "discard",
        "clear",
        "vanish",
        "disappear",
    ]
)
_MOVE = frozenset(
    ["move", "shift", "push", "pull", "slide", "raise", "lift", "lower", "drag", "translate", "put"]
)
_ROTATE = frozenset(["rotate", "turn", "spin", "twist", "tilt", "roll"])
_SCALE_UP = {"bigger": 1.25, "larger": 1.25, "enlarge": 1.25, "grow": 1.25, "double": 2.0, "doubled": 2.0,
             "twice": 2.0, "triple": 3.0, "thrice": 3.0, "huge": 2.0, "giant": 2.5}  # fmt: skip
_SCALE_DOWN = {"smaller": 0.8, "shrink": 0.8, "half": 0.5, "halve": 0.5, "tiny": 0.4, "quarter": 0.25}
_SCALE = frozenset({"scale", "resize", "scaled", *_SCALE_UP, *_SCALE_DOWN})
_ADJUST = {
    "darker": Adjust(brightness=0.7), "darken": Adjust(brightness=0.7), "dim": Adjust(brightness=0.6),
    "brighter": Adjust(brightness=1.3), "brighten": Adjust(brightness=1.3), "lighter": Adjust(brightness=1.3),
    "lighten": Adjust(brightness=1.3), "greyscale": Adjust(saturation=0), "grayscale": Adjust(saturation=0),
    "desaturate": Adjust(saturation=0.4), "desaturated": Adjust(saturation=0.4), "colorless": Adjust(saturation=0),
    "colourless": Adjust(saturation=0), "saturate": Adjust(saturation=1.5), "saturated": Adjust(saturation=1.5),
    "colorful": Adjust(saturation=1.6), "colourful": Adjust(saturation=1.6), "vivid": Adjust(saturation=1.5),
    "contrasty": Adjust(contrast=1.4), "transparent": Adjust(opacity=0.4), "translucent": Adjust(opacity=0.5),
    "invisible": Adjust(opacity=0.0),
}  # fmt: skip
_DIRECTIONS: dict[str, Direction] = {
    "up": "up", "upward": "up", "upwards": "up", "higher": "up", "raise": "up", "lift": "up", "down": "down",
    "downward": "down", "downwards": "down", "lower": "down", "left": "left", "right": "right",
    "forward": "forward", "forwards": "forward", "front": "forward", "back": "back", "backward": "back",
    "backwards": "back", "x": "x", "y": "y", "z": "z", "+x": "x", "+y": "y", "+z": "z", "-x": "-x", "-y": "-y",
    "-z": "-z", "vertical": "up", "vertically": "up",
}  # fmt: skip
_NUMBERS = {
    "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0,
    "nine": 9.0, "ten": 10.0, "half": 0.5, "ninety": 90.0, "hundred": 100.0,
}  # fmt: skip
_UNITS = {
    "m": "m", "meter": "m", "meters": "m", "metre": "m", "metres": "m", "cm": "cm", "centimeter": "cm",
    "centimeters": "cm", "centimetre": "cm", "centimetres": "cm", "mm": "mm", "millimeter": "mm",
    "millimeters": "mm", "millimetre": "mm", "millimetres": "mm", "inch": "in", "inches": "in", "ft": "ft",
    "feet": "ft", "foot": "ft",
}  # fmt: skip
_TOKEN = re.compile(r"#[0-9a-f]{3,6}\b|[-+]?\d+(?:[.,]\d+)?|%|°|[-+]?[xyz]\b|[a-z][a-z'’-]*")
_DEFAULT_SHIFT = 0.25  # sizes of the part, where a move has no amount
assert set(_UNITS.values()) <= set(METRES_PER_UNIT)


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
    known = [*named_colors(), *MATERIALS, *_SCALE, *_MOVE, *_ROTATE, *_DELETE, *_ADJUST]
    near = [match for word in unknown for match in get_close_matches(word, known, 1, 0.8)]
    words = ", ".join(f"“{word}”" for word in dict.fromkeys(unknown)) or f"“{text.strip()}”"
    hint = f"Did you mean {' or '.join(f'“{match}”' for match in dict.fromkeys(near))}? " if near else ""
    return (
        f"Nothing in the instruction is understood: {words} is no colour, material, size, move or turn that is known.",
        f"{hint}Without a network, say a colour (“dark red”), a material ({', '.join(list(MATERIALS)[:4])} …), "
        "“delete”, “twice as big”, “move up 10 cm” or “rotate 30 degrees”; or give anchor images.",
    )


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
            is_noun = word in _DETERMINERS
            kept.append(word)
        return kept

    def _means_something(self, words: list[str], place: int) -> bool:
        word = words[place]
        known = {*_FILLERS, *_ADJUST, *MATERIALS, *_SCALE, *_MOVE, *_ROTATE, *_DELETE, *_DIRECTIONS, *_UNITS}
        has_color = any(color_of(" ".join(words[place : place + n])) for n in range(1, LONGEST_NAME + 1))
        return word in known or word in _NUMBERS or has_color or not word[0].isalpha()

    def _delete(self, words: list[str]) -> list[str] | None:
        if not _DELETE & set(words):
            return None
        self.changes.append(Delete())
        return [word for word in words if word not in _DELETE | {"away", "off", "out"}]

    def _move(self, words: list[str]) -> list[str] | None:
        verbs = _MOVE & set(words)
        leans = self._verb == "move" and bool(set(words) & set(_DIRECTIONS))
        if (not verbs and not leans) or (_ROTATE & set(words)):
            return None
        self._verb = "move"
        amount, unit, words = _amount(words)
        direction = next((_DIRECTIONS[word] for word in words if word in _DIRECTIONS), None)
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
        return [word for word in words if word not in _MOVE and word not in _DIRECTIONS]

    def _rotate(self, words: list[str]) -> list[str] | None:
        upside = "upside" in words or {"flip", "flipped"} & set(words)
        has_number = any(word[0].isdigit() or (word[0] in "+-" and word[1:2].isdigit()) for word in words)
        verbs = (_ROTATE - {"turn"}) & set(words) or ("turn" in words and has_number)
        if not verbs and not upside:
            return None
        self._verb = "rotate"
        if upside:
            self.changes.append(Rotate(180.0, "forward"))
            return [word for word in words if word not in {"upside", "down", "flip", "flipped", *_ROTATE}]
        amount, _, words = _amount(words)
        backward = {"clockwise"} & set(words)
        axis: Direction = next((_DIRECTIONS[word] for word in words if word in _DIRECTIONS), "up")
        if axis in ("left", "right") and "to" in words:  # "rotate to the left": about the vertical
            backward, axis = ({"right"} & set(words)), "up"
        degrees = 90.0 if amount is None else amount
        self.changes.append(Rotate(-degrees if backward else degrees, axis))
        done = {
            "clockwise",
            "counterclockwise",
            "counter-clockwise",
            "anticlockwise",
            "°",
            *_ROTATE,
            *_DIRECTIONS,
        }
        return [word for word in words if word not in done]

    def _scale(self, words: list[str]) -> list[str] | None:
        found = _SCALE & set(words)
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
            elif words[place] in _ADJUST:
                self.changes.append(_adjusted(_ADJUST[words[place]], words))
            elif words[place][0].isalpha() and words[place] not in {*_FILLERS, *_NUMBERS, *_UNITS, "percent"}:
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
    shrinks = bool(found & set(_SCALE_DOWN)) or "small" in words
    if amount is not None and unit == "%":
        share = amount / 100
        if found & {"scale", "resize", "scaled"} and not {"by"} & set(words):
            factor = share
        else:
            factor = 1 - share if shrinks else 1 + share
    elif amount is not None:
        factor = 1 / amount if shrinks and amount > 1 and "half" not in found else amount
    else:
        named = {**_SCALE_UP, **_SCALE_DOWN}
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
        unit = "%" if rest in (["%"], ["percent"]) else _UNITS.get(rest[0], "") if rest else ""
        return number, unit, words[:place] + words[place + (2 if unit else 1) :]
    return None, "", words


def _number(word: str) -> float | None:
    if word[0].isdigit() or (word[0] in "+-" and word[1:2].isdigit()):
        return float(word.replace(",", "."))
    return _NUMBERS.get(word)
