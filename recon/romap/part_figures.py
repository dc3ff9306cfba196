"""What finding parts reports: counts, agreement with the masks, which views confuse what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recon.romap.lifting import PartLabels
from recon.romap.view_votes import ViewVotes

_CONFUSED = 0.5  # share of a part's pixels that a view calls another one
_DOUBTFUL = 0.6  # agreement below which a view is named


def part_figures(
    labels: PartLabels, votes: Sequence[ViewVotes], part_ids: Sequence[int], view_names: Sequence[str]
) -> dict[str, Any]:
    """Figures as JSON values; "notes" are sentences."""
    indices = labels.indices
    counts = {str(number): int((indices == i).sum()) for i, number in enumerate(part_ids)}
    figures: dict[str, Any] = {
        "gaussians": len(indices),
        "parts": len(part_ids),
        "without_part": int((indices < 0).sum()),
        "mean_confidence": float(labels.confidence.mean()),
        "masks_miou": masks_miou(indices, votes),
        "views": len({each.view for each in votes}),
        "gaussians_of_part": counts,
    }
    notes = [f"Part {number} got no splat." for number, count in counts.items() if not count]
    if labels.agreement is not None and labels.confusions is not None:
        figures["agreement_of_view"] = {
            view_names[each.view]: round(float(share), 4)
            for each, share in zip(votes, labels.agreement, strict=True)
        }
        notes += _doubtful(figures["agreement_of_view"]) + _swaps(labels, votes, part_ids, view_names)
    return {**figures, "notes": notes}


def masks_miou(indices: Any, votes: Sequence[ViewVotes]) -> float:
    """Mean IoU, over parts, of found parts and masks, each pixel counted by who shows in it."""
    num_parts = votes[0].counts.shape[1]
    both, found, masked = np.zeros(num_parts), np.zeros(num_parts), np.zeros(num_parts)
    for each in votes:
        own = indices[each.rows]
        is_in = own >= 0
        np.add.at(both, own[is_in], each.counts[is_in, own[is_in]])
        np.add.at(found, own[is_in], each.totals[is_in])
        masked += each.counts.sum(0)
    either = found + masked - both
    is_there = either > 0
    return float((both[is_there] / either[is_there]).mean()) if is_there.any() else 0.0


def _doubtful(agreement: dict[str, float]) -> list[str]:
    names = [name for name, share in agreement.items() if share < _DOUBTFUL]
    if not names:
        return []
    return [f"{len(names)} of {len(agreement)} masks disagree with the rest: {', '.join(names)}."]


def _swaps(
    labels: PartLabels, votes: Sequence[ViewVotes], part_ids: Sequence[int], view_names: Sequence[str]
) -> list[str]:
    """One sentence for each pair of parts that views take for each other."""
    assert labels.confusions is not None
    notes = []
    for p in range(len(part_ids)):
        for q in range(p):
            is_swapped = (labels.confusions[:, p, q] > _CONFUSED) & (labels.confusions[:, q, p] > _CONFUSED)
            names = [
                view_names[each.view] for each, swapped in zip(votes, is_swapped, strict=True) if swapped
            ]
            if names:
                notes.append(
                    f"Parts {part_ids[q]} and {part_ids[p]} are taken for each other in {', '.join(names)}."
                )
    return notes
