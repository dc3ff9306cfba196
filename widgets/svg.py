"""The icon files: where they are, and their text in another colour."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

_GRID = 24  # every icon is drawn on a square of 24 by 24


@cache
def source(name: str) -> str:
    """Text of the icon `name` as it stands in resources/icons. Raises KeyError for a name that is not there."""
    entry = files("resources") / "icons" / f"{name}.svg"
    if not entry.is_file():
        raise KeyError(f"there is no icon {name!r} in resources/icons")
    return entry.read_text(encoding="utf-8")


def tinted(name: str, color: str, size: float, stroke: float = 1.5) -> str:
    """The icon with strokes `stroke` px wide when drawn `size` px large, in `color` ("#rrggbb")."""
    width = f'stroke-width="{stroke * _GRID / size:.3f}"'
    return source(name).replace('stroke-width="2"', width).replace("currentColor", color)
