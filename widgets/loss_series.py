"""Curves that grow while a run trains: cheap to append to, smoothed and written to a table on demand."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


class LossSeries:
    """Steps and values of one quantity of one run, in arrays that double when they are full."""

    def __init__(self) -> None:
        self._data = np.empty((2, 256))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, step: float, value: float) -> None:
        """Add a point. A step that is not above the last one begins a new attempt and cuts off what it repeats."""
        while self._count and self._data[0, self._count - 1] >= step:
            self._count -= 1
        if self._count == self._data.shape[1]:
            self._data = np.concatenate([self._data, np.empty_like(self._data)], axis=1)
        self._data[:, self._count] = step, value
        self._count += 1

    @property
    def steps(self) -> Values:
        return self._data[0, : self._count]

    @property
    def values(self) -> Values:
        return self._data[1, : self._count]

    def at(self, step: float) -> float | None:
        """The value at the last step not after `step`; None before the first."""
        place = int(np.searchsorted(self.steps, step, side="right")) - 1
        return float(self.values[place]) if place >= 0 else None


def smoothed(values: Values, weight: float) -> Values:
    """Running mean with exponential weights, unbiased from the first value on; weight 0 leaves values alone.

    Values that are not finite are left out of the mean and stay as they are.
    """
    if weight <= 0 or not len(values):
        return values
    out, mean, total = np.array(values), 0.0, 0.0
    for place, value in enumerate(values):
        if np.isfinite(value):
            mean = weight * mean + (1 - weight) * value
            total = weight * total + (1 - weight)
            out[place] = mean / total
    return out


def write_csv(path: Path, series: Iterable[tuple[str, str, LossSeries]]) -> None:
    """Write (run, quantity, series) as a table: run, quantity, step, value."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["run", "quantity", "step", "value"])
        for run, quantity, one in series:
            table.writerows(
                [run, quantity, f"{s:g}", repr(float(v))] for s, v in zip(one.steps, one.values, strict=True)
            )
