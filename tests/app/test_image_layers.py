"""Layers of images, cameras, points and fields: their words, their frames, and where their pictures are."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app import image_places, project_folder, project_pack
from app.data_words import count_rows, describe_data
from app.layer_facts import facts_of
from app.layers import ProjectState, new_layer
from app.project import Project
from app.project_folder import Document
from app.reframe import in_frame, stated_in, transformed
from recon.errors import InputError
from render.frame import Frame
from render.images import DepthCues, ImageSet, PosedImages
from render.mesh import TriangleMesh
from render.points import PointCloud
from render.rendered_views import RenderedViews
from render.sdf_field import SdfField
from render.transforms import Similarity3
from tests.synthetic_room import make_room, write_images


@pytest.fixture(scope="module")
def room():
    return make_room(num_views=4, width=32, height=24, num_points=50)


def views(count: int = 2) -> RenderedViews:
    flat = np.full((count, 4, 6), 2.0, np.float32)
    color = np.zeros((count, 4, 6, 3))
    names = tuple(f"{i}.png" for i in range(count))
    return RenderedViews(names, color, flat, color, flat, np.arange(count) + 20.0, np.arange(count) == 1)


def field() -> SdfField:
    return SdfField(
        "{}", {"weights": np.zeros(1200)}, np.diag([2, 2, 2, 1.0]), np.array([[-1, -1, -1], [1, 1, 0.5]])
    )


def save_and_open(path: Path, data) -> object:
    project_folder.save(path, Document(ProjectState((new_layer("room", data),))))
    return project_folder.open_project(path)


def test_each_kind_is_described_in_its_own_words(room, tmp_path):
    assert describe_data(room.posed) == "4 images, 4 poses, pinhole camera, cues: depth no, normals no"
    fisheye = replace(room.posed, lens_models=("OPENCV",) * 4, disabled=[True, False, False, False])
    assert "OPENCV camera" in describe_data(fisheye)
    rows = dict(count_rows(fisheye))
    assert rows["Images"] == "3 of 4 used" and rows["Sizes"] == "32 × 24" and rows["Sparse points"] == "50"
    assert describe_data(ImageSet("/a", ("1.png",))) == "1 image, no poses"
    assert describe_data(PointCloud(np.zeros((1, 3)))) == "1 point"
    assert describe_data(views()) == "2 views of 6 × 4"
    assert dict(count_rows(views())) == {
        "Views": "2",
        "Size": "6 × 4",
        "PSNR": "20.0 dB",
        "Held-out PSNR": "21.0 dB",
    }
    assert "1\u202f200 parameters" in describe_data(field())
    for data in (room.posed, room.posed.images, room.posed.points, views(), field()):
        assert facts_of(new_layer("x", data)).counts


def test_what_rounding_leaves_of_a_flat_layer_is_no_size():
    cloud = PointCloud(np.array([[0.3, -1.0, 2.0], [0.1 + 0.2, 1.0, 5.0], [0.3, 4e-17, 3.0]]))
    assert dict(facts_of(new_layer("x", cloud)).bounds)["Size"] == "0 × 2 × 3"


def test_a_scene_in_another_unit_keeps_its_rays_and_its_field_its_place(room):
    metres, millimetres = Frame("+Z", "m"), Frame("+Z", "mm")
    posed = in_frame(replace(room.posed, depth=DepthCues(("",) * 4, "metric", 0.5)), millimetres)
    assert np.allclose(posed.cameras.positions, 1000 * room.posed.cameras.positions)
    assert (
        np.allclose(posed.points.points, 1000 * room.posed.points.points)
        and posed.points.frame == millimetres
    )
    assert posed.depth.scale == 500
    assert np.allclose(in_frame(stated_in(field(), metres), millimetres).bounds, 1000 * field().bounds)
    assert np.allclose(in_frame(stated_in(views(), metres), millimetres).depth, 2000)
    assert stated_in(room.posed, millimetres).points.frame == millimetres


def test_any_move_takes_a_mesh_and_its_distances_along():
    mesh = TriangleMesh(
        np.eye(3), [[0, 1, 2]], vertex_values={"distance": np.ones(3), "confidence": np.ones(3)}
    )
    turn = Similarity3(np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]]), np.array([1.0, 2, 3]), 2.0)
    moved = transformed(mesh, turn, Frame())
    assert np.allclose(moved.vertices, turn.apply(np.eye(3)))
    assert np.allclose(moved.vertex_values["distance"], 2) and np.allclose(
        moved.vertex_values["confidence"], 1
    )


def test_images_are_found_after_project_and_images_moved_together(room, tmp_path):
    before, after = tmp_path / "a", tmp_path / "b"
    posed = write_images(room, before / "scene")
    project_folder.save(before / "P" / "P.isokiln", Document(ProjectState((new_layer("room", posed),))))
    before.rename(after)
    opened = project_folder.open_project(after / "P" / "P.isokiln")
    (layer,) = opened.document.state.layers
    assert layer.data.images.folder == str(after / "scene") and not opened.notes
    assert not image_places.are_lost(layer.data)
    assert np.array_equal(layer.data.cameras.cam_from_world, posed.cameras.cam_from_world)


def test_lost_images_lose_nothing_and_are_relinked_by_any_folder_near_them(room, tmp_path):
    posed = write_images(room, tmp_path / "scene")
    path = tmp_path / "P" / "P.isokiln"
    project_folder.save(path, Document(ProjectState((new_layer("room", posed),))))
    hint = project_folder.open_project(path).document.manifest.layers[0].images
    (tmp_path / "scene").rename(tmp_path / "elsewhere")
    opened = project_folder.open_project(path)
    (layer,) = opened.document.state.layers
    assert "its images were not found" in opened.notes[0] and image_places.are_lost(layer.data)
    assert facts_of(layer).counts[0] == ("State", "Its images were not found")
    saved = project_folder.save(path, opened.document)
    assert saved.manifest.layers[0].images == hint, "what was known of their place is kept"
    assert saved.manifest.layers[0].file == opened.document.manifest.layers[0].file
    for chosen in (tmp_path / "elsewhere", tmp_path / "elsewhere" / "images", tmp_path):
        again = image_places.relocated(layer.data, chosen)
        assert again.images.folder == str(tmp_path / "elsewhere") and not image_places.are_lost(again)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "deep").mkdir()
    with pytest.raises(InputError, match="none of the 4 images"):
        image_places.relocated(replace(layer.data), tmp_path / "empty" / "deep" / "..")


def test_pictures_that_a_run_made_move_with_the_project_and_with_the_first_save(room, tmp_path):
    run = tmp_path / "P" / "runs" / "r1"
    posed = write_images(room, tmp_path / "scene")
    paths = tuple(str(run / "files" / f"{i}.npy") for i in range(4))
    with_cues = replace(posed, depth=DepthCues(paths, "metric"))
    path = tmp_path / "P" / "P.isokiln"
    project_folder.save(path, Document(ProjectState((new_layer("room", with_cues),))))
    (tmp_path / "P").rename(tmp_path / "Q")
    opened = project_folder.open_project(tmp_path / "Q" / "P.isokiln")
    moved = opened.document.state.layers[0].data
    assert moved.depth.paths[0] == str(tmp_path / "Q" / "runs" / "r1" / "files" / "0.npy")
    assert moved.images.folder == str(tmp_path / "scene")

    project = Project(ProjectState((new_layer("room", posed),)))
    project.edit("Cues", [replace(project.layers[0], data=with_cues)])
    project.edit("Rename", [replace(project.layers[0], name="hall")])
    project.rewrite(lambda data: image_places.rebased(data, run, tmp_path / "home"))
    assert project.layers[0].data.depth.paths[0] == str(tmp_path / "home" / "files" / "0.npy")
    project.undo_stack.undo()
    assert project.layers[0].data.depth.paths[0] == str(tmp_path / "home" / "files" / "0.npy")
    project.undo_stack.undo()
    assert project.layers[0].data is posed, "what is not concerned stays the same value"


def test_an_image_layer_keeps_everything_through_save_and_open(room, tmp_path):
    region = np.diag([2.0, 1.5, 1.2, 1.0])
    posed = replace(write_images(room, tmp_path / "s", True), world_from_region=region, disabled=[0, 1, 0, 0])
    opened = save_and_open(tmp_path / "P" / "P.isokiln", posed)
    (layer,) = opened.document.state.layers
    assert isinstance(layer.data, PosedImages) and layer.data.images.folder == posed.images.folder
    assert layer.data.depth.paths == posed.depth.paths and layer.data.normals.paths == posed.normals.paths
    assert np.array_equal(layer.data.world_from_region, region)
    assert layer.data.disabled.tolist() == [False, True, False, False]


def test_a_pack_takes_the_images_along_and_finds_them_where_it_is_unpacked(room, tmp_path):
    posed = write_images(room, tmp_path / "scene", with_cues=True)
    layers = (new_layer("room", posed), new_layer("same", replace(posed, disabled=[1, 0, 0, 0])))
    project_folder.save(tmp_path / "P" / "P.isokiln", Document(ProjectState(layers)))
    packed = project_pack.pack(tmp_path / "P", tmp_path / "room.isokilnz")
    shutil.rmtree(tmp_path / "scene")
    shutil.rmtree(tmp_path / "P")
    manifest = project_pack.unpack(packed, tmp_path / "elsewhere" / "Q")
    opened = project_folder.open_project(manifest)
    assert not opened.notes
    for layer in opened.document.state.layers:
        folder = Path(layer.data.images.folder)
        assert folder.is_relative_to(tmp_path / "elsewhere") and not image_places.are_lost(layer.data)
        assert all((folder / path).is_file() for path in (*layer.data.depth.paths, *layer.data.normals.paths))
    assert len(list((tmp_path / "elsewhere" / "Q" / "assets").iterdir())) == 1, "the pictures are there once"
