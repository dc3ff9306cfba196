"""Which network a field is: everything but its parameters."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Literal, get_args

from render.hash_grid_layout import HashGridLayout

Kind = Literal["hash", "mlp"]


@dataclass(frozen=True)
class NetworkLayout:
    """An SDF network over the box [-1, 1]^3: base(x) + MLP(encoding(x), x), with `num_features` features beside.

    kind: "hash", or "mlp": the reference's network without a grid (weight norm, skip at half depth, no base; it
    starts as a sphere). grid: of "hash". hidden_width, num_hidden: the MLP. num_octaves: of a sinusoidal encoding
    of x beside. base_resolution: points along an edge of the base's grid, 0 for a sphere of `radius` box units
    seen from inside. sharpness: beta of the Softplus. Raises ValueError for what no network can be.
    """

    kind: Kind = "hash"
    grid: HashGridLayout = HashGridLayout()
    hidden_width: int = 64
    num_hidden: int = 1
    num_features: int = 15
    num_octaves: int = 0
    base_resolution: int = 0
    radius: float = 0.75
    sharpness: float = 100.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"unknown kind of network {self.kind!r}")
        if min(self.hidden_width, self.num_hidden, self.num_features) < 1 or self.num_octaves < 0:
            raise ValueError("a network has at least one hidden layer, one unit in it and one feature")
        if self.base_resolution not in (0, *range(3, 2049)) or self.radius <= 0 or self.sharpness <= 0:
            raise ValueError("a base has a grid of 3 to 2048 points or a sphere of positive radius")

    @classmethod
    def reference(cls, radius: float = 0.9) -> NetworkLayout:
        """The MLP of the published configurations (ScanNet, ICL; radius 0.6 for Replica)."""
        return cls("mlp", hidden_width=256, num_hidden=8, num_features=256, num_octaves=6, radius=radius)

    @property
    def num_grid_features(self) -> int:
        """Features that come from the hash grid."""
        return self.grid.num_outputs if self.kind == "hash" else 0

    @property
    def num_inputs(self) -> int:
        """Width of the MLP's input: grid features, x, sines and cosines."""
        return self.num_grid_features + 3 + 6 * self.num_octaves

    def to_json(self) -> str:
        """One line of JSON with every field."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> NetworkLayout:
        """The layout that `to_json` wrote. Raises ValueError for any other text: a field too few or too many may
        mean another network."""
        values = json.loads(text)
        if not isinstance(values, dict) or values.keys() != {field.name for field in fields(cls)}:
            raise ValueError("the layout does not have the fields of a network")
        try:
            return cls(**{**values, "grid": HashGridLayout(**values["grid"])})
        except TypeError as error:
            raise ValueError(f"the layout is no network's: {error}") from error
