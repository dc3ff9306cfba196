"""Slices of pixels → contours, by marching squares between the pixels' centres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.reading import Note, Reading, ReadOptions
from render.cross_sections import CrossSections
from render.frame import Frame

Points = NDArray[np.float64]
Outline = tuple[Points, int]  # (M, 2) row and column of a closed contour, and its label

MOST_LABELS = 256
LARGEST_VOLUME = 2**31  # bytes


@dataclass(frozen=True)
class Grid:
    """Where pixels lie: the centre of pixel (row, column) is origin + row * row_step + column * column_step."""

    origin: Points
    row_step: Points
    column_step: Points

    def place(self, pixels: Points) -> Points:
        """(M, 2) rows and columns → (M, 3) world."""
        return self.origin + pixels[:, :1] * self.row_step + pixels[:, 1:] * self.column_step


@dataclass(frozen=True)
class TracedSlice:
    """The contours of one slice of pixels; number: as the person counts."""

    grid: Grid
    outlines: Sequence[Outline]
    number: int


def trace_labels(values: NDArray[Any], labels: Sequence[int] | None = None) -> list[Outline]:
    """Contours of every label in (H, W) whole numbers, half-way between its pixels and the others."""
    present = np.unique(values[values != 0])
    wanted = [label for label in present.tolist() if labels is None or label in labels]
    return [(points, int(label)) for label in wanted for points in trace_mask(values == label)]


def trace_mask(mask: NDArray[np.bool_]) -> list[Points]:
    """Closed contours around the True pixels of (H, W), corners only."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return []
    corner = np.array([rows[0], columns[0]], float)
    cropped = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return [_corners(ring) + corner for ring in _marching_squares(cropped.astype(np.float32), 0.5)]


def trace_level(values: NDArray[Any], threshold: float) -> list[Points]:
    """Closed contours around what lies above a threshold in (H, W) grey values, between pixels by interpolation."""
    above = values > threshold
    if not above.any():
        return []
    inside = values[above]
    if len(np.unique(values)) <= 2 and not above.all():
        return trace_mask(above)  # black and white: the wall lies half-way, whatever the threshold
    level = float(np.nextafter(threshold, np.inf))
    # Beyond the picture's edge is outside, as far below the threshold as the brightest is above.
    return _marching_squares(values.astype(np.float64), level, 2 * level - float(inside.max()) - 1e-9)


def _marching_squares(values: NDArray[Any], level: float, outside: float = 0.0) -> list[Points]:
    from skimage.measure import find_contours

    padded = np.pad(values, 1, constant_values=outside)
    return [ring[:-1] - 1 for ring in find_contours(padded, level) if len(ring) > 3]


def _corners(ring: Points) -> Points:
    """The ring without the points in the middle of straight runs."""
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    bend = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    corners: Points = ring[bend != 0]
    return corners


def sections_of(
    path: Path,
    slices: Sequence[TracedSlice],
    options: ReadOptions,
    *,
    frame: Frame,
    label_names: dict[int, str] | None = None,
    notes: Sequence[Note] = (),
) -> Reading:
    """Cross-sections of slices in order, leaving out or keeping as empty those without labels.

    Contours by marching squares neither touch nor cross and are even-odd already. Raises FormatError when
    there is no contour or a wanted label is missing.
    """
    _check_wanted_labels(path, slices, options)
    kept, about = _kept(slices, options)
    if not any(each.outlines for each in kept):
        raise FormatError(
            path, "No slice has a label.", "Check the threshold, the labels and the right file."
        )
    notes = [*notes, *about]
    if sum(bool(each.outlines) for each in kept) == 1:
        notes.append(Note("warning", "Only one slice has contours; a solid needs two or more."))
    planes = [_plane(each, kept[-1].grid.origin - kept[0].grid.origin) for each in kept]
    data = CrossSections.from_planes(planes, label_names=label_names, frame=frame)
    return Reading(data, tuple(notes))


def _check_wanted_labels(path: Path, slices: Sequence[TracedSlice], options: ReadOptions) -> None:
    present = {label for each in slices for _, label in each.outlines}
    missing = sorted(set(options.labels or ()) - present)
    if missing:
        raise FormatError(
            path, f"No slice has the label {missing[0]}.", "Choose a label that the file has, or all of them."
        )


def _kept(slices: Sequence[TracedSlice], options: ReadOptions) -> tuple[list[TracedSlice], list[Note]]:
    """Slices that become planes: labelled ones, or also the bare ones between and just beyond them."""
    labelled = [i for i, each in enumerate(slices) if each.outlines]
    if not labelled:
        return [], []
    first, last = labelled[0], labelled[-1]
    bare = last - first + 1 - len(labelled)
    if options.unlabelled_slices == "empty":
        return list(slices[max(0, first - 1) : last + 2]), []
    if not bare:
        return [slices[i] for i in labelled], []
    sentence = f"{bare} of {last - first + 1} slices have no label and were taken as not annotated."
    return [slices[i] for i in labelled], [Note("info", sentence)]


def _plane(traced: TracedSlice, forward: Points) -> tuple[Points, float, list[Outline]]:
    """The slice's plane, its normal pointing on to the next slice."""
    grid = traced.grid
    normal = np.cross(grid.column_step, grid.row_step)
    normal /= np.linalg.norm(normal) * (-1 if normal @ forward < 0 else 1)
    loops = [(grid.place(points), label) for points, label in traced.outlines]
    return normal, float(normal @ grid.origin), loops


def check_voxels(path: Path, num_voxels: int, bytes_each: int) -> None:
    """Refuse volumes that do not fit into memory, before anything is allocated."""
    if num_voxels * bytes_each > LARGEST_VOLUME:
        gigabytes = num_voxels * bytes_each / 2**30
        sentence = f"The volume has {num_voxels:,} voxels ({gigabytes:,.1f} GiB); at most {LARGEST_VOLUME >> 30} GiB can be read."
        raise FormatError(path, sentence, "Crop it, or save it with one byte for each voxel.")
