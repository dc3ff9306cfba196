from __future__ import annotations

import numpy as np
import pytest
import torch

from recon import method_by_id
from recon.debsdf.color_network import ColorNetwork
from recon.debsdf.field import TrainedField, to_sdf_field
from recon.debsdf.network_layout import NetworkLayout
from recon.debsdf.sdf_network import SdfNetwork
from recon.debsdf.views import render_view, trace
from recon.errors import InputError, SettingsError
from recon.extraction.extract import estimate_mesh
from recon.hash_grid import HashGridLayout
from recon.method import Progress, Result, RunContext
from render.cameras import CameraSet
from render.mesh import TriangleMesh
from render.rendered_views import RenderedViews
from render.sdf_field import SdfField
from tests.recon.debsdf.test_extraction import BOX, room_field
from tests.synthetic_room import make_room, room_sdf, write_images

SMALL = HashGridLayout.between(4, 16, num_levels=2, log2_table_size=8)
CENTER, SCALE, RADIUS = np.array([5.0, -2.0, 1.0]), 3.0, 0.5


def solid_ball(with_color: bool = True) -> TrainedField:
    """A ball of 1.5 world units around CENTER, in a turned box."""
    axis = np.linspace(-1, 1, 81)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)
    values = np.linalg.norm(points, axis=-1) - RADIUS
    generator = torch.Generator().manual_seed(0)
    sdf = SdfNetwork(NetworkLayout(grid=SMALL, base_resolution=81), values, generator)
    with torch.no_grad():
        sdf.layers[-1].weight[:1].zero_()
    turn = np.array([[0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1]])
    world_from_box = np.eye(4)
    world_from_box[:3, :3], world_from_box[:3, 3] = SCALE * turn, CENTER
    color = ColorNetwork(15, 4, 8, generator) if with_color else None
    return TrainedField(sdf, color, world_from_box, BOX)


def camera_at(eye: np.ndarray, width: int = 60, height: int = 40) -> CameraSet:
    """Looks at the ball's centre."""
    forward = (CENTER - eye) / np.linalg.norm(CENTER - eye)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = right, np.cross(forward, right), forward
    pose[:3, 3] = -pose[:3, :3] @ eye
    return CameraSet(
        pose[None],
        np.array([[55.0, 50.0]]),
        np.array([[width / 2 + 2, height / 2 - 1]]),
        np.array([[width, height]]),
    )


