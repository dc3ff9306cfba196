"""A prompt cut into words, and what each means by itself: the longest known phrase at every place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from recon.dn2n.editors import prompt_words as words_of
from recon.dn2n.editors.operations import EFFECTS
from recon.dn2n.editors.prompt_words import Meaning
from recon.romap.color_names import LONGEST_NAME, Rgb, color_of

Tag = Literal[
    "effect", "color", "degree", "not", "less", "change", "add", "remove", "replace", "into", "place", "copula",
    "definite", "indefinite", "join", "stop", "color noun", "light", "form", "filler", "noun", "word",
]  # fmt: skip
_TOKEN = re.compile(
    r"rgb\(\s?\d{1,3}\s?,\s?\d{1,3}\s?,\s?\d{1,3}\s?\)|#(?:[0-9a-f]{6}|[0-9a-f]{3})\b|b\s?&\s?w\b|b/w\b|[-+]?\d+(?:[.,]\d+)?\s?%|[-+]?\d+(?:[.,]\d+)?\spercent\b"
    r"|[^\W_]+(?:['-][^\W_]+)*|\S"
)
_CASTS = frozenset(
    ["red", "green", "blue", "yellow", "orange", "purple", "pink", "brown", "grey", "gray", "white", "black"]
)
_UNSEEN = re.compile("[\u200b-\u200f\ufe00-\ufe0f\u2060\ufeff]")  # joiners and variants of emoji
_NUMBERED = re.compile(r"(?:^|(?<=[\s;,.]))\d{1,2}[.)](?=\s)")  # of a list
_MISTYPED = {
    "teh": "the", "hte": "the", "adn": "and", "amd": "and", "wiht": "with", "tunr": "turn", "trun": "turn", "mkae": "make",
    "amke": "make", "maek": "make", "fo": "of", "ont he": "on the", "intot": "into", "thw": "the", "itno": "into", "isa": "is",
    "colur": "colour", "clour": "colour", "thge": "the",
}  # fmt: skip
_TABLES: tuple[tuple[Tag, Collection[str]], ...] = (
    ("light", words_of.LIGHT_NOUNS), ("degree", words_of.DEGREES), ("not", words_of.NEGATIONS), ("less", words_of.LESS), ("into", words_of.INTO),
    ("definite", words_of.DEFINITE), ("indefinite", words_of.INDEFINITE), ("join", words_of.JOINS),
    ("stop", words_of.STOPS), ("add", words_of.ADD), ("remove", words_of.REMOVE), ("replace", words_of.REPLACE),
    ("copula", words_of.COPULAS), ("effect", words_of.PHRASES),
    ("change", words_of.CHANGE), ("color noun", words_of.COLOR_NOUNS), ("form", words_of.FORMS),
    ("place", words_of.PLACES), ("filler", words_of.FILLERS), ("noun", words_of.NOUNS),
)  # fmt: skip
_LONGEST = max(
    LONGEST_NAME, words_of.LONGEST_PHRASE, *(len(phrase.split()) for _, table in _TABLES for phrase in table)
)


@dataclass(frozen=True)
class Item:
    """One word or phrase. effects: of an "effect". amount: of a "degree". color: of a "color". is_cast: "bluish"."""

    tag: Tag
    text: str
    effects: Meaning = ()
    amount: float = 1.0
    color: Rgb | None = None
    is_cast: bool = False

    @property
    def is_finish(self) -> bool:
        return bool(self.effects) and EFFECTS[self.effects[0][0]].kind == "finish"

    @property
    def is_local_look(self) -> bool:
        """Whether it says what a thing is made of or painted with."""
        return self.is_look and not self.is_of_the_whole

    @property
    def is_material(self) -> bool:
        return bool(self.effects) and EFFECTS[self.effects[0][0]].kind == "material"

    @property
    def is_style(self) -> bool:
        return bool(self.effects) and EFFECTS[self.effects[0][0]].kind in ("style", "filter")

    @property
    def is_of_the_whole(self) -> bool:
        """Whether it is about the whole picture by nature: time of day, season, weather, style."""
        return bool(self.effects) and not EFFECTS[self.effects[0][0]].is_local

    @property
    def is_look(self) -> bool:
        return self.tag in ("effect", "color")

    @property
    def is_name(self) -> bool:
        return self.tag in ("word", "noun")


def read_items(prompt: str) -> list[Item]:
    """The prompt's words in order, each with its meaning; what means nothing is a "word"."""
    tokens = list(_tokens(prompt))
    items, place = [], 0
    while place < len(tokens):
        length, item = _longest(tokens, place)
        items.append(item)
        place += length
    return items


def _tokens(prompt: str) -> Iterator[str]:
    """Words in lower case; those with a hyphen in parts where only these are known."""
    text = _NUMBERED.sub(";", _UNSEEN.sub("", prompt.lower().replace("’", "'").replace("‘", "'")))
    for word in _TOKEN.findall(text):
        token = _MISTYPED.get(word, word)
        if "-" in token.strip("-") and token not in words_of.KNOWN_WORDS and token not in words_of.PHRASES:
            yield from token.split("-")
        else:
            yield re.sub(r"\s", "", token) if token[0] == "b" and ("&" in token or "/" in token) else token


def _longest(tokens: list[str], place: int) -> tuple[int, Item]:
    for length in range(min(_LONGEST, len(tokens) - place), 0, -1):
        item = _meaning(" ".join(tokens[place : place + length]), tokens[place : place + length])
        if item is not None:
            return length, item
    return 1, Item("word", tokens[place])


def _meaning(text: str, tokens: list[str]) -> Item | None:
    if len(tokens) == 1 and (share := re.fullmatch(r"([-+]?)(\d+(?:[.,]\d+)?)\s?(?:%|percent)", text)):
        amount = min(float(share[2].replace(",", ".")) / 100, 2.0)
        return Item("less" if share[1] == "-" else "degree", text, amount=amount)
    if text.startswith("rgb("):
        red, green, blue = (min(int(number), 255) for number in re.findall(r"\d+", text))
        return Item("color", text.replace(" ", ""), color=(red / 255, green / 255, blue / 255))
    if len(tokens) == 1 and text.endswith("'s") and text[:-2] in words_of.PHRASES:  # "a summer's day"
        text = text[:-2]
    for tag, table in _TABLES:
        if text in table:
            return Item(
                tag, text, words_of.PHRASES[text] if tag == "effect" else (), words_of.DEGREES.get(text, 1.0)
            )
    if len(tokens) > 1 and tokens[-1] in words_of.PHRASES and tokens[0] not in words_of.PHRASES:
        return None  # "light wood" is not the colour of that name
    color = color_of(text) if len(tokens) <= LONGEST_NAME and len(text) < 40 else None
    return _cast_of(text) if color is None else Item("color", text, color=color)


def _cast_of(word: str) -> Item | None:
    """ "bluish", "redder": a colour that things lean to."""
    stem = word[:-3] if word.endswith("ish") else word[:-2] if word.endswith("er") else ""
    names = (stem, stem + "e", stem[:-1]) if len(stem) > 2 else ()
    name = next((name for name in names if name in _CASTS), "")
    return Item("color", name, color=color_of(name), is_cast=True) if name else None
