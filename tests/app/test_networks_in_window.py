"""Networks that the window asks: where they lie, previews by them, and parts by clicks; none is loaded by the window."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.click_process import ClickProcess
from app.layers import Origin, new_layer
from app.network_folders import load_folders
from app.part_strokes import views_in
from app.preview_job import PreviewJob
from app.versions import pending_layer, with_pending
from app.workflows import SPLATS
from recon.formats import scene_folder
from recon.romap.part_table import part_numbers
from render.gaussians import GaussianCloud
from render.view_field import ViewField
from tests.app.windows import begin_anew, open_files, press
from tests.synthetic_room import make_room, write_images
from tests.widgets.viewports import canvas_of, drag

RIGHT = Qt.MouseButton.RightButton
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(one_window):
    begin_anew(one_window)
    return one_window


@pytest.fixture
def room(qtbot, window, tmp_path):
    """A scene of photos, ready for words."""
    scene_folder.write(tmp_path / "room", write_images(make_room(3, 48, 36), tmp_path / "pictures"))
    window.show_project()
    press(window, "Alt+4")
    open_files(qtbot, window, tmp_path / "room")
    window.edit_panel.prompt.set_text("turn it into bronze")
    return window


def pipeline_in(folder: Path, kind: str = "StableDiffusionInstructPix2PixPipeline") -> Path:
    """What a folder of a pipeline says of itself."""
    folder.mkdir()
    (folder / "model_index.json").write_text(json.dumps({"_class_name": kind}))
    return folder


def type_folder(qtbot, window, folder: str) -> None:
    field = window.edit_panel.prompt.settings.network.folder
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, folder or " ")
    QTest.keyClick(field, Qt.Key.Key_Return)
    while window.splats.background.is_busy:
        QTest.qWait(5)


def test_the_folder_of_a_network_is_remembered_for_each_editor_and_told_when_it_is_wrong(
    qtbot, room, tmp_path
):
    box, settings = room.edit_panel.prompt, room.edit_panel.prompt.settings
    settings.set_engine("ip2p")
    qtbot.waitUntil(lambda: "InstructPix2Pix" in settings.network.problem, timeout=20_000)
    assert "GB" in settings.network.problem and "licence" in settings.network.problem
    assert "`" not in settings.network.problem and not box.run_button.isEnabled()
    type_folder(qtbot, room, str(tmp_path / "nowhere"))
    assert "There is no folder" in settings.network.problem
    type_folder(qtbot, room, str(pipeline_in(tmp_path / "flux", "FluxKontextPipeline")))
    assert "FluxKontextPipeline" in settings.network.problem, "another network lies there"
    good = str(pipeline_in(tmp_path / "ours"))
    type_folder(qtbot, room, good)
    assert not settings.network.problem and box.run_button.isEnabled()
    settings.set_engine("sdxl")
    qtbot.waitUntil(lambda: "XL" in settings.network.problem, timeout=20_000)
    assert settings.network.folder.text() == ""
    settings.set_engine("flux-kontext")
    qtbot.waitUntil(lambda: "Accept its licence" in settings.network.problem, timeout=20_000)
    settings.set_engine("ip2p")
    assert settings.network.folder.text() == good and load_folders() == {"ip2p": good}
    target = room.edits.target
    assert room.edits.settings_of(target, box.wish())["model"] == good
    settings.set_engine("procedural")
    assert room.edits.settings_of(target, box.wish())["model"] == "", "built-in effects take none"


def test_words_that_are_not_understood_are_told_once(qtbot, room):
    box, row = room.edit_panel.prompt, room.scene_edits.preview
    box.settings.set_engine("procedural")
    box.set_text("blorp frumious")
    QTest.mouseClick(row.button, LEFT)
    assert "blorp" in box._advice.text() and not row.words, "the sentence is told where the words stand"
    assert not box.run_button.isEnabled()
    box.set_text("autumn")
    assert box.run_button.isEnabled(), "nobody waits once it can be done"


def test_a_preview_by_a_network_is_made_elsewhere_told_and_cancelled(qtbot, room, tmp_path, monkeypatch):
    asked, closed = [], []
    monkeypatch.setattr(
        PreviewJob, "start", lambda job, wish: (asked.append(wish), job.progressed.emit("Loading… 3 s", 0.4))
    )
    monkeypatch.setattr(PreviewJob, "cancel", lambda job: closed.append(job))
    row = room.scene_edits.preview
    room.edit_panel.prompt.settings.set_engine("ip2p")
    type_folder(qtbot, room, str(pipeline_in(tmp_path / "ours")))
    QTest.mouseClick(row.button, LEFT)
    (wish,) = asked
    assert wish.settings["editor"] == "ip2p" and wish.settings["model"].endswith("ours")
    assert row.cancel.isVisible() and not row.button.isEnabled() and row.words == "Loading… 3 s"
    QTest.mouseClick(row.cancel, LEFT)
    assert closed and row.button.isEnabled() and "cancelled" in row.words and not row.cancel.isVisible()


@pytest.mark.slow
def test_a_preview_runs_a_network_in_a_process_and_ends_it_when_cancelled(qtbot, room, tmp_path):
    from tests.recon.diffusion.tiny_pipelines import save_pipeline

    previews = room.scene_edits.previews
    room.edit_panel.prompt.settings.set_engine("ip2p")
    type_folder(qtbot, room, str(save_pipeline("ip2p", tmp_path / "tiny")))
    QTest.mouseClick(previews.row.button, LEFT)
    folder = previews.job._folder
    qtbot.waitUntil(lambda: previews.job._job is not None, timeout=60_000)
    worker = previews.job._job._worker
    QTest.mouseClick(previews.row.cancel, LEFT)
    assert worker.process.poll() is not None and not previews.job.is_running
    qtbot.waitUntil(lambda: not folder.exists(), timeout=10_000)
    QTest.mouseClick(previews.row.button, LEFT)
    qtbot.waitUntil(lambda: room.scene_edits.has_preview, timeout=240_000)
    left, right = room.compare_view.canvas._pictures
    assert left is not None and right is not None
    assert previews.row.facts == "InstructPix2Pix, local, tiny, seed 0"


def test_rejecting_or_undoing_an_edited_scene_shows_its_photos_again(qtbot, room):
    (photos,) = room.project.layers
    images, posed = room.viewport.images, photos.data
    size = posed.cameras.size[0]
    grey = np.full((3, size[1], size[0], 3), 90, np.uint8)
    field = ViewField(
        posed.images.names, posed.cameras, grey, grey, np.ones(grey.shape[:3]), np.ones(3), np.zeros((0, 0, 0, 12)),
        np.eye(4), np.zeros(0),
    )  # fmt: skip
    assert images.are_shown
    pending = pending_layer(photos, "bronze", field, Origin("dn2n", {"prompt": "bronze"}), {})
    room.project.edit("Edit: bronze", with_pending(room.project.layers, pending))
    assert not images.are_shown and not images.points_shown
    press(room, "Ctrl+Z")
    assert images.are_shown and images.points_shown, "else there would be nothing to see"
    press(room, "Ctrl+Y")
    assert not images.are_shown
    room.pending.reject()
    assert images.are_shown


# Parts by clicks


class SeesSquares(ClickProcess):
    """In place of SAM 2: what clicks mean is a square of 60 pixels around the last one that is inside."""

    def start(self, network: str, device: str) -> None:
        self.asked: list[tuple[list, list]] = []
        self.pictures: list[tuple[int, ...]] = []
        self._process = self  # type: ignore[assignment]

    def show(self, picture: Path) -> None:
        self.pictures.append(np.load(picture).shape)
        self.seen.emit()

    def ask(self, number, clicks, boxes) -> None:
        self.asked.append((list(clicks), list(boxes)))
        x, y = [click[:2] for click in clicks if click[2]][-1] if clicks else boxes[-1][:2]
        self.found.emit(
            number, np.array([[x - 30, y - 30], [x + 30, y - 30], [x + 30, y + 30], [x - 30, y + 30]])
        )

    def close(self) -> None:
        self._process = None


@pytest.fixture
def balls(qtbot, window, tmp_path, monkeypatch):
    """Two balls of splats with an empty part “ball”, and a network that is there."""
    rng = np.random.default_rng(0)
    means = rng.standard_normal((400, 3)) * 0.25 + np.repeat([[-1.0, 0, 0], [1.0, 0, 0]], 200, 0)
    colors = np.repeat([[1.0, -1, -1], [-1, -1, 1.0]], 200, 0)[:, None]
    part = np.full(400, -1, np.int32)
    cloud = GaussianCloud(
        means, np.tile([1.0, 0, 0, 0], (400, 1)), np.full((400, 3), np.log(0.1)), np.full(400, 4.0), colors,
        {"part": part}, ("part 1 ball",),
    )  # fmt: skip
    layer = new_layer("Balls", cloud)
    window.project.edit("Import", [layer])
    window.show_project()
    window.workflows.choose(SPLATS)
    window.scene.select([layer.id])
    window.parts.choose(1)
    window.show_task("Parts")
    window.viewport.set_view("front", animated=False)
    window.viewport.frame_all(animated=False)
    QApplication.processEvents()
    (tmp_path / "sam").mkdir()
    (tmp_path / "sam" / "config.json").write_text("{}")
    clicks = window.parts.marking.clicks
    stub = SeesSquares(clicks)
    stub.seen.connect(clicks._on_seen)
    stub.found.connect(clicks._on_found)
    monkeypatch.setattr(clicks, "process", stub)
    monkeypatch.setattr(clicks, "_folder", str(tmp_path / "sam"))
    yield window
    window.parts.marking.leave()
    clicks._let_go()
    window.parts.set_show("color")


def settle(qtbot, window) -> None:
    marking = window.parts.marking
    qtbot.waitUntil(
        lambda: (
            not (marking.is_finding or marking.clicks.is_busy or window.splats.edits.is_busy)
            and not window.splats.background.is_busy
        ),
        timeout=60_000,
    )


def marks(window):
    return [mark for view in views_in(window.project.layers[0].extra) for mark in view.marks]


def test_clicks_and_boxes_find_a_part_and_each_is_one_undo_step(qtbot, balls):
    QTest.mouseClick(balls.parts_panel.tools["network"], LEFT)
    settle(qtbot, balls)
    assert balls.parts_panel.network.isVisible() and balls.parts.marking.tool == "network"
    canvas = canvas_of(balls.viewport)
    width, height = balls.viewport.width(), balls.viewport.height()
    left_ball, beside = QPoint(width // 2 - height // 4, height // 2), QPoint(20, height - 20)
    QTest.mouseClick(canvas, RIGHT, pos=beside)
    assert not marks(balls), "first what it is, then what it is not"
    QTest.mouseClick(canvas, LEFT, pos=left_ball)
    settle(qtbot, balls)
    (mark,) = marks(balls)
    assert mark.clicks == ((left_ball.x(), left_ball.y(), True),) and len(mark.points) == 4
    found = part_numbers(balls.project.layers[0].data) == 1
    assert found.sum() > 0 and not found[200:].any(), "of the left ball only"
    assert balls.project.undo_stack.undoText() == "Click on “ball”"
    QTest.mouseClick(canvas, RIGHT, pos=beside)
    settle(qtbot, balls)
    assert [click[2] for click in marks(balls)[0].clicks] == [True, False], (
        "one outline for all clicks of a view"
    )
    drag(canvas, QPoint(width // 2, 30), QPoint(width // 2 + 80, 90))
    settle(qtbot, balls)
    assert len(marks(balls)) == 1 and marks(balls)[0].boxes == ((width // 2, 30, width // 2 + 80, 90),)
    press(balls, "Ctrl+Z")
    press(balls, "Ctrl+Z")
    assert marks(balls) == [mark]
    press(balls, "Ctrl+Z")
    assert not marks(balls) and not (part_numbers(balls.project.layers[0].data) == 1).any()
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert not balls.parts.marking.tool and not balls.parts_panel.network.isVisible()


def test_a_network_for_clicks_that_is_not_here_is_told_where_the_tool_is(qtbot, balls, tmp_path, monkeypatch):
    monkeypatch.setattr(balls.parts.marking.clicks, "_folder", "")
    QTest.mouseClick(balls.parts_panel.tools["network"], LEFT)
    row = balls.parts_panel.network
    qtbot.waitUntil(lambda: bool(row.problem), timeout=20_000)
    assert "SAM 2" in row.problem and "licence" in row.problem and not balls.parts.marking.tool
    QTest.mouseClick(row._copy, LEFT)
    assert "hf download" in QApplication.clipboard().text()
    row.folder.setFocus()
    QTest.keyClicks(row.folder, str(tmp_path / "sam"))
    QTest.keyClick(row.folder, Qt.Key.Key_Return)
    settle(qtbot, balls)
    assert not row.problem and balls.parts.marking.tool == "network", "it goes on once the network is there"
