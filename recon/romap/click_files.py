"""Clicks and boxes on views, from a JSON file: `{"view name": [{"part": 1, "point": [x, y]}, {"part": 1, "point": [x, y],
"inside": false}, {"part": 2, "box": [left, top, right, bottom]}]}`, in pixels of the view's camera."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recon.errors import FormatError, InputError


@dataclass(frozen=True, eq=False)
class Click:
    """A click on a view. point: (2,) x, y in pixels, or (4,) a box of left, top, right, bottom; is_inside: on the part,
    not beside it."""

    view: int
    part: int
    point: ArrayLike
    is_inside: bool = True


def read_clicks(
    path: Path, names: Sequence[str], sizes: NDArray[np.integer], wanted: NDArray[np.integer]
) -> tuple[Click, ...]:
    """The clicks on views of these names. sizes: (N, 2) width, height in which they were made; wanted: (N, 2) in which
    they are to be. Raises FormatError, InputError."""
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FormatError(
            path, "The clicks cannot be read.", "Save them as JSON, a list for each view.", details=str(error)
        ) from error
    if not isinstance(written, Mapping) or not written:
        raise FormatError(path, "There are no views in it.", "Write a list of clicks for each view's name.")
    found: list[Click] = []
    for name, rows in written.items():
        view = _view(path, str(name), names)
        if not isinstance(rows, list):
            raise FormatError(path, f"The clicks on {name} are no list.", "Write a list for each view.")
        found += [_click(path, view, row, sizes[view], wanted[view] / sizes[view]) for row in rows]
    return _checked(path, found)


def _checked(path: Path, clicks: Sequence[Click]) -> tuple[Click, ...]:
    if not any(click.is_inside for click in clicks):
        raise InputError(f"No click in {path.name} is on a part.", "Click on each part at least once.")
    for view, part in sorted({(click.view, click.part) for click in clicks}):
        if not any(click.is_inside for click in clicks if (click.view, click.part) == (view, part)):
            raise InputError(
                f"On a view of {path.name} all clicks for part {part} are beside it.",
                "Click on the part too, on the same view.",
            )
    return tuple(clicks)


def _view(path: Path, name: str, names: Sequence[str]) -> int:
    stems = [PurePosixPath(each).stem for each in names]
    if name in names:
        return list(names).index(name)
    stem = PurePosixPath(name).stem
    if stems.count(stem) == 1:
        return stems.index(stem)
    raise InputError(
        f"No view is called “{name}”, as {path.name} has it.",
        f"Views are named as images, such as {names[0]}.",
    )


def _click(path: Path, view: int, row: Any, size: NDArray[np.integer], scale: NDArray[np.floating]) -> Click:
    try:
        is_box = "box" in row
        place = np.array(row["box"] if is_box else row["point"], np.float64)
        part, is_inside = int(row["part"]), bool(row.get("inside", True))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(
            path,
            "A click lacks its part or its place.",
            'Write {"part": 1, "point": [x, y]}.',
            details=str(row),
        ) from error
    if place.shape != ((4,) if is_box else (2,)) or not np.isfinite(place).all() or part < 1 or part > 254:
        raise FormatError(
            path,
            "A click has no place or no part that can be.",
            "A point has two numbers, a box four; parts are 1 to 254.",
            details=str(row),
        )
    corners = place.reshape(-1, 2)
    is_there = bool(((corners >= 0) & (corners <= size)).all()) and (
        not is_box or bool((corners[1] > corners[0]).all())
    )
    if not is_there:
        raise InputError(
            f"A click in {path.name} is outside its view of {size[0]} × {size[1]} pixels.",
            "Give places in pixels of the camera; a box from left and top to right and bottom.",
        )
    return Click(view, part, (corners * scale).reshape(-1), is_inside)
