"""Finding Gaussians by what they are: in a box or sphere, of a colour, connected with one that was picked.

Each gives an (N,) mask of what was found, to be `combined` with the selection or shown as a preview.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recon.gaussian_neighbours import NeighbourGraph, component_labels
from recon.gaussian_selection import Mask
from recon.gaussian_values import base_colors, distances_from
from render.gaussians import GaussianCloud


def in_box(cloud: GaussianCloud, world_from_box: ArrayLike) -> Mask:
    """Which means lie in a box. world_from_box: (4, 4) affine; the box is [-1, 1]³ in its own coordinates."""
    box_from_world = np.linalg.inv(np.asarray(world_from_box, np.float64))
    # Subtract the middle before the product, so that boxes far from the origin stay exact in float32.
    middle = np.asarray(world_from_box, np.float64)[:3, 3].astype(np.float32)
    in_box = (cloud.means - middle) @ box_from_world[:3, :3].T.astype(np.float32)
    found: Mask = (np.abs(in_box) <= 1).all(1)
    return found


def in_sphere(cloud: GaussianCloud, center: ArrayLike, radius: float) -> Mask:
    """Which means lie in a sphere of center (3,) and radius."""
    found: Mask = distances_from(cloud, center) <= np.float32(radius)
    return found


def like_color(cloud: GaussianCloud, color: ArrayLike, tolerance: float) -> Mask:
    """Eyedropper: which base colours lie within a tolerance ΔE (CIE 1976, 2.3 is just noticed) of a colour.

    color: (3,) sRGB within 0 and 1. tolerance: distance in CIELAB.
    """
    difference = lab_of(base_colors(cloud)) - lab_of(np.asarray(color, np.float32).reshape(1, 3))
    found: Mask = np.einsum("ni,ni->n", difference, difference) <= np.float32(tolerance) ** 2
    return found


def flooded(
    cloud: GaussianCloud, seed: int, graph: NeighbourGraph, tolerance: float, within: Mask | None = None
) -> Mask:
    """Flood: what is like the colour of Gaussian `seed` and connected with it through such Gaussians.

    tolerance: ΔE as in `like_color`. within: (N,) what the flood may enter, such as what is selectable.
    """
    like = like_color(cloud, base_colors(cloud)[seed], tolerance)
    return connected(cloud, seed, graph, within=like if within is None else like & within)


def connected(
    cloud: GaussianCloud, seed: int, graph: NeighbourGraph, max_gap: float = 1.0, within: Mask | None = None
) -> Mask:
    """What hangs together with Gaussian `seed` (see `component_labels`); nothing when it is not in `within`."""
    labels = component_labels(cloud, graph, max_gap, within)
    found: Mask = (labels == labels[seed]) & (labels >= 0)
    return found


def lab_of(colors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 3) CIELAB (D65) of sRGB (N, 3) within 0 and 1 (IEC 61966-2-1; CIE 15)."""
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _XYZ_FROM_RGB.T
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), xyz * (24389 / 27 / 116) + 16 / 116)
    x, y, z = f.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1).astype(np.float32)


# sRGB's primaries, each row divided by the white point's X, Y, Z.
_XYZ_FROM_RGB = (
    np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    / np.array([[0.95047], [1.0], [1.08883]])
).astype(np.float32)
