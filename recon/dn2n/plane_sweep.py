"""Depth of posed photos from nothing but the photos, in seconds: plane sweeps, smoothed along scanlines, and only what
views agree about.

Each view is compared with a few partners at many depths (Collins 1996) by normalised correlation, the better half of
the partners counting, as others may not see the place; matching costs are made smooth by semi-global matching
(Hirschmüller 2008); depth that no other view confirms is replaced by that which others agree about, else from around
it, along the colours of the photo.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.dn2n.depth_views import DepthViews
from recon.dn2n.plane_sweep_kernels import (
    add_difference,
    agreed,
    best_planes,
    confirm,
    enlarge,
    fill,
    mean_of_best,
    multiply,
    smooth_costs,
)
from recon.method import Progress
from render.cameras import CameraSet, limited_size
from render.compiled import in_threads
from render.images import PosedImages
from render.view_depth import warped_depths
from render.view_field import ViewField
from render.view_sources import choose_sources, pinhole, source_cameras

Float = NDArray[np.float32]
Double = NDArray[np.float64]

LONGEST = 256  # pixels at which photos are compared
PARTNERS = 5
PLANES = (40, 128)  # fewest and most
WINDOW = 5  # pixels, of the correlation
BEST_ANGLE, NARROWER, WIDER = np.radians(9.0), np.radians(5.0), np.radians(14.0)
SMALL_STEP, LARGE_STEP = 0.06, 0.35  # what a change of depth by one plane, and by more, costs
AGREE = 0.02  # relative difference of depth that confirms
CONFIRMED_BY = 2
LENT_BY, LENT_WITHIN = 3, 0.03  # other views, that agree so well about a place that a view lacks
ROWS = 16


@dataclass(frozen=True, eq=False)
class _Sweep:
    """Inverse depths (D,) at which view `index` is compared with partners (P,)."""

    index: int
    partners: NDArray[np.int64]
    inverse: Double


def sweep_depths(
    rgb: NDArray[np.uint8], cameras: CameraSet, posed: PosedImages
) -> Generator[Progress, None, Float | None]:
    """(N, H, W) z-depths of photos (N, H, W, 3) at these cameras, everywhere; None where no two photos can be compared.

    posed: the same images, for their sparse points, where they have any.
    """
    height, width = rgb.shape[1:3]
    size = limited_size((width, height), LONGEST)
    small = cameras.resized(np.tile(size, (len(rgb), 1)))
    photos = np.stack([cv2.resize(photo, size, interpolation=cv2.INTER_AREA) for photo in rgb])
    greys = np.stack([_grey(photo) for photo in photos])
    sweeps = plan_sweeps(small, posed)
    if not sweeps:
        return None
    depths = np.zeros(greys.shape, np.float32)
    for done, sweep in enumerate(sweeps, 1):
        depths[sweep.index] = _swept(greys, small, sweep)
        yield Progress(done, len(sweeps), "Finding depth by comparing photos")
    kept = confirmed(DepthViews(small, depths, AGREE))
    if (kept > 0).mean() < 0.05:
        return None
    yield Progress(0, 1, "Filling in depth")
    kept = with_others(kept, small, photos)
    return np.stack([_completed(kept[i], photos[i], rgb[i]) for i in range(len(rgb))])


def _grey(photo: NDArray[np.uint8]) -> Float:
    return np.asarray(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), np.float32) / np.float32(255)


def plan_sweeps(cameras: CameraSet, posed: PosedImages) -> list[_Sweep]:
    """For each view that has partners, with which and at what depths it is compared."""
    places = _places(cameras, posed)
    found = []
    for i in range(len(cameras)):
        partners = _partners(cameras, i, places)
        span = _span(cameras, i, places)
        if len(partners) and span is not None:
            found.append(_Sweep(i, partners, _inverse_depths(cameras, i, partners, span)))
    return found


def confirmed(views: DepthViews) -> Float:
    """The depths, 0 where fewer than two others see the same surface."""
    neighbours = views.neighbours(2 * PARTNERS)
    turns, shifts = views.pairs
    kept = np.zeros_like(views.depths)
    fewest = min(CONFIRMED_BY, len(views) - 1)
    for i in range(len(views)):
        in_threads(
            confirm, views.depths.shape[1], ROWS, views.depths, i, neighbours[i], turns, shifts,
            np.float32(views.tolerance), fewest, kept[i],
        )  # fmt: skip
    return kept


def with_others(kept: Float, cameras: CameraSet, photos: NDArray[np.uint8]) -> Float:
    """Depths (N, H, W) whose gaps (0) have the surfaces that several other views know there. photos: (N, H, W, 3)."""
    count, height, width = kept.shape
    field = ViewField.of_photos(tuple(map(str, range(count))), cameras, photos, kept)
    whole = kept.copy()
    for i in range(count):
        pose, lens = cameras.cam_from_world[i], (cameras.focal[i], cameras.center[i])
        chosen = choose_sources(field, pose, *lens, (width, height), without=i)
        if len(chosen) >= LENT_BY:
            seen = source_cameras(field, chosen, pose)
            warped = warped_depths(field, chosen, seen, pinhole(*lens), (width, height))
            in_threads(agreed, height, ROWS, warped, np.float32(LENT_WITHIN), LENT_BY, whole[i])
    return whole


def _places(cameras: CameraSet, posed: PosedImages) -> Double:
    """(M, 3) where things are: sparse points, else the place that the cameras look at."""
    if posed.points is not None and len(posed.points.points) >= 50:
        points = np.asarray(posed.points.points, np.float64)
        return points[:: max(1, len(points) // 4000)]
    forward, positions = cameras.cam_from_world[:, 2, :3], cameras.positions
    across = np.eye(3) - forward[:, :, None] * forward[:, None]
    spread = max(float(np.linalg.norm(positions - positions.mean(0), axis=1).mean()), 1e-9)
    ridge = 1e-3 * len(cameras) * np.eye(3)
    ahead = positions.mean(0) + forward.mean(0) * 2 * spread
    return np.linalg.solve(
        across.sum(0) + ridge, (across @ positions[..., None]).sum(0)[:, 0] + ridge @ ahead
    )[None]


def _seen(cameras: CameraSet, index: int, places: Double) -> tuple[Double, NDArray[np.bool_]]:
    """z-depths (M,) and which of the places view `index` has in its picture."""
    pose = cameras.cam_from_world[index]
    in_cam = places @ pose[:3, :3].T + pose[:3, 3]
    z = np.maximum(in_cam[:, 2], 1e-9)
    pixels = in_cam[:, :2] / z[:, None] * cameras.focal[index] + cameras.center[index]
    margin = 0.0 if len(places) > 1 else float(cameras.size[index].max())
    inside = (pixels >= -margin) & (pixels < cameras.size[index] + margin)
    return in_cam[:, 2], inside.all(1) & (in_cam[:, 2] > 1e-9)


def _partners(cameras: CameraSet, index: int, places: Double) -> NDArray[np.int64]:
    """(P,) views that see the same places from directions neither too near nor too far."""
    _, mine = _seen(cameras, index, places)
    positions = cameras.positions
    worth = np.zeros(len(cameras))
    for j in range(len(cameras)):
        if j == index:
            continue
        shared = places[mine & _seen(cameras, j, places)[1]]
        if len(shared):
            a, b = shared - positions[index], shared - positions[j]
            lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
            angle = np.arccos(np.clip((a * b).sum(1) / np.maximum(lengths, 1e-12), -1, 1))
            width = np.where(angle < BEST_ANGLE, NARROWER, WIDER)
            worth[j] = np.exp(-(((angle - BEST_ANGLE) / width) ** 2) / 2).sum()
    order = np.argsort(-worth, kind="stable")[:PARTNERS]
    return order[worth[order] > 1e-3]


def _span(cameras: CameraSet, index: int, places: Double) -> tuple[float, float] | None:
    """Nearest and farthest depth that is tried."""
    z, inside = _seen(cameras, index, places)
    if len(places) == 1:
        return (0.15 * float(z[0]), 8 * float(z[0])) if inside[0] else None
    if inside.sum() < 8:
        z, inside = _seen(cameras, index, places)[0], z > 0
    if not inside.any():
        return None
    near, far = np.quantile(z[inside], [0.01, 0.98])
    return 0.6 * float(near), 2.0 * float(far)


def _inverse_depths(
    cameras: CameraSet, index: int, partners: NDArray[np.int64], span: tuple[float, float]
) -> Double:
    """(D,) falling, about a pixel and a quarter apart in the usual partner."""
    baseline = float(
        np.median(np.linalg.norm(cameras.positions[partners] - cameras.positions[index], axis=1))
    )
    shift = float(cameras.focal[index, 0]) * baseline * (1 / span[0] - 1 / span[1])
    count = int(np.clip(np.ceil(shift / 1.25), *PLANES))
    return np.linspace(1 / span[0], 1 / span[1], count)


def _swept(greys: Float, cameras: CameraSet, sweep: _Sweep) -> Float:
    """(H, W) depth of one view where the costs are least, smoothed."""
    costs = _costs(greys, cameras, sweep)
    smoothed = np.zeros_like(costs)
    smooth_costs(costs, greys[sweep.index], np.float32(SMALL_STEP), np.float32(LARGE_STEP), smoothed)
    plane = np.empty(costs.shape[:2], np.float32)
    in_threads(best_planes, costs.shape[0], ROWS, smoothed, plane)
    return (1 / np.interp(plane, np.arange(len(sweep.inverse)), sweep.inverse)).astype(np.float32)


def _costs(greys: Float, cameras: CameraSet, sweep: _Sweep) -> Float:
    """(H, W, D) within 0 and 1: how little the view is like the better half of its partners."""
    mine = greys[sweep.index]
    mean = _windowed(mine)
    spread = np.maximum(_windowed(mine * mine) - mean * mean, 0)
    maps = [_homographies(cameras, sweep.index, int(j)) for j in sweep.partners]
    costs = np.empty((len(sweep.inverse), mine.size), np.float32)
    products, sums = np.empty((3, *mine.shape), np.float32), np.empty((3, *mine.shape), np.float32)
    total = np.empty((3, mine.size), np.float32)
    for cost, inverse in zip(costs, sweep.inverse, strict=True):
        total[:] = 0
        for j, (turn, shift) in zip(sweep.partners, maps, strict=True):
            warped = _warped(greys[j], turn + inverse * shift)
            multiply(mine.ravel(), warped.ravel(), products.reshape(3, -1))
            for product, windowed in zip(products, sums, strict=True):
                windowed[:] = _windowed(product)
            add_difference(mean.ravel(), spread.ravel(), warped.ravel(), sums.reshape(3, -1), total)
        mean_of_best(total, len(sweep.partners), cost)
    return np.ascontiguousarray(costs.T).reshape(*mine.shape, -1)


def _warped(grey: Float, homography: Double) -> Float:
    """(H, W) a partner as seen from the view, −1 where it does not see."""
    height, width = grey.shape
    warped = cv2.warpPerspective(
        grey, homography, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT, borderValue=-1.0,
    )  # fmt: skip
    return np.asarray(warped, np.float32)


def _homographies(cameras: CameraSet, index: int, other: int) -> tuple[Double, Double]:
    """Two (3, 3): pixels of view `index`, as OpenCV counts them, at depth z go to (first + second / z) of the other."""
    inner = []
    for k in (index, other):
        matrix = np.diag([*cameras.focal[k], 1.0])
        matrix[:2, 2] = cameras.center[k] - 0.5
        inner.append(matrix)
    other_from_index = cameras.cam_from_world[other] @ np.linalg.inv(cameras.cam_from_world[index])
    back = np.linalg.inv(inner[0])
    shift = np.zeros((3, 3))
    shift[:, 2] = other_from_index[:3, 3]
    return inner[1] @ other_from_index[:3, :3] @ back, inner[1] @ shift @ back


def _windowed(values: Float) -> Float:
    return np.asarray(cv2.blur(values, (WINDOW, WINDOW), borderType=cv2.BORDER_REFLECT_101), np.float32)


def _completed(kept: Float, photo: NDArray[np.uint8], full: NDArray[np.uint8]) -> Float:
    """(H, W) depth everywhere at the full size, from a small one with gaps (0)."""
    colors = photo.astype(np.float32) / 255
    filled = fill(kept, colors)
    height, width = full.shape[:2]
    if filled.shape == (height, width):
        return np.asarray(filled, np.float32)
    out = np.empty((height, width), np.float32)
    in_threads(enlarge, height, ROWS, filled, colors, full.astype(np.float32) / 255, out)
    return out
