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
