"""TSDF fusion and Poisson reconstruction of a room whose answer is a formula."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recon import method_by_id
from recon.errors import FormatError, InputError, NoSurface
from recon.method import Progress, RunContext
from render.images import PosedImages
from render.mesh import TriangleMesh
from tests.synthetic_room import make_room, room_sdf, write_images


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> PosedImages:
    return write_images(
        make_room(12, 128, 96, num_points=1500), tmp_path_factory.mktemp("room"), with_cues=True
    )


def run(scene: PosedImages, method_id: str, **settings) -> tuple[TriangleMesh, list[Progress], dict]:
    method = method_by_id(method_id)
    steps = method.load()({"scene": scene}, method.make_settings(settings), RunContext())
    told = []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as stop:
            return stop.value.outputs[0].data, told, dict(stop.value.figures)


def looks_into_the_room(mesh: TriangleMesh) -> float:
    """Share of the area whose faces look at free space."""
    middle = mesh.vertices[mesh.faces].mean(1).astype(np.float64)
    cross = mesh.face_cross_products
    ahead = middle + 0.05 * cross / np.maximum(np.linalg.norm(cross, axis=1, keepdims=True), 1e-12)
    area = np.linalg.norm(cross, axis=1)
    return float(area[room_sdf(ahead) > 0].sum() / area.sum())


@pytest.mark.parametrize("realign", [True, False])
def test_fused_depth_lies_on_the_rooms_surface_and_looks_into_it(room, realign) -> None:
    mesh, told, figures = run(room, "tsdf", voxel=0.03, realign=realign)
    distance = np.abs(room_sdf(mesh.vertices.astype(np.float64)))
    assert np.median(distance) < 0.006 and np.quantile(distance, 0.95) < 0.03
    assert looks_into_the_room(mesh) > 0.98 and mesh.area > 20
    assert mesh.colors is not None and mesh.colors.std() > 10
    assert mesh.frame == room.frame and figures["views_fused"] == 12
    assert [p.step for p in told if p.stage == "Fusing depth"] == list(range(1, 13))


def test_poisson_through_fused_depth_closes_on_the_room(room) -> None:
    mesh, _, _ = run(room, "poisson", voxel=0.05, depth=6)
    distance = np.abs(room_sdf(mesh.vertices.astype(np.float64)))
    # It closes over the ceiling, which no camera sees, somewhere in the room.
    assert np.median(distance) < 0.03 and looks_into_the_room(mesh) > 0.8


def test_poisson_goes_without_depth_from_sparse_points(room) -> None:
    mesh, _, figures = run(replace(room, depth=None), "poisson", depth=6, trim=0.1)
    assert figures["points"] == 1500
    assert np.median(np.abs(room_sdf(mesh.vertices.astype(np.float64)))) < 0.08


def test_masked_photos_and_those_switched_off_are_left_out(room) -> None:
    disabled = np.ones(12, bool)
    disabled[:3] = False
    mesh, _, figures = run(replace(room, disabled=disabled), "tsdf", voxel=0.05, min_weight=1)
    assert figures["views"] == 3 and len(mesh.faces) > 100


def test_the_region_bounds_what_is_fused(room) -> None:
    region = np.diag([0.5, 0.5, 0.6, 1.0])
    region[:3, 3] = 0.6, 0.3, 0.5
    mesh, _, _ = run(replace(room, world_from_region=region), "tsdf", voxel=0.03)
    assert (np.abs(mesh.vertices - region[:3, 3]) < [0.6, 0.6, 0.7]).all()


def test_a_scene_without_depth_is_told_how_to_get_some(room) -> None:
    with pytest.raises(InputError) as caught:
        run(replace(room, depth=None), "tsdf")
    assert "no depth" in caught.value.sentence and "cues" in caught.value.advice


def test_a_scene_with_neither_depth_nor_points_has_no_poisson_surface(room) -> None:
    with pytest.raises(InputError, match="neither depth nor enough"):
        run(replace(room, depth=None, points=None, observations=None), "poisson")


def test_depth_that_fits_no_points_is_refused(room) -> None:
    blind = replace(room, depth=replace(room.depth, kind="depth"), points=None, observations=None)
    with pytest.raises(InputError, match="none of the 12 photos"):
        run(blind, "tsdf")


def test_a_damaged_and_an_empty_depth_picture_are_told_by_their_sentence(room, tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "damaged.png").write_bytes(b"no picture at all")
    paths = (str(tmp_path / "damaged.png"), *room.depth.paths[1:])
    with pytest.raises(FormatError, match=r"damaged\.png"):
        run(replace(room, depth=replace(room.depth, paths=paths)), "tsdf")
    Image.fromarray(np.zeros((96, 128), np.uint16)).save(tmp_path / "zero.png")
    empty = room.select(np.arange(2))
    paths = (str(tmp_path / "zero.png"), str(tmp_path / "zero.png"))
    with pytest.raises(InputError, match="it has no depth cue"):
        run(replace(empty, depth=replace(empty.depth, paths=paths)), "tsdf")


def test_too_many_views_asked_for_leave_no_surface(room) -> None:
    with pytest.raises(NoSurface):
        run(room, "tsdf", voxel=0.05, min_weight=90)


def test_the_methods_are_made_from_files_in_the_worker(room, tmp_path: Path) -> None:
    for method_id in ("tsdf", "poisson"):
        method = method_by_id(method_id)
        assert method.inputs[0].kind == "posed_images" and method.makes == "mesh"
        for values in method.presets.values():
            method.make_settings(values)
