"""Depth cues of all views brought to agree: by points, by normals and by each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recon.cues.alignment import align_depth
from recon.cues.depth_steps import depth_steps
from recon.cues.joint_alignment import align_jointly
from recon.cues.joint_kernels import add_matches, add_rows
from recon.cues.warp import WarpGrid
from render.images import DepthCues, PosedImages
from tests.synthetic_room import RoomScene, make_room

SIZE = (96, 72)
KINDS = ["depth", "disparity", "metric"]


@pytest.fixture(scope="module")
def room() -> RoomScene:
    return make_room(10, *SIZE, num_points=900)


def scene(room: RoomScene, kind: str = "depth") -> PosedImages:
    return replace(room.posed, depth=DepthCues(tuple(map(str, range(len(room.depth)))), kind))


def with_points_on_the_floor(posed: PosedImages) -> PosedImages:
    """Only points on the floor are known, and not exactly."""
    rng = np.random.default_rng(0)
    points, seen = posed.points, posed.observations
    assert points is not None and seen is not None
    noisy = replace(points, points=points.points + rng.normal(0, 0.02, points.points.shape))
    return replace(posed, points=noisy, observations=seen[points.points[seen[:, 1], 2] < 0.02])


def with_points_at_its_feet(posed: PosedImages, i: int) -> PosedImages:
    """View i sees only the nearest fifth of its points, and these not exactly."""
    rng = np.random.default_rng(i)
    points, seen = posed.points, posed.observations
    assert points is not None and seen is not None
    pose = posed.cameras.cam_from_world[i]
    z = (points.points @ pose[:3, :3].T + pose[:3, 3])[:, 2]
    mine = seen[seen[:, 0] == i]
    near = mine[z[mine[:, 1]] < np.quantile(z[mine[:, 1]], 0.2)]
    noisy = replace(points, points=points.points + rng.normal(0, 0.04, points.points.shape))
    return replace(posed, points=noisy, observations=near)


def cues(room: RoomScene, kind: str, amplitude: float = 0.0) -> np.ndarray:
    """Stored numbers with a scale and a shift of each view's own, bent smoothly by `amplitude`."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[: SIZE[1], : SIZE[0]] / SIZE[0]
    bent = []
    for depth in room.depth:
        phase = rng.uniform(0, 2 * np.pi, 2)
        warp = np.exp(amplitude * np.sin(5 * x + phase[0]) * np.cos(5 * y + phase[1]))
        line = 1 / (depth * warp) if kind == "disparity" else depth * warp
        scale, shift = (1, 0) if kind == "metric" else (rng.uniform(0.5, 2), rng.uniform(-0.2, 1.0))
        bent.append((line - shift) / scale)
    return np.stack(bent).astype(np.float32)


def error(depth: np.ndarray, room: RoomScene) -> float:
    return float(np.nanmedian(np.abs(depth / room.depth - 1)))


def is_high(room: RoomScene, i: int) -> np.ndarray:
    """Where view i sees the walls' upper part or the ceiling."""
    cameras = room.posed.cameras
    y, x = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
    in_cam = np.stack([x, y, np.ones_like(x)], -1)
    in_cam[..., :2] = (in_cam[..., :2] - cameras.center[i]) / cameras.focal[i]
    in_world = (in_cam * room.depth[i][..., None]) @ cameras.world_from_cam[i, :3, :3].T
    return in_world[..., 2] + cameras.positions[i, 2] > 1.4


@pytest.mark.parametrize("kind", KINDS)
def test_exact_cues_stay_where_they_are(room, kind) -> None:
    stored = cues(room, kind)
    aligned = align_depth(scene(room, kind), SIZE, lambda i: stored[i])
    joint = align_jointly(
        scene(room, kind), aligned, lambda i: stored[i], lambda i: room.normals[i].astype(np.float32)
    )
    assert joint.is_aligned.all() and error(joint.depth, room) < 0.003
    assert (joint.num_points == aligned.num_points).all() and joint.inliers.min() > 0.95


def test_a_view_with_points_only_at_its_feet_is_aligned_by_its_normals(room) -> None:
    """The line through points of almost one depth may tilt as it likes; normals tell how depth climbs from there."""
    stored = cues(room, "depth")
    off_blind, off_seeing = [], []
    for i in range(10):
        posed = with_points_at_its_feet(scene(room), i)
        view = posed.select(np.array([i]))
        read, normals = (lambda _, i=i: stored[i]), (lambda _, i=i: room.normals[i].astype(np.float32))
        aligned = align_depth(view, SIZE, read)
        high = is_high(room, i)
        for normals_read, found in ((None, off_blind), (normals, off_seeing)):
            depth = align_jointly(view, aligned, read, normals_read).depth[0]
            found.append(abs(float(np.nanmedian((depth / room.depth[i])[high])) - 1))
    assert np.mean(off_seeing) < 0.02 and np.mean(off_seeing) < 0.5 * np.mean(off_blind)


@pytest.mark.parametrize("kind", KINDS)
def test_views_that_are_bent_smoothly_straighten_each_other(room, kind) -> None:
    stored = cues(room, kind, amplitude=0.05)
    posed = with_points_on_the_floor(scene(room, kind))
    aligned = align_depth(posed, SIZE, lambda i: stored[i])
    joint = align_jointly(posed, aligned, lambda i: stored[i])
    assert error(joint.depth, room) < 0.6 * error(aligned.depth, room)


