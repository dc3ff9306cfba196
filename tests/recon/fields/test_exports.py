"""Fields as meshes and as splats: on the surface that they show, in its colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recon.errors import InputError, NoSurface
from recon.fields import MESH, SPLATS
from recon.method import RunContext
from render.cameras import CameraSet
from render.frame import Frame
from render.gaussians import GaussianCloud
from render.mesh import TriangleMesh
from render.radiance_field import RadianceField
from render.splat_pictures import splat_depth
from render.view_field import ViewField
from tests.recon.splats.scenes import drive

RADIUS, MIDDLE, AWAY = 1.0, np.array([1.0, 2.0, 3.0]), 4.0
SIZE = (40, 40)
FOCAL = 60.0
QUICK: dict[str, Any] = {"resolution": 40, "image_size": 40, "min_weight": 1.0}


def sphere_cameras(count: int = 14) -> CameraSet:
    """All around, looking at the middle."""
    k = np.arange(count) + 0.5
    z = 1 - 2 * k / count
    angle, side = np.pi * (1 + 5**0.5) * k, np.sqrt(1 - z**2)
    outward = np.stack([side * np.cos(angle), side * np.sin(angle), z], 1)
    poses = np.tile(np.eye(4), (count, 1, 1))
    for pose, axis in zip(poses, outward, strict=True):
        right = np.cross([0.0, 0, 1], -axis)
        right /= np.linalg.norm(right)
        pose[:3, :3] = np.stack([right, np.cross(-axis, right), -axis])
        pose[:3, 3] = -pose[:3, :3] @ (MIDDLE + AWAY * axis)
    wide = np.array([SIZE] * count)
    return CameraSet(poses, np.full((count, 2), FOCAL), wide / 2, wide)


def sphere_field() -> ViewField:
    """A sphere coloured by where its surface looks."""
    cameras = sphere_cameras()
    pictures, depths = [], []
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]] + 0.5
    for world_from_cam in cameras.world_from_cam:
        rays = np.stack([(x - SIZE[0] / 2) / FOCAL, (y - SIZE[1] / 2) / FOCAL, np.ones(x.shape)], -1)
        origin, along = world_from_cam[:3, 3] - MIDDLE, rays @ world_from_cam[:3, :3].T
        a, b, c = (along**2).sum(-1), along @ origin, origin @ origin - RADIUS**2
        inside = b * b - a * c
        depth = np.where(inside > 0, (-b - np.sqrt(np.maximum(inside, 0))) / a, 0)
        normal = origin + depth[..., None] * along
        pictures.append(np.where(depth[..., None] > 0, 127.5 + 100 * normal, 0).astype(np.uint8))
        depths.append(depth)
    names = tuple(f"{i}.png" for i in range(len(cameras)))
    return ViewField(
        names, cameras, np.stack(pictures), np.stack(pictures), np.stack(depths).astype(np.float32),
        np.ones(len(names)), np.zeros((0, 0, 0, 12)), np.eye(4), np.zeros(0), frame=Frame("+Z", "m"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def field() -> ViewField:
    return sphere_field()


def test_the_mesh_of_a_field_lies_on_its_surface_in_its_colours(field: ViewField) -> None:
    result, told = drive(MESH, {"field": field}, **QUICK)
    mesh = result.outputs[0].data
    assert isinstance(mesh, TriangleMesh) and mesh.colors is not None
    outward = mesh.vertices - MIDDLE
    away = np.linalg.norm(outward, axis=1)
    assert np.quantile(np.abs(away - RADIUS), 0.95) < 0.05
    # Seen from all around, thus nearly all of the sphere is covered.
    corners = mesh.vertices[mesh.faces]
    area = (
        np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum()
        / 2
    )
    assert 0.85 * 4 * np.pi < area < 1.15 * 4 * np.pi
    off = np.abs(mesh.colors - (127.5 + 100 * outward / away[:, None]))
    assert np.median(off) < 12
    assert mesh.frame == field.frame
    assert {progress.stage for progress in told} == {"Looking through the cameras", "Fusing depth"}


def test_splats_of_a_field_cover_its_surface(field: ViewField) -> None:
    result, _ = drive(SPLATS, {"field": field}, **QUICK)
    cloud = result.outputs[0].data
    assert isinstance(cloud, GaussianCloud)
    cameras = field.cameras
    depth, alpha = splat_depth(cloud, cameras.cam_from_world[3], cameras.focal[3], cameras.center[3], SIZE)
    covered = field.depths[3] > 0
    assert alpha[covered].mean() > 0.95
    assert alpha[~covered].mean() < 0.3  # wide discs on the coarse surface reach a pixel beyond the edge
    # Flat discs as wide as a voxel (0.05 at a depth of 3.2) stand out from the curved surface.
    np.testing.assert_allclose(np.median(depth[covered] / field.depths[3][covered]), 1, atol=0.02)
    few, _ = drive(SPLATS, {"field": field}, **QUICK, max_gaussians=150)
    assert len(few.outputs[0].data) == 150


def test_splats_of_a_field_are_trained_if_wished(field: ViewField, tmp_path: Any) -> None:
    result, told = drive(
        SPLATS, {"field": field}, RunContext(folder=tmp_path), **QUICK, max_gaussians=300, steps=3
    )
    assert result.figures["training"]["steps"] == 3
    assert "Training" in {progress.stage for progress in told}
    assert 0 < len(result.outputs[0].data) <= 300


def test_both_methods_take_both_kinds_of_field_and_nothing_else() -> None:
    for method in (MESH, SPLATS):
        assert method.inputs[0].kinds == ("radiance_field", "view_field")
        assert not method.inputs[0].fits(sphere_cameras())


def test_a_field_without_surface_or_cameras_is_refused_in_words(field: ViewField) -> None:
    blank = ViewField(
        field.names, field.cameras, field.pictures, field.originals, np.zeros_like(field.depths), field.weights,
        field.color_map, np.eye(4), field.network,
    )  # fmt: skip
    with pytest.raises(NoSurface):
        drive(MESH, {"field": blank}, **QUICK)
    none = CameraSet(np.zeros((0, 4, 4)), np.zeros((0, 2)), np.zeros((0, 2)), np.zeros((0, 2), np.int64))
    strange = RadianceField("{}", {}, np.eye(4), np.array([[-1.0, -1, -1], [1, 1, 1]]), none)
    with pytest.raises(InputError, match="cameras"):
        drive(MESH, {"field": strange}, **QUICK)
    foreign = RadianceField("{}", {}, np.eye(4), strange.bounds_in_box, field.cameras)
    with pytest.raises(InputError, match="cannot be drawn"):
        drive(MESH, {"field": foreign}, **QUICK)
