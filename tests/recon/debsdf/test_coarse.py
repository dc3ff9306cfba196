"""The coarse field: region, fusion, what cues have lost, and which cues to trust."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recon.cues.alignment import align_depth
from recon.debsdf.base import Base, build_base
from recon.debsdf.coarse import coarse_field, consistency_masks, rendered_depth
from recon.debsdf.region import find_region, region_of_matrix
from recon.debsdf.unexplained import Colors, unexplained_pixels
from recon.errors import InputError
from render.cameras import pixel_rays
from render.images import DepthCues
from tests.synthetic_room import ROOM, RoomScene, make_room, room_sdf

SIZE = (128, 96)
POLE, POLE_RADIUS, POLE_TOP = np.array([-0.5, -0.4]), 0.035, 1.6
STRIPE = np.array([40, 20, 25], np.uint8)


@pytest.fixture(scope="module")
def room() -> RoomScene:
    return make_room(20, *SIZE)


def metric(room: RoomScene):
    return replace(room.posed, depth=DepthCues(tuple(map(str, range(len(room.depth)))), "metric"))


def is_seen(room: RoomScene, points: np.ndarray) -> np.ndarray:
    """Which of the points (P, 3) in free space some view has before its surface."""
    seen = np.zeros(len(points), bool)
    for i in range(len(room.depth)):
        pose = room.posed.cameras.cam_from_world[i]
        in_cam = points @ pose[:3, :3].T + pose[:3, 3]
        z = np.maximum(in_cam[:, 2], 1e-6)
        u, v = (
            np.floor(in_cam[:, :2] / z[:, None] * room.posed.cameras.focal[i] + room.posed.cameras.center[i])
            .astype(int)
            .T
        )
        k = np.flatnonzero((in_cam[:, 2] > 0.2) & (u >= 0) & (v >= 0) & (u < SIZE[0]) & (v < SIZE[1]))
        seen[k[room.depth[i, v[k], u[k]] > z[k]]] = True
    return seen


def finished(steps) -> Base:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def with_pole(room: RoomScene) -> np.ndarray:
    """The photos with a dark pole in the room; the depth does not know of it."""
    rgb = room.rgb.copy()
    x, y = np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5)
    pixels = np.stack([x.ravel(), y.ravel()], 1)
    for i in range(len(rgb)):
        rays_o, rays_d = pixel_rays(room.posed.cameras, np.full(len(pixels), i), pixels)
        origin, direction = rays_o[:, :2] - POLE, rays_d[:, :2]
        a, b = (direction**2).sum(1), (origin * direction).sum(1)
        root = b * b - a * ((origin**2).sum(1) - POLE_RADIUS**2)
        t = (-b - np.sqrt(np.maximum(root, 0))) / a
        height = rays_o[:, 2] + t * rays_d[:, 2]
        z = t * (rays_d @ room.posed.cameras.cam_from_world[i, 2, :3])
        is_hit = (root > 0) & (t > 0) & (height < POLE_TOP) & (z < room.depth[i].ravel())
        rgb[i].reshape(-1, 3)[is_hit] = STRIPE
    return rgb


def test_the_region_holds_the_room_and_little_more(room) -> None:
    aligned = align_depth(metric(room), SIZE, lambda i: room.depth[i])
    region = find_region(room.posed, aligned)
    low, high = region.world_from_box.apply(region.bounds_in_box)
    assert (low < ROOM[0]).all() and (high[:2] > ROOM[1, :2]).all()  # the ceiling is hardly seen
    assert (low > ROOM[0] - 0.5).all() and (high < ROOM[1] + 0.5).all()
    assert np.abs(region.bounds_in_box).max() == pytest.approx(1)


def test_the_users_region_is_taken_as_it_is(room) -> None:
    angle = 0.3
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn * [2.0, 1.0, 0.5], [1, 2, 3]
    region = find_region(replace(room.posed, world_from_region=matrix))
    assert np.allclose(region.bounds_in_box[1], [1, 0.5, 0.25])
    corner = region.world_from_box.apply(region.bounds_in_box[1])
    assert np.allclose(corner, (matrix @ [1, 1, 1, 1])[:3])


def test_a_region_without_room_or_with_skew_is_refused() -> None:
    skewed = np.eye(4)
    skewed[0, 1] = 0.5
    for matrix in (np.diag([1.0, 0, 1, 1]), skewed):
        with pytest.raises(InputError):
            region_of_matrix(matrix)


def test_cameras_at_one_place_that_see_nothing_are_refused(room) -> None:
    one = room.posed.select(np.array([0]))
    with pytest.raises(InputError, match="one place"):
        find_region(replace(one, points=None, observations=None))


def test_exact_depth_gives_the_room_within_a_voxel(room) -> None:
    aligned = align_depth(metric(room), SIZE, lambda i: room.depth[i])
    region = find_region(room.posed, aligned)
    field = coarse_field(room.posed.cameras, aligned, region, 112)
    voxel = field.spacing * region.world_from_box.scale
    depth = rendered_depth(field, room.posed.cameras, region, SIZE)
    assert np.isfinite(depth).mean() > 0.99
    assert np.nanmedian(np.abs(depth - room.depth)) < 0.35 * voxel
    points = np.random.default_rng(0).uniform(ROOM[0] + 0.15, ROOM[1] - 0.15, (4000, 3))
    free = (room_sdf(points) > 3 * voxel) & is_seen(room, points)
    values = field.at(region.world_from_box.inverse.apply(points))
    assert free.sum() > 1000 and (values[free] > 0).mean() > 0.99


def test_what_only_one_view_sees_lies_where_it_sees_it(room) -> None:
    aligned = align_depth(metric(room), SIZE, lambda i: room.depth[i])
    alone = room.posed.select(np.array([0]))
    region = find_region(room.posed, aligned)
    only = replace(aligned, depth=aligned.depth[:1], is_aligned=aligned.is_aligned[:1])
    field = coarse_field(alone.cameras, only, region, 112)
    depth = rendered_depth(field, alone.cameras, region, SIZE)
    off = (depth[0] - room.depth[0]) / (field.spacing * region.world_from_box.scale)
    assert abs(np.nanmedian(off)) < 0.2 and np.nanquantile(np.abs(off), 0.8) < 1


def test_the_sdf_is_in_box_units_and_its_grid_where_it_says(room) -> None:
    aligned = align_depth(metric(room), SIZE, lambda i: room.depth[i])
    region = find_region(room.posed, aligned)
    field = coarse_field(room.posed.cameras, aligned, region, 96)
    index = np.array([30, 40, 20])
    place = field.low + field.spacing * index
    assert field.at(place[None])[0] == pytest.approx(field.sdf[tuple(index)], abs=1e-5)
    assert np.allclose(field.bounds_in_box[1], field.low + field.spacing * (np.array(field.sdf.shape) - 1))
    assert field.sdf.shape[0] >= 96 and field.sdf.shape[2] < 80  # the room is lower than long
    gradient = np.linalg.norm(np.stack(np.gradient(field.sdf, field.spacing)), axis=0)
    assert np.median(gradient) == pytest.approx(1, abs=0.15)


def test_a_pole_that_every_depth_cue_has_lost_is_found_by_its_colour(room) -> None:
    aligned = align_depth(metric(room), SIZE, lambda i: room.depth[i])
    region = find_region(room.posed, aligned)
    is_unexplained = unexplained_pixels(aligned.depth, Colors.of(with_pole(room)), room.posed.cameras)
    assert 0.001 < is_unexplained.mean() < 0.1
    along = np.concatenate([np.tile(POLE, (8, 1)), np.linspace(0.3, 1.3, 8)[:, None]], 1)
    in_box = region.world_from_box.inverse.apply(along)
    blind = coarse_field(room.posed.cameras, aligned, region, 128)
    seeing = coarse_field(room.posed.cameras, aligned, region, 128, is_unexplained)
    assert (blind.at(in_box) > 0).all()
    assert (seeing.at(in_box) < 0).mean() >= 0.75
    aside = in_box + np.array([0.35, 0.0, 0.0]) / region.world_from_box.scale
    assert (seeing.at(aside) > 0).all()


def test_photos_of_the_same_room_are_explained_by_its_depth(room) -> None:
    assert unexplained_pixels(room.depth, Colors.of(room.rgb), room.posed.cameras).mean() < 0.01


def test_photos_that_agree_nowhere_explain_nothing_away(room) -> None:
    noise = np.random.default_rng(0).integers(0, 255, room.rgb.shape).astype(np.uint8)
    flat = np.broadcast_to((np.arange(len(noise)) * 12).astype(np.uint8)[:, None, None, None], noise.shape)
    assert not unexplained_pixels(room.depth, Colors.of(np.ascontiguousarray(flat)), room.posed.cameras).any()


def test_cues_are_trusted_only_where_they_agree_with_the_whole(room) -> None:
    wrong = room.depth.copy()
    wrong[4, 30:50, 40:70] *= 0.7
    aligned = align_depth(metric(room), SIZE, lambda i: wrong[i])
    is_trusted = consistency_masks(aligned, room.depth, 0.1)
    assert not is_trusted[4, 29:51, 40:70].any() and not is_trusted[4, 40, 39]
    is_trusted[4, 29:51, 39:71] = True
    assert is_trusted.all()


def test_the_whole_base_comes_from_cues_of_unknown_scale_and_a_view_without_points(room) -> None:
    rng = np.random.default_rng(0)
    stored = (room.depth - rng.uniform(0, 0.5, (20, 1, 1))) / rng.uniform(1, 4, (20, 1, 1))
    stored = stored.astype(np.float32)
    seen = room.posed.observations
    posed = replace(metric(room), depth=DepthCues(("x",) * 20, "depth"), observations=seen[seen[:, 0] != 7])
    base = finished(build_base(posed, room.rgb, resolution=112, read=lambda i: stored[i]))
    assert base.aligned.is_aligned.all()
    assert np.median(np.abs(base.aligned.depth / room.depth - 1)) < 0.006
    assert base.is_trusted.mean() > 0.9 and base.is_unexplained.mean() < 0.02
    assert base.blur < 1


def test_without_any_alignable_depth_there_is_no_base(room) -> None:
    posed = replace(metric(room), depth=DepthCues(("x",) * 20, "depth"), points=None, observations=None)
    assert finished(build_base(posed, room.rgb, read=lambda i: room.depth[i])) is None