def exact_view(cameras: CameraSet, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """z-depth (0 where the ball is not) and normals in camera axes, by formula."""
    small = cameras.resized(np.array([[width, height]]))
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    rays = np.stack(
        [
            (x - small.center[0, 0]) / small.focal[0, 0],
            (y - small.center[0, 1]) / small.focal[0, 1],
            0 * x + 1,
        ],
        -1,
    )
    center = cameras.cam_from_world[0, :3, :3] @ CENTER + cameras.cam_from_world[0, :3, 3]
    a, b = (rays**2).sum(-1), (rays @ center)
    root = b * b - a * (center @ center - (SCALE * RADIUS) ** 2)
    depth = np.where(root > 0, (b - np.sqrt(np.maximum(root, 0))) / a, 0)
    normals = np.where((root > 0)[..., None], (rays * depth[..., None] - center) / (SCALE * RADIUS), 0)
    return depth, normals


@pytest.mark.parametrize("size", [(60, 40), (45, 30)])
def test_depth_and_normals_of_a_ball_are_those_of_the_formula(size):
    cameras = camera_at(np.add(CENTER, [4.0, 1.0, 0.7]))
    view = render_view(solid_ball(), cameras, 0, size, "ball.png")
    depth, normals = exact_view(cameras, *size)
    assert view.names == ("ball.png",) and view.rgb.shape == (1, size[1], size[0], 3)
    agree = (view.depth[0] > 0) == (depth > 0)
    assert agree.mean() > 0.99  # But for pixels on the outline.
    both = (view.depth[0] > 0) & (depth > 0)
    facing = both & (-normals[..., 2] > 0.3)
    assert facing.sum() > 200
    np.testing.assert_allclose(view.depth[0][facing], depth[facing], atol=0.01)
    np.testing.assert_allclose(view.normals[0][facing], normals[facing], atol=0.03)
    assert (view.uncertainty[0][both] > 0).all() and (view.uncertainty[0][view.depth[0] == 0] == 0).all()
    assert (view.rgb[0][view.depth[0] == 0] == 0).all()


def test_a_camera_outside_the_box_and_one_that_looks_away():
    far = camera_at(np.add(CENTER, [0.0, 9.0, 0.0]))
    depth, _ = exact_view(far, 60, 40)
    view = render_view(solid_ball(False), far, 0, (60, 40))
    assert np.abs(view.depth[0] - depth)[(view.depth[0] > 0) & (depth > 0)].max() < 0.1
    assert view.depth[0].max() > 7 and view.rgb.max() > 200
    pose = far.cam_from_world.copy()
    pose[0, :3] = np.diag([-1.0, 1, -1]) @ pose[0, :3]
    away = CameraSet(pose, far.focal, far.center, far.size)
    assert not render_view(solid_ball(False), away, 0, (60, 40)).depth.any()


def test_a_ray_that_starts_in_a_solid_gets_out_first():
    def two_slabs(points):
        return torch.maximum(torch.minimum(points[:, 0] + 0.5, 0.6 - points[:, 0]), torch.tensor(-1.0))

    found = trace(
        two_slabs, torch.tensor([[-0.9, 0, 0], [0.0, 0, 0]]), torch.tensor([[1.0, 0, 0], [1.0, 0, 0]])
    )
    torch.testing.assert_close(found, torch.tensor([1.5, 0.6]), atol=1e-4, rtol=0)


def finish(steps) -> tuple[Result, list[Progress]]:
    told = []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            return end.value, told


def run(method_id: str, settings: dict, **inputs) -> tuple[Result, list[Progress]]:
    method = method_by_id(method_id)
    return finish(method.load()(inputs, method.make_settings(settings), RunContext()))


def test_the_method_renders_chosen_photos_and_measures_them(tmp_path):
    posed = write_images(make_room(6, 64, 48), tmp_path)
    field = to_sdf_field(room_field())
    result, told = run("views", {"every": 2, "size": 64}, field=field, scene=posed)
    views = result.outputs[0].data
    assert isinstance(views, RenderedViews) and views.names == posed.images.paths[::2]
    assert views.rgb.shape == (3, 48, 64, 3) and views.frame == posed.frame
    steps = [each.step for each in told]
    assert steps == sorted(steps) and steps[0] > 0 and steps[-1] <= told[-1].total
    scene = make_room(6, 64, 48)
    error = np.abs(views.depth - scene.depth[::2]) / scene.depth[::2]
    assert np.median(error) < 0.005 and (error < 0.05).mean() > 0.95
    agreement = (views.normals * scene.normals[::2]).sum(-1)
    assert np.median(agreement) > 0.995
    # Colours are untrained; the measure is that of the definition.
    photo = np.asarray(views.rgb[0], float)
    assert (views.psnr > 3).all() and (views.psnr < 30).all() and photo.std() > 0
    assert result.figures["num_views"] == 3 and result.figures["mean_psnr"] == pytest.approx(
        views.psnr.mean()
    )


def test_lost_photos_do_not_keep_pictures_from_being_made():
    posed = make_room(3).posed  # Its images were never written.
    result, _ = run(
        "views", {"image": "0001", "size": 32}, field=to_sdf_field(solid_ball(False)), scene=posed
    )
    views = result.outputs[0].data
    assert views.names == ("images/0001.png",) and views.psnr.tolist() == [0.0]
    assert result.figures["mean_psnr"] is None
    with pytest.raises(SettingsError, match="called 'nothing'"):
        run("views", {"image": "nothing"}, field=to_sdf_field(solid_ball(False)), scene=posed)


def test_the_extraction_method_makes_the_mesh_that_its_settings_ask_for():
    posed, trained = make_room(6, 80, 60).posed, room_field()
    field = to_sdf_field(trained)
    result, told = run("extract", {"resolution": 64}, field=field, scene=posed)
    mesh = result.outputs[0].data
    assert isinstance(mesh, TriangleMesh) and mesh.colors is not None and "uncertainty" in mesh.vertex_values
    assert np.abs(room_sdf(mesh.vertices.astype(float))).max() < 0.06 and mesh.frame == posed.frame
    assert result.figures == {
        "num_vertices": len(mesh.vertices), "num_faces": len(mesh.faces), "unseen_removed": True,
    }  # fmt: skip
    assert {each.stage for each in told} == {
        "Extracting the surface",
        "Looking for unseen shells",
        "Colouring",
    }
    assert all(1 <= each.step <= each.total for each in told)
    whole, _ = run("extract", {"resolution": 64, "colors": False, "smallest_part": 0}, field=field)
    plain = whole.outputs[0].data
    assert plain.colors is None and plain.area > 1.5 * mesh.area and not whole.figures["unseen_removed"]
    before, _ = run("extract", {"resolution": 64, "level": 0.1, "colors": False}, field=field, scene=posed)
    assert np.median(room_sdf(before.outputs[0].data.vertices.astype(float))) == pytest.approx(0.1, abs=0.01)
    guess = estimate_mesh(field, 64)
    assert guess.num_triangles == len(plain.faces)
    assert guess.scaled_to(128).num_triangles == 4 * guess.num_triangles


def test_a_field_of_another_program_is_an_error_with_advice():
    other = SdfField("{}", {"a": np.zeros(3)}, np.eye(4), BOX)
    with pytest.raises(InputError, match="not one that this version can read"):
        run("extract", {}, field=other)
