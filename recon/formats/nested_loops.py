"""Which even-odd loop is a hole, and of which loop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray


def parents_of(loops: Sequence[NDArray[np.float64]], labels: Sequence[int]) -> list[int | None]:
    """For each (M, 2) loop of a plane the loop of its label that it is a hole in; None for outer loops.

    A loop within an odd number of its label's loops is a hole in the smallest of them.
    """
    parents: list[int | None] = [None] * len(loops)
    for label in set(labels):
        members = [i for i, each in enumerate(labels) if each == label]
        if len(members) > 1:
            _find_parents(loops, members, parents)
    return parents


def _find_parents(
    loops: Sequence[NDArray[np.float64]], members: list[int], parents: list[int | None]
) -> None:
    polygons = shapely.make_valid(np.array([shapely.Polygon(loops[i]) for i in members], object))
    areas = shapely.area(polygons)
    inner, outer = shapely.STRtree(polygons).query(polygons, predicate="covered_by")
    for k, i in enumerate(members):
        around = [m for m in outer[inner == k] if m != k and areas[m] > areas[k]]
        if len(around) % 2 == 1:
            parents[i] = members[min(around, key=lambda m: float(areas[m]))]
