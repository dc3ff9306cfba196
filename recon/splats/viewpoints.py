"""Where to look at Gaussians from: from all around what they show, or from inside where that shows more of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from recon.errors import InputError
from recon.splats.surface_depth import surface_depth
from render.cameras import CameraSet
from render.gaussians import GaussianCloud

Float = NDArray[np.float64]

OPAQUE = 0.1  # opacity above which a Gaussian tells where the content is
OUTERMOST = 0.02  # share of the content on each side that may be anything
SPARSE = 4  # times as far from its neighbours as usual is not dense
NUM_SPACED, MOST_SPACED = 8, 50_000  # neighbours, and how many Gaussians are asked for theirs
BEYOND = 1.6  # radii of the content from which on nothing belongs to it
AROUND = 2.4  # radii of the content that outer cameras stand from its middle
OUTER_ANGLE = 0.9  # radians, of the outer cameras
FREE_TRIES = 600  # places inside that are tried
INSIDE_PLACES = 8
MORE_INSIDE = 1.1  # times as much must be seen from inside to look from there
DEPTH_SLACK, HALF = 0.01, 0.5  # of the depth; of the light
PROBE_SIZE = (96, 96)
PROBE_VIEWS = 24
INNER_VIEWS = 96


@dataclass(frozen=True)
class Viewpoints:
    """cameras: where to look from. nearest: z-depth in the world's unit before which nothing is to be drawn.
    is_inside: whether they stand amid the content."""

    cameras: CameraSet
    nearest: float
    is_inside: bool


def find_viewpoints(cloud: GaussianCloud, count: int, size: int) -> Viewpoints:
    """About `count` cameras of `size` by `size` pixels. Raises InputError for a cloud of nothing visible."""
    middle, radius = content_ball(cloud)
    outer = _outer_cameras(middle, radius, PROBE_VIEWS, PROBE_SIZE[0])
    from_outside = _seen_share(cloud, outer, (AROUND - 1.2) * radius)
    from_inside = 0.0
    if MORE_INSIDE * from_outside < 1:  # else even all would not be enough more
        inner = _inner_cameras(cloud, middle, radius, INNER_VIEWS, PROBE_SIZE[0])
        from_inside = _seen_share(cloud, inner, 0.01 * radius) if len(inner) else 0.0
    if from_inside > MORE_INSIDE * from_outside:
        return Viewpoints(_inner_cameras(cloud, middle, radius, count, size), 0.01 * radius, True)
    return Viewpoints(_outer_cameras(middle, radius, count, size), (AROUND - 1.2) * radius, False)


def content_ball(cloud: GaussianCloud) -> tuple[Float, float]:
    """Middle (3,) and radius of most of what is opaque, in the world's unit. Raises InputError where nothing is."""
    opaque = np.flatnonzero(cloud.opacities > OPAQUE)
    if not len(opaque):
        raise InputError("These splats show nothing: all are transparent.", "Choose others.")
    opaque = opaque[_is_near_the_dense(cloud.means[opaque].astype(np.float64))]
    means = cloud.means[opaque].astype(np.float64)
    weights = _areas(cloud)[opaque]
    middle = np.array([_quantile(means[:, axis], weights, 0.5) for axis in range(3)])
    low, high = (
        np.array([_quantile(means[:, axis], weights, share) for axis in range(3)])
        for share in (OUTERMOST, 1 - OUTERMOST)
    )
    middle = np.clip(middle, low + 0.3 * (high - low), high - 0.3 * (high - low))
    away = np.linalg.norm(means - middle, axis=1)
    radius = _quantile(away, weights, 1 - OUTERMOST)
    return middle, max(radius, float(np.median(cloud.scales)), 1e-9)


def content_of(cloud: GaussianCloud) -> GaussianCloud:
    """The cloud without what lies far beyond its content, such as a background that training has put there."""
    middle, radius = content_ball(cloud)
    return cloud.subset(np.linalg.norm(cloud.means - middle, axis=1) < BEYOND * radius)


