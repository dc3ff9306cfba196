"""Which edited views break the scene: a score for each, a decision, and its reason in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.dn2n.consistency import short_pairs, warp_error
from recon.dn2n.depth_views import DepthViews

Float = NDArray[np.float32]
Decision = Literal["kept", "weakened", "dropped"]

DROP_FROM = 3.5  # robust standard deviations above the median score
WEAKEN_FROM = 1.5
LEAST_SCORE = 0.03  # mean difference of colours that is never held against a view
LEAST_SPREAD = 0.15  # of the median score: what scores differ by anyway
FEWEST_VIEWS, FEWEST_SHARE = 8, 0.6  # that stay, whatever their scores
BLATANT_FROM, BLATANT_SCORE = 6.0, 0.15  # what is as far off as this shows something else altogether
OTHER_SHAPES = 0.12  # correlation of edges below which a view does not show what its photo does
OTHER_SHARE = 0.25  # of what views usually have, below which it counts as so
SHARED_SHAPES = 0.85  # correlation with what all views say from which the edit is what changed the shapes
STRANGE_RATIO = 2.0  # of the warping error of photos, from which their edits contradict each other,
STRANGE_REST = 0.05  # and that much above
LONELY_SHARE = 0.5  # of its places that such a view may be the only one to show, and go
FEWEST_BESIDE_BLATANT = 3  # that stay when such views go
SEEN_BY = 3  # views that stay in each place of the scene
PLACES = 8  # along the longest side of the scene
LEAST_PART = 0.01  # of a view's pixels in a place, so that the view shows it
LEAST_WEIGHT = 0.05  # of a view that stays only because nobody else sees what it does


@dataclass(frozen=True)
class Verdict:
    """What was found about one edited view.

    score: mean difference of its colours from what the views say together, within 0 and 1; the larger the worse.
    difference: from the views that see the same. residual: from the edit field. strength: share of the common change
    that it shows. structure: correlation of its edges with those of the original, 1 for the same, 0 for those of another
    picture. shared: of its edges with those of what the views say together. decision, weight >= 0 and reason: what
    becomes of it. is_overruled: whether a person decided.
    """

    score: float
    difference: float
    residual: float
    strength: float
    structure: float
    decision: Decision = "kept"
    weight: float = 1.0
    reason: str = ""
    is_overruled: bool = False
    shared: float = 1.0


def structure_kept(original: Float, edited: Float) -> float:
    """Correlation of the edges of two pictures (H, W, 3), 1 where both have the same or neither has any; strong edges
    do not outdo many weak ones."""
    a, b = _edges(original), _edges(edited)
    power = float((a * a).sum() * (b * b).sum())
    if power < 1e-9:
        return 1.0 if max(float((a * a).sum()), float((b * b).sum())) < 1e-4 else 0.0
    return float((a * b).sum() / power**0.5)


def _edges(picture: Float) -> Float:
    """(H, W) the root of their strength, about its mean."""
    grey = cv2.GaussianBlur(np.asarray(picture, np.float32).mean(-1), (0, 0), 1.0)
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    edges: Float = np.sqrt(slope)
    return np.asarray(edges - edges.mean(), np.float32)


def judge(
    originals: Float, edited: Float, common: Float, mapped: Float, found: Float, views: DepthViews,
    names: Sequence[str] = (), keep: Collection[str] = (), drop: Collection[str] = (),
) -> tuple[Verdict, ...]:  # fmt: skip
    """A verdict on each view.

    originals, edited: (N, H, W, 3). common: what the views say together, mapped: what the edit field says, both
    strengthened. found: (N,) strengths. keep, drop: names of views that a person decided on.
    """
    difference = np.abs(edited - common).mean((1, 2, 3))
    residual = np.abs(edited - mapped).mean((1, 2, 3))
    score = (difference + residual) / 2
    structure = [structure_kept(o, e) for o, e in zip(originals, edited, strict=True)]
    shared = [structure_kept(c, e) for c, e in zip(common, edited, strict=True)]
    verdicts = [
        Verdict(score=a, difference=b, residual=c, strength=d, structure=e, shared=f)
        for a, b, c, d, e, f in _numbers(score, difference, residual, found, structure, shared).tolist()
    ]
    decided = decide(verdicts, _places(views))
    return overruled(decided, names, keep, drop)


def _numbers(*columns: Sequence[float] | Float) -> NDArray[np.float64]:
    """The columns' rows, without what is noise of the machine."""
    return np.stack([np.asarray(column, np.float64) for column in columns], 1).round(6)


