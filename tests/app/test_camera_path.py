"""Camera paths: smooth, kept with the project, played in the viewport and filmed with the right number of pictures."""

import math
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QToolButton

from app.film_desk import FilmWish
from app.layers import new_layer
from app.path_photos import photos_along
from render.cameras import CameraSet
from render.images import ImageSet, PosedImages
from tests.app.fields import COLOR, OpenBall, ball
from tests.app.windows import begin_anew, kept_window
from tests.widgets.viewports import cube
from widgets.camera_path import CameraPath, Keyframe, restored, stored, turntable
from widgets.viewport_camera import CameraPose, pinhole

VIEWS = (
    CameraPose((0, -6, 1), (0, 0, 0), (0, 0, 1)),
    CameraPose((6, 0, 2), (0, 0, 0), (0, 0, 1)),
    CameraPose((0, 5, 4), (1, 0, 0), (0, 0, 1)),
)


def path_of(*poses, step=2.0):
    return CameraPath(tuple(Keyframe(pose, i * step) for i, pose in enumerate(poses)))


def cameras_of(poses):
    """Cameras that see as the poses do."""
    found = [pinhole(pose, (64, 48)) for pose in poses]
    shape = (len(found), 2)
    return CameraSet(
        np.stack([each.cam_from_world for each in found]), np.full(shape, found[0].focal), np.full(shape, (32.0, 24.0)),
        np.full(shape, (64, 48)),
    )  # fmt: skip


# The path itself


def test_a_path_goes_through_its_views_and_does_not_jerk():
    path = path_of(*VIEWS)
    for keyframe in path.keyframes:
        at = path.pose_at(keyframe.seconds)
        np.testing.assert_allclose(at.position, keyframe.pose.position, atol=1e-9)
        np.testing.assert_allclose(at.axes, keyframe.pose.axes, atol=1e-9)
    places = np.array([pose.position for pose in path.frames(60)])
    speeds = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert np.abs(np.diff(speeds)).max() < 0.05 * speeds.max(), (
        "no change of speed from one picture to the next"
    )


def test_a_turntable_is_an_even_circle_at_the_height_that_was_asked_for():
    path = turntable(VIEWS[0], (0, 0, 1), seconds=3.0, elevation=math.radians(30), count=8)
    places = np.array([pose.position for pose in path.frames(20)])
    assert len(places) == path.num_frames(20) == 60
    distance = math.dist(VIEWS[0].position, VIEWS[0].focal)
    np.testing.assert_allclose(np.linalg.norm(places, axis=1), distance, rtol=1e-6)
    np.testing.assert_allclose(places[:, 2], distance / 2, rtol=1e-6)
    steps = np.linalg.norm(np.diff(np.vstack([places, places[:1]]), axis=0), axis=1)
    assert steps.max() < 1.01 * steps.min(), "also from the last picture to the first"


def test_views_are_ordered_timed_and_taken_out():
    path = path_of(*VIEWS)
    assert [k.pose for k in path.reordered([2, 0, 1]).keyframes] == [VIEWS[2], VIEWS[0], VIEWS[1]]
    assert path.reordered([2, 0, 1]).times == [0, 2, 4]
    assert path.without([0]).times == [0, 2]
    assert path.with_time(1, 3.0).times == [0, 3, 4]
    assert path.with_time(1, 9.0).times[1] < 4, "a view stays between its neighbours"
    assert path.with_seconds(2.0).times == [0, 1, 2]
    assert path.with_view(VIEWS[0]).times == [0, 2, 4, 6]
    between = path.with_view_after(0, VIEWS[2])
    assert between.times == [0, 1, 2, 4] and between.keyframes[1].pose == VIEWS[2]
    assert path.with_view_after(2, VIEWS[0]) == path.with_view(VIEWS[0])
    assert restored(stored(path)) == path
    with pytest.raises(ValueError, match="rise"):
        restored(stored(path_of(*VIEWS, step=0.0)))


