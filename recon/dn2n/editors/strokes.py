"""Strokes, dots and leaves that lie on the scene's surfaces, each on a surfel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors.appearance import Plane
from recon.dn2n.editors.surfel_drawing import paint
from recon.dn2n.editors.surfels import Surfels
from recon.dn2n.editors.worksheet import Worksheet
from recon.dn2n.world_noise import fractal_noise

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Canvas:
    """What is painted so far: rgb (H, W, 3), relief (H, W) height of paint, cover (H, W) share that is painted."""

    rgb: Float
    relief: Float
    cover: Float


def empty_canvas(rgb: Float) -> Canvas:
    """A canvas with this under-painting (H, W, 3)."""
    shape = rgb.shape[:2]
    return Canvas(np.array(rgb, np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.float32))


def lay(
    canvas: Canvas, sheet: Worksheet, surfels: Surfels, colors: Float, shape: tuple[float, float], along: Float,
    chosen: NDArray[np.bool_] | None = None,
) -> None:  # fmt: skip
    """One stroke for each chosen surfel. colors: (M, 3). shape: half axes in sizes of a cell. along: (M, 3)."""
    keep = np.ones(len(surfels), bool) if chosen is None else chosen
    lengths, widths = (surfels.sizes * np.float32(part) for part in shape)
    paint(
        surfels, keep, np.asarray(colors, np.float32), along, lengths, widths, sheet.view, sheet.geometry,
        canvas.rgb, canvas.relief, canvas.cover,
    )  # fmt: skip


def along_edges(surfels: Surfels, sheet: Worksheet) -> Float:
    """(M, 3) unit directions on the surface along edges of light and dark, as a painter's brush goes; where there are
    none, in slow turns."""
    lengths = np.linalg.norm(surfels.slopes, axis=1, keepdims=True)
    sure = np.clip(lengths / (surfels.sizes[:, None] * 0.006 + 1e-9) - 0.3, 0, 1)
    along = np.cross(surfels.normals, surfels.slopes / np.maximum(lengths, 1e-12))
    return on_surface(surfels, along * sure + wandering(surfels, sheet) * (1 - sure))


def wandering(surfels: Surfels, sheet: Worksheet) -> Float:
    """(M, 3) directions that turn slowly from place to place."""
    places = (surfels.positions - sheet.frame.target_centre.astype(np.float32)) / np.float32(
        0.35 * sheet.frame.target_size
    )
    parts = [fractal_noise(places, 2, sheet.seed * 31 + k) - 0.5 for k in range(3)]
    return np.stack(parts, -1)


def on_surface(surfels: Surfels, directions: Float) -> Float:
    """The part of directions (M, 3) along the surface, of unit length."""
    flat = directions - surfels.normals * (directions * surfels.normals).sum(1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    spare = np.cross(surfels.normals, np.array([0.36, 0.48, 0.8], np.float32))
    flat = np.where(length > 1e-6, flat, spare)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9), np.float32)


def random_of(surfels: Surfels, salt: float) -> Float:
    """(M,) further random numbers within 0 and 1 of each surfel."""
    return np.asarray((surfels.priorities * (89.0 + salt * 37.0) + salt * 0.618) % 1, np.float32)


def emboss(relief: Plane, strength: float) -> Plane:
    """(H, W) factor of light on paint of that height, lit from the upper left."""
    down = np.diff(relief, axis=0, prepend=relief[:1])
    right = np.diff(relief, axis=1, prepend=relief[:, :1])
    return np.asarray(1 + np.clip(strength * (down + right), -0.2, 0.2), np.float32)
