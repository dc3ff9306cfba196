"""An appearance edit as a field: in each place of the scene, an affine map from original to edited colours.

All views are fitted at once by weighted least squares, coarse cells first, each finer one drawn to the coarser. What
one view alone says (its tone, its inventions) averages out or is outvoted (Cauchy weights); one field drawn from
anywhere is the same from everywhere. It holds what changes colours, not what changes texture finer than its cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from recon.dn2n.depth_views import DepthViews
from recon.dn2n.edit_field_kernels import accumulate, apply_at, apply_map, read_at, residuals
from recon.dn2n.strength import Strengths, strengths_of
from render.compiled import in_threads

Float = NDArray[np.float32]
Stiffness = tuple[float, float]  # see `_solved`
_Grid = tuple[NDArray[np.float64], tuple[int, int, int]]  # world_from_map, number of cells

CELLS = (3, 6, 12, 24)  # along the longest side of the scene, coarse to fine
ROUNDS = (2, 1, 1, 2)  # of weighing and solving
MOST_SAMPLES = 400_000  # pixels that are looked at
SPREAD = 0.07  # residual of a sample beyond which it counts less
STIFFNESSES = (
    (1.5, 150.0),
    (0.25, 50.0),
    (0.02, 12.0),
)  # see `_solved`: from one edit for all to what each cell says
MARGIN = 1  # cells around the scene
OUTER = 0.005  # share of points on each side that the grid need not hold
PIXELS_AT_ONCE = 8192


@dataclass(frozen=True, eq=False)
class EditField:
    """color_map: (X, Y, Z, 12) float32, world_from_map: (4, 4), both as a ViewField holds them. residual: (N,) mean
    absolute difference of each view's edited picture from the field's. strengths: of the field's change in each. stiffness: with which
    it was fitted."""

    color_map: Float
    world_from_map: NDArray[np.float64]
    residual: Float
    strengths: Strengths
    stiffness: Stiffness

    def apply(self, originals: Float, views: DepthViews, index: int) -> Float:
        """(H, W, 3) one view as the field has it; where no depth is known, as the middle of the scene has it."""
        height, width = originals.shape[:2]
        out = np.empty((height * width, 3), np.float32)
        lens, map_from_cam = _camera(views, index, self.world_from_map)
        in_threads(
            apply_map, height * width, PIXELS_AT_ONCE, originals.reshape(-1, 3), views.depths[index], lens,
            map_from_cam, self.color_map, out,
        )  # fmt: skip
        return out.reshape(height, width, 3)

    def strengthened(self, factor: float) -> EditField:
        """The same change, so many times as strong."""
        return EditField(
            self.color_map * np.float32(factor),
            self.world_from_map,
            self.residual,
            self.strengths,
            self.stiffness,
        )


def fit_edit_field(
    originals: Float, edited: Float, views: DepthViews, weights: Float, cells: Sequence[int] = CELLS,
    masks: Float | None = None, stiffness: Stiffness | None = None,
) -> EditField:  # fmt: skip
    """originals, edited: (N, H, W, 3) within 0 and 1. weights: (N,) how much each view counts. masks: (N, H, W), which
    pixels count. stiffness: that which half of the views tell of the other half where not given."""
    samples = _samples(originals, edited, views, weights, masks)
    grids = _grids(samples.points, cells)
    stiffness = stiffness or _best_stiffness(samples.thinned(3), grids[:-1] or grids)
    color_map = _fitted(samples, grids, stiffness)
    return _told(color_map, grids[-1][0], samples, len(views), stiffness)


def _best_stiffness(samples: _Samples, grids: Sequence[_Grid]) -> Stiffness:
    """That with which half of the views foretells best what the least stiff map of the other half says: what is local
    in one view alone is its fault, what is local in both halves is the edit."""
    is_first = samples.views % 2 == 0
    if is_first.all() or not is_first.any():
        return STIFFNESSES[0]
    places, colors = samples.places(grids[-1][0]), samples.before
    told = []
    for half in (samples.where(is_first), samples.where(~is_first)):
        for stiffness in STIFFNESSES:
            mapped = np.empty_like(colors)
            apply_at(places, colors, _fitted(half, grids, stiffness), mapped)
            told.append(mapped)
    count = len(STIFFNESSES)
    first, second = told[:count], told[count:]
    errors = [
        float(((a - second[-1]) ** 2).mean() + ((b - first[-1]) ** 2).mean())
        for a, b in zip(first, second, strict=True)
    ]
    return STIFFNESSES[int(np.argmin(errors))]


def _fitted(samples: _Samples, grids: Sequence[_Grid], stiffness: Stiffness) -> Float:
    """The map of the finest grid."""
    coarse, color_map = np.eye(4), _whole(samples)
    for level, (world_from_map, shape) in enumerate(grids):
        places = samples.places(world_from_map)
        parent = _resampled(color_map, coarse, world_from_map, shape)
        coarse, color_map = world_from_map, parent
        for _ in range(ROUNDS[min(level, len(ROUNDS) - 1)]):
            left = residuals(places, samples.before, samples.after, color_map)
            robust = samples.weights / (1 + (left / SPREAD) ** 2)
            color_map = _solved(places, samples, robust.astype(np.float32), parent, stiffness)
    return color_map


@dataclass(frozen=True, eq=False)
class _Samples:
    """Some pixels of all views: world points (M, 3), colours before and after (M, 3), weights (M,), views (M,)."""

    points: NDArray[np.float64]
    before: Float
    after: Float
    weights: Float
    views: NDArray[np.int64]

    def places(self, world_from_map: NDArray[np.float64]) -> Float:
        """(M, 3) in numbers of cells."""
        inverse = np.linalg.inv(world_from_map)
        return np.asarray(self.points @ inverse[:3, :3].T + inverse[:3, 3], np.float32)

    def where(self, is_kept: NDArray[np.bool_]) -> _Samples:
        """Only these."""
        return _Samples(
            self.points[is_kept],
            self.before[is_kept],
            self.after[is_kept],
            self.weights[is_kept],
            self.views[is_kept],
        )

    def thinned(self, step: int) -> _Samples:
        """Every so many."""
        return self.where(np.arange(len(self.points)) % step == 0)


def _samples(
    originals: Float, edited: Float, views: DepthViews, weights: Float, masks: Float | None
) -> _Samples:
    count, height, width = views.depths.shape
    step = max(1, round((count * height * width / MOST_SAMPLES) ** 0.5))
    rows, columns = np.arange(step // 2, height, step), np.arange(step // 2, width, step)
    world_from_cam, parts = views.cameras.world_from_cam, []
    for i in np.flatnonzero(np.asarray(weights) > 0):
        depth = views.depths[i][rows[:, None], columns]
        is_used = depth > 0 if masks is None else (depth > 0) & (masks[i][rows[:, None], columns] > 0.5)
        r, c = np.nonzero(is_used)
        pixels = np.stack([columns[c], rows[r]], 1) + 0.5
        in_cam = np.ones((len(pixels), 3))
        in_cam[:, :2] = (pixels - views.cameras.center[i]) / views.cameras.focal[i]
        in_cam *= depth[r, c][:, None]
        points = in_cam @ world_from_cam[i, :3, :3].T + world_from_cam[i, :3, 3]
        before, after = originals[i][rows[r], columns[c]], edited[i][rows[r], columns[c]]
        parts.append((points, before, after, np.full(len(r), weights[i], np.float32), np.full(len(r), i)))
    return _Samples(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _grids(points: NDArray[np.float64], cells: Sequence[int]) -> list[_Grid]:
    """From coarse to fine, about most of the points."""
    if not len(points):
        points = np.array([[0.0, 0, 0], [1, 1, 1]])
    low, high = np.quantile(points[:: max(1, len(points) // 50_000)], [OUTER, 1 - OUTER], axis=0)
    least = max(float((high - low).max()), 1e-6) * 1e-3
    return [_grid(low, np.maximum(high, low + least), count) for count in cells]


def _grid(low: NDArray[np.float64], high: NDArray[np.float64], cells: int) -> _Grid:
    """world_from_map and the number of cells of each axis. The box lies in the middle of the grid."""
    extent = high - low
    size = float(extent.max()) / cells
    counts = np.ceil(extent / size - 1e-9).astype(int) + 2 * MARGIN
    world_from_map = np.diag([size, size, size, 1.0])
    world_from_map[:3, 3] = (low + high) / 2 - size * (counts - 1) / 2
    return world_from_map, (int(counts[0]), int(counts[1]), int(counts[2]))


def _whole(samples: _Samples) -> Float:
    """(1, 1, 1, 12) one robust map for all."""
    x = np.concatenate([samples.before, np.ones((len(samples.before), 1), np.float32)], 1)
    change, weight = samples.after - samples.before, samples.weights
    found = np.zeros((4, 3))
    for _ in range(4):
        weighed = x * weight[:, None]
        found = np.linalg.solve(weighed.T @ x + 1e-3 * np.eye(4), weighed.T @ change)
        residual = np.abs(x @ found.astype(np.float32) - change).mean(1)
        weight = samples.weights / (1 + (residual / SPREAD) ** 2)
    return np.asarray(found.T.reshape(1, 1, 1, 12), np.float32)


def _resampled(
    color_map: Float, coarse: NDArray[np.float64], fine: NDArray[np.float64], shape: tuple[int, int, int]
) -> Float:
    """A coarse map read at the cells of a finer grid; coarse, fine: their world_from_map."""
    coarse_from_fine = np.linalg.inv(coarse) @ fine
    cells = np.stack(np.meshgrid(*(np.arange(count) for count in shape), indexing="ij"), -1).reshape(-1, 3)
    places = cells @ coarse_from_fine[:3, :3].T + coarse_from_fine[:3, 3]
    return np.asarray(read_at(color_map, places.astype(np.float32))).reshape(*shape, 12)


def _solved(places: Float, samples: _Samples, weights: Float, parent: Float, stiffness: Stiffness) -> Float:
    """Ridge regression in each cell on the samples in and about it, drawn to the coarser map.

    stiffness: what that is worth, as a share of the cell's samples, and in samples."""
    sums = np.zeros((*parent.shape[:3], 23), np.float32)
    accumulate(places, samples.before, samples.after, weights, sums)
    for axis in range(3):
        sums = ndimage.convolve1d(sums, [0.25, 0.5, 0.25], axis=axis, mode="constant")
    flat = sums.reshape(-1, 23).astype(np.float64)
    squares = flat[:, _SQUARES].reshape(-1, 4, 4)
    products = flat[:, 10:22].reshape(-1, 4, 3)
    pull = (stiffness[0] * flat[:, 22] + stiffness[1])[:, None, None]
    coarse = parent.reshape(-1, 3, 4).transpose(0, 2, 1).astype(np.float64)
    found = np.linalg.solve(squares + pull * np.eye(4), products + pull * coarse)
    return np.ascontiguousarray(found.transpose(0, 2, 1).reshape(parent.shape), np.float32)


