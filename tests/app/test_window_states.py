"""States of the window that people meet on the way from slices to a solid, driven by hand."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QDialog, QLabel, QLineEdit, QPushButton

from app.layers import Origin, new_layer
from app.preferences import Preferences
from app.run_desk import id_of
from app.workflows import TITLES
from recon import formats
from tests.app.windows import layer_names, open_files, open_window, press
from tests.synthetic import SPHERE, TORUS, mesh_of, slices_of
from tests.widgets.looks import clipped
from widgets.notices import Toast
from widgets.viewport_camera import CameraPose


@pytest.fixture
def slices_file(tmp_path):
    path = tmp_path / "torus.csl"
    formats.write(path, slices_of(TORUS, 8))
    return path


def result_of(window, *, reached):
    """A layer as a run would leave it."""
    table = [{"plane": 0, "accuracy": 99.95, "iou": 0.99, "reached": reached, "why": "Too thin."}]
    origin = Origin("orex", inputs=(window.project.layers[0].id,), figures={"agreement": table})
    layer = new_layer("Result", mesh_of(TORUS, 24), origin=origin)
    window.project.edit("Result", [*window.project.layers, layer])
    return layer


def steps(window):
    return {step.id: step.state for step in window.stepper.steps}


def test_the_steps_follow_the_work_and_lead_to_it(qtbot, window, slices_file):
    assert steps(window) == dict.fromkeys(["slices", "run", "result", "export"], "todo") | {"settings": "ok"}
    open_files(qtbot, window, slices_file)
    assert steps(window)["slices"] == "ok"
    assert [step.id for step in window.stepper.steps if step.is_current] == ["run"]
    layer = result_of(window, reached=False)
    assert steps(window)["result"] == "warning" and steps(window)["run"] == "ok"
    result = window.stepper._buttons["result"]
    qtbot.waitUntil(lambda: result.isVisible() and result.width() > 20 and result.height() > 20, timeout=5000)
    QTest.mouseClick(result, Qt.MouseButton.LeftButton)
    assert window.scene.current is layer
    assert window.task_tabs.currentWidget() is window.agreement_list
    assert window.agreement_list.summary() == "0 of 1 plane agrees with the solid"
    QTest.mouseClick(window.stepper._buttons["settings"], Qt.MouseButton.LeftButton)
    assert window.task_tabs.currentWidget() is window.method_panel


def test_what_is_typed_into_fields_is_text_and_no_command(qtbot, window, slices_file):
    open_files(qtbot, window, slices_file)
    layer, plane, pose = window.project.layers[0], window.slice_view.plane, window.viewport.camera
    for field in (
        window.findChild(QLineEdit, "props_name"),
        window.method_panel.form.findChildren(QLineEdit)[0],
    ):
        field.setFocus()
        qtbot.waitUntil(field.hasFocus, timeout=2000)
        for key in ("H", "V", "F", "1", "3", "7", "Delete", "Home", "A", "G", "K", "D"):
            press(field, key)
    (named,) = window.project.layers
    assert named.data is layer.data and named.name == "agkdtorushvf137", "Home and Delete edit too"
    assert window.project.is_visible(layer.id) and window.slice_view.plane == plane
    assert window.viewport.camera == pose and window.viewport.active_tool in (None, "")
    assert window.viewport.is_shown("grid") and window.viewport.is_shown("axes")
    window.viewport.setFocus()
    press(window, "H")
    assert not window.project.is_visible(layer.id), "outside a field the key is a command"


def test_a_folder_of_masks_asks_for_its_spacing_before_it_is_imported(qtbot, window, tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    y, x = np.mgrid[:24, :24]
    for i in range(6):
        disc = ((x - 12) ** 2 + (y - 12) ** 2 < (4 + i) ** 2).astype(np.uint8) * 255
        Image.fromarray(disc).save(folder / f"{i}.png")
    window.open_paths([folder])
    qtbot.waitUntil(lambda: window.imports.dialog is not None, timeout=10_000)
    dialog = window.imports.dialog
    qtbot.waitUntil(lambda: bool(dialog.rows()[0].problems), timeout=10_000)
    assert "how large" in dialog.rows()[0].problems[0].text and layer_names(window) == []
    accept = dialog.findChild(QPushButton, "import_accept")
    assert not accept.isEnabled()
    window.imports._take_options(dialog.rows()[0].id, {"spacing": (0.5, 0.5, 2.0)})
    qtbot.waitUntil(accept.isEnabled, timeout=10_000)
    assert window.imports._preview._data is not None
    QTest.mouseClick(accept, Qt.MouseButton.LeftButton)
    assert layer_names(window) == ["masks"] and window.project.undo_stack.count() == 1
    assert np.ptp(window.project.layers[0].data.bounds, axis=0)[2] == pytest.approx(10)


def test_exporting_without_a_known_scale_offers_to_set_it(qtbot, window):
    window.project.edit("Add", [new_layer("Sphere", mesh_of(SPHERE, 24))])
    window.actions_by_id["export"].trigger()
    dialog = window.exports.dialog
    (button,) = [b for b in dialog.findChildren(QPushButton) if b.text() == "Set scale…"]
    assert dialog.wish().path.name == "Sphere.glb"
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    frame = window.findChild(QDialog, "dlg_frame")
    unit = next(c for c in frame.findChildren(QComboBox) if c.findText("millimetres") >= 0)
    unit.setCurrentIndex(unit.findText("millimetres"))
    unit.activated.emit(unit.currentIndex())
    assert window.project.frame.unit == "mm"
    assert not [b for b in dialog.findChildren(QPushButton) if b.text() == "Set scale…" and b.isVisible()]
    frame.close()
    dialog.close()


def test_a_read_only_project_says_so_until_another_is_begun(qtbot, window, slices_file, tmp_path):
    open_files(qtbot, window, slices_file)
    path = tmp_path / "P" / "P.isokiln"
    window.document.save_now(path)
    with qtbot.waitSignal(window.document.opened, timeout=10_000):
        window.document.open(path, read_only=True)
    assert window.banners.banner_ids() == ("read only",)
    window.document.new()
    assert window.banners.banner_ids() == ()


def test_a_preview_leaves_selection_and_camera_alone(qtbot, window, slices_file):
    open_files(qtbot, window, slices_file)
    window.viewport.set_view("front")
    pose, selected = window.viewport.camera, window.layer_list.selected_ids()
    window.scene.show_preview("Preview", mesh_of(SPHERE, 24))
    window.scene.show_preview("Preview", mesh_of(SPHERE, 32))
    assert window.viewport.camera == pose and window.layer_list.selected_ids() == selected
    window.scene.end_preview()
    assert window.viewport.camera == pose and window.layer_list.selected_ids() == selected


def test_an_edited_result_no_longer_claims_what_its_run_measured(qtbot, window, slices_file):
    open_files(qtbot, window, slices_file)
    layer = result_of(window, reached=True)
    window.scene.select([layer.id])
    assert window.agreement.has_table(layer)
    with qtbot.waitSignal(window.project.state_changed, timeout=20_000):
        window.meshes.apply("smooth", {"iterations": 2})
    edited = window.project.layers[-1]
    assert not window.agreement.has_table(edited) and edited.origin.inputs == layer.origin.inputs
    window.actions_by_id["undo"].trigger()
    assert window.agreement.has_table(window.project.layers[-1])


def test_an_applied_tool_is_not_lost_to_the_preview_of_the_next(qtbot, window):
    layer = new_layer("Sphere", mesh_of(SPHERE, 24))
    window.project.edit("Add", [layer])
    window.scene.select([layer.id])
    window.meshes.apply("decimate", {"target_faces": 100})
    window.meshes.preview("smooth", {"iterations": 3})
    window.mesh_tools.open_tool("components")
    qtbot.waitUntil(lambda: len(window.project.layers[0].data.faces) == 100, timeout=10_000)
    assert window.meshes._preview is None, "it was of the mesh as it was before"
    window.mesh_tools.open_tool("holes")
    window.mesh_tools.open_tool("components")
    note = window.mesh_tools.findChild(QLabel, "note_components")
    qtbot.waitUntil(lambda: note.text().startswith("Keeps 1 of 1 part."), timeout=10_000)


def test_welding_a_mesh_without_seams_says_so_and_changes_nothing(qtbot, window):
    layer = new_layer("Sphere", mesh_of(SPHERE, 24))
    window.project.edit("Add", [layer])
    window.scene.select([layer.id])
    window.actions_by_id["weld"].trigger()
    assert window.mesh_tools.tool == "weld"
    window.meshes.apply("weld", {})
    qtbot.waitUntil(lambda: bool(window.findChildren(Toast)), timeout=10_000)
    assert window.project.undo_stack.count() == 1 and window.project.layers[0].data is layer.data


def test_panels_of_another_scale_are_laid_out_anew(qtbot):
    with open_window(qtbot) as window:
        window.show_project()
        window.resizeDocks([window.docks["dock_task"]], [480], Qt.Orientation.Horizontal)
        qtbot.waitUntil(lambda: window.docks["dock_task"].width() == 480, timeout=2000)
    with open_window(qtbot) as window:
        window.show_project()
        qtbot.waitUntil(lambda: window.docks["dock_task"].width() == 480, timeout=2000)
    with open_window(qtbot, Preferences(reduce_motion=True, ui_scale=0.8)) as window:
        window.show_project()
        assert window.docks["dock_task"].width() < 400


@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_all_panels_fit_beside_each_other_in_the_least_window(qtbot, scale):
    with open_window(qtbot, Preferences(reduce_motion=True, ui_scale=scale)) as window:
        assert window.minimumWidth() == 1024 * scale
        window.show_project()
        window.review_bar.show_pending("Pending edit “night”", "Mean change 28 %", "Built-in effects")
        window.resize(window.minimumSize())
        for place in range(window.bottom_tabs.count()):
            window.bottom_tabs.setTabVisible(place, True)
        for key in TITLES:
            window.workflows.choose(key)
            assert window.minimumSizeHint().width() <= window.minimumWidth(), key
        toast = Toast(window, "Wrote 50 pictures into the folder of the project, beside the others of today.")
        assert window.pages.geometry().contains(toast.geometry()), "it covers no panel"
        docks = [window.pages, *(dock for dock in window.docks.values() if dock.isVisible())]
        assert not any(a.geometry().intersects(b.geometry()) for a, b in combinations(docks, 2))


@pytest.mark.parametrize("size", [(1024, 640), (1280, 800)])
def test_no_word_is_cut_off_in_a_small_window(qtbot, window, slices_file, size):
    window.resize(*size)
    open_files(qtbot, window, slices_file)
    layer = result_of(window, reached=False)
    window.scene.select([layer.id])
    for place in range(window.task_tabs.count()):
        window.task_tabs.setCurrentIndex(place)
        assert clipped(window) == []
    if size > (1024, 640):  # where the tools of clipping have room beside the cube
        window.view.set_clip(True)
        assert clipped(window) == []


def test_a_result_is_coloured_by_its_uncertainty_with_one_command(qtbot, window):
    mesh = mesh_of(SPHERE, 24)
    known = replace(mesh, vertex_values={"uncertainty": mesh.vertices[:, 2]})
    layers = [new_layer("Plain", mesh), new_layer("Known", known)]
    window.project.edit("Add", layers)
    window.scene.select([layers[0].id])
    assert not window.actions_by_id["uncertainty"].isEnabled()
    assert "Uncertainty" in window.actions_by_id["uncertainty"].toolTip()
    window.scene.select([layers[1].id])
    window.actions_by_id["uncertainty"].trigger()
    assert window.project.layers[1].style["value_name"] == "uncertainty"
    assert window.viewport._furniture.legend.isVisible() and window.actions_by_id["uncertainty"].isChecked()
    window.actions_by_id["undo"].trigger()
    assert not window.actions_by_id["uncertainty"].isChecked()


def test_the_run_that_was_started_is_selected_so_that_plots_follow_it(qtbot, window, slices_file):
    open_files(qtbot, window, slices_file)
    window.runs.queue.add = lambda job, start=True: type(window.runs.queue).add(
        window.runs.queue, job, start=False
    )
    with qtbot.waitSignal(window.runs.started):
        press(window, "F5")
    (job,) = window.runs.queue.jobs
    assert window.job_panel.selected_ids() == [id_of(job)]


def test_a_project_opens_as_it_was_looked_at_when_it_was_saved(qtbot, window, tmp_path):
    window.project.edit("Torus", [new_layer("Torus", mesh_of(TORUS, 12))])
    window.show_project()
    pose = CameraPose((4, -6, 3), (0.5, 0, 0), (0, 0, 1), shift=(0.1, 0.0))
    window.viewport.camera = pose
    assert window.document.is_dirty
    window.document.save_now(tmp_path / "seen" / "seen.isokiln")
    window.viewport.camera = CameraPose((9, 9, 9))
    assert not window.document.is_dirty, "to look elsewhere is no change"
    window.document.new()
    with qtbot.waitSignal(window.document.opened, timeout=20_000):
        window.document.open(tmp_path / "seen" / "seen.isokiln")
    assert window.viewport.camera == pose
