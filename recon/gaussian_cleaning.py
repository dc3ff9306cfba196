"""Cleaning Gaussian clouds: each function finds what is not wanted, as an (N,) mask to preview, and deletes nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from recon.gaussian_finding import in_box, in_sphere
from recon.gaussian_neighbours import NeighbourGraph, component_labels
from recon.gaussian_selection import Mask
from recon.gaussian_values import middle, values_of
from render.gaussians import GaussianCloud

_REACH = 1.5  # standard deviations


@dataclass(frozen=True)
class FloaterLimits:
    """What makes a floater; None leaves a criterion out.

    isolation: how many times as far from its neighbours as usual (see `isolated`). min_opacity: fainter ones are
    floaters. max_size: the largest standard deviation that is not giant, as a share of the cloud's extent.
    """

    isolation: float | None = 6.0
    min_opacity: float | None = 0.02
    max_size: float | None = 0.3


def floaters(cloud: GaussianCloud, graph: NeighbourGraph, limits: FloaterLimits = FloaterLimits()) -> Mask:
    """Which Gaussians float: isolated, nearly invisible or giant (see `FloaterLimits`)."""
    found = np.zeros(len(cloud), bool)
    if limits.isolation is not None:
        found |= isolated(cloud, graph, limits.isolation)
    if limits.min_opacity is not None:
        found |= fainter_than(cloud, limits.min_opacity)
    if limits.max_size is not None:
        found |= giants(cloud, limits.max_size)
    return found


def isolated(cloud: GaussianCloud, graph: NeighbourGraph, isolation: float = 6.0) -> Mask:
    """Which Gaussians hang alone in space.

    Their mean distance to their neighbours is more than `isolation` times the cloud's median (after statistical
    outlier removal, Rusu 2008), and they do not reach their neighbours: a background is sparse too, but its Gaussians
    are as large as the gaps between them.
    """
    if not graph.distances.size:
        return np.zeros(len(cloud), bool)
    distances = graph.distances.mean(1)
    sizes = np.exp(middle(cloud.log_scales))
    reach = sizes + np.median(sizes[graph.indices], axis=1)
    found: Mask = (distances > isolation * np.median(distances)) & (distances > _REACH * reach)
    return found


def fainter_than(cloud: GaussianCloud, min_opacity: float) -> Mask:
    """Which opacities are below a threshold within 0 and 1."""
    found: Mask = cloud.opacities < np.float32(min_opacity)
    return found


def giants(cloud: GaussianCloud, max_size: float) -> Mask:
    """Which Gaussians are larger than a share of the cloud's extent (the middle 98 % of the means)."""
    if not len(cloud):
        return np.zeros(0, bool)
    some = cloud.means[:: max(1, len(cloud) // 100_000)]
    low, high = np.quantile(some, [0.01, 0.99], axis=0)
    found: Mask = values_of(cloud, "scale_max") > np.float32(max_size * np.linalg.norm(high - low))
    return found


def outside_box(cloud: GaussianCloud, world_from_box: ArrayLike) -> Mask:
    """What a crop to a box (4, 4) would remove (see `in_box`)."""
    return ~in_box(cloud, world_from_box)


def outside_sphere(cloud: GaussianCloud, center: ArrayLike, radius: float) -> Mask:
    """What a crop to a sphere would remove."""
    return ~in_sphere(cloud, center, radius)


def small_pieces(
    cloud: GaussianCloud, graph: NeighbourGraph, keep_largest: int = 1, max_gap: float = 1.0
) -> Mask:
    """Which Gaussians belong to none of the largest connected pieces (see `component_labels`)."""
    found: Mask = component_labels(cloud, graph, max_gap) >= keep_largest
    return found
