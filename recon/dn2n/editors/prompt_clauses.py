"""Clause by clause: what a prompt asks for, of what, how strongly, and what it asks to leave alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from recon.dn2n.editors.operations import EFFECTS, Operation
from recon.dn2n.editors.prompt_asks import MOST, asks_of, less_of
from recon.dn2n.editors.prompt_items import Item
from recon.dn2n.editors.prompt_patterns import plain
from recon.dn2n.editors.prompt_words import BELONGS, SCENES

_VERBS = ("change", "add", "remove", "replace")
_QUIET = ("filler", "degree", "indefinite", "color noun", "form")
_CLEARABLE = ("fog", "dust", "underwater")
_OF_THINGS = frozenset(
    [
        "rain",
        "dust",
        "snow",
        "bright",
        "dark",
        "vivid",
        "faded",
        "contrast",
        "flat",
        "warm",
        "cold",
        "mosaic",
        "gloss",
    ]
)


@dataclass(frozen=True)
class _Name:
    """Words that may say what a clause is about: items start … end. before: the nearest telling item in front."""

    start: int
    end: int
    text: str
    before: str
    is_known: bool
    is_indefinite: bool


class ClauseReader:
    """Reads clause after clause; later ones may lean on earlier ones ("add fog and a little snow")."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.excluded: list[str] = []
        self.unknown: list[str] = []
        self.targets: list[str] = []
        self.objects: list[str] = []
        self.spared: tuple[str, ...] = ()
        self.has_guessed_stone = False
        self._verb = ""
        self._waiting: list[str] = []

    def read(self, items: Sequence[Item]) -> None:
        """A whole prompt."""
        reading = plain(items)
        self.spared = reading.spared
        for opener, clause in _clauses(reading.items):
            self._read_clause(opener, _described(clause))
        self.unknown += " ".join(self._waiting).split()
        self._drop_excluded()
        if not self.operations and not self.objects and set(self.excluded) & set(_CLEARABLE):
            self.operations.append(Operation("clear"))  # "no fog", and nothing else
            self.excluded = [name for name in self.excluded if name not in _CLEARABLE]

    def _read_clause(self, opener: Item | None, items: list[Item]) -> None:
        verb = "add" if opener is not None and opener.text == "with" else ""
        verb = next((item.tag for item in items if item.tag in _VERBS), verb)
        leans = opener is not None and opener.tag == "join" and not any(i.tag == "copula" for i in items)
        self._verb = verb or (self._verb if leans else "")
        names = list(_names(items))
        items, names = self._without_new_objects(items, names)
        asks = list(asks_of(items, self._verb))
        self._weigh_last(items)
        if any(item.tag == "form" for item in items) and not any(i.is_look for i in items):
            asks, self.has_guessed_stone = [*asks, Operation("stone")], True
        target = self._target_of(items, names, asks)
        self._take(items, asks, target)

    def _weigh_last(self, items: list[Item]) -> None:
        """A degree that stands alone is of what was said last: "foggy, slightly"."""
        telling = [item for item in items if item.tag != "filler"]
        if self.operations and telling and all(item.tag == "degree" for item in telling):
            last, factor = self.operations[-1], math.prod(item.amount for item in telling)
            self.operations[-1] = replace(last, amount=min(last.amount * factor, MOST))

    def _without_new_objects(self, items: list[Item], names: list[_Name]) -> tuple[list[Item], list[_Name]]:
        """Leave out things that would have to be made or taken away, with what is said of them ("a red hat")."""
        kept: list[_Name] = []
        gone: list[_Name] = []
        has_look = any(item.is_look for item in items)
        for name in names:
            (gone if self._is_new_object(items, name, has_look) else kept).append(name)
        for name in gone:
            self.objects.append(name.text)
            self.unknown += name.text.split()
        spans = [_with_modifiers(items, name) for name in gone]
        blank = Item("filler", "")
        return [blank if any(a <= k < b for a, b in spans) else i for k, i in enumerate(items)], kept

    def _is_new_object(self, items: list[Item], name: _Name, has_look: bool) -> bool:
        if self._verb in ("remove", "replace"):
            return not has_look or name.before not in ("place", "definite place")
        if name.end < len(items) and items[name.end].is_look:  # "a 3d cartoon" lacks no 3d
            return False
        if self._verb == "add" and has_look and items[name.end - 1].text in BELONGS:
            return False
        if self._verb == "add":
            return name.is_indefinite or not (has_look or name.before.startswith("definite"))
        if self._verb == "change" and name.is_indefinite and not has_look and name.before != "into":
            return any(item.tag == "definite" for item in items[: name.start])  # "make the horse a zebra"
        follows_whole = name.start > 0 and items[name.start - 1].is_of_the_whole
        return name.before == "into" and not follows_whole  # "like a comic book page" wants no page

    def _target_of(self, items: list[Item], names: list[_Name], asks: Sequence[Operation]) -> str:
        """What the clause's effects are for: the names that stand where a target stands."""
        is_local = any(ask.effect.is_local for ask in asks)
        if not asks:
            self._hold(items, names)
            return ""
        found = list(self._waiting) if names or is_local else []
        if not found:
            self.unknown += " ".join(self._waiting).split()
        self._waiting = []
        for name in names:
            role = _role(items, name)
            if role == "target":
                found.append(name.text.removesuffix("'s"))
            elif role == "unknown" and not found and _is_described(items, name):
                found.append(name.text)  # "white fur"
            elif role == "unknown":
                self.unknown += name.text.split()
        self.targets += found
        return " and ".join(dict.fromkeys(found))

    def _hold(self, items: list[Item], names: list[_Name]) -> None:
        """Names without an effect wait for the next clause ("the wall and the floor are blue")."""
        for name in names:
            if name.is_known or "definite" in name.before:
                self._waiting.append(name.text)
            else:
                self.unknown += name.text.split()

    def _take(self, items: list[Item], asks: list[Operation], target: str) -> None:
        if any(item.tag == "not" for item in items):
            removes_color = any(item.tag == "color noun" for item in items)
            if removes_color and not asks:
                self.operations.append(Operation("mono"))
            self.excluded += [ask.color_name if ask.name == "tint" else ask.name for ask in asks]
            return
        has_local = any(EFFECTS[ask.name].is_local for ask in asks)
        for ask in asks:
            if ask.amount <= 0:  # "0 % fog"
                self.excluded.append(ask.name)
            elif self._verb == "remove":
                self._remove(ask, target)
            else:  # "a wooden horse in the snow": the snow is everywhere
                is_for_target = EFFECTS[ask.name].is_local or not has_local
                self.operations.append(replace(ask, target=target if is_for_target else ""))

    def _remove(self, ask: Operation, target: str) -> None:
        effect = EFFECTS[ask.name]
        if ask.name == "mono":
            self.operations.append(ask)
        elif ask.color is not None and ask.name in ("tint", "tinge") and not target:
            self.operations.append(less_of(ask.color, ask.color_name, 1.0))
        elif ask.name in _CLEARABLE or effect.opposite:
            self.operations.append(Operation(effect.opposite or "clear", ask.amount))
        else:
            name = ask.color_name or ask.name
            self.objects.append(name)
            self.unknown += name.split()

    def _drop_excluded(self) -> None:
        names = set(self.excluded)
        self.operations = [
            ask
            for ask in self.operations
            if (ask.color_name if ask.name == "tint" else ask.name) not in names
        ]


