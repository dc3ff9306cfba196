"""`isokiln render`: splats seen from the cameras of a scene."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.cli_render import background_color, picture_names
from recon import formats
from recon.errors import SettingsError
from render.cameras import CameraSet
from render.gaussians import GaussianCloud
from render.images import ImageSet, PosedImages
from render.mesh import TriangleMesh
from render.splat_pictures import splat_picture
from tests.render.test_splat_pictures import make_cloud
from tests.scene_writers import write_colmap_binary, write_transforms

Run = Callable[..., tuple[int, str, str]]


def make_scene(folder: Path, names: tuple[str, ...], model: str = "PINHOLE") -> PosedImages:
    poses = np.tile(np.eye(4), (len(names), 1, 1))
    poses[:, 2, 3] = 4 + np.arange(len(names))
    poses[:, 0, 3] = 0.2 * np.arange(len(names))
    size = np.array([[52, 38], [40, 44], [30, 30]])[: len(names)]
    cameras = CameraSet(poses, 1.1 * size[:, :1] * np.ones((1, 2)), size * [0.53, 0.46], size)
    params = np.zeros((len(names), 12))
    params[:, 0] = 0.1 if model == "OPENCV" else 0
    return PosedImages(ImageSet(str(folder), names), cameras, (model,) * len(names), params)


def save_cloud(path: Path) -> GaussianCloud:
    formats.write(path, make_cloud(150))
    data = formats.read(path).data
    assert isinstance(data, GaussianCloud)
    return data


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.mode == "RGB"
        return np.asarray(picture)


def expected(
    cloud: GaussianCloud, scene: PosedImages, index: int, background: tuple[float, ...]
) -> np.ndarray:
    cameras = scene.cameras
    picture = splat_picture(
        cloud, cameras.cam_from_world[index], cameras.focal[index], cameras.center[index],
        cameras.size[index].tolist(), background,
    )  # fmt: skip
    return np.round(picture * 255)


@pytest.mark.parametrize("model", ["PINHOLE", "OPENCV"])
@pytest.mark.parametrize("has_photos", [True, False])
def test_each_camera_gives_a_picture_named_as_its_photo(
    isokiln: Run, tmp_path: Path, has_photos: bool, model: str
) -> None:
    cloud = save_cloud(tmp_path / "cloud.ply")
    scene = make_scene(tmp_path / "scene", ("images/a.jpg", "images/b.png", "images/c.d.jpg"), model)
    (tmp_path / "scene").mkdir()
    file = write_transforms(tmp_path / "scene", scene, per_frame=True)
    if not has_photos:
        shutil.rmtree(tmp_path / "scene" / "images")
    out = tmp_path / "new" / "pictures"
    status, text, errors = isokiln(
        "render", tmp_path / "cloud.ply", "--cameras", file, "-o", out, "--background", "255,128,0"
    )
    assert status == 0, errors
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "b.png", "c.d.png"]
    for index, name in enumerate(("a.png", "b.png", "c.d.png")):
        found = pixels(out / name).astype(int)
        assert found.shape == (*scene.cameras.size[index][::-1], 3)
        assert abs(found - expected(cloud, scene, index, (1, 128 / 255, 0))).max() <= 1
    assert "3 pictures of 150 Gaussians" in text
    assert "3/3" in errors


def test_cameras_of_colmap_without_photos_are_enough(isokiln: Run, tmp_path: Path) -> None:
    cloud = save_cloud(tmp_path / "cloud.spz")
    scene = make_scene(tmp_path / "scene", ("images/1.png", "images/2.png"))
    write_colmap_binary(tmp_path / "scene", scene)
    shutil.rmtree(tmp_path / "scene" / "images")
    out = tmp_path / "out"
    status, _, errors = isokiln("render", tmp_path / "cloud.spz", "--cameras", tmp_path / "scene", "-o", out)
    assert status == 0, errors
    assert sorted(path.name for path in out.iterdir()) == ["1.png", "2.png"]
    assert abs(pixels(out / "2.png") - expected(cloud, scene, 1, (0, 0, 0))).max() <= 1


def test_photos_of_one_name_keep_their_folders(isokiln: Run, tmp_path: Path) -> None:
    cloud = save_cloud(tmp_path / "cloud.ply")
    scene = make_scene(tmp_path / "scene", ("left/1.png", "right/1.png"))
    (tmp_path / "scene").mkdir()
    file = write_transforms(tmp_path / "scene", scene, per_frame=True)
    out = tmp_path / "out"
    status, _, errors = isokiln("render", tmp_path / "cloud.ply", "--cameras", file, "-o", out)
    assert status == 0, errors
    names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.png"))
    assert names == ["left/1.png", "right/1.png"]
    assert abs(pixels(out / "right" / "1.png") - expected(cloud, scene, 1, (0, 0, 0))).max() <= 1


def test_pictures_never_replace_each_other() -> None:
    def of(*names: str) -> list[str]:
        return [path.as_posix() for path in picture_names(names)]

    assert of("a/1.jpg", "b/2.jpg") == ["1.png", "2.png"]
    assert of("a/1.jpg", "b/1.jpg", "2.jpg") == ["a/1.png", "b/1.png", "2.png"]
    assert of("A.jpg", "a.jpg") == ["A.jpg-1.png", "a.jpg-2.png"]
    assert of("a/1.jpg", "a/1.png") == ["a/1.jpg.png", "a/1.png.png"]
    assert of("/x/1.jpg", "/y/1.jpg") == ["1.jpg-1.png", "1.jpg-2.png"]
    assert of("../x/1.jpg") == ["1.png"]
    assert of() == []


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("0,0,0", (0, 0, 0)),
        ("1,1,1", (1, 1, 1)),
        ("255,255,255", (1, 1, 1)),
        ("0.2,0.4,0.6", (0.2, 0.4, 0.6)),
        ("51, 102, 0", (0.2, 0.4, 0)),
        ("0 0 2", (0, 0, 2 / 255)),
    ],
)
def test_a_background_counts_to_1_or_to_255(text: str, color: tuple[float, float, float]) -> None:
    assert background_color(text) == pytest.approx(color)


@pytest.mark.parametrize("text", ["red", "1,1", "1,2,3,4", "-1,0,0", "256,0,0", "nan,0,0", ""])
def test_other_backgrounds_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--background"):
        background_color(text)


def test_what_is_no_cloud_or_no_scene_is_told(isokiln: Run, tmp_path: Path) -> None:
    save_cloud(tmp_path / "cloud.ply")
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    formats.write(tmp_path / "mesh.ply", TriangleMesh(corners, np.array([[0, 1, 2]], np.int32)))
    scene = make_scene(tmp_path / "scene", ("a.png",))
    (tmp_path / "scene").mkdir()
    file = write_transforms(tmp_path / "scene", scene)
    out = tmp_path / "out"
    status, _, errors = isokiln("render", tmp_path / "mesh.ply", "--cameras", file, "-o", out)
    assert status == 1 and "splats" in errors
    status, _, errors = isokiln(
        "render", tmp_path / "cloud.ply", "--cameras", tmp_path / "mesh.ply", "-o", out
    )
    assert status == 1 and "cameras" in errors
    status, _, errors = isokiln("render", tmp_path / "no.ply", "--cameras", file, "-o", out)
    assert status == 1 and "no such file" in errors
    status, _, errors = isokiln(
        "render", tmp_path / "cloud.ply", "--cameras", file, "-o", out, "--background", "pink"
    )
    assert status == 2 and "--background" in errors
    assert not out.exists()
    status, _, errors = isokiln(
        "render", tmp_path / "cloud.ply", "--cameras", file, "-o", tmp_path / "mesh.ply"
    )
    assert status == 1 and "folder" in errors
