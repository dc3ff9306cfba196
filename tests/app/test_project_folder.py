"""A project on the disk."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import project_folder
from app.layers import Layer, Missing, Origin, ProjectState, Source, new_layer
from app.manifest import Manifest, RunRecord
from app.project_folder import Document
from app.recovery import discard_recovery, find_recovery, write_recovery
from recon.errors import FormatError, ReconError
from recon.formats import native
from render.cross_sections import CrossSections
from render.frame import Frame
from render.mesh import TriangleMesh

ROOT = Path(__file__).parents[2]


def mesh(seed: int = 0, num_vertices: int = 12) -> TriangleMesh:
    rng = np.random.default_rng(seed)
    faces = rng.integers(0, num_vertices, (20, 3))
    return TriangleMesh(
        rng.normal(size=(num_vertices, 3)), faces, vertex_values={"uncertainty": rng.random(num_vertices)}
    )


def square() -> CrossSections:
    points = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]], float)
    return CrossSections.from_planes(
        [([0, 0, 2], 2, [(points, 3)]), ([0, 0, 1], 2, [])], label_names={3: "Liver"}
    )


def document(*layers: Layer, **fields) -> Document:
    return Document(
        ProjectState(tuple(layers), Frame("+Y", "mm", "LPS")), manifest=Manifest.new("Scan"), **fields
    )


def assert_same(a: Document, b: Document) -> None:
    assert a.state.frame == b.state.frame and a.hidden == b.hidden and a.session == b.session
    assert a.runs == b.runs and len(a.state.layers) == len(b.state.layers)
    for x, y in zip(a.state.layers, b.state.layers, strict=True):
        assert (x.id, x.name, dict(x.style), x.is_locked, x.origin) == (
            y.id,
            y.name,
            dict(y.style),
            y.is_locked,
            y.origin,
        )
        for (name, left), (_, right) in zip(x.data.arrays(), y.data.arrays(), strict=True):
            assert np.array_equal(left, right), name


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1), max_size=4),
    opacity=st.floats(0, 1),
    hide=st.booleans(),
    seed=st.integers(0, 9),
)
def test_what_is_saved_opens_again_as_it_was(tmp_path_factory, names, opacity, hide, seed):
    path = tmp_path_factory.mktemp("project") / "Scan.isokiln"
    origin = Origin("orex", {"steps": 5}, seed, ("a",), "r1", {"genus": 2})
    layers = [
        new_layer(name, mesh(i), style={"opacity": opacity}, origin=origin) for i, name in enumerate(names)
    ]
    layers.append(new_layer("Slices", square(), is_locked=True))
    hidden = frozenset([layers[0].id]) if hide else frozenset()
    runs = (RunRecord(uuid="r1", method="orex", name="Surface r1"),)
    saved = project_folder.save(
        path, document(*layers, hidden=hidden, runs=runs, session={"tool": "measure"})
    )
    opened = project_folder.open_project(path.parent)
    assert_same(saved, opened.document)
    assert opened.notes == () and not opened.is_read_only


def test_a_second_save_writes_no_unchanged_layer_again(tmp_path):
    path = tmp_path / "Scan.isokiln"
    first, second = new_layer("A", mesh(1)), new_layer("B", mesh(2))
    saved = project_folder.save(path, document(first, second))
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "layers").iterdir()}
    project_folder.save(
        path, Document(ProjectState((first, Layer(second.id, "B2", mesh(3)))), manifest=saved.manifest)
    )
    after = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "layers").iterdir()}
    assert before.items() <= after.items() and len(after) == 3


_SAVE_FOREVER = """
import sys
from pathlib import Path
from tests.app.test_project_folder import *
path = Path(sys.argv[1])
opened = project_folder.open_project(path)
current, i = opened.document, 0
print("ready", flush=True)
while True:
    i += 1
    layers = (new_layer(f"Layer {i}", mesh(i, 20_000)),)
    current = project_folder.save(path, Document(ProjectState(layers), manifest=current.manifest))
