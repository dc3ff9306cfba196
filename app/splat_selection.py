"""From what was drawn on the picture to the Gaussians that are meant: joins the tools' pixels and recon's functions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recon.gaussian_footprints import touching_region
from recon.gaussian_projection import Projection, ScreenCamera, projected, screen_covariances, screen_radii
from recon.gaussian_regions import Region, brush_region, in_region, polygon_region, rectangle_region
from recon.gaussian_selection import Mask
from render.gaussians import GaussianCloud, GaussianMarks
from render.transforms import Similarity3
from widgets.selection_strokes import Stroke
from widgets.viewport_camera import CameraPose, Size

_NEAR = 1e-4  # share of the distance to the focal point from which on things are seen
_FAR_BEHIND = -1e30  # a parallel view sees what lies behind its camera, too
_LEAST_WEIGHT = 1e-4
_REACH = 2.5  # standard deviations within which a click takes a Gaussian


def screen_camera(pose: CameraPose, size: Size) -> ScreenCamera:
    """The camera of a viewport as `recon` knows it. size: width and height of the picture in pixels."""
    right, up, back = pose.axes
    turn = np.stack([right, -up, -back])
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, -turn @ pose.position
    scale = size[1] / (2 * np.tan(pose.view_angle / 2))
    focal = scale / pose.distance if pose.parallel else scale
    near = _FAR_BEHIND if pose.parallel else _NEAR * pose.distance
    center = np.array(size) / 2 + np.array(pose.shift) * size[1]
    return ScreenCamera(matrix, np.full(2, focal), center, pose.parallel, near)


def region_of(stroke: Stroke) -> Region:
    """The part of the picture that a stroke covers."""
    if stroke.kind == "rectangle":
        return rectangle_region(stroke.points[0], stroke.points[-1])
    if stroke.kind == "polygon":
        return polygon_region(stroke.points)
    return brush_region(stroke.points, stroke.radius)


def found_in(cloud: GaussianCloud, camera: ScreenCamera, region: Region, *, by_footprint: bool) -> Mask:
    """Which Gaussians have their middle in a region of the picture, or any part of them."""
    projection = projected(cloud, camera)
    if by_footprint:
        return touching_region(cloud, camera, projection, region)
    return in_region(projection.positions, region)


def gaussian_at(
    cloud: GaussianCloud, marks: GaussianMarks, camera: ScreenCamera, at: tuple[float, float]
) -> tuple[int, float] | None:
    """The drawn Gaussian that one sees at a pixel and its depth: the one with the largest share in the colour."""
    projection = projected(cloud, camera)
    rows = _near(cloud, marks, camera, projection, at)
    if not len(rows):
        return None
    rows = rows[np.argsort(projection.depths[rows], kind="stable")]
    alphas = _alphas(cloud, camera, projection, rows, at)
    weights = alphas * np.concatenate([[1.0], np.cumprod(1 - alphas)[:-1]])
    best = int(np.argmax(weights))
    if weights[best] < _LEAST_WEIGHT:
        return None
    return int(rows[best]), float(projection.depths[rows[best]])


def moved(cloud: GaussianCloud, chosen: Mask, motion: Similarity3) -> GaussianCloud:
    """The chosen Gaussians moved, for a preview: their colours do not turn with them, which takes long."""
    rows = np.flatnonzero(chosen)
    part = replace(cloud.subset(rows), sh=np.zeros((len(rows), 1, 3), np.float32))
    part = part.transformed(motion, cloud.frame)
    changed = {}
    for name in ("means", "quats", "log_scales"):
        array = getattr(cloud, name).copy()
        array[rows] = getattr(part, name)
        array.flags.writeable = False
        changed[name] = array
    return replace(cloud, **changed)


def middle_of(cloud: GaussianCloud, chosen: Mask) -> NDArray[np.float64] | None:
    """(3,) the middle of the chosen Gaussians' bounds, little moved by a few that lie far off; None of none."""
    means = cloud.means[chosen]
    if not len(means):
        return None
    low, high = np.quantile(means[:: max(1, len(means) // 100_000)], [0.02, 0.98], axis=0)
    return np.asarray((low + high) / 2, np.float64)


def _near(
    cloud: GaussianCloud,
    marks: GaussianMarks,
    camera: ScreenCamera,
    projection: Projection,
    at: tuple[float, float],
) -> NDArray[np.intp]:
    """Rows of the drawn Gaussians whose ellipse may cover a pixel."""
    away = np.hypot(*(projection.positions - np.asarray(at, np.float32)).T)
    with np.errstate(invalid="ignore"):
        is_near = away <= _REACH * screen_radii(cloud, camera, projection) + 1
    return np.flatnonzero(is_near & marks.is_drawn)


def _alphas(
    cloud: GaussianCloud,
    camera: ScreenCamera,
    projection: Projection,
    rows: NDArray[np.intp],
    at: tuple[float, float],
) -> NDArray[np.float64]:
    """(n,) how much of the pixel each Gaussian covers."""
    xx, xy, yy = screen_covariances(cloud, camera, rows).astype(np.float64).T
    dx, dy = (np.asarray(at) - projection.positions[rows]).T
    square = (yy * dx**2 - 2 * xy * dx * dy + xx * dy**2) / np.maximum(xx * yy - xy**2, 1e-12)
    return np.asarray(np.minimum(cloud.opacities[rows] * np.exp(-square / 2), 0.99))
