"""How the parameters of a radiance field are to be read: its hash grid, networks and density grid, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.hash_grid_layout import HashGridLayout
from render.radiance_field import RadianceField

KIND = "isokiln-radiance-1"
NUM_DIRECTIONS = 16  # spherical harmonics of degree 3
FARTHEST = 50.0  # box units, the largest coordinate that is looked at
Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class RadianceLayout:
    """Space beyond the box [-1, 1]^3 is contracted into a shell around it (mip-NeRF 360, arXiv:2111.12077, with the
    largest coordinate for the norm). A hash grid over both gives features, a network with one hidden layer density
    and what colour depends on, one with two hidden layers and the direction the colour.

    shell: how thick the shell is, in box units. width, color_width: of the hidden layers, multiples of 4. num_shared:
    outputs of the first network, a multiple of 4; the first is the logarithm of the density per box unit. cells: of
    the density grid along an edge. num_samples: along a ray. background: colour (3,) behind all.
    """

    grid: HashGridLayout = field(default_factory=HashGridLayout)
    shell: float = 0.5
    width: int = 32
    color_width: int = 32
    num_shared: int = 16
    cells: int = 256
    num_samples: int = 16
    background: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def cell(self) -> float:
        """Side of a cell of the density grid within the box, in box units."""
        return 2 * (1 + self.shell) / self.cells

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the trained parameters by name: weights (outputs, inputs), biases (outputs,)."""
        shared, color = self.num_shared, self.color_width
        return {
            "table": (self.grid.num_entries, self.grid.num_features),
            "w1": (self.width, self.grid.num_outputs), "b1": (self.width,),
            "w2": (shared, self.width), "b2": (shared,),
            "w3": (color, shared + NUM_DIRECTIONS), "b3": (color,),
            "w4": (color, color), "b4": (color,),
            "w5": (4, color), "b5": (4,),
        }  # fmt: skip

    def to_json(self) -> str:
        """Text that `from_json` reads."""
        return json.dumps({"kind": KIND} | asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RadianceLayout:
        """Raises ValueError for what nobody here wrote."""
        try:
            values: dict[str, Any] = json.loads(text)
            if values.pop("kind") != KIND:
                raise ValueError("another kind of radiance field")
            values["grid"] = HashGridLayout(**values["grid"])
            values["background"] = tuple(values["background"])
            return cls(**values)
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError("no radiance field of this program") from error


def layout_of(field: RadianceField) -> RadianceLayout:
    """The layout of a field, its parameters checked. Raises ValueError where they do not fit it."""
    layout = RadianceLayout.from_json(field.layout)
    for name, shape in (layout.shapes | {"density": (layout.cells**3,)}).items():
        if name not in field.parameters or field.parameters[name].shape != shape:
            raise ValueError(f"the radiance field's parameters lack {name!r} of shape {shape}")
    return layout
