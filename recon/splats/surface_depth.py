"""Where the surface is that Gaussians show to a camera: for each pixel the depth at which they absorb the light.

The depth of one Gaussian in a pixel is where it is densest along the pixel's ray (as in Gaussian Opacity Fields,
arXiv:2404.10772, eq. 6), not its centre's: a flat Gaussian that is seen aslant then lies in its plane.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon.gaussian_projection import rotations_of
from recon.splats import Depth
from render.compiled import Double, Float, compiled, in_threads
from render.gaussians import GaussianCloud
from render.splat_pictures import BLUR, splat_view
from render.splatting_limits import TILE

REACH = 3.0  # standard deviations along z that a Gaussian's depth may lie from its centre
BORDER = 0.3  # of half a picture, beyond its sides
TILES_AT_ONCE = 4  # that a thread takes
THINNEST = 1e-3  # of a Gaussian's longest axis: thinner ones count as that thin
_HALF, _ALMOST_DARK, _FAINTEST = np.float32(0.5), np.float32(0.02), np.float32(1 / 255)


@dataclass(frozen=True, eq=False)
class SurfaceDepth:
    """depth: (H, W) z-depth in the world's unit, 0 where nothing is. alpha: (H, W). is_seen: (N,) Gaussians that are
    the surface in some pixel."""

    depth: Float
    alpha: Float
    is_seen: NDArray[np.bool_]


def surface_depth(
    cloud: GaussianCloud, cam_from_world: NDArray[np.float64], focal: NDArray[np.float64],
    center: NDArray[np.float64], size: Sequence[int], wish: Depth = "median", nearest: float = 0.01,
) -> SurfaceDepth:  # fmt: skip
    """The depth of each pixel's median or mean absorbed light. cam_from_world: (4, 4). focal, center: (2,) pixels.
    size: width, height. nearest: depth before which nothing is drawn."""
    tiles = splat_view(cloud, cam_from_world, focal, center, size, nearest=nearest).tiles
    width, height = tiles.size
    depth, alpha = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    is_seen = np.zeros(len(tiles.order), np.uint8)
    lens = np.array([*focal, *center, width, height], np.float64)
    seen_ones = cloud.subset(tiles.order)
    axes, in_cam = _in_camera(seen_ones, cam_from_world)
    shapes, planes = _shapes(seen_ones, axes, in_cam, lens), _planes(seen_ones, axes, in_cam)
    in_threads(
        _absorb, len(tiles.starts) - 1, TILES_AT_ONCE, tiles.starts, tiles.ranks, shapes, planes,
        lens.astype(np.float32), wish == "median", depth, alpha, is_seen,
    )  # fmt: skip
    seen = np.zeros(len(cloud), bool)
    seen[tiles.order[is_seen > 0]] = True
    return SurfaceDepth(depth, alpha, seen)


def _in_camera(cloud: GaussianCloud, cam_from_world: NDArray[np.float64]) -> tuple[Double, Double]:
    """In camera axes: matrices (n, 3, 3) whose columns are each Gaussian's axes, and the means (n, 3)."""
    pose = np.asarray(cam_from_world, np.float64)
    rotations = rotations_of(cloud.quats.astype(np.float64))
    return pose[:3, :3] @ rotations, cloud.means @ pose[:3, :3].T + pose[:3, 3]


def _shapes(cloud: GaussianCloud, axes: Double, in_cam: Double, lens: Double) -> Float:
    """(n, 6) each Gaussian in the picture: its centre, its inverse covariance (xx, xy, yy), its opacity."""
    focal, center, size = lens[:2], lens[2:4], lens[4:]
    z = in_cam[:, 2:]
    flat = in_cam[:, :2] / z
    limit = (
        BORDER * size / 2 / focal
    )  # as the rasteriser: beyond, the projection's slope is that of the border
    low, high = -center / focal - limit, (size - center) / focal + limit
    slope = np.zeros((len(cloud), 2, 3))
    slope[:, [0, 1], [0, 1]] = focal / z
    slope[:, :, 2] = -focal * np.clip(flat, low, high) / z
    spread = (slope @ axes) * cloud.scales[:, None].astype(np.float64)
    bare = spread @ spread.transpose(0, 2, 1)
    blurred = bare + BLUR * np.eye(2)
    inverse = np.linalg.inv(blurred)
    opacities = cloud.opacities.astype(np.float64)
    if cloud.is_antialiased:
        opacities *= np.sqrt(np.maximum(np.linalg.det(bare) / np.linalg.det(blurred), 0))
    centre = flat * focal + center
    parts = (centre, inverse[:, 0], inverse[:, 1, 1:], opacities[:, None])
    return np.concatenate(parts, 1).astype(np.float32)


