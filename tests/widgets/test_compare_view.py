"""Two pictures compared: wiper, side by side, flicker, with legends."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QToolButton

from widgets.compare_view import ComparePicture, CompareView


def flat(name: str, color: tuple[int, int, int], **more) -> ComparePicture:
    return ComparePicture(name, np.full((60, 80, 3), color, np.uint8), **more)


PICTURES = (
    flat("Photo", (220, 20, 20)), flat("Render", (20, 220, 20)),
    flat("Uncertainty", (20, 20, 220), value_range=(0.0, 0.5)),
)  # fmt: skip


@pytest.fixture
def view(qtbot):
    view = CompareView()
    qtbot.addWidget(view)
    view.resize(480, 400)
    view.show_image("0001.png", PICTURES, "PSNR 27.3 dB")
    view.show()
    qtbot.waitExposed(view)
    return view


def color_at(view, x: float, y: float = 0.6) -> tuple[int, int, int]:
    canvas = view.canvas
    color = canvas.grab().toImage().pixelColor(int(x * canvas.width()), int(y * canvas.height()))
    return color.red(), color.green(), color.blue()


def test_photo_and_render_stand_on_both_sides_of_the_wiper(view):
    assert view.names == ("Photo", "Render")
    assert color_at(view, 0.25) == (220, 20, 20) and color_at(view, 0.75) == (20, 220, 20)


def test_dragging_the_wiper_shows_more_of_the_photo(view):
    canvas = view.canvas
    start = QPoint(canvas.width() // 2, canvas.height() // 2)
    end = QPoint(int(0.9 * canvas.width()), canvas.height() // 2)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(canvas, end)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=end)
    assert canvas.wiper == pytest.approx(0.9, abs=0.03) and color_at(view, 0.75) == (220, 20, 20)


def test_another_picture_is_chosen_and_explained_by_a_legend(qtbot, view):
    combo = view.findChild(QComboBox, "compare_right")
    combo.setCurrentIndex(combo.findData("Uncertainty"))
    combo.activated.emit(combo.currentIndex())
    left, right = view.legends()
    assert not left.isVisible() and right.isVisible() and right.ticks == ("0.5", "0.25", "0")
    assert color_at(view, 0.7) == (20, 20, 220)
    view.show_image("0002.png", PICTURES)
    assert view.names == ("Photo", "Uncertainty"), "the choice stays for the next image"
    view.show_image("0003.png", PICTURES[:2])
    assert view.names == ("Photo", "Render") and not right.isVisible()


def test_flicker_shows_one_after_the_other_and_side_by_side_shows_both_whole(qtbot, view):
    QTest.mouseClick(view.findChild(QToolButton, "compare_flicker"), Qt.MouseButton.LeftButton)
    assert view.mode == "flicker" and color_at(view, 0.5) == (220, 20, 20)
    qtbot.waitUntil(lambda: color_at(view, 0.5) == (20, 220, 20), timeout=3000)
    QTest.mouseClick(view.findChild(QToolButton, "compare_beside"), Qt.MouseButton.LeftButton)
    halves = {color_at(view, x, y) for x in (0.3, 0.7) for y in (0.35, 0.6)}
    assert {(220, 20, 20), (20, 220, 20)} <= halves and not view._flicker.isActive()


def test_arrows_step_and_the_cross_closes(qtbot, view):
    with qtbot.waitSignal(view.closed):
        QTest.mouseClick(view.findChild(QToolButton, "compare_close"), Qt.MouseButton.LeftButton)
    view.show_image("", (), words="The image's file cannot be read.")
    assert view._empty.isVisible() and "cannot be read" in view._empty.label.text()
