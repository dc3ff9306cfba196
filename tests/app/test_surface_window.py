"""Photos in the window: imported, looked through, left out, boxed, levelled, scaled; every edit undone."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QDialog, QPushButton

from app.estimates import Estimates
from app.layers import Origin, new_layer
from app.surface_words import image_tables, surface_rows, surface_summary
from app.view_pictures import figures_of, pictures_of
from recon import method_by_id
from recon.formats import scene_folder
from render.images import PosedImages
from render.mesh import TriangleMesh
from render.rendered_views import RenderedViews
from render.sdf_field import SdfField
from tests.app.windows import open_files, press
from tests.synthetic_room import make_room, write_images


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A folder as it comes from other tools: photos, COLMAP, transforms.json, cues."""
    place = tmp_path_factory.mktemp("scene")
    posed = write_images(make_room(8, 48, 36, num_points=300), place / "made", with_cues=True)
    scene_folder.write(place / "room", posed)
    return place / "room"


@pytest.fixture
def photos(qtbot, window, scene):
    open_files(qtbot, window, scene)
    return window


def posed_of(window) -> PosedImages:
    data = window.images.layer.data
    assert isinstance(data, PosedImages)
    return data


def states(window) -> dict[str, str]:
    return {step.id: step.state for step in window.stepper.steps}


def wish(window, name: str) -> None:
    button = window.scene_panel.buttons[name]
    assert button.isEnabled(), button.toolTip()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def rendered(posed: PosedImages) -> RenderedViews:
    room = make_room(8, 48, 36, num_points=300)
    worse = np.clip(room.rgb.astype(int) + 20, 0, 255).astype(np.uint8)
    uncertainty = np.full(room.depth.shape, 0.1, np.float32)
    psnr = np.linspace(20, 27, 8)
    return RenderedViews(
        posed.images.names, worse, room.depth, room.normals, uncertainty, psnr, np.arange(8) == 3
    )


def test_a_dropped_scene_folder_opens_with_its_steps_its_photos_and_their_thumbnails(qtbot, photos):
    assert [step.id for step in photos.stepper.steps] == [
        "photos",
        "region",
        "images",
        "cues",
        "surface",
        "extract",
    ]
    assert states(photos)["photos"] == states(photos)["cues"] == "ok" and states(photos)["region"] == "todo"
    assert photos.docks["dock_task"].windowTitle() == "Surface from photos"
    assert photos.method_panel.method.id == "debsdf" and not photos.method_panel.problem
    offered = [
        photos.method_panel.method_combo.itemData(i) for i in range(photos.method_panel.method_combo.count())
    ]
    assert offered[:3] == ["debsdf", "tsdf", "poisson"] and "orex" not in offered
    qtbot.waitUntil(lambda: len(photos.images.thumbnails.pictures) == 8, timeout=20_000)
    (_, layer, _), *_ = photos.viewport._scene.cameras()
    assert layer.num_pictures == 8 and photos.slice_view.isHidden()


def test_leaving_out_an_image_is_an_edit_that_greys_it_and_can_be_undone(photos):
    photos.image_strip.set_current(2)
    photos.images.toggle_use()
    assert posed_of(photos).used.tolist() == [0, 1, 3, 4, 5, 6, 7]
    assert photos.project.undo_stack.undoText() == "Leave out image 3"
    assert "7 of 8 used" in photos.image_strip._count.text() and not photos.image_strip.rows[2].is_used
    photos.images.toggle_use()
    assert len(posed_of(photos).used) == 8
    press(photos, "Ctrl+Z")
    press(photos, "Ctrl+Z")
    assert len(posed_of(photos).used) == 8 and photos.project.undo_stack.index() == 1


def test_the_region_is_fitted_dragged_and_taken_away_as_undo_steps(photos):
    photos.show_task("Scene")
    wish(photos, "fit_region")
    box = posed_of(photos).world_from_region
    points = posed_of(photos).points.points
    inside = np.abs((points - box[:3, 3]) @ np.linalg.inv(box[:3, :3]).T).max(1) <= 1
    assert inside.mean() > 0.93 and states(photos)["region"] == "ok"
    wish(photos, "edit_region")
    assert photos.viewport.active_tool == "region" and photos.scene_panel.buttons["edit_region"].isChecked()
    for width in (1.1, 1.2):
        photos.viewport.tools.region.edited.emit(box @ np.diag([width, 1, 1, 1]))
    assert np.allclose(posed_of(photos).world_from_region, box @ np.diag([1.2, 1, 1, 1]))
    wish(photos, "no_region")
    assert posed_of(photos).world_from_region is None and photos.viewport.active_tool == ""
    press(photos, "Ctrl+Z")
    press(photos, "Ctrl+Z")
    assert np.allclose(posed_of(photos).world_from_region, box), "all drags of the box are one step"


