"""`isokiln run` with photos: scenes as folders in and out, and results of several parts."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pycolmap
import pytest

from app.cli_outputs import check_output, write_outputs
from recon import formats, run_folder
from recon.errors import InputError
from recon.formats.reading import ReadOptions
from recon.method import Output
from recon.poses import METHOD
from recon.run_folder import RunFolder
from render.image_files import read_image
from render.images import ImageSet, PosedImages
from render.mesh import TriangleMesh
from render.points import PointCloud
from tests.recon.poses.scenes import deviation, of_images
from tests.synthetic_room import make_room, write_images

Run = Callable[..., tuple[int, str, str]]


def read_scene(path: Path) -> PosedImages:
    data = formats.read(path, ReadOptions(read_as="scene")).data
    assert isinstance(data, PosedImages)
    return data


def test_photos_become_a_scene_that_colmap_and_we_can_read(isokiln: Run, tmp_path: Path) -> None:
    true = write_images(make_room(12, 320, 240, seed=1), tmp_path / "photos")
    scene = tmp_path / "made" / "scene"
    words = ("run", "poses", tmp_path / "photos" / "images", "-o", scene, "--preset", "quick", "--json")
    status, text, errors = isokiln(*words)
    assert status == 0, errors
    summary = json.loads(text)
    assert summary["files"] == [str(scene)]
    assert summary["figures"]["registered"] == summary["figures"]["images"] == 12
    assert summary["outputs"] == [{"name": "Camera poses", "kind": "posed_images"}]
    assert "12 images were linked into scene/images" in errors
    posed = read_scene(scene)
    off = deviation(posed.cameras, of_images(true, posed))
    assert np.sqrt((off.centers**2).mean()) < 0.02
    model = pycolmap.Reconstruction(scene / "sparse" / "0")
    assert model.num_reg_images() == 12
    assert all((scene / "images" / image.name).is_file() for image in model.images.values())


def test_a_video_becomes_a_scene_whose_frames_outlive_the_run(isokiln: Run, tmp_path: Path) -> None:
    room = make_room(16, 320, 240, seed=2)
    writer = cv2.VideoWriter(str(tmp_path / "walk.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (320, 240))
    for frame in room.rgb[:6]:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    status, _, errors = isokiln(
        "run", "poses", tmp_path / "walk.mp4", "-o", tmp_path / "scene", "--preset", "quick"
    )
    assert status == 0, errors
    assert "Choosing frames: 6/6" in errors
    posed = read_scene(tmp_path / "scene")
    assert len(posed) == 6
    assert all(str(posed.images.path(i)).startswith(str(tmp_path / "scene")) for i in range(6))
    assert np.abs(read_image(posed, 0).astype(float).mean() - room.rgb[0].mean()) < 20


def test_the_cameras_that_came_with_the_photos_are_not_replaced(isokiln: Run, tmp_path: Path) -> None:
    write_images(make_room(3, 32, 24), tmp_path)
    (tmp_path / "transforms.json").write_text("{}")
    for images in (tmp_path, tmp_path / "images"):
        status, _, errors = isokiln("run", "poses", images, "-o", tmp_path)
        assert status == 1
        assert "would be replaced" in errors
    assert (tmp_path / "transforms.json").read_text() == "{}"


def test_a_scene_cannot_be_put_into_a_mesh_file_or_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    for name in ("scene.ply", "taken", "scene.json"):
        with pytest.raises(InputError, match=r"cannot hold the result|is a file"):
            check_output(tmp_path / name, [], "posed_images")
    check_output(tmp_path / "new" / "v1.2", [], "posed_images")
    check_output(tmp_path / "scene.npz", [], "posed_images")


def test_what_holds_no_photos_is_told(isokiln: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "clip.mp4").write_bytes(b"no video at all")
    (tmp_path / "a.ply").write_text("ply\n")
    for name in ("empty", "clip.mp4", "a.ply", "missing"):
        status, _, errors = isokiln("run", "poses", tmp_path / name, "-o", tmp_path / "scene")
        assert status == 1, name
        assert len(errors.strip().splitlines()) >= 2
        assert "Traceback" not in errors
        assert not (tmp_path / "scene").exists()


def options(**values: object) -> argparse.Namespace:
    return argparse.Namespace(**values)


def parts() -> list[Output]:
    mesh = TriangleMesh(np.eye(3), np.array([[0, 1, 2]]))
    return [Output("Surface", mesh), Output("Seen points", PointCloud(np.eye(3)))]


def test_a_mesh_file_takes_the_mesh_and_says_what_else_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = write_outputs(tmp_path / "out.ply", parts(), options(), METHOD)
    assert written == [tmp_path / "out.ply"]
    assert "not written: Seen points; --also FOLDER keeps them" in capsys.readouterr().err
    written = write_outputs(tmp_path / "out.ply", parts(), options(also=tmp_path / "more"), METHOD)
    assert written == [tmp_path / "out.ply", tmp_path / "more" / "seen-points.npz"]
    assert isinstance(formats.read(written[1]).data, PointCloud)
    assert capsys.readouterr().err == ""


def test_scene_data_of_several_parts_lie_beside_each_other(tmp_path: Path) -> None:
    written = write_outputs(tmp_path / "out.npz", parts(), options(), METHOD)
    assert written == [tmp_path / "out.npz", tmp_path / "out-seen-points.npz"]
    assert [type(formats.read(path).data) for path in written] == [TriangleMesh, PointCloud]


def test_pictures_in_a_runs_folder_outlive_it_as_scene_data(tmp_path: Path) -> None:
    folder = run_folder.create(tmp_path / "run", "poses", {}, {"images": ImageSet("/nowhere", ("a.png",))})
    posed = write_images(make_room(3, 32, 24), folder.path / "files")
    write_outputs(
        tmp_path / "kept.npz", [Output("Camera poses", posed)], options(), METHOD, RunFolder(folder.path)
    )
    (tmp_path / "run").rename(tmp_path / "gone")
    kept = formats.read(tmp_path / "kept.npz").data
    assert isinstance(kept, PosedImages)
    assert kept.images.path(0).is_relative_to(tmp_path / "kept")
    assert read_image(kept, 0).shape == (24, 32, 3)
