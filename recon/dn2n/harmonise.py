"""Brings edited views to what they say together: each view's tone first, then what only one of them shows.

A 2D editor edits each view as it comes: stronger or weaker, warmer or colder, with details that no other view has.
Geometry is known, so the views can vote. Per view, a linear map of the edited and the original colour and a smooth
field are fitted to the robust mean of what its neighbours see; then pixels that differ from it are replaced by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.dn2n.depth_views import DepthViews, scaled
from recon.dn2n.view_kernels import agree
from render.compiled import in_threads

Float = NDArray[np.float32]

NEIGHBOURS = 8
ROUNDS = 3
LONGEST = 112  # pixels of the views in which tones are fitted
FIELD_CELLS = 8  # of the smooth field, along the longer side
FEWEST_VOTES = 3  # that can outvote a pixel
FEWEST_PIXELS = 100
RIDGE = np.array(
    [3e-3, 1e-2, 3e-4], np.float64
)  # holds the map to the identity: of edited, of original colours, of the shift
TONE_SPREAD = 0.08  # of a pixel's residual beyond which it hardly counts for the tone
ODD_FROM, ODD_UNTIL = (
    0.05,
    0.11,
)  # mean difference from the others at which a pixel begins to be, and is replaced
ROWS_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class Harmonised:
    """pictures: (N, H, W, 3) float32 within 0 and 1. before, after: (N,) mean difference of each view from what all
    say, before and after. replaced: (N,) share of pixels that others outvoted."""

    pictures: Float
    before: Float
    after: Float
    replaced: Float


@dataclass(frozen=True, eq=False)
class Tones:
    """What is done to each view: linear maps (N, 7, 3) of (edited, original, 1), and smooth fields (N, h, w, 3)."""

    maps: Float
    fields: Float

    def apply(self, index: int, edited: Float, original: Float) -> Float:
        """A view (H, W, 3) in its new tone."""
        height, width = edited.shape[:2]
        mapped = edited @ self.maps[index, :3] + original @ self.maps[index, 3:6] + self.maps[index, 6]
        field = cv2.resize(self.fields[index], (width, height), interpolation=cv2.INTER_CUBIC)
        return np.asarray(np.clip(mapped + field, 0, 1), np.float32)


def harmonise(
    edited: Float, originals: Float, views: DepthViews, weights: Float, neighbours: NDArray[np.int64] | None = None
) -> Harmonised:  # fmt: skip
    """edited, originals: (N, H, W, 3) within 0 and 1. weights: (N,) how much each view counts. neighbours: (N, K)."""
    if neighbours is None:
        neighbours = views.neighbours(NEIGHBOURS)
    tones, small, before = fit_tones(edited, originals, views, weights, neighbours)
    toned = np.stack([tones.apply(i, edited[i], originals[i]) for i in range(len(views))])
    return _outvoted(toned, small, views, weights, neighbours, before)


def fit_tones(
    edited: Float, originals: Float, views: DepthViews, weights: Float, neighbours: NDArray[np.int64]
) -> tuple[Tones, Float, Float]:
    """The change of each view that brings all nearest to each other; the views in their new tones, no longer than
    LONGEST; and (N,) how far each was off."""
    small = views.within(LONGEST)
    e, o = scaled(edited, small.size), scaled(originals, small.size)
    current, count = e, len(views)
    cells = _cells(small.size)
    tones = Tones(np.tile(_IDENTITY, (count, 1, 1)), np.zeros((count, cells[1], cells[0], 3), np.float32))
    before = np.zeros(count, np.float32)
    for turn in range(ROUNDS):
        following = np.empty_like(current)
        for i in range(count):
            consensus, votes = consensus_of(i, current, small, weights, neighbours)
            known = votes >= FEWEST_VOTES
            if turn == 0:
                before[i] = _distance(e[i], consensus, votes >= 2)
            if known.sum() >= FEWEST_PIXELS:
                tones.maps[i] = _fit_map(e[i][known], o[i][known], consensus[known])
                tones.fields[i] = 0
                left = consensus - tones.apply(i, e[i], o[i])
                tones.fields[i] = _fit_field(left, known, cells)
            following[i] = tones.apply(i, e[i], o[i])
        current = following
    return tones, current, before


def consensus_of(
    index: int, pictures: Float, views: DepthViews, weights: Float, neighbours: NDArray[np.int64],
    is_asked: NDArray[np.bool_] | None = None,
) -> tuple[Float, Float]:  # fmt: skip
    """(H, W, 3) what the views say together about the pixels of one, and (H, W) how many saw them, itself included.

    is_asked: (H, W) which pixels are looked at, all where not given."""
    height, width = views.depths.shape[1:]
    is_asked = np.ones((height, width), bool) if is_asked is None else is_asked
    consensus = np.empty((height, width, 3), np.float32)
    votes = np.empty((height, width), np.float32)
    turns, shifts = views.pairs
    in_threads(
        agree, height, ROWS_AT_ONCE, index, pictures, views.depths, neighbours[index], turns, shifts,
        np.asarray(weights, np.float32), np.float32(views.tolerance), is_asked, consensus, votes,
    )  # fmt: skip
    return consensus, votes


_IDENTITY = np.eye(7, 3, dtype=np.float32)


def _cells(size: tuple[int, int]) -> tuple[int, int]:
    longest = max(size)
    return max(2, round(FIELD_CELLS * size[0] / longest)), max(2, round(FIELD_CELLS * size[1] / longest))


def _distance(picture: Float, consensus: Float | np.float32, known: NDArray[np.bool_]) -> float:
    return float(np.abs(picture - consensus)[known].mean()) if known.any() else 0.0


def _fit_map(edited: Float, original: Float, wanted: Float) -> Float:
    """(7, 3) robust ridge regression of wanted colours (M, 3) on (edited, original, 1), about leaving edited as is."""
    x = np.concatenate([edited, original, np.ones((len(edited), 1), np.float32)], 1)
    change = wanted - edited
    ridge = np.diag(np.repeat(RIDGE, [3, 3, 1])) * len(x)
    weight = np.ones(len(x), np.float32)
    for _ in range(3):
        weighed = x * weight[:, None]
        found = np.linalg.solve(weighed.T @ x + ridge, weighed.T @ change)
        residual = np.abs(x @ found.astype(np.float32) - change).mean(1)
        weight = (1 / (1 + (residual / TONE_SPREAD) ** 2)).astype(np.float32)
    return (_IDENTITY + found).astype(np.float32)


def _fit_field(left: Float, known: NDArray[np.bool_], cells: tuple[int, int]) -> Float:
    """(h, w, 3) mean of what is left (H, W, 3), where it is known and small, in each cell of a coarse grid."""
    weight = (known & (np.abs(left).mean(-1) < 0.2)).astype(np.float32)
    total = cv2.resize(left * weight[..., None], cells, interpolation=cv2.INTER_AREA)
    share = cv2.resize(weight, cells, interpolation=cv2.INTER_AREA)[..., None]
    return np.asarray(total / (share + np.float32(0.05)), np.float32)


def _outvoted(
    toned: Float, small: Float, views: DepthViews, weights: Float, neighbours: NDArray[np.int64], before: Float
) -> Harmonised:  # fmt: skip
    """Replace what differs from the others. small: the same views, no longer than LONGEST, which tell where."""
    pictures, few = toned.copy(), views.within(LONGEST)
    after, replaced = np.zeros(len(views), np.float32), np.zeros(len(views), np.float32)
    for i in range(len(views)):
        consensus, votes = consensus_of(i, small, few, weights, neighbours)
        difference = np.abs(consensus - small[i])
        odd = cv2.blur(difference.mean(-1), (3, 3), borderType=cv2.BORDER_REPLICATE)
        share = np.clip((odd - ODD_FROM) / (ODD_UNTIL - ODD_FROM), 0, 1) * (votes >= FEWEST_VOTES)
        share = share.astype(np.float32)
        after[i] = _distance(difference * (1 - share[..., None]), np.float32(0), votes >= 2)
        replaced[i] = float((share > 0.5).mean())
        if share.any():
            share = cv2.resize(share, views.size, interpolation=cv2.INTER_LINEAR)
            said, heard = consensus_of(i, toned, views, weights, neighbours, share > 0)
            pictures[i] += (said - toned[i]) * (share * (heard >= FEWEST_VOTES))[..., None]
    return Harmonised(pictures, before, after, replaced)
