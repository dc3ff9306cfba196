"""Triangle meshes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.frame import Frame
from render.frozen import Frozen


@dataclass(frozen=True, eq=False)
class TriangleMesh(Frozen):
    """Triangles in space.

    vertices: (V, 3) float32 in the frame's unit. faces: (F, 3) int32, counter-clockwise seen from outside.
    colors: (V, 3) uint8 sRGB or None. vertex_values: named scalar fields (V,) float32 to show as colours,
    for example "uncertainty". Raises ValueError when faces point outside the vertices.
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    colors: NDArray[np.uint8] | None = None
    vertex_values: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    frame: Frame = Frame()

    def __post_init__(self) -> None:
        vertices = self._own("vertices", np.float32, (None, 3))
        faces = self._own("faces", np.int32, (None, 3))
        if len(faces) and (faces.min() < 0 or faces.max() >= len(vertices)):
            raise ValueError("faces point at vertices that do not exist")
        if self.colors is not None:
            self._own("colors", np.uint8, (len(vertices), 3))
        values = {}
        for name, array in self.vertex_values.items():
            if np.shape(array) != (len(vertices),):
                raise ValueError(f"vertex_values[{name!r}] must hold one value a vertex")
            # A copy always: the caller may go on writing into its own array.
            owned = np.array(array, np.float32)
            owned.flags.writeable = False
            values[name] = owned
        object.__setattr__(self, "vertex_values", MappingProxyType(values))

    def __reduce__(self) -> tuple[type[TriangleMesh], tuple[Any, ...]]:
        values = dict(self.vertex_values)
        return type(self), (self.vertices, self.faces, self.colors, values, self.frame)

    def arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        yield from super().arrays()
        yield from self.vertex_values.items()

    @cached_property
    def bounds(self) -> NDArray[np.float64]:
        """(2, 3) lower and upper corner of the vertices; zeros when there are none."""
        bounds = np.zeros((2, 3))
        if len(self.vertices):
            bounds[:] = self.vertices.min(0), self.vertices.max(0)
        bounds.flags.writeable = False
        return bounds

    @property
    def face_cross_products(self) -> NDArray[np.float64]:
        """(F, 3) outward normals whose length is twice the triangle's area."""
        corners = self.vertices.astype(np.float64)[self.faces]
        return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])

    @cached_property
    def area(self) -> float:
        """Surface area in square units."""
        return float(np.linalg.norm(self.face_cross_products, axis=1).sum() / 2)

    @cached_property
    def volume(self) -> float:
        """Enclosed volume in cubic units; meaningful for closed meshes, positive when wound outward."""
        if not len(self.faces):
            return 0.0
        origin = self.vertices.astype(np.float64).mean(0)
        first = self.vertices.astype(np.float64)[self.faces[:, 0]] - origin
        return float((first * self.face_cross_products).sum() / 6)
