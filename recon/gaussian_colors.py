"""Changes of colour as exact affine maps of RGB: each is c' = A c + b, seen from every direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from render.frozen import Frozen

LUMA = np.array([0.2126, 0.7152, 0.0722])  # of Rec. 709


@dataclass(frozen=True, eq=False)
class ColorChange(Frozen):
    """c' = matrix · c + offset, of sRGB within 0 and 1. matrix: (3, 3). offset: (3,)."""

    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]

    def __post_init__(self) -> None:
        self._own("matrix", np.float64, (3, 3))
        self._own("offset", np.float64, (3,))

    def __matmul__(self, first: ColorChange) -> ColorChange:
        """This change after the first one."""
        return ColorChange(self.matrix @ first.matrix, self.matrix @ first.offset + self.offset)

    def apply(self, colors: ArrayLike) -> NDArray[np.float64]:
        """Changed colours (..., 3); not clipped."""
        return np.asarray(colors, np.float64) @ self.matrix.T + self.offset


def no_change() -> ColorChange:
    """Every colour stays."""
    return ColorChange(np.eye(3), np.zeros(3))


def brightness(factor: float) -> ColorChange:
    """Multiply by a factor ≥ 0."""
    return ColorChange(np.eye(3) * factor, np.zeros(3))


def contrast(factor: float, middle: float = 0.5) -> ColorChange:
    """Stretch away from a middle grey by a factor ≥ 0."""
    return ColorChange(np.eye(3) * factor, np.full(3, middle * (1 - factor)))


def saturation(factor: float) -> ColorChange:
    """0 grey, 1 as it is, more for stronger colours; the luma (Rec. 709) stays."""
    return ColorChange(factor * np.eye(3) + (1 - factor) * np.outer(np.ones(3), LUMA), np.zeros(3))


def hue(degrees: float) -> ColorChange:
    """Turn the hue: red becomes green at 120 degrees. Greys and the mean of red, green and blue stay."""
    angle = np.deg2rad(degrees)
    axis = np.full(3, 1 / np.sqrt(3))
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    outer = np.outer(axis, axis)
    return ColorChange(
        np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * outer, np.zeros(3)
    )


def tint(color: ArrayLike, strength: float) -> ColorChange:
    """Blend toward a colour (3,) of sRGB: strength 0 leaves everything, 1 makes it flat in that colour."""
    return ColorChange(np.eye(3) * (1 - strength), np.asarray(color, np.float64) * strength)


def multiplied(color: ArrayLike) -> ColorChange:
    """Multiply each channel: white (1, 1, 1) leaves everything."""
    return ColorChange(np.diag(np.asarray(color, np.float64)), np.zeros(3))


def adjustment(
    hue_degrees: float = 0.0,
    saturation_factor: float = 1.0,
    brightness_factor: float = 1.0,
    contrast_factor: float = 1.0,
) -> ColorChange:
    """The sliders of a panel as one change: hue, then saturation, brightness, contrast."""
    turned = saturation(saturation_factor) @ hue(hue_degrees)
    return contrast(contrast_factor) @ brightness(brightness_factor) @ turned
