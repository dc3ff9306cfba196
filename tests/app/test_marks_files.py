"""What is marked among Gaussians: in a file of its own, in the project, in undo, in packs."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import marks_files, project_folder
from app import project as project_module
from app.layers import Missing, ProjectState, changed, new_layer
from app.project import Project
from app.project_folder import Document
from app.project_pack import pack, unpack
from recon import formats
from recon.errors import FormatError
from render.gaussians import GaussianMarks
from tests.render.test_gaussians import make_cloud


def make_marks(count: int, seed: int = 0) -> GaussianMarks:
    rng = np.random.default_rng(seed)
    return GaussianMarks(*(rng.random(count) < 0.3 for _ in range(4)))


def same(a: GaussianMarks | None, b: GaussianMarks | None) -> bool:
    assert a is not None and b is not None
    return all(np.array_equal(x, y) for (_, x), (_, y) in zip(a.arrays(), b.arrays(), strict=True))


@given(st.integers(0, 70), st.integers(0, 5))
def test_marks_come_back_bit_for_bit(tmp_path_factory, count, seed):
    path, again = (tmp_path_factory.mktemp("marks") / name for name in ("a.marks", "b.marks"))
    marks_files.write(path, make_marks(count, seed))
    read = marks_files.read(path)
    assert same(read, make_marks(count, seed)) and len(read) == count
    marks_files.write(again, read)
    assert path.read_bytes() == again.read_bytes()


def test_a_million_marks_take_half_a_megabyte(tmp_path):
    marks_files.write(tmp_path / "a.marks", make_marks(1_000_000))
    assert (tmp_path / "a.marks").stat().st_size < 510_000


def test_damaged_marks_are_refused_with_a_sentence(tmp_path):
    path = tmp_path / "a.marks"
    marks_files.write(path, make_marks(50))
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2], whole.replace(b'"count": 50', b'"count": 99'), b"PK" * 40):
        path.write_bytes(content)
        with pytest.raises(FormatError):
            marks_files.read(path)
    with pytest.raises(FormatError):
        marks_files.read(tmp_path / "nowhere.marks")


def saved(tmp_path, **fields) -> tuple[project_folder.Document, object]:
    layer = new_layer("Splats", make_cloud(40), marks=make_marks(40), **fields)
    path = tmp_path / "Scan" / "Scan.isokiln"
    return project_folder.save(path, Document(ProjectState((layer,)))), path


def test_a_project_keeps_what_was_marked_and_writes_it_once(tmp_path):
    document, path = saved(tmp_path)
    (layer,) = project_folder.open_project(path).document.state.layers
    assert same(layer.marks, document.state.layers[0].marks)
    project_folder.save(path, document)
    assert len(list((path.parent / "layers").glob("*.marks"))) == 1
    other = replace(document.state.layers[0], marks=make_marks(40, 1))
    project_folder.save(path, replace(document, state=ProjectState((other,))))
    assert len(list((path.parent / "layers").glob("*.npz"))) == 1, "the data did not change"
    for backup in path.parent.glob("*.bak*"):
        backup.unlink()
    project_folder.remove_unused_layer_files(path)
    assert len(list((path.parent / "layers").glob("*.marks"))) == 1
    (layer,) = project_folder.open_project(path).document.state.layers
    assert same(layer.marks, other.marks)


def test_marks_that_are_lost_or_of_other_gaussians_are_told_and_the_layer_stays(tmp_path):
    _, path = saved(tmp_path)
    (file,) = (path.parent / "layers").glob("*.marks")
    marks_files.write(file, make_marks(41))
    opened = project_folder.open_project(path)
    assert opened.document.state.layers[0].marks is None and "other Gaussians" in opened.notes[0]
    file.unlink()
    opened = project_folder.open_project(path)
    assert len(opened.document.state.layers[0].data) == 40 and "is lost" in opened.notes[0]


def test_an_older_manifest_without_marks_opens(tmp_path):
    _, path = saved(tmp_path)
    raw = json.loads(path.read_text())
    del raw["layers"][0]["marks"]
    path.write_text(json.dumps(raw))
    opened = project_folder.open_project(path)
    assert opened.notes == () and opened.document.state.layers[0].marks is None


def test_a_pack_holds_the_marks(tmp_path):
    document, path = saved(tmp_path)
    manifest = unpack(pack(path, tmp_path / "scan.isokilnz"), tmp_path / "Again")
    (layer,) = project_folder.open_project(manifest).document.state.layers
    assert same(layer.marks, document.state.layers[0].marks)


def test_marks_wait_for_a_file_that_is_missing_and_is_found_again(tmp_path):
    elsewhere = tmp_path / "data" / "cloud.npz"
    elsewhere.parent.mkdir()
    formats.native.write(elsewhere, make_cloud(40))
    source = project_folder.source_of(elsewhere, {}, is_embedded=False)
    document, path = saved(tmp_path, source=source)
    moved = elsewhere.rename(tmp_path / "moved.npz")
    opened = project_folder.open_project(path)
    (layer,) = opened.document.state.layers
    assert isinstance(layer.data, Missing)
    copy = tmp_path / "Copy" / "Copy.isokiln"
    project_folder.save_as(copy, opened.document)
    (layer,) = project_folder.open_project(copy).document.state.layers
    again = project_folder.relinked(layer, moved)
    assert same(again.marks, document.state.layers[0].marks)
    formats.native.write(moved, make_cloud(41))
    assert project_folder.relinked(layer, moved).marks is None


def test_undo_counts_only_what_is_not_shared_and_puts_marks_on_the_disk(qapp, tmp_path, monkeypatch):
    project = Project(spill_folder=tmp_path)
    cloud, nothing = make_cloud(1000), GaussianMarks.none(1000)
    project.edit("Import", [new_layer("Splats", cloud, marks=nothing)])
    layer_id = project.layers[0].id
    states = []
    for seed in range(4):
        marks = replace(nothing, selected=make_marks(1000, seed).selected)
        project.edit("Select", changed(project.layers, layer_id, marks=marks))
        states.append(marks)
    assert project.undo_bytes == 3 * 1000, "three selections of one byte a Gaussian; the rest is shared"
    project.edit("Recolour", changed(project.layers, layer_id, data=replace(cloud, sh=cloud.sh * 2)))
    assert project.undo_bytes == 3 * 1000 + cloud.sh.nbytes
    monkeypatch.setattr(project_module, "UNDO_BUDGET_BYTES", 0)
    project.edit("Rename", changed(project.layers, layer_id, name="B"))
    assert project.undo_bytes == 0 and list(tmp_path.glob("*.marks")) and list(tmp_path.glob("*.npz"))
    project.undo_stack.setIndex(2)
    assert same(project.layers[0].marks, states[0]) and np.array_equal(project.layers[0].data.sh, cloud.sh)
    project.undo_stack.setIndex(7)
    assert same(project.layers[0].marks, states[3]) and project.layers[0].name == "B"
    assert np.array_equal(project.layers[0].data.sh, cloud.sh * 2)
