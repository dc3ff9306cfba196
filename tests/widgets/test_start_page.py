"""The start page: three ways in, cards of what can be made, recent projects, and files dropped anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QSize, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QListWidget, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.widgets.looks import clipped
from widgets.recent_list import RecentProject
from widgets.start_page import StartPage
from widgets.theme import DARK, LIGHT, Theme, apply_theme
from widgets.workflow_card import CardFrame, WorkflowCard
from widgets.workflow_pictures import slices_to_solid

CARD = WorkflowCard(
    "slices", "From cross-sections to a solid", "Contours or segmented slices in, a closed mesh out.", slices_to_solid
)  # fmt: skip
RECENT = [
    RecentProject("/p/hand/hand.isokiln", "Left hand", "~/Isokiln Projects/Left hand", "Today"),
    RecentProject("/gone/heart.isokiln", "Heart", "~/Documents/Heart", "12 Nov", is_missing=True),
]


@pytest.fixture
def page(qtbot: QtBot) -> StartPage:
    page = StartPage([CARD], "0.1.0")
    qtbot.addWidget(page)
    page.set_recent(RECENT)
    page.set_device_line("No GPU, CPU with 2 cores: samples run, large scenes will be slow")
    page.set_tip("Ctrl+Shift+P finds every action by name")
    page.resize(1280, 800)
    page.show()
    qtbot.waitExposed(page)
    return page


def button(page: StartPage, name: str) -> QPushButton:
    found = page.findChild(QPushButton, name)
    assert found is not None
    return found


def drag(mime: QMimeData) -> QDragEnterEvent:
    """Files coming over the page. A drop event stands for it: the constructors of the other came and went in Qt 6."""
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    place, kind = QPointF(600, 700), QEvent.Type.DragEnter
    return cast("QDragEnterEvent", QDropEvent(place, Qt.DropAction.CopyAction, mime, buttons, keys, kind))


@pytest.mark.parametrize(
    ("name", "wish"),
    [("start_new", "new_wished"), ("start_open", "open_wished"), ("start_import", "import_wished")],
)
def test_each_way_in_is_one_click(page: StartPage, qtbot: QtBot, name: str, wish: str) -> None:
    with qtbot.waitSignal(getattr(page, wish)):
        qtbot.mouseClick(button(page, name), Qt.MouseButton.LeftButton)


def test_a_card_starts_its_workflow_and_its_sample(page: StartPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.start_wished) as told:
        qtbot.mouseClick(button(page, "start_slices"), Qt.MouseButton.LeftButton)
    assert told.args == ["slices"]
    with qtbot.waitSignal(page.sample_wished) as told:
        qtbot.keyClick(button(page, "sample_slices"), Qt.Key.Key_Space)
    assert told.args == ["slices"]


def test_only_one_button_is_accented(qtbot: QtBot) -> None:
    page = StartPage([CARD, WorkflowCard("other", "Another", "Something else.", has_sample=False)])
    qtbot.addWidget(page)
    primary = [b.objectName() for b in page.findChildren(QPushButton) if b.property("primary")]
    assert primary == ["start_slices"]
    assert button(page, "sample_other").isHidden()


def test_recent_projects_open_by_click_and_by_return_and_leave_the_list_by_delete(
    page: StartPage, qtbot: QtBot
) -> None:
    rows = page.findChild(QListWidget, "recent_list")
    assert rows is not None and rows.count() == 2
    assert "missing" in rows.item(1).text()
    place = rows.visualItemRect(rows.item(0)).center()
    with qtbot.waitSignal(page.recent_wished) as told:
        qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert told.args == ["/p/hand/hand.isokiln"]
    rows.setCurrentRow(1)
    with qtbot.waitSignal(page.recent_wished) as told:
        qtbot.keyClick(rows, Qt.Key.Key_Return)
    assert told.args == ["/gone/heart.isokiln"]
    with qtbot.waitSignal(page.recent_removed) as told:
        qtbot.keyClick(rows, Qt.Key.Key_Delete)
    assert told.args == ["/gone/heart.isokiln"]


def test_files_dropped_anywhere_are_told_and_the_frame_shows_while_they_hover(
    page: StartPage, qtbot: QtBot
) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile("/data/hand.csl"), QUrl("https://example.org/x")])
    before = page.grab().toImage()
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = drag(mime)
    page.dragEnterEvent(enter)
    assert enter.isAccepted()
    assert page.grab().toImage() != before
    drop = QDropEvent(QPointF(600, 700), Qt.DropAction.CopyAction, mime, buttons, keys)
    with qtbot.waitSignal(page.files_dropped) as told:
        page.dropEvent(drop)
    assert told.args == [[Path("/data/hand.csl")]]
    assert page.grab().toImage() == before


def test_something_that_is_no_file_is_not_taken(page: StartPage) -> None:
    mime = QMimeData()
    mime.setText("hello")
    enter = drag(mime)
    enter.ignore()
    page.dragEnterEvent(enter)
    assert not enter.isAccepted()


def test_recent_projects_stand_below_the_cards_where_the_window_is_narrow(
    page: StartPage, qtbot: QtBot
) -> None:
    rows = page.findChild(QListWidget, "recent_list")
    start = button(page, "start_slices")
    assert rows is not None

    def left_of_page(widget: QWidget) -> int:
        return widget.mapTo(page, QPoint(0, 0)).x()

    assert left_of_page(rows) > left_of_page(start) + 400
    page.resize(900, 600)
    qtbot.waitUntil(lambda: left_of_page(rows) < left_of_page(start))
    assert rows.isVisible() and page.width() == 900
    page.resize(1280, 800)
    qtbot.waitUntil(lambda: left_of_page(rows) > left_of_page(start) + 400)


@pytest.mark.parametrize(("scale", "size"), [(1.0, (1024, 640)), (1.0, (1280, 800)), (2.0, (1280, 800))])
def test_no_words_are_clipped(qapp: QApplication, qtbot: QtBot, scale: float, size: tuple[int, int]) -> None:
    apply_theme(qapp, "light", scale)
    page = StartPage([CARD], "0.1.0")
    qtbot.addWidget(page)
    page.set_recent(RECENT)
    page.set_device_line("No GPU, CPU with 2 cores: samples run, large scenes will be slow")
    page.set_tip("Ctrl+Shift+P finds every action by name")
    page.resize(*size)
    page.show()
    assert clipped(page) == []
    assert (page.width(), page.height()) == size
    apply_theme(qapp, "dark")


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_the_picture_goes_from_lines_to_clay(qapp: QApplication, theme: Theme) -> None:
    image = slices_to_solid(theme, QSize(600, 260), 2.0).toImage()
    assert (image.width(), image.height()) == (1200, 520)

    def clay(left: int, right: int) -> float:
        pixels = [image.pixelColor(x, y) for x in range(left, right, 4) for y in range(0, 520, 4)]
        return sum(1 for c in pixels if c.alpha() > 250 and c.red() > c.blue() + 30) / len(pixels)

    thirds = [clay(left, left + 400) for left in (0, 400, 800)]
    assert thirds[0] == 0 and 0.1 < thirds[1] < thirds[2] < 0.7


def test_the_picture_is_as_high_as_its_width_asks_for(page: StartPage, qtbot: QtBot) -> None:
    (picture,) = [
        w for w in button(page, "start_slices").parent().children() if type(w).__name__ == "_Picture"
    ]
    assert isinstance(picture, QWidget)
    qtbot.waitUntil(lambda: picture.height() == picture.heightForWidth(picture.width()))
    assert picture.height() > 250


def test_cards_stand_in_pairs_where_there_is_room(qtbot: QtBot) -> None:
    cards = [WorkflowCard(name, name, f"A line on {name}.") for name in ("one", "two", "three")]
    page = StartPage(cards)
    qtbot.addWidget(page)
    page.resize(1400, 800)
    page.show()
    qtbot.waitExposed(page)
    first, second, third = (page.findChild(CardFrame, f"card_{card.id}") for card in cards)
    assert first.y() == second.y() < third.y() and first.width() == pytest.approx(second.width(), abs=1)
    page.resize(1000, 800)
    qtbot.waitUntil(lambda: first.y() < second.y() < third.y() and first.x() == second.x())
