"""One scene in every format gives the same rays; what the program writes, it and COLMAP read back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pycolmap
import pytest

from recon import formats
from recon.errors import FormatError, InputError
from recon.formats.colmap import points_of, world_from_cam
from recon.formats.colmap_reading import read_model
from recon.formats.colmap_writing import quat_of_rotation
from recon.formats.reading import ReadOptions
from render.cameras import CameraSet, pixel_rays
from render.frame import Frame
from render.images import NUM_LENS_PARAMETERS, DepthCues, ImageSet, NormalCues, PosedImages
from render.lenses import LENS_MODELS
from tests.scene_writers import CENTERED_WRITERS, WRITERS, centered, write_colmap_binary, write_transforms
from tests.synthetic_room import make_room, write_images

SCENE = make_room(6, 64, 48, num_points=80).posed
PARAMS = np.array([-0.13, 0.04, 0.003, -0.002, 0.01, 0.02, -0.01, 0.005, 1e-3, -1e-3, 2e-3, 1e-3])


def _rays(posed: PosedImages) -> np.ndarray:
    """Origins and directions through a grid of pixels of every image."""
    rows = []
    for i, (width, height) in enumerate(posed.cameras.size):
        x, y = np.meshgrid(np.linspace(0, width, 9), np.linspace(0, height, 7))
        pixels = np.stack([x.ravel(), y.ravel()], 1)
        rows.append(np.concatenate(pixel_rays(posed.cameras, np.full(len(pixels), i), pixels), 1))
    return np.concatenate(rows)


def _with_lens(posed: PosedImages, model: str) -> PosedImages:
    params = np.zeros((len(posed), NUM_LENS_PARAMETERS))
    count = LENS_MODELS[model].num_params
    params[:, :count] = [0.6, 1.1] if model == "EUCM" else PARAMS[:count]
    focal = posed.cameras.focal if LENS_MODELS[model].num_focals == 2 else posed.cameras.focal[:, [0, 0]]
    cameras = CameraSet(posed.cameras.cam_from_world, focal, posed.cameras.center, posed.cameras.size)
    return replace(posed, cameras=cameras, lens_models=(model,) * len(posed), lens_params=params)


def _uneven() -> PosedImages:
    """fx and fy differ."""
    cameras = SCENE.cameras
    focal = cameras.focal * [1.0, 1.03]
    return replace(SCENE, cameras=CameraSet(cameras.cam_from_world, focal, cameras.center, cameras.size))


def _posed(data: object) -> PosedImages:
    assert isinstance(data, PosedImages)
    return data


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_rays_come_from_every_format(tmp_path: Path, name: str) -> None:
    expected = _uneven()
    folder = tmp_path / "scene"
    folder.mkdir()
    path = WRITERS[name](folder, expected)
    for each in {path, folder}:
        back = _posed(formats.read(each).data)
        assert np.abs(_rays(back) - _rays(expected)).max() < 1e-6
        assert np.array_equal(back.cameras.size, expected.cameras.size)
        assert all(back.images.path(i).is_file() for i in range(len(back)))


@pytest.mark.parametrize("name", CENTERED_WRITERS)
def test_formats_without_a_principal_point_take_the_middle(tmp_path: Path, name: str) -> None:
    expected = centered(SCENE)
    folder = tmp_path / "scene"
    folder.mkdir()
    CENTERED_WRITERS[name](folder, expected)
    assert np.abs(_rays(_posed(formats.read(folder).data)) - _rays(expected)).max() < 1e-6


@pytest.mark.parametrize("name", ["colmap text", "colmap binary"])
@pytest.mark.parametrize("model", LENS_MODELS)
def test_every_lens_comes_back_from_colmap(tmp_path: Path, model: str, name: str) -> None:
    expected = _with_lens(SCENE, model)
    back = _posed(formats.read(WRITERS[name](tmp_path, expected)).data)
    assert np.abs(_rays(back) - _rays(expected)).max() < 1e-6
    assert back.lens_models == expected.lens_models
    assert np.array_equal(back.lens_params, expected.lens_params)


@pytest.mark.parametrize("model", ["OPENCV", "OPENCV_FISHEYE"])
@pytest.mark.parametrize("per_frame", [False, True])
def test_a_lens_comes_back_from_transforms(tmp_path: Path, model: str, per_frame: bool) -> None:
    expected = _with_lens(SCENE, model)
    back = _posed(formats.read(write_transforms(tmp_path, expected, per_frame=per_frame)).data)
    assert back.lens_models == expected.lens_models
    assert np.array_equal(back.lens_params, expected.lens_params)
    assert np.abs(_rays(back) - _rays(expected)).max() < 1e-6


def test_points_and_who_sees_them_come_back_from_colmap(tmp_path: Path) -> None:
    back = _posed(formats.read(write_colmap_binary(tmp_path, SCENE)).data)
    assert back.points is not None and SCENE.points is not None and SCENE.observations is not None
    seen = np.unique(SCENE.observations[:, 1])
    assert np.array_equal(back.points.points, SCENE.points.points[seen])
    assert np.array_equal(back.points.colors, SCENE.points.colors[seen])
    place = np.full(len(SCENE.points.points), -1)
    place[seen] = np.arange(len(seen))
    expected = {(int(i), int(place[k])) for i, k in SCENE.observations}
    assert {(int(i), int(k)) for i, k in back.observations} == expected


def _written_scene(folder: Path, model: str = "OPENCV") -> PosedImages:
    """The room with cues and a lens, its images in `folder`."""
    room = make_room(6, 64, 48, num_points=80)
    return _with_lens(write_images(room, folder, with_cues=True), model)


@pytest.mark.parametrize("model", LENS_MODELS)
def test_what_is_written_as_transforms_comes_back(tmp_path: Path, model: str) -> None:
    posed = _written_scene(tmp_path, model)
    notes = formats.write(tmp_path / "transforms.json", posed)
    back = _posed(formats.read(tmp_path / "transforms.json").data)
    assert np.abs(_rays(back) - _rays(posed)).max() < 1e-9
    assert back.images.paths == posed.images.paths
    assert back.depth is not None and back.normals is not None and posed.depth is not None
    assert (back.depth.paths, back.depth.kind, back.depth.scale) == (posed.depth.paths, "metric", 0.001)
    assert back.normals.paths == posed.normals.paths
    own = {
        "DIVISION",
        "EUCM",
        "FOV",
        "FULL_OPENCV",
        "RAD_TAN_THIN_PRISM_FISHEYE",
        "SIMPLE_DIVISION",
        "THIN_PRISM_FISHEYE",
    }
    assert any("lens model" in note.sentence for note in notes) == (model in own)


@pytest.mark.parametrize("end", [".txt", ".bin"])
@pytest.mark.parametrize("model", LENS_MODELS)
def test_what_is_written_as_colmap_comes_back_here_and_in_colmap(
    tmp_path: Path, model: str, end: str
) -> None:
    posed = _written_scene(tmp_path, model)
    formats.write(tmp_path / f"sparse/0/cameras{end}", posed)
    back = _posed(formats.read(tmp_path).data)
    assert np.abs(_rays(back) - _rays(posed)).max() < 1e-9
    assert np.array_equal(back.lens_params, posed.lens_params) and back.lens_models == posed.lens_models
    assert np.array_equal(back.points.points, posed.points.points)
    assert {tuple(row) for row in back.observations.tolist()} == {
        tuple(row) for row in posed.observations.tolist()
    }
    model_there = pycolmap.Reconstruction(tmp_path / "sparse/0")
    assert model_there.num_images() == len(posed) and model_there.num_points3D() == len(posed.points.points)
    for image in model_there.images.values():
        i = [Path(path).name for path in posed.images.paths].index(image.name)
        assert np.allclose(image.cam_from_world().matrix(), posed.cameras.cam_from_world[i, :3], atol=1e-12)
        for point in image.get_observation_points2D():
            expected = image.project_point(model_there.points3D[point.point3D_id].xyz)
            assert expected is not None and np.abs(point.xy - expected).max() < 1e-6


@pytest.mark.parametrize("is_text", [False, True])
def test_a_model_with_rigs_from_colmap_itself_is_read(tmp_path: Path, is_text: bool) -> None:
    options = pycolmap.SyntheticDatasetOptions()
    options.num_rigs, options.num_cameras_per_rig, options.num_frames_per_rig = 2, 3, 2
    options.num_points3D = 50
    made = pycolmap.synthesize_dataset(options)
    (made.write_text if is_text else made.write_binary)(tmp_path)
    model = read_model(tmp_path)
    assert len(model.images) == 12 and len(model.points) == 50
    by_name = {image.name: image for image in made.images.values()}
    for image in model.images:
        expected = by_name[image.name].cam_from_world().inverse().matrix()
        assert np.allclose(world_from_cam(image)[:3], expected, atol=1e-9)
    tracks = sum(len(point.track.elements) for point in made.points3D.values())
    assert len(points_of(model)[1]) == tracks


def test_a_lens_of_one_focal_length_with_two_is_written_as_one_of_two(tmp_path: Path) -> None:
    posed = _written_scene(tmp_path, "SIMPLE_RADIAL")
    cameras = posed.cameras
    wider = CameraSet(cameras.cam_from_world, cameras.focal * [1, 1.1], cameras.center, cameras.size)
    posed = replace(posed, cameras=wider)
    formats.write(tmp_path / "sparse/cameras.bin", posed)
    back = _posed(formats.read(tmp_path).data)
    assert np.abs(_rays(back) - _rays(posed)).max() < 1e-9
    assert back.lens_models[0] == "OPENCV" and np.array_equal(back.lens_params, posed.lens_params)


def test_a_quaternion_is_found_for_every_rotation() -> None:
    from scipy.spatial.transform import Rotation

    rotations = [
        *Rotation.random(200, rng=1).as_matrix(),
        np.eye(3),
        np.diag([1, -1, -1.0]),
        np.diag([-1, -1, 1.0]),
    ]
    for rotation in rotations:
        w, x, y, z = quat_of_rotation(rotation)
        assert w >= 0 and np.allclose(Rotation.from_quat([x, y, z, w]).as_matrix(), rotation, atol=1e-12)


def test_the_largest_of_several_models_is_read_unless_another_is_named(tmp_path: Path) -> None:
    write_colmap_binary(tmp_path, SCENE.select(np.arange(2)), "sparse/0")
    write_colmap_binary(tmp_path, SCENE, "sparse/1")
    write_colmap_binary(tmp_path, SCENE.select(np.arange(3)), "sparse/2")
    reading = formats.read(tmp_path)
    assert len(_posed(reading.data)) == 6
    assert [note.sentence for note in reading.notes if "sub-models" in note.sentence] == [
        "There are 3 sub-models: 0 with 2 images, 1 with 6 images, 2 with 3 images. The largest, 1, was read."
    ]
    assert len(_posed(formats.read(tmp_path, ReadOptions(submodel="2")).data)) == 3
    assert len(_posed(formats.read(tmp_path / "sparse/2").data)) == 3
    with pytest.raises(InputError, match="There is no sub-model"):
        formats.read(tmp_path, ReadOptions(submodel="9"))


@pytest.mark.parametrize(("folder", "scale"), [("images_2", 0.5), ("images_4", 0.25)])
def test_smaller_copies_of_the_images_scale_the_cameras(tmp_path: Path, folder: str, scale: float) -> None:
    write_colmap_binary(tmp_path, SCENE)
    (tmp_path / "images").rename(tmp_path / folder)
    from PIL import Image

    for path in (tmp_path / folder).iterdir():
        Image.new("RGB", (int(64 * scale), int(48 * scale))).save(path)
    reading = formats.read(tmp_path)
    back = _posed(reading.data)
    assert (
        np.allclose(back.cameras.focal, SCENE.cameras.focal * scale) and back.cameras.size[0, 0] == 64 * scale
    )
    assert np.abs(_rays(back) - _rays(SCENE)).max() < 1e-6
    assert any("scaled to the images" in note.sentence for note in reading.notes)


def test_replicas_centre_crop_is_told_by_the_principal_point(tmp_path: Path) -> None:
    from PIL import Image

    k = np.array([[600.0, 0, 599.5], [0, 600, 339.5], [0, 0, 1]])
    values = {}
    for i in range(3):
        world_mat = np.eye(4)
        world_mat[:3] = k @ SCENE.cameras.cam_from_world[i, :3]
        values[f"world_mat_{i}"], values[f"scale_mat_{i}"] = world_mat, np.eye(4)
        Image.new("RGB", (384, 384)).save(tmp_path / f"{i:06d}_rgb.png")
    np.savez(tmp_path / "cameras.npz", **values)
    reading = formats.read(tmp_path)
    cameras = _posed(reading.data).cameras
    assert np.allclose(cameras.center, 192) and np.allclose(cameras.focal, 600 * 384 / 680)
    assert any("centre crop" in note.sentence for note in reading.notes)
    assert any("centre of the first pixel" in note.sentence for note in reading.notes)
    corner = _posed(formats.read(tmp_path, ReadOptions(first_pixel="corner")).data).cameras
    assert np.allclose(corner.center, 192 - 0.5 * 384 / 680)


def test_cues_come_with_the_formats_that_have_them(tmp_path: Path) -> None:
    mono, meta = tmp_path / "mono", tmp_path / "meta"
    for folder in (mono, meta):
        folder.mkdir()
    WRITERS["monosdf"](mono, SCENE)
    for i in range(len(SCENE)):
        np.save(mono / f"{i:06d}_depth.npy", np.ones((48, 64), np.float32))
        np.save(mono / f"{i:06d}_normal.npy", np.ones((3, 48, 64), np.float32))
        np.save(mono / f"{i:06d}_mask.npy", np.ones((48, 64), np.float32))
    back = _posed(formats.read(mono).data)
    assert (
        back.depth == back.depth and back.depth.kind == "depth" and back.depth.paths[3] == "000003_depth.npy"
    )
    assert back.normals.paths[2] == "000002_normal.npy" and back.normals.is_zero_to_one
    assert back.images.mask_paths[1] == "000001_mask.npy"
    WRITERS["meta_data"](meta, SCENE)
    value = json.loads((meta / "meta_data.json").read_text())
    for i, frame in enumerate(value["frames"]):
        frame.update(
            mono_depth_path=f"{i}_d.npy", mono_normal_path=f"{i}_n.npy", foreground_mask=f"{i}_m.png"
        )
        for name in (f"{i}_d.npy", f"{i}_n.npy", f"{i}_m.png"):
            (meta / name).write_bytes(b"x")
    (meta / "meta_data.json").write_text(json.dumps(value))
    back = _posed(formats.read(meta).data)
    assert (
        back.depth == DepthCues(tuple(f"{i}_d.npy" for i in range(6)), "depth")
        or back.depth.paths[5] == "5_d.npy"
    )
    assert back.normals.paths[0] == "0_n.npy" and back.images.mask_paths[4] == "4_m.png"


def test_the_box_that_bounds_an_sdfstudio_scene_is_its_region(tmp_path: Path) -> None:
    file = WRITERS["meta_data"](tmp_path, SCENE)
    value = json.loads(file.read_text())
    value["scene_box"] = {"aabb": [[-1, -0.5, -1], [1, 0.5, 0.2]], "collider_type": "box"}
    file.write_text(json.dumps(value))
    region = _posed(formats.read(file).data).world_from_region
    assert region is not None
    world_from_box = np.array(value["worldtogt"])
    for corner in ((-1, -1, -1), (1, 1, 1)):
        in_box = np.array([corner[0], 0.5 * corner[1], -0.4 + 0.6 * corner[2]])
        wanted = world_from_box[:3, :3] @ in_box + world_from_box[:3, 3]
        assert np.allclose(region[:3, :3] @ corner + region[:3, 3], wanted)
    value["scene_box"]["collider_type"] = "near_far"
    file.write_text(json.dumps(value))
    assert _posed(formats.read(file).data).world_from_region is None
    for wrong in ("here", [[0, 0, 0]], [[0, 0, 0], [1, 1, -1]], [[0, 0, 0], [1, 1, float("nan")]]):
        value["scene_box"] = {"aabb": wrong, "collider_type": "box"}
        file.write_text(json.dumps(value))
        with pytest.raises(FormatError):
            formats.read(file)


def test_a_sensors_depth_is_metric_in_every_format(tmp_path: Path) -> None:
    from PIL import Image

    depth = Image.fromarray(np.full((48, 64), 1500, np.uint16))
    cases = {
        "scannet": "depth/{i}.png",
        "replica": "results/depth{i:06d}.png",
        "neural_rgbd": "depth/depth{i}.png",
    }
    for name, pattern in cases.items():
        folder = tmp_path / name
        folder.mkdir()
        {**WRITERS, **CENTERED_WRITERS}[name](folder, centered(SCENE))
        for i in range(len(SCENE)):
            path = folder / pattern.format(i=i)
            path.parent.mkdir(exist_ok=True)
            depth.save(path)
        back = _posed(formats.read(folder).data)
        assert len(back) == 6 and back.depth is not None and back.depth.kind == "metric"
        assert back.depth.scale == pytest.approx(1 / 6553.5 if name == "replica" else 1e-3)
        assert back.depth.paths[4] == pattern.format(i=4) and back.frame.unit == "m"
        assert (
            _posed(formats.read(folder, ReadOptions(depth_kind="disparity")).data).depth.kind == "disparity"
        )


def test_depth_of_transforms_is_in_millimetres_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    file = write_transforms(tmp_path, SCENE)
    value = json.loads(file.read_text())
    for i, frame in enumerate(value["frames"]):
        frame["depth_file_path"] = f"d{i}.png"
        (tmp_path / f"d{i}.png").write_bytes(b"x")
    file.write_text(json.dumps(value))
    depth = _posed(formats.read(file).data).depth
    assert depth is not None and (depth.kind, depth.scale) == ("metric", 1e-3)
    file.write_text(json.dumps({**value, "depth_unit_scale_factor": 0.25}))
    assert _posed(formats.read(file).data).depth.scale == 0.25


def test_points_of_a_model_beside_are_taken_only_where_its_cameras_agree(tmp_path: Path) -> None:
    from scipy.spatial.transform import Rotation

    from render.transforms import Similarity3

    file = write_transforms(tmp_path, SCENE)
    write_colmap_binary(tmp_path, SCENE)
    same = formats.read(file)
    assert _posed(same.data).points is not None and "beside the file." in same.notes[-1].sentence
    moved = Similarity3(Rotation.from_rotvec([0.3, -1.1, 0.4]).as_matrix(), np.array([3.0, -2, 7]), 2.5)
    (tmp_path / "sparse/0/images.bin").unlink()
    for path in (tmp_path / "sparse/0").iterdir():
        path.unlink()
    (tmp_path / "sparse/0").rmdir()
    write_colmap_binary(tmp_path, SCENE.transformed(moved, SCENE.frame))
    back = formats.read(file)
    assert "moved into the scene's frame" in back.notes[-1].sentence
    assert np.allclose(_posed(back.data).points.points, _posed(same.data).points.points, atol=1e-9)
    assert np.array_equal(_posed(back.data).observations, _posed(same.data).observations)
    turned = SCENE.cameras.cam_from_world[::-1]
    other = replace(
        SCENE, cameras=CameraSet(turned, SCENE.cameras.focal, SCENE.cameras.center, SCENE.cameras.size)
    )
    for path in (tmp_path / "sparse/0").iterdir():
        path.unlink()
    (tmp_path / "sparse/0").rmdir()
    write_colmap_binary(tmp_path, other)
    back = formats.read(file)
    assert _posed(back.data).points is None and "other cameras" in back.notes[-1].sentence


def test_mono_cue_folders_beside_a_colmap_scene_are_found(tmp_path: Path) -> None:
    write_colmap_binary(tmp_path, SCENE)
    for folder in ("mono_depth", "mono_normal", "depth", "masks"):
        (tmp_path / folder).mkdir()
        for path in SCENE.images.paths:
            (tmp_path / folder / f"{Path(path).stem}.png").write_bytes(b"x")
    back = _posed(formats.read(tmp_path).data)
    assert back.depth.paths[0] == "mono_depth/0000.png" and back.depth.kind == "depth"
    assert back.normals.paths[5] == "mono_normal/0005.png"
    assert back.images.mask_paths[2] == "masks/0002.png"


def test_the_room_of_the_shared_data_is_the_same_in_all_of_its_forms(shared_data: Path) -> None:
    room = shared_data / "multiview/room-synth"
    if not room.is_dir():
        pytest.skip("no room-synth")
    first = _posed(formats.read(room).data)
    assert len(first) == 48 and first.points is not None and len(first.observations) > 8000
    for name in ("transforms.json", "meta_data.json", "cameras.npz", "sparse/0", "sparse"):
        other = _posed(formats.read(room / name).data)
        assert np.abs(_rays(other) - _rays(first)).max() < 2e-7
        assert other.images.paths == first.images.paths and other.depth.paths == first.depth.paths
        assert other.normals.paths == first.normals.paths and other.depth.kind == "depth"
        assert np.array_equal(other.observations, first.observations)
        assert np.array_equal(other.points.points, first.points.points)


def test_the_fox_is_read_from_both_of_its_files(shared_data: Path) -> None:
    fox = shared_data / "multiview/fox"
    if not fox.is_dir():
        pytest.skip("no fox")
    posed, model = _posed(formats.read(fox).data), _posed(formats.read(fox / "colmap/sparse/0").data)
    assert len(posed) == 50 and len(model) == 31 and posed.lens_models[0] == model.lens_models[0] == "OPENCV"
    assert posed.points is not None and len(posed.points.points) == 3494
    text = _posed(formats.read(fox / "colmap/sparse_text/0").data)
    assert np.abs(_rays(text) - _rays(model)).max() < 1e-6
    assert np.array_equal(text.observations, model.observations)


def test_a_folder_of_photos_or_a_video_is_images_without_cameras(tmp_path: Path) -> None:
    from PIL import Image

    for i in (1, 2, 10):
        Image.new("RGB", (8, 6), (i, 2, 3)).save(tmp_path / f"{i}.png")
    images = formats.read(tmp_path).data
    assert isinstance(images, ImageSet) and images.paths == ("1.png", "2.png", "10.png")
    for i in (1, 2, 10):
        Image.new("L", (8, 6), i).save(tmp_path / f"{i}.png")
    assert formats.kind_of_file(tmp_path).id == "masks"
    assert isinstance(formats.read(tmp_path, wanted="images").data, ImageSet)
    assert isinstance(formats.read(tmp_path, ReadOptions(read_as="photos")).data, ImageSet)
    (tmp_path / "clip.MP4").write_bytes(b"x")
    video = formats.read(tmp_path / "clip.MP4").data
    assert isinstance(video, ImageSet) and video.is_video and video.paths == ("clip.MP4",)
    Image.new("RGB", (8, 6)).save(tmp_path / "a.jpg")
    assert formats.read(tmp_path / "a.jpg").data.paths == ("a.jpg",)
    assert isinstance(formats.read(tmp_path / "1.png", wanted="images").data, ImageSet)
    file = write_transforms(tmp_path / "scene", SCENE)
    assert formats.read(file, wanted="images").data.paths == SCENE.images.paths


def test_masks_in_the_folder_of_that_name_belong_to_the_photos(tmp_path: Path) -> None:
    from PIL import Image

    for folder, name in (("images", "a.jpg"), ("images", "b.jpg"), ("masks", "a.png")):
        (tmp_path / folder).mkdir(exist_ok=True)
        Image.new("RGB", (8, 6)).save(tmp_path / folder / name)
    images = formats.read(tmp_path).data
    assert isinstance(images, ImageSet)
    assert images.paths == ("images/a.jpg", "images/b.jpg") and images.mask_paths == ("masks/a.png", "")
    assert not images.are_masks_inverted
    assert formats.read(tmp_path, ReadOptions(invert_masks=True)).data.are_masks_inverted


def test_photos_of_several_folders_keep_their_own_masks(tmp_path: Path) -> None:
    from PIL import Image

    for name in ("images/left/1.jpg", "images/right/1.jpg", "masks/right/1.png", "depth/left/1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6)).save(tmp_path / name)
    images = formats.read(tmp_path, wanted="images").data
    assert isinstance(images, ImageSet)
    assert images.paths == ("images/left/1.jpg", "images/right/1.jpg")
    assert images.mask_paths == ("", "masks/right/1.png")


def test_scene_data_of_ours_may_be_called_like_a_camera_archive(tmp_path: Path) -> None:
    formats.write(tmp_path / "cameras.npz", SCENE)
    assert np.array_equal(_rays(_posed(formats.read(tmp_path / "cameras.npz").data)), _rays(SCENE))


def test_cues_that_only_another_file_of_the_folder_names_are_found(tmp_path: Path) -> None:
    write_transforms(tmp_path, SCENE)
    file = WRITERS["meta_data"](tmp_path, SCENE)
    value = json.loads(file.read_text())
    for i, frame in enumerate(value["frames"][1:], 1):
        frame["mono_normal_path"] = f"{i}_n.npy"
        (tmp_path / f"{i}_n.npy").write_bytes(b"x")
    file.write_text(json.dumps(value))
    reading = formats.read(tmp_path / "transforms.json")
    back = _posed(reading.data)
    assert back.depth is None and back.normals.paths == ("", *(f"{i}_n.npy" for i in range(1, 6)))
    assert [note.sentence for note in reading.notes] == ["Cues of the images were found in meta_data.json."]


def test_cues_of_the_same_kind_are_written_and_read_with_their_conventions(tmp_path: Path) -> None:
    posed = write_images(make_room(3, 64, 48), tmp_path, with_cues=True)
    normals = NormalCues(posed.normals.paths, False, "world", (1, -1, -1), are_undistorted=True)
    depth = DepthCues(posed.depth.paths, "disparity", 0.5, are_undistorted=True)
    posed = replace(posed, normals=normals, depth=depth)
    formats.write(tmp_path / "transforms.json", posed)
    back = _posed(formats.read(tmp_path).data)
    assert (back.normals.is_zero_to_one, back.normals.space, back.normals.signs) == (
        False,
        "world",
        (1, -1, -1),
    )
    assert (back.depth.kind, back.depth.scale) == ("disparity", 0.5)
    assert back.depth.are_undistorted and back.normals.are_undistorted
    assert back.frame == posed.frame == Frame("+Z", "m")
    assert _posed(formats.read(tmp_path, ReadOptions(unit="cm", up="-Y")).data).frame == Frame("-Y", "cm")
