"""Contours drawn, moved, brushed and erased with real strokes, measured against formulas."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from render.cross_sections import CrossSections
from widgets.contour_geometry import region_area
from widgets.parts import StateLabel
from widgets.slice_view import SliceView
from widgets.theme import active_theme

ERROR = active_theme().error
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def square(
    half: float, height: float, label: int = 1, centre: tuple[float, float] = (0, 0)
) -> tuple[np.ndarray, int]:
    u, v = centre
    corners = [(u - half, v - half), (u + half, v - half), (u + half, v + half), (u - half, v + half)]
    return np.array([(*corner, height) for corner in corners]), label


def stack(*squares: float, holes: Sequence[float] = ()) -> CrossSections:
    """A stack of squares by half width, 0 for an empty plane, one unit apart along z; holes in all of them."""
    return CrossSections.from_planes(
        ((0, 0, 1), z, [square(half, z) for half in (size, *holes) if half]) for z, size in enumerate(squares)
    )


class Editor:
    """A slice view whose wishes are granted, as the program does, and its strokes in plane coordinates."""

    def __init__(self, qtbot: QtBot, sections: CrossSections, plane: int = 0) -> None:
        self.view = SliceView()
        self.texts: list[str] = []
        self.view.edited.connect(self._grant)
        qtbot.addWidget(self.view)
        self.view.resize(700, 640)
        self.view.set_sections(sections)
        self.view.set_plane(plane)
        self.view.show()
        qtbot.waitExposed(self.view)
        self.canvas = self.view.canvas
        self.canvas.setFocus()

    def _grant(self, text: str, sections: CrossSections) -> None:
        self.texts.append(text)
        self.view.set_sections(sections)

    def place(self, u: float, v: float) -> QPoint:
        return self.canvas.on_screen(np.array([u, v])).toPoint()

    def at(self, u: float, v: float) -> np.ndarray:
        """Plane coordinates of the pixel that a click at (u, v) hits."""
        return self.canvas.at(QPointF(self.place(u, v)))

    def click(self, u: float, v: float, modifier: Qt.KeyboardModifier = NONE) -> None:
        QTest.mouseClick(self.canvas, LEFT, modifier, self.place(u, v))

    def double_click(self, u: float, v: float) -> None:
        QTest.mouseDClick(self.canvas, LEFT, NONE, self.place(u, v))

    def drag(self, *points: tuple[float, float]) -> None:
        QTest.mousePress(self.canvas, LEFT, NONE, self.place(*points[0]))
        for point in points[1:]:
            QTest.mouseMove(self.canvas, self.place(*point))
        QTest.mouseRelease(self.canvas, LEFT, NONE, self.place(*points[-1]))

    def key(self, key: Qt.Key) -> None:
        QTest.keyClick(self.canvas, key)

    @property
    def loops(self) -> list[np.ndarray]:
        sections = self.view.sections
        assert sections is not None
        return [loop.points for loop in sections.plane(self.view.plane).loops]

    @property
    def area(self) -> float:
        return region_area([points[:, :2] for points in self.loops])

    @property
    def notice(self) -> str:
        notice = self.view.findChild(StateLabel, "slice_notice")
        return notice.text() if notice.isVisible() else ""


Make = Callable[..., Editor]


@pytest.fixture
def make(qtbot: QtBot) -> Make:
    return lambda sections, plane=0: Editor(qtbot, sections, plane)


def colors_of(editor: Editor) -> set[str]:
    picture = editor.canvas.grab().toImage()
    places = ((x, y) for x in range(0, picture.width(), 2) for y in range(0, picture.height(), 2))
    return {picture.pixelColor(x, y).name() for x, y in places}


def shoelace(points: np.ndarray) -> float:
    x, y = points[:, 0], points[:, 1]
    return float(abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2)


def test_a_square_drawn_by_clicks_and_enter_has_its_exact_area_on_its_plane(make: Make) -> None:
    editor = make(stack(1.0, 0, 1.0), 1)
    corners = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
    hit = np.array([editor.at(*corner) for corner in corners])
    editor.key(Qt.Key.Key_P)
    for corner in corners:
        editor.click(*corner)
    editor.key(Qt.Key.Key_Return)
    assert editor.texts == ["Draw contour on plane 2"]
    assert editor.area == pytest.approx(shoelace(hit), rel=1e-12)
    assert editor.area == pytest.approx(1.0, rel=0.02)
    assert (editor.loops[0][:, 2] == 1).all()


def test_a_double_click_closes_a_polygon_too(make: Make) -> None:
    editor = make(stack(1.0, 0), 1)
    editor.key(Qt.Key.Key_P)
    for corner in ((-0.5, -0.5), (0.5, -0.5), (0.0, 0.5)):
        editor.click(*corner)
    editor.double_click(0.0, 0.5)
    assert len(editor.loops) == 1 and len(editor.loops[0]) == 3


def test_a_contour_drawn_inside_another_is_a_hole(make: Make) -> None:
    editor = make(stack(1.0))
    editor.key(Qt.Key.Key_P)
    for corner in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)):
        editor.click(*corner)
    editor.click(-0.5, -0.5)  # the first point closes
    assert len(editor.loops) == 2
    assert editor.area == pytest.approx(4 - 1, rel=0.01)


def test_a_contour_drawn_across_another_is_joined_with_it_and_says_so(make: Make) -> None:
    editor = make(stack(1.0))
    editor.canvas.zoom(0.5)
    editor.key(Qt.Key.Key_P)
    for corner in ((0.0, -0.5), (2.0, -0.5), (2.0, 0.5), (0.0, 0.5)):
        editor.click(*corner)
    editor.key(Qt.Key.Key_Return)
    assert len(editor.loops) == 1
    assert editor.area == pytest.approx(4 + 1, rel=0.02)
    assert editor.notice == "Joined with the contour that it crossed."


def test_a_polygon_that_would_cross_itself_is_refused_with_a_word_and_nothing_is_sent(make: Make) -> None:
    editor = make(stack(1.0, 0), 1)
    editor.key(Qt.Key.Key_P)
    for corner in ((-0.5, -0.5), (0.5, 0.5), (0.5, -0.5)):
        editor.click(*corner)
    editor.click(-0.5, 0.5)
    assert "would cross itself" in editor.notice
    editor.key(Qt.Key.Key_Return)
    assert editor.texts == ["Draw contour on plane 2"] and len(editor.loops[0]) == 3, (
        "the valid triangle is left"
    )


def test_escape_drops_the_polygon_first_and_the_tool_second(make: Make) -> None:
    editor = make(stack(1.0, 0), 1)
    editor.key(Qt.Key.Key_P)
    editor.click(0, 0)
    editor.key(Qt.Key.Key_Escape)
    assert editor.view.editor.tool == "polygon"
    editor.key(Qt.Key.Key_Escape)
    assert editor.view.editor.tool is None and editor.texts == []


def test_dragging_a_vertex_moves_it_and_only_it(make: Make) -> None:
    editor = make(stack(1.0, 1.0))
    before = editor.loops[0].copy()
    editor.key(Qt.Key.Key_W)
    target = editor.at(0.7, 0.6)
    editor.drag((1.0, 1.0), (0.9, 0.9), (0.7, 0.6))
    assert editor.texts == ["Move point on plane 1"]
    moved = (editor.loops[0] != before).any(axis=1)
    assert list(moved) == [False, False, True, False]
    np.testing.assert_allclose(editor.loops[0][2], [*target, 0], atol=1e-12)


def test_a_vertex_dragged_across_its_contour_shows_red_and_goes_back(make: Make, qtbot: QtBot) -> None:
    editor = make(stack(1.0))
    editor.key(Qt.Key.Key_W)
    assert ERROR not in colors_of(editor)
    QTest.mousePress(editor.canvas, LEFT, NONE, editor.place(1.0, 1.0))
    QTest.mouseMove(editor.canvas, editor.place(0.0, -1.6))
    assert ERROR in colors_of(editor), "the crossing contour is drawn in the colour of errors"
    QTest.mouseRelease(editor.canvas, LEFT, NONE, editor.place(0.0, -1.6))
    assert editor.texts == [] and editor.area == 4
    assert editor.notice.startswith("Not moved")


def test_a_double_click_on_an_edge_inserts_a_vertex_there_and_delete_takes_it_out(make: Make) -> None:
    editor = make(stack(1.0))
    editor.key(Qt.Key.Key_W)
    editor.double_click(0.25, -1.0)
    assert len(editor.loops[0]) == 5 and editor.area == pytest.approx(4, abs=1e-9)
    assert editor.loops[0][1][0] == pytest.approx(0.25, abs=0.02)
    editor.click(0.25, -1.0)
    editor.key(Qt.Key.Key_Delete)
    assert editor.texts == ["Insert point on plane 1", "Delete point on plane 1"]
    assert len(editor.loops[0]) == 4 and editor.area == pytest.approx(4, abs=1e-9)


def test_delete_on_a_selected_contour_takes_it_whole(make: Make) -> None:
    editor = make(stack(1.0, holes=(0.5,)))
    editor.key(Qt.Key.Key_W)
    editor.click(0.0, 0.5)
    editor.key(Qt.Key.Key_Delete)
    assert editor.texts == ["Delete contour on plane 1"] and editor.area == 4


def test_a_dab_of_the_brush_adds_the_area_of_its_circle(make: Make) -> None:
    editor = make(stack(1.0, 0), 1)
    editor.key(Qt.Key.Key_B)
    editor.view.editor.brush_radius = 60.0
    editor.click(0, 0)
    radius = 60.0 / editor.canvas.scale
    assert editor.texts == ["Add with brush on plane 2"]
    assert editor.area == pytest.approx(math.pi * radius**2, rel=0.02)


def test_a_stroke_of_the_brush_adds_its_swept_area_once(make: Make) -> None:
    editor = make(stack(1.0, 0), 1)
    editor.key(Qt.Key.Key_B)
    editor.view.editor.brush_radius = 30.0
    editor.drag((-0.5, 0.0), (0.0, 0.0), (0.5, 0.0), (0.0, 0.0))
    radius, length = 30.0 / editor.canvas.scale, 1.0
    assert editor.area == pytest.approx(math.pi * radius**2 + 2 * radius * length, rel=0.02)


def test_the_eraser_makes_a_hole_and_leaves_the_outer_contour_to_the_last_bit(make: Make) -> None:
    editor = make(stack(1.0))
    outer = editor.loops[0].copy()
    editor.key(Qt.Key.Key_E)
    editor.view.editor.brush_radius = 50.0
    editor.click(0, 0)
    radius = 50.0 / editor.canvas.scale
    assert editor.texts == ["Erase with brush on plane 1"] and len(editor.loops) == 2
    assert editor.area == pytest.approx(4 - math.pi * radius**2, rel=0.01)
    assert any(np.array_equal(points, outer) for points in editor.loops)


def test_a_brush_that_changes_nothing_wishes_nothing(make: Make) -> None:
    editor = make(stack(1.0))
    editor.key(Qt.Key.Key_B)
    editor.click(0, 0)
    assert editor.texts == []


def test_the_brackets_change_the_size_of_the_brush(make: Make) -> None:
    editor = make(stack(1.0))
    editor.key(Qt.Key.Key_B)
    before = editor.view.editor.brush_radius
    editor.key(Qt.Key.Key_BracketRight)
    assert editor.view.editor.brush_radius == pytest.approx(before * 1.2)
    editor.key(Qt.Key.Key_BracketLeft)
    assert editor.view.editor.brush_radius == pytest.approx(before)


def test_an_undo_or_a_new_result_leaves_a_stroke_in_hand_alone(make: Make) -> None:
    editor = make(stack(1.0, 0), 1)
    editor.key(Qt.Key.Key_P)
    for corner in ((-0.5, -0.5), (0.5, -0.5)):
        editor.click(*corner)
    editor.view.set_result(stack(0.5, 0.5))
    editor.view.set_sections(stack(1.0, 0))
    editor.click(0.0, 0.5)
    editor.key(Qt.Key.Key_Return)
    assert len(editor.loops) == 1 and len(editor.loops[0]) == 3


def test_a_vertex_that_an_undo_took_away_is_let_go(make: Make) -> None:
    editor = make(stack(1.0))
    editor.key(Qt.Key.Key_W)
    editor.double_click(0.25, -1.0)
    editor.click(-1.0, 1.0)  # the fifth vertex now
    editor.view.set_sections(stack(1.0))
    editor.canvas.grab()
    editor.key(Qt.Key.Key_Delete)
    assert editor.texts == ["Insert point on plane 1", "Delete contour on plane 1"], (
        "the loop is still selected"
    )


def test_another_label_is_drawn_beside_the_first_and_leaves_it_alone(make: Make) -> None:
    editor = make(stack(1.0))
    editor.view.editor.set_label(2)
    editor.key(Qt.Key.Key_B)
    editor.view.editor.brush_radius = 40.0
    editor.click(0, 0)
    sections = editor.view.sections
    assert sections is not None and sections.labels == (1, 2)
    assert shoelace(sections.plane(0).loops[0].points) == 4


def test_smoothing_takes_out_wiggles_and_keeps_the_area(make: Make) -> None:
    angles = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    radii = 1 + 0.05 * (-1.0) ** np.arange(120)
    ring = np.stack([radii * np.cos(angles), radii * np.sin(angles), 0 * angles], axis=1)
    editor = make(CrossSections.from_planes([((0, 0, 1), 0.0, [(ring, 1)])]))
    area = editor.area
    editor.view.findChild(QToolButton, "act_smooth").click()
    assert editor.texts == ["Smooth contour on plane 1"]
    assert editor.area == pytest.approx(area, rel=1e-6)
    assert np.linalg.norm(editor.loops[0], axis=1).std() < 0.005


def test_contours_are_copied_from_the_neighbour_onto_this_plane(make: Make) -> None:
    editor = make(stack(1.0, 0, 0.5), 1)
    editor.view.editor.copy_from(1)
    assert editor.texts == ["Copy contours of plane 3 on plane 2"]
    assert editor.area == 1 and (editor.loops[0][:, 2] == 1).all()
    editor.view.editor.copy_from(-1)
    assert editor.area == 4


def test_the_shape_between_two_squares_is_the_square_between_them(make: Make) -> None:
    editor = make(stack(1.0, 0, 2.0), 1)
    editor.view.editor.interpolate()
    assert editor.texts == [], "it is a preview first"
    apply = editor.view.findChild(QPushButton, "preview_apply")
    assert apply.isVisible()
    QTest.mouseClick(apply, LEFT)
    assert editor.texts == ["Interpolate contours on plane 2"]
    assert editor.area == pytest.approx(9, rel=0.02)
    assert not editor.view.editor.preview_bar.isVisible()


def test_planes_without_contours_are_passed_over_to_the_next_that_has_some(make: Make) -> None:
    editor = make(stack(1.0, 0, 0, 0, 3.0), 1)
    editor.view.editor.interpolate()
    editor.key(Qt.Key.Key_Return)
    assert editor.area == pytest.approx(3.0**2, rel=0.02), "a quarter of the way from 2 by 2 to 6 by 6"


def test_interpolating_without_neighbours_says_what_is_missing(make: Make) -> None:
    editor = make(stack(1.0, 0))
    editor.view.editor.interpolate()
    assert editor.notice.startswith("Needs a parallel plane") and editor.texts == []


def test_untouched_planes_and_disabled_ones_stay_as_they_are(make: Make) -> None:
    sections = CrossSections.from_planes(
        [((0, 0.6, 0.8), 0.0, []), ((0, 0, 1), 0.5, [square(1, 0.5)])],
        label_names={1: "Bone"},
        disabled_planes=[True, False],
    )
    editor = make(sections, 1)
    editor.key(Qt.Key.Key_W)
    editor.drag((1.0, 1.0), (0.8, 0.8))
    after = editor.view.sections
    assert after is not None and after.label_name(1) == "Bone"
    assert list(after.disabled_planes) == [True, False]  # type: ignore[arg-type]
    np.testing.assert_array_equal(after.vertices[[0, 1, 3]], sections.vertices[[0, 1, 3]])


def test_space_leaves_a_plane_out_and_takes_it_back(make: Make) -> None:
    editor = make(stack(1.0, 1.0), 1)
    editor.key(Qt.Key.Key_Space)
    editor.key(Qt.Key.Key_Space)
    assert editor.texts == ["Leave out plane 2", "Use plane 2"]
    sections = editor.view.sections
    assert sections is not None and not np.asarray(sections.disabled_planes).any()