def decide(verdicts: Sequence[Verdict], places: NDArray[np.bool_]) -> tuple[Verdict, ...]:
    """Drop, weaken or keep. places: (N, P) which places of the scene each view shows."""
    off, is_blatant = _off(verdicts), _is_another(verdicts)
    is_blatant |= (off >= BLATANT_FROM) & (np.array([verdict.score for verdict in verdicts]) >= BLATANT_SCORE)
    off = np.where(is_blatant, np.maximum(off, DROP_FROM), off)
    seen, left = places.sum(0), len(verdicts)
    found = list(verdicts)
    for i in np.lexsort((-off, ~is_blatant)):
        reason = _reason(verdicts, int(i), bool(is_blatant[i]))
        if off[i] < WEAKEN_FROM:
            found[i] = _with(verdicts[i], "kept", 1.0, "")
        elif off[i] < DROP_FROM:
            found[i] = _with(verdicts[i], "weakened", _weight(float(off[i])), reason)
        elif left <= _fewest(len(verdicts), bool(is_blatant[i])):
            reason = f"{reason} Too few views would be left without it."
            found[i] = _with(verdicts[i], "weakened", LEAST_WEIGHT, reason)
        elif _is_needed(seen[places[i]], bool(is_blatant[i])):
            reason = f"{reason} Too few others see what it shows."
            found[i] = _with(verdicts[i], "weakened", LEAST_WEIGHT, reason)
        else:
            found[i] = _with(verdicts[i], "dropped", 0.0, reason)
            seen, left = seen - places[i], left - 1
    return tuple(found)


def _off(verdicts: Sequence[Verdict]) -> NDArray[np.float64]:
    """(N,) robust standard deviations of the scores above the median, 0 for scores that are small anyway."""
    score = np.array([verdict.score for verdict in verdicts])
    middle = float(np.median(score))
    spread = max(1.4826 * float(np.median(np.abs(score - middle))), LEAST_SPREAD * middle, 1e-6)
    return np.where(score >= LEAST_SCORE, (score - middle) / spread, 0.0)


def _is_another(verdicts: Sequence[Verdict]) -> NDArray[np.bool_]:
    """(N,) whether a view shows another picture altogether: neither the shapes of its photo, though the others do, nor
    those that the views have in common."""
    structure = np.array([verdict.structure for verdict in verdicts])
    shared = np.array([verdict.shared for verdict in verdicts])
    usual = float(np.median(structure))
    return np.asarray((structure < min(OTHER_SHAPES, OTHER_SHARE * usual)) & (shared < SHARED_SHAPES))


def are_strangers(verdicts: Sequence[Verdict], originals: Float, edited: Float, views: DepthViews) -> bool:
    """Whether no view has the shapes of its photo and the views contradict each other: noise, or pictures of something
    else. Each view is only judged by the others, thus none stands out there.

    originals, edited: (N, H, W, 3) within 0 and 1."""
    if not verdicts or max(verdict.structure for verdict in verdicts) >= OTHER_SHAPES:
        return False
    pairs = short_pairs(views)
    usual = warp_error(originals, views, pairs)
    return warp_error(edited, views, pairs) > STRANGE_RATIO * usual + STRANGE_REST