def test_gentle_ends_begin_and_end_slowly_on_the_same_way():
    even, gentle = path_of(*VIEWS), replace(path_of(*VIEWS), is_eased=True)
    assert restored(stored(gentle)) == gentle
    assert gentle.pose_at(0) == VIEWS[0] and gentle.pose_at(gentle.seconds) == VIEWS[-1]
    places = np.array([pose.position for pose in gentle.frames(30)])
    speeds = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert max(speeds[0], speeds[-1]) < 0.1 * speeds.max()
    way = np.array([pose.position for pose in even.frames(300)])
    assert max(np.linalg.norm(way - place, axis=1).min() for place in places) < 0.02 * np.ptp(way)


def test_photos_along_a_path_are_those_that_look_as_it_does():
    ring = turntable(VIEWS[0], (0, 0, 1), seconds=8.0, count=16)
    cameras = cameras_of([k.pose for k in ring.keyframes])
    posed = PosedImages(ImageSet("/nowhere", tuple(f"{i:02d}.png" for i in range(16))), cameras)
    quarter = CameraPath(ring.keyframes[4:7]).without([])
    found = photos_along(quarter, posed)
    assert {"04.png", "05.png", "06.png"} <= set(found) and len(found) <= 8
    assert not {"00.png", "12.png"} & set(found)
    assert photos_along(CameraPath(), posed) == ()


# In the window


@pytest.fixture(scope="module")
def shared_window():
    with kept_window() as window:
        window.field_frames._open = OpenBall()
        yield window


@pytest.fixture
def window(shared_window):
    begin_anew(shared_window)
    shared_window.show_project()
    shared_window.viewport.camera = VIEWS[0]
    shared_window.project.edit("Ball", [new_layer("Ball", ball()), new_layer("Cube", cube(0.5, (0, -2, 0)))])
    shared_window.viewport.camera = VIEWS[0]
    yield shared_window
    shared_window.paths.films.cancel()


def click(window, name):
    kinds = (QPushButton, QToolButton)
    button = next(b for kind in kinds for b in window.path_panel.findChildren(kind, name))
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_views_are_added_by_clicks_and_the_project_keeps_them(window, tmp_path, qtbot):
    window.paths.show()
    click(window, "path_add_first")
    window.viewport.camera = VIEWS[1]
    click(window, "path_add")
    assert [k.pose for k in window.paths.path.keyframes] == list(VIEWS[:2])
    assert window.document.is_dirty
    window.document.save_now(tmp_path / "film" / "film.isokiln")
    assert not window.document.is_dirty
    kept = window.paths.path
    window.document.new()
    assert not window.paths.path
    with qtbot.waitSignal(window.document.opened, timeout=10_000):
        window.document.open(tmp_path / "film" / "film.isokiln")
    assert window.paths.path == kept


def test_a_card_shows_the_sharp_picture_once_there_is_one(window, qtbot):
    window.viewport.camera = VIEWS[2]
    window.paths.add_view()
    assert VIEWS[2] in window.paths._rough
    qtbot.waitUntil(lambda: not window.paths._rough, timeout=20_000)
    assert window.viewport.fields.is_sharp
    shown = window.paths._pictures[VIEWS[2]].reshape(-1, 3).astype(int)
    assert np.abs(shown - np.asarray(COLOR)).sum(1).min() < 60, "the ball is in it"


