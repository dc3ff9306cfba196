"""What the tools of the splat panel do to one layer, as a preview and for good; called off the window's thread."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.data_words import number
from app.splat_changes import graph_of
from app.splat_edits import Splats
from app.splat_selection import middle_of, moved
from recon.errors import InputError
from recon.gaussian_cleaning import FloaterLimits, floaters, outside_box
from recon.gaussian_colors import ColorChange, adjustment, tint
from recon.gaussian_decimation import decimated
from recon.gaussian_edits import (
    about_pivot,
    recolored,
    transformed,
    with_opacity_scaled,
    with_sh_degree,
    with_sizes_scaled,
)
from recon.gaussian_neighbours import NeighbourGraph
from recon.gaussian_selection import Mask
from render.gaussians import GaussianCloud, without_deleted
from render.transforms import Similarity3

Values = Mapping[str, Any]
NO_GRAPH = NeighbourGraph(np.zeros((0, 0), np.int32), np.zeros((0, 0), np.float32))


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a tool makes of a layer. count: the Gaussians that it concerns. cloud: other splats. found: (N,) those
    that go. note: what to say of a preview, "" for the usual sentence."""

    count: int
    cloud: GaussianCloud | None = None
    found: Mask | None = None
    note: str = ""


Step = Callable[[Splats, Sequence[Splats], Values], Outcome]


@dataclass(frozen=True)
class PanelEdit:
    """A tool by its words and what it does: for show, and for good."""

    title: str
    verb: str
    preview: Step
    apply: Step


def chosen_of(splats: Splats, given: Sequence[Splats]) -> Mask:
    """What an edit changes: the selection, or, when nothing is selected in any layer, all that is not locked."""
    if any(each.marks.selected.any() for each in given):
        return splats.marks.selected
    return splats.marks.is_selectable


def similarity(values: Values, pivot: NDArray[np.float64]) -> Similarity3:
    """The transform of typed numbers: turn about X, then Y, then Z, and scale, about a pivot; then move."""
    x, y, z = (math.radians(angle) for angle in values["rotate"])
    turn = _turn(2, z) @ _turn(1, y) @ _turn(0, x)
    return about_pivot(turn, values["scale"], values["move"], pivot)


def _turn(axis: int, angle: float) -> NDArray[np.float64]:
    """(3, 3) turn about a coordinate axis."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = math.cos(angle)
    matrix[second, first] = math.sin(angle)
    matrix[first, second] = -math.sin(angle)
    return matrix


def pivot_of(given: Sequence[Splats]) -> NDArray[np.float64]:
    """(3,) the middle of what would change in all layers."""
    middles = [
        (middle_of(s.cloud, chosen_of(s, given)), np.count_nonzero(chosen_of(s, given))) for s in given
    ]
    found = [(middle, count) for middle, count in middles if middle is not None]
    if not found:
        return np.zeros(3)
    return np.average([middle for middle, _ in found], axis=0, weights=[count for _, count in found])


# --- the tools -------------------------------------------------------------------------------------------


def _floaters(splats: Splats, given: Sequence[Splats], values: Values) -> Outcome:
    limits = FloaterLimits(values["isolation"], values["min_opacity"], values["max_size"])
    graph = graph_of(splats.cloud) if limits.isolation is not None else NO_GRAPH
    found = floaters(splats.cloud, graph, limits) & splats.marks.is_selectable
    return Outcome(int(np.count_nonzero(found)), found=found)


def _crop(splats: Splats, given: Sequence[Splats], values: Values) -> Outcome:
    box = np.eye(4)
    box[:3, :3] = np.diag(np.maximum(np.asarray(values["size"], np.float64), 1e-9) / 2)
    box[:3, 3] = values["center"]
    found = outside_box(splats.cloud, box) & splats.marks.is_selectable
    return Outcome(int(np.count_nonzero(found)), found=found)


def _move_for_show(splats: Splats, given: Sequence[Splats], values: Values) -> Outcome:
    chosen = chosen_of(splats, given)
    return Outcome(
        int(np.count_nonzero(chosen)), moved(splats.cloud, chosen, similarity(values, pivot_of(given)))
    )


def _move(splats: Splats, given: Sequence[Splats], values: Values) -> Outcome:
    chosen = chosen_of(splats, given)
    motion = similarity(values, pivot_of(given))
    cloud = splats.cloud
    moved_for_good = (
        cloud.transformed(motion, cloud.frame) if chosen.all() else transformed(cloud, chosen, motion)
    )
    return Outcome(int(np.count_nonzero(chosen)), moved_for_good)


def _recolor(splats: Splats, given: Sequence[Splats], values: Values) -> Outcome:
    chosen, cloud = chosen_of(splats, given), splats.cloud
    change = _color_change(values)
    if change is not None:
        cloud = recolored(cloud, chosen, change)
    if values["opacity"] != 1:
        cloud = with_opacity_scaled(cloud, chosen, values["opacity"])
    if values["size"] != 1:
        cloud = with_sizes_scaled(cloud, chosen, values["size"])
    return Outcome(int(np.count_nonzero(chosen)), cloud)


def _color_change(values: Values) -> ColorChange | None:
    """The change of colour that the sliders mean, or None where they change nothing."""
    plain = (values["hue"], values["saturation"], values["brightness"], values["contrast"])
    change = adjustment(*plain) if plain != (0, 1, 1, 1) else None
    if not values["strength"]:
        return change
    toward = tint(_rgb(values["tint"]), values["strength"])
    return toward if change is None else toward @ change


def _rgb(code: str) -> NDArray[np.float64]:
    """(3,) within 0 and 1 of "#rrggbb"."""
    digits = code.strip().lstrip("#")
    try:
        return np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    except ValueError as error:
        raise InputError(f"“{code}” is no colour.", "Write it as #rrggbb, for example #f0883e.") from error


def _decimate(splats: Splats, given: Sequence[Splats], values: Values) -> Outcome:
    """The layers share the number of Gaussians that is to be left."""
    left = {each.id: int(np.count_nonzero(~each.marks.deleted)) for each in given}
    share = min(1.0, values["target"] / max(1, sum(left.values())))
    kept = without_deleted(splats.cloud, splats.marks)
    cloud = decimated(kept, max(1, round(share * left[splats.id]))) if len(kept) else kept
    note = f"{number(sum(left.values()))} → {number(min(int(values['target']), sum(left.values())))} splats."
    return Outcome(len(kept) - len(cloud), cloud, note=note)


def _degree(splats: Splats, given: Sequence[Splats], values: Values) -> Outcome:
    degree = min(int(values["degree"]), splats.cloud.sh_degree)
    cloud = with_sh_degree(splats.cloud, degree)
    note = f"SH degree {splats.cloud.sh_degree} → {degree}, {_megabytes(splats.cloud)} → {_megabytes(cloud)}."
    return Outcome(len(cloud), cloud, note=note)


def _megabytes(cloud: GaussianCloud) -> str:
    return f"{cloud.num_bytes / 1e6:.1f} MB"


EDITS: Mapping[str, PanelEdit] = {
    "floaters": PanelEdit("Clean floaters", "Delete", _floaters, _floaters),
    "crop": PanelEdit("Crop to box", "Crop away", _crop, _crop),
    "transform": PanelEdit("Transform", "Transform", _move_for_show, _move),
    "recolor": PanelEdit("Recolour", "Recolour", _recolor, _recolor),
    "decimate": PanelEdit("Fewer splats", "Leave out", _decimate, _decimate),
    "degree": PanelEdit("Less colour detail", "Reduce the colours of", _degree, _degree),
}