def _is_needed(seen: NDArray[np.integer], is_blatant: bool) -> bool:
    """Whether a view must stay for places that so many views show, itself included."""
    if is_blatant:
        return len(seen) > 0 and float((seen <= 1).mean()) > LONELY_SHARE
    return bool((seen <= SEEN_BY).any())


def _fewest(count: int, is_blatant: bool) -> int:
    """How many of the views must stay."""
    return max(FEWEST_BESIDE_BLATANT if is_blatant else FEWEST_VIEWS, int(np.ceil(FEWEST_SHARE * count)))


def overruled(
    verdicts: Sequence[Verdict], names: Sequence[str], keep: Collection[str], drop: Collection[str]
) -> tuple[Verdict, ...]:
    """The verdicts with what a person decided."""
    found = list(verdicts)
    for i, name in enumerate(names):
        if name in drop:
            found[i] = _with(verdicts[i], "dropped", 0.0, "You dropped it.", is_overruled=True)
        elif name in keep and verdicts[i].decision != "kept":
            found[i] = _with(verdicts[i], "kept", 1.0, "You kept it.", is_overruled=True)
    return tuple(found)


def _with(
    verdict: Verdict, decision: Decision, weight: float, reason: str, is_overruled: bool = False
) -> Verdict:
    return replace(verdict, decision=decision, weight=weight, reason=reason, is_overruled=is_overruled)


def _weight(off: float) -> float:
    """From 1 at WEAKEN_FROM down to a quarter at DROP_FROM."""
    share = (off - WEAKEN_FROM) / (DROP_FROM - WEAKEN_FROM)
    return round(1 - 0.75 * min(max(share, 0.0), 1.0), 4)


def _reason(verdicts: Sequence[Verdict], index: int, is_blatant: bool) -> str:
    """What is most unusual about a view, in words."""
    verdict = verdicts[index]
    if is_blatant and _is_another(verdicts)[index]:
        return "It shows another picture: nothing in it is where it is in the photo."
    if is_blatant:
        return "Its colours are nothing like those of the views that see the same."
    strength = np.median([each.strength for each in verdicts])
    structure = np.median([each.structure for each in verdicts])
    if verdict.strength < 0.5 * strength:
        return "The edit hardly shows in it."
    if verdict.strength > 1.5 * strength:
        return "The edit is much stronger in it than in the others."
    if verdict.structure < structure - 0.3:
        return "It shows other shapes than the photo."
    return "Its colours differ from those of the views that see the same."


def _places(views: DepthViews) -> NDArray[np.bool_]:
    """(N, P) which places of the scene each view shows, of those that any shows."""
    small = views.within(48)
    points = [_points(small, i) for i in range(len(small))]
    known = np.concatenate(points)
    if not len(known):
        return np.zeros((len(small), 0), bool)
    low, high = np.quantile(known, [0.02, 0.98], axis=0)
    side = max(float((high - low).max()), 1e-9) / PLACES
    shape = np.ceil((high - low) / side).astype(int) + 1
    shows = np.zeros((len(small), int(np.prod(shape))), bool)
    for i, mine in enumerate(points):
        cells = np.clip(((mine - low) / side).astype(int), 0, shape - 1)
        counts = np.bincount(np.ravel_multi_index(tuple(cells.T), tuple(shape)), minlength=shows.shape[1])
        shows[i] = counts >= max(1, LEAST_PART * len(mine))
    return shows[:, shows.any(0)]


def _points(views: DepthViews, index: int) -> NDArray[np.float64]:
    """(M, 3) world points of a view's pixels."""
    depth = views.depths[index]
    rows, columns = np.nonzero(depth > 0)
    in_cam = np.ones((len(rows), 3))
    in_cam[:, :2] = (np.stack([columns, rows], 1) + 0.5 - views.cameras.center[index]) / views.cameras.focal[
        index
    ]
    in_cam *= depth[rows, columns][:, None]
    pose = views.cameras.world_from_cam[index]
    points: NDArray[np.float64] = in_cam @ pose[:3, :3].T + pose[:3, 3]
    return points
