"""The effects that a clause asks for, with their degrees and colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from recon.dn2n.editors.operations import EFFECTS, Operation
from recon.dn2n.editors.prompt_items import Item
from recon.romap.color_names import Rgb

MOST = 2.0
_STOP = Item("stop", "")
_TINGES = frozenset(["tint", "tints", "tinge", "hue", "hues", "cast", "tone", "tones"])
_TINGED = 0.6  # of a colour cast that is named without a degree


@dataclass
class _Found:
    """What was found so far, and what waits for its effect."""

    asks: list[Operation] = field(default_factory=list)
    degree: float = 1.0
    is_less: bool = False
    color: Item | None = None

    def add(self, *asks: Operation) -> None:
        self.asks += asks
        self.degree, self.is_less, self.color = 1.0, False, None


def asks_of(items: Sequence[Item], verb: str) -> Iterator[Operation]:
    """The clause's effects in order. verb: the tag of its verb."""
    found = _Found()
    for place, item in enumerate(items):
        before = items[place - 1] if place else _STOP
        after = items[place + 1] if place + 1 < len(items) else _STOP
        if item.tag == "degree":
            found.degree *= item.amount
        elif item.tag == "less":
            found.is_less, found.degree = True, found.degree * item.amount
        elif item.tag == "light":
            _read_light(found, item, before, after, verb)
        elif item.tag == "color":
            _read_color(found, item, before, after)
        elif item.tag == "effect" and not (item.is_finish and after.is_material):  # "polished silver"
            _read_effect(found, item, after)
        elif item.tag == "color noun" and verb == "add" and not any(i.color for i in items):
            found.add(Operation("vivid", min(found.degree, MOST)))
        elif (
            item.tag == "color noun"
            and (verb == "remove" or found.is_less)
            and not any(i.color for i in items)
        ):
            found.add(Operation("faded" if found.is_less else "mono", 1.0))
    if found.asks and found.is_less:  # "turn the brightness down"
        found.asks[-1] = _turned_down(found.asks[-1])
    if found.degree != 1.0 and found.asks:  # "darker, slightly"
        found.asks[-1] = replace(found.asks[-1], amount=min(found.asks[-1].amount * found.degree, MOST))
    yield from found.asks


def less_of(color: Rgb, name: str, amount: float) -> Operation:
    """Away from a colour."""
    red, green, blue = color
    return Operation("tinge", min(amount, MOST), (1 - red, 1 - green, 1 - blue), f"less {name}")


def _turned_down(ask: Operation) -> Operation:
    opposite = EFFECTS[ask.name].opposite
    return replace(ask, name=opposite) if opposite else ask


def _read_light(found: _Found, item: Item, before: Item, after: Item, verb: str) -> None:
    """What "light" means here: a degree ("light fog"), the colour of lamps ("red light"), or brightness."""
    if before.tag == "color":
        return
    if item.text == "light" and before.tag != "definite" and (after.is_look or after.tag == "filler"):
        found.degree *= 0.6
    elif before.tag in ("degree", "less", "add", "remove"):
        found.add(_asked("dark" if found.is_less or verb == "remove" else "bright", found.degree, False))


def _read_color(found: _Found, item: Item, before: Item, after: Item) -> None:
    """A colour of a material ("green marble"), of lamps, of what is spoken of, or a cast ("bluish", "less red")."""
    if after.is_material:
        found.color = item
    elif item.color is None:
        return
    elif found.is_less:
        found.add(less_of(item.color, item.text, _TINGED * found.degree))
    elif before.tag == "color" and found.asks and found.asks[-1].name == "tint":  # "emerald green"
        found.asks[-1] = replace(found.asks[-1], color_name=f"{before.text} {item.text}")
    elif after.tag == "light":
        found.add(Operation("colored light", min(found.degree, MOST), item.color, item.text))
    elif item.is_cast or before.text == "more" or after.is_of_the_whole or after.text in _TINGES:
        degree = _TINGED * found.degree
        found.add(Operation("tinge", min(degree, MOST), item.color, item.text))
    elif before.text == "metallic" and found.asks and found.asks[-1].name == "steel":
        found.asks[-1] = replace(found.asks[-1], color=item.color, color_name=item.text)
    else:
        found.add(Operation("tint", min(found.degree, MOST), item.color, item.text))


def _read_effect(found: _Found, item: Item, after: Item) -> None:
    asks = []
    is_light = item.text == "golden" and after.is_of_the_whole  # "golden autumn" is not of gold
    for name, amount in (("warm", 1.0),) if is_light else item.effects:
        ask = _asked(name, amount * found.degree, found.is_less)
        is_colored = found.color is not None and item.is_material
        if found.color is not None and is_colored:
            ask = replace(ask, color=found.color.color, color_name=found.color.text)
        asks.append(ask)
    found.add(*asks)


def _asked(name: str, amount: float, is_less: bool) -> Operation:
    if not is_less:
        return Operation(name, min(amount, MOST))
    opposite = EFFECTS[name].opposite
    return Operation(opposite, min(0.7 * amount, MOST)) if opposite else Operation(name, 0.5 * amount)
