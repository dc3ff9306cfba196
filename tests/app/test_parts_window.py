"""Finding and keeping parts of splats in a real window, with real drags, clicks and keys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton

from app.layers import Origin, new_layer
from app.part_jobs import with_found_parts
from app.part_strokes import KEY, views_in
from app.workflows import SPLATS
from recon.romap.part_table import BY_HAND, NO_PART, part_confidence, part_numbers, renamed, with_columns
from render.gaussians import GaussianCloud, GaussianMarks
from render.spherical_harmonics import SH_C0
from render.transforms import Similarity3
from tests.app.windows import begin_anew, press
from tests.widgets.viewports import canvas_of, move
from widgets import viewport_camera as cameras
from widgets.part_rows import EYE, LOCK, NAME

CTRL, SHIFT, NONE = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.NoModifier,
)
RED, BLUE, WALL = 0, 1, 2


def ball(middle, color, count: int = 250, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    means = rng.standard_normal((count, 3))
    means *= 0.9 / np.linalg.norm(means, axis=1, keepdims=True)
    return means + middle, np.clip(np.array(color) + rng.normal(0, 0.02, (count, 3)), 0, 1)


def two_balls() -> tuple[GaussianCloud, np.ndarray]:
    """A red ball, a blue one beside it and a grey wall behind them, seen from the front; and what each splat is."""
    x, z = np.meshgrid(np.linspace(-2.5, 4.5, 14), np.linspace(-2, 2, 8))
    wall = np.stack([x.ravel(), np.full(x.size, 2.5), z.ravel()], 1)
    pieces = [
        ball((0, 0, 0), (0.8, 0.1, 0.1)),
        ball((2, 0, 0), (0.1, 0.2, 0.8), seed=1),
        (wall, np.full((len(wall), 3), 0.5)),
    ]
    means, colors = (np.concatenate(each) for each in zip(*pieces, strict=True))
    count = len(means)
    cloud = GaussianCloud(
        means, np.tile([1.0, 0, 0, 0], (count, 1)), np.full((count, 3), np.log(0.12)), np.full(count, 4.0),
        ((colors - 0.5) / SH_C0)[:, None],
    )  # fmt: skip
    return cloud, np.repeat([RED, BLUE, WALL], [len(each[0]) for each in pieces])


CLOUD, TRUTH = two_balls()


@pytest.fixture
def window(one_window):
    begin_anew(one_window)
    one_window.parts.set_show("color")
    one_window.parts.marking.set_live(True)
    layer = new_layer("Balls", CLOUD)
    one_window.project.edit("Import", [layer])
    one_window.show_project()
    one_window.workflows.choose(SPLATS)
    one_window.scene.select([layer.id])
    one_window.show_task("Parts")
    one_window.viewport.set_view("front", animated=False)
    one_window.viewport.frame_all(animated=False)
    QApplication.processEvents()
    return one_window


def settle(qtbot, window) -> None:
    QTest.qWait(1)
    qtbot.waitUntil(
        lambda: (
            not (
                window.parts.marking.is_finding
                or window.splats.edits.is_busy
                or window.splats.background.is_busy
            )
        ),
        timeout=60_000,
    )


def layer_of(window):
    return window.project.layers[0]


def numbers_of(window) -> np.ndarray:
    return part_numbers(layer_of(window).data)


def click(qtbot, window, name: str) -> None:
    button = window.findChild(QToolButton, name) or window.findChild(QPushButton, name)
    assert button is not None and button.isVisible() and button.isEnabled(), name
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    settle(qtbot, window)


def new_part(qtbot, window, name: str) -> int:
    """Make a part with a click and type its name."""
    click(qtbot, window, "part_new")
    QTest.keyClicks(QApplication.focusWidget(), name)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    settle(qtbot, window)
    assert window.parts.current[2] == name
    return window.parts.current[1]


def pixel(window, point) -> QPoint:
    size = (window.viewport.width(), window.viewport.height())
    x, y = cameras.project(window.viewport.camera, [point], size)[0, :2]
    return QPoint(round(x), round(y))


def draw(qtbot, window, points, modifier=NONE) -> None:
    canvas = canvas_of(window.viewport)
    path = [pixel(window, point) for point in points]
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, modifier, path[0])
    for place in path[1:]:
        move(canvas, place, Qt.MouseButton.LeftButton, modifier)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, modifier, path[-1])
    settle(qtbot, window)


def click_cell(qtbot, window, number: int, column: int, modifier=NONE) -> None:
    """Click a cell of the list of parts."""
    tree = window.parts_panel.list
    place = next(i for i, row in enumerate(tree.rows) if row.number == number)
    box = tree.visualRect(tree.model().index(place, column))
    at = box.center() if column != NAME else box.topLeft() + QPoint(60, box.height() // 2)
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, modifier, at)
    settle(qtbot, window)


def share(found: np.ndarray, truth: np.ndarray) -> float:
    return float((found & truth).sum() / max(1, (found | truth).sum()))


RED_STROKE, BLUE_STROKE = [(-0.4, -0.9, 0.0), (0.4, -0.9, 0.1)], [(1.6, -0.9, 0.0), (2.4, -0.9, 0.1)]


def find_both(qtbot, window) -> tuple[int, int]:
    """The red and the blue ball as parts, each by one stroke."""
    red = new_part(qtbot, window, "Red")
    click(qtbot, window, "mark_brush")
    draw(qtbot, window, RED_STROKE)
    blue = new_part(qtbot, window, "Blue")
    draw(qtbot, window, BLUE_STROKE)
    return red, blue


def test_strokes_find_parts_while_one_draws_and_each_is_one_undo_step(qtbot, window):
    told = []
    window.parts.current_changed.connect(lambda: told.append(window.parts.current))
    red, blue = find_both(qtbot, window)
    numbers = numbers_of(window)
    assert share(numbers == red, TRUTH == RED) > 0.9 and share(numbers == blue, TRUTH == BLUE) > 0.9
    assert (numbers[TRUTH == WALL] == NO_PART).mean() > 0.9
    assert window.project.undo_stack.undoText() == "Mark “Blue”"
    assert "“Red”" in window.parts_panel._note.text() and window.parts.show == "parts"
    press(window, "Ctrl+Z")
    settle(qtbot, window)
    assert (numbers_of(window) != blue).all() and (numbers_of(window) == red).any(), (
        "the stroke and what it found"
    )
    assert sum(view.num_strokes for view in window.parts.marking.views) == 1
    press(window, "Ctrl+Y")
    settle(qtbot, window)
    assert np.array_equal(numbers_of(window), numbers)
    assert {each[2] for each in told if each} >= {"Red", "Blue"}
    assert window.viewport.layer_ids and layer_of(window).data.means is CLOUD.means, "nothing else changed"


def test_other_ways_to_mark_and_what_belongs_to_none(qtbot, window):
    red = new_part(qtbot, window, "Both")
    click(qtbot, window, "mark_lasso")
    draw(
        qtbot,
        window,
        [(-0.5, -0.9, -0.4), (0.5, -0.9, -0.4), (0.5, -0.9, 0.4), (-0.5, -0.9, 0.4), (-0.5, -0.9, -0.3)],
    )
    assert share(numbers_of(window) == red, TRUTH == RED) > 0.9
    click(qtbot, window, "mark_polygon")
    canvas = canvas_of(window.viewport)
    for corner in [(1.5, -0.9, -0.4), (2.5, -0.9, -0.4), (2.0, -0.9, 0.5)]:
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, NONE, pixel(window, corner))
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    settle(qtbot, window)
    assert share(numbers_of(window) == red, TRUTH != WALL) > 0.9
    click(qtbot, window, "mark_brush")
    draw(qtbot, window, BLUE_STROKE, CTRL)
    assert share(numbers_of(window) == red, TRUTH == RED) > 0.7, "Ctrl marks what belongs to none"
    assert window.project.undo_stack.undoText() == "Mark “No part”"
    click(qtbot, window, "mark_eraser")
    window.parts.marking.tools.set_radius(30)
    draw(qtbot, window, [(1.2, -0.9, -0.5), (2.0, -0.9, 0.0), (2.8, -0.9, 0.5)])
    assert window.parts.marking.views[0].num_strokes == 3
    window.parts.marking.tools.set_radius(9)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert not window.parts.marking.tool and window.viewport.active_tool == ""


def test_strokes_are_shown_on_their_view_only_and_a_chip_leads_back(qtbot, window):
    find_both(qtbot, window)
    marking, pose = window.parts.marking, window.viewport.camera
    assert [path.color for path in marking.tools.paths] == [
        window.parts.color_of(1),
        window.parts.color_of(2),
    ]
    window.viewport.set_view("right", animated=False)
    assert not marking.tools.paths
    click(qtbot, window, "part_view_0")
    assert cameras.project(window.viewport.camera, [[0, 0, 0]], (9, 9)) == pytest.approx(
        cameras.project(pose, [[0, 0, 0]], (9, 9))
    )
    assert len(marking.tools.paths) == 2
    draw(qtbot, window, [(0, -0.9, -0.5), (0.1, -0.9, -0.5)])
    assert len(marking.views) == 1 and marking.views[0].num_strokes == 3
    marking.drop_view(0)
    settle(qtbot, window)
    assert not marking.views and not window.parts_panel.find_button.isEnabled()
    assert (numbers_of(window) >= 0).any(), "what was found stays"


def test_without_finding_as_one_draws_the_button_finds(qtbot, window):
    red = new_part(qtbot, window, "Red")
    QTest.mouseClick(window.parts_panel.live, Qt.MouseButton.LeftButton, NONE, QPoint(8, 12))
    assert not window.parts.marking.is_live
    click(qtbot, window, "mark_brush")
    draw(qtbot, window, RED_STROKE)
    assert (numbers_of(window) != red).all()
    click(qtbot, window, "part_find")
    assert share(numbers_of(window) == red, TRUTH == RED) > 0.9


def test_strokes_that_mean_nothing_are_told_and_change_nothing(qtbot, window):
    new_part(qtbot, window, "Red")
    click(qtbot, window, "mark_brush")
    before = layer_of(window).data
    draw(qtbot, window, [(-2.9, -0.9, 2.6), (-2.8, -0.9, 2.6)])
    note = window.parts_panel._note.text()
    assert "meet no splat" in note and "Draw where" in note and layer_of(window).data is before
    new_part(qtbot, window, "Blue")
    press(window, "Ctrl+Z")
    press(window, "Ctrl+Z")
    settle(qtbot, window)


def test_the_selection_makes_a_part_joins_it_and_leaves_it(qtbot, window):
    def pick(truth: int, count: int = 40) -> np.ndarray:
        rows = np.flatnonzero(truth == TRUTH)[:count]
        marks = replace(GaussianMarks.none(len(CLOUD)), selected=np.isin(np.arange(len(CLOUD)), rows))
        layer = layer_of(window)
        window.project.edit("Select", [replace(layer, marks=marks)])
        return rows

    rows = pick(RED)
    assert window.parts_panel.new_button.text() == "New part from selection"
    number = new_part(qtbot, window, "Some")
    assert np.array_equal(np.flatnonzero(numbers_of(window) == number), rows)
    assert (part_confidence(layer_of(window).data)[rows] == BY_HAND).all()
    more = pick(BLUE)
    click(qtbot, window, "part_add")
    assert np.array_equal(np.flatnonzero(numbers_of(window) == number), np.union1d(rows, more))
    assert window.project.undo_stack.undoText() == "Add 40 splats to “Some”"
    pick(RED, 10)
    click(qtbot, window, "part_take")
    assert np.array_equal(np.flatnonzero(numbers_of(window) == number), np.union1d(rows[10:], more))
    click(qtbot, window, "part_grow")
    grown = (numbers_of(window) == number).sum()
    click(qtbot, window, "part_shrink")
    assert grown > 70 and (numbers_of(window) == number).sum() < grown
    for _ in range(2):
        press(window, "Ctrl+Z")
    assert (numbers_of(window) == number).sum() == 70


def test_eye_lock_colour_and_click_act_on_the_splats_of_a_part(qtbot, window):
    red, blue = find_both(qtbot, window)
    count = int((numbers_of(window) == red).sum())
    window.parts.marking.leave()
    click_cell(qtbot, window, red, NAME)
    assert window.parts.current[1] == red and window.splats.num_selected == count
    click_cell(qtbot, window, red, EYE)
    assert layer_of(window).marks.hidden.sum() == count and window.splats.num_selected == 0
    assert next(row for row in window.parts_panel.list.rows if row.number == red).is_hidden
    click_cell(qtbot, window, red, EYE)
    assert not layer_of(window).marks.hidden.any()
    click_cell(qtbot, window, red, LOCK)
    assert layer_of(window).marks.locked.sum() == count
    before = numbers_of(window)
    click_cell(qtbot, window, blue, NAME)
    click(qtbot, window, "mark_brush")
    draw(qtbot, window, RED_STROKE)
    assert np.array_equal(numbers_of(window) == red, before == red), "a locked part stays what it is"
    window.parts.recolor(blue, "#ff00ff")
    assert window.parts.color_of(blue) == "#ff00ff" and ("Blue", "#ff00ff") in window.parts.legend.entries
    press(window, "Ctrl+Z")
    assert window.parts.color_of(blue) != "#ff00ff"


def test_parts_are_renamed_merged_and_deleted_in_the_list(qtbot, window):
    red, blue = find_both(qtbot, window)
    window.parts.marking.leave()
    tree, total = window.parts_panel.list, int((numbers_of(window) >= 0).sum())
    window.parts.rename(blue, "Red")
    settle(qtbot, window)
    assert window.parts.title_of(blue) == "Blue", "two parts of one name could not be told apart"
    click_cell(qtbot, window, blue, NAME)
    QTest.keyClick(tree, Qt.Key.Key_F2)
    QTest.keyClicks(QApplication.focusWidget(), "Sky")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    settle(qtbot, window)
    assert window.parts.current[2] == "Sky" and "part 2 Sky" in layer_of(window).data.comments
    click_cell(qtbot, window, red, NAME, CTRL)
    assert set(tree.selected) == {red, blue}
    click(qtbot, window, "part_merge")
    left = {row.name: row.count for row in tree.rows}
    assert left == {"Red": total, "No part": len(CLOUD) - total}
    assert {mark.part for view in window.parts.marking.views for mark in view.marks} == {red}
    press(window, "Ctrl+Z")
    assert (numbers_of(window) == blue).any()
    click_cell(qtbot, window, blue, NAME)
    QTest.keyClick(tree, Qt.Key.Key_Delete)
    settle(qtbot, window)
    assert [row.name for row in tree.rows] == ["Red", "No part"] and len(layer_of(window).content) == len(
        CLOUD
    )
    assert {mark.part for view in window.parts.marking.views for mark in view.marks} == {red}


def test_parts_are_listed_below_their_layer_and_act_as_they_do_in_the_panel(qtbot, window):
    red, blue = find_both(qtbot, window)
    window.parts.marking.leave()
    layer, rows = layer_of(window), window.layer_list.rows()
    assert [(row.name, row.kind, row.parent) for row in rows] == [
        ("Balls", "gaussians", ""), ("Red", "part", layer.id), ("Blue", "part", layer.id),
    ]  # fmt: skip
    tree = window.layer_list.tree
    assert not tree.topLevelItem(0).isExpanded(), "a scene may have dozens"
    tree.topLevelItem(0).setExpanded(True)

    def click_row(place: int, column: int = 0) -> None:
        box = tree.visualItemRect(tree.topLevelItem(0).child(place))
        x = box.left() + 30 if column == 0 else tree.columnViewportPosition(column) + 8
        QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, box.center().y()))
        settle(qtbot, window)

    click_row(0)
    assert window.parts.current[1] == red and window.splats.layers[0].id == layer.id
    click_row(1, 2)
    assert (layer_of(window).marks.hidden == (numbers_of(window) == blue)).all()
    assert window.parts.current[1] == red, "the eye chooses nothing"
    window.layer_list.renamed.emit(rows[1].id, "Apple")
    settle(qtbot, window)
    assert window.parts.title_of(red) == "Apple" and layer_of(window).name == "Balls"
    click_row(0)
    QTest.keyClick(tree, Qt.Key.Key_Delete)
    settle(qtbot, window)
    assert [row.name for row in window.layer_list.rows()] == ["Balls", "Blue"] and len(
        layer_of(window).content
    ) == len(CLOUD)


def test_only_what_is_sure_is_kept_and_shown_before(qtbot, window):
    red, _ = find_both(qtbot, window)
    window.parts.marking.leave()
    window.parts.choose(red)
    QTest.mouseClick(window.parts_panel.sure.heading, Qt.MouseButton.LeftButton)
    counts = []
    middle = int(100 * np.median(window.parts.marking.likeliness(red)[numbers_of(window) == red]))
    for least in (5, middle, 100):
        window.parts_panel.sure.slider.setValue(least)
        settle(qtbot, window)
        counts.append(sum(int(t.marks.selected.sum()) for t in window.scene._trials.values()))
    assert counts[0] > counts[1] > counts[2]
    before = numbers_of(window)
    window.parts_panel.sure.slider.setValue(middle)
    settle(qtbot, window)
    click(qtbot, window, "apply_sure")
    assert (numbers_of(window) == red).sum() == counts[1] != (before == red).sum()
    press(window, "Ctrl+Z")
    assert np.array_equal(numbers_of(window), before)
    QTest.mouseClick(window.parts_panel.sure.heading, Qt.MouseButton.LeftButton)
    assert not window.scene._trials


def test_colours_of_parts_are_a_matter_of_the_view(qtbot, window):
    find_both(qtbot, window)
    window.parts.marking.leave()
    steps = window.project.undo_stack.count()
    tinted = window.viewport.screenshot().astype(int)
    press(window, "Shift+P")
    assert window.parts.show == "color" and not window.parts.legend.isVisible()
    own = window.viewport.screenshot().astype(int)
    assert np.abs(own - tinted).mean() > 1 and window.project.undo_stack.count() == steps
    press(window, "Shift+P")
    assert window.parts.legend.isVisible() and [name for name, _ in window.parts.legend.entries] == [
        "Red",
        "Blue",
    ]
    window.parts.set_show("sure")
    assert window.viewport._furniture.legend.heading() == "Part confidence"
    assert np.abs(window.viewport.screenshot().astype(int) - own).mean() > 1
    assert window.actions_by_id["part_sure"].isChecked() and not window.actions_by_id["part_show"].isChecked()


def test_everything_is_there_again_after_saving_and_opening(qtbot, window, tmp_path):
    red, _ = find_both(qtbot, window)
    window.parts.recolor(red, "#123456")
    numbers, views = numbers_of(window), window.parts.marking.views
    window.document.save_now(tmp_path / "Balls" / "Balls.isokiln")
    window.document.new()
    assert window.parts.current is None and window.parts.parts == ()
    with qtbot.waitSignal(window.document.opened, timeout=20_000):
        window.open_paths([tmp_path / "Balls"])
    window.scene.select([layer_of(window).id])
    assert np.array_equal(numbers_of(window), numbers)
    assert [part.title for part in window.parts.parts] == ["Red", "Blue", "No part"]
    assert window.parts.color_of(red) == "#123456" and window.parts.marking.views == views


def test_strokes_move_with_the_scene_and_what_cannot_be_read_is_nothing(qtbot, window):
    find_both(qtbot, window)
    (view,) = window.parts.marking.views
    turn = Similarity3(np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]), np.array([1.0, 2, 3]), 2.0)
    window.scenes._move("Turn", turn)
    (moved,) = window.parts.marking.views
    size = view.size
    points = np.array([[0.3, -0.9, 0.2], [2.0, 0.0, -0.4]])
    assert np.allclose(
        cameras.project(moved.pose, turn.apply(points), size)[:, :2],
        cameras.project(view.pose, points, size)[:, :2],
    )
    stored = layer_of(window).extra
    for broken in (
        "?",
        [1],
        [{"camera": {}}],
        [{**stored[KEY][0], "size": [0, 1]}],
        [{**stored[KEY][0], "strokes": 3}],
    ):
        assert views_in({KEY: broken}) == ()


def test_parts_of_a_run_join_those_of_the_layer_by_their_names():
    def labelled(numbers, names) -> GaussianCloud:
        cloud = with_columns(CLOUD, np.asarray(numbers, np.int32), np.full(len(CLOUD), 0.7, np.float32))
        for number, name in names.items():
            cloud = renamed(cloud, number, name)
        return cloud

    mine = labelled(np.where(TRUTH == RED, 1, NO_PART), {1: "ball"})
    locked = np.zeros(len(CLOUD), bool)
    locked[np.flatnonzero(TRUTH == RED)[:5]] = True
    layer = new_layer("Balls", mine, marks=replace(GaussianMarks.none(len(CLOUD)), locked=locked))
    found = labelled(TRUTH, {0: "everything else", 1: "Ball", 2: "wall"})
    made = with_found_parts(layer, found, Origin("romap.part"))
    numbers = part_numbers(made.data)
    assert (numbers[TRUTH == BLUE] == 1).all(), "the name was known: upper case is no other name"
    assert (numbers[TRUTH == WALL] == 2).all() and (numbers[(TRUTH == RED) & ~locked] == NO_PART).all()
    assert (numbers[locked] == 1).all() and made.data.comments == ("part 1 ball", "part 2 wall")
    other = replace(found, means=found.means + 1)
    assert with_found_parts(layer, other, Origin("romap.part")) is None
