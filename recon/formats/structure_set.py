"""DICOM RTSTRUCT: contours in millimetres, each on the plane through its own points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.reading import Note, Reading, ReadOptions
from recon.formats.rings import DrawnPlane, Ring, to_sections
from render.frame import Frame

Points = NDArray[np.float64]

_SAME_PLANE = 0.02  # mm, at most: decimal strings and oblique axes leave 1e-3
_SAME_PLANE_SHARE = 1e-4  # of the drawing's diagonal, at most: small animals have thin slices
_FLAT = 2e-3  # of the contour's size: how far from flat a contour may be and still take a known direction
_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "")
_OPEN = ("OPEN_PLANAR",)
_LPS_TO_RAS = np.array([-1.0, -1, 1])


@dataclass
class _FittedPlane:
    """A plane with the contours found on it."""

    normal: Points
    offset: float
    rings: list[Ring] = field(default_factory=list)


def to_reading(path: Path, dataset: Any, options: ReadOptions) -> Reading:
    """Cross-sections of a structure set; each region of interest is a label of its name."""
    labels = _labels(dataset)
    names = _names(dataset, labels)
    rings, notes = _rings(path, dataset, labels, names)
    if not rings:
        raise FormatError(path, "The structure set has no closed contour.", "Export it with its contours.")
    drawn = {ring.label for ring in rings}
    names = {label: name for label, name in names.items() if label in drawn}
    if options.patient_axes == "RAS":
        rings = [Ring(ring.points * _LPS_TO_RAS, ring.label, is_open=ring.is_open) for ring in rings]
    notes.append(
        Note(
            "info", f"DICOM is in LPS millimetres; the contours are given in {options.patient_axes or 'LPS'}."
        )
    )
    planes = [
        DrawnPlane(plane.normal, plane.offset, tuple(plane.rings), number)
        for number, plane in enumerate(_sorted(_fit_planes(rings)), 1)
    ]
    frame = Frame(options.up or "+Z", "mm", options.patient_axes or "LPS")
    return to_sections(path, planes, options, label_names=names, frame=frame, notes=notes)


def _labels(dataset: Any) -> dict[int, int]:
    """ROI number → label: the same, or counted from 1 where a region has number 0 or less."""
    numbers = [int(item.ROINumber) for item in dataset.get("StructureSetROISequence") or ()]
    numbers += [int(item.ReferencedROINumber) for item in dataset.get("ROIContourSequence") or ()]
    numbers = list(dict.fromkeys(numbers))
    return (
        {n: n for n in numbers} if min(numbers, default=1) > 0 else {n: i for i, n in enumerate(numbers, 1)}
    )


def _names(dataset: Any, labels: dict[int, int]) -> dict[int, str]:
    """Label → the region's name."""
    items = dataset.get("StructureSetROISequence") or ()
    return {labels[int(i.ROINumber)]: str(i.get("ROIName", "")) or f"ROI {i.ROINumber}" for i in items}


def _rings(
    path: Path, dataset: Any, labels: dict[int, int], names: dict[int, str]
) -> tuple[list[Ring], list[Note]]:
    """Every contour that encloses something, and how many things were none."""
    rings: list[Ring] = []
    left_out = 0
    for region in dataset.get("ROIContourSequence") or ():
        label = labels[int(region.ReferencedROINumber)]
        for item in region.get("ContourSequence") or ():
            kind = str(item.get("ContourGeometricType", "")).strip()
            points = _points(path, item, names.get(label, str(label)))
            if kind in (*_CLOSED, *_OPEN) and _spreads(points):
                rings.append(Ring(points, label, is_open=kind in _OPEN))
            else:
                left_out += 1
    text = f"{left_out} points or lines that are no contours were left out."
    return rings, [Note("info", text)] if left_out else []


def _spreads(points: Points) -> bool:
    """Whether points spread in two directions: a point or a line has no plane of its own."""
    centred = points - points.mean(0) if len(points) else points
    return len(points) > 2 and bool(np.linalg.eigvalsh(centred.T @ centred)[1] > 1e-10 * (centred**2).sum())


def _points(path: Path, item: Any, name: str) -> Points:
    values = np.array([float(value) for value in _decimals(item)])
    if len(values) % 3 or not np.isfinite(values).all():
        sentence = f"A contour of “{name}” has coordinates that are not triples of numbers."
        raise FormatError(path, sentence, "Export the structure set again.")
    return values.reshape(-1, 3)


def _decimals(item: Any) -> Sequence[Any]:
    """ContourData as it stands in the file: pydicom's own numbers take three times as long."""
    if "ContourData" not in item:
        return ()
    raw = item.get_item("ContourData").value
    if not isinstance(raw, bytes):
        return item.ContourData or ()
    return [text for text in raw.decode("ascii").strip(" \0").split("\\") if text.strip()]


def _fit_planes(rings: list[Ring]) -> list[_FittedPlane]:
    """Group contours by plane. Large contours first: small ones cannot tell their direction by themselves."""
    planes: list[_FittedPlane] = []
    everything = np.concatenate([ring.points for ring in rings])
    near = min(_SAME_PLANE, _SAME_PLANE_SHARE * float(np.linalg.norm(np.ptp(everything, axis=0))))
    directions: list[Points] = [np.array([0, 0, 1.0]), np.array([0, 1.0, 0]), np.array([1.0, 0, 0])]
    for ring in sorted(rings, key=_size, reverse=True):
        plane = _nearest(planes, ring.points, near)
        if plane is None:
            normal = _direction(directions, ring.points, near)
            plane = _FittedPlane(normal, float(np.median(ring.points @ normal)))
            planes.append(plane)
        plane.rings.append(ring)
    return planes


def _size(ring: Ring) -> float:
    return float(np.linalg.norm(np.ptp(ring.points, axis=0)))


def _nearest(planes: list[_FittedPlane], points: Points, near: float) -> _FittedPlane | None:
    """The known plane that the contour lies on, if any."""
    if not planes:
        return None
    normals = np.array([plane.normal for plane in planes])
    off = np.abs(points @ normals.T - [plane.offset for plane in planes]).max(axis=0)
    nearest = int(off.argmin())
    return planes[nearest] if off[nearest] <= near else None


def _direction(directions: list[Points], points: Points, near: float) -> Points:
    """A known direction that the contour is flat along, else that of least spread, which becomes known."""
    size = float(np.linalg.norm(np.ptp(points, axis=0)))
    for known in directions:
        if np.ptp(points @ known) <= min(near, _FLAT * size):
            return known
    centred = points - points.mean(0)
    normal: Points = np.linalg.eigh(centred.T @ centred)[1][:, 0]
    normal = normal * np.sign(normal[np.abs(normal).argmax()])
    # The newest first: a tilted set's own direction is a better guess than the axes.
    directions.insert(0, normal)
    return normal


def _sorted(planes: list[_FittedPlane]) -> list[_FittedPlane]:
    """Parallel planes together, each set by height."""
    return sorted(planes, key=lambda plane: (tuple(np.round(plane.normal, 3).tolist()), plane.offset))
