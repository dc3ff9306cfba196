"""The open project: saving, opening, locking and recovering."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app import project_folder, project_lock
from app.background import Background
from app.document import OpenDocument
from app.layers import changed, new_layer
from app.preferences import load_recent
from app.project import Project
from recon import run_folder
from recon.errors import InputError
from tests.app.test_project import triangle
from tests.recon.toy_methods import AT

ROOT = Path(__file__).parents[2]


@pytest.fixture
def background(qapp):
    background = Background()
    yield background
    background.close()


@pytest.fixture
def document(background):
    document = OpenDocument(Project(), background)
    yield document
    document.release()


def open_and_wait(qtbot, document: OpenDocument, path: Path, **how) -> None:
    with qtbot.waitSignal(document.opened, timeout=5000):
        document.open(path, **how)


def test_save_clears_the_star_and_keeps_the_undo_stack(qtbot, document, tmp_path):
    layer = new_layer("Bone", triangle())
    document.project.edit("Import", [layer])
    assert document.is_dirty
    document.save_now(tmp_path / "Scan" / "Scan.isokiln")
    assert not document.is_dirty and document.title == "Scan"
    assert document.project.undo_stack.count() == 1
    document.project.undo_stack.undo()
    assert document.is_dirty
    document.project.undo_stack.redo()
    assert not document.is_dirty
    assert [row.path for row in load_recent()] == [document.path]


def test_an_edit_made_while_saving_stays_unsaved(qtbot, document, tmp_path):
    layer = new_layer("Bone", triangle())
    document.project.edit("Import", [layer])
    with qtbot.waitSignal(document.saved, timeout=5000):
        document.save(tmp_path / "Scan.isokiln")
        document.project.edit("Rename", changed(document.project.layers, layer.id, name="Femur"))
    assert document.is_dirty
    with qtbot.waitSignal(document.saved, timeout=5000):
        document.save()
    assert not document.is_dirty
    assert project_folder.open_project(tmp_path).document.state.layers[0].name == "Femur"


def test_a_project_open_elsewhere_is_saved_as_a_copy_with_its_runs(
    qtbot, background, document, tmp_path
):  # E10
    document.project.edit("Import", [new_layer("Bone", triangle())])
    document.save_now(tmp_path / "Scan" / "Scan.isokiln")
    run_folder.create(tmp_path / "Scan" / "runs" / "r1", AT, {}, {"solid": triangle()})
    before = {p: p.read_bytes() for p in (tmp_path / "Scan").rglob("*") if p.is_file()}
    second = OpenDocument(Project(), background)
    copy = tmp_path / "Scan copy" / "Scan copy.isokiln"
    with qtbot.waitSignal(second.saved, timeout=5000):
        second.open_copy(tmp_path / "Scan", copy)
    assert second.path == copy and not second.is_read_only and not second.is_dirty
    assert second.uuid != document.uuid and second.project.layers[0].name == "Bone"
    assert (copy.parent / "runs" / "r1" / "run.json").exists()
    assert {p: p.read_bytes() for p in (tmp_path / "Scan").rglob("*") if p.is_file()} == before
    assert project_lock.lock_holder(copy.parent) is not None, "the copy is open here"
    second.release()
    assert project_lock.lock_holder(copy.parent) is None


def test_a_project_open_elsewhere_is_not_saved_over(qtbot, background, document, tmp_path):
    document.project.edit("Import", [new_layer("Bone", triangle())])
    document.save_now(tmp_path / "Scan" / "Scan.isokiln")
    before = document.path.read_bytes()
    second = OpenDocument(Project(), background)
    second.project.edit("Import", [new_layer("Other", triangle())])
    with qtbot.waitSignal(second.failed, timeout=5000) as refused:
        second.save(document.path)
    assert refused.args[0].sentence == "The project Scan is open in another window."
    with pytest.raises(InputError, match="open in another window"):
        second.save_now(document.path)
    assert document.path.read_bytes() == before and second.path is None
    holder = project_lock.lock_holder(tmp_path / "Scan")
    assert holder is not None and holder.pid == os.getpid() and holder.is_here
    document.release()
    second.save_now(tmp_path / "Scan" / "Scan.isokiln")
    assert second.title == "Scan"
    second.release()


def test_a_project_open_elsewhere_is_offered_read_only(qtbot, background, document, tmp_path):
    document.project.edit("Import", [new_layer("Bone", triangle())])
    document.save_now(tmp_path / "Scan.isokiln")
    second = OpenDocument(Project(), background)
    with qtbot.waitSignal(second.locked, timeout=5000) as locked:
        second.open(tmp_path)
    assert locked.args == [tmp_path / "Scan.isokiln"] and second.project.layers == ()
    open_and_wait(qtbot, second, tmp_path, read_only=True)
    assert second.is_read_only and second.project.layers[0].name == "Bone"
    document.release()
    open_and_wait(qtbot, second, tmp_path)
    assert not second.is_read_only
    second.release()


def test_a_lock_of_a_dead_program_does_not_hinder(qtbot, document, tmp_path):
    document.project.edit("Import", [new_layer("Bone", triangle())])
    document.save_now(tmp_path / "Scan.isokiln")
    document.release()
    script = (
        "from PySide6.QtCore import QLockFile; import os, signal\n"
        f"lock = QLockFile({str(tmp_path / '.lock')!r}); assert lock.tryLock(0)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    assert (tmp_path / ".lock").exists()
    open_and_wait(qtbot, document, tmp_path)
    assert not document.is_read_only


_CRASH = """
import os, signal, sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QTimer
from app.background import Background
from app.document import OpenDocument
from app.layers import new_layer
from app.project import Project
from recon import run_folder
from recon.errors import InputError
from tests.app.test_project import triangle
from tests.recon.toy_methods import AT
app = QCoreApplication([])
document = OpenDocument(Project(), Background())
def edit(_):
    document.project.edit("Import", [*document.project.layers, new_layer("Unsaved", triangle(9))])
    document.changed.connect(lambda: os.kill(os.getpid(), signal.SIGKILL))
    document.autosave()