def test_the_scale_comes_from_two_clicked_points_and_a_typed_length(qtbot, photos):
    before = posed_of(photos)
    photos.show_task("Scene")
    wish(photos, "set_scale")
    assert photos.viewport.active_tool == "points"
    points = before.points.points[:2]
    apart = float(np.linalg.norm(points[1] - points[0]))
    photos.viewport.tools.points.end()
    photos.viewport.tools.points.picked.emit(points)
    dialog = photos.findChild(QDialog, "dlg_scale")
    from widgets.settings_form import SettingsForm

    dialog.findChild(SettingsForm).set_values({"length": 2.5, "unit": "ft"})
    button = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Set scale")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    after = posed_of(photos)
    assert photos.project.frame.unit == "ft" == after.frame.unit == after.points.frame.unit
    assert np.linalg.norm(after.points.points[1] - after.points.points[0]) == pytest.approx(2.5)
    assert np.allclose(after.cameras.positions, before.cameras.positions * 2.5 / apart)
    assert after.depth.scale == pytest.approx(before.depth.scale * 2.5 / apart)
    photos.actions_by_id["undo"].trigger()  # The keys may still be the dialog's, which is on its way out.
    assert photos.project.frame == before.frame and posed_of(photos) is before


def test_three_points_and_the_floor_level_everything(qtbot, photos):
    before = posed_of(photos)
    heights = before.points.points[:, 2]
    floor = before.points.points[np.isclose(heights, 0)][:3]
    photos.show_task("Scene")
    wish(photos, "orient_points")
    photos.viewport.tools.points.end()
    photos.viewport.tools.points.picked.emit(floor @ np.eye(3) + [0, 0, 0.3])
    assert photos.project.undo_stack.undoText() == "Orient by three points"
    assert np.isclose(posed_of(photos).points.points[:, 2], heights - 0.3, atol=1e-6).all()
    wish(photos, "orient_floor")
    qtbot.waitUntil(lambda: photos.project.undo_stack.undoText() == "Orient by the floor", timeout=10_000)
    is_floor = np.isclose(heights, 0)
    assert np.allclose(posed_of(photos).points.points[is_floor, 2], 0, atol=0.01)


def test_looking_through_a_camera_compares_photo_and_rendering(qtbot, photos):
    posed = posed_of(photos)
    views = rendered(posed)
    photos.project.edit("Views", [*photos.project.layers, new_layer("Views", views, origin=Origin("debsdf"))])
    assert photos.image_strip.rows[3].psnr == pytest.approx(23) and photos.image_strip.rows[3].is_held_out
    photos.image_strip.set_current(3)
    press(photos, "0")
    assert photos.viewport.images.is_through_camera and photos.compare_view.isVisible()
    qtbot.waitUntil(lambda: photos.compare_view.names == ("Photo", "Render"), timeout=20_000)
    assert photos.compare_view._note.text() == "PSNR 23.0 dB, held out"
    combo = photos.compare_view.findChild(QComboBox, "compare_right")
    names = [combo.itemText(i) for i in range(combo.count())]
    assert names == [
        "Photo",
        "Render",
        "Depth",
        "Normals",
        "Uncertainty",
        "Depth cue",
        "Normal cue",
        "Error to photo",
    ]
    photos.images.next_image()
    assert photos.images.current == 4 and photos.viewport.images.is_through_camera
    photos.images.leave_camera()
    assert not photos.viewport.images.is_through_camera and photos.compare_view.isHidden()


def test_the_error_map_is_the_mean_difference_of_the_channels(photos):
    posed = posed_of(photos)
    error = next(p for p in pictures_of(posed, 0, rendered(posed)) if p.name == "Error to photo")
    low, high = error.value_range
    assert low == 0 and high == pytest.approx(20, abs=0.6)
    assert figures_of("unknown.png", rendered(posed)) == ""


