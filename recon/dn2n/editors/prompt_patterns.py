"""Several words that mean something together, put into plain ones before clauses are read.

"From red to green" asks for green; "all but the fox" spares the fox; "replace the grass with snow" changes the grass
into snow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from recon.dn2n.editors.prompt_items import Item

_BLANK = Item("filler", "")
_SUNNY = (("sunny", 1.0),)
_SPARING = frozenset([
    "except", "except for", "excepting", "apart from", "other than", "besides", "save for", "excluding", "everything but",
    "all but", "anything but", "aside from", "everything except", "all except", "everything apart from",
])  # fmt: skip
_TOUCH = frozenset(["change", "touch", "alter", "modify", "edit", "recolor", "recolour", "paint"])
_AS_IT_IS = frozenset(["as it is", "as they are", "as is", "alone", "unchanged", "untouched", "like it is", "the same",
                       "as it was", "intact"])  # fmt: skip
_PICTURES = frozenset(["painting", "drawing", "sketch", "print", "sketched", "painted", "wash", "painterly"])
_SOURCES = ("to", "into", "for")


@dataclass(frozen=True)
class Reading:
    """items: what is left to read by clauses. spared: names of what stays as it is."""

    items: list[Item]
    spared: tuple[str, ...]


def plain(items: Sequence[Item]) -> Reading:
    """The items in plain order, and what they say is to be left alone."""
    left, spared = _without_spared(list(items))
    left = _with_days(left)
    left = _with_statues(_split_between_things(left))
    left = _replaced(left)
    left = _without_sources(left)
    left = _without_repeated_names(left)
    return Reading(_with_one_style(left), tuple(dict.fromkeys(spared)))


def _without_spared(items: list[Item]) -> tuple[list[Item], list[str]]:
    """Take away "except the fox", "everything but the fox", "don't change the fox", "leave the wall as it is"."""
    spared: list[str] = []
    place = 0
    while place < len(items):
        start, end = _spared_span(items, place)
        if end > start:
            spared += _names_in(items[start:end])
            end += end < len(items) and items[end].text in _AS_IT_IS
            items = [
                *items[:place],
                Item("stop", ",") if _starts_clause(items, place) else _BLANK,
                *items[end:],
            ]
        place += 1
    return items, spared


def _starts_clause(items: Sequence[Item], place: int) -> bool:
    """Whether what is spared has a clause of its own ("leave the fox alone and …")."""
    return items[place].text in ("leave", "keep") or (
        items[place].tag == "not" and items[place].text not in _SPARING
    )


def _spared_span(items: Sequence[Item], place: int) -> tuple[int, int]:
    """Where names of what is spared start and end, if something at `place` says so; else nothing."""
    item, start = items[place], place + 1
    is_kept = item.text in ("leave", "keep")
    is_forbidden = item.tag == "not" and start < len(items) and items[start].text in _TOUCH
    is_elsewhere = (
        item.tag == "not" and start < len(items) and items[start].tag == "place"
    )  # "not on the walls"
    if is_forbidden or is_elsewhere:
        start += 1
    elif (
        item.text not in _SPARING and not is_kept and not (item.text == "but" and _follows_all(items, place))
    ):
        return 0, 0
    end = _end_of_names(items, start)
    if not any(each.is_name for each in items[start:end]) or (end < len(items) and items[end].is_look):
        return 0, 0
    if item.text == "keep" and end < len(items) and items[end].text not in (*_AS_IT_IS, *".,;!?", "and"):
        return 0, 0
    return start, end


def _follows_all(items: Sequence[Item], place: int) -> bool:
    """Whether "but" takes something away from all ("everything blue but the fox")."""
    has_all = any(item.text in ("everything", "all", "anything", "everywhere") for item in items[:place])
    end = _end_of_names(items, place + 1)
    return has_all and (end == len(items) or items[end].tag in ("stop", "join", "copula"))


def _end_of_names(items: Sequence[Item], start: int) -> int:
    """Past names with their articles, several of them joined."""
    end = start
    while end < len(items) and (
        items[end].is_name or items[end].tag in ("definite", "indefinite", "join", "form")
    ):
        end += 1
    while end > start and items[end - 1].tag == "join":
        end -= 1
    is_verb_next = end > start and end < len(items) and items[end].tag in ("change", "add", "remove")
    return end - 1 if is_verb_next and items[end - 1].tag == "definite" else end


def _names_in(items: Sequence[Item]) -> Iterator[str]:
    words: list[str] = []
    for item in [*items, Item("join", "and")]:
        if item.is_name or item.tag == "form":
            words.append(item.text)
        elif words:
            yield " ".join(words)
            words = []


def _with_days(items: list[Item]) -> list[Item]:
    """ "into day" asks for daylight; "day into night" does not."""
    found = list(items)
    for place, item in enumerate(items):
        before = items[place - 1].text if place else ""
        is_last = not any(each.is_look for each in items[place + 1 :])
        if item.text == "day" and is_last and before in (*_SOURCES, "with", "by"):
            found[place] = Item("effect", "day", _SUNNY)
    is_bare = not any(item.is_look or item.is_name for item in found)
    return [replace(i, tag="effect", effects=_SUNNY) if is_bare and i.text == "day" else i for i in found]


def _split_between_things(items: list[Item]) -> list[Item]:
    """ "a jade horse on a wooden floor" speaks of two things, each with its own look."""
    found = list(items)
    for place, item in enumerate(items):
        if item.tag == "place" and _ends_described(items[:place]) and _starts_described(items[place + 1 :]):
            found[place] = Item("stop", ",")
    return found


def _ends_described(items: Sequence[Item]) -> bool:
    end = len(items)
    while end and items[end - 1].is_name:
        end -= 1
    return 0 < end < len(items) and items[end - 1].is_local_look


def _starts_described(items: Sequence[Item]) -> bool:
    rest = [item for item in items[:6] if item.tag not in ("indefinite", "definite", "degree")]
    return len(rest) > 1 and rest[0].is_local_look and rest[1].is_name


def _with_statues(items: list[Item]) -> list[Item]:
    """ "the statue" is a thing that is there; "a statue" is how something is to look."""
    found = list(items)
    for place, item in enumerate(items):
        if item.tag == "form" and place and items[place - 1].tag == "definite":
            found[place] = replace(item, tag="noun")
    return found


def _replaced(items: list[Item]) -> list[Item]:
    """ "replace A with B", where B is a look, as "change A into B"."""
    start = next((k for k, item in enumerate(items) if item.tag == "replace"), -1)
    middle = next((k for k in range(start + 1, len(items)) if items[k].text in ("with", "by", "for")), -1)
    if start < 0 or middle < 0 or not any(item.is_look for item in items[middle:]):
        return items
    found = list(items)
    found[start], found[middle] = Item("change", "change"), Item("into", "into")
    return found


def _without_sources(items: list[Item]) -> list[Item]:
    """ "from A to B" and "A into B" ask for B: a colour or material A is what B is for, a time or season A is past."""
    found = list(items)
    for place, item in enumerate(items):
        if item.text not in _SOURCES or place + 1 == len(items) or not _look_follows(items, place):
            continue
        first = place
        while first and (items[first - 1].is_look or items[first - 1].tag in ("degree", "light")):
            first -= 1
        before = items[first - 1] if first else _BLANK
        is_definite = before.tag == "definite"
        is_from = before.text == "from"
        is_change = (items[first - 2] if is_definite and first > 1 else before).tag == "change"
        if first == place or not (is_from or is_change or first == 0):
            continue
        for k in range(first, place):
            is_place = not is_from and (items[k].is_material or items[k].tag == "color")
            found[k] = replace(items[k], tag="noun", effects=(), color=None) if is_place else _BLANK
        if is_from:
            found[first - 1] = _BLANK
    return found


def _look_follows(items: Sequence[Item], place: int) -> bool:
    """Whether a look stands behind, past articles and fillers."""
    for item in items[place + 1 :]:
        if item.is_look:
            return True
        if item.tag not in ("indefinite", "filler", "degree", "definite"):
            return False
    return False


def _without_repeated_names(items: list[Item]) -> list[Item]:
    """ "turn the wall into a brick wall": the second is the first."""
    found = list(items)
    for place, item in enumerate(items):
        into = max((k for k in range(place) if items[k].tag == "into" or items[k].text == "to"), default=-1)
        if (
            into >= 0
            and item.is_name
            and any(each.is_name and each.text == item.text for each in items[:into])
        ):
            found[place] = _BLANK
    return found


def _with_one_style(items: list[Item]) -> list[Item]:
    """ "water colour painting" is one style, not two."""
    found = list(items)
    for place, item in enumerate(items[1:], 1):
        if item.text in _PICTURES and items[place - 1].is_style:
            found[place] = _BLANK
    return found