def _is_near_the_dense(means: Float) -> NDArray[np.bool_]:
    """(N,) what is not far from where Gaussians stand close together: backgrounds are large and few, yet may cover
    as much as everything else."""
    some = means[:: max(1, len(means) // MOST_SPACED)]
    if len(some) <= NUM_SPACED:
        return np.ones(len(means), np.bool_)
    distances, _ = cKDTree(some).query(some, NUM_SPACED + 1)
    spacing = np.asarray(distances)[:, 1:].mean(1)
    dense = some[spacing <= SPARSE * np.median(spacing)]
    middle = np.median(dense, axis=0)
    reach = np.quantile(np.linalg.norm(dense - middle, axis=1), 1 - OUTERMOST)
    return np.asarray(np.linalg.norm(means - middle, axis=1) <= 2 * reach)


def _areas(cloud: GaussianCloud) -> Float:
    """(N,) how much each Gaussian can cover, without letting few huge ones decide."""
    largest = np.sort(cloud.scales.astype(np.float64), axis=1)[:, 1:].prod(1)
    return np.asarray(np.minimum(largest, np.quantile(largest, 0.9)) * cloud.opacities + 1e-30)


def _quantile(values: Float, weights: Float, share: float) -> float:
    order = np.argsort(values, kind="stable")
    ends = np.cumsum(weights[order])
    return float(values[order][min(np.searchsorted(ends, share * ends[-1]), len(values) - 1)])


def _outer_cameras(middle: Float, radius: float, count: int, size: int) -> CameraSet:
    """Spread evenly over a sphere, looking at its middle."""
    directions = _even_directions(count)
    places = middle + AROUND * radius * directions
    return _looking(places, -directions, size, OUTER_ANGLE)


def _inner_cameras(cloud: GaussianCloud, middle: Float, radius: float, count: int, size: int) -> CameraSet:
    """At free places amid the content, looking everywhere."""
    places = _free_places(cloud, middle, radius)
    if not len(places):
        return CameraSet(np.zeros((0, 4, 4)), np.zeros((0, 2)), np.zeros((0, 2)), np.zeros((0, 2), np.int64))
    each = max(6, count // len(places))
    places = places[: max(1, count // each)]
    directions = np.concatenate([_even_directions(each) for _ in places])
    return _looking(np.repeat(places, each, axis=0), directions, size, np.pi / 2)


def _free_places(cloud: GaussianCloud, middle: Float, radius: float) -> Float:
    """Up to a few places within the content that are far from all Gaussians and from each other."""
    opaque = cloud.opacities > OPAQUE
    means = cloud.means[opaque].astype(np.float64)
    rng = np.random.default_rng(0)
    low, high = np.quantile(means, [OUTERMOST, 1 - OUTERMOST], axis=0)
    tries = np.concatenate([middle[None], rng.uniform(low, high, (FREE_TRIES, 3))])
    room, nearest = cKDTree(means).query(tries)
    room = room - 2 * cloud.scales[opaque].max(1)[nearest]
    tries, room = tries[room > 0.05 * radius], room[room > 0.05 * radius]
    chosen: list[int] = []
    apart = np.full(len(tries), radius)
    for _ in range(min(INSIDE_PLACES, len(tries))):
        best = int(np.argmax(np.minimum(room, apart)))
        if chosen and apart[best] < 0.1 * radius:
            break
        chosen.append(best)
        apart = np.minimum(apart, np.linalg.norm(tries - tries[best], axis=1))
    found: Float = tries[chosen]
    return found


def _even_directions(count: int) -> Float:
    """Unit vectors (count, 3) spread evenly: a Fibonacci lattice."""
    k = np.arange(count) + 0.5
    z = 1 - 2 * k / count
    angle = np.pi * (1 + 5**0.5) * k
    side = np.sqrt(1 - z**2)
    return np.asarray(np.stack([side * np.cos(angle), side * np.sin(angle), z], 1))


def _looking(places: Float, directions: Float, size: int, angle: float) -> CameraSet:
    """Cameras at places (N, 3) that look along directions (N, 3), with an angle of view in radians."""
    helper = np.where(np.abs(directions[:, 2:]) < 0.9, np.array([[0.0, 0, 1]]), np.array([[0.0, 1, 0]]))
    right = np.cross(directions, helper)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    rotations = np.stack([right, np.cross(directions, right), directions], 1)
    poses = np.tile(np.eye(4), (len(places), 1, 1))
    poses[:, :3, :3] = rotations
    poses[:, :3, 3] = -(rotations @ places[..., None])[..., 0]
    focal = np.full((len(places), 2), size / 2 / np.tan(angle / 2))
    return CameraSet(
        poses, focal, np.full((len(places), 2), size / 2), np.full((len(places), 2), size, np.int64)
    )


def _seen_share(cloud: GaussianCloud, cameras: CameraSet, nearest: float) -> float:
    """Of the opaque Gaussians, whose centre lies on or before the surface of some picture."""
    opaque = cloud.subset(cloud.opacities > OPAQUE)
    sizes = opaque.scales.max(1).astype(np.float64)
    seen = np.zeros(len(opaque), bool)
    for i in range(len(cameras)):
        pose, focal, center = cameras.cam_from_world[i], cameras.focal[i], cameras.center[i]
        found = surface_depth(cloud, pose, focal, center, PROBE_SIZE, nearest=nearest)
        in_cam = opaque.means @ pose[:3, :3].T + pose[:3, 3]
        before = np.flatnonzero(in_cam[:, 2] > nearest)
        x, y = np.floor(in_cam[before, :2] / in_cam[before, 2:] * focal + center).astype(np.int64).T
        is_inside = (x >= 0) & (y >= 0) & (x < PROBE_SIZE[0]) & (y < PROBE_SIZE[1])
        rows, x, y = before[is_inside], x[is_inside], y[is_inside]
        is_surface = in_cam[rows, 2] <= found.depth[y, x] * (1 + DEPTH_SLACK) + sizes[rows]
        seen[rows[is_surface & (found.alpha[y, x] > HALF)]] = True
    return float(seen.mean()) if len(seen) else 0.0
