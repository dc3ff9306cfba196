"""What the design's acceptance list asks of the window and that no other test says."""

import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, QProcess, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from app import project_folder
from app.directories import config_directory, state_directory
from app.errors import describe_error
from app.job_states import ACTIVE
from app.launch import begin, reset
from app.layers import changed, new_layer
from app.one_window import OneWindow
from app.preferences import Preferences, load_preferences, load_recent, save_preferences
from app.run_desk import id_of
from app.window_options import WindowOptions
from recon import formats, method_by_id
from recon.errors import OutOfMemory
from recon.formats import mesh as mesh_format
from recon.formats import native
from recon.formats.export import ExportOptions
from recon.run_folder import create
from render.frame import Frame
from render.mesh import TriangleMesh
from tests.app.test_project_folder import document as value
from tests.app.test_project_folder import mesh
from tests.app.windows import answer, layer_names, open_files, open_window, press, sheets
from tests.synthetic import SPHERE, TORUS, mesh_of, slices_of
from tests.widgets.looks import clipped
from widgets.error_dialog import ErrorDialog

ROOT = Path(__file__).parents[2]


@pytest.fixture
def slices_file(tmp_path):
    path = tmp_path / "torus.csl"
    formats.write(path, slices_of(TORUS, 8))
    return path


@pytest.fixture
def project(tmp_path):
    """A saved project "Scan" with one mesh."""
    path = tmp_path / "Scan" / "Scan.isokiln"
    project_folder.save(path, value(new_layer("Bone", mesh())))
    return path


def test_every_file_that_can_be_read_becomes_a_layer_when_dropped(qtbot, window, tmp_path):  # T03
    solid, sections = mesh_of(SPHERE, 16), slices_of(TORUS, 5)
    paths = []
    for suffix in (".ply", ".obj", ".stl", ".glb", ".3mf"):
        paths.append(tmp_path / f"solid{suffix}")
        mesh_format.write(paths[-1], [("Solid", solid)], ExportOptions(sidecar=False))
    for suffix in (".csl", ".json"):
        paths.append(tmp_path / f"slices{suffix}")
        formats.write(paths[-1], sections)
    paths.append(tmp_path / "kept.npz")
    native.write(paths[-1], solid)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    no = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, mime, *no))
    qtbot.waitUntil(lambda: len(window.project.layers) == len(paths), timeout=20_000)
    kinds = [type(layer.data).__name__ for layer in window.project.layers]
    assert kinds == ["TriangleMesh"] * 5 + ["CrossSections"] * 2 + ["TriangleMesh"]
    assert set(window.viewport.layer_ids) == {layer.id for layer in window.project.layers}
    press(window, "Ctrl+Z")
    assert window.project.layers == (), "one undo step"


