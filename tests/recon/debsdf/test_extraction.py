from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes

from recon.debsdf import blocks
from recon.debsdf.blocks import Grid, estimate, extract, preview_mesh
from recon.debsdf.color_network import ColorNetwork
from recon.debsdf.extraction import ExtractionOptions, extract_mesh
from recon.debsdf.field import TrainedField, from_sdf_field, to_sdf_field
from recon.debsdf.network_layout import NetworkLayout
from recon.debsdf.sdf_network import SdfNetwork
from recon.errors import InputError, NoSurface
from recon.hash_grid import HashGridLayout
from recon.method import Progress
from recon.surface import describe
from render.frame import Frame
from render.mesh import TriangleMesh
from render.sdf_field import SdfField
from render.transforms import Similarity3
from tests.synthetic_room import ROOM, make_room, room_sdf

BOX = np.array([[-1.0] * 3, [1.0] * 3])
SMALL = HashGridLayout.between(4, 32, num_levels=3, log2_table_size=9)


def ball(points):
    """Solid ball of radius 0.6, a little off the grid."""
    return (np.linalg.norm(points - np.float32([0.03, 0.02, 0.01]), axis=1) - 0.6).astype(np.float32)


def waves(points):
    """A field with many sheets, saddles and ambiguous cells, open at the box."""
    x, y, z = 9 * points.T
    return ((np.sin(x) * np.cos(y) + np.sin(y) * np.cos(z) + np.sin(z) * np.cos(x)) / 9).astype(np.float32)