if sys.argv[1] == "-":
    edit(None)
else:
    document.opened.connect(edit)
    document.open(Path(sys.argv[1]))
app.exec()
"""


def crash_after_autosave(path: str) -> None:
    done = subprocess.run([sys.executable, "-c", _CRASH, path], cwd=ROOT, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_autosaved_work_comes_back_after_a_kill_and_can_be_saved(qtbot, document, tmp_path):
    path = tmp_path / "Scan" / "Scan.isokiln"
    document.project.edit("Import", [new_layer("Bone", triangle())])
    document.save_now(path)
    document.release()
    crash_after_autosave(str(path))
    with qtbot.waitSignal(document.recovery_found, timeout=5000) as found:
        document.open(path)
    assert [layer.name for layer in document.project.layers] == ["Bone"]
    document.recover(found.args[0])
    assert [layer.name for layer in document.project.layers] == ["Bone", "Unsaved"]
    assert document.is_dirty
    document.save_now()
    assert not document.is_dirty
    names = [layer.name for layer in project_folder.open_project(path).document.state.layers]
    assert names == ["Bone", "Unsaved"]


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_work_that_was_never_saved_comes_back_too(qtbot, document, tmp_path):
    from app.recovery import abandoned_recoveries

    crash_after_autosave("-")
    (recovery,) = abandoned_recoveries()
    assert recovery.project_path is None
    document.recover(recovery)
    assert [layer.name for layer in document.project.layers] == ["Unsaved"] and document.is_dirty
    document.save_now(tmp_path / "Kept" / "Kept.isokiln")
    assert list(abandoned_recoveries()) == []
    assert json.loads((tmp_path / "Kept" / "Kept.isokiln").read_bytes())["title"] == "Kept"


def test_only_the_newest_answer_of_the_background_counts(qtbot, background):
    answers: list[int] = []
    for i in range(5):
        background.run("read", lambda i=i: i, answers.append, pytest.fail)
    qtbot.waitUntil(lambda: not background.is_busy, timeout=5000)
    assert answers == [4]


def test_an_error_in_the_background_reaches_the_window(qtbot, background):
    errors: list[Exception] = []
    background.run("read", lambda: 1 / 0, pytest.fail, errors.append)
    qtbot.waitUntil(lambda: bool(errors), timeout=5000)
    assert isinstance(errors[0], ZeroDivisionError)
