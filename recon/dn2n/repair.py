"""From views edited one by one to a scene edited once: judge them, agree on what the edit is, choose its way."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.content_filter import Verdict, judge, overruled
from recon.dn2n.depth_views import DepthViews, scaled
from recon.dn2n.edit_field import EditField, Stiffness, fit_edit_field
from recon.dn2n.editors.editor import Consistency
from recon.dn2n.harmonise import FEWEST_VOTES, LONGEST, NEIGHBOURS, Harmonised, consensus_of, harmonise
from recon.dn2n.router import Route, choose_route, missed_share, unexplained_share
from recon.dn2n.strength import common_strength, strengths

Float = NDArray[np.float32]
MOST_FORETOLD = 16  # views that are left out in turn to choose the way
GLANCE = 96  # pixels of views that are looked at only to tell how far they agree
RouteWish = Literal["auto", "color", "network", "blend"]


@dataclass(frozen=True, eq=False)
class EditedViews:
    """What is to be repaired. originals, edited: (N, H, W, 3) float32 within 0 and 1. views: their cameras and depths.
    consistency: of the editor. masks: (N, H, W) float32 within 0 and 1, where the edit is wanted, None for all."""

    names: tuple[str, ...]
    originals: Float
    edited: Float
    views: DepthViews
    consistency: Consistency = "none"
    masks: Float | None = None


@dataclass(frozen=True)
class RepairWishes:
    """What a person decided. route: "auto" chooses. keep, drop: names of views. filters: whether views are dropped and
    weakened by their scores."""

    route: RouteWish = "auto"
    keep: Collection[str] = ()
    drop: Collection[str] = ()
    filters: bool = True


@dataclass(frozen=True, eq=False)
class Repaired:
    """pictures: (N, H, W, 3) float32, the views as the scene now looks from them. color_map, world_from_map: as in a
    ViewField, empty unless the route is "color". weights: (N,) how much each view counts in drawing. strengthened: by how
    much the common change was."""

    pictures: Float
    verdicts: tuple[Verdict, ...]
    weights: Float
    route: Route
    strengthened: float = 1.0
    color_map: Float = field(default_factory=lambda: np.zeros((0, 0, 0, 12), np.float32))
    world_from_map: NDArray[np.float64] = field(default_factory=lambda: np.eye(4))


@dataclass(frozen=True, eq=False)
class _Agreement:
    """What all views say at a small size: harmonised, and by the edit field, both as strong as was meant."""

    small: EditedViews
    common: Float
    mapped: Float
    field: EditField
    strengths: Float
    factor: float


def repair(given: EditedViews, wishes: RepairWishes | None = None) -> Repaired:
    """Make one edit of many. Nothing is random."""
    wishes = wishes or RepairWishes()
    if given.consistency == "world" and wishes.route == "auto":
        return _as_is(given, wishes)
    neighbours = given.views.neighbours(NEIGHBOURS)
    weights = np.ones(len(given.views), np.float32)
    agreement = _agree(given, weights, neighbours)
    verdicts = _judged(agreement.small, agreement.common, agreement.mapped, agreement.strengths, wishes)
    found = np.array([verdict.weight for verdict in verdicts], np.float32)
    if (found != weights).any() and found.any():
        weights = found
        agreement = _agree(given, weights, neighbours, agreement.field.stiffness)
    route = _route(given, agreement, weights, neighbours, wishes)
    is_mapped = route.way == "color" or (
        wishes.route == "auto" and given.masks is not None and route.is_explained
    )
    if is_mapped:
        pictures = np.stack([agreement.field.apply(o, given.views, i) for i, o in enumerate(given.originals)])
    else:
        told = harmonise(given.edited, given.originals, given.views, weights, neighbours)
        pictures = strengthen(given.originals, told.pictures, agreement.factor)
    pictures = _within_masks(pictures, given)
    if route.way != "color":
        return Repaired(pictures, verdicts, found, route, agreement.factor)
    color_map, world_from_map = agreement.field.color_map, agreement.field.world_from_map
    return Repaired(
        pictures, verdicts, _of_photos(verdicts), route, agreement.factor, color_map, world_from_map
    )


def _of_photos(verdicts: Sequence[Verdict]) -> Float:
    """(N,) how much each view counts where its photo is drawn through the common map of colours: a bad edit says
    nothing against the photo, so that only those count nothing that a person dropped."""
    is_dropped = [verdict.is_overruled and verdict.decision == "dropped" for verdict in verdicts]
    return 1 - np.array(is_dropped, np.float32)


def _as_is(given: EditedViews, wishes: RepairWishes) -> Repaired:
    """An edit that is the same from all sides by construction: only looked at, at a small size."""
    small = _small(given, GLANCE)
    weights = np.ones(len(small.views), np.float32)
    neighbours = small.views.neighbours(NEIGHBOURS)
    common = _consensus(small.edited, small, weights, neighbours)
    found = strengths(small.originals, small.edited, common).found
    verdicts = _judged(small, common, common, found, wishes)
    kept = np.array([verdict.weight for verdict in verdicts], np.float32)
    return Repaired(given.edited, verdicts, kept, choose_route(0.0, 0.0, "world", given.masks is not None))


def strengthen(originals: Float, pictures: Float, factor: float) -> Float:
    """The same change, so many times as strong."""
    return np.clip(originals + np.float32(factor) * (pictures - originals), 0, 1).astype(np.float32)


def _agree(
    given: EditedViews, weights: Float, neighbours: NDArray[np.int64], stiffness: Stiffness | None = None
) -> _Agreement:
    small = _small(given, LONGEST)
    told: Harmonised = harmonise(small.edited, small.originals, small.views, weights, neighbours)
    found = strengths(small.originals, small.edited, told.pictures)
    factor = common_strength(found, weights)
    edit_field = fit_edit_field(
        given.originals, given.edited, given.views, weights, masks=given.masks, stiffness=stiffness
    )
    edit_field = edit_field.strengthened(common_strength(edit_field.strengths, weights))
    mapped = np.stack([edit_field.apply(o, small.views, i) for i, o in enumerate(small.originals)])
    common = strengthen(small.originals, told.pictures, factor)
    mapped = _mixed_in(mapped, small)
    return _Agreement(small, common, mapped, edit_field, found.found, factor)


def _consensus(pictures: Float, given: EditedViews, weights: Float, neighbours: NDArray[np.int64]) -> Float:
    """(N, H, W, 3) what all views say together about each view's pixels."""
    every = range(len(given.views))
    return np.stack([consensus_of(i, pictures, given.views, weights, neighbours)[0] for i in every])