def whole_grid(distance, grid: Grid) -> np.ndarray:
    axes = [grid.origin[k] + np.arange(grid.num_cells[k] + 1) * grid.cell for k in range(3)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    return distance(points.reshape(-1, 3).astype(np.float32)).reshape(points.shape[:3])


def assert_same_points(ours: np.ndarray, theirs: np.ndarray) -> None:
    """In any order."""
    assert len(ours) == len(theirs)
    assert cKDTree(ours).query(theirs)[0].max() < 2e-6 and cKDTree(theirs).query(ours)[0].max() < 2e-6


@pytest.mark.parametrize("resolution", [20, 64, 130])
def test_a_ball_over_many_blocks_is_closed_whole_and_as_large_as_it_is(resolution):
    mesh = extract(ball, Grid.over(BOX, resolution)).mesh(np.eye(4))
    report = describe(mesh)
    assert report.is_manifold and report.is_consistently_wound and report.genus == 0
    assert report.num_components == 1
    assert report.volume == pytest.approx(4 / 3 * np.pi * 0.6**3, rel=8 / resolution**2 * 2)
    assert np.abs(ball(mesh.vertices)).max() < 1.0 / resolution**2


@pytest.mark.parametrize("distance", [ball, waves])
def test_blocks_make_the_same_mesh_as_marching_cubes_at_once(distance, monkeypatch):
    monkeypatch.setattr(blocks, "_TILE", 8)
    bounds = np.array([[-0.9, -1.0, -0.55], [0.85, 1.0, 0.7]])
    grid = Grid.over(bounds, 45)
    assert grid.num_cells == (40, 45, 29)
    surface = extract(distance, grid)
    values = whole_grid(distance, grid)
    smallest = 1e-3 * grid.cell
    cleared = np.maximum(np.abs(values), smallest) * np.where(values < 0, -1, 1)
    points, faces, _, _ = marching_cubes(cleared.astype(np.float32), 0.0)
    wanted = grid.origin + points * grid.cell
    assert len(surface.points) == len(wanted) and len(surface.faces) == len(faces)
    assert_same_points(surface.points, wanted)
    assert_same_points(surface.points[surface.faces].mean(1), wanted[faces].mean(1))


def test_no_vertex_is_there_twice_and_no_seam_is_open():
    surface = extract(waves, Grid.over(BOX, 72))
    edges = np.sort(
        np.concatenate([surface.faces[:, [0, 1]], surface.faces[:, [1, 2]], surface.faces[:, [2, 0]]]), 1
    )
    ends, counts = np.unique(edges, axis=0, return_counts=True)
    open_points = surface.points[np.unique(ends[counts % 2 == 1])]
    assert len(open_points) and (np.abs(np.abs(open_points).max(1) - 1) < 1e-6).all()
    assert len(np.unique(surface.points, axis=0)) == len(surface.points)


def test_triangles_look_at_free_space():
    surface = extract(lambda p: -ball(p), Grid.over(BOX, 40))  # The inside is free: a room.
    a, b, c = surface.points[surface.faces].transpose(1, 0, 2)
    inward = ((np.cross(b - a, c - a)) * (a + b + c)).sum(1)
    assert (inward < 0).all()


def test_most_of_the_field_is_never_read():
    read = []

    def counted(points):
        read.append(len(points))
        return ball(points)

    surface = extract(counted, Grid.over(BOX, 256))
    assert sum(read) < 0.08 * 257**3
    assert sum(read) < 7 * len(surface.faces)


def test_memory_grows_with_a_layer_and_not_with_the_volume():
    grid = Grid.over(np.array([[-1.0, -1, -1], [1, 1, 1]]), 320)
    tracemalloc.start()
    surface = extract(lambda p: ball(p) + 0.4, grid)  # A small ball: the mesh itself is small.
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(surface.faces) > 10_000
    assert peak < 0.8 * 4 * 321**3  # Less than the values of the whole grid would take.


def test_a_thin_plate_is_not_overlooked_between_coarse_points():
    def plate(points):
        out = np.abs(points - np.float32([0.013, 0, 0])) - np.float32([0.012, 0.5, 0.4])
        return (np.linalg.norm(np.maximum(out, 0), axis=1) + np.minimum(out.max(1), 0)).astype(np.float32)

    report = describe(extract(plate, Grid.over(BOX, 160)).mesh(np.eye(4)))
    assert report.genus == 0 and report.num_components == 1
    assert report.volume == pytest.approx(0.024 * 1.0 * 0.8, rel=0.05)


def test_another_level_is_another_offset():
    mesh = extract(ball, Grid.over(BOX, 60), level=0.1).mesh(np.eye(4))
    assert np.abs(ball(mesh.vertices) - 0.1).max() < 1e-3


@pytest.mark.parametrize("value", [1.0, -1.0, np.nan])
def test_a_field_without_a_surface_says_so(value):
    with pytest.raises(NoSurface):
        extract(lambda points: np.full(len(points), value, np.float32), Grid.over(BOX, 32))


def test_the_estimate_is_near_what_comes_out():
    for resolution in (48, 150):
        guess = estimate(ball, BOX, resolution)
        surface = extract(ball, Grid.over(BOX, resolution))
        assert guess.num_triangles == pytest.approx(len(surface.faces), rel=0.05)
        mesh = TriangleMesh(
            surface.points,
            surface.faces,
            np.zeros((len(surface.points), 3)),
            {"u": np.zeros(len(surface.points))},
        )
        assert guess.num_bytes == pytest.approx(mesh.num_bytes, rel=0.05)
    assert estimate(lambda p: np.ones(len(p), np.float32), BOX, 100).num_triangles == 0


def room_field(with_color: bool = True, size: int = 97) -> TrainedField:
    """The synthetic room as a network that is its base; a second shell lies outside the walls."""
    center, half = ROOM.mean(0), 2.4
    world_from_box = np.diag([half, half, half, 1.0])
    world_from_box[:3, 3] = center
    axis = np.linspace(-1, 1, size)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1) * half + center
    inside = room_sdf(points)
    values = (
        np.where(inside < -0.15, -0.3 - inside, inside) / half
    )  # Free space again 0.3 m behind the walls.
    generator = torch.Generator().manual_seed(0)
    sdf = SdfNetwork(NetworkLayout(grid=SMALL, base_resolution=size), values, generator)
    with torch.no_grad():
        sdf.layers[-1].weight[:1].zero_()
    color = ColorNetwork(15, 3, 4, generator) if with_color else None
    return TrainedField(sdf, color, world_from_box, BOX, Frame("+Z", "m"))


def finish(steps):
    while True:
        try:
            assert isinstance(next(steps), Progress)
        except StopIteration as end:
            return end.value


