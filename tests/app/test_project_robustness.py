"""Projects in a rough world: kills, full disks, running jobs, other programs, odd names."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import project as project_module
from app import project_folder
from app.document import OpenDocument
from app.job_states import ENDED
from app.layers import changed, new_layer
from app.method_panel import StartWish
from app.preferences import load_recent, remember_project
from app.project import Project
from app.recent_desk import RecentDesk
from app.recovery import abandoned_recoveries, find_recovery, write_recovery
from app.run_desk import RunDesk
from recon.formats import native
from render.cross_sections import CrossSections
from tests.app.test_document import ROOT, background, document, open_and_wait  # noqa: F401
from tests.app.test_project import triangle
from tests.app.test_project_folder import assert_same, mesh, square
from tests.app.test_project_folder import document as value
from tests.recon.toy_methods import AT, COUNT

needs_sigkill = pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@st.composite
def sections(draw) -> CrossSections:
    """Squares, some with a label of an odd name, on planes of which some are disabled."""
    labels = draw(st.lists(st.integers(1, 2**31 - 1), min_size=1, max_size=3, unique=True))
    names = {label: draw(words) for label in labels}
    points = square().vertices[:4]
    planes = [
        (
            [0, 0, 1],
            float(z),
            [(points + np.array([0, 0, z - 1]), label) for label in labels[: draw(st.integers(0, 3))]],
        )
        for z in range(draw(st.integers(1, 4)))
    ]
    made = CrossSections.from_planes(planes, label_names=names)
    disabled = draw(st.lists(st.booleans(), min_size=made.num_planes, max_size=made.num_planes))
    return replace(made, disabled_planes=np.array(disabled))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.lists(sections(), max_size=3), names=st.lists(words, min_size=3, max_size=3), file=words)
def test_any_cross_sections_under_any_name_come_back(tmp_path_factory, data, names, file):
    layers = [new_layer(name, each) for name, each in zip(names, data, strict=False)]
    file = "".join(c for c in file if c.isalnum())[:20] or "名前"
    path = tmp_path_factory.mktemp("p") / file / f"{file}.isokiln"
    saved = project_folder.save(path, value(*layers, session={"note": names[0]}))
    opened = project_folder.open_project(path.parent)
    assert_same(saved, opened.document)
    assert opened.notes == ()
    for before, after in zip(data, opened.document.state.layers, strict=True):
        assert after.data.label_names == before.label_names
        assert np.array_equal(after.data.disabled_planes, before.disabled_planes)


_AUTOSAVE_FOREVER = """
import sys
from app.layers import ProjectState
from app.project_folder import Document
from tests.app.test_project_robustness import *
path = Path(sys.argv[1])
base = project_folder.open_project(path).document
print("ready", flush=True)
for i in range(10**6):
    layers = (new_layer(f"Unsaved {i}", mesh(i, 20_000)),)
    write_recovery(Document(ProjectState(layers), manifest=base.manifest), path)
    i or print("kept", flush=True)
"""


@needs_sigkill
def test_a_kill_while_autosaving_leaves_the_save_and_whole_unsaved_work(tmp_path):
    path = tmp_path / "Scan" / "Scan.isokiln"
    saved = project_folder.save(path, value(new_layer("Saved", mesh())))
    for delay in (0.003, 0.012, 0.03):
        with subprocess.Popen(
            [sys.executable, "-c", _AUTOSAVE_FOREVER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            assert [child.stdout.readline() for _ in range(2)] == ["ready\n", "kept\n"]
            time.sleep(delay)
            child.send_signal(signal.SIGKILL)
            child.wait()
        recovery = find_recovery(saved.manifest.uuid)
        assert recovery is not None and recovery.base_revision == saved.manifest.revision
        (layer,) = recovery.open().state.layers
        assert layer.name.startswith("Unsaved") and len(layer.data.vertices) == 20_000
        assert_same(saved, project_folder.open_project(path).document)


_SAVE_TOO_MUCH = """
import resource, signal, sys
from app.layers import ProjectState
from app.project_folder import Document
from tests.app.test_project_robustness import *
path = Path(sys.argv[1])
opened = project_folder.open_project(path).document
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
layers = (*opened.state.layers, new_layer("Small", mesh(1)), new_layer("Large", mesh(2, 100_000)))
try:
    project_folder.save(path, Document(ProjectState(layers), manifest=opened.manifest))
except project_folder.ReconError as error:
    print(error.sentence)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs RLIMIT_FSIZE")
