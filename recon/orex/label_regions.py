"""The region of every label on every plane, made disjoint, and the background that they leave."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import shapely

from recon.orex.box import BoxedSections
from recon.orex.contours2d import PlaneContours
from render.cross_sections import Plane, plane_basis

# The key of the background beside the labels, which start at 1.
BACKGROUND = 0
# Walls drawn twice, once for each neighbour, differ by less than this; box units.
SLIVER = 2e-3


@dataclass(frozen=True)
class LabelRegions:
    """Per label, and for the background, its contours on every plane.

    contours[BACKGROUND], present with two labels or more, bounds the union of all labels: its inside is what is
    not background. A label that others cover everywhere is left out. overlaps: plane → share of the union that more than one label claimed.
    """

    contours: dict[int, list[PlaneContours]]
    overlaps: dict[int, float]


def label_regions(boxed: BoxedSections) -> LabelRegions:
    """Disjoint regions: where labels overlap the one that covers less in all has the place."""
    if len(boxed.labels) == 1:
        return LabelRegions({boxed.labels[0]: boxed.contours()}, {})
    drawn = [{label: _region(plane, label) for label in boxed.labels} for plane in boxed.planes]
    covered = {label: sum(regions[label].area for regions in drawn) for label in boxed.labels}
    order = sorted(boxed.labels, key=lambda label: covered[label])
    contours: dict[int, list[PlaneContours]] = {label: [] for label in (BACKGROUND, *boxed.labels)}
    overlaps = {}
    for number, (plane, regions) in enumerate(zip(boxed.planes, drawn, strict=True)):
        taken: Any = shapely.Polygon()
        for label in order:
            own = shapely.difference(regions[label], taken)
            taken = shapely.union(taken, regions[label])
            contours[label].append(_contours(plane, own))
        closed = shapely.buffer(
            shapely.buffer(taken, SLIVER, join_style="mitre"), -SLIVER, join_style="mitre"
        )
        contours[BACKGROUND].append(_contours(plane, closed))
        claimed = sum(region.area for region in regions.values())
        if taken.area > 0 and claimed > 1.001 * taken.area:
            overlaps[number] = float(claimed / taken.area - 1)
    present = {key: planes for key, planes in contours.items() if any(not plane.is_empty for plane in planes)}
    return LabelRegions(present, overlaps)


def _region(plane: Plane, label: int) -> Any:
    """Even-odd fill of a label's loops in plane coordinates."""
    axes = np.stack(plane_basis(plane.normal), 1)
    polygons = (shapely.Polygon(loop.points @ axes) for loop in plane.loops if loop.label == label)
    sound = (polygon if polygon.is_valid else shapely.make_valid(polygon) for polygon in polygons)
    return reduce(shapely.symmetric_difference, sound, shapely.Polygon())


def _contours(plane: Plane, region: Any) -> PlaneContours:
    polygons = [part for part in shapely.get_parts(region) if part.geom_type == "Polygon" and part.area > 0]
    rings = [ring for polygon in polygons for ring in (polygon.exterior, *polygon.interiors)]
    return PlaneContours.of_rings(plane, [np.asarray(ring.coords)[:-1] for ring in rings])