def test_every_edit_is_undone_and_redone_to_the_very_same_state(qtbot, window, tmp_path):  # T20, T21
    whole = mesh_of(SPHERE, 24)
    vertices = np.vstack([whole.vertices, 0.1 * whole.vertices + 3])
    faces = np.vstack([whole.faces[1:], whole.faces + len(whole.vertices)])
    solid = new_layer("Solid with a hole, and a crumb", TriangleMesh(vertices, faces))
    slices = new_layer("Slices", slices_of(TORUS, 6))
    window.project.edit("Add", [solid, slices])

    def wait_for_edit(start):
        with qtbot.waitSignal(window.project.state_changed, timeout=20_000):
            start()

    on_solid, on_slices = (
        (lambda: window.scene.select([solid.id])),
        (lambda: window.scene.select([slices.id])),
    )
    edits = {
        "rename": (on_solid, lambda: window.scene.rename(solid.id, "Femur")),
        "duplicate": (on_solid, lambda: window.actions_by_id["duplicate"].trigger()),
        "delete": (on_solid, lambda: window.actions_by_id["delete"].trigger()),
        "style": (on_solid, lambda: window.scene.set_style(solid.id, {"opacity": 0.5})),
        "flip": (on_solid, lambda: window.actions_by_id["flip"].trigger()),
        "smooth": (on_solid, lambda: window.meshes.apply("smooth", {"iterations": 2})),
        "decimate": (on_solid, lambda: window.meshes.apply("decimate", {"target_faces": 1500})),
        "holes": (on_solid, lambda: window.meshes.apply("holes", {"max_edges": 0})),
        "components": (on_solid, lambda: window.meshes.apply("components", {"min_share": 0.5})),
        "toggle a plane": (on_slices, lambda: window.actions_by_id["slice_toggle"].trigger()),
        "frame": (on_slices, lambda: window.scene.set_frame(Frame("+Y", "mm"))),
        "delete all": (
            lambda: window.scene.select([x.id for x in window.project.layers]),
            lambda: window.actions_by_id["delete"].trigger(),
        ),
    }
    for name, (select, do) in edits.items():
        select()
        before, index = window.project.state, window.project.undo_stack.index()
        wait_for_edit(do)
        after = window.project.state
        assert window.project.undo_stack.index() == index + 1 and after is not before, name
        assert window.project.undo_stack.undoText().strip(), name
        press(window, "Ctrl+Z")
        assert window.project.state.layers == before.layers and window.project.frame == before.frame, name
        press(window, "Ctrl+Y")
        assert window.project.state.layers == after.layers and window.project.frame == after.frame, name
        press(window, "Ctrl+Z")
        assert set(window.viewport.layer_ids) == {solid.id, slices.id}, name
    window.show_start_page()  # T22: the view comes and goes, the history stays.
    window.show_project()
    window.reset_layout()
    press(window, "Ctrl+Z")
    assert window.project.layers == () and window.viewport.layer_ids == ()
    press(window, "Ctrl+Y")
    assert window.project.layers == (solid, slices)


def test_the_project_is_edited_and_undone_while_a_run_works_and_new_leaves_it(
    qtbot, window, slices_file, tmp_path
):
    """T24, T39: the run works on its own copy; asked to, it goes on when another project is begun."""
    open_files(qtbot, window, slices_file)
    window.document.save_now(tmp_path / "Part" / "Part.isokiln")
    window.method_panel.form.set_values({"prior": "neural", "steps": 100_000})
    press(window, "F5")
    (job,) = window.runs.queue.jobs
    qtbot.waitUntil(lambda: job.progress.step > 0, timeout=90_000)
    sections = window.project.layers[0].data
    window.actions_by_id["delete"].trigger()
    assert window.project.layers == () and job.state in ACTIVE
    press(window, "Ctrl+Z")
    assert window.project.layers[0].data is sections
    window.document.save_now()
    press(window, "Ctrl+N")
    answer(window, "Cancel")
    assert window.runs.current is job and window.document.title == "Part"
    press(window, "Ctrl+N")
    answer(window, "Keep running in the background")
    assert window.document.title == "Untitled" and window.runs.queue.jobs == ()
    assert job.folder.status().state == "running"
    step = job.folder.status().step
    qtbot.waitUntil(lambda: job.folder.status().step > step, timeout=30_000)
    with qtbot.waitSignal(window.document.opened, timeout=10_000):
        window.open_paths([tmp_path / "Part"])
    (again,) = window.runs.queue.jobs
    assert id_of(again) == id_of(job) and again.state in ACTIVE, "it is taken up again"
    window.actions_by_id["cancel"].trigger()
    qtbot.waitUntil(lambda: window.runs.current is None, timeout=30_000)
    assert window.project.layers[0].data.num_planes == 8 and len(window.project.layers) == 1