def _foretold(
    pictures: Float, given: EditedViews, weights: Float, neighbours: NDArray[np.int64]
) -> tuple[Float, NDArray[np.bool_]]:
    """(N, H, W, 3) what the others say together about each view's pixels, and (N, H, W) where enough of them do, for
    some views that count."""
    found, is_foretold = pictures.copy(), np.zeros(pictures.shape[:3], bool)
    able = np.flatnonzero(weights > 0)
    for i in able[:: -(-len(able) // MOST_FORETOLD) or 1]:
        others = weights.copy()
        others[i] = 0
        found[i], votes = consensus_of(int(i), pictures, given.views, others, neighbours)
        is_foretold[i] = votes >= FEWEST_VOTES
    return found, is_foretold


def _small(given: EditedViews, longest: int) -> EditedViews:
    views = given.views.within(longest)
    masks = (
        None
        if given.masks is None
        else scaled(given.masks[..., None], views.size).reshape(views.depths.shape)
    )
    return EditedViews(
        given.names, scaled(given.originals, views.size), scaled(given.edited, views.size), views,
        given.consistency, masks,
    )  # fmt: skip


def _within_masks(pictures: Float, given: EditedViews) -> Float:
    """The pictures where the edit is wanted, the originals where not at all."""
    return (
        pictures if given.masks is None else np.where(given.masks[..., None] > 0, pictures, given.originals)
    )


def _mixed_in(pictures: Float, given: EditedViews) -> Float:
    """The pictures by how much the edit is wanted, over the originals."""
    if given.masks is None:
        return pictures
    mixed = given.originals + given.masks[..., None] * (pictures - given.originals)
    return _within_masks(mixed.astype(np.float32), given)


def _judged(
    small: EditedViews, common: Float, mapped: Float, found: Float, wishes: RepairWishes
) -> tuple[Verdict, ...]:
    verdicts = judge(
        small.originals,
        small.edited,
        common,
        mapped,
        found,
        small.views,
        small.names,
        wishes.keep,
        wishes.drop,
    )
    if wishes.filters and small.consistency != "world":
        return verdicts
    return overruled([_undecided(verdict) for verdict in verdicts], small.names, wishes.keep, wishes.drop)


def _undecided(verdict: Verdict) -> Verdict:
    return replace(verdict, decision="kept", weight=1.0, reason="")


def _route(
    given: EditedViews, agreement: _Agreement, weights: Float, neighbours: NDArray[np.int64], wishes: RepairWishes
) -> Route:  # fmt: skip
    small, common, mapped = agreement.small, agreement.common, agreement.mapped
    share = unexplained_share(small.originals, common, mapped)
    blended, is_foretold = _foretold(common, small, weights, neighbours)
    by_map, _ = _foretold(mapped, small, weights, neighbours)
    missed = missed_share(common, blended, by_map, is_foretold)
    if wishes.route == "auto":
        return choose_route(share, missed, given.consistency, given.masks is not None)
    way: Literal["color", "blend"] = "color" if wishes.route == "color" else "blend"
    return Route(way, share, "You chose it.", missed)


def names_unknown(names: Sequence[str], wanted: Collection[str]) -> list[str]:
    """Of the wanted names those that no view has."""
    return sorted(set(wanted) - set(names))
