"""Whether a MetaImage header is sound: ITK's parser writes past its arrays for some that are not, and dies."""

from __future__ import annotations

import math
from pathlib import Path

from recon.errors import FormatError

_ADVICE = "Save it again from the program that made it."
_LONGEST_HEADER = 2**16  # bytes
_LONGEST_VALUE = 1000
# How many numbers each key has, by the number of dimensions; words and single numbers need no check.
_COUNTS = {
    "DimSize": lambda n: n,
    "ElementSpacing": lambda n: n,
    "ElementSize": lambda n: n,
    "Offset": lambda n: n,
    "Position": lambda n: n,
    "Origin": lambda n: n,
    "CenterOfRotation": lambda n: n,
    "TransformMatrix": lambda n: n * n,
    "Rotation": lambda n: n * n,
    "Orientation": lambda n: n * n,
}


def check_header(path: Path) -> None:
    """Raises FormatError, with the line, for a header that is not sound."""
    with path.open("rb") as file:
        lines = file.read(_LONGEST_HEADER).split(b"\n")
    num_dimensions = None
    for number, line in enumerate(lines, 1):
        key, value = _entry(path, line, number)
        if key == "NDims":
            num_dimensions = _dimensions(path, value, number)
        elif key in _COUNTS:
            _check_numbers(path, key, value, num_dimensions, number)
        elif key == "AnatomicalOrientation" and len(value) > 8:
            raise FormatError(path, f"{value[:20]!r} is no orientation.", _ADVICE, number)
        elif key == "ElementDataFile":
            return
    raise FormatError(path, "The header names no ElementDataFile.", _ADVICE)


def _entry(path: Path, line: bytes, number: int) -> tuple[str, str]:
    """Key and value of "Key = value"."""
    if len(line) > _LONGEST_VALUE or b"=" not in line or not line.rstrip(b"\r").isascii() or b"\0" in line:
        raise FormatError(path, "The header is damaged.", _ADVICE, number)
    key, _, value = line.decode("ascii").partition("=")
    return key.strip(), value.strip()


def _dimensions(path: Path, value: str, number: int) -> int:
    if value not in ("2", "3", "4"):
        raise FormatError(path, f"The file has {value[:20]!r} dimensions instead of 3.", _ADVICE, number)
    return int(value)


def _check_numbers(path: Path, key: str, value: str, num_dimensions: int | None, number: int) -> None:
    """The right count of finite numbers."""
    try:
        values = [float(token) for token in value.split()]
    except ValueError:
        values = [math.nan]
    if (
        num_dimensions is None
        or len(values) != _COUNTS[key](num_dimensions)
        or not all(map(math.isfinite, values))
    ):
        raise FormatError(path, f"{key} should have a number for each dimension.", _ADVICE, number)
