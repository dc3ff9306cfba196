"""Why images were not placed, in a person's words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from recon.errors import InputError
from recon.poses.database import MatchDatabase

FEW_FEATURES = 50  # an image with fewer is hardly ever placed


def why_not_placed(
    database: MatchDatabase, images: Sequence[int], groups: Sequence[frozenset[int]], chosen: int
) -> dict[int, tuple[str, str]]:
    """Image index → kind of reason, and the reason with its numbers, for every image outside the chosen group.

    groups: the images of each model. chosen: index of the one that was taken.
    """
    placed = groups[chosen] if groups else frozenset()
    partners = _partners(database)
    reasons = {}
    for image in images:
        if image in placed:
            continue
        count, own = database.num_features(image), partners.get(image, {})
        linked = {other: number for other, number in own.items() if other in placed}
        elsewhere = next((i + 1 for i, group in enumerate(groups) if image in group), None)
        if elsewhere is not None:
            reasons[image] = (
                "in another group",
                f"placed in group {elsewhere}, which could not be joined to this one",
            )
        elif count < FEW_FEATURES:
            reasons[image] = "too few features", f"only {count} features: too little texture, or blurred"
        elif not own:
            reasons[image] = "matches no image", f"none of its {count} features agree with another image"
        elif not linked:
            reasons[image] = "no link", f"matches {len(own)} images, none of which was placed"
        else:
            total = sum(linked.values())
            reasons[image] = (
                "not placed",
                f"{total} matches with {len(linked)} placed images were not enough to find where it was taken",
            )
    return reasons


def nothing_placed(database: MatchDatabase, images: Sequence[int], num_skipped: int) -> InputError:
    """What to say where no two images could be placed, and what to do about it."""
    counts = Counter(kind for kind, _ in why_not_placed(database, images, (), 0).values())
    few, alone = counts["too few features"], counts["matches no image"]
    parts = [
        f"{few} of {len(images)} have too few features" if few else "",
        f"{alone} match no other image" if alone else "",
        f"{num_skipped} could not be read" if num_skipped else "",
    ]
    told = "; ".join(part for part in parts if part)
    sentence = "No camera could be placed" + (f": {told}." if told else ".")
    if few * 2 >= len(images):
        advice = "Take sharp photos of surfaces with texture: posters, carpets, things on tables help."
    elif alone * 2 >= len(images):
        advice = "Take more photos, so that each shows at least half of what the one before shows."
    else:
        advice = "Walk sideways between photos instead of turning on the spot, with at least half of each in the next."
    return InputError(sentence, advice)


def summary(reasons: Mapping[int, tuple[str, str]]) -> str:
    """E.g. "12 match no image, 3 too few features"."""
    counts = Counter(kind for kind, _ in reasons.values())
    return ", ".join(f"{number} {kind}" for kind, number in counts.most_common())


def _partners(database: MatchDatabase) -> dict[int, dict[int, int]]:
    """Image → the images it matches, with the number of matches."""
    partners: dict[int, dict[int, int]] = {}
    for (a, b), number in database.verified_pairs().items():
        partners.setdefault(a, {})[b] = number
        partners.setdefault(b, {})[a] = number
    return partners


def rows_of(reasons: Mapping[int, tuple[str, str]], names: Sequence[str]) -> list[dict[str, Any]]:
    """The reasons as the figures tell them."""
    return [{"image": names[i], "reason": kind, "why": text} for i, (kind, text) in sorted(reasons.items())]
