"""Toasts pass, banners stay, sheets are answered; the error sheet says what to do and copies the rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QEnterEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow, QPlainTextEdit, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from tests.widgets.looks import clipped
from widgets.error_dialog import CLOSE, ErrorDialog
from widgets.notices import BannerZone, NoticeAction, Sheet, Toast
from widgets.theme import apply_theme

SENTENCE = "hand.csl, line 17: plane 5 names 12 vertices but only 9 follow."
ADVICE = "Export the file again, or cut the plane out in a text editor."


@pytest.fixture
def window(qtbot: QtBot) -> QMainWindow:
    window = QMainWindow()
    qtbot.addWidget(window)
    window.resize(1024, 640)
    window.show()
    qtbot.waitExposed(window)
    return window


@pytest.fixture
def scale_back(qapp: QApplication) -> Iterator[None]:
    yield
    apply_theme(qapp, "dark")


def words(widget: QMainWindow | Toast | Sheet | BannerZone) -> set[str]:
    return {label.text() for label in widget.findChildren(QLabel) if label.isVisible()}


def press(qtbot: QtBot, widget: Toast | Sheet | BannerZone, text: str) -> None:
    found = [button for button in widget.findChildren(QPushButton) if button.text() == text]
    assert len(found) == 1
    qtbot.mouseClick(found[0], Qt.MouseButton.LeftButton)


def test_a_toast_goes_by_itself(window: QMainWindow, qtbot: QtBot) -> None:
    toast = Toast(window, "Exported hand.glb.", seconds=0.05)
    assert toast.isVisible() and "Exported hand.glb." in words(toast)
    with qtbot.waitSignal(toast.closed, timeout=2000):
        pass
    assert not toast.isVisible()


def test_a_toast_waits_while_the_pointer_rests_on_it(window: QMainWindow, qtbot: QtBot) -> None:
    toast = Toast(window, "Exported hand.glb.", seconds=0.05)
    point = QPointF(5, 5)
    QApplication.sendEvent(toast, QEnterEvent(point, point, point))
    qtbot.wait(150)
    assert toast.isVisible()
    with qtbot.waitSignal(toast.closed, timeout=2000):
        QApplication.sendEvent(toast, QEvent(QEvent.Type.Leave))


def test_a_new_toast_takes_the_place_of_the_last(window: QMainWindow, qtbot: QtBot) -> None:
    first = Toast(window, "Exported hand.glb.")
    with qtbot.waitSignal(first.closed):
        second = Toast(window, "Saved.")
    assert second.isVisible() and not first.isVisible()


def test_the_action_of_a_toast_is_told_and_ends_it(window: QMainWindow, qtbot: QtBot) -> None:
    toast = Toast(window, "Exported.", [NoticeAction("show", "Show in folder")])
    with qtbot.waitSignal(toast.chosen) as chosen:
        press(qtbot, toast, "Show in folder")
    assert chosen.args == ["show"] and not toast.isVisible()


def test_a_toast_stands_at_the_foot_and_stays_there_when_the_window_changes(
    window: QMainWindow, qtbot: QtBot
) -> None:
    toast = Toast(window, "Exported hand.glb.")
    window.resize(1200, 700)
    qtbot.waitUntil(lambda: abs(toast.geometry().center().x() - 600) <= 1)
    assert 600 < toast.geometry().bottom() < 680


def test_banners_stay_until_removed_and_the_same_id_replaces(qtbot: QtBot) -> None:
    zone = BannerZone()
    qtbot.addWidget(zone)
    assert zone.isHidden()
    zone.show_banner("missing", "3 files are missing.", "warning", [NoticeAction("locate", "Locate folder…")])
    zone.show_banner("read-only", "Open read-only.")
    zone.show_banner("missing", "2 files are missing.", "warning", [NoticeAction("locate", "Locate folder…")])
    assert set(zone.banner_ids()) == {"missing", "read-only"} and not zone.isHidden()
    qtbot.waitUntil(lambda: {"2 files are missing.", "Open read-only."} <= words(zone))
    assert "3 files are missing." not in words(zone)
    with qtbot.waitSignal(zone.chosen) as chosen:
        press(qtbot, zone, "Locate folder…")
    assert chosen.args == ["missing", "locate"] and "missing" in zone.banner_ids()
    zone.remove_banner("missing")
    zone.remove_banner("read-only")
    assert zone.isHidden()


def test_the_cross_of_a_banner_takes_it_away_and_says_so(qtbot: QtBot) -> None:
    zone = BannerZone()
    qtbot.addWidget(zone)
    zone.show_banner("read-only", "Open read-only.")
    (cross,) = zone.findChildren(QToolButton)
    assert cross.accessibleName() == "Close"
    with qtbot.waitSignal(zone.chosen) as chosen:
        qtbot.mouseClick(cross, Qt.MouseButton.LeftButton)
    assert chosen.args == ["read-only", "close"] and zone.banner_ids() == ()


def test_escape_on_a_sheet_chooses_the_last_and_return_the_primary_action(
    window: QMainWindow, qtbot: QtBot
) -> None:
    actions = [NoticeAction("stop", "Stop and save", True), NoticeAction("cancel", "Cancel")]
    for key, answer in ((Qt.Key.Key_Escape, "cancel"), (Qt.Key.Key_Space, "stop")):
        sheet = Sheet(window, "A run is active", "Surface r1 is at 62 %.", actions)
        focus = window.focusWidget()
        assert isinstance(focus, QPushButton) and focus.text() == "Stop and save"
        with qtbot.waitSignal(sheet.chosen) as chosen:
            qtbot.keyClick(focus, key)
        assert chosen.args == [answer] and not sheet.isVisible()


def test_a_sheet_lets_the_window_be_used(window: QMainWindow, qtbot: QtBot) -> None:
    below = QPushButton("Below", window)
    below.move(10, 600)
    below.show()
    Sheet(window, "A run is active", "Surface r1 is at 62 %.", [NoticeAction("cancel", "Cancel")])
    with qtbot.waitSignal(below.clicked):
        qtbot.mouseClick(below, Qt.MouseButton.LeftButton)


def test_the_error_sheet_says_what_to_do_and_hides_the_details(window: QMainWindow, qtbot: QtBot) -> None:
    dialog = ErrorDialog(window, SENTENCE, ADVICE, "FormatError at line 17")
    assert {SENTENCE, ADVICE} <= words(dialog)
    (details,) = dialog.findChildren(QPlainTextEdit)
    assert details.isHidden()
    height = dialog.height()
    (fold,) = dialog.findChildren(QToolButton)
    qtbot.mouseClick(fold, Qt.MouseButton.LeftButton)
    assert details.isVisible() and details.toPlainText() == "FormatError at line 17"
    qtbot.waitUntil(lambda: dialog.height() > height + 100)


def test_copy_details_copies_everything(window: QMainWindow, qtbot: QtBot) -> None:
    dialog = ErrorDialog(window, SENTENCE, ADVICE, "FormatError at line 17")
    press(qtbot, dialog, "Copy details")
    text = QGuiApplication.clipboard().text()
    assert all(part in text for part in (SENTENCE, ADVICE, "FormatError at line 17"))
    assert dialog.isVisible()
    with qtbot.waitSignal(dialog.chosen) as chosen:
        press(qtbot, dialog, CLOSE.text)
    assert chosen.args == ["close"]


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_long_sentences_wrap_and_are_never_clipped(
    window: QMainWindow, qtbot: QtBot, qapp: QApplication, scale: float, scale_back: None
) -> None:
    apply_theme(qapp, "light", scale)
    window.resize(round(1024 * scale), round(640 * scale))
    dialog = ErrorDialog(
        window, SENTENCE * 2, ADVICE * 3, "details", [NoticeAction("retry", "Try again"), CLOSE]
    )
    toast = Toast(window, SENTENCE, [NoticeAction("show", "Show in folder")], "ok")
    assert clipped(window) == []
    assert window.rect().contains(dialog.geometry()) and window.rect().contains(toast.geometry())


def test_an_error_sheet_has_its_full_height_at_once(window: QMainWindow) -> None:
    dialog = ErrorDialog(window, SENTENCE, ADVICE, "details")
    height = dialog.height()
    for _ in range(4):
        QApplication.processEvents()
    assert dialog.height() == height


def test_a_sheet_is_as_wide_as_its_buttons_need(window: QMainWindow) -> None:
    actions = [
        NoticeAction("stop", "Stop and keep a checkpoint of everything", True),
        NoticeAction("keep", "Keep running in the background"),
        NoticeAction("cancel", "Cancel"),
    ]
    sheet = Sheet(window, "A run is active", "It can be resumed.", actions)
    assert clipped(sheet) == []
