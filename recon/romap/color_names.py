"""Colours by name: CSS, some everyday ones (after the xkcd survey of colour names), hexadecimal, and words that shade."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
from PIL import ImageColor

Rgb = tuple[float, float, float]  # sRGB within 0 and 1

_EVERYDAY = {
    "amber": "#feb308", "apricot": "#ffb16d", "aubergine": "#3d0734", "baby blue": "#a2cffe", "blood red": "#980002",
    "blush": "#f29e8e", "bordeaux": "#7b002c", "bottle green": "#044a05", "brick red": "#8f1402", "bronze": "#a87900",
    "burgundy": "#610023", "burnt orange": "#c04e01", "camel": "#c69f59", "caramel": "#af6f09", "cerise": "#de0c62",
    "champagne": "#f7e7ce", "charcoal": "#343837", "cherry": "#cf0234", "chestnut": "#742802", "cobalt": "#1e488f",
    "cream": "#ffffc2", "ebony": "#282c34", "eggshell": "#fffcc4", "emerald": "#01a049", "forest green": "#06470c",
    "fuchsia pink": "#ff55a3", "ginger": "#b06500", "grass green": "#3f9b0b", "hazel": "#8e7618", "hot pink": "#ff028d",
    "jade": "#1fa774", "jet black": "#0a0a0a", "leaf green": "#5ca904", "lemon": "#fdff52", "lilac": "#cea2fd",
    "lime green": "#89fe05", "mahogany": "#4a0100", "mauve": "#ae7181", "midnight blue": "#020035", "mint": "#9ffeb0",
    "moss green": "#658b38", "mustard": "#ceb301", "navy blue": "#001146", "neon green": "#0cff0c", "nude": "#e3bc9a",
    "ochre": "#bf9005", "off white": "#ffffe4", "olive green": "#677a04", "peach": "#ffb07c", "pear": "#cbf85f",
    "petrol": "#005f6a", "pine green": "#0a481e", "poppy": "#e35335", "pumpkin": "#e17701", "raspberry": "#b00149",
    "rose": "#cf6275", "rose gold": "#b76e79", "ruby": "#ca0147", "rust": "#a83c09", "sage": "#87ae73",
    "sand": "#e2ca76", "sapphire": "#2138ab", "scarlet": "#be0119", "sea green": "#53fca1", "sepia": "#985e2b",
    "sky": "#82cafc", "slate": "#516572", "strawberry": "#fb2943", "tangerine": "#ff9408", "taupe": "#b9a281",
    "terracotta": "#ca6641", "ultramarine": "#2000b1", "vermilion": "#f4320c", "vermillion": "#f4320c",
    "wine": "#80013f", "wine red": "#7b0323", "blonde": "#dcd0a0", "blond": "#dcd0a0", "brunette": "#4a2f1d",
    "skin": "#e0b196", "flesh": "#ffc69e",
}  # fmt: skip
_SHADES = {
    "dark": ("black", 0.45), "deep": ("black", 0.3), "light": ("white", 0.5), "pale": ("white", 0.6),
    "pastel": ("white", 0.6), "bright": ("strong", 0.5), "vivid": ("strong", 0.8), "neon": ("strong", 1.0),
    "dull": ("grey", 0.5), "dusty": ("grey", 0.45), "muted": ("grey", 0.5),
}  # fmt: skip
LONGEST_NAME = 4  # words


@cache
def named_colors() -> dict[str, Rgb]:
    """Every name, words apart by spaces, also written together."""
    found = dict(ImageColor.colormap) | _EVERYDAY
    colors = {name: _rgb(str(value)) for name, value in found.items()}
    return colors | {name.replace(" ", ""): value for name, value in colors.items()}


def color_of(words: str) -> Rgb | None:
    """A colour by words in lower case such as "navy", "dark red", "light sky blue" or "#ff8800"; None for others."""
    if re.fullmatch(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", words):
        return _rgb(words)
    names = named_colors()
    joined = words.replace("-", " ")
    plain = names.get(joined) or names.get(joined.replace(" ", ""))
    if plain is not None:
        return plain
    shade, _, rest = joined.partition(" ")
    base = color_of(rest) if rest and shade in _SHADES else None
    return None if base is None else _shaded(base, *_SHADES[shade])


def _shaded(color: Rgb, toward: str, share: float) -> Rgb:
    here = np.array(color)
    if toward == "strong":
        spread = np.ptp(here)
        target = (here - here.min()) / spread if spread > 0.05 else here
    else:
        target = np.full(3, {"black": 0.0, "white": 1.0, "grey": 0.5}[toward])
    red, green, blue = (1 - share) * here + share * target
    return float(red), float(green), float(blue)


def _rgb(text: str) -> Rgb:
    red, green, blue = (channel / 255 for channel in ImageColor.getrgb(text)[:3])
    return red, green, blue
