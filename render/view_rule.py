"""Blending by rule: which source counts how much for a pixel, and colours for what no source shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from render.compiled import Float
from render.view_candidate_kernels import OUTSIDE
from render.view_candidates import Candidates, blended

# Log weight of a source whose picture ends at the point: less than of any that shows it with some error of depth, more
# than of one before which something else stands, and which would paint that on it.
BORDER = -21.0
BEYOND = 1.5  # how much faster it falls farther out than `Candidates.prior` does
BLURRED = -25.0  # where all sources weigh less, colours are blurred: 7 % of their size beyond them
FADES, GONE = -23.0, -36.0  # pictures begin to be transparent, and are so: 3 and 25 % beyond all sources


def blended_by_rule(found: Candidates, sharpness: float = 1.0) -> Float:
    """(P, 3): the sources' colours with weights softmax(sharpness · `rule_prior`). sharpness: above 1 the best source
    counts more, below 1 more of them do."""
    return blended(by_rule(found, sharpness))


def by_rule(found: Candidates, sharpness: float = 1.0) -> Candidates:
    """The same with the rule's log weights, sharpness · `rule_prior`, as prior."""
    prior = rule_prior(found.prior, found.is_inside)
    return replace(found, prior=prior if sharpness == 1 else prior * np.float32(sharpness))


def rule_prior(prior: Float, is_inside: NDArray[np.bool_]) -> Float:
    """(P, S) log weights: the candidates' prior, but by `BORDER` and `BEYOND` outside a source's picture."""
    beyond = np.float32(BEYOND) * (prior - np.float32(OUTSIDE)) + np.float32(BORDER)
    return np.where(is_inside, prior, beyond)


def guessed_share(best: Float) -> Float:
    """(P,) within 0 and 1, how little a pixel has to do with what sources show: 0 up to the border of a source, 1 from
    `BLURRED` on. best: (P,) the largest `rule_prior` of each."""
    share: Float = np.clip((np.float32(BORDER) - best) / np.float32(BORDER - BLURRED), 0, 1)
    return share


def opacity(best: Float) -> Float:
    """(P,) within 0 and 1 of places outside all pictures: 1 next to one, then less and less. best: (P,) the largest
    `rule_prior` of each, without the views' weights."""
    fade: Float = np.clip((best - np.float32(GONE)) / np.float32(FADES - GONE), 0, 1)
    return fade


def guessed_colors(found: Candidates, sharpness: float = 1.0) -> Float:
    """(P, 3) of what no source shows: its surroundings, blurred, as sharp borders drawn out are streaks. found: with
    coarse colours."""
    return blended_by_rule(replace(found, colors=found.coarse_colors), sharpness)
