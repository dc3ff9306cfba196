"""What can be changed of a part: colour, brightness, material, size, place, turn, or that it is there at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from recon.romap.color_names import Rgb

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
