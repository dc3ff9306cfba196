"""Changes of one part, applied to its Gaussians exactly; every other row of every array keeps its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recon import gaussian_colors, gaussian_edits
from recon.errors import InputError
from recon.gaussian_values import base_colors
from recon.romap.changes import Adjust, Change, Cover, Delete, Direction, Move, Recolor, Rotate, Scale
from recon.romap.materials import MATERIALS, material_colors
from render.frame import METRES_PER_UNIT, Frame
from render.gaussians import GaussianCloud
from render.spherical_harmonics import SH_C0
from render.transforms import Similarity3

Mask = NDArray[np.bool_]
_DARKEST = 0.08  # mean luma below which light and dark of a part are not told apart
_MOST_UNEVEN = 0.35  # standard deviation of the light, of its mean
_MOST_LIGHT = 1.6  # of the mean, so that one bright spot does not outshine the colour


@dataclass(frozen=True, eq=False)
class Changed:
    """cloud: after the changes. rows: (M,) for each Gaussian of it, its row before. notes: what was taken for granted."""

    cloud: GaussianCloud
    rows: NDArray[np.int64]
    notes: tuple[str, ...] = ()


def apply_changes(cloud: GaussianCloud, chosen: Mask, changes: Sequence[Change], seed: int = 0) -> Changed:
    """All changes in their order. chosen: (N,) the part. seed: of random patterns.

    Raises InputError where the part is empty, or deleting would leave nothing.
    """
    if not chosen.any():
        raise InputError("The part has no splats.", "Choose a part that has some, or find parts anew.")
    rows = np.arange(len(cloud))
    notes: list[str] = []
    for change in changes:
        if isinstance(change, Delete):
            if chosen.all():
                raise InputError(
                    "Deleting this part would leave nothing of the scene.",
                    "Choose a part that is not everything.",
                )
            cloud, rows = gaussian_edits.without(cloud, chosen), rows[~chosen]
            break  # There is nothing left to change.
        cloud = _applied(cloud, chosen, change, seed, notes)
    return Changed(cloud, rows, tuple(dict.fromkeys(notes)))


def _applied(
    cloud: GaussianCloud, chosen: Mask, change: Change, seed: int, notes: list[str]
) -> GaussianCloud:
    match change:
        case Recolor():
            return _with_colors(cloud, chosen, np.array(change.color)[None], 1.0)
        case Cover():
            material = MATERIALS[change.material]
            colors = material_colors(material, _places(cloud, chosen), seed, change.color)
            return _with_colors(cloud, chosen, colors, material.shading)
        case Adjust():
            return _adjusted(cloud, chosen, change)
        case Scale():
            turn = gaussian_edits.about_pivot(np.eye(3), change.factor, np.zeros(3), _middle(cloud, chosen))
            return gaussian_edits.transformed(cloud, chosen, turn)
        case Move():
            shift = _axis(change.direction, cloud.frame, notes) * _length(change, cloud, chosen, notes)
            return gaussian_edits.transformed(cloud, chosen, Similarity3(np.eye(3), shift))
        case Rotate():
            rotation = _rotation(_axis(change.axis, cloud.frame, notes), np.deg2rad(change.degrees))
            turn = gaussian_edits.about_pivot(rotation, 1.0, np.zeros(3), _middle(cloud, chosen))
            return gaussian_edits.transformed(cloud, chosen, turn)
        case _:
            raise AssertionError(change)


def _with_colors(
    cloud: GaussianCloud, chosen: Mask, colors: NDArray[np.float64], shading: float
) -> GaussianCloud:
    """New colours (n or 1, 3), times the part's own light and dark: an affine map of what was seen from any direction.

    shading: how much of it shows through. The mean of what is seen is the colours' mean, up to clipping.
    """
    light = _light_map(base_colors(cloud)[chosen], cloud.opacities[chosen])
    before = cloud.sh[chosen].astype(np.float64)
    grey = before @ gaussian_colors.LUMA  # (n, K) the luma's harmonics
    factors = shading * light[1] * grey
    factors[:, 0] += (1 - shading + shading * light[0]) / SH_C0 + shading * light[1] * 0.5 / SH_C0
    factors[:, 0] = np.clip(factors[:, 0], 0, _MOST_LIGHT / SH_C0)
    after = factors[..., None] * colors[:, None, :]
    after[:, 0] -= 0.5 / SH_C0
    sh = cloud.sh.copy()
    sh[chosen] = after
    return replace(cloud, sh=sh)


def _light_map(colors: NDArray[np.float32], weights: NDArray[np.float32]) -> tuple[float, float]:
    """a, b so that a + b · luma is the light on a Gaussian: 1 on average, and no more uneven than _MOST_UNEVEN.

    On a dark part gloss and noise are many times its mean; as light on a bright colour they would be white blotches."""
    luma = colors @ gaussian_colors.LUMA
    mean = float(np.average(luma, weights=weights))
    spread = float(np.sqrt(np.average((luma - mean) ** 2, weights=weights)))
    slope = min(1 / max(mean, _DARKEST), _MOST_UNEVEN / max(spread, 1e-6))
    return 1 - slope * mean, slope


def _adjusted(cloud: GaussianCloud, chosen: Mask, change: Adjust) -> GaussianCloud:
    if change.opacity != 1:
        cloud = gaussian_edits.with_opacity_scaled(cloud, chosen, change.opacity)
    colors = gaussian_colors.adjustment(0.0, change.saturation, change.brightness, change.contrast)
    if (change.saturation, change.brightness, change.contrast) == (1, 1, 1):
        return cloud
    return gaussian_edits.recolored(cloud, chosen, colors)


def _middle(cloud: GaussianCloud, chosen: Mask) -> NDArray[np.float64]:
    """(3,) middle of the part's box, without the outermost two percent."""
    low, high = np.quantile(cloud.means[chosen], [0.02, 0.98], axis=0)
    return np.asarray((low + high) / 2, np.float64)


