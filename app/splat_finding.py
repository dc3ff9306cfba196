"""What a tool's find means for the selection, and what clicks on a Gaussian find; off the window's thread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.splat_changes import gaussians, graph_of, num_selected, selection_change
from app.splat_edits import Change, Splats
from app.splat_selection import gaussian_at
from recon.gaussian_finding import connected, flooded, like_color
from recon.gaussian_projection import ScreenCamera
from recon.gaussian_selection import Mask, combined


def combined_change(given: Sequence[Splats], found: Sequence[Mask], mode: str) -> Change | str:
    marks = [combined(splats.marks, each, mode) for splats, each in zip(given, found, strict=True)]  # type: ignore[arg-type]
    selected = [each.selected for each in marks]
    count = sum(int(np.count_nonzero(each)) for each in selected)
    before = num_selected(given)
    words = {
        "add": f"Add {gaussians(count - before)} to the selection",
        "remove": f"Take {gaussians(before - count)} out of the selection",
        "intersect": f"Keep {gaussians(count)} of the selection",
    }
    return selection_change(given, selected, words.get(mode, ""))


def hit_at(
    given: Sequence[Splats], camera: ScreenCamera, at: tuple[float, float]
) -> tuple[Splats, int] | None:
    """The nearest of the Gaussians that are seen at a pixel."""
    hits = [(splats, gaussian_at(splats.cloud, splats.marks, camera, at)) for splats in given]
    seen = [(hit[1], splats, hit[0]) for splats, hit in hits if hit is not None]
    if not seen:
        return None
    _, splats, row = min(seen, key=lambda each: each[0])
    return splats, row


def found_from(
    tool: str, splats: Splats, owner: Splats, row: int, color: NDArray[np.float32], amount: float
) -> Mask:
    if tool == "eyedropper":
        return like_color(splats.cloud, color, amount)
    if splats is not owner:
        return np.zeros(len(splats.cloud), bool)
    graph, within = graph_of(splats.cloud), splats.marks.is_selectable
    if tool == "flood":
        return flooded(splats.cloud, row, graph, amount, within)
    return connected(splats.cloud, row, graph, amount, within)
