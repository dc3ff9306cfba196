"""Bring the depth cue of every view into the world, each by the sparse points that it sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from recon.cues.robust_fit import LineFit, fit_line
from render.cameras import CameraSet
from render.images import DepthKind, PosedImages

ReadDepth = Callable[[int], NDArray[np.float32]]

MIN_POINTS = 8
MIN_INLIERS = 0.5  # share of the points that the fitted line must explain
INLIER_TOLERANCE = 0.1  # of the depth
OCCLUSION_CELL = 8.0  # pixels: of points whose views are not known, the nearest in such a cell is seen


@dataclass(frozen=True)
class AlignedDepth:
    """The depth of N views in the world's unit, and how it was found.

    depth: (N, H, W) float32 z-depth, NaN where unknown and in views that are not aligned. kind: what was stored;
    z = scale * stored + shift for "metric" and "depth", 1 / z = scale * stored + shift for "disparity", both times
    a smooth factor near 1. scale, shift: (N,). inliers: (N,) share of the view's points within 10 %. residual: (N,)
    median relative error at them, NaN without points. num_points: (N,). is_aligned: (N,). reasons: (N,) why a view
    is not aligned, "" where it is.
    """

    depth: NDArray[np.float32]
    kind: DepthKind
    scale: NDArray[np.float64]
    shift: NDArray[np.float64]
    inliers: NDArray[np.float64]
    residual: NDArray[np.float64]
    num_points: NDArray[np.int64]
    is_aligned: NDArray[np.bool_]
    reasons: tuple[str, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the depth pictures."""
        return self.depth.shape[2], self.depth.shape[1]


def align_depth(
    posed: PosedImages,
    size: tuple[int, int],
    read: ReadDepth | None = None,
    kind: DepthKind | None = None,
    is_scale_fixed: bool = True,
) -> AlignedDepth:
    """Each view's depth cue in the world's unit, by the sparse points that the view observes.

    size: width and height to work at. read: the stored numbers (H, W) of view i at that size, NaN unknown; the
    files' when None. kind: instead of the kind that the cues declare. is_scale_fixed: take metric depth as it is;
    otherwise its scale follows the points. Views without enough points stay unaligned: `align_jointly` seats them
    by what the others see.
    """
    assert posed.depth is not None
    read = read or file_reader(posed, size)
    kind = kind or posed.depth.kind
    cameras = posed.cameras.resized(np.tile(np.array(size), (len(posed), 1)))
    depth = np.full((len(posed), size[1], size[0]), np.nan, np.float32)
    fits = []
    for i in range(len(posed)):
        stored = read(i)
        pixels, z = observed_points(posed, cameras, i)
        fit = fit_view(stored, pixels, z, kind, is_scale_fixed)
        if not fit.reason:
            depth[i] = apply_line(stored, fit, kind)
        fits.append(fit)
    return gather(depth, fits, kind)


def file_reader(posed: PosedImages, size: tuple[int, int]) -> ReadDepth:
    """Reads view i's stored depth at `size` from its file; all NaN where the view has none."""
    from recon.formats.pixels import read_depth

    def read(i: int) -> NDArray[np.float32]:
        assert posed.depth is not None
        if not posed.depth.paths[i]:
            return np.full((size[1], size[0]), np.nan, np.float32)
        return read_depth(posed, i, size)

    return read


