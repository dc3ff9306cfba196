"""`isokiln relink`: the sources of a project are found again from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app import project_folder
from app.__main__ import main
from app.layers import Missing, ProjectState, new_layer
from app.project_lock import take_lock
from recon.formats import native
from render.images import PosedImages
from render.mesh import TriangleMesh
from tests.synthetic_room import make_room, write_images

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def relink(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: object) -> tuple[int, str, str]:
        status = main(["relink", *map(str, words)])
        output = capsys.readouterr()
        return status, output.out, output.err

    return run


def tetrahedron(size: float) -> TriangleMesh:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]) * size
    return TriangleMesh(vertices, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two solids that stay in their files, and posed images; everything was moved away since."""
    sources = tmp_path / "sources"
    sources.mkdir()
    layers = []
    for size, name in ((1.0, "bone"), (2.0, "skin")):
        native.write(sources / f"{name}.npz", tetrahedron(size))
        source = project_folder.source_of(sources / f"{name}.npz", {}, is_embedded=False)
        layers.append(new_layer(name.title(), tetrahedron(size), source=source))
    posed = write_images(make_room(3, 32, 24, num_points=10), sources / "room")
    layers.append(new_layer("Room", posed))
    path = tmp_path / "P" / "P.isokiln"
    project_folder.save(path, project_folder.Document(ProjectState(tuple(layers))))
    (tmp_path / "far" / "away").mkdir(parents=True)
    sources.rename(tmp_path / "far" / "away" / "kept")
    return path


def lost_in(path: Path) -> list[str]:
    from app.relinking import is_lost

    return [layer.name for layer in project_folder.open_project(path).document.state.layers if is_lost(layer)]


def test_what_is_missing_is_listed(project: Path, relink: Run) -> None:
    before = project.read_bytes()
    status, text, _ = relink(project)
    assert status == 1
    assert [line.split("“")[1].split("”")[0] for line in text.splitlines()] == ["Bone", "Skin", "Room"]
    assert all(line.startswith("missing: ") for line in text.splitlines())
    assert project.read_bytes() == before


def test_a_folder_is_searched_and_everything_is_found(project: Path, relink: Run, tmp_path: Path) -> None:
    status, text, _ = relink(project.parent, tmp_path / "far", tmp_path / "far" / "away" / "kept" / "room")
    assert status == 0, text
    assert text.count("relinked: ") == 3
    assert lost_in(project) == []
    bone, skin, room = project_folder.open_project(project).document.state.layers
    assert np.array_equal(bone.data.vertices, tetrahedron(1).vertices)
    assert np.array_equal(skin.data.vertices, tetrahedron(2).vertices)
    assert isinstance(room.data, PosedImages)
    assert room.data.images.path(0).is_file()
    assert relink(project)[:2] == (0, "Nothing is missing.\n")


def test_one_file_is_taken_by_any_name_and_the_rest_stays_missing(
    project: Path, relink: Run, tmp_path: Path
) -> None:
    kept = tmp_path / "far" / "away" / "kept"
    (kept / "bone.npz").rename(tmp_path / "other name.npz")
    (kept / "skin.npz").unlink()
    status, text, _ = relink(project, tmp_path / "other name.npz")
    assert status == 1
    assert "relinked: “Bone”" in text
    assert "differs: “Skin”" in text
    assert lost_in(project) == ["Skin", "Room"]


def test_a_changed_file_is_taken_only_when_told_to(project: Path, relink: Run, tmp_path: Path) -> None:
    kept = tmp_path / "far" / "away" / "kept"
    native.write(kept / "bone.npz", tetrahedron(5))
    status, text, _ = relink(project, kept / "bone.npz", kept / "skin.npz")
    assert status == 1
    assert "The content differs. --use-anyway takes it" in text.replace(".)", ".").replace("(", "")
    assert lost_in(project) == ["Bone"]  # the pictures were found beside it
    status, text, _ = relink(project, "--use-anyway", kept)
    bone = project_folder.open_project(project).document.state.layers[0]
    assert not isinstance(bone.data, Missing)
    assert bone.data.vertices.max() == 5


def test_the_same_content_goes_before_the_same_name(project: Path, relink: Run, tmp_path: Path) -> None:
    decoy = tmp_path / "far" / "a decoy"
    decoy.mkdir()
    native.write(decoy / "bone.npz", tetrahedron(7))
    relink(project, tmp_path / "far")
    bone = project_folder.open_project(project).document.state.layers[0]
    assert bone.data.vertices.max() == 1


def test_a_dry_run_and_an_open_window_leave_the_project(project: Path, relink: Run, tmp_path: Path) -> None:
    before = project.read_bytes()
    _, text, _ = relink(project, tmp_path / "far", "--dry-run")
    assert "relinked: “Bone”" in text
    assert project.read_bytes() == before
    lock = take_lock(project.parent)
    assert lock is not None
    status, _, errors = relink(project, tmp_path / "far")
    assert status == 1
    assert "open in a window" in errors
    assert project.read_bytes() == before
    lock.unlock()
    assert relink(project, tmp_path / "nowhere")[0] == 1


def test_a_damaged_file_is_told(project: Path, relink: Run, tmp_path: Path) -> None:
    kept = tmp_path / "far" / "away" / "kept"
    (kept / "bone.npz").write_bytes(b"torn")
    status, text, _ = relink(project, kept, "--use-anyway")
    assert status == 1
    assert "cannot be read: “Bone”" in text
    assert lost_in(project) == ["Bone"]