def test_removing_cues_can_be_undone_and_is_told(photos):
    photos.show_task("Scene")
    wish(photos, "no_cues")
    assert (
        posed_of(photos).depth is None
        and posed_of(photos).normals is None
        and states(photos)["cues"] == "todo"
    )
    press(photos, "Ctrl+Z")
    assert posed_of(photos).depth is not None


def test_photos_without_poses_get_a_step_that_computes_them(qtbot, window, scene):
    open_files(qtbot, window, scene / "images")
    assert [step.id for step in window.stepper.steps][:2] == ["photos", "poses"]
    window.steps.go_to("poses")
    assert window.method_panel.method.id == "poses" and not window.method_panel.problem
    assert not window.scene_panel.buttons["fit_region"].isEnabled()


def test_switching_the_workflow_brings_the_slices_tools_back(photos):
    press(photos, "Alt+2")
    assert not photos.slice_view.isHidden() and photos.method_panel.method.id == "orex"
    assert photos.stepper.steps[0].id == "slices"
    press(photos, "Alt+1")
    assert photos.slice_view.isHidden() and photos.method_panel.method.id == "debsdf"


def test_the_estimate_of_a_mesh_grows_as_the_square_of_its_resolution(photos):
    mesh = TriangleMesh(np.random.default_rng(0).normal(size=(50, 3)), np.tile([0, 1, 2], (1000, 1)))
    field = SdfField("{}", {"w": np.zeros(3)}, np.eye(4), np.array([[-1.0] * 3, [1.0] * 3]))
    origin = Origin(
        "debsdf", {"resolution": 100, "steps": 300}, run="r1", figures={"seconds": 60.0}, inputs=("a",)
    )
    surface, trained = new_layer("Surface 1", mesh, origin=origin), new_layer("Field 1", field, origin=origin)
    photos.project.edit("x", [*photos.project.layers, surface, trained])
    estimates = Estimates(photos.project)
    words = estimates.words(method_by_id("extract"), {"resolution": 400}, {"field": trained.id})
    assert words.startswith("About 16\u202f000 triangles")
    assert "10 min" in estimates.words(method_by_id("debsdf"), {"steps": 3000}, {"scene": "a"})
    photos.steps.go_to("extract")
    assert (
        photos.method_panel.method.id == "extract"
        and "triangles" in photos.method_panel.run_block._estimate.text()
    )


def test_figures_of_runs_on_photos_are_told_and_drawn():
    figures = {
        "psnr": 27.31, "psnr_held_out": 25.0, "start": "depth", "images": 8, "aligned_images": 7, "faces": 41200,
        "seconds": 12.4, "calibration": {"depth": 0.5}, "notes": ["Poor walls."],
        "alignment": [{"image": "a.png", "scale": 1.1, "median_error": None, "reason": "no points"}],
    }  # fmt: skip
    rows = dict(surface_rows(figures))
    assert (
        rows["PSNR"] == "27.3 dB"
        and rows["Depth aligned"] == "7 of 8 images"
        and rows["Note"] == "Poor walls."
    )
    assert surface_summary(figures) == "held-out PSNR 25.0 dB, 41\u202f200 triangles"
    assert surface_summary({"registered": 7, "images": 8}) == "7 of 8 images have a pose"
    assert image_tables(figures, None) == {"Depth scale": [("a.png", 1.1, "no points")]}
    assert surface_rows({}) == [] and surface_summary({}) == ""


def test_moved_images_are_told_of_and_relinked_in_the_window(qtbot, photos, tmp_path, scene):
    import shutil

    shutil.copytree(scene, tmp_path / "mine")
    data = posed_of(photos)
    layer = photos.images.layer
    lost = replace(data, images=replace(data.images, folder=str(tmp_path / "gone")))
    photos.project.edit("x", [replace(layer, data=lost)])
    assert photos.files.missing_layers() and states(photos)["photos"] == "warning"
    assert photos.layer_list.rows()[0].badges == ("missing",)
    photos.files.pick_folder = lambda *_: str(tmp_path)
    photos.files.relink()
    qtbot.waitUntil(lambda: not photos.files.missing_layers(), timeout=10_000)
    assert posed_of(photos).images.folder == str(tmp_path / "mine") and states(photos)["photos"] == "ok"
