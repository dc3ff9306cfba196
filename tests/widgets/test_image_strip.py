"""The list of images, driven by mouse and keys."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QListView, QToolButton

from widgets.image_figures import ImageFigures
from widgets.image_strip import ImageRow, ImageStrip


def rows(count: int = 8, left_out: tuple[int, ...] = ()) -> list[ImageRow]:
    return [
        ImageRow(f"images/{i:04d}.png", i not in left_out, has_mask=i == 2, psnr=20.0 + i)
        for i in range(count)
    ]


@pytest.fixture
def strip(qtbot):
    strip = ImageStrip()
    qtbot.addWidget(strip)
    strip.resize(700, 180)
    strip.set_rows(rows(), "8 of 8 used")
    strip.show()
    qtbot.waitExposed(strip)
    return strip


def the_list(strip) -> QListView:
    return strip.findChild(QListView, "image_list")


def click(strip, row: int) -> None:
    view = the_list(strip)
    box = view.visualRect(view.model().index(row, 0))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=box.center())


def test_a_click_makes_an_image_the_current_one_and_space_leaves_it_out(qtbot, strip):
    with qtbot.waitSignal(strip.current_changed) as told:
        click(strip, 3)
    assert told.args == [3] and strip.current == 3
    with qtbot.waitSignal(strip.use_wished) as wish:
        QTest.keyClick(the_list(strip), Qt.Key.Key_Space)
    assert wish.args == [[3], False]
    strip.set_rows(rows(left_out=(3,)), "7 of 8 used")
    assert strip.current == 3, "the selection stays"
    button = strip.findChild(QToolButton, "toggle_use")
    assert button.text() == "Use"
    with qtbot.waitSignal(strip.use_wished) as wish:
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert wish.args == [[3], True]
    assert strip.findChild(QLabel, "images_used").text() == "7 of 8 used"


def test_a_double_click_and_enter_look_through_the_camera(qtbot, strip):
    view = the_list(strip)
    click(strip, 1)
    with qtbot.waitSignal(strip.look_wished) as told:
        QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton,
                          pos=view.visualRect(view.model().index(1, 0)).center())  # fmt: skip
    assert told.args == [1]
    with qtbot.waitSignal(strip.look_wished) as told:
        QTest.keyClick(view, Qt.Key.Key_Return)
    assert told.args == [1]


@pytest.mark.parametrize(("name", "shown"), [("used", [0, 1, 2, 3, 4, 6, 7]), ("left out", [5]), ("masked", [2]),
                                             ("low", [0, 1]), ("all", list(range(8)))])  # fmt: skip
def test_filters_show_only_what_they_say(strip, name, shown):
    strip.set_rows(rows(left_out=(5,)))
    combo = strip.findChild(QComboBox, "image_filter")
    combo.setCurrentIndex(combo.findData(name))
    combo.activated.emit(combo.currentIndex())
    model = the_list(strip).model()
    assert [model.image_at(model.index(row)) for row in range(model.rowCount())] == shown


def test_only_thumbnails_in_sight_are_asked_for(qtbot, strip):
    with qtbot.waitSignal(strip.pictures_wished, timeout=3000) as told:
        strip.set_rows(rows(2000))
        strip.forget_pictures()
    assert 1 <= len(told.args[0]) < 60 and told.args[0][0] == 0


def test_an_image_that_is_left_out_is_painted_pale(qtbot, strip):
    red = np.full((87, 116, 3), (200, 20, 20), np.uint8)
    strip.set_pictures({0: red, 1: red})
    strip.set_rows(rows(left_out=(1,)))
    view = the_list(strip)

    def redness(row: int) -> int:
        color = (
            view.viewport().grab().toImage().pixelColor(view.visualRect(view.model().index(row, 0)).center())
        )
        return color.red() - color.green()

    qtbot.waitUntil(lambda: redness(0) > 120, timeout=3000)
    assert redness(1) < 90


def test_bars_tell_their_image_and_the_mean(qtbot):
    panel = ImageFigures()
    qtbot.addWidget(panel)
    panel.resize(500, 160)
    panel.set_tables(
        {"PSNR, dB": [("a.png", 20.0, ""), ("b.png", None, "no points"), ("c.png", 30.0, "held out")]}
    )
    panel.show()
    qtbot.waitExposed(panel)
    assert "mean 25" in panel._words.text() and "2 of 3 images" in panel._words.text()
    with qtbot.waitSignal(panel.image_chosen) as told:
        bars = panel.bars
        x = int(bars._area().left() + 2.5 * bars._width_of_bar())
        QTest.mouseClick(
            bars, Qt.MouseButton.LeftButton, pos=bars.rect().center().__class__(x, bars.height() // 2)
        )
    assert told.args == ["c.png"]