def test_views_without_points_are_seated_by_what_the_others_see(room) -> None:
    posed, stored = scene(room), cues(room, "depth", amplitude=0.02)
    posed = replace(posed, observations=posed.observations[posed.observations[:, 0] % 4 != 3])
    aligned = align_depth(posed, SIZE, lambda i: stored[i])
    assert not aligned.is_aligned[[3, 7]].any()
    joint = align_jointly(posed, aligned, lambda i: stored[i])
    assert joint.is_aligned.all() and not any(joint.reasons)
    assert np.nanmedian(np.abs(joint.depth[[3, 7]] / room.depth[[3, 7]] - 1)) < 0.015


def test_a_view_that_fits_nothing_stays_out_and_says_why(room) -> None:
    posed, stored = scene(room), cues(room, "depth")
    posed = replace(posed, observations=posed.observations[posed.observations[:, 0] != 3])
    stored[3] = np.random.default_rng(0).random(stored[3].shape)
    aligned = align_depth(posed, SIZE, lambda i: stored[i])
    joint = align_jointly(posed, aligned, lambda i: stored[i])
    assert not joint.is_aligned[3] and joint.reasons[3] and np.isnan(joint.depth[3]).all()
    others = np.arange(10) != 3
    assert joint.is_aligned[others].all()
    assert np.nanmedian(np.abs(joint.depth / room.depth - 1)[others]) < 0.005


def test_steps_by_normals_are_those_of_the_depth(room) -> None:
    rows, columns = np.arange(2, SIZE[1], 4), np.arange(2, SIZE[0], 4)
    lens = room.posed.cameras.focal[0], room.posed.cameras.center[0]
    steps = depth_steps(room.normals[0].astype(np.float32), *lens, rows, columns)
    on_lattice = np.log(room.depth[0][np.ix_(rows, columns)].astype(np.float64)).ravel()
    off = np.abs(steps.climb - (on_lattice[steps.end] - on_lattice[steps.start]))
    # Those across an edge of the ball or of the step are wrong, as they must be.
    assert len(steps.climb) > 700 and np.median(off) < 1e-3 and (off < 5e-3).mean() > 0.85
    unknown = room.normals[0].astype(np.float32).copy()
    unknown[:, 40:44] = np.nan
    fewer = depth_steps(unknown, *lens, rows, columns)
    assert len(fewer.climb) < len(steps.climb) and np.isfinite(fewer.climb).all()


def test_a_warp_is_found_through_scattered_samples_and_is_zero_without_any() -> None:
    rng = np.random.default_rng(3)
    grid = WarpGrid((120, 160))
    pixels = rng.random((400, 2)) * [160, 120]
    wave = lambda x, y: 0.03 * np.sin(x / 25) * np.cos(y / 30)  # noqa: E731
    matrix, right = grid.precision.copy(), np.zeros(grid.num_nodes)
    assert not grid.field(np.linalg.solve(matrix, right)).any()
    index, shares = grid.bilinear(pixels)
    add_rows(index, shares, wave(*pixels.T), np.full(400, 1e4), matrix, right)
    y, x = np.mgrid[:120, :160] + 0.5
    found = grid.field(np.linalg.solve(matrix, right))
    inside = np.s_[10:-10, 10:-10]
    assert np.abs(found - wave(x, y))[inside].mean() < 0.3 * np.abs(wave(x, y))[inside].mean()


def test_equations_of_matches_are_those_of_points_on_planes() -> None:
    """Two views of the plane z = 2, the second a little too far: against the sums written out."""
    rng = np.random.default_rng(0)
    step, width, height = 8, 12, 9
    x, y = np.meshgrid((np.arange(width) + 0.5) * step, (np.arange(height) + 0.5) * step)
    rays = np.stack([(x - 48) / 80, (y - 36) / 80, np.ones_like(x)], -1).reshape(-1, 3)
    centers = np.array([[0.0, 0, 0], [0.1, 0.05, 0]])
    along = np.stack([2.0 * rays, 2.06 * rays])
    points = centers[:, None] + along
    normals = np.tile([0.0, 0, -1], (2, len(rays), 1))
    from_world = np.stack([np.concatenate([np.eye(3), -center[:, None]], 1) for center in centers])
    nodes = rng.integers(0, 5, (len(rays), 3))
    coefficients = rng.normal(size=(2, len(rays), 3))
    own, cross, right = np.zeros((2, 5, 5)), np.zeros((5, 5), np.float32), np.zeros((2, 5))
    add_matches(
        0, 1, points, along, normals, np.ones((2, len(rays)), bool), from_world, np.tile([80.0, 80, 48, 36], (2, 1)),
        step, width, height, 0.2, 0.02, 0.0, 0.05, nodes, coefficients, own, cross, right,
    )  # fmt: skip
    pixel = 80 * (points[0, :, :2] - centers[1, :2]) / 2 + [48, 36]
    inside = ((pixel >= 0) & (pixel < [96, 72])).all(1)
    a = np.flatnonzero(inside)
    b = (pixel[inside, 1] // step * width + pixel[inside, 0] // step).astype(int)
    jacobian = np.zeros((len(a), 10))
    size = np.hypot(2, 2.06)
    for k in range(3):
        np.add.at(jacobian, (np.arange(len(a)), nodes[a, k]), -2 / size * coefficients[0, a, k])
        np.add.at(jacobian, (np.arange(len(a)), 5 + nodes[b, k]), 2.06 / size * coefficients[1, b, k])
    residual = -0.06 / size  # the first lies 6 cm before the second's plane
    weight = 1 / (1 + (residual / 0.05) ** 2) ** 2 / 0.02**2
    full = weight * jacobian.T @ jacobian
    assert np.allclose(own[0], full[:5, :5]) and np.allclose(own[1], full[5:, 5:])
    assert np.allclose(cross, full[:5, 5:], rtol=1e-4, atol=1e-3)
    assert np.allclose(right.ravel(), weight * residual * jacobian.sum(0))
