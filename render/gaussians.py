"""Gaussian splats, and what a person marked among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from render.frame import Frame
from render.frozen import Frozen
from render.spherical_harmonics import rotated_sh
from render.transforms import Similarity3

PARAMETERS = ("means", "quats", "log_scales", "opacity_logits", "sh")  # the arrays of every Gaussian
SH_DEGREES = {1: 0, 4: 1, 9: 2, 16: 3, 25: 4}  # coefficients a channel → degree


@dataclass(frozen=True, eq=False)
class GaussianCloud(Frozen):
    """A scene of N Gaussians, with the raw parameters that are optimised and stored (3D Gaussian splatting,
    arXiv:2308.04079).

    means: (N, 3) float32 in the frame's unit. quats: (N, 4) float32 wxyz, of any length but zero; world from
    Gaussian. log_scales: (N, 3) float32, natural logarithm of the standard deviations. opacity_logits: (N,) float32.
    sh: (N, K, 3) float32 spherical harmonics of the colour, K = (degree + 1)²; colour = 0.5 + Σ sh · basis, with the
    basis and signs of 3DGS, in directions from the camera to the Gaussian. extra: further columns by name, (N,) or
    (N, M), such as the integer column "part". comments: lines of text to keep in files. is_antialiased: whether it
    was trained with the 2D filter of Mip-Splatting (arXiv:2311.16493). Raises ValueError for other shapes.
    """

    means: NDArray[np.float32]
    quats: NDArray[np.float32]
    log_scales: NDArray[np.float32]
    opacity_logits: NDArray[np.float32]
    sh: NDArray[np.float32]
    extra: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    comments: tuple[str, ...] = ()
    is_antialiased: bool = False
    frame: Frame = Frame()

    def __post_init__(self) -> None:
        count = len(self._own("means", np.float32, (None, 3)))
        self._own("quats", np.float32, (count, 4))
        self._own("log_scales", np.float32, (count, 3))
        self._own("opacity_logits", np.float32, (count,))
        sh = self._own("sh", np.float32, (count, None, 3))
        if sh.shape[1] not in SH_DEGREES:
            raise ValueError(f"sh has {sh.shape[1]} coefficients, which is no whole degree up to 4")
        object.__setattr__(self, "comments", tuple(self.comments))
        object.__setattr__(self, "extra", MappingProxyType(_owned_columns(self.extra, count)))

    def __len__(self) -> int:
        return len(self.means)

    def __reduce__(self) -> tuple[type[GaussianCloud], tuple[Any, ...]]:
        values = [getattr(self, each.name) for each in fields(self)]
        values[5] = dict(self.extra)
        return type(self), tuple(values)

    def arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        yield from super().arrays()
        yield from self.extra.items()

    @property
    def sh_degree(self) -> int:
        return SH_DEGREES[self.sh.shape[1]]

    @property
    def scales(self) -> NDArray[np.float32]:
        """(N, 3) standard deviations in the frame's unit."""
        return np.exp(self.log_scales)

    @property
    def opacities(self) -> NDArray[np.float32]:
        """(N,) within 0 and 1."""
        return (1 / (1 + np.exp(-self.opacity_logits.astype(np.float64)))).astype(np.float32)

    @cached_property
    def bounds(self) -> NDArray[np.float64]:
        """(2, 3) lower and upper corner of the means; zeros when there are none."""
        if not len(self):
            return np.zeros((2, 3))
        return np.stack([self.means.min(0), self.means.max(0)]).astype(np.float64)

    def transformed(self, b_from_a: Similarity3, frame: Frame) -> GaussianCloud:
        """The same scene in another frame: Gaussians move, turn and grow, and their colours turn with them."""
        turn = quat_of(b_from_a.rotation)
        is_turned = not np.allclose(b_from_a.rotation, np.eye(3), atol=1e-12)
        return replace(
            self,
            means=b_from_a.apply(self.means).astype(np.float32),
            quats=quat_product(turn, self.quats).astype(np.float32) if is_turned else self.quats,
            log_scales=self.log_scales + np.float32(np.log(b_from_a.scale)),
            sh=rotated_sh(self.sh, b_from_a.rotation) if is_turned else self.sh,
            frame=frame,
        )

    def subset(self, rows: ArrayLike) -> GaussianCloud:
        """The Gaussians that a mask (N,) of truths or an array of indices chooses, in its order."""
        indices = np.arange(len(self))[np.asarray(rows)]  # twice as fast as a mask for wide rows
        taken: dict[str, Any] = {name: getattr(self, name).take(indices, axis=0) for name in PARAMETERS}
        for array in taken.values():
            array.flags.writeable = False  # fresh, so it needs no copy
        return replace(
            self, **taken, extra={name: column.take(indices, axis=0) for name, column in self.extra.items()}
        )