def _planes(cloud: GaussianCloud, axes: Double, in_cam: Double) -> Float:
    """(n, 11): A (6, upper triangle) and A μ (3), where A is the inverse covariance in camera axes up to a factor; the
    centre's depth; and how far from it the depth may lie."""
    scales = cloud.scales.astype(np.float64)
    scales = np.maximum(scales, THINNEST * scales.max(1, keepdims=True))
    sharpness = (scales.min(1, keepdims=True) / scales) ** 2
    inverse = (axes * sharpness[:, None]) @ axes.transpose(0, 2, 1)
    reach = REACH * np.sqrt(((axes[:, 2] * scales) ** 2).sum(1))
    upper = inverse[:, [0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]]
    toward = (inverse @ in_cam[..., None])[..., 0]
    return np.concatenate([upper, toward, in_cam[:, 2:], reach[:, None]], 1).astype(np.float32)


@compiled
def _absorb(
    first: int, last: int, starts: NDArray[np.int64], ranks: NDArray[np.int32], shapes: Float, planes: Float, lens: Float,
    is_median: bool, depth: Float, alpha: Float, is_seen: NDArray[np.uint8],
) -> None:  # fmt: skip
    height, width = depth.shape
    columns = (width + TILE - 1) // TILE
    for tile in range(first, last):
        top, left = tile // columns * TILE, tile % columns * TILE
        for y in range(top, min(top + TILE, height)):
            for x in range(left, min(left + TILE, width)):
                _absorb_pixel(
                    starts[tile], starts[tile + 1], ranks, shapes, planes, lens, is_median, x, y,
                    depth, alpha, is_seen,
                )  # fmt: skip


@compiled
def _absorb_pixel(
    start: int, stop: int, ranks: NDArray[np.int32], shapes: Float, planes: Float, lens: Float, is_median: bool,
    x: int, y: int, depth: Float, alpha: Float, is_seen: NDArray[np.uint8],
) -> None:  # fmt: skip
    u, v = np.float32(x) + _HALF, np.float32(y) + _HALF
    rx, ry = (u - lens[2]) / lens[0], (v - lens[3]) / lens[1]
    left, total = np.float32(1), np.float32(0)
    for pair in range(start, stop):
        k = ranks[pair]
        dx, dy = u - shapes[k, 0], v - shapes[k, 1]
        square = shapes[k, 2] * dx * dx + shapes[k, 4] * dy * dy + np.float32(2) * shapes[k, 3] * dx * dy
        opacity = shapes[k, 5] * np.exp(-_HALF * square)
        if opacity < _FAINTEST:
            continue
        weight = left * min(opacity, np.float32(0.999))
        is_middle = left > _HALF and left - weight <= _HALF
        if is_middle or not is_median:
            sharp = (
                planes[k, 0] * rx * rx + planes[k, 3] * ry * ry + planes[k, 5]
                + np.float32(2) * (planes[k, 1] * rx * ry + planes[k, 2] * rx + planes[k, 4] * ry)
            )  # fmt: skip
            z = planes[k, 6] * rx + planes[k, 7] * ry + planes[k, 8]
            z = z / max(sharp, np.float32(1e-12))
            z = min(max(z, planes[k, 9] - planes[k, 10]), planes[k, 9] + planes[k, 10])
            if is_middle:
                is_seen[k] = 1
                if is_median:
                    depth[y, x] = z
            total += weight * z
        left -= weight
        if left < _ALMOST_DARK:
            break
    alpha[y, x] = np.float32(1) - left
    if not is_median and left < np.float32(1):
        depth[y, x] = total / (np.float32(1) - left)