def test_a_disk_that_has_no_room_keeps_the_old_save_and_no_half_file(tmp_path):
    path = tmp_path / "Scan" / "Scan.isokiln"
    saved = project_folder.save(path, value(new_layer("Saved", mesh())))
    done = subprocess.run(
        [sys.executable, "-c", _SAVE_TOO_MUCH, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("The project could not be saved")
    opened = project_folder.open_project(path)
    assert_same(saved, opened.document)
    assert opened.notes == () and opened.document.manifest.revision == saved.manifest.revision
    project_folder.remove_unused_layer_files(path)
    assert len(list(path.parent.rglob("*.npz"))) == 1 and not list(path.parent.rglob(".*"))


def test_what_undo_put_on_the_disk_outlives_the_first_save(qtbot, document, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(project_module, "UNDO_BUDGET_BYTES", 0)
    first = triangle(1.0)
    document.project.edit("Import", [new_layer("A", first)])
    document.project.edit("Replace", [new_layer("B", triangle(2.0))])
    spill = document.project.spill_folder
    qtbot.waitUntil(lambda: document.project.undo_bytes == 0, timeout=5000)
    assert list(spill.glob("*.npz"))
    document.save_now(tmp_path / "Scan" / "Scan.isokiln")
    document.project.undo_stack.undo()
    assert np.array_equal(document.project.layers[0].data.vertices, first.vertices)
    document.new()
    assert not spill.exists()


def test_saves_and_autosaves_in_turn_write_no_layer_twice(qtbot, document, tmp_path):  # noqa: F811
    document.project.edit("Import", [new_layer("A", triangle())])
    path = tmp_path / "Scan" / "Scan.isokiln"
    for name in "BCD":
        document.save_now(path)
        document.project.edit(
            "Rename", changed(document.project.layers, document.project.layers[0].id, name=name)
        )
        document.autosave()
        qtbot.waitUntil(lambda: document.project.state is document._autosaved_state, timeout=5000)
    document.save_now()
    assert len(list((path.parent / "layers").glob("*.npz"))) == 1


def test_a_project_that_cannot_be_had_leaves_the_open_one_ours(qtbot, background, document, tmp_path):  # noqa: F811
    document.project.edit("Import", [new_layer("A", triangle())])
    document.save_now(tmp_path / "A" / "A.isokiln")
    other = OpenDocument(Project(), background)
    other.project.edit("Import", [new_layer("B", triangle())])
    other.save_now(tmp_path / "B" / "B.isokiln")
    with qtbot.waitSignal(other.locked, timeout=5000):
        other.open(tmp_path / "A")
    assert other.path == tmp_path / "B" / "B.isokiln" and (tmp_path / "B" / ".lock").exists()
    with qtbot.waitSignal(document.locked, timeout=5000):
        document.open(tmp_path / "B")
    other.release()


def test_a_folder_that_may_not_be_written_opens_read_only(qtbot, document, tmp_path, monkeypatch):  # noqa: F811
    path = tmp_path / "Scan" / "Scan.isokiln"
    project_folder.save(path, value(new_layer("A", mesh())))
    before = {p: p.stat().st_mtime_ns for p in path.parent.rglob("*")}
    monkeypatch.setattr("app.document.os.access", lambda place, mode: not mode & os.W_OK)
    open_and_wait(qtbot, document, path)
    assert document.is_read_only and document.project.layers[0].name == "A"
    assert path.parent not in document.folder.parents and document.folder != path.parent
    assert {p: p.stat().st_mtime_ns for p in path.parent.rglob("*")} == before


def test_saving_a_million_faces_happens_beside_the_window(qtbot, document, tmp_path, monkeypatch):  # noqa: F811
    threads = []
    write = native.write
    monkeypatch.setattr(
        native, "write", lambda *given: (threads.append(threading.current_thread()), write(*given))[1]
    )
    faces = np.zeros((1_000_000, 3), np.int32)
    document.project.edit("Import", [new_layer("Large", native.read(_large(tmp_path, faces)))])
    threads.clear()
    with qtbot.waitSignal(document.saved, timeout=30_000):
        document.save(tmp_path / "Scan" / "Scan.isokiln")
    document.project.edit("Rename", changed(document.project.layers, document.project.layers[0].id, name="X"))
    document.autosave()
    qtbot.waitUntil(lambda: document._autosaved_state is not None, timeout=5000)
    assert len(threads) == 1 and threads[0] is not threading.main_thread(), "and autosave shares the file"


def _large(folder: Path, faces: np.ndarray) -> Path:
    path = folder / "large.npz"
    native.write(path, replace(triangle(), faces=faces))
    return path


def test_a_run_that_began_before_the_first_save_ends_in_the_project(qtbot, document, tmp_path):  # noqa: F811
    runs = RunDesk(document)
    try:
        early = runs.start(StartWish(replace(COUNT, id=AT), {"steps": 2}, {}, "cpu", 0))
        qtbot.waitUntil(lambda: early.state in ENDED, timeout=30_000)
        job = runs.start(StartWish(replace(COUNT, id=AT), {"steps": 60, "seconds": 0.02}, {}, "cpu", 0))
        assert job is not None
        waiting = runs.start(StartWish(replace(COUNT, id=AT), {"steps": 3}, {}, "cpu", 0))
        qtbot.waitUntil(lambda: job.progress.step > 3, timeout=30_000)
        with qtbot.waitSignal(document.saved, timeout=10_000):
            document.save(tmp_path / "Scan" / "Scan.isokiln")
        assert runs.is_at_home(early) and early.folder.has_result and not runs.is_at_home(job)
        qtbot.waitUntil(lambda: job.state in ENDED and waiting.state in ENDED, timeout=30_000)
        qtbot.waitUntil(lambda: runs.is_at_home(job) and runs.is_at_home(waiting), timeout=10_000)
        assert [job.state.value, waiting.state.value] == ["done", "done"]
        qtbot.waitUntil(lambda: not any((tmp_path / "isokiln-home" / "state" / "unsaved").glob("*/runs/*")))
        document.save_now()
    finally:
        runs.close()
    raw = json.loads((tmp_path / "Scan" / "Scan.isokiln").read_bytes())
    assert {run["uuid"] for run in raw["runs"]} == {p.name for p in (tmp_path / "Scan" / "runs").iterdir()}
    assert all((p / "results").is_dir() for p in (tmp_path / "Scan" / "runs").iterdir())
    opened = project_folder.open_project(tmp_path / "Scan").document
    assert [layer.data.vertices.max() for layer in opened.state.layers] == [3, 60 * 61 / 2, 6]


def test_unsaved_work_that_a_later_save_overtook_is_not_offered(tmp_path, monkeypatch):
    path = tmp_path / "Scan" / "Scan.isokiln"
    saved = project_folder.save(path, value(new_layer("A", mesh())))
    write_recovery(saved, path)
    monkeypatch.setattr("app.recovery._is_running", lambda *_: False)
    assert [recovery.project_path for recovery in abandoned_recoveries()] == [path]
    path.rename(tmp_path / "Scan" / "away")
    assert [recovery.project_path for recovery in abandoned_recoveries()] == [None]
    (tmp_path / "Scan" / "away").rename(path)
    project_folder.save(path, saved)
    assert list(abandoned_recoveries()) == [] == list(abandoned_recoveries())


def test_a_source_that_changed_is_read_anew_and_that_is_said_once(tmp_path):
    source = tmp_path / "bone.npz"
    native.write(source, mesh(1))
    layer = new_layer("Bone", mesh(1), source=project_folder.source_of(source, {}, is_embedded=False))
    path = tmp_path / "P" / "P.isokiln"
    project_folder.save(path, value(layer))
    native.write(source, mesh(2))
    opened = project_folder.open_project(path)
    (note,) = opened.notes
    assert "has changed since" in note
    assert np.array_equal(opened.document.state.layers[0].data.vertices, mesh(2).vertices)
    project_folder.save(path, opened.document)
    assert project_folder.open_project(path).notes == ()


class _Page:
    """Takes the place of the start page."""

    recent_removed = SimpleNamespace(connect=lambda _: None)

    def set_recent(self, projects):
        self.projects = projects


def test_the_recent_list_marks_what_is_missing_and_waits_for_no_drive(qtbot, tmp_path, monkeypatch):
    there = tmp_path / "Scan" / "Scan.isokiln"
    project_folder.save(there, value())
    (there.parent / project_folder.PREVIEW).write_bytes(b"png")
    remember_project("a", "Scan", there)
    remember_project("b", "Gone", tmp_path / "Gone" / "Gone.isokiln")
    exists, asked = Path.exists, threading.Event()

    def slow(path, **_):
        assert threading.current_thread() is not threading.main_thread()
        asked.wait(10)
        return exists(path)

    page = _Page()
    desk = RecentDesk(page)  # type: ignore[arg-type]
    monkeypatch.setattr(Path, "exists", slow)
    desk.show()
    assert [p.name for p in page.projects] == ["Gone", "Scan"]
    asked.set()
    qtbot.waitUntil(lambda: page.projects[0].is_missing, timeout=5000)
    assert not page.projects[1].is_missing and page.projects[1].thumbnail.endswith("preview.png")
    assert len(load_recent()) == 2
