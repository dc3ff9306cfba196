"""The depth cues of all views at once: by sparse points, by the slopes that normals tell, and by each other.

Points alone say nothing of a blank ceiling when they all lie at the bottom of the picture: the line through them, drawn
on, is off by a quarter. Normals tell how depth climbs from there, and views that see the same surface must put it at
the same place. Together they are one sparse least-squares problem in each view's scale, shift and smooth warp.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.cues.alignment import (
    INLIER_TOLERANCE,
    AlignedDepth,
    ReadDepth,
    apply_line,
    fit_view,
    gather,
    nearest_in_cells,
    observed_points,
    project,
    values_at,
)
from recon.cues.joint_kernels import add_matches, add_rows, count_matches
from recon.cues.joint_solve import solve_coupled
from recon.cues.joint_views import STEEP, JointViews, ReadNormals
from recon.cues.robust_fit import LineFit
from recon.cues.warp import WarpGrid
from render.images import PosedImages

GATES = (0.3, 0.2, 0.13, 0.09, 0.06)  # of the distance: how far views may be apart, a round each
POINT_NOISE = 0.01  # of the logarithm of depth: what a sparse point is off without being wrong
PAIR_NOISE = 0.03  # the same of two views at one place, which are wrong alike in patches
TILT = 0.08  # radians: normals
NUM_PARTNERS = 12  # views that a view is compared with
EVERY = 7  # n-th point of the lattice tells which
MIN_MATCHES = 4  # of these
BROKEN = 0.3  # of the depth, within 5 x 5 pixels: beyond, normals do not tell how depth climbs
LOOSE = (1.0, 0.5)  # how far scale and shift may move in a round, as shares
SCALE, SHIFT, WARP = 0, 1, 2  # places among the unknowns of a view


def align_jointly(
    posed: PosedImages,
    aligned: AlignedDepth,
    read: ReadDepth,
    read_normals: ReadNormals | None = None,
    is_scale_fixed: bool = True,
) -> AlignedDepth:
    """The depths of `aligned` brought to agree with each other, and with points and normals, times a smooth factor.

    read: the stored depth of view i, as for `align_depth`. read_normals: unit normals (H, W, 3) of view i in OpenCV's
    camera axes, NaN unknown; without, those of the depth itself tell only which views see the same surface. Views
    that were not aligned are seated by what the others see, where these suffice. is_scale_fixed: as for `align_depth`.
    """
    joint = _JointAlignment(posed, aligned, read, read_normals, is_scale_fixed)
    for gate in GATES:
        joint.seat_others()
        joint.improve(gate)
    return joint.result()


def normals_reader(posed: PosedImages, size: tuple[int, int]) -> ReadNormals | None:
    """Reads view i's normals (H, W, 3) at `size` from its file, all NaN where it has none; None without any."""
    from recon.formats.pixels import read_normals

    cues = posed.normals
    if cues is None or not any(cues.paths):
        return None

    def read(i: int) -> NDArray[np.float32]:
        if not cues.paths[i]:
            return np.full((size[1], size[0], 3), np.nan, np.float32)
        return read_normals(posed, i, size)

    return read