"""


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_kill_while_saving_leaves_a_project_that_opens(tmp_path):
    path = tmp_path / "Scan.isokiln"
    project_folder.save(path, document(new_layer("Layer 0", mesh(0, 20_000))))
    for delay in (0.0, 0.004, 0.009, 0.017, 0.03, 0.05):
        with subprocess.Popen(
            [sys.executable, "-c", _SAVE_FOREVER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None and child.stdout.readline() == "ready\n"
            time.sleep(delay)
            child.send_signal(signal.SIGKILL)
            child.wait()
        opened = project_folder.open_project(path)
        assert opened.backup_used is None and opened.notes == ()
        (layer,) = opened.document.state.layers
        assert len(layer.data.vertices) == 20_000
    project_folder.remove_unused_layer_files(path)
    assert len(list((tmp_path / "layers").glob("*.npz"))) <= 1 + project_folder.NUM_BACKUPS


def test_a_damaged_manifest_opens_its_newest_backup_and_says_so(tmp_path):
    path = tmp_path / "Scan.isokiln"
    saved = project_folder.save(path, document(new_layer("Old", mesh())))
    project_folder.save(path, Document(ProjectState((new_layer("New", mesh()),)), manifest=saved.manifest))
    path.write_bytes(path.read_bytes()[:100])
    opened = project_folder.open_project(path)
    assert opened.document.state.layers[0].name == "Old"
    assert opened.backup_used is not None and "backup Scan.isokiln.bak1" in opened.notes[0]


def test_unknown_keys_and_placeholders_survive_byte_for_byte(tmp_path):
    path = tmp_path / "Scan.isokiln"
    project_folder.save(path, document(new_layer("A", mesh())))
    raw = json.loads(path.read_bytes())
    raw["x_theirs"] = {"deep": [1, 2.5, None]}
    raw["layers"][0]["x_mark"] = "keep"
    raw["layers"].append(
        {"uuid": "z", "kind": "hologram", "name": "From the future", "file": "layers/none.npz", "beams": 7}
    )
    path.write_text(json.dumps(raw))
    opened = project_folder.open_project(path)
    ghost = opened.document.state.layers[1]
    assert isinstance(ghost.data, Missing) and any("From the future" in note for note in opened.notes)
    project_folder.save(path, opened.document)
    again = json.loads(path.read_bytes())
    assert again["x_theirs"] == raw["x_theirs"] and again["layers"][0]["x_mark"] == "keep"
    assert {**again["layers"][1]}.items() >= raw["layers"][1].items()
    first_bytes = json.dumps(again["layers"])
    project_folder.save(path, project_folder.open_project(path).document)
    assert json.dumps(json.loads(path.read_bytes())["layers"]) == first_bytes


def test_a_project_of_a_newer_program_opens_read_only_or_says_what_to_do(tmp_path):
    path = tmp_path / "Scan.isokiln"
    project_folder.save(path, document())
    raw = json.loads(path.read_bytes())
    path.write_text(json.dumps({**raw, "schema": 9, "min_reader": 1}))
    assert project_folder.open_project(path).is_read_only
    path.write_text(json.dumps({**raw, "schema": 9, "min_reader": 9}))
    with pytest.raises(FormatError, match="newer Isokiln"):
        project_folder.open_project(path)


def test_an_older_schema_is_upgraded_step_by_step(tmp_path):
    path = tmp_path / "Scan.isokiln"
    project_folder.save(path, document(new_layer("A", mesh())))
    raw = json.loads(path.read_bytes())
    raw["schema"], raw["objects"] = -1, raw.pop("layers")
    path.write_text(json.dumps(raw))
    upgrades = {
        -1: lambda old: {**old, "things": old["objects"]},
        0: lambda old: {**old, "layers": old["things"]},
    }
    opened = project_folder.open_project(path, upgrades=upgrades)
    assert opened.document.state.layers[0].name == "A" and not opened.is_read_only
    with pytest.raises(FormatError, match="unknown"):
        project_folder.open_project(path)


def test_the_golden_project_of_schema_1_still_opens():
    opened = project_folder.open_project(Path(__file__).parent / "golden" / "schema-1")
    slices, solid = opened.document.state.layers
    assert opened.notes == () and opened.document.state.frame == Frame("+Y", "mm", "LPS")
    assert slices.data.label_names == {3: "Liver"} and solid.data.vertices.shape == (12, 3)
    assert solid.origin is not None and solid.origin.settings == {"steps": 5}


def test_a_referenced_file_is_found_after_both_moved_and_can_be_relinked(tmp_path):
    (tmp_path / "a").mkdir()
    source = tmp_path / "a" / "bone.npz"
    native.write(source, mesh(4))
    layer = new_layer("Bone", mesh(4), source=project_folder.source_of(source, {}, is_embedded=False))
    project_folder.save(tmp_path / "a" / "P" / "P.isokiln", document(layer))
    (tmp_path / "a").rename(tmp_path / "b")
    opened = project_folder.open_project(tmp_path / "b" / "P")
    assert opened.notes == () and opened.document.state.layers[0].source.path == tmp_path / "b" / "bone.npz"
    moved = tmp_path / "elsewhere.npz"
    (tmp_path / "b" / "bone.npz").rename(moved)
    opened = project_folder.open_project(tmp_path / "b" / "P")
    (lost,) = opened.document.state.layers
    assert isinstance(lost.data, Missing) and "not found" in opened.notes[0]
    assert project_folder.difference(lost, moved) == ""
    found = project_folder.relinked(lost, moved)
    assert np.array_equal(found.data.vertices, mesh(4).vertices)
    native.write(moved, mesh(5))
    assert "content differs" in project_folder.difference(lost, moved)


def test_a_moved_project_folder_loses_nothing(tmp_path):
    saved = project_folder.save(tmp_path / "Scan" / "Scan.isokiln", document(new_layer("A", mesh())))
    (tmp_path / "Scan").rename(tmp_path / "Moved")
    assert_same(saved, project_folder.open_project(tmp_path / "Moved").document)


def test_a_full_disk_keeps_the_old_save(tmp_path, monkeypatch):
    path = tmp_path / "Scan.isokiln"
    saved = project_folder.save(path, document(new_layer("A", mesh())))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(native, "write", full)
    with pytest.raises(ReconError, match="No space left"):
        project_folder.save(path, document(new_layer("B", mesh(8))))
    assert_same(saved, project_folder.open_project(path).document)


def test_save_as_gives_an_identity_of_its_own_and_takes_runs_along(tmp_path):
    saved = project_folder.save(tmp_path / "A" / "A.isokiln", document(new_layer("A", mesh())))
    run = tmp_path / "A" / "runs" / "r1"
    run.mkdir(parents=True)
    (run / "run.json").write_text("{}")
    copy = project_folder.save_as(tmp_path / "B" / "B.isokiln", saved, [tmp_path / "A"])
    assert copy.manifest.uuid != saved.manifest.uuid and copy.manifest.lineage == [saved.manifest.uuid]
    assert copy.manifest.title == "B" and (tmp_path / "B" / "runs" / "r1" / "run.json").exists()
    assert_same(saved, project_folder.open_project(tmp_path / "B").document)


def test_unsaved_work_is_recovered_once_its_program_has_ended(tmp_path):
    path = tmp_path / "Scan" / "Scan.isokiln"
    saved = project_folder.save(path, document(new_layer("A", mesh(1))))
    dirty = Document(ProjectState((new_layer("Unsaved", mesh(2)),)), manifest=saved.manifest)
    write_recovery(dirty, path)
    assert find_recovery(saved.manifest.uuid) is None, "this program still runs"
    script = (
        "from tests.app.test_project_folder import *; import os, signal\n"
        f"opened = project_folder.open_project(Path({str(path)!r}))\n"
        "dirty = Document(ProjectState((new_layer('Unsaved', mesh(2)),)), manifest=opened.document.manifest)\n"
        f"write_recovery(dirty, Path({str(path)!r})); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    recovery = find_recovery(saved.manifest.uuid)
    assert recovery is not None and recovery.base_revision == saved.manifest.revision
    recovered = recovery.open()
    assert_same(recovered, Document(ProjectState(recovered.state.layers), manifest=saved.manifest))
    assert recovered.state.layers[0].name == "Unsaved"
    again = project_folder.save(path, recovered)
    assert again.manifest.parent_revision == saved.manifest.revision
    discard_recovery(saved.manifest.uuid)
    assert find_recovery(saved.manifest.uuid) is None
    assert project_folder.open_project(path).document.state.layers[0].name == "Unsaved"


def test_a_source_file_changes_its_fingerprint_with_any_byte_at_its_ends(tmp_path):
    path = tmp_path / "big.bin"
    path.write_bytes(bytes(200_000))
    before = project_folder.fingerprint(path)
    content = bytearray(200_000)
    content[-1] = 1
    path.write_bytes(content)
    assert project_folder.fingerprint(path) != before
    assert Source(path, 1, before) == Source(path, 1, before)