def _clauses(items: Sequence[Item]) -> Iterator[tuple[Item | None, list[Item]]]:
    """What opens each clause, and its items. A further verb, or "not", begins a new one once an effect was named."""
    opener: Item | None = None
    clause: list[Item] = []
    for item in items:
        has_look = any(each.is_look for each in clause)
        if item.tag in ("stop", "join"):
            yield opener, clause
            opener, clause = item, []
        elif has_look and item.tag in (*_VERBS, "not") and not _is_between(clause):
            yield opener, clause
            opener, clause = None, [item]
        else:
            clause.append(item)
    yield opener, clause


def _is_between(clause: list[Item]) -> bool:
    """Whether the only effects so far describe what is spoken of ("the red wall made blue")."""
    return (
        all(clause[k + 1].is_name for k, item in enumerate(clause[:-1]) if item.is_look)
        and clause[-1].is_name
    )


def _described(items: list[Item]) -> list[Item]:
    """ "the red chair" as one name where the clause asks for something else besides."""
    for start, item in enumerate(items):
        end = start + 1
        while end < len(items) and items[end].is_look:
            end += 1
        is_name = item.tag == "definite" and start + 1 < end < len(items) and items[end].is_name
        if is_name and any(each.is_look for each in (*items[:start], *items[end:])):
            modifiers = [replace(each, tag="noun", effects=(), color=None) for each in items[start + 1 : end]]
            return [*items[: start + 1], *modifiers, *items[end:]]
    return items