def test_a_room_comes_out_in_the_world_with_colours_and_without_what_no_camera_sees():
    trained, posed = room_field(), make_room(12).posed
    cameras, points = posed.cameras, posed.points
    whole = finish(extract_mesh(trained, ExtractionOptions(72, removes_unseen=False), cameras))
    seen = finish(extract_mesh(trained, ExtractionOptions(72), cameras))
    distance = room_sdf(whole.vertices.astype(float))
    assert (distance < -0.1).mean() > 0.3  # The shell behind the walls.
    distance = room_sdf(seen.vertices.astype(float))
    assert np.abs(distance).max() < 0.03
    assert seen.area < 0.4 * whole.area
    # What some photo shows is there.
    assert cKDTree(seen.vertices).query(points.points)[0].max() < 0.08
    assert seen.frame == Frame("+Z", "m")
    assert seen.colors is not None and seen.vertex_values["uncertainty"].min() > 0
    # Normals look at free space, but for a fringe of the hollow step's inside, which lies within the tolerance.
    corners = seen.vertices.astype(float)[seen.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    assert (room_sdf(corners.mean(1) + 0.06 * normals) > 0).mean() > 0.97


def test_cameras_that_see_nothing_of_it_are_an_error_with_advice():
    cameras = make_room(2).posed.cameras
    away = cameras.select(np.array([1])).transformed(Similarity3(np.eye(3), np.array([100.0, 0, 0])))
    with pytest.raises(NoSurface, match="No camera sees"):
        finish(extract_mesh(room_field(False), ExtractionOptions(40), away))


def test_small_parts_are_left_out():
    def with_crumb(points):
        crumb = np.linalg.norm(points - np.float32([0.8, 0.8, 0.8]), axis=1) - 0.1
        return np.minimum(ball(points), crumb).astype(np.float32)

    axis = np.linspace(-1, 1, 41)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)
    values = with_crumb(points.reshape(-1, 3)).reshape(41, 41, 41)
    sdf = SdfNetwork(NetworkLayout(grid=SMALL, base_resolution=41), values)
    trained = TrainedField(sdf, None, np.eye(4), BOX)
    for share, count in ((0.0, 2), (0.05, 1)):
        mesh = finish(extract_mesh(trained, ExtractionOptions(60, smallest_part=share)))
        assert describe(mesh).num_components == count


def test_a_preview_of_a_network_in_training_lies_in_the_world():
    trained = room_field(False)
    mesh = preview_mesh(trained.sdf, 48, trained.world_from_box, trained.bounds_in_box)
    assert np.abs(mesh.bounds - trained.world_from_box[:3, 3]).max() <= 2.4 + 1e-5
    assert len(mesh.faces) > 3000 and mesh.colors is None


@pytest.mark.parametrize("with_color", [True, False])
def test_networks_come_back_from_scene_data_bit_by_bit(with_color):
    trained = room_field(with_color, size=9)
    trained.sdf.grid.table.data.uniform_(-1, 1)
    field = to_sdf_field(trained)
    back = from_sdf_field(field)
    at = torch.rand(100, 3) * 2 - 1
    for ours, theirs in zip(trained.sdf.field(at), back.sdf.field(at), strict=True):
        assert torch.equal(ours, theirs)
    again = to_sdf_field(back)
    assert again.layout == field.layout and again.parameters.keys() == field.parameters.keys()
    assert all(np.array_equal(again.parameters[name], field.parameters[name]) for name in field.parameters)
    assert (back.color is None) != with_color
    np.testing.assert_array_equal(back.world_from_box, trained.world_from_box)


def test_a_field_of_another_network_is_refused_with_advice():
    field = to_sdf_field(room_field(True, size=9))
    without = {name: array for name, array in field.parameters.items() if "table" not in name}
    wrong_type = {name: array.astype(np.float64) for name, array in field.parameters.items()}
    wrong_shape = {name: array[..., :1] for name, array in field.parameters.items()}
    others = [
        SdfField("{}", field.parameters, np.eye(4), BOX),
        SdfField("not json", field.parameters, np.eye(4), BOX),
        SdfField(field.layout.replace('"version": 1', '"version": 2'), field.parameters, np.eye(4), BOX),
        SdfField(field.layout.replace('"num_levels": 3', '"num_levels": 4'), field.parameters, np.eye(4), BOX),
        SdfField(field.layout.replace('"base_resolution": 4', '"base_resolution": 5'), field.parameters, np.eye(4), BOX),
        SdfField(field.layout, without, np.eye(4), BOX),
        SdfField(field.layout, wrong_type, np.eye(4), BOX),
        SdfField(field.layout, wrong_shape, np.eye(4), BOX),
    ]  # fmt: skip
    for other in others:
        with pytest.raises(InputError, match="not one that this version can read"):
            from_sdf_field(other)