def test_a_save_leaves_a_picture_that_the_start_page_shows(qtbot, window, tmp_path):
    window.project.edit("Add", [new_layer("Torus", mesh_of(TORUS, 32))])
    window.scene.frame_all()
    path = tmp_path / "Scan" / "Scan.isokiln"
    with qtbot.waitSignal(window.document.saved, timeout=10_000):
        window.document.save(path)
    picture = QImage(str(path.parent / "preview.png"))
    assert (picture.width(), picture.height()) == (256, 256)
    pixels = np.array(
        [[picture.pixelColor(x, y).lightness() for x in range(0, 256, 8)] for y in range(0, 256, 8)]
    )
    assert pixels.std() > 10, "something is seen on it"
    window.actions_by_id["start_page"].trigger()
    qtbot.waitUntil(lambda: any(row.thumbnail for row in window.recent._shown), timeout=5000)
    assert window.recent._shown[0].name == "Scan" and not window.recent._shown[0].is_missing
    assert window.start_page._recent.isVisible()


def test_a_project_is_packed_from_the_menu_and_a_pack_opens_where_asked(qtbot, window, tmp_path):  # T17
    window.project.edit("Add", [new_layer("Torus", mesh_of(TORUS, 16))])
    chosen = [tmp_path / "gift.isokilnz", tmp_path / "Part", tmp_path / "there" / "Copy"]
    window.files.pick_to_save = lambda *_: (str(chosen.pop(0)), "")
    window.actions_by_id["pack"].trigger()
    dialog = window.findChild(object, "dlg_pack")
    with qtbot.waitSignal(window.packs.packed, timeout=10_000):
        next(b for b in dialog.findChildren(QPushButton) if b.text() == "Pack…").click()
    assert (tmp_path / "Part" / "Part.isokiln").exists() and not window.document.is_dirty
    uuid = window.document.uuid
    with qtbot.waitSignal(window.document.opened, timeout=10_000):
        window.open_paths([tmp_path / "gift.isokilnz"])
    assert window.document.path == tmp_path / "there" / "Copy" / "Part.isokiln"
    assert layer_names(window) == ["Torus"] and window.document.uuid != uuid and chosen == []


def test_a_second_window_of_a_project_is_read_only_when_asked(qtbot, window, project):  # T16
    with qtbot.waitSignal(window.document.opened, timeout=10_000):
        window.open_paths([project])
    with open_window(qtbot) as second:
        second.open_paths([project])
        qtbot.waitUntil(lambda: bool(sheets(second)), timeout=10_000)
        with qtbot.waitSignal(second.document.opened, timeout=10_000):
            answer(second, "Open read-only")
        assert second.status_line.saved.text() == "Read-only" and layer_names(second) == ["Bone"]
        second.project.edit("Rename", changed(second.project.layers, second.project.layers[0].id, name="X"))
        asked = []
        second.files.pick_to_save = lambda *_: (asked.append(1), ("", ""))[1]
        second.actions_by_id["save"].trigger()
        assert asked == [1], "it can only be saved elsewhere"
    assert json.loads(project.read_bytes())["layers"][0]["name"] == "Bone"


def test_a_project_that_another_window_has_is_saved_as_a_copy(qtbot, window, project, tmp_path):  # E10
    with qtbot.waitSignal(window.document.opened, timeout=10_000):
        window.open_paths([project])
    with open_window(qtbot) as second:
        second.open_paths([project])
        qtbot.waitUntil(lambda: bool(sheets(second)), timeout=10_000)
        (sheet,) = sheets(second)
        offered = {button.text() for button in sheet.findChildren(QPushButton)} - {""}
        assert offered == {"Open read-only", "Save as copy…", "Cancel"}, "a living window is not taken over"
        second.files.pick_to_save = lambda *_: (str(tmp_path / "Mine"), "")
        with qtbot.waitSignal(second.document.saved, timeout=10_000):
            answer(second, "Save as copy…")
        assert layer_names(second) == ["Bone"] and second.document.title == "Mine"
        assert second.document.path == tmp_path / "Mine" / "Mine.isokiln" and not second.document.is_read_only
    assert window.document.path == project


