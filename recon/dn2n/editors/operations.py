"""What the built-in effects can do, one operation each, and how people call it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from recon.dn2n.editors.editor import Consistency
from recon.romap.color_names import Rgb

Kind = Literal["light", "season", "weather", "material", "finish", "tint", "filter", "style"]


@dataclass(frozen=True)
class Effect:
    """One thing that can be done to a scene.

    title: how it is called in a list of what was understood. consistency: "world" where all views get the same by
    construction. opposite: the effect that "less" asks for. needs_depth: without depth it follows the picture.
    """

    kind: Kind
    title: str
    consistency: Consistency = "world"
    opposite: str = ""
    needs_depth: bool = False

    @property
    def is_local(self) -> bool:
        """Whether it is what a thing is made of, not what the whole picture looks like."""
        return self.kind in ("material", "finish", "tint")


@dataclass(frozen=True)
class Operation:
    """One effect as a prompt asks for it.

    name: in EFFECTS. amount: 1 is as usual, 0.5 "slightly", within 0 and 2. color: of a tint, a light or a coloured
    material, else None. color_name: how the prompt calls it. target: what it is for, "" for everything.
    """

    name: str
    amount: float = 1.0
    color: Rgb | None = None
    color_name: str = ""
    target: str = ""

    @property
    def effect(self) -> Effect:
        return EFFECTS[self.name]

    @property
    def phrase(self) -> str:
        """As a chip says it: "slightly foggy on the wall" is "fog, slight, on the wall"."""
        degree = _degree(self.amount)
        is_named = self.name == "tint" or self.color_name.startswith("less ")
        title = self.color_name if is_named else self.effect.title
        if self.color_name and not is_named:
            title = f"{self.color_name} {title}"
        where = f" on the {self.target}" if self.target else ""
        return f"{title}{f' ({degree})' if degree else ''}{where}"


def _degree(amount: float) -> str:
    if amount < 0.8:
        return "slight" if amount >= 0.4 else "very slight"
    return "" if amount <= 1.15 else "strong"


_SHARP = ("brick", "stripes", "checks", "dots")  # edges that a pixel's error of depth shows


def _material(title: str) -> Effect:
    return Effect("material", title, "screen" if title in _SHARP else "world", needs_depth=True)


EFFECTS: Mapping[str, Effect] = {
    "sunset": Effect("light", "sunset"),
    "dawn": Effect("light", "dawn"),
    "dusk": Effect("light", "dusk"),
    "night": Effect("light", "night"),
    "overcast": Effect("light", "overcast sky"),
    "sunny": Effect("light", "sunshine"),
    "warm": Effect("light", "warmer colours", opposite="cold"),
    "cold": Effect("light", "colder colours", opposite="warm"),
    "bright": Effect("light", "brighter", opposite="dark"),
    "dark": Effect("light", "darker", opposite="bright"),
    "vivid": Effect("light", "stronger colours", opposite="faded"),
    "faded": Effect("light", "weaker colours", opposite="vivid"),
    "contrast": Effect("light", "more contrast", opposite="flat"),
    "flat": Effect("light", "less contrast", opposite="contrast"),
    "colored light": Effect("light", "light"),
    "tinge": Effect("light", "tinge"),
    "gloss": Effect("finish", "glossy", opposite="flat", needs_depth=True),
    "spring": Effect("season", "spring", needs_depth=True),
    "summer": Effect("season", "summer"),
    "autumn": Effect("season", "autumn", needs_depth=True),
    "winter": Effect("season", "winter", needs_depth=True),
    "fog": Effect("weather", "fog", opposite="clear", needs_depth=True),
    "clear": Effect("weather", "clear air", opposite="fog", needs_depth=True),
    "snow": Effect("weather", "snow", needs_depth=True),
    "rain": Effect("weather", "rain-wet", needs_depth=True),
    "dust": Effect("weather", "dust", opposite="clear", needs_depth=True),
    "underwater": Effect("weather", "under water", needs_depth=True),
    "tint": Effect("tint", "colour"),
    "sepia": Effect("filter", "sepia"),
    "mono": Effect("filter", "black and white", opposite="vivid"),
    "negative": Effect("filter", "negative"),
    "poster": Effect("filter", "poster colours"),
    "oil": Effect("style", "oil painting", needs_depth=True),
    "watercolour": Effect("style", "watercolour", needs_depth=True),
    "pencil": Effect("style", "pencil sketch", "screen", needs_depth=True),
    "cartoon": Effect("style", "cartoon", "screen", needs_depth=True),
    "pointillism": Effect("style", "pointillism", needs_depth=True),
    "mosaic": Effect("style", "mosaic", needs_depth=True),
    **{
        name: _material(name)
        for name in (
            "gold", "bronze", "silver", "copper", "steel", "marble", "stone", "granite", "wood", "ice", "glass",
            "porcelain", "clay", "jade", "brick", "sand", "moss", "leather", "denim", "lava", "wool", "camouflage",
            "stripes", "checks", "dots",
        )
    },
}  # fmt: skip
