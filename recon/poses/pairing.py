"""Which images to compare, where comparing each with each would take too long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from recon.poses import Pairing
from recon.poses.features import Features
from recon.poses.matching import match_features

Pair = tuple[int, int]

MOST_FOR_ALL = 80  # images up to which each is compared with each
_GLANCED_AT = 200  # features, the largest, that a glance compares …
_MANY_IMAGES = 500  # … in so many images or fewer
_NUM_NEIGHBOURS = 10  # images after each in a sequence; beyond, those 16, 32, 64 … later
_NUM_LOOK_ALIKE = 25  # partners of each image in a collection
_NUM_REVISITS = 8  # partners of each image in a sequence, of all that are not its neighbours
_FEWEST_ALIKE = 3  # matches at a glance that are worth a closer look
_GLANCE_RATIO = 0.85


def choose_pairing(wish: Pairing, num_images: int, is_video: bool) -> Pairing:
    """The way of pairing that "auto" stands for."""
    if wish != "auto":
        return wish
    if num_images <= MOST_FOR_ALL:
        return "all"
    return "neighbours" if is_video else "look-alike"


def all_pairs(images: Sequence[int]) -> list[Pair]:
    """Each with each, near ones first so that what is certain comes early."""
    return sorted(combinations(images, 2), key=lambda pair: (pair[1] - pair[0], pair))


def neighbour_pairs(images: Sequence[int]) -> list[Pair]:
    """Each with those after it in a sequence: all near ones, and some far ones."""
    steps = [*range(1, _NUM_NEIGHBOURS + 1), *(2**k for k in range(4, 8))]
    return [
        (a, images[i + step]) for step in steps for i, a in enumerate(images[: max(0, len(images) - step)])
    ]


def glance(features: Features, num_images: int) -> Features:
    """The largest features, which tell most cheaply whether images show the same (Wu 2013, preemptive matching).

    Copies, so that the others need not stay in memory; fewer where there are very many pairs to glance at.
    """
    number = int(np.clip(_GLANCED_AT * _MANY_IMAGES / max(num_images, 1), _GLANCED_AT // 4, _GLANCED_AT))
    return Features(features.points[:number].copy(), features.descriptors[:number].copy())


def look_alikes(
    images: Sequence[int], glances: Sequence[Features], pairing: Pairing, known: Sequence[Pair]
) -> Iterator[list[Pair] | None]:
    """The pairs that look alike at a glance and are not known yet, as the last thing; None after each image before.

    glances: one for each image.
    """
    scores = np.zeros((len(images), len(images)), np.int32)
    for i in range(len(images)):
        for j in range(i + 1, len(images)):
            scores[i, j] = scores[j, i] = len(match_features(glances[i], glances[j], _GLANCE_RATIO))
        yield None
    number = _NUM_REVISITS if pairing == "neighbours" else _NUM_LOOK_ALIKE
    yield _best_pairs(images, scores, number, set(known))


def _best_pairs(
    images: Sequence[int], scores: NDArray[np.int32], number: int, known: set[Pair]
) -> list[Pair]:
    """Each image's `number` best partners of those with enough matches, the best pairs first."""
    place = {image: i for i, image in enumerate(images)}
    for a, b in known:
        scores[place[a], place[b]] = scores[place[b], place[a]] = 0
    chosen: dict[Pair, int] = {}
    for i, row in enumerate(scores):
        for j in np.argsort(-row, kind="stable")[:number]:
            if row[j] >= _FEWEST_ALIKE:
                chosen[images[min(i, int(j))], images[max(i, int(j))]] = int(row[j])
    return sorted(chosen, key=lambda pair: (-chosen[pair], pair))
