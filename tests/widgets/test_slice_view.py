"""The pane that shows one cross-section: navigation, what is drawn where, and how fast."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLabel, QSlider
from pytestqt.qtbot import QtBot

from render.cross_sections import CrossSections
from render.frame import Frame
from widgets.parts import grouped
from widgets.plane_drawing import PlaneMap, crossings, neighbours, path_of, thinned
from widgets.slice_painting import nice_length
from widgets.slice_view import SliceView, count_words, place_words
from widgets.theme import active_theme


def circle(radius: float, height: float, points: int = 64) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.stack([radius * np.cos(angles), radius * np.sin(angles), np.full(points, height)], axis=1)


def cone(planes: int = 5) -> CrossSections:
    """Circles of radius 1, 2, ... on planes z = 0, 1, ..., in millimetres."""
    return CrossSections.from_planes(
        (((0, 0, 1), z, [(circle(z + 1.0, z), 1)]) for z in range(planes)), frame=Frame(unit="mm")
    )


def ball(normals: np.ndarray, radius: float = 1.0) -> CrossSections:
    """Great circles of a ball on planes through its centre."""
    planes = []
    for normal in normals:
        here = PlaneMap(np.zeros(3), np.linalg.svd(normal[None])[2][1:], normal)
        planes.append((normal, 0.0, [(here.raised(circle(radius, 0)[:, :2]), 1)]))
    return CrossSections.from_planes(planes)


@pytest.fixture
def view(qtbot: QtBot) -> SliceView:
    view = SliceView()
    qtbot.addWidget(view)
    view.resize(600, 500)
    view.show()
    qtbot.waitExposed(view)
    return view


def number(view: SliceView) -> str:
    return str(view.findChild(QLabel, "plane_number").text())


def color_at(view: SliceView, u: float, v: float) -> QColor:
    place = view.canvas.on_screen(np.array([u, v])).toPoint()
    return view.canvas.grab().toImage().pixelColor(place)


def test_an_empty_pane_says_what_it_is_for(view: SliceView) -> None:
    assert not view.canvas.isVisible()
    view.set_sections(cone())
    assert view.canvas.isVisible() and number(view) == "Plane 1 of 5"
    view.set_sections(None)
    assert not view.canvas.isVisible()


@pytest.mark.parametrize(
    ("key", "modifier", "shown"),
    [
        (Qt.Key.Key_PageDown, Qt.KeyboardModifier.NoModifier, 3),
        (Qt.Key.Key_PageUp, Qt.KeyboardModifier.NoModifier, 1),
        (Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier, 0),
        (Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier, 4),
    ],
)
def test_keys_turn_the_planes(
    view: SliceView, qtbot: QtBot, key: Qt.Key, modifier: Qt.KeyboardModifier, shown: int
) -> None:
    view.set_sections(cone())
    view.set_plane(2)
    with qtbot.waitSignal(view.plane_changed) as heard:
        QTest.keyClick(view.canvas, key, modifier)
    assert heard.args == [shown] and number(view) == f"Plane {shown + 1} of 5"
    assert view.findChild(QSlider, "plane_slider").value() == shown


def test_the_ends_of_the_stack_hold(view: SliceView) -> None:
    view.set_sections(cone())
    QTest.keyClick(view.canvas, Qt.Key.Key_PageUp)
    assert view.plane == 0
    view.set_plane(99)
    assert view.plane == 4


def test_the_inside_has_the_colour_of_its_label_and_the_hole_and_outside_have_not(view: SliceView) -> None:
    view.set_sections(CrossSections.from_planes([((0, 0, 1), 0.0, [(circle(2, 0), 1), (circle(1, 0), 1)])]))
    inside, hole, outside = (color_at(view, u, 0.0) for u in (1.5, 0.0, 2.3))
    assert inside.blue() - inside.red() > 25, "label 1 is blue"
    assert hole.blue() - hole.red() < 10 and outside.blue() - outside.red() < 10


def test_a_disabled_plane_is_pale_and_its_box_is_clear(view: SliceView) -> None:
    sections = cone(1)
    view.set_sections(sections)
    bright = color_at(view, 0.2, 0.2)
    view.set_sections(
        CrossSections.from_planes(sections.planes(), frame=sections.frame, disabled_planes=[True])
    )
    pale = color_at(view, 0.2, 0.2)
    assert pale.blue() - pale.red() < bright.blue() - bright.red()
    assert not view.findChild(QCheckBox, "use_plane").isChecked()


def test_the_box_wishes_and_waits_for_the_answer(view: SliceView, qtbot: QtBot) -> None:
    view.set_sections(cone())
    box = view.findChild(QCheckBox, "use_plane")
    with qtbot.waitSignal(view.edited) as heard:
        qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert heard.args[0] == "Leave out plane 1" and list(heard.args[1].disabled_planes) == [True] + 4 * [
        False
    ]
    assert box.isChecked(), "nothing has changed until the program says so"


def test_zooming_keeps_the_place_under_the_pointer(view: SliceView) -> None:
    view.set_sections(cone())
    place = QPointF(380, 140)
    before, scale = view.canvas.at(place), view.canvas.scale
    event = QWheelEvent(
        place, view.canvas.mapToGlobal(place), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    view.canvas.wheelEvent(event)
    assert view.canvas.scale > 1.3 * scale
    np.testing.assert_allclose(view.canvas.at(place), before, atol=1e-9)


def test_dragging_pans_by_the_way_of_the_pointer_and_fit_comes_back(view: SliceView) -> None:
    view.set_sections(cone())
    before = view.canvas.at(QPointF(100, 100))
    QTest.mousePress(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    QTest.mouseMove(view.canvas, QPoint(160, 130))
    QTest.mouseRelease(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(160, 130))
    np.testing.assert_allclose(view.canvas.at(QPointF(160, 130)), before, atol=1e-9)
    QTest.keyClick(view.canvas, Qt.Key.Key_Home)
    np.testing.assert_allclose(view.canvas.centre, [0, 0], atol=1e-9)


def test_an_edit_keeps_the_plane_and_the_view(view: SliceView) -> None:
    view.set_sections(cone())
    view.set_plane(3)
    view.canvas.zoom(3.0, QPointF(50, 60))
    scale, centre = view.canvas.scale, view.canvas.centre.copy()
    view.set_sections(view.sections.with_planes(view.sections.planes()))  # type: ignore[union-attr]
    assert view.plane == 3 and view.canvas.scale == scale
    np.testing.assert_array_equal(view.canvas.centre, centre)


def test_the_result_is_drawn_over_the_input(view: SliceView) -> None:
    view.set_sections(cone(1))
    plain = view.canvas.grab().toImage()
    view.set_result(CrossSections.from_planes([((0, 0, 1), 0.0, [(circle(0.5, 0), 1)])]))
    assert view.canvas.grab().toImage() != plain
    assert len(view.canvas.drawing.result) == 1


def test_neighbours_are_the_nearest_planes_whatever_their_order_and_sign() -> None:
    loops = [(circle(1, 0), 1)]
    sections = CrossSections.from_planes(
        [
            ((0, 0, 1), 3.0, []),
            ((0, 0, 1), 0.0, loops),
            ((0, 0, -1), -1.0, []),
            ((0, 0, 2), -4.0, []),
            ((1, 0, 0), 0.1, []),
        ]
    )
    assert neighbours(sections, 1) == (3, 2)
    assert neighbours(sections, 0) == (2, None)
    assert neighbours(sections, 4) == (None, None)


def test_planes_that_cross_say_where_the_ball_is_solid_along_their_line() -> None:
    normals = np.array([[0, 0, 1.0], [1.0, 0, 0], [0.6, 0, 0.8]])
    found = crossings(ball(normals), 0, reach=3.0)
    assert [crossing.plane for crossing in found] == [1, 2]
    for crossing in found:
        ((label, stretches),) = crossing.inside
        assert label == 1 and stretches.shape == (1, 2, 2)
        np.testing.assert_allclose(np.linalg.norm(stretches[0], axis=1), 1, atol=0.01)
        assert np.linalg.norm(crossing.line[1] - crossing.line[0]) == pytest.approx(6)


def test_hollow_planes_are_solid_only_in_their_walls() -> None:
    hollow = CrossSections.from_planes(
        [((0, 0, 1), 0.0, []), ((0, 1, 0), 0.0, [(circle(r, 0)[:, [0, 2, 1]], 1) for r in (2, 1)])]
    )
    ((_, stretches),) = crossings(hollow, 0, reach=5.0)[0].inside
    lengths = np.linalg.norm(stretches[:, 1] - stretches[:, 0], axis=1)
    np.testing.assert_allclose(lengths, [1, 1], atol=0.01)


def test_the_plane_map_is_its_own_inverse_and_right_handed() -> None:
    sections = CrossSections.from_planes([((1, 2, 3), 4.0, [])])
    here = PlaneMap.of(sections, 0)
    points = np.random.default_rng(0).normal(size=(20, 2))
    np.testing.assert_allclose(here.flat(here.raised(points)), points, atol=1e-12)
    np.testing.assert_allclose(np.cross(here.axes[0], here.axes[1]), here.normal, atol=1e-12)
    np.testing.assert_allclose(here.raised(points) @ here.normal, sections.offsets[0], atol=1e-12)


def test_thinning_moves_no_point_by_more_than_its_step() -> None:
    loop = circle(1, 0, 100_000)[:, :2]
    thin = thinned(loop, 0.01)
    assert len(thin) < 2000
    assert path_of([thin]).boundingRect().width() == pytest.approx(2, abs=0.02)


def test_words_about_a_plane(view: SliceView) -> None:
    view.set_sections(cone())
    assert place_words(view.sections, 3) == "z = 3 mm"  # type: ignore[arg-type]
    assert count_words(view.canvas.drawing) == "1 contour, 64 points"
    tilted = CrossSections.from_planes([((0, 3, 4), 10.0, [])])
    assert place_words(tilted, 0) == "2 from the origin, oblique"
    assert grouped(123456) == "123\u2009456"


def test_a_contour_that_crosses_itself_is_named_and_red(view: SliceView) -> None:
    bow = np.array([[-1.0, -1, 0], [1, 1, 0], [1, -1, 0], [-1, 1, 0]])
    view.set_sections(CrossSections.from_planes([((0, 0, 1), 0.0, [(bow, 1)])]))
    assert count_words(view.canvas.drawing).endswith("1 crosses itself")
    assert color_at(view, 1.0, 0.0).name() == active_theme().error


@pytest.mark.parametrize(("room", "length"), [(0.9, 0.5), (1.0, 1.0), (3.7, 2.0), (77, 50), (0.0023, 0.002)])
def test_scale_bars_have_round_lengths(room: float, length: float) -> None:
    assert nice_length(room) == pytest.approx(length)


def test_a_hundred_thousand_vertices_on_one_plane_stay_fluid(view: SliceView) -> None:
    angles = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    radii = 1 + 0.05 * np.sin(40 * angles)
    ring = np.stack([radii * np.cos(angles), radii * np.sin(angles), 0 * angles], axis=1)
    view.set_sections(CrossSections.from_planes([((0, 0, 1), 0.0, [(ring, 1)])]))
    view.canvas.grab()
    spent = []
    for _ in range(12):
        view.canvas.zoom(1.4, view.canvas.on_screen(np.array([1.0, 0.0])))
        start = time.process_time()
        view.canvas.grab()
        spent.append(time.process_time() - start)
    assert np.median(spent) < 0.1, "CPU-seconds a frame while zooming in"


def test_real_slices_are_drawn_and_turned_quickly(view: SliceView, shared_data: object) -> None:
    from recon import formats  # the reader of the file; the view itself knows no formats

    sections = formats.read(shared_data / "slices" / "Heart-25-even-better.csl").data  # type: ignore[operator]
    view.set_sections(sections)
    start = time.process_time()
    for plane in range(sections.num_planes):
        view.set_plane(plane)
        view.canvas.grab()
    assert (time.process_time() - start) / sections.num_planes < 0.25
    assert view.canvas.drawing.crossings
