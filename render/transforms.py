"""Similarity transforms between named frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from render.frozen import Frozen


@dataclass(frozen=True, eq=False)
class Similarity3(Frozen):
    """x_b = scale * R x_a + t.

    rotation: (3, 3) float64, orthonormal with determinant +1. translation: (3,) float64 in units of b.
    scale: units of b a unit of a, > 0.
    """

    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    scale: float = 1.0

    def __post_init__(self) -> None:
        rotation = self._own("rotation", np.float64, (3, 3))
        self._own("translation", np.float64, (3,))
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise ValueError("the scale of a similarity must be positive")
        if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-6) or np.linalg.det(rotation) < 0:
            raise ValueError("the rotation of a similarity must be orthonormal with determinant +1")

    @classmethod
    def identity(cls) -> Similarity3:
        return cls(np.eye(3), np.zeros(3))

    @classmethod
    def from_points(cls, in_a: ArrayLike, in_b: ArrayLike) -> Similarity3:
        """The b_from_a that takes (N, 3) points nearest to their partners, by least squares (Umeyama 1991).

        Raises ValueError where the points lie on a line, or in one place, and leave a turn open.
        """
        a, b = np.asarray(in_a, np.float64), np.asarray(in_b, np.float64)
        if a.shape != b.shape or a.ndim != 2 or a.shape[1] != 3:
            raise ValueError("there must be one partner for each point")
        from_middle_a, from_middle_b = a - a.mean(0), b - b.mean(0)
        u, spread, vt = np.linalg.svd(from_middle_b.T @ from_middle_a)
        if not spread[1] > 1e-9 * spread[0]:
            raise ValueError("points on a line leave a turn open")
        signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
        rotation = (u * signs) @ vt
        scale = float((spread * signs).sum() / (from_middle_a**2).sum())
        return cls(rotation, b.mean(0) - scale * rotation @ a.mean(0), scale)

    def apply(self, points: ArrayLike) -> NDArray[np.float64]:
        """Transform (..., 3) points of frame a into frame b."""
        return np.asarray(points, np.float64) @ (self.scale * self.rotation.T) + self.translation

    def apply_to_directions(self, directions: ArrayLike) -> NDArray[np.float64]:
        """Rotate (..., 3) directions of frame a into frame b; lengths stay."""
        return np.asarray(directions, np.float64) @ self.rotation.T

    @property
    def inverse(self) -> Similarity3:
        rotation = self.rotation.T
        return Similarity3(rotation, -(rotation @ self.translation) / self.scale, 1 / self.scale)

    def __matmul__(self, other: Similarity3) -> Similarity3:
        """c_from_b @ b_from_a = c_from_a."""
        return Similarity3(
            self.rotation @ other.rotation, self.apply(other.translation), self.scale * other.scale
        )

    @property
    def matrix(self) -> NDArray[Any]:
        """(4, 4) homogeneous matrix."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.scale * self.rotation
        matrix[:3, 3] = self.translation
        return matrix
