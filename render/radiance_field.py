"""A radiance field of one scene: what a neural network says of density and colour in space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.cameras import CameraSet
from render.frame import Frame
from render.frozen import Frozen
from render.transforms import Similarity3


@dataclass(frozen=True, eq=False)
class RadianceField(Frozen):
    """The parameters of a network that gives density and colour (NeRF, arXiv:2003.08934; Instant NGP,
    arXiv:2201.05989).

    layout: JSON text that says which network it is; only who wrote it can read the parameters.
    parameters: its arrays by name. world_from_box: (4, 4) float64 similarity from the box [-1, 1]^3.
    bounds_in_box: (2, 3) float64, the part of the box that holds what matters. cameras: those it was trained from,
    where it looks best.
    """

    layout: str
    parameters: Mapping[str, NDArray[np.generic]]
    world_from_box: NDArray[np.float64]
    bounds_in_box: NDArray[np.float64]
    cameras: CameraSet
    frame: Frame = Frame()

    def __post_init__(self) -> None:
        self._own("world_from_box", np.float64, (4, 4))
        self._own("bounds_in_box", np.float64, (2, 3))
        owned = {}
        for name, array in self.parameters.items():
            owned[name] = np.array(array)  # A copy always: training goes on in the caller's own.
            owned[name].flags.writeable = False
        object.__setattr__(self, "parameters", MappingProxyType(owned))

    def __reduce__(self) -> tuple[type[RadianceField], tuple[Any, ...]]:
        return type(self), (
            self.layout, dict(self.parameters), self.world_from_box, self.bounds_in_box, self.cameras, self.frame,
        )  # fmt: skip

    def arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        yield from super().arrays()
        yield from self.parameters.items()

    def transformed(self, b_from_a: Similarity3, frame: Frame) -> RadianceField:
        """The scene in frame b, said to be of `frame`."""
        return replace(
            self,
            world_from_box=b_from_a.matrix @ self.world_from_box,
            cameras=self.cameras.transformed(b_from_a),
            frame=frame,
        )

    @property
    def bounds(self) -> NDArray[np.float64]:
        """(2, 3) lower and upper corner of the scene in the world."""
        low, high = self.bounds_in_box
        corners = np.array(
            [[x, y, z, 1] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
        )
        placed = (corners @ self.world_from_box.T)[:, :3]
        return np.stack([placed.min(0), placed.max(0)])