def observed_points(
    posed: PosedImages, cameras: CameraSet, index: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixels (K, 2) and z-depths (K,) of the sparse points that view `index` observes.

    Where no observations are known at all, of the points in view: the nearest one in each cell of 8 pixels.
    """
    if posed.points is None or not len(posed.points.points):
        return np.zeros((0, 2)), np.zeros(0)
    assert posed.observations is not None
    seen = posed.observations[posed.observations[:, 0] == index, 1]
    points = posed.points.points[seen] if len(posed.observations) else posed.points.points
    pixels, z = project(cameras, index, points)
    if not len(posed.observations):
        kept = nearest_in_cells(pixels, z)
        pixels, z = pixels[kept], z[kept]
    return pixels, z


def project(
    cameras: CameraSet, index: int, points: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixels (K, 2) and z-depths (K,) of those of the points (P, 3) that fall into the picture of one view."""
    pose = cameras.cam_from_world[index]
    in_cam = points @ pose[:3, :3].T + pose[:3, 3]
    in_cam = in_cam[in_cam[:, 2] > 1e-9]
    z = in_cam[:, 2]
    pixels = in_cam[:, :2] / z[:, None] * cameras.focal[index] + cameras.center[index]
    inside = ((pixels >= 0) & (pixels < cameras.size[index])).all(1)
    return pixels[inside], z[inside]


def nearest_in_cells(pixels: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.int64]:
    """Indices of those of the pixels (K, 2) whose depth z (K,) is the least in their cell of 8 x 8 pixels."""
    column, row = (pixels // OCCLUSION_CELL).astype(np.int64).T
    order = np.argsort(z)
    _, first = np.unique((row * 1_000_003 + column)[order], return_index=True)
    kept: NDArray[np.int64] = order[first]
    return kept


def fit_view(
    stored: NDArray[np.float32],
    pixels: NDArray[np.float64],
    z: NDArray[np.float64],
    kind: DepthKind,
    is_scale_fixed: bool = True,
) -> LineFit:
    """The line from stored numbers to depth (disparity: to 1 / z) through the points of one view."""
    if not np.isfinite(stored).any():
        return LineFit.failed("it has no depth cue")
    values = values_at(stored, pixels)
    known = np.isfinite(values)
    values, z = values[known], z[known]
    if kind == "metric" and is_scale_fixed:
        return fit_line(values, z, "none", INLIER_TOLERANCE)
    if len(z) < MIN_POINTS:
        return LineFit.failed(f"it sees {len(z)} sparse points; {MIN_POINTS} are needed", len(z))
    fit = fit_line(values, z, "scale" if kind == "metric" else kind, INLIER_TOLERANCE)
    if fit.scale <= 0:
        return LineFit.failed("its depth grows where the sparse points come nearer", len(z))
    if fit.inliers < MIN_INLIERS:
        return LineFit.failed(f"its depth fits only {fit.inliers:.0%} of its sparse points", len(z))
    return fit


def apply_line(stored: NDArray[np.float32], fit: LineFit, kind: DepthKind) -> NDArray[np.float32]:
    """z-depth (H, W) from stored numbers; NaN where it would not lie before the camera."""
    line = stored * np.float32(fit.scale) + np.float32(fit.shift)
    with np.errstate(invalid="ignore", divide="ignore"):
        depth = 1 / line if kind == "disparity" else line
        depth = np.where((line > 0) & np.isfinite(depth), depth, np.nan)
    return np.asarray(depth, np.float32)


def relief(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """By which share of itself the depth (H, W) varies within 5 x 5 pixels; NaN where it is unknown."""
    filled = np.nan_to_num(depth, nan=0.0)
    span = ndimage.maximum_filter(filled, 5) - ndimage.minimum_filter(filled, 5)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(span / depth, np.float32)


def values_at(picture: NDArray[np.float32], pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """The numbers (K,) of a picture (H, W) in the pixels (K, 2) that hold these places."""
    column, row = np.floor(pixels).astype(np.int64).T
    height, width = picture.shape
    found = picture[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    return np.asarray(found, np.float64)


def gather(depth: NDArray[np.float32], fits: list[LineFit], kind: DepthKind) -> AlignedDepth:
    """Depth (N, H, W) with the fits of its views."""
    return AlignedDepth(
        depth,
        kind,
        np.array([fit.scale for fit in fits], np.float64),
        np.array([fit.shift for fit in fits], np.float64),
        np.array([fit.inliers for fit in fits], np.float64),
        np.array([fit.residual for fit in fits], np.float64),
        np.array([fit.num_points for fit in fits], np.int64),
        np.array([not fit.reason for fit in fits], bool),
        tuple(fit.reason for fit in fits),
    )
