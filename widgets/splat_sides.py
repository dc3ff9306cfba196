"""Two layers of splats in one picture, to compare them: each on its side of a line, or beside one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Side = Literal["whole", "left", "right", "nowhere"]
CODES: Mapping[Side, int] = {"whole": 0, "left": 1, "right": 2, "nowhere": 3}
_BESIDE = 0.5  # how far the middle of the picture goes to either side, where its half width is 1


@dataclass(frozen=True)
class Sides:
    """Where layers are seen. of_layers: by id, "whole" for those that are not named. line: what parts left from right,
    −1 … 1 across the picture. is_beside: the middle of the picture is shown twice, in both halves.
    is_plain: what is selected looks as it is."""

    of_layers: Mapping[str, Side] = field(default_factory=dict)
    line: float = 0.0
    is_beside: bool = False
    is_plain: bool = False

    def code(self, layer_id: str) -> int:
        """The number of a layer's side, for the shader."""
        return CODES[self.of_layers.get(layer_id, "whole")]

    def shift(self, layer_id: str) -> float:
        """How far a layer's picture goes to the right, in half widths."""
        shifts = {"left": -_BESIDE, "right": _BESIDE}
        return shifts.get(self.of_layers.get(layer_id, "whole"), 0.0) if self.is_beside else 0.0

    def part(self, layer_id: str) -> tuple[float, float, float]:
        """From where to where across the picture a layer is seen, −1 … 1, and how far it goes to the right."""
        middle = 0.0 if self.is_beside else self.line
        ends = {"whole": (-2.0, 2.0), "left": (-2.0, middle), "right": (middle, 2.0), "nowhere": (3.0, 3.0)}
        low, high = ends[self.of_layers.get(layer_id, "whole")]
        return low, high, self.shift(layer_id)

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for sides that make the same picture."""
        return tuple(sorted(self.of_layers.items())), self.line, self.is_beside, self.is_plain


WHOLE = Sides()
