"""Careful reading of scene descriptions in JSON: whatever is not what it should be is a FormatError that names it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.camera_matrix import only_sane
from recon.formats.reading import check_size

_ADVICE = "Export the scene again from the program that made it."


def load_object(path: Path) -> dict[str, Any]:
    """A JSON file that holds one object. Raises FormatError."""
    check_size(path)
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise FormatError(path, "The file is no valid JSON.", _ADVICE, line, str(error)) from error
    if not isinstance(value, dict):
        raise FormatError(path, "The file holds no JSON object.", _ADVICE)
    return value


def frames_of(path: Path, value: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The list `frames` of objects that name a picture under `key`."""
    frames = value.get("frames")
    if not isinstance(frames, list) or not all(isinstance(frame, dict) for frame in frames):
        raise FormatError(path, "The file has no list of frames.", _ADVICE)
    for number, frame in enumerate(frames, 1):
        if not isinstance(frame.get(key), str) or not frame[key] or "\0" in frame[key]:
            raise FormatError(path, f"Frame {number} has no {key}.", _ADVICE)
    return frames


def number(path: Path, value: Mapping[str, Any], key: str) -> float | None:
    """A finite number; None where the key is missing or null."""
    found = value.get(key)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, (int, float)) or abs(found) > 1e12 or found != found:
        raise FormatError(path, f"{key} is {str(found)[:40]!r}, not a number.", _ADVICE)
    return float(found)


def text(value: Mapping[str, Any], key: str) -> str | None:
    """A word that is not empty, else None."""
    found = value.get(key)
    return found if isinstance(found, str) and found and "\0" not in found else None


def pose_matrix(path: Path, value: Any, what: str) -> NDArray[np.float64]:
    """(4, 4) from 4 or 3 rows of 4 numbers; what is no number, such as null, "nan" or an infinite one, is NaN."""
    try:
        matrix = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(path, f"{what} is no matrix of numbers.", _ADVICE, details=str(error)) from error
    if matrix.shape == (16,):
        matrix = matrix.reshape(4, 4)
    if matrix.shape not in ((4, 4), (3, 4)):
        raise FormatError(path, f"{what} is no matrix of 4 × 4 numbers.", _ADVICE)
    return np.concatenate([only_sane(matrix[:3]), [[0.0, 0.0, 0.0, 1.0]]])


def picture_path(root: Path, name: str) -> Path:
    """Where a file named in a scene is, "/" or "\\" between its parts; the ending may be left out."""
    path = root / name.replace("\\", "/")
    try:
        if path.is_file():
            return path
        endings = (".png", ".jpg", ".jpeg", ".JPG", ".PNG", ".exr", ".webp")
        return next((each for end in endings if (each := path.with_name(path.name + end)).is_file()), path)
    except (OSError, ValueError):  # such as a name that is too long
        return path
