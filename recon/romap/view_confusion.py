"""Parts of Gaussians from views that contradict each other.

The model of Dawid and Skene (Applied Statistics 28, 1979), whose observers are views: each has a confusion matrix,
the probability that it calls p what truly is q. A view that missed the collar calls it torso, one that took left for
right swaps two rows, and both still tell of the other parts. Expectation: labels of Gaussians from votes through the
matrices, smoothed over neighbours (mean_field.py). Maximisation: the matrices from labels. A false blob costs no more
than the matrix's floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon.romap.islands import unsupported_islands
from recon.romap.mean_field import WELL_SEEN, AffinityGraph, mean_field, softmax, voice_of
from recon.romap.view_votes import ViewVotes, summed

ROUNDS = 8
MEAN_FIELD_STEPS = 3  # a round
AGREEMENT = 7.0  # nats that full agreement with the neighbours is worth
HONESTY = 0.75  # prior share of a part's pixels that a view calls right
PRIOR_PIXELS = 50.0  # what the prior of a row counts
FLOOR = 0.02  # share of pixels that are wrong whatever they show
RARITY = 0.7  # how much rare labels are preferred to begin with: 0 not at all, 1 in proportion
CERTAIN = 0.98  # how honest a person is
_FEWEST_INDEPENDENT = 1.0
_MOST_INDEPENDENT = 30.0
_IMPOSSIBLE = np.float32(-100)  # nats


@dataclass(frozen=True, eq=False)
class ConfusedViews:
    """probabilities: (N, K) float32 of Gaussians. confusions: (V, K, K) float32, rows true, columns called, of the
    votes in their order. agreement: (V,) share of each view's pixels that it calls what they are found to be."""

    probabilities: NDArray[np.float32]
    confusions: NDArray[np.float32]
    agreement: NDArray[np.float32]


def labels_through_confusion(
    votes: Sequence[ViewVotes], graph: AffinityGraph, num_gaussians: int, rounds: int = ROUNDS
) -> ConfusedViews:
    """Labels and confusion matrices that explain each other, from votes of at least one view."""
    voice = voice_of(summed(votes, num_gaussians).sum(1))
    support = views_in_support(votes, graph, num_gaussians)
    beliefs = first_beliefs(votes, graph, support)
    for _ in range(rounds):
        called = _called(votes, beliefs)
        evidence = _evidence(votes, called, num_gaussians)
        beliefs = mean_field(evidence, graph, voice, AGREEMENT, MEAN_FIELD_STEPS, beliefs)
    labels = beliefs.argmax(1)
    stray = unsupported_islands(labels, support, graph)
    evidence[stray, labels[stray]] = _IMPOSSIBLE
    beliefs = mean_field(evidence, graph, voice, AGREEMENT, 2 * MEAN_FIELD_STEPS, _without(beliefs, stray))
    called = _called(votes, beliefs)
    totals = np.maximum(called.sum((1, 2)), 1e-6)
    agreement = (np.trace(called, axis1=1, axis2=2) / totals).astype(np.float32)
    return ConfusedViews(beliefs, _confusions(votes, called), agreement)