def _names(items: Sequence[Item]) -> Iterator[_Name]:
    start = 0
    while start < len(items):
        end = start
        while end < len(items) and items[end].is_name:
            end += 1
        if end > start:
            words = items[start:end]
            before, is_indefinite = _before(items, start)
            text = " ".join(word.text for word in words)
            yield _Name(start, end, text, before, any(i.tag == "noun" for i in words), is_indefinite)
        start = max(end, start + 1)


def _before(items: Sequence[Item], start: int) -> tuple[str, bool]:
    """What introduces the name at `start`: past fillers and, behind "a", past its own adjectives."""
    is_indefinite = False
    for place in range(start - 1, -1, -1):
        item = items[place]
        is_indefinite |= item.tag == "indefinite"
        if item.tag == "definite":
            earlier = next((i.tag for i in items[:place][::-1] if i.tag not in _QUIET), "")
            return f"definite {earlier}".strip(), False
        if item.is_look and not is_indefinite and any(i.tag == "indefinite" for i in items[:place]):
            continue
        if item.tag not in _QUIET and not (item.is_look and is_indefinite):
            return item.tag, is_indefinite
    return ("effect" if any(i.is_look for i in items[:start]) else ""), is_indefinite


def _with_modifiers(items: Sequence[Item], name: _Name) -> tuple[int, int]:
    start = name.start
    while start and items[start - 1].tag not in ("indefinite", "definite", "place", *_VERBS):
        start -= 1
    is_own = start and items[start - 1].tag == "indefinite"
    return (start if is_own else name.start), name.end


def _role(items: Sequence[Item], name: _Name) -> str:
    """ "target", "description" (of the whole scene), or "unknown"."""
    looks = [item for item in items if item.is_look]
    is_whole = all(item.is_of_the_whole for item in looks) and bool(looks)
    has_copula = any(item.tag == "copula" for item in items[name.end :])
    is_asked = has_copula or any(item.tag == "change" for item in items[: name.start])
    follows = name.start > 0 and items[name.start - 1].is_look
    if (
        is_whole
        and follows
        and _is_of_things(items[name.start - 1])
        and items[name.end - 1].text not in SCENES
    ):
        return "target" if name.is_known else "unknown"
    if "definite" in name.before:
        if name.before == "definite effect" and _is_done_to(items, name):
            return "target"
        is_of = any(item.text == "of" for item in items[: name.start])
        is_place = "place" in name.before and not (is_of and is_whole)
        return (
            "target" if (is_asked and not (is_of and is_whole)) or is_place or not is_whole else "description"
        )
    if name.is_known:
        is_on = name.before == "place" and items[name.start - 1].text in ("on", "over", "onto", "upon")
        return "target" if not is_whole or is_on or (is_asked and not follows) else "description"
    if has_copula or (name.start > 0 and items[name.start - 1].tag == "change"):
        return "target"
    is_adjective = follows and name.is_indefinite and not items[name.start - 1].is_of_the_whole
    return "target" if is_adjective else "unknown"


def _is_of_things(item: Item) -> bool:
    """Whether an adjective is of the thing behind it ("wet floor"), not of the whole picture ("foggy forest")."""
    return all(name in _OF_THINGS for name, _ in item.effects)


def _is_done_to(items: Sequence[Item], name: _Name) -> bool:
    """ "darken the background": the effect is a verb, and its object follows."""
    place = name.start - 1
    while place > 0 and items[place].tag == "definite":
        place -= 1
    return items[place].is_look and not items[place].is_local_look


def _is_described(items: Sequence[Item], name: _Name) -> bool:
    """Whether a colour or material stands right before a name that is not known."""
    place = name.start
    while place and (items[place - 1].is_look or items[place - 1].tag == "indefinite"):
        place -= 1
    is_like = place > 0 and items[place - 1].tag == "into"  # "like plastic toys" speaks of no toys
    return not is_like and name.start > 0 and items[name.start - 1].is_local_look and name.text.isalpha()
