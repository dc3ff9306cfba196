"""What every reader and writer of a mesh format shares: the mesh as the file has it, and small parsing steps."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, get_args

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.reading import Note
from render.frame import Axis, PatientAxes, Unit

DAMAGED_ADVICE = "Copy or export the file again."


@dataclass(frozen=True, eq=False)
class FileMesh:
    """The mesh of a file, in the file's own numbers, and what the file says about them; None where it is silent.

    vertices: (V, 3). faces: (F, 3) int64 into vertices. colors: (V, 3) uint8 sRGB. values: (V,) each.
    normals: (V, 3) float32 unit length, used for writing only.
    """

    vertices: NDArray[np.floating]
    faces: NDArray[np.int64]
    colors: NDArray[np.uint8] | None = None
    values: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    normals: NDArray[np.float32] | None = None
    unit: Unit | None = None
    up: Axis | None = None
    patient_axes: PatientAxes | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class FrameWords:
    """What a comment line says about a file's numbers."""

    unit: Unit | None = None
    up: Axis | None = None
    patient_axes: PatientAxes | None = None


def frame_comments(unit: Unit, up: Axis, patient_axes: PatientAxes | None) -> list[str]:
    """The comment lines that a file of ours carries; SPACE= is what 3D Slicer reads and writes."""
    words = f"isokiln unit={unit} up={up}"
    return [words] if patient_axes is None else [words, f"SPACE={patient_axes}"]


def read_frame_comments(text: str) -> FrameWords:
    """Find our words, or 3D Slicer's SPACE=, in a file's comments; what is not among the known values is ignored."""
    unit = _word(text, r"\bisokiln\b.*?\bunit=(\w+)", get_args(Unit))
    up = _word(text, r"\bisokiln\b.*?\bup=([+-][XYZ])", get_args(Axis))
    space = _word(text, r"\bSPACE=(LPS|RAS)\b", get_args(PatientAxes))
    # Slicer's files are in millimetres; ours say their unit.
    return FrameWords(unit or ("mm" if space else None), up, space)  # type: ignore[arg-type]


def _word(text: str, pattern: str, allowed: tuple[str, ...]) -> str | None:
    found = re.search(pattern, text)
    return found[1] if found and found[1] in allowed else None


def parse_numbers(text: bytes, path: Path, dtype: type[np.generic] = np.float64) -> NDArray[np.generic]:
    """All numbers of a text, separated by any white space. Raises FormatError at the first that is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.fromstring(text, dtype, sep=" ") if text.strip() else np.zeros(0, dtype)
        except (ValueError, DeprecationWarning) as error:
            raise FormatError(
                path,
                "The file holds something else where numbers are expected.",
                DAMAGED_ADVICE,
                details=str(error),
            ) from error


def fan_triangles(corners: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Split polygons, given one after another as corners (N,) with sizes (P,) each, into triangles (F, 3).

    Every triangle starts at its polygon's first corner; polygons of fewer than three corners vanish.
    """
    if (sizes == 3).all():
        return corners.reshape(-1, 3)
    starts = np.cumsum(sizes) - sizes
    num_triangles = np.maximum(sizes - 2, 0)
    first = np.repeat(starts, num_triangles)
    step = np.arange(len(first)) - np.repeat(np.cumsum(num_triangles) - num_triangles, num_triangles)
    return np.stack([corners[first], corners[first + step + 1], corners[first + step + 2]], axis=1)


def truncated(path: Path, what: str) -> FormatError:
    """The error for a file that ends too early."""
    return FormatError(path, f"The file ends in the middle of its {what}.", DAMAGED_ADVICE)


def write_rows(file: IO[bytes], pattern: str, rows: NDArray[np.generic]) -> None:
    """Each row of (N, K) by the pattern; block by block, so that the text never stands in memory whole."""
    for start in range(0, len(rows), 2**16):
        block = rows[start : start + 2**16]
        file.write((pattern * len(block) % tuple(block.ravel().tolist())).encode("ascii"))