def _without(beliefs: NDArray[np.float32], stray: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Beliefs (N, K) where stray Gaussians (N,) believe anything alike, to listen to their neighbours."""
    return np.where(stray[:, None], np.float32(1 / beliefs.shape[1]), beliefs)


def first_beliefs(
    votes: Sequence[ViewVotes], graph: AffinityGraph, support: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(N, K) beliefs to begin with: by the number of views in support (N, K), where rare labels count more.

    A part that most views miss would lose every vote against what surrounds it, and then look as if it were not
    there; what two views call by a rare name is likely to be it.
    """
    mass = support.sum(0)
    preferred = support * (mass.max() / np.maximum(mass, 1e-6)) ** np.float32(RARITY)
    pixels = summed(votes, len(support)).sum(1)
    share = preferred + np.float32(0.05)
    share /= share.sum(1, keepdims=True)
    loudness = np.minimum(1, pixels / WELL_SEEN)[:, None]
    return mean_field(np.log(share) * loudness, graph, voice_of(pixels), AGREEMENT, 5)


def views_in_support(
    votes: Sequence[ViewVotes], graph: AffinityGraph, num_gaussians: int
) -> NDArray[np.float32]:
    """(N, K) how many views call a Gaussian and its neighbours so; the one that says so most is left out where
    several see it, for a false blob is in one view only."""
    num_parts = votes[0].counts.shape[1]
    support = np.zeros((num_gaussians, num_parts), np.float32)
    most, seen = np.zeros_like(support), np.zeros(num_gaussians, np.float32)
    for each in votes:
        counts = np.zeros_like(support)
        counts[each.rows] = each.counts
        counts += graph.weights @ counts
        share = counts / (counts.sum(1, keepdims=True) + np.float32(0.5))
        support += share
        seen += share.sum(1)
        if not each.is_certain:
            np.maximum(most, share, out=most)
    return np.asarray(support - most * np.clip((seen - 1) / 3, 0, 1)[:, None], np.float32)


def _called(votes: Sequence[ViewVotes], beliefs: NDArray[np.float32]) -> NDArray[np.float64]:
    """(V, K, K) pixels of each true part that each view calls so."""
    return np.asarray([beliefs[each.rows].T @ each.counts for each in votes], np.float64)


def _confusions(votes: Sequence[ViewVotes], called: NDArray[np.float64]) -> NDArray[np.float32]:
    """(V, K, K) rows sum to 1. Where a view shows little of a part, its row stays the prior."""
    num_parts = called.shape[1]
    prior = _honest(num_parts, HONESTY)
    rows = (called + PRIOR_PIXELS * prior) / (called.sum(2, keepdims=True) + PRIOR_PIXELS)
    rows[[each.is_certain for each in votes]] = _honest(num_parts, CERTAIN)
    return np.asarray((1 - FLOOR) * rows + FLOOR / num_parts, np.float32)


def _honest(num_parts: int, share: float) -> NDArray[np.float64]:
    """(K, K) a matrix of observers who are right in a share of cases, and else call anything."""
    if num_parts == 1:
        return np.ones((1, 1))
    other = (1 - share) / (num_parts - 1)
    return np.asarray(other + np.eye(num_parts) * (share - other), np.float64)


def _evidence(
    votes: Sequence[ViewVotes], called: NDArray[np.float64], num_gaussians: int
) -> NDArray[np.float32]:
    """(N, K) log-likelihoods. Pixels of one Gaussian in one view err together, so they count as some few that do
    not: n / (1 + n / limit), the limit one over the share of pixels that are called wrong."""
    confusions = _confusions(votes, called)
    limit = np.clip(1 / max(_disagreement(called), 1e-6), _FEWEST_INDEPENDENT, _MOST_INDEPENDENT)
    evidence = np.zeros((num_gaussians, called.shape[1]), np.float32)
    for each, confusion in zip(votes, confusions, strict=True):
        discount = 1 if each.is_certain else (1 + each.totals[:, None] / np.float32(limit))
        evidence[each.rows] += (each.counts / discount) @ np.log(confusion).T
    return evidence


def _disagreement(called: NDArray[np.float64]) -> float:
    """Share of pixels that views call wrong, the mean over parts."""
    total = called.sum(0)
    pixels = total.sum(1)
    is_there = pixels > 0
    return float(1 - (np.diag(total)[is_there] / pixels[is_there]).mean()) if is_there.any() else 1.0


def smoothed_votes(
    votes: Sequence[ViewVotes], graph: AffinityGraph, num_gaussians: int, steps: int = 10
) -> NDArray[np.float32]:
    """(N, K) probabilities from votes that are taken at their word, smoothed over neighbours."""
    total = summed(votes, num_gaussians)
    pixels = total.sum(1)
    unary = np.log(vote_shares(total)) * np.minimum(1, pixels / WELL_SEEN)[:, None]
    return mean_field(unary, graph, voice_of(pixels), 1.5 * total.shape[1] ** 0.5, steps)


def vote_shares(total: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, K) shares of votes (N, K), even where there are none."""
    return softmax(np.log(total + np.float32(0.05)))