def _size(cloud: GaussianCloud, chosen: Mask) -> float:
    """Longest side of that box, in the scene's unit."""
    low, high = np.quantile(cloud.means[chosen], [0.02, 0.98], axis=0)
    return float(max((high - low).max(), 1e-9))


def _places(cloud: GaussianCloud, chosen: Mask) -> NDArray[np.float64]:
    """(n, 3) places in sizes of the part about its middle, the second axis up."""
    about = (cloud.means[chosen] - _middle(cloud, chosen)) / _size(cloud, chosen)
    right, forward = _level_axes(cloud.frame)
    return np.asarray(about @ np.stack([right, cloud.frame.up_vector, forward], 1), np.float64)


def _level_axes(frame: Frame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Right and forward: +X (or +Y where X is up), and what then points away from a viewer who stands upright."""
    up = frame.up_vector
    right = np.array([0.0, 1.0, 0.0]) if up[0] else np.array([1.0, 0.0, 0.0])
    return right, np.cross(up, right)


def _axis(direction: Direction, frame: Frame, notes: list[str]) -> NDArray[np.float64]:
    """(3,) the unit vector that a word means."""
    if direction[-1] in "xyz" and len(direction) <= 2:
        axis = np.zeros(3)
        axis["xyz".index(direction[-1])] = -1.0 if direction[0] == "-" else 1.0
        return axis
    if direction in ("up", "down"):
        return frame.up_vector * (1 if direction == "up" else -1)
    right, forward = _level_axes(frame)
    notes.append("Right and forward are the scene's own axes, not those of a view.")
    return {"right": right, "left": -right, "forward": forward, "back": -forward}[direction]


def _length(move: Move, cloud: GaussianCloud, chosen: Mask, notes: list[str]) -> float:
    """How far, in the scene's unit."""
    if move.unit == "size":
        notes.append(f"Moved by {move.amount:g} of the part's size, as no distance was given.")
        return move.amount * _size(cloud, chosen)
    if move.unit == "unit":
        return move.amount
    own = cloud.frame.metres_per_unit
    if own is None:
        notes.append("The scene does not say its unit, which is taken to be metres.")
    return move.amount * METRES_PER_UNIT[move.unit] / (own or 1.0)


def _rotation(axis: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """(3, 3) turn about a unit axis (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    rotation: NDArray[np.float64] = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return rotation
