"""DICOM SEG: each frame lies where it says it lies; frames at one place are one plane."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.reading import Note, Reading, ReadOptions
from recon.formats.tracing import (
    Grid,
    Outline,
    TracedSlice,
    check_voxels,
    sections_of,
    trace_labels,
    trace_level,
    trace_mask,
)
from render.frame import Frame

Points = NDArray[np.float64]

_SAME_PLACE = 0.01  # mm
_ADVICE = "Export it again from the program that made it."


@dataclass
class _Place:
    """Frames of several segments at one position."""

    grid: Grid
    outlines: list[Outline] = field(default_factory=list)


def to_reading(path: Path, dataset: Any, options: ReadOptions) -> Reading:
    """Cross-sections of a segmentation; each segment is a label of its name."""
    pixels = _pixels(path, dataset)
    segments = [item for item in dataset.get("SegmentSequence") or () if int(item.SegmentNumber) > 0]
    names = {int(item.SegmentNumber): str(item.get("SegmentLabel", "")) for item in segments}
    places = _places(path, dataset, pixels, options)
    slices = [TracedSlice(place.grid, place.outlines, i + 1) for i, place in enumerate(places)]
    axes = options.patient_axes or "LPS"
    notes = [Note("info", f"DICOM is in LPS millimetres; the contours are given in {axes}.")]
    frame = Frame(options.up or "+Z", "mm", axes)
    return sections_of(path, slices, options, frame=frame, label_names=names, notes=notes)


def _pixels(path: Path, dataset: Any) -> NDArray[Any]:
    """(F, H, W)"""
    shape = tuple(int(dataset.get(name) or 1) for name in ("NumberOfFrames", "Rows", "Columns"))
    check_voxels(
        path, int(np.prod(shape, dtype=object)), 1 if int(dataset.get("BitsAllocated", 8)) <= 8 else 2
    )
    if "PixelData" not in dataset:
        raise FormatError(path, "The segmentation has no pixels.", _ADVICE)
    pixels: NDArray[Any] = np.asarray(dataset.pixel_array).reshape(shape)
    return pixels


def _places(path: Path, dataset: Any, pixels: NDArray[Any], options: ReadOptions) -> list[_Place]:
    """The frames' contours by position, in order along the slices' direction."""
    frames = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    if len(frames) != len(pixels):
        sentence = f"The segmentation has {len(pixels)} frames and positions of {len(frames)}."
        raise FormatError(path, sentence, _ADVICE)
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [None])[0]
    places: dict[tuple[int, ...], _Place] = {}
    for frame, values in zip(frames, pixels, strict=True):
        grid = _grid(path, shared, frame, options)
        key = tuple(
            np.round(np.concatenate([grid.origin, grid.row_step, grid.column_step]) / _SAME_PLACE).astype(int)
        )
        place = places.setdefault(key, _Place(grid))
        place.outlines += _outlines(path, dataset, shared, frame, values, options)
    return sorted(places.values(), key=lambda place: _height(place.grid))


def _height(grid: Grid) -> float:
    return float(np.cross(grid.column_step, grid.row_step) @ grid.origin)


def _grid(path: Path, shared: Any, frame: Any, options: ReadOptions) -> Grid:
    """Where a frame's pixels lie; PixelSpacing is rows first, orientation columns first."""
    position = _group(path, shared, frame, "PlanePositionSequence").ImagePositionPatient
    orientation = _group(path, shared, frame, "PlaneOrientationSequence").ImageOrientationPatient
    spacing = _group(path, shared, frame, "PixelMeasuresSequence").PixelSpacing
    origin, turn = np.array(position, float), np.array(orientation, float).reshape(2, 3)
    row_spacing, column_spacing = (float(value) for value in spacing)
    signs = np.array([-1.0, -1, 1]) if options.patient_axes == "RAS" else np.ones(3)
    grid = Grid(origin * signs, turn[1] * row_spacing * signs, turn[0] * column_spacing * signs)
    area = float(np.linalg.norm(np.cross(grid.column_step, grid.row_step)))
    if not (np.isfinite(origin).all() and 0 < area < np.inf):
        raise FormatError(path, "A frame's position or spacing is no usable number.", _ADVICE)
    return grid


def _group(path: Path, shared: Any, frame: Any, name: str) -> Any:
    """A frame's own functional group, else the one shared by all."""
    for holder in (frame, shared):
        items = holder.get(name) if holder is not None else None
        if items:
            return items[0]
    raise FormatError(path, f"The segmentation lacks the {name} of its frames.", _ADVICE)


def _outlines(
    path: Path, dataset: Any, shared: Any, frame: Any, values: NDArray[Any], options: ReadOptions
) -> list[Outline]:
    kind = str(dataset.get("SegmentationType", "BINARY"))
    if kind == "LABELMAP":
        return trace_labels(values, options.labels)
    label = int(_group(path, shared, frame, "SegmentIdentificationSequence").ReferencedSegmentNumber)
    if label < 1:
        raise FormatError(path, f"A segment has the number {label}; labels start at 1.", _ADVICE)
    if options.labels is not None and label not in options.labels:
        return []
    if kind == "FRACTIONAL":
        half = float(dataset.get("MaximumFractionalValue", 255)) / 2
        level = half if options.threshold is None else options.threshold
        return [(ring, label) for ring in trace_level(values, level)]
    return [(ring, label) for ring in trace_mask(values != 0)]
