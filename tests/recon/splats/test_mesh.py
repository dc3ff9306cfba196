"""Meshes of Gaussians whose surface is a formula."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recon.errors import InputError
from recon.mesh_topology import edge_table, vertex_components
from recon.splats import MESH
from recon.splats.surface_depth import surface_depth
from recon.splats.viewpoints import content_ball, find_viewpoints
from render.frame import Frame
from render.gaussians import GaussianCloud
from render.transforms import Similarity3
from tests.recon.splats.scenes import covered_sphere, drive

MIDDLE, RADIUS = np.array([1.0, 2.0, 3.0]), 0.7
SMALL = {"resolution": 48, "image_size": 128, "views": 32}


def with_more(cloud: GaussianCloud, other: GaussianCloud) -> GaussianCloud:
    names = ("means", "quats", "log_scales", "opacity_logits", "sh")
    return GaussianCloud(
        *(np.concatenate([getattr(each, name) for each in (cloud, other)]) for name in names)
    )


def off_sphere(mesh) -> np.ndarray:
    return np.linalg.norm(mesh.vertices - MIDDLE, axis=1) - RADIUS


def test_a_covered_sphere_becomes_a_closed_coloured_sphere_within_one_percent():
    cloud = replace(covered_sphere(), frame=Frame("+Y", "m"))
    result, _ = drive(MESH, {"cloud": cloud}, **SMALL)
    (output,) = result.outputs
    mesh = output.data
    assert mesh.frame == cloud.frame
    assert np.abs(off_sphere(mesh)).mean() < 0.008 * RADIUS and np.abs(off_sphere(mesh)).max() < 0.04 * RADIUS
    pieces = vertex_components(len(mesh.vertices), edge_table(mesh.faces))
    assert len(np.unique(pieces)) == 1
    assert mesh.area == pytest.approx(4 * np.pi * RADIUS**2, rel=0.03), "nothing is missing"
    outward = (mesh.vertices[mesh.faces].mean(1) - MIDDLE) / RADIUS
    assert ((mesh.face_cross_products * outward).sum(1) > 0).mean() > 0.999, "faces look outward"
    expected = 0.5 + 0.28209 * 0.8 * (mesh.vertices - MIDDLE) / RADIUS
    assert np.abs(mesh.colors / 255 - np.clip(expected, 0, 1)).mean() < 0.02
    assert result.figures["looked_from"] == "around" and result.figures["triangles"] == len(mesh.faces)


def test_the_depth_of_a_slanted_disc_is_that_of_its_plane_not_of_its_centre():
    turn = np.array([np.cos(np.pi / 6), np.sin(np.pi / 6), 0, 0])  # 60 degrees about x
    disc = GaussianCloud([[0, 0, 4]], [turn], np.log([[0.5, 0.5, 0.001]]), [8.0], np.zeros((1, 1, 3)))
    found = surface_depth(disc, np.eye(4), (100, 100), (32, 32), (64, 64))
    normal = np.array([0, -np.sin(np.pi / 3), np.cos(np.pi / 3)])
    y, x = np.nonzero(found.alpha > 0.6)
    rays = np.stack([(x + 0.5 - 32) / 100, (y + 0.5 - 32) / 100, np.ones(len(x))], 1)
    expected = normal[2] * 4 / (rays @ normal)
    assert len(x) > 100 and np.ptp(expected) > 0.3
    assert np.abs(found.depth[y, x] - expected).max() < 1e-3
    assert found.is_seen.all()


@pytest.mark.parametrize("wish", ["median", "expected"])
def test_the_depth_before_a_farther_sheet_is_the_nearer_ones(wish):
    logits = [6.0, 6.0]
    sheets = GaussianCloud(
        [[0, 0, 2], [0, 0, 5]],
        np.tile([1, 0, 0, 0], (2, 1)),
        np.log([[2, 2, 0.01]] * 2),
        logits,
        np.zeros((2, 1, 3)),
    )
    found = surface_depth(sheets, np.eye(4), (50, 50), (16, 16), (32, 32), wish)
    assert found.depth[16, 16] == pytest.approx(2, abs=0.02)
    assert found.alpha[16, 16] > 0.99
    assert found.is_seen.tolist() == [True, False]


def test_far_outliers_and_faint_haze_change_neither_where_to_look_nor_the_mesh():
    rng = np.random.default_rng(0)
    sphere, count = covered_sphere(), 40
    far = GaussianCloud(
        MIDDLE + rng.normal(size=(count, 3)) * 80, np.tile([1, 0, 0, 0], (count, 1)),
        np.full((count, 3), np.log(0.05)), np.full(count, 2.0), np.zeros((count, 1, 3)),
    )  # fmt: skip
    haze = replace(far, means=(MIDDLE + rng.normal(size=(count, 3))).astype(np.float32),
                   opacity_logits=np.full(count, -5, np.float32))  # fmt: skip
    dirty = with_more(with_more(sphere, far), haze)
    middle, radius = content_ball(dirty)
    assert np.linalg.norm(middle - MIDDLE) < 0.1 and RADIUS * 0.9 < radius < RADIUS * 1.6
    mesh = drive(MESH, {"cloud": dirty}, **SMALL)[0].outputs[0].data
    assert np.abs(off_sphere(mesh)).mean() < 0.01 * RADIUS
    assert len(np.unique(vertex_components(len(mesh.vertices), edge_table(mesh.faces)))) == 1


def test_a_background_of_few_but_huge_splats_is_no_content():
    rng = np.random.default_rng(3)
    sphere, count = covered_sphere(), 200
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    shell = GaussianCloud(
        MIDDLE + directions * RADIUS * rng.uniform(6, 40, (count, 1)), np.tile([1, 0, 0, 0], (count, 1)),
        np.full((count, 3), np.log(3 * RADIUS)), np.full(count, 3.0), np.zeros((count, 1, 3)),
    )  # fmt: skip
    dirty = with_more(sphere, shell)
    middle, radius = content_ball(dirty)
    assert np.linalg.norm(middle - MIDDLE) < 0.2 * RADIUS and RADIUS * 0.9 < radius < RADIUS * 2
    mesh = drive(MESH, {"cloud": dirty}, **SMALL)[0].outputs[0].data
    assert np.abs(off_sphere(mesh)).mean() < 0.01 * RADIUS


def test_a_room_is_looked_at_from_inside():
    rng = np.random.default_rng(0)
    walls = []
    for axis in range(3):
        for side in (-1.0, 1.0):
            places = rng.uniform(-1, 1, (900, 3))
            places[:, axis] = side
            walls.append(places)
    boxes = rng.uniform(-0.9, 0.9, (60, 1, 3)) + rng.normal(size=(60, 40, 3)) * 0.02  # things in the room
    means = np.concatenate([*walls, boxes.reshape(-1, 3)]) * [3, 2, 1.2] + [10, -4, 1]
    count = len(means)
    sizes = np.log(np.where(np.arange(count)[:, None] < 5400, 0.15, 0.04) * np.ones((1, 3)))
    cloud = GaussianCloud(
        means, np.tile([1, 0, 0, 0], (count, 1)), sizes, np.full(count, 3.0),
        np.zeros((count, 1, 3)),
    )  # fmt: skip
    found = find_viewpoints(cloud, 40, 64)
    assert found.is_inside and len(found.cameras) >= 30
    assert (np.abs((found.cameras.positions - [10, -4, 1]) / [3, 2, 1.2]) < 1).all()


def test_the_mesh_moves_and_grows_with_the_splats():
    b_from_a = Similarity3(np.eye(3), np.array([1000.0, -50, 3]), 25.0)
    moved = covered_sphere().transformed(b_from_a, Frame())
    mesh = drive(MESH, {"cloud": moved}, **SMALL)[0].outputs[0].data
    away = np.linalg.norm(mesh.vertices - b_from_a.apply(MIDDLE), axis=1)
    assert np.abs(away / (25 * RADIUS) - 1).mean() < 0.008


def test_splats_that_show_nothing_are_refused():
    invisible = replace(covered_sphere(50), opacity_logits=np.full(50, -9, np.float32))
    with pytest.raises(InputError, match="all are transparent"):
        drive(MESH, {"cloud": invisible}, **SMALL)
    with pytest.raises(InputError, match="no splats"):
        drive(MESH, {"cloud": invisible.subset(np.zeros(50, bool))}, **SMALL)
