"""A real window to drive in tests: opened, looked at, closed; nothing of it is left."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget

from app.main_window import MainWindow
from app.preferences import Preferences
from widgets.notices import Sheet


@contextmanager
def open_window(qtbot, preferences: Preferences | None = None) -> Iterator[MainWindow]:
    window = MainWindow(preferences or Preferences(reduce_motion=True), multi_samples=0)
    with qtbot.waitActive(window, timeout=30_000):
        window.show()
        window.activateWindow()
    try:
        yield window
    finally:
        close_for_good(window)


@contextmanager
def kept_window() -> Iterator[MainWindow]:
    """A window for all tests of a file, which opening one for each would make slow; `begin_anew` before each."""
    window = MainWindow(Preferences(reduce_motion=True), multi_samples=0)
    window.resize(1024, 640)  # fewer pixels to draw
    window.show()
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window, 30_000)
    try:
        yield window
    finally:
        close_for_good(window)


def close_for_good(window: MainWindow) -> None:
    """Close it without a question, and let Qt delete it now."""
    window.may_close = True
    window.close()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()


def begin_anew(window: MainWindow) -> None:
    """An empty project and no tool under way."""
    QTest.qWait(1)
    while window.splats.edits.is_busy or window.splats.background.is_busy:
        QTest.qWait(10)
    window.splat_panel.close_tool()
    window.splat_tools.leave()
    window.splat_tools.set_only_visible(False)
    window.splat_tools.set_by_footprint(False)
    window.viewport.end_tool()
    window.viewport.set_orthographic(False)
    window.document.new()
    window.activateWindow()


def open_files(qtbot, window: MainWindow, *paths: Path) -> None:
    """Open files as if they were dropped on the window, and wait until they are layers."""
    before = len(window.project.layers)
    window.open_paths(list(paths))
    qtbot.waitUntil(lambda: len(window.project.layers) > before, timeout=20_000)


def press(window: QWidget, keys: str) -> None:
    """Press keys as a person does, for example "Ctrl+S"."""
    names = keys.split("+")
    modifiers = Qt.KeyboardModifier.NoModifier
    for name in names[:-1]:
        modifiers |= {"Ctrl": Qt.KeyboardModifier.ControlModifier, "Shift": Qt.KeyboardModifier.ShiftModifier,
                      "Alt": Qt.KeyboardModifier.AltModifier}[name]  # fmt: skip
    key = getattr(Qt.Key, f"Key_{names[-1]}")
    QTest.keyClick(window, key, modifiers)


def sheets(window: MainWindow) -> list[Sheet]:
    """The questions that stand over the window."""
    return [sheet for sheet in window.findChildren(Sheet) if sheet.isVisible()]


def answer(window: MainWindow, text: str) -> None:
    """Click the button `text` of the one question."""
    (sheet,) = sheets(window)
    button = next(b for b in sheet.findChildren(QPushButton) if b.text() == text)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def layer_names(window: MainWindow) -> list[str]:
    return [layer.name for layer in window.project.layers]


def picture(window: MainWindow) -> np.ndarray:
    """What the viewport shows now, (H, W, 3) uint8."""
    return window.viewport.screenshot()


def run_to_end(qtbot, window: MainWindow, seconds: float = 120) -> None:
    """Wait until the run that was started has ended."""
    qtbot.waitUntil(
        lambda: bool(window.runs.queue.jobs) and window.runs.current is None, timeout=int(seconds * 1000)
    )


def texts(widgets: Sequence[QWidget]) -> list[str]:
    return [widget.text() for widget in widgets]  # type: ignore[attr-defined]
