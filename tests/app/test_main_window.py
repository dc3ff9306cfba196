"""The window, driven as a person would."""

import time

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.layers import Missing, new_layer
from app.preferences import load_preferences
from app.run_desk import id_of
from recon import formats
from recon.formats import native
from tests.app.windows import (
    answer,
    layer_names,
    open_files,
    open_window,
    picture,
    press,
    sheets,
)
from tests.synthetic import SPHERE, TORUS, mesh_of, slices_of
from widgets.error_dialog import ErrorDialog


@pytest.fixture
def slices_file(tmp_path):
    path = tmp_path / "torus.csl"
    formats.write(path, slices_of(TORUS, 8))
    return path


def test_the_start_page_comes_first_and_without_any_question(qtbot, window):
    assert window.is_on_start_page and sheets(window) == []
    assert not any(dock.isVisible() for dock in window.docks.values())
    buttons = {b.text() for b in window.start_page.findChildren(QPushButton)}
    assert {"New project", "Open…", "Import files…", "Start", "Try sample"} <= buttons


def test_a_dropped_file_becomes_a_layer_in_all_views(qtbot, window, slices_file):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(slices_file))])
    drop = QDropEvent(
        QPointF(200, 200),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(drop)
    qtbot.waitUntil(lambda: layer_names(window) == ["torus"], timeout=10_000)
    assert not window.is_on_start_page
    assert window.viewport.layer_ids == (window.project.layers[0].id,)
    assert window.slice_view.sections is window.project.layers[0].data
    assert window.method_panel.inputs() == {"sections": window.project.layers[0].id}
    assert picture(window).std() > 5


def test_a_file_of_garbage_is_shown_with_its_reason_and_changes_nothing(qtbot, window, slices_file, tmp_path):
    open_files(qtbot, window, slices_file)
    before = window.project.state
    bad = tmp_path / "bad.csl"
    bad.write_text("CSLC\n3 2\n1 4 1 0 0 1 nonsense\n")
    window.open_paths([bad])
    qtbot.waitUntil(lambda: window.imports.dialog is not None, timeout=10_000)
    dialog = window.imports.dialog
    qtbot.waitUntil(lambda: bool(dialog.rows()[0].problems), timeout=10_000)
    (problem,) = dialog.rows()[0].problems
    assert problem.severity == "error" and "bad.csl, line" in problem.text and "Traceback" not in problem.text
    assert window.project.state is before
    dialog.close()


def test_undo_and_redo_by_key_name_what_they_do(qtbot, window, slices_file):
    open_files(qtbot, window, slices_file)
    assert window.actions_by_id["undo"].text() == "Undo Import “torus”"
    press(window, "Ctrl+Z")
    assert window.project.layers == () and window.viewport.layer_ids == ()
    press(window, "Ctrl+Shift+Z")
    assert layer_names(window) == ["torus"]


def test_deleting_everything_and_undoing_brings_the_same_data_back(qtbot, window, slices_file):
    open_files(qtbot, window, slices_file)
    data = window.project.layers[0].data
    window.actions_by_id["delete"].trigger()
    assert window.project.layers == () and window.slice_view.sections is None
    window.actions_by_id["undo"].trigger()
    assert window.project.layers[0].data is data and window.slice_view.sections is data


def test_hiding_isolating_and_showing_all(qtbot, window):
    layers = [new_layer("Sphere", mesh_of(SPHERE, 32)), new_layer("Torus", mesh_of(TORUS, 32))]
    window.project.edit("Add", layers)
    window.scene.select([layers[1].id])
    full = picture(window)
    window.actions_by_id["isolate"].trigger()
    assert not window.project.is_visible(layers[0].id) and window.project.is_visible(layers[1].id)
    assert np.abs(picture(window).astype(int) - full).max() > 20
    window.actions_by_id["show_all"].trigger()
    assert window.project.is_visible(layers[0].id)
    assert window.project.undo_stack.count() == 1, "visibility is no undo step"


def test_saving_under_a_name_and_opening_again(qtbot, window, slices_file, tmp_path):
    open_files(qtbot, window, slices_file)
    window.files.pick_to_save = lambda *_: (str(tmp_path / "My scan"), "")
    with qtbot.waitSignal(window.document.saved, timeout=10_000):
        press(window, "Ctrl+S")
    path = tmp_path / "My scan" / "My scan.isokiln"
    assert path.exists() and not window.isWindowModified() and window.windowTitle() == "My scan[*] – Isokiln"
    window.document.new()
    assert window.project.layers == ()
    with qtbot.waitSignal(window.document.opened, timeout=10_000):
        window.open_paths([path.parent])
    assert layer_names(window) == ["torus"]
    assert np.array_equal(window.project.layers[0].data.vertices, formats.read(slices_file).data.vertices)


def test_closing_with_unsaved_work_asks_and_cancel_keeps_the_window(qtbot, window, slices_file):
    open_files(qtbot, window, slices_file)
    window.close()
    assert window.isVisible() and "Save the changes" in sheets(window)[0].accessibleName()
    answer(window, "Cancel")
    assert window.isVisible() and layer_names(window) == ["torus"]
    window.close()
    answer(window, "Don’t save")
    assert not window.isVisible()


def test_a_missing_file_is_a_placeholder_and_can_be_located(qtbot, window, tmp_path):
    source = tmp_path / "away" / "bone.npz"
    source.parent.mkdir()
    native.write(source, mesh_of(SPHERE, 24))
    from app.project_folder import source_of

    layer = new_layer("Bone", native.read(source), source=source_of(source, {}, is_embedded=False))
    window.project.edit("Add", [layer])
    window.document.save_now(tmp_path / "P" / "P.isokiln")
    window.document.new()
    found = tmp_path / "found.npz"
    source.rename(found)
    with qtbot.waitSignal(window.document.opened, timeout=10_000):
        window.open_paths([tmp_path / "P"])
    assert isinstance(window.project.layers[0].data, Missing)
    assert window.banners.banner_ids() == ("missing",)
    window.files.pick_to_open = lambda *_: (str(found), "")
    window.actions_by_id["relink"].trigger()
    qtbot.waitUntil(lambda: not isinstance(window.project.layers[0].data, Missing), timeout=10_000)
    assert window.banners.banner_ids() == () and window.viewport.layer_ids == (layer.id,)


def test_editing_a_contour_in_the_slice_pane_is_one_undo_step(qtbot, window, slices_file):
    open_files(qtbot, window, slices_file)
    before = window.project.layers[0].data
    window.slice_view.set_plane(3)
    window.slice_view.toggle_plane()
    after = window.project.layers[0].data
    assert after.disabled_planes[3] and not before.disabled_planes[3]
    assert window.project.undo_stack.undoText() == "Leave out plane 4"
    window.actions_by_id["undo"].trigger()
    assert window.slice_view.sections is before and window.slice_view.plane == 3


def test_clicking_a_plane_in_the_3d_view_shows_it_in_the_slice_pane(qtbot, window, slices_file):
    open_files(qtbot, window, slices_file)
    window.viewport.plane_picked.emit(window.project.layers[0].id, 5)
    assert window.slice_view.plane == 5


@pytest.mark.parametrize(
    ("tool", "parameters"),
    [("smooth", {"iterations": 3}), ("decimate", {"target_faces": 500}), ("flip", {})],
)
def test_a_mesh_tool_is_one_undo_step(qtbot, window, tool, parameters):
    layer = new_layer("Sphere", mesh_of(SPHERE, 32))
    window.project.edit("Add", [layer])
    window.scene.select([layer.id])
    with qtbot.waitSignal(window.project.state_changed, timeout=20_000):
        window.meshes.apply(tool, parameters)
    changed = window.project.layers[0].data
    assert changed is not layer.data and len(changed.faces) > 0
    if tool == "flip":
        assert changed.volume == pytest.approx(-layer.data.volume)
    window.actions_by_id["undo"].trigger()
    assert window.project.layers[0].data is layer.data


def test_a_mesh_cut_into_slices_becomes_a_layer(qtbot, window):
    layer = new_layer("Sphere", mesh_of(SPHERE, 32))
    window.project.edit("Add", [layer])
    window.scene.select([layer.id])
    window.actions_by_id["slice_mesh"].trigger()
    dialog = window.findChild(object, "dlg_cut")
    cut = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Cut")
    QTest.mouseClick(cut, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(window.project.layers) == 2, timeout=20_000)
    assert window.project.layers[1].data.num_planes == 20
    assert window.slice_view.sections is window.project.layers[1].data


def test_data_of_another_frame_are_turned_into_the_project_s(qtbot, window, tmp_path):
    from dataclasses import replace

    from render.frame import Frame

    mesh = mesh_of(TORUS, 24)
    first, second = tmp_path / "a.npz", tmp_path / "b.npz"
    native.write(first, replace(mesh, frame=Frame("+Z", "mm")))
    native.write(second, replace(mesh, frame=Frame("+Y", "cm")))
    open_files(qtbot, window, first)
    open_files(qtbot, window, second)
    assert window.project.frame == Frame("+Z", "mm") == window.project.layers[1].data.frame
    x, y, z = mesh.vertices.T
    assert np.allclose(window.project.layers[1].data.vertices, 10 * np.stack([x, -z, y], axis=1), atol=1e-5)


def test_the_up_axis_and_unit_are_said_in_the_status_bar_and_undone(qtbot, window, slices_file):
    open_files(qtbot, window, slices_file)
    assert window.status_line.frame.text() == "Z up, unit not set"
    from render.frame import Frame

    window.scene.set_frame(Frame("+Y", "mm"))
    assert window.status_line.frame.text() == "Y up, mm"
    assert window.project.layers[0].data.frame.unit == "mm"
    window.actions_by_id["undo"].trigger()
    assert window.status_line.frame.text() == "Z up, unit not set"


def test_switching_the_theme_dresses_everything_and_is_remembered(qtbot, window):
    dark = window.grab().toImage().pixelColor(8, 400).lightness()
    window.actions_by_id["theme"].trigger()
    qtbot.waitUntil(lambda: window.grab().toImage().pixelColor(8, 400).lightness() > dark + 100, timeout=5000)
    assert load_preferences().theme == "light"
    window.actions_by_id["theme"].trigger()


def test_an_uncaught_exception_is_shown_and_the_work_is_kept(qtbot, window, slices_file, isokiln_home):
    open_files(qtbot, window, slices_file)
    window.shell.show_unexpected(KeyError("oops"))
    assert window.findChildren(ErrorDialog)
    qtbot.waitUntil(
        lambda: list((isokiln_home / "state" / "recovery").glob("*/recovery.json")) != [], timeout=5000
    )


def test_the_window_is_there_within_three_seconds_of_being_asked_for(qtbot):
    start = time.process_time()
    with open_window(qtbot):
        assert time.process_time() - start < 3


def test_a_run_started_by_key_is_listed_and_can_be_cancelled(qtbot, window, slices_file):
    open_files(qtbot, window, slices_file)
    press(window, "F5")
    (job,) = window.runs.queue.jobs
    assert window.method_panel.run_block.isVisible() and id_of(job) in window.job_panel._model.rows[0].id
    assert [line.split("  ")[-1].strip() for line in window.log_view.text().splitlines()] == [
        f"{job.title} started."
    ]
    window.actions_by_id["cancel"].trigger()
    qtbot.waitUntil(lambda: window.runs.current is None, timeout=20_000)
    assert job.state.value == "cancelled" and len(window.project.layers) == 1