def test_a_selected_view_is_timed_replaced_moved_and_deleted(window):
    for pose in VIEWS:
        window.viewport.camera = pose
        window.paths.add_view()
    views = window.path_panel._views
    views.setCurrentRow(2)
    QTest.keyClick(views, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    assert [k.pose for k in window.paths.path.keyframes] == [VIEWS[0], VIEWS[2], VIEWS[1]]
    window.path_panel._at.setValue(3.0)
    window.path_panel._at.editingFinished.emit()
    assert window.paths.path.times == [0, 3, 4]
    views.setCurrentRow(0)
    window.viewport.camera = VIEWS[1]
    click(window, "path_insert")
    assert window.paths.path.times == [0, 1.5, 3, 4] and window.path_panel.selected() == [1]
    click(window, "path_remove")
    views.setCurrentRow(1)
    window.viewport.camera = VIEWS[0]
    click(window, "path_replace")
    assert window.paths.path.keyframes[1].pose == VIEWS[0]
    click(window, "path_remove")
    assert window.paths.path.times == [0, 4]


def test_playing_moves_the_camera_along_the_path_and_stops_at_its_end(window, qtbot):
    for pose in VIEWS[:2]:
        window.viewport.camera = pose
        window.paths.add_view()
    window.path_panel.seconds_changed.emit(0.4)
    window.viewport.camera = VIEWS[0]
    seen = []
    window.viewport.camera_moved.connect(seen.append)
    window.path_panel.set_time(0.0)
    click(window, "path_play")
    qtbot.waitUntil(lambda: not window.paths._tick.isActive(), timeout=5000)
    assert seen[-1] == VIEWS[1] and all(a != b for a, b in pairwise(seen))
    window.path_panel.sought.emit(0.1)
    assert window.viewport.camera == window.paths.path.pose_at(0.1)


def test_a_film_has_as_many_pictures_as_its_length_says_and_shows_field_and_mesh(window, qtbot, tmp_path):
    path = turntable(VIEWS[0], (0, 0, 1), seconds=0.5, count=4)
    with qtbot.waitSignal(window.paths.films.ended, timeout=30_000) as ended:
        window.paths.films.make(FilmWish(tmp_path / "around.mp4", path, (161, 120), 12))
    assert ended.args == [tmp_path / "around.mp4"]
    film = cv2.VideoCapture(str(tmp_path / "around.mp4"))
    assert film.get(cv2.CAP_PROP_FPS) == 12
    pictures = []
    while (read := film.read())[0]:
        pictures.append(read[1][..., ::-1])
    assert len(pictures) == 6 and pictures[0].shape == (120, 160, 3)
    first, opposite = (np.abs(p.astype(int) - COLOR).max(-1) < 30 for p in (pictures[0], pictures[3]))
    assert not first[62, 80] and opposite[60, 80], "the cube is before the ball at first, then behind"
    assert window.viewport.camera == VIEWS[0], "the view stayed where it was"
    assert [p.name for p in tmp_path.iterdir() if "around" in p.name] == ["around.mp4"]


def test_a_cancelled_film_leaves_no_file(window, qtbot, tmp_path):
    path = turntable(VIEWS[0], (0, 0, 1), seconds=20)
    with qtbot.waitSignal(window.paths.films.ended, timeout=30_000) as ended:
        window.paths.films.make(FilmWish(tmp_path / "pictures", path, (64, 48), 30))
        qtbot.wait(200)
        click(window, "film_cancel")
    assert ended.args == [None]
    assert [p.name for p in tmp_path.iterdir() if "pictures" in p.name] == []


def test_a_screenshot_waits_for_the_sharp_picture_but_the_window_does_not(window, qtbot, tmp_path):
    window.field_frames._open.seconds = 2e-4
    window.files.picture_wished.emit(tmp_path / "shot.png", False)
    assert not (tmp_path / "shot.png").exists(), "the window goes on meanwhile"
    qtbot.waitUntil(lambda: (tmp_path / "shot.png").exists(), timeout=20_000)
    window.field_frames._open.seconds = 0.0
    with Image.open(tmp_path / "shot.png") as picture:
        pixels = np.asarray(picture).astype(int)
    assert pixels.shape[1] == 2 * window.viewport._pixels()[0]
    assert (np.abs(pixels - COLOR).max(-1) <= 2).mean() > 0.02, "the ball in all its pixels"
