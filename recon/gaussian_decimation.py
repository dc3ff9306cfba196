"""Fewer Gaussians that look nearly the same: neighbours are merged in pairs, round by round, by matching moments.

The cost of a pair is Runnalls' bound on the divergence that merging adds (IEEE TAES 2007, eq. 16), each Gaussian
weighted by its opacity times its area, plus what the colours differ by.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recon.errors import InputError
from recon.gaussian_edits import without
from recon.gaussian_mixture import Mixture, joined, merge_costs, mixture_of, to_cloud
from recon.gaussian_neighbours import morton_order, nearest
from render.gaussians import GaussianCloud

_NUM_NEIGHBOURS = 6
_LEAST_SEEN = 1 / 255  # of opacity: fainter Gaussians are skipped by every rasteriser


def decimated(cloud: GaussianCloud, target_count: int) -> GaussianCloud:
    """The cloud with just `target_count` Gaussians, merged so that pictures change least.

    Gaussians that are not merged stay as they are, in their order; those of different "part" are never merged. First
    goes what is too faint to be drawn. Takes some ten seconds at 1 M: run it off the window's thread.
    Raises InputError for a count below one.
    """
    if target_count < 1:
        raise InputError("No splat would be left.", "Ask for one or more.")
    if target_count >= len(cloud):
        return cloud
    seen = _without_faintest(cloud, target_count)
    mixture = mixture_of(seen)
    while len(mixture) > target_count:
        mixture = mixture.taken(morton_order(mixture.means))
        pairs = _pairs_to_merge(mixture)[: len(mixture) - target_count]
        if not len(pairs):
            return _heaviest(to_cloud(seen, mixture), target_count)
        mixture = joined(mixture, pairs)
    return to_cloud(seen, mixture)


def _without_faintest(cloud: GaussianCloud, target_count: int) -> GaussianCloud:
    """Leave out what cannot be seen, the faintest first, but no more than must go."""
    faint = cloud.opacities < _LEAST_SEEN
    too_many = len(cloud) - target_count
    if faint.sum() > too_many:
        faint[np.argsort(cloud.opacity_logits, kind="stable")[too_many:]] = False
    return without(cloud, faint)


def _pairs_to_merge(mixture: Mixture) -> NDArray[np.integer]:
    """(M, 2) disjoint pairs of neighbours, cheapest first but for those of the second go."""
    pairs = _neighbouring(mixture)
    costs = merge_costs(mixture, *pairs.T)
    is_possible = np.isfinite(costs)
    pairs = pairs[is_possible][np.argsort(costs[is_possible], kind="stable")]
    first = _cheapest_disjoint(pairs, len(mixture))
    is_taken = np.zeros(len(mixture), bool)
    is_taken[first.ravel()] = True
    second = _cheapest_disjoint(pairs[~is_taken[pairs].any(1)], len(mixture))
    return np.concatenate([first, second])


def _neighbouring(mixture: Mixture) -> NDArray[np.integer]:
    """(E, 2) each Gaussian with its nearest ones, each pair once."""
    indices, _ = nearest(mixture.means, _NUM_NEIGHBOURS)
    own = np.repeat(np.arange(len(indices), dtype=np.int32), indices.shape[1])
    other = indices.ravel()
    is_twice = (indices[other] == own[:, None]).any(1)
    once: NDArray[np.integer] = np.stack([own, other], 1)[(own < other) | ~is_twice]
    return once


def _cheapest_disjoint(pairs: NDArray[np.integer], count: int) -> NDArray[np.integer]:
    """Of pairs (E, 2) from the cheapest on, those that come first for both of their ends."""
    ranks = np.arange(len(pairs))
    first = np.full(count, len(pairs))
    # Where an index comes several times, the last one written stays: the cheapest.
    first[pairs[::-1].ravel()] = np.repeat(ranks[::-1], 2)
    disjoint: NDArray[np.integer] = pairs[(first[pairs] == ranks[:, None]).all(1)]
    return disjoint


def _heaviest(cloud: GaussianCloud, count: int) -> GaussianCloud:
    """Where nothing may be merged, keep what covers most."""
    weights = mixture_of(cloud).weights
    return cloud.subset(np.sort(np.argsort(-weights, kind="stable")[:count]))
