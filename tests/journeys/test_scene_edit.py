"""Edit a scene by words: from photos to a film of the edited scene, as a person does it in the window."""

import json

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget

from app.film_desk import FilmWish
from app.job_states import JobState
from recon.formats import native, scene_folder
from render.radiance_field import RadianceField
from render.view_field import ViewField
from tests.app.windows import open_files, press, run_to_end
from tests.synthetic_room import make_room, write_images
from widgets.edited_views import EditedViews
from widgets.viewport_images import pose_of


def click(window, name):
    button = window.findChild(QPushButton, name) or window.findChild(QWidget, name)
    assert button is not None and button.isVisible() and button.isEnabled(), name
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def states(window):
    return {step.id: step.state for step in window.stepper.steps}


def edited(window):
    return [layer for layer in window.project.layers if isinstance(layer.data, ViewField)]


@pytest.mark.slow
def test_a_scene_is_edited_by_words_reviewed_filmed_and_exported(qtbot, window, tmp_path):
    posed = write_images(make_room(6, 64, 48), tmp_path / "pictures", with_cues=True)
    scene_folder.write(tmp_path / "room", posed)
    window.show_project()
    press(window, "Alt+4")
    assert window.workflows.current == "text" and states(window)["photos"] == "todo"
    open_files(qtbot, window, tmp_path / "room")
    assert window.workflows.current == "text", "photos serve this workflow, too"
    assert states(window)["photos"] == "ok" and states(window)["prompt"] == "todo"

    # Words, tried on one view
    prompt = window.edit_panel.prompt
    QTest.keyClicks(prompt.text, "make it night")
    qtbot.waitUntil(lambda: prompt.run_button.isEnabled(), timeout=5000)
    click(window, "preview_view")
    qtbot.waitUntil(lambda: window.scene_edits.has_preview, timeout=120_000)
    left, right = window.compare_view.canvas._pictures
    assert left is not None and right is not None and not window.compare_view.isHidden()
    assert not edited(window), "nothing changed in 3D"
    assert states(window)["preview"] == "ok"

    # All of the scene
    stages = []
    window.runs.progressed.connect(lambda job: stages.append(window.scene_edits.stages.stages))
    click(window, prompt.run_button.objectName())
    run_to_end(qtbot, window, 240)
    (job,) = window.runs.queue.jobs
    assert job.state is JobState.DONE, job.error
    qtbot.waitUntil(lambda: bool(edited(window)), timeout=5000)
    assert any(each[1].state == "running" for each in stages if each), "the steps were told"
    assert not window.scene_edits.stages.isVisible()
    (pending,) = edited(window)
    assert pending.is_pending and states(window)["review"] == "warning"
    assert pending.data.pictures.mean() < 0.7 * pending.data.originals.mean()
    qtbot.waitUntil(lambda: window.viewport.fields.is_sharp, timeout=60_000)
    assert window.viewport.screenshot().mean() < 90, "it is seen, and it is night"

    # The gallery: leave one view out and make it again
    gallery: EditedViews = window.edited_views
    assert window.bottom_tabs.currentWidget() is gallery
    assert [view.name for view in gallery.views] == list(pending.data.names)
    assert all(view.is_kept and view.score is not None for view in gallery.views)
    assert not gallery.apply.isEnabled()
    gallery.list.setCurrentIndex(gallery._model.index(2))
    click(window, "edited_toggle")
    assert not gallery.views[2].is_kept and gallery.views[2].is_overruled
    click(window, "edited_apply")
    run_to_end(qtbot, window, 240)
    qtbot.waitUntil(lambda: len(window.runs.queue.jobs) == 2 and window.runs.current is None, timeout=240_000)
    (pending,) = edited(window)
    assert pending.origin.settings["drop"] == [gallery.views[2].name]
    assert pending.data.weights[2] == 0
    qtbot.waitUntil(lambda: not window.edited_views.views[2].is_kept, timeout=5000)

    # Accept, and go on from there
    press(window, "Ctrl+Shift+Return")
    (kept,) = edited(window)
    assert not kept.is_pending and window.edits.target.layer is kept
    assert window.scene_edits.inputs(kept)["before"] == kept.id
    assert states(window)["review"] == "ok"

    # A film once around, and files
    window.paths.turn(seconds=0.5, elevation=30, count=4)
    film = tmp_path / "around.mp4"
    with qtbot.waitSignal(window.paths.films.ended, timeout=120_000) as ended:
        window.paths.films.make(FilmWish(film, window.paths.path, (128, 48), 8, "both"))
    assert ended.args == [film]
    assert int(cv2.VideoCapture(str(film)).get(cv2.CAP_PROP_FRAME_COUNT)) == 4
    with qtbot.waitSignal(window.exports.exported, timeout=20_000):
        window.scene_edits.exports.write_views(kept.data, tmp_path / "views")
    assert len(list((tmp_path / "views").glob("*.png"))) == len(kept.data)
    with qtbot.waitSignal(window.exports.exported, timeout=20_000):
        window.scene_edits.exports.write_field(kept.data, tmp_path / "scene.npz")
    np.testing.assert_array_equal(native.read(tmp_path / "scene.npz").pictures, kept.data.pictures)
    assert states(window)["export"] == "ok"

    # The project keeps it all
    place = tmp_path / "project" / "night.isokiln"
    window.document.save_now(place)
    assert json.loads(place.read_text())["session"]["camera_path"]["is_closed"]
    with qtbot.waitSignal(window.document.opened, timeout=20_000):
        window.document.open(place)
    (again,) = edited(window)
    np.testing.assert_array_equal(again.data.pictures, kept.data.pictures)
    assert len(window.paths.path) == 4
    qtbot.waitUntil(lambda: len(window.edited_views.views) == len(kept.data), timeout=5000)


@pytest.mark.slow
def test_photos_become_a_radiance_field_that_is_drawn_live_and_tells_an_edit_its_depth(
    qtbot, window, tmp_path
):
    posed = write_images(make_room(8, 48, 36), tmp_path / "pictures")
    scene_folder.write(tmp_path / "room", posed)
    window.show_project()
    press(window, "Alt+4")
    open_files(qtbot, window, tmp_path / "room")
    panel = window.method_panel
    assert panel.method.id == "dn2n", "what the workflow is for comes first"
    panel.set_method("nerf")
    panel.form.set_values(
        {"steps": 60, "rays": 512, "table_size": 12, "levels": 4, "width": 16, "held_out": 0}
    )
    window.show_task("Task")
    press(window, "F5")
    run_to_end(qtbot, window, 240)
    (job,) = window.runs.queue.jobs
    assert job.state is JobState.DONE, job.error
    field = next(layer for layer in window.project.layers if isinstance(layer.data, RadianceField))
    assert field.id in window.viewport.layer_ids
    photos = next(layer for layer in window.project.layers if layer.name == "room")
    window.project.set_visible([photos.id], False)
    window.images.leave_camera()
    place = window.images.posed.cameras
    window.viewport.camera = pose_of(
        place, 2, (window.viewport.width(), window.viewport.height()), np.zeros(3)
    )
    qtbot.waitUntil(lambda: window.viewport.fields.is_sharp, timeout=60_000)
    frame = next(iter(window.viewport._scene.fields()))[1].frame
    assert frame.picture.alpha.mean() > 0.8, "a camera within the room sees it all around"
    window.scene.select([photos.id])
    assert window.scene_edits.inputs(photos) == {"scene": photos.id, "field": field.id}