class _JointAlignment:
    """The unknowns of N views, and the equations for them from a lattice of S points in each picture.

    log z = log(scale * stored + shift) + warp, minus the logarithm for disparity. line: (N, 2) scale and shift. warp:
    (N, M) at the nodes of a WarpGrid. The unknowns of one round are small changes x (N, U): x[0] the relative change
    of scale and shift together, x[1] of the shift alone as a share of the line's middle, x[2:] of the warp.
    """

    def __init__(
        self,
        posed: PosedImages,
        aligned: AlignedDepth,
        read: ReadDepth,
        read_normals: ReadNormals | None,
        is_scale_fixed: bool,
    ) -> None:
        self.posed, self.aligned, self.read = posed, aligned, read
        self.kind = aligned.kind
        self.is_line_fixed = self.kind == "metric" and is_scale_fixed
        self.sign = -1.0 if self.kind == "disparity" else 1.0
        self.views = JointViews(posed, aligned.size, read, read_normals)
        self.cameras = self.views.cameras
        self.grid = WarpGrid(aligned.size[::-1])
        self.nodes, self.shares = self.grid.bilinear(self.views.pixels)
        self.num_unknowns = WARP + self.grid.num_nodes
        self.prior = self._prior()
        self.line = np.stack([aligned.scale, aligned.shift], 1)
        self.warp = np.zeros((len(posed), self.grid.num_nodes))
        self.is_seated = aligned.is_aligned.copy()
        self.reasons = list(aligned.reasons)
        for i in range(len(posed)):
            self._look_at(i)

    def _prior(self) -> NDArray[np.float64]:
        """(U, U) inverse covariance of the changes in a round; of the warp, of all of it."""
        prior = np.zeros((self.num_unknowns, self.num_unknowns))
        prior[SCALE, SCALE], prior[SHIFT, SHIFT] = (1 / np.array(LOOSE)) ** 2
        prior[WARP:, WARP:] = self.grid.precision
        return prior

    def _look_at(self, i: int) -> None:
        self.views.look_at(i, self._fit(i) if self.is_seated[i] else None, self.kind)

    def _fit(self, i: int) -> LineFit:
        return LineFit(float(self.line[i, 0]), float(self.line[i, 1]), 0.0, 0.0, 0)

    def _lines(self) -> NDArray[np.float64]:
        """(N, S) scale * stored + shift; NaN where that is no depth, and in views that are not seated."""
        lines = self.line[:, :1] * self.views.stored + self.line[:, 1:]
        return np.where((lines > 0) & self.is_seated[:, None], lines, np.nan)

    def _log_depth(self, lines: NDArray[np.float64]) -> NDArray[np.float64]:
        warp = (self.warp[:, self.nodes] * self.shares).sum(-1)
        return np.asarray(self.sign * np.log(lines) + warp, np.float64)

    def _coefficients(
        self, share_of_middle: NDArray[np.float64], shares: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(..., 6): by how much log z changes with scale, shift and four nodes. share_of_middle: (...) the line."""
        free = 0.0 if self.is_line_fixed else self.sign
        no_shift = self.is_line_fixed or self.kind == "metric"
        of_shift = np.zeros_like(share_of_middle) if no_shift else free / share_of_middle
        of_line = np.stack([np.full_like(share_of_middle, free), of_shift], -1)
        return np.concatenate([of_line, np.broadcast_to(shares, (*share_of_middle.shape, 4))], -1)

    def seat_others(self) -> None:
        """Views that points did not align: by the nearest surfaces that others see there, facing as their normals say."""
        is_waiting = ~self.is_seated & np.isfinite(self.views.stored).any(1)
        waiting = np.nonzero(is_waiting)[0].tolist()
        if not waiting:
            return
        depth = np.exp(self._log_depth(self._lines()))
        points = self.cameras.positions[:, None] + self.views.directions * depth[..., None]
        points = points[np.isfinite(points).all(-1) & (self.views.relief < STEEP)]
        for i in waiting:
            pixels, z = project(self.cameras, i, points)
            if not len(z):
                continue
            kept = nearest_in_cells(pixels, z)
            fit = fit_view(self.read(i), pixels[kept], z[kept], self.kind)
            if fit.reason:
                continue
            self.line[i] = fit.scale, fit.shift
            self.is_seated[i], self.reasons[i] = True, ""
            self._look_at(i)

    def improve(self, gate: float) -> None:
        """One round of Gauss and Newton, the views' neighbours found anew within `gate` of their distance."""
        lines = self._lines()
        middle = np.array([np.nanmedian(line) if np.isfinite(line).any() else 1.0 for line in lines])
        coefficients = self._coefficients(lines / middle[:, None], self.shares)
        log_depth = self._log_depth(lines)
        own = np.tile(self.prior, (len(lines), 1, 1))
        right = np.zeros((len(lines), self.num_unknowns))
        right[:, WARP:] = -self.warp @ self.grid.precision
        for i in np.nonzero(self.is_seated)[0].tolist():
            self._add_points(i, middle[i], gate, own[i], right[i])
            self._add_steps(i, log_depth[i], coefficients[i], own[i], right[i])
        pairs, cross = self._add_pairs(log_depth, coefficients, gate, own, right)
        change = solve_coupled(own, pairs, cross, right)
        self._move(change, middle)

    def _add_points(
        self, i: int, middle: float, gate: float, own: NDArray[np.float64], right: NDArray[np.float64]
    ) -> None:
        pixels, z, stored = self.views.points[i]
        line = self.line[i, 0] * stored + self.line[i, 1]
        usable = line > 0
        nodes, shares = self.grid.bilinear(pixels[usable])
        log_depth = self.sign * np.log(line[usable]) + (self.warp[i][nodes] * shares).sum(1)
        residual = np.log(z[usable]) - log_depth
        weights = 1 / (1 + (residual / max(3 * POINT_NOISE, gate / 3)) ** 2) / POINT_NOISE**2
        add_rows(
            _unknowns(nodes), self._coefficients(line[usable] / middle, shares), residual, weights, own, right
        )

    def _add_steps(
        self,
        i: int,
        log_depth: NDArray[np.float64],
        coefficients: NDArray[np.float64],
        own: NDArray[np.float64],
        right: NDArray[np.float64],
    ) -> None:
        steps = self.views.steps[i]
        if steps is None:
            return
        residual = steps.climb - (log_depth[steps.end] - log_depth[steps.start])
        is_whole = self.views.relief[i] < BROKEN
        kept = np.isfinite(residual) & is_whole[steps.start] & is_whole[steps.end]
        start, end, residual = steps.start[kept], steps.end[kept], residual[kept]
        cut = 3 * steps.error[kept] + POINT_NOISE
        weights = 1 / (1 + (residual / cut) ** 2) / steps.deviation[kept] ** 2
        index = _unknowns(self.nodes)
        both = np.concatenate([index[end], index[start]], 1)
        rows = np.concatenate([coefficients[end], -coefficients[start]], 1)
        add_rows(both, rows, residual, weights, own, right)

    def _add_pairs(
        self,
        log_depth: NDArray[np.float64],
        coefficients: NDArray[np.float64],
        gate: float,
        own: NDArray[np.float64],
        right: NDArray[np.float64],
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Returns the pairs (P, 2) of views that see the same, and what couples their unknowns (P, U, U)."""
        views, cameras = self.views, self.cameras
        along = views.directions * np.exp(log_depth)[..., None]
        points = cameras.positions[:, None] + along
        is_good = np.isfinite(points).all(-1) & np.isfinite(views.normals).all(-1) & (views.relief < STEEP)
        seen = (
            points, along, views.normals, is_good, np.ascontiguousarray(cameras.cam_from_world[:, :3]),
            np.concatenate([cameras.focal, cameras.center], 1), views.step, len(views.columns), len(views.rows), gate,
        )  # fmt: skip
        pairs = self._partners(seen)
        cross = np.zeros((len(pairs), self.num_unknowns, self.num_unknowns), np.float32)
        cut = max(0.02, 0.3 * gate)
        for pair, (i, j) in enumerate(pairs):
            how = PAIR_NOISE, TILT, cut, _unknowns(self.nodes), coefficients
            add_matches(i, j, *seen, *how, own, cross[pair], right)
        return pairs, cross

    def _partners(self, seen: tuple[Any, ...]) -> NDArray[np.int64]:
        """(P, 2) each view with those that share most of its surface."""
        pairs = []
        for i in np.nonzero(self.is_seated)[0].tolist():
            counts = np.zeros(len(self.line), np.int64)
            count_matches(*(i, EVERY, *seen, counts))
            best = np.argsort(-counts, kind="stable")[:NUM_PARTNERS]
            pairs += [(i, j) for j in best if counts[j] >= MIN_MATCHES]
        return np.array(pairs, np.int64).reshape(-1, 2)

    def _move(self, change: NDArray[np.float64], middle: NDArray[np.float64]) -> None:
        seated = self.is_seated
        grown = 1 + np.clip(change[:, SCALE], -0.5, 0.5)
        if not self.is_line_fixed:
            self.line[seated] *= grown[seated, None]
        if self.kind != "metric":
            self.line[seated, 1] += (change[:, SHIFT] * middle)[seated]
        self.warp[seated] += change[seated, WARP:]

    def result(self) -> AlignedDepth:
        """The whole pictures."""
        depth = self.aligned.depth.copy()
        fits = []
        for i in range(len(self.line)):
            num_points = int(self.aligned.num_points[i])
            if not self.is_seated[i]:
                fits.append(LineFit.failed(self.reasons[i], num_points))
                continue
            warp = np.exp(self.grid.field(self.warp[i]))
            depth[i] = apply_line(self.read(i), self._fit(i), self.kind) * warp
            inliers, residual = self._fitness(i, depth[i])
            fit = replace(self._fit(i), inliers=inliers, residual=residual, num_points=num_points)
            fits.append(fit)
        return gather(depth, fits, self.kind)

    def _fitness(self, i: int, depth: NDArray[np.float32]) -> tuple[float, float]:
        """Share of the view's points within 10 %, and the median relative error at them."""
        pixels, z = observed_points(self.posed, self.cameras, i)
        error = np.abs(values_at(depth, pixels) / z - 1)
        error = error[np.isfinite(error)]
        if not len(error):
            return 0.0, float("nan")
        return float((error < INLIER_TOLERANCE).mean()), float(np.median(error))


def _unknowns(nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    """(K, 6) places of scale, shift and the four nodes (K, 4) among the unknowns of a view."""
    first = np.broadcast_to(np.array([SCALE, SHIFT]), (len(nodes), 2))
    return np.concatenate([first, WARP + nodes], 1)
