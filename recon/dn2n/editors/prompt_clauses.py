"""Clause by clause: what a prompt asks for, of what, how strongly, and what it asks to leave alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from recon.dn2n.editors.operations import EFFECTS, Operation
from recon.dn2n.editors.prompt_items import Item

_VERBS = ("change", "add", "remove", "replace")
_QUIET = ("filler", "degree", "indefinite", "color noun", "form")
_MOST = 2.0
_CLEARABLE = ("fog", "dust", "underwater")


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
        self.has_guessed_stone = False
        self._verb = ""
        self._waiting: list[str] = []

    def read(self, items: Sequence[Item]) -> None:
        """A whole prompt."""
        for opener, clause in _clauses(items):
            self._read_clause(opener, _described(clause))
        self.unknown += " ".join(self._waiting).split()
        self._drop_excluded()

    def _read_clause(self, opener: Item | None, items: list[Item]) -> None:
        verb = "add" if opener is not None and opener.text == "with" else ""
        verb = next((item.tag for item in items if item.tag in _VERBS), verb)
        leans = opener is not None and opener.tag == "join" and not any(i.tag == "copula" for i in items)
        self._verb = verb or (self._verb if leans else "")
        names = list(_names(items))
        items, names = self._without_new_objects(items, names)
        asks = list(_asks(items, self._verb))
        self._weigh_last(items)
        if any(item.tag == "form" for item in items) and not any(i.is_look for i in items):
            asks, self.has_guessed_stone = [*asks, Operation("stone")], True
        target = self._target_of(items, names, bool(asks))
        self._take(items, asks, target)

    def _weigh_last(self, items: list[Item]) -> None:
        """A degree that stands alone is of what was said last: "foggy, slightly"."""
        telling = [item for item in items if item.tag != "filler"]
        if self.operations and telling and all(item.tag == "degree" for item in telling):
            last, factor = self.operations[-1], math.prod(item.amount for item in telling)
            self.operations[-1] = replace(last, amount=min(last.amount * factor, _MOST))

    def _without_new_objects(self, items: list[Item], names: list[_Name]) -> tuple[list[Item], list[_Name]]:
        """Leave out things that would have to be made or taken away, with what is said of them ("a red hat")."""
        kept: list[_Name] = []
        gone: list[_Name] = []
        has_look = any(item.is_look for item in items)
        for name in names:
            (gone if self._is_new_object(name, has_look) else kept).append(name)
        for name in gone:
            self.objects.append(name.text)
            self.unknown += name.text.split()
        spans = [_with_modifiers(items, name) for name in gone]
        blank = Item("filler", "")
        return [blank if any(a <= k < b for a, b in spans) else i for k, i in enumerate(items)], kept

    def _is_new_object(self, name: _Name, has_look: bool) -> bool:
        if self._verb in ("remove", "replace"):
            return not has_look or name.before not in ("place", "definite place")
        if self._verb == "add":
            return name.is_indefinite or not (has_look or name.before.startswith("definite"))
        return name.before == "into"

    def _target_of(self, items: list[Item], names: list[_Name], has_asks: bool) -> str:
        """What the clause's effects are for: the names that stand where a target stands."""
        if not has_asks:
            self._hold(items, names)
            return ""
        found = list(self._waiting) if names else []
        if not names:
            self.unknown += " ".join(self._waiting).split()
        self._waiting = []
        for name in names:
            role = _role(items, name)
            if role == "target":
                found.append(name.text)
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
            if self._verb == "remove":
                self._remove(ask)
            else:  # "a wooden horse in the snow": the snow is everywhere
                is_for_target = EFFECTS[ask.name].is_local or not has_local
                self.operations.append(replace(ask, target=target if is_for_target else ""))

    def _remove(self, ask: Operation) -> None:
        effect = EFFECTS[ask.name]
        if ask.name == "mono":
            self.operations.append(ask)
        elif ask.name in _CLEARABLE or effect.opposite:
            self.operations.append(Operation(effect.opposite or "clear", ask.amount))
        else:
            name = ask.color_name or effect.title
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
    if "definite" in name.before:
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


def _asks(items: Sequence[Item], verb: str) -> Iterator[Operation]:
    """The clause's effects in order, with their degrees and colours."""
    found: list[Operation] = []
    degree, is_less, color = 1.0, False, None
    for place, item in enumerate(items):
        after = items[place + 1] if place + 1 < len(items) else Item("stop", "")
        if item.tag == "degree":
            degree *= item.amount
        elif item.tag == "less":
            is_less = True
        elif item.tag == "light":
            light = _light(item, after, place, items)
            degree *= 0.6 if light == "degree" else 1.0
            if light == "bright":
                found.append(_asked("dark" if is_less or verb == "remove" else "bright", degree, False))
                degree, is_less = 1.0, False
        elif item.tag == "color" and after.is_material:
            color = item
        elif item.tag == "color" and after.tag == "light" and item.color:
            found.append(Operation("colored light", min(degree, _MOST), item.color, item.text))
            degree = 1.0
        elif item.tag == "color":
            found.append(Operation("tint", min(degree, _MOST), item.color, item.text))
            degree, is_less = 1.0, False
        elif item.tag == "effect":
            for name, amount in item.effects:
                ask = _asked(name, amount * degree, is_less)
                is_colored = color is not None and item.is_material
                found.append(
                    replace(ask, color=color.color, color_name=color.text) if color and is_colored else ask
                )
            degree, is_less, color = 1.0, False, None
        elif item.tag == "color noun" and (verb == "remove" or is_less) and not any(i.color for i in items):
            found.append(Operation("faded" if is_less else "mono", 1.0))
            is_less = False
    if degree != 1.0 and found:  # "darker, slightly"
        found[-1] = replace(found[-1], amount=min(found[-1].amount * degree, _MOST))
    yield from found


def _asked(name: str, amount: float, is_less: bool) -> Operation:
    if not is_less:
        return Operation(name, min(amount, _MOST))
    opposite = EFFECTS[name].opposite
    return Operation(opposite, min(0.7 * amount, _MOST)) if opposite else Operation(name, 0.5 * amount)


def _light(item: Item, after: Item, place: int, items: Sequence[Item]) -> str:
    """What "light" means here: a degree ("light fog"), the colour of lamps ("red light"), or brightness."""
    before = items[place - 1] if place else Item("stop", "")
    if before.tag == "color":
        return "colored"
    if item.text == "light" and (after.is_look or after.tag == "filler"):
        return "degree"
    return "bright" if before.tag in ("degree", "less", "add", "remove") else ""