_SECOND = "import sys; from app.__main__ import main; sys.exit(main(sys.argv[1:]))"


def test_a_second_start_with_the_same_project_raises_the_first_window(qtbot, window, project, slices_file):
    OneWindow(window)
    with qtbot.waitSignal(window.document.opened, timeout=10_000):
        window.open_paths([project])
    window.showMinimized()
    second = QProcess()
    second.setWorkingDirectory(str(ROOT))
    with qtbot.waitSignal(second.finished, timeout=30_000) as ended:
        second.start(sys.executable, ["-c", _SECOND, str(project.parent), "--import", str(slices_file)])
    assert ended.args[0] == 0
    qtbot.waitUntil(lambda: layer_names(window) == ["Bone", "torus"], timeout=10_000)
    assert not window.isMinimized()


def test_the_window_opens_as_the_command_line_asks(qtbot, window, project, slices_file, isokiln_home):
    begin(window, WindowOptions(new="Skull", imports=(slices_file,)))
    qtbot.waitUntil(lambda: layer_names(window) == ["torus"], timeout=10_000)
    assert window.document.title == "Skull" and not window.is_on_start_page
    window.document.new()
    with qtbot.waitSignal(window.document.opened, timeout=10_000):
        begin(window, WindowOptions(paths=(project,), imports=(slices_file,)))
    qtbot.waitUntil(lambda: layer_names(window) == ["Bone", "torus"], timeout=10_000)
    window.document.new()
    assert load_recent()[0].path == project
    with qtbot.waitSignal(window.document.opened, timeout=10_000):
        begin(window, WindowOptions(latest=True))
    assert layer_names(window) == ["Bone"]
    begin(window, WindowOptions(paths=(project.parent / "none.isokiln",)))
    qtbot.waitUntil(lambda: bool(window.findChildren(ErrorDialog)), timeout=10_000)
    assert layer_names(window) == ["Bone"], "and nothing that is open is lost"


def test_safe_mode_writes_nothing_unasked_and_resets_forget(qtbot, tmp_path, isokiln_home):  # T09
    from app.main_window import MainWindow

    save_preferences(Preferences(theme="light", reduce_motion=True))
    (state_directory() / "window.ini").write_text("[General]\nstate=1\n")
    window = MainWindow(is_safe=True, multi_samples=0)
    try:
        window.project.edit("Add", [new_layer("Torus", mesh_of(TORUS, 16))])
        window.document.autosave()
        assert not window.background.is_busy and not (state_directory() / "recovery").exists()
    finally:
        window.may_close = True
        window.close()
        window.deleteLater()
        QApplication.processEvents()
    reset(WindowOptions())
    assert load_preferences().theme == "light"
    reset(WindowOptions(resets_settings=True, resets_layout=True))
    assert load_preferences() == Preferences() and not (state_directory() / "window.ini").exists()
    assert (config_directory() / "preferences.json.old").exists()


def test_no_words_are_clipped_at_twice_the_size_and_tab_reaches_every_control(qtbot, slices_file):  # T07, T08
    with open_window(qtbot, Preferences(reduce_motion=True, ui_scale=2.0)) as window:
        window.resize(2560, 1600)
        assert clipped(window) == []
        open_files(qtbot, window, slices_file)
        assert clipped(window) == []
        panel = window.method_panel
        reached, widget = set(), panel
        while (widget := widget.nextInFocusChain()) is not panel:
            reached.add(widget)
        kinds = Qt.FocusPolicy.TabFocus
        waiting = [w for w in panel.findChildren(QWidget) if w.isVisible() and w.isEnabled()]
        controls = [w for w in waiting if w.focusPolicy() & kinds == kinds]
        assert len(controls) > 8 and set(controls) <= reached
        seen = set()
        controls[0].setFocus()
        for _ in range(3 * len(reached)):
            seen.add(QApplication.focusWidget())
            window.focusNextChild()
        unreached = [w for w in controls if w.isVisible() and w not in seen and w.focusProxy() not in seen]
        assert [(type(w).__name__, w.objectName()) for w in unreached] == []