_SQUARES = np.array([0, 1, 2, 3, 1, 4, 5, 6, 2, 5, 7, 8, 3, 6, 8, 9])  # of (r, g, b, 1), the upper triangle


def _told(color_map: Float, world_from_map: NDArray[np.float64], samples: _Samples, count: int, stiffness: Stiffness) -> EditField:  # fmt: skip
    """The field with what it says of each view."""
    places = samples.places(world_from_map)
    left = residuals(places, samples.before, samples.after, color_map)
    mapped = np.empty_like(samples.before)
    apply_at(places, samples.before, color_map, mapped)
    wanted, shown = mapped - samples.before, samples.after - samples.before
    columns = left, (wanted * shown).mean(1), (wanted * wanted).mean(1), ((shown - wanted) ** 2).mean(1)
    number = np.maximum(np.bincount(samples.views, minlength=count), 1)
    residual, *powers = (np.bincount(samples.views, column, count) / number for column in columns)
    return EditField(color_map, world_from_map, residual.astype(np.float32), strengths_of(*powers), stiffness)


def _camera(
    views: DepthViews, index: int, world_from_map: NDArray[np.float64]
) -> tuple[Float, NDArray[np.float32]]:
    """(4,) focal length and centre, and (3, 4) from camera axes to numbers of cells."""
    lens = np.concatenate([views.cameras.focal[index], views.cameras.center[index]]).astype(np.float32)
    map_from_cam = np.linalg.inv(world_from_map) @ views.cameras.world_from_cam[index]
    return lens, np.ascontiguousarray(map_from_cam[:3], np.float32)