def quat_product(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Hamilton's product of quaternions (..., 4) wxyz: the turn b, then the turn a."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    aw, av, bw, bv = a[..., :1], a[..., 1:], b[..., :1], b[..., 1:]
    w = aw * bw - (av * bv).sum(-1, keepdims=True)
    return np.concatenate([w, aw * bv + bw * av + np.cross(av, bv)], -1)


def quat_of(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """The unit quaternion wxyz of a rotation (3, 3): the eigenvector of Bar-Itzhack's matrix (JGCD 2000)."""
    (a, b, c), (d, e, f), (g, h, i) = rotation
    matrix = np.array(
        [
            [a + e + i, h - f, c - g, d - b],
            [h - f, a - e - i, b + d, c + g],
            [c - g, b + d, e - a - i, f + h],
            [d - b, c + g, f + h, i - a - e],
        ]
    )
    quat: NDArray[np.float64] = np.linalg.eigh(matrix)[1][:, -1]
    return quat


def _owned_columns(extra: Mapping[str, NDArray[Any]], count: int) -> dict[str, NDArray[Any]]:
    columns = {}
    for name, values in extra.items():
        column = np.asarray(values)
        if column.dtype.kind not in "biuf" or column.ndim not in (1, 2) or len(column) != count:
            raise ValueError(f"extra[{name!r}] must hold one number, or one row of numbers, a Gaussian")
        if column.flags.writeable or not column.flags.c_contiguous:
            column = np.array(column, order="C")
            column.flags.writeable = False
        columns[name] = column
    return columns


@dataclass(frozen=True, eq=False)
class GaussianMarks(Frozen):
    """What a person marked among N Gaussians: each an (N,) array of truths.

    Gaussians that are hidden, locked or deleted are never selected by a tool. Deleted ones are not drawn, not
    exported and not given to a method; they stay in the layer's data, so that undoing costs nothing.
    """

    selected: NDArray[np.bool_]
    hidden: NDArray[np.bool_]
    locked: NDArray[np.bool_]
    deleted: NDArray[np.bool_]

    def __post_init__(self) -> None:
        count = len(self._own("selected", np.bool_, (None,)))
        for name in ("hidden", "locked", "deleted"):
            self._own(name, np.bool_, (count,))

    @classmethod
    def none(cls, count: int) -> GaussianMarks:
        """Nothing marked among `count` Gaussians."""
        nothing = np.zeros(count, np.bool_)
        nothing.flags.writeable = False
        return cls(nothing, nothing, nothing, nothing)

    def __len__(self) -> int:
        return len(self.selected)

    @property
    def is_drawn(self) -> NDArray[np.bool_]:
        """(N,) neither hidden nor deleted."""
        drawn: NDArray[np.bool_] = ~(self.hidden | self.deleted)
        return drawn

    @property
    def is_selectable(self) -> NDArray[np.bool_]:
        """(N,) neither hidden, locked nor deleted."""
        free: NDArray[np.bool_] = ~(self.hidden | self.locked | self.deleted)
        return free


def without_deleted(cloud: GaussianCloud, marks: GaussianMarks | None) -> GaussianCloud:
    """The cloud that is left: itself when nothing was deleted."""
    if marks is None or not marks.deleted.any():
        return cloud
    return cloud.subset(~marks.deleted)