def test_the_copied_command_writes_the_very_same_file(qtbot, window, tmp_path):  # T83
    window.project.edit("Add", [new_layer("Torus", replace(mesh_of(TORUS, 16), frame=Frame("+Z", "mm")))])
    window.document.save_now(tmp_path / "Part" / "Part.isokiln")
    dialog = window.exports.show([window.project.layers[0].id])
    wish = replace(dialog.wish(), format="stl", path=tmp_path / "a" / "part.stl", sidecar=False)
    words = shlex.split(window.exports._command(wish)[0])
    with qtbot.waitSignal(window.exports.exported, timeout=20_000):
        window.exports.write(wish)
    first = wish.path.read_bytes()
    wish.path.unlink()
    assert words[0] == "isokiln"
    subprocess.run([sys.executable, "-m", "app", *words[1:]], cwd=ROOT, check=True, capture_output=True)
    assert wish.path.read_bytes() == first


def test_a_run_without_enough_memory_offers_the_next_lower_preset(
    qtbot, window, tmp_path, monkeypatch
):  # T38
    monkeypatch.setattr(window.runs.queue, "_start_next", lambda: None)
    presets = method_by_id("orex").presets
    native.write(tmp_path / "sections.npz", slices_of(TORUS, 5))
    settings = method_by_id("orex").settings.model_validate(presets["Best"]).model_dump(mode="json")
    folder = create(tmp_path / "runs" / "r1", "orex", settings, {"sections": tmp_path / "sections.npz"})
    job = window.runs._follow(folder)
    window.runs.failed.emit(job, describe_error(OutOfMemory("Not enough memory.", "Choose a lower preset.")))
    answer(window, "Start again with “Balanced”")
    (again,) = window.runs.queue.jobs
    balanced = method_by_id("orex").settings.model_validate(presets["Balanced"]).model_dump(mode="json")
    assert again.folder.manifest.settings == balanced != settings and again.state.value == "queued"
    assert window.runs.lower_preset(again) == "Quick check"
    window.runs.retry_with(again, "Quick check")
    lowest = window.runs.queue.jobs[-1]
    assert window.runs.lower_preset(lowest) == ""
    window.runs.failed.emit(lowest, describe_error(OutOfMemory("Not enough memory.", "Buy some.")))
    assert window.findChildren(ErrorDialog)


def test_nothing_is_exported_over_what_the_project_uses(qtbot, window, slices_file, tmp_path):  # T81, T82
    open_files(qtbot, window, slices_file)
    window.project.edit("Add", [*window.project.layers, new_layer("Torus", mesh_of(TORUS, 16))])
    window.document.save_now(tmp_path / "Part" / "Part.isokiln")
    link = tmp_path / "link.csl"
    link.symlink_to(slices_file)
    before = slices_file.read_bytes()
    sections, solid = window.project.layers
    dialog = window.exports.show([sections.id])
    refused = []
    window.exports.failed.connect(lambda error: refused.append(describe_error(error).sentence))
    for path in (slices_file, link, tmp_path / "Part" / "layers" / "x.csl"):
        window.exports.write(replace(dialog.wish(), format="csl", path=path))
    assert refused == ["This file is used by the project."] * 3 and slices_file.read_bytes() == before
    full = tmp_path / "full"
    full.write_text("a file where a folder is needed")
    dialog = window.exports.show([solid.id])
    window.exports.write(replace(dialog.wish(), format="stl", path=full / "part.stl", sidecar=False))
    qtbot.waitUntil(lambda: len(refused) == 4, timeout=10_000)
    assert full.read_text().startswith("a file") and window.project.layers == (sections, solid)
