"""The parts that a cloud's columns and comments tell of, and how they are named, joined and taken apart.

A part is a number in the column "part"; its name stands in the comments (part_names.py), where one without any splat
yet is known too. The column "part_confidence" is 1 for what a person put there: nothing that is found overrules it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.romap.part_names import comments_with_names
from render.gaussians import GaussianCloud

Mask = NDArray[np.bool_]
PART, CONFIDENCE = "part", "part_confidence"
NO_PART = -1
ERASED = -2  # the part of a stroke that takes back what was drawn below it
_FEW_NUMBERS = 100_000
BY_HAND = 1.0
MOST_FOUND = 0.9999  # the confidence of what was found stays below that of what a person said


@dataclass(frozen=True)
class Part:
    """One part. number: NO_PART for all that belongs to none. confidence: the mean, None where nobody said."""

    number: int
    name: str
    count: int
    confidence: float | None = None

    @property
    def title(self) -> str:
        """What it is called."""
        return self.name or ("No part" if self.number == NO_PART else f"Part {self.number}")


def part_numbers(cloud: GaussianCloud) -> NDArray[np.int32]:
    """(N,) the part of each Gaussian, NO_PART of all where the cloud has no such column."""
    column = cloud.extra.get(PART)
    if column is None or column.ndim != 1:
        return np.full(len(cloud), NO_PART, np.int32)
    whole = np.nan_to_num(column, nan=NO_PART) if column.dtype.kind == "f" else column
    return np.maximum(whole.astype(np.int64), NO_PART).astype(np.int32)


def part_confidence(cloud: GaussianCloud) -> NDArray[np.float32] | None:
    """(N,) how sure each Gaussian's part is, None where nobody said."""
    column = cloud.extra.get(CONFIDENCE)
    return None if column is None or column.ndim != 1 else np.asarray(column, np.float32)


def parts_of(cloud: GaussianCloud, kept: Mask | None = None) -> tuple[Part, ...]:
    """Every part by its number, and last what belongs to none. kept: (N,) those that count, as what is not deleted."""
    numbers, confidence = part_numbers(cloud), part_confidence(cloud)
    if kept is not None and not kept.all():
        numbers = numbers[kept]
        confidence = None if confidence is None else confidence[kept]
    names = names_of(cloud)
    means = _counts(numbers, confidence)
    known = sorted({*means, *names} - {NO_PART})
    parts = [Part(number, names.get(number, ""), *means.get(number, (0, None))) for number in known]
    return (*parts, Part(NO_PART, "", means.get(NO_PART, (0, None))[0]))


def _counts(
    numbers: NDArray[np.int32], confidence: NDArray[np.float32] | None
) -> dict[int, tuple[int, float | None]]:
    """How many Gaussians each part has, and how sure they are in the mean."""
    if numbers.max(initial=0) < _FEW_NUMBERS:  # far sooner done than sorting
        found, place = np.arange(NO_PART, _FEW_NUMBERS), (numbers - NO_PART).astype(np.intp)
    else:
        found, place = np.unique(numbers.astype(np.intp), return_inverse=True)
    counts = np.bincount(place, minlength=len(found))
    sums = None if confidence is None else np.bincount(place, confidence, minlength=len(found))
    return {
        int(found[i]): (int(counts[i]), None if sums is None else float(sums[i] / counts[i]))
        for i in np.flatnonzero(counts)
    }


def names_of(cloud: GaussianCloud) -> dict[int, str]:
    """The name of each part that has one."""
    words = (line.split(maxsplit=2) for line in cloud.comments)
    pairs = (each for each in words if len(each) == 3 and each[0] == "part")
    return {int(number): name for _, number, name in pairs if number.isdecimal()}


def next_number(cloud: GaussianCloud) -> int:
    """A number that no part has yet, 1 or more."""
    return 1 + max(0, int(part_numbers(cloud).max(initial=0)), *names_of(cloud))


def with_names(cloud: GaussianCloud, names: Mapping[int, str]) -> GaussianCloud:
    """The cloud with these names of parts and no others."""
    kept = sorted(number for number, name in names.items() if name)
    return replace(
        cloud, comments=comments_with_names(cloud.comments, kept, [names[number] for number in kept])
    )


def renamed(cloud: GaussianCloud, number: int, name: str) -> GaussianCloud:
    """The cloud with another name of one part; in one line, whatever was typed."""
    return with_names(cloud, {**names_of(cloud), number: " ".join(name.split())})


def assigned(
    cloud: GaussianCloud, rows: Mask, number: int, confidence: NDArray[np.float32] | float = BY_HAND
) -> GaussianCloud:
    """The cloud in which some Gaussians belong to a part, or to none. rows: (N,)."""
    numbers = part_numbers(cloud).copy()
    sure = part_confidence(cloud)
    sure = np.where(numbers == NO_PART, 0, MOST_FOUND).astype(np.float32) if sure is None else sure.copy()
    numbers[rows] = number
    sure[rows] = confidence[rows] if isinstance(confidence, np.ndarray) else confidence
    return with_columns(cloud, numbers, sure)


def without_part(cloud: GaussianCloud, number: int) -> GaussianCloud:
    """The cloud in which nothing belongs to a part any more, and nobody knows its name."""
    names = {key: name for key, name in names_of(cloud).items() if key != number}
    return with_names(assigned(cloud, part_numbers(cloud) == number, NO_PART, 0.0), names)


def merged_parts(cloud: GaussianCloud, numbers: Sequence[int], into: int) -> GaussianCloud:
    """The cloud in which several parts are one; how sure each Gaussian is stays."""
    gone = [number for number in numbers if number != into]
    parts = part_numbers(cloud)
    parts = np.where(np.isin(parts, gone), np.int32(into), parts)
    names = {key: name for key, name in names_of(cloud).items() if key not in gone}
    return with_names(with_columns(cloud, parts, part_confidence(cloud)), names)


def with_columns(
    cloud: GaussianCloud, numbers: NDArray[np.int32], confidence: NDArray[np.float32] | None
) -> GaussianCloud:
    """The cloud with other parts (N,) and confidences (N,)."""
    columns: dict[str, Any] = {**cloud.extra, PART: numbers.astype(np.int32)}
    if confidence is not None:
        columns[CONFIDENCE] = confidence.astype(np.float32)
    for name in (PART, CONFIDENCE):
        if name in columns:
            columns[name].flags.writeable = False
    return replace(cloud, extra=columns)
