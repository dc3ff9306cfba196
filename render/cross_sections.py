"""Cross-sections: closed contours of a solid on known planes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from render.frame import Frame
from render.frozen import Frozen


class Loop(NamedTuple):
    """One closed contour on one plane."""

    points: NDArray[np.float64]  # (M, 3), M >= 3; the last point is not the first again
    label: int  # >= 1


class Plane(NamedTuple):
    """One plane with what was seen on it; no loops means that the plane is empty, which is data too."""

    normal: NDArray[np.float64]  # (3,) unit length
    offset: float  # n . x = offset
    loops: tuple[Loop, ...]


@dataclass(frozen=True, eq=False)
class CrossSections(Frozen):
    """P planes and the L closed loops drawn on them, stored flat.

    normals: (P, 3) float64, unit length. offsets: (P,) float64 with n . x = offset, in the frame's unit.
    vertices: (V, 3) float64, the loops' points one loop after another. loop_starts: (L + 1,) int64 into
    vertices. loop_planes: (L,) int64, ascending. loop_labels: (L,) int64, >= 1.
    label_names: the user's name for a label. disabled_planes: (P,) bool, planes that methods leave out.

    The region of a label on a plane is the even-odd fill of that label's loops: a hole is a loop inside
    another, an island a loop inside a hole. Readers turn every other hole convention into this one.
    Raises ValueError for vertices off their plane by more than 1e-4 of the bounding box's diagonal.
    """

    normals: NDArray[np.float64]
    offsets: NDArray[np.float64]
    vertices: NDArray[np.float64]
    loop_starts: NDArray[np.int64]
    loop_planes: NDArray[np.int64]
    loop_labels: NDArray[np.int64]
    label_names: Mapping[int, str] = field(default_factory=dict)
    frame: Frame = Frame()
    disabled_planes: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        normals = self._own("normals", np.float64, (None, 3))
        offsets = self._own("offsets", np.float64, (len(normals),))
        vertices = self._own("vertices", np.float64, (None, 3))
        starts = self._own("loop_starts", np.int64, (None,))
        planes = self._own("loop_planes", np.int64, (len(starts) - 1,))
        labels = self._own("loop_labels", np.int64, (len(starts) - 1,))
        if self.disabled_planes is None:
            object.__setattr__(self, "disabled_planes", np.zeros(len(normals), bool))
        self._own("disabled_planes", np.bool_, (len(normals),))
        if not np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6):
            raise ValueError("plane normals must have unit length")
        if starts[0] != 0 or starts[-1] != len(vertices) or (np.diff(starts) < 3).any():
            raise ValueError("loop_starts must cut the vertices into loops of three points or more")
        if len(planes) and (planes.min() < 0 or planes.max() >= len(normals) or (np.diff(planes) < 0).any()):
            raise ValueError("loop_planes must be ascending indices of planes")
        if len(labels) and labels.min() < 1:
            raise ValueError("labels start at 1")
        if len(vertices):
            each = np.repeat(planes, np.diff(starts))
            off = np.abs(np.einsum("ij,ij->i", vertices, normals[each]) - offsets[each])
            if off.max() > 1e-4 * np.linalg.norm(np.ptp(vertices, axis=0)):
                raise ValueError("vertices must lie on their plane")
        names = MappingProxyType({int(k): str(v) for k, v in self.label_names.items()})
        object.__setattr__(self, "label_names", names)

    def __reduce__(self) -> tuple[type[CrossSections], tuple[Any, ...]]:
        return type(self), (
            self.normals, self.offsets, self.vertices, self.loop_starts, self.loop_planes, self.loop_labels,
            dict(self.label_names), self.frame, self.disabled_planes,
        )  # fmt: skip

    @classmethod
    def from_planes(
        cls,
        planes: Iterable[tuple[ArrayLike, float, Iterable[tuple[ArrayLike, int]]]],
        *,
        label_names: Mapping[int, str] | None = None,
        frame: Frame = Frame(),
        disabled_planes: ArrayLike | None = None,
    ) -> CrossSections:
        """Make cross-sections from (normal, offset, [(points (M, 3), label), ...]) for each plane.

        Normals of any length are accepted; they and their offsets are scaled to unit length.
        """
        normals, offsets, points, loop_planes, labels = [], [], [], [], []
        for index, (normal, offset, loops) in enumerate(planes):
            direction = np.asarray(normal, np.float64)
            length = float(np.linalg.norm(direction))
            if not length > 0:
                raise ValueError(f"plane {index + 1} has a normal of length zero")
            normals.append(direction / length)
            offsets.append(float(offset) / length)
            for loop_points, label in loops:
                points.append(np.asarray(loop_points, np.float64).reshape(-1, 3))
                loop_planes.append(index)
                labels.append(int(label))
        starts = np.concatenate([[0], np.cumsum([len(p) for p in points])]).astype(np.int64)
        return cls(
            normals=np.array(normals, np.float64).reshape(-1, 3),
            offsets=np.array(offsets, np.float64),
            vertices=np.concatenate(points) if points else np.zeros((0, 3)),
            loop_starts=starts,
            loop_planes=np.array(loop_planes, np.int64),
            loop_labels=np.array(labels, np.int64),
            label_names=label_names or {},
            frame=frame,
            disabled_planes=None if disabled_planes is None else np.asarray(disabled_planes, bool),
        )

    @property
    def num_planes(self) -> int:
        return len(self.normals)

    @property
    def num_loops(self) -> int:
        return len(self.loop_labels)

    @property
    def labels(self) -> tuple[int, ...]:
        """The labels that occur, ascending."""
        return tuple(int(label) for label in np.unique(self.loop_labels))

    @property
    def bounds(self) -> NDArray[np.float64]:
        """(2, 3) lower and upper corner of the contours; zeros when there are none."""
        if not len(self.vertices):
            return np.zeros((2, 3))
        return np.stack([self.vertices.min(0), self.vertices.max(0)])

    def label_name(self, label: int) -> str:
        """The user's name for a label, or "Label 3"."""
        return self.label_names.get(label, f"Label {label}")

    def plane(self, index: int) -> Plane:
        """Plane `index` with its loops; the points are views."""
        first, last = np.searchsorted(self.loop_planes, [index, index + 1])
        loops = tuple(
            Loop(self.vertices[self.loop_starts[i] : self.loop_starts[i + 1]], int(self.loop_labels[i]))
            for i in range(first, last)
        )
        return Plane(self.normals[index], float(self.offsets[index]), loops)

    def planes(self) -> Iterator[Plane]:
        """Every plane in order, the disabled ones too."""
        return (self.plane(index) for index in range(self.num_planes))

    def with_planes(self, planes: Iterable[Plane], disabled_planes: ArrayLike | None = None) -> CrossSections:
        """The same labels and frame with other planes."""
        return CrossSections.from_planes(
            planes, label_names=self.label_names, frame=self.frame, disabled_planes=disabled_planes
        )

    def enabled(self) -> CrossSections:
        """Only the planes that are not disabled."""
        assert self.disabled_planes is not None
        keep = ~self.disabled_planes
        if keep.all():
            return self
        return self.with_planes(plane for plane, use in zip(self.planes(), keep, strict=True) if use)


def plane_basis(normal: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two unit vectors u, v in the plane with u x v = normal, the same for the same normal.

    normal: (3,) unit length. The world axis that the normal points along least becomes u's direction, so
    that an axis-aligned plane is drawn along the world's axes.
    """
    axis = np.eye(3)[int(np.argmin(np.abs(normal)))]
    u = axis - normal * (axis @ normal)
    u /= np.linalg.norm(u)
    return u, np.cross(normal, u)
